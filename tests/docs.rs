//! What the guide tells people is right: every command of every page is run, in a project made of
//! the page's own files, and says what the page shows; each snippet for another system is put before
//! the linters of that system. `support/page.rs` says how pages are written for that.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{TestEnv, page, repository};

const TEST: &str = "snippets_pass_the_linters";

/// The snippets of a page with the schema that the comment before each of them names.
fn snippets(page: &str) -> Vec<(&str, &str)> {
    let marked = page.split("<!-- judged as: ").skip(1);
    let snippet = |part| {
        let (schema, rest) = str::split_once(part, " -->\n```yaml\n")?;
        Some((schema, rest.split_once("```\n")?.0))
    };
    marked.map(|part| snippet(part).expect("a snippet after its comment")).collect()
}

fn judge(env: &TestEnv, program: &str, args: &[&str], file: &Path) {
    if env.get(&format!("judges/bin/{program}"), TEST).is_none() {
        return;
    }
    let output = Command::new(env.judge(program)).args(args).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{program} on {}:\n{said}", file.display());
}

#[test]
fn every_snippet_is_judged() {
    let page = fs::read_to_string(repository().join("docs/guide/ci.md")).unwrap();
    assert_eq!(snippets(&page).len(), page.matches("```yaml\n").count());
}

#[test]
fn snippets_pass_the_linters() {
    let Some(env) = TestEnv::find(TEST) else { return };
    let page = fs::read_to_string(repository().join("docs/guide/ci.md")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (at, (schema, text)) in snippets(&page).into_iter().enumerate() {
        let file = dir.path().join(format!("snippet-{at}.yml"));
        fs::write(&file, text).unwrap();
        let schema_name = format!("vendor.{schema}");
        judge(&env, "check-jsonschema", &["--builtin-schema", &schema_name], &file);
        if schema == "github-workflows" {
            // Not the pins: which release of an action is right today is the reader's to say.
            let config = dir.path().join("zizmor.yml");
            fs::write(&config, "rules:\n  unpinned-uses:\n    disable: true\n").unwrap();
            let config = config.to_str().unwrap();
            let args = ["--offline", "--no-progress", "--strict-collection", "--config", config];
            judge(&env, "zizmor", &args, &file);
        }
    }
}

/// Every page for users.
fn pages() -> Vec<PathBuf> {
    let guide = fs::read_dir(repository().join("docs/guide")).unwrap();
    let mut pages: Vec<PathBuf> = guide.map(|entry| entry.unwrap().path()).collect();
    pages.push(repository().join("README.md"));
    pages.sort();
    pages
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn every_command_of_every_page_is_run() {
    let Some(env) = TestEnv::find("every_command_of_every_page_is_run") else { return };
    if env.get("judges/bin/python", "every_command_of_every_page_is_run").is_none() {
        return;
    }
    let only = std::env::var("WHEELSMITH_TEST_PAGE").unwrap_or_default();
    let pages = pages().into_iter().filter(|page| page.to_string_lossy().contains(&only));
    let (pages, env) = (std::sync::Mutex::new(pages), &env);
    let work = || {
        let mut wrong = Vec::new();
        loop {
            let next = pages.lock().unwrap().next();
            let Some(page) = next else { break wrong };
            let start = std::time::Instant::now();
            wrong.extend(page::follow(env, &page));
            eprintln!("{} took {:.1} s", page.display(), start.elapsed().as_secs_f64());
        }
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn pages_are_read_as_they_are_meant() {
    use page::Part;
    let parts = page::parts(
        "# A page\n<!-- file: a.c\nint a;\n-->\n```toml +b.toml\nx = 1\n```\n\
         <!-- not run: it needs another machine -->\n```sh\nreboot\n```\n\
         ```console exit=1\n$ false\n```\n```text\nno part\n```\n",
    );
    let file = |path: &str, text: &str| Part::File { path: path.into(), text: text.into() };
    let expected = [
        file("a.c", "int a;\n"),
        file("+b.toml", "x = 1\n"),
        Part::NotRun,
        Part::Console { text: "$ false\n".into(), exit: 1 },
    ];
    assert_eq!(parts, expected);
    let shows = |said: &str, shown: &[&str], expected: bool| {
        assert_eq!(page::shows(said, shown).is_ok(), expected, "{said} {shown:?}");
    };
    shows("one\ntwo\nthree", &["one", "…", "three"], true);
    shows("one\ntwo", &["two", "one"], false);
    shows("  built (zig 0.17.0, 15.9 s)", &["built (zig 0.17.0, 0.2 s)"], true);
    shows("a.whl  3.5 kB", &["a.whl 912 B"], true);
    shows("from /tmp/x/lib/a.so", &["from …/lib/a.so"], true);
    shows("from /tmp/x/lib/a.so", &["from …/lib/b.so"], false);
}
