//! Runs every command of every page for users, in a project made of the page's own files, and
//! compares the output with the page; linters check the snippets for other systems.
//! `support/page.rs` describes the form of pages.
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

/// Returns the snippets of a page, each with the schema in the comment before it.
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

/// Returns every page for users.
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

/// Collects files whose commands and templates users copy.
fn copied_files(dir: &Path, found: &mut Vec<PathBuf>) {
    const KINDS: [&str; 9] = ["md", "toml", "trycmd", "py", "sh", "rs", "yml", "yaml", "html"];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !["target", "dist"].iter().any(|name| path.ends_with(name)) {
            copied_files(&path, found);
        } else if KINDS.contains(&&*kind) {
            found.push(path);
        }
    }
}

/// Packages and crates of this project, which no index has: they can be installed only from a path,
/// a wheel file or a directory of wheels. `wheelsmith` is a package of another project.
const UNPUBLISHED: [&str; 3] = ["wheelsmith-build", "wheelsmith-cli", "wheelsmith-core"];

/// True if an installer that runs the command or reads the table in `line` would download a package
/// with one of these names from an index.
fn leads_to_an_index(line: &str) -> bool {
    const PROGRAMS: [&str; 12] = [
        "pip", "pip3", "pipx", "uv", "uvx", "cargo", "conda", "mamba", "poetry", "pdm", "hatch",
        "rye",
    ];
    const VERBS: [&str; 9] =
        ["install", "binstall", "add", "download", "wheel", "run", "sync", "tool", "uvx"];
    const LOCAL: [&str; 5] = ["--no-index", "--find-links", "--path", "--git", "path"];
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let words: Vec<&str> = line.split(|c| !is_name(c)).filter(|word| !word.is_empty()).collect();
    let is_local = words.iter().any(|word| LOCAL.contains(word));
    let name = |word: &str| word.to_lowercase().replace(['_', '.'], "-");
    let is_ours = |word: &str| name(word) == "wheelsmith" || UNPUBLISHED.contains(&&*name(word));
    // A table that another tool reads: `requires`, `dependencies`, `build-backend`, a crate.
    let key = line.trim().split(['=', ':']).next().unwrap_or_default().trim().trim_matches('"');
    let values = words.iter().skip_while(|word| **word != key).skip(1);
    let is_old = |word: &&&str| name(word) == "wheelsmith";
    if matches!(key, "requires" | "dependencies" | "build-backend") && line.contains('=') {
        return values.clone().any(|word| is_old(&word));
    }
    if UNPUBLISHED[1..].contains(&key) && line.contains('=') {
        return !is_local;
    }
    let commands = line.split(['`', '#', ';', '|', '&']);
    commands.map(|command| command.split_whitespace().collect::<Vec<_>>()).any(|words| {
        let bare = |word: &&str| word.trim_matches(['"', '\'', '(', ')', ',', '.']).to_owned();
        let words: Vec<String> = words.iter().map(bare).collect();
        let program = words.iter().position(|word| PROGRAMS.contains(&&**word));
        let module = words.windows(2).any(|pair| pair[0] == "-m" && pair[1] == "wheelsmith");
        let Some(program) = program else { return module };
        let rest = &words[program..];
        let has_verb = rest.iter().any(|word| VERBS.contains(&&**word));
        let package = rest[1..].iter().any(|word| {
            let end = word.find(|c| !is_name(c)).unwrap_or(word.len());
            is_ours(&word[..end])
        });
        // `uv run wheelsmith build` runs what the environment has.
        module || (has_verb && package && !is_local && rest.get(1).is_none_or(|w| w != "run"))
    })
}

#[test]
fn nothing_leads_to_a_package_of_another_project() {
    let check = |line: &str, expected: bool| {
        assert_eq!(leads_to_an_index(line), expected, "{line}");
    };
    for line in [
        "pip install wheelsmith",
        "python -m pip install --upgrade 'wheelsmith>=1'",
        "first `pipx install wheelsmith`, then",
        "uv tool install wheelsmith[zig]==2",
        "uvx wheelsmith build",
        "uv pip install wheelsmith-build",
        "pip wheel Wheelsmith.Build",
        "cargo install --locked wheelsmith-cli",
        "cargo add --build wheelsmith-core",
        "wheelsmith-core = { version = \"0.1\" }",
        "requires = [\"ziglang\", \"wheelsmith\"]",
        "build-backend = 'wheelsmith'",
        "python3 -m wheelsmith --version",
    ] {
        check(line, true);
    }
    for line in [
        "cargo install --path wheelsmith-cli",
        "pip install --no-index --find-links LINKS wheelsmith-build",
        "pip install ./wheelsmith_build-0.1.0-py3-none-any.whl",
        "requires = [\"wheelsmith-build\"]",
        "wheelsmith-core = { path = \"../wheelsmith-core\" }",
        "`pip install .` needs wheelsmith on PATH",
        "cargo build -p wheelsmith-cli",
        "uv run wheelsmith build",
    ] {
        check(line, false);
    }
    let mut files = Vec::new();
    for dir in ["docs", "examples", "python", "scripts", "tests/stories", "wheelsmith-cli/src"] {
        copied_files(&repository().join(dir), &mut files);
    }
    files.extend(["README.md", "CONTRIBUTING.md", "pyproject.toml"].map(|p| repository().join(p)));
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap().replace("\\\n", " ");
        let lines = text.lines().filter(|line| leads_to_an_index(line));
        wrong.extend(lines.map(|line| format!("{}: {line}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pages_are_read_as_they_are_meant() {
    use page::Part;
    let parts = page::parts(
        "# A page\n```c a.c\nint a;\n```\n```toml +b.toml\nx = 1\n```\n\
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
