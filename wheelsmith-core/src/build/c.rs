//! C and C++: compiles in parallel what changed, then links or archives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::inputs::{self, Input};
use super::language::Language;
use super::python::{self, PythonFiles};
use super::record::{ATTEMPTS, Record};
use super::{
    Built, BuiltFile, Error, Inputs, Linkage, Setting, depfile, extension, frameworks, position,
};
use crate::config::{C, CForm, Component, Extension, Role, SourceGroup};
use crate::name::{Digest, Os, PythonAbi, Target, WheelPath};
use crate::plan::{ComponentPlan, Step};
use crate::source::Resolved;
use crate::sys::{self, Command, FileState, ProcessError};
use crate::toolchain::{Family, LinkKind, Tool, cxx::SharedCxx, filter};

/// Builds a component from C, C++ and assembly.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    c: &C,
    source: &Resolved,
    linked: &Linkage,
) -> Result<Built, Error> {
    let component = &plan.component;
    if let Some(extension) = &c.extension {
        return build_extension(setting, plan, (c, extension), source, linked);
    }
    let make = CBuild::new(setting, plan, c, source, linked);
    let dir = setting.component_dir(&component.name);
    let headers = make.headers(&dir.join("include"))?;
    let units = make.units(&dir.join("obj"))?;
    let compiled = make.compile(&units)?;
    let (mut files, mut keys, mut linked_now) = (Vec::new(), Vec::new(), false);
    for &form in forms(&c.form) {
        let names = Names::new(component, form, c.soname.as_deref(), setting.target());
        let output = dir.join("out").join(&names.file);
        let (is_new, key) = make.make(make.link(form, &units, &output, &names)?, &output)?;
        linked_now |= is_new;
        keys.push(key);
        names.link_beside(&output).map_err(|e| make.io(e))?;
        let (role, directory) = match form {
            CForm::Static => (Role::StaticLibrary, "lib"),
            CForm::Executable => (Role::Executable, "bin"),
            CForm::Shared | CForm::Library | CForm::Extension => (Role::SharedLibrary, "lib"),
        };
        let to = format!("{directory}/{}", names.file);
        let to = to.parse().map_err(|e: crate::name::ParseError| {
            setting.config.problem(&component.key, e.to_string(), None)
        })?;
        files.push(BuiltFile { path: output, to, role, aliases: names.aliases, python: None });
    }
    let mut linkage = make.linkage(&files[0].path, !headers.is_empty());
    linkage.key = Some(match &keys[..] {
        [one] => *one,
        several => Digest::of(several.iter().map(Digest::to_string).collect::<String>()),
    });
    let outcome = outcome(compiled, units.len(), linked_now);
    files.extend(headers);
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        files,
        outcome,
        linkage,
        inputs: make.inputs(&units),
    })
}

/// Describes what was done.
fn outcome(compiled: usize, all: usize, linked: bool) -> String {
    match (compiled, linked) {
        (0, false) => "up to date".to_owned(),
        (0, true) => "linked".to_owned(),
        (n, _) => format!("{n} of {all} compiled"),
    }
}

/// Builds an extension module for each of its ABIs.
fn build_extension(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    (c, extension): (&C, &Extension),
    source: &Resolved,
    linked: &Linkage,
) -> Result<Built, Error> {
    let component = &plan.component;
    let (mut files, mut inputs) = (Vec::new(), Inputs::default());
    let (mut compiled, mut all, mut linked_now) = (0, 0, false);
    for abi in &extension.abis {
        let python = python::find(setting, &component.name, *abi)?;
        python.write(setting, &component.name)?;
        setting.host.detail(|| {
            format!("{} for {abi}: headers of Python {}", component.name, python.release)
        });
        let mut make = CBuild::new(setting, plan, c, source, linked);
        make.for_python(extension, python);
        let dir = setting.component_dir(&component.name).join(abi.to_string());
        let units = make.units(&dir.join("obj"))?;
        compiled += make.compile(&units)?;
        all += units.len();
        let names = Names::of_extension(extension, *abi, setting.target());
        let output = dir.join("out").join(&names.file);
        let link = make.link(CForm::Extension, &units, &output, &names)?;
        let (is_new, _) = make.make(link, &output)?;
        linked_now |= is_new;
        let loader = extension::Loader::Python(extension);
        extension::check(setting, &component.name, loader, &output, &linked.shared)?;
        files.push(extension::built(extension, *abi, &setting.target(), output));
        let more = make.inputs(&units);
        inputs.files.extend(more.files);
        inputs.dirs.extend(more.dirs);
        inputs.records.extend(more.records);
    }
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        files,
        outcome: outcome(compiled, all, linked_now),
        linkage: Linkage::default(),
        inputs,
    })
}

