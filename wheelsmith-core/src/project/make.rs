//! Targets to wheels: locate, build, lay out, pack, judge; one thread for each target.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::archive::{self, Judged};
use super::parts::Found;
use super::{Error, Project, pack};
use crate::audit::Audit;
use crate::build::{self, Built, Hashes, Setting};
use crate::config::Kind;
use crate::name::{Floor, PlatformTag, ProjectName, Target};
use crate::plan::{ComponentPlan, TargetPlan};
use crate::repair::RepairPlan;
use crate::runtime::{self, Identity, Runtime};
use crate::source::{self, Places, Resolved};
use crate::sys::{self, Host, Lock, Locked};
use crate::toolchain::{self, MissingZig, RustStd, Wrappers};
use crate::wheel::{MadeFile, Packing};

/// What to make, and where.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// For what.
    pub targets: Vec<Target>,
    /// The directory that wheels and archives land in.
    pub out: PathBuf,
    /// What may be done to get sources.
    pub policy: source::Policy,
    /// Make the runtime directory and its archive, no wheel.
    pub runtime_only: bool,
    /// How wheels are packed.
    pub packing: Packing,
    /// Further features of cargo components: `feature` for all of them, `component/feature` for
    /// one.
    pub features: Vec<String>,
    /// The one wheel to make; all when absent.
    pub wheel: Option<ProjectName>,
    /// Make wheels that let Python import from the project itself (PEP 660).
    pub editable: bool,
}

/// What came of a run: one for each target, in the order asked for.
pub type Made = Vec<(Target, Result<MadeTarget, Error>)>;

/// What was made for one target.
#[derive(Debug)]
pub struct MadeTarget {
    /// What it was built with.
    pub toolchain: String,
    /// Each component, and what was done for it.
    pub components: Vec<(String, String)>,
    /// The runtime directory.
    pub runtime: PathBuf,
    /// The runtime's archive, with `runtime_only` or where there is no wheel, and the SDKs; beside
    /// each its digest file.
    pub archives: Vec<MadeFile>,
    /// The verdict on the archives, where no wheel answers for their files. Nothing is written when
    /// it is bad.
    pub judged: Option<Judged>,
    /// The wheels.
    pub wheels: Vec<MadeWheel>,
    /// How long it took.
    pub time: Duration,
}

/// A wheel and its verdict.
#[derive(Debug)]
pub struct MadeWheel {
    /// Its file name with the tag that it was to have.
    pub name: String,
    /// The file; nothing when the bytes do not keep the floor.
    pub file: Option<MadeFile>,
    /// The oldest platform that it must run on.
    pub floor: Floor,
    /// The tag that the floor asked for.
    pub wanted: PlatformTag,
    /// What the bytes say.
    pub audit: Audit,
    /// The libraries that were copied into it, or are missing, with `external = "bundle"`.
    pub bundled: Option<RepairPlan>,
}

