//! Comparison of two wheels: their files, and the structure of their archives.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::archive::error::MemberError;
use crate::archive::source::Buffers;
use crate::archive::{Limits, PackedContent};
use crate::name::Digest;
use crate::sys;

/// Size limit of text files that are compared line by line, in bytes.
const LONGEST_TEXT: u64 = 256 << 10;

/// Degree of similarity of two wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// The archives are equal byte for byte.
    Identical,
    /// The files are equal; their compression differs.
    OtherCompression,
    /// The files are equal; their order, times, modes or other headers differ.
    OtherFraming,
    /// The files outside `.dist-info` are equal.
    OtherMetadata,
    /// Files outside `.dist-info` differ.
    Different,
}

impl Likeness {
    /// Returns a description for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::OtherCompression => "same content, different compression",
            Self::OtherFraming => "same content, different framing",
            Self::OtherMetadata => "same files, different metadata",
            Self::Different => "different",
        }
    }
}

/// Differences of two wheels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Degree of similarity.
    pub likeness: Likeness,
    /// Files that differ, by path. `RECORD` is left out, because it follows from the others.
    pub files: Vec<FileDiff>,
    /// Differences of the archives, one sentence each.
    pub framing: Vec<String>,
}

/// File that is not the same in both wheels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// Path in the wheel.
    pub path: String,
    /// Size in the first wheel, in bytes; `None` if the first wheel does not contain the file.
    pub size_before: Option<u64>,
    /// Size in the second wheel, in bytes; `None` if the second wheel does not contain the file.
    pub size_after: Option<u64>,
    /// Lines of a text file that only the first wheel contains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines_before: Vec<String>,
    /// Lines of a text file that only the second wheel contains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines_after: Vec<String>,
}

/// Compares two wheels, or any two zip archives.
///
/// # Errors
/// Returns an error if one of them cannot be read.
pub fn diff(before: &Path, after: &Path) -> Result<Diff, Error> {
    let read = |path: &Path| -> Result<_, Error> {
        let bad = |problem: String| Error::Existing { path: path.to_owned(), problem };
        let digest = sys::fs::digest(path).map_err(|e| bad(super::existing::io_words(&e)))?.0;
        Ok((digest, Listing::read(path)?))
    };
    let ((first, before), (second, after)) = (read(before)?, read(after)?);
    let files = files(&before, &after);
    let compression = before.compression(&after);
    let mut framing = before.framing(&after);
    let likeness = match () {
        () if first == second => Likeness::Identical,
        () if files.iter().any(|file| !is_metadata(&file.path)) => Likeness::Different,
        () if !files.is_empty() => Likeness::OtherMetadata,
        () if framing.is_empty() && compression.is_some() => Likeness::OtherCompression,
        () => Likeness::OtherFraming,
    };
    framing.extend(compression);
    if likeness == Likeness::OtherFraming && framing.is_empty() {
        framing.push("something outside the entries: extra fields, or bytes between them".into());
    }
    Ok(Diff { likeness, files, framing })
}

/// True if the path is in the wheel's `.dist-info` directory.
fn is_metadata(path: &str) -> bool {
    path.split_once('/').is_some_and(|(top, _)| top.ends_with(".dist-info"))
}

