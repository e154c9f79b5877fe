//! Opens a directory that contains an index, and adds files to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::cache::Cache;
use super::layout::{PRIVATE, STATE, STORE};
use super::{DistName, Distribution, Error, File, FilesUrl, State, View, store};
use crate::name::{ParseError, ProjectName};
use crate::sys::{self, Host, Lock, Staging, Stamp};

/// A site, locked against other writers while this value exists.
#[derive(Debug)]
pub struct Site {
    pub(super) root: PathBuf,
    /// State to publish.
    pub state: State,
    /// Text of the state when the site was opened.
    pub(super) was: Option<String>,
    pub(super) cache: Cache,
    pub(super) staging: Staging,
    pub(super) added: Vec<String>,
    /// True if a file was put into the site's own store.
    used_store: bool,
    pub(super) lock: Lock,
}

/// Options for adding files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// View that gets the files.
    pub view: View,
    /// URL of the files if they are not in the site.
    pub files_url: Option<FilesUrl>,
    /// Directory that collects the files for `files_url` and their metadata; `None` to collect
    /// none.
    pub store: Option<PathBuf>,
    /// Time of upload, as given by the publisher.
    pub upload_time: Option<UploadTime>,
    /// True to read files again although their stamps are unchanged.
    pub reread: bool,
    /// New URL of the site; ends with `/`.
    pub site_url: Option<String>,
    /// Patterns of files below the input directory that `build` leaves out.
    pub exclude: Vec<String>,
    /// True to point `latest` at this view.
    pub latest: bool,
}

impl Site {
    /// Opens the site in `root`, or creates it. Waits while another process writes to it.
    ///
    /// # Errors
    /// The site cannot be read or written, or the user stopped the command.
    pub fn open(root: &Path, host: &Host) -> Result<Self, Error> {
        Self::with(lock(root, host)?, root)
    }

    /// Like [`Site::open`], with a lock that is already held.
    pub(super) fn with(lock: Lock, root: &Path) -> Result<Self, Error> {
        let (state, was) = match read(root) {
            Ok((state, text)) => (state, Some(text)),
            Err(Error::NoIndex { .. }) => (State::default(), None),
            Err(error) => return Err(error),
        };
        let cache = Cache::load(&root.join(PRIVATE).join("cache"));
        Ok(Self {
            root: root.to_owned(),
            state,
            was,
            cache,
            staging: Staging::default(),
            added: Vec::new(),
            used_store: false,
            lock,
        })
    }

    /// Like [`Site::open`], for an existing site.
    ///
    /// # Errors
    /// As [`Site::open`]; or there is no site.
    pub fn open_existing(root: &Path, host: &Host) -> Result<Self, Error> {
        if !root.join(STATE).is_file() {
            return Err(Error::NoIndex { site: root.to_owned() });
        }
        Self::open(root, host)
    }

    /// Adds every distribution below `dir`.
    ///
    /// # Errors
    /// As [`Site::add`].
    pub fn add_dir(&mut self, dir: &Path, options: &Options, host: &Host) -> Result<(), Error> {
        let found = sys::stamped(dir, DistName::is_like).map_err(|e| Error::read(dir, e))?;
        self.add_stamped(dir, found.files, options, host)
    }

    pub(super) fn add_stamped(
        &mut self,
        dir: &Path,
        files: Vec<(PathBuf, Stamp)>,
        options: &Options,
        host: &Host,
    ) -> Result<(), Error> {
        // The cache is keyed by absolute paths.
        let base = sys::fs::canonicalize(dir).map_err(|e| Error::read(dir, e))?;
        let (base, length) = (base.to_string_lossy(), dir.as_os_str().len());
        let files = files.into_iter().map(|(path, stamp)| {
            let key = path.to_str().map(|path| format!("{base}{}", &path[length..]));
            (path, key.map(|key| (key, stamp)))
        });
        self.add_all(files, options, host)
    }

    /// Adds files to the state and the store without publishing them. Each file is read completely
    /// first.
    ///
    /// # Errors
    /// A file is damaged, does not match its name, or has the name of another. All such files are
    /// reported, and none is added.
    pub fn add(&mut self, files: &[PathBuf], options: &Options, host: &Host) -> Result<(), Error> {
        self.add_all(files.iter().map(|path| (path.clone(), None)), options, host)
    }

