//! Rust: cargo builds, and its artifacts are taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Message, TargetKind};

use super::{
    Built, BuiltFile, Error, Inputs, Linkage, Setting, cargo_config, extension, inputs, native,
    position, python,
};
use crate::binary::macho::{self, MachO};
use crate::config::{Artifact, Cargo, Component, Extension, Role};
use crate::name::{Digest, Os, PythonAbi, Target, WheelPath};
use crate::patch;
use crate::plan::ComponentPlan;
use crate::source::Resolved;
use crate::sys::{self, Command, Env, ProcessError};
use crate::toolchain::{self, RustStd, Strip, filter};

/// Builds a component with cargo.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    cargo: &Cargo,
    source: &Resolved,
    linked: &Linkage,
) -> Result<Built, Error> {
    let component = &plan.component;
    let name = &component.name;
    let host = setting.host;
    let target = setting.target();
    let (runs, manifest) = runs(setting, plan, cargo, source, linked)?;
    let dir = manifest.parent().unwrap_or(&source.root).to_owned();
    position::check(name, &linked.archives)?;
    describe_pythons(setting, &plan.component, cargo)?;
    let (mut files, mut rules, mut fresh) = (Vec::new(), Vec::new(), true);
    let task = host.task(format!("cargo build {name} for {target}"), 0);
    for run in &runs {
        let token = host.jobs.acquire().map_err(|source| Error::Io {
            component: name.clone(),
            target,
            source,
        })?;
        let log = setting.component_dir(name).join("log/cargo.log");
        let command = run.command.clone().failure_log(log);
        let said = command.run(host).map_err(|source| match source {
            ProcessError::Cancelled => Error::Cancelled,
            source => Error::Cargo { component: name.clone(), target, source },
        })?;
        drop(token);
        for left_out in filter::messages(&said.stderr) {
            host.warn(filter::left_out(name, &left_out));
        }
        let made = artifacts(&said.stdout);
        fresh &= made.values().all(|made| made.fresh);
        let artifacts = match &run.output {
            RunOutput::Files => cargo.artifacts.iter().filter(|a| is_plain(a)).collect(),
            RunOutput::Module(extension, abi) => {
                let path = library(&plan.component, &made, &manifest)?;
                rules.push(path.with_extension("d"));
                let loader = extension::Loader::Python(extension);
                extension::check(setting, name, loader, &path, &linked.shared)?;
                let file = extension.path(abi, &target);
                let path =
                    named(setting, &plan.component, path, file.file_name(), &abi.to_string())?;
                files.push(extension::built(extension, **abi, &target, path));
                Vec::new()
            }
            RunOutput::Addon(addon) => {
                let path = library(&plan.component, &made, &manifest)?;
                rules.push(path.with_extension("d"));
                extension::check(setting, name, extension::Loader::Node, &path, &linked.shared)?;
                let file = format!("{addon}.node");
                let path = named(setting, &plan.component, path, &file, "node")?;
                let role = Role::NodeAddon;
                let to = format!("{}/{file}", role.directory()).parse().map_err(
                    |e: crate::name::ParseError| {
                        setting.config.problem(&plan.component.key, e.to_string(), None)
                    },
                )?;
                files.push(BuiltFile { path, to, role, aliases: Vec::new(), python: None });
                Vec::new()
            }
        };
        for artifact in artifacts {
            let file = take(setting, plan, artifact, &made)?;
            // Beside each artifact, cargo writes a make rule with its inputs.
            rules.push(file.path.with_extension("d"));
            files.push(file);
        }
    }
    let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|lock| lock.is_file());
    let read = std::iter::once(manifest.clone()).chain(lock).collect();
    let inputs = Inputs { files: read, rules, ..Inputs::default() };
    let outcome = if fresh { "up to date" } else { "built by cargo" }.to_owned();
    task.finish(outcome.clone());
    let shared: Vec<PathBuf> = (files.iter())
        .filter(|file| file.role == Role::SharedLibrary)
        .map(|file| file.path.clone())
        .collect();
    let digests: Vec<String> =
        shared.iter().filter_map(|path| setting.hashes.of(path)).map(|d| d.to_string()).collect();
    Ok(Built {
        name: name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        files,
        outcome,
        linkage: Linkage { shared, key: Some(Digest::of(digests.join(","))), ..Linkage::default() },
        inputs,
    })
}

