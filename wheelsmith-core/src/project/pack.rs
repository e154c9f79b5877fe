//! Packs a wheel: collects Python files and the runtime, judges them, and writes the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::data;
use super::editable;
use super::epoch::epoch;
use super::launcher::{self, MODULE};
use super::parts::{self, Inventory};
use super::python_files;
use super::{BuildOptions, Error, Project};
use crate::archive::Limits;
use crate::audit::{self, Allowances, Audit, NativeFile, Requirement};
use crate::build::inputs;
use crate::config::{External, Wheel};
use crate::config::{Role, SourcePath};
use crate::finding::{Date, Severity};
use crate::metadata::project_table::ProjectTable;
use crate::metadata::{EntryPoints, Metadata, ProjectFiles};
use crate::name::{Floor, PlatformTag, Target, WheelFilename, WheelPath};
use crate::plan::{Part, TargetPlan, Variant};
use crate::repair::{self, BundleResult, LibraryDirs, Options, Origin, RepairPlan};
use crate::runtime::{FileEntry, Runtime};
use crate::source;
use crate::sys::{self, Host};
use crate::wheel::{self, Entry, MadeFile, Packing, Source};

/// Wheel and its verdict.
#[derive(Debug)]
pub struct BuiltWheel {
    /// File name; with the requested tag if it was not written.
    pub name: String,
    /// Content.
    pub(crate) part: Part,
    /// File; `None` if its files do not qualify for the tag.
    pub file: Option<MadeFile>,
    /// Oldest platform on which it must run.
    pub floor: Floor,
    /// Tag of the floor.
    pub wanted: PlatformTag,
    /// Audit of its files.
    pub audit: Audit,
    /// Libraries that were copied into it, or are missing, with `external = "bundle"`.
    pub bundled: Option<RepairPlan>,
}

/// Returns the file name of `wheel` with these platform tags.
pub(super) fn filename(wheel: &Wheel, metadata: &Metadata, tags: &[PlatformTag]) -> WheelFilename {
    let mut tags: Vec<PlatformTag> = tags.iter().flat_map(PlatformTag::with_aliases).collect();
    tags.sort_by_key(PlatformTag::to_string);
    let mut filename = metadata.filename(wheel.tag.clone(), tags);
    filename.name = wheel.name.escaped();
    filename.build.clone_from(&wheel.build);
    filename
}

