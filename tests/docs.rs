//! What the guide tells people to copy is right: each snippet is put before the linters of the
//! system that it is for.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{TestEnv, repository};

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
