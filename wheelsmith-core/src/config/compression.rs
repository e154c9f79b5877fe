//! Compression levels of wheels.

use serde::{Deserialize, Serialize};

/// Compression level of wheels. Sizes and times are those of a runtime of 214 MB on one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Compression {
    /// No compression: for local tests.
    Store,
    /// 75.6 MB in 2.0 s: smaller and faster than zlib-rs at its default level.
    Fast,
    /// 74.1 MB in 2.3 s: as small as the output of CPython's zlib at its default level, in a third
    /// of the time.
    #[default]
    Default,
    /// About 4 % smaller than `default`, in about thirteen times the time and with 11 MB of memory
    /// for each thread: for releases.
    Best,
}
