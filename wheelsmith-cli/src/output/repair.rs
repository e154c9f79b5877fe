//! Answers of `wheelsmith repair`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use wheelsmith_core::audit::Audit;
use wheelsmith_core::patch::Search;
use wheelsmith_core::repair::{Error, RepairPlan, Repaired};

use super::human::{self, BOLD, DIM, GREEN, RED};
use super::json::{SCHEMA, chain, file};

/// Each wheel and what became of it.
pub(crate) type Results = [(PathBuf, Result<Repaired, Error>)];

pub(super) fn human(results: &Results) -> String {
    let mut text = String::new();
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

fn repaired_wheel(text: &mut String, repaired: &Repaired) {
    match &repaired.file {
        Some(made) => {
            let (path, size) = (made.path.display(), human::size(made.size_bytes));
            let _ = writeln!(text, "{GREEN}{path}{GREEN:#}  {size}");
            let earned = repaired.audit.as_ref().map(Audit::earned_text);
            let _ = writeln!(text, "  earns {}", earned.unwrap_or_default());
            let _ = writeln!(text, "  {DIM}sha256 {}{DIM:#}", made.sha256);
        }
        None => {
            let _ = writeln!(text, "{BOLD}{}{BOLD:#}", repaired.before);
        }
    }
    plan(text, &repaired.plan);
}

fn plan(text: &mut String, plan: &RepairPlan) {
    if plan.grafts.is_empty() && plan.edits.is_empty() {
        let _ = writeln!(text, "  nothing to graft");
        return;
    }
    for graft in &plan.grafts {
        let _ = writeln!(text, "  {GREEN}+{GREEN:#} {}", graft.into);
        let _ = writeln!(text, "      {DIM}from {}{DIM:#}", graft.source);
    }
    for script in &plan.scripts {
        let _ = writeln!(text, "  {BOLD}>{BOLD:#} {} -> {}", script.from, script.to);
    }
    for (path, edit) in &plan.edits {
        let _ = writeln!(text, "  {BOLD}~{BOLD:#} {path}");
        for (old, new) in &edit.renamed {
            let _ = writeln!(text, "      needs {new} {DIM}(was {old}){DIM:#}");
        }
        for dropped in &edit.dropped {
            let _ = writeln!(text, "      needs no {dropped} any more");
        }
        match &edit.search {
            Search::Keep => {}
            Search::Nowhere => {
                let _ = writeln!(text, "      looks in no directory of its own any more");
            }
            Search::Rpath(entries) | Search::Runpath(entries) => {
                let _ = writeln!(text, "      looks in {}", entries.join(", "));
            }
        }
    }
    for (path, hook) in &plan.hooks {
        let what = if hook.is_new { "new, adds" } else { "adds" };
        let _ = writeln!(text, "  {BOLD}~{BOLD:#} {path}: {what} `{}` for Windows", plan.libraries);
    }
}

pub(super) fn json(results: &Results) -> Value {
    let wheels = results.iter().map(|(wheel, result)| match result {
        Ok(repaired) => json!({
            "wheel": wheel,
            "file": repaired.file.as_ref().map(file),
            "verdict": repaired.audit.as_ref().and_then(|audit| audit.earned.clone()),
            "plan": repaired.plan,
        }),
        Err(error) => json!({ "wheel": wheel, "error": chain(error) }),
    });
    json!({ "schema": SCHEMA, "wheels": wheels.collect::<Vec<_>>() })
}
