//! The version of a project at all its places, and its change to another one.
//!
//! A change is complete before the first file is written: every new text has been read again, and
//! has the new version at each place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::scheme::{Bump, Form, PreKind, ReleaseVersion, SchemeError};
use super::sites::toml::TomlFile;
use super::sites::{Finds, Names, Place, Role, cargo, npm, pyproject, text};
use super::tag;
use crate::config::{Config, Tags, VersionForm, VersionSite, VersionSource};
use crate::name::ProjectName;
use crate::sys::{self, Host};
use crate::vcs::{self, Repository};

/// The version of a project, and every place that contains it.
#[derive(Debug, Clone)]
pub struct ProjectVersion {
    /// The version at its source.
    pub version: ReleaseVersion,
    /// Source: a file and a place in it, or the tags of git.
    pub source: String,
    /// Files with places, by path.
    pub files: Vec<SiteFile>,
    /// Reasons why a registry would refuse packages of the project, each with its file.
    pub faults: Vec<String>,
}

/// A file with places that contain the version.
#[derive(Debug, Clone)]
pub struct SiteFile {
    /// Path relative to the project, with `/`.
    pub path: String,
    /// Content.
    pub text: String,
    /// Places, from the start to the end of the file.
    pub places: Vec<Place>,
}

/// A change of the version, complete and not yet written.
#[derive(Debug, Clone)]
pub struct Change {
    /// Version before the change.
    pub from: ReleaseVersion,
    /// Version after it.
    pub to: ReleaseVersion,
    /// Files that change.
    pub files: Vec<FileChange>,
    /// Prefix of the tag that sets the version, if its source is git.
    pub tag_prefix: Option<String>,
}

/// A file that a change writes.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// Path relative to the project, with `/`.
    pub path: String,
    /// Content before the change.
    pub before: String,
    /// Content after it.
    pub after: String,
}

/// Reason why a version cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read the version in `{path}`: {source}")]
    Read {
        /// Path relative to the project.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A file has no version where it should be.
    #[error("cannot read the version in `{path}`: it {why}")]
    Site {
        /// Path relative to the project.
        path: String,
        /// Reason, to be read after "it".
        why: String,
        /// Remedy.
        help: Option<String>,
    },
    /// The project has no version, or no source of one.
    #[error("cannot read the version of the project: {message}")]
    Source {
        /// Reason.
        message: String,
        /// Remedy.
        help: Option<String>,
    },
    /// The version has no form for a file.
    #[error("cannot write the version to `{path}`: {source}")]
    NoForm {
        /// Path relative to the project.
        path: String,
        /// Cause.
        source: SchemeError,
    },
    /// There is no such version, or no such next one.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
    /// The new text of a file does not have the new version.
    #[error("cannot change the version in `{path}`: `{label}` would be `{found}`")]
    Unchanged {
        /// Path relative to the project.
        path: String,
        /// Place.
        label: String,
        /// Version that was read from the new text.
        found: String,
    },
    /// The work tree has changes.
    #[error("will not change the version: git reports changed files: {}", files.join(", "))]
    Dirty {
        /// The first changed files.
        files: Vec<String>,
    },
    /// git cannot read the repository.
    #[error("cannot find out whether files have changed: {0}")]
    Vcs(#[from] vcs::Error),
    /// A file changed after it was read.
    #[error("will not write `{path}`: it changed meanwhile")]
    Meanwhile {
        /// Path relative to the project.
        path: String,
    },
    /// A file cannot be written. Those before it have their old content again.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// Path relative to the project.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
}

impl Error {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Site { help, .. } | Self::Source { help, .. } => help.clone(),
            Self::NoForm { source, .. } | Self::Scheme(source) => source.help.clone(),
            Self::Dirty { .. } => Some("commit them first, or pass `--allow-dirty`".into()),
            Self::Vcs(source) => source.hint(),
            Self::Meanwhile { .. } => Some("run the command again".into()),
            Self::Read { .. } | Self::Unchanged { .. } | Self::Write { .. } => None,
        }
    }
}

/// A file to read, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reader {
    Cargo,
    /// A member of a workspace that is no site of its own: its pins alone.
    CargoMember,
    Pyproject,
    Npm,
    Toml,
    Python(String),
    Cmake,
    Macro(String, VersionForm),
    Pattern(String, VersionForm),
    CargoLock,
    UvLock,
    NpmLock,
}