/// Returns the metadata of the project, with the texts that it names and the runtime's licences.
pub(super) fn metadata(
    project: &Project,
    raw: &ProjectTable,
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
    let mut texts = ProjectFiles { readme, licenses: Vec::new() };
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

/// Adds the entry points that start programs of the runtime.
pub(super) fn add_scripts(wheel: &Wheel, raw: &mut ProjectTable) {
    let package = wheel.into.as_str().replace('/', ".");
    for (command, function) in launcher::functions(wheel.console.keys()) {
        raw.scripts.insert(command, format!("{package}.{MODULE}:{function}"));
    }
}

/// Packs `variant` for the target of `plan`, if its files qualify for the tag.
pub(super) fn pack(
    project: &Project,
    variant: &Variant,
    plan: &TargetPlan,
    (runtime, found): (&Runtime, &Inventory),
    options: &BuildOptions,
    host: &Host,
) -> Result<BuiltWheel, Error> {
    let raw = project.config.project.as_ref().expect("a wheel without a project is no wheel");
    let wheel = &variant.wheel;
    let mut raw = raw.clone();
    describe(variant, &mut raw);
    let mut pack = Pack::new(project, variant, wheel, host);
    if !options.editable && variant.part != Part::Runtime {
        pack.python_files()?;
    }
    if variant.part != Part::Extensions {
        pack.runtime_files(runtime)?;
    }
    pack.extensions(plan.target, runtime)?;
    if variant.part != Part::Runtime {
        pack.launchers(runtime)?;
        pack.data_files(&raw)?;
        add_scripts(wheel, &mut raw);
    }
    let wanted = plan.wanted_tag.clone();
    let mut bundled = None;
    if wheel.external == External::Bundle {
        let metadata = metadata(project, &raw, &pack.licenses)?;
        let filename = filename(wheel, &metadata, std::slice::from_ref(&wanted));
        bundled = Some(pack.bundle(plan, runtime, &filename)?);
    }
    let unlinked = |e| Error::io("link the runtime into the Python files", e);
    let mut installed = runtime.dir.clone();
    if let Some(bundled) = bundled.as_ref().filter(|b| b.plan.missing.is_empty()) {
        let dir = editable::changed_dir(project, wheel, plan.target);
        // Every build updates the files if the project is installed as editable.
        if options.editable || dir.is_dir() {
            editable::keep_changed(&dir, wheel, &bundled.plan, &pack.entries).map_err(unlinked)?;
        }
        installed = dir.join(wheel.into.as_str());
    }
    let metadata = metadata(project, &raw, &pack.licenses)?;
    let audit = pack.judge(plan, runtime)?;
    let tags: &[PlatformTag] = match &audit.tag {
        Some(earned) if may_be_written(project, &audit) => std::slice::from_ref(earned),
        _ => std::slice::from_ref(&wanted),
    };
    let is_good = may_be_written(project, &audit);
    let name = filename(wheel, &metadata, tags);
    let (sbom, bundled) = match bundled {
        Some(BundleResult { plan, sbom }) => (sbom, Some(plan)),
        None => (None, None),
    };
    let mut made = BuiltWheel {
        name: name.to_string(),
        part: variant.part,
        file: None,
        floor: plan.target.floor(),
        wanted,
        audit,
        bundled,
    };
    if !is_good {
        return Ok(made);
    }
    let entry_points = EntryPoints::new(&raw)?;
    if options.editable
        && let Some(root) = python_files::source(project, wheel)?
    {
        let content = (&pack.entries, made.bundled.as_ref());
        pack.entries = editable::link(project, wheel, &root, &installed, content, &pack.modules)
            .map_err(unlinked)?;
    }
    let entries = pack.entries.into_values().collect();
    let path = project.out_dir(options).join(&made.name);
    let list = (wheel.sbom && !wheel.components.is_empty())
        .then(|| parts::render(&project.config, wheel, &metadata, runtime, found, host));
    let mut wheel = wheel::Wheel::new(name, &metadata, &entry_points, entries)?;
    let list = list.map(|list| (parts::FILE, list));
    for (name, text) in list.into_iter().chain(sbom) {
        wheel.add_sbom(name, text)?;
    }
    let packing = Packing {
        compression: options.compression.unwrap_or(project.config.compression),
        cache: !options.no_cache,
    };
    let file = wheel::save(wheel, &path, packing, host)
        .map_err(|error| Error::Write { path, source: Box::new(error) })?;
    made.file = Some(file);
    Ok(made)
}

/// Gives the findings of `audit` the severities and waivers of the configuration, as `wheelsmith
/// audit` does.
pub(super) fn apply_settings(project: &Project, audit: &mut Audit) {
    let today = epoch(&project.host).or_else(sys::now).map(Date::from_epoch);
    // The audit reports mistakes in the waivers themselves.
    let _ = project.config.audit.settings.apply([&mut audit.findings], today);
}

/// True if a wheel or archive may be written: its files qualify for a tag, and no finding counts.
pub(super) fn may_be_written(project: &Project, audit: &Audit) -> bool {
    let level = project.config.audit.fail_on.unwrap_or(Severity::Error);
    audit.tag.is_some() && !audit.findings.iter().any(|finding| finding.counts_at(level))
}

/// Gives `raw` the name of the wheel, and the metadata that follow from its content.
pub(super) fn describe(variant: &Variant, raw: &mut ProjectTable) {
    let name = raw.name.clone();
    raw.name = variant.wheel.name.clone();
    match variant.part {
        Part::Whole => {}
        Part::Extensions => {
            let runtime = variant.wheel.runtime_name();
            let version = raw.version.as_ref().map(ToString::to_string).unwrap_or_default();
            raw.dependencies.push(format!("{}=={version}", runtime.as_written()));
        }
        // Libraries and programs, which nobody installs for themselves.
        Part::Runtime => {
            raw.description = Some(format!("Libraries and programs of {}", name.as_written()));
            raw.readme = None;
            raw.dependencies.clear();
            raw.optional_dependencies.clear();
            raw.scripts.clear();
            raw.gui_scripts.clear();
            raw.entry_points.clear();
            raw.import_names = None;
            raw.import_namespaces = None;
        }
    }
}

/// Wheel under construction.
struct Pack<'a> {
    project: &'a Project,
    variant: &'a Variant,
    wheel: &'a Wheel,
    host: &'a Host,
    entries: BTreeMap<WheelPath, Entry>,
    /// Licence files of the components: path below `licenses/`, file.
    licenses: Vec<(WheelPath, PathBuf)>,
    /// Extension modules among the entries.
    modules: BTreeSet<WheelPath>,
}

