//! The store: files, sets, references and channels over an engine.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::body::Body;
use super::directory::{self, Directory};
use super::engine::{Engine, Entry, Put};
use super::error::Error;
use super::json::{self, Versioned};
use super::key::Key;
use super::label::{CommitId, Label, SetId};
use super::reference::{self, Channel, Reference, ReleaseReference};
use super::set::{self, SCHEMA, Set, StoredFile};
use crate::name::Digest;
use crate::sys::{self, Host, Jobs};

/// Files that are sent or fetched at once. A transfer waits for the network, not for a processor.
const TRANSFERS: usize = 16;

/// Age from which a file that exists is written again, so that a garbage collection that runs at the
/// same time, and has listed it as unused, finds it young.
const REFRESH_SECS: u64 = 12 * 3600;

/// A store that was opened.
#[derive(Debug)]
pub struct Store {
    pub(super) engine: Box<dyn Engine>,
    url: String,
    pub(super) host: Host,
    /// True if reading an object costs no network.
    is_local: bool,
}

/// Numbers of files and bytes that a call moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sent {
    /// Files that were written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there already.
    pub present: u64,
}

impl Sent {
    pub(super) fn add(&mut self, is_new: bool, size_bytes: u64) {
        if is_new {
            self.files += 1;
            self.bytes += size_bytes;
        } else {
            self.present += 1;
        }
    }
}

/// Content of `wheelsmith-store.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    schema: u32,
}

impl Versioned for Description {
    fn schema(&self) -> u32 {
        self.schema
    }
}

/// True if an object is so old that it is written again, or of unknown age.
fn is_old(entry: &Entry) -> bool {
    let age = sys::now().zip(entry.modified).map(|(now, then)| now.saturating_sub(then));
    age.is_none_or(|age| age > REFRESH_SECS)
}

/// Returns a URL without the name of a user and a password, for messages.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", &rest[end..])
}

