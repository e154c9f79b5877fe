//! Builds an index from a directory of files, and notices quickly that nothing changed.
//!
//! A full run reads the state and the cache entry of every file and page. If nothing changed, the
//! time stamps and sizes of all files show it: their checksum is compared with that of the last
//! full run.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSetBuilder};

use super::cache::Cache;
use super::layout::{PAGES, POINTER, PRIVATE, STATE, STYLE, simple};
use super::publish::{self, Changes, SkipReason, Skipped};
use super::{DistName, Error, Options, Site, View, site};
use crate::sys::{self, Host, Staging, Stamp};

/// Adds every distribution below `dir` to the site in `root`, and publishes it.
///
/// # Errors
/// As [`Site::open`], [`Site::add`] and [`Site::publish`]; also if `dir` has no distribution.
pub fn build(root: &Path, dir: &Path, options: &Options, host: &Host) -> Result<Changes, Error> {
    // Checked before the site is created, in case the directory is misspelled or still empty.
    if !dir.is_dir() {
        let problem = io::Error::new(io::ErrorKind::NotFound, "there is no such directory");
        return Err(Error::read(dir, problem));
    }
    let (files, skipped) = inputs(dir, options)?;
    if files.is_empty() && !skipped.iter().any(|skipped| skipped.reason.is_loss()) {
        return Err(Error::NoDistribution { dir: dir.to_owned() });
    }
    let lock = site::lock(root, host)?;
    let place = root.join(PRIVATE).join("clean");
    let inputs = Sum::of(dir, &files, options).map_err(|e| Error::read(dir, e))?;
    if !options.reread
        && let Some(changes) = clean(&place, root, inputs)
    {
        return Ok(Changes { skipped, ..changes });
    }
    let mut site = Site::with(lock, root)?;
    site.add_stamped(dir, files, options, host)?;
    let (changes, cache, _lock) = publish::publish(site, host)?;
    // Written even if it is unchanged: it must be newer than the files that it describes.
    let sum = inputs.with_site(root, &cache).map_err(|e| Error::read(root, e))?.sum;
    let text = format!("{HEADER}\n{sum} {} {}\n", changes.projects, changes.files);
    let mut staging = Staging::default();
    staging.put(&place, text.as_bytes(), false).map_err(|e| Error::write(&place, e))?;
    Ok(Changes { skipped, ..changes })
}

type StampedFile = (PathBuf, Stamp);

/// Returns the distributions below `dir`, and the other files, without those that `options` exclude.
fn inputs(dir: &Path, options: &Options) -> Result<(Vec<StampedFile>, Vec<Skipped>), Error> {
    let mut patterns = GlobSetBuilder::new();
    for pattern in &options.exclude {
        let problem = |e: &globset::Error| Error::Pattern {
            pattern: pattern.clone(),
            problem: e.kind().to_string(),
        };
        patterns.add(Glob::new(pattern).map_err(|e| problem(&e))?);
    }
    let pattern = options.exclude.join(" ");
    let excluded =
        patterns.build().map_err(|e| Error::Pattern { pattern, problem: e.to_string() })?;
    let sys::Stamped { mut files, others } =
        sys::stamped(dir, |_| true).map_err(|e| Error::read(dir, e))?;
    let mut skipped = Vec::new();
    // Returns the relative path of an entry that no pattern excludes.
    let considered = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let relative = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
        (!excluded.is_match(&*name) && !excluded.is_match(&relative)).then_some(relative)
    };
    files.retain(|(path, _)| {
        let Some(relative) = considered(path) else { return false };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_distribution = DistName::is_like(&name);
        if !is_distribution && !DistName::is_companion(&name) {
            let reason = SkipReason::of_name(&name);
            skipped.push(Skipped { path: relative, reason });
        }
        is_distribution
    });
    for (path, why) in others {
        if let Some(path) = considered(&path).filter(|path| !DistName::is_companion(path)) {
            skipped.push(Skipped { path, reason: SkipReason::LeftOut(why) });
        }
    }
    skipped.sort();
    Ok((files, skipped))
}

