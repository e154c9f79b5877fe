//! Output about packages other than wheels and SDKs.

use wheelsmith_core::plan::{LeftOutPackage, PackagePlan};
use wheelsmith_core::project::{Binstall, BuiltPackage};

use super::style::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::text::Text;

/// Writes a package and its verdict.
pub(super) fn built(text: &mut Text, package: &BuiltPackage) {
    if let Some(file) = &package.file {
        let size = style::size(file.size_bytes);
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
            let newest = style::newest(&verdict.audit);
            let _ = writeln!(text, "    qualifies for {found} (floor {}{newest})", verdict.floor);
        } else {
            let wanted = &verdict.wanted;
            let _ = writeln!(text, "    not written: its files qualify for {found}, not {wanted}");
        }
        for finding in &verdict.audit.findings {
            style::finding(text, finding);
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

pub(super) fn binstall(found: &[Binstall]) -> Text {
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
