//! Output of `wheelsmith store`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use wheelsmith_core::store::{
    CommitId, Garbage, Key, Label, Sent, Set, SetDiff, SetId, StoreFault, Verified,
};

use super::human::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::json::SCHEMA;
use super::text::Text;

/// Sets of a commit by slot.
pub(super) type Sets = [(Label, SetId, Set)];

pub(super) fn human_stored(id: &SetId, set: &Set, references: &[Key], moved: Sent) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{BOLD}{id}{BOLD:#}");
    let _ = writeln!(text, "  {} {} {}: {}", set.project, set.version, set.slot, sizes(set));
    for key in references {
        let _ = writeln!(text, "  {GREEN}{key}{GREEN:#}");
    }
    let _ = writeln!(text, "  {DIM}{}{DIM:#}", self::moved(moved));
    text
}

pub(super) fn json_stored(id: &SetId, set: &Set, references: &[Key], moved: Sent) -> Value {
    let references: Vec<&str> = references.iter().map(Key::as_str).collect();
    json!({ "schema": SCHEMA, "set": id, "manifest": set, "references": references, "moved": moved })
}

fn sizes(set: &Set) -> String {
    format!("{}, {}", count(set.files.len(), "file"), human::size(set.size_bytes()))
}

fn moved(moved: Sent) -> String {
    let Sent { files, bytes, present } = moved;
    let size = human::size(bytes);
    format!("{} written ({size}), {present} there already", count(files, "file"))
}

fn count(n: impl TryInto<u64>, what: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

pub(super) fn human_got(dir: &Path, set: &Set) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}  {}", dir.display(), sizes(set));
    text
}

pub(super) fn json_got(dir: &Path, set: &Set) -> Value {
    json!({ "schema": SCHEMA, "dir": dir, "files": set.files })
}

pub(super) fn human_files(set: &Set) -> Text {
    let mut text = Text::new();
    let Set { project, version, slot, .. } = set;
    let _ = writeln!(text, "{BOLD}{project} {version} {slot}{BOLD:#}  {}", sizes(set));
    for file in &set.files {
        let (kind, size) = (file.kind.as_str(), human::size(file.size_bytes));
        let verdict = file.verdict.as_ref().map(|tag| format!("  {tag}")).unwrap_or_default();
        let _ = writeln!(text, "  {kind:8} {size:>9}  {}{DIM}{verdict}{DIM:#}", file.path);
    }
    text
}

pub(super) fn json_files(id: &SetId, set: &Set) -> Value {
    json!({ "schema": SCHEMA, "set": id, "manifest": set })
}

pub(super) fn human_sets(commit: &CommitId, sets: &Sets) -> Text {
    let mut text = Text::new();
    let _ = match sets.len() {
        0 => writeln!(text, "{BOLD}{commit}{BOLD:#}  no set in the store"),
        n => writeln!(text, "{BOLD}{commit}{BOLD:#}  {}", count(n, "set")),
    };
    for (slot, id, set) in sets {
        let dirty = if set.dirty { format!("  {YELLOW}dirty{YELLOW:#}") } else { String::new() };
        let _ = writeln!(text, "  {slot}  {id}  {DIM}{}{DIM:#}{dirty}", sizes(set));
    }
    text
}

pub(super) fn json_sets(commit: &CommitId, sets: &Sets) -> Value {
    let sets =
        sets.iter().map(|(slot, id, set)| json!({ "slot": slot, "set": id, "manifest": set }));
    json!({ "schema": SCHEMA, "commit": commit, "sets": sets.collect::<Vec<_>>() })
}

pub(super) fn json_references(keys: &[Key]) -> Value {
    let keys: Vec<&str> = keys.iter().map(Key::as_str).collect();
    json!({ "schema": SCHEMA, "keys": keys })
}

pub(super) fn human_completed(
    commit: &CommitId,
    found: &BTreeSet<Label>,
    missing: &[Label],
) -> Text {
    let mut text = Text::new();
    let state = if missing.is_empty() { "complete" } else { "not complete" };
    let _ = writeln!(text, "{BOLD}{commit}{BOLD:#}  {state}");
    for slot in found {
        let _ = writeln!(text, "  {GREEN}there{GREEN:#}   {slot}");
    }
    for slot in missing {
        let _ = writeln!(text, "  {RED}missing{RED:#} {slot}");
    }
    text
}

