//! Complete plan of a build, decided before anything is built.
//!
//! [`plan`] depends on the configuration and the options alone. `--dry-run` prints the plan that a
//! build executes.

mod cxx;
mod options;
mod package;
mod package_kind;
mod step;
mod variant;

use serde::Serialize;

pub use self::cxx::{CxxPlan, CxxToolchain, CxxUse, decide as decide_cxx};
pub use self::options::BuildOptions;
#[cfg(feature = "store")]
pub use self::options::StoreOptions;
#[cfg(feature = "project")]
pub(crate) use self::package::PackageContent;
pub use self::package::{CratePlan, LeftOutPackage, PackagePlan};
pub use self::package_kind::PackageKind;
pub use self::step::{CommandLine, Step};
#[cfg(feature = "project")]
pub(crate) use self::variant::Part;
pub(crate) use self::variant::{Variant, variants};
use crate::config::{Component, ComponentOverride, Config, External, Kind, Role, Sdk, Wheel};
use crate::name::{
    Libc, MacArch, Os, ParseError, PlatformTag, PlatformVersion, PythonAbi, PythonVersion, Target,
    WheelFilename,
};
use crate::source;
use crate::toolchain::{Optimize, Strip, ToolchainKind};

/// Plan of a build.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Plans of the targets.
    pub targets: Vec<TargetPlan>,
    /// Packages that are made from the runtimes of all targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackagePlan>,
    /// Packages that are not made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutPackage>,
}

/// Plan for one target.
#[derive(Debug, Clone, Serialize)]
pub struct TargetPlan {
    /// Target with its floor.
    pub target: Target,
    /// Platform tag of the floor. The audit of the files decides whether they qualify.
    pub wanted_tag: PlatformTag,
    /// Toolchain.
    pub toolchain: ToolchainKind,
    /// Sysroot of clang.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysroot: Option<String>,
    /// Optimization level.
    pub optimize: Optimize,
    /// Symbols that are removed from linked files.
    pub strip: Strip,
    /// C++ runtime; `None` if no component uses C++, or until it is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cxx_runtime: Option<CxxPlan>,
    /// Components, in build order.
    pub components: Vec<ComponentPlan>,
    /// Wheels to write.
    pub wheels: Vec<WheelPlan>,
    /// File names of the archives to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<String>,
    /// Other packages to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackagePlan>,
    /// True if the first archive is that of the runtime directory.
    #[serde(skip)]
    pub(crate) has_runtime_archive: bool,
    /// True if the other archives are SDKs.
    #[serde(skip)]
    pub(crate) has_sdks: bool,
    /// Targets whose runtimes are combined into this one. Such a target has no components of its
    /// own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<TargetPlan>,
}

/// A wheel to write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WheelPlan {
    /// Wheel, with its content.
    #[serde(skip)]
    pub(crate) variant: Variant,
    /// Project name.
    pub name: String,
    /// File name with the highest tag that the configuration permits.
    pub file: WheelFilename,
    /// File name with the lowest tag that the files may turn out to qualify for.
    pub lowest: WheelFilename,
    /// Directories in which libraries to copy are searched, after the components, relative to the
    /// configuration. `None` if external libraries are errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_path: Option<Vec<String>>,
}

/// A component for one target.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentPlan {
    /// Component.
    #[serde(flatten)]
    pub component: Component,
    /// Origin of the source for this target.
    pub from: source::Described,
    /// Additions of the target's table and of the options.
    pub over: ComponentOverride,
    /// Steps, in order; compilations run in parallel. Empty until they are decided.
    pub steps: Vec<Step>,
}

