//! Components of a project that are taken from a store, and given to it.

use std::path::Path;

use super::{Error, Project};
use crate::build::Reuse;
use crate::name::Digest;
use crate::plan::{BuildOptions, StoreOptions};
use crate::store::{self, FileKind, Key, Label, Set, SetId, Store, StoredFile};
use crate::sys::Host;

/// Store of a build.
pub(super) struct StoreReuse {
    store: Store,
    push: bool,
    /// Set without files, with the name and version of the project.
    set: Set,
    host: Host,
}

impl StoreReuse {
    /// Opens the store of the options, if they name one.
    pub(super) fn open(project: &Project, options: &BuildOptions) -> Result<Option<Self>, Error> {
        let Some(StoreOptions { url, push }) = &options.store else { return Ok(None) };
        let host = project.host.clone();
        let store = Store::open_with(url, &host)?;
        let set = identity(project)?;
        Ok(Some(Self { store, push: *push, set, host }))
    }

    fn miss(&self, component: &str, error: &store::Error) {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            reason = format!("{reason}: {source}");
        }
        self.host.warn(format!("{component} is not taken from the store: {reason}"));
    }
}

/// Returns a set without files, with the name and version of the project.
pub(super) fn identity(project: &Project) -> Result<Set, Error> {
    let (name, version) = project.identity();
    let label = |text: String| {
        text.parse::<Label>().map_err(|e| store::Error::Set { problem: e.to_string() })
    };
    Ok(Set::new(label(name)?, label(version)?, Label::any()))
}

impl Reuse for StoreReuse {
    fn take(&self, key: &Digest, component: &str, dir: &Path) -> bool {
        let set = match self.store.referred(&Key::inputs(key)) {
            Ok(Some((_, set))) => set,
            Ok(None) => return false,
            Err(error) => {
                self.miss(component, &error);
                return false;
            }
        };
        let taken = self.store.fetch_set(&set, dir);
        if let Err(error) = &taken {
            self.miss(component, error);
        }
        taken.is_ok()
    }

    fn is_giving(&self) -> bool {
        self.push
    }

    fn give(&self, key: &Digest, component: &str, dir: &Path) {
        let give = || {
            let mut set = self.set.clone();
            set.inputs = Some(SetId(*key));
            set.files = store::describe(dir, Some(FileKind::Runtime), &set, &self.host)?;
            let path = |file: &StoredFile| dir.join(file.path.as_str());
            self.store.publish(&set, &[Key::inputs(key)], path)
        };
        if let Err(error) = give() {
            let source = std::error::Error::source(&error);
            let source = source.map(|source| format!(": {source}")).unwrap_or_default();
            self.host.warn(format!("{component} is not stored: {error}{source}"));
        }
    }
}
