//! Unpacks source archives into directories, within limits.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Error;
use crate::archive::codec::Codec;
use crate::archive::source::Buffers;
use crate::archive::tar::{Reader, Stream};
use crate::archive::zip::{Unreadable, Zip};
use crate::archive::{Blob, Limits, PackedContent};
use crate::name::{ParseError, WheelPath};
use crate::sys::{self, Cancel};

/// Links that lead to links end somewhere; Linux has the same limit.
const MOST_HOPS: u32 = 40;
/// The target of a link is no longer, in bytes.
const LONGEST_TARGET: u64 = 4096;
/// File type bits of a mode, and those of a symbolic link.
const S_IFMT: u32 = 0o170_000;
const S_IFLNK: u32 = 0o120_000;
/// No source has more files than this.
const FILE_LIMIT: u64 = 500_000;
/// No source is larger than this when unpacked, in bytes.
const SIZE_LIMIT: u64 = 16 << 30;

/// Unpacks a `.zip`, or a `.tar` that may be compressed (told apart by their first bytes) to `to`,
/// without the first `strip_components` directories of each path.
///
/// Refuses paths that leave the directory, links that lead out of it, devices and pipes.
///
/// # Errors
/// Returns an error if the archive is damaged, beyond the limits, or has such an entry.
pub fn unpack(origin: &str, file: &Path, to: &Path, strip_components: u32) -> Result<(), Error> {
    let bad = |reason: String| Error::Unpack { origin: origin.to_owned(), reason };
    let mut file = sys::fs::open(file).map_err(|e| bad(e.to_string()))?;
    let mut first = Vec::new();
    let read = (&file).take(Codec::TELLING as u64).read_to_end(&mut first);
    read.and_then(|_| file.rewind()).map_err(|e| bad(e.to_string()))?;
    let tree = Tree::new(to, strip_components);
    let limits = Limits { total_bytes: SIZE_LIMIT, ..Limits::default() };
    match Codec::of(&first) {
        Some(codec) => tar(codec.unpack(file, &limits), tree),
        None if matches!(first[..], [b'P', b'K', 3 | 5, ..]) => zip(file, tree),
        None => tar(BufReader::new(file), tree),
    }
    .map_err(bad)
}

/// A directory into which an archive is unpacked. Nothing outside of it is read or written: no
/// entry goes through a link, and every link leads to a place inside, also through other links.
struct Tree<'a> {
    root: &'a Path,
    strip_components: u32,
    /// Files and bytes that may still be unpacked.
    files_left: u64,
    bytes_left: u64,
    /// Targets of the links by their paths.
    links: BTreeMap<String, String>,
    is_empty: bool,
}

impl<'a> Tree<'a> {
    fn new(root: &'a Path, strip_components: u32) -> Self {
        Self {
            root,
            strip_components,
            files_left: FILE_LIMIT,
            bytes_left: SIZE_LIMIT,
            links: BTreeMap::new(),
            is_empty: true,
        }
    }

    /// Counts an entry and returns its path; `None` if it is one of the stripped directories.
    fn path(&mut self, name: &[u8]) -> Result<Option<WheelPath>, String> {
        self.files_left = self.files_left.checked_sub(1).ok_or("it has too many files")?;
        let path = inside(name, self.strip_components)?;
        self.is_empty &= path.is_none();
        Ok(path)
    }

    fn use_bytes(&mut self, size: u64) -> Result<(), String> {
        let left = self.bytes_left.checked_sub(size);
        self.bytes_left = left.ok_or("it is too large when unpacked")?;
        Ok(())
    }

