//! Collects the native files of an archive, directory or file. Of a large file, only the parts that
//! a loader reads are read.

mod embedded;
mod inner;
mod scan;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::scan::Scan;
#[cfg(feature = "wheel")]
use crate::archive::PackedContent;
use crate::archive::blob::Blob;
use crate::archive::error::MemberError;
use crate::archive::members::Location;
use crate::archive::source::{Buffers, Source};
use crate::archive::{Artifact, Error, Limits, pieces};
use crate::binary::macho::MachO;
use crate::binary::{Format, NativeFile, Pieces};
use crate::finding::{Code, Finding};
use crate::name::WheelPath;
use crate::sys::{Cancel, Host};

/// Collects the native files of `artifact` by path, and the findings about its members and itself.
/// Both are the same for any number of jobs. With `deep`, everything is unpacked, and native files
/// inside other files and paths of the build machine are reported too.
///
/// The calling thread takes part in the work and counts as one job: a caller that audits several
/// artifacts in parallel holds a token of `host.jobs` for each. Helper threads take free tokens.
///
/// # Errors
/// Returns an error if the user cancels the run.
pub fn native_files(
    artifact: &Artifact,
    deep: bool,
    host: &Host,
) -> Result<(Vec<NativeFile>, Vec<Finding>), Error> {
    let (members, limits) = (&artifact.members, &artifact.limits);
    let context = Context { deep, limits, cancel: &host.cancel };
    // The largest first, so that a long job does not start last.
    let mut order: Vec<usize> = (0..members.list.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(members.list[at].size_bytes), at));
    let count = AtomicUsize::new(0);
    let seen = host.jobs.map_held(&host.cancel, order.len(), Buffers::new, |buffers, at| {
        let (member, place) = (&members.list[order[at]], &members.locations[order[at]]);
        let inner_bytes = member.size_bytes.max(limits.ratio_from_bytes);
        let left_bytes = inner_bytes.saturating_mul(INNER_RATIO).min(limits.total_bytes);
        let mut seen = Collected { left_bytes, ..Collected::default() };
        if count.load(Ordering::Relaxed) <= limits.native_files {
            look(&context, buffers, &member.path, place, 0, &mut seen);
            count.fetch_add(seen.files.len(), Ordering::Relaxed);
            let own = seen.files.iter_mut().find(|file| file.path == member.path);
            if let Some(file) = own {
                file.link.clone_from(&member.link);
            }
        }
        // Most members of a large archive have no results.
        (!seen.files.is_empty() || !seen.findings.is_empty()).then(|| Box::new(seen))
    });
    if host.cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let mut files = Vec::new();
    let mut findings = members.findings.clone();
    if count.into_inner() > limits.native_files {
        // The set of files that were read depends on thread timing, so none of them is reported.
        let message = format!("it has more than {} native files", limits.native_files);
        findings.push(Finding::whole(Code::OverLimit, message));
        return Ok((files, findings));
    }
    for one in seen {
        let Some(mut one) = one.ok_or(Error::Cancelled)? else { continue };
        files.append(&mut one.files);
        findings.append(&mut one.findings);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    findings.sort();
    findings.dedup();
    Ok((files, findings))
}

/// Reads the facts of one member; `None` if it is not a native file.
///
/// # Errors
/// Returns an error if the member does not exist, or if it cannot be read up to the end of its
/// facts.
pub fn native_member(
    artifact: &Artifact,
    path: &WheelPath,
    host: &Host,
) -> Result<Option<NativeFile>, Error> {
    let at = artifact.at(path)?;
    let context = Context { deep: false, limits: &artifact.limits, cancel: &host.cancel };
    let mut seen = Collected::default();
    look(&context, &mut Buffers::new(), path, &artifact.members.locations[at], 0, &mut seen);
    match (seen.files.pop(), seen.findings.pop()) {
        (file, None) => Ok(file),
        (_, Some(finding)) => Err(Error::Member {
            path: artifact.path.clone(),
            member: path.clone(),
            why: finding.message,
        }),
    }
}

/// Reads the facts of the file at `file` under the name `path`; `None` if it is not a native file.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn native_file(
    path: &WheelPath,
    file: &Path,
    limits: &Limits,
) -> std::io::Result<Option<NativeFile>> {
    let blob = Blob::new(crate::sys::fs::open(file)?)?;
    native_source(path, Source::stored(&mut Buffers::new(), blob), limits)
}

/// Reads the facts of an archive entry under the name `path`; `None` if it is not a native file.
#[cfg(feature = "wheel")]
pub(crate) fn native_packed(
    path: &WheelPath,
    content: &PackedContent,
    limits: &Limits,
) -> std::io::Result<Option<NativeFile>> {
    let mut buffers = Buffers::new();
    native_source(path, content.open(&mut buffers).map_err(MemberError::into_io)?, limits)
}

