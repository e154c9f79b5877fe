//! `Cargo.toml` and `Cargo.lock`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::toml::{TomlFile, as_str, as_table, strings};
use super::{Finds, Names, Place, Role};
use crate::version::scheme::Form;

/// Facts of a `Cargo.toml` that other files depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::version) struct Manifest {
    /// Name of the package.
    pub(in crate::version) package: Option<String>,
    /// True if the package has a version of its own.
    pub(in crate::version) has_version: bool,
    /// True if the package has the version of its workspace.
    pub(in crate::version) inherits: bool,
    /// Globs of the members, if this is the root of a workspace.
    pub(in crate::version) members: Vec<String>,
    /// Paths that are no members.
    pub(in crate::version) exclude: Vec<String>,
}

/// Reads the facts of a manifest.
pub(in crate::version) fn manifest(file: &TomlFile<'_>) -> Manifest {
    let list = |key| {
        let items = strings(file.get(&["workspace", key]));
        items.filter_map(|item| as_str(item).map(str::to_owned)).collect()
    };
    let version = file.get(&["package", "version"]);
    Manifest {
        package: file.get(&["package", "name"]).and_then(as_str).map(str::to_owned),
        has_version: version.and_then(as_str).is_some(),
        inherits: version.and_then(as_table).is_some_and(|table| table.contains_key("workspace")),
        members: list("members"),
        exclude: list("exclude"),
    }
}

/// Finds the versions of a `Cargo.toml`. `is_site` is false for members that are read for their
/// pins alone.
pub(in crate::version) fn find(file: &TomlFile<'_>, names: &Names, is_site: bool) -> Finds {
    let mut finds = Finds::default();
    for path in [["package", "version"].as_slice(), &["workspace", "package", "version"]] {
        if let Some(range) = file.get(path).and_then(|value| file.content(value))
            && is_site
        {
            let label = path.join(".");
            finds.places.push(Place::new(label, file.text, range, Form::SemVer, Role::Version));
        }
    }
    let is_private = file.get(&["package", "publish"]).is_some_and(|value| match value.get_ref() {
        DeValue::Boolean(publish) => !publish,
        DeValue::Array(registries) => registries.is_empty(),
        _ => false,
    });
    let mut tables = vec![(String::new(), &file.root)];
    if let Some(workspace) = file.table(&["workspace"]) {
        tables.push(("workspace.".to_owned(), workspace));
    }
    for (platform, table) in file.table(&["target"]).into_iter().flatten() {
        let prefix = format!("target.{}.", platform.get_ref());
        tables.extend(as_table(table).map(|table| (prefix, table)));
    }
    for (prefix, table) in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = table.get(kind).and_then(as_table) else { continue };
            let label = format!("{prefix}{kind}");
            // Cargo leaves development dependencies without a version out when it publishes.
            let is_published = !is_private && kind != "dev-dependencies" && prefix != "workspace.";
            dependencies(file, table, &label, names, is_published, &mut finds);
        }
    }
    finds
}

fn dependencies(
    file: &TomlFile<'_>,
    table: &DeTable<'_>,
    label: &str,
    names: &Names,
    is_published: bool,
    finds: &mut Finds,
) {
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let details = as_table(value);
        let detail = |name: &str| details.and_then(|details| details.get(name));
        let package = detail("package").and_then(as_str).unwrap_or(key);
        let version = if details.is_some() { detail("version") } else { Some(value) };
        let label = format!("{label}.{key}");
        if is_published && version.is_none() {
            for kind in ["path", "git"] {
                if detail(kind).is_some() {
                    finds.faults.push(format!(
                        "`{label}` is a {kind} dependency without a version, which no registry takes"
                    ));
                }
            }
        }
        if names.cargo.contains(package)
            && let Some(version) = version
        {
            finds.places.extend(pin(file, version, label));
        }
    }
}

/// Returns the version in a requirement such as `=1.2.0`; `None` if it has several.
fn pin(file: &TomlFile<'_>, value: &Spanned<DeValue<'_>>, label: String) -> Option<Place> {
    let range = file.content(value)?;
    let text = &file.text[range.clone()];
    let version = text.trim_start_matches(['=', '^', '~', ' ']);
    let is_one = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains([',', '*']);
    let start = range.end - version.len();
    let end = start + version.trim_end().len();
    is_one.then(|| Place::new(label, file.text, start..end, Form::SemVer, Role::Pin))
}

/// Finds the versions of the project's packages in a `Cargo.lock`.
pub(in crate::version) fn find_locked(file: &TomlFile<'_>, names: &Names) -> Vec<Place> {
    let mut places = Vec::new();
    let Some(DeValue::Array(packages)) = file.root.get("package").map(Spanned::get_ref) else {
        return places;
    };
    for package in packages.iter().filter_map(as_table) {
        let name = package.get("name").and_then(as_str).unwrap_or_default();
        let is_ours = names.cargo.contains(name) && !package.contains_key("source");
        if let Some(version) = package.get("version").filter(|_| is_ours)
            && let Some(range) = file.content(version)
        {
            places.push(Place::new(
                format!("package `{name}`"),
                file.text,
                range,
                Form::SemVer,
                Role::Lock,
            ));
        }
        // Cargo names the version here only where two packages have the same name.
        for dependency in strings(package.get("dependencies")) {
            let Some(range) = file.content(dependency) else { continue };
            let text = &file.text[range.clone()];
            if let Some((name, version)) = text.split_once(' ')
                && names.cargo.contains(name)
                && !version.contains(' ')
            {
                let start = range.end - version.len();
                let label = format!("dependency on `{name}`");
                places.push(Place::new(
                    label,
                    file.text,
                    start..range.end,
                    Form::SemVer,
                    Role::Lock,
                ));
            }
        }
    }
    places
}