pub(super) fn json_completed(
    commit: &CommitId,
    found: &BTreeSet<Label>,
    missing: &[Label],
) -> Value {
    json!({ "schema": SCHEMA, "commit": commit, "found": found, "missing": missing })
}

pub(super) fn human_diff(diff: &SetDiff) -> Text {
    let mut text = Text::new();
    for file in &diff.files {
        let path = &file.path;
        let _ = match (&file.before, &file.after) {
            (None, _) => writeln!(text, "{GREEN}+{GREEN:#} {path}"),
            (_, None) => writeln!(text, "{RED}-{RED:#} {path}"),
            (Some(before), Some(after)) if before.sha256 == after.sha256 => {
                writeln!(text, "{YELLOW}~{YELLOW:#} {path}  the same bytes, described otherwise")
            }
            (Some(before), Some(after)) => {
                writeln!(text, "{YELLOW}~{YELLOW:#} {path}  {} -> {}", before.sha256, after.sha256)
            }
        };
    }
    for field in &diff.fields {
        let _ = writeln!(text, "{YELLOW}~{YELLOW:#} {field}");
    }
    if diff.files.is_empty() && diff.fields.is_empty() {
        let _ = writeln!(text, "the sets are the same");
    }
    text
}

pub(super) fn json_diff(diff: &SetDiff) -> Value {
    json!({ "schema": SCHEMA, "files": diff.files, "fields": diff.fields })
}

pub(super) fn human_verified(found: &Verified, quick: bool) -> Text {
    let mut text = Text::new();
    let Verified { references, sets, files, bytes, faults } = found;
    let read = if quick { "not read" } else { "read" };
    let _ = writeln!(
        text,
        "{}, {}, {} {read} ({})",
        count(*references, "reference"),
        count(*sets, "set"),
        count(*files, "file"),
        human::size(*bytes)
    );
    for StoreFault { key, problem } in faults {
        let _ = writeln!(text, "  {RED}fault{RED:#} {key}: {problem}");
    }
    let _ = match faults.len() {
        0 => writeln!(text, "{GREEN}no faults{GREEN:#}"),
        n => writeln!(text, "{RED}{}{RED:#}", count(n, "fault")),
    };
    text
}

pub(super) fn json_verified(found: &Verified, quick: bool) -> Value {
    let mut value = json!(found);
    value["schema"] = json!(SCHEMA);
    value["quick"] = json!(quick);
    value
}

pub(super) fn human_garbage(garbage: &Garbage, applied: bool) -> Text {
    let mut text = Text::new();
    for key in &garbage.keys {
        let _ = writeln!(text, "{key}");
    }
    let (keys, size) = (count(garbage.keys.len(), "object"), human::size(garbage.bytes));
    let _ = if garbage.keys.is_empty() {
        writeln!(text, "everything is kept")
    } else if applied {
        writeln!(text, "{BOLD}deleted {keys}, {size}{BOLD:#}")
    } else {
        let digest = garbage.digest;
        let _ = writeln!(text, "{BOLD}{keys}, {size}{BOLD:#}");
        writeln!(text, "to delete them: `--apply {digest}`")
    };
    text
}

pub(super) fn json_garbage(garbage: &Garbage, applied: bool) -> Value {
    let mut value = json!(garbage);
    value["schema"] = json!(SCHEMA);
    value["applied"] = json!(applied);
    value
}

pub(super) fn human_pinned(name: &Label, set: Option<SetId>) -> Text {
    let mut text = Text::new();
    let _ = match set {
        Some(set) => writeln!(text, "{GREEN}{name}{GREEN:#} keeps {set}"),
        None => writeln!(text, "removed the pin {name}"),
    };
    text
}

pub(super) fn json_pinned(name: &Label, set: Option<SetId>) -> Value {
    json!({ "schema": SCHEMA, "pin": name, "set": set })
}

pub(super) fn human_bundle(path: &Path, moved: Sent) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}  {}", path.display(), self::moved(moved));
    text
}

pub(super) fn json_bundle(path: &Path, moved: Sent) -> Value {
    json!({ "schema": SCHEMA, "bundle": path, "moved": moved })
}
