//! Finished wheels, tried as their users have them.
//!
//! A *cell* is one wheel on one Python, installed one way. Each gets a fresh environment with the
//! wheel and nothing of the source tree, proves that the wheel was not there before, and runs the
//! smoke commands and the test command. Foreign Pythons come from a [`Root`] and run under an
//! emulator or under the loader of their libc.
//!
//! What to do is decided without looking at the machine ([`matrix()`], [`Subject`], [`judge`]);
//! [`find`], [`Root::open`], [`prepare`] and [`run`] touch it.

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
mod subject;
#[cfg(test)]
mod tests;

pub use crate::config::testing::{Installer, Request, Settings, Way};
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
pub use subject::Subject;