/// Decides the steps of a component from C, and what it offers to others.
pub(super) fn steps(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    c: &C,
    source: &Resolved,
    linked: &Linkage,
) -> Result<(Vec<Step>, Linkage), Error> {
    let component = &plan.component;
    if let Some(extension) = &c.extension {
        let mut steps = Vec::new();
        for abi in &extension.abis {
            let python = python::find(setting, &component.name, *abi)?;
            let import = python.library.as_ref().and_then(|library| {
                let (_, _, command) = library.made.as_ref()?;
                Some(Step::Archive { output: library.path.clone(), command: command.into() })
            });
            steps.extend(import);
            let mut make = CBuild::new(setting, plan, c, source, linked);
            make.for_python(extension, python);
            let dir = setting.component_dir(&component.name).join(abi.to_string());
            let units = make.units(&dir.join("obj"))?;
            steps.extend(make.compile_steps(&units));
            let names = Names::of_extension(extension, *abi, setting.target());
            let output = dir.join("out").join(&names.file);
            steps.push(make.link_step(CForm::Extension, &units, &output, &names)?);
        }
        return Ok((steps, Linkage::default()));
    }
    let make = CBuild::new(setting, plan, c, source, linked);
    let dir = setting.component_dir(&component.name);
    let headers = make.header_files(&dir.join("include"))?;
    let units = make.units(&dir.join("obj"))?;
    let mut steps = make.compile_steps(&units);
    let mut outputs = Vec::new();
    for &form in forms(&c.form) {
        let names = Names::new(component, form, c.soname.as_deref(), setting.target());
        let output = dir.join("out").join(&names.file);
        steps.push(make.link_step(form, &units, &output, &names)?);
        outputs.push(output);
    }
    Ok((steps, make.linkage(&outputs[0], !headers.is_empty())))
}

/// Returns what is linked for a form: of a library, a shared and a static one.
fn forms(form: &CForm) -> &[CForm] {
    match form {
        CForm::Library => &[CForm::Shared, CForm::Static],
        one => std::slice::from_ref(one),
    }
}

/// Names of a component's file on its target.
struct Names {
    /// File name; for a shared library its SONAME, so that no chain of links is needed.
    file: String,
    /// Further names, for which linkers look.
    aliases: Vec<String>,
}

impl Names {
    fn new(component: &Component, form: CForm, soname: Option<&str>, target: Target) -> Self {
        let name = &component.name;
        let os = target.os();
        let stem = if name.starts_with("lib") || os == Os::Windows {
            name.clone()
        } else {
            format!("lib{name}")
        };
        let plain = format!("{stem}{}", os.shared_library_suffix());
        let alias = |file: String| {
            let aliases = if file == plain { Vec::new() } else { vec![plain.clone()] };
            Self { file, aliases }
        };
        match (form, os, soname) {
            (CForm::Static, ..) => Self { file: format!("{stem}.a"), aliases: Vec::new() },
            (CForm::Executable, ..) => {
                Self { file: format!("{name}{}", os.program_suffix()), aliases: Vec::new() }
            }
            (_, Os::Linux(_), Some(soname)) => alias(soname.to_owned()),
            // `libx.so.1` is `libx.1.dylib` on macOS.
            (_, Os::MacOs, Some(soname)) => alias(match soname.split_once(".so") {
                Some((stem, version)) => format!("{stem}{version}.dylib"),
                None => soname.to_owned(),
            }),
            _ => Self { file: plain, aliases: Vec::new() },
        }
    }

    /// Returns the name of the file of an extension module.
    fn of_extension(extension: &Extension, abi: PythonAbi, target: Target) -> Self {
        let path = extension.path(&abi, &target);
        Self { file: path.file_name().to_owned(), aliases: Vec::new() }
    }

    /// Creates links, so that `-lname` finds the library, whose file is named by its SONAME.
    fn link_beside(&self, output: &Path) -> std::io::Result<()> {
        for alias in &self.aliases {
            let place = output.with_file_name(alias);
            if sys::fs::symlink_metadata(&place).is_err() {
                sys::fs::symlink(&self.file, &place)?;
            }
        }
        Ok(())
    }
}

