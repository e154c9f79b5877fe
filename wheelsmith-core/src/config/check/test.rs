//! Validation of `[tool.wheelsmith.test]`.

use globset::Glob;

use super::{Check, ROOT};
use crate::config::testing::Settings;

/// Checks the table.
pub(super) fn check(check: &mut Check<'_>, settings: &Settings) {
    let root = format!("{ROOT}.test");
    let globs = [
        ("files", &settings.files),
        ("required", &settings.required),
        ("allowed-failures", &settings.allowed_failures),
    ];
    for (key, patterns) in globs {
        for (i, pattern) in patterns.iter().enumerate() {
            if let Err(error) = Glob::new(pattern) {
                let message = format!("not a pattern: {}", error.kind());
                check.problem(&format!("{root}.{key}[{i}]"), message, None);
            }
        }
    }
    if settings.schemes.is_empty() {
        let help = "one of `venv`, `target`, `user`, `prefix`";
        check.problem(&format!("{root}.install"), "no installation scheme is listed", Some(help));
    }
    if settings.timeout_secs == 0 {
        check.problem(&format!("{root}.timeout-secs"), "no cell ends in no time", None);
    }
}
