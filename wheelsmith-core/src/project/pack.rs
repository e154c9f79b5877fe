//! A wheel from Python files and a runtime: collect, judge, write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::launcher::{self, MODULE};
use super::make::MadeWheel;
use super::{BuildOptions, Error, Project};
use crate::artifact::{self, Limits};
use crate::audit::{self, Audit, NativeFile, Wanted};
use crate::build::inputs;
use crate::config::Wheel;
use crate::config::project::RawProject;
use crate::config::{Role, SourcePath};
use crate::name::{PlatformTag, WheelFilename, WheelPath};
use crate::plan::TargetPlan;
use crate::runtime::Runtime;
use crate::sys::{self, Host};
use crate::wheel::{self, Entry, EntryPoints, Metadata, Source, Texts};

/// The file name of `wheel` with these platform tags.
pub(super) fn filename(wheel: &Wheel, metadata: &Metadata, tags: &[PlatformTag]) -> WheelFilename {
    let mut tags: Vec<PlatformTag> = tags.iter().flat_map(PlatformTag::with_aliases).collect();
    tags.sort_by_key(PlatformTag::to_string);
    let mut filename = metadata.filename(wheel.tag.clone(), tags);
    filename.name = wheel.name.escaped();
    filename.build.clone_from(&wheel.build);
    filename
}

/// The metadata of the project, with the texts that it names and the runtime's licences.
pub(super) fn metadata(
    project: &Project,
    raw: &RawProject,
    licenses: &[(WheelPath, PathBuf)],
) -> Result<Metadata, Error> {
    let read = |path: &Path| sys::fs::read(path).map_err(|e| Error::io("read the metadata", e));
    let readme = match raw.readme_file() {
        None => None,
        Some(file) => {
            let path = project.dir.join(file);
            if !path.is_file() {
                let message = format!("there is no file `{}`", path.display());
                return Err(project.config.problem("project.readme", message, None).into());
            }
            Some(read(&path)?)
        }
    };
    let mut texts = Texts { readme, licenses: Vec::new() };
    let (globs, must_match) = raw.license_globs();
    for (i, glob) in globs.iter().enumerate() {
        let key = format!("project.license-files[{i}]");
        let problem = |message: String| project.config.problem(&key, message, None);
        let pattern: SourcePath =
            glob.parse().map_err(|e: crate::name::ParseError| problem(e.to_string()))?;
        let found = inputs::expand(
            &project.config,
            "project.license-files",
            std::slice::from_ref(&pattern),
            &[],
            &project.dir,
            &project.dir,
        );
        let found = match found {
            Ok(found) => found,
            Err(_) if !must_match => continue,
            Err(error) => return Err(error.into()),
        };
        for file in found {
            let path = file
                .relative
                .parse()
                .map_err(|e: crate::name::ParseError| problem(e.to_string()))?;
            texts.licenses.push((path, read(&file.path)?));
        }
    }
    for (path, file) in licenses {
        texts.licenses.push((path.clone(), read(file)?));
    }
    texts.licenses.sort();
    texts.licenses.dedup();
    Ok(Metadata::new(raw, texts)?)
}

/// Packs `wheel` for the target of `plan`, if its bytes keep the floor.
pub(super) fn pack(
    project: &Project,
    wheel: &Wheel,
    plan: &TargetPlan,
    runtime: &Runtime,
    options: &BuildOptions,
    host: &Host,
) -> Result<MadeWheel, Error> {
    let raw = project.config.project.as_ref().expect("a wheel without a project is no wheel");
    let mut raw = raw.clone();
    raw.name = wheel.name.clone();
    let mut pack = Pack { project, wheel, host, entries: BTreeMap::new(), licenses: Vec::new() };
    pack.python_files()?;
    pack.runtime_files(runtime)?;
    pack.launchers(runtime, &mut raw)?;
    let metadata = metadata(project, &raw, &pack.licenses)?;
    let audit = pack.judge(plan)?;
    let (floor, wanted) = (plan.target.floor(), plan.wanted_tag.clone());
    let tags: &[PlatformTag] = match &audit.earned {
        Some(earned) if !audit.has_errors() => std::slice::from_ref(earned),
        _ => {
            let name = filename(wheel, &metadata, std::slice::from_ref(&wanted)).to_string();
            return Ok(MadeWheel { name, file: None, floor, wanted, audit });
        }
    };
    let name = filename(wheel, &metadata, tags);
    let entry_points = EntryPoints::new(&raw)?;
    let entries = pack.entries.into_values().collect();
    let path = options.out.join(name.to_string());
    let wheel = wheel::Wheel::new(name.clone(), &metadata, &entry_points, entries)?;
    let file = wheel::save(&wheel, &path, options.packing, host)
        .map_err(|error| Error::Write { path, source: Box::new(error) })?;
    Ok(MadeWheel { name: name.to_string(), file: Some(file), floor, wanted, audit })
}

