//! Determines the kind of an input and lists its members.

use std::io::{self, Read, Write as _};
use std::path::Path;

use super::blob::Blob;
use super::codec::Codec;
use super::content::PackedContent;
use super::error::{Error, MemberError};
use super::gzip::Gzip;
use super::members::{Collector, Location, Member, Members, Stated};
use super::source::{Buffers, Source};
use super::zip::{self, Unreadable, Zip};
use super::{Limits, dir, tar};
use crate::name::RUNTIME_MANIFEST;
use crate::sys::{self, Cancel};

/// Kind of an opened input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InputKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `.whl` file.
    Wheel,
    /// Other zip or tar archive.
    Archive,
    /// Directory with a runtime manifest.
    Runtime,
    /// Other directory.
    Directory,
    /// Single file.
    File,
}

/// File that contains files, recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Zip,
    Tar,
    Gzip,
}

/// Number of first bytes that identify a container.
pub(crate) const TELLING: usize = 512;

/// First bytes of an archive format that is recognised and not supported.
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf";

impl Container {
    pub(crate) fn of(first: &[u8]) -> Option<Self> {
        match first {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            _ if first.get(257..262) == Some(b"ustar") && tar::is_header(first) => Some(Self::Tar),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip archive",
            Self::Tar => "tar archive",
            Self::Gzip => "gzip file",
        }
    }
}