    fn add_all(
        &mut self,
        files: impl Iterator<Item = (PathBuf, Option<(String, Stamp)>)>,
        options: &Options,
        host: &Host,
    ) -> Result<(), Error> {
        self.state.views.entry(options.view.clone()).or_default();
        if options.site_url.is_some() {
            self.state.site_url.clone_from(&options.site_url);
        }
        if options.latest {
            self.state.set_latest(&options.view)?;
        }
        let mut errors = Vec::new();
        for (path, key) in files {
            if host.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if let Some((key, stamp)) = &key
                && !options.reread
                && self.is_known(&path, key, stamp, options)
            {
                continue;
            }
            match self.add_one(&path, options, host) {
                Ok(sha256) => {
                    if let Some((key, stamp)) = key {
                        self.cache.keep_digest(key, stamp, sha256);
                    }
                }
                Err(error @ (Error::Cancelled | Error::Write { .. })) => return Err(error),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        self.undo()?;
        Err(errors.pop().filter(|_| errors.is_empty()).unwrap_or(Error::Multiple(errors)))
    }

    /// True if an unchanged file is already in the view with the same options.
    fn is_known(&self, path: &Path, key: &str, stamp: &Stamp, options: &Options) -> bool {
        let Some(digest) = self.cache.digest(key, stamp) else { return false };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        // The name of a project ends at the first `-`, except for old source distributions.
        let Some((project, _)) = name.split_once('-') else { return false };
        let Ok(project) = project.parse::<ProjectName>() else { return false };
        let projects = self.state.views.get(&options.view);
        let project = projects.and_then(|projects| projects.get(&project.normalized()));
        let file = project.and_then(|project| project.files.get(name));
        file.is_some_and(|file| {
            let url = options.files_url.as_ref();
            let url = url.and_then(|url| Some(url.of(&name.parse().ok()?, &digest)));
            file.sha256 == digest && file.url == url
        })
    }

    fn add_one(
        &mut self,
        path: &Path,
        options: &Options,
        host: &Host,
    ) -> Result<crate::name::Digest, Error> {
        let distribution = Distribution::open(path, host)?;
        let Distribution { name, sha256, .. } = &distribution;
        let inside = self.root.join(STORE);
        let store = match (&options.files_url, &options.store) {
            (None, _) => Some(&inside),
            (Some(_), store) => store.as_ref(),
        };
        let beside = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().filter(|_| store.is_some()).map(crate::name::Digest::of)
        };
        let file = File {
            sha256: *sha256,
            size_bytes: distribution.size_bytes,
            requires_python: distribution.requires_python.clone(),
            metadata_sha256: beside(&distribution.metadata),
            provenance_sha256: beside(&distribution.provenance),
            upload_time: options.upload_time.as_ref().map(ToString::to_string),
            url: options.files_url.as_ref().map(|url| url.of(name, sha256)),
            summary: distribution.summary.clone(),
            yanked: None,
        };
        let is_new = self.state.insert(&options.view, name, file)?;
        if let Some(store) = store {
            store::put(store, &mut self.staging, &distribution)?;
            self.used_store |= *store == inside;
        }
        if is_new {
            self.added.push(name.to_string());
        }
        Ok(*sha256)
    }

    /// Removes files from the store that no view uses.
    fn undo(&mut self) -> Result<(), Error> {
        if !self.used_store {
            return Ok(());
        }
        let was = self.was.as_deref().map(State::parse).transpose().ok().flatten();
        store::prune(&self.root.join(STORE), &mut self.staging, &was.unwrap_or_default(), true)
    }
}

/// Waits for the lock of the site in `root`.
pub(super) fn lock(root: &Path, host: &Host) -> Result<Lock, Error> {
    let path = root.join(PRIVATE).join("lock");
    let lock = Lock::acquire(&path, &host.cancel).map_err(|e| Error::write(&path, e))?;
    lock.ok_or(Error::Cancelled)
}

/// Reads the state of the site in `root`; returns its text too.
pub(super) fn read(root: &Path) -> Result<(State, String), Error> {
    let path = root.join(STATE);
    let text = match sys::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoIndex { site: root.to_owned() });
        }
        Err(error) => return Err(Error::read(&path, error)),
    };
    let state = State::parse(&text).map_err(|problem| Error::State { path, problem })?;
    Ok((state, text))
}

/// A time in UTC, `2026-01-31T00:00:00Z` (PEP 700).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadTime(String);

impl fmt::Display for UploadTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UploadTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let pattern = b"dddd-dd-ddTdd:dd:ddZ";
        let number = |from: usize| text.get(from..from + 2).and_then(|t| t.parse::<u8>().ok());
        let in_range = |from, range: std::ops::RangeInclusive<u8>| {
            number(from).is_some_and(|number| range.contains(&number))
        };
        let is_like = text.len() == pattern.len()
            && text.bytes().zip(pattern).all(|(byte, &wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            });
        let is_time = is_like
            && in_range(5, 1..=12)
            && in_range(8, 1..=31)
            && in_range(11, 0..=23)
            && in_range(14, 0..=59)
            && in_range(17, 0..=59);
        if is_time {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new(text, "a time in UTC such as `2026-01-31T00:00:00Z`"))
    }
}
