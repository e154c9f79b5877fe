//! Output of `wheelsmith plan` and `wheelsmith publish`.

use serde_json::{Value, json};
use wheelsmith_core::name::size_text;
use wheelsmith_core::release::{Outcome, Plan, Published, State};

use super::found;
use super::human::{BOLD, DIM, GREEN, RED, YELLOW};
use super::json::SCHEMA;
use super::text::Text;

pub(super) fn human_plan(plan: &Plan) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#} to {}", plan.release(), plan.to);
    for step in &plan.steps {
        let access = step.access.as_ref().map(|access| format!(", access {access}"));
        let access = access.unwrap_or_default();
        let end = match (step.state, &step.file) {
            (State::Same, _) if step.note.is_some() => {
                let note = step.note.as_deref().unwrap_or_default();
                format!("{YELLOW}present, but {note}{YELLOW:#}")
            }
            (State::Same, _) => format!("{DIM}present{DIM:#}"),
            (State::Absent, Some(file)) => {
                format!("{GREEN}send {}{access}{GREEN:#}", size_text(file.size_bytes))
            }
            (State::Absent, None) => format!("{GREEN}set to {}{GREEN:#}", step.version),
        };
        let _ = writeln!(text, "  {}  {end}", step.id);
    }
    for left in &plan.left_out {
        let _ = writeln!(text, "  {YELLOW}left out{YELLOW:#} {}: {}", left.name, left.reason);
    }
    for note in &plan.notes {
        found::wrap(&mut text, 2, 2, &format!("note: {note}"));
    }
    let estimate = &plan.estimate;
    let wait = match estimate.wait_secs {
        0 => String::new(),
        seconds => format!(", at least {} min because of rate limits", seconds.div_ceil(60)),
    };
    let _ = writeln!(text, "{BOLD}{} to send{wait}{BOLD:#}", size_text(estimate.bytes));
    text
}

pub(super) fn json_plan(plan: &Plan) -> Value {
    json!(plan)
}

pub(super) fn human_published(plan: &Plan, published: &Published, dry_run: bool) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#} to {}", plan.release(), plan.to);
    for step in &published.steps {
        let (style, word) = match step.outcome {
            Outcome::Present if step.reason.is_some() => (YELLOW, "present, but"),
            Outcome::Present => (DIM, "present"),
            Outcome::Published => (GREEN, "published"),
            Outcome::Planned => (GREEN, "would be sent"),
            Outcome::Conflict => (RED, "conflict"),
            Outcome::Rejected => (RED, "rejected"),
            Outcome::Invisible => (YELLOW, "not visible yet"),
            Outcome::Skipped => (YELLOW, "not sent"),
            Outcome::NotSelected => (DIM, "not selected by `--only`"),
        };
        if let (Outcome::Present, Some(note)) = (step.outcome, &step.reason) {
            let _ = writeln!(text, "  {}  {style}{word} {note}{style:#}", step.id);
            continue;
        }
        let _ = writeln!(text, "  {}  {style}{word}{style:#}", step.id);
        if let Some(reason) = &step.reason {
            found::wrap(&mut text, 4, 4, reason);
        }
    }
    let end = match (published.is_good(dry_run), dry_run) {
        (true, true) => "nothing was sent",
        (true, false) if published.is_complete() => "complete",
        (true, false) => "the selected steps are complete",
        (false, _) if published.count(Outcome::Conflict) > 0 => {
            "not complete: release a new version"
        }
        (false, _) => "not complete: run the same plan again when the reason is gone",
    };
    let sent = published.count(Outcome::Published);
    let present = published.count(Outcome::Present);
    let _ = writeln!(text, "{BOLD}{sent} published, {present} present: {end}{BOLD:#}");
    text
}

pub(super) fn json_published(plan: &Plan, published: &Published) -> Value {
    json!({
        "schema": SCHEMA,
        "plan": plan.digest,
        "release": plan.release(),
        "complete": published.is_complete(),
        "steps": published.steps,
    })
}
