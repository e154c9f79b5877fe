//! Parses and writes the metadata of distributions: `METADATA` and `PKG-INFO`, `WHEEL`, `RECORD`,
//! `entry_points.txt`, requirements, markers, and the `[project]` table.
//!
//! The readers are our own, because every reader of the same bytes must return the same values:
//! field lines follow Python's `email` parser, `RECORD` its `csv` module, and `entry_points.txt`
//! its `configparser`, as pip, uv and the index use them. Versions and version specifiers come from
//! `pep440_rs`, the SPDX list from `spdx`. Markers are not parsed with `pep508_rs`, because that
//! crate has 25 dependencies (a regex engine and Unicode tables for URLs), and rewrites or drops
//! unknown markers, which a checker must report.
#![cfg_attr(
    not(all(feature = "check", feature = "project")),
    allow(dead_code, unused_imports, reason = "each feature uses a part of the formats")
)]

#[cfg(feature = "metadata")]
mod core_metadata;
#[cfg(feature = "metadata")]
mod dist_info;
pub(crate) mod entry_points;
mod error;
pub(crate) mod fields;
#[cfg(feature = "metadata")]
mod imports;
#[cfg(feature = "metadata")]
pub(crate) mod license;
#[cfg(feature = "metadata")]
pub(crate) mod links;
#[cfg(feature = "metadata")]
mod marker;
mod modules;
pub(crate) mod people;
pub mod project_table;
#[cfg(any(feature = "build", feature = "metadata"))]
pub(crate) mod python_source;
#[cfg(feature = "metadata")]
mod readme;
#[cfg(feature = "wheel")]
pub(crate) mod record;
pub(crate) mod recorded_digest;
#[cfg(feature = "metadata")]
mod render;
#[cfg(feature = "metadata")]
pub(crate) mod requirement;
pub(crate) mod rows;
#[cfg(feature = "metadata")]
mod specifiers;
mod wheel_file;

#[cfg(feature = "metadata")]
pub use core_metadata::{Metadata, ProjectFiles};
#[cfg(feature = "metadata")]
pub(crate) use dist_info::files as dist_info_files;
pub use entry_points::EntryPoints;
pub use error::Error;
pub use modules::Modules;
pub use project_table::ProjectTable;
#[cfg(feature = "wheel")]
pub(crate) use record::Record;
#[cfg(feature = "metadata")]
pub use specifiers::Specifiers;
pub use wheel_file::WheelFile;

use error::{one_line, problem, problem_with_hint};
