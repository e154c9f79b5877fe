//! Copies libraries into a wheel that is being built, with the same plan as a repair.

use std::collections::BTreeMap;

use super::change::{ChangeOptions, change};
use super::{Error, LibraryDirs, Options, RepairPlan, plan, sbom};
use crate::audit::{NativeFile, Requirement};
use crate::name::{WheelFilename, WheelPath};
use crate::wheel::Entry;

/// Libraries that were copied into a wheel.
#[derive(Debug, Clone, Default)]
pub struct BundleResult {
    /// Changes. If a library is missing, none of them was made.
    pub plan: RepairPlan,
    /// File name and text of the list of grafted libraries; `None` if there are none.
    pub sbom: Option<(&'static str, Vec<u8>)>,
}

/// Copies the libraries that `files` require for `wanted` into `entries`, and changes the files so
/// that they find them. `files` are the native files of `entries`; the tags of `filename` are
/// ignored.
///
/// # Errors
/// Returns an error if a library cannot be read or a file cannot be changed. Discard `entries`
/// then.
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