/// Builds `project`. The outer error is for what stops every target.
pub(crate) fn make(project: &Project, options: &BuildOptions, host: &Host) -> Result<Made, Error> {
    if options.targets.is_empty() {
        return Err(Error::NoTarget);
    }
    let _lock = lock(project, host)?;
    let cache = cache_dir(host)?;
    let work = project.work_dir();
    prepare_work(&work).map_err(|e| Error::io("prepare the build directory", e))?;
    // Before anything is compiled: a run must not end in a directory that takes no file.
    prepare_out(&options.out).map_err(|e| Error::io("write to the output directory", e))?;
    let mut plan = project.plan(&options.targets)?;
    for target in &mut plan.targets {
        add_features(target, &options.features)?;
    }
    let places = Places { project: &project.dir, work: &work, cache: &cache };
    let sources =
        source::resolve(&project.config, &options.targets, &places, options.policy, host)?;
    let hashes = Hashes::default();
    let run = Run { project, options, host, sources: &sources, hashes: &hashes };
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> =
            plan.targets.iter().map(|plan| scope.spawn(|| run.target(plan))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    Ok(plan.targets.iter().map(|plan| plan.target).zip(results).collect())
}

/// Adds `features` to the components that cargo builds.
fn add_features(plan: &mut TargetPlan, features: &[String]) -> Result<(), Error> {
    for feature in features {
        let is_cargo = |c: &&mut ComponentPlan| matches!(c.component.kind, Kind::Cargo(_));
        let (name, feature) = match feature.split_once('/') {
            Some((name, feature)) => (Some(name), feature),
            None => (None, feature.as_str()),
        };
        let mut any = false;
        for component in plan.components.iter_mut().filter(is_cargo) {
            if name.is_none_or(|name| component.component.name == name) {
                component.over.features.push(feature.to_owned());
                any = true;
            }
        }
        if !any {
            let name = name.map(|name| format!(" called `{name}`")).unwrap_or_default();
            return Err(Error::NoFeature { feature: feature.to_owned(), name });
        }
    }
    Ok(())
}

/// Waits until no other run builds this project.
pub(super) fn lock(project: &Project, host: &Host) -> Result<Lock, Error> {
    let path = project.work_dir().join("lock");
    let error = |source| Error::io("lock the build directory", source);
    match Lock::try_acquire(&path).map_err(error)? {
        Locked::Ours(lock) => Ok(lock),
        Locked::Busy => {
            let task = host.task("wait for another wheelsmith that builds this project", 0);
            let lock = Lock::acquire(&path, &host.cancel).map_err(error)?;
            let lock = lock.ok_or(Error::Cancelled)?;
            task.finish("done");
            Ok(lock)
        }
    }
}

pub(super) fn cache_dir(host: &Host) -> Result<PathBuf, Error> {
    host.env.cache_dir().ok_or(Error::NoCache)
}

/// Keeps the build directory out of version control and backups, and free of what a killed run
/// left behind.
fn prepare_work(work: &Path) -> std::io::Result<()> {
    sys::fs::write_atomic(&work.join(".gitignore"), b"*\n")?;
    sys::fs::write_atomic(
        &work.join("CACHEDIR.TAG"),
        b"Signature: 8a477f597d28d172789f06886806bc55\n",
    )?;
    sys::fs::sweep(work)?;
    sys::fs::sweep(&work.join("sources"))
}

fn prepare_out(out: &Path) -> std::io::Result<()> {
    sys::fs::create_dir_all(out)?;
    sys::fs::sweep(out)?;
    drop(sys::fs::Unfinished::create(&out.join("x"))?);
    Ok(())
}

struct Run<'a> {
    project: &'a Project,
    options: &'a BuildOptions,
    host: &'a Host,
    sources: &'a std::collections::BTreeMap<(String, String), Resolved>,
    hashes: &'a Hashes,
}

