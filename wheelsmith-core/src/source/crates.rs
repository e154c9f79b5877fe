//! Downloads the packaged source of a crate, by the user's own cargo.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::{Error, Places, Policy};
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
    places: &Places<'_>,
    policy: Policy,
    host: &Host,
) -> Result<(PathBuf, Digest), Error> {
    let wrong = |reason: String| Error::Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        reason,
    };
    let cargo = host.env.get("CARGO").unwrap_or("cargo");
    let cargo =
        host.env.find_program(cargo).ok_or_else(|| Error::NoCargo { name: name.to_owned() })?;
    let dir = sys::fs::temp_dir_in(places.work)
        .map_err(|e| Error::io("make a temporary directory", e))?;
    let manifest = dir.path().join("Cargo.toml");
    let write = |path: &Path, text: &str| {
        sys::fs::write_atomic(path, text.as_bytes()).map_err(|e| Error::io("ask cargo", e))
    };
    // A requirement has no build metadata (`+v1.7.0`); the version is compared below.
    let requirement = version.split('+').next().unwrap_or(version);
    write(
        &manifest,
        &format!(
            "[package]\nname = \"wheelsmith-fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
             [workspace]\n[dependencies]\n{} = {{ version = {}, default-features = false }}\n",
            toml::Value::from(name),
            toml::Value::from(format!("={requirement}")),
        ),
    )?;
    write(&dir.path().join("src/lib.rs"), "")?;
    let task = host.task(format!("download crate {name} {version}"), 1);
    let mut command = Command::new(cargo, places.project, &host.env)
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(manifest.to_string_lossy());
    if policy.offline {
        command = command.arg("--offline");
    }
    let answer = command.run(host).map_err(|source| Error::Cargo {
        name: name.to_owned(),
        version: version.to_owned(),
        source,
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
        let file = super::obtain::kept(name, version, host)
            .into_iter()
            .find(|file| super::obtain::has_digest(file, checksum))
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

/// Returns the path of the archive from which cargo unpacked a manifest:
/// `registry/cache/<registry>/x-1.0.crate` for `registry/src/<registry>/x-1.0/`.
fn crate_file(manifest: &Path, name: &str, version: &str) -> Option<PathBuf> {
    let registry = manifest.parent()?.parent()?;
    let cache = registry.parent()?.parent()?.join("cache").join(registry.file_name()?);
    Some(cache.join(format!("{name}-{version}.crate")))
}

fn locked_checksum(lock: &Path, name: &str, version: &str) -> Option<Digest> {
    let lock: toml::Table = sys::fs::read_to_string(lock).ok()?.parse().ok()?;
    let packages = lock.get("package")?.as_array()?;
    let package = packages.iter().find(|package| {
        package.get("name").and_then(toml::Value::as_str) == Some(name)
            && package.get("version").and_then(toml::Value::as_str) == Some(version)
    })?;
    package.get("checksum")?.as_str()?.parse().ok()
}
