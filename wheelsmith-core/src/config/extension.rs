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
    /// Returns a module for the stable ABIs from these releases on, and for single Pythons.
    pub(super) fn new(
        module: String,
        abi3: Option<PlatformVersion>,
        abi3t: Option<PlatformVersion>,
        python: Vec<PythonVersion>,
    ) -> Self {
        let stable = abi3.map(PythonAbi::Abi3).into_iter().chain(abi3t.map(PythonAbi::Abi3t));
        let all = stable.chain(python.into_iter().map(PythonAbi::Version));
        Self { module, abis: all.collect() }
    }

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
