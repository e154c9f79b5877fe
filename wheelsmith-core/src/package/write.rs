//! Writes the files of a package as an archive.

use std::path::Path;

use super::tar;
use super::{Content, Files};
use crate::archive::codec::Codec;
use crate::config::ArchiveFormat;
use crate::name::WheelPath;
use crate::sys::{self, Host};
use crate::wheel::stream::{self, Gzip, Stream, Zstd};
use crate::wheel::{Chunks, Compression, Entry, EntryTime, Error, MadeFile, Options};

/// Options of writing a package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<'a> {
    /// Format.
    pub(crate) format: ArchiveFormat,
    /// Directory in the archive that contains everything; empty for none.
    pub(crate) top: &'a str,
    /// File that comes first.
    pub(crate) first: Option<&'a WheelPath>,
    /// Time of every file, in seconds since 1970.
    pub(crate) epoch: u64,
    /// Compression level.
    pub(crate) compression: Compression,
    /// True if the user's cache of compressed pieces is used.
    pub(crate) cache: bool,
}

/// Writes `files` to a temporary file beside `path` and moves it there. An existing file with the
/// same bytes is not touched.
///
/// # Errors
/// Returns an error if a file cannot be read or changes meanwhile, or if the archive cannot be
/// written.
pub(crate) fn write(
    files: &Files,
    path: &Path,
    writing: Writing<'_>,
    host: &Host,
) -> Result<MadeFile, Error> {
    let cache = if writing.cache { Chunks::of_user(&host.env) } else { None };
    let options = Options {
        compression: writing.compression,
        time: EntryTime::from_epoch(i64::try_from(writing.epoch).unwrap_or(i64::MAX)),
        threads: host.jobs.count(),
        cache: cache.as_ref(),
        ..Options::default()
    };
    let mut unfinished = sys::fs::Unfinished::create(path).map_err(Error::Write)?;
    let cancel = &host.cancel;
    if writing.format == ArchiveFormat::Zip {
        let entries: Vec<Entry> = files
            .iter()
            .filter_map(|(path, file)| zip_entry(writing.top, path, file).transpose())
            .collect::<Result<_, _>>()?;
        stream::zip(&entries, unfinished.file(), &options, cancel)?;
    } else {
        let out = std::io::BufWriter::with_capacity(1 << 16, unfinished.file());
        let mut stream: Box<dyn Stream + '_> = if writing.format == ArchiveFormat::TarGz {
            Box::new(Gzip::new(out, &options, cancel)?)
        } else {
            Box::new(Zstd::new(out, &options, cancel)?)
        };
        tar::parts(files, writing.first, writing.top, writing.epoch, &mut |parts| {
            stream.add(parts)
        })?;
        stream.finish()?;
    }
    judge(unfinished.path(), path, writing.format)?;
    let (sha256, size_bytes) = sys::fs::digest(unfinished.path()).map_err(Error::Write)?;
    let is_there = sys::fs::digest(path).is_ok_and(|old| old == (sha256, size_bytes));
    if !is_there {
        unfinished.finish().map_err(Error::Write)?;
    }
    Ok(MadeFile { path: path.to_owned(), size_bytes, sha256 })
}

/// Returns the entry of a zip archive; `None` for a link, which zip archives do not have.
fn zip_entry(
    top: &str,
    path: &WheelPath,
    file: &super::PackageFile,
) -> Result<Option<Entry>, Error> {
    let Content::Bytes(source) = &file.content else { return Ok(None) };
    let name = if top.is_empty() { path.to_string() } else { format!("{top}/{path}") };
    let path = name.parse().map_err(|error: crate::name::ParseError| Error::Path {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    Ok(Some(Entry { path, executable: file.executable, source: source.clone() }))
}

/// Compares the first bytes of a written file with the extension of its name.
fn judge(written: &Path, path: &Path, format: ArchiveFormat) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // npm's extension for `.tar.gz`.
    let by_name = ArchiveFormat::of_name(&name)
        .or_else(|| name.ends_with(".tgz").then_some(ArchiveFormat::TarGz));
    let mut first = [0; 8];
    let file = sys::fs::open(written).map_err(Error::Write)?;
    let n = sys::fs::read_at(&file, &mut first, 0).map_err(Error::Write)?;
    let by_bytes = match Codec::of(&first[..n]) {
        Some(Codec::Gzip) => Some(ArchiveFormat::TarGz),
        Some(Codec::Zstd) => Some(ArchiveFormat::TarZst),
        _ if first.starts_with(b"PK") => Some(ArchiveFormat::Zip),
        _ => None,
    };
    if by_name == Some(format) && by_bytes == by_name {
        return Ok(());
    }
    let message = format!("`{name}` does not have the extension of its content, {format}");
    Err(Error::Write(std::io::Error::other(message)))
}
