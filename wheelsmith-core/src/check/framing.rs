//! What stands in the headers of a zip archive, entry by entry.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use unicode_normalization::UnicodeNormalization as _;

use super::findings::Findings;
use super::zip::Member;
use crate::finding::{Code, Severity};
use crate::name::WheelPath;

const UNIX: u8 = 3;
/// Type bits of a mode, and that of a regular file (`stat.h`).
const TYPE: u16 = 0o170_000;
const REGULAR: u16 = 0o100_000;
const DIRECTORY: u16 = 0o040_000;

/// Judges names, modes, times and order.
pub(super) fn check(members: &[Member], out: &mut Findings) {
    let mut names = BTreeSet::new();
    // By the hash of the folded name: the names of a hostile archive are many and long.
    let mut folded: BTreeMap<u64, &WheelPath> = BTreeMap::new();
    for member in members {
        let header = &member.central.header;
        name(member, out);
        let own = fold(member.path.as_str());
        if !names.insert(member.name()) {
            out.file(Code::DuplicateEntry, &member.path, "two entries have this name");
        } else if let Some(other) = folded.insert(hash(&own), &member.path)
            && *other != member.path
            && fold(other.as_str()) == own
        {
            let message = format!("`{other}` differs from it in case or form only");
            out.file(Code::CaseClash, &member.path, message);
        }
        if header.is_encrypted() {
            out.file(Code::EncryptedEntry, &member.path, "it is encrypted");
        } else if !matches!(header.method, 0 | 8) {
            let message = format!("it is compressed by method {}", header.method);
            out.file(Code::CompressionMethod, &member.path, message);
        }
        if member.central.has_comment {
            out.file(Code::ArchiveComment, &member.path, "it has a comment");
        }
        if member.central.disk != 0 {
            out.file(Code::HeaderMismatch, &member.path, "it claims to lie in another file");
        }
        mode(member, out);
    }
    times(members, out);
    let is_meta = |member: &Member| top(member).ends_with(".dist-info");
    let files = members.iter().filter(|member| !member.is_dir());
    if let Some(late) = files.skip_while(|member| !is_meta(member)).find(|member| !is_meta(member))
    {
        out.file(Code::DistInfoNotLast, &late.path, "it lies behind metadata");
    }
}

/// The first part of a path.
pub(super) fn top(member: &Member) -> &str {
    member.path.as_str().split('/').next().unwrap_or_default()
}

fn fold(path: &str) -> String {
    path.nfc().collect::<String>().to_lowercase()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn name(member: &Member, out: &mut Findings) {
    let header = &member.central.header;
    let name = member.name();
    let name = name.strip_suffix(b"/").unwrap_or(name);
    let Ok(text) = std::str::from_utf8(name) else {
        out.file(Code::BadEntryName, &member.path, "its name is not UTF-8");
        return;
    };
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        out.file(Code::BadEntryName, &member.path, "its name has a control character");
    } else if !text.is_ascii() && !header.says_utf8() {
        out.file(Code::BadEntryName, &member.path, "its flags do not say that its name is UTF-8");
    } else if member.is_odd {
        let message = format!("`{text}` is no path inside the place of installation");
        out.file(Code::UnsafePath, &member.path, message);
    }
}

fn mode(member: &Member, out: &mut Findings) {
    if member.is_dir() {
        out.file(Code::DirectoryEntry, &member.path, "it is a directory");
        let has_bytes = member.central.header.size_bytes > 0;
        if has_bytes {
            out.file(Code::SpecialFile, &member.path, "it is a directory with content");
        }
        return;
    }
    if member.central.system != UNIX {
        return;
    }
    let mode = member.central.mode;
    let what = match mode & TYPE {
        0 | REGULAR => {
            if mode & TYPE == 0 || mode & 0o400 == 0 {
                out.file(Code::EntryMode, &member.path, format!("its mode is {mode:o}"));
            }
            return;
        }
        DIRECTORY => "its mode is that of a directory",
        0o120_000 => "it is a symbolic link",
        _ => "it is a device, a pipe or a socket",
    };
    out.file(Code::SpecialFile, &member.path, what);
}

fn times(members: &[Member], out: &mut Findings) {
    let times: BTreeSet<_> = members.iter().map(|member| member.central.header.time).collect();
    if times.len() > 1 {
        let message = format!("its entries have {} different times", times.len());
        out.whole(Code::EntryTimes, message);
    }
    if let Some(member) = members.iter().find(|m| m.central.header.time.1.trailing_zeros() >= 5) {
        out.push(crate::finding::Finding {
            severity: Severity::Info,
            ..crate::finding::Finding::new(Code::EntryTimes, &member.path, "its date is none")
        });
    }
}
