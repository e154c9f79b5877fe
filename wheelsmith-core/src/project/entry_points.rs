//! Checks that the entry points of a project lead to modules and attributes that its wheels have.

use std::collections::BTreeMap;

use super::packages::PythonFile;
use super::{Error, Project};
use crate::config::Wheel;
use crate::metadata::Modules;
use crate::metadata::entry_points::may_define;
use crate::sys;

/// Size of the largest module that is read, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// A wheel and its Python files.
pub(super) struct Listed<'a> {
    pub(super) wheel: &'a Wheel,
    pub(super) files: Vec<PythonFile>,
}

/// Checks the entry points of `project`, whose selected wheels are `all`. An entry point outside
/// the wheels is an error if the project has no dependency that may contain it.
///
/// # Errors
/// Returns an error with the key of the first entry point that cannot be loaded.
pub(super) fn require(project: &Project, all: &[Listed<'_>]) -> Result<(), Error> {
    let Some(table) = &project.config.project else { return Ok(()) };
    let programs = [("scripts", &table.scripts), ("gui-scripts", &table.gui_scripts)];
    let groups = table.entry_points.iter();
    let groups = groups.map(|(group, points)| (format!("entry-points.{group}"), points));
    let groups = programs.map(|(key, points)| (key.to_owned(), points)).into_iter().chain(groups);
    let contents: Vec<Contents<'_>> = all.iter().map(|own| Contents::of(project, own)).collect();
    for (group, points) in groups {
        for (name, target) in points {
            let Some(problem) = problem(&contents, target, &table.dependencies) else { continue };
            let key = format!("project.{group}.{name}");
            let text = format!("`{target}` cannot be loaded: {}", problem.message);
            if problem.is_certain {
                let help = "correct the entry point, or add the module to the wheel";
                return Err(project.config.problem(&key, text, Some(help.to_owned())).into());
            }
            project.host.warn(format!("`{key}`: {text}, unless a dependency has it"));
        }
    }
    Ok(())
}

/// Reason why an entry point cannot be loaded.
struct Missing {
    message: String,
    /// False if a dependency may contain the module.
    is_certain: bool,
}

/// Modules of one wheel.
struct Contents<'a> {
    modules: Modules,
    /// Files that are Python sources, by path.
    sources: BTreeMap<&'a str, &'a PythonFile>,
    /// Import name of the directory of the runtime, which may contain more files.
    runtime: String,
}

impl<'a> Contents<'a> {
    fn of(project: &Project, own: &'a Listed<'_>) -> Self {
        let paths = own.files.iter().map(|file| file.path.as_str().to_owned());
        let components = project.config.components.iter();
        let components =
            components.filter(|component| own.wheel.components.contains(&component.name));
        let extensions = components.flat_map(|component| component.extensions());
        let extensions = extensions.map(|e| format!("{}.so", e.module.replace('.', "/")));
        let paths: Vec<String> = paths.chain(extensions).collect();
        Self {
            modules: Modules::of(paths.iter().map(String::as_str)),
            sources: own.files.iter().map(|file| (file.path.as_str(), file)).collect(),
            runtime: own.wheel.into.as_str().replace('/', "."),
        }
    }