impl From<VersionForm> for Form {
    fn from(name: VersionForm) -> Self {
        match name {
            VersionForm::SemVer => Self::SemVer,
            VersionForm::Pep440 => Self::Pep440,
        }
    }
}

/// Reads files of a project; some may have a new text that is not on disk yet.
struct Files<'f> {
    dir: &'f Path,
    new: &'f BTreeMap<String, String>,
}

impl Files<'_> {
    fn read(&self, path: &str) -> Result<String, Error> {
        if let Some(text) = self.new.get(path) {
            return Ok(text.clone());
        }
        sys::fs::read_to_string(self.dir.join(path))
            .map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    fn exists(&self, path: &str) -> bool {
        self.dir.join(path).is_file()
    }
}

impl ProjectVersion {
    /// Reads the version of the project in `dir`, and all places that contain it.
    ///
    /// # Errors
    /// The source of the version or a place in the configuration has none, or a file is not
    /// readable.
    pub fn read(config: &Config, dir: &Path, host: &Host) -> Result<Self, Error> {
        Self::read_with(config, dir, &BTreeMap::new(), host)
    }

    fn read_with(
        config: &Config,
        dir: &Path,
        new: &BTreeMap<String, String>,
        host: &Host,
    ) -> Result<Self, Error> {
        let files = Files { dir, new };
        let source = source_site(config, &files)?;
        let mut readers: BTreeSet<(String, Reader)> = source.clone().into_iter().collect();
        for site in &config.version_sites {
            readers.extend(site_readers(site, &files)?);
        }
        add_members_and_locks(&mut readers, &files)?;
        let names = names(&readers, &files)?;

        let mut found: BTreeMap<String, SiteFile> = BTreeMap::new();
        let mut faults = Vec::new();
        let mut version = None;
        for (path, reader) in &readers {
            let text = files.read(path)?;
            let finds = reader.find(&text, &names).map_err(|why| site_error(path, why))?;
            faults.extend(finds.faults.into_iter().map(|fault| format!("`{path}`: {fault}")));
            if source.as_ref().is_some_and(|(p, r)| p == path && r == reader) {
                let place = finds.places.iter().find(|place| place.role == Role::Version);
                let place = place.ok_or_else(|| site_error(path, "has no version".to_owned()))?;
                let parsed = ReleaseVersion::parse(&place.text)?;
                version = Some((parsed, format!("`{}` of `{path}`", place.label)));
            }
            let file = found.entry(path.clone()).or_insert_with(|| SiteFile {
                path: path.clone(),
                text,
                places: Vec::new(),
            });
            file.places.extend(finds.places);
        }
        for file in found.values_mut() {
            file.places.sort_by_key(|place| (place.range.start, place.range.end));
            file.places.dedup_by(|a, b| a.range == b.range);
        }
        let (version, source) = match (version, &config.version) {
            (Some(found), _) => found,
            (None, Some(VersionSource::Vcs(tags))) => {
                (of_tags(tags, config, dir, host)?, "git".into())
            }
            (None, _) => return Err(no_source()),
        };
        let files = found.into_values().filter(|file| !file.places.is_empty()).collect();
        Ok(Self { version, source, files, faults })
    }

    /// Returns the places with another version than the source, each with its file.
    pub fn differing(&self) -> impl Iterator<Item = (&SiteFile, &Place)> {
        let places = self.files.iter().flat_map(|file| file.places.iter().map(move |p| (file, p)));
        places.filter(|(_, place)| !place.agrees(&self.version))
    }

    /// Returns the version that follows this one.
    ///
    /// # Errors
    /// The bump does not apply, or a place differs from the source, which makes the next version
    /// ambiguous.
    pub fn bump(&self, bump: Bump, pre: Option<PreKind>) -> Result<ReleaseVersion, Error> {
        if let Some((file, place)) = self.differing().next() {
            let (path, label, text) = (&file.path, &place.label, &place.text);
            return Err(Error::Source {
                message: format!(
                    "{} has `{}`, but `{label}` of `{path}` is `{text}`",
                    self.source, self.version
                ),
                help: Some("make them equal first: `wheelsmith version set`".to_owned()),
            });
        }
        Ok(self.version.bump(bump, pre)?)
    }

