//! Versions in source files: Python, C macros, CMake, and patterns for everything else.

use std::ops::Range;

use super::toml::TomlFile;
use super::{Place, Role, range_of};
use crate::version::python;
use crate::version::scheme::Form;

/// Names of tuples with the numbers of a version in Python modules.
const TUPLES: [&str; 5] =
    ["__version_info__", "__version_tuple__", "version_info", "version_tuple", "VERSION"];

/// Finds the text that a Python module assigns to `attribute`, and tuples beside it.
pub(in crate::version) fn find_python(module: &str, attribute: &str) -> Result<Vec<Place>, String> {
    let version = python::literal(module, attribute)?;
    let range = range_of(module, version);
    let mut places = vec![Place::new(attribute, module, range, Form::Pep440, Role::Version)];
    for name in TUPLES.into_iter().filter(|name| *name != attribute) {
        for value in python::assignments(module, name) {
            let inner = value.strip_prefix('(').and_then(|rest| rest.split_once(')'));
            if let Some((inner, _)) = inner
                && inner.trim_start().starts_with(|c: char| c.is_ascii_digit())
            {
                let range = range_of(module, inner.trim());
                places.push(Place::new(name, module, range, Form::Tuple, Role::Version));
            }
        }
    }
    Ok(places)
}

/// Finds the macro `name`, whose value is a text, and the macros `name_MAJOR`, `name_MINOR` and
/// `name_PATCH`.
pub(in crate::version) fn find_macro(
    text: &str,
    name: &str,
    form: Form,
) -> Result<Vec<Place>, String> {
    let mut places = Vec::new();
    for (suffix, number) in [
        ("", None),
        ("_MAJOR", Some(0)),
        ("_MINOR", Some(1)),
        ("_PATCH", Some(2)),
        ("_MICRO", Some(2)),
    ] {
        let name = format!("{name}{suffix}");
        let values: Vec<&str> = text.lines().filter_map(|line| defined(line, &name)).collect();
        let value = match values[..] {
            [] => continue,
            [value] => value,
            _ => return Err(format!("defines `{name}` {} times", values.len())),
        };
        let quoted = value.strip_prefix('"').and_then(|value| value.split_once('"'));
        let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        let (part, form) = match (quoted, number) {
            (Some((quoted, _)), None) => (quoted, form),
            (None, Some(i)) if digits > 0 => (&value[..digits], Form::Number(i)),
            (_, None) => return Err(format!("defines `{name}` as something other than a text")),
            (_, Some(_)) => {
                return Err(format!("defines `{name}` as something other than a number"));
            }
        };
        places.push(Place::new(name, text, range_of(text, part), form, Role::Version));
    }
    if places.is_empty() {
        return Err(format!("does not define `{name}`"));
    }
    Ok(places)
}

/// Returns the value of the macro `name` if `line` defines it.
fn defined<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let rest = rest.strip_prefix("define")?.trim_start().strip_prefix(name)?;
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

/// Finds the key `version` of a TOML file.
pub(in crate::version) fn find_toml(file: &TomlFile<'_>) -> Result<Vec<Place>, String> {
    let range = file.get(&["version"]).and_then(|value| file.content(value));
    let range = range.ok_or("has no text with the key `version`")?;
    Ok(vec![Place::new("version", file.text, range, Form::SemVer, Role::Version)])
}

/// Finds the version of the `project()` command in a `CMakeLists.txt`.
pub(in crate::version) fn find_cmake(text: &str) -> Result<Vec<Place>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or_default();
        let lower = code.to_ascii_lowercase();
        if let Some(start) = lower.find("project") {
            let is_word = !lower[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let behind = lower[start + "project".len()..].trim_start();
            if is_word && behind.starts_with('(') {
                found.extend(project_version(&text[at + start..]));
            }
        }
        at += line.len();
    }
    match found[..] {
        [version] if version.starts_with(|c: char| c.is_ascii_digit()) => {
            let range = range_of(text, version);
            Ok(vec![Place::new("project(VERSION)", text, range, Form::Numbers, Role::Version)])
        }
        [version] => Err(format!("gives `project()` the version `{version}`, which is no number")),
        [] => Err("has no `project(… VERSION …)`".to_owned()),
        _ => Err(format!("has {} `project(… VERSION …)`", found.len())),
    }
}

/// Returns the version in a call of `project`, which `text` begins with.
fn project_version(text: &str) -> Option<&str> {
    let end = text.find(')')?;
    let words = text[..end].lines().flat_map(|line| {
        let code = line.split('#').next().unwrap_or_default();
        code.split(|c: char| c.is_whitespace() || c == '(')
    });
    let mut words = words.filter(|word| !word.is_empty());
    words.find(|word| *word == "VERSION")?;
    words.next().map(|word| word.trim_matches('"'))
}

