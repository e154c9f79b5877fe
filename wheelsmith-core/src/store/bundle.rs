//! Bundles: sets, their files and references in one tar archive, to move them between jobs.
//!
//! The members are objects of a store under their keys, in the order in which they are written:
//! files, sets, references.

use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::body::Body;
use super::error::Error;
use super::json;
use super::key::Key;
use super::label::SetId;
use super::open::{Sent, Store};
use super::reference::{self, Reference};
use super::set::{self, Mode, Set};
use crate::archive::tar as reader;
use crate::name::Digest;
use crate::sys;

/// Most members of a bundle.
const MOST_MEMBERS: usize = 1 << 20;

impl Store {
    /// Writes references and sets, and all files of these sets and those of the references, to a tar
    /// archive.
    ///
    /// # Errors
    /// Returns an error if an object is absent or damaged, or the archive cannot be written.
    pub fn export(&self, references: &[Key], ids: &[SetId], path: &Path) -> Result<Sent, Error> {
        let mut sets: BTreeMap<SetId, Set> = BTreeMap::new();
        for id in ids {
            sets.insert(*id, self.set(id)?);
        }
        let mut refs = Vec::new();
        for key in references {
            let Some(found) = self.reference(key)? else {
                return Err(Error::Absent { what: "the reference", key: key.to_string() });
            };
            sets.insert(found.set, self.set(&found.set)?);
            refs.push((key, json::json(&found)));
        }
        let mut files: BTreeMap<Digest, (u64, Mode)> = BTreeMap::new();
        for file in sets.values().flat_map(|set| &set.files) {
            let known = files.entry(file.sha256).or_insert((file.size_bytes, file.mode));
            known.1 = known.1.max(file.mode);
        }
        let error = |source| Error::file("write", path, source);
        let mut unfinished = sys::fs::Unfinished::create(path).map_err(error)?;
        let mut moved = Sent::default();
        let mut out = BufWriter::with_capacity(1 << 18, unfinished.file());
        let task = self.host.task("export", files.values().map(|(size, _)| size).sum());
        for (digest, (size, mode)) in &files {
            out.write_all(&header(&Key::blob(digest), *size, *mode)).map_err(error)?;
            self.copy_blob(digest, *size, &mut out)?;
            out.write_all(padding(*size)).map_err(error)?;
            task.advance(*size, "");
            moved.files += 1;
            moved.bytes += size;
        }
        let sets = sets.iter().map(|(id, set)| (Key::set(id), set.to_json()));
        let refs = refs.into_iter().map(|(key, bytes)| (key.clone(), bytes));
        for (key, bytes) in sets.chain(refs) {
            let size = bytes.len() as u64;
            out.write_all(&header(&key, size, Mode::Plain)).map_err(error)?;
            out.write_all(&bytes).map_err(error)?;
            out.write_all(padding(size)).map_err(error)?;
        }
        out.write_all(&[0; 1024]).map_err(error)?;
        out.flush().map_err(error)?;
        drop(out);
        unfinished.finish().map_err(error)?;
        Ok(moved)
    }