/// Options that the configuration cannot satisfy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No component has the feature.
    #[error("cannot enable the feature `{feature}`: cargo builds no component{name}")]
    NoFeature {
        /// Requested feature.
        feature: String,
        /// ` called …`, if the option names a component.
        name: String,
        /// Names of the components that cargo builds.
        known: Vec<String>,
    },
    /// The configuration has no wheel with that name.
    #[error("cannot build the wheel `{name}`: the configuration has {}", list(known))]
    NoWheel {
        /// Requested name.
        name: String,
        /// Names of the configured wheels.
        known: Vec<String>,
    },
    /// The extension modules are not for the requested Python.
    #[error(
        "cannot build the wheel `{wheel}` for Python {python}: its extension modules are for {}",
        known.iter().map(|abi| format!("`{abi}`")).collect::<Vec<_>>().join(", ")
    )]
    NoPython {
        /// Name of the wheel.
        wheel: String,
        /// Requested Python.
        python: PythonVersion,
        /// ABIs of the extension modules.
        known: Vec<PythonAbi>,
    },
    /// The configuration contains no components and no wheels.
    #[error("cannot build: `{file}` has neither components nor wheels")]
    Nothing {
        /// File name of the configuration.
        file: String,
    },
    /// Another build back end builds the project, and wheelsmith is not configured.
    #[error(
        "cannot build: the project's build back end is `{backend}`, and `{file}` does not configure \
         wheelsmith"
    )]
    Foreign {
        /// File name of the configuration.
        file: String,
        /// Build back end.
        backend: String,
    },
    /// The configuration has no package of the requested kinds.
    #[error("cannot pack: `{file}` configures no package{}", of_kinds(kinds))]
    NoPackages {
        /// File name of the configuration.
        file: String,
        /// Requested kinds; all if empty.
        kinds: Vec<PackageKind>,
    },
    /// A package of all targets is requested for some of them.
    #[error(
        "`{package}` is for {expected} targets, and {} of them {} not selected: {}",
        missing.len(),
        if missing.len() == 1 { "is" } else { "are" },
        missing.join(", ")
    )]
    MissingTargets {
        /// Name of the package.
        package: String,
        /// Triples of the missing targets.
        missing: Vec<String>,
        /// Number of targets of the configuration.
        expected: usize,
    },
    /// The name of a package is not permitted.
    #[error("cannot name the package")]
    PackageName(#[source] ParseError),
    /// Two packages have one file name.
    #[error("cannot write `{file}` twice: for {first} and for {second}")]
    SameFile {
        /// File name.
        file: String,
        /// First target.
        first: String,
        /// Second target.
        second: String,
    },
    /// No target is known.
    #[error(
        "cannot choose a target: the configuration lists none, and this machine is not a supported one"
    )]
    NoTarget,
}

/// Returns ` of the kind …`.
fn of_kinds(kinds: &[PackageKind]) -> String {
    match kinds {
        [] => String::new(),
        kinds => {
            let kinds = kinds.iter().map(|kind| format!("`{}`", kind.as_str()));
            format!(" of the kind {}", kinds.collect::<Vec<_>>().join(" or "))
        }
    }
}

fn list(known: &[String]) -> String {
    match known {
        [] => "no wheel".to_owned(),
        known => format!("`{}`", known.join("`, `")),
    }
}

impl Error {
    /// Returns advice for the user, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFeature { known, .. } if known.is_empty() => None,
            Self::NoFeature { known, .. } => Some(format!("cargo builds {}", list(known))),
            Self::NoWheel { .. } | Self::PackageName(_) => None,
            Self::NoPython { .. } => Some("add it to `python`, or lower `abi3`".to_owned()),
            Self::Nothing { .. } => Some(
                "describe what to build: `[[tool.wheelsmith.component]]`, or `[project]` for a \
                 wheel"
                    .to_owned(),
            ),
            Self::Foreign { .. } => Some(
                "build the wheel with its own back end (`python3 -m build`), and then use \
                 `wheelsmith audit` and `wheelsmith repair`; or configure wheelsmith with \
                 `[tool.wheelsmith]`"
                    .to_owned(),
            ),
            Self::NoPackages { kinds, .. } => {
                let kinds = if kinds.is_empty() { &PackageKind::ALL[..] } else { kinds };
                let tables =
                    kinds.iter().map(|kind| format!("`[[tool.wheelsmith.{}]]`", kind.as_str()));
                Some(format!("add {}", tables.collect::<Vec<_>>().join(" or ")))
            }
            Self::MissingTargets { .. } => Some(
                "select all targets, or use `--partial` for a package without the others"
                    .to_owned(),
            ),
            Self::SameFile { .. } => {
                Some("add `{triple}` to the name, or give each a `name` of its own".to_owned())
            }
            Self::NoTarget => Some("name a target with `--target`".to_owned()),
        }
    }
}

/// Names of the outputs of a build.
pub struct Naming<'a> {
    /// Name of the project, as in file names.
    pub name: &'a str,
    /// Version of the project.
    pub version: &'a str,
    /// Name of the project, as it is written.
    pub written: &'a str,
    /// Version in the form of SemVer; `None` if it has no such form.
    pub semver: Option<&'a str>,
    /// Crates of each table of the configuration, in the order in which they can be published;
    /// empty if none are to be packaged.
    pub crates: &'a [Vec<CratePlan>],
    /// Returns the file name of a wheel with a platform tag.
    pub wheel: &'a dyn Fn(&Wheel, &PlatformTag) -> WheelFilename,
}