    /// True if the runtime may contain the module.
    fn may_be_built(&self, module: &str) -> bool {
        ["bin", "lib", "share"].iter().any(|dir| {
            let below = module.strip_prefix(&format!("{}.{dir}", self.runtime));
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// True if the package that contains `module` may take its modules from elsewhere too.
    fn is_open(&self, module: &str) -> bool {
        let ends = module.match_indices('.').map(|(at, _)| &module[..at]);
        // A directory without `__init__.py` is a namespace (PEP 420).
        ends.filter_map(|package| self.source(package))
            .any(|text| text.contains("__path__") || text.contains("declare_namespace"))
            || self.source(module.split('.').next().unwrap_or(module)).is_none()
    }

    /// Returns the text of a module or package in Python.
    fn source(&self, module: &str) -> Option<String> {
        let path = module.replace('.', "/");
        let names = [format!("{path}.py"), format!("{path}/__init__.py")];
        let file = names.iter().find_map(|name| self.sources.get(name.as_str()))?;
        let is_small = sys::fs::metadata(&file.file).is_ok_and(|about| about.len() <= MOST_BYTES);
        is_small.then(|| sys::fs::read_to_string(&file.file).ok())?
    }
}

/// Returns the reason why `target` cannot be loaded from any of the wheels.
fn problem(wheels: &[Contents<'_>], target: &str, dependencies: &[String]) -> Option<Missing> {
    let target = target.split('[').next().unwrap_or(target);
    let (module, object) = target.split_once(':').unwrap_or((target, ""));
    let (module, object) = (module.trim(), object.trim());
    if wheels.iter().any(|wheel| wheel.may_be_built(module)) {
        return None;
    }
    let attribute = object.split('.').next().unwrap_or_default();
    let mut holders = wheels.iter().filter(|wheel| wheel.modules.can_import(module)).peekable();
    if holders.peek().is_some() {
        let lacks = |wheel: &Contents<'_>| {
            let is_module = wheel.modules.can_import(&format!("{module}.{attribute}"));
            let text = wheel.source(module);
            !is_module && text.is_some_and(|text| !may_define(&text, attribute))
        };
        let message = format!("`{module}` has no `{attribute}`");
        let is_missing = !attribute.is_empty() && holders.all(lacks);
        return is_missing.then_some(Missing { message, is_certain: true });
    }
    let top = module.split('.').next().unwrap_or(module);
    let mut owners = wheels.iter().filter(|wheel| wheel.modules.can_import(top)).peekable();
    let is_own = owners.peek().is_some();
    let is_open = owners.any(|wheel| wheel.is_open(module));
    let is_certain = dependencies.is_empty() || is_own && !is_open;
    Some(Missing { message: format!("there is no module `{module}` in the wheel"), is_certain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::BuildOptions;

    /// Plans a project with these files and entry points; compares the error.
    #[track_caller]
    fn check(files: &[(&str, &str)], tables: &str, expected: &str) {
        let dir = sys::fs::temp_dir().unwrap();
        for (path, text) in files {
            sys::fs::write_atomic(&dir.path().join(path), text.as_bytes()).unwrap();
        }
        let text = format!("[project]\nname = \"demo\"\nversion = \"1\"\n{tables}\n");
        sys::fs::write_atomic(&dir.path().join("pyproject.toml"), text.as_bytes()).unwrap();
        let project = Project::open(dir.path()).unwrap();
        let error = project.plan(&BuildOptions::new()).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains(expected), "{tables}: {error}");
        assert_eq!(error.is_empty(), expected.is_empty(), "{tables}: {error}");
    }

    #[test]
    fn entry_points_lead_into_the_wheel() {
        let files = [
            ("demo/__init__.py", "from .cli import run\n"),
            ("demo/cli.py", "# main\ndef run():\n    class_main = 1\n"),
            ("demo/open.py", "from os import *\n"),
            ("demo/sub/mod.py", "class Plugin:\n    pass\n"),
        ];
        let script = |target: &str, expected: &str| {
            check(&files, &format!("scripts = {{ x = '{target}' }}"), expected);
        };
        script("demo.cli:run", "");
        script("demo:run", "");
        script("demo.cli:run.inner", "");
        script("demo.open:anything", "");
        script("demo.sub.mod:Plugin.start", "");
        script(
            "demo.cli:main",
            "`project.scripts.x`: `demo.cli:main` cannot be loaded: `demo.cli` has no `main`",
        );
        script("demo.clj:run", "there is no module `demo.clj` in the wheel");
        script("dmeo.cli:run", "there is no module `dmeo.cli` in the wheel");
        let group = |target: &str, expected: &str| {
            check(&files, &format!("[project.entry-points.g]\nx = '{target}'"), expected);
        };
        group("demo.sub.mod", "");
        group("demo:cli", "");
        group("demo.sub.mod:Plugin [extra]", "");
        group("demo.gone", "`project.entry-points.g.x`: `demo.gone` cannot be loaded");
        group("demo:gone", "`demo` has no `gone`");
    }

    #[test]
    fn a_dependency_may_have_the_module() {
        let files = [("demo/__init__.py", "")];
        let tables =
            |target: &str| format!("dependencies = ['other']\nscripts = {{ x = '{target}' }}");
        check(&files, &tables("other.cli:main"), "");
        check(&files, &tables("demo.cli:main"), "there is no module `demo.cli`");
        // Other distributions add to a namespace.
        let open = [("demo/__init__.py", "__path__ = extend_path(__path__, __name__)\n")];
        check(&open, &tables("demo.cli:main"), "");
        check(&[("demo/part/__init__.py", "")], &tables("demo.cli:main"), "");
    }

    #[test]
    fn extension_modules_and_programs_are_not_read() {
        let component = "scripts = { x = 'demo.native:main', y = 'demo._runtime.share.x:main' }\n\
             [[tool.wheelsmith.component]]\nname = 'native'\nkind = 'c-extension'\n\
             extension = 'demo.native'\nabi3 = '3.9'\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['x.c']\n";
        let files = [("demo/__init__.py", ""), ("x.c", "")];
        check(&files, component, "");
        let other = component.replace("demo.native:main", "demo.nativ:main");
        check(&files, &other, "there is no module `demo.nativ`");
    }
}
