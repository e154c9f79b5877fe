//! Finds the files of a wheel by their purpose.
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "installers take names as they are written"
)]

use std::collections::BTreeMap;

use super::findings::Findings;
use super::framing::top;
use super::zip::Member;
use crate::archive::Blob;
use crate::finding::Code;
use crate::metadata::recorded_digest::Algorithm;
use crate::name::WheelFilename;

/// Wheel whose archive was read.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    archive: &'a Blob,
    /// Parsed file name; `None` if it is not that of a wheel.
    pub(super) filename: Option<&'a WheelFilename>,
    /// Name of the `.dist-info` directory, without `/`.
    pub(super) dist_info: Option<String>,
    /// Files by path; of two with the same name the last one, as installers use it.
    by_path: BTreeMap<&'a str, &'a Member>,
}

impl<'a> Contents<'a> {
    /// Finds the metadata, and reports directories that differ from the file name.
    pub(super) fn new(
        archive: &'a Blob,
        filename: Option<&'a WheelFilename>,
        members: &'a [Member],
        out: &mut Findings,
    ) -> Self {
        let files = members.iter().filter(|member| !member.is_dir());
        let by_path: BTreeMap<&str, &Member> =
            files.map(|member| (member.entry.path.as_str(), member)).collect();
        let mut found: Vec<&str> =
            members.iter().map(top).filter(|top| top.ends_with(".dist-info")).collect();
        found.sort_unstable();
        found.dedup();
        let stem = filename.map(WheelFilename::stem);
        let expected = stem.as_ref().map(|stem| format!("{stem}.dist-info"));
        match (found.as_slice(), &expected) {
            ([], _) => out.whole(Code::MissingDistInfo, "there is no `.dist-info` directory"),
            ([one], Some(expected)) if one != expected => {
                let message = format!("`{one}` would be `{expected}` by the name of the file");
                out.whole(Code::DistInfoMismatch, message);
            }
            ([_], _) => {}
            (several, _) => {
                let message = format!("there are `{}`", several.join("`, `"));
                out.whole(Code::SeveralDistInfos, message);
            }
        }
        let own = found.iter().find(|name| Some(**name) == expected.as_deref());
        let dist_info = own.or(found.first()).map(|name| (*name).to_owned());
        Self { archive, filename, dist_info, by_path }
    }

    /// Returns all files, by path.
    pub(super) fn files(&self) -> impl Iterator<Item = &'a Member> {
        self.by_path.values().copied()
    }

    /// Returns the file at `path`.
    pub(super) fn file(&self, path: &str) -> Option<&'a Member> {
        self.by_path.get(path).copied()
    }

    /// Returns the metadata file `name`.
    pub(super) fn dist_file(&self, name: &str) -> Option<&'a Member> {
        self.file(&format!("{}/{name}", self.dist_info.as_ref()?))
    }

    /// Returns the digest of a file by `algorithm`; `None` if it cannot be read.
    pub(super) fn digest_by(&self, member: &Member, algorithm: Algorithm) -> Option<Vec<u8>> {
        member.content.as_ref()?.digest_by(self.archive, &member.entry, algorithm)
    }

    /// Returns the path of `member` below `.dist-info`, such as `licenses/LICENSE`.
    pub(super) fn in_dist_info<'m>(&self, member: &'m Member) -> Option<&'m str> {
        member
            .entry
            .path
            .as_str()
            .strip_prefix(self.dist_info.as_ref()?.as_str())?
            .strip_prefix('/')
    }

    /// True if a file is native code.
    pub(super) fn has_native(&self) -> bool {
        self.files().any(is_native)
    }
}

/// True if its first bytes are those of ELF, Mach-O or PE.
pub(super) fn is_native(member: &Member) -> bool {
    member.content.as_ref().is_some_and(|content| super::place::begins_native(content.head()))
}
