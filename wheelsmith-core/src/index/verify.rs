//! Compares a site with its state.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::layout::{PAGES, POINTER, PRIVATE, STATE, STORE, STYLE, simple, stored_in};
use super::page::Page;
use super::state::File;
use super::{Distribution, Error, Projects, State, View, html, json, publish, site, store};
use crate::name::Digest;
use crate::sys::{self, Host, Lock};

/// A difference between the site and its state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Path relative to the site, with `/` between the parts.
    pub path: String,
    /// Kind of fault.
    pub kind: FaultKind,
    /// Description of the difference.
    pub message: String,
    /// Remedy for the user.
    pub help: &'static str,
}

/// Kind of a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The file is missing.
    Missing,
    /// The file has another digest or size than the state says.
    WrongDigest,
    /// The file cannot be unpacked, or does not match its name.
    Corrupt,
    /// Published metadata differs from the file's own.
    WrongMetadata,
    /// A page differs from the state.
    WrongPage,
    /// The file is not in the state.
    Stray,
    /// The state file is not in the form that wheelsmith writes.
    WrongState,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::WrongDigest => "wrong-digest",
            Self::Corrupt => "corrupt",
            Self::WrongMetadata => "wrong-metadata",
            Self::WrongPage => "wrong-page",
            Self::Stray => "stray",
            Self::WrongState => "wrong-state",
        })
    }
}

const AGAIN: &str = "`wheelsmith index build` writes the pages again";
const BRING_BACK: &str = "add the file again (`wheelsmith index add`), or remove it";
const GO: &str = "the next `wheelsmith index build` removes it";

/// Compares everything in the site at `root` with its state: each file of the store, unpacked, and
/// each page, byte for byte. Files with a `url` are looked for in `elsewhere`, if given.
///
/// # Errors
/// The state is missing or cannot be read, or the user stopped the command.
pub fn verify(root: &Path, elsewhere: Option<&Path>, host: &Host) -> Result<Vec<Fault>, Error> {
    if !root.join(STATE).is_file() {
        return Err(Error::NoIndex { site: root.to_owned() });
    }
    // A read-only site has no writers to wait for.
    let _lock = Lock::acquire(&root.join(PRIVATE).join("lock"), &host.cancel);
    let (state, text) = site::read(root)?;
    let mut run = Run { root, host, faults: Vec::new() };
    if text != state.render() {
        let message = "it is not in the form that wheelsmith writes";
        run.fault(STATE, FaultKind::WrongState, message, "`wheelsmith index build` rewrites it");
    }
    run.store(&state, elsewhere)?;
    run.pages(&state)?;
    run.faults.sort();
    run.faults.dedup();
    Ok(run.faults)
}

struct Run<'h> {
    root: &'h Path,
    host: &'h Host,
    faults: Vec<Fault>,
}

