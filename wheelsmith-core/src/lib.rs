//! Turns a configuration into native runtimes for several targets, proves what their binaries
//! need, and packs them into wheels.
//!
//! The crate is a row of rooms; each takes a value and makes the next one. Only `sys` touches the
//! world (files, child processes, the network); nothing here prints, exits, or reads an environment
//! variable that was not handed over in a [`sys::Env`].
//!
//! # Features
//!
//! | feature | what it is for |
//! |---|---|
//! | `build` | native code from a configuration; from a `build.rs`, the room `script` |
//! | `cargo` | components that cargo builds, and crates as sources |
//! | `audit` | what native files need, and which platform tag they earn |
//! | `metadata` | core metadata, RECORD, requirements and licence expressions |
//! | `wheel` | wheels: writing them, reading those that are there |
//! | `repair` | copying the libraries that a wheel needs into it |
//! | `check` | whether an index and installers would take a file |
//! | `index` | a static package index |
//! | `testing` | trying finished wheels on Pythons |
//! | `project` | a project on disk, from its configuration to audited wheels |
//! | `fetch` | downloading sources over http and https; it alone brings TLS |
//! | `schema` | JSON schemas of the configuration and of the reports |
//!
//! All but `schema` are there by default. Each includes what it needs of the others; none of them
//! brings an async runtime. A tool that audits takes
//! `default-features = false, features = ["audit"]`.

#![deny(missing_docs)]

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(feature = "audit")]
pub mod audit;
pub mod binary;
#[cfg(feature = "build")]
pub mod build;
#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "build")]
pub mod config;
/// The parts of the configuration that are of use without a build.
#[cfg(all(feature = "wheel", not(feature = "build")))]
pub mod config {
    mod compression;
    mod python;
    pub mod testing;
    mod words;

    pub use compression::Compression;
}
pub mod finding;
#[cfg(feature = "index")]
pub mod index;
pub mod metadata;
pub mod name;
#[cfg(feature = "build")]
pub mod patch;
#[cfg(feature = "build")]
pub mod plan;
pub mod policy;
#[cfg(feature = "project")]
pub mod project;
#[cfg(feature = "repair")]
pub mod repair;
#[cfg(feature = "build")]
pub mod runtime;
#[cfg(feature = "repair")]
pub mod sbom;
#[cfg(feature = "build")]
pub mod script;
#[cfg(feature = "project")]
pub mod sdk;
#[cfg(feature = "build")]
pub mod source;
pub mod sys;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "build")]
pub mod toolchain;
#[cfg(feature = "project")]
pub mod vcs;
#[cfg(feature = "project")]
pub mod version;
#[cfg(feature = "wheel")]
pub mod wheel;
