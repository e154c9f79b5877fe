//! Downloads the packaged source of a crate, by the user's own cargo.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::{Error, Policy, SourceDirs};
use crate::name::Digest;
use crate::sys::{self, Command, Host};

/// Has cargo download the crate. Returns the path of its `.crate` file and its digest in cargo's
/// lock.
///
/// cargo runs in the project's directory, so that the user's configuration applies (mirrors,
/// credentials, source replacement). It resolves a temporary package that depends on the crate
/// alone.
pub(super) fn download(
    name: &str,
    version: &str,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<(PathBuf, Digest), Error> {
    let wrong = |reason: String| Error::Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        reason,
    };
    let dir = sys::fs::temp_dir_in(places.work)
        .map_err(|e| Error::io("make a temporary directory", e))?;
    // A requirement has no build metadata (`+v1.7.0`); the version is compared below.
    let requirement = format!("={}", version.split('+').next().unwrap_or(version));
    let cargo = user("metadata", name, &requirement, dir.path(), places, policy, host)?;
    let task = host.task(format!("download crate {name} {version}"), 1);
    let answer = cargo.args(["--format-version", "1"]).run(host).map_err(|source| {
        Error::Cargo { name: name.to_owned(), version: version.to_owned(), source }
    })?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let metadata = MetadataCommand::parse(&*text)
        .map_err(|error| wrong(format!("its answer cannot be read: {error}")))?;
    let lock = dir.path().join("Cargo.lock");
    let Some(package) = metadata.packages.iter().find(|package| package.name.as_str() == name)
    else {
        // cargo does not list a crate without a library, but has downloaded it.
        let checksum = locked_checksum(&lock, name, version)
            .ok_or_else(|| wrong("it is not among the packages that cargo found".to_owned()))?;
        let file = super::download::kept(name, version, host)
            .into_iter()
            .find(|file| super::download::has_digest(file, checksum))
            .ok_or_else(|| wrong("cargo has no `.crate` file for it".to_owned()))?;
        task.finish("done");
        return Ok((file, checksum));
    };
    if package.version.to_string() != version {
        return Err(wrong(format!("the registry has {} instead", package.version)));
    }
    let checksum = locked_checksum(&lock, name, version)
        .ok_or_else(|| wrong("cargo's lock has no checksum for it".to_owned()))?;
    let file = crate_file(package.manifest_path.as_std_path(), name, version)
        .filter(|path| path.is_file())
        .ok_or_else(|| {
            wrong(format!(
                "cargo has no `.crate` file for `{}` (is the registry replaced by a directory?)",
                package.manifest_path
            ))
        })?;
    task.finish("done");
    Ok((file, checksum))
}

/// Returns the version of the crate that cargo selects: the newest one, or the one called `to`. `work`
/// is an empty directory.
#[cfg(feature = "project")]
pub(super) fn find(
    name: &str,
    to: Option<&str>,
    work: &Path,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<String, Error> {
    let exact = to.map(|to| format!("={}", to.split('+').next().unwrap_or(to)));
    let requirement = exact.as_deref().unwrap_or("*");
    let cargo = user("generate-lockfile", name, requirement, work, places, policy, host)?;
    let version = to.unwrap_or("(newest)").to_owned();
    let failed = |source| Error::Cargo { name: name.to_owned(), version: version.clone(), source };
    cargo.run(host).map_err(failed)?;
    let reason = "cargo's lock does not have it".to_owned();
    let found = locked(&work.join("Cargo.lock"), name, None).map(|(version, _)| version);
    found.ok_or_else(|| Error::Crate { name: name.to_owned(), version, reason })
}

/// Writes a package that depends on the crate alone to `dir`. Returns a command of cargo on that
/// package, in the project's directory.
fn user(
    subcommand: &str,
    name: &str,
    requirement: &str,
    dir: &Path,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<Command, Error> {
    let cargo = host.env.get("CARGO").unwrap_or("cargo");
    let cargo =
        host.env.find_program(cargo).ok_or_else(|| Error::NoCargo { name: name.to_owned() })?;
    let manifest = dir.join("Cargo.toml");
    let write = |path: &Path, text: &str| {
        sys::fs::write_atomic(path, text.as_bytes()).map_err(|e| Error::io("ask cargo", e))
    };
    write(
        &manifest,
        &format!(
            "[package]\nname = \"wheelsmith-fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
             [workspace]\n[dependencies]\n{} = {{ version = {}, default-features = false }}\n",
            toml::Value::from(name),
            toml::Value::from(requirement),
        ),
    )?;
    write(&dir.join("src/lib.rs"), "")?;
    let command = Command::new(cargo, places.project, &host.env).arg(subcommand);
    let command = command.args(["--manifest-path", &manifest.to_string_lossy()]);
    Ok(if policy.offline { command.arg("--offline") } else { command })
}

/// Returns the path of the archive from which cargo unpacked a manifest:
/// `registry/cache/<registry>/x-1.0.crate` for `registry/src/<registry>/x-1.0/`.
fn crate_file(manifest: &Path, name: &str, version: &str) -> Option<PathBuf> {
    let registry = manifest.parent()?.parent()?;
    let cache = registry.parent()?.parent()?.join("cache").join(registry.file_name()?);
    Some(cache.join(format!("{name}-{version}.crate")))
}

fn locked_checksum(lock: &Path, name: &str, version: &str) -> Option<Digest> {
    locked(lock, name, Some(version))?.1
}

/// Returns the version and the checksum of a package in a lock of cargo.
fn locked(lock: &Path, name: &str, version: Option<&str>) -> Option<(String, Option<Digest>)> {
    let lock: toml::Table = sys::fs::read_to_string(lock).ok()?.parse().ok()?;
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    lock.get("package")?.as_array()?.iter().find_map(|package| {
        let found = text(package, "version")?;
        let is_wanted = text(package, "name")? == name && version.is_none_or(|v| v == found);
        let checksum = text(package, "checksum").and_then(|checksum| checksum.parse().ok());
        is_wanted.then_some((found, checksum))
    })
}
