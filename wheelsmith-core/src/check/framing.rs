//! Judges names, modes, methods, times and order of the entries of a wheel.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::zip::Member;
use crate::finding::{Code, Finding, Severity};
use crate::name::{WheelPath, clashes};

/// Type bits of a mode, and their value for a regular file (`stat.h`).
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// Judges names, modes, times and order.
pub(super) fn check(members: &[Member], out: &mut Findings) {
    let paths: Vec<(&WheelPath, bool)> =
        members.iter().map(|member| (&member.entry.path, member.is_dir())).collect();
    for (other, path) in clashes(&paths) {
        out.file(Code::CaseClash, path, clash(other, path));
    }
    for member in members {
        let header = &member.entry.header;
        if !header.is_encrypted() && !matches!(header.method, 0 | 8) {
            let message = format!("it is compressed by method {}", header.method);
            out.file(Code::CompressionMethod, &member.entry.path, message);
        }
        if member.entry.has_comment {
            out.file(Code::ArchiveComment, &member.entry.path, "it has a comment");
        }
        mode(member, out);
    }
    times(members, out);
    let is_meta = |member: &Member| top(member).ends_with(".dist-info");
    let files = members.iter().filter(|member| !member.is_dir());
    if let Some(late) = files.skip_while(|member| !is_meta(member)).find(|member| !is_meta(member))
    {
        out.file(Code::DistInfoNotLast, &late.entry.path, "it comes after the metadata");
    }
}

/// Returns the message about a pair of [`clashes`].
pub(super) fn clash(other: &WheelPath, path: &WheelPath) -> String {
    if other.parts().count() < path.parts().count() {
        return format!("`{other}` is a file, and where case is ignored a directory above it");
    }
    format!("`{other}` differs from it only in case or Unicode form")
}

/// Returns the first part of a path.
pub(super) fn top(member: &Member) -> &str {
    member.entry.path.as_str().split('/').next().unwrap_or_default()
}

fn mode(member: &Member, out: &mut Findings) {
    if member.is_dir() {
        out.file(Code::DirectoryEntry, &member.entry.path, "it is a directory");
        return;
    }
    let Some(mode) = member.entry.mode() else { return };
    let what = match mode & TYPE {
        0 | REGULAR => {
            if mode & TYPE == 0 || mode & 0o400 == 0 {
                out.file(Code::EntryMode, &member.entry.path, format!("its mode is {mode:o}"));
            }
            return;
        }
        DIRECTORY => "its mode is that of a directory",
        0o120_000 => "it is a symbolic link",
        _ => "it is a device, a pipe or a socket",
    };
    out.file(Code::SpecialFile, &member.entry.path, what);
}

fn times(members: &[Member], out: &mut Findings) {
    let times: BTreeSet<_> = members.iter().map(|member| member.entry.header.time).collect();
    if times.len() > 1 {
        let message = format!("its entries have {} different times", times.len());
        out.whole(Code::EntryTimes, message);
    }
    if let Some(member) = members.iter().find(|m| m.entry.header.time.1.trailing_zeros() >= 5) {
        out.push(Finding {
            severity: Severity::Info,
            ..Finding::new(Code::EntryTimes, &member.entry.path, "its date is invalid")
        });
    }
}
