//! The archive: metadata, `.dist-info`, `RECORD`, a reproducible zip.
//!
//! A [`Wheel`] is checked when it is made; writing one can then fail only for what the disk does.
//! The bytes follow from its values alone: not from the order of its entries, the number of
//! threads, the clock, or the modes and times on disk.
//!
//! ```
//! use wheelsmith_core::config::RawProject;
//! use wheelsmith_core::sys::Cancel;
//! use wheelsmith_core::wheel::{self, Entry, Metadata, Options, Wheel};
//!
//! let project: RawProject = toml::from_str("name = 'demo'\nversion = '1.0'").unwrap();
//! let metadata = Metadata::new(&project, wheel::Texts::default())?;
//! let filename = metadata.filename("py3-none".parse().unwrap(), vec!["any".parse().unwrap()]);
//! let entries = vec![Entry::bytes("demo/__init__.py".parse().unwrap(), b"x = 1\n")];
//! let wheel = Wheel::new(filename, &metadata, &wheel::EntryPoints::new(&project)?, entries)?;
//!
//! let mut archive = std::io::Cursor::new(Vec::new());
//! let written = wheel::write(&wheel, &mut archive, &Options::default(), &Cancel::default())?;
//! assert_eq!(written.size_bytes, archive.get_ref().len() as u64);
//! assert!(written.record.render().starts_with("demo/__init__.py,sha256="));
//! # Ok::<(), wheel::Error>(())
//! ```

mod cache;
mod deflate;
mod diff;
mod dist_info;
mod entry;
pub(crate) mod entry_points;
mod error;
mod existing;
mod layout;
pub(crate) mod metadata;
mod pack;
mod record;
mod save;
mod splice;
mod time;
mod write;
mod zip;

pub use crate::config::Compression;
pub use cache::Chunks;
pub use diff::{Diff, FileDiff, Likeness, diff};
pub use entry::{Entry, Source};
pub use entry_points::EntryPoints;
pub use error::Error;
pub use existing::Existing;
pub use layout::Wheel;
pub use metadata::{Metadata, Texts};
pub use record::{Record, Row};
pub use save::{MadeFile, Packing, copy, save, save_if};
pub use time::EntryTime;
pub use write::{Options, Written, write};
