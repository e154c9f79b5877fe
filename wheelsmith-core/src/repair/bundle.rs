//! Libraries for a wheel that is being built: the same plan, before there is an archive.

use std::collections::BTreeMap;

use super::change::{ChangeOptions, change};
use super::{Error, LibraryDirs, Options, RepairPlan, plan, sbom};
use crate::audit::{NativeFile, Requirement};
use crate::name::{WheelFilename, WheelPath};
use crate::wheel::Entry;

/// The libraries that were put into a wheel.
#[derive(Debug, Clone, Default)]
pub struct BundleResult {
    /// The changes. With anything missing, none was made.
    pub plan: RepairPlan,
    /// File name and text of the list of grafted libraries; `None` if there are none.
    pub sbom: Option<(&'static str, Vec<u8>)>,
}

/// Puts the libraries that `files` need for `wanted` into `entries`, and changes the files so that
/// they find them. `files` are the native ones of `entries`; the tags of `filename` do not matter.
///
/// # Errors
/// Returns an error if a library cannot be read or a file cannot be changed; `entries` are of no
/// use then.
pub fn bundle(
    entries: &mut BTreeMap<WheelPath, Entry>,
    filename: &WheelFilename,
    files: &[NativeFile],
    wanted: &Requirement,
    search: &LibraryDirs,
    options: &Options,
) -> Result<BundleResult, Error> {
    let paths = entries.keys().cloned().collect();
    let wanted = std::slice::from_ref(wanted);
    let plan = plan(filename, &paths, files, wanted, search, options);
    if !plan.missing.is_empty() {
        return Ok(BundleResult { plan, sbom: None });
    }
    change(entries, &filename.name, &plan, files, &ChangeOptions::default())?;
    let sbom = (!plan.grafts.is_empty())
        .then(|| (sbom::FILE, sbom::render(filename, &plan.grafts, &options.origins)));
    Ok(BundleResult { plan, sbom })
}
