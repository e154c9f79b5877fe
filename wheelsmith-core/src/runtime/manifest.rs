//! `runtime.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Identity;
use crate::binary::elf::Elf;
use crate::build::{Built, BuiltFile};
use crate::config::Role;
use crate::name::{Digest, WheelPath};

/// The version of the format. Readers refuse another.
pub const SCHEMA: u32 = 1;

/// The name of the file in a runtime directory.
pub const MANIFEST_FILE: &str = crate::name::RUNTIME_MANIFEST;

/// A runtime directory in words. Nothing in it depends on the machine that built it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The project's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The target triple.
    pub target: String,
    /// The platform tag that the build aimed at.
    pub wanted_tag: String,
    /// What it was built with.
    pub toolchain: String,
    /// Every file, sorted by path.
    pub files: Vec<FileEntry>,
    /// Every component, in build order.
    pub components: Vec<ComponentInfo>,
}

/// A file of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it is, relative to the directory.
    pub path: WheelPath,
    /// The sha256 of its content.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its mode in octal: `0755` or `0644`.
    pub mode: String,
    /// What it is.
    pub role: Role,
    /// The component that it came from.
    pub component: String,
    /// Symbolic links to it in the same directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What the binary says of itself, for ELF files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeFacts>,
}

/// What a binary says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeFacts {
    /// Its processor, where we know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Its SONAME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soname: Option<String>,
    /// The libraries that it needs.
    pub needed: Vec<String>,
    /// The newest version that it asks for in each symbol namespace: `GLIBC` -> `2.17`.
    pub symbol_floor: BTreeMap<String, String>,
}

/// A component of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Where its source came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The sha256 of its source archive.
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
            wanted_tag: identity.target.wanted_tag().to_string(),
            toolchain: identity.toolchain.clone(),
            files,
            components,
        }
    }

    /// The text of `runtime.json`.
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

    /// Whether its mode has the execute bits.
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
