//! Builds a project: locates toolchains, builds components, and packs and judges the results. Each
//! target has a thread.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::archive::{self, ArchiveVerdict};
use super::packing::{self, BuiltPackage, Packer};
use super::parts::Inventory;
use super::{BuiltWheel, Error, Project, pack};
use crate::build::{self, Hashes, Reuse, Setting};
use crate::config::Kind;
use crate::name::Target;
use crate::pipeline::{self, Job, Sources};
use crate::plan::{BuildOptions, ComponentPlan, LeftOutPackage, Part, Plan, TargetPlan};
use crate::runtime::{self, Identity, Runtime};
use crate::source::{self, SourceDirs};
use crate::sys::{self, Host, Lock, Locked};
use crate::toolchain::{self, MissingZig, RustStd};
use crate::wheel::MadeFile;

/// Result of a build: one entry per target, in the order of the options.
#[derive(Debug)]
pub struct BuildOutput {
    /// Each target with its result.
    pub targets: Vec<(Target, Result<TargetBuild, Error>)>,
    /// Packages that are made from the runtimes of all targets.
    pub packages: Vec<BuiltPackage>,
    /// Packages that are not made.
    pub left_out: Vec<LeftOutPackage>,
}

/// Verdict on a whole build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildVerdict {
    /// Everything was built and written.
    Good,
    /// Everything was built, but a wheel or archive was not written because its files do not
    /// qualify for its tag.
    Refused,
    /// A target could not be built.
    Failed,
}

impl BuildOutput {
    /// Returns the verdict: that of the worst target.
    pub fn verdict(&self) -> BuildVerdict {
        let of_target = |(_, result): &(Target, Result<TargetBuild, Error>)| match result {
            Err(_) => BuildVerdict::Failed,
            Ok(build) if build.is_refused() => BuildVerdict::Refused,
            Ok(_) => BuildVerdict::Good,
        };
        self.targets.iter().map(of_target).max().unwrap_or(BuildVerdict::Failed)
    }

    /// True if everything was built and written.
    pub fn is_good(&self) -> bool {
        self.verdict() == BuildVerdict::Good
    }
}

/// Result for one target.
#[derive(Debug)]
pub struct TargetBuild {
    /// Toolchain.
    pub toolchain: String,
    /// Components, and what was done for each.
    pub components: Vec<(String, String)>,
    /// Runtime directory.
    pub runtime: PathBuf,
    /// Archives of the runtime and of SDKs, each with a digest file beside it.
    pub archives: Vec<MadeFile>,
    /// Verdict on the archives of a project without wheels. They are not written if
    /// it is bad.
    pub judged: Option<ArchiveVerdict>,
    /// Wheels.
    pub wheels: Vec<BuiltWheel>,
    /// Other packages.
    pub packages: Vec<BuiltPackage>,
    /// Duration.
    pub time: Duration,
}

impl TargetBuild {
    /// Returns the number of bytes that wheels do not repeat because the runtime is in a wheel of
    /// its own.
    pub fn saved_bytes(&self) -> u64 {
        let sizes = |part| {
            let wheels = self.wheels.iter().filter(move |wheel| wheel.part == part);
            wheels.filter_map(|wheel| Some(wheel.file.as_ref()?.size_bytes))
        };
        let count = sizes(Part::Extensions).count() as u64;
        sizes(Part::Runtime).sum::<u64>() * count.saturating_sub(1)
    }

    /// True if a wheel or archive was not written because its files do not qualify.
    pub fn is_refused(&self) -> bool {
        self.wheels.iter().any(|wheel| wheel.file.is_none())
            || self.packages.iter().any(|package| package.file.is_none())
            || self.judged.as_ref().is_some_and(|verdict| !verdict.is_good())
    }
}