/// File to compile.
struct Unit {
    /// Name in messages.
    name: String,
    source: PathBuf,
    object: PathBuf,
    language: Language,
    args: Vec<String>,
}

impl Unit {
    fn is_cxx(&self) -> bool {
        self.language == Language::Cxx
    }

    /// Returns the file in which the compiler lists the files that it read.
    fn deps(&self) -> PathBuf {
        self.object.with_extension("d")
    }
}

struct CBuild<'a> {
    setting: &'a Setting<'a>,
    component: &'a Component,
    c: &'a C,
    source: &'a Resolved,
    linked: &'a Linkage,
    over: &'a crate::config::ComponentOverride,
    /// Arguments that name the directories of frameworks.
    frameworks: Vec<String>,
    /// Further arguments of compilations.
    compile_args: Vec<String>,
    /// Arguments by which a module finds libraries of the runtime.
    search_path: Vec<String>,
    /// Library of Python on Windows.
    python_library: Option<PathBuf>,
}

impl<'a> CBuild<'a> {
    fn new(
        setting: &'a Setting<'a>,
        plan: &'a ComponentPlan,
        c: &'a C,
        source: &'a Resolved,
        linked: &'a Linkage,
    ) -> Self {
        Self {
            setting,
            component: &plan.component,
            c,
            source,
            linked,
            over: &plan.over,
            frameworks: frameworks::args(setting, plan, linked),
            compile_args: Vec::new(),
            search_path: Vec::new(),
            python_library: None,
        }
    }

    /// Adds what an extension module requires.
    fn for_python(&mut self, extension: &Extension, python: PythonFiles) {
        self.compile_args = python.args;
        self.search_path = extension::search_path(self.setting, self.component, extension);
        self.python_library = python.library.map(|library| library.path);
    }

    /// Returns the steps that compile `units`.
    fn compile_steps(&self, units: &[Unit]) -> Vec<Step> {
        let step = |unit: &Unit| Step::Compile {
            source: unit.source.clone(),
            command: (&self.compile_command(unit)).into(),
        };
        units.iter().map(step).collect()
    }