/// Finds the only match of a pattern such as `version = "{version}"`.
pub(in crate::version) fn find_pattern(
    text: &str,
    pattern: &str,
    form: Form,
) -> Result<Vec<Place>, String> {
    let (before, behind) = pattern
        .split_once("{version}")
        .ok_or_else(|| format!("`{pattern}` does not contain `{{version}}`"))?;
    let found: Vec<Range<usize>> = matches(text, before, behind).collect();
    match &found[..] {
        [range] => Ok(vec![Place::new(pattern, text, range.clone(), form, Role::Version)]),
        [] => Err(format!("does not contain `{pattern}`")),
        _ => Err(format!("contains `{pattern}` {} times", found.len())),
    }
}

fn matches(text: &str, before: &str, behind: &str) -> impl Iterator<Item = Range<usize>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let starts_with_word = before.starts_with(word);
    text.match_indices(before).filter_map(move |(at, _)| {
        // `version = "…"` does not match in `my_version = "…"`.
        if starts_with_word && text[..at].ends_with(word) {
            return None;
        }
        let start = at + before.len();
        let is_version = |c: char| c.is_ascii_alphanumeric() || ".+-!_".contains(c);
        let rest = &text[start..];
        let len = rest.find(|c: char| !is_version(c)).unwrap_or(rest.len());
        let version = if behind.is_empty() {
            rest[..len].trim_end_matches(['.', '-', '+', '!'])
        } else {
            // A version may contain what comes behind it, such as the dot in `{version}.tar.gz`.
            &rest[..rest[..(len + behind.len()).min(rest.len())]
                .rfind(behind)
                .filter(|at| *at <= len)?]
        };
        let is_number = version.starts_with(|c: char| c.is_ascii_digit());
        is_number.then(|| start..start + version.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Result<Vec<Place>, String>, expected: Result<&[(&str, &str)], &str>) {
        match (found, expected) {
            (Ok(places), Ok(expected)) => {
                let found: Vec<(&str, &str)> = places
                    .iter()
                    .map(|place| (place.label.as_str(), place.text.as_str()))
                    .collect();
                assert_eq!(found, expected);
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn python_modules() {
        let run = |text: &str| find_python(text, "__version__");
        check(run("__version__ = '1.2'\n"), Ok(&[("__version__", "1.2")]));
        check(
            run("# x\r\n__version__: str = \"1.2\"  # y\r\nversion_info = (1, 2, 0)\r\n"),
            Ok(&[("__version__", "1.2"), ("version_info", "1, 2, 0")]),
        );
        check(run("VERSION = (1, 2)\n"), Err("does not assign"));
    }

    #[test]
    fn macros() {
        let run = |text: &str| find_macro(text, "ACME_VERSION", Form::SemVer);
        let whole = "#define ACME_VERSION \"1.2.0\" /* x */\n#  define ACME_VERSION_MAJOR 1\n\
                     #define ACME_VERSION_MINOR\t2\r\n#define ACME_VERSION_PATCH 0\n\
                     #define ACME_VERSION_OTHER 9\n";
        check(
            run(whole),
            Ok(&[
                ("ACME_VERSION", "1.2.0"),
                ("ACME_VERSION_MAJOR", "1"),
                ("ACME_VERSION_MINOR", "2"),
                ("ACME_VERSION_PATCH", "0"),
            ]),
        );
        check(run("#define OTHER 1\n"), Err("does not define"));
        check(run("#define ACME_VERSION VERSION\n"), Err("other than a text"));
        check(run("#define ACME_VERSION \"1\"\n#define ACME_VERSION \"2\"\n"), Err("2 times"));
    }

    #[test]
    fn cmake_projects() {
        let one: &[(&str, &str)] = &[("project(VERSION)", "1.2.0")];
        check(find_cmake("project(acme VERSION 1.2.0 LANGUAGES C)\n"), Ok(one));
        check(
            find_cmake("# project(x VERSION 9)\nPROJECT (acme # y\n  VERSION \"1.2.0\")\n"),
            Ok(one),
        );
        check(find_cmake("project(acme)\n"), Err("has no"));
        check(find_cmake("project(acme VERSION ${V})\n"), Err("which is no number"));
        check(find_cmake("project(a VERSION 1)\nproject(b VERSION 1)\n"), Err("has 2"));
        check(find_cmake("my_project(a VERSION 1)\n"), Err("has no"));
    }

    #[test]
    fn patterns_match_once() {
        let run = |text: &str, pattern: &str| find_pattern(text, pattern, Form::SemVer);
        let nix = "version = \"{version}\"";
        check(run("x;\n version = \"1.2.0\";\n", nix), Ok(&[(nix, "1.2.0")]));
        check(run("my_version = \"1.2.0\";\n", nix), Err("does not contain"));
        check(run("version = \"1\";\nversion = \"2\";\n", nix), Err("2 times"));
        check(run("version = \"${v}\";\n", nix), Err("does not contain"));
        check(
            run("acme-1.2.0.tar.gz", "acme-{version}.tar"),
            Ok(&[("acme-{version}.tar", "1.2.0")]),
        );
        check(run("at v1.2.0-rc.1.", "at v{version}"), Ok(&[("at v{version}", "1.2.0-rc.1")]));
        check(run("x", "x"), Err("does not contain `{version}`"));
    }
}