/// Plans a build of `config` for `targets`.
///
/// # Errors
/// Returns an error if the configuration does not contain something that `options` name.
pub fn plan(
    config: &Config,
    options: &BuildOptions,
    targets: &[Target],
    naming: &Naming<'_>,
) -> Result<Plan, Error> {
    if targets.is_empty() {
        return Err(Error::NoTarget);
    }
    let is_empty = config.components.is_empty() && config.wheels.is_empty();
    if is_empty && config.crates.is_empty() {
        return Err(Error::Nothing { file: config.file.clone() });
    }
    if let Some(backend) = config.foreign_backend.clone().filter(|_| !config.is_configured) {
        return Err(Error::Foreign { file: config.file.clone(), backend });
    }
    if let Some(name) = &options.wheel
        && !config.wheels.iter().any(|wheel| options.selects(&wheel.name))
    {
        let known = config.wheels.iter().map(|wheel| wheel.name.to_string()).collect();
        return Err(Error::NoWheel { name: name.to_string(), known });
    }
    if let Some(kinds) = &options.packages
        && !options.has_packages(config)
    {
        return Err(Error::NoPackages { file: config.file.clone(), kinds: kinds.clone() });
    }
    let mut plans = Vec::new();
    for &target in targets {
        let target = config.with_floor(target);
        let mut plan = components(config, target);
        plan.wheels = wheels(config, options, target, naming)?;
        archives(&mut plan, config, options, naming);
        plan.packages = package::of_target(config, options, target, naming)?;
        for slice in target.slices() {
            plan.slices.push(components(config, config.with_floor(slice)));
        }
        if plan.slices.is_empty() {
            add_features(&mut plan, &options.features)?;
        } else {
            plan.components.clear();
        }
        for slice in &mut plan.slices {
            add_features(slice, &options.features)?;
        }
        if options.python.is_some() {
            let used: Vec<PythonAbi> = plan.wheels.iter().filter_map(|w| w.variant.abi).collect();
            let slices = plan.slices.iter_mut().flat_map(|slice| &mut slice.components);
            for component in plan.components.iter_mut().chain(slices) {
                variant::keep_used(&mut component.component, &used);
            }
        }
        plans.push(plan);
    }
    let mut plan = Plan { targets: plans, packages: Vec::new(), left_out: Vec::new() };
    package::of_all(config, options, &mut plan, naming)?;
    Ok(plan)
}

/// Plans the components of one target, without wheels and archives.
pub fn components(config: &Config, target: Target) -> TargetPlan {
    let over = config.overrides.get(target.triple());
    let components = config.components.iter().filter(|component| component.is_for(target));
    let components = components.map(|component| ComponentPlan {
        component: component.clone(),
        from: source::Described::new(source::source_for(component, target)),
        over: over
            .and_then(|over| over.components.get(&component.name))
            .cloned()
            .unwrap_or_default(),
        steps: Vec::new(),
    });
    TargetPlan {
        target,
        wanted_tag: target.wanted_tag(),
        toolchain: config.toolchain_for(target),
        sysroot: over.and_then(|over| over.sysroot.clone()),
        optimize: config.optimize,
        strip: config.strip,
        cxx_runtime: None,
        components: components.collect(),
        wheels: Vec::new(),
        archives: Vec::new(),
        packages: Vec::new(),
        has_runtime_archive: false,
        has_sdks: false,
        slices: Vec::new(),
    }
}

/// Plans the wheels of one target.
fn wheels(
    config: &Config,
    options: &BuildOptions,
    target: Target,
    naming: &Naming<'_>,
) -> Result<Vec<WheelPlan>, Error> {
    if options.runtime_only || options.packages.is_some() {
        return Ok(Vec::new());
    }
    let wanted = target.wanted_tag();
    let mut plans = Vec::new();
    for configured in config.wheels.iter().filter(|wheel| options.selects(&wheel.name)) {
        for variant in variants(config, options, configured, target)? {
            let wheel = &variant.wheel;
            // A wheel without components runs anywhere.
            let highest = if wheel.components.is_empty() { &PlatformTag::Any } else { &wanted };
            plans.push(WheelPlan {
                name: wheel.name.to_string(),
                file: (naming.wheel)(wheel, highest),
                lowest: (naming.wheel)(wheel, &lowest_tag(config, wheel, target)),
                library_path: (wheel.external == External::Bundle)
                    .then(|| config.library_path(wheel, target)),
                variant,
            });
        }
    }
    Ok(plans)
}

