//! Builds components into a runtime below `OUT_DIR`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directives::{Directive, Directives};
use super::{Env, Error, Library, link};
use crate::build::{Built, Hashes};
use crate::config::{Config, ConfigBuilder, Role};
use crate::pipeline::{self, Job};
use crate::plan;
use crate::runtime::Runtime;
use crate::source::{self, LOCK_FILE, SourceDirs};
use crate::sys::{self, Cancel, Host, Quiet, Report};
use crate::toolchain::{MissingZig, Optimize, ToolchainKind};

/// Builder of native components for a build script.
#[derive(Clone)]
pub struct Builder<'e> {
    env: &'e Env,
    file: Option<PathBuf>,
    /// Tables and components that the script adds to the file.
    added: ConfigBuilder,
    only: Option<Vec<String>>,
    report: Arc<dyn Report>,
}

/// Result of a build.
#[derive(Debug, Clone)]
pub struct Output {
    /// Runtime directory, below `OUT_DIR`.
    pub runtime: Runtime,
    /// Each component and its result: `148 of 152 compiled`, `up to date`.
    pub components: Vec<(String, String)>,
    /// Toolchain: `zig 0.17.0`.
    pub toolchain: String,
    /// Directives for cargo.
    pub directives: Directives,
}

impl Output {
    /// Returns the directory of the headers, for `bindgen` and similar programs.
    pub fn include(&self) -> PathBuf {
        self.runtime.dir.join(Role::Header.directory())
    }

    /// Returns the path of a program, by the name of its file without `.exe`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let programs = self.runtime.manifest.files.iter().filter(|f| f.role == Role::Executable);
        let is = |file: &str| file.strip_suffix(".exe").unwrap_or(file) == name;
        let mut found = programs.filter(|file| is(file.path.file_name()));
        found.next().map(|file| self.runtime.path(&file.path))
    }
}

impl<'e> Builder<'e> {
    /// Returns a builder without components.
    pub fn new(env: &'e Env) -> Self {
        Self { env, file: None, added: Config::builder(), only: None, report: Arc::new(Quiet) }
    }