const HEADER: &str = concat!("wheelsmith index ", env!("CARGO_PKG_VERSION"));

/// Returns the changes of a run that has nothing to do; `None` if a file changed since the last
/// full run.
fn clean(place: &Path, root: &Path, inputs: Sum) -> Option<Changes> {
    let written_ns = Stamp::of(place).ok()?.written_ns;
    let text = sys::fs::read_to_string(place).ok()?;
    let (header, numbers) = text.split_once('\n')?;
    let mut numbers = numbers.split_whitespace().map(str::parse::<u64>);
    let sum = inputs.with_site(root, &Cache::default()).ok()?;
    // A file that was written at the same time may have changed without a new stamp.
    let is_clean =
        header == HEADER && numbers.next()?.ok()? == sum.sum && sum.newest_ns < written_ns;
    let mut count = || usize::try_from(numbers.next()?.ok()?).ok();
    let (projects, files) = (count()?, count()?);
    is_clean.then(|| Changes { projects, files, ..Changes::default() })
}

/// Checksum over stamps. It does not depend on their order, because directories are listed in any
/// order.
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: u64,
    newest_ns: u64,
}

impl Sum {
    /// Computes the checksum of the files below `dir` and of the options.
    fn of(dir: &Path, files: &[(PathBuf, Stamp)], options: &Options) -> io::Result<Self> {
        let mut sum = Self::default();
        let Options { view, files_url, store, upload_time, site_url, latest, exclude, reread: _ } =
            options;
        let texts = [files_url.as_ref().map(ToString::to_string), site_url.clone()];
        let time = upload_time.as_ref().map(ToString::to_string);
        let dir = sys::fs::canonicalize(dir)?;
        sum.add(&(view, texts, store, time, latest, exclude, dir), None);
        for (path, stamp) in files {
            sum.add(&path.as_os_str().as_encoded_bytes(), Some(*stamp));
        }
        Ok(sum)
    }

    /// Adds every page of the site. Stamps in `known` were read by this run.
    fn with_site(self, root: &Path, known: &Cache) -> io::Result<Self> {
        let mut sum = self;
        for name in [STATE, STYLE, POINTER] {
            sum.add(&name, Stamp::of(&root.join(name)).ok());
        }
        let mut views = vec![View::default(), View::latest()];
        views.extend(publish::views(root).map_err(io::Error::other)?);
        for view in views {
            let mut key = simple(&view);
            let mut place: PathBuf = root.join(&key);
            let Ok(names) = sys::fs::dir_names(&place) else {
                sum.add(&view, None);
                continue;
            };
            sum.page(&mut place, &key, known);
            key.push('/');
            let length = key.len();
            for name in names {
                key.truncate(length);
                key.push_str(&name);
                place.push(&name);
                sum.page(&mut place, &key, known);
                place.pop();
            }
        }
        Ok(sum)
    }

    /// Adds both forms of a page; `dir` is its directory on disk, `key` its path in the site.
    fn page(&mut self, dir: &mut PathBuf, key: &str, known: &Cache) {
        let known = known.page(key).map(|page| page.files);
        for (at, page) in PAGES.into_iter().enumerate() {
            let stamp = known.map(|files| files[at]).or_else(|| {
                dir.push(page);
                let stamp = Stamp::of(dir).ok();
                dir.pop();
                stamp
            });
            self.add(&(key, page), stamp);
        }
    }

    fn add(&mut self, name: &impl Hash, stamp: Option<Stamp>) {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        if let Some(Stamp { size_bytes, written_ns, inode }) = stamp {
            (size_bytes, written_ns, inode).hash(&mut hasher);
            self.newest_ns = self.newest_ns.max(written_ns);
        }
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}
