//! Steps of a publication, and the file that contains them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::config::Destination;
use crate::name::Digest;
use crate::registry::{self, Presence};
use crate::sys::{self, request};

/// Name of the destination whose URLs must be on this machine.
const LOCAL: &str = "local";

/// Version of the plan. It grows when a key changes its meaning or is removed.
pub(super) const SCHEMA: u32 = 1;

/// Plan of a publication. Its digest covers every other field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of the format.
    pub schema: u32,
    /// Project, as the first package names it.
    pub project: String,
    /// Version in the form of SemVer, or of PEP 440 if it has no such form.
    pub version: String,
    /// Name of the destination.
    pub to: String,
    /// Registries.
    pub destination: Destination,
    /// Directory with the packages.
    pub directory: PathBuf,
    /// Amount of work.
    pub estimate: Estimate,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Facts that could not be established.
    pub notes: Vec<String>,
    /// Files of the directory that no step sends.
    pub left_out: Vec<LeftOut>,
    /// Digest of the plan.
    pub digest: Option<Digest>,
}

/// Amount of work that is left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Bytes to send.
    pub bytes: u64,
    /// Least time that rate limits require, in seconds.
    pub wait_secs: u64,
}

/// Step: a file to upload, or a pointer to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name of the step, such as `npm:@scope/demo@1.0.0`.
    pub id: String,
    /// Kind.
    pub kind: Kind,
    /// Name in the registry.
    pub name: String,
    /// Version in the registry.
    pub version: String,
    /// File; `None` for a pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PlannedFile>,
    /// Tag under which an npm package is published, or that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Steps that must be visible before.
    pub needs: Vec<String>,
    /// State of the registry when the plan was made.
    pub state: State,
    /// Note about the state of the registry: `yanked`, or a tag of a newer version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Access to a scoped npm package: `public` or `restricted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

/// Kind of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Upload of a crate.
    Crates,
    /// Upload of an npm package.
    Npm,
    /// Upload of a wheel or source distribution.
    Pypi,
    /// Tag of an npm package.
    NpmTag,
}

impl Kind {
    /// Returns the registry of the step.
    pub fn registry(self) -> &'static str {
        match self {
            Self::Crates => "crates",
            Self::Npm | Self::NpmTag => "npm",
            Self::Pypi => "pypi",
        }
    }
}

/// File of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFile {
    /// File name.
    pub name: String,
    /// Digest.
    pub sha256: Digest,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// State of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The registry does not have it.
    Absent,
    /// The registry has the same bytes.
    Same,
}

/// File that no step sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// File name.
    pub name: String,
    /// Reason.
    pub reason: String,
}

impl Plan {
    /// Computes the digest of everything else.
    pub(super) fn computed_digest(&self) -> Digest {
        let plan = Self { digest: None, ..self.clone() };
        Digest::of(serde_json::to_vec(&plan).expect("texts and numbers are JSON"))
    }

    /// Returns the text of the file.
    pub fn render(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers are JSON") + "\n"
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// Returns an error if the file is not a plan of this version, or was edited.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = sys::fs::read(path).map_err(|e| Error::read(path, e))?;
        let bad = |problem: String| Error::Plan { path: path.to_owned(), problem };
        let plan: Self = serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))?;
        if plan.schema != SCHEMA {
            return Err(bad(format!("its schema is {}, not {SCHEMA}", plan.schema)));
        }
        if plan.digest != Some(plan.computed_digest()) {
            return Err(bad("it was changed after it was made".to_owned()));
        }
        Ok(plan)
    }

    /// Returns the name of the release.
    pub fn release(&self) -> String {
        format!("{} {}", self.project, self.version)
    }
}

/// Returns the problems of the URLs of a destination.
pub(super) fn url_faults(destination: &Destination, to: &str) -> Vec<String> {
    let Destination { pypi, npm, crates } = destination;
    let mut urls: Vec<&str> = Vec::new();
    urls.extend(pypi.iter().flat_map(|it| [it.upload.as_str(), &it.simple]));
    urls.extend(npm.iter().map(|it| it.registry.as_str()));
    urls.extend(crates.iter().map(|it| registry::crates::base(&it.index)));
    urls.into_iter().filter_map(|url| url_fault(url, to)).collect()
}

/// Returns the problem of a URL of the destination `to`.
pub(super) fn url_fault(url: &str, to: &str) -> Option<String> {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        Some(format!("`{url}` is not a URL that begins with `https://`"))
    } else if request::authority(url).contains('@') {
        Some(
            "a URL of the destination contains a user name; name a variable with the token instead"
                .to_owned(),
        )
    } else if to == LOCAL && !request::is_loopback(url) {
        Some(format!("`{url}` is not on this machine, and the destination is `{LOCAL}`"))
    } else if url.starts_with("http://") && !request::is_loopback(url) {
        Some(format!("`{url}` is not https"))
    } else {
        None
    }
}

/// Returns the sentence about other bytes under a published name.
pub(super) fn conflict(step: &Step, found: &Presence) -> String {
    let ours = step.file.as_ref().map(|file| file.sha256.to_string()).unwrap_or_default();
    match found {
        Presence::Other(theirs) => format!(
            "`{}` is published with other bytes: the registry has {theirs}, the file has sha256 {ours}; release a new version",
            step.id
        ),
        _ => format!(
            "`{}` is published, and the registry tells no digest that could be compared with {ours}",
            step.id
        ),
    }
}
