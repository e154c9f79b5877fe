//! Source distributions of Python packages, by the user's uv or pip. Indexes and credentials are
//! those of the user's configuration.

use std::io;
use std::path::Path;

use super::{Error, SourceDirs};
use crate::name::Digest;
use crate::sys::{self, Command, Host};

/// Source distribution in an index.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    version: String,
    url: String,
    sha256: Digest,
}

/// Obtains the source distribution as the file `to`. `work` is an empty directory.
pub(super) fn download(
    name: &str,
    version: &str,
    to: &Path,
    work: &Path,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<(), Error> {
    let mut reasons = Vec::new();
    match by_uv(name, Some(version), work, host) {
        Ok(listed) => match from_url(&listed, to, host) {
            Ok(()) => return Ok(()),
            Err(reason) => reasons.push(format!("{}: {reason}", listed.url)),
        },
        Err(reason) => reasons.push(format!("uv: {reason}")),
    }
    match by_pip(name, version, to, work, places, host) {
        Ok(()) => return Ok(()),
        Err(reason) => reasons.push(format!("pip: {reason}")),
    }
    Err(Error::Sdist { name: name.to_owned(), version: Some(version.to_owned()), reasons })
}

/// Returns the newest version that uv or pip finds.
#[cfg(feature = "project")]
pub(super) fn newest(
    name: &str,
    work: &Path,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<String, Error> {
    let mut reasons = Vec::new();
    match by_uv(name, None, work, host) {
        Ok(listed) => return Ok(listed.version),
        Err(reason) => reasons.push(format!("uv: {reason}")),
    }
    let listed = pip(places, host).and_then(|pip| {
        let args = ["index", "versions", "--no-binary", name, "--", name];
        pip.args(args).run(host).map_err(|error| error.to_string())
    });
    match listed {
        Ok(listed) => {
            let text = String::from_utf8_lossy(&listed.stdout).into_owned();
            if let Some(version) = version_of_pip(&text) {
                return Ok(version.to_owned());
            }
            reasons.push("pip: its answer has no version".to_owned());
        }
        Err(reason) => reasons.push(format!("pip: {reason}")),
    }
    Err(Error::Sdist { name: name.to_owned(), version: None, reasons })
}

/// Returns the version in the first line of `pip index versions`, `name (1.2)`.
#[cfg(any(test, feature = "project"))]
fn version_of_pip(text: &str) -> Option<&str> {
    text.lines().next()?.rsplit_once('(')?.1.strip_suffix(')')
}

/// Has uv lock a project that depends on the package alone. Its dependencies are given, so that uv
/// neither builds nor resolves anything else.
fn by_uv(name: &str, version: Option<&str>, work: &Path, host: &Host) -> Result<Listed, String> {
    let uv = host.env.find_program("uv").ok_or("it was not found on PATH")?;
    let text = |error: io::Error| error.to_string();
    let requirement = version.map_or(name.to_owned(), |version| format!("{name}=={version}"));
    let version_key = version.map(|version| format!("version = {}\n", quoted(version)));
    let manifest = format!(
        "[project]\nname = \"wheelsmith-fetch\"\nversion = \"0\"\ndependencies = [{}]\n\
         [tool.uv]\npackage = false\n\
         [[tool.uv.dependency-metadata]]\nname = {}\n{}requires-dist = []\n",
        quoted(&requirement),
        quoted(name),
        version_key.unwrap_or_default(),
    );
    let dir = work.join("uv");
    sys::fs::write_atomic(&dir.join("pyproject.toml"), manifest.as_bytes()).map_err(text)?;
    let command = Command::new(uv, &dir, &host.env);
    let command = command.args(["lock", "--quiet", "--no-progress", "--no-build"]);
    command.run(host).map_err(|error| error.to_string())?;
    let lock = sys::fs::read_to_string(dir.join("uv.lock")).map_err(text)?;
    listed(&lock, name).ok_or_else(|| "the index has no source distribution of it".to_owned())
}

/// Returns a text as a TOML string.
fn quoted(text: &str) -> String {
    // A JSON string is a TOML string.
    serde_json::Value::from(text).to_string()
}

/// Returns the source distribution of the package `name` in a lock of uv.
fn listed(lock: &str, name: &str) -> Option<Listed> {
    let lock: toml::Table = toml::from_str(lock).ok()?;
    let normal = normal(name);
    let packages = lock.get("package")?.as_array()?;
    let package = packages.iter().find(|package| {
        package.get("name").and_then(toml::Value::as_str) == Some(normal.as_str())
    })?;
    let sdist = package.get("sdist")?;
    let text = |value: Option<&toml::Value>| Some(value?.as_str()?.to_owned());
    Some(Listed {
        version: text(package.get("version"))?,
        url: text(sdist.get("url").or_else(|| sdist.get("path")))?,
        sha256: sdist.get("hash")?.as_str()?.strip_prefix("sha256:")?.parse().ok()?,
    })
}

/// Returns the normalised name of a package (PEP 503).
fn normal(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

fn from_url(listed: &Listed, to: &Path, host: &Host) -> Result<(), String> {
    let mut file = sys::fs::create(to).map_err(|error| error.to_string())?;
    let task = host.task(format!("download {}", listed.url), 0);
    super::download::copy_url(&listed.url, &mut file, host, &task)?;
    let (actual, _) = sys::fs::digest(to).map_err(|error| error.to_string())?;
    if actual != listed.sha256 {
        return Err(format!("its sha256 is {actual}, and that of the index {}", listed.sha256));
    }
    task.finish("done");
    Ok(())
}

/// Has pip download the file. pip also asks the build back end for the metadata.
fn by_pip(
    name: &str,
    version: &str,
    to: &Path,
    work: &Path,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let dir = work.join("pip");
    sys::fs::create_dir_all(&dir).map_err(text)?;
    let dest = dir.to_string_lossy().into_owned();
    let pip = pip(places, host)?.args(["download", "--no-deps", "--no-binary", name]);
    let pip = pip.args(["--dest", &dest, "--", &format!("{name}=={version}")]);
    pip.run(host).map_err(|error| error.to_string())?;
    let [file] = &sys::fs::list(&dir).map_err(text)?[..] else {
        return Err("it downloaded other files than one".to_owned());
    };
    sys::fs::copy(file, to).map(drop).map_err(text)
}

/// Returns pip in the project's directory, without prompts.
fn pip(places: &SourceDirs<'_>, host: &Host) -> Result<Command, String> {
    let found = ["pip", "pip3"].iter().find_map(|name| host.env.find_program(name));
    let module = || {
        let python = ["python3", "python"].iter().find_map(|name| host.env.find_program(name));
        python.map(|python| Command::new(python, places.project, &host.env).args(["-m", "pip"]))
    };
    let pip = found.map(|pip| Command::new(pip, places.project, &host.env)).or_else(module);
    let pip = pip.ok_or("it was not found on PATH")?;
    Ok(pip.env("PIP_NO_INPUT", "1").env("PIP_DISABLE_PIP_VERSION_CHECK", "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_uv_names_the_file() {
        let lock = format!(
            "version = 1\n[[package]]\nname = \"zope-interface\"\nversion = \"7.0\"\n\
             source = {{ registry = \"https://index.example/simple\" }}\n\
             sdist = {{ url = \"https://index.example/f/z-7.0.tar.gz\", hash = \"sha256:{}\" }}\n\
             [[package]]\nname = \"wheel-only\"\nversion = \"1\"\n",
            Digest::of("z")
        );
        let expected = Listed {
            version: "7.0".to_owned(),
            url: "https://index.example/f/z-7.0.tar.gz".to_owned(),
            sha256: Digest::of("z"),
        };
        assert_eq!(listed(&lock, "Zope.Interface"), Some(expected));
        assert_eq!(listed(&lock, "wheel_only"), None);
        assert_eq!(listed(&lock, "other"), None);
        assert_eq!(listed("no toml", "x"), None);
    }

    #[test]
    fn pip_prints_the_newest_version_first() {
        let text = "lz4 (4.4.5)\nAvailable versions: 4.4.5, 4.4.4\n";
        assert_eq!(version_of_pip(text), Some("4.4.5"));
        assert_eq!(version_of_pip("ERROR"), None);
    }
}
