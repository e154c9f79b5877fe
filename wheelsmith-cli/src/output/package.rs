//! Output about packages other than wheels and SDKs.

use serde_json::{Value, json};
use wheelsmith_core::plan::{LeftOutPackage, PackageKind, PackagePlan};
use wheelsmith_core::project::{Binstall, BuiltPackage};

use super::human::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::json::{SCHEMA, facts, file};
use super::text::Text;

/// Writes a package and its verdict.
pub(super) fn built(text: &mut Text, package: &BuiltPackage) {
    if let Some(file) = &package.file {
        let size = human::size(file.size_bytes);
        let _ = writeln!(text, "  {GREEN}{}{GREEN:#}  {size}", file.path.display());
        for alias in &package.aliases {
            let _ = writeln!(text, "  {GREEN}{}{GREEN:#}", alias.path.display());
        }
    } else {
        let _ = writeln!(text, "  {RED}{}{RED:#}", package.name);
    }
    if let Some(verdict) = &package.verdict {
        let found = verdict.audit.tag_text();
        if package.file.is_some() {
            let newest = human::newest(&verdict.audit);
            let _ = writeln!(text, "    qualifies for {found} (floor {}{newest})", verdict.floor);
        } else {
            let wanted = &verdict.wanted;
            let _ = writeln!(text, "    not written: its files qualify for {found}, not {wanted}");
        }
        for finding in &verdict.audit.findings {
            human::finding(text, finding);
        }
    }
    if let Some(file) = &package.file {
        let _ = writeln!(text, "    {DIM}sha256 {}{DIM:#}", file.sha256);
    }
}

/// Writes the packages that are not made.
pub(super) fn left_out(text: &mut Text, left_out: &[LeftOutPackage]) {
    for package in left_out {
        let _ = writeln!(text, "{YELLOW}left out{YELLOW:#} {}: {}", package.file, package.reason);
    }
}

/// Writes the plan of a package.
pub(super) fn plan(text: &mut Text, package: &PackagePlan) {
    for name in package.aliases.iter().chain([&package.file]).rev() {
        let _ = writeln!(text, "  pack  {name}");
    }
}

pub(super) fn json(package: &BuiltPackage) -> Value {
    let audit = package.verdict.as_ref().map(|verdict| &verdict.audit);
    json!({
        "name": package.name,
        "kind": package.kind,
        "file": package.file.as_ref().map(file),
        "mode": if package.kind == PackageKind::Installer { "0755" } else { "0644" },
        "aliases": package.aliases.iter().map(file).collect::<Vec<_>>(),
        "floor": package.verdict.as_ref().map(|verdict| verdict.floor.to_string()),
        "tag": package.verdict.as_ref().map(|verdict| &verdict.wanted),
        "verdict": audit.map(|audit| &audit.tag),
        "findings": audit.map(|audit| &audit.findings),
        "files": audit.map(facts),
    })
}

pub(super) fn human_binstall(found: &[Binstall]) -> Text {
    let mut text = Text::new();
    if found.is_empty() {
        let _ = writeln!(text, "no archive has a program of a Rust package of this project");
    }
    for binstall in found {
        let manifest = &binstall.manifest;
        for problem in &binstall.problems {
            let _ = writeln!(text, "{RED}error{RED:#}: {manifest}: {problem}");
        }
        if binstall.problems.is_empty() {
            let _ = writeln!(text, "{manifest}: `cargo binstall` finds every archive");
        } else {
            let _ = writeln!(text, "{BOLD}{manifest}{BOLD:#} needs");
            for line in binstall.table.lines() {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

pub(super) fn json_binstall(found: &[Binstall]) -> Value {
    let row = |binstall: &Binstall| {
        json!({
            "manifest": binstall.manifest,
            "table": binstall.table,
            "problems": binstall.problems,
        })
    };
    json!({ "schema": SCHEMA, "binstall": found.iter().map(row).collect::<Vec<_>>() })
}
