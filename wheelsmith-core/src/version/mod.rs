//! Reads the version of a project with `dynamic = ["version"]`.
//!
//! The project's code is not run: a Python attribute is read as text, a `Cargo.toml` as TOML. Only
//! a version from version control needs a program. An unpacked source distribution needs none,
//! because its `PKG-INFO` contains the version.

mod cargo;
pub mod change;
pub mod commit;
mod python;
pub mod scheme;
pub mod sites;
mod tag;

use std::path::Path;

use crate::config::{Config, Error, Tags, VersionSource};
use crate::metadata::ProjectTable;
use crate::metadata::fields::Fields;
use crate::name::ProjectName;
use crate::sys::{self, Host};
use crate::vcs::Checkout;
use crate::version::scheme::ReleaseVersion;

/// Metadata file of an unpacked source distribution.
pub const PKG_INFO: &str = "PKG-INFO";

/// Variable with the version, for builds without version control, as in distributions.
pub const VARIABLE: &str = "WHEELSMITH_PROJECT_VERSION";

/// Key of the version's source in the configuration.
const KEY: &str = "tool.wheelsmith.version";

/// Reason why there is no version; printed after the key of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct VersionError {
    /// Problem.
    message: String,
    /// Remedy.
    help: Option<String>,
}

impl VersionError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }
}

/// Returns the `[project]` table with its version filled in. `dir` is the directory of the
/// configuration.
///
/// # Errors
/// A field cannot be filled in, or the version is not where the configuration says.
pub fn fill_in(config: &Config, dir: &Path, host: &Host) -> Result<Option<ProjectTable>, Error> {
    let Some(project) = &config.project else { return Ok(None) };
    let mut project = project.clone();
    if let Some(i) = project.dynamic.iter().position(|field| field != "version") {
        let message = format!("wheelsmith cannot set `{}`", project.dynamic[i]);
        let help = "write the value into `[project]`; only `version` can be dynamic".to_owned();
        return Err(config.problem(&format!("project.dynamic[{i}]"), message, Some(help)));
    }
    let is_dynamic = !project.dynamic.is_empty();
    match (&config.version, &project.version) {
        (Some(_), Some(_)) if !is_dynamic => {
            let message = "`project.version` is also given".to_owned();
            let help = "remove one of them".to_owned();
            return Err(config.problem(KEY, message, Some(help)));
        }
        (_, Some(_)) if is_dynamic => {
            let message = "names `version`, which is also given".to_owned();
            let help = "remove one of them".to_owned();
            return Err(config.problem("project.dynamic", message, Some(help)));
        }
        (None, None) if is_dynamic => {
            let message = "names `version`, but the configuration does not say where it comes from"
                .to_owned();
            let help = "add `[tool.wheelsmith] version = { from = \"cargo\" }`, or `\"python\"` \
                        or `\"vcs\"`";
            return Err(config.problem("project.dynamic", message, Some(help.to_owned())));
        }
        (Some(_), None) if !is_dynamic => {
            let message = "`project.dynamic` does not name `version`".to_owned();
            let help = "write `dynamic = [\"version\"]` into `[project]`".to_owned();
            return Err(config.problem(KEY, message, Some(help)));
        }
        (Some(source), None) => {
            let version = find(source, &project.name, &config.file, dir, host);
            let version =
                version.map_err(|unknown| config.problem(KEY, unknown.message, unknown.help))?;
            project.version = Some(version);
            project.dynamic.clear();
        }
        _ => {}
    }
    Ok(Some(project))
}

fn find(
    source: &VersionSource,
    name: &ProjectName,
    file: &str,
    dir: &Path,
    host: &Host,
) -> Result<String, VersionError> {
    if let Some(version) = host.env.get(VARIABLE) {
        return Ok(version.to_owned());
    }
    match source {
        VersionSource::Cargo { manifest } => cargo::version(&dir.join(manifest)),
        VersionSource::Python { path, attribute } => {
            let place = dir.join(path);
            let text = sys::fs::read_to_string(&place)
                .map_err(|error| VersionError::new(format!("cannot read `{path}`: {error}")))?;
            let found = python::literal(&text, attribute);
            found.map(str::to_owned).map_err(|why| VersionError::new(format!("`{path}` {why}")))
        }
        VersionSource::Toml { path } => {
            let text = sys::fs::read_to_string(dir.join(path))
                .map_err(|error| VersionError::new(format!("cannot read `{path}`: {error}")))?;
            let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
                VersionError::new(format!("cannot read `{path}`: {}", error.message()))
            })?;
            let version = table.get("version").and_then(toml::Value::as_str);
            let version = version
                .ok_or_else(|| VersionError::new(format!("`{path}` has no text `version`")))?;
            let version = ReleaseVersion::parse(version);
            let version = version
                .map_err(|error| VersionError { message: error.to_string(), help: error.help })?;
            Ok(version.pep440())
        }
        VersionSource::Vcs(tags) => of_checkout(tags, name, file, dir, host),
    }
}