    /// Returns every difference from the source, a tag that names another version, and what a
    /// registry would refuse. `prefix` is that of the project's tags; an optional `v` if `None`.
    pub fn problems(&self, tag: Option<&str>, prefix: Option<&str>) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(tag) = tag {
            let name = tag.strip_prefix("refs/tags/").unwrap_or(tag);
            let text = match prefix {
                Some(prefix) => name.strip_prefix(prefix),
                None => Some(name.strip_prefix('v').unwrap_or(name)),
            };
            let tagged = text.and_then(|text| ReleaseVersion::parse(text).ok());
            if tagged.as_ref() != Some(&self.version) {
                problems.push(format!("the tag `{tag}` does not name version {}", self.version));
            }
        }
        problems.extend(self.differing().map(|(file, place)| {
            let line = file.text[..place.range.start].matches('\n').count() + 1;
            format!("{}:{line}: `{}` is `{}`", file.path, place.label, place.text)
        }));
        problems.extend(self.faults.iter().cloned());
        problems
    }

    /// Plans to write `to` to all places.
    ///
    /// # Errors
    /// The version has no form for a file.
    pub fn change(
        &self,
        to: &ReleaseVersion,
        config: &Config,
        dir: &Path,
        host: &Host,
    ) -> Result<Change, Error> {
        let mut files = Vec::new();
        for file in &self.files {
            let mut after = file.text.clone();
            for place in file.places.iter().rev() {
                let to = if place.role == Role::Pin { to.without_local() } else { to.clone() };
                if !place.agrees(&to) {
                    let written = to.write(place.form);
                    let written = written
                        .map_err(|source| Error::NoForm { path: file.path.clone(), source })?;
                    after.replace_range(place.range.clone(), &written);
                }
            }
            if after != file.text {
                let (path, before) = (file.path.clone(), file.text.clone());
                files.push(FileChange { path, before, after });
            }
        }
        let new = files.iter().map(|file| (file.path.clone(), file.after.clone())).collect();
        let read = Self::read_with(config, dir, &new, host)?;
        for file in &read.files {
            if let Some(place) = file.places.iter().find(|place| !place.agrees(to)) {
                return Err(Error::Unchanged {
                    path: file.path.clone(),
                    label: place.label.clone(),
                    found: place.text.clone(),
                });
            }
        }
        let tag_prefix = match &config.version {
            Some(VersionSource::Vcs(tags)) => Some(tags.prefix.clone().unwrap_or("v".into())),
            _ => None,
        };
        Ok(Change { from: self.version.clone(), to: to.clone(), files, tag_prefix })
    }
}

impl Change {
    /// Returns the change as a unified diff without context lines.
    pub fn diff(&self) -> String {
        let mut diff = String::new();
        for file in &self.files {
            let _ = write!(diff, "--- a/{0}\n+++ b/{0}\n", file.path);
            // A version never contains a line break, so lines correspond.
            let lines = file.before.split_inclusive('\n').zip(file.after.split_inclusive('\n'));
            for (i, (before, after)) in lines.enumerate().filter(|(_, (b, a))| b != a) {
                let _ = writeln!(diff, "@@ -{0} +{0} @@", i + 1);
                for (sign, line) in [('-', before), ('+', after)] {
                    let _ = write!(diff, "{sign}{line}");
                    if !line.ends_with('\n') {
                        diff.push_str("\n\\ No newline at end of file\n");
                    }
                }
            }
        }
        diff
    }