fn files(before: &Listing, after: &Listing) -> Vec<FileDiff> {
    let mut paths: Vec<&String> = before.members.keys().chain(after.members.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths.into_iter().filter(|path| !path.ends_with(".dist-info/RECORD")) {
        let (old, new) = (before.members.get(path), after.members.get(path));
        if old.map(|m| m.digest) == new.map(|m| m.digest) {
            continue;
        }
        let text =
            |member: Option<&Member>| member.and_then(|m| m.text.clone()).unwrap_or_default();
        let (old_text, new_text) = (text(old), text(new));
        let both = old.is_some() && new.is_some();
        let only = |lines: &str, other: &str| -> Vec<String> {
            let there: std::collections::BTreeSet<&str> = other.lines().collect();
            let is_new = |line: &&str| both && !line.is_empty() && !there.contains(line);
            let lines = lines.lines().filter(is_new);
            lines.map(str::to_owned).collect()
        };
        files.push(FileDiff {
            path: path.clone(),
            size_before: old.map(|m| m.size_bytes),
            size_after: new.map(|m| m.size_bytes),
            lines_before: only(&old_text, &new_text),
            lines_after: only(&new_text, &old_text),
        });
    }
    files
}

/// Contents of an archive.
struct Listing {
    order: Vec<String>,
    members: BTreeMap<String, Member>,
    /// Number of entries that are directories.
    directories: usize,
    comment: Vec<u8>,
}

struct Member {
    digest: Digest,
    size_bytes: u64,
    packed_bytes: u64,
    method: u16,
    mode: Option<u32>,
    time: String,
    text: Option<String>,
}

impl Listing {
    fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Existing { path: path.to_owned(), problem };
        let (blob, mut zip) = super::existing::open_zip(path)?;
        let comment = zip.directory.and_then(|directory| {
            blob.part(directory.comment_at, directory.comment_bytes as u64)?.first(0xffff).ok()
        });
        let (mut order, mut members) = (Vec::new(), BTreeMap::new());
        let (mut left, mut directories) = (Limits::default().total_bytes, 0);
        let mut buffers = Buffers::new();
        zip.entries.sort_by_key(|entry| entry.index);
        for entry in zip.entries {
            let header = &entry.header;
            left = left
                .checked_sub(header.size_bytes)
                .ok_or_else(|| unusable("it is too large when unpacked".to_owned()))?;
            if entry.is_dir() {
                // Directory entries are only counted: installers create directories as they need
                // them.
                directories += 1;
                continue;
            }
            let name = entry.path.as_str().to_owned();
            let mut found = Member {
                digest: Digest::of(b""),
                size_bytes: header.size_bytes,
                packed_bytes: header.packed_bytes,
                method: header.method,
                mode: entry.mode(),
                time: time(header.time),
                text: None,
            };
            let content = PackedContent::of(&blob, &entry);
            let content = content.ok_or_else(|| unusable(format!("cannot find `{name}`")))?;
            found.read(&content, &mut buffers).map_err(|error| {
                unusable(format!("cannot read `{name}`: {}", error.into_text()))
            })?;
            order.push(name.clone());
            members.insert(name, found);
        }
        Ok(Self { order, members, directories, comment: comment.unwrap_or_default() })
    }

    /// Describes how the sizes or methods of the common files differ; `None` if they do not.
    fn compression(&self, other: &Self) -> Option<String> {
        let packed = |m: &Member| (m.packed_bytes, m.method);
        let is_other = |a: &Member, b: &Member| a.digest == b.digest && packed(a) != packed(b);
        let differ = self.both(other).filter(|(_, a, b)| is_other(a, b));
        let sizes: Vec<_> = differ.map(|(_, a, b)| (a.packed_bytes, b.packed_bytes)).collect();
        let (first, second) = sizes.iter().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
        match sizes.len() {
            0 => None,
            1 => {
                Some(format!("1 file is compressed to another size: {first} bytes, then {second}"))
            }
            n => Some(format!(
                "{n} files are compressed to other sizes: {first} bytes in all, then {second}"
            )),
        }
    }

    fn framing(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, of: fn(&Member) -> String| {
            let mut pairs = self.both(other).filter(|(_, a, b)| of(a) != of(b));
            if let Some((path, a, b)) = pairs.next() {
                let more = pairs.count();
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                found.push(format!("the {what} of `{path}`: {}, then {}{more}", of(a), of(b)));
            }
        };
        differ("mode", |m| m.mode.map_or_else(|| "none".to_owned(), |mode| format!("{mode:o}")));
        differ("time", |m| m.time.clone());
        let same_names = self.members.keys().eq(other.members.keys());
        if same_names && self.order != other.order {
            found.push("the order of the entries".to_owned());
        }
        if self.directories != other.directories {
            let (a, b) = (self.directories, other.directories);
            found.push(format!("entries for directories: {a}, then {b}"));
        }
        if self.comment != other.comment {
            found.push("the comment of the archive".to_owned());
        }
        found
    }

    fn both<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a str, &'a Member, &'a Member)> {
        let pair = |(path, a): (&'a String, &'a Member)| {
            Some((path.as_str(), a, other.members.get(path)?))
        };
        self.members.iter().filter_map(pair)
    }
}

