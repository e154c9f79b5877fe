//! `pyproject.toml` and `uv.lock`.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::toml::{TomlFile, as_str, as_table, strings};
use super::{Finds, Names, Place, Role};
use crate::name::ProjectName;
use crate::version::scheme::Form;

/// Returns the normalized name of the project.
pub(in crate::version) fn name(file: &TomlFile<'_>) -> Option<String> {
    file.get(&["project", "name"]).and_then(as_str).and_then(normalized)
}

fn normalized(name: &str) -> Option<String> {
    name.parse::<ProjectName>().ok().map(|name| name.normalized())
}

/// Finds the versions of a `pyproject.toml`.
pub(in crate::version) fn find(file: &TomlFile<'_>, names: &Names) -> Finds {
    let mut finds = Finds::default();
    let version = file.get(&["project", "version"]);
    if let Some(range) = version.and_then(|value| file.content(value)) {
        let label = "project.version";
        finds.places.push(Place::new(label, file.text, range, Form::Pep440, Role::Version));
    }
    let mut lists =
        vec![("project.dependencies".to_owned(), file.get(&["project", "dependencies"]), true)];
    let groups =
        [(["project", "optional-dependencies"].as_slice(), true), (&["dependency-groups"], false)];
    for (path, is_published) in groups {
        for (group, list) in file.table(path).into_iter().flatten() {
            let label = format!("{}.{}", path.join("."), group.get_ref());
            lists.push((label, Some(list), is_published));
        }
    }
    for (label, list, is_published) in lists {
        for item in strings(list) {
            let requirement = as_str(item).unwrap_or_default();
            if is_published && let Some((name, origin)) = requirement.split_once('@') {
                let (name, origin) = (name.trim(), origin.trim());
                finds.faults.push(format!(
                    "`{label}` requires `{name}` from `{origin}`, which public indexes refuse"
                ));
            }
            let Some(range) = file.content(item) else { continue };
            let text = &file.text[range.clone()];
            if let Some((name, version)) = pin(text)
                && names.python.contains(&name)
            {
                let range = range.start + version.start..range.start + version.end;
                if file.text[range.clone()].contains('+') {
                    finds.faults.push(format!(
                        "`{label}` pins `{name}` to a local version, which public indexes refuse"
                    ));
                }
                let label = format!("{label}: {name}");
                finds.places.push(Place::new(label, file.text, range, Form::Pep440, Role::Pin));
            }
        }
    }
    finds
}

/// Returns the normalized name of a requirement such as `acme[x] == 1.2 ; python_version > "3.8"`,
/// and the range of its exact version; `None` if it has none.
fn pin(requirement: &str) -> Option<(String, Range<usize>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = requirement.find(|c: char| !is_name(c))?;
    let name = normalized(&requirement[..end])?;
    let condition = requirement.find(';').unwrap_or(requirement.len());
    let specifiers = &requirement[end..condition];
    let at = specifiers.find("==")? + 2;
    let behind = &specifiers[at..];
    let version = behind.trim_start();
    let start = end + at + (behind.len() - version.len());
    let len = version.find([',', ')', ' ']).unwrap_or(version.len());
    let is_exact = !version[..len].contains(['*', '=']) && len > 0;
    is_exact.then(|| (name, start..start + len))
}

/// Finds the versions of the project's packages in a `uv.lock`.
pub(in crate::version) fn find_locked(file: &TomlFile<'_>, names: &Names) -> Vec<Place> {
    let mut places = Vec::new();
    let Some(DeValue::Array(packages)) = file.root.get("package").map(Spanned::get_ref) else {
        return places;
    };
    for package in packages.iter().filter_map(as_table) {
        let name = package.get("name").and_then(as_str).unwrap_or_default();
        let source = package.get("source").and_then(as_table);
        let is_local = source.is_some_and(|source| {
            ["editable", "virtual", "directory"].iter().any(|kind| source.contains_key(*kind))
        });
        let is_ours = is_local && normalized(name).is_some_and(|name| names.python.contains(&name));
        if let Some(version) = package.get("version").filter(|_| is_ours)
            && let Some(range) = file.content(version)
        {
            let label = format!("package `{name}`");
            places.push(Place::new(label, file.text, range, Form::Pep440, Role::Lock));
        }
        let metadata = package.get("metadata").and_then(as_table);
        let requires = metadata.and_then(|metadata| metadata.get("requires-dist"));
        let Some(DeValue::Array(requires)) = requires.map(Spanned::get_ref) else { continue };
        for required in requires.iter().filter_map(as_table) {
            let name = required.get("name").and_then(as_str).and_then(normalized);
            let Some(name) = name.filter(|name| names.python.contains(name)) else { continue };
            if let Some(specifier) = required.get("specifier")
                && let Some(range) = file.content(specifier)
                && let text = &file.text[range.clone()]
                && let Some(version) = text.strip_prefix("==")
                && !version.contains(['*', ',', '='])
            {
                let start = range.end - version.len();
                let label = format!("requirement of `{name}`");
                let range = start..range.end;
                places.push(Place::new(label, file.text, range, Form::Pep440, Role::Lock));
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_pins_are_found() {
        let check = |text: &str, expected: Option<&str>| {
            let found = pin(text);
            assert_eq!(found.as_ref().map(|(_, range)| &text[range.clone()]), expected, "{text}");
            if let Some((name, _)) = found {
                assert_eq!(name, "acme-core", "{text}");
            }
        };
        check("acme-core==1.2.0", Some("1.2.0"));
        check("Acme_Core [x, y] == 1.2.0rc1 ; python_version == '3.9'", Some("1.2.0rc1"));
        check("acme.core (==1.2)", Some("1.2"));
        check("acme-core>=1,==1.2.0", Some("1.2.0"));
        check("acme-core>=1.2.0", None);
        check("acme-core==1.2.*", None);
        check("acme-core===1.2", None);
        check("acme-core", None);
        check("acme-core; python_version == '3.9'", None);
    }
}