    /// Writes all files, or none: if one cannot be written, those before it get their old content
    /// back.
    ///
    /// # Errors
    /// The work tree has changes and `allow_dirty` is false, a file changed after it was read, or
    /// a file cannot be written.
    pub fn apply(&self, dir: &Path, allow_dirty: bool, host: &Host) -> Result<(), Error> {
        if !allow_dirty && let Some(repository) = Repository::around(dir, host)? {
            let args = ["status", "--porcelain", "--untracked-files=no"];
            let changed = repository.run(&args, host)?;
            let changed = String::from_utf8_lossy(&changed);
            let files = changed.lines().filter_map(|line| line.get(3..)).take(5);
            let files: Vec<String> = files.map(str::to_owned).collect();
            if !files.is_empty() {
                return Err(Error::Dirty { files });
            }
        }
        for file in &self.files {
            let now = sys::fs::read_to_string(dir.join(&file.path));
            let path = file.path.clone();
            match now {
                Ok(text) if text == file.before => {}
                Ok(_) => return Err(Error::Meanwhile { path }),
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        for (i, file) in self.files.iter().enumerate() {
            if let Err(source) = write(dir, &file.path, &file.after) {
                for written in &self.files[..i] {
                    // The first error counts.
                    let _ = write(dir, &written.path, &written.before);
                }
                return Err(Error::Write { path: file.path.clone(), source });
            }
        }
        Ok(())
    }
}

/// Replaces the content of a file; a link stays one, and a program stays executable.
fn write(dir: &Path, path: &str, text: &str) -> std::io::Result<()> {
    let path = sys::fs::canonicalize(dir.join(path))?;
    if sys::fs::is_executable(&path)? {
        sys::fs::write_program(&path, text.as_bytes())?;
    } else {
        sys::fs::write_atomic(&path, text.as_bytes())?;
    }
    Ok(())
}

fn site_error(path: &str, why: String) -> Error {
    Error::Site { path: path.to_owned(), why, help: None }
}

fn no_source() -> Error {
    Error::Source {
        message: "the configuration names no source of it".into(),
        help: Some(
            "write `version` into `[project]`, or `[tool.wheelsmith] version = { from = \"cargo\" }`"
                .into(),
        ),
    }
}

/// Returns the version of the release before or at the commit that is checked out.
fn of_tags(tags: &Tags, config: &Config, dir: &Path, host: &Host) -> Result<ReleaseVersion, Error> {
    let source =
        |error: super::VersionError| Error::Source { message: error.message, help: error.help };
    if let Some(version) = host.env.get(super::VARIABLE) {
        return Ok(ReleaseVersion::parse(version)?);
    }
    let unnamed = || "project".parse::<ProjectName>().ok();
    let name = config.project.as_ref().map(|project| project.name.clone()).or_else(unnamed);
    let version = match (Repository::around(dir, host)?, name) {
        (Some(repository), _) => tag::version(tags, &repository, host).map_err(source)?,
        (None, Some(name)) => {
            super::of_checkout(tags, &name, &config.file, dir, host).map_err(source)?
        }
        (None, None) => return Err(no_source()),
    };
    Ok(ReleaseVersion::parse(&version)?)
}

/// Returns the file that is the source of the version, and how to read it; `None` for git.
fn source_site(config: &Config, files: &Files<'_>) -> Result<Option<(String, Reader)>, Error> {
    Ok(match &config.version {
        Some(VersionSource::Cargo { manifest }) => {
            Some((inherited(manifest, files)?, Reader::Cargo))
        }
        Some(VersionSource::Python { path, attribute }) => {
            Some((path.clone(), Reader::Python(attribute.clone())))
        }
        Some(VersionSource::Toml { path }) => Some((path.clone(), Reader::Toml)),
        Some(VersionSource::Vcs(_)) => None,
        None if config.project.as_ref().is_some_and(|project| project.version.is_some()) => {
            let name = Path::new(config.project_file()).file_name().unwrap_or_default();
            Some((name.to_string_lossy().into_owned(), Reader::Pyproject))
        }
        None => return Err(no_source()),
    })
}

/// Returns the manifest with the version of the package at `manifest`: its own, or that of the
/// workspace around it.
fn inherited(manifest: &str, files: &Files<'_>) -> Result<String, Error> {
    let text = files.read(manifest)?;
    let toml = TomlFile::parse(&text).map_err(|why| site_error(manifest, why))?;
    if !cargo::manifest(&toml).inherits {
        return Ok(manifest.to_owned());
    }
    for dir in ancestors(manifest).skip(1) {
        let root = join(&dir, "Cargo.toml");
        if files.exists(&root) {
            let text = files.read(&root)?;
            let toml = TomlFile::parse(&text).map_err(|why| site_error(&root, why))?;
            if toml.root.contains_key("workspace") {
                return Ok(root);
            }
        }
    }
    Err(site_error(manifest, "has its workspace's version, and there is no workspace".into()))
}

/// Returns the files that an entry of `sites` names, and how to read each.
fn site_readers(site: &VersionSite, files: &Files<'_>) -> Result<Vec<(String, Reader)>, Error> {
    let paths = expand(&site.file, files);
    if paths.is_empty() {
        let why = "does not exist, although `sites` names it".to_owned();
        return Err(site_error(&site.file, why));
    }
    let form = site.form.unwrap_or(VersionForm::SemVer);
    paths
        .into_iter()
        .map(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let extension = Path::new(name).extension().and_then(|e| e.to_str());
            let reader = if let Some(pattern) = &site.pattern {
                Reader::Pattern(pattern.clone(), form)
            } else if let Some(name) = &site.macro_name {
                Reader::Macro(name.clone(), form)
            } else if let Some(attribute) = &site.attribute {
                Reader::Python(attribute.clone())
            } else {
                match (name, extension) {
                    ("Cargo.toml", _) => Reader::Cargo,
                    ("pyproject.toml", _) => Reader::Pyproject,
                    ("package.json", _) => Reader::Npm,
                    ("CMakeLists.txt", _) => Reader::Cmake,
                    ("version.toml", _) => Reader::Toml,
                    (_, Some("py")) => Reader::Python("__version__".to_owned()),
                    (_, Some("nix")) => {
                        let pattern = "version = \"{version}\"".to_owned();
                        Reader::Pattern(pattern, form)
                    }
                    _ => {
                        let why = "is of no kind whose versions wheelsmith knows".to_owned();
                        let help = format!(
                            "say where it is: `{{ file = \"{path}\", pattern = \"… {{version}} …\" }}`, \
                             or `macro = \"ACME_VERSION\"`"
                        );
                        return Err(Error::Site { path, why, help: Some(help) });
                    }
                }
            };
            Ok((path, reader))
        })
        .collect()
}

/// Adds the members of workspaces and the lock files that belong to the manifests.
fn add_members_and_locks(
    readers: &mut BTreeSet<(String, Reader)>,
    files: &Files<'_>,
) -> Result<(), Error> {
    let named = readers.clone();
    for (path, reader) in &named {
        let (dir, _) = path.rsplit_once('/').unwrap_or(("", path));
        let lock = match reader {
            Reader::Cargo => ("Cargo.lock", Reader::CargoLock),
            Reader::Pyproject => ("uv.lock", Reader::UvLock),
            Reader::Npm => ("package-lock.json", Reader::NpmLock),
            _ => continue,
        };
        if *reader == Reader::Cargo {
            let text = files.read(path)?;
            let toml = TomlFile::parse(&text).map_err(|why| site_error(path, why))?;
            let manifest = cargo::manifest(&toml);
            for member in &manifest.members {
                for member in expand(&join(dir, &format!("{member}/Cargo.toml")), files) {
                    let is_excluded = manifest
                        .exclude
                        .iter()
                        .any(|exclude| member.starts_with(&format!("{}/", join(dir, exclude))));
                    let is_site = named.contains(&(member.clone(), Reader::Cargo));
                    if !is_excluded && !is_site {
                        readers.insert((member, Reader::CargoMember));
                    }
                }
            }
        }
        let mut locks = ancestors(path).map(|dir| join(&dir, lock.0));
        if let Some(nearest) = locks.find(|lock| files.exists(lock)) {
            readers.insert((nearest, lock.1));
        }
    }
    Ok(())
}

/// Returns the names of the packages that have the project's version.
fn names(readers: &BTreeSet<(String, Reader)>, files: &Files<'_>) -> Result<Names, Error> {
    let mut names = Names::default();
    for (path, reader) in readers {
        let error = |why| site_error(path, why);
        match reader {
            Reader::Cargo | Reader::CargoMember => {
                let text = files.read(path)?;
                let manifest = cargo::manifest(&TomlFile::parse(&text).map_err(error)?);
                let is_ours = manifest.inherits || manifest.has_version && *reader == Reader::Cargo;
                names.cargo.extend(manifest.package.filter(|_| is_ours));
            }
            Reader::Pyproject => {
                let text = files.read(path)?;
                names.python.extend(pyproject::name(&TomlFile::parse(&text).map_err(error)?));
            }
            Reader::Npm => names.npm.extend(npm::name(&files.read(path)?).map_err(error)?),
            _ => {}
        }
    }
    Ok(names)
}

impl Reader {
    fn find(&self, text: &str, names: &Names) -> Result<Finds, String> {
        let places = |places| Finds { places, ..Finds::default() };
        Ok(match self {
            Self::Cargo => {
                let toml = TomlFile::parse(text)?;
                let manifest = cargo::manifest(&toml);
                let finds = cargo::find(&toml, names, true);
                if finds.places.is_empty() && !manifest.inherits {
                    return Err("has no version".to_owned());
                }
                finds
            }
            Self::CargoMember => cargo::find(&TomlFile::parse(text)?, names, false),
            Self::Pyproject => pyproject::find(&TomlFile::parse(text)?, names),
            Self::Npm => {
                let finds = npm::find(text, names)?;
                if finds.places.is_empty() {
                    return Err("has no version".to_owned());
                }
                finds
            }
            Self::Toml => places(text::find_toml(&TomlFile::parse(text)?)?),
            Self::Python(attribute) => places(text::find_python(text, attribute)?),
            Self::Cmake => places(text::find_cmake(text)?),
            Self::Macro(name, form) => places(text::find_macro(text, name, (*form).into())?),
            Self::Pattern(pattern, form) => {
                places(text::find_pattern(text, pattern, (*form).into())?)
            }
            Self::CargoLock => places(cargo::find_locked(&TomlFile::parse(text)?, names)),
            Self::UvLock => places(pyproject::find_locked(&TomlFile::parse(text)?, names)),
            Self::NpmLock => places(npm::find_locked(text, names)?),
        })
    }
}

/// Returns the directories of `path`, from its own to the project's, which is "".
fn ancestors(path: &str) -> impl Iterator<Item = String> {
    let dirs = Path::new(path).ancestors().skip(1).map(Path::to_owned);
    dirs.map(|dir: PathBuf| dir.to_string_lossy().replace('\\', "/"))
}

fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// Returns the files that match `pattern`, in which `*`, `?` and `[…]` stand for parts of one name.
fn expand(pattern: &str, files: &Files<'_>) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let glob = part.contains(['*', '?', '[', '{']);
        let matcher = GlobBuilder::new(part).literal_separator(true).build().ok();
        let matcher = matcher.filter(|_| glob).map(|glob| glob.compile_matcher());
        found = match matcher {
            None => found.iter().map(|dir| join(dir, part)).collect(),
            Some(matcher) => {
                let mut next = Vec::new();
                for dir in &found {
                    let listed = sys::fs::list(&files.dir.join(dir)).unwrap_or_default();
                    let names = listed.iter().filter_map(|path| path.file_name()?.to_str());
                    next.extend(
                        names.filter(|name| matcher.is_match(name)).map(|name| join(dir, name)),
                    );
                }
                next.sort();
                next
            }
        };
    }
    found.retain(|path| files.exists(path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYPROJECT: &str = "\u{feff}[project]\r\nname = 'acme-core'\r\nversion = '1.2.0' # here\r\n\
        dependencies = ['other==1.2.0', \"acme_core[x]==1.2.0; os_name == 'nt'\"]\r\n\
        [tool.wheelsmith]\r\ntargets = ['x86_64-unknown-linux-gnu']\r\n\
        version = { sites = ['Cargo.toml', 'npm/package.json', 'src/a/__init__.py', \
        'CMakeLists.txt', { file = 'a.h', macro = 'A_VERSION' }, \
        { file = 'flake.nix', form = 'pep440' }] }\r\n";

    /// Files of a project; `{v}` is the SemVer form, `{p}` that of PEP 440, `{n}` the numbers.
    fn files(semver: &str, pep440: &str, numbers: [&str; 3]) -> Vec<(&'static str, String)> {
        let plain = numbers.join(".");
        let fill = |text: &str| {
            let text = text.replace("{v}", semver).replace("{p}", pep440).replace("{n}", &plain);
            text.replace("{1}", numbers[0]).replace("{2}", numbers[1]).replace("{3}", numbers[2])
        };
        let pyproject = PYPROJECT.replace("'1.2.0' #", "'{p}' #").replace("[x]==1.2.0", "[x]=={p}");
        let rows = [
            ("pyproject.toml", pyproject.as_str()),
            (
                "Cargo.toml",
                "[workspace]\nmembers = ['crates/*']\n[workspace.package]\nversion = \"{v}\"\n\
                 [workspace.dependencies]\nacme = { path = 'crates/a', version = \"={v}\" }\n\
                 other = '1.2.0'\n",
            ),
            ("crates/a/Cargo.toml", "[package]\nname = 'acme'\nversion.workspace = true\n"),
            (
                "crates/b/Cargo.toml",
                "[package]\nname = 'acme-b'\nversion = '0.1.0'\n[dependencies]\n\
                 a = { package = 'acme', version = '{v}' }\n",
            ),
            (
                "Cargo.lock",
                "version = 4\n[[package]]\nname = \"acme\"\nversion = \"{v}\"\n[[package]]\n\
                 name = \"acme-b\"\nversion = \"0.1.0\"\ndependencies = [\"acme {v}\"]\n\
                 [[package]]\nname = \"acme\"\nversion = \"1.2.0\"\nsource = \"registry\"\n",
            ),
            (
                "uv.lock",
                "[[package]]\nname = \"acme-core\"\nversion = \"{p}\"\n\
                 source = { editable = \".\" }\n[package.metadata]\nrequires-dist = [\n\
                 { name = \"acme-core\", extras = [\"x\"], specifier = \"=={p}\" }]\n\
                 [[package]]\nname = \"other\"\nversion = \"1.2.0\"\n",
            ),
            (
                "npm/package.json",
                "{\n  \"name\": \"@acme/core\",\n  \"version\": \"{v}\",\n\
                 \t\"optionalDependencies\": {\"@acme/core-linux-x64\": \"{v}\", \
                 \"left\": \"1.2.0\"},\n  \"dependencies\": {\"@acme/core\": \"^{v}\"}\n}",
            ),
            (
                "npm/package-lock.json",
                "{\"name\": \"@acme/core\", \"version\": \"{v}\", \"packages\": {\
                 \"\": {\"name\": \"@acme/core\", \"version\": \"{v}\"},\
                 \"node_modules/left\": {\"version\": \"1.2.0\"}}}\n",
            ),
            ("src/a/__init__.py", "__version__ = \"{p}\"\nx = '1.2.0'\n"),
            ("CMakeLists.txt", "project(acme VERSION {n} LANGUAGES C)\n"),
            (
                "a.h",
                "#define A_VERSION \"{v}\"\n#define A_VERSION_MAJOR {1}\n\
                 #define A_VERSION_MINOR {2}\n#define A_VERSION_PATCH {3}\n",
            ),
            ("flake.nix", "{ pname = \"a\"; version = \"{p}\"; }\n"),
        ];
        rows.into_iter().map(|(path, text)| (path, fill(text))).collect()
    }

    fn write_all(dir: &Path, files: &[(&str, String)]) {
        for (path, text) in files {
            sys::fs::write_atomic(&dir.join(path), text.as_bytes()).unwrap();
        }
    }

    fn read(dir: &Path) -> Result<(Config, ProjectVersion), Error> {
        let text = sys::fs::read_to_string(dir.join("pyproject.toml")).unwrap();
        let config = crate::config::parse("pyproject.toml", &text).unwrap();
        let host = Host::quiet(sys::Env::default());
        let version = ProjectVersion::read(&config, dir, &host)?;
        Ok((config, version))
    }

    #[test]
    fn a_change_replaces_the_version_and_nothing_else() {
        let dir = sys::fs::temp_dir().unwrap();
        let dir = dir.path();
        let host = Host::quiet(sys::Env::default());
        write_all(dir, &files("1.2.0", "1.2.0", ["1", "2", "0"]));
        let (config, version) = read(dir).unwrap();
        assert_eq!(version.differing().count(), 0, "{version:#?}");
        assert_eq!(version.problems(Some("v1.2.0"), None), Vec::<String>::new());
        let to = ReleaseVersion::parse("1.10.3-rc.1").unwrap();
        let change = version.change(&to, &config, dir, &host).unwrap();
        let diff = change.diff();
        assert!(diff.contains("@@ -3 +3 @@\n-version = '1.2.0' # here\r\n+version = '1.10.3rc1'"));
        change.apply(dir, true, &host).unwrap();
        for (path, expected) in files("1.10.3-rc.1", "1.10.3rc1", ["1", "10", "3"]) {
            assert_eq!(sys::fs::read_to_string(dir.join(path)).unwrap(), expected, "{path}");
        }
        let (_, version) = read(dir).unwrap();
        assert_eq!(version.version, to);
        assert_eq!(version.problems(Some("v1.2.0"), None).len(), 1);
    }

    #[test]
    fn every_difference_is_listed() {
        let old = files("1.2.0", "1.2.0", ["1", "2", "0"]);
        let new = files("1.3.0", "1.3.0", ["1", "3", "0"]);
        let places = |files: &[(&str, String)]| {
            let dir = sys::fs::temp_dir().unwrap();
            write_all(dir.path(), files);
            let (_, version) = read(dir.path()).unwrap();
            version.problems(None, None)
        };
        for i in 1..old.len() {
            let mut mixed = old.clone();
            mixed[i] = new[i].clone();
            let problems = places(&mixed);
            // A member with the version of its workspace contains none.
            let has_version = mixed[i].0 != "crates/a/Cargo.toml";
            assert_eq!(!problems.is_empty(), has_version, "{}: {problems:?}", mixed[i].0);
            assert!(problems.iter().all(|problem| problem.starts_with(mixed[i].0)), "{problems:?}");
        }
    }

    #[test]
    fn registries_refuse_other_sources() {
        let mut all = files("1.2.0", "1.2.0", ["1", "2", "0"]);
        let mut append = |path: &str, text: &str| {
            all.iter_mut().find(|(own, _)| *own == path).unwrap().1.push_str(text);
        };
        append("crates/b/Cargo.toml", "c = { path = '../c' }\nd = { git = 'g' }\n");
        append("crates/b/Cargo.toml", "[dev-dependencies]\ne = { path = '../e' }\n");
        let dir = sys::fs::temp_dir().unwrap();
        write_all(dir.path(), &all);
        let (_, version) = read(dir.path()).unwrap();
        assert_eq!(version.faults.len(), 2, "{:?}", version.faults);
    }

    #[test]
    fn wrong_places_are_errors() {
        let check = |path: &str, text: &str, part: &str| {
            let mut all = files("1.2.0", "1.2.0", ["1", "2", "0"]);
            all.iter_mut().find(|(own, _)| *own == path).unwrap().1 = text.to_owned();
            let dir = sys::fs::temp_dir().unwrap();
            write_all(dir.path(), &all);
            let error = read(dir.path()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("Cargo.toml", "[workspace\n", "`Cargo.toml`: it line 1");
        check("Cargo.toml", "[workspace]\n", "`Cargo.toml`: it has no version");
        check("npm/package.json", "{", "`npm/package.json`: it ");
        check("npm/package.json", "{}", "it has no version");
        check("a.h", "", "it does not define `A_VERSION`");
        check("CMakeLists.txt", "project(x)", "it has no `project(");
        check("flake.nix", "{}", "it does not contain `version = ");
        check("src/a/__init__.py", "", "does not assign");
    }

    #[test]
    fn nothing_is_written_over_changes() {
        let dir = sys::fs::temp_dir().unwrap();
        let dir = dir.path();
        let host = Host::quiet(sys::Env::default());
        write_all(dir, &files("1.2.0", "1.2.0", ["1", "2", "0"]));
        let (config, version) = read(dir).unwrap();
        let to = ReleaseVersion::parse("1.3.0").unwrap();
        let change = version.change(&to, &config, dir, &host).unwrap();
        sys::fs::write_atomic(&dir.join("a.h"), b"new").unwrap();
        let error = change.apply(dir, true, &host).unwrap_err();
        assert!(matches!(error, Error::Meanwhile { .. }), "{error}");
        let pyproject = sys::fs::read_to_string(dir.join("pyproject.toml")).unwrap();
        assert!(pyproject.contains("'1.2.0' # here"));
        // Epochs have no form for cargo.
        let to = ReleaseVersion::parse("1!2.0").unwrap();
        let error = version.change(&to, &config, dir, &host).unwrap_err();
        assert!(matches!(error, Error::NoForm { .. }), "{error}");
    }
}
