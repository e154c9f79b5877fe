//! Choice of the C++ runtime.

use std::fmt;

use serde::{Deserialize, Serialize};

/// C++ runtime of the files of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CxxRuntime {
    /// `shared` if several files that use C++ are in one wheel or linked to each other, otherwise
    /// `static`. With gcc and clang, `system`.
    #[default]
    Auto,
    /// One libc++ for all files, which is added to the wheel.
    Shared,
    /// A private one inside each file.
    Static,
    /// The system's, such as libstdc++ of a gcc toolchain, whose symbol versions the policy judges.
    System,
}

impl fmt::Display for CxxRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Shared => "shared",
            Self::Static => "static",
            Self::System => "system",
        })
    }
}