/// Run of cargo.
pub(super) struct CargoRun<'a> {
    /// Command.
    pub(super) command: Command,
    output: RunOutput<'a>,
}

/// Outputs of one run of cargo.
enum RunOutput<'a> {
    /// Programs, and the library that other programs load.
    Files,
    /// Extension module for one ABI.
    Module(&'a Extension, &'a PythonAbi),
    /// Addon of Node.js.
    Addon(&'a str),
}

/// True for programs, and libraries that lack no symbols.
fn is_plain(artifact: &Artifact) -> bool {
    matches!(artifact, Artifact::Bin(_) | Artifact::Cdylib(_))
}

/// Returns the directory with the files that describe a Python.
fn python_dir(setting: &Setting<'_>, abi: PythonAbi) -> PathBuf {
    setting.work.join("python").join(abi.to_string())
}

/// Writes the descriptions of Pythons that pyo3 reads, and the import libraries of Windows.
fn describe_pythons(
    setting: &Setting<'_>,
    component: &Component,
    cargo: &Cargo,
) -> Result<(), Error> {
    let target = setting.target();
    let io = |source| Error::Io { component: component.name.clone(), target, source };
    for abi in cargo.extensions().flat_map(|extension| &extension.abis) {
        let library = python::import_library(setting, &component.name, *abi)?;
        if let Some(library) = &library {
            library.make(setting, &component.name)?;
        }
        let library_dir = library.as_ref().and_then(|library| library.path.parent());
        let text = python::pyo3_config(*abi, &target, library_dir);
        let path = python_dir(setting, *abi).join(PYO3_CONFIG);
        // cargo compiles again what a newer file is an input of.
        if !sys::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            sys::fs::write_atomic(&path, text.as_bytes()).map_err(io)?;
        }
    }
    Ok(())
}

const PYO3_CONFIG: &str = "pyo3.txt";

/// Variables by which pyo3 would find another Python.
const PYO3_OTHERS: [&str; 5] = [
    "PYO3_PYTHON",
    "PYO3_CROSS",
    "PYO3_CROSS_LIB_DIR",
    "PYO3_CROSS_PYTHON_VERSION",
    "PYO3_CROSS_PYTHON_IMPLEMENTATION",
];

