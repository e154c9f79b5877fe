//! The configuration as it is written.

pub mod project;

pub use project::RawProject;