impl Member {
    fn read(&mut self, content: &PackedContent, buffers: &mut Buffers) -> Result<(), MemberError> {
        let mut hasher = Sha256::new();
        let mut text = Vec::new();
        content.read(buffers, &mut |part| {
            hasher.update(part);
            if self.size_bytes <= LONGEST_TEXT {
                text.extend_from_slice(part);
            }
            Ok(())
        })?;
        self.digest = Digest::from_bytes(hasher.finalize().into());
        let is_text = self.size_bytes <= LONGEST_TEXT && !text.contains(&0);
        self.text = is_text.then(|| String::from_utf8(text).ok()).flatten();
        Ok(())
    }
}

/// Renders a DOS time and date.
fn time((time, date): (u16, u16)) -> String {
    let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
    let (hour, minute, second) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::metadata::{EntryPoints, Metadata, ProjectFiles, ProjectTable};
    use crate::name::WheelFilename;
    use crate::sys::Cancel;
    use crate::wheel::{self, Compression, Entry, EntryTime, Options};

    fn wheel(
        dir: &Path,
        name: &str,
        text: &str,
        compression: Compression,
        time: i64,
    ) -> std::path::PathBuf {
        let project: ProjectTable = toml::from_str("name = 'demo'\nversion = '1.0'").unwrap();
        let metadata = Metadata::new(&project, ProjectFiles::default()).unwrap();
        let filename: WheelFilename = "demo-1.0-py3-none-any.whl".parse().unwrap();
        let entries = vec![Entry::bytes("demo/a.py".parse().unwrap(), text.repeat(50))];
        let points = EntryPoints::new(&project).unwrap();
        let wheel = wheel::Wheel::new(filename, &metadata, &points, entries).unwrap();
        let mut out = io::Cursor::new(Vec::new());
        let time = EntryTime::from_epoch(time);
        let options = Options { compression, time, ..Options::default() };
        wheel::write(&wheel, &mut out, &options, &Cancel::default()).unwrap();
        let path = dir.join(name);
        sys::fs::write_atomic(&path, out.get_ref()).unwrap();
        path
    }

    #[test]
    fn wheels_are_alike_or_not() {
        const YEAR_2001: i64 = 1_000_000_000;
        let dir = sys::fs::temp_dir().unwrap();
        let path = |name, text, compression, time| wheel(dir.path(), name, text, compression, time);
        let first = path("a", "x = 1\n", Compression::Fast, 0);
        let check = |second: &Path, expected: Likeness, framing: &[&str]| {
            let found = diff(&first, second).unwrap();
            assert_eq!(found.likeness, expected, "{found:?}");
            assert_eq!(found.framing.len(), framing.len(), "{found:?}");
            for (found, part) in found.framing.iter().zip(framing) {
                assert!(found.contains(part), "{found}");
            }
        };
        check(&path("b", "x = 1\n", Compression::Fast, 0), Likeness::Identical, &[]);
        let stored = path("c", "x = 1\n", Compression::Store, 0);
        check(&stored, Likeness::OtherCompression, &["other sizes"]);
        let later = path("d", "x = 1\n", Compression::Fast, YEAR_2001);
        check(&later, Likeness::OtherFraming, &["the time of `demo-1.0.dist-info/METADATA`"]);
        let other = path("e", "y = 1\n", Compression::Fast, 0);
        let found = diff(&first, &other).unwrap();
        assert_eq!(found.likeness, Likeness::Different);
        let [file] = &found.files[..] else { panic!("{found:?}") };
        assert_eq!((file.path.as_str(), &file.lines_before[0][..]), ("demo/a.py", "x = 1"));
        assert_eq!(file.lines_after[0], "y = 1");
    }
}