pub(crate) fn open(
    path: &Path,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<(Kind, Members), Error> {
    let read = |e| Error::read(path, e);
    if sys::fs::metadata(path).map_err(read)?.is_dir() {
        let mut collector = Collector::new(limits);
        dir::list(path, limits, &mut collector)?;
        let is_runtime = sys::fs::metadata(path.join(RUNTIME_MANIFEST)).is_ok_and(|m| m.is_file());
        let kind = if is_runtime { Kind::Runtime } else { Kind::Directory };
        return Ok((kind, collector.finish()));
    }
    let blob = Blob::new(sys::fs::open(path).map_err(read)?).map_err(read)?;
    let first = blob.first(TELLING).map_err(read)?;
    let is_wheel = dir::has_wheel_name(path);
    let mut container = Container::of(&first);
    if is_wheel && container != Some(Container::Zip) {
        // pip installs a wheel that has other bytes before the archive.
        if !zip::Directory::is_at_end(&blob) {
            return Err(Error::archive(path, "wheel", "it is not a zip archive"));
        }
        container = Some(Container::Zip);
    }
    if first.starts_with(SEVEN_ZIP) {
        let why = "it is packed with 7z: unpack it, and name what is in it";
        return Err(Error::archive(path, "archive", why));
    }
    let kind = if is_wheel { Kind::Wheel } else { Kind::Archive };
    let codec = Codec::of(&first).filter(|_| !is_wheel);
    let what = match (container, codec) {
        _ if is_wheel => "wheel",
        (Some(container), _) => container.name(),
        (None, Some(codec)) => codec.name(),
        (None, None) => return Ok((Kind::File, single(path, path.file_name(), blob, limits))),
    };
    let error = |why| Error::archive(path, what, why);
    if let Some(container) = container.filter(|container| *container != Container::Gzip) {
        return Ok((kind, list(container, &blob, limits, cancel).map_err(error)?));
    }
    let unpacked = unpack(codec.unwrap_or(Codec::Gzip), &blob, limits, cancel);
    let (unpacked, packed) = unpacked.map_err(|trouble| error(trouble.into_text()))?;
    if packed < blob.size() && !cancel.is_cancelled() {
        return Err(error("there are bytes behind its first stream".to_owned()));
    }
    if cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let first = unpacked.first(TELLING).map_err(read)?;
    if Container::of(&first) == Some(Container::Tar) || tar::is_header(&first) {
        return Ok((kind, list(Container::Tar, &unpacked, limits, cancel).map_err(error)?));
    }
    Ok((Kind::File, single(path, path.file_stem(), unpacked, limits)))
}

/// Returns a file as its own only member.
fn single(path: &Path, name: Option<&std::ffi::OsStr>, blob: Blob, limits: &Limits) -> Members {
    let mut collector = Collector::new(limits);
    let executable = sys::fs::is_executable(path).unwrap_or(false);
    let (size_bytes, packed_bytes) = (blob.size(), blob.size());
    let name = name.unwrap_or_default().as_encoded_bytes();
    let stated = Stated { name, size_bytes, packed_bytes, executable, link: None };
    collector.add(&stated, Location::Stored(blob));
    collector.finish()
}

/// Lists the members of an archive that is not compressed as a whole.
pub(crate) fn list(
    container: Container,
    blob: &Blob,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Members, String> {
    let mut collector = Collector::new(limits);
    match container {
        Container::Zip => list_zip(blob, limits, cancel, &mut collector)?,
        Container::Tar => tar::list(blob, limits, &mut collector)?,
        Container::Gzip => return Err("it holds one stream, and no members".into()),
    }
    Ok(collector.finish())
}

/// Adds the files of a zip archive to `collector`.
fn list_zip(
    blob: &Blob,
    limits: &Limits,
    cancel: &Cancel,
    collector: &mut Collector<'_>,
) -> Result<(), String> {
    let Zip { entries, refusals, .. } =
        Zip::open(blob, limits, cancel).map_err(Unreadable::into_text)?;
    for finding in refusals {
        collector.note(finding);
    }
    for entry in entries {
        if entry.is_dir() {
            continue;
        }
        let header = entry.header;
        let packed = PackedContent::of(blob, &entry).filter(|_| !header.is_encrypted());
        // If the content is not found, a refusal states the reason.
        let location = packed.map_or(Location::Refused, Location::Packed);
        let (executable, size_bytes) = (entry.is_executable(), header.size_bytes);
        let member = Member { path: entry.path, size_bytes, executable, link: None };
        if !collector.add_member(member, header.packed_bytes, location) {
            break;
        }
    }
    Ok(())
}

/// Unpacks a file that is compressed as a whole to a file without a name. Returns the unpacked bytes
/// and the number of packed bytes, which is smaller than the file if bytes follow the first stream of
/// a gzip file.
pub(crate) fn unpack(
    codec: Codec,
    blob: &Blob,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<(Blob, u64), MemberError> {
    if codec == Codec::Gzip {
        return gunzip(blob, limits, cancel);
    }
    let mut file = sys::fs::nameless()?;
    let mut reader = codec.unpack(blob.reader(), limits);
    let mut buffer = vec![0; 128 << 10];
    while !cancel.is_cancelled() {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => file.write_all(&buffer[..n])?,
            Err(e) if e.kind() == io::ErrorKind::FileTooLarge => {
                return Err(MemberError::OverLimit(e.to_string()));
            }
            Err(e) => return Err(MemberError::unreadable(e.to_string())),
        }
    }
    Ok((Blob::new(file)?, blob.size()))
}

/// Unpacks a gzip file to a file without a name. Returns the unpacked bytes and the number of
/// packed bytes.
pub(crate) fn gunzip(
    blob: &Blob,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<(Blob, u64), MemberError> {
    let mut file = sys::fs::nameless()?;
    let mut reader = Gzip::new(blob);
    let mut buffer = vec![0; 128 << 10];
    let mut size = 0_u64;
    loop {
        let n = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) => {
                return Err(MemberError::unreadable(format!("after {size} unpacked bytes: {e}")));
            }
        };
        size += n as u64;
        let packed = reader.packed_bytes().max(1);
        if size > limits.member_bytes
            || (size > limits.ratio_from_bytes && size / packed > limits.ratio)
        {
            return Err(MemberError::OverLimit(format!(
                "it has more than {} MiB when unpacked, of {packed} packed bytes",
                size >> 20
            )));
        }
        if cancel.is_cancelled() {
            break;
        }
        file.write_all(&buffer[..n])?;
    }
    Ok((Blob::new(file)?, reader.packed_bytes()))
}

/// Returns the first unpacked bytes of the gzip stream that begins `blob`.
pub(crate) fn gzip_first_bytes(blob: &Blob) -> Vec<u8> {
    let mut first = Vec::new();
    // An error after the first bytes is reported later.
    let _ = Gzip::new(blob).take(TELLING as u64).read_to_end(&mut first);
    first
}

impl Location {
    /// Opens the bytes of the member, to be read range by range.
    pub(crate) fn open<'w>(&self, buffers: &'w mut Buffers) -> Result<Source<'w>, MemberError> {
        match self {
            Self::File(path) => Ok(Source::stored(buffers, Blob::new(sys::fs::open(path)?)?)),
            Self::Stored(blob) => Ok(Source::stored(buffers, blob.clone())),
            Self::Packed(content) => content.open(buffers),
            Self::Refused => Err(MemberError::OverLimit("it was left alone".into())),
        }
    }
}