/// Builds `project`.
///
/// # Errors
/// Returns an error if no target can be built.
pub(crate) fn run(project: &Project, options: &BuildOptions) -> Result<BuildOutput, Error> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method has one lifetime")]
    let (plan, targets) = each_target(project, options, |run, plan| run.target(plan))?;
    let built: Vec<_> = targets.iter().map(|(t, result)| (*t, packages(result))).collect();
    let common = Packer { project, options, host: &project.host }.all(&plan, &built)?;
    let left_out = plan.left_out.into_iter().chain(common.left_out).collect();
    Ok(BuildOutput { targets, packages: common.packages, left_out })
}

/// Each target with its result.
pub(super) type Results<T> = Vec<(Target, Result<T, Error>)>;

/// Plans a build, obtains the sources, and runs `work` for each target in a thread.
pub(super) fn each_target<T: Send>(
    project: &Project,
    options: &BuildOptions,
    work_on: impl Fn(&Run<'_>, &TargetPlan) -> Result<T, Error> + Sync,
) -> Result<(Plan, Results<T>), Error> {
    let host = &project.host;
    let _lock = lock(project, host)?;
    let cache = cache_dir(host)?;
    let work = project.work_dir();
    prepare_work(&work).map_err(|e| Error::io("prepare the build directory", e))?;
    // Before compilation, because a build must not fail at the end with an unusable output
    // directory.
    prepare_out(&project.out_dir(options))
        .map_err(|e| Error::io("write to the output directory", e))?;
    let plan = project.plan(options)?;
    if let Some(backend) = &project.config.foreign_backend
        && plan.targets.iter().any(|target| !target.wheels.is_empty())
    {
        host.warn(format!(
            "`pyproject.toml` names the build back end `{backend}`, so pip and other installers do \
             not build these wheels; `build-backend = \"wheelsmith_build\"` lets them"
        ));
    }
    let targets: Vec<Target> = compiled(&plan).map(|plan| plan.target).collect();
    let places = SourceDirs { project: &project.dir, work: &work, cache: &cache };
    let sources = if options.no_build {
        Sources::new()
    } else {
        obtain(project, &targets, &places, options.policy, host)?
    };
    #[cfg(feature = "store")]
    let stored = super::reuse::StoreReuse::open(project, options)?;
    #[cfg(feature = "store")]
    let reuse = stored.as_ref().map(|stored| stored as &dyn Reuse);
    #[cfg(not(feature = "store"))]
    let reuse = None;
    let hashes = Hashes::default();
    let laid = compiled(&plan).map(|plan| (plan.target.to_string(), Mutex::default())).collect();
    let run = Run {
        project,
        options,
        host,
        places: &places,
        sources: Mutex::new(sources),
        hashes: &hashes,
        laid: &laid,
        reuse,
    };
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> =
            plan.targets.iter().map(|plan| scope.spawn(|| work_on(&run, plan))).collect();
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    let targets = plan.targets.iter().map(|plan| plan.target).zip(results).collect();
    Ok((plan, targets))
}

/// Returns the packages of a target; none if it could not be built.
fn packages(result: &Result<TargetBuild, Error>) -> &[BuiltPackage] {
    result.as_ref().map_or(&[], |built| &built.packages)
}

/// Obtains every source, by component and triple. If the sources of some targets cannot be
/// obtained, returns the others, and those targets fail later.
fn obtain(
    project: &Project,
    targets: &[Target],
    places: &SourceDirs<'_>,
    policy: source::Policy,
    host: &Host,
) -> Result<Sources, Error> {
    let resolve =
        |targets: &[Target]| source::resolve(&project.config, targets, places, policy, host);
    let error = match resolve(targets) {
        Ok(sources) => return Ok(sources),
        Err(error) => error,
    };
    let mut sources = Sources::new();
    let mut any = false;
    for target in targets.iter().filter(|_| targets.len() > 1) {
        if let Ok(found) = resolve(std::slice::from_ref(target)) {
            sources.extend(found);
            any = true;
        }
    }
    if any { Ok(sources) } else { Err(error.into()) }
}

/// Returns the plans of targets that are compiled: for a combined target, those of its slices.
fn compiled(plan: &Plan) -> impl Iterator<Item = &TargetPlan> {
    plan.targets.iter().flat_map(|plan| match &plan.slices[..] {
        [] => std::slice::from_ref(plan),
        slices => slices,
    })
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Decides the steps of a target's components.
pub(super) fn add_steps(
    project: &Project,
    plan: &mut TargetPlan,
    options: &BuildOptions,
) -> Result<(), Error> {
    if plan.components.is_empty() {
        return Ok(());
    }
    let host = &project.host;
    let (work, cache) = (project.work_dir(), cache_dir(host)?);
    let places = SourceDirs { project: &project.dir, work: &work, cache: &cache };
    let sources = source::present(&project.config, plan.target, &places, options.policy, host)?;
    let work = work.join(plan.target.to_string());
    let job = Job {
        config: &project.config,
        plan,
        project: &project.dir,
        work: &work,
        host,
        hashes: &Hashes::default(),
        reuse: None,
    };
    let offline = options.policy.offline;
    let missing_zig = if offline { MissingZig::Offline } else { MissingZig::Leave };
    let (steps, cxx_runtime) = job.steps(&sources, missing_zig)?;
    plan.cxx_runtime = cxx_runtime;
    for (component, steps) in plan.components.iter_mut().zip(steps) {
        component.steps = steps;
    }
    Ok(())
}

/// Locks the build directory; waits while another process builds the project.
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

/// Marks the build directory for version control and backups, and removes what a killed build
/// left behind.
fn prepare_work(work: &Path) -> std::io::Result<()> {
    sys::fs::write_atomic(&work.join(".gitignore"), b"*\n")?;
    sys::fs::write_atomic(
        &work.join("CACHEDIR.TAG"),
        b"Signature: 8a477f597d28d172789f06886806bc55\n",
    )?;
    sys::fs::sweep(work)?;
    sys::fs::sweep(&source::unpacked_dir(work))
}

fn prepare_out(out: &Path) -> std::io::Result<()> {
    sys::fs::create_dir_all(out)?;
    sys::fs::sweep(out)?;
    drop(sys::fs::Unfinished::create(&out.join("x"))?);
    Ok(())
}

pub(super) struct Run<'a> {
    project: &'a Project,
    options: &'a BuildOptions,
    host: &'a Host,
    places: &'a SourceDirs<'a>,
    sources: Mutex<Sources>,
    hashes: &'a Hashes,
    laid: &'a Runtimes,
    reuse: Option<&'a dyn Reuse>,
}

/// Runtime of a target, with the record of its build.
struct TargetRuntime {
    runtime: Runtime,
    toolchain: String,
    components: Vec<(String, String)>,
    found: Inventory,
}

/// Runtimes by target. A runtime that two targets use is built once.
type Runtimes = BTreeMap<String, Mutex<Option<Arc<TargetRuntime>>>>;

impl Run<'_> {
    fn target(&self, plan: &TargetPlan) -> Result<TargetBuild, Error> {
        let start = Instant::now();
        let laid = if self.options.no_build {
            self.existing(plan)?
        } else if plan.slices.is_empty() {
            self.once(plan)?
        } else {
            self.fused(plan)?
        };
        let mut made = TargetBuild {
            toolchain: laid.toolchain.clone(),
            components: laid.components.clone(),
            runtime: laid.runtime.dir.clone(),
            archives: Vec::new(),
            judged: None,
            wheels: Vec::new(),
            packages: Vec::new(),
            time: Duration::ZERO,
        };
        self.pack(plan, &laid.runtime, &laid.found, &mut made)?;
        made.time = start.elapsed();
        Ok(made)
    }

    /// Builds the components of a target, and returns the components of its runtime with their origin.
    pub(super) fn components(
        &self,
        plan: &TargetPlan,
    ) -> Result<Vec<runtime::ComponentInfo>, Error> {
        Ok(self.once(plan)?.runtime.manifest.components.clone())
    }

    /// Returns the runtime of a compiled target. The first caller builds it.
    fn once(&self, plan: &TargetPlan) -> Result<Arc<TargetRuntime>, Error> {
        let laid = &self.laid[&plan.target.to_string()];
        let mut laid = laid.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(laid) = &*laid {
            return Ok(Arc::clone(laid));
        }
        let made = Arc::new(self.lay_out(plan)?);
        *laid = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Returns the runtime that an earlier run built.
    fn existing(&self, plan: &TargetPlan) -> Result<Arc<TargetRuntime>, Error> {
        let dir = self.project.work_dir().join(plan.target.to_string()).join("runtime");
        let runtime = packing::existing(self.project, plan.target, &dir)?;
        let toolchain = runtime.manifest.toolchain.clone();
        let outcome = |info: &runtime::ComponentInfo| (info.name.clone(), "as it is".to_owned());
        let components = runtime.manifest.components.iter().map(outcome).collect();
        let found = Inventory::default();
        Ok(Arc::new(TargetRuntime { runtime, toolchain, components, found }))
    }

    /// Combines the runtimes of the slices.
    fn fused(&self, plan: &TargetPlan) -> Result<Arc<TargetRuntime>, Error> {
        // In parallel, as separate targets.
        let slices = std::thread::scope(|scope| {
            let slices = plan.slices.iter().map(|slice| scope.spawn(|| self.once(slice)));
            let slices: Vec<_> = slices.collect();
            slices.into_iter().map(join).collect::<Vec<_>>()
        });
        let slices = slices.into_iter().collect::<Result<Vec<_>, _>>()?;
        let arches = plan.slices.iter().map(|slice| slice.target.arch());
        let runtimes: Vec<_> = arches.zip(slices.iter().map(|laid| &laid.runtime)).collect();
        let work = self.project.work_dir().join(plan.target.to_string());
        prepare_target(&work).map_err(|e| Error::io("prepare the build directory", e))?;
        let toolchains: BTreeSet<&str> = slices.iter().map(|laid| &*laid.toolchain).collect();
        let toolchain = toolchains.into_iter().collect::<Vec<_>>().join(" and ");
        let (name, version) = archive::identity(self.project);
        let identity = Identity { name: &name, version: &version, target: plan.target, toolchain };
        let runtime = runtime::create_universal(&identity, &runtimes, &work.join("runtime"))?;
        let mut components = Vec::new();
        let mut found = Inventory::default();
        for (slice, laid) in plan.slices.iter().zip(&slices) {
            let arch = slice.target.arch();
            let named =
                |(name, outcome): &(String, String)| (format!("{name} ({arch})"), outcome.clone());
            components.extend(laid.components.iter().map(named));
            found.extend(&laid.found);
        }
        Ok(Arc::new(TargetRuntime { runtime, toolchain: identity.toolchain, components, found }))
    }

    /// Builds the components of a target and copies their files to its runtime directory.
    fn lay_out(&self, plan: &TargetPlan) -> Result<TargetRuntime, Error> {
        let project = self.project;
        let work = project.work_dir().join(plan.target.to_string());
        prepare_target(&work).map_err(|e| Error::io("prepare the build directory", e))?;
        let job = Job {
            config: &project.config,
            plan,
            project: &project.dir,
            work: &work,
            host: self.host,
            hashes: self.hashes,
            reuse: self.reuse,
        };
        let (name, version) = archive::identity(project);
        let identity = (&*name, &*version);
        if plan.components.is_empty() {
            // No compiler is required for pure Python.
            let toolchain = "nothing to compile".to_owned();
            let runtime = job.runtime(&[], toolchain.clone(), identity)?;
            let (components, found) = (Vec::new(), Inventory::default());
            return Ok(TargetRuntime { runtime, toolchain, components, found });
        }
        let sources = self.sources_of(plan)?;
        let offline = self.options.policy.offline;
        let missing_zig = if offline { MissingZig::Offline } else { MissingZig::Fetch };
        let tools = job.tools(&pipeline::present(&sources), &work, missing_zig)?;
        let (runtime, built) = job.build(&tools, &sources, identity)?;
        let is_listed = !self.options.runtime_only && self.options.packages.is_none();
        let found = if is_listed {
            self.found(&job.setting(&tools), &sources)?
        } else {
            Inventory::default()
        };
        Ok(TargetRuntime {
            runtime,
            toolchain: tools.toolchain.id.to_string(),
            components: built.iter().map(|b| (b.name.clone(), b.outcome.clone())).collect(),
            found,
        })
    }

    /// Returns the sources of a target.
    fn sources_of(&self, plan: &TargetPlan) -> Result<Sources, Error> {
        let mut sources = self.sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let triple = plan.target.triple();
        let is_there = |component: &ComponentPlan| {
            sources.contains_key(&(component.component.name.clone(), triple.to_owned()))
        };
        if !plan.components.iter().all(is_there) {
            let Self { project, places, options, host, .. } = self;
            let targets = [plan.target];
            let found = source::resolve(&project.config, &targets, places, options.policy, host)?;
            sources.extend(found);
        }
        let own = sources.iter().filter(|((_, of), _)| of == triple);
        Ok(own.map(|(key, source)| (key.clone(), source.clone())).collect())
    }

    /// Lists the crates and the modules of components that cargo and Go build, for SBOMs.
    fn found(&self, setting: &Setting<'_>, sources: &Sources) -> Result<Inventory, Error> {
        let mut found = Inventory::default();
        let lists = |name: &String| {
            let mut wheels = self.project.config.wheels.iter();
            wheels.any(|wheel| wheel.sbom && wheel.components.contains(name))
        };
        for plan in &setting.plan.components {
            let name = &plan.component.name;
            if !lists(name) {
                continue;
            }
            let source = &sources[&(name.clone(), setting.plan.target.triple().to_owned())];
            let setting = &setting.of(&plan.component);
            match &plan.component.kind {
                Kind::Cargo(cargo) => {
                    let crates = build::crates(setting, plan, cargo, source)?;
                    found.crates.insert(name.clone(), crates);
                    let dir = &source.root;
                    let rust = toolchain::rust_std(self.host, &setting.plan.target, dir);
                    if let RustStd::Ready { rustc } = rust {
                        found.compilers.insert(rustc);
                    }
                }
                Kind::Go(go) => {
                    let modules = build::go_modules(setting, plan, go, source)?;
                    found.modules.insert(name.clone(), modules);
                    found.compilers.insert(build::go_compiler(setting, plan, go, source)?);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Writes the wheels and archives of a runtime.
    fn pack(
        &self,
        plan: &TargetPlan,
        runtime: &Runtime,
        found: &Inventory,
        built: &mut TargetBuild,
    ) -> Result<(), Error> {
        let Self { project, options, host, .. } = self;
        let (out, target) = (&project.out_dir(options), plan.target);
        for wheel in &plan.wheels {
            let name = &wheel.name;
            let task = host.task(format!("pack {name} for {target}"), 1);
            let variant = &wheel.variant;
            let wheel = pack::pack(project, variant, plan, (runtime, found), options, host)?;
            if wheel.file.is_some() {
                task.finish(wheel.name.clone());
            }
            built.wheels.push(wheel);
        }
        if built.wheels.iter().any(|wheel| wheel.file.is_none()) {
            return Ok(());
        }
        if plan.has_runtime_archive && !runtime.manifest.files.is_empty() {
            // If there are wheels, their files are judged when they are packed.
            if project.config.wheels.is_empty() {
                let verdict = built.judged.insert(archive::judge(project, plan, runtime)?);
                if !verdict.is_good() {
                    return Ok(());
                }
            }
            built.archives = archive::runtime(project, target, runtime, out, host)?;
        }
        if plan.has_sdks {
            built.archives.extend(archive::sdks(project, target, runtime, out, host)?);
        }
        built.packages = Packer { project, options, host }.target(plan, runtime)?;
        Ok(())
    }
}

fn prepare_target(work: &Path) -> std::io::Result<()> {
    sys::fs::create_dir_all(work)?;
    sys::fs::sweep(work)
}
