//! Native code for a crate, built by its `build.rs`.
//!
//! [`Env::from_cargo`] reads cargo's variables once; no other function here reads the environment.
//! A [`Builder`] combines components from a configuration file and from code, and builds them below
//! `OUT_DIR` for cargo's `TARGET`, in the same way as `wheelsmith build`: it compiles only changed
//! files, with no more jobs than cargo permits. The result is an [`Output`]: a runtime directory,
//! and the [`Directives`] with which cargo links to it. The script prints them itself.
//!
//! A build script downloads nothing and writes only to `OUT_DIR`. A source that is not a directory
//! of the package must be pinned in `wheelsmith.lock`, and be in the user's cache or in cargo's.
//!
//! ```no_run
//! use wheelsmith_core::script::{Builder, Env, Error, Library};
//!
//! fn main() -> Result<(), Error> {
//!     let env = Env::from_cargo()?;
//!     let demo = Library::archive("demo").sources(["native/*.c"]).include("native");
//!     let output = Builder::new(&env).library(&demo).build()?;
//!     output.directives.emit(&mut std::io::stdout())?;
//!     Ok(())
//! }
//! ```

mod builder;
mod directives;
mod env;
mod error;
mod link;

pub use crate::config::Library;
pub use builder::{Builder, Output};
pub use directives::{Directive, Directives, LinkKind};
pub use env::Env;
pub use error::Error;
