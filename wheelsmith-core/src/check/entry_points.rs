//! Judges `entry_points.txt` (entry points specification).

use std::collections::BTreeSet;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Severity};
use crate::metadata::Modules;
use crate::metadata::entry_points::{Line, is_program_name, is_reference, lines};

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
    for (at, line) in lines(text).enumerate() {
        if at == MOST_LINES {
            let message = format!("it has more than {MOST_LINES} lines");
            out.file(Code::EntryPointsSyntax, path, message);
            break;
        }
        let (group, name, target) = match line {
            Line::Point { group, name, target } => (group, name, target),
            Line::Group(name) => {
                if !groups.insert(name) {
                    out.file(Code::EntryPointsSyntax, path, format!("`[{name}]` is repeated"));
                }
                continue;
            }
            Line::Continuation(line) => {
                let message = format!("`{line}` continues the line before");
                out.file(Code::EntryPointsSyntax, path, message);
                continue;
            }
            Line::Other(line) => {
                let message = format!("`{line}` is not a `name = target` line");
                out.file(Code::EntryPointsSyntax, path, message);
                continue;
            }
        };
        if !names.insert((group, name)) {
            out.file(Code::EntryPointsSyntax, path, format!("`{name}` is twice in `[{group}]`"));
        }
        let is_program = Line::is_program_group(group);
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
                // The module may belong to a requirement, unless its package is in this wheel.
                let top = module.split('.').next().unwrap_or(module);
                let may_be_required = has_requirements && !modules.importable.contains(top);
                let severity = if may_be_required { Severity::Warning } else { Severity::Error };
                out.file_as(severity, Code::EntryPointTarget, path, message);
            }
        }
    }
}
