//! Creates, reads and rewrites wheels: metadata, `.dist-info`, `RECORD`, and a reproducible zip.
//!
//! A [`Wheel`] is validated when it is created, so only input and output can fail when it is
//! written. Its bytes depend on its values alone: not on the order of its entries, the number of
//! threads, the clock, or the modes and times on disk.
//!
//! ```
//! use wheelsmith_core::metadata::{EntryPoints, Metadata, ProjectFiles, ProjectTable};
//! use wheelsmith_core::sys::Cancel;
//! use wheelsmith_core::wheel::{self, Entry, Options, Wheel};
//!
//! let project: ProjectTable = toml::from_str("name = 'demo'\nversion = '1.0'").unwrap();
//! let metadata = Metadata::new(&project, ProjectFiles::default())?;
//! let filename = metadata.filename("py3-none".parse().unwrap(), vec!["any".parse().unwrap()]);
//! let entries = vec![Entry::bytes("demo/__init__.py".parse().unwrap(), b"x = 1\n")];
//! let wheel = Wheel::new(filename, &metadata, &EntryPoints::new(&project)?, entries)?;
//!
//! let mut archive = std::io::Cursor::new(Vec::new());
//! let written = wheel::write(&wheel, &mut archive, &Options::default(), &Cancel::default())?;
//! assert_eq!(written.size_bytes, archive.get_ref().len() as u64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod deflate;
mod diff;
mod entry;
mod error;
mod existing;
mod layout;
mod pack;
mod retag;
mod save;
mod splice;
#[cfg(feature = "project")]
pub(crate) mod stream;
mod time;
pub(crate) mod verify;
mod write;
mod zip;

pub use crate::config::Compression;
pub use cache::Chunks;
pub use diff::{Diff, FileDiff, Likeness, diff};
pub use entry::{Entry, Source};
pub use error::Error;
pub use existing::Existing;
pub use layout::Wheel;
pub use save::{MadeFile, Packing, copy, save, save_if};
pub use time::EntryTime;
pub use write::{Options, Written, write};