impl<'a> Pack<'a> {
    fn new(project: &'a Project, variant: &'a Variant, wheel: &'a Wheel, host: &'a Host) -> Self {
        let (entries, licenses, modules) = Default::default();
        Self { project, variant, wheel, host, entries, licenses, modules }
    }

    fn problem(&self, key: &str, message: String, help: Option<&str>) -> Error {
        let key = format!("{}.{key}", self.wheel.key);
        self.project.config.problem(&key, message, help.map(str::to_owned)).into()
    }

    /// Adds the Python files of the package.
    fn python_files(&mut self) -> Result<(), Error> {
        for file in python_files::files(self.project, self.wheel, self.host)? {
            self.add(file.path, &file.file, file.executable)?;
        }
        self.commit_module()
    }

    /// Adds the Python module with the commit.
    fn commit_module(&mut self) -> Result<(), Error> {
        let Project { config, commit, .. } = self.project;
        let path = config.commit.as_ref().and_then(|table| table.module.as_ref());
        let (Some(path), Some(commit)) = (path, commit) else { return Ok(()) };
        let version = config.project.as_ref().and_then(|project| project.version.as_deref());
        let text = commit.module(version.unwrap_or_default());
        let entry = Entry::bytes(path.clone(), text.into_bytes());
        if self.entries.insert(path.clone(), entry).is_some() {
            let message = format!("the project has a file `{path}` too");
            let help = "remove the file: wheelsmith writes it into wheels".to_owned();
            let key = "tool.wheelsmith.commit.module";
            return Err(config.problem(key, message, Some(help)).into());
        }
        Ok(())
    }

    fn add(&mut self, path: WheelPath, file: &Path, executable: bool) -> Result<(), Error> {
        let metadata = sys::fs::metadata(file).map_err(|e| Error::io("read a file to pack", e))?;
        let source = Source::File { path: file.to_owned(), size_bytes: metadata.len() };
        self.entries.insert(path.clone(), Entry { path, executable, source });
        Ok(())
    }