    /// Makes the directories `parts`, none of which may be a link or a file.
    fn directories<'p>(&self, parts: impl Iterator<Item = &'p str>) -> Result<PathBuf, String> {
        let mut dir = self.root.to_owned();
        for part in parts {
            dir.push(part);
            let shown = || dir.strip_prefix(self.root).unwrap_or(&dir).display();
            match sys::fs::symlink_metadata(&dir) {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(format!("an entry is below the link `{}`", shown()));
                }
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(format!("`{}` is a file and a directory", shown())),
                Err(_) => sys::fs::create_dir_all(&dir).map_err(|e| e.to_string())?,
            }
        }
        Ok(dir)
    }

    /// Makes the directories above `path`, and returns its place. A link there is an error.
    fn place(&self, path: &WheelPath) -> Result<PathBuf, String> {
        let parent = path.parent().unwrap_or_default();
        let parts = parent.split('/').filter(|part| !part.is_empty());
        let place = self.directories(parts)?.join(path.file_name());
        if sys::fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(format!("`{path}` occurs twice, once as a link"));
        }
        Ok(place)
    }

    /// Writes a file; `write` fills it and returns how many bytes it wrote.
    fn file(
        &mut self,
        path: &WheelPath,
        executable: bool,
        mtime: u64,
        write: impl FnOnce(&mut std::fs::File, u64) -> Result<u64, String>,
    ) -> Result<(), String> {
        let text = |e: io::Error| e.to_string();
        let place = self.place(path)?;
        let mut file = sys::fs::create(&place).map_err(text)?;
        let size = write(&mut file, self.bytes_left.saturating_add(1))?;
        self.use_bytes(size)?;
        file.flush().map_err(text)?;
        // Build systems compare times: generated files must stay newer than what they come from.
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(mtime);
        file.set_modified(time).map_err(text)?;
        drop(file);
        sys::fs::set_executable(&place, executable).map_err(text)
    }

    /// Makes a symbolic link.
    fn link(&mut self, path: &WheelPath, target: &[u8]) -> Result<(), String> {
        let target = String::from_utf8(target.to_vec())
            .map_err(|_| format!("`{path}` links to a name that is not UTF-8"))?;
        let place = self.place(path)?;
        self.resolve(path.as_str(), &target)?;
        sys::fs::symlink(&target, &place).map_err(|e| e.to_string())?;
        self.links.insert(path.as_str().to_owned(), target);
        Ok(())
    }

    /// Copies the file that was unpacked from the entry `original`.
    fn hard_link(&mut self, path: &WheelPath, original: &[u8]) -> Result<(), String> {
        let missing = || {
            let original = String::from_utf8_lossy(original);
            format!("`{path}` is a link to `{original}`, which is not an unpacked file")
        };
        let from = inside(original, self.strip_components)?.ok_or_else(missing)?;
        if let Some(target) = self.links.get(from.as_str()).cloned() {
            return self.link(path, target.as_bytes());
        }
        let mut source = self.root.to_owned();
        let mut metadata = None;
        for part in from.parts() {
            source.push(part);
            let found = sys::fs::symlink_metadata(&source).map_err(|_| missing())?;
            if found.is_symlink() {
                return Err(missing());
            }
            metadata = Some(found);
        }
        let size = metadata.filter(std::fs::Metadata::is_file).ok_or_else(missing)?.len();
        if from == *path {
            return Ok(());
        }
        self.use_bytes(size)?;
        let place = self.place(path)?;
        sys::fs::copy(source, &place).map_err(|e| e.to_string())?;
        Ok(())
    }

    /// Resolves `target` of the link at `path` as the system does. Returns an error if it leads out
    /// of the archive on the way.
    fn resolve<'t>(&'t self, path: &'t str, target: &'t str) -> Result<(), String> {
        let shown = target.escape_debug();
        let outside = || format!("the link `{path}` points out of the archive, to `{shown}`");
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let mut at: Vec<&str> = parent.split('/').filter(|part| !part.is_empty()).collect();
        // Parts that are still to be walked, the next one last.
        let mut rest: Vec<&str> = Vec::new();
        let mut hops = 0;
        let mut parts = |target: &'t str| {
            hops += 1;
            let is_absolute = target.starts_with('/') || target.contains('\\');
            let parts = (!is_absolute && hops <= MOST_HOPS).then(|| target.split('/').rev());
            parts.ok_or_else(outside)
        };
        rest.extend(parts(target)?);
        while let Some(part) = rest.pop() {
            match part {
                "" | "." => {}
                ".." => _ = at.pop().ok_or_else(outside)?,
                part => {
                    at.push(part);
                    if let Some(next) = self.links.get(&at.join("/")) {
                        at.pop();
                        rest.extend(parts(next)?);
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the work: links that were made later may lead earlier ones out of the archive.
    fn finish(self) -> Result<(), String> {
        if self.is_empty {
            return Err(match self.strip_components {
                _ if self.files_left == FILE_LIMIT => "it is empty".to_owned(),
                0 => "it has no file".to_owned(),
                1 => "it has no file below a top-level directory; set `strip-components = 0` if \
                      its files are at the top"
                    .to_owned(),
                n => format!("no file is below {n} directories, the number of `strip-components`"),
            });
        }
        self.links.iter().try_for_each(|(path, target)| self.resolve(path, target))
    }
}

fn tar(reader: impl Read, mut tree: Tree<'_>) -> Result<(), String> {
    let text = |e: io::Error| e.to_string();
    let mut archive = Reader::new(Stream(reader));
    while let Some(entry) = archive.next_entry().map_err(text)? {
        let Some(path) = tree.path(&entry.name)? else { continue };
        match entry.kind {
            b'5' => drop(tree.directories(path.parts())?),
            // A name that ends with `/` is a directory in the oldest format.
            _ if entry.is_file() && entry.name.ends_with(b"/") => {
                tree.directories(path.parts())?;
            }
            b'2' => tree.link(&path, &entry.link)?,
            b'1' => tree.hard_link(&path, &entry.link)?,
            b'S' => return Err(format!("`{path}` is stored with holes, by an option of GNU tar")),
            _ if entry.is_file() => {
                tree.file(&path, entry.is_executable(), entry.mtime, |file, most| {
                    io::copy(&mut (&mut archive).take(most), file).map_err(text)
                })?;
            }
            // The label of a volume.
            b'V' => {}
            b'3' | b'4' | b'6' => {
                return Err(format!("`{path}` is a device or a pipe, which no source has"));
            }
            kind => {
                let kind = kind.escape_ascii();
                return Err(format!("`{path}` is an entry of the unknown kind `{kind}`"));
            }
        }
    }
    tree.finish()
}

fn zip(file: std::fs::File, mut tree: Tree<'_>) -> Result<(), String> {
    let text = |e: io::Error| e.to_string();
    let blob = Blob::new(file).map_err(text)?;
    let zip = Zip::open(&blob, &Limits::default(), &Cancel::default());
    let zip = zip.map_err(Unreadable::into_text)?;
    if let Some(why) = zip.refusal() {
        return Err(why);
    }
    let mut buffers = Buffers::new();
    for entry in &zip.entries {
        let Some(path) = tree.path(entry.name())? else { continue };
        let is_link = entry.mode().is_some_and(|mode| mode & S_IFMT == S_IFLNK);
        let read = |buffers: &mut Buffers, take: &mut dyn FnMut(&[u8]) -> io::Result<()>| {
            let packed = PackedContent::of(&blob, entry);
            let packed = packed.ok_or_else(|| format!("`{path}` cannot be found in it"))?;
            packed
                .read(buffers, take)
                .map_err(|e| format!("cannot unpack `{path}`: {}", e.into_text()))
        };
        if entry.is_dir() {
            tree.directories(path.parts())?;
        } else if is_link {
            if entry.header.size_bytes > LONGEST_TARGET {
                return Err(format!("`{path}` is a link to a name that is too long"));
            }
            let mut target = Vec::new();
            read(&mut buffers, &mut |part| {
                target.extend_from_slice(part);
                Ok(())
            })?;
            tree.link(&path, &target)?;
        } else {
            tree.file(&path, entry.is_executable(), 0, |file, most| {
                if entry.header.size_bytes >= most {
                    return Ok(most);
                }
                read(&mut buffers, &mut |part| file.write_all(part))?;
                Ok(entry.header.size_bytes)
            })?;
        }
    }
    tree.finish()
}

/// Returns the path of an entry below the directory; `None` if it is one of the stripped ones.
fn inside(name: &[u8], strip_components: u32) -> Result<Option<WheelPath>, String> {
    let text = std::str::from_utf8(name)
        .map_err(|_| format!("the name `{}` is not UTF-8", String::from_utf8_lossy(name)))?;
    let outside = || format!("the path `{}` leaves the archive", text.escape_debug());
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        return Err(outside());
    }
    let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    let rest: Vec<&str> = parts.skip(strip_components as usize).collect();
    if rest.is_empty() {
        return Ok(None);
    }
    rest.join("/").parse().map(Some).map_err(|error: ParseError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row<'a> = (&'a str, tar::EntryType, &'a str);

    fn archive(rows: &[Row<'_>]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, content) in rows {
            let mut header = tar::Header::new_gnu();
            // The builder refuses bad paths: write them past it.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            if kind.is_file() {
                header.set_size(content.len() as u64);
                header.set_cksum();
                builder.append(&header, content.as_bytes()).unwrap();
            } else {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
                header.set_size(0);
                header.set_cksum();
                builder.append(&header, io::empty()).unwrap();
            }
        }
        builder.into_inner().unwrap()
    }

    fn check(rows: &[Row<'_>], expected: Result<&[&str], &str>) {
        unpacks("a.tar", &archive(rows), expected);
    }

    /// Unpacks an archive, and compares the files or the error.
    fn unpacks(name: &str, bytes: &[u8], expected: Result<&[&str], &str>) {
        let dir = sys::fs::temp_dir().unwrap();
        let file = dir.path().join(name);
        sys::fs::write_atomic(&file, bytes).unwrap();
        sys::fs::write_atomic(&dir.path().join("secret"), b"secret").unwrap();
        let to = dir.path().join("a/to");
        sys::fs::create_dir_all(&to).unwrap();
        match (unpack(name, &file, &to, 1), expected) {
            (Ok(()), Ok(files)) => {
                let found = sys::fs::walk(&to).unwrap();
                let found: Vec<&str> = found.iter().map(|f| f.relative.as_str()).collect();
                assert_eq!(found, files);
            }
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{error}");
                assert!(!dir.path().join("a/evil").exists());
            }
            (got, _) => panic!("{name}: {got:?}"),
        }
    }

    #[test]
    fn only_files_inside_are_unpacked() {
        use tar::EntryType::{Directory, Link, Regular, Symlink};
        let outside = "points out of the archive";
        let behind = "is below the link";
        for kind in [tar::EntryType::Char, tar::EntryType::Block, tar::EntryType::Fifo] {
            check(&[("x/a.c", Regular, "a"), ("x/d", kind, "")], Err("`d` is a device or a pipe"));
        }
        let unknown = tar::EntryType::new(b'q');
        check(&[("x/a.c", Regular, "a"), ("x/q", unknown, "")], Err("of the unknown kind `q`"));
        check(&[("x/a.c", Regular, "a"), ("x/b/c.c", Regular, "c")], Ok(&["a.c", "b/c.c"]));
        check(&[("./x/a.c", Regular, "a"), ("x/l.c", Symlink, "a.c")], Ok(&["a.c", "l.c"]));
        check(&[("x/a.c", Regular, "a"), ("x/h.c", Link, "x/a.c")], Ok(&["a.c", "h.c"]));
        check(&[("x/a/b.c", Regular, "a"), ("x/l", Symlink, "a/../a/b.c")], Ok(&["a/b.c", "l"]));
        // Two links to one file, one of them a hard link to the other.
        let rows = [("x/a", Regular, "a"), ("x/l", Symlink, "a"), ("x/h", Link, "x/l")];
        check(&rows, Ok(&["a", "h", "l"]));
        check(&[("x/a", Regular, "a"), ("x/a", Link, "x/a")], Ok(&["a"]));
        check(&[("x/../../evil", Regular, "a")], Err("leaves the archive"));
        check(&[("/evil", Regular, "a")], Err("leaves the archive"));
        check(&[("x/l", Symlink, "../evil")], Err(outside));
        check(&[("x/l", Symlink, "/etc")], Err(outside));
        check(&[("x/l", Symlink, "l")], Err(outside));
        let link = |rest: &[Row<'_>], expected| {
            let rows = [&[("x/d/a", Regular, ""), ("x/l", Symlink, "d")], rest].concat();
            check(&rows, expected);
        };
        link(&[("x/l/evil", Regular, "a")], Err(behind));
        link(&[("x/l/evil", Directory, "")], Err(behind));
        link(&[("x/l", Directory, "")], Err(behind));
        link(&[("x/l/evil", Symlink, "a")], Err(behind));
        link(&[("x/l/evil", Link, "x/d/a")], Err(behind));
        link(&[("x/h", Link, "x/l/a")], Err("not an unpacked file"));
        link(&[("x/l", Regular, "a")], Err("occurs twice, once as a link"));
        check(&[("x/a", Regular, ""), ("x/a/b", Regular, "")], Err("a file and a directory"));
        check(&[("x/h", Link, "x/a"), ("x/a", Regular, "a")], Err("not an unpacked file"));
        check(&[("x/d/a", Regular, ""), ("x/h", Link, "x/d")], Err("not an unpacked file"));
        check(&[("x/h", Link, "x/../../secret")], Err("leaves the archive"));
        check(&[], Err("it is empty"));
        check(&[("a.c", Regular, "a")], Err("no file below a top-level directory"));
        check(&[("x/\x1b[31m.c", Regular, "a")], Err(r"`\u{1b}[31m.c` is not a relative path"));
    }

    /// Each of the links stays inside by its text.
    #[test]
    fn links_that_lead_out_together_are_refused() {
        use tar::EntryType::{Regular, Symlink};
        let outside = Err("points out of the archive");
        let d = ("x/d/a", Regular, "");
        check(&[d, ("x/d/l", Symlink, ".."), ("x/d/m", Symlink, "l/..")], outside);
        // The first one leads out only when the second is there.
        check(&[d, ("x/d/m", Symlink, "l/.."), ("x/d/l", Symlink, "..")], outside);
        check(&[d, ("x/e", Symlink, "d"), ("x/d/m", Symlink, "../e/../..")], outside);
        check(&[d, ("x/d/m", Symlink, "n"), ("x/d/n", Symlink, "m")], outside);
    }

    #[cfg(unix)]
    #[test]
    fn zips_follow_the_same_rules() {
        use crate::archive::zip::forge::{Entry, Zip};
        let check = |rows: &[(&str, bool, &str)], expected: Result<&[&str], &str>| {
            let entry = |(name, is_link, content): &(&str, bool, &str)| Entry {
                mode: Some(if *is_link { 0o120_777 } else { 0o100_644 }),
                ..Entry::new(name, *content)
            };
            let zip = Zip { entries: rows.iter().map(entry).collect(), ..Zip::default() };
            unpacks("a.zip", &zip.bytes(), expected);
        };
        check(&[("x/a.c", false, "a"), ("x/l.c", true, "a.c")], Ok(&["a.c", "l.c"]));
        check(&[("x/l", true, "../evil")], Err("points out of the archive"));
        let rows = [("x/d/a", false, ""), ("x/d/l", true, ".."), ("x/d/m", true, "l/..")];
        check(&rows, Err("points out of the archive"));
        let rows = [("x/d/a", false, ""), ("x/l", true, "d"), ("x/l/evil", false, "a")];
        check(&rows, Err("[duplicate-entry]"));
        check(&[("x/a", false, ""), ("x/a", false, "")], Err("[duplicate-entry]"));
    }

    /// The bytes decide the format: the names here say another one.
    #[cfg(feature = "decompress")]
    #[test]
    fn compressed_archives_follow_the_same_rules() {
        use crate::archive::codec::tests::{ALL, pack};
        use tar::EntryType::{Regular, Symlink};
        for codec in ALL {
            let rows = [("x/a.c", Regular, "a"), ("x/l", Symlink, "a.c")];
            unpacks("a.zip", &pack(codec, &archive(&rows)), Ok(&["a.c", "l"]));
            let packed = pack(codec, &archive(&[("x/l", Symlink, "../evil")]));
            unpacks("a.tar", &packed, Err("points out of the archive"));
            let packed = pack(codec, &archive(&rows));
            unpacks("a.tar", &packed[..packed.len() / 2], Err(codec.name()));
        }
    }
    #[cfg(not(feature = "decompress"))]
    #[test]
    fn the_missing_feature_is_named() {
        for first in [&b"\xfd7zXZ\0"[..], b"BZh9", b"\x28\xb5\x2f\xfd"] {
            unpacks("a.tar.gz", first, Err("without the feature `decompress`"));
        }
    }
}
