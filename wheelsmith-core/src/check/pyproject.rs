//! Judges the `pyproject.toml` of a source distribution: what installers read before they build
//! (PEP 518, PEP 517), and the static metadata that must agree with PKG-INFO (PEP 621, PEP 643).

use pep440_rs::Version;
use toml::{Table, Value};

use super::findings::Findings;
use crate::finding::{Code, Severity};
use crate::metadata::fields::Fields;
use crate::metadata::requirement::Requirement;
use crate::name::{ProjectName, WheelPath};

/// Judges the file at `path`; `pkg_info` is the content of PKG-INFO, if there is one.
pub(super) fn check(bytes: &[u8], path: &WheelPath, pkg_info: Option<&[u8]>, out: &mut Findings) {
    let table = match std::str::from_utf8(bytes).map(str::parse::<Table>) {
        Err(_) => return out.file(Code::BadPyproject, path, "it is not UTF-8"),
        Ok(Err(error)) => {
            let start = error.span().map_or(0, |span| span.start);
            let before = String::from_utf8_lossy(bytes.get(..start).unwrap_or_default());
            let line = 1 + before.matches('\n').count();
            let message = format!("it is not TOML: {} in line {line}", error.message());
            return out.file(Code::BadPyproject, path, message);
        }
        Ok(Ok(table)) => table,
    };
    let build = table.get("build-system").and_then(Value::as_table);
    if build.is_some_and(|build| !build.contains_key("requires")) {
        // PEP 518 requires it, and pip and uv insist; the index takes the file.
        let message = "`build-system` has no `requires`";
        out.file_as(Severity::Warning, Code::BadPyproject, path, message);
    }
    for problem in build_system(&table) {
        out.file(Code::BadPyproject, path, problem);
    }
    if let (Some(project), Some(pkg_info)) = (table.get("project"), pkg_info) {
        agree(project, &Fields::read(pkg_info), path, out);
    }
}

/// Returns the faults of `[build-system]`. Without the table, installers assume setuptools.
fn build_system(file: &Table) -> Vec<String> {
    let Some(value) = file.get("build-system") else { return Vec::new() };
    let Some(table) = value.as_table() else {
        return vec!["`build-system` is not a table".to_owned()];
    };
    let mut problems = Vec::new();
    match table.get("requires").map(texts) {
        None => {}
        Some(None) => problems.push("`build-system.requires` is not a list of texts".to_owned()),
        Some(Some(requires)) => {
            let bad = requires.into_iter().filter_map(|text| {
                let why = Requirement::parse(text).err()?;
                Some(format!("`{text}` in `build-system.requires` is no requirement: {why}"))
            });
            problems.extend(bad);
        }
    }
    match table.get("build-backend") {
        None => {}
        Some(Value::String(backend)) if is_object(backend) => {}
        Some(_) => problems.push("`build-system.build-backend` is not `module:object`".to_owned()),
    }
    if table.get("backend-path").is_some_and(|value| texts(value).is_none()) {
        problems.push("`build-system.backend-path` is not a list of texts".to_owned());
    }
    problems
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// True if `text` is `package.module`, with or without `:object.attribute`.
fn is_object(text: &str) -> bool {
    crate::metadata::entry_points::is_reference(text, false)
}

/// Compares name and version with those of PKG-INFO.
fn agree(project: &Value, info: &Fields, path: &WheelPath, out: &mut Findings) {
    let text = |key: &str| project.get(key).and_then(Value::as_str);
    let normal = |name: &str| name.parse().map(|name: ProjectName| name.normalized());
    if let (Some(own), Some(stated)) = (text("name"), info.one("Name"))
        && let (Ok(own), Ok(stated)) = (normal(own), normal(stated))
        && own != stated
    {
        let message = format!("`project.name` is `{own}`; PKG-INFO has `{stated}`");
        out.file(Code::NameMismatch, path, message);
    }
    if let (Some(own), Some(stated)) = (text("version"), info.one("Version"))
        && let (Ok(own), Ok(stated)) = (own.parse::<Version>(), stated.parse::<Version>())
        && own != stated
    {
        let message = format!("`project.version` is `{own}`; PKG-INFO has `{stated}`");
        // Options of setuptools outside this file may add to the version.
        out.file_as(Severity::Warning, Code::VersionMismatch, path, message);
    }
}