    /// Adds programs, shared libraries and data of the wheel's components. Only the SONAME of a
    /// library is added, because a zip has no links.
    fn runtime_files(&mut self, runtime: &Runtime) -> Result<(), Error> {
        let carried = runtime.carried(&self.wheel.components);
        for file in &runtime.manifest.files {
            if !carried.contains(file.component.as_str()) {
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
                    self.license(file, runtime)?;
                }
                Role::Header | Role::StaticLibrary | Role::Extension | Role::NodeAddon => {}
            }
        }
        Ok(())
    }

    /// Adds the extension modules for the Pythons of the wheel. Files of the same modules among the
    /// Python files are left from other builds.
    fn extensions(&mut self, target: Target, runtime: &Runtime) -> Result<(), Error> {
        let Some(wanted) = &self.variant.abi else { return Ok(()) };
        for name in &self.wheel.components {
            let Some(component) = self.project.config.component(name) else { continue };
            if self.variant.part == Part::Extensions {
                let files = runtime.manifest.files.iter().filter(|f| f.component == *name);
                for file in files.filter(|file| file.role == Role::License) {
                    self.license(file, runtime)?;
                }
            }
            for extension in component.extensions() {
                let module = extension.module.replace('.', "/");
                self.entries.retain(|path, _| {
                    let rest = path.as_str().strip_prefix(&module);
                    !rest.is_some_and(|rest| {
                        rest.starts_with('.')
                            && [".so", ".pyd"].iter().any(|end| rest.ends_with(end))
                    })
                });
                // A module for other systems has no file here.
                let Some(abi) = extension.abi_for(wanted) else { continue };
                let path = extension.path(abi, &target);
                let file = runtime.manifest.files.iter().find(|file| {
                    file.component == *name
                        && file.python.as_ref() == Some(abi)
                        && file.path.as_str().ends_with(&format!("/{path}"))
                });
                if let Some(file) = file {
                    self.modules.insert(path.clone());
                    self.add(path, &runtime.path(&file.path), true)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the files that are installed beside the packages.
    fn data_files(&mut self, raw: &ProjectTable) -> Result<(), Error> {
        if self.wheel.data.is_empty() {
            return Ok(());
        }
        let metadata = metadata(self.project, raw, &[])?;
        let stem = filename(self.wheel, &metadata, &[PlatformTag::Any]).stem();
        for file in data::files(self.project, self.wheel, self.host)? {
            let problem = |message: String| self.project.config.problem(&file.key, message, None);
            let path = format!("{stem}.data/{}", file.to);
            let path: WheelPath =
                path.parse().map_err(|e: crate::name::ParseError| problem(e.to_string()))?;
            if self.entries.contains_key(&path) {
                let message =
                    format!("`{}` is also the path of another file in the wheel", file.to);
                return Err(problem(message).into());
            }
            let executable = sys::fs::is_executable(&file.path)
                .map_err(|e| Error::io("read a file to pack", e))?;
            self.add(path, &file.path, executable)?;
        }
        Ok(())
    }

    /// Adds the module of `console`, which starts programs of the runtime.
    fn launchers(&mut self, runtime: &Runtime) -> Result<(), Error> {
        if self.wheel.console.is_empty() {
            return Ok(());
        }
        let mut paths = BTreeMap::new();
        for (command, program) in &self.wheel.console {
            let programs: Vec<&str> = (runtime.manifest.files.iter())
                .filter(|f| f.role == Role::Executable)
                .filter(|f| self.all_components().contains(&f.component))
                .map(|f| f.path.as_str())
                .collect();
            let names = [format!("bin/{program}"), format!("bin/{program}.exe")];
            let Some(path) = programs.iter().find(|path| names.iter().any(|n| n == *path)) else {
                let message = format!("the runtime has no program `{program}`");
                let help = format!("it has: {}", programs.join(", ").replace("bin/", ""));
                return Err(self.problem(&format!("console.{command}"), message, Some(&help)));
            };
            let project = self.project.config.project.as_ref();
            if project.is_some_and(|project| project.scripts.contains_key(command)) {
                let message = format!("`project.scripts` also has a command `{command}`");
                return Err(self.problem(&format!("console.{command}"), message, None));
            }
            paths.insert(command.clone(), (*path).to_owned());
        }
        let text = launcher::module(&paths);
        let path = self.wheel.into.join(&format!("{MODULE}.py"));
        let path = path.map_err(|e| self.problem("into", e.to_string(), None))?;
        self.entries.insert(path.clone(), Entry::bytes(path, text));
        Ok(())
    }

    /// Copies the libraries that the files need into the wheel: from the components, then from the
    /// directories that the configuration names.
    fn bundle(
        &mut self,
        plan: &TargetPlan,
        runtime: &Runtime,
        filename: &WheelFilename,
    ) -> Result<BundleResult, Error> {
        let config = &self.project.config;
        let libraries = || runtime.manifest.files.iter().filter(|f| f.role == Role::SharedLibrary);
        let places = libraries().map(|file| runtime.path(&file.path));
        let places: BTreeSet<_> = places.filter_map(|p| p.parent().map(Path::to_owned)).collect();
        let mut dirs: Vec<PathBuf> = places.into_iter().collect();
        for dir in config.library_path(self.wheel, plan.target) {
            let path = self.project.dir.join(&dir);
            if !path.is_dir() {
                let message = format!("`{dir}` of `library-path` is not a directory");
                return Err(self.problem("external", message, None));
            }
            dirs.push(path);
        }
        let origin = |file: &FileEntry| {
            let component = config.component(&file.component)?;
            let info = runtime.manifest.components.iter().find(|c| c.name == file.component)?;
            Some(Origin {
                name: component.name.clone(),
                version: component.version.clone(),
                license: component.license.clone(),
                source: source::source_for(component, plan.target).clone(),
                sha256: info.sha256,
            })
        };
        let origins = libraries().filter_map(|file| Some((file.sha256, origin(file)?))).collect();
        let options = Options { allowances: self.allowances()?, origins, ..Options::default() };
        let files = self.native_files()?;
        let wanted = Requirement::for_target(plan.target);
        let roots = LibraryDirs::new(dirs);
        let bundled =
            repair::bundle(&mut self.entries, filename, &files, &wanted, &roots, &options);
        let bundled = bundled.map_err(|error| Error::Bundle {
            wheel: self.wheel.name.to_string(),
            source: Box::new(error),
        })?;
        // A wheel with a component's library contains its licence too.
        let grafts = &bundled.plan.grafts;
        let is_grafted = |file: &&FileEntry| grafts.iter().any(|g| g.sha256 == file.sha256);
        let carried: BTreeSet<&str> =
            libraries().filter(is_grafted).map(|file| file.component.as_str()).collect();
        for file in runtime.manifest.files.iter().filter(|f| f.role == Role::License) {
            if carried.contains(file.component.as_str()) {
                self.license(file, runtime)?;
            }
        }
        Ok(bundled)
    }

    fn license(&mut self, file: &FileEntry, runtime: &Runtime) -> Result<(), Error> {
        let below = file.path.as_str().trim_start_matches("licenses/");
        let path = below.parse::<WheelPath>();
        let path = path.map_err(|e| self.problem("into", e.to_string(), None))?;
        self.licenses.push((path, runtime.path(&file.path)));
        Ok(())
    }

    /// Returns the libraries that the configuration permits.
    fn allowances(&self) -> Result<Allowances, Error> {
        let exclude = &self.project.config.audit.exclude;
        Allowances::new(exclude, Vec::new())
            .map_err(|e| self.problem("external", e.to_string(), None))
    }

    /// Returns the components of the configured wheel, whatever part of it this is.
    fn all_components(&self) -> &[String] {
        let configured = &self.project.config.wheels;
        let own = configured.iter().find(|wheel| wheel.key == self.wheel.key);
        own.map_or(&self.wheel.components, |wheel| &wheel.components)
    }

    /// Judges the files of the wheel, together with those of the wheel that it requires.
    fn judge(&self, plan: &TargetPlan, runtime: &Runtime) -> Result<Audit, Error> {
        let requirement = Requirement::for_target(plan.target).allowing(self.allowances()?);
        let mut files = self.native_files()?;
        if self.variant.part == Part::Extensions {
            let mut whole = self.wheel.clone();
            whole.components = self.all_components().to_vec();
            let mut beside = Pack::new(self.project, self.variant, &whole, self.host);
            beside.runtime_files(runtime)?;
            files.extend(beside.native_files()?);
            files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        let mut audit = audit::judgement(files, Some(&self.wheel.tag), &requirement);
        apply_settings(self.project, &mut audit);
        Ok(audit)
    }

    /// Reads every native file of the wheel, one at a time.
    fn native_files(&self) -> Result<Vec<NativeFile>, Error> {
        let mut files = Vec::new();
        for entry in self.entries.values() {
            let file = entry.native_file(&Limits::default());
            files.extend(file.map_err(|e| Error::io("read a file to inspect", e))?);
        }
        Ok(files)
    }
}
