//! Turns a configuration into native runtimes for several targets, proves what their binaries
//! need, and packs them into wheels.
//!
//! The crate is a row of rooms; each takes a value and makes the next one. Only `sys` touches the
//! world (files, child processes, the network); nothing here prints, exits, or reads an environment
//! variable that was not handed over in a [`sys::Env`].

pub mod artifact;
pub mod audit;
pub mod binary;
pub mod build;
pub mod check;
pub mod config;
pub mod finding;
pub mod index;
pub mod name;
pub mod patch;
pub mod plan;
pub mod policy;
pub mod project;
pub mod repair;
pub mod runtime;
pub mod sbom;
pub mod sdk;
pub mod source;
pub mod sys;
pub mod testing;
pub mod toolchain;
pub mod vcs;
pub mod version;
pub mod wheel;
