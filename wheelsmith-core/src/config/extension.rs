//! Extension modules: files that Python imports.

use serde::Serialize;

use crate::name::{PlatformVersion, PythonAbi, PythonVersion, Target, WheelPath};

/// Extension module, and the ABIs that it is compiled for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Extension {
    /// Import name: `boxlite._native`.
    pub module: String,
    /// ABIs; a file is built for each.
    pub abis: Vec<PythonAbi>,
}

impl Extension {
    /// Returns the last part of the import name, which the function that starts the module has.
    pub fn stem(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or_default()
    }

    /// Returns the directory of its package in a wheel; empty for a module at the top.
    pub fn package(&self) -> String {
        self.module
            .rsplit_once('.')
            .map_or_else(String::new, |(package, _)| package.replace('.', "/"))
    }

    /// Returns the path of the file for `abi` in a wheel: `boxlite/_native.abi3.so`.
    #[allow(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn path(&self, abi: &PythonAbi, target: &Target) -> WheelPath {
        let path = format!("{}{}", self.module.replace('.', "/"), abi.suffix(target));
        path.parse().expect("identifiers are parts of paths")
    }

    /// Returns the ABI whose file a wheel for `wheel` contains.
    pub fn abi_for(&self, wheel: &PythonAbi) -> Option<&PythonAbi> {
        let exact = self.abis.iter().find(|abi| *abi == wheel);
        exact.or_else(|| self.abis.iter().find(|abi| abi.serves(wheel)))
    }
}

/// Keys that name the Pythons of an extension module.
#[derive(Debug, Clone, Default)]
pub(super) struct AbiKeys {
    pub(super) abi3: Option<PlatformVersion>,
    pub(super) abi3t: Option<PlatformVersion>,
    pub(super) python: Vec<PythonVersion>,
}

impl AbiKeys {
    /// True if no key is set.
    pub(super) fn is_empty(&self) -> bool {
        self.abi3.is_none() && self.abi3t.is_none() && self.python.is_empty()
    }
}
