//! Compares a finished package with the rules of its format, of installers and of the registry: a
//! wheel or sdist, an npm package, a crate, or an archive of programs.
//!
//! The public index accepts a file that passes, and every installer installs it. Local headers and
//! the directory of the archive are compared, because tools differ in which of them they use. All
//! faults are findings of one run, in bounded memory and time. The audit, not the check, judges
//! whether native files qualify for the platform tag.
//!
//! [`file()`] checks one file by the rules of the public index; [`file_with`] by others.

mod classifiers;
mod contents;
mod entry_points;
mod filename;
mod findings;
mod framing;
mod index;
mod layout;
mod metadata;
#[cfg(feature = "check-packages")]
mod package;
mod parsed;
mod place;
#[cfg(feature = "check-packages")]
mod pyproject;
mod record;
mod report;
mod sbom;
mod sdist;
#[cfg(test)]
mod tests;
mod wheel_file;
mod zip;

use std::io;
use std::path::Path;

pub use crate::name::Index;
#[cfg(feature = "schema")]
pub use report::schema;
pub use report::{Input, Kind, Report, SCHEMA};

use self::findings::Findings;
use crate::archive::Blob;
use crate::finding::{Finding, Severity};
use crate::sys::{self, Cancel};

/// Rules to check against.
///
/// ```
/// use wheelsmith_core::check::{Index, Options};
///
/// let options = Options::new().index(Index::Private);
/// assert_eq!(options.index, Index::Private);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Index on which the file is to be published.
    pub index: Index,
    /// Limits of reading, and sizes that the index accepts.
    pub limits: Limits,
}

impl Options {
    /// Creates the options for the public index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the index on which the file is to be published.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.index = index;
        self
    }

    /// Sets the limits of reading, and the sizes that the index accepts.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// Limits of reading, and sizes that the index accepts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Entries of one archive; further ones are not read. 100 000.
    pub entries: usize,
    /// Size of a wheel's directory, or of all names of an sdist, in bytes. 12 MiB.
    pub directory_bytes: u64,
    /// Size of a metadata file, in bytes; larger ones are not judged. 16 MiB.
    pub metadata_bytes: u64,
    /// Size of all metadata files together, in bytes. 24 MiB.
    pub held_bytes: u64,
    /// Unpacked bytes for each byte of a file that unpacks to more than
    /// [`Limits::ratio_from_bytes`]. 50, as on the public index.
    pub ratio: u64,
    /// Unpacked size up to which a file may have any ratio, in bytes. 64 MiB.
    pub ratio_from_bytes: u64,
    /// Size of the largest file that the index accepts without a request, in bytes. 100 MiB.
    pub file_bytes: u64,
    /// Size of the largest file that the index accepts for the project, in bytes. 1 GiB.
    pub most_file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 100_000,
            directory_bytes: 12 << 20,
            metadata_bytes: 16 << 20,
            held_bytes: 24 << 20,
            ratio: 50,
            ratio_from_bytes: 64 << 20,
            file_bytes: 100 << 20,
            most_file_bytes: 1 << 30,
        }
    }
}

/// Result of one check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// Kind by its file name and, where that is ambiguous, its content.
    pub kind: Kind,
    /// Findings, errors first, then by file.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Returns a result.
    pub fn new(kind: Kind, findings: Vec<Finding>) -> Self {
        Self { kind, findings }
    }

    /// True if no finding is an error.
    pub fn is_good(&self) -> bool {
        !self.findings.iter().any(|finding| finding.counts_at(Severity::Error))
    }
}

/// Checks the package at `path` by the rules of the public index.
///
/// ```
/// use wheelsmith_core::check;
///
/// let checked = check::file("../tests/stories/check.in/dist/demo-1.0-py2-none-any.whl")?;
/// assert!(!checked.is_good());
/// for finding in &checked.findings {
///     println!("{}: {}", finding.code, finding.message);
/// }
/// assert!(check::file("absent-1.0-py3-none-any.whl").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Returns an error if the file is absent, is a directory or cannot be read. A fault of the file is a
/// finding, not an error.
pub fn file(path: impl AsRef<Path>) -> io::Result<Checked> {
    file_with(path.as_ref(), &Options::default(), &Cancel::default())
}

/// Checks the package at `path` against `options`.
///
/// # Errors
/// As [`file()`]; also if the user asks to stop.
pub fn file_with(path: &Path, options: &Options, cancel: &Cancel) -> io::Result<Checked> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = sys::fs::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a directory; name the files in it"));
    }
    check(&name, &Blob::new(file)?, options, cancel)
}

/// Checks the package `filename`, whose bytes are `blob`.
///
/// Returns an error if `blob` cannot be read, or the user cancels. A fault of the file is a
/// finding, not an error.
pub fn check(
    filename: &str,
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
) -> io::Result<Checked> {
    let kind = kind(filename, blob, options);
    let judge = match kind {
        Kind::Wheel => wheel,
        Kind::Sdist => sdist::check,
        #[cfg(feature = "check-packages")]
        Kind::Npm => package::npm::check,
        #[cfg(feature = "check-packages")]
        Kind::Crate => package::crates::check,
        #[cfg(feature = "check-packages")]
        Kind::Archive => package::archive::check,
        #[cfg(not(feature = "check-packages"))]
        Kind::Npm | Kind::Crate | Kind::Archive => {
            let reason = "this build of wheelsmith checks wheels and sdists only: it lacks the \
                          feature `check-packages`";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
    };
    let mut out = Findings::default();
    index::size(blob.size(), &options.limits, &mut out);
    judge(filename, blob, options, cancel, &mut out)?;
    let findings = options.index.judge(out.finish());
    Ok(Checked { kind, findings })
}

/// Returns the kind by the file name. Sdists and other archives may have the same names: an sdist
/// contains PKG-INFO, and an archive that has the name of one contains no file of a Python project.
#[cfg(feature = "check-packages")]
fn kind(filename: &str, blob: &Blob, options: &Options) -> Kind {
    let kind = Kind::of(filename);
    match kind {
        Kind::Sdist | Kind::Archive => match package::has_pkg_info(blob, options) {
            Some(true) => Kind::Sdist,
            Some(false) => Kind::Archive,
            None => kind,
        },
        _ => kind,
    }
}

/// Returns the kind by the file name.
#[cfg(not(feature = "check-packages"))]
fn kind(filename: &str, _: &Blob, _: &Options) -> Kind {
    Kind::of(filename)
}

fn wheel(
    filename: &str,
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
    out: &mut Findings,
) -> io::Result<()> {
    let name = filename::wheel(filename, options.index, out);
    let Some(members) = zip::read(blob, &options.limits, cancel, out)? else { return Ok(()) };
    framing::check(&members, out);
    let contents = parsed::Contents::new(blob, name.as_ref(), &members, out);
    layout::check(&contents, out);
    wheel_file::check(&contents, out);
    record::check(&contents, out);
    entry_points::check(&contents, out);
    sbom::check(&contents, out);
    contents::check(&contents, out);
    if let Some(file) = contents.dist_file("METADATA")
        && let Some(bytes) = file.kept()
    {
        let licenses = metadata::Licenses::of_wheel(&contents);
        let expected = name.as_ref().map(|name| (name.name.as_str(), name.version.as_str()));
        metadata::check(bytes, &file.entry.path, expected, &licenses, out);
    }
    Ok(())
}
