//! Output of `wheelsmith index`.

use std::path::Path;

use serde_json::{Value, json};
use wheelsmith_core::index::{Changes, Fault, Skipped};

use super::human::{BOLD, DIM, GREEN, RED};
use super::json::SCHEMA;
use super::text::Text;

/// Number of added files that are named.
const SHOWN: usize = 20;

pub(super) fn human(site: &Path, changes: &Changes) -> Text {
    let mut text = Text::new();
    let Changes { added, written, skipped, projects, files } = changes;
    let _ = writeln!(
        text,
        "{BOLD}{}{BOLD:#}  {}, {}",
        site.display(),
        count(*projects, "project"),
        count(*files, "file")
    );
    for name in added.iter().take(SHOWN) {
        let _ = writeln!(text, "  {GREEN}+{GREEN:#} {name}");
    }
    if added.len() > SHOWN {
        let _ = writeln!(text, "  {DIM}and {} more{DIM:#}", added.len() - SHOWN);
    }
    for Skipped { path, format } in skipped {
        let _ = match format {
            Some(format) => writeln!(
                text,
                "  {RED}skipped{RED:#} {path}: indexes list wheels and `.tar.gz` source \
                 distributions, not `{format}`; convert it, or leave it out with `--exclude`"
            ),
            None => writeln!(text, "  {DIM}skipped {path}: not a distribution{DIM:#}"),
        };
    }
    let _ = if written.is_empty() {
        writeln!(text, "  {DIM}nothing changed{DIM:#}")
    } else {
        writeln!(text, "  {DIM}{} written{DIM:#}", count(written.len(), "file"))
    };
    text
}

pub(super) fn json(site: &Path, changes: &Changes) -> Value {
    let Changes { added, written, skipped, projects, files } = changes;
    let skipped: Vec<&str> = skipped.iter().map(|skipped| skipped.path.as_str()).collect();
    json!({
        "schema": SCHEMA,
        "site": site,
        "added": added,
        "written": written,
        "skipped": skipped,
        "projects": projects,
        "files": files,
    })
}

pub(super) fn human_faults(site: &Path, faults: &[Fault]) -> Text {
    let mut text = Text::new();
    if faults.is_empty() {
        let _ = writeln!(text, "{GREEN}{}{GREEN:#} agrees with its state", site.display());
        return text;
    }
    let site = site.display();
    let _ = writeln!(text, "{RED}{site}{RED:#} has {}", count(faults.len(), "fault"));
    for Fault { path, kind, message, help } in faults {
        let _ = writeln!(text, "  {RED}{kind}{RED:#} {path}: {message}");
        let _ = writeln!(text, "    {DIM}{help}{DIM:#}");
    }
    text
}

pub(super) fn json_faults(site: &Path, faults: &[Fault]) -> Value {
    json!({ "schema": SCHEMA, "site": site, "faults": faults })
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
