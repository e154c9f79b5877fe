//! Validation of `[tool.wheelsmith.test]`.

use globset::Glob;

use super::{Check, ROOT};
use crate::config::tables::TestTable;
use crate::config::testing;

/// Checks the table.
pub(super) fn check(check: &mut Check<'_>, raw: TestTable) -> testing::Settings {
    let root = format!("{ROOT}.test");
    let default = testing::Settings::default();
    let globs = [
        ("files", &raw.files),
        ("required", &raw.required),
        ("allowed-failures", &raw.allowed_failures),
    ];
    for (key, patterns) in globs {
        for (i, pattern) in patterns.iter().enumerate() {
            if let Err(error) = Glob::new(pattern) {
                let message = format!("not a pattern: {}", error.kind());
                check.problem(&format!("{root}.{key}[{i}]"), message, None);
            }
        }
    }
    if raw.install.as_ref().is_some_and(Vec::is_empty) {
        let help = "one of `venv`, `target`, `user`, `prefix`";
        check.problem(&format!("{root}.install"), "no installation scheme is listed", Some(help));
    }
    if raw.timeout_secs == Some(0) {
        check.problem(&format!("{root}.timeout-secs"), "no cell ends in no time", None);
    }
    let mut smoke = Vec::new();
    for (i, text) in raw.smoke.iter().enumerate() {
        smoke.extend(words(check, &format!("{root}.smoke[{i}]"), text));
    }
    let command = raw.command.as_ref();
    let command = command.and_then(|text| words(check, &format!("{root}.command"), text));
    testing::Settings {
        pythons: raw.python,
        schemes: raw.install.unwrap_or(default.schemes),
        installer: raw.installer,
        imports: raw.import,
        smoke,
        command,
        files: raw.files,
        requires: raw.requires,
        env: raw.env,
        pass_env: raw.pass_env,
        absence: raw.absence.unwrap_or(default.absence),
        timeout_secs: raw.timeout_secs.unwrap_or(default.timeout_secs),
        max_skipped: raw.max_skipped,
        required: raw.required,
        allowed_failures: raw.allowed_failures,
    }
}

/// Splits a command into words.
fn words(check: &mut Check<'_>, key: &str, text: &str) -> Option<Vec<String>> {
    let words = testing::Settings::words(text);
    words.map_err(|problem| check.problem(key, format!("no command: {problem}"), None)).ok()
}
