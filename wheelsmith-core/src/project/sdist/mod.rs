//! A source distribution: everything that a wheel is built from, and what it is (`PKG-INFO`).
//!
//! Sources that come from archives and registries stay where they are; the lock pins them.

mod archive;
mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component as Part, Path};

use self::archive::Content;
use super::tree::Tree;
use super::{CONFIG_FILES, Error, Project, build, data, pack, python_files};
use crate::build::inputs;
use crate::config::{Component, Kind, Source, SourcePath, VersionSource};
use crate::metadata::project_table::ProjectTable;
use crate::name::Digest;
use crate::runtime::ARCHIVE_EPOCH;
use crate::source::LOCK_FILE;
use crate::sys::{self, Host};
use crate::vcs::{self, Which};
use crate::version::PKG_INFO;
use crate::wheel::MadeFile;

/// What never belongs to the sources: results of builds.
const RESULTS: [&str; 2] = ["target/", "dist/"];

/// Writes the source distribution of `project` to `out`.
pub(super) fn make(project: &Project, out: &Path, host: &Host) -> Result<MadeFile, Error> {
    let Some(raw) = &project.config.project else {
        let help = "add `[project]` with `name` and `version` (PEP 621)".to_owned();
        let message = "a source distribution needs a `[project]` table".to_owned();
        return Err(project.config.problem("project", message, Some(help)).into());
    };
    // Two builds would write the same lock.
    let _lock = build::lock(project, host)?;
    let task = host.task(format!("pack the sources of {}", raw.name), 0);
    let sdist = Sdist { project, raw, host };
    let mut files = sdist.selected()?;
    // Where results go is no source either, unless they go beside the sources.
    let below = sys::fs::canonicalize(out).ok();
    let below = below.as_deref().and_then(|out| out.strip_prefix(&project.dir).ok());
    if let Some(below) = below.filter(|below| !below.as_os_str().is_empty()) {
        files.retain(|file| !Path::new(file).starts_with(below));
    }
    sdist.add_needed(&mut files)?;
    let mut contents: BTreeMap<String, Content> = BTreeMap::new();
    for file in files {
        let path = project.dir.join(&file);
        contents.insert(file, Content::File(path));
    }
    let metadata = pack::metadata(project, raw, &[])?;
    // A wheel adds the licences of the components that it carries.
    let has_more = project.config.components.iter().any(|c| !c.license_files.is_empty());
    let dynamic: &[&str] = if has_more { &["License-File"] } else { &[] };
    let info = metadata.render_for_sdist(dynamic);
    contents.insert(PKG_INFO.to_owned(), Content::Bytes(info.into_bytes()));

    let stem = format!("{}-{}", raw.name.escaped(), metadata.version());
    let path = out.join(format!("{stem}.tar.gz"));
    let write = || {
        let epoch = pack::epoch(host).unwrap_or(ARCHIVE_EPOCH);
        let bytes = archive::write(&contents, &stem, epoch)?;
        sys::fs::write_atomic(&path, &bytes)?;
        Ok(bytes)
    };
    let bytes = write().map_err(|e| Error::io("write the source distribution", e))?;
    task.finish(format!("{} files", contents.len()));
    Ok(MadeFile { path, size_bytes: bytes.len() as u64, sha256: Digest::of(&bytes) })
}

/// A source distribution that is being put together.
struct Sdist<'a> {
    project: &'a Project,
    raw: &'a ProjectTable,
    host: &'a Host,
}

