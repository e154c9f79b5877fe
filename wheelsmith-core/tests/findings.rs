//! Every code of a finding has its page, and the index has every code. `UPDATE=1 cargo test --test
//! findings` updates the table of the index.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use wheelsmith_core::finding::{Code, Severity};

const BEGIN: &str = "<!-- codes: made from the table of codes -->\n";
const END: &str = "<!-- end of codes -->\n";

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/reference")
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
        Severity::Info => "Note",
    }
}

/// Returns the meaning on one line.
fn meaning(code: Code) -> String {
    code.meaning().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_code_has_a_page() {
    for code in Code::ALL {
        let path = docs().join(format!("findings/{code}.md"));
        let page = fs::read_to_string(&path).unwrap_or_default();
        let start = format!("# `{code}`\n\n**{}.** {}\n", severity(*code), meaning(*code));
        assert!(page.starts_with(&start), "`{}` does not begin with:\n{start}", path.display());
        let mut rest = page.as_str();
        for title in ["Why it matters", "How it is found", "Example", "What to do"] {
            let title = format!("\n## {title}\n");
            let (_, after) = rest.split_once(&title).unwrap_or_else(|| panic!("{code}:{title}"));
            rest = after;
        }
        assert!(page.contains(&format!("[{code}]")), "{code}: the example is of another code");
    }
}

#[test]
fn every_page_has_a_code() {
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    for entry in fs::read_dir(docs().join("findings")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(codes.contains(&name), "{name} is the page of no code");
    }
}

#[test]
fn the_index_is_current() {
    let path = docs().join("findings.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let mut current = "\n| code | severity | meaning |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let (severity, meaning) = (severity(*code), meaning(*code));
        let _ = writeln!(current, "| [`{code}`](findings/{code}.md) | {severity} | {meaning} |");
    }
    current.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{current}{END}{after}")).unwrap();
        return;
    }
    assert!(table == current, "`{}` is not current: run with UPDATE=1", path.display());
}