/// Returns the lowest platform tag that the files of `wheel` may qualify for.
fn lowest_tag(config: &Config, wheel: &Wheel, target: Target) -> PlatformTag {
    let has_native =
        |component: &&Component| component.is_for(target) && has_native_file(&component.kind);
    let mut carried =
        config.components.iter().filter(|component| wheel.components.contains(&component.name));
    if carried.find(has_native).is_none() {
        return PlatformTag::Any;
    }
    let arch = target.arch();
    match (target.os(), target.wanted_tag()) {
        (Os::Linux(libc @ Libc::Glibc), wanted) => {
            let oldest = crate::policy::policies(arch, libc).first();
            oldest.map_or(wanted, |policy| policy.tag.clone())
        }
        // The first macOS for each processor.
        (Os::MacOs, PlatformTag::MacOs { arch, .. }) => {
            let min = match arch {
                MacArch::Arm64 => PlatformVersion::new(11, 0),
                _ => PlatformVersion::new(10, 4),
            };
            PlatformTag::MacOs { min, arch }
        }
        (_, wanted) => wanted,
    }
}

/// True if a component of this kind always adds a native file to a wheel.
fn has_native_file(kind: &Kind) -> bool {
    let has_native = |outputs: &[crate::config::Output]| {
        outputs.iter().any(|output| output.role == Role::SharedLibrary)
    };
    match kind {
        Kind::C(c) => c.form != crate::config::CForm::Static,
        Kind::Cargo(_) => true,
        Kind::Go(go) => go.build_mode != crate::config::BuildMode::CArchive,
        Kind::Recipe(recipe) => has_native(&recipe.outputs),
        // Scripts have the role of programs too, and an empty file can have that of a library.
        Kind::Bpf(_) | Kind::Prebuilt(_) | Kind::Files(_) => false,
    }
}

/// Plans the archives of one target.
fn archives(plan: &mut TargetPlan, config: &Config, options: &BuildOptions, naming: &Naming<'_>) {
    let Naming { name, version, .. } = naming;
    // An installer requests one wheel and no archives.
    let is_for_installer = options.wheel.is_some() || options.editable;
    let is_pack = options.packages.is_some();
    plan.has_runtime_archive = options.runtime_only
        || (!is_pack
            && config.wheels.is_empty()
            && config.archives.is_empty()
            && config.npm.is_empty()
            && !config.components.is_empty());
    plan.has_sdks = !options.runtime_only && !is_for_installer && !is_pack;
    if plan.has_runtime_archive {
        plan.archives.push(format!("{}.tar.gz", runtime_stem(name, version, plan.target)));
    }
    for sdk in config.sdks.iter().filter(|_| plan.has_sdks) {
        plan.archives.push(format!("{}.tar.gz", sdk_stem(name, version, sdk, plan.target)));
    }
}

/// Returns the name of a runtime's archive, without its extension.
pub(crate) fn runtime_stem(name: &str, version: &str, target: Target) -> String {
    format!("{name}-{version}-{}", target.triple())
}

/// Returns the name of an SDK's archive, without its extension.
pub(crate) fn sdk_stem(name: &str, version: &str, sdk: &Sdk, target: Target) -> String {
    let name = sdk.name.as_deref().unwrap_or(name);
    format!("{name}-{version}-sdk-{}", target.triple())
}

/// Adds `features` to the components that cargo builds.
fn add_features(plan: &mut TargetPlan, features: &[String]) -> Result<(), Error> {
    for feature in features {
        let is_cargo = |c: &&mut ComponentPlan| matches!(c.component.kind, Kind::Cargo(_));
        let (name, feature) = match feature.split_once('/') {
            Some((name, feature)) => (Some(name), feature),
            None => (None, feature.as_str()),
        };
        let mut known = Vec::new();
        let mut is_used = false;
        for component in plan.components.iter_mut().filter(is_cargo) {
            known.push(component.component.name.clone());
            if name.is_none_or(|name| component.component.name == name) {
                component.over.features.push(feature.to_owned());
                is_used = true;
            }
        }
        if !is_used {
            let name = name.map(|name| format!(" called `{name}`")).unwrap_or_default();
            return Err(Error::NoFeature { feature: feature.to_owned(), name, known });
        }
    }
    Ok(())
}
