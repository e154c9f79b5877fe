//! Validation of extension modules.

use super::Check;
use crate::config::Extension;
use crate::config::extension::AbiKeys;
use crate::name::{FIRST_WITH_ABI3T, PlatformVersion, PythonAbi};

const FIRST_ABI3: PlatformVersion = PlatformVersion::new(3, 2);

impl Check<'_> {
    /// Checks the extension module that the table at `key` describes.
    pub(super) fn extension(&mut self, key: &str, module: String, raw: AbiKeys) -> Extension {
        let is_identifier = |part: &str| {
            let mut letters = part.chars();
            letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
                && letters.all(|c| c.is_alphanumeric() || c == '_')
        };
        if !module.split('.').all(is_identifier) {
            let message = format!("`{module}` is not the import name of a module");
            self.problem(&format!("{key}.extension"), message, Some("such as `demo._native`"));
        }
        if raw.is_empty() {
            let help = "name the oldest Python of the stable ABI (`abi3 = \"3.9\"`), or each \
                        Python (`python = [\"3.12\", \"3.13t\"]`)";
            self.problem(key, "it does not say for which Pythons the module is", Some(help));
        }
        let mut abis = Vec::new();
        for (name, from, first) in
            [("abi3", raw.abi3, FIRST_ABI3), ("abi3t", raw.abi3t, FIRST_WITH_ABI3T)]
        {
            let Some(from) = from else { continue };
            if from < first || from.major != 3 {
                let message = format!("Python {from} has no `{name}`; {first} is the first");
                self.problem(&format!("{key}.{name}"), message, None);
            }
            abis.push(if name == "abi3" { PythonAbi::Abi3(from) } else { PythonAbi::Abi3t(from) });
        }
        for (i, python) in raw.python.into_iter().enumerate() {
            let abi = PythonAbi::Version(python);
            if abis.contains(&abi) {
                let message = format!("Python {python} is listed twice");
                self.problem(&format!("{key}.python[{i}]"), message, None);
            }
            abis.push(abi);
        }
        Extension { module, abis }
    }
}
