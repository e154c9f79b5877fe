//! The manifest of a runtime directory: `runtime.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Identity;
use crate::binary::elf::Elf;
use crate::build::{Built, BuiltFile};
use crate::config::Role;
use crate::name::{Digest, WheelPath};

/// Version of the format. Readers refuse others.
pub const SCHEMA: u32 = 2;

/// Name of the file in a runtime directory.
pub const MANIFEST_FILE: &str = crate::name::RUNTIME_MANIFEST;

/// Description of a runtime directory. It does not depend on the machine that built it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name of the project.
    pub name: String,
    /// Version.
    pub version: String,
    /// Target triple.
    pub target: String,
    /// Required platform tag.
    pub tag: String,
    /// Toolchain.
    pub toolchain: String,
    /// Files, sorted by path.
    pub files: Vec<FileEntry>,
    /// Components, in build order.
    pub components: Vec<ComponentInfo>,
}

/// A file of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path, relative to the directory.
    pub path: WheelPath,
    /// Sha256 of its content.
    pub sha256: Digest,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Mode in octal: `0755` or `0644`.
    pub mode: String,
    /// Role.
    pub role: Role,
    /// Name of its component.
    pub component: String,
    /// Symbolic links to it in the same directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Facts of an ELF file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeFacts>,
}

/// Facts of a native file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeFacts {
    /// Processor, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// SONAME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soname: Option<String>,
    /// Libraries that it needs.
    pub needed: Vec<String>,
    /// Newest version that it needs in each symbol namespace: `GLIBC` -> `2.17`.
    pub symbol_floor: BTreeMap<String, String>,
}

/// A component of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentInfo {
    /// Name.
    pub name: String,
    /// Version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Origin of its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Sha256 of its source archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

impl Manifest {
    pub(super) fn new(identity: &Identity<'_>, built: &[Built], files: Vec<FileEntry>) -> Self {
        let component = |built: &Built| ComponentInfo {
            name: built.name.clone(),
            version: built.version.clone(),
            license: built.license.clone(),
            origin: built.source.origin.clone(),
            sha256: built.source.sha256,
        };
        Self::described(identity, built.iter().map(component).collect(), files)
    }

    pub(super) fn described(
        identity: &Identity<'_>,
        components: Vec<ComponentInfo>,
        files: Vec<FileEntry>,
    ) -> Self {
        Self {
            schema: SCHEMA,
            name: identity.name.to_owned(),
            version: identity.version.to_owned(),
            target: identity.target.triple().to_owned(),
            tag: identity.target.wanted_tag().to_string(),
            toolchain: identity.toolchain.clone(),
            files,
            components,
        }
    }

    /// Returns the text of `runtime.json`.
    #[allow(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text + "\n"
    }
}

impl FileEntry {
    pub(super) fn describe(file: &BuiltFile, component: &str, bytes: &[u8]) -> Self {
        let native = Elf::parse(bytes).ok().map(|elf| NativeFacts::of(&elf));
        let mode = super::mode(file.role);
        Self {
            path: file.to.clone(),
            sha256: Digest::of(bytes),
            size_bytes: bytes.len() as u64,
            mode: format!("{mode:04o}"),
            role: file.role,
            component: component.to_owned(),
            aliases: file.aliases.clone(),
            native,
        }
    }

    /// Returns whether its mode has the execute bits.
    pub fn is_executable(&self) -> bool {
        self.mode == "0755"
    }
}

impl NativeFacts {
    fn of(elf: &Elf) -> Self {
        let mut versions: BTreeMap<&str, BTreeSet<(Vec<u32>, &str)>> = BTreeMap::new();
        for version in elf.needed_versions.values().flatten() {
            let Some((namespace, number)) = version.split_once('_') else { continue };
            let parts = number.split('.').map(str::parse);
            // Not every version is a number: `GLIBC_PRIVATE`.
            let Ok(parts) = parts.collect::<Result<Vec<u32>, _>>() else { continue };
            versions.entry(namespace).or_default().insert((parts, number));
        }
        let newest = versions.into_iter().filter_map(|(namespace, numbers)| {
            Some((namespace.to_owned(), numbers.last()?.1.to_owned()))
        });
        Self {
            arch: elf.arch.map(|arch| arch.to_string()),
            soname: elf.soname.clone(),
            needed: elf.needed.clone(),
            symbol_floor: newest.collect(),
        }
    }
}