impl Sdist<'_> {
    /// The files that are taken because they are the project's.
    fn selected(&self) -> Result<BTreeSet<String>, Error> {
        let dir = &self.project.dir;
        let settings = &self.project.config.sdist;
        let unreadable = |e| Error::io("read the sources", e);
        // Of a source distribution that was unpacked, all is taken again.
        let is_unpacked = self.project.is_unpacked_sdist();
        let tree = Tree::new(dir, dir, is_unpacked, self.host);
        let mut files = BTreeSet::new();
        if let Some(include) = &settings.include {
            let key = "tool.wheelsmith.sdist.include";
            for (i, pattern) in include.iter().enumerate() {
                let glob =
                    python_files::glob(&self.project.config, &format!("{key}[{i}]"), pattern)?;
                let found = tree.candidates(pattern).map_err(unreadable)?.into_iter();
                let mut found = found.filter(|file| glob.is_match(&file.relative)).peekable();
                if found.peek().is_none() {
                    self.warn_of_nothing("include", pattern);
                }
                files.extend(found.map(|file| file.relative));
            }
        } else if let Some(tracked) = self.tracked(is_unpacked) {
            // What is tracked may have been removed, or be a link to a directory.
            files.extend(tracked.into_iter().filter(|file| dir.join(file).is_file()));
        } else {
            files.extend(tree.below("").map_err(unreadable)?.into_iter().map(|f| f.relative));
        }
        files.retain(|file| !RESULTS.iter().any(|result| file.starts_with(result)));
        files.remove(PKG_INFO);
        for (i, pattern) in settings.exclude.iter().enumerate() {
            let key = format!("tool.wheelsmith.sdist.exclude[{i}]");
            let glob = python_files::glob(&self.project.config, &key, pattern)?;
            let count = files.len();
            files.retain(|file| !glob.is_match(file));
            if files.len() == count {
                self.warn_of_nothing("exclude", pattern);
            }
        }
        Ok(files)
    }

    fn warn_of_nothing(&self, key: &str, pattern: &str) {
        let file = &self.project.config.file;
        self.host.warn(format!("`{file}`: `{pattern}` of `sdist.{key}` names no file"));
    }

    /// What version control tracks, where it tracks the configuration.
    fn tracked(&self, is_unpacked: bool) -> Option<BTreeSet<String>> {
        let dir = &self.project.dir;
        let tracked = vcs::files(Which::Tracked, dir, self.host).filter(|_| !is_unpacked)?;
        if !tracked.contains(&self.project.config.file) {
            return None;
        }
        let untracked = vcs::files(Which::Untracked, dir, self.host).unwrap_or_default();
        let is_source = |file: &&String| !RESULTS.iter().any(|result| file.starts_with(result));
        let left: Vec<&str> = untracked.iter().filter(is_source).map(String::as_str).collect();
        if let [first, ..] = left[..] {
            let more = match left.len() {
                1 => format!("`{first}`, which is"),
                n => format!("`{first}` and {} more files, which are", n - 1),
            };
            self.host.warn(format!(
                "the source distribution has not {more} neither tracked nor ignored by git"
            ));
        }
        Some(tracked)
    }

    /// Files without which nothing can be built from it, whether or not they were selected.
    fn add_needed(&self, files: &mut BTreeSet<String>) -> Result<(), Error> {
        let config = &self.project.config;
        let dir = &self.project.dir;
        if !dir.join("pyproject.toml").is_file() {
            let message = "a source distribution needs a `pyproject.toml` beside it".to_owned();
            let help = "with `[build-system]`: `requires = [\"wheelsmith-build\"]` and `build-backend = \
                        \"wheelsmith_build\"`";
            return Err(config.problem("project", message, Some(help.to_owned())).into());
        }
        let present = CONFIG_FILES.into_iter().filter(|name| dir.join(name).is_file());
        files.extend(present.map(str::to_owned));
        if let Some(readme) = self.raw.readme_file() {
            files.insert(self.inside("project.readme", readme)?);
        }
        let (globs, must_match) = self.raw.license_globs();
        for glob in globs {
            let key = "project.license-files";
            let bad = |e: crate::name::ParseError| config.problem(key, e.to_string(), None);
            let pattern: SourcePath = glob.parse().map_err(bad)?;
            match inputs::expand(config, key, &[pattern], &[], dir, dir) {
                Ok(found) => files.extend(found.into_iter().map(|file| file.relative)),
                Err(_) if !must_match => {}
                Err(error) => return Err(error.into()),
            }
        }
        match &config.version {
            Some(
                VersionSource::Cargo { manifest: file } | VersionSource::Python { path: file, .. },
            ) => {
                files.insert(self.inside("tool.wheelsmith.version", file)?);
            }
            Some(VersionSource::Vcs(_)) | None => {}
        }
        for component in &config.components {
            self.add_component(component, files)?;
            self.add_named(component, files)?;
        }
        for wheel in &config.wheels {
            for file in data::files(self.project, wheel, self.host)? {
                files.insert(self.inside(&file.key, &file.relative)?);
            }
        }
        if dir.join(LOCK_FILE).is_file() {
            files.insert(LOCK_FILE.to_owned());
        } else if let Some(component) = config.components.iter().find(|c| needs_lock(c)) {
            let message = format!("`{LOCK_FILE}` is missing, which pins this source");
            let help = "run `wheelsmith fetch`, and commit the lock".to_owned();
            let key = format!("{}.source", component.key);
            return Err(config.problem(&key, message, Some(help)).into());
        }
        Ok(())
    }

    fn add_component(
        &self,
        component: &Component,
        files: &mut BTreeSet<String>,
    ) -> Result<(), Error> {
        let key = format!("{}.source", component.key);
        let root = match &component.source {
            Source::Path(path) => {
                self.inside(&key, path)?;
                if path == "." { String::new() } else { format!("{}/", path.trim_end_matches('/')) }
            }
            Source::Archive { location, .. } => {
                if !Source::is_url(location) {
                    files.insert(self.inside(&key, location)?);
                }
                return Ok(());
            }
            Source::Crate { .. } => return Ok(()),
        };
        if let Kind::Cargo(cargo) = &component.kind {
            let root = if cargo.manifest.from_project { "" } else { root.as_str() };
            let key = format!("{}.manifest", component.key);
            let manifest = self.inside(&key, &format!("{root}{}", cargo.manifest.path))?;
            // Where `locked` counts, cargo builds nothing without it.
            let dirs = Path::new(&manifest).ancestors().skip(1);
            let locks = dirs.map(|dir| dir.join("Cargo.lock"));
            let lock = locks.into_iter().find(|lock| self.project.dir.join(lock).is_file());
            files.extend(lock.map(|lock| lock.to_string_lossy().replace('\\', "/")));
            files.insert(manifest);
        }
        if let Kind::Prebuilt(prebuilt) = &component.kind {
            for (source, _) in prebuilt.archives.values() {
                match source {
                    Source::Archive { location, .. } if !Source::is_url(location) => {
                        files.insert(self.inside(&key, location)?);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What the component names behind `{project}/`: files, all that a glob matches, all that is
    /// in a directory. What is not there is missed by the build as well, which says so.
    fn add_named(&self, component: &Component, files: &mut BTreeSet<String>) -> Result<(), Error> {
        let dir = &self.project.dir;
        let tree = Tree::new(dir, dir, self.project.is_unpacked_sdist(), self.host);
        for pattern in named::named(component) {
            let pattern = self.inside(&component.key, &pattern)?;
            let glob = python_files::glob(&self.project.config, &component.key, &pattern)?;
            let found = if dir.join(&pattern).is_dir() {
                tree.below(&pattern)
            } else {
                tree.candidates(&pattern)
            };
            let found = found.map_err(|e| Error::io("read the sources", e))?.into_iter();
            let below = format!("{pattern}/");
            let is_named =
                |file: &String| glob.is_match(file) || *file == pattern || file.starts_with(&below);
            files.extend(found.map(|file| file.relative).filter(is_named));
        }
        Ok(())
    }

    /// `path`, if it lies below the project.
    fn inside(&self, key: &str, path: &str) -> Result<String, Error> {
        let plain = |part: &Part<'_>| matches!(part, Part::Normal(_) | Part::CurDir);
        if Path::new(path).components().all(|part| plain(&part)) {
            let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
            return Ok(parts.collect::<Vec<_>>().join("/"));
        }
        let message =
            format!("`{path}` is not below the project: no source distribution can have it");
        let help = "move it, or the configuration, so that one directory holds both".to_owned();
        Err(self.project.config.problem(key, message, Some(help)).into())
    }
}

/// Whether nothing but the lock pins the component's source.
fn needs_lock(component: &Component) -> bool {
    match &component.source {
        Source::Crate { .. } => true,
        Source::Archive { sha256, location, .. } => sha256.is_none() && Source::is_url(location),
        Source::Path(_) => false,
    }
}
