//! Components of Go.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::WheelPath;

/// Program or library of a Go module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Go {
    /// Directory of the source with the module; its root if absent.
    pub dir: Option<WheelPath>,
    /// Package, relative to the module: `./cmd/demo`; `.` if absent.
    pub package: String,
    /// Kind of file: `exe`, `c-shared` or `c-archive`; `exe` if absent.
    pub build_mode: BuildMode,
    /// True, the default, to use the C compiler of the target. Without it, programs are static.
    pub cgo: bool,
    /// Build tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Additional arguments of Go's linker, such as `-X=main.version=1.0`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ldflags: Vec<String>,
    /// Additional environment variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

impl Default for Go {
    fn default() -> Self {
        Self {
            dir: None,
            package: ".".to_owned(),
            build_mode: BuildMode::Exe,
            cgo: true,
            tags: Vec::new(),
            ldflags: Vec::new(),
            env: BTreeMap::new(),
        }
    }
}

/// Value of Go's `-buildmode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum BuildMode {
    /// Program.
    #[default]
    Exe,
    /// Shared library with a C interface.
    CShared,
    /// Static library with a C interface.
    CArchive,
}

impl fmt::Display for BuildMode {
    /// Writes the word of the configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exe => "exe",
            Self::CShared => "c-shared",
            Self::CArchive => "c-archive",
        })
    }
}