    /// Writes the objects of a bundle to the store. Files are verified; a set is written if all its
    /// files are in the store, and a reference for a commit if its set is. References for inputs and
    /// pins are refused: builds trust the former, and the latter are the decision of the store's user.
    ///
    /// # Errors
    /// Returns an error if the archive is damaged, has no set or contains something else, or a
    /// reference exists with another set.
    pub fn import(&self, path: &Path) -> Result<Sent, Error> {
        let _lock = self.engine.hold(false)?;
        let error = |source| Error::file("read", path, source);
        let file = sys::fs::open(path).map_err(error)?;
        let total = file.metadata().map_err(error)?.len();
        let task = self.host.task("import", total);
        let mut moved = Sent::default();
        let mut members = reader::Reader::new(reader::Stream(BufReader::new(file)));
        let (mut count, mut sets) = (0, 0);
        while let Some(entry) = members.next_entry().map_err(error)? {
            count += 1;
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            let wrong = |problem: &str| Error::Bundle {
                path: path.to_owned(),
                problem: format!("`{}`: {problem}", name.escape_debug()),
            };
            if count > MOST_MEMBERS {
                return Err(wrong("there are too many members"));
            }
            let key = Key::parse(&name).filter(|_| entry.is_file());
            let key = key.ok_or_else(|| wrong("it is no object of a store"))?;
            if key.as_str().starts_with(Key::BLOBS) {
                let digest = key.digest().filter(|digest| Key::blob(digest) == key);
                let digest = digest.ok_or_else(|| wrong("its name is not that of a file"))?;
                let end = members.offset().checked_add(entry.size_bytes);
                if end.is_none_or(|end| end > total) {
                    return Err(wrong("the archive ends before its content does"));
                }
                let body = Body::part(path, members.offset(), digest, entry.size_bytes);
                moved.add(self.put_blob(&body)?, entry.size_bytes);
                task.advance(entry.size_bytes, "");
                continue;
            }
            let mut bytes = Vec::new();
            let most = set::MOST_BYTES;
            (&mut members).take(most + 1).read_to_end(&mut bytes).map_err(error)?;
            if bytes.len() as u64 != entry.size_bytes {
                return Err(wrong("it is too large, or its content is cut short"));
            }
            if key.as_str().starts_with(Key::SETS) {
                let set = Set::parse(&bytes, &key)?;
                if Key::set(&set.id()) != key {
                    return Err(wrong("it has another digest"));
                }
                self.require_and_write(&set)?;
                sets += 1;
            } else if is_reference(&key) {
                let found: Reference = json::parse(&bytes, &key, reference::MOST_BYTES)?;
                let set = self.set(&found.set)?;
                self.write_reference(&key, &found.set, &set)?;
            } else {
                return Err(wrong("it is neither a file nor a set nor a reference for a commit"));
            }
        }
        // An archive that was cut between two members lacks the empty blocks at its end.
        if members.offset() >= total {
            let problem = "its end is missing; copy it again".to_owned();
            return Err(Error::Bundle { path: path.to_owned(), problem });
        }
        if sets == 0 {
            let problem = "it contains no set".to_owned();
            return Err(Error::Bundle { path: path.to_owned(), problem });
        }
        Ok(moved)
    }
}

/// True if a key is that of a reference for a commit.
fn is_reference(key: &Key) -> bool {
    key.parts_after(Key::COMMITS).is_some_and(|parts| match parts[..] {
        [commit, slot] => {
            commit.parse::<super::CommitId>().is_ok() && slot.parse::<super::Label>().is_ok()
        }
        _ => false,
    })
}

/// Returns the header of a member (ustar), the same on every machine.
fn header(key: &Key, size: u64, mode: Mode) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(if mode == Mode::Executable { 0o755 } else { 0o644 });
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    let mut all = Vec::new();
    if header.set_path(key.as_str()).is_err() {
        // A commit and a slot may be longer than the 100 and 155 bytes of ustar.
        let mut long = header.clone();
        long.set_entry_type(tar::EntryType::GNULongName);
        long.set_size(key.as_str().len() as u64 + 1);
        long.set_path("././@LongLink").expect("a constant");
        long.set_cksum();
        all.extend(long.as_bytes());
        all.extend(key.as_str().as_bytes());
        all.push(0);
        all.extend(padding(key.as_str().len() as u64 + 1));
        header.set_path("long").expect("a constant");
    }
    header.set_cksum();
    all.extend(header.as_bytes());
    all
}

/// Returns the bytes that fill the last block of a content of `size` bytes.
fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; 512] = [0; 512];
    &ZEROS[..usize::try_from(size.next_multiple_of(512) - size).unwrap_or_default()]
}