    /// Adds the components of a configuration: a `wheelsmith.toml` or `pyproject.toml`, or a
    /// directory with one, relative to the package's directory.
    #[must_use]
    pub fn config(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Adds a C component.
    #[must_use]
    pub fn library(mut self, library: &Library) -> Self {
        self.added = self.added.library(library.clone());
        self
    }

    /// Adds tables of the configuration, of any kind: `[[tool.wheelsmith.component]]`. Paths in them
    /// are relative to the configuration's directory, or to the package's if there is no
    /// configuration.
    #[must_use]
    pub fn toml(mut self, tables: &str) -> Self {
        self.added = self.added.toml(tables);
        self
    }

    /// Builds only these components and those that they use.
    #[must_use]
    pub fn only<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the toolchain instead of the configuration's. A compiler in `CC_<target>` has
    /// precedence over both.
    #[must_use]
    pub fn toolchain(mut self, kind: ToolchainKind) -> Self {
        self.added = self.added.toolchain(kind);
        self
    }

    /// Sets the optimization level instead of the configuration's, which is `-O2` by default.
    /// [`Env::optimize`] is that of cargo's profile.
    #[must_use]
    pub fn optimize(mut self, optimize: Optimize) -> Self {
        self.added = self.added.optimize(optimize);
        self
    }

    /// Reports progress to `report`; without this call, progress is not reported.
    #[must_use]
    pub fn report(mut self, report: Arc<dyn Report>) -> Self {
        self.report = report;
        self
    }

    /// Builds the components that are not up to date for cargo's target, below `OUT_DIR`.
    ///
    /// # Errors
    /// Returns an error if the configuration has mistakes, if a source is neither present nor
    /// cached, if there is no toolchain, or if a compiler fails; the error contains its last lines.
    pub fn build(&self) -> Result<Output, Error> {
        let env = self.env;
        let (added, file) = match &self.file {
            None => (self.added.clone(), None),
            Some(path) => {
                let path = env.manifest_dir().join(path);
                let (added, file) = self.added.clone().load(&path)?;
                (added, Some(file))
            }
        };
        let mut config = added.build()?;
        let dir = file.as_deref().and_then(Path::parent).unwrap_or(env.manifest_dir()).to_owned();
        if let Some(only) = &self.only {
            keep(&mut config, only)?;
        }
        let target = config.with_floor(env.target());
        let mut plan = plan::components(&config, target);
        if plan.components.is_empty() {
            return Err(Error::Nothing { target: target.to_string() });
        }
        plan.toolchain = env.compiler().unwrap_or(plan.toolchain);
        let work = env.work_dir();
        prepare(&work).map_err(|e| Error::io("prepare `OUT_DIR`", e))?;
        let host = Host {
            env: env.for_children(),
            report: Arc::clone(&self.report),
            cancel: Cancel::default(),
            jobs: env.tokens(),
        };
        let cache = work.join("cache");
        let places = SourceDirs { project: &dir, work: &work, cache: &cache };
        let policy = source::Policy { offline: true, locked: true };
        let sources = source::resolve(&config, &[target], &places, policy, &host);
        let sources = sources.map_err(pipeline::Error::from)?;
        let hashes = Hashes::default();
        let (config, plan, hashes, host) = (&config, &plan, &hashes, &host);
        let job = Job { config, plan, project: &dir, work: &work, host, hashes, reuse: None };
        let tools = job.tools(&pipeline::present(&sources), &work, MissingZig::Offline)?;
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let (runtime, built) = job.build(&tools, &sources, (&name, "0"))?;
        let toolchain = &tools.toolchain;
        let wanted = self.only.clone().unwrap_or_else(|| link::roots(&config.components));
        let mut directives = link::directives(&built, &wanted, &runtime, target);
        self.add_metadata_directives(&runtime, &mut directives);
        let own =
            file.into_iter().chain([dir.join(LOCK_FILE), env.manifest_dir().join("build.rs")]);
        let own = own.filter(|path| path.is_file()).collect();
        // The compiler's own headers are left out: the version of the compiler covers them.
        let sources = built.iter().map(|one| one.source.root.as_path());
        let ours: Vec<&Path> = sources.chain([env.manifest_dir(), &dir]).collect();
        directives.rerun_for(own, &self.inputs(&built, &ours));
        directives.rerun_for_variables(&toolchain.read_vars);
        Ok(Output {
            components: built.iter().map(|b| (b.name.clone(), b.outcome.clone())).collect(),
            toolchain: toolchain.id.to_string(),
            runtime,
            directives,
        })
    }

    /// Adds the metadata for packages that depend on this one (`DEP_<LINKS>_ROOT` and so on).
    fn add_metadata_directives(&self, runtime: &Runtime, directives: &mut Directives) {
        if self.env.links().is_none() {
            return;
        }
        let mut tell = |key: &str, path: &Path| {
            let value = path.to_string_lossy().into_owned();
            directives.push(Directive::Metadata(key.to_owned(), value));
        };
        tell("root", &runtime.dir);
        for (key, role) in [("lib", Role::SharedLibrary), ("include", Role::Header)] {
            let dir = runtime.dir.join(role.directory());
            if dir.is_dir() {
                tell(key, &dir);
            }
        }
    }

    /// Returns the inputs of `built` below the directories `ours`. Once a script names a file to
    /// cargo, cargo no longer watches the package, so all files are named.
    fn inputs(&self, built: &[Built], ours: &[&Path]) -> BTreeSet<PathBuf> {
        let out = self.env.out_dir();
        let mut paths = BTreeSet::new();
        for component in built {
            paths.extend(component.inputs.read());
            // A directory covers everything below it. The directory of a glob is named, so that a
            // new file is noticed, unless it contains `OUT_DIR`, which changes in every build.
            let dirs = component.inputs.dirs.iter();
            let holds_package = |dir: &PathBuf| self.env.manifest_dir().starts_with(dir);
            let is_input =
                |dir: &&PathBuf| dir.is_dir() && !out.starts_with(dir) && !holds_package(dir);
            paths.extend(dirs.filter(is_input).cloned());
        }
        paths.retain(|path| !path.starts_with(out) && ours.iter().any(|dir| path.starts_with(dir)));
        paths
    }
}

/// Keeps the components called `only`, and those that they use.
fn keep(config: &mut Config, only: &[String]) -> Result<(), Error> {
    let known = || config.components.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    let missing = only.iter().find(|name| config.component(name).is_none());
    if let Some(name) = missing {
        return Err(Error::NoComponent { name: name.clone(), known: known() });
    }
    let mut wanted: BTreeSet<String> = only.iter().cloned().collect();
    // Each component follows those that it uses.
    for component in config.components.iter().rev() {
        if wanted.contains(&component.name) {
            wanted.extend(component.after().cloned());
        }
    }
    config.components.retain(|component| wanted.contains(&component.name));
    Ok(())
}

/// Creates the directories of child processes, and removes files of a killed build.
fn prepare(work: &Path) -> std::io::Result<()> {
    let sources = source::unpacked_dir(work);
    for dir in [work.join("cache"), sources.clone(), work.join("tmp")] {
        sys::fs::create_dir_all(dir)?;
    }
    sys::fs::sweep(work)?;
    sys::fs::sweep(&sources)
}
