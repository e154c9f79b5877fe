//! Obtains one source: from its origin to a directory.

use std::io;
use std::path::{Path, PathBuf};

#[cfg(feature = "cargo")]
use super::crates::download;
use super::download::{copy_url, has_digest, kept};
use super::listing::Listing;
use super::unpack::unpack;
use super::{Error, Lock, Policy, Resolved, SourceDirs};
use crate::config::{GitSource, Source};
use crate::name::Digest;
use crate::sys::{self, Host};

/// Obtains `source` as a directory, and pins it in `lock`.
pub(super) fn obtain(
    component: &str,
    source: &Source,
    lock: &mut Lock,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<Resolved, Error> {
    let id = source.id();
    match source {
        Source::Path(path) => {
            let root =
                if path == "." { places.project.to_owned() } else { places.project.join(path) };
            if !root.is_dir() {
                return Err(Error::NoDirectory { component: component.to_owned(), path: root });
            }
            Ok(Resolved { root, origin: None, sha256: None })
        }
        Source::Archive { location, sha256, mirrors, strip_components } => {
            let pin = match sha256 {
                Some(sha256) => Some((*sha256, "the configuration")),
                None => locked(lock, id.as_deref()),
            };
            let (file, sha256) = if Source::is_url(location) {
                let (expected, by) = pin.expect("a URL without a sha256 is no configuration");
                let urls = std::iter::once(location).chain(mirrors);
                (from_urls(urls, expected, by, places, policy, host)?, expected)
            } else {
                from_file(location, pin, places)?
            };
            let root = unpacked(location, &file, sha256, *strip_components, places, host)?;
            Ok(pinned(lock, id, sha256, root))
        }
        Source::Crate { name, version } => {
            let pin = locked(lock, id.as_deref());
            let (file, sha256) = from_registry(name, version, pin, places, policy, host)?;
            let root =
                unpacked(&format!("{name}-{version}.crate"), &file, sha256, 1, places, host)?;
            Ok(pinned(lock, id, sha256, root))
        }
        Source::Git(git) => {
            let foreign = Foreign {
                origin: git.url.clone(),
                pin: locked(lock, id.as_deref()),
                needs_network: !GitSource::is_local(&git.url),
            };
            let get = |to: &Path, work: &Path| super::git::pack(git, to, work, places, host);
            let (file, sha256) = foreign.obtain(&get, places, policy, host)?;
            let root = unpacked(&tree_name(git), &file, sha256, 0, places, host)?;
            Ok(pinned(lock, id, sha256, root))
        }
        Source::Sdist { name, version } => {
            let foreign = Foreign {
                origin: format!("{name} {version}"),
                pin: locked(lock, id.as_deref()),
                needs_network: true,
            };
            let get = |to: &Path, work: &Path| {
                super::python::download(name, version, to, work, places, host)
            };
            let (file, sha256) = foreign.obtain(&get, places, policy, host)?;
            let root =
                unpacked(&format!("{name}-{version}.tar.gz"), &file, sha256, 1, places, host)?;
            Ok(pinned(lock, id, sha256, root))
        }
    }
}

/// Returns the name for the directory of a commit.
fn tree_name(git: &GitSource) -> String {
    let name = git.url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.trim_end_matches(".git").chars().filter(plain).collect();
    format!("{}-{}.tar", name.trim_start_matches('.'), &git.rev[..12])
}

/// Source that another program provides as one file.
struct Foreign {
    /// Its name in messages.
    origin: String,
    pin: Option<(Digest, &'static str)>,
    needs_network: bool,
}

impl Foreign {
    /// Returns the cached file and its digest. `get` writes a file that is not in the cache; its
    /// second argument is an empty directory.
    fn obtain(
        self,
        get: &dyn Fn(&Path, &Path) -> Result<(), Error>,
        places: &SourceDirs<'_>,
        policy: Policy,
        host: &Host,
    ) -> Result<(PathBuf, Digest), Error> {
        let Self { origin, pin, needs_network } = self;
        if let Some((sha256, _)) = pin
            && let Some(path) = from_cache(places, sha256, host)?
        {
            return Ok((path, sha256));
        }
        if policy.offline && needs_network {
            return Err(Error::Offline { origin });
        }
        let task = host.task(format!("download {origin}"), 0);
        let temporary = |e| Error::io("make a temporary directory", e);
        let dir = sys::fs::temp_dir_in(places.work).map_err(temporary)?;
        let (file, work) = (dir.path().join("file"), dir.path().join("work"));
        sys::fs::create_dir_all(&work).map_err(temporary)?;
        get(&file, &work)?;
        let (actual, _) = sys::fs::digest(&file).map_err(|e| Error::io("read the download", e))?;
        if let Some((expected, pinned_by)) = pin
            && expected != actual
        {
            return Err(Error::WrongDigest { origin, pinned_by, expected, actual });
        }
        let path = cached(places, actual);
        let write = |e| Error::io("write to the cache", e);
        let mut unfinished = sys::fs::Unfinished::create(&path).map_err(write)?;
        let mut from = sys::fs::open(&file).map_err(write)?;
        io::copy(&mut from, unfinished.file()).map_err(write)?;
        unfinished.finish().map_err(write)?;
        task.finish("done");
        Ok((path, actual))
    }
}

fn locked(lock: &Lock, id: Option<&str>) -> Option<(Digest, &'static str)> {
    Some((lock.get(id?)?, "`wheelsmith.lock`"))
}

fn pinned(lock: &mut Lock, id: Option<String>, sha256: Digest, root: PathBuf) -> Resolved {
    if let Some(id) = &id {
        lock.pin(id.clone(), sha256);
    }
    Resolved { root, origin: id, sha256: Some(sha256) }
}

/// Returns an archive of the project itself.
fn from_file(
    location: &str,
    pin: Option<(Digest, &'static str)>,
    places: &SourceDirs<'_>,
) -> Result<(PathBuf, Digest), Error> {
    let path = places.project.join(location);
    let (actual, _) =
        sys::fs::digest(&path).map_err(|e| Error::io(format!("read archive `{location}`"), e))?;
    match pin {
        Some((expected, pinned_by)) if expected != actual => {
            Err(Error::WrongDigest { origin: location.to_owned(), pinned_by, expected, actual })
        }
        _ => Ok((path, actual)),
    }
}

/// Returns the path of a download in the cache.
fn cached(places: &SourceDirs<'_>, sha256: Digest) -> PathBuf {
    places.cache.join("archives").join(sha256.to_string())
}

/// Returns the cached download; `None` if it is absent or damaged. A damaged one is removed, unless
/// it is in a cache that is only read.
fn from_cache(
    places: &SourceDirs<'_>,
    sha256: Digest,
    host: &Host,
) -> Result<Option<PathBuf>, Error> {
    let io = |e| Error::io("read the cache", e);
    let path = cached(places, sha256);
    if path.is_file() {
        if sys::fs::digest(&path).map_err(io)?.0 == sha256 {
            return Ok(Some(path));
        }
        sys::fs::remove_file(&path).map_err(|e| Error::io("clean the cache", e))?;
    }
    let shelf = host.env.shelf_dir().map(|dir| dir.join("archives").join(sha256.to_string()));
    Ok(shelf.filter(|path| has_digest(path, sha256)))
}

fn from_urls<'u>(
    urls: impl Iterator<Item = &'u String>,
    expected: Digest,
    pinned_by: &'static str,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<PathBuf, Error> {
    if let Some(path) = from_cache(places, expected, host)? {
        return Ok(path);
    }
    let path = cached(places, expected);
    let mut reasons = Vec::new();
    for url in urls {
        // A `file://` URL needs no network.
        if policy.offline && !url.starts_with("file://") {
            return Err(Error::Offline { origin: url.clone() });
        }
        let mut unfinished =
            sys::fs::Unfinished::create(&path).map_err(|e| Error::io("write to the cache", e))?;
        let task = host.task(format!("download {url}"), 0);
        if let Err(error) = copy_url(url, unfinished.file(), host, &task) {
            reasons.push(format!("{url}: {error}"));
            continue;
        }
        let (actual, _) =
            sys::fs::digest(unfinished.path()).map_err(|e| Error::io("read the download", e))?;
        // Dropping the unfinished file removes it.
        if actual != expected {
            return Err(Error::WrongDigest { origin: url.clone(), pinned_by, expected, actual });
        }
        unfinished.finish().map_err(|e| Error::io("write to the cache", e))?;
        task.finish("done");
        return Ok(path);
    }
    Err(Error::Download { reasons })
}

fn from_registry(
    name: &str,
    version: &str,
    pin: Option<(Digest, &'static str)>,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<(PathBuf, Digest), Error> {
    let origin = format!("{name} {version}");
    if let Some((sha256, _)) = pin {
        if let Some(path) = from_cache(places, sha256, host)? {
            return Ok((path, sha256));
        }
        // A crate that cargo has downloaded before needs no download.
        let kept = kept(name, version, host);
        if let Some(path) = kept.into_iter().find(|path| has_digest(path, sha256)) {
            return Ok((path, sha256));
        }
    }
    let (file, checksum) = download(name, version, places, policy, host).map_err(|error| {
        if policy.offline { Error::Offline { origin: origin.clone() } } else { error }
    })?;
    let bytes = sys::fs::read(&file).map_err(|e| Error::io("read cargo's download", e))?;
    let actual = Digest::of(&bytes);
    let pins = pin.into_iter().chain([(checksum, "cargo's lock")]);
    for (expected, pinned_by) in pins {
        if expected != actual {
            return Err(Error::WrongDigest { origin, pinned_by, expected, actual });
        }
    }
    let path = cached(places, actual);
    sys::fs::write_atomic(&path, &bytes).map_err(|e| Error::io("write to the cache", e))?;
    Ok((path, actual))
}

/// Returns the error that this build of the library has no cargo.
#[cfg(not(feature = "cargo"))]
fn download(
    name: &str,
    version: &str,
    _places: &SourceDirs<'_>,
    _policy: Policy,
    _host: &Host,
) -> Result<(PathBuf, Digest), Error> {
    Err(Error::Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        reason: "cargo has not downloaded it here, and this program cannot run cargo: it was \
             built without the feature `cargo`"
            .to_owned(),
    })
}

/// Suffixes of archives, which the names of their directories do not have.
const SUFFIXES: [&str; 13] = [
    ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".tzst", ".tar.bz",
    ".tar", ".crate", ".zip", ".whl",
];

/// Returns the directory that an archive is unpacked to.
fn unpacked_dir(
    origin: &str,
    sha256: Digest,
    strip_components: u32,
    places: &SourceDirs<'_>,
) -> PathBuf {
    let name = origin.rsplit('/').next().unwrap_or(origin);
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    // Short, so that paths below it stay short; the lock has the whole digest.
    let dir = format!("{stem}-{}-{strip_components}", sha256.short());
    super::unpacked_dir(places.work).join(dir)
}

/// Returns the source without downloading, unpacking or writing anything; `None` if a build has to
/// unpack it first.
///
/// # Errors
/// Returns the error that a build would fail with: a directory or archive that is not there, a
/// wrong digest, a download that `policy` forbids, a source that the lock does not have.
pub(super) fn present(
    component: &str,
    source: &Source,
    lock: &Lock,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<Option<Resolved>, Error> {
    let id = source.id();
    let (origin, sha256, strip) = match source {
        Source::Path(_) => {
            let mut unused = lock.clone();
            return obtain(component, source, &mut unused, places, policy, host).map(Some);
        }
        Source::Archive { location, sha256, strip_components, .. } => {
            let pin = match sha256 {
                Some(sha256) => Some((*sha256, "the configuration")),
                None => locked(lock, id.as_deref()),
            };
            let sha256 = match pin {
                Some((sha256, _)) if Source::is_url(location) => sha256,
                pin => from_file(location, pin, places)?.1,
            };
            let is_remote = Source::is_url(location) && !location.starts_with("file://");
            if policy.offline && is_remote && !is_cached(places, sha256, host) {
                return Err(Error::Offline { origin: location.clone() });
            }
            (location.clone(), sha256, *strip_components)
        }
        Source::Crate { name, version } => match locked(lock, id.as_deref()) {
            Some((sha256, _)) => (format!("{name}-{version}.crate"), sha256, 1),
            None => return Ok(None),
        },
        Source::Git(git) => match locked(lock, id.as_deref()) {
            Some((sha256, _)) => (tree_name(git), sha256, 0),
            None => return Ok(None),
        },
        Source::Sdist { name, version } => match locked(lock, id.as_deref()) {
            Some((sha256, _)) => (format!("{name}-{version}.tar.gz"), sha256, 1),
            None => return Ok(None),
        },
    };
    let root = unpacked_dir(&origin, sha256, strip, places);
    Ok(root.is_dir().then_some(Resolved { root, origin: id, sha256: Some(sha256) }))
}

fn is_cached(places: &SourceDirs<'_>, sha256: Digest, host: &Host) -> bool {
    let shelf = host.env.shelf_dir().map(|dir| dir.join("archives").join(sha256.to_string()));
    has_digest(&cached(places, sha256), sha256)
        || shelf.is_some_and(|path| has_digest(&path, sha256))
}

/// Returns the directory that `file` is unpacked to; it is unpacked again only if it changed.
fn unpacked(
    origin: &str,
    file: &Path,
    sha256: Digest,
    strip_components: u32,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<PathBuf, Error> {
    let root = unpacked_dir(origin, sha256, strip_components, places);
    let name = origin.rsplit('/').next().unwrap_or(origin);
    let dir = root.file_name().unwrap_or_default().to_string_lossy();
    let listing = super::unpacked_dir(places.work).join(format!("{dir}.json"));
    if root.is_dir() {
        let Some(difference) = Listing::difference(&root, &listing) else { return Ok(root) };
        // One that an earlier wheelsmith unpacked has no listing, which is no reason to warn.
        if listing.is_file() {
            host.warn(format!(
                "the unpacked source of `{origin}` in `{}` was changed: {difference}; it is \
                 unpacked again",
                root.display()
            ));
        }
    }
    let task = host.task(format!("unpack {name}"), 0);
    let io = |e| Error::io("unpack a source", e);
    let unfinished = sys::fs::UnfinishedDir::create(&root).map_err(io)?;
    unpack(origin, file, unfinished.path(), strip_components)?;
    unfinished.finish().map_err(io)?;
    Listing::of(&root).and_then(|made| made.save(&listing)).map_err(io)?;
    task.finish("done");
    Ok(root)
}
