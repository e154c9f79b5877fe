//! `package.json` and `package-lock.json`.

use serde_json::value::RawValue;

use super::json::{self, Object};
use super::{Finds, Names, Place, Role};
use crate::version::scheme::Form;

/// Tables of a `package.json` with dependencies, and whether its users install them.
const DEPENDENCIES: [(&str, bool); 4] = [
    ("dependencies", true),
    ("optionalDependencies", true),
    ("peerDependencies", true),
    ("devDependencies", false),
];

/// Returns the name of the package.
pub(in crate::version) fn name(text: &str) -> Result<Option<String>, String> {
    Ok(json::parse(text)?.get("name").and_then(|name| json::string(name)))
}

/// Finds the versions of a `package.json`.
pub(in crate::version) fn find(text: &str, names: &Names) -> Result<Finds, String> {
    let root = json::parse(text)?;
    let mut finds = Finds::default();
    if let Some(range) = root.get("version").and_then(|version| json::content(text, version)) {
        finds.places.push(Place::new("version", text, range, Form::SemVer, Role::Version));
    }
    let own = root.get("name").and_then(|name| json::string(name)).unwrap_or_default();
    let is_private = root.get("private").is_some_and(|private| private.get() == "true");
    for (table, is_published) in DEPENDENCIES {
        for (name, requirement) in json::object(root.get(table)) {
            let label = format!("{table}.{name}");
            let value = json::string(requirement).unwrap_or_default();
            let is_elsewhere = ["file:", "link:", "git+", "git:", "http:", "https:", "github:"]
                .iter()
                .any(|scheme| value.starts_with(scheme));
            if is_published && !is_private && is_elsewhere {
                finds
                    .faults
                    .push(format!("`{label}` is `{value}`, which is no version of a registry"));
            }
            if names.npm.contains(&name)
                || table == "optionalDependencies" && is_platform_package(&own, &name)
            {
                finds.places.extend(pin(text, requirement, label, Role::Pin));
            }
        }
    }
    Ok(finds)
}

/// True if `name` may be a package of `own` for one platform: `@own/linux-x64`, `own-linux-x64`,
/// or another one of its scope.
fn is_platform_package(own: &str, name: &str) -> bool {
    let scope = |name: &str| name.split_once('/').map(|(scope, _)| scope.to_owned());
    let of_scope = scope(name).is_some_and(|other| {
        scope(own).is_some_and(|own| own == other) || other.strip_prefix('@') == Some(own)
    });
    let is_longer = name.strip_prefix(own).is_some_and(|rest| rest.starts_with(['-', '.']));
    of_scope || !own.is_empty() && is_longer
}

/// Returns the version in a requirement such as `^1.2.0`.
fn pin(text: &str, requirement: &RawValue, label: String, role: Role) -> Option<Place> {
    let range = json::content(text, requirement)?;
    let version = text[range.clone()].trim_start_matches(['=', '^', '~', ' ']);
    semver::Version::parse(version).ok()?;
    let range = range.end - version.len()..range.end;
    Some(Place::new(label, text, range, Form::SemVer, role))
}

/// Finds the versions of the project's packages in a `package-lock.json`.
pub(in crate::version) fn find_locked(text: &str, names: &Names) -> Result<Vec<Place>, String> {
    let root = json::parse(text)?;
    let mut places = Vec::new();
    package(text, "", &root, names, &mut places);
    for (path, entry) in json::object(root.get("packages")) {
        let entry: Object<'_> = json::object(Some(&entry));
        // A package of a workspace has a path of its own; the registry's are in `node_modules`.
        if !path.contains("node_modules/") {
            package(text, &format!("packages[\"{path}\"]."), &entry, names, &mut places);
        }
    }
    Ok(places)
}

fn package(text: &str, label: &str, entry: &Object<'_>, names: &Names, places: &mut Vec<Place>) {
    let name = entry.get("name").and_then(|name| json::string(name));
    // Entries of a workspace have a name only if it differs from their directory's.
    if name.is_none_or(|name| names.npm.contains(&name))
        && let Some(range) = entry.get("version").and_then(|version| json::content(text, version))
    {
        let label = format!("{label}version");
        places.push(Place::new(label, text, range, Form::SemVer, Role::Lock));
    }
    if label.is_empty() {
        // The `dependencies` of the first lock format are resolved packages.
        return;
    }
    for (table, _) in DEPENDENCIES {
        for (name, requirement) in json::object(entry.get(table)) {
            if names.npm.contains(&name) {
                places.extend(pin(text, requirement, format!("{label}{table}.{name}"), Role::Lock));
            }
        }
    }
}
