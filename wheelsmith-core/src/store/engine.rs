//! The operations that a service must have to hold a store.

use std::fmt;
use std::io::Read;

use super::body::Body;
use super::error::Error;
use super::key::Key;
use crate::sys::Lock;

/// Content of an object.
pub struct Content {
    /// Size in bytes, as the service states it.
    pub size_bytes: u64,
    /// Bytes. They are not verified.
    pub reader: Box<dyn Read + Send>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// Object in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Key.
    pub key: Key,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Time of its last change, in seconds since 1970; `None` if the service does not state it.
    pub modified: Option<u64>,
}

/// Result of writing a key that must be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// This call created it.
    Created,
    /// It exists. Nothing was written.
    Exists,
}

/// Service that holds the objects of a store. All calls block, and may come from several threads.
pub trait Engine: Send + Sync + fmt::Debug {
    /// Opens an object; `None` if it is absent.
    ///
    /// # Errors
    /// Returns an error if the service cannot be reached or refuses.
    fn get(&self, key: &Key) -> Result<Option<Content>, Error>;

    /// Writes an object that does not exist. Of several calls at once, in any process, exactly one
    /// creates it. The object is complete and durable when the call returns.
    ///
    /// # Errors
    /// As [`Engine::get`], or if the content does not have its digest.
    fn put(&self, key: &Key, body: &Body<'_>) -> Result<Put, Error>;

    /// Writes an object, and replaces one that exists. Readers see the old or the new one.
    ///
    /// # Errors
    /// As [`Engine::put`].
    fn replace(&self, key: &Key, body: &Body<'_>) -> Result<(), Error>;

    /// Makes an object young, as if it had been written now, if the service permits it. An absent one
    /// is no error.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn refresh(&self, key: &Key) -> Result<(), Error>;

    /// Returns the size and time of an object; `None` if it is absent.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn head(&self, key: &Key) -> Result<Option<Entry>, Error>;

    /// Calls `each` with every object whose key begins with `prefix`, in no order.
    ///
    /// # Errors
    /// As [`Engine::get`], or the error of `each`.
    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Writes `new` if the object has the content `old`; `None` for an absent one. Returns false if it
    /// has another content, and writes nothing.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn swap(&self, key: &Key, old: Option<&[u8]>, new: &[u8]) -> Result<bool, Error>;

    /// Returns a lock that writers share, and that excludes them if `exclusive`; `None` if the service
    /// has no locks.
    ///
    /// # Errors
    /// Returns an error if it cannot be acquired.
    fn hold(&self, exclusive: bool) -> Result<Option<Lock>, Error> {
        let _ = exclusive;
        Ok(None)
    }

    /// Deletes an object. An absent one is no error.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn delete(&self, key: &Key) -> Result<(), Error>;
}
