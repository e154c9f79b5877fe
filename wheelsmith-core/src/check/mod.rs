//! Compares a finished wheel or sdist with the rules of its format, of installers and of the index.
//!
//! The public index takes a file that passes, and every installer installs it. Local headers and
//! the directory of the archive are read side by side, because different tools believe different
//! ones. Every fault is a finding, all of them in one run, in bounded memory and time. The audit,
//! not the check, judges whether native files qualify for the platform tag.
//!
//! ```
//! use wheelsmith_core::archive::Blob;
//! use wheelsmith_core::check::{Options, check};
//! use wheelsmith_core::finding::Code;
//! use wheelsmith_core::sys::Cancel;
//!
//! let bytes = Blob::from_bytes(*b"no archive");
//! let checked = check("demo-1.0-py3-none-any.whl", &bytes, &Options::default(), &Cancel::default());
//! assert_eq!(checked?.findings[0].code, Code::Unreadable);
//! # Ok::<(), std::io::Error>(())
//! ```

mod classifiers;
mod contents;
mod entry_points;
mod filename;
mod findings;
mod framing;
mod index;
mod layout;
mod metadata;
mod parsed;
mod record;
mod report;
mod sbom;
mod sdist;
#[cfg(test)]
mod tests;
mod wheel_file;
mod zip;

use std::io;

pub use crate::name::Index;
#[cfg(feature = "schema")]
pub use report::schema;
pub use report::{Input, Kind, Report, SCHEMA};

use self::findings::Findings;
use crate::archive::Blob;
use crate::finding::Finding;
use crate::sys::Cancel;

/// Rules to check against.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the file is to be published.
    pub index: Index,
    /// Limits of reading, and sizes that the index takes.
    pub limits: Limits,
}

/// Limits of reading, and sizes that the index takes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Entries of one archive; those behind are not read. 100 000.
    pub entries: usize,
    /// The directory of a wheel, or all names of an sdist, in bytes. 12 MiB.
    pub directory_bytes: u64,
    /// A file of metadata, in bytes; larger ones are not judged. 16 MiB.
    pub metadata_bytes: u64,
    /// All files of metadata together, in bytes. 24 MiB.
    pub held_bytes: u64,
    /// Unpacked bytes for each byte of the file, of files that unpack to more than
    /// [`Limits::ratio_from_bytes`]. 50, as on the public index.
    pub ratio: u64,
    /// Less may be packed as tightly as it likes, in bytes. 64 MiB.
    pub ratio_from_bytes: u64,
    /// The largest file that the index takes without being asked, in bytes. 100 MiB.
    pub file_bytes: u64,
    /// The largest file that it takes at all, in bytes: the limit of the project. 1 GiB.
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
pub struct Checked {
    /// Kind by its file name.
    pub kind: Kind,
    /// Findings, errors first, then by file.
    pub findings: Vec<Finding>,
}

/// Checks the wheel or sdist `filename`, whose bytes are `blob`.
///
/// # Errors
/// If `blob` cannot be read, or the user asks to stop. A fault of the file is a finding, not an
/// error.
pub fn check(
    filename: &str,
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
) -> io::Result<Checked> {
    let mut out = Findings::default();
    index::size(blob.size(), &options.limits, &mut out);
    let kind = Kind::of(filename);
    match kind {
        Kind::Wheel => wheel(filename, blob, options, cancel, &mut out)?,
        Kind::Sdist => sdist::check(filename, blob, options, cancel, &mut out)?,
    }
    let findings = options.index.judge(out.finish());
    Ok(Checked { kind, findings })
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
    let contents = parsed::Contents::new(name.as_ref(), &members, out);
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
        metadata::check(bytes, &file.path, expected, &licenses, out);
    }
    Ok(())
}