/// Decides the runs of cargo that build a component: one for programs and ordinary libraries, one
/// for each ABI of an extension module. Returns them with the path of `Cargo.toml`.
///
/// # Errors
/// Those of [`command`].
pub(super) fn runs<'a>(
    setting: &Setting<'_>,
    plan: &'a ComponentPlan,
    cargo: &'a Cargo,
    source: &Resolved,
    linked: &Linkage,
) -> Result<(Vec<CargoRun<'a>>, PathBuf), Error> {
    let component = &plan.component;
    let (base, manifest) = command(setting, plan, cargo, source, linked)?;
    let first = cargo.extensions().flat_map(|extension| &extension.abis).next();
    let needs_runtime = !linked.shared.is_empty() || setting.toolchain.shared_cxx.is_some();
    let run = |output: RunOutput<'a>, abi: Option<&PythonAbi>| {
        let mut command = base.clone();
        if let Some(abi) = abi {
            for name in PYO3_OTHERS {
                command.env.remove(name);
            }
            let config = python_dir(setting, *abi).join(PYO3_CONFIG);
            command
                .env
                .insert("PYO3_CONFIG_FILE".to_owned(), config.to_string_lossy().into_owned());
            command.env.insert("PYO3_NO_PYTHON".to_owned(), "1".to_owned());
            command.env.insert("PYO3_BUILD_EXTENSION_MODULE".to_owned(), "1".to_owned());
        }
        let search_path = match output {
            RunOutput::Files => None,
            RunOutput::Module(extension, _) if needs_runtime => {
                Some(extension::search_path(setting, component, extension))
            }
            RunOutput::Module(..) | RunOutput::Addon(_) => Some(Vec::new()),
        };
        // A second Python in one directory would replace what was compiled for the first.
        let dir = match abi.filter(|abi| Some(*abi) != first) {
            Some(abi) => format!("cargo-{abi}"),
            None => "cargo".to_owned(),
        };
        let dir = setting.work.join(dir);
        let mut args = arguments(setting, plan, cargo, &manifest, &dir, search_path.is_some());
        args.append(&mut command.args);
        if let Some(search_path) = search_path {
            args.push("--".to_owned());
            args.extend(loaded_link_args(setting.target(), search_path));
        }
        command.args = args;
        CargoRun { command, output }
    };
    let mut runs = Vec::new();
    if cargo.artifacts.iter().any(is_plain) {
        runs.push(run(RunOutput::Files, first));
    }
    for artifact in &cargo.artifacts {
        match artifact {
            Artifact::Bin(_) | Artifact::Cdylib(_) => {}
            Artifact::Extension(extension) => {
                let modules = extension.abis.iter();
                runs.extend(modules.map(|abi| run(RunOutput::Module(extension, abi), Some(abi))));
            }
            Artifact::NodeAddon(name) => runs.push(run(RunOutput::Addon(name), None)),
        }
    }
    Ok((runs, manifest))
}

/// Returns the arguments of rustc for a library whose undefined symbols its loader defines.
fn loaded_link_args(target: Target, search_path: Vec<String>) -> Vec<String> {
    let mut args = search_path;
    if target.os() == Os::MacOs {
        args.extend(["-undefined", "dynamic_lookup"].map(str::to_owned));
    }
    args.into_iter().map(|arg| format!("-Clink-arg={arg}")).collect()
}

