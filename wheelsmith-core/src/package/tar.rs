//! The parts of a tar archive (POSIX ustar, pax for long names): headers in memory, and files.

use ::tar::{EntryType, Header};

use super::{Content, Files};
use crate::name::WheelPath;
use crate::wheel::{Entry, Error, Source};

const BLOCK: u64 = 512;

/// Two empty blocks, which end an archive.
const END: [u8; 1024] = [0; 1024];

/// Files below this size are read when the archive is planned, so that they are compressed together.
const SMALL: u64 = 64 << 10;

/// Size from which parts in memory are compressed.
const JOINED: usize = 1 << 20;

/// Size from which parts in memory are written.
const HELD: usize = 16 << 20;

/// Parts of an archive, each of which is compressed on its own.
struct Parts {
    done: Vec<Entry>,
    joined: Vec<u8>,
    /// Bytes of `done` that are in memory.
    held: usize,
    epoch: u64,
}

/// Makes the parts of an archive of `files`, each of which has the time `epoch`, and calls `write`
/// with groups of them, in order. The file at `first` is the first one.
///
/// # Errors
/// Returns an error if a small file cannot be read, or a path cannot be in an archive; or the error of
/// `write`.
pub(super) fn parts(
    files: &Files,
    first: Option<&WheelPath>,
    top: &str,
    epoch: u64,
    write: &mut dyn FnMut(&[Entry]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut parts = Parts { done: Vec::new(), joined: Vec::new(), held: 0, epoch };
    let ahead = files.iter().filter(|(path, _)| Some(*path) == first);
    let others = files.iter().filter(|(path, _)| Some(*path) != first);
    for (path, file) in ahead.chain(others) {
        let name = if top.is_empty() { path.to_string() } else { format!("{top}/{path}") };
        match &file.content {
            Content::Link(target) => {
                parts.header(path, &name, EntryType::Symlink, 0o777, 0, Some(target))?;
            }
            Content::Dir => {
                let name = format!("{name}/");
                parts.header(path, &name, EntryType::Directory, 0o755, 0, None)?;
            }
            Content::Bytes(source) => {
                let mode = if file.executable { 0o755 } else { 0o644 };
                let entry = Entry {
                    path: path.clone(),
                    executable: file.executable,
                    source: source.clone(),
                };
                parts.header(path, &name, EntryType::Regular, mode, entry.size_bytes(), None)?;
                parts.content(entry)?;
            }
        }
        if parts.held >= HELD {
            write(&std::mem::take(&mut parts.done))?;
            parts.held = 0;
        }
    }
    parts.joined.extend(END);
    parts.flush();
    write(&parts.done)
}

impl Parts {
    fn header(
        &mut self,
        path: &WheelPath,
        name: &str,
        kind: EntryType,
        mode: u32,
        size: u64,
        link: Option<&str>,
    ) -> Result<(), Error> {
        let problem =
            |error: std::io::Error| Error::Path { path: path.clone(), problem: error.to_string() };
        let mut header = self.plain(kind, mode, size);
        let mut record = Vec::new();
        if let Some(link) = link
            && header.set_link_name_literal(link).is_err()
        {
            record.extend(pax_record("linkpath", link));
            header.set_link_name_literal(&link.as_bytes()[..90]).map_err(problem)?;
        }
        if header.set_path(name).is_err() {
            record.extend(pax_record("path", name));
            // Readers of pax ignore this name.
            let short: String = name.chars().rev().take(90).collect();
            let short: String = short.chars().rev().collect();
            header.set_path(short.trim_start_matches('/')).map_err(problem)?;
        }
        if !record.is_empty() {
            let mut long = self.plain(EntryType::XHeader, 0o644, record.len() as u64);
            long.set_path("PaxHeader").map_err(problem)?;
            long.set_cksum();
            self.joined.extend(long.as_bytes());
            self.joined.extend(&record);
            self.pad(record.len() as u64);
        }
        header.set_cksum();
        self.joined.extend(header.as_bytes());
        Ok(())
    }

    fn plain(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(self.epoch);
        header.set_uid(0);
        header.set_gid(0);
        header
    }

    fn content(&mut self, entry: Entry) -> Result<(), Error> {
        let size = entry.size_bytes();
        if size < SMALL {
            let read = |source| Error::Read {
                path: entry.path.clone(),
                file: match &entry.source {
                    Source::File { path, .. } => path.clone(),
                    _ => std::path::PathBuf::new(),
                },
                source,
            };
            let bytes = entry.load().map_err(read)?;
            if bytes.len() as u64 != size {
                return Err(read(std::io::Error::other("it changed while it was read")));
            }
            self.joined.extend(bytes);
        } else {
            self.flush();
            self.done.push(entry);
        }
        self.pad(size);
        if self.joined.len() >= JOINED {
            self.flush();
        }
        Ok(())
    }

    /// Fills the last block of a content of `size` bytes.
    fn pad(&mut self, size: u64) {
        let rest = size.next_multiple_of(BLOCK) - size;
        self.joined.extend(std::iter::repeat_n(0, usize::try_from(rest).unwrap_or_default()));
    }

    fn flush(&mut self) {
        if !self.joined.is_empty() {
            let bytes = std::mem::take(&mut self.joined);
            self.held += bytes.len();
            let path = "headers".parse().expect("a constant");
            self.done.push(Entry::bytes(path, bytes));
        }
    }
}

/// Returns a record of a pax header: its length, which includes itself, a key and a value.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length.to_string().len() + rest.len() != length {
        length = length.to_string().len() + rest.len();
    }
    format!("{length}{rest}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::PackageFile;

    #[test]
    fn long_names_and_links_are_read_by_others() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
        let longer = format!("{}/x", "e".repeat(240));
        let mut files = Files::new();
        for path in ["z.txt", &long, &longer, "package.json"] {
            files.insert(path.parse().unwrap(), PackageFile::text(path));
        }
        let far = format!("{}/z.txt", "../d".repeat(60));
        for (path, target) in [("link", "z.txt"), ("long", &far)] {
            let content = Content::Link(target.to_owned());
            files.insert(path.parse().unwrap(), PackageFile { executable: false, content });
        }
        let dir = PackageFile { executable: true, content: Content::Dir };
        files.insert("empty".parse().unwrap(), dir);
        let first = "package.json".parse().unwrap();
        let mut made = Vec::new();
        let mut keep = |parts: &[Entry]| {
            made.extend_from_slice(parts);
            Ok(())
        };
        parts(&files, Some(&first), "top", 7, &mut keep).unwrap();
        let parts = made;
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.load().unwrap()).collect();
        let mut archive = ::tar::Archive::new(&bytes[..]);
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
            if let Some(link) = entry.link_name().unwrap() {
                text = format!("-> {}", link.display());
            }
            assert_eq!(entry.header().mtime().unwrap(), 7);
            names.push((name, text));
        }
        let row = |path: &str, text: &str| (format!("top/{path}"), text.to_owned());
        assert_eq!(
            names,
            [
                row("package.json", "package.json"),
                row(&long, &long),
                row(&longer, &longer),
                row("empty/", ""),
                row("link", "-> z.txt"),
                row("long", &format!("-> {far}")),
                row("z.txt", "z.txt"),
            ]
        );
    }

    #[test]
    fn the_length_of_a_record_includes_itself() {
        for size in 80..120 {
            let record = pax_record("path", &"x".repeat(size));
            let text = String::from_utf8(record).unwrap();
            let stated: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(stated, text.len());
        }
    }
}
