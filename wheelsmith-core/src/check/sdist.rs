//! Judges a source distribution: a `.tar.gz` with one directory (PEP 517, 625, 643, 721).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::findings::Findings;
use super::metadata::{self, Licenses};
use super::{Options, filename};
use crate::archive::Blob;
use crate::archive::gzip::Gzip;
use crate::archive::safe_path::safe_path;
use crate::archive::tar::{Entry, Reader, Stream};
use crate::finding::{Code, Severity};
use crate::name::WheelPath;
use crate::sys::Cancel;

/// Judges the file.
pub(super) fn check(
    filename: &str,
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
    out: &mut Findings,
) -> io::Result<()> {
    let stated = filename::sdist(filename, out);
    if !filename.ends_with(".tar.gz") {
        return Ok(());
    }
    let most =
        options.limits.ratio_from_bytes.max(blob.size().saturating_mul(options.limits.ratio));
    // One more byte shows that the file is larger.
    let mut input = Gzip::new(blob).take(most.saturating_add(1));
    let mut sdist = Sdist::new(options);
    let read = sdist.read(&mut input, cancel, out);
    let unread = input.limit();
    match read {
        Ok(()) => {}
        Err(error) if cancel.is_cancelled() => return Err(error),
        Err(_) if unread == 0 => {
            let message = format!("it unpacks to more than {} MiB", most >> 20);
            out.whole(Code::CompressionRatio, message);
            return Ok(());
        }
        // Errors of the disk have other kinds.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput
                    | io::ErrorKind::InvalidData
                    | io::ErrorKind::UnexpectedEof
            ) =>
        {
            out.whole(Code::Unreadable, format!("it cannot be unpacked: {error}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    if input.into_inner().has_more()? {
        out.whole(Code::StrayBytes, "there are bytes after the packed archive");
    }
    sdist.judge(stated.as_ref().map(|(name, version)| (name.as_str(), version.as_str())), out);
    Ok(())
}

struct Sdist<'a> {
    options: &'a Options,
    /// All files; for small ones, true if they are UTF-8.
    files: BTreeMap<WheelPath, Option<bool>>,
    folded: BTreeMap<String, WheelPath>,
    tops: BTreeSet<String>,
    pkg_info: Option<(WheelPath, Vec<u8>)>,
    /// `pyproject.toml` of the top directory.
    pyproject: Option<(WheelPath, Vec<u8>)>,
    /// Longest common prefix of the names of all members.
    prefix: Option<String>,
    /// Size of all names, in bytes.
    name_bytes: u64,
}

impl<'a> Sdist<'a> {
    fn new(options: &'a Options) -> Self {
        let (files, folded) = (BTreeMap::new(), BTreeMap::new());
        Self {
            options,
            files,
            folded,
            tops: BTreeSet::new(),
            pkg_info: None,
            pyproject: None,
            prefix: None,
            name_bytes: 0,
        }
    }

    fn read(
        &mut self,
        input: &mut impl Read,
        cancel: &Cancel,
        out: &mut Findings,
    ) -> io::Result<()> {
        let mut reader = Reader::new(Stream(input));
        let mut entries = 0;
        while let Some(entry) = reader.next_entry()? {
            if cancel.is_cancelled() {
                return Err(io::Error::other("stopped"));
            }
            entries += 1;
            self.name_bytes += entry.name.len() as u64;
            let limits = &self.options.limits;
            let excess = if entries > limits.entries {
                format!("it has more than {} entries", limits.entries)
            } else if self.name_bytes > limits.directory_bytes {
                format!("its names have more than {} MiB", limits.directory_bytes >> 20)
            } else {
                self.member(&entry, &mut reader, out)?;
                continue;
            };
            out.whole(Code::OverLimit, excess);
            io::copy(reader.rest(), &mut io::sink())?;
            return Ok(());
        }
        if reader.lacks_padding() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut short"));
        }
        // Reading the padding to its end also verifies the CRC.
        if !is_zero(reader.rest())? {
            out.whole(Code::StrayBytes, "there are bytes behind the end of the archive");
        }
        Ok(())
    }

    fn member(
        &mut self,
        member: &Entry,
        content: &mut impl Read,
        out: &mut Findings,
    ) -> io::Result<()> {
        let text = without_dot(&member.name);
        let text = text.strip_suffix(b"/").unwrap_or(text);
        if text.is_empty() || text == b"." {
            return Ok(());
        }
        let (path, is_plain) = safe_path(text);
        if !is_plain {
            let message = format!("`{}` is not a path inside the archive", text.escape_ascii());
            out.file(Code::UnsafePath, &path, message);
        }
        // Projects for Linux alone may have names that Windows refuses.
        super::layout::name(&path, false, out);
        match &mut self.prefix {
            None => self.prefix = Some(path.as_str().to_owned()),
            Some(prefix) => {
                let same = prefix.chars().zip(path.as_str().chars()).take_while(|(a, b)| a == b);
                let length = same.map(|(c, _)| c.len_utf8()).sum();
                prefix.truncate(length);
            }
        }
        if self.tops.len() < 100 {
            self.tops.insert(path.as_str().split('/').next().unwrap_or_default().to_owned());
        }
        match member.kind {
            b'5' => return Ok(()),
            _ if member.is_file() => {}
            b'1' | b'2' => {
                if !stays(&path, &member.link, member.kind == b'1') {
                    let link = member.link.escape_ascii();
                    out.file(Code::UnsafePath, &path, format!("it links to `{link}`"));
                } else if member.kind == b'1' {
                    let (target, _) = safe_path(without_dot(&member.link));
                    if !self.files.contains_key(&target) {
                        let message =
                            format!("it is a hard link to `{target}`, which is not before it");
                        out.file(Code::SpecialFile, &path, message);
                    }
                }
            }
            _ => out.file(Code::SpecialFile, &path, "it is neither file, directory nor link"),
        }
        if self.files.contains_key(&path) {
            out.file(Code::DuplicateEntry, &path, "two members have this name");
        } else if let Some(other) = self.folded.insert(path.as_str().to_lowercase(), path.clone()) {
            let message = format!("`{other}` differs from it only in case");
            out.file(Code::CaseClash, &path, message);
        }
        let is_own = |name: &str| path.as_str().split_once('/').is_some_and(|(_, own)| own == name);
        let (is_info, is_pyproject) = (is_own("PKG-INFO"), is_own("pyproject.toml"));
        let limits = &self.options.limits;
        // PKG-INFO, which lists the licence files, may come later, so all small files are read.
        let is_small = member.size_bytes <= 1 << 20;
        let keep =
            ((is_info || is_pyproject) && member.size_bytes <= limits.metadata_bytes) || is_small;
        let mut is_text = None;
        if keep {
            let mut bytes =
                Vec::with_capacity(usize::try_from(member.size_bytes).unwrap_or_default());
            content.read_to_end(&mut bytes)?;
            is_text = Some(std::str::from_utf8(&bytes).is_ok());
            if is_info {
                self.pkg_info = Some((path.clone(), bytes));
            } else if is_pyproject {
                self.pyproject = Some((path.clone(), bytes));
            }
        }
        self.files.insert(path, is_text);
        Ok(())
    }

    fn judge(&self, stated: Option<(&str, &str)>, out: &mut Findings) {
        let top = stated.map(|(name, version)| format!("{name}-{version}"));
        let tops: Vec<&str> = self.tops.iter().map(String::as_str).collect();
        match (tops.as_slice(), &top) {
            ([one], Some(top)) if one == top => {}
            ([one], Some(top)) => {
                // The index and installers accept any single directory.
                let message = format!("its directory `{one}` would be `{top}` (PEP 625)");
                out.whole_as(Severity::Warning, Code::SdistTop, message);
            }
            ([_], None) => {}
            (several, _) => {
                let message = format!("it has {} top-level entries, not one", several.len());
                out.whole(Code::SdistTop, message);
            }
        }
        let Some(top) = tops.first() else { return };
        let has = |name: &str| {
            let path = format!("{top}/{name}").parse::<WheelPath>();
            path.is_ok_and(|path| self.files.contains_key(&path))
        };
        if !has("pyproject.toml") {
            out.whole(Code::MissingPyproject, "there is no `pyproject.toml`");
        }
        #[cfg(feature = "check-packages")]
        if let Some((path, bytes)) = &self.pyproject {
            let info = self.pkg_info.as_ref().map(|(_, bytes)| bytes.as_slice());
            super::pyproject::check(bytes, path, info, out);
        }
        let Some((path, bytes)) = &self.pkg_info else {
            out.whole(Code::MissingPkgInfo, "there is no `PKG-INFO`");
            return;
        };
        // The index searches below the longest common prefix of all names.
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let sought = format!("{prefix}{}PKG-INFO", if prefix.ends_with('/') { "" } else { "/" });
        if tops.len() == 1 && sought != path.as_str() {
            let message =
                format!("all names begin with `{prefix}`, so the index finds no PKG-INFO");
            out.whole(Code::SdistTop, message);
        }
        let own = self.files.iter().filter_map(|(path, is_text)| {
            let (_, inner) = path.as_str().split_once('/')?;
            Some((inner.to_owned(), (*is_text, path.clone())))
        });
        let licenses = Licenses { files: own.collect(), is_wheel: false };
        metadata::check(bytes, path, stated, &licenses, out);
    }
}

fn without_dot(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"./").unwrap_or(name)
}

/// Reads to the end; returns true if all bytes are zero.
pub(super) fn is_zero(input: &mut impl Read) -> io::Result<bool> {
    let (mut buffer, mut is_zero) = ([0; 8 << 10], true);
    loop {
        let size = match input.read(&mut buffer) {
            Ok(0) => return Ok(is_zero),
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        is_zero &= buffer[..size].iter().all(|byte| *byte == 0);
    }
}

/// True if the target of a link at `path` is inside the archive. Hard links are relative to its
/// top.
pub(super) fn stays(path: &WheelPath, link: &[u8], is_hard: bool) -> bool {
    let Ok(link) = std::str::from_utf8(link) else { return false };
    if link.starts_with('/') || link.contains('\\') {
        return false;
    }
    let mut depth = if is_hard { 0 } else { path.parts().count() - 1 };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    depth > 0
}
