//! Files that a component adds to the runtime unchanged, and their roles.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::SourcePath;
use crate::name::WheelPath;

/// File that is copied unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Output {
    /// File or glob, relative to the root of the source, or of the installation of a build system.
    pub from: SourcePath,
    /// True if it is in the build directory instead: `{build}/misc/mke2fs`.
    #[serde(skip_deserializing, skip_serializing_if = "Not::not")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub from_build: bool,
    /// Role, which determines the directory: `bin/`, `lib/`, `include/`, `share/`.
    pub role: Role,
    /// Path in the runtime directory instead, for a single file.
    pub to: Option<WheelPath>,
}

/// Role of a file of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Role {
    /// Program.
    Executable,
    /// Shared library.
    SharedLibrary,
    /// Static library.
    StaticLibrary,
    /// Header.
    Header,
    /// Licence text; named by `license-files`, not by `role`.
    #[cfg_attr(feature = "schema", schemars(skip))]
    License,
    /// Other file.
    Data,
}

impl Role {
    /// Returns the directory of a runtime for files of this role.
    pub fn directory(self) -> &'static str {
        match self {
            Self::Executable => "bin",
            Self::SharedLibrary | Self::StaticLibrary => "lib",
            Self::Header => "include",
            Self::License => "licenses",
            Self::Data => "share",
        }
    }
}
