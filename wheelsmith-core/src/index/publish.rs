//! Writes pages from the state, in an order in which no page ever names a file that does not exist.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::cache::{Cache, PageStamp};
use super::layout::{NEW, PAGES, POINTER, PRIVATE, STATE, STORE, STYLE, simple};
use super::page::Page;
use super::{DistName, Error, Project, Projects, Site, State, View, html, json, store};
use crate::sys::{self, Host, Lock, Stamp};

/// Changes that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Names of files that were added or changed.
    pub added: Vec<String>,
    /// Files that were written or removed, relative to the site, in order. Excludes the store and
    /// the cache.
    pub written: Vec<String>,
    /// Files below the input directory that were not added, sorted by path.
    pub skipped: Vec<Skipped>,
    /// Number of projects in all views.
    pub projects: usize,
    /// Number of files in all views.
    pub files: usize,
}

/// A file that an index does not take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Path relative to the input directory, with `/` between the parts.
    pub path: String,
    /// Reason.
    pub reason: SkipReason,
}

/// Reason why an index does not take a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// It is a distribution or archive of this format, such as `.egg`.
    Format(&'static str),
    /// It has the ending `.whl` or `.tar.gz` in capital letters.
    Capitals(&'static str),
    /// It was not read.
    LeftOut(sys::LeftOut),
    /// It is no distribution.
    Other,
}

impl SkipReason {
    /// Returns the reason why a file of this name is no distribution.
    pub(super) fn of_name(name: &str) -> Self {
        match DistName::foreign_format(name) {
            Some(format) if DistName::is_like(format) => Self::Capitals(format),
            Some(format) => Self::Format(format),
            None => Self::Other,
        }
    }

    /// True if the index may lack a distribution that it was to have.
    pub fn is_loss(&self) -> bool {
        !matches!(self, Self::Other | Self::LeftOut(sys::LeftOut::Hidden))
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const EXCLUDE: &str = "or leave it out with `--exclude`";
        match self {
            Self::Format(format) => write!(
                f,
                "indexes list wheels and `.tar.gz` source distributions, not `{format}`; convert it, \
                 {EXCLUDE}"
            ),
            Self::Capitals(ending) => {
                write!(f, "installers look for `{ending}` in small letters; rename it, {EXCLUDE}")
            }
            Self::LeftOut(sys::LeftOut::NotUtf8) => {
                write!(f, "its name is not UTF-8; rename it")
            }
            Self::LeftOut(sys::LeftOut::DirLink) => {
                write!(f, "links to directories are not followed; copy it, {EXCLUDE}")
            }
            Self::LeftOut(sys::LeftOut::NoFile) => {
                write!(f, "it is a pipe, a socket or a device; remove it, {EXCLUDE}")
            }
            Self::LeftOut(sys::LeftOut::Hidden) => write!(f, "hidden"),
            Self::Other => write!(f, "not a distribution"),
        }
    }
}

/// Style sheet of every site.
const STYLE_TEXT: &str = include_str!("style.css");

/// Files that are the same in every site: the style sheet, the mark that tells static hosts to
/// serve files unchanged, and the ignore file that keeps private files out of repositories.
const FIXED: [(&str, &str); 3] =
    [(STYLE, STYLE_TEXT), (".nojekyll", ""), (".wheelsmith/.gitignore", "*\n")];

impl Site {
    /// Writes the pages of the state.
    ///
    /// # Errors
    /// The pages cannot be written, or the user stopped the command; the next run continues.
    pub fn publish(self, host: &Host) -> Result<Changes, Error> {
        publish(self, host).map(|(changes, _, _)| changes)
    }
}

/// Publishes the state, and returns the changes, the cache of pages, and the lock.
pub(super) fn publish(mut site: Site, host: &Host) -> Result<(Changes, Cache, Lock), Error> {
    let mut state = std::mem::take(&mut site.state);
    // The main view exists even without projects.
    state.views.entry(View::default()).or_default();
    let changes = Changes {
        added: site.added.clone(),
        written: Vec::new(),
        skipped: Vec::new(),
        projects: state.views.values().map(std::collections::BTreeMap::len).sum(),
        files: state.files().count(),
    };
    let text = state.render();
    let is_new = site.was.as_deref() != Some(text.as_str());
    let mut run = Run { site, host, changes, new: None };
    run.forget_new()?;
    for (name, text) in FIXED {
        run.put(name, text.as_bytes())?;
    }
    if is_new {
        run.write(STATE, text.as_bytes())?;
    } else {
        run.clean(STATE)?;
    }
    drop(text);
    for (view, projects) in &state.views {
        run.view(view, projects, &state)?;
    }
    let latest = View::latest();
    if let Some(view) = &state.latest {
        run.view(&latest, &state.views[view], &state)?;
    }
    if let Some(text) = pointer(&state) {
        run.put(POINTER, text.as_bytes())?;
    }
    for view in dead_views(&run.site.root, &state)? {
        run.remove_view(&view, &state)?;
    }
    let store = run.site.root.join(STORE);
    // Only whole directories that a killed run left are removed when files are added.
    let deep = is_new && run.site.added.is_empty();
    store::prune(&store, &mut run.site.staging, &state, deep)?;
    if let Some(text) = run.site.cache.render() {
        let path = run.site.root.join(PRIVATE).join("cache");
        let written = run.site.staging.put(&path, text.as_bytes(), false);
        written.map_err(|e| Error::write(&path, e))?;
    }
    Ok((run.changes, run.site.cache, run.site.lock))
}

struct Run<'h> {
    site: Site,
    host: &'h Host,
    changes: Changes,
    /// Directory of a new view, which is renamed when it is complete. Renaming each page would cost
    /// as much as writing it.
    new: Option<String>,
}