/// Returns the library of the package with this `Cargo.toml`.
fn library(
    component: &Component,
    made: &BTreeMap<(&'static str, String), CargoArtifact>,
    manifest: &Path,
) -> Result<PathBuf, Error> {
    let same = |path: &Path| {
        path == manifest || sys::fs::canonicalize(manifest).is_ok_and(|real| real == path)
    };
    let own = made.iter().find(|((kind, _), made)| *kind == "cdylib" && same(&made.manifest));
    own.map(|(_, made)| made.path.clone()).ok_or_else(|| Error::NoArtifact {
        artifact: "the library of the package".to_owned(),
        component: component.name.clone(),
        made: "none".to_owned(),
    })
}

/// Returns a library with the install name `@rpath/<file>`, if it is one of macOS, and otherwise
/// the library itself.
fn named(
    setting: &Setting<'_>,
    component: &Component,
    path: PathBuf,
    file: &str,
    dir: &str,
) -> Result<PathBuf, Error> {
    if setting.target().os() != Os::MacOs {
        return Ok(path);
    }
    let io =
        |source| Error::Io { component: component.name.clone(), target: setting.target(), source };
    let bytes = sys::fs::read(&path).map_err(io)?;
    let renamed = with_install_name(&bytes, file);
    let Some(renamed) = renamed.map_err(|e| io(std::io::Error::other(e)))? else {
        return Ok(path);
    };
    let path = setting.component_dir(&component.name).join("out").join(dir).join(file);
    sys::fs::write_atomic(&path, &renamed).map_err(io)?;
    Ok(path)
}

/// Decides what the runs of cargo that build a component have in common, and returns it with the
/// path of `Cargo.toml`.
///
/// # Errors
/// Returns an error if there is no `Cargo.toml`, no `Cargo.lock` where one is required, no cargo, or no standard
/// library for the target.
fn command(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    cargo: &Cargo,
    source: &Resolved,
    linked: &Linkage,
) -> Result<(Command, PathBuf), Error> {
    let (name, host, target) = (&plan.component.name, setting.host, setting.target());
    let key = format!("{}.manifest", plan.component.key);
    let root = &source.root;
    let manifest = inputs::file(setting.config, &key, &cargo.manifest, root, setting.project)?;
    let dir = manifest.parent().unwrap_or(root);
    if cargo.locked && !dir.ancestors().any(|dir| dir.join("Cargo.lock").is_file()) {
        return Err(Error::NoLock { component: name.clone(), manifest });
    }
    let program = (host.env.find_program(host.env.get("CARGO").unwrap_or("cargo")))
        .ok_or_else(|| Error::NoCargo { component: name.clone() })?;
    // Without its standard library every crate fails with a message about the first one.
    if let RustStd::Missing { reason, hint } = toolchain::rust_std(host, &target, dir) {
        return Err(Error::NoRustTarget { component: name.clone(), reason, hint });
    }
    let mut env = environment(setting, cargo);
    native::check_cargo(setting, plan, dir, &env)?;
    let mut args = Vec::new();
    let flags = rustflags(setting, cargo, linked, dir);
    add_rustflags(&flags, dir, target, &mut env, &mut args);
    let command = Command::new(program, dir, &env).args(args).takes_jobs();
    Ok((command, manifest))
}

fn arguments(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    cargo: &Cargo,
    manifest: &Path,
    dir: &Path,
    is_loaded: bool,
) -> Vec<String> {
    let verb = if is_loaded { "rustc" } else { "build" };
    let mut args: Vec<String> =
        [verb, "--message-format=json-render-diagnostics"].into_iter().map(str::to_owned).collect();
    let mut option = |name: &str, value: &str| {
        args.push(format!("--{name}"));
        args.push(value.to_owned());
    };
    option("manifest-path", &manifest.to_string_lossy());
    option("target", setting.target().triple());
    option("target-dir", &dir.to_string_lossy());
    option("profile", &cargo.profile);
    for artifact in cargo.artifacts.iter().filter(|_| !is_loaded) {
        if let Artifact::Bin(name) = artifact {
            option("bin", name);
        }
    }
    if is_loaded {
        option("crate-type", "cdylib");
    }
    let features: Vec<&str> =
        cargo.features.iter().chain(&plan.over.features).map(String::as_str).collect();
    if !features.is_empty() {
        option("features", &features.join(","));
    }
    let strip = match setting.plan.strip {
        Strip::All => "symbols",
        Strip::Debug => "debuginfo",
        Strip::None => "none",
    };
    option("config", &format!("profile.{}.strip={strip:?}", cargo.profile));
    let has_library = cargo.artifacts.iter().any(|a| matches!(a, Artifact::Cdylib(_)));
    if is_loaded || has_library {
        args.push("--lib".to_owned());
    }
    if !cargo.default_features {
        args.push("--no-default-features".to_owned());
    }
    if cargo.locked {
        args.push("--locked".to_owned());
    }
    args
}

/// Passes `flags` to cargo, which runs in `dir`, in the way that does not hide the user's flags:
/// variables hide each other and the flags of the configuration, while a further `--config` joins
/// those of the same key.
fn add_rustflags(
    flags: &[String],
    dir: &Path,
    target: Target,
    env: &mut Env,
    args: &mut Vec<String>,
) {
    if let Some(encoded) = env.get("CARGO_ENCODED_RUSTFLAGS") {
        let all = encoded.split('\x1f').chain(flags.iter().map(String::as_str));
        let all = all.collect::<Vec<_>>().join("\x1f");
        env.set("CARGO_ENCODED_RUSTFLAGS", all);
    } else if let Some(plain) = env.get("RUSTFLAGS") {
        let all = plain.split_whitespace().chain(flags.iter().map(String::as_str));
        let all = all.collect::<Vec<_>>().join("\x1f");
        env.set("CARGO_ENCODED_RUSTFLAGS", all);
    } else {
        args.push("--config".to_owned());
        let key = cargo_config::rustflags_key(dir, env, target.triple());
        args.push(format!("{key}={}", toml::Value::from(flags.to_vec())));
    }
}

/// Returns the user's environment with the variables of the toolchain and of the component.
fn environment(setting: &Setting<'_>, cargo: &Cargo) -> Env {
    let host = setting.host;
    let mut env = host.env.clone();
    // Variables of a cargo that runs us (a build script, `cargo run`) are not for this build.
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "MAKEFLAGS", "CARGO_MAKEFLAGS"] {
        env.remove(name);
    }
    let mut env = env.with(toolchain::env_for_cargo(setting.toolchain, setting.wrappers));
    // Build scripts find no libraries of this machine by pkg-config: they are not the target's,
    // even if both are of one kind. Variables that name the target are the user's decision, and
    // stay.
    env.remove("PKG_CONFIG_PATH");
    let none = setting.work.join("no-pkg-config").to_string_lossy().into_owned();
    env.set("PKG_CONFIG_LIBDIR", none);
    let epoch = host.env.for_compilers();
    env.set("SOURCE_DATE_EPOCH", epoch.get("SOURCE_DATE_EPOCH").unwrap_or_default());
    env.with(cargo.env.clone())
}

