//! Judges an archive of programs and libraries that people unpack themselves.

use std::collections::BTreeSet;
use std::io;

use super::super::Options;
use super::super::findings::Findings;
use super::{EntryKind, Package};
use crate::archive::Blob;
use crate::finding::{Code, Severity};
use crate::sys::Cancel;

/// Judges the file.
pub(in super::super) fn check(
    filename: &str,
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
    out: &mut Findings,
) -> io::Result<()> {
    let Some(package) = Package::read(filename, blob, options, cancel, out)? else { return Ok(()) };
    let files = package.files().filter(|entry| entry.kind == EntryKind::File).count();
    if files == 0 {
        out.whole(Code::EmptyArchive, "it contains no file");
    } else if package.tops.len() > 1 {
        let message = format!("{} entries are at its top", package.tops.len());
        out.whole_as(Severity::Warning, Code::PackageTop, message);
    }
    package.follow_links(cancel, out)?;
    let native = package.native(out)?;
    package.programs(&native, &BTreeSet::new(), out);
    package.modes("", out);
    Ok(())
}
