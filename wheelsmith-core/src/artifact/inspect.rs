//! What the native files of an artifact say of themselves.

use super::error::Trouble;
use super::members::{Members, Place};
use super::scan::Scan;
use super::source::{Buffers, Source};
use super::{Error, Inspect, Limits, embedded, pieces, work};
use crate::audit::NativeFile;
use crate::binary::{Format, Pieces};
use crate::finding::{Code, Finding};
use crate::name::WheelPath;
use crate::sys::{Cancel, Host};

/// What was seen in one member and in what lies inside it.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) files: Vec<NativeFile>,
    pub(super) findings: Vec<Finding>,
}

/// What holds for all members.
pub(super) struct Context<'c> {
    pub(super) inspect: Inspect,
    pub(super) limits: &'c Limits,
    pub(super) cancel: &'c Cancel,
}

pub(super) fn native_files(
    members: &Members,
    inspect: Inspect,
    limits: &Limits,
    host: &Host,
) -> Result<(Vec<NativeFile>, Vec<Finding>), Error> {
    let context = Context { inspect, limits, cancel: &host.cancel };
    // The largest first, so that none is begun when all else is done.
    let mut order: Vec<usize> = (0..members.list.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(members.list[at].size_bytes), at));
    let seen = work::each(order.len(), host, |buffers, at| {
        let at = order[at];
        let mut seen = Seen::default();
        member(&context, buffers, &members.list[at].path, &members.places[at], 0, &mut seen);
        seen
    })?;
    let mut files = Vec::new();
    let mut findings = members.findings.clone();
    for mut one in seen {
        files.append(&mut one.files);
        findings.append(&mut one.findings);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if files.len() > limits.native_files {
        let message = format!("it has {} native files, more than any wheel", files.len());
        findings.push(Finding::whole(Code::OverLimit, message));
        files.truncate(limits.native_files);
    }
    findings.sort();
    findings.dedup();
    Ok((files, findings))
}

/// Looks at one member, and in deep mode at what lies inside it.
pub(super) fn member(
    context: &Context<'_>,
    buffers: &mut Buffers,
    path: &WheelPath,
    place: &Place,
    depth: u32,
    seen: &mut Seen,
) {
    if matches!(place, Place::Refused) || context.cancel.is_cancelled() {
        return;
    }
    let looked = place.open(buffers).and_then(|mut source| {
        let is_native = native(context, &mut source, path, seen)?;
        if !context.inspect.deep {
            return Ok(None);
        }
        let mut scan = Scan::new(is_native);
        let size = source.size();
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

/// Looks at the file itself; says whether it is native.
fn native(
    context: &Context<'_>,
    source: &mut Source<'_>,
    path: &WheelPath,
    seen: &mut Seen,
) -> Result<bool, Trouble> {
    let first = pieces::first(source)?;
    if !may_be_native(&first) {
        return Ok(false);
    }
    let reader = |pieces: &Pieces| NativeFile::read(path, pieces);
    let (file, trouble) = pieces::drive(source, first, context.limits, reader);
    seen.findings.extend(trouble.map(|trouble| trouble.finding(path)));
    let is_native = file.is_some();
    seen.files.extend(file);
    Ok(is_native)
}

/// Whether a file that begins so is worth a closer look.
pub(super) fn may_be_native(first: &[u8]) -> bool {
    // The header of a Windows file lies where an older one says, maybe beyond these bytes.
    Format::of(first).is_some() || first.starts_with(b"MZ")
}