    /// Returns the step that links `output`.
    fn link_step(
        &self,
        form: CForm,
        units: &[Unit],
        output: &Path,
        names: &Names,
    ) -> Result<Step, Error> {
        let link = self.link(form, units, output, names)?;
        let command = (&link.command_line(output).0).into();
        // C++ in archives decides which compiler links.
        let is_decided = self.linked.archives.is_empty() || units.iter().any(Unit::is_cxx);
        let output = output.to_owned();
        Ok(if form == CForm::Static {
            Step::Archive { output, command }
        } else if is_decided {
            Step::Link { output, command }
        } else {
            let after = format!("component {} is built", self.component.link.join(" and "));
            Step::later(format!("link {}", names.file), after)
        })
    }

    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { component: self.component.name.clone(), target: self.setting.target(), source }
    }

    /// Returns what the component offers to others; `first` is the first file that it links.
    fn linkage(&self, first: &Path, has_headers: bool) -> Linkage {
        let Self { c, linked, .. } = self;
        let mut linkage = Linkage::default();
        if has_headers {
            let dir = self.setting.component_dir(&self.component.name);
            linkage.include.push(dir.join("include"));
        }
        match c.form {
            // Other components link to the shared library; the archive is for users of the runtime.
            CForm::Shared | CForm::Library => linkage.shared.push(first.to_owned()),
            CForm::Static => {
                linkage.archives.push(first.to_owned());
                linkage.archives.extend(linked.archives.iter().cloned());
                linkage.shared.clone_from(&linked.shared);
                linkage.system = [&c.libraries[..], &linked.system].concat();
                linkage.frameworks = [&c.frameworks[..], &linked.frameworks].concat();
            }
            CForm::Executable | CForm::Extension => {}
        }
        linkage
    }

    /// Copies the headers below `to`, for components that link to this one.
    fn headers(&self, to: &Path) -> Result<Vec<BuiltFile>, Error> {
        let headers = self.header_files(to)?;
        for (from, file) in &headers {
            let bytes = sys::fs::read(from).map_err(|e| self.io(e))?;
            sys::fs::write_atomic(&file.path, &bytes).map_err(|e| self.io(e))?;
        }
        Ok(headers.into_iter().map(|(_, file)| file).collect())
    }

    /// Returns the headers, and the copies of them below `to`, laid out as in the runtime.
    fn header_files(&self, to: &Path) -> Result<Vec<(PathBuf, BuiltFile)>, Error> {
        let mut files = Vec::new();
        for (i, headers) in self.c.headers.iter().enumerate() {
            let key = format!("{}.headers[{i}].files", self.component.key);
            for Input { relative, path } in self.expand(&key, &headers.files, &[])? {
                let name = relative.rsplit('/').next().unwrap_or(&relative);
                let below = match &headers.to {
                    Some(dir) => format!("{dir}/{name}"),
                    None => name.to_owned(),
                };
                let place = to.join(&below);
                let to: WheelPath =
                    format!("include/{below}").parse().map_err(|e: crate::name::ParseError| {
                        self.setting.config.problem(&key, e.to_string(), None)
                    })?;
                let role = Role::Header;
                files.push((
                    path,
                    BuiltFile { path: place, to, role, aliases: Vec::new(), python: None },
                ));
            }
        }
        Ok(files)
    }

    /// Returns the inputs of the component.
    fn inputs(&self, units: &[Unit]) -> Inputs {
        let (root, project) = (&self.source.root, self.setting.project);
        let named = self.c.headers.iter().flat_map(|headers| &headers.files);
        let groups = self.c.sources.iter().flat_map(|group| &group.files);
        let patterns: Vec<_> = named.chain(groups).cloned().collect();
        let literal = patterns.iter().filter(|pattern| !pattern.is_glob());
        let files = literal.chain(&self.c.version_script).map(|path| path.resolve(root, project));
        Inputs {
            files: files.collect(),
            dirs: inputs::dirs(&patterns, root, project),
            records: units.iter().map(|unit| record_path(&unit.object)).collect(),
            rules: Vec::new(),
        }
    }

    fn expand(
        &self,
        key: &str,
        patterns: &[crate::config::SourcePath],
        exclude: &[crate::config::SourcePath],
    ) -> Result<Vec<Input>, Error> {
        let Setting { config, project, .. } = self.setting;
        Ok(inputs::expand(config, key, patterns, exclude, &self.source.root, project)?)
    }

    /// Returns every file to compile, with its arguments.
    fn units(&self, objects: &Path) -> Result<Vec<Unit>, Error> {
        let mut units = Vec::new();
        let environment = self.setting.host.env.for_compilers();
        let epoch = environment.get("SOURCE_DATE_EPOCH").unwrap_or_default();
        let groups = self.c.sources.iter().enumerate();
        for (i, group) in groups.filter(|(_, group)| group.is_for(self.setting.target())) {
            let key = format!("{}.sources[{i}].files", self.component.key);
            for Input { relative, path } in self.expand(&key, &group.files, &group.exclude)? {
                let language = Language::of(&relative);
                let mut args = self.group_args(group, language);
                if language == Language::Cxx && self.setting.toolchain.shared_cxx.is_some() {
                    args.push(crate::toolchain::cxx::BY_NAME.to_owned());
                }
                if has_date(&path) {
                    // The compiler's cache does not know the variable.
                    args.push(format!("-DWHEELSMITH_SOURCE_DATE_EPOCH={epoch}"));
                }
                // The group's number separates the objects of one file compiled in two ways.
                let object = objects.join(format!("{i}")).join(format!("{relative}.o"));
                units.push(Unit { name: relative, source: path, object, language, args });
            }
        }
        Ok(units)
    }

    fn group_args(&self, group: &SourceGroup, language: Language) -> Vec<String> {
        let Setting { plan, toolchain, project, .. } = self.setting;
        let mut args = toolchain.compile_args(plan.optimize);
        if self.c.freestanding {
            let words = ["-ffreestanding", "-fno-stack-protector", "-nostdinc++"];
            args.extend(words.map(str::to_owned));
        }
        let standard = group.std.iter().filter(|standard| language.has_standard(standard));
        args.extend(standard.map(|standard| format!("-std={standard}")));
        args.extend(group.define.iter().map(|define| format!("-D{define}")));
        let include = group.include.iter().map(|dir| dir.resolve(&self.source.root, project));
        let include = include.chain(self.linked.include.iter().cloned());
        args.extend(include.map(|dir| format!("-I{}", dir.display())));
        args.extend(self.frameworks.iter().cloned());
        args.extend(self.compile_args.iter().cloned());
        // Paths in `__FILE__` and debug information do not depend on the checkout.
        args.push(format!("-ffile-prefix-map={}=.", self.source.root.display()));
        args.push(format!("-ffile-prefix-map={}=.", project.display()));
        args.extend(group.flags.iter().cloned());
        args.extend(self.over.flags.iter().cloned());
        args
    }

    /// Compiles the files that are not current, and returns their number.
    fn compile(&self, units: &[Unit]) -> Result<usize, Error> {
        let Setting { host, .. } = self.setting;
        let stale: Vec<&Unit> = {
            let mut stale: Vec<&Unit> =
                units.iter().filter(|unit| !self.is_current(unit)).collect();
            // Long files first, so that no processor is left alone with one at the end.
            stale.sort_by_key(|unit| {
                std::cmp::Reverse(sys::fs::metadata(&unit.source).map_or(0, |m| m.len()))
            });
            stale
        };
        if stale.is_empty() {
            return Ok(0);
        }
        let dirs: BTreeSet<&Path> = stale.iter().filter_map(|unit| unit.object.parent()).collect();
        for dir in dirs {
            sys::fs::sweep(dir).map_err(|e| self.io(e))?;
        }
        let label = format!("compile {} for {}", self.component.name, self.setting.target());
        let task = host.task(label, stale.len() as u64);
        let compiled = host.jobs.try_map(&host.cancel, &stale, |unit| {
            self.compile_one(unit)?;
            task.advance(1, &unit.name);
            Ok::<(), Error>(())
        })?;
        if compiled.is_none() {
            return Err(Error::Cancelled);
        }
        task.finish(format!("{} of {} compiled", stale.len(), units.len()));
        Ok(stale.len())
    }

    fn is_current(&self, unit: &Unit) -> bool {
        let hashes = self.setting.hashes;
        Record::current(&record_path(&unit.object), self.how_unit(unit), &unit.object, hashes)
            .is_some()
    }

    fn how_unit(&self, unit: &Unit) -> Digest {
        if unit.language != Language::Cxx {
            return self.how(&unit.args);
        }
        let cxx = &self.setting.toolchain.cxx.args;
        self.how(&[cxx.as_slice(), &unit.args].concat())
    }

    /// Returns a digest of what decides a result besides the files that are read: arguments and
    /// toolchain.
    fn how(&self, args: &[String]) -> Digest {
        let toolchain = self.setting.toolchain;
        // The tools' own arguments name the target and its floor.
        let own = [&toolchain.cc.args[..], &toolchain.ar.args[..]].concat();
        let all = [&own[..], args].concat().join("\n");
        Digest::of(format!("{}\n{all}", toolchain.id))
    }

    /// Compiles a file, again if it or a header is saved meanwhile: the record must not call the old
    /// object that of the new file.
    fn compile_one(&self, unit: &Unit) -> Result<(), Error> {
        let hashes = self.setting.hashes;
        let deps = unit.deps();
        let parent = unit.object.parent().unwrap_or(Path::new("."));
        sys::fs::create_dir_all(parent).map_err(|e| self.io(e))?;
        // The record is removed before its object changes.
        let record = record_path(&unit.object);
        let _ = sys::fs::remove_file(&record);
        for _ in 0..ATTEMPTS {
            hashes.of(&unit.source);
            let begun = self.begin(&deps)?;
            self.compile_once(unit)?;
            let read = sys::fs::read_to_string(&deps).unwrap_or_default();
            let read = depfile::prerequisites(&read).into_iter();
            let read: BTreeSet<PathBuf> =
                read.map(|path| self.source.root.join(path)).chain([unit.source.clone()]).collect();
            if hashes.unchanged(read.iter().map(PathBuf::as_path), &begun) {
                if let Some(made) = Record::new(self.how_unit(unit), read, &unit.object, hashes) {
                    made.save(&record).map_err(|e| self.io(e))?;
                }
                return Ok(());
            }
        }
        self.warn_of_changes(&unit.name);
        Ok(())
    }

    /// Marks the time at which something begins by an empty file, since file systems have clocks of
    /// their own.
    fn begin(&self, mark: &Path) -> Result<FileState, Error> {
        sys::fs::write(mark, b"").map_err(|e| self.io(e))?;
        FileState::of(mark).map_err(|e| self.io(e))
    }

    fn warn_of_changes(&self, name: &str) {
        self.setting.host.warn(format!(
            "`{name}` of component `{}`, or a file that it includes, changed whenever it was \
             compiled; the next build compiles it again",
            self.component.name
        ));
    }

    /// Returns the command that compiles a file, and writes which files it read beside the object.
    fn compile_command(&self, unit: &Unit) -> Command {
        let toolchain = self.setting.toolchain;
        let compiler = if unit.is_cxx() { &toolchain.cxx } else { &toolchain.cc };
        self.command(compiler)
            .args(unit.args.iter().cloned())
            .args(["-MD", "-MF"])
            .arg(unit.deps().to_string_lossy())
            .args(["-c", "-o"])
            .arg(unit.object.to_string_lossy())
            .arg(self.shown(&unit.source))
    }

    fn compile_once(&self, unit: &Unit) -> Result<(), Error> {
        self.compile_command(unit).run(self.setting.host).map(drop).map_err(|source| match source {
            ProcessError::Cancelled => Error::Cancelled,
            source => Error::Compile {
                file: unit.name.clone(),
                component: self.component.name.clone(),
                target: self.setting.target(),
                source,
            },
        })
    }

    /// Returns the source as the compiler is given it: relative to its working directory, if it can
    /// be.
    fn shown(&self, path: &Path) -> String {
        argument(&path.strip_prefix(&self.source.root).unwrap_or(path).to_string_lossy())
    }

    fn command(&self, tool: &Tool) -> Command {
        tool.command(&self.source.root, &self.setting.host.env)
    }

    /// Decides the command that links the objects and everything that they need, or puts them into an
    /// archive.
    fn link(
        &self,
        form: CForm,
        units: &[Unit],
        output: &Path,
        names: &Names,
    ) -> Result<Link, Error> {
        let Setting { toolchain, plan, config, project, .. } = self.setting;
        if form == CForm::Static {
            let command = self.command(&toolchain.ar).arg("rcsD").arg(output.to_string_lossy());
            let objects = units.iter().map(|unit| unit.object.clone()).collect();
            return Ok(Link { command, objects, tail: Vec::new(), beside: Vec::new() });
        }
        let is_program = form == CForm::Executable;
        let kind = match form {
            _ if self.c.freestanding => LinkKind::Freestanding,
            CForm::Executable => LinkKind::Executable,
            CForm::Extension => LinkKind::Extension { name: &names.file },
            _ => LinkKind::Shared { name: &names.file },
        };
        let linux = matches!(plan.target.os(), Os::Linux(_));
        let mut args = toolchain.link_args(kind, plan.optimize, plan.strip);
        if linux && self.c.allow_undefined {
            // The last one counts: a shared library is linked with `-z defs` by default.
            args.push("-Wl,-z,undefs".to_owned());
        }
        let mut beside = Vec::new();
        if let Some(path) = self.c.version_script.as_ref().filter(|_| linux) {
            if toolchain.family != Family::Gcc {
                // GNU ld accepts names of symbols that do not exist.
                args.push("-Wl,--undefined-version".to_owned());
            }
            let key = format!("{}.version-script", self.component.key);
            let path = inputs::file(config, &key, path, &self.source.root, project)?;
            args.push(format!("-Wl,--version-script={}", path.display()));
            beside.push(path);
        }
        let is_cxx = units.iter().any(Unit::is_cxx)
            || self.linked.archives.iter().any(|archive| has_cxx(archive));
        let shared_cxx = self.shared_cxx(form).filter(|_| is_cxx);
        if !self.linked.shared.is_empty() || shared_cxx.is_some() {
            if form == CForm::Extension {
                args.extend(self.search_path.iter().cloned());
            } else {
                args.extend(self.setting.sibling_rpath(is_program));
            }
        }
        let objects = units.iter().map(|unit| &unit.object);
        let mut objects: Vec<PathBuf> = objects.chain(&self.linked.archives).cloned().collect();
        objects.extend(self.python_library.clone());
        let mut tail = Vec::new();
        for library in &self.linked.shared {
            let place = library.parent().zip(library.file_name()).filter(|_| linux);
            if let Some((dir, name)) = place {
                // By name: a library without SONAME would be needed by its path otherwise.
                tail.push(format!("-L{}", dir.display()));
                tail.push(format!("-l:{}", name.to_string_lossy()));
                beside.push(library.clone());
            } else {
                objects.push(library.clone());
            }
        }
        let libraries = self.c.libraries.iter().chain(&self.linked.system);
        tail.extend(libraries.map(|name| format!("-l{name}")));
        if let Some(shared) = shared_cxx {
            tail.push(shared.search_arg());
            tail.push(format!("-l:{}", shared.file));
            beside.push(shared.library());
        }
        if plan.target.os() == Os::MacOs {
            tail.extend(self.frameworks.iter().cloned());
            for framework in self.c.frameworks.iter().chain(&self.linked.frameworks) {
                tail.extend(["-framework".to_owned(), framework.clone()]);
            }
        }
        tail.extend(self.link_flags());
        // zig's C++ compiler adds a private runtime.
        let is_own = is_cxx && shared_cxx.is_none();
        let linker = if is_own { &toolchain.cxx } else { &toolchain.cc };
        let command = self.command(linker).args(args).arg("-o");
        let command = command.arg(output.to_string_lossy());
        Ok(Link { command, objects, tail, beside })
    }

    /// Returns the C++ runtime that a file shares with others, if there is one.
    fn shared_cxx(&self, form: CForm) -> Option<&SharedCxx> {
        let Setting { toolchain, config, .. } = self.setting;
        let is_alone = form == CForm::Executable
            && super::cxx::is_static_program(config, self.component, toolchain.target);
        toolchain.shared_cxx.as_ref().filter(|_| !is_alone)
    }

    /// Returns the user's flags for the linker, as the toolchain's linker takes them.
    fn link_flags(&self) -> Vec<String> {
        let Setting { toolchain, host, .. } = self.setting;
        let flags = self.c.link_flags.iter().chain(&self.over.link_flags);
        if toolchain.family != Family::Zig {
            return flags.cloned().collect();
        }
        let filtered = filter::apply(&filter::rules(&toolchain.target), flags);
        for left_out in filtered.told {
            host.warn(filter::left_out(&self.component.name, &left_out));
        }
        filtered.args
    }

    /// Returns the file that marks that zig has linked for the target before, if it has not: the first
    /// link compiles the C library, which takes some seconds to a minute.
    fn first_link(&self, output: &Path) -> Option<PathBuf> {
        let toolchain = self.setting.toolchain;
        let cache = toolchain.cc.env.get("ZIG_GLOBAL_CACHE_DIR")?;
        let is_archive = output.extension().is_some_and(|extension| extension == "a");
        let id = toolchain.id.as_str().replace(' ', "-");
        let mark = Path::new(cache).join(format!("linked-{}-{id}", self.setting.target()));
        (toolchain.family == Family::Zig && !is_archive && !mark.exists()).then_some(mark)
    }

    /// Runs `link` unless its output is current. Returns whether it ran, and the digest of the
    /// output.
    fn make(&self, link: Link, output: &Path) -> Result<(bool, Digest), Error> {
        let Setting { host, hashes, .. } = self.setting;
        let record = record_path(output);
        let objects = link.objects.iter().map(|path| path.to_string_lossy().into_owned());
        let objects: Vec<String> = objects.collect();
        let how = self.how(&[&link.command.args[..], &objects, &link.tail].concat());
        if let Some(current) = Record::current(&record, how, output, hashes) {
            return Ok((false, current.output()));
        }
        position::check(&self.component.name, &self.linked.archives)?;
        let first = self.first_link(output);
        let note = if first.is_some() { "; zig compiles the C library first, once" } else { "" };
        let label = format!("link {} for {}{note}", self.component.name, self.setting.target());
        let task = host.task(label, 1);
        let dir = output.parent().unwrap_or(Path::new("."));
        sys::fs::create_dir_all(dir).map_err(|e| self.io(e))?;
        // `ar` adds to an existing archive; a killed linker leaves an incomplete file.
        for old in [output, &record] {
            if old.exists() {
                sys::fs::remove_file(old).map_err(|e| self.io(e))?;
            }
        }
        let (command, list) = link.command_line(output);
        if let Some((list, text)) = list {
            sys::fs::write_atomic(&list, text.as_bytes()).map_err(|e| self.io(e))?;
        }
        let inputs: Vec<PathBuf> = link.objects.into_iter().chain(link.beside).collect();
        let mark = output.with_extension("begun");
        let mut is_whole = false;
        for _ in 0..ATTEMPTS {
            for input in &inputs {
                hashes.of(input);
            }
            let begun = self.begin(&mark)?;
            if output.exists() {
                sys::fs::remove_file(output).map_err(|e| self.io(e))?;
            }
            let _token = host.jobs.acquire().map_err(|e| self.io(e))?;
            let log = self.setting.component_dir(&self.component.name).join("log/link.log");
            command.clone().failure_log(log).run(host).map_err(|source| match source {
                ProcessError::Cancelled => Error::Cancelled,
                source => Error::Link {
                    component: self.component.name.clone(),
                    target: self.setting.target(),
                    source,
                },
            })?;
            is_whole = hashes.unchanged(inputs.iter().map(PathBuf::as_path), &begun);
            if is_whole {
                break;
            }
        }
        let _ = sys::fs::remove_file(&mark);
        let made = Record::new(how, inputs, output, hashes).ok_or_else(|| {
            self.io(std::io::Error::other(format!("the linker made no `{}`", output.display())))
        })?;
        if is_whole {
            made.save(&record).map_err(|e| self.io(e))?;
        } else {
            self.warn_of_changes(&output.file_name().unwrap_or_default().to_string_lossy());
        }
        if let Some(mark) = first {
            // Only the next build's messages depend on it.
            let _ = sys::fs::write_atomic(&mark, b"");
        }
        task.finish("done");
        Ok((true, made.output()))
    }
}

