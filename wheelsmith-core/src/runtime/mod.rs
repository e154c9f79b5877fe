//! The runtime directory: the files that were built for one target, laid out and described, from which
//! wheels and other packages are made.

mod archive;
mod manifest;
mod universal;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

pub use archive::{ARCHIVE_EPOCH, write_archive};
pub use manifest::{ComponentInfo, FileEntry, MANIFEST_FILE, Manifest, NativeFacts, SCHEMA};
pub use universal::create_universal;

use crate::build::Built;
use crate::config::Role;
use crate::name::{Digest, Target, WheelPath};
use crate::patch;
use crate::sys::{self, Staging};

/// Why a runtime directory could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two components have the same path.
    #[error("cannot lay out the runtime: components `{first}` and `{second}` both have `{path}`")]
    Conflict {
        /// Path.
        path: String,
        /// The component that has it.
        first: String,
        /// The other one.
        second: String,
    },
    /// A file differs between processors and is none that could be for several.
    #[error("cannot make `{path}` of component `{component}` one file for all processors")]
    Universal {
        /// Where it would be.
        path: String,
        /// Name of the component.
        component: String,
        /// Why not.
        #[source]
        source: patch::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Action that failed.
        doing: String,
        /// Why, with the path.
        #[source]
        source: io::Error,
    },
}

impl Error {
    fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }
}

/// A runtime directory and its manifest.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Directory, which contains [`MANIFEST_FILE`].
    pub dir: PathBuf,
    /// Manifest.
    pub manifest: Manifest,
}

impl Runtime {
    /// Returns the components whose files a package of `components` contains: these, and the shared
    /// C++ runtime if one of their files needs it.
    pub fn carried<'r>(
        &'r self,
        components: impl IntoIterator<Item = &'r String>,
    ) -> BTreeSet<&'r str> {
        self.manifest.carried(components)
    }

    /// Returns the location of the file at `path` on disk.
    pub fn path(&self, path: &WheelPath) -> PathBuf {
        self.dir.join(path.as_str())
    }
}

/// Identity of a runtime.
#[derive(Debug, Clone)]
pub struct Identity<'a> {
    /// The project's name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Target with its floor.
    pub target: Target,
    /// Toolchain, without paths of this machine.
    pub toolchain: String,
}

/// Lays `built` out in `dir` and describes it. A directory that is already so is left alone.
///
/// # Errors
/// Returns an error if two components have one path, or if a file cannot be written.
pub fn assemble(identity: &Identity<'_>, built: &[Built], dir: &Path) -> Result<Runtime, Error> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut files = Vec::new();
    let mut contents = BTreeMap::new();
    for component in built {
        for file in &component.files {
            let paths = std::iter::once(file.to.as_str());
            for path in paths {
                if let Some(first) = owners.insert(path, &component.name) {
                    return Err(Error::Conflict {
                        path: path.to_owned(),
                        first: first.to_owned(),
                        second: component.name.clone(),
                    });
                }
            }
            let bytes =
                sys::fs::read(&file.path).map_err(|e| Error::io("read what was built", e))?;
            files.push(FileEntry::describe(file, &component.name, &bytes));
            contents.insert(file.to.clone(), Content::File(file.path.clone()));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = Manifest::new(identity, built, files);
    write(Runtime { dir: dir.to_owned(), manifest }, &contents)
}

/// Content of a file.
enum Content {
    /// A copy of this file.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Writes the files of the manifest, unless they are there already.
fn write(runtime: Runtime, contents: &BTreeMap<WheelPath, Content>) -> Result<Runtime, Error> {
    let text = runtime.manifest.to_json();
    if is_already(&runtime, &text) {
        return Ok(runtime);
    }
    let lay_out = || -> io::Result<()> {
        let unfinished = sys::fs::UnfinishedDir::create(&runtime.dir)?;
        for file in &runtime.manifest.files {
            let place = unfinished.path().join(file.path.as_str());
            let parent = place.parent().unwrap_or(unfinished.path());
            sys::fs::create_dir_all(parent)?;
            match &contents[&file.path] {
                Content::File(source) => {
                    let is_it = |digest: &Digest, _: u64| *digest == file.sha256;
                    if !Staging::default().copy(source, &place, is_it)? {
                        let text = format!("`{}` changed while it was copied", source.display());
                        return Err(io::Error::other(text));
                    }
                }
                Content::Bytes(bytes) => drop(sys::fs::write_atomic(&place, bytes)?),
            }
            sys::fs::set_executable(&place, file.is_executable())?;
            for alias in &file.aliases {
                sys::fs::symlink(file.path.file_name(), &parent.join(alias))?;
            }
        }
        sys::fs::write_atomic(&unfinished.path().join(MANIFEST_FILE), text.as_bytes())?;
        unfinished.finish()
    };
    lay_out().map_err(|e| Error::io("lay out the runtime directory", e))?;
    Ok(runtime)
}

/// Returns whether the directory has the same manifest, and files of the same content.
fn is_already(runtime: &Runtime, text: &str) -> bool {
    let same_text =
        sys::fs::read_to_string(runtime.dir.join(MANIFEST_FILE)).is_ok_and(|old| old == text);
    same_text
        && runtime.manifest.files.iter().all(|file| {
            let place = runtime.path(&file.path);
            sys::fs::digest(&place).is_ok_and(|(digest, _)| digest == file.sha256)
        })
}

/// Returns the mode of a file of this role.
fn mode(role: Role) -> u32 {
    match role {
        Role::Executable | Role::SharedLibrary | Role::Extension | Role::NodeAddon => 0o755,
        _ => 0o644,
    }
}
