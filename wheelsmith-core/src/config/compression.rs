//! Compression levels of wheels.

use serde::{Deserialize, Serialize};

/// Compression level of wheels. Sizes and times are those of a runtime of 214 MB on one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Compression {
    /// No compression: for local tests.
    Store,
    /// 75.6 MB in 2.0 s: smaller than what zlib-rs makes at its usual level, in less time.
    Fast,
    /// 74.1 MB in 2.3 s: as small as what CPython's zlib makes at its usual level, in a third of its
    /// time.
    #[default]
    Default,
    /// About 4 % smaller still, at some thirteen times the work and with 11 MB of memory for each
    /// thread: for releases.
    Best,
}