/// Returns the flags of rustc beside the user's.
fn rustflags(setting: &Setting<'_>, cargo: &Cargo, linked: &Linkage, dir: &Path) -> Vec<String> {
    let env = &setting.host.env;
    let mut flags = Vec::new();
    let mut remap = |from: &Path, to: &str| {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    };
    // The last that matches wins.
    remap(setting.project, ".");
    remap(dir, ".");
    remap(setting.work, "build");
    if let Some(home) = env.path("CARGO_HOME").or_else(|| Some(env.path("HOME")?.join(".cargo"))) {
        remap(&home.join("registry").join("src"), "registry");
        remap(&home.join("git").join("checkouts"), "git");
    }
    let dirs = linked.shared.iter().chain(&linked.archives).filter_map(|path| path.parent());
    let dirs: BTreeSet<&Path> = dirs.collect();
    flags.extend(dirs.iter().map(|dir| format!("-Lnative={}", dir.display())));
    if let Some(key) = &linked.key {
        // cargo does not hash libraries: a changed library must be a changed flag.
        flags.push(format!("--cfg=wheelsmith_link=\"{key}\""));
    }
    if matches!(setting.target().os(), Os::Linux(_)) {
        // A library that lacks symbols fails here, not on the user's machine. What lacks those of
        // its loader is checked afterwards.
        let is_closed = cargo.artifacts.iter().all(is_plain);
        flags.extend(is_closed.then(|| "-Clink-arg=-Wl,-z,defs".to_owned()));
        flags.push("-Clink-arg=-Wl,--build-id=sha1".to_owned());
    }
    let shared_cxx = setting.toolchain.shared_cxx.as_ref();
    if let Some(shared) = shared_cxx {
        // cargo does not hash the library that the linker adds.
        flags.push(format!("--cfg=wheelsmith_cxx=\"{}\"", shared.file));
    }
    let has_plain = cargo.artifacts.iter().any(is_plain);
    if (!linked.shared.is_empty() || shared_cxx.is_some()) && has_plain {
        // The search path of a program; it also works for a library in `lib/`.
        flags.extend(setting.sibling_rpath(true).map(|arg| format!("-Clink-arg={arg}")));
    }
    flags
}

struct CargoArtifact {
    /// `Cargo.toml` of its package.
    manifest: PathBuf,
    path: PathBuf,
    fresh: bool,
}

