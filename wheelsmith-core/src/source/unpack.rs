//! Archives to directories, within limits.

use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Error;
use crate::name::WheelPath;
use crate::sys;

/// No source has more files than this.
const FILE_LIMIT: u64 = 500_000;
/// No source is larger than this when unpacked, in bytes.
const SIZE_LIMIT: u64 = 16 << 30;

/// Unpacks a `.tar.gz`, `.tar` or `.zip` (told apart by their first bytes) to `to`, without the
/// first `strip_components` directories of each path.
///
/// Paths that leave the directory are refused, as are links that point out of it; device nodes and
/// other oddities are left out.
pub(super) fn unpack(
    origin: &str,
    file: &Path,
    to: &Path,
    strip_components: u32,
) -> Result<(), Error> {
    let bad = |reason: String| Error::Unpack { origin: origin.to_owned(), reason };
    let mut reader = BufReader::new(sys::fs::open(file).map_err(|e| bad(e.to_string()))?);
    let mut magic = [0; 6];
    let mut length = 0;
    while length < magic.len() {
        match reader.read(&mut magic[length..]).map_err(|e| bad(e.to_string()))? {
            0 => break,
            n => length += n,
        }
    }
    reader.rewind().map_err(|e| bad(e.to_string()))?;
    let mut budget = Budget { files: FILE_LIMIT, bytes: SIZE_LIMIT };
    match magic {
        [0x1f, 0x8b, ..] => {
            let inflated = flate2::read::MultiGzDecoder::new(reader);
            tar(inflated, to, strip_components, &mut budget).map_err(bad)
        }
        [b'P', b'K', 3 | 5, ..] => zip(reader, to, strip_components, &mut budget).map_err(bad),
        [0xfd, b'7', b'z', b'X', b'Z', 0]
        | [b'B', b'Z', b'h', ..]
        | [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(bad(
            "it is compressed with xz, bzip2 or zstd; pack it as `.tar.gz` or `.zip`".into(),
        )),
        _ => tar(reader, to, strip_components, &mut budget).map_err(bad),
    }
}

struct Budget {
    files: u64,
    bytes: u64,
}

impl Budget {
    fn file(&mut self) -> Result<(), String> {
        self.files = self.files.checked_sub(1).ok_or("it has too many files")?;
        Ok(())
    }

    /// Copies at most what is left of the budget.
    fn copy(&mut self, from: impl Read, to: &mut impl io::Write) -> Result<(), String> {
        let copied = io::copy(&mut from.take(self.bytes + 1), to).map_err(|e| e.to_string())?;
        self.bytes = self.bytes.checked_sub(copied).ok_or("it is too large when unpacked")?;
        Ok(())
    }
}

fn tar(
    reader: impl Read,
    to: &Path,
    strip_components: u32,
    budget: &mut Budget,
) -> Result<(), String> {
    let text = |e: io::Error| e.to_string();
    let mut archive = tar::Archive::new(reader);
    let mut any = false;
    for entry in archive.entries().map_err(text)? {
        let mut entry = entry.map_err(text)?;
        budget.file()?;
        let name = entry.path_bytes().into_owned();
        let Some(path) = inside(&name, strip_components)? else { continue };
        let place = to.join(path.as_str());
        let header = entry.header();
        let kind = header.entry_type();
        let executable = header.mode().is_ok_and(|mode| mode & 0o111 != 0);
        let mtime = header.mtime().unwrap_or_default();
        any = true;
        if kind.is_dir() {
            sys::fs::create_dir_all(&place).map_err(text)?;
        } else if kind.is_file() || kind == tar::EntryType::Continuous {
            write(&mut entry, &place, executable, mtime, to, budget)?;
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            if kind.is_symlink() {
                link(&path, &target, &place, to)?;
            } else if let Some(original) = inside(&target, strip_components)? {
                parents(&place, to)?;
                sys::fs::copy(to.join(original.as_str()), &place).map_err(text)?;
            }
        }
    }
    if any { Ok(()) } else { Err("there is nothing in it".to_owned()) }
}

#[cfg(feature = "wheel")]
fn zip(
    reader: BufReader<std::fs::File>,
    to: &Path,
    strip_components: u32,
    budget: &mut Budget,
) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(reader).map_err(|e| e.to_string())?;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(|e| e.to_string())?;
        budget.file()?;
        let name = entry.name_raw().to_owned();
        let Some(path) = inside(&name, strip_components)? else { continue };
        let place = to.join(path.as_str());
        let mode = entry.unix_mode().unwrap_or(0o644);
        if entry.is_dir() {
            sys::fs::create_dir_all(&place).map_err(|e| e.to_string())?;
        } else if mode & 0o170_000 == 0o120_000 {
            let mut target = Vec::new();
            budget.copy(&mut entry, &mut target)?;
            link(&path, &target, &place, to)?;
        } else {
            write(&mut entry, &place, mode & 0o111 != 0, 0, to, budget)?;
        }
    }
    if archive.is_empty() { Err("there is nothing in it".to_owned()) } else { Ok(()) }
}

/// Says that this build reads no zip.
#[cfg(not(feature = "wheel"))]
fn zip(_: BufReader<std::fs::File>, _: &Path, _: u32, _: &mut Budget) -> Result<(), String> {
    Err("it is a zip, which this build of wheelsmith cannot read (feature `wheel`)".to_owned())
}