impl Run<'_> {
    fn fault(
        &mut self,
        path: impl Into<String>,
        kind: FaultKind,
        message: impl Into<String>,
        help: &'static str,
    ) {
        self.faults.push(Fault { path: path.into(), kind, message: message.into(), help });
    }

    fn store(&mut self, state: &State, elsewhere: Option<&Path>) -> Result<(), Error> {
        let inside = self.root.join(STORE);
        let strays = store::strays(&inside, state, true)?;
        let mut strays: BTreeMap<String, PathBuf> = strays
            .into_iter()
            .map(|path| {
                (path.strip_prefix(self.root).map_or_else(|_| path.clone(), Path::to_owned), path)
            })
            .map(|(relative, path)| (relative.to_string_lossy().replace('\\', "/"), path))
            .collect();
        let mut files: BTreeMap<(String, &str), &File> = BTreeMap::new();
        for (name, file) in state.files() {
            files.insert((stored_in(&file.sha256), name), file);
        }
        for ((dir, name), file) in files {
            if self.host.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let (base, shown) = match (&file.url, elsewhere) {
                (None, _) => (inside.as_path(), format!("{STORE}/{dir}/{name}")),
                (Some(url), Some(base)) => (base, url.clone()),
                (Some(_), None) => continue,
            };
            let path = base.join(&dir).join(name);
            if path.is_file() {
                self.file(&path, &shown, file)?;
                continue;
            }
            // With a wrong digest in the state, the file would be looked for in the wrong
            // directory.
            let twin = strays.keys().find(|stray| stray.ends_with(&format!("/{name}"))).cloned();
            if let Some(twin) = twin
                && let Ok((digest, _)) = sys::fs::digest(&strays[&twin])
            {
                let message = format!("its sha256 is {digest}; the state says {}", file.sha256);
                strays.retain(|stray, _| !stray.starts_with(&twin));
                self.fault(
                    twin,
                    FaultKind::WrongDigest,
                    message,
                    "restore the file or the state from a copy of the site",
                );
            } else {
                self.fault(shown, FaultKind::Missing, "it is not there", BRING_BACK);
            }
        }
        for stray in strays.into_keys() {
            self.fault(stray, FaultKind::Stray, "no view lists it", "it may be deleted");
        }
        Ok(())
    }

    /// Compares one distribution and the files that are served next to it.
    fn file(&mut self, path: &Path, shown: &str, file: &File) -> Result<(), Error> {
        let (digest, size) = sys::fs::digest(path).map_err(|e| Error::read(path, e))?;
        if digest != file.sha256 {
            let message = format!("its sha256 is {digest}; the state says {}", file.sha256);
            self.fault(shown, FaultKind::WrongDigest, message, BRING_BACK);
            return Ok(());
        }
        if size != file.size_bytes {
            let message = format!("it has {size} bytes; the state says {}", file.size_bytes);
            self.fault(
                shown,
                FaultKind::WrongDigest,
                message,
                "restore the file or the state from a copy of the site",
            );
        }
        let distribution = match Distribution::open(path, self.host) {
            Ok(distribution) => distribution,
            Err(Error::Corrupt { problem, .. }) => {
                self.fault(shown, FaultKind::Corrupt, problem, BRING_BACK);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let inside = distribution.metadata.as_ref().map(Digest::of);
        if distribution.requires_python != file.requires_python {
            let says = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
            let message = format!(
                "its `Requires-Python` is {}; the state says {}",
                says(&distribution.requires_python),
                says(&file.requires_python)
            );
            self.fault(shown, FaultKind::WrongMetadata, message, BRING_BACK);
        }
        for (suffix, wanted, inside) in [
            ("metadata", &file.metadata_sha256, inside),
            ("provenance", &file.provenance_sha256, None),
        ] {
            let Some(wanted) = wanted else { continue };
            let shown = format!("{shown}.{suffix}");
            let mut place = path.as_os_str().to_owned();
            place.push(format!(".{suffix}"));
            match sys::fs::digest(Path::new(&place)) {
                Ok((digest, _)) if digest != *wanted => {
                    let message = format!("its sha256 is {digest}; the state says {wanted}");
                    self.fault(shown, FaultKind::WrongDigest, message, BRING_BACK);
                }
                Ok((digest, _)) if inside.is_some_and(|inside| inside != digest) => {
                    let message = "it is not the METADATA in the wheel";
                    self.fault(shown, FaultKind::WrongMetadata, message, BRING_BACK);
                }
                Ok(_) => {}
                Err(_) => self.fault(shown, FaultKind::Missing, "it is not there", BRING_BACK),
            }
        }
        Ok(())
    }

    fn pages(&mut self, state: &State) -> Result<(), Error> {
        for (view, projects) in &state.views {
            self.view(view, projects, state)?;
        }
        let latest = View::latest();
        if let Some(view) = &state.latest {
            self.view(&latest, &state.views[view], state)?;
        }
        let pointer = publish::pointer(state);
        match (pointer, sys::fs::read(self.root.join(POINTER))) {
            (Some(wanted), Ok(there)) if there == wanted.as_bytes() => {}
            (Some(_), Ok(_)) => {
                self.fault(POINTER, FaultKind::WrongPage, "it points to another view", AGAIN);
            }
            (Some(_), Err(_)) => self.fault(POINTER, FaultKind::Missing, "it is not there", AGAIN),
            (None, Ok(_)) => self.fault(POINTER, FaultKind::Stray, "there is no `latest`", GO),
            (None, Err(_)) => {}
        }
        if !self.root.join(STYLE).is_file() {
            self.fault(STYLE, FaultKind::Missing, "it is not there", AGAIN);
        }
        for view in publish::dead_views(self.root, state)? {
            let message = format!("there is no view `{view}`");
            self.fault(simple(&view), FaultKind::Stray, message, GO);
        }
        Ok(())
    }

    fn view(&mut self, place: &View, projects: &Projects, state: &State) -> Result<(), Error> {
        let dir = simple(place);
        let site_url = state.site_url.as_deref();
        self.page(&dir, [html::root(place, projects, site_url), json::root(projects)]);
        for (name, project) in projects {
            if self.host.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let page = Page::new(place, site_url, name, project);
            self.page(&format!("{dir}/{name}"), [html::project(&page), json::project(&page)]);
        }
        for name in publish::dirs(&self.root.join(&dir)).unwrap_or_default() {
            let at = format!("{dir}/{name}");
            if !projects.contains_key(&name) && publish::is_ours(&self.root.join(&at)) {
                self.fault(at, FaultKind::Stray, "the view has no such project", GO);
            }
        }
        Ok(())
    }

    fn page(&mut self, dir: &str, wanted: [Vec<u8>; 2]) {
        for (name, wanted) in PAGES.into_iter().zip(wanted) {
            let name = format!("{dir}/{name}");
            match sys::fs::read(self.root.join(&name)) {
                Ok(there) if there == wanted => {}
                Ok(_) => {
                    let message = "it differs from the state";
                    self.fault(name, FaultKind::WrongPage, message, AGAIN);
                }
                Err(_) => self.fault(name, FaultKind::Missing, "it is not there", AGAIN),
            }
        }
    }
}
