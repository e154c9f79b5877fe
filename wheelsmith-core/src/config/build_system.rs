//! `[build-system]` of projects that name the build back end as it was called before.

use toml::Table;

use super::diagnose::{Locator, Problem};

const BACKEND: &str = "build-system.build-backend";

/// Returns a problem for each key that leads installers to the package `wheelsmith`, which is
/// another project on the public index.
pub(super) fn check(text: &str, locator: &Locator<'_>) -> Vec<Problem> {
    let Ok(file) = text.parse::<Table>() else { return Vec::new() };
    let Some(table) = file.get("build-system").and_then(|value| value.as_table()) else {
        return Vec::new();
    };
    // A back end inside the project is its own, whatever its name.
    if table.contains_key("backend-path") {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let backend = table.get("build-backend").and_then(|value| value.as_str());
    if backend.is_some_and(is_old_module) {
        let message = "the back end `wheelsmith` is another project's package".to_owned();
        let help = "write `build-backend = \"wheelsmith_build\"`".to_owned();
        problems.push(locator.at(BACKEND, message, Some(help)));
    }
    let requires = table.get("requires").and_then(|value| value.as_array());
    for (i, requirement) in requires.into_iter().flatten().enumerate() {
        if requirement.as_str().is_some_and(is_old_distribution) {
            let key = format!("build-system.requires[{i}]");
            let message = "the package `wheelsmith` is another project's".to_owned();
            let help = "write `requires = [\"wheelsmith-build\"]`".to_owned();
            problems.push(locator.at(&key, message, Some(help)));
        }
    }
    problems
}

/// Returns the build back end in `text`, if it is not wheelsmith's and not inside the project.
pub(super) fn foreign(text: &str) -> Option<String> {
    let file = text.parse::<Table>().ok()?;
    let table = file.get("build-system")?.as_table()?;
    let backend = table.get("build-backend")?.as_str()?;
    let is_ours = is_own(backend) || table.contains_key("backend-path");
    (!is_ours).then(|| backend.to_owned())
}

/// True if a `build-backend` is wheelsmith's, by its present or its former name.
pub(super) fn is_own(backend: &str) -> bool {
    let module = backend.split([':', '.']).next().unwrap_or(backend).trim();
    module == "wheelsmith_build" || is_old_module(backend)
}

/// True if a `build-backend` (`module` or `module:object`) is in the module `wheelsmith`.
fn is_old_module(backend: &str) -> bool {
    backend.split([':', '.']).next().is_some_and(|module| module.trim() == "wheelsmith")
}

/// True if a requirement is for the distribution `wheelsmith`, of any version.
fn is_old_distribution(requirement: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let requirement = requirement.trim();
    let name = requirement.split(|c| !is_name(c)).next().unwrap_or_default();
    name.eq_ignore_ascii_case("wheelsmith")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_former_name_is_found() {
        let check = |table: &str, expected: &[&str]| {
            let text = format!("[build-system]\n{table}\n");
            let problems = check(&text, &Locator::new("pyproject.toml", &text));
            let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
            assert_eq!(keys, expected, "{table}");
        };
        check("requires = ['wheelsmith-build']\nbuild-backend = 'wheelsmith_build'", &[]);
        check("requires = ['hatchling', 'wheelsmithing']\nbuild-backend = 'hatchling.build'", &[]);
        check("requires = []\nbuild-backend = 'wheelsmith'\nbackend-path = ['.']", &[]);
        check("build-backend = 'wheelsmith:api'", &[BACKEND]);
        for requirement in ["wheelsmith", "Wheelsmith >=1", "wheelsmith[x]==2", " wheelsmith;x"] {
            let table = format!("requires = ['zig', '{requirement}']\nbuild-backend='wheelsmith'");
            check(&table, &[BACKEND, "build-system.requires[1]"]);
        }
    }
}
