//! Sets: the manifest of the files of one build.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::json::versioned;
use super::key::Key;
pub use super::label::SCHEMA;
use super::label::{CommitId, Label, SetId};
use crate::name::{Digest, PlatformTag, WheelPath};

versioned!(Set);

/// Largest manifest of a set in bytes: some 200,000 files.
pub(super) const MOST_BYTES: u64 = 64 << 20;

/// Files of one build. Its canonical JSON (fields in this order, files sorted by path, no spaces, one
/// line break at the end) has the digest that is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name of the project.
    pub project: Label,
    /// Version of the project.
    pub version: Label,
    /// Commit from which the files were built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// True if the checkout had changes that are not in the commit.
    pub dirty: bool,
    /// Time that the files contain as that of their build, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<u64>,
    /// Target of the files, or `any`.
    pub slot: Label,
    /// Digest of the inputs of the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<SetId>,
    /// Slots that the project builds, by its configuration.
    pub expected: Vec<Label>,
    /// Files, sorted by path.
    pub files: Vec<StoredFile>,
}

/// File of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StoredFile {
    /// Path, relative to the directory into which the set is unpacked.
    pub path: WheelPath,
    /// Sha256 of its content.
    pub sha256: Digest,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Mode.
    pub mode: Mode,
    /// Kind.
    pub kind: FileKind,
    /// Target for which it is; `None` for a file for every target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Label>,
    /// Platform tag that an audit found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<PlatformTag>,
    /// Names of symbolic links to it in the same directory, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// Mode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Mode {
    /// Not executable.
    #[serde(rename = "0644")]
    Plain,
    /// Executable.
    #[serde(rename = "0755")]
    Executable,
}

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// File of a runtime directory.
    Runtime,
    /// Wheel.
    Wheel,
    /// Source distribution.
    Sdist,
    /// npm package.
    Npm,
    /// Crate.
    Crate,
    /// Archive of programs and libraries.
    Archive,
    /// Program or installation script.
    Program,
    /// Header.
    Header,
    /// Bill of materials.
    Sbom,
    /// Report or list of digests.
    Report,
    /// Any other file.
    Other,
}

/// True if a file name without its extension is that of a source distribution. Programs older than
/// PEP 625 leave dashes in the name of the project.
fn is_sdist(stem: &str, project: &Label) -> bool {
    let Some((name, version)) = stem.rsplit_once('-') else { return false };
    let normal = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    !name.contains('-')
        || normal(name) == normal(project.as_str())
            && version.starts_with(|first: char| first.is_ascii_digit())
}

impl FileKind {
    /// Returns the kind of a package of a project by its file name.
    pub fn of_name(name: &str, project: &Label) -> Self {
        let ends = |ending: &str| name.ends_with(ending);
        if ends(".whl") {
            Self::Wheel
        } else if ends(".crate") {
            Self::Crate
        } else if ends(".tgz") {
            Self::Npm
        } else if ends(".cdx.json") || ends(".spdx.json") {
            Self::Sbom
        } else if ends(".sha256") || ends(".json") || ends(".xml") || name == "SHA256SUMS" {
            Self::Report
        } else if ends(".h") {
            Self::Header
        } else if ends(".tar.zst") || ends(".tar.xz") || ends(".zip") || ends(".tar.gz") {
            // `name-version.tar.gz` without a target is a source distribution.
            let stem = name.strip_suffix(".tar.gz");
            let is_sdist = stem.is_some_and(|stem| is_sdist(stem, project));
            if is_sdist { Self::Sdist } else { Self::Archive }
        } else if ends(".sh") || ends(".ps1") || ends(".exe") {
            Self::Program
        } else {
            Self::Other
        }
    }

    /// Returns the word in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Wheel => "wheel",
            Self::Sdist => "sdist",
            Self::Npm => "npm",
            Self::Crate => "crate",
            Self::Archive => "archive",
            Self::Program => "program",
            Self::Header => "header",
            Self::Sbom => "sbom",
            Self::Report => "report",
            Self::Other => "other",
        }
    }
}

impl Set {
    /// Returns a set without files.
    pub fn new(project: Label, version: Label, slot: Label) -> Self {
        Self {
            schema: SCHEMA,
            project,
            version,
            commit: None,
            dirty: false,
            source_date_epoch: None,
            slot,
            inputs: None,
            expected: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Returns the canonical JSON.
    #[allow(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn to_json(&self) -> Vec<u8> {
        super::json::json(self)
    }

    /// Returns the name of the set.
    pub fn id(&self) -> SetId {
        SetId(Digest::of(self.to_json()))
    }

    /// Returns the sum of the sizes of its files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }

    /// Parses the canonical JSON of a set.
    ///
    /// # Errors
    /// Returns an error if the text is not that of a set, is not canonical, or names two files by one
    /// path.
    pub fn parse(bytes: &[u8], key: &Key) -> Result<Self, Error> {
        let set: Self = super::json::parse(bytes, key, MOST_BYTES)?;
        let wrong = |problem: String| Error::Corrupt { key: key.to_string(), problem };
        if let Some(problem) = set.problem() {
            return Err(wrong(problem));
        }
        if set.to_json() != bytes {
            return Err(wrong("the JSON of the set is not canonical".to_owned()));
        }
        Ok(set)
    }

    /// Returns the reason why the set cannot be unpacked: two names that are one path.
    pub fn problem(&self) -> Option<String> {
        let mut all: Vec<String> = Vec::new();
        for file in &self.files {
            all.push(file.path.to_string());
            let parent = file.path.parent().map(|parent| format!("{parent}/")).unwrap_or_default();
            for alias in &file.aliases {
                let is_name = !alias.contains('/') && alias.parse::<WheelPath>().is_ok();
                if !is_name {
                    return Some(format!("`{}` has the alias `{alias:?}`", file.path));
                }
                all.push(format!("{parent}{alias}"));
            }
        }
        all.sort();
        let twice = all.windows(2).find_map(|pair| (pair[0] == pair[1]).then(|| &pair[0]));
        if let Some(path) = twice {
            return Some(format!("two files have the path `{path}`"));
        }
        if !self.files.is_sorted_by(|a, b| a.path < b.path) {
            return Some("its files are not sorted by path".to_owned());
        }
        if !self.files.iter().all(|file| file.aliases.is_sorted()) {
            return Some("the aliases of a file are not sorted".to_owned());
        }
        // A file cannot be above another one.
        let names: std::collections::BTreeSet<&str> = all.iter().map(String::as_str).collect();
        let is_below = |path: &str| {
            let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
            parents.any(|parent| names.contains(parent))
        };
        let path = all.iter().find(|path| is_below(path))?;
        Some(format!("`{path}` is below a file"))
    }
}

/// Returns the JSON schema of a set, generated from the types.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    super::json::schema_of::<Set>()
}
