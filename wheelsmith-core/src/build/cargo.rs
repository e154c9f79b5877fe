//! Rust: cargo builds, and its artifacts are taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Message, TargetKind};

use super::{
    Built, BuiltFile, Error, Inputs, Linkage, Setting, cargo_config, inputs, native, position,
};
use crate::binary::macho::{self, MachO};
use crate::config::{Artifact, Cargo, Role};
use crate::name::{Digest, Os, Target, WheelPath};
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
    let (command, manifest) = command(setting, plan, cargo, source, linked)?;
    let dir = command.dir.clone();
    position::check(name, &linked.archives)?;
    let task = host.task(format!("cargo build {name} for {target}"), 0);
    let token = host.jobs.acquire().map_err(|source| Error::Io {
        component: name.clone(),
        target,
        source,
    })?;
    let said = command.run(host).map_err(|source| match source {
        ProcessError::Cancelled => Error::Cancelled,
        source => Error::Cargo { component: name.clone(), target, source },
    })?;
    drop(token);
    for left_out in filter::messages(&said.stderr) {
        host.warn(filter::left_out(name, &left_out));
    }
    let made = artifacts(&said.stdout);
    let mut files = Vec::new();
    for artifact in &cargo.artifacts {
        files.push(take(setting, plan, artifact, &made)?);
    }
    // Beside each artifact, cargo writes a make rule with its inputs.
    let rules = files.iter().map(|file: &BuiltFile| file.path.with_extension("d")).collect();
    let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|lock| lock.is_file());
    let read = std::iter::once(manifest.clone()).chain(lock).collect();
    let inputs = Inputs { files: read, rules, ..Inputs::default() };
    let fresh = made.values().all(|made| made.fresh);
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

/// Decides the command that builds a component, and returns it with the path of its `Cargo.toml`.
///
/// # Errors
/// Returns an error if there is no `Cargo.toml`, no `Cargo.lock` where one is required, no cargo, or no standard
/// library for the target.
pub(super) fn command(
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
    native::check_cargo(setting, plan, dir, &host.env)?;
    let mut env = environment(setting);
    let mut args = arguments(setting, plan, cargo, &manifest);
    add_rustflags(&rustflags(setting, linked, dir), dir, target, &mut env, &mut args);
    let command = Command::new(program, dir, &env).args(args).takes_jobs();
    Ok((command, manifest))
}

fn arguments(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    cargo: &Cargo,
    manifest: &Path,
) -> Vec<String> {
    let mut args: Vec<String> = ["build", "--message-format=json-render-diagnostics"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut option = |name: &str, value: &str| {
        args.push(format!("--{name}"));
        args.push(value.to_owned());
    };
    option("manifest-path", &manifest.to_string_lossy());
    option("target", setting.target().triple());
    option("target-dir", &setting.work.join("cargo").to_string_lossy());
    option("profile", &cargo.profile);
    for artifact in &cargo.artifacts {
        if let Artifact::Bin(name) = artifact {
            option("bin", name);
        }
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
    if cargo.artifacts.iter().any(|artifact| matches!(artifact, Artifact::Cdylib(_))) {
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

/// Returns the user's environment with the toolchain's variables.
fn environment(setting: &Setting<'_>) -> Env {
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
    env
}

/// Returns the flags of rustc beside the user's.
fn rustflags(setting: &Setting<'_>, linked: &Linkage, dir: &Path) -> Vec<String> {
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
        // A library that lacks symbols fails here, not on the user's machine.
        flags.push("-Clink-arg=-Wl,-z,defs".to_owned());
        flags.push("-Clink-arg=-Wl,--build-id=sha1".to_owned());
    }
    if !linked.shared.is_empty() {
        // The search path of a program; it also works for a library in `lib/`.
        flags.extend(setting.sibling_rpath(true).map(|arg| format!("-Clink-arg={arg}")));
    }
    flags
}

struct CargoArtifact {
    path: PathBuf,
    fresh: bool,
}

/// Returns the artifacts of cargo, by `bin` or `cdylib` and name.
fn artifacts(stdout: &[u8]) -> BTreeMap<(&'static str, String), CargoArtifact> {
    let mut made = BTreeMap::new();
    for message in Message::parse_stream(stdout) {
        let Ok(Message::CompilerArtifact(artifact)) = message else { continue };
        let name = artifact.target.name.clone();
        if let Some(path) = &artifact.executable {
            let path = path.clone().into_std_path_buf();
            made.insert(("bin", name), CargoArtifact { path, fresh: artifact.fresh });
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
                    CargoArtifact { path, fresh: artifact.fresh },
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
    let mut path = path.clone();
    if role == Role::SharedLibrary && setting.target().os() == Os::MacOs {
        let io = |source| Error::Io {
            component: plan.component.name.clone(),
            target: setting.target(),
            source,
        };
        let bytes = sys::fs::read(&path).map_err(io)?;
        let renamed = with_install_name(&bytes, &file);
        if let Some(renamed) = renamed.map_err(|e| io(std::io::Error::other(e)))? {
            path = setting.component_dir(&plan.component.name).join("out").join(&*file);
            sys::fs::write_atomic(&path, &renamed).map_err(io)?;
        }
    }
    Ok(BuiltFile { path, to, role, aliases: Vec::new() })
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
