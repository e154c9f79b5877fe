//! Output of `wheelsmith repair`.

use std::path::PathBuf;

use serde_json::{Value, json};
use wheelsmith_core::name::WheelPath;
use wheelsmith_core::patch::{Edit, Search};
use wheelsmith_core::repair::{Error, RaisedTag, RepairOutput, RepairPlan, Unchanged};

use super::human::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::json::{chain, file};
use super::text::Text;

/// Version of the JSON document of repairs.
const REPAIR_SCHEMA: u32 = 2;

/// Each wheel and its result.
pub(crate) type Results = [(PathBuf, Result<RepairOutput, Error>)];

pub(super) fn human(results: &Results) -> Text {
    let mut text = Text::new();
    for (wheel, result) in results {
        match result {
            Ok(repaired) => repaired_wheel(&mut text, repaired),
            Err(_) => {
                let _ = writeln!(text, "{RED}{}{RED:#} was not repaired", wheel.display());
            }
        }
    }
    text
}

fn repaired_wheel(text: &mut Text, repaired: &RepairOutput) {
    match &repaired.file {
        Some(made) => {
            let (path, size) = (made.path.display(), human::size(made.size_bytes));
            let _ = writeln!(text, "{GREEN}{path}{GREEN:#}  {size}");
        }
        None if repaired.filename == repaired.before => {
            let _ = writeln!(text, "{BOLD}{}{BOLD:#}", repaired.before);
        }
        None => {
            let _ = writeln!(text, "{BOLD}{}{BOLD:#} -> {}", repaired.before, repaired.filename);
        }
    }
    if let Some(verdict) = &repaired.verdict {
        let _ = writeln!(text, "  qualifies for {verdict}");
    }
    if let Some(made) = &repaired.file {
        let _ = writeln!(text, "  {DIM}sha256 {}{DIM:#}", made.sha256);
    }
    if let Some(RaisedTag { from, to, by }) = &repaired.raised {
        let by: Vec<&str> = by.iter().map(WheelPath::as_str).collect();
        let _ = writeln!(
            text,
            "  {YELLOW}raised{YELLOW:#} from {from} to {to}, which {} requires",
            by.join(", ")
        );
    }
    plan(text, &repaired.plan);
    let why = match repaired.unchanged {
        Some(Unchanged::Good) => "it qualifies for the tags of its name",
        Some(Unchanged::Pure) => "it has no native file",
        Some(Unchanged::NotJudged) => "there are no rules for its platform",
        None => return,
    };
    let _ = writeln!(text, "  {DIM}unchanged: {why}{DIM:#}");
}

fn plan(text: &mut Text, plan: &RepairPlan) {
    if plan.grafts.is_empty() && plan.edits.is_empty() {
        let _ = writeln!(text, "  nothing to graft");
    }
    for graft in &plan.grafts {
        let _ = writeln!(text, "  {GREEN}+{GREEN:#} {}", graft.into);
        let _ = writeln!(text, "      {DIM}from {}{DIM:#}", graft.source.display());
        // The line above has the new name.
        if let Some(change) = plan.edits.get(&graft.into) {
            edit(text, change);
        }
        removed_paths(text, plan, &graft.into);
    }
    for script in &plan.scripts {
        let _ = writeln!(text, "  {BOLD}>{BOLD:#} {} -> {}", script.from, script.to);
    }
    let is_graft = |path: &WheelPath| plan.grafts.iter().any(|graft| graft.into == *path);
    for (path, change) in plan.edits.iter().filter(|(path, _)| !is_graft(path)) {
        let _ = writeln!(text, "  {BOLD}~{BOLD:#} {path}");
        edit(text, change);
        removed_paths(text, plan, path);
    }
    for path in plan.hooks.keys() {
        let _ = writeln!(text, "  {BOLD}~{BOLD:#} {path}: adds `{}` for Windows", plan.libraries);
    }
    packed(text, plan);
}

fn packed(text: &mut Text, plan: &RepairPlan) {
    for path in &plan.packed {
        let _ = writeln!(text, "  {BOLD}={BOLD:#} {path}: left alone");
        let _ = writeln!(
            text,
            "      {DIM}it is packed or has no headers, so its needed libraries are unknown{DIM:#}"
        );
    }
}

/// Prints the directories outside the wheel that a file no longer searches.
fn removed_paths(text: &mut Text, plan: &RepairPlan, path: &WheelPath) {
    for entry in plan.removed_paths.get(path).into_iter().flatten() {
        let _ = writeln!(text, "      no longer searches `{entry}`");
    }
}

/// Writes the changes of a file.
fn edit(text: &mut Text, edit: &Edit) {
    for (old, new) in &edit.renamed {
        let _ = writeln!(text, "      needs {new} {DIM}(was {old}){DIM:#}");
    }
    for dropped in &edit.dropped {
        let _ = writeln!(text, "      no longer needs {dropped}");
    }
    match &edit.search {
        Search::Keep => {}
        Search::Nowhere => {
            let _ = writeln!(text, "      no longer has a search path");
        }
        Search::Rpath(entries) | Search::Runpath(entries) => {
            let _ = writeln!(text, "      searches {}", entries.join(", "));
        }
    }
}

pub(super) fn json(results: &Results) -> Value {
    let wheels = results.iter().map(|(wheel, result)| match result {
        Ok(repaired) => json!({
            "wheel": wheel,
            "file": repaired.file.as_ref().map(file),
            "filename": repaired.filename.to_string(),
            "unchanged": repaired.unchanged,
            "verdict": repaired.verdict,
            "plan": repaired.plan,
            "raised": repaired.raised,
        }),
        Err(error) => json!({ "wheel": wheel, "error": chain(error) }),
    });
    json!({ "schema": REPAIR_SCHEMA, "wheels": wheels.collect::<Vec<_>>() })
}