/// Returns the artifacts of cargo, by `bin` or `cdylib` and name.
fn artifacts(stdout: &[u8]) -> BTreeMap<(&'static str, String), CargoArtifact> {
    let mut made = BTreeMap::new();
    for message in Message::parse_stream(stdout) {
        let Ok(Message::CompilerArtifact(artifact)) = message else { continue };
        let name = artifact.target.name.clone();
        let manifest = artifact.manifest_path.clone().into_std_path_buf();
        if let Some(path) = &artifact.executable {
            let path = path.clone().into_std_path_buf();
            made.insert(("bin", name), CargoArtifact { manifest, path, fresh: artifact.fresh });
        } else if artifact.target.kind.contains(&TargetKind::CDyLib) {
            let suffixes = [".so", ".dylib", ".dll"];
            let is_library = |path: &&cargo_metadata::camino::Utf8PathBuf| {
                suffixes.iter().any(|suffix| path.as_str().ends_with(suffix))
            };
            if let Some(path) = artifact.filenames.iter().find(is_library) {
                let path = path.clone().into_std_path_buf();
                // cargo names the target as in `Cargo.toml`, the file with `_`.
                made.insert(
                    ("cdylib", name.replace('-', "_")),
                    CargoArtifact { manifest, path, fresh: artifact.fresh },
                );
            }
        }
    }
    made
}

fn take(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    artifact: &Artifact,
    made: &BTreeMap<(&'static str, String), CargoArtifact>,
) -> Result<BuiltFile, Error> {
    let (kind, name, role) = match artifact {
        Artifact::Bin(name) => ("bin", name.clone(), Role::Executable),
        Artifact::Cdylib(name) => ("cdylib", name.replace('-', "_"), Role::SharedLibrary),
        Artifact::Extension(_) | Artifact::NodeAddon(_) => {
            unreachable!("they are taken by the run that builds them")
        }
    };
    let Some(CargoArtifact { path, .. }) = made.get(&(kind, name.clone())) else {
        let made: Vec<String> =
            made.keys().map(|(kind, name)| format!("{kind} `{name}`")).collect();
        return Err(Error::NoArtifact {
            artifact: format!("{kind} `{name}`"),
            component: plan.component.name.clone(),
            made: if made.is_empty() { "nothing".to_owned() } else { made.join(", ") },
        });
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let to: Result<WheelPath, _> = format!("{}/{file}", role.directory()).parse();
    let to = to.map_err(|e| setting.config.problem(&plan.component.key, e.to_string(), None))?;
    let path = match role {
        Role::SharedLibrary => named(setting, &plan.component, path.clone(), &file, "")?,
        _ => path.clone(),
    };
    Ok(BuiltFile { path, to, role, aliases: Vec::new(), python: None })
}

/// Returns a library for macOS with an install name by which others find it, signed again. rustc
/// uses the output path as install name. Returns `None` if the name is no path.
fn with_install_name(bytes: &[u8], file: &str) -> Result<Option<Vec<u8>>, patch::Error> {
    let macho = MachO::parse(bytes)?;
    let is_path = |slice: &macho::Slice| {
        slice.install_name.as_ref().is_some_and(|name| name.starts_with('/'))
    };
    if !macho.slices.iter().any(is_path) {
        return Ok(None);
    }
    let edit = patch::Edit { id: Some(format!("@rpath/{file}")), ..patch::Edit::default() };
    patch::apply(bytes, &edit).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_library_is_called_by_a_path_of_this_machine() {
        let check = |bytes: &[u8], expected: Option<&str>| {
            let renamed = with_install_name(bytes, "libx.dylib").unwrap();
            let name = renamed.map(|bytes| {
                let macho = MachO::parse(bytes.as_slice()).unwrap();
                macho.slices[0].install_name.clone().unwrap()
            });
            assert_eq!(name.as_deref(), expected);
        };
        let by_path = include_bytes!("../../../testdata/macho/rpath.dylib");
        check(by_path, Some("@rpath/libx.dylib"));
        check(include_bytes!("../../../testdata/macho/arm64.dylib"), None);
    }
}
