//! Files inside files: native files embedded in a program, and archives inside archives.
//!
//! A native file at byte 0x1f00 of `pkg/tool` is named `pkg/tool@0x1f00`, one inside that
//! `pkg/tool@0x1f00@0x40`; a member of an archive is named `pkg/data.zip/lib/x.so`.

use std::io::Write as _;

use super::inner;
use super::scan::{Found, Magic};
use super::{Collected, Context, look};
use crate::archive::blob::Blob;
use crate::archive::error::MemberError;
use crate::archive::members::Location;
use crate::archive::open::{self, Container};
use crate::archive::source::{Buffers, Source};
use crate::binary::Format;
use crate::finding::{Code, Finding};
use crate::name::WheelPath;
use crate::sys;

/// A member that may contain other files, readable at any offset.
pub(super) struct Host {
    blob: Blob,
    found: Found,
}

impl Found {
    /// Returns the member together with the hits of the scan; `None` if the scan found nothing to
    /// inspect. The content of a deflated member goes to an unnamed temporary file.
    pub(super) fn within(self, source: &mut Source<'_>) -> Result<Option<Host>, MemberError> {
        if !self.has_more() {
            return Ok(None);
        }
        let blob = if let Some(blob) = source.stored_blob() {
            blob
        } else {
            let mut file = sys::fs::nameless()?;
            let mut written = Ok(());
            source.visit(&(0..source.size()), &mut |part| {
                if written.is_ok() {
                    written = file.write_all(part);
                }
            })?;
            written?;
            Blob::new(file)?
        };
        Ok(Some(Host { blob, found: self }))
    }
}

/// Inspects the files inside `host`, whose path is `path`.
pub(super) fn inside(
    context: &Context<'_>,
    buffers: &mut Buffers,
    path: &WheelPath,
    host: &Host,
    depth: u32,
    seen: &mut Collected,
) {
    let Host { blob, found } = host;
    let is_too_deep = depth >= context.limits.depth;
    let too_deep = || {
        let message = format!("it is nested {depth} files deep and may contain more");
        Finding::new(Code::OverLimit, path, message)
    };
    if let Some(container) = found.container() {
        if is_too_deep {
            return seen.findings.push(too_deep());
        }
        let name = path.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let before = seen.files.len();
        match contained(context, buffers, (path, Some(stem)), blob, container, depth, seen) {
            Ok(_) => {
                let count = seen.files.len() - before;
                seen.findings.extend(container_finding(path, container, count));
                return;
            }
            // A file that begins like an archive and is not one may still contain native files.
            Err(trouble @ MemberError::OverLimit(_)) => {
                return seen.findings.push(trouble.finding(path));
            }
            Err(_) => {}
        }
    }
    if found.has_too_many {
        let message = "it contains more bytes that look like native files than any real file";
        seen.findings.push(Finding::new(Code::OverLimit, path, message));
    }
    let slices = inner::slices(blob);
    let mut images = Vec::new();
    let mut end = 0;
    for (start, magic) in in_order(blob, &found.hits) {
        if start < end || context.cancel.is_cancelled() {
            continue;
        }
        let Some(inner) = inner::find(blob, magic.0, magic.1) else { continue };
        // The file itself, and the slices of a universal file.
        if inner.container.is_none() && (inner.start == 0 || slices.contains(&inner.start)) {
            continue;
        }
        if is_too_deep {
            seen.findings.push(too_deep());
            break;
        }
        let Ok(place) = format!("{path}@{:#x}", inner.start).parse::<WheelPath>() else { continue };
        let Some(part) = blob.part(inner.start, inner.size) else { continue };
        end = inner.start + inner.size;
        if let Some(container) = inner.container {
            let before = seen.files.len();
            let size = contained(context, buffers, (&place, None), &part, container, depth, seen);
            // Findings about a false container are dropped.
            let Ok(size) = size else {
                end = inner.start + 1;
                continue;
            };
            end = inner.start + size;
            seen.findings.extend(container_finding(&place, container, seen.files.len() - before));
        } else {
            images.push(format!("{place}: {} of {} bytes", what(&part), inner.size));
            look(context, buffers, &place, &Location::Stored(part), depth + 1, seen);
        }
    }
    seen.findings.extend(image_finding(path, images));
}

/// Sorts the hits by the offset at which their files begin.
fn in_order(blob: &Blob, hits: &[(u64, Magic)]) -> Vec<(u64, (u64, Magic))> {
    let start = |hit: &(u64, Magic)| match hit.1 {
        // These kinds are recognized at an offset after the beginning of their file.
        Magic::ZipEnd | Magic::Pe => inner::find(blob, hit.0, hit.1).map(|inner| inner.start),
        Magic::Tar => hit.0.checked_sub(257),
        _ => Some(hit.0),
    };
    let mut starts: Vec<_> = hits.iter().filter_map(|hit| Some((start(hit)?, *hit))).collect();
    starts.sort_unstable();
    starts
}

/// Inspects the members of the container `blob` and returns its size in bytes. `name` is the path
/// of the container, and also the name of the content of a single compressed stream.
fn contained(
    context: &Context<'_>,
    buffers: &mut Buffers,
    name: (&WheelPath, Option<&str>),
    blob: &Blob,
    container: Container,
    depth: u32,
    seen: &mut Collected,
) -> Result<u64, MemberError> {
    let (path, stem) = name;
    let (container, blob, size) = match container {
        Container::Gzip => {
            let (unpacked, size) = open::gunzip(blob, context.limits, context.cancel)?;
            let first = unpacked.first(open::TELLING)?;
            if Container::of(&first) != Some(Container::Tar) {
                let place = stem.map_or(Ok(path.clone()), |stem| path.join(stem));
                let place = place.map_err(|e| MemberError::unreadable(e.to_string()))?;
                look(context, buffers, &place, &Location::Stored(unpacked), depth + 1, seen);
                return Ok(size);
            }
            (Container::Tar, unpacked, size)
        }
        container => (container, blob.clone(), blob.size()),
    };
    let members = open::list(container, &blob, context.limits, context.cancel)
        .map_err(MemberError::Unreadable)?;
    for mut finding in members.findings {
        finding.file = match finding.file {
            Some(inner) => path.join(inner.as_str()).ok(),
            None => Some(path.clone()),
        };
        seen.findings.push(finding);
    }
    for (inner, place) in members.list.iter().zip(&members.locations) {
        if let Ok(inner) = path.join(inner.path.as_str()) {
            look(context, buffers, &inner, place, depth + 1, seen);
        }
    }
    Ok(size)
}

fn container_finding(path: &WheelPath, container: Container, count: usize) -> Option<Finding> {
    let files = match count {
        0 => return None,
        1 => "a native file".to_owned(),
        count => format!("{count} native files"),
    };
    let message = format!("it is a {} that contains {files}", container.name());
    Some(Finding::new(Code::EmbeddedImage, path, message))
}

fn image_finding(path: &WheelPath, images: Vec<String>) -> Option<Finding> {
    let message = match images.len() {
        0 => return None,
        1 => "it contains an embedded native file".to_owned(),
        count => format!("it contains {count} embedded native files"),
    };
    Some(Finding::new(Code::EmbeddedImage, path, message).because(images))
}

fn what(image: &Blob) -> &'static str {
    match image.first(4096).ok().and_then(|first| Format::read(&first)) {
        Some(Format::Elf) => "an ELF file",
        Some(Format::MachO) => "a Mach-O file",
        Some(Format::Pe) => "a Windows file",
        _ => "a static library",
    }
}
