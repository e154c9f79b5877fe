//! A store of finished files: built once, found by digest, by commit and by the inputs of a build.
//!
//! A *set* is one manifest that names every file of a build by digest; the digest of the manifest is
//! the name of the set. *References* point at sets and are written once: for a commit, for inputs, for a
//! release. A *channel* points at a release, and is the only key that changes. Writers store files,
//! then the set, then the reference, each acknowledged before the next: a killed writer leaves
//! garbage, never a reference to something that is absent.
//!
//! ```
//! use wheelsmith_core::store::Store;
//!
//! # let dir = std::env::temp_dir().join(format!("wheelsmith-store-doc-{}", std::process::id()));
//! # let url = dir.display().to_string();
//! Store::init(&url)?;
//! let store = Store::open(&url)?;
//! assert!(store.commits()?.is_empty());
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod bundle;
mod describe;
mod diff;
mod directory;
mod engine;
mod error;
mod gc;
mod json;
mod key;
mod label;
mod open;
mod reference;
mod set;
#[cfg(test)]
mod tests;
mod verify;

pub use body::Body;
pub use describe::describe;
pub use diff::{FileDiff, SetDiff, diff};
pub use engine::{Content, Engine, Entry, Put};
pub use error::Error;
pub use gc::Garbage;
pub use json::Versioned;
pub use key::Key;
pub use label::{CommitId, Label, SetId};
pub use open::{Sent, Store};
pub use reference::{Channel, Reference, ReleaseReference};
pub use set::{FileKind, Mode, SCHEMA, Set, StoredFile};
pub use verify::{StoreFault, Verified};

#[cfg(feature = "schema")]
pub use reference::{channel_schema, reference_schema, release_schema};
#[cfg(feature = "schema")]
pub use set::schema;