impl Run<'_> {
    fn target(&self, plan: &TargetPlan) -> Result<MadeTarget, Error> {
        let start = Instant::now();
        let project = self.project;
        let work = project.work_dir().join(plan.target.to_string());
        prepare_target(&work).map_err(|e| Error::io("prepare the build directory", e))?;
        if plan.components.is_empty() {
            return self.without_components(plan, &work, start);
        }
        let zig = project.zig();
        let sysroot = plan.sysroot.as_ref().map(|dir| project.dir.join(dir));
        let offline = self.options.policy.offline;
        let request = toolchain::Request {
            kind: plan.toolchain,
            target: plan.target,
            zig: zig.as_deref(),
            sysroot: sysroot.as_deref(),
            work_dir: &work,
            missing_zig: if offline { MissingZig::Offline } else { MissingZig::Fetch },
        };
        let toolchain = toolchain::locate(self.host, &request)?;
        let program = sys::current_program().map_err(|e| Error::io("find this program", e))?;
        let wrappers = Wrappers::write(&toolchain, &work, false, &program)?;
        let setting = Setting {
            config: &project.config,
            plan,
            toolchain: &toolchain,
            wrappers: &wrappers,
            project: &project.dir,
            work: &work,
            host: self.host,
            hashes: self.hashes,
        };
        let built = build::run(&setting, self.sources)?;
        let runtime = self.runtime(plan, &built, &toolchain.id.to_string(), &work)?;
        let mut made = MadeTarget {
            toolchain: toolchain.id.to_string(),
            components: built.iter().map(|b| (b.name.clone(), b.outcome.clone())).collect(),
            runtime: runtime.dir.clone(),
            archives: Vec::new(),
            judged: None,
            wheels: Vec::new(),
            time: Duration::ZERO,
        };
        let found =
            if self.options.runtime_only { Found::default() } else { self.found(&setting)? };
        self.pack(plan, &runtime, &found, &mut made)?;
        made.time = start.elapsed();
        Ok(made)
    }

    /// What the lists of parts say of components that cargo built.
    fn found(&self, setting: &Setting<'_>) -> Result<Found, Error> {
        let mut found = Found::default();
        let lists = |name: &String| {
            let mut wheels = self.project.config.wheels.iter();
            wheels.any(|wheel| wheel.sbom && wheel.components.contains(name))
        };
        for plan in &setting.plan.components {
            let Kind::Cargo(cargo) = &plan.component.kind else { continue };
            let name = &plan.component.name;
            if !lists(name) {
                continue;
            }
            let source = &self.sources[&(name.clone(), setting.plan.target.triple().to_owned())];
            let crates = build::crates(setting, plan, cargo, source)?;
            found.crates.insert(name.clone(), crates);
            if found.rustc.is_none() {
                let dir = &source.root;
                let rust = toolchain::rust_std(self.host, &setting.plan.target, dir);
                if let RustStd::Ready { rustc } = rust {
                    found.rustc = Some(rustc);
                }
            }
        }
        Ok(found)
    }

    /// Nothing is compiled, so that no compiler is needed: pure Python.
    fn without_components(
        &self,
        plan: &TargetPlan,
        work: &Path,
        start: Instant,
    ) -> Result<MadeTarget, Error> {
        let toolchain = "nothing to compile";
        let runtime = self.runtime(plan, &[], toolchain, work)?;
        let mut made = MadeTarget {
            toolchain: toolchain.to_owned(),
            components: Vec::new(),
            runtime: runtime.dir.clone(),
            archives: Vec::new(),
            judged: None,
            wheels: Vec::new(),
            time: Duration::ZERO,
        };
        self.pack(plan, &runtime, &Found::default(), &mut made)?;
        made.time = start.elapsed();
        Ok(made)
    }

    /// Writes what is to be written of a runtime.
    fn pack(
        &self,
        plan: &TargetPlan,
        runtime: &Runtime,
        found: &Found,
        made: &mut MadeTarget,
    ) -> Result<(), Error> {
        let Self { project, options, host, .. } = self;
        let (out, target) = (&options.out, plan.target);
        let has_wheels = !project.config.wheels.is_empty();
        if has_wheels && options.runtime_only {
            made.archives = archive::runtime(project, target, runtime, out, host)?;
            return Ok(());
        }
        if has_wheels {
            made.wheels = self.wheels(plan, runtime, found)?;
            // One who asks for a wheel, such as pip, asks for nothing else.
            let asks_for_one = options.wheel.is_some() || options.editable;
            if asks_for_one || made.wheels.iter().any(|wheel| wheel.file.is_none()) {
                return Ok(());
            }
        } else if !runtime.manifest.files.is_empty() {
            let judged = made.judged.insert(archive::judge(project, plan, runtime)?);
            if !judged.is_good() {
                return Ok(());
            }
            made.archives = archive::runtime(project, target, runtime, out, host)?;
        }
        if !options.runtime_only {
            made.archives.extend(archive::sdks(project, target, runtime, out, host)?);
        }
        Ok(())
    }

    fn wheels(
        &self,
        plan: &TargetPlan,
        runtime: &Runtime,
        found: &Found,
    ) -> Result<Vec<MadeWheel>, Error> {
        let mut made = Vec::new();
        let is_wanted = |wheel: &&crate::config::Wheel| {
            let wanted = self.options.wheel.as_ref();
            wanted.is_none_or(|name| name.normalized() == wheel.name.normalized())
        };
        for wheel in self.project.config.wheels.iter().filter(is_wanted) {
            let task = self.host.task(format!("pack {} for {}", wheel.name, plan.target), 1);
            let wheel =
                pack::pack(self.project, wheel, plan, (runtime, found), self.options, self.host)?;
            if wheel.file.is_some() {
                task.finish(wheel.name.clone());
            }
            made.push(wheel);
        }
        Ok(made)
    }

    fn runtime(
        &self,
        plan: &TargetPlan,
        built: &[Built],
        toolchain: &str,
        work: &Path,
    ) -> Result<Runtime, Error> {
        let (name, version) = archive::identity(self.project);
        let identity = Identity {
            name: &name,
            version: &version,
            target: plan.target,
            toolchain: toolchain.to_owned(),
        };
        Ok(runtime::assemble(&identity, built, &work.join("runtime"))?)
    }
}

fn prepare_target(work: &Path) -> std::io::Result<()> {
    sys::fs::create_dir_all(work)?;
    sys::fs::sweep(work)
}
