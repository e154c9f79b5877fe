//! Output of `wheelsmith tree`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wheelsmith_core::name::Target;
use wheelsmith_core::project::{BuiltTree, Error};
use wheelsmith_core::tree::{Found, Left, Outcome, Scan, TestReport, TreeKind, Unread};

use super::human::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::json::{self, SCHEMA};
use super::text::Text;

/// Trees of each target.
pub(super) type Built = [(Target, Result<Vec<BuiltTree>, Error>)];

/// Number of paths that are printed for each kind.
const MOST: usize = 5;

pub(super) fn human_scan(scan: &Scan, verbose: bool) -> Text {
    let mut text = Text::new();
    places(&mut text, &scan.found, verbose);
    unread(&mut text, &scan.unread);
    if scan.files + scan.links == 0 {
        let _ = writeln!(text, "{YELLOW}warning{YELLOW:#}: there is no file to search");
    }
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

pub(super) fn human_built(results: &Built, verbose: bool) -> Text {
    let mut text = Text::new();
    for tree in results.iter().filter_map(|(_, result)| result.as_ref().ok()).flatten() {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", tree.name);
        for file in &tree.files {
            let (path, size) = (file.path.display(), human::size(file.size_bytes));
            let _ = writeln!(text, "  {GREEN}wrote{GREEN:#} {path}  {size}");
        }
        let report = &tree.report;
        let sum = |found: &[Found]| found.iter().map(|found| found.count).sum::<usize>();
        let (places, files) = (sum(&report.rewritten), paths(&report.rewritten));
        let _ = writeln!(text, "  rewrote {places} places in {files} files");
        if verbose {
            places_of(&mut text, "rewrote", &report.rewritten);
        }
        for path in &report.linked {
            let _ = writeln!(text, "  added a run path to {path}");
        }
        if !report.removed.is_empty() {
            let _ = writeln!(text, "  left out {} files:", report.removed.len());
            left(&mut text, &report.removed, verbose);
        }
        if tree.not_compiled > 0 {
            let _ = writeln!(text, "  {} Python files do not compile", tree.not_compiled);
        }
        if !report.allowed.is_empty() {
            let _ = writeln!(text, "  allowed to stay:");
            left(&mut text, &report.allowed, verbose);
        }
        if !report.left.is_empty() {
            let _ =
                writeln!(text, "  {RED}error{RED:#}: places that stay and `allow` does not name:");
            left(&mut text, &report.left, true);
        }
        for Unread { path, reason } in &report.allowed_unread {
            let _ = writeln!(text, "  not searched, allowed: {path}: {reason}");
        }
        unread(&mut text, &report.unread);
        for problem in &tree.problems {
            let _ = writeln!(text, "  {RED}error{RED:#}: {problem}");
        }
        if !tree.is_good() {
            let _ = writeln!(text, "  {RED}not written{RED:#}");
        }
    }
    text
}

fn places_of(text: &mut Text, verb: &str, found: &[Found]) {
    for Found { path, kind, count, .. } in found {
        let _ = writeln!(text, "    {verb} {path}  {kind}  {count}");
    }
}

fn left(text: &mut Text, list: &[Left], all: bool) {
    let most = if all { usize::MAX } else { MOST };
    for Left { found, reason } in list.iter().take(most) {
        let Found { path, kind, count, .. } = found;
        let _ = writeln!(text, "    {path}  {kind}  {count}  {DIM}{reason}{DIM:#}");
    }
    if let Some(rest) = list.len().checked_sub(most).filter(|rest| *rest > 0) {
        let _ = writeln!(text, "    {DIM}and {rest} more; -v lists them{DIM:#}");
    }
}

pub(super) fn json_built(results: &Built) -> Value {
    let tree = |tree: &BuiltTree| {
        json!({
            "name": tree.name,
            "files": tree.files.iter().map(json::file).collect::<Vec<_>>(),
            "report": tree.report,
            "problems": tree.problems,
            "not_compiled": tree.not_compiled,
        })
    };
    let targets = results.iter().map(|(target, result)| match result {
        Ok(trees) => {
            json!({ "target": target, "trees": trees.iter().map(tree).collect::<Vec<_>>() })
        }
        Err(error) => json!({ "target": target, "error": json::chain(error) }),
    });
    json!({ "schema": SCHEMA, "targets": targets.collect::<Vec<_>>() })
}

pub(super) fn human_tests(reports: &[TestReport], verbose: bool) -> Text {
    let mut text = Text::new();
    for report in reports {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", report.archive.display());
        let _ = writeln!(text, "  conditions: {}", report.conditions.join(", "));
        for (condition, reason) in &report.not_tried {
            let _ = writeln!(text, "  {YELLOW}not tried{YELLOW:#}: {condition}: {reason}");
        }
        let mut counts = [0; 4];
        for check in &report.checks {
            let (command, place) = (&check.command, check.place);
            let (i, word, reason) = match &check.outcome {
                Outcome::Passed => (0, format!("{GREEN}passed{GREEN:#}"), ""),
                Outcome::Failed { reason } => (1, format!("{RED}failed{RED:#}"), reason.as_str()),
                Outcome::AllowedFailure { reason } => {
                    (2, format!("{YELLOW}failed, allowed{YELLOW:#}"), reason.as_str())
                }
                Outcome::Skipped { reason } => {
                    (3, format!("{YELLOW}skipped{YELLOW:#}"), reason.as_str())
                }
            };
            counts[i] += 1;
            if i > 0 || verbose {
                let mut lines = reason.lines();
                let first = lines.next().map_or(String::new(), |line| format!(": {line}"));
                let _ = writeln!(text, "  {word} {place}: {command}{first}");
                for line in lines {
                    let _ = writeln!(text, "    {line}");
                }
            }
        }
        for problem in &report.unproven {
            let _ = writeln!(text, "  {RED}error{RED:#}: {problem}");
        }
        let [passed, failed, allowed, skipped] = counts;
        let _ = writeln!(
            text,
            "  {passed} passed, {failed} failed, {allowed} failed and allowed, {skipped} skipped"
        );
    }
    text
}

pub(super) fn json_tests(reports: &[TestReport]) -> Value {
    json!({ "schema": SCHEMA, "archives": reports })
}