impl Store {
    /// Opens a store by its URL or directory, with the environment of this process.
    ///
    /// # Errors
    /// Returns an error if there is no store, or if it cannot be reached.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, &Host::from_process())
    }

    /// Like [`Store::open`], with a host that reports progress and can be cancelled.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(url: &str, host: &Host) -> Result<Self, Error> {
        let store = Self::connect(url, host)?;
        match store.read::<Description>(&Key::store(), reference::MOST_BYTES)? {
            Some(_) => Ok(store),
            None => Err(Error::NoStore { url: store.url }),
        }
    }

    /// Creates a store, after a check that the service keeps what is written once. An existing store
    /// is opened. Uses the environment of this process.
    ///
    /// # Errors
    /// Returns an error if the service cannot be reached, or is unfit.
    pub fn init(url: &str) -> Result<Self, Error> {
        Self::init_with(url, &Host::from_process())
    }

    /// Like [`Store::init`], with a host that reports progress and can be cancelled.
    ///
    /// # Errors
    /// As [`Store::init`].
    pub fn init_with(url: &str, host: &Host) -> Result<Self, Error> {
        let store = Self::connect(url, host)?;
        store.probe()?;
        let bytes = json::json(&Description { schema: SCHEMA });
        store.engine.put(&Key::store(), &Body::bytes(&bytes))?;
        Self::open_with(url, host)
    }

    fn connect(url: &str, host: &Host) -> Result<Self, Error> {
        let wrong =
            |problem: &str| Error::Url { url: without_user(url), problem: problem.to_owned() };
        let url = url.trim_end_matches('/');
        if url.is_empty() {
            return Err(wrong("the name is empty"));
        }
        if let Some((scheme, _)) = url.split_once("://") {
            return Err(wrong(&format!("there is no engine for `{scheme}://`")));
        }
        let engine = Box::new(Directory::new(Path::new(url), &host.cancel));
        Ok(Self { engine, url: url.to_owned(), host: host.clone(), is_local: true })
    }

    /// Checks that the service refuses to write a key twice, and that it compares before it swaps.
    fn probe(&self) -> Result<(), Error> {
        let unfit = |problem: &str| Error::Unfit { url: self.url.clone(), problem: problem.into() };
        let unique = Digest::of(format!("{} {:?}", std::process::id(), sys::now())).short();
        let key = Key::parse(&format!("probe/{unique}")).expect("hex digits");
        let put = |text: &[u8]| self.engine.put(&key, &Body::bytes(text));
        let result = put(b"1").and_then(|first| {
            let second = put(b"2")?;
            let swapped = self.engine.swap(&key, Some(b"2"), b"3")?;
            Ok((first, second, swapped))
        });
        self.engine.delete(&key)?;
        match result? {
            (Put::Created, Put::Exists, false) => Ok(()),
            (Put::Created, Put::Exists, true) => {
                Err(unfit("it replaced an object although its content was not the expected one"))
            }
            (Put::Created, Put::Created, _) => Err(unfit(
                "it overwrote an object that was to be created only if absent, so two builds could \
                 not agree who was first; use a service with conditional writes",
            )),
            (Put::Exists, _, _) => Err(unfit("it states that an absent object exists")),
        }
    }

    /// Returns its URL or directory.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Writes a file under its digest. One that is there is verified in a directory, and compared by
    /// size in a bucket; a damaged one is replaced. Returns true if it was written.
    ///
    /// # Errors
    /// Returns an error if the content cannot be read, is not that of the digest, or cannot be written.
    pub fn put_blob(&self, body: &Body<'_>) -> Result<bool, Error> {
        let key = Key::blob(&body.sha256);
        let Some(there) = self.engine.head(&key)? else {
            return Ok(self.engine.put(&key, body)? == Put::Created);
        };
        let is_whole = there.size_bytes == body.size_bytes
            && (!self.is_local || self.verify_blob(&body.sha256, body.size_bytes).is_ok());
        if !is_whole || is_old(&there) {
            self.engine.replace(&key, body)?;
            return Ok(!is_whole);
        }
        Ok(false)
    }

    /// Reads a file and compares its digest and size.
    ///
    /// # Errors
    /// Returns [`Error::Corrupt`] if they differ, and [`Error::Absent`] if there is no such file.
    pub fn verify_blob(&self, sha256: &Digest, size_bytes: u64) -> Result<(), Error> {
        self.copy_blob(sha256, size_bytes, &mut io::sink())
    }

    /// Writes the content of a file to `to`. It is verified when the call returns without an error;
    /// until then `to` must not be used.
    ///
    /// # Errors
    /// Returns [`Error::Corrupt`] if its digest or size differ, and [`Error::Absent`] if there is no
    /// such file.
    pub fn copy_blob(
        &self,
        sha256: &Digest,
        size_bytes: u64,
        to: &mut dyn io::Write,
    ) -> Result<(), Error> {
        let key = Key::blob(sha256);
        let Some(content) = self.engine.get(&key)? else {
            return Err(Error::Absent { what: "the file", key: key.to_string() });
        };
        let error = |source| Error::Io { action: "read", key: key.to_string(), source };
        // One byte more than expected, to notice a content that is too long.
        let mut reader = content.reader.take(size_bytes.saturating_add(1));
        let (digest, size) = directory::copy(&mut reader, to, &self.host.cancel).map_err(error)?;
        if self.host.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if size != size_bytes {
            let problem = if size > size_bytes {
                format!("it has more than {size_bytes} bytes")
            } else {
                format!("it has {size} bytes instead of {size_bytes}")
            };
            return Err(Error::Corrupt { key: key.to_string(), problem });
        }
        if digest != *sha256 {
            let problem = format!("its sha256 is {digest}");
            return Err(Error::Corrupt { key: key.to_string(), problem });
        }
        Ok(())
    }

    /// Writes a file of a set and its aliases below `dir`, atomically and verified, with its mode. A
    /// file that is there with the same content is not read again from the store.
    ///
    /// # Errors
    /// As [`Store::copy_blob`], or the file cannot be written.
    pub fn fetch(&self, file: &StoredFile, dir: &Path) -> Result<PathBuf, Error> {
        let path = dir.join(file.path.as_str());
        let error = |source| Error::file("write", &path, source);
        let is_executable = file.mode == set::Mode::Executable;
        let is_there = sys::fs::symlink_metadata(&path)
            .is_ok_and(|found| found.is_file() && found.len() == file.size_bytes)
            && sys::fs::is_executable(&path).is_ok_and(|is| is == is_executable)
            && sys::fs::digest(&path).is_ok_and(|(digest, _)| digest == file.sha256);
        if !is_there {
            self.write(file, &path, is_executable)?;
        }
        for alias in &file.aliases {
            let link = path.with_file_name(alias);
            if sys::fs::symlink_metadata(&link).is_ok() {
                sys::fs::remove_file(&link).map_err(error)?;
            }
            sys::fs::symlink(file.path.file_name(), &link).map_err(error)?;
        }
        Ok(path)
    }

    fn write(&self, file: &StoredFile, path: &Path, is_executable: bool) -> Result<(), Error> {
        let error = |source| Error::file("write", path, source);
        let mut unfinished = sys::fs::Unfinished::create(path).map_err(error)?;
        self.copy_blob(&file.sha256, file.size_bytes, unfinished.file())?;
        sys::fs::set_executable(unfinished.path(), is_executable).map_err(error)?;
        unfinished.finish_unsynced().map_err(error)
    }

    /// Writes all files of a set below `dir`.
    ///
    /// # Errors
    /// As [`Store::fetch`].
    pub fn fetch_set(&self, set: &Set, dir: &Path) -> Result<(), Error> {
        let task = self.host.task(format!("get {} {}", set.project, set.slot), set.size_bytes());
        self.each(&set.files, |file| {
            self.fetch(file, dir)?;
            task.advance(file.size_bytes, file.path.file_name());
            Ok(())
        })?;
        Ok(())
    }

    /// Runs `work` on items, several at a time.
    pub(super) fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let jobs = Jobs::new(if self.is_local { self.host.jobs.count() } else { TRANSFERS });
        let done = jobs.try_map(&self.host.cancel, items, work)?;
        done.ok_or(Error::Cancelled)
    }

    /// Writes the files of a set, then the set. `path` returns the path of each file.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or written, or changed.
    pub fn put_set(
        &self,
        set: &Set,
        path: impl Fn(&StoredFile) -> PathBuf + Sync,
    ) -> Result<(SetId, Sent), Error> {
        let _lock = self.engine.hold(false)?;
        self.write_set(set, path)
    }

    /// Like [`Store::put_set`], for a caller that holds the lock of writers.
    fn write_set(
        &self,
        set: &Set,
        path: impl Fn(&StoredFile) -> PathBuf + Sync,
    ) -> Result<(SetId, Sent), Error> {
        if let Some(problem) = set.problem() {
            return Err(Error::Set { problem });
        }
        let mut seen = BTreeSet::new();
        let files: Vec<&StoredFile> =
            set.files.iter().filter(|file| seen.insert(file.sha256)).collect();
        let task = self.host.task(format!("put {} {}", set.project, set.slot), set.size_bytes());
        let written = self.each(&files, |file| {
            let path = path(file);
            let written = self.put_blob(&Body::file(&path, file.sha256, file.size_bytes))?;
            task.advance(file.size_bytes, file.path.file_name());
            Ok((written, file.size_bytes))
        })?;
        let mut moved = Sent::default();
        for (is_new, size) in written {
            moved.add(is_new, size);
        }
        Ok((self.write_manifest(set)?, moved))
    }

    /// Writes a set whose files are in the store.
    ///
    /// # Errors
    /// Returns [`Error::Absent`] if a file is not in the store.
    pub fn put_manifest(&self, set: &Set) -> Result<SetId, Error> {
        let _lock = self.engine.hold(false)?;
        self.require_and_write(set)
    }

    /// Like [`Store::put_manifest`], for a caller that holds the lock of writers.
    pub(super) fn require_and_write(&self, set: &Set) -> Result<SetId, Error> {
        if let Some(problem) = set.problem() {
            return Err(Error::Set { problem });
        }
        self.each(&set.files, |file| {
            let name = file.sha256.to_string();
            self.require(&Key::blob(&file.sha256), "the file", &name)
        })?;
        self.write_manifest(set)
    }

    fn write_manifest(&self, set: &Set) -> Result<SetId, Error> {
        let bytes = set.to_json();
        let id = SetId(Digest::of(&bytes));
        let (key, body) = (Key::set(&id), Body::bytes(&bytes));
        // As for files, one that is there is written again if it is damaged or old.
        match self.engine.head(&key)? {
            None => drop(self.engine.put(&key, &body)?),
            Some(there) if is_old(&there) || self.set(&id).is_err() => {
                self.engine.replace(&key, &body)?;
            }
            Some(_) => {}
        }
        Ok(id)
    }

    /// Reads a set.
    ///
    /// # Errors
    /// Returns [`Error::Absent`] if there is no such set, and [`Error::Corrupt`] if it is damaged.
    pub fn set(&self, id: &SetId) -> Result<Set, Error> {
        let key = Key::set(id);
        let Some(bytes) = self.read_bytes(&key, set::MOST_BYTES)? else {
            return Err(Error::Absent { what: "the set", key: id.to_string() });
        };
        let found = Digest::of(&bytes);
        if found != id.0 {
            let problem = format!("its sha256 is {found}");
            return Err(Error::Corrupt { key: key.to_string(), problem });
        }
        Set::parse(&bytes, &key)
    }

    /// Writes a reference to a set that is in the store. Returns true if it is new, and false if the
    /// same one exists.
    ///
    /// # Errors
    /// Returns [`Error::Conflict`] if the key refers to another set, [`Error::Absent`] if there is no
    /// such set or one of its files is absent, and [`Error::Set`] if the key is for another commit,
    /// slot or inputs than the set.
    pub fn refer(&self, key: &Key, set: &SetId) -> Result<bool, Error> {
        let _lock = self.engine.hold(false)?;
        let content = self.set(set)?;
        // A garbage collection that has listed them finds them young.
        let refresh = |key: &Key, what, name: &dyn std::fmt::Display| {
            match self.engine.head(key)? {
                None => return Err(Error::Absent { what, key: name.to_string() }),
                Some(there) if is_old(&there) => self.engine.refresh(key)?,
                Some(_) => {}
            }
            Ok(())
        };
        refresh(&Key::set(set), "the set", set)?;
        self.each(&content.files, |file| {
            refresh(&Key::blob(&file.sha256), "the file", &file.sha256)
        })?;
        self.write_reference(key, set, &content)
    }

    /// Writes a reference to a set that was just written, for a caller that holds the lock of writers.
    pub(super) fn write_reference(&self, key: &Key, id: &SetId, set: &Set) -> Result<bool, Error> {
        if let Some(problem) = reference::mismatch(key, set) {
            return Err(Error::Set { problem: format!("`{key}`: {problem}") });
        }
        self.write_once(key, &Reference::new(*id), |reference| reference.set.to_string())
    }

    /// Reads the set to which the reference at `key` refers; `None` if there is no reference.
    ///
    /// # Errors
    /// Returns an error if one is damaged or cannot be read, or if the set is for another commit, slot
    /// or inputs than the key.
    pub fn referred(&self, key: &Key) -> Result<Option<(SetId, Set)>, Error> {
        let Some(Reference { set: id, .. }) = self.reference(key)? else { return Ok(None) };
        let set = self.set(&id)?;
        match reference::mismatch(key, &set) {
            Some(problem) => Err(Error::Corrupt { key: key.to_string(), problem }),
            None => Ok(Some((id, set))),
        }
    }

    /// Compares the size of each file of a set, and reads none.
    ///
    /// # Errors
    /// Returns [`Error::Absent`] if a file is not in the store, and [`Error::Corrupt`] if it has
    /// another size.
    pub fn check_sizes(&self, set: &Set) -> Result<(), Error> {
        self.each(&set.files, |file| {
            let key = Key::blob(&file.sha256);
            let size = match self.engine.head(&key)? {
                None => return Err(Error::Absent { what: "the file", key: file.path.to_string() }),
                Some(entry) => entry.size_bytes,
            };
            if size == file.size_bytes {
                return Ok(());
            }
            let problem = format!("it has {size} bytes instead of {}", file.size_bytes);
            Err(Error::Corrupt { key: key.to_string(), problem })
        })?;
        Ok(())
    }

    /// Writes a release whose set, plan and list of digests are in the store. Returns true if it is
    /// new, and false if the same one exists.
    ///
    /// # Errors
    /// As [`Store::refer`].
    pub fn put_release(
        &self,
        project: &Label,
        version: &Label,
        release: &ReleaseReference,
    ) -> Result<bool, Error> {
        let _lock = self.engine.hold(false)?;
        self.require(&Key::set(&release.set), "the set", &release.set.to_string())?;
        for (what, digest) in [("the plan", &release.plan), ("the list of digests", &release.sums)]
        {
            self.require(&Key::blob(digest), what, &digest.to_string())?;
        }
        let key = Key::release(project, version);
        self.write_once(&key, release, |release| {
            let ReleaseReference { set, plan, sums, .. } = release;
            format!("{set} (plan {plan}, digests {sums})")
        })
    }

    fn require(&self, key: &Key, what: &'static str, name: &str) -> Result<(), Error> {
        match self.engine.head(key)? {
            Some(_) => Ok(()),
            None => Err(Error::Absent { what, key: name.to_owned() }),
        }
    }

    fn write_once<T: Versioned + PartialEq>(
        &self,
        key: &Key,
        value: &T,
        name: impl Fn(&T) -> String,
    ) -> Result<bool, Error> {
        // Most often the key is new, or a rerun writes the same.
        let bytes = json::json(value);
        if self.engine.put(key, &Body::bytes(&bytes))? == Put::Created {
            return Ok(true);
        }
        match self.read::<T>(key, reference::MOST_BYTES)? {
            Some(there) if there == *value => {
                // Storing an old commit again keeps it for as long as a new one.
                if self.engine.head(key)?.is_none_or(|entry| is_old(&entry)) {
                    self.engine.replace(key, &Body::bytes(&bytes))?;
                }
                Ok(false)
            }
            Some(there) => Err(Error::Conflict {
                key: key.to_string(),
                there: name(&there),
                given: name(value),
            }),
            // It was deleted in between.
            None => Err(Error::Moved { key: key.to_string() }),
        }
    }

    /// Writes the files of a set, the set, and a reference to it, in this order. A garbage collection
    /// of a directory waits.
    ///
    /// # Errors
    /// As [`Store::put_set`] and [`Store::refer`].
    pub fn publish(
        &self,
        set: &Set,
        references: &[Key],
        path: impl Fn(&StoredFile) -> PathBuf + Sync,
    ) -> Result<(SetId, Sent), Error> {
        let _lock = self.engine.hold(false)?;
        let (id, moved) = self.write_set(set, path)?;
        for key in references {
            self.write_reference(key, &id, set)?;
        }
        Ok((id, moved))
    }

    /// Deletes a pin. Returns false if it does not exist.
    ///
    /// # Errors
    /// Returns an error if it cannot be deleted.
    pub fn unpin(&self, name: &Label) -> Result<bool, Error> {
        let _lock = self.engine.hold(false)?;
        let key = Key::pin(name);
        let is_there = self.engine.head(&key)?.is_some();
        self.engine.delete(&key)?;
        Ok(is_there)
    }

    /// Reads the reference at `key`; `None` if it is absent.
    ///
    /// # Errors
    /// Returns an error if it is damaged, or cannot be read.
    pub fn reference(&self, key: &Key) -> Result<Option<Reference>, Error> {
        self.read(key, reference::MOST_BYTES)
    }

    /// Reads a release; `None` if it does not exist.
    ///
    /// # Errors
    /// As [`Store::reference`].
    pub fn release(
        &self,
        project: &Label,
        version: &Label,
    ) -> Result<Option<ReleaseReference>, Error> {
        self.read(&Key::release(project, version), reference::MOST_BYTES)
    }

    /// Reads a channel; `None` if it does not exist.
    ///
    /// # Errors
    /// As [`Store::reference`].
    pub fn channel(&self, project: &Label, name: &Label) -> Result<Option<Channel>, Error> {
        self.read(&Key::channel(project, name), reference::MOST_BYTES)
    }

    /// Points a channel at a release that is in the store. Returns the channel.
    ///
    /// # Errors
    /// Returns [`Error::Moved`] if another process changed it at the same time, and
    /// [`Error::Absent`] if there is no such release.
    pub fn set_channel(
        &self,
        project: &Label,
        name: &Label,
        release: &Label,
    ) -> Result<Channel, Error> {
        let _lock = self.engine.hold(false)?;
        let version = Key::release(project, release);
        self.require(&version, "the release", version.as_str())?;
        let key = Key::channel(project, name);
        let old = self.read_bytes(&key, reference::MOST_BYTES)?;
        let there: Option<Channel> = match &old {
            Some(bytes) => Some(json::parse(bytes, &key, reference::MOST_BYTES)?),
            None => None,
        };
        if let Some(there) = &there
            && there.release == *release
        {
            return Ok(there.clone());
        }
        let serial = there.map_or(0, |channel| channel.serial) + 1;
        let channel = Channel { schema: SCHEMA, release: release.clone(), serial };
        if self.engine.swap(&key, old.as_deref(), &json::json(&channel))? {
            return Ok(channel);
        }
        Err(Error::Moved { key: key.to_string() })
    }

    /// Returns the sets of a commit by slot.
    ///
    /// # Errors
    /// Returns an error if a reference or set is damaged or cannot be read.
    pub fn commit(&self, commit: &CommitId) -> Result<Vec<(Label, SetId, Set)>, Error> {
        let mut keys = self.keys(&format!("{}{commit}/", Key::COMMITS))?;
        keys.sort();
        self.each(&keys, |key| {
            let wrong = |problem: &str| Error::Corrupt {
                key: key.to_string(),
                problem: problem.to_owned(),
            };
            let slot = key.parts_after(Key::COMMITS).and_then(|parts| match parts[..] {
                [_, slot] => slot.parse().ok(),
                _ => None,
            });
            let slot = slot.ok_or_else(|| wrong("its name is not that of a slot"))?;
            let found = self.referred(key)?;
            let (id, set) = found.ok_or_else(|| wrong("it was deleted while it was read"))?;
            Ok((slot, id, set))
        })
    }

    /// Returns the commits that have references.
    ///
    /// # Errors
    /// Returns an error if the store cannot be listed.
    pub fn commits(&self) -> Result<BTreeSet<CommitId>, Error> {
        let mut commits = BTreeSet::new();
        self.engine.list(Key::COMMITS, &mut |entry| {
            let parts = entry.key.parts_after(Key::COMMITS);
            commits.extend(parts.and_then(|parts| parts.first()?.parse().ok()));
            Ok(())
        })?;
        Ok(commits)
    }

    /// Returns the keys that begin with `prefix`.
    ///
    /// # Errors
    /// Returns an error if the store cannot be listed.
    pub fn keys(&self, prefix: &str) -> Result<Vec<Key>, Error> {
        let mut keys = Vec::new();
        self.engine.list(prefix, &mut |entry| {
            keys.push(entry.key);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Writes the ledger of one run of a publication, in place of an earlier state of it.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub fn put_ledger(
        &self,
        project: &Label,
        version: &Label,
        run: &Label,
        text: &[u8],
    ) -> Result<(), Error> {
        let _lock = self.engine.hold(false)?;
        self.engine.replace(&Key::ledger(project, version, run), &Body::bytes(text))
    }

    /// Reads an object of at most `most` bytes; `None` if it is absent.
    ///
    /// # Errors
    /// Returns an error if it cannot be read, or is larger.
    pub fn read_bytes(&self, key: &Key, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(content) = self.engine.get(key)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = content.reader.take(most + 1).read_to_end(&mut bytes);
        read.map_err(|source| Error::Io { action: "read", key: key.to_string(), source })?;
        let problem = if bytes.len() as u64 > most {
            format!("it has more than {most} bytes")
        } else if bytes.len() as u64 != content.size_bytes {
            format!("{} of its {} bytes were read", bytes.len(), content.size_bytes)
        } else {
            return Ok(Some(bytes));
        };
        Err(Error::Corrupt { key: key.to_string(), problem })
    }

    pub(super) fn read<T: Versioned>(&self, key: &Key, most: u64) -> Result<Option<T>, Error> {
        let Some(bytes) = self.read_bytes(key, most)? else { return Ok(None) };
        json::parse(&bytes, key, most).map(Some)
    }
}