/// `SOURCE_DATE_EPOCH`, in seconds.
pub(super) fn epoch(host: &Host) -> Option<u64> {
    host.env.get("SOURCE_DATE_EPOCH")?.parse().ok()
}

/// A wheel that is being put together.
struct Pack<'a> {
    project: &'a Project,
    wheel: &'a Wheel,
    host: &'a Host,
    entries: BTreeMap<WheelPath, Entry>,
    /// Licence files of the components: path below `licenses/`, file.
    licenses: Vec<(WheelPath, PathBuf)>,
}

/// What no wheel wants of a Python tree.
const NEVER: [&str; 3] = ["**/__pycache__/**", "**/*.py[co]", "**/.*"];

impl Pack<'_> {
    fn problem(&self, key: &str, message: String, help: Option<&str>) -> Error {
        let key = format!("{}.{key}", self.wheel.key);
        self.project.config.problem(&key, message, help.map(str::to_owned)).into()
    }

    /// The package's own files.
    fn python_files(&mut self) -> Result<(), Error> {
        let package = self.wheel.name.escaped();
        let Some(root) = self.python_source(&package)? else { return Ok(()) };
        let default = [format!("{package}/**"), format!("{package}.py")];
        let include = self.wheel.include.as_deref().unwrap_or(&default);
        let take = self.globs("include", include)?;
        let never: Vec<String> = NEVER.iter().map(|glob| (*glob).to_owned()).collect();
        let leave = self.globs("exclude", &self.wheel.exclude)?;
        let never = self.globs("exclude", &never)?;
        // What a development build left in the runtime's place is of some other target.
        let stale = ["bin", "lib"].map(|dir| format!("{}/{dir}/", self.wheel.into));
        let mut used = vec![false; include.len()];
        // Not all below the root: that may be the project, with its build directories.
        let mut candidates = BTreeSet::new();
        for pattern in include {
            candidates.extend(inputs::candidates(&root, pattern).unwrap_or_default());
        }
        for file in candidates {
            let matches = take.matches(&file.relative);
            for &i in &matches {
                used[i] = true;
            }
            let is_stale = stale.iter().any(|dir| file.relative.starts_with(dir));
            let is_left = leave.is_match(&file.relative) || never.is_match(&file.relative);
            if matches.is_empty() || is_left || is_stale {
                continue;
            }
            let path = file
                .relative
                .parse::<WheelPath>()
                .map_err(|e| self.problem("python-source", e.to_string(), None))?;
            let executable = sys::fs::is_executable(&file.path)
                .map_err(|e| Error::io("read the Python files", e))?;
            self.add(path, &file.path, executable)?;
        }
        if self.wheel.include.is_some() {
            for (pattern, _) in include.iter().zip(&used).filter(|(_, used)| !**used) {
                self.host.warn(format!(
                    "`{}`: `{pattern}` of `include` names no file below `{}`",
                    self.project.config.file,
                    root.display()
                ));
            }
        }
        Ok(())
    }

    /// The directory of Python files: as configured, else the first of the usual ones that has the
    /// package. A wheel may have none.
    fn python_source(&self, package: &str) -> Result<Option<PathBuf>, Error> {
        if let Some(dir) = &self.wheel.python_source {
            let root = self.project.dir.join(dir);
            if !root.is_dir() {
                let message = format!("`{}` is no directory", root.display());
                return Err(self.problem("python-source", message, None));
            }
            return Ok(Some(root));
        }
        let usual = ["src", "python", "."].map(|dir| self.project.dir.join(dir));
        let has_package = |dir: &PathBuf| {
            dir.join(package).is_dir() || dir.join(format!("{package}.py")).is_file()
        };
        let found = usual.into_iter().find(has_package);
        if found.is_none() && self.wheel.include.is_some() {
            let message = format!(
                "`include` needs a directory of Python files, and no package `{package}` was found"
            );
            return Err(self.problem("include", message, Some("set `python-source`")));
        }
        Ok(found)
    }

    fn globs(&self, key: &str, patterns: &[String]) -> Result<GlobSet, Error> {
        let mut set = GlobSetBuilder::new();
        for (i, pattern) in patterns.iter().enumerate() {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            let bad = |e: globset::Error| {
                self.problem(&format!("{key}[{i}]"), format!("no pattern: {}", e.kind()), None)
            };
            set.add(glob.map_err(bad)?);
        }
        set.build().map_err(|e| self.problem(key, e.to_string(), None))
    }

    fn add(&mut self, path: WheelPath, file: &Path, executable: bool) -> Result<(), Error> {
        let metadata = sys::fs::metadata(file).map_err(|e| Error::io("read a file to pack", e))?;
        let source = Source::File { path: file.to_owned(), size_bytes: metadata.len() };
        self.entries.insert(path.clone(), Entry { path, executable, source });
        Ok(())
    }

    /// Programs, shared libraries and data of the wheel's components; a library lies under its
    /// SONAME alone, because a zip has no links.
    fn runtime_files(&mut self, runtime: &Runtime) -> Result<(), Error> {
        for file in &runtime.manifest.files {
            if !self.wheel.components.contains(&file.component) {
                continue;
            }
            let place = runtime.path(&file.path);
            match file.role {
                Role::Executable | Role::SharedLibrary | Role::Data => {
                    let path = self.wheel.into.join(file.path.as_str());
                    let path = path.map_err(|e| self.problem("into", e.to_string(), None))?;
                    self.add(path, &place, file.is_executable())?;
                }
                Role::License => {
                    let below = file.path.as_str().trim_start_matches("licenses/");
                    let path = below.parse::<WheelPath>();
                    let path = path.map_err(|e| self.problem("into", e.to_string(), None))?;
                    self.licenses.push((path, place));
                }
                Role::Header | Role::StaticLibrary => {}
            }
        }
        Ok(())
    }

    /// The module behind `console`, and its entry points.
    fn launchers(&mut self, runtime: &Runtime, raw: &mut RawProject) -> Result<(), Error> {
        if self.wheel.console.is_empty() {
            return Ok(());
        }
        let mut paths = BTreeMap::new();
        for (command, program) in &self.wheel.console {
            let programs: Vec<&str> = (runtime.manifest.files.iter())
                .filter(|f| f.role == Role::Executable)
                .filter(|f| self.wheel.components.contains(&f.component))
                .map(|f| f.path.as_str())
                .collect();
            let names = [format!("bin/{program}"), format!("bin/{program}.exe")];
            let Some(path) = programs.iter().find(|path| names.iter().any(|n| n == *path)) else {
                let message = format!("the runtime has no program `{program}`");
                let help = format!("it has: {}", programs.join(", ").replace("bin/", ""));
                return Err(self.problem(&format!("console.{command}"), message, Some(&help)));
            };
            if raw.scripts.contains_key(command) {
                let message = format!("`project.scripts` has a command `{command}` as well");
                return Err(self.problem(&format!("console.{command}"), message, None));
            }
            paths.insert(command.clone(), (*path).to_owned());
        }
        let (text, commands) = launcher::module(&paths);
        let package = self.wheel.into.as_str().replace('/', ".");
        for console in commands {
            let target = format!("{package}.{MODULE}:{}", console.function);
            raw.scripts.insert(console.command, target);
        }
        let path = self.wheel.into.join(&format!("{MODULE}.py"));
        let path = path.map_err(|e| self.problem("into", e.to_string(), None))?;
        self.entries.insert(path.clone(), Entry::bytes(path, text));
        Ok(())
    }

    /// Inspects every file that goes into the wheel, wherever it lies, one at a time.
    fn judge(&self, plan: &TargetPlan) -> Result<Audit, Error> {
        let mut files = Vec::new();
        for entry in self.entries.values() {
            let file = match &entry.source {
                Source::Bytes(bytes) => NativeFile::read(&entry.path, bytes),
                Source::File { path, .. } => {
                    artifact::native_file(&entry.path, path, &Limits::default())
                        .map_err(|e| Error::io("read a file to inspect", e))?
                }
            };
            files.extend(file);
        }
        Ok(audit::judge(files, &Wanted::by_target(plan.target)))
    }
}
