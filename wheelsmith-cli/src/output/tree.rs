//! Output of `wheelsmith tree`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wheelsmith_core::tree::{Found, Scan, TreeKind, Unread};

use super::human::{self, BOLD, DIM, YELLOW};
use super::json::SCHEMA;
use super::text::Text;

/// Number of paths that are printed for each kind.
const MOST: usize = 5;

pub(super) fn human_scan(scan: &Scan, verbose: bool) -> Text {
    let mut text = Text::new();
    places(&mut text, &scan.found, verbose);
    unread(&mut text, &scan.unread);
    let (files, bytes) = (scan.files, human::size(scan.bytes));
    let count: usize = scan.found.iter().map(|found| found.count).sum();
    let in_files = paths(&scan.found);
    let _ = writeln!(
        text,
        "{BOLD}{count} places{BOLD:#} in {in_files} files; searched {files} files, {bytes}"
    );
    text
}

pub(super) fn json_scan(scan: &Scan) -> Value {
    let mut value = json!(scan);
    value["schema"] = json!(SCHEMA);
    value
}

/// Returns the number of different paths.
fn paths(found: &[Found]) -> usize {
    found.iter().map(|found| &found.path).collect::<std::collections::BTreeSet<_>>().len()
}

/// Prints the places, grouped by kind.
fn places(text: &mut Text, found: &[Found], verbose: bool) {
    let mut kinds: BTreeMap<TreeKind, Vec<&Found>> = BTreeMap::new();
    for found in found {
        kinds.entry(found.kind).or_default().push(found);
    }
    for (kind, found) in kinds {
        let count: usize = found.iter().map(|found| found.count).sum();
        let _ = writeln!(text, "{BOLD}{kind}{BOLD:#}  {count} in {} files", found.len());
        let most = if verbose { usize::MAX } else { MOST };
        for Found { path, count, detail, .. } in found.iter().take(most) {
            let _ = match detail {
                Some(detail) => writeln!(text, "  {path}  {count}  {DIM}{detail}{DIM:#}"),
                None => writeln!(text, "  {path}  {count}"),
            };
        }
        if let Some(rest) = found.len().checked_sub(most).filter(|rest| *rest > 0) {
            let _ = writeln!(text, "  {DIM}and {rest} more files; -v lists them{DIM:#}");
        }
    }
}

fn unread(text: &mut Text, unread: &[Unread]) {
    for Unread { path, reason } in unread {
        let _ = writeln!(text, "{YELLOW}not searched{YELLOW:#}: {path}: {reason}");
    }
}