impl Run<'_> {
    /// Writes a file unless it has these bytes.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.site.root.join(name);
        // A file of another length need not be read; a page that grew is the common case.
        let holds = Stamp::of(&path).is_ok_and(|stamp| stamp.size_bytes == bytes.len() as u64)
            && sys::fs::read(&path).is_ok_and(|old| old == bytes);
        if holds {
            return self.clean(name);
        }
        self.write(name, bytes).map(drop)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<Stamp, Error> {
        let path = self.place(name);
        if self.host.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let stamp = if self.new.is_some() {
            self.site.staging.write(&path, bytes)
        } else {
            self.site.staging.put(&path, bytes, name == STATE)
        };
        self.changes.written.push(name.to_owned());
        stamp.map_err(|e| Error::write(&path, e))
    }

    /// Removes the unfinished file of a killed run.
    fn clean(&mut self, name: &str) -> Result<(), Error> {
        let path = self.site.root.join(name);
        self.site.staging.clean(&path).map_err(|e| Error::write(&path, e))
    }

    fn remove(&mut self, name: &str) -> Result<(), Error> {
        let path = self.site.root.join(name);
        self.site.staging.remove(&path).map_err(|e| Error::write(&path, e))?;
        self.changes.written.push(name.to_owned());
        Ok(())
    }

    /// Returns the present path of a file or directory of the site.
    fn place(&self, name: &str) -> PathBuf {
        match self.new.as_deref().and_then(|new| name.strip_prefix(new)) {
            Some(rest) => self.site.root.join(format!("{NEW}{rest}")),
            None => self.site.root.join(name),
        }
    }

    fn make_dir(&mut self, name: &str) -> Result<(), Error> {
        let path = self.place(name);
        self.site.staging.make_dir(&path).map_err(|e| Error::write(&path, e))
    }

    /// Removes the unfinished view of a killed run.
    fn forget_new(&mut self) -> Result<(), Error> {
        let path = self.site.root.join(NEW);
        if !path.is_dir() {
            return Ok(());
        }
        self.site.staging.remove_tree(&path).map_err(|e| Error::write(&path, e))
    }

    /// Renames a complete new view.
    fn finish_new(&mut self) -> Result<(), Error> {
        let Some(dir) = self.new.take() else { return Ok(()) };
        let path = self.site.root.join(dir);
        if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
            self.site.staging.make_dir(parent).map_err(|e| Error::write(parent, e))?;
        }
        let renamed = self.site.staging.rename(&self.site.root.join(NEW), &path);
        renamed.map_err(|e| Error::write(&path, e))
    }

    /// Writes the pages of a view: projects, then their list; then removes pages that are no longer
    /// in the list.
    fn view(&mut self, place: &View, projects: &Projects, state: &State) -> Result<(), Error> {
        let dir = simple(place);
        let path = self.site.root.join(&dir);
        let is_there = if path.is_dir() {
            dirs(&path)?
        } else {
            self.new = Some(dir.clone());
            self.make_dir(&dir)?;
            BTreeSet::new()
        };
        for (name, project) in projects {
            self.project(&dir, place, name, project, state, is_there.contains(name))?;
        }
        let site_url = state.site_url.as_deref();
        let fingerprint = fingerprint(|hasher| {
            (site_url, place).hash(hasher);
            for (name, project) in projects {
                (name, project.status).hash(hasher);
            }
        });
        self.page(&dir, self.new.is_none(), fingerprint, || {
            [html::root(place, projects, site_url), json::root(projects)]
        })?;
        self.finish_new()?;
        for name in is_there.iter().filter(|name| !projects.contains_key(*name)) {
            self.remove_page(&format!("{dir}/{name}"))?;
        }
        Ok(())
    }

    fn project(
        &mut self,
        dir: &str,
        place: &View,
        name: &str,
        project: &Project,
        state: &State,
        is_there: bool,
    ) -> Result<(), Error> {
        let dir = format!("{dir}/{name}");
        if !is_there {
            self.make_dir(&dir)?;
        }
        let site_url = state.site_url.as_deref();
        let fingerprint = fingerprint(|hasher| (site_url, place, name, project).hash(hasher));
        self.page(&dir, is_there, fingerprint, || {
            let page = Page::new(place, site_url, name, project);
            [html::project(&page), json::project(&page)]
        })
    }

    /// Writes both forms of a page, unless the cache shows that both are up to date.
    fn page(
        &mut self,
        dir: &str,
        is_there: bool,
        fingerprint: u64,
        render: impl FnOnce() -> [Vec<u8>; 2],
    ) -> Result<(), Error> {
        if !is_there {
            let [html, json] = render();
            let html = self.write(&format!("{dir}/{}", PAGES[0]), &html)?;
            let json = self.write(&format!("{dir}/{}", PAGES[1]), &json)?;
            let page = PageStamp { fingerprint, files: [html, json] };
            self.site.cache.keep_page(dir.to_owned(), page);
            return Ok(());
        }
        let at = self.site.root.join(dir);
        let places = PAGES.map(|name| at.join(name));
        let stamps = || Some([Stamp::of(&places[0]).ok()?, Stamp::of(&places[1]).ok()?]);
        let known = self.site.cache.page(dir);
        if let Some(known) = known.filter(|known| known.fingerprint == fingerprint)
            && stamps().is_some_and(|files| files == known.files)
        {
            return Ok(());
        }
        for (name, bytes) in PAGES.into_iter().zip(render()) {
            self.put(&format!("{dir}/{name}"), &bytes)?;
        }
        if let Some(files) = stamps() {
            self.site.cache.keep_page(dir.to_owned(), PageStamp { fingerprint, files });
        }
        Ok(())
    }

    /// Removes a page that wheelsmith wrote, and its directory if that is empty.
    fn remove_page(&mut self, dir: &str) -> Result<(), Error> {
        let at = self.site.root.join(dir);
        if !is_ours(&at) {
            return Ok(());
        }
        // The form by which wheelsmith recognises its pages is removed last, so that a later run
        // continues after a killed one.
        for name in PAGES {
            self.clean(&format!("{dir}/{name}"))?;
            self.remove(&format!("{dir}/{name}"))?;
        }
        self.site.staging.remove_dir(&at).map_err(|e| Error::write(&at, e))?;
        self.site.cache.forget_page(dir);
        Ok(())
    }

    /// Removes a view: first empties the list, then removes the projects, then the view.
    fn remove_view(&mut self, view: &View, state: &State) -> Result<(), Error> {
        if view == &View::latest() {
            self.remove(POINTER)?;
        }
        self.view(view, &Projects::new(), state)?;
        self.remove_page(&simple(view))?;
        let mut at = self.site.root.join(view.as_str());
        for _ in 0..view.depth() {
            self.site.staging.remove_dir(&at).map_err(|e| Error::write(&at, e))?;
            at.pop();
        }
        Ok(())
    }
}