/// Command that makes one file of many.
struct Link {
    /// Command, up to the output.
    command: Command,
    /// Objects and archives.
    objects: Vec<PathBuf>,
    /// Arguments behind the objects.
    tail: Vec<String>,
    /// Further inputs.
    beside: Vec<PathBuf>,
}

impl Link {
    /// Returns the whole command, and the file of its objects (path and text) if they are too many
    /// for a command line.
    fn command_line(&self, output: &Path) -> (Command, Option<(PathBuf, String)>) {
        let objects: Vec<String> =
            self.objects.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let command = self.command.clone();
        if objects.iter().map(String::len).sum::<usize>() <= COMMAND_LINE_LIMIT {
            return (command.args(objects).args(self.tail.clone()), None);
        }
        let list = output.with_extension("objects");
        let quote = |o: &String| o.replace('\\', "\\\\").replace('"', "\\\"");
        let text = objects.iter().map(|o| format!("\"{}\"\n", quote(o))).collect();
        let command = command.arg(format!("@{}", list.display())).args(self.tail.clone());
        (command, Some((list, text)))
    }
}

/// Returns a file's path as an argument that no compiler takes for an option or a file of options.
fn argument(path: &str) -> String {
    if path.starts_with(['-', '@']) { format!("./{path}") } else { path.to_owned() }
}

