//! Turns a configuration into native runtimes for several targets, proves what their binaries
//! need, and packs them into wheels.
//!
//! The crate is a row of rooms; each takes a value and makes the next one. Only `sys` touches the
//! world (files, child processes, the network); nothing here prints, exits, or reads an environment
//! variable that was not handed over in a [`sys::Env`].

#[cfg(feature = "audit")]
pub mod artifact;
#[cfg(feature = "audit")]
pub mod audit;
pub mod binary;
#[cfg(feature = "build")]
pub mod build;
#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "build")]
pub mod config;
pub mod finding;
#[cfg(feature = "index")]
pub mod index;
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