/// Returns the text of the file that names the view behind `latest`.
pub(super) fn pointer(state: &State) -> Option<String> {
    let view = state.latest.as_ref()?;
    let place = simple(view);
    Some(format!("{{\"schema\":1,\"view\":\"{view}\",\"simple\":\"{place}/\"}}\n"))
}

/// Returns the fingerprint of a page's data. It is only stored in the cache, which is dropped by
/// every other version.
fn fingerprint(add: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    add(&mut hasher);
    hasher.finish()
}

/// Returns the names of the directories in `dir`.
pub(super) fn dirs(dir: &Path) -> Result<BTreeSet<String>, Error> {
    sys::fs::dir_names(dir).map_err(|e| Error::read(dir, e))
}

/// True if a directory has a JSON page. Pages of other tools may have the same directory names.
pub(super) fn is_ours(dir: &Path) -> bool {
    let page = dir.join(PAGES[1]);
    sys::fs::read(&page).is_ok_and(|bytes| bytes.starts_with(b"{\"meta\":{\"api-version\":"))
}

/// Returns views that are on disk and not in the state.
pub(super) fn dead_views(root: &Path, state: &State) -> Result<Vec<View>, Error> {
    let mut dead = Vec::new();
    let latest = View::latest();
    let is_dead =
        |view: &View| !state.views.contains_key(view) && is_ours(&root.join(simple(view)));
    if state.latest.is_none() && is_dead(&latest) {
        dead.push(latest);
    }
    dead.extend(views(root)?.into_iter().filter(is_dead));
    Ok(dead)
}

/// Returns directories whose names are valid for views.
pub(super) fn views(root: &Path) -> Result<Vec<View>, Error> {
    let (mut views, mut left) = (Vec::new(), vec![String::new()]);
    while let Some(place) = left.pop() {
        for name in dirs(&root.join(&place))? {
            let name = if place.is_empty() { name } else { format!("{place}/{name}") };
            if let Some(view) = name.parse::<View>().ok().filter(|view| !view.is_main()) {
                views.push(view);
                left.push(name);
            }
        }
    }
    Ok(views)
}
