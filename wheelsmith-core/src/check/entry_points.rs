//! `entry_points.txt` (entry points specification): INI with `=` only, case-sensitive.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Severity};
use crate::metadata::Modules;
use crate::metadata::entry_points::{is_program_name, is_reference};

/// Limit of the number of lines, which protects against files made to exhaust memory.
const MOST_LINES: usize = 50_000;

/// Judges the file if it exists.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    let Some(file) = contents.dist_file("entry_points.txt") else { return };
    let Some(bytes) = file.kept() else { return };
    let path = &file.entry.path;
    let Ok(text) = std::str::from_utf8(bytes) else {
        out.file(Code::EntryPointsSyntax, path, "it is not UTF-8");
        return;
    };
    let modules = Modules::of(contents.files().map(|member| member.entry.path.as_str()));
    let has_requirements = super::contents::requirements(contents) > 0;
    let (mut groups, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut group = None;
    for (at, line) in text.lines().enumerate() {
        if at == MOST_LINES {
            let message = format!("it has more than {MOST_LINES} lines");
            out.file(Code::EntryPointsSyntax, path, message);
            break;
        }
        let line = line.trim_end();
        if line.trim_start().is_empty() || line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) && !line.trim_start().contains('=') {
            out.file(Code::EntryPointsSyntax, path, format!("`{line}` continues the line before"));
            continue;
        }
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if !groups.insert(name) {
                out.file(Code::EntryPointsSyntax, path, format!("`[{name}]` is repeated"));
            }
            group = Some(name);
            continue;
        }
        let (Some(group), Some((name, target))) = (group, line.split_once('=')) else {
            out.file(
                Code::EntryPointsSyntax,
                path,
                format!("`{line}` is not a `name = target` line"),
            );
            continue;
        };
        let (name, target) = (name.trim(), target.trim());
        if !names.insert((group, name)) {
            out.file(Code::EntryPointsSyntax, path, format!("`{name}` is twice in `[{group}]`"));
        }
        let is_program = matches!(group, "console_scripts" | "gui_scripts");
        if name.is_empty() || (is_program && !is_program_name(name)) {
            let message = format!("`{name}` in `[{group}]` is not a program's name");
            out.file(Code::EntryPointName, path, message);
        }
        let is_good = is_reference(target, false) && (!is_program || target.contains(':'));
        if !is_good {
            // Other groups have formats of their own.
            let severity = if is_program { Severity::Error } else { Severity::Info };
            let message = format!("`{target}` of `{name}` in `[{group}]` is not `module:object`");
            out.file_as(severity, Code::EntryPointTarget, path, message);
        } else if is_program {
            let module = target.split(':').next().unwrap_or_default().trim();
            if !modules.can_import(module) {
                let message = format!("`{module}`, which `{name}` runs, is not in the wheel");
                // The module may belong to a requirement.
                let severity = if has_requirements { Severity::Warning } else { Severity::Error };
                out.file_as(severity, Code::EntryPointTarget, path, message);
            }
        }
    }
}
