//! Output of `wheelsmith sums`, `sign` and `verify`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wheelsmith_core::seal::{Report, SUMS, Sums};

use super::found::{self, Shown};
use super::human::{BOLD, DIM, GREEN, RED};
use super::json::SCHEMA;
use super::text::Text;

pub(super) fn human_sums(dir: &Path, sums: &Sums, changed: bool) -> Text {
    let mut text = Text::new();
    let path = dir.join(SUMS);
    let end = if changed { "" } else { ", unchanged" };
    let _ =
        writeln!(text, "{GREEN}{}{GREEN:#}  {}{end}", path.display(), files(sums.iter().count()));
    text
}

pub(super) fn json_sums(dir: &Path, sums: &Sums, changed: bool) -> Value {
    let files = sums.iter().map(|(name, sha256)| json!({ "path": name, "sha256": sha256 }));
    let (path, files) = (dir.join(SUMS), files.collect::<Vec<_>>());
    json!({ "schema": SCHEMA, "path": path, "changed": changed, "files": files })
}

pub(super) fn human_signed(release: &str, written: &[PathBuf]) -> Text {
    let mut text = Text::new();
    for path in written {
        let _ = writeln!(text, "{GREEN}{}{GREEN:#}  {release}", path.display());
    }
    text
}

pub(super) fn json_signed(release: &str, written: &[PathBuf]) -> Value {
    json!({ "schema": SCHEMA, "release": release, "signatures": written })
}

pub(super) fn human_verified(report: &Report, verbose: bool) -> Text {
    let (mut text, mut helped) = (Text::new(), BTreeSet::new());
    let (style, word) = found::standing(false, &report.findings);
    let dir = report.directory.display();
    let agree = if report.files == 1 { "agrees" } else { "agree" };
    let _ = writeln!(
        text,
        "{style}{word}{style:#} {BOLD}{dir}{BOLD:#}  {} {agree} with the list",
        files(report.files)
    );
    let mut shown = Shown { verbose, helped: &mut helped };
    found::listing(&mut text, &report.findings, &mut shown, &mut |_, _| {});
    let color = if report.findings.is_empty() { GREEN } else { RED };
    for trusted in &report.signatures {
        let release = trusted.release.as_deref().map(|release| format!(" for `{release}`"));
        let release = release.unwrap_or_default();
        let _ =
            writeln!(text, "     {color}{}{color:#}  {}{release}", trusted.file, trusted.signer);
    }
    for note in &report.notes {
        let mut line = Text::new();
        found::wrap(&mut line, 5, 5, note);
        text.push_own(&format!("{DIM}{}{DIM:#}", line.as_str()));
    }
    text
}

fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}
