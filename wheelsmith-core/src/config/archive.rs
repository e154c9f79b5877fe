//! `[[tool.wheelsmith.archive]]`: archives of programs and libraries.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::name_pattern::{NamePattern, NameValues};
use super::package_files::PackageFiles;
use crate::name::{Os, ParseError, Target, serde_by_text};

/// `[[tool.wheelsmith.archive]]`: an archive of the runtime for each target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Archive {
    /// Value of `{name}`; the name of the project if absent.
    pub name: Option<String>,
    /// File name; `{name}-{version}-{triple}.{ext}` if absent. Other placeholders: `{pep440}`,
    /// `{os}`, `{arch}`, `{libc}`.
    pub file: Option<NamePattern>,
    /// Value of `{ext}`: `tar.gz`, `tar.zst` or `zip`. If absent, `zip` for Windows and `tar.gz`
    /// for the others.
    pub format: Option<ArchiveFormat>,
    /// Further names under which the same bytes are written: `{name}-latest-{triple}.{ext}`.
    pub aliases: Vec<NamePattern>,
    /// Directory in the archive that contains everything; the file name without its extension if
    /// absent.
    pub top: Option<NamePattern>,
    /// Components whose files it contains; all if absent.
    pub components: Option<Vec<String>>,
    /// Globs of files of the runtime, such as `bin/*`. If absent, its programs, shared libraries and
    /// data. Licences of the components are always included.
    pub files: Option<Vec<String>>,
    /// Further files of the project. `readme` and `license-files` of `[project]` are always
    /// included.
    pub include: Vec<PackageFiles>,
}

/// Format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// Tar, compressed with gzip.
    TarGz,
    /// Tar, compressed with zstd.
    TarZst,
    /// Zip.
    Zip,
}

impl ArchiveFormat {
    const ALL: [Self; 3] = [Self::TarGz, Self::TarZst, Self::Zip];

    /// Returns the extension, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::TarGz => "tar.gz",
            Self::TarZst => "tar.zst",
            Self::Zip => "zip",
        }
    }

    /// Returns the format of a file with this name; `None` if it has another extension.
    pub fn of_name(name: &str) -> Option<Self> {
        let has = |format: &Self| {
            let stem = name.strip_suffix(format.extension());
            stem.is_some_and(|stem| stem.len() > 1 && stem.ends_with('.'))
        };
        Self::ALL.into_iter().find(has)
    }
}

impl fmt::Display for ArchiveFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for ArchiveFormat {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.into_iter().find(|format| format.extension() == text);
        found.ok_or_else(|| ParseError::new(text, "`tar.gz`, `tar.zst` or `zip`"))
    }
}

serde_by_text!(ArchiveFormat);

/// Names of an archive for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveNames {
    /// File name.
    pub file: String,
    /// Further names of the same file.
    pub aliases: Vec<String>,
    /// Directory that contains everything.
    pub top: String,
    /// Format.
    pub format: ArchiveFormat,
}

impl Archive {
    /// Returns the format of the archive for `target`: that of the extension of `file`, or that of
    /// `{ext}`.
    pub fn format_for(&self, target: Target) -> ArchiveFormat {
        let literal = self.file.as_ref().and_then(|file| ArchiveFormat::of_name(file.as_str()));
        let default = || match target.os() {
            Os::Windows => ArchiveFormat::Zip,
            Os::Linux(_) | Os::MacOs => ArchiveFormat::TarGz,
        };
        literal.or(self.format).unwrap_or_else(default)
    }

    /// Returns the names for `target`. `values` has the name and the version of the project.
    #[allow(clippy::missing_panics_doc, reason = "the default is a pattern")]
    pub fn names(&self, values: NameValues<'_>, target: Target) -> ArchiveNames {
        let format = self.format_for(target);
        let name = self.name.as_deref().unwrap_or(values.name);
        let values = NameValues { name, ext: format.extension(), ..values };
        let default = "{name}-{version}-{triple}.{ext}".parse().expect("a constant");
        let file = self.file.as_ref().unwrap_or(&default).fill(values, target);
        let top = match &self.top {
            Some(top) => top.fill(values, target),
            None => file.strip_suffix(&format!(".{format}")).unwrap_or(&file).to_owned(),
        };
        let aliases = self.aliases.iter().map(|alias| alias.fill(values, target)).collect();
        ArchiveNames { file, aliases, top, format }
    }
}
