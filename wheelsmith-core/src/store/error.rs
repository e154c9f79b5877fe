//! Errors of a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::name::Digest;

/// Reason why a store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text does not name a store.
    #[error("cannot open the store `{url}`: {problem}")]
    Url {
        /// Text as given.
        url: String,
        /// Reason.
        problem: String,
    },
    /// There is no store.
    #[error("there is no store in `{url}`")]
    NoStore {
        /// URL or directory.
        url: String,
    },
    /// The service does not keep what a store needs.
    #[error("cannot create a store in `{url}`: {problem}")]
    Unfit {
        /// URL or directory.
        url: String,
        /// Reason.
        problem: String,
    },
    /// An object was written by another version of wheelsmith.
    #[error("`{key}` in the store has schema {schema}, not {}", super::label::SCHEMA)]
    Schema {
        /// Key.
        key: String,
        /// Its schema.
        schema: u32,
    },
    /// An object could not be read, written or listed.
    #[error("cannot {action} `{key}` in the store")]
    Io {
        /// `read`, `write`, `list` or `delete`.
        action: &'static str,
        /// Key.
        key: String,
        /// Cause.
        source: io::Error,
    },
    /// A file outside the store could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Its path.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// An object that something refers to is absent.
    #[error("the store does not have {what} `{key}`")]
    Absent {
        /// `the set` or `the file`.
        what: &'static str,
        /// Key or name.
        key: String,
    },
    /// An object does not have the content that its name states.
    #[error("`{key}` in the store is damaged: {problem}")]
    Corrupt {
        /// Key.
        key: String,
        /// Description of the problem.
        problem: String,
    },
    /// The key was written before, with other content.
    #[error("`{key}` in the store refers to {there}, and cannot be changed to {given}")]
    Conflict {
        /// Key.
        key: String,
        /// Name of the set, or the content, that is there.
        there: String,
        /// Name of the set, or the content, that was given.
        given: String,
    },
    /// Another process changed a channel at the same time.
    #[error("another process changed `{key}` in the store at the same time")]
    Moved {
        /// Key.
        key: String,
    },
    /// A set cannot be stored.
    #[error("cannot store the set: {problem}")]
    Set {
        /// Description of the problem.
        problem: String,
    },
    /// A bundle is damaged, or contains something else.
    #[error("cannot import `{}`: {problem}", path.display())]
    Bundle {
        /// Its path.
        path: PathBuf,
        /// Description of the problem.
        problem: String,
    },
    /// The list of garbage is another one than that of the dry run.
    #[error("the list of what would be deleted changed: its digest is {now}, not {given}")]
    Garbage {
        /// Digest as given.
        given: Digest,
        /// Digest of the present list.
        now: Digest,
    },
    /// The store can only be read.
    #[error("cannot write to the store `{url}`: it can only be read")]
    ReadOnly {
        /// URL.
        url: String,
    },
    /// The user stopped the command.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoStore { url } => format!("create it with `wheelsmith store init {url}`"),
            Self::Url { .. } => "name a directory, also one of a file server".to_owned(),
            Self::Corrupt { key, .. } if !key.starts_with("cas/") && !key.starts_with("sets/") => {
                format!("delete `{key}` in the store, and store what it is for again")
            }
            Self::Corrupt { .. } => {
                "`wheelsmith store verify` lists all damaged objects; store the file again to \
                 replace a damaged one"
                    .to_owned()
            }
            Self::Conflict { .. } => {
                "a reference is written once: build from another commit, or find out why the same \
                 commit gave other bytes with `wheelsmith store diff`"
                    .to_owned()
            }
            Self::Garbage { .. } => {
                "run `wheelsmith store gc` again, read its list, and give its digest".to_owned()
            }
            Self::Moved { .. } => "run the command again".to_owned(),
            Self::Schema { .. } => "use the version of wheelsmith that wrote it".to_owned(),
            _ => return None,
        })
    }
}