/// Reads the facts of a member at `location` under the name `path`; `None` if it is not a native
/// file.
#[cfg(feature = "check-packages")]
pub(crate) fn native_located(
    path: &WheelPath,
    location: &Location,
    limits: &Limits,
) -> std::io::Result<Option<NativeFile>> {
    let mut buffers = Buffers::new();
    native_source(path, location.open(&mut buffers).map_err(MemberError::into_io)?, limits)
}

fn native_source(
    path: &WheelPath,
    mut source: Source<'_>,
    limits: &Limits,
) -> std::io::Result<Option<NativeFile>> {
    let to_io = |trouble: MemberError| std::io::Error::other(trouble.into_text());
    let (first, trouble) = pieces::first(&mut source);
    if let Some(trouble) = trouble {
        return Err(to_io(trouble));
    }
    if !may_be_native(&first) {
        return Ok(None);
    }
    let reader = |pieces: &Pieces| NativeFile::read(path, pieces);
    match pieces::drive(&mut source, first, limits, reader) {
        (_, Some(trouble @ (MemberError::Unreadable(_) | MemberError::Io(_)))) => {
            Err(to_io(trouble))
        }
        // A file that exceeds a limit is read up to the limit, and the excess is reported as a
        // finding.
        (mut file, _) => {
            if let Some(macho) = file.as_mut().and_then(NativeFile::macho_mut) {
                compare_pages(&mut source, macho).map_err(to_io)?;
            }
            Ok(file)
        }
    }
}

/// Results for one member and the files inside it.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) files: Vec<NativeFile>,
    pub(super) findings: Vec<Finding>,
    /// Number of bytes of inner files that may still be read.
    left_bytes: u64,
}

/// Maximum size of the unpacked content of a member relative to the size of the member.
const INNER_RATIO: u64 = 64;

/// Settings that are the same for all members.
pub(super) struct Context<'c> {
    pub(super) deep: bool,
    pub(super) limits: &'c Limits,
    pub(super) cancel: &'c Cancel,
}

/// Inspects one member, and in deep mode the files inside it.
pub(super) fn look(
    context: &Context<'_>,
    buffers: &mut Buffers,
    path: &WheelPath,
    place: &Location,
    depth: u32,
    seen: &mut Collected,
) {
    if matches!(place, Location::Refused) || context.cancel.is_cancelled() {
        return;
    }
    let looked = place.open(buffers).and_then(|mut source| {
        let format = native(context, &mut source, path, seen)?;
        // A static library consists of objects, so they are not reported.
        if !context.deep || format == Some(Format::Archive) {
            return Ok(None);
        }
        let mut scan = Scan::new(format.is_some());
        let size = source.size();
        if depth > 0 {
            let left = seen.left_bytes.checked_sub(size);
            let more = "the content of this member has more bytes than any real one";
            seen.left_bytes = left.ok_or_else(|| MemberError::OverLimit(more.into()))?;
        }
        source.visit(&(0..size), &mut |part| scan.take(part))?;
        let found = scan.finish();
        seen.findings.extend(found.build_paths(path));
        found.within(&mut source)
    });
    let found = match looked {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(trouble) => return seen.findings.push(trouble.finding(path)),
    };
    embedded::inside(context, buffers, path, &found, depth, seen);
}

/// Reads the facts of the file itself and returns its format if it is native.
fn native(
    context: &Context<'_>,
    source: &mut Source<'_>,
    path: &WheelPath,
    seen: &mut Collected,
) -> Result<Option<Format>, MemberError> {
    let (first, trouble) = pieces::first(source);
    if !may_be_native(&first) {
        return trouble.map_or(Ok(None), Err);
    }
    let (file, trouble) = if trouble.is_some() {
        // The reader treats the end of these bytes as the end of the file.
        (NativeFile::read(path, &first), trouble)
    } else {
        let reader = |pieces: &Pieces| NativeFile::read(path, pieces);
        let (mut file, trouble) = pieces::drive(source, first, context.limits, reader);
        if let Some(macho) = file.as_mut().and_then(NativeFile::macho_mut) {
            let uncompared = compare_pages(source, macho).err();
            (file, trouble.or(uncompared))
        } else {
            (file, trouble)
        }
    };
    seen.findings.extend(trouble.map(|trouble| trouble.finding(path)));
    let format = file.as_ref().map(NativeFile::format);
    seen.files.extend(file);
    Ok(format)
}

/// Compares the pages with their signatures while streaming the bytes, without storing them.
pub(super) fn compare_pages(source: &mut Source<'_>, macho: &mut MachO) -> Result<(), MemberError> {
    for mut check in macho.page_checks() {
        source.visit(&check.range(), &mut |part| check.update(part))?;
        macho.set_pages(check.slice(), check.finish());
    }
    Ok(())
}

/// True if a file with these first bytes may be native.
pub(crate) fn may_be_native(first: &[u8]) -> bool {
    // The DOS header gives the offset of the PE header, which may be beyond these bytes.
    Format::of(first).is_some() || first.starts_with(b"MZ")
}
