//! State of an index.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DistName, Error, Select, Status, View};
use crate::name::Digest;

/// State of an index: its views with their projects and files. Pages follow from it alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// URL of the site, if known: for absolute URLs and for commands that people copy. Ends with
    /// `/`.
    pub site_url: Option<String>,
    /// View behind `latest`.
    pub latest: Option<View>,
    /// Projects of each view, by normalised name.
    pub views: BTreeMap<View, Projects>,
}

/// Projects by normalised name.
pub type Projects = BTreeMap<String, Project>;

/// A project of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Status.
    #[serde(default, skip_serializing_if = "Status::is_active")]
    pub status: Status,
    /// Reason for the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Files by name.
    #[serde(default)]
    pub files: BTreeMap<String, File>,
}

/// A file of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Digest of the file.
    pub sha256: Digest,
    /// Size of the file, in bytes.
    pub size_bytes: u64,
    /// `Requires-Python` of its metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Digest of its metadata, if they are served next to it (PEP 658).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_sha256: Option<Digest>,
    /// Digest of its provenance, if that is served next to it (PEP 740).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance_sha256: Option<Digest>,
    /// Time of upload, if the publisher gave it: `2026-01-31T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_time: Option<String>,
    /// URL of the file if it is not in the site's store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `Summary` of its metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Reason why the file is yanked (PEP 592), possibly empty; `None` if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked: Option<String>,
}

impl State {
    /// Adds a file to a view. A file that is there with the same content gets only a new URL,
    /// metadata or provenance. Returns true if anything changed.
    ///
    /// # Errors
    /// The view has a file of that name with other content, or the project accepts no files.
    pub fn insert(&mut self, view: &View, name: &DistName, file: File) -> Result<bool, Error> {
        let filename = name.to_string();
        let project = name.project.normalized();
        let projects = self.views.entry(view.clone()).or_default();
        let known = projects.get(&project);
        if let Some(old) = known.and_then(|known| known.files.get(&filename)) {
            if old.sha256 != file.sha256 {
                return Err(Error::Conflict {
                    filename,
                    view: view.clone(),
                    there: old.sha256,
                    given: file.sha256,
                });
            }
            let merged = File {
                upload_time: old.upload_time.clone().or(file.upload_time),
                metadata_sha256: file.metadata_sha256.or(old.metadata_sha256),
                provenance_sha256: file.provenance_sha256.or(old.provenance_sha256),
                yanked: old.yanked.clone(),
                ..file
            };
            let is_new = *old != merged;
            if is_new && let Some(known) = projects.get_mut(&project) {
                known.files.insert(filename, merged);
            }
            return Ok(is_new);
        }
        if let Some(status) = known.map(|known| known.status).filter(|s| !s.takes_files()) {
            return Err(Error::Closed { project, status, filename });
        }
        projects.entry(project).or_default().files.insert(filename, file);
        Ok(true)
    }

    /// Returns the selected files of a view.
    fn select<'s>(
        &'s mut self,
        view: &View,
        select: &Select,
    ) -> Result<Vec<(&'s str, &'s mut File)>, Error> {
        let nothing = || Error::NoMatch { selected: select.to_string(), view: view.clone() };
        let projects = self.views.get_mut(view).ok_or_else(nothing)?;
        let project = projects.get_mut(&select.project()).ok_or_else(nothing)?;
        let files = project.files.iter_mut().filter(|(name, _)| select.has(name));
        let files: Vec<_> = files.map(|(name, file)| (name.as_str(), file)).collect();
        if files.is_empty() { Err(nothing()) } else { Ok(files) }
    }

    /// Marks files as yanked (PEP 592), or removes the mark. Returns the files that changed.
    ///
    /// # Errors
    /// The selection matches no file.
    pub fn yank(
        &mut self,
        view: &View,
        select: &Select,
        reason: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let mut changed = Vec::new();
        for (name, file) in self.select(view, select)? {
            if file.yanked.as_deref() != reason {
                file.yanked = reason.map(str::to_owned);
                changed.push(name.to_owned());
            }
        }
        Ok(changed)
    }

    /// Removes files, and projects without files. Returns their names.
    ///
    /// # Errors
    /// The selection matches no file.
    pub fn remove(&mut self, view: &View, select: &Select) -> Result<Vec<String>, Error> {
        let selected = self.select(view, select)?;
        let names: Vec<String> = selected.iter().map(|(name, _)| (*name).to_owned()).collect();
        let key = select.project();
        if let Some(projects) = self.views.get_mut(view)
            && let Some(project) = projects.get_mut(&key)
        {
            project.files.retain(|name, _| !names.contains(name));
            if project.files.is_empty() {
                projects.remove(&key);
            }
        }
        Ok(names)
    }

    /// Removes a view. Returns the names of its files.
    ///
    /// # Errors
    /// The view does not exist, or `latest` points at it.
    pub fn remove_view(&mut self, view: &View) -> Result<Vec<String>, Error> {
        if self.latest.as_ref() == Some(view) {
            return Err(Error::IsLatest { view: view.clone() });
        }
        let projects =
            self.views.remove(view).ok_or_else(|| Error::NoView { view: view.clone() })?;
        Ok(projects.into_values().flat_map(|project| project.files.into_keys()).collect())
    }

    /// Sets the status of a project.
    ///
    /// # Errors
    /// The project does not exist.
    pub fn set_status(
        &mut self,
        view: &View,
        project: &str,
        status: Status,
        reason: Option<&str>,
    ) -> Result<bool, Error> {
        let found = self.views.get_mut(view).and_then(|projects| projects.get_mut(project));
        let found = found
            .ok_or_else(|| Error::NoMatch { selected: project.to_owned(), view: view.clone() })?;
        let reason = reason.map(str::to_owned);
        let is_new = (found.status, &found.status_reason) != (status, &reason);
        (found.status, found.status_reason) = (status, reason);
        Ok(is_new)
    }

    /// Points `latest` at a view.
    ///
    /// # Errors
    /// The view does not exist.
    pub fn set_latest(&mut self, view: &View) -> Result<(), Error> {
        if !self.views.contains_key(view) {
            return Err(Error::NoView { view: view.clone() });
        }
        self.latest = Some(view.clone());
        Ok(())
    }

    /// Returns every file of every view with its name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        let projects = self.views.values().flat_map(BTreeMap::values);
        projects.flat_map(|project| project.files.iter().map(|(name, file)| (name.as_str(), file)))
    }
}
