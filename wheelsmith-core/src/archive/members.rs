//! Collects the members of an artifact: with safe names, each once, within limits.

use std::path::PathBuf;

use super::Limits;
use super::blob::Blob;
use super::content::PackedContent;
use super::error::MemberError;
use super::safe_path::safe_path;
use crate::finding::{Code, Finding};
use crate::name::WheelPath;

/// Limit of the findings about one archive: one that has only bad names needs no line for each.
const MOST_FINDINGS: usize = 200;

/// File of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Path relative to the top.
    pub path: WheelPath,
    /// Unpacked size in bytes, as the archive states it.
    pub size_bytes: u64,
    /// True if its mode has an execute bit.
    pub executable: bool,
    /// File of the artifact to which it is a link.
    pub link: Option<WheelPath>,
}

/// Location of the bytes of a member.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// File of a directory.
    File(PathBuf),
    /// Part of an open file.
    Stored(Blob),
    /// Entry of a zip archive.
    Packed(PackedContent),
    /// Bytes that are not read, for a reason that a finding states.
    Refused,
}

/// Members of an artifact.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Members, sorted by path.
    pub(crate) list: Vec<Member>,
    /// Locations of the members, in the same order.
    pub(crate) locations: Vec<Location>,
    /// Problems of the archive itself.
    pub(crate) findings: Vec<Finding>,
}

/// Collects members as an archive lists them.
pub(crate) struct Collector<'l> {
    limits: &'l Limits,
    found: Vec<(Member, Location)>,
    findings: Vec<Finding>,
    left_out: usize,
    count: u64,
    total_bytes: u64,
}

/// Member as the archive states it.
pub(crate) struct Stated<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) size_bytes: u64,
    /// Size in the archive; equal to the unpacked size if the member is not packed.
    pub(crate) packed_bytes: u64,
    pub(crate) executable: bool,
    /// File of the artifact to which it is a link.
    pub(crate) link: Option<WheelPath>,
}

impl<'l> Collector<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        let (found, findings) = (Vec::new(), Vec::new());
        Self { limits, found, findings, left_out: 0, count: 0, total_bytes: 0 }
    }

    /// Counts an entry of any kind. Returns false if there are too many to continue.
    pub(crate) fn count(&mut self) -> bool {
        self.count += 1;
        if self.count > self.limits.members {
            let message = format!("it has more than {} members", self.limits.members);
            self.findings.push(Finding::whole(Code::OverLimit, message));
            return false;
        }
        true
    }

    /// Adds a member whose name may be any bytes. Returns false if all members together are too
    /// large to continue.
    pub(crate) fn add(&mut self, stated: &Stated<'_>, location: Location) -> bool {
        let limits = self.limits;
        let name = &stated.name[..stated.name.len().min(limits.path_bytes)];
        let (path, is_plain) = safe_path(name);
        let error = if name.len() < stated.name.len() {
            Some(MemberError::OverLimit(format!(
                "its path has {} bytes, more than {}",
                stated.name.len(),
                limits.path_bytes
            )))
        } else if is_plain {
            None
        } else {
            Some(MemberError::UnsafePath(format!(
                "its name `{}` is no path inside the archive",
                name.escape_ascii()
            )))
        };
        if let Some(error) = error {
            self.note(error.finding(&path));
        }
        let Stated { size_bytes, packed_bytes, executable, .. } = *stated;
        let link = stated.link.clone();
        self.add_member(Member { path, size_bytes, executable, link }, packed_bytes, location)
    }

    /// Adds a member. Returns false if all members together are too large to continue.
    pub(crate) fn add_member(
        &mut self,
        member: Member,
        packed_bytes: u64,
        mut location: Location,
    ) -> bool {
        let limits = self.limits;
        let size = member.size_bytes;
        self.total_bytes = self.total_bytes.saturating_add(size);
        if self.total_bytes > limits.total_bytes {
            let most = limits.total_bytes >> 20;
            let message = format!("its members have more than {most} MiB when unpacked");
            self.findings.push(Finding::whole(Code::OverLimit, message));
            return false;
        }
        let error = if size > limits.member_bytes {
            Some(format!(
                "it has {} MiB when unpacked, more than {}",
                size >> 20,
                limits.member_bytes >> 20
            ))
        } else if size > limits.ratio_from_bytes && size / packed_bytes.max(1) > limits.ratio {
            Some(format!(
                "its {} MiB are packed in {packed_bytes} bytes, more tightly than 1 to {}",
                size >> 20,
                limits.ratio
            ))
        } else {
            None
        };
        if let Some(error) = error {
            self.note(MemberError::OverLimit(error).finding(&member.path));
            location = Location::Refused;
        }
        self.found.push((member, location));
        true
    }

    /// Adds a finding about the archive.
    pub(crate) fn note(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Sorts the members by path. Of several with the same path the last one is kept, as when an
    /// installer unpacks them in turn. Returns the duplicate paths.
    pub(crate) fn sort(&mut self) -> Vec<WheelPath> {
        self.found.sort_by(|a, b| a.0.path.cmp(&b.0.path));
        let mut twice = Vec::new();
        self.found.dedup_by(|later, earlier| {
            let is_same = later.0.path == earlier.0.path;
            if is_same {
                std::mem::swap(later, earlier);
                twice.push(earlier.0.path.clone());
            }
            is_same
        });
        twice.dedup();
        twice
    }

    /// Finds a member by its path, after [`Self::sort`].
    pub(crate) fn get(&self, path: &WheelPath) -> Option<(&Member, &Location)> {
        let at = self.found.binary_search_by(|(member, _)| member.path.cmp(path)).ok()?;
        self.found.get(at).map(|(member, location)| (member, location))
    }

    /// Returns the members, sorted by path.
    pub(crate) fn finish(mut self) -> Members {
        self.sort();
        if let Some(last) = self.findings.last().filter(|_| self.left_out > 0) {
            let message = format!("{} more of its members are like the last ones", self.left_out);
            self.findings.push(Finding::whole(last.code, message));
        }
        let (list, locations) = self.found.into_iter().unzip();
        Members { list, locations, findings: self.findings }
    }
}
