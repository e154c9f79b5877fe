//! Data of a project's page, for each of its forms.

use super::View;
use super::dist_name::Parts;
use super::state::{File, Project};

/// Data of a project's page.
pub(super) struct Page<'a> {
    /// View that contains the page.
    pub(super) place: &'a View,
    pub(super) site_url: Option<&'a str>,
    /// Normalised name of the project.
    pub(super) name: &'a str,
    pub(super) project: &'a Project,
    /// Files, oldest version first.
    pub(super) files: Vec<(Parts<'a>, &'a str, &'a File)>,
}

impl<'a> Page<'a> {
    pub(super) fn new(
        place: &'a View,
        site_url: Option<&'a str>,
        name: &'a str,
        project: &'a Project,
    ) -> Self {
        let files = project.files.iter();
        // Names were parsed when the files were added.
        let parsed = files.filter_map(|(name, file)| Some((Parts::of(name)?, &**name, file)));
        let mut files: Vec<(Parts<'_>, &str, &File)> = parsed.collect();
        // They are already sorted by name.
        files.sort_by(|a, b| a.0.version.cmp(&b.0.version));
        Self { place, site_url, name, project, files }
    }
}
