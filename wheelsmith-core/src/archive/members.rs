//! The members of an artifact: their names made safe, each once, within limits.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::Limits;
use super::blob::Blob;
use super::error::MemberError;
use super::zip::Packed;
use crate::finding::{Code, Finding};
use crate::name::WheelPath;

/// An archive made of nothing but bad names needs no line for each of them.
const MOST_FINDINGS: usize = 200;

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it lies, relative to the top.
    pub path: WheelPath,
    /// Unpacked, in bytes, as the archive states it.
    pub size_bytes: u64,
    /// Whether it may be run as a program, by its mode.
    pub executable: bool,
}

/// Where the bytes of a member are.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// In a file of a directory.
    File(PathBuf),
    /// As they are, in an open file.
    Stored(Blob),
    /// In a zip archive.
    Zip(Blob, Packed),
    /// Nobody will look: a finding says why.
    Refused,
}

/// What an artifact holds.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// By path.
    pub(crate) list: Vec<Member>,
    /// Of each of them.
    pub(crate) places: Vec<Location>,
    /// What is wrong with the archive itself.
    pub(crate) findings: Vec<Finding>,
}

/// Gathers members as an archive lists them.
pub(crate) struct Gather<'l> {
    limits: &'l Limits,
    found: Vec<(Member, Location)>,
    by_path: HashMap<WheelPath, usize>,
    findings: Vec<Finding>,
    left_out: usize,
    seen: u64,
    total_bytes: u64,
}

/// A member as an archive states it.
pub(crate) struct Stated<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) size_bytes: u64,
    /// As it lies in the archive; the same where nothing is packed.
    pub(crate) packed_bytes: u64,
    pub(crate) executable: bool,
}

impl<'l> Gather<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            found: Vec::new(),
            by_path: HashMap::new(),
            findings: Vec::new(),
            left_out: 0,
            seen: 0,
            total_bytes: 0,
        }
    }

    /// Counts an entry of any kind; false when there are too many to go on.
    pub(crate) fn may_go_on(&mut self) -> bool {
        self.seen += 1;
        if self.seen > self.limits.members {
            let message = format!("it has more than {} members", self.limits.members);
            self.findings.push(Finding::whole(Code::OverLimit, message));
            return false;
        }
        true
    }

    /// Adds a member; false when what it takes with all before is too much to go on. Of two of one
    /// name the later counts, as it does when an installer unpacks them in turn.
    pub(crate) fn add(&mut self, stated: &Stated<'_>, mut place: Location) -> bool {
        let limits = self.limits;
        self.total_bytes = self.total_bytes.saturating_add(stated.size_bytes);
        if self.total_bytes > limits.total_bytes {
            let most = limits.total_bytes >> 20;
            let message = format!("its members have more than {most} MiB when unpacked");
            self.findings.push(Finding::whole(Code::OverLimit, message));
            return false;
        }
        let name = &stated.name[..stated.name.len().min(limits.path_bytes)];
        let (path, is_plain) = safe_path(name);
        let mut trouble = |trouble: MemberError| self.note(trouble.finding(&path));
        if name.len() < stated.name.len() {
            trouble(MemberError::OverLimit(format!(
                "its path has {} bytes, more than {}",
                stated.name.len(),
                limits.path_bytes
            )));
        } else if !is_plain {
            trouble(MemberError::Ambiguous(format!(
                "its name `{}` is no path inside the archive",
                name.escape_ascii()
            )));
        }
        let mut trouble = |trouble: MemberError| self.note(trouble.finding(&path));
        if stated.size_bytes > limits.member_bytes {
            trouble(MemberError::OverLimit(format!(
                "it has {} MiB when unpacked, more than {}",
                stated.size_bytes >> 20,
                limits.member_bytes >> 20
            )));
            place = Location::Refused;
        } else if stated.size_bytes > limits.ratio_from_bytes
            && stated.size_bytes / stated.packed_bytes.max(1) > limits.ratio
        {
            trouble(MemberError::OverLimit(format!(
                "its {} MiB are packed in {} bytes, more tightly than 1 to {}",
                stated.size_bytes >> 20,
                stated.packed_bytes,
                limits.ratio
            )));
            place = Location::Refused;
        }
        let member = Member {
            path: path.clone(),
            size_bytes: stated.size_bytes,
            executable: stated.executable,
        };
        if let Some(&before) = self.by_path.get(&path) {
            self.found[before] = (member, place);
            self.note(
                MemberError::Ambiguous(
                    "it is there more than once, and the last one counts".into(),
                )
                .finding(&path),
            );
        } else {
            self.by_path.insert(path, self.found.len());
            self.found.push((member, place));
        }
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

    /// Where a member is that was added before.
    pub(crate) fn place(&self, path: &WheelPath) -> Option<(&Member, &Location)> {
        self.by_path.get(path).map(|&at| (&self.found[at].0, &self.found[at].1))
    }

    /// All of them, by path.
    pub(crate) fn finish(mut self) -> Members {
        self.found.sort_by(|a, b| a.0.path.cmp(&b.0.path));
        if self.left_out > 0 {
            let message = format!("{} more of its members are like the last ones", self.left_out);
            self.findings.push(Finding::whole(Code::AmbiguousMember, message));
        }
        let (list, places) = self.found.into_iter().unzip();
        Members { list, places, findings: self.findings }
    }
}

/// A path for a name as an archive has it, and whether it says the same. What no path may hold is
/// written as `%` and two hex digits, so that the member is judged all the same.
pub(crate) fn safe_path(name: &[u8]) -> (WheelPath, bool) {
    let text = std::str::from_utf8(name);
    if let Some(path) = text.ok().and_then(|text| text.parse::<WheelPath>().ok()) {
        return (path, true);
    }
    let mut safe = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' || c == ':' || c.is_control() {
                let mut utf8 = [0; 4];
                c.encode_utf8(&mut utf8).bytes().for_each(|b| _ = write!(safe, "%{b:02X}"));
            } else {
                safe.push(c);
            }
        }
        chunk.invalid().iter().for_each(|b| _ = write!(safe, "%{b:02X}"));
    }
    let parts = safe.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| match part {
        "." => "%2E",
        ".." => "%2E%2E",
        part => part,
    });
    let joined = parts.collect::<Vec<_>>().join("/");
    let path = if joined.is_empty() { "%" } else { joined.as_str() };
    (path.parse().expect("what no path may hold was replaced"), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gets_a_path() {
        let check = |name: &[u8], expected: &str, is_plain| {
            assert_eq!(safe_path(name), (expected.parse().unwrap(), is_plain), "{name:?}");
        };
        check(b"a/b.so", "a/b.so", true);
        check("ü/b".as_bytes(), "ü/b", true);
        check(b"../../etc/x", "%2E%2E/%2E%2E/etc/x", false);
        check(b"/etc/x", "etc/x", false);
        check(b"a//./b", "a/%2E/b", false);
        check(b"a\\b", "a%5Cb", false);
        check(b"c:/x", "c%3A/x", false);
        check(b"a\0b\xff", "a%00b%FF", false);
        check(b"", "%", false);
        check(b"//", "%", false);
    }
}