/// The path of an entry below the directory; nothing when it is one of the stripped ones.
fn inside(name: &[u8], strip_components: u32) -> Result<Option<WheelPath>, String> {
    let text = std::str::from_utf8(name)
        .map_err(|_| format!("the name `{}` is not UTF-8", String::from_utf8_lossy(name)))?;
    let outside = || format!("the path `{text}` leaves the archive");
    if text.starts_with('/') {
        return Err(outside());
    }
    let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    let rest: Vec<&str> = parts.skip(strip_components as usize).collect();
    if text.split('/').any(|part| part == "..") {
        return Err(outside());
    }
    if rest.is_empty() {
        return Ok(None);
    }
    rest.join("/").parse().map(Some).map_err(|_| outside())
}

fn write(
    from: impl Read,
    place: &Path,
    executable: bool,
    mtime: u64,
    root: &Path,
    budget: &mut Budget,
) -> Result<(), String> {
    let text = |e: io::Error| e.to_string();
    parents(place, root)?;
    let mut file = sys::fs::create(place).map_err(text)?;
    budget.copy(from, &mut file)?;
    file.flush().map_err(text)?;
    // Build systems compare times: generated files must stay newer than what they come from.
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(mtime);
    file.set_modified(time).map_err(text)?;
    drop(file);
    sys::fs::set_executable(place, executable).map_err(text)
}

/// Makes the directories above `place`, none of which may be a link: a link in the archive must not
/// carry later entries out of the directory.
fn parents(place: &Path, root: &Path) -> Result<(), String> {
    let parent = place.parent().unwrap_or(root);
    let below = parent.strip_prefix(root).unwrap_or(Path::new(""));
    let mut dir = root.to_owned();
    for part in below {
        dir.push(part);
        if sys::fs::symlink_metadata(&dir).is_ok_and(|m| m.is_symlink()) {
            return Err(format!("an entry lies behind the link `{}`", dir.display()));
        }
    }
    if sys::fs::symlink_metadata(place).is_ok_and(|m| m.is_symlink()) {
        return Err(format!("`{}` is there twice", place.display()));
    }
    sys::fs::create_dir_all(parent).map_err(|e| e.to_string())
}

fn link(path: &WheelPath, target: &[u8], place: &Path, root: &Path) -> Result<(), String> {
    let target = std::str::from_utf8(target).map_err(|_| format!("`{path}` links to no UTF-8"))?;
    let mut depth = path.parts().count() - 1;
    let outside = || format!("the link `{path}` points out of the archive, to `{target}`");
    if target.starts_with('/') || target.contains('\\') {
        return Err(outside());
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1).ok_or_else(outside)?,
            _ => depth += 1,
        }
    }
    parents(place, root)?;
    sys::fs::symlink(target, place).map_err(|e| e.to_string())
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

    /// Unpacks and gives either the files or the error.
    fn check(rows: &[Row<'_>], expected: Result<&[&str], &str>) {
        let dir = sys::fs::temp_dir().unwrap();
        let file = dir.path().join("a.tar");
        sys::fs::write_atomic(&file, &archive(rows)).unwrap();
        let to = dir.path().join("to");
        match (unpack("a.tar", &file, &to, 1), expected) {
            (Ok(()), Ok(files)) => {
                let found = sys::fs::walk(&to).unwrap();
                let found: Vec<&str> = found.iter().map(|f| f.relative.as_str()).collect();
                assert_eq!(found, files);
            }
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{error}");
                assert!(!dir.path().join("evil").exists());
            }
            (got, _) => panic!("{rows:?}: {got:?}"),
        }
    }

    #[test]
    fn only_what_stays_inside_is_unpacked() {
        use tar::EntryType::{Link, Regular, Symlink};
        check(&[("x/a.c", Regular, "a"), ("x/b/c.c", Regular, "c")], Ok(&["a.c", "b/c.c"]));
        check(&[("./x/a.c", Regular, "a"), ("x/l.c", Symlink, "a.c")], Ok(&["a.c", "l.c"]));
        check(&[("x/a.c", Regular, "a"), ("x/h.c", Link, "x/a.c")], Ok(&["a.c", "h.c"]));
        check(&[("x/../../evil", Regular, "a")], Err("leaves the archive"));
        check(&[("/evil", Regular, "a")], Err("leaves the archive"));
        check(&[("x/l", Symlink, "../evil")], Err("points out of the archive"));
        check(&[("x/l", Symlink, "/etc")], Err("points out of the archive"));
        check(
            &[("x/d/a", Regular, ""), ("x/l", Symlink, "d"), ("x/l/evil", Regular, "a")],
            Err("lies behind the link"),
        );
        check(&[], Err("nothing in it"));
    }

    #[test]
    fn unknown_compression_is_named() {
        let dir = sys::fs::temp_dir().unwrap();
        let file = dir.path().join("a.tar.xz");
        sys::fs::write_atomic(&file, b"\xfd7zXZ\0rest").unwrap();
        let error = unpack("a.tar.xz", &file, dir.path(), 1).unwrap_err();
        assert!(error.to_string().contains("xz"), "{error}");
    }
}
