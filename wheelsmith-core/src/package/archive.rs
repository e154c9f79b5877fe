//! Content of archives of programs and libraries.

use std::path::PathBuf;

use super::{Files, Links, Problem, Selection, select};
use crate::config::{Archive, ArchiveFormat, Role};
use crate::runtime::{FileEntry, Manifest};

/// Roles of the files that an archive contains without `files`.
const ROLES: [Role; 3] = [Role::Executable, Role::SharedLibrary, Role::Data];

/// Returns the files of the runtime that `archive` contains, in the given format.
///
/// # Errors
/// Returns a problem if nothing is selected.
pub(crate) fn content(
    archive: &Archive,
    format: ArchiveFormat,
    manifest: &Manifest,
    place: &dyn Fn(&FileEntry) -> PathBuf,
) -> Result<Files, Problem> {
    let links = if format == ArchiveFormat::Zip { Links::Collapse } else { Links::Keep };
    let selection = Selection {
        components: archive.components.as_deref(),
        patterns: archive.files.as_deref(),
        roles: &ROLES,
        links,
    };
    select(manifest, selection, place)
}
