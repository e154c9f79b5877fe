//! Writes a source distribution: the files from which wheels are built, and `PKG-INFO`.
//!
//! Sources from archives and registries are not included; the lock pins them.

mod archive;
mod named;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component as Part, Path};

use self::archive::Content;
use super::epoch::epoch;
use super::tree::{Listing, MissingPath, Tree, is_junk};
use super::{CONFIG_FILES, Error, Project, build, data, pack, python_files};
use crate::build::inputs;
use crate::config::{Component, GitSource, Kind, Source, SourcePath, VersionSource, Wheel};
use crate::metadata::project_table::ProjectTable;
use crate::name::Digest;
use crate::runtime::ARCHIVE_EPOCH;
use crate::source::LOCK_FILE;
use crate::sys::{self, Host};
use crate::vcs::Checkout;
use crate::version::PKG_INFO;
use crate::version::commit::STAMP;
use crate::wheel::MadeFile;

/// True for paths in the directories of build results. A file there is a source only if git tracks
/// it, or the configuration names it.
fn is_result(path: &str) -> bool {
    path.starts_with("target/") || path.starts_with("dist/")
}

/// Writes the source distribution of `project` to `out`.
pub(super) fn make(project: &Project, out: &Path, host: &Host) -> Result<MadeFile, Error> {
    let Some(raw) = &project.config.project else {
        let help = "add `[project]` with `name` and `version` (PEP 621)".to_owned();
        let message = "a source distribution needs a `[project]` table".to_owned();
        return Err(project.config.problem("project", message, Some(help)).into());
    };
    // Concurrent builds would write the same lock file.
    let _lock = build::lock(project, host)?;
    let task = host.task(format!("pack the sources of {}", raw.name), 0);
    let is_unpacked = project.is_unpacked_sdist(host)?;
    let tree = Tree::new(&project.dir, &project.dir, is_unpacked, host);
    let sdist = Sdist { project, raw, host, tree, is_unpacked };
    let mut files = sdist.selected()?;
    // The output directory is not a source, unless it is the project itself.
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
    // Wheels contain the licences of their components too.
    let has_more = project.config.components.iter().any(|c| !c.license_files.is_empty());
    let dynamic: &[&str] = if has_more { &["License-File"] } else { &[] };
    let info = metadata.render_for_sdist(dynamic);
    contents.insert(PKG_INFO.to_owned(), Content::Bytes(info.into_bytes()));
    if let Some(commit) = project.commit.as_ref().filter(|commit| commit.is_known) {
        contents.insert(STAMP.to_owned(), Content::Bytes(commit.stamp().into_bytes()));
    }

    let stem = format!("{}-{}", raw.name.escaped(), metadata.version());
    let path = out.join(format!("{stem}.tar.gz"));
    let write = || {
        let epoch = epoch(host).unwrap_or(ARCHIVE_EPOCH);
        let bytes = archive::write(&contents, &stem, epoch)?;
        sys::fs::write_atomic(&path, &bytes)?;
        sys::fs::sweep(out)?;
        Ok(bytes)
    };
    let bytes = write().map_err(|e| Error::io("write the source distribution", e))?;
    task.finish(format!("{} files", contents.len()));
    Ok(MadeFile { path, size_bytes: bytes.len() as u64, sha256: Digest::of(&bytes) })
}

/// A source distribution that is being assembled.
struct Sdist<'a> {
    project: &'a Project,
    raw: &'a ProjectTable,
    host: &'a Host,
    tree: Tree<'a>,
    /// True if the project itself was unpacked from a source distribution.
    is_unpacked: bool,
}

