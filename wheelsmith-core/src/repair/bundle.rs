//! Libraries for a wheel that is being made: the same plan, before there is an archive.

use std::collections::BTreeMap;

use super::{Error, LibraryDirs, Options, RepairPlan, apply, plan, sbom};
use crate::audit::{NativeFile, Requirement};
use crate::name::{WheelFilename, WheelPath};
use crate::wheel::Entry;

/// What was put into a wheel in the making.
#[derive(Debug, Clone, Default)]
pub struct BundleResult {
    /// What was decided. With anything missing, nothing was done.
    pub plan: RepairPlan,
    /// The name and the text of the list of grafted libraries; nothing when there are none.
    pub sbom: Option<(&'static str, Vec<u8>)>,
}

/// Puts the libraries that `files` need for `wanted` into `entries`, and changes the files so that
/// they find them. `files` are the native ones of `entries`; the tags of `filename` do not matter.
///
/// # Errors
/// When a library cannot be read or a file cannot be changed; `entries` are of no use then.
pub fn bundle(
    entries: &mut BTreeMap<WheelPath, Entry>,
    filename: &WheelFilename,
    files: &[NativeFile],
    wanted: &Requirement,
    roots: &LibraryDirs,
    options: &Options,
) -> Result<BundleResult, Error> {
    let mut plan = plan(filename, files, wanted, roots, options);
    for (path, hook) in &mut plan.hooks {
        hook.is_new = !entries.contains_key(path);
    }
    if !plan.missing.is_empty() {
        return Ok(BundleResult { plan, sbom: None });
    }
    apply::change(entries, &filename.name, &plan, files, &apply::ChangeOptions::default())?;
    let sbom = (!plan.grafts.is_empty())
        .then(|| (sbom::FILE, sbom::render(filename, &plan.grafts, &options.origins)));
    Ok(BundleResult { plan, sbom })
}
