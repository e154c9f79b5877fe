//! Output of `wheelsmith wheel`.

use std::path::Path;

use serde_json::{Value, json};
use wheelsmith_core::finding::Finding;
use wheelsmith_core::wheel::{Diff, FileDiff, Likeness, MadeFile};

use super::human::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::json::{SCHEMA, file};
use super::text::Text;

/// Result of changing the tags of a wheel.
pub(crate) struct Retagged {
    /// File name with the new tags.
    pub(crate) name: String,
    /// Written file; `None` if the tag was refused.
    pub(crate) file: Option<MadeFile>,
    /// Findings against the tag.
    pub(crate) refused: Vec<Finding>,
    /// Reason for writing the tag despite findings.
    pub(crate) reason: Option<String>,
}

pub(super) fn human_files(files: &[MadeFile]) -> Text {
    let mut text = Text::new();
    for file in files {
        made(&mut text, file);
    }
    text
}

fn made(text: &mut Text, file: &MadeFile) {
    let (path, size) = (file.path.display(), human::size(file.size_bytes));
    let _ = writeln!(text, "{GREEN}{path}{GREEN:#}  {size}");
    let _ = writeln!(text, "  {DIM}sha256 {}{DIM:#}", file.sha256);
}

pub(super) fn json_files(files: &[MadeFile]) -> Value {
    json!({ "schema": SCHEMA, "wheels": files.iter().map(file).collect::<Vec<_>>() })
}

pub(super) fn human_unpacked(root: &Path, files: usize) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{GREEN}{}{GREEN:#}  {files} files", root.display());
    text
}

pub(super) fn json_unpacked(root: &Path, files: usize) -> Value {
    json!({ "schema": SCHEMA, "directory": root, "files": files })
}

pub(super) fn human_retagged(wheels: &[Retagged]) -> Text {
    let mut text = Text::new();
    for wheel in wheels {
        if let Some(file) = &wheel.file {
            made(&mut text, file);
        } else {
            let name = &wheel.name;
            let _ = writeln!(
                text,
                "{RED}{name}{RED:#} was not written: its files do not qualify for the tag"
            );
        }
        if let Some(reason) = &wheel.reason {
            let _ = writeln!(text, "  {YELLOW}forced{YELLOW:#}: {reason}");
        }
        for found in &wheel.refused {
            human::finding(&mut text, found);
        }
    }
    text
}

pub(super) fn json_retagged(wheels: &[Retagged]) -> Value {
    let wheels = wheels.iter().map(|wheel| {
        json!({
            "name": wheel.name,
            "file": wheel.file.as_ref().map(file),
            "findings": wheel.refused,
            "forced": wheel.reason,
        })
    });
    json!({ "schema": SCHEMA, "wheels": wheels.collect::<Vec<_>>() })
}

pub(super) fn human_diff(diff: &Diff) -> Text {
    let style = match diff.likeness {
        Likeness::Different => RED,
        Likeness::OtherMetadata => YELLOW,
        _ => GREEN,
    };
    let mut text = Text::new();
    let _ = writeln!(text, "{style}{}{style:#}", diff.likeness.as_str());
    for file in &diff.files {
        let FileDiff { path, size_before, size_after, lines_before, lines_after } = file;
        let _ = match (size_before, size_after) {
            (None, Some(size)) => {
                writeln!(text, "  {GREEN}+{GREEN:#} {path}  {}", human::size(*size))
            }
            (Some(size), None) => writeln!(text, "  {RED}-{RED:#} {path}  {}", human::size(*size)),
            (Some(a), Some(b)) if a != b => {
                writeln!(text, "  {YELLOW}~{YELLOW:#} {path}  {a} -> {b} bytes")
            }
            _ => writeln!(text, "  {YELLOW}~{YELLOW:#} {path}"),
        };
        lines(&mut text, '-', lines_before);
        lines(&mut text, '+', lines_after);
    }
    for sentence in &diff.framing {
        let _ = writeln!(text, "  {BOLD}archive{BOLD:#}: {sentence}");
    }
    text
}

/// Writes the first lines, each after `sign`.
fn lines(text: &mut Text, sign: char, lines: &[String]) {
    const SHOWN: usize = 10;
    for line in lines.iter().take(SHOWN) {
        let _ = writeln!(text, "      {DIM}{sign} {line}{DIM:#}");
    }
    if lines.len() > SHOWN {
        let _ = writeln!(text, "      {DIM}{sign} and {} more lines{DIM:#}", lines.len() - SHOWN);
    }
}

pub(super) fn json_diff(diff: &Diff) -> Value {
    let mut value = json!(diff);
    value["schema"] = json!(SCHEMA);
    value
}