impl Sdist<'_> {
    /// Returns the files that belong to the project, or those that the configuration includes.
    fn selected(&self) -> Result<BTreeSet<String>, Error> {
        let dir = &self.project.dir;
        let settings = &self.project.config.sdist;
        let mut gaps: Vec<MissingPath> = Vec::new();
        let mut files = BTreeSet::new();
        if let Some(include) = &settings.include {
            for (i, pattern) in include.iter().enumerate() {
                let key = format!("tool.wheelsmith.sdist.include[{i}]");
                let glob = python_files::glob(&self.project.config, &key, pattern)?;
                let listing = self.tree.candidates(pattern)?;
                let found = listing.files.iter().filter(|file| {
                    glob.is_match(&file.relative)
                        && (!python_files::is_glob(pattern) || !is_result(&file.relative))
                });
                let mut found = found.peekable();
                if found.peek().is_none() {
                    self.warn_of_unmatched("include", pattern);
                }
                files.extend(found.map(|file| file.relative.clone()));
                let matches = |gap: &&MissingPath| {
                    ["", "/x"].iter().any(|end| glob.is_match(format!("{}{end}", gap.relative)))
                };
                gaps.extend(listing.gaps.iter().filter(matches).cloned());
            }
        } else {
            let listing = self.listing()?;
            files.extend(listing.files.iter().map(|file| file.relative.clone()));
            gaps.extend(listing.gaps.iter().filter(|gap| !gap.is_untracked).cloned());
        }
        files.remove(PKG_INFO);
        for (i, pattern) in settings.exclude.iter().enumerate() {
            let key = format!("tool.wheelsmith.sdist.exclude[{i}]");
            let glob = python_files::glob(&self.project.config, &key, pattern)?;
            let count = files.len() + gaps.len();
            files.retain(|file| !glob.is_match(file));
            gaps.retain(|gap| {
                !["", "/x"].iter().any(|end| glob.is_match(format!("{}{end}", gap.relative)))
            });
            if files.len() + gaps.len() == count {
                self.warn_of_unmatched("exclude", pattern);
            }
        }
        if let Some(MissingPath { relative, reason, help, .. }) = gaps.first() {
            let message = format!("`{relative}` of `{}` {reason}", dir.display());
            let key = "tool.wheelsmith.sdist";
            return Err(self.project.config.problem(key, message, Some((*help).into())).into());
        }
        Ok(files)
    }

    fn warn_of_unmatched(&self, key: &str, pattern: &str) {
        let file = &self.project.config.file;
        self.host.warn(format!("`{file}`: `{pattern}` of `sdist.{key}` names no file"));
    }

    /// Returns the files that are included without `sdist.include`: those that git tracks; in an
    /// unpacked source distribution or without a repository, those that are not build results.
    ///
    /// # Errors
    /// Returns an error if the repository of the project cannot be read, or does not track the
    /// configuration: otherwise every file would be included, even secrets.
    fn listing(&self) -> Result<Listing, Error> {
        let config = &self.project.config;
        match self.project.checkout(self.host)? {
            Checkout::Unreadable(error) => return Err(error.into()),
            Checkout::Untracked(repository) => {
                let (file, root) = (&config.file, repository.root.display());
                let message = format!("git does not track `{file}` in the repository `{root}`");
                let help = "`git add` the project's files, or list them in `sdist.include`";
                let key = "tool.wheelsmith.sdist";
                return Err(config.problem(key, message, Some(help.to_owned())).into());
            }
            Checkout::Repository(_) => {}
            Checkout::Sdist | Checkout::Plain => {
                let mut listing = (*self.tree.below("")?).clone();
                let is_junk = |path: &str| is_result(path) || (!self.is_unpacked && is_junk(path));
                let junk = listing.files.extract_if(.., |file| is_junk(&file.relative));
                let junk: Vec<String> = junk.map(|file| file.relative).collect();
                let secrets = junk.iter().filter(|file| !is_result(file));
                self.warn_of_omitted(
                    &secrets.map(String::as_str).collect::<Vec<_>>(),
                    "left out by name",
                );
                return Ok(listing);
            }
        }
        let mut listing = (*self.tree.below("")?).clone();
        let untracked = listing.files.extract_if(.., |file| file.is_untracked);
        let left: Vec<String> = untracked.map(|file| file.relative).collect();
        let left: Vec<&str> = left.iter().map(String::as_str).filter(|f| !is_result(f)).collect();
        self.warn_of_omitted(&left, "neither tracked nor ignored by git");
        Ok(listing)
    }

    fn warn_of_omitted(&self, files: &[&str], why: &str) {
        let [first, ..] = files else { return };
        let more = match files.len() {
            1 => format!("`{first}`, which is"),
            n => format!("`{first}` and {} more files, which are", n - 1),
        };
        self.host.warn(format!("the source distribution lacks {more} {why}"));
    }

    /// Adds the files that a build requires, whether or not they were selected.
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
                VersionSource::Cargo { manifest: file }
                | VersionSource::Python { path: file, .. }
                | VersionSource::Toml { path: file },
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
            self.add_wheel(wheel, files)?;
        }
        if dir.join(LOCK_FILE).is_file() {
            files.insert(LOCK_FILE.to_owned());
        } else if let Some(component) = config.components.iter().find(|c| needs_lock(c)) {
            let message = format!("`{LOCK_FILE}`, which pins this source, is missing");
            let help = "run `wheelsmith fetch`, and commit the lock".to_owned();
            let key = format!("{}.source", component.key);
            return Err(config.problem(&key, message, Some(help)).into());
        }
        Ok(())
    }

    /// Adds the files of the project that `wheel` contains.
    ///
    /// # Errors
    /// Returns an error if a wildcard of the wheel matches a file that git does not track: the
    /// wheel that is built from the source distribution would lack it.
    fn add_wheel(&self, wheel: &Wheel, files: &mut BTreeSet<String>) -> Result<(), Error> {
        let config = &self.project.config;
        let mut untracked = Vec::new();
        let mut add = |key: &str, relative: &str, is_untracked: bool| {
            let path = self.inside(key, relative)?;
            if is_untracked && !files.contains(&path) {
                untracked.push(path);
            } else {
                files.insert(path);
            }
            Ok::<_, Error>(())
        };
        for file in data::files(self.project, wheel, self.host)? {
            add(&file.key, &file.relative, file.is_untracked)?;
        }
        let key = format!("{}.python-source", wheel.key);
        let source = python_files::source(self.project, wheel)?;
        let python = python_files::files(self.project, wheel, self.host)?;
        let root = source.as_deref().and_then(|root| root.strip_prefix(&self.project.dir).ok());
        let root = root.map(|root| root.to_string_lossy().replace('\\', "/"));
        let prefix = match root.as_deref() {
            Some("" | ".") => String::new(),
            Some(root) => format!("{}/", self.inside(&key, root)?),
            None if python.is_empty() => String::new(),
            None => self.inside(&key, &source.clone().unwrap_or_default().to_string_lossy())?,
        };
        for file in &python {
            add(&key, &format!("{prefix}{}", file.path), file.is_untracked)?;
        }
        if let [first, ..] = &untracked[..] {
            let more = match untracked.len() {
                1 => String::new(),
                n => format!(" and {} more files", n - 1),
            };
            let message = format!(
                "the wheel contains `{first}`{more}, which git does not track, so the source \
                 distribution would lack it"
            );
            let help = "`git add` it, name it without wildcards in `include`, or exclude it";
            let key = format!("{}.include", wheel.key);
            return Err(config.problem(&key, message, Some(help.to_owned())).into());
        }
        let (Some(dir), Some(_)) = (&source, &root) else { return Ok(()) };
        let taken: BTreeSet<&str> = python.iter().map(|file| file.path.as_str()).collect();
        let patterns = python_files::Patterns::new(self.project, wheel, dir)?;
        let below = files.iter().filter_map(|file| file.strip_prefix(prefix.as_str()));
        if let Some(more) = below.filter(|file| patterns.takes(file)).find(|f| !taken.contains(f)) {
            let message = format!(
                "the source distribution has `{prefix}{more}`, which git ignores: a wheel that is \
                 built from it would have the file, and one that is built here has not"
            );
            let help = "name it in the wheel's `include` without wildcards, or in `sdist.exclude`";
            let key = format!("{}.include", wheel.key);
            return Err(config.problem(&key, message, Some(help.to_owned())).into());
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
            Source::Git(git) if GitSource::is_path(&git.url) => {
                let message = format!(
                    "`{}` is a repository on this machine: no source distribution can have it",
                    git.url
                );
                let help = "name it by a URL, or use a directory or an archive".to_owned();
                return Err(self.project.config.problem(&key, message, Some(help)).into());
            }
            Source::Crate { .. } | Source::Git(_) | Source::Sdist { .. } => return Ok(()),
        };
        if let Kind::Cargo(cargo) = &component.kind {
            let root = if cargo.manifest.from_project { "" } else { root.as_str() };
            let key = format!("{}.manifest", component.key);
            let manifest = self.inside(&key, &format!("{root}{}", cargo.manifest.path))?;
            // With `locked`, cargo fails without it.
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

    /// Adds the files that the component names: single files, matches of globs, and files in
    /// directories. A missing file is reported by the build.
    fn add_named(&self, component: &Component, files: &mut BTreeSet<String>) -> Result<(), Error> {
        let dir = &self.project.dir;
        for pattern in named::named(component) {
            let pattern = self.inside(&component.key, &pattern)?;
            let glob = python_files::glob(&self.project.config, &component.key, &pattern)?;
            let listing = if dir.join(&pattern).is_dir() {
                self.tree.below(&pattern)?
            } else {
                self.tree.candidates(&pattern)?
            };
            let below = format!("{pattern}/");
            let is_named =
                |file: &String| glob.is_match(file) || *file == pattern || file.starts_with(&below);
            let found = listing.files.iter().map(|file| file.relative.clone());
            files.extend(found.filter(is_named));
        }
        Ok(())
    }

    /// Returns the normalised `path` if it is below the project.
    fn inside(&self, key: &str, path: &str) -> Result<String, Error> {
        let plain = |part: &Part<'_>| matches!(part, Part::Normal(_) | Part::CurDir);
        if Path::new(path).components().all(|part| plain(&part)) {
            let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
            return Ok(parts.collect::<Vec<_>>().join("/"));
        }
        let message =
            format!("`{path}` is outside the project, so no source distribution can contain it");
        let help = "move it, or the configuration, so that one directory contains both".to_owned();
        Err(self.project.config.problem(key, message, Some(help)).into())
    }
}

/// True if only the lock pins the component's source.
fn needs_lock(component: &Component) -> bool {
    match &component.source {
        Source::Crate { .. } | Source::Git(_) | Source::Sdist { .. } => true,
        Source::Archive { sha256, location, .. } => sha256.is_none() && Source::is_url(location),
        Source::Path(_) => false,
    }
}
