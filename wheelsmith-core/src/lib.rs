//! Builds native runtimes for several targets, proves what their binaries need, and packs them into
//! Python wheels. Three jobs take one call each.
//!
//! # Audit: does a wheel qualify for its platform tag?
//!
//! ```
//! use wheelsmith_core::audit;
//!
//! let report = audit::wheel("../tests/stories/check.in/dist/demo-1.0-py3-none-any.whl")?;
//! assert!(report.is_good());
//! // A wheel that cannot be read is an error, not an empty report.
//! assert!(audit::wheel("absent-1.0-py3-none-any.whl").is_err());
//! # Ok::<(), audit::Error>(())
//! ```
//!
//! # Check: would an index and installers accept a file?
//!
//! ```
//! use wheelsmith_core::check;
//!
//! let checked = check::file("../tests/stories/check.in/dist/demo-1.0-py3-none-any.whl")?;
//! for finding in &checked.findings {
//!     println!("{}: {}", finding.code, finding.message);
//! }
//! assert!(check::file("absent-1.0-py3-none-any.whl").is_err());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Build: from a project to audited wheels
//!
//! ```
//! use wheelsmith_core::project::{BuildOptions, Project};
//!
//! # let dir = std::env::temp_dir().join(format!("wheelsmith-front-page-{}", std::process::id()));
//! # std::fs::create_dir_all(dir.join("demo"))?;
//! # std::fs::write(dir.join("demo/__init__.py"), "")?;
//! # std::fs::write(dir.join("pyproject.toml"), r#"
//! # [build-system]
//! # requires = ["wheelsmith-build"]
//! # build-backend = "wheelsmith_build"
//! # [project]
//! # name = "demo"
//! # version = "1.0"
//! # "#)?;
//! // A directory with a `pyproject.toml` and the Python package `demo`.
//! let project = Project::open(&dir)?;
//! let output = project.build(&BuildOptions::new().out(dir.join("dist")))?;
//! assert!(output.is_good());
//! assert!(dir.join("dist/demo-1.0-py3-none-any.whl").exists());
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A `build.rs` builds native code for its crate with [`script::Builder`].
//!
//! # Compatibility
//!
//! Modules that this documentation does not list are for the program `wheelsmith` alone: their names
//! and contents may change in every release. Only `sys` reads and writes files, runs child processes
//! and uses the network; no module prints, exits, or reads an environment variable that it was not
//! given in a [`sys::Env`].
//!
//! # Features
//!
//! | feature | purpose |
//! |---|---|
//! | `audit` | find what native files need, and the platform tag they qualify for |
//! | `check` | check wheels and sdists by the rules of an index and of installers |
//! | `check-packages` | check npm packages, crates and archives as well, and the `pyproject.toml` of sdists |
//! | `metadata` | core metadata, RECORD, requirements and licence expressions |
//! | `wheel` | read and write wheels |
//! | `repair` | copy the libraries that a wheel needs into it |
//! | `project` | build a project, from its configuration to audited wheels |
//! | `build` | build native code from a configuration, or from a `build.rs` with `script` |
//! | `cargo` | components that cargo builds, and crates as sources |
//! | `fetch` | download sources over http and https; the only feature that needs TLS |
//! | `index` | write a static package index |
//! | `release` | plan a publication to package registries, and carry it out |
//! | `seal` | digests of a directory of files, signatures and statements |
//! | `store` | keep finished files by digest, commit and inputs, in a directory |
//! | `testing` | install finished wheels into Python environments and run them |
//! | `schema` | JSON schemas of the configuration and of the reports |
//! | `archive`, `run` | parts of the others: reading archives; running programs and writing files |
//!
//! All but `schema` are enabled by default, and each enables those that it needs. None brings an
//! async runtime. `audit` and `check` bring no compiler driver: a tool that audits wheels uses
//! `default-features = false, features = ["audit"]`.

#![deny(missing_docs)]

#[cfg_attr(
    not(all(feature = "check-packages", feature = "index", feature = "project")),
    allow(dead_code, reason = "each feature reads other parts of an archive")
)]
#[cfg(feature = "archive")]
#[doc(hidden)]
pub mod archive;
#[cfg(feature = "audit")]
pub mod audit;
#[doc(hidden)]
pub mod binary;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod build;
#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod config;
/// The parts of the configuration that are of use without a build.
#[cfg(all(feature = "wheel", not(feature = "build")))]
#[doc(hidden)]
pub mod config {
    mod compression;
    mod python;
    pub mod testing;
    mod words;

    pub use compression::Compression;
}
pub mod finding;
#[cfg(feature = "index")]
#[doc(hidden)]
pub mod index;
pub mod metadata;
pub mod name;
#[cfg(feature = "project")]
pub(crate) mod package;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod patch;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod pipeline;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod policy;
#[cfg(feature = "project")]
pub mod project;
#[cfg(feature = "release")]
#[doc(hidden)]
pub mod registry;
#[cfg(feature = "release")]
#[doc(hidden)]
pub mod release;
#[cfg(feature = "repair")]
pub mod repair;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod runtime;
#[cfg(feature = "repair")]
#[doc(hidden)]
pub mod sbom;
#[cfg(feature = "build")]
pub mod script;
#[cfg(feature = "project")]
#[doc(hidden)]
pub mod sdk;
#[cfg(feature = "seal")]
#[doc(hidden)]
pub mod seal;
#[cfg(feature = "repair")]
#[doc(hidden)]
pub mod size;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod source;
#[cfg(feature = "store")]
pub mod store;
pub mod sys;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod toolchain;
#[cfg(feature = "project")]
#[doc(hidden)]
pub mod tree;
#[cfg(feature = "project")]
#[doc(hidden)]
pub mod vcs;
#[cfg(feature = "project")]
#[doc(hidden)]
pub mod version;
#[cfg(feature = "wheel")]
pub mod wheel;
