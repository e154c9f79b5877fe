//! Output of `wheelsmith version`.

use serde_json::{Value, json};
use wheelsmith_core::version::change::{Change, ProjectVersion};

use super::human::{BOLD, DIM};
use super::json::SCHEMA;
use super::text::Text;

pub(super) fn human(version: &ProjectVersion) -> Text {
    let mut text = Text::new();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#} {DIM}from {}{DIM:#}", version.version, version.source);
    let pep440 = version.version.pep440();
    if pep440 != version.version.to_string() {
        let _ = writeln!(text, "  for Python  {pep440}");
    }
    for file in &version.files {
        for place in &file.places {
            let _ = writeln!(text, "  {}  {}  {}", file.path, place.label, place.text);
        }
    }
    text
}

pub(super) fn json(version: &ProjectVersion) -> Value {
    let places = version.files.iter().flat_map(|file| {
        file.places.iter().map(move |place| {
            json!({
                "file": file.path,
                "place": place.label,
                "version": place.text,
                "agrees": place.agrees(&version.version),
            })
        })
    });
    json!({
        "schema": SCHEMA,
        "version": version.version.to_string(),
        "semver": version.version.semver().ok(),
        "pep440": version.version.pep440(),
        "source": version.source,
        "places": places.collect::<Vec<_>>(),
    })
}

pub(super) fn human_changed(change: &Change, dry_run: bool) -> Text {
    let mut text = Text::new();
    if dry_run {
        for line in change.diff().lines() {
            let _ = writeln!(text, "{line}");
        }
    } else {
        let _ = writeln!(text, "{} to {BOLD}{}{BOLD:#}", change.from, change.to);
        for file in &change.files {
            let _ = writeln!(text, "  wrote {}", file.path);
        }
    }
    if change.files.is_empty() {
        let _ = writeln!(text, "  no file changes");
    }
    if let Some(prefix) = &change.tag_prefix {
        let _ =
            writeln!(text, "  git has the version: commit, then `git tag {prefix}{}`", change.to);
    }
    text
}

pub(super) fn json_changed(change: &Change, dry_run: bool) -> Value {
    let files: Vec<&str> = change.files.iter().map(|file| file.path.as_str()).collect();
    json!({
        "schema": SCHEMA,
        "from": change.from.to_string(),
        "to": change.to.to_string(),
        "pep440": change.to.pep440(),
        "files": files,
        "diff": change.diff(),
        "written": !dry_run,
    })
}

pub(super) fn human_checked(version: &ProjectVersion, problems: &[String]) -> Text {
    let mut text = Text::new();
    for problem in problems {
        let _ = writeln!(text, "{problem}");
    }
    let places: usize = version.files.iter().map(|file| file.places.len()).sum();
    let (files, places) = (count(version.files.len(), "file"), count(places, "place"));
    let end = match problems.len() {
        0 => format!("no difference in {places} of {files}"),
        n => format!("{} in {places} of {files}", count(n, "problem")),
    };
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}: {end}", version.version);
    text
}

pub(super) fn json_checked(version: &ProjectVersion, problems: &[String]) -> Value {
    let mut value = json(version);
    value["problems"] = json!(problems);
    value
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
