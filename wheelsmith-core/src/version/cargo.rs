//! Reads the version of a Rust package or of its workspace.

use std::path::Path;

use toml::{Table, Value};

use super::VersionError;
use crate::sys;

/// Returns the version in the `Cargo.toml` at `manifest`.
pub(super) fn version(manifest: &Path) -> Result<String, VersionError> {
    let unknown = |what: &str| VersionError::new(format!("`{}` {what}", manifest.display()));
    let table = read(manifest)?;
    let package = table.get("package").ok_or_else(|| unknown("has no `[package]`"))?;
    match package.get("version") {
        Some(Value::String(version)) => python(version),
        Some(Value::Table(inherited)) if inherited.get("workspace").is_some() => {
            inherited_version(manifest, package.get("workspace").and_then(Value::as_str))
        }
        _ => Err(unknown("has no `package.version`")),
    }
}

/// Returns the version of the workspace around `manifest`; `root` is the one that the package
/// names.
fn inherited_version(manifest: &Path, root: Option<&str>) -> Result<String, VersionError> {
    let dir = manifest.parent().unwrap_or(Path::new("."));
    let roots = match root {
        Some(root) => vec![dir.join(root)],
        None => dir.ancestors().map(Path::to_owned).collect(),
    };
    for root in roots {
        let file = root.join("Cargo.toml");
        if !file.is_file() {
            continue;
        }
        let table = read(&file)?;
        let Some(workspace) = table.get("workspace") else { continue };
        let version = workspace.get("package").and_then(|package| package.get("version"));
        let Some(version) = version.and_then(Value::as_str) else {
            let file = file.display();
            return Err(VersionError::new(format!(
                "`{file}` has no `version` in `[workspace.package]`"
            )));
        };
        return python(version);
    }
    let manifest = manifest.display();
    Err(VersionError::new(format!(
        "`{manifest}` takes its version from a workspace, but there is none"
    )))
}

fn read(manifest: &Path) -> Result<Table, VersionError> {
    let unknown =
        |why: String| VersionError::new(format!("cannot read `{}`: {why}", manifest.display()));
    let text = sys::fs::read_to_string(manifest).map_err(|error| unknown(error.to_string()))?;
    text.parse().map_err(|error: toml::de::Error| unknown(error.message().to_owned()))
}

/// Converts a semver version for Python: `1.0.0-rc.1` is `1.0.0rc1`. Python has no versions for
/// other names of pre-releases.
fn python(version: &str) -> Result<String, VersionError> {
    let plain = version.split_once('+').map_or(version, |(plain, _)| plain);
    let parsed: Result<pep440_rs::Version, _> = plain.parse();
    match parsed {
        Ok(version) => Ok(version.to_string()),
        Err(_) => Err(VersionError::with_help(
            format!("`{version}` is a version for cargo but not for Python"),
            "Python knows pre-releases such as `1.0.0-alpha.1`, `-beta.1`, `-rc.1`, `-dev.1`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_inherited() {
        let dir = sys::fs::temp_dir().unwrap();
        let write = |path: &str, text: &str| {
            sys::fs::write_atomic(&dir.path().join(path), text.as_bytes()).unwrap();
        };
        write("Cargo.toml", "[workspace]\n[workspace.package]\nversion = '2.0.0-rc.1'\n");
        write("a/Cargo.toml", "[package]\nversion.workspace = true\n");
        write("b/c/Cargo.toml", "[package]\nversion = { workspace = true }\n");
        write("d/Cargo.toml", "[package]\nversion.workspace = true\nworkspace = '../a'\n");
        write("e/Cargo.toml", "[package]\nversion = '1.0.0-nightly'\n");
        write("f/Cargo.toml", "[package]\n");
        write("g/Cargo.toml", "[package]\nversion = '1.7.0+v1.7.0'\n");
        let check = |path: &str, expected: Result<&str, &str>| {
            let found = version(&dir.path().join(path).join("Cargo.toml"));
            match expected {
                Ok(version) => assert_eq!(found.as_deref(), Ok(version), "{path}"),
                Err(part) => {
                    let message = found.unwrap_err().message;
                    assert!(message.contains(part), "{message}");
                }
            }
        };
        check("a", Ok("2.0.0rc1"));
        check("b/c", Ok("2.0.0rc1"));
        check("d", Err("there is no workspace"));
        check("e", Err("`1.0.0-nightly` is a version to cargo"));
        check("f", Err("has no `package.version`"));
        check("g", Ok("1.7.0"));
        check("h", Err("cannot read"));
    }
}
