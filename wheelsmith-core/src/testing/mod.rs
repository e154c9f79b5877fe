//! Tries finished wheels in the way their users install them.
//!
//! A *cell* is one wheel on one Python, installed one way. Each cell gets a fresh environment with
//! the wheel and without the source tree. It checks that the environment lacks the wheel at first,
//! imports the modules, loads the entry points, and runs the smoke commands and the test command.
//! Foreign Pythons come from a [`Root`] and run under an emulator or under the loader of their
//! libc.
//!
//! [`matrix()`], [`TestedWheel`] and `judge` decide without running anything; `find`,
//! [`Root::open`], `prepare` and `run` act.

mod cell;
mod children;
mod count;
mod environment;
mod error;
mod files;
mod find;
mod judge;
mod libc;
mod matrix;
mod pip;
mod prepare;
mod python;
mod report;
mod root;
mod run;
mod sdist;
mod tested_wheel;
#[cfg(test)]
mod tests;

pub use crate::config::testing::{InstallScheme, Installer, Request, Settings};
pub use count::Tests;
pub use environment::Packages;
pub use error::Error;
pub use find::find;
pub use judge::judge;
pub use matrix::{Cell, Choice, foreign, matrix, only_for};
pub use prepare::prepare;
pub use python::{Platform, Python};
#[cfg(feature = "schema")]
pub use report::schema;
pub use report::{CellReport, Report, Status, Step, Totals, Verdict};
pub use root::Root;
pub use run::{Options, run};
pub use sdist::wheels_of;
pub use tested_wheel::TestedWheel;