/// Returns the version of the checked-out commit, or of the unpacked source distribution.
fn of_checkout(
    tags: &Tags,
    name: &ProjectName,
    file: &str,
    dir: &Path,
    host: &Host,
) -> Result<String, VersionError> {
    let info = pkg_info_version(dir, name);
    let untracked = |reason: String| {
        VersionError::with_help(
            format!("git has no version of `{file}`: {reason}"),
            format!("`git add` and tag it, build from a source distribution, or set `{VARIABLE}`"),
        )
    };
    let checkout = Checkout::of(dir, file, info.is_some(), host);
    match checkout.map_err(|error| VersionError::new(error.to_string()))? {
        Checkout::Sdist => info.ok_or_else(|| untracked(format!("`{PKG_INFO}` has no version"))),
        Checkout::Repository(repository) => tag::version(tags, &repository, host),
        Checkout::Untracked(repository) => {
            let root = repository.root.display();
            Err(untracked(format!("the repository `{root}` does not track it")))
        }
        Checkout::Plain => Err(untracked("it is not in a repository".to_owned())),
        Checkout::Unreadable(error) => {
            let help = error.hint().map(|hint| format!("{hint}; or set `{VARIABLE}`"));
            Err(VersionError { message: error.to_string(), help })
        }
    }
}

/// Returns the version in the `PKG-INFO` of the source distribution that was unpacked to `dir`;
/// `None` if there is none, or one of another project.
pub fn pkg_info_version(dir: &Path, name: &ProjectName) -> Option<String> {
    let bytes = sys::fs::read(dir.join(PKG_INFO)).ok()?;
    let fields = Fields::read(&bytes);
    let its: ProjectName = fields.one("Name")?.trim().parse().ok()?;
    let is_same = its.normalized() == name.normalized();
    fields.one("Version").filter(|_| is_same).map(|version| version.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Env;

    /// Fills in the version of a project with these files, of which `pyproject.toml` is the first.
    fn run(files: &[(&str, &str)], env: &[(&str, &str)]) -> Result<String, String> {
        let dir = sys::fs::temp_dir().unwrap();
        for (path, text) in files {
            sys::fs::write_atomic(&dir.path().join(path), text.as_bytes()).unwrap();
        }
        let config =
            crate::config::parse("pyproject.toml", files[0].1).map_err(|e| e.to_string())?;
        let env = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Env>();
        let project = fill_in(&config, dir.path(), &Host::quiet(env)).map_err(|e| e.to_string())?;
        Ok(project.unwrap().version.unwrap_or_default())
    }

    fn pyproject(project: &str, tool: &str) -> String {
        format!("[project]\nname = 'demo'\n{project}\n[tool.wheelsmith]\n{tool}\n")
    }

    const DYNAMIC: &str = "dynamic = ['version']";

    #[test]
    fn the_version_is_where_the_configuration_says() {
        let check = |tool: &str, path: &str, text: &str, version: &str| {
            let config = pyproject(DYNAMIC, tool);
            let files = [("pyproject.toml", config.as_str()), (path, text)];
            assert_eq!(run(&files, &[]).as_deref(), Ok(version), "{tool}");
            let named = run(&files, &[(VARIABLE, "9.9")]);
            assert_eq!(named.as_deref(), Ok("9.9"), "{tool}");
        };
        let cargo = "version = { from = 'cargo', manifest = 'native/Cargo.toml' }";
        check(cargo, "native/Cargo.toml", "[package]\nname = 'x'\nversion = '1.2.3'\n", "1.2.3");
        let python = "version = { from = 'python', path = 'demo.py', attribute = 'V' }";
        check(python, "demo.py", "V = '1.0rc1'\n", "1.0rc1");
        let info = "Metadata-Version: 2.4\nName: Demo\nVersion: 3.1\n\nVersion: 4\n";
        check("version = { from = 'vcs' }", "PKG-INFO", info, "3.1");
    }

    #[test]
    fn contradictions_have_a_place() {
        let check = |project: &str, tool: &str, part: &str| {
            let config = pyproject(project, tool);
            let error = run(&[("pyproject.toml", &config)], &[]).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        let vcs = "version = { from = 'vcs' }";
        check(
            "dynamic = ['version', 'readme']",
            vcs,
            "pyproject.toml:3:23: `project.dynamic[1]`: wheelsmith cannot set `readme`",
        );
        check(DYNAMIC, "", "pyproject.toml:3:1: `project.dynamic`: names `version`, but the");
        check("version = '1'", vcs, "`project.version` is also given");
        check("", vcs, "`project.dynamic` does not name `version`");
        check("version = '1'\ndynamic = ['version']", "", "which is also given");
        let python = "version = { from = 'python', path = 'x.py' }";
        check(DYNAMIC, python, "pyproject.toml:5:1: `tool.wheelsmith.version`: cannot read `x.py`");
        check(DYNAMIC, vcs, "`tool.wheelsmith.version`: ");
    }
}
