//! Output of `update`.

use serde_json::{Value, json};
use wheelsmith_core::source::{Described, Update};

use super::human::{BOLD, DIM, RED};
use super::text::Text;

pub(super) fn human(updates: &[Update], dry_run: bool) -> Text {
    let mut text = Text::new();
    let mut moved = 0;
    for Update { components, source, version, newer, note, .. } in updates {
        let names = components.join(", ");
        let origin = Described::new(source).0;
        let kind = origin.split(' ').next().unwrap_or_default();
        let _ = write!(text, "{BOLD}{names}{BOLD:#}  {kind}  {version}");
        match newer {
            Ok(Some(newer)) => {
                moved += 1;
                let _ = writeln!(text, " -> {}", newer.version);
            }
            Ok(None) if note.is_none() => {
                let _ = writeln!(text, "  {DIM}newest{DIM:#}");
            }
            Ok(None) => {
                let _ = writeln!(text);
            }
            Err(error) => {
                let _ = writeln!(text, "  {RED}failed{RED:#}: {error}");
            }
        }
        if let Some(note) = note {
            let _ = writeln!(text, "  {note}");
        }
    }
    let word = if moved == 1 { "source" } else { "sources" };
    let _ = match (updates.len(), moved, dry_run) {
        (0, ..) => writeln!(text, "no source has a version that can be moved"),
        (_, 0, _) => writeln!(text, "nothing to move"),
        (_, _, true) => writeln!(text, "{moved} {word} to move; nothing was written"),
        (_, _, false) => writeln!(text, "moved {moved} {word} in the configuration and the lock"),
    };
    text
}

pub(super) fn json(updates: &[Update], dry_run: bool) -> Value {
    let rows = updates.iter().map(|update| {
        let mut row = json!({
            "components": update.components,
            "source": Described::new(&update.source),
            "version": update.version,
            "note": update.note,
        });
        match &update.newer {
            Ok(newer) => {
                row["newer"] = newer.as_ref().map_or(Value::Null, |newer| {
                    json!({
                        "version": newer.version,
                        "source": Described::new(&newer.source),
                        "sha256": newer.sha256,
                    })
                });
            }
            Err(error) => row["error"] = json!(super::json::chain(error)),
        }
        row
    });
    let rows: Vec<Value> = rows.collect();
    json!({ "schema": super::json::SCHEMA, "dry-run": dry_run, "sources": rows })
}
