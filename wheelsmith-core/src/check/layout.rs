//! Judges the files in `.dist-info` and `.data`, and the names of all files.

use super::findings::Findings;
use super::framing::top;
use super::parsed::{Contents, is_native};
use super::place::in_data;
use super::zip::Member;
use crate::finding::{Code, Severity};
use crate::name::{PlatformTag, WheelPath, portability_problem};

const NEEDED: [&str; 3] = ["METADATA", "WHEEL", "RECORD"];
const INSTALLER: [&str; 5] = ["INSTALLER", "REQUESTED", "direct_url.json", "setup.py", "setup.cfg"];
const SCHEMES: [&str; 5] = ["purelib", "platlib", "headers", "scripts", "data"];
const RESERVED: [&str; 4] = ["licenses", "license_files", "LICENSES", "sboms"];

/// Judges both directories.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    if let Some(dist_info) = &contents.dist_info {
        for name in NEEDED {
            if contents.dist_file(name).is_none() {
                let message = format!("there is no `{dist_info}/{name}`");
                out.whole(Code::MissingMetadataFile, message);
            }
        }
    }
    let stem = contents.filename.map(crate::name::WheelFilename::stem);
    let data = stem.map(|stem| format!("{stem}.data"));
    let platforms = contents.filename.map(|name| &name.platforms[..]).unwrap_or_default();
    let is_windows = |platform: &PlatformTag| platform.to_string().starts_with("win");
    let runs_on_unix = platforms.is_empty() || !platforms.iter().all(is_windows);
    let runs_on_windows =
        platforms.iter().any(|platform| *platform == PlatformTag::Any || is_windows(platform));
    for member in contents.files() {
        name(&member.entry.path, runs_on_windows, out);
        if let Some(inner) = contents.in_dist_info(member) {
            if INSTALLER.contains(&inner) {
                out.file(
                    Code::InstallerFile,
                    &member.entry.path,
                    "only installers write this file",
                );
            }
            if RESERVED.contains(&inner) {
                out.file(
                    Code::ReservedName,
                    &member.entry.path,
                    "the format reserves this name for a directory",
                );
            }
        }
        let Some((scheme, rest)) = in_data(&member.entry.path) else { continue };
        if data.as_deref().is_some_and(|data| data != top(member)) {
            let message =
                format!("its directory would be `{}`", data.as_deref().unwrap_or_default());
            out.file(Code::DistInfoMismatch, &member.entry.path, message);
        }
        if !SCHEMES.contains(&scheme) || rest.is_empty() {
            out.file(
                Code::UnknownDataScheme,
                &member.entry.path,
                format!("`{scheme}` is not a scheme that installers know"),
            );
        } else if scheme == "scripts" {
            script(member, rest, runs_on_unix, out);
        } else if matches!(scheme, "purelib" | "platlib") {
            installed_twice(contents, member, scheme, rest, out);
        }
    }
}

/// Reports a file that an installer writes over another one: both schemes are the same directory on
/// most machines, and that of the other files.
fn installed_twice(
    contents: &Contents<'_>,
    member: &Member,
    scheme: &str,
    rest: &str,
    out: &mut Findings,
) {
    let pure = member.entry.path.as_str().replacen("/platlib/", "/purelib/", 1);
    let pure = (scheme == "platlib").then_some(pure.as_str());
    let mut others = std::iter::once(rest).chain(pure);
    if let Some(other) = others.find(|other| contents.file(other).is_some()) {
        let message = format!("`{other}` is installed at the same place");
        out.file_as(Severity::Warning, Code::DuplicateEntry, &member.entry.path, message);
    }
}

/// Judges a file name. `runs_on_windows` is true if names that only Windows refuses matter.
pub(super) fn name(path: &WheelPath, runs_on_windows: bool, out: &mut Findings) {
    let Some(problem) = portability_problem(path.as_str()) else { return };
    let severity = if runs_on_windows || !problem.is_of_windows_only() {
        Severity::Error
    } else {
        Severity::Warning
    };
    out.file_as(severity, Code::UnportableName, path, problem.to_string());
}

fn script(member: &Member, rest: &str, runs_on_unix: bool, out: &mut Findings) {
    if rest.contains('/') {
        out.file(Code::NestedScript, &member.entry.path, "it is in a directory below `scripts`");
    }
    let Some(content) = &member.content else { return };
    let line = content.head().split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let program = line.strip_prefix("#!").map(|rest| rest.trim().to_owned());
    if let Some(program) = &program
        && program.contains("python")
        && !program.starts_with("python")
    {
        let message = format!("it begins with `#!{program}`, which installers do not replace");
        out.file(Code::ScriptShebang, &member.entry.path, message);
    }
    // pip keeps the mode, also of scripts whose first line it replaces.
    let is_program = program.is_some() || (is_native(member) && !content.head().starts_with(b"MZ"));
    if is_program && runs_on_unix && !member.entry.is_executable() {
        out.file(
            Code::ScriptNotExecutable,
            &member.entry.path,
            "it is a program without execute permission",
        );
    }
}