/// Returns true if a source may use the date of the build, so that another date makes another object.
fn has_date(source: &Path) -> bool {
    // The compiler reports a file that cannot be read.
    let bytes = sys::fs::read(source).unwrap_or_default();
    let macros: [&[u8]; 3] = [b"__DATE__", b"__TIME__", b"__TIMESTAMP__"];
    macros.iter().any(|name| memchr::memmem::find(&bytes, name).is_some())
}

/// Returns true if an archive holds C++ that throws or uses the standard library, which the C compiler
/// does not link.
fn has_cxx(archive: &Path) -> bool {
    // An archive that cannot be read is left to the linker.
    let bytes = sys::fs::read(archive).unwrap_or_default();
    let marks: [&[u8]; 4] = [b"__gxx_personality_v0", b"_ZNSt", b"_ZSt", b"_ZdlPv"];
    marks.iter().any(|mark| memchr::memmem::find(&bytes, mark).is_some())
}

/// Longest command line, in characters. Windows accepts 32767 in all; other systems more.
const COMMAND_LINE_LIMIT: usize = 24_000;

/// Returns the path of the record of a file.
fn record_path(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_name_is_an_option() {
        let check = |path: &str, expected: &str| assert_eq!(argument(path), expected);
        check("a.c", "a.c");
        check("-DX.c", "./-DX.c");
        check("-", "./-");
        check("@list.c", "./@list.c");
        check("d/-x.c", "d/-x.c");
        check("with space.c", "with space.c");
    }
}
