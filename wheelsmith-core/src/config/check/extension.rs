//! Validation of extension modules and addons.

use super::Check;
use crate::config::{Artifact, Cargo, Extension};
use crate::name::{FIRST_WITH_ABI3T, PlatformVersion, PythonAbi};

const FIRST_ABI3: PlatformVersion = PlatformVersion::new(3, 2);

impl Check<'_> {
    /// Checks the extension module that the table at `key` describes.
    pub(super) fn extension(&mut self, key: &str, extension: &Extension) {
        let module = &extension.module;
        let is_identifier = |part: &str| {
            let mut letters = part.chars();
            letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
                && letters.all(|c| c.is_alphanumeric() || c == '_')
        };
        if !module.split('.').all(is_identifier) {
            let message = format!("`{module}` is not the import name of a module");
            self.problem(&format!("{key}.extension"), message, Some("such as `demo._native`"));
        }
        if extension.abis.is_empty() {
            let help = "name the oldest Python of the stable ABI (`abi3 = \"3.9\"`), or each \
                        Python (`python = [\"3.12\", \"3.13t\"]`)";
            self.problem(key, "it does not say for which Pythons the module is", Some(help));
        }
        for (i, abi) in extension.abis.iter().enumerate() {
            let (name, first) = match abi {
                PythonAbi::Abi3(_) => ("abi3", FIRST_ABI3),
                PythonAbi::Abi3t(_) => ("abi3t", FIRST_WITH_ABI3T),
                PythonAbi::Version(python) => {
                    if extension.abis[..i].contains(abi) {
                        let message = format!("Python {python} is listed twice");
                        self.problem(&format!("{key}.python"), message, None);
                    }
                    continue;
                }
            };
            let from = abi.oldest();
            if from < first || from.major != 3 {
                let message = format!("Python {from} has no `{name}`; {first} is the first");
                self.problem(&format!("{key}.{name}"), message, None);
            }
        }
    }

    /// Checks the artifacts of a package.
    pub(super) fn artifacts(&mut self, key: &str, cargo: &Cargo) {
        for (i, artifact) in cargo.artifacts.iter().enumerate() {
            let key = format!("{key}.artifacts[{i}]");
            match artifact {
                Artifact::Bin(_) | Artifact::Cdylib(_) => {}
                Artifact::Extension(extension) => self.extension(&key, extension),
                Artifact::NodeAddon(name) => {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                        let message = format!("`{name}` is not the name of an addon");
                        let help = "use letters, digits, `-`, `_` and `.`";
                        self.problem(&format!("{key}.node-addon"), message, Some(help));
                    }
                }
            }
        }
        // A package has one library.
        let is_library = |artifact: &&Artifact| !matches!(artifact, Artifact::Bin(_));
        if cargo.artifacts.iter().filter(is_library).count() > 1 {
            let help = "make each a package of its own, and a component of its own";
            self.problem(key, "a package of cargo has one library only", Some(help));
        }
    }
}
