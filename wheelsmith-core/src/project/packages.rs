//! Finds the Python package of a wheel by the project's name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Error, Project};
use crate::config::Wheel;
use crate::name::{ProjectName, WheelPath};
use crate::sys;

/// Python file, or a data file beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PythonFile {
    /// Path in the wheel: relative to the source directory.
    pub(super) path: WheelPath,
    /// Path on disk.
    pub(super) file: PathBuf,
    pub(super) executable: bool,
    /// True if only a pattern with wildcards names it, and git does not track it.
    pub(super) is_untracked: bool,
}

/// Directories in which packages are searched, relative to the project.
pub(super) const USUAL_DIRS: [&str; 3] = ["src", "python", "."];

/// Limit of the words of a name that are tried as directory names.
const MOST_WORDS: usize = 6;

/// Returns the patterns of the files of the package `name` below `root`; `None` if there is no such
/// package.
///
/// A package is a directory or module named like the project (`acme_tool` for `acme-tool`), a stub
/// package (PEP 561, `foo-stubs`), or a package in a namespace (PEP 420, `acme/tool`).
pub(super) fn patterns(root: &Path, name: &ProjectName) -> Option<Vec<String>> {
    let package = name.escaped();
    if root.join(&package).is_dir() || root.join(format!("{package}.py")).is_file() {
        return Some(vec![format!("{package}/**"), format!("{package}.py")]);
    }
    let normalized = name.normalized();
    let words: Vec<&str> = normalized.split('-').collect();
    if let Some(base) = stub_base(&words) {
        let stubs = format!("{}-stubs", base.join("_"));
        if let Some(found) = find(root, &stubs).filter(|path| root.join(path).is_dir()) {
            return Some(vec![format!("{found}/**")]);
        }
    }
    for path in spellings(&words) {
        if let Some(found) = find(root, &path)
            && has_module(&root.join(&found))
        {
            return Some(vec![format!("{}/**", outermost(root, &found))]);
        }
        if let Some(found) = find(root, &format!("{path}.py")) {
            return Some(match found.split_once('/') {
                Some(_) if outermost(root, &found) != found => {
                    vec![format!("{}/**", outermost(root, &found))]
                }
                _ => vec![found],
            });
        }
    }
    None
}

/// Returns the words of the package that a stub package describes: `foo` of `foo-stubs` and
/// `types-foo`.
fn stub_base<'w, 'a>(words: &'w [&'a str]) -> Option<&'w [&'a str]> {
    match words {
        [base @ .., "stubs"] | ["types", base @ ..] if !base.is_empty() => Some(base),
        _ => None,
    }
}

/// Returns the paths that a package with this name may have, those with the fewest directories
/// first: `acme_tool`, `acme/tool`.
fn spellings(words: &[&str]) -> Vec<String> {
    let gaps = words.len().min(MOST_WORDS).saturating_sub(1);
    let mut paths: Vec<String> = (0..1_u32 << gaps)
        .map(|mask| {
            let mut path = words[0].to_owned();
            for (i, word) in words.iter().enumerate().skip(1) {
                path.push(if i <= gaps && mask & (1 << (i - 1)) != 0 { '/' } else { '_' });
                path.push_str(word);
            }
            path
        })
        .collect();
    paths.sort_by_key(|path| path.matches('/').count());
    paths
}

/// Returns the path below `root` that differs from `path` at most in the case of its letters.
fn find(root: &Path, path: &str) -> Option<String> {
    let mut found = String::new();
    for part in path.split('/') {
        let dir = root.join(&found);
        let name = sys::fs::list(&dir).ok()?.into_iter().find_map(|entry| {
            let name = entry.file_name()?.to_str()?.to_owned();
            name.eq_ignore_ascii_case(part).then_some(name)
        })?;
        if !found.is_empty() {
            found.push('/');
        }
        found.push_str(&name);
    }
    Some(found)
}

/// Returns the outermost regular package around `path`, or `path` itself.
fn outermost(root: &Path, path: &str) -> String {
    let ends = path.match_indices('/').map(|(at, _)| &path[..at]);
    let mut dirs = ends.filter(|dir| root.join(dir).join("__init__.py").is_file());
    dirs.next().unwrap_or(path).to_owned()
}

/// True if a directory contains a Python module.
fn has_module(dir: &Path) -> bool {
    let entries = if dir.is_dir() { sys::fs::list(dir).unwrap_or_default() } else { Vec::new() };
    entries.iter().any(|entry| is_module(&entry.to_string_lossy()))
}

/// True if Python or a type checker imports a file with this name.
fn is_module(path: &str) -> bool {
    [".py", ".pyi", ".so", ".pyd"].iter().any(|end| path.ends_with(end))
}

/// Checks that `wheel` has a module in `files`, unless the configuration says that it has none. In
/// a project without any Python package, a wheel with components needs no module.
///
/// # Errors
/// Returns an error if there is no module. The help names the package that exists instead.
pub(super) fn require(project: &Project, wheel: &Wheel, files: &[PythonFile]) -> Result<(), Error> {
    let is_meant = match &wheel.include {
        Some(include) => include.is_empty() || !files.is_empty(),
        None => false,
    };
    let has_module = || files.iter().any(|file| is_module(file.path.as_str()));
    if is_meant || !wheel.console.is_empty() || has_module() {
        return Ok(());
    }
    let package = wheel.name.escaped();
    let dirs = match &wheel.python_source {
        Some(dir) => vec![dir.as_str()],
        None => USUAL_DIRS.to_vec(),
    };
    let shown: Vec<String> = dirs
        .iter()
        .map(|dir| if *dir == "." { "the project".to_owned() } else { format!("`{dir}`") })
        .collect();
    let message = match &wheel.include {
        Some(_) => format!("the wheel `{}` has no files: no pattern names one", wheel.name),
        None => format!(
            "the wheel `{}` has no Python module: there is no package `{package}` in {}",
            wheel.name,
            shown.join(" or ")
        ),
    };
    let found = nearest(project, &dirs, &package);
    if found.is_none() && wheel.include.is_none() && wheel.python_source.is_none() {
        if !wheel.components.is_empty() {
            project.host.warn(format!("{message}; it contains only its components"));
            return Ok(());
        }
        if !wheel.data.is_empty() {
            return Ok(());
        }
    }
    let meant = "for a wheel without Python files, write `include = []` in its \
                 `[[tool.wheelsmith.wheel]]`";
    let help = match found {
        Some((dir, found)) => format!(
            "{} has `{found}`: rename it to `{package}`, or take it with \
             `include = [\"{found}*\", \"{found}/**\"]` and `python-source = \"{dir}\"`; {meant}",
            if dir == "." { "the project".to_owned() } else { format!("`{dir}`") }
        ),
        None => meant.to_owned(),
    };
    let key = format!("{}.include", wheel.key);
    Err(project.config.problem(&key, message, Some(help)).into())
}

/// Returns the directory and the name of the package that resembles `wanted` most.
fn nearest<'d>(project: &Project, dirs: &[&'d str], wanted: &str) -> Option<(&'d str, String)> {
    let mut found = BTreeSet::new();
    for &dir in dirs {
        let root: PathBuf = project.dir.join(dir);
        for entry in sys::fs::list(&root).unwrap_or_default() {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // A project has directories and scripts that are not packages.
            let is_package =
                entry.join("__init__.py").is_file() || (dir != "." && has_module(&entry));
            let module = name.strip_suffix(".py").filter(|_| dir != ".");
            let name = if is_package { Some(name.as_str()) } else { module };
            let name = name.filter(|name| !["conftest", "setup", "test", "tests"].contains(name));
            found.extend(name.map(|name| (dir, name.to_owned())));
        }
    }
    let likeness = |name: &str| strsim::jaro_winkler(name, wanted);
    found.into_iter().max_by(|a, b| likeness(&a.1).total_cmp(&likeness(&b.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_found_by_the_name_of_the_project() {
        let check = |name: &str, files: &[&str], expected: &[&str]| {
            let dir = sys::fs::temp_dir().unwrap();
            for file in files {
                sys::fs::write_atomic(&dir.path().join(file), b"").unwrap();
            }
            let found = patterns(dir.path(), &name.parse().unwrap()).unwrap_or_default();
            assert_eq!(found, expected, "{name} {files:?}");
        };
        let flat = &["acme_tool/**", "acme_tool.py"];
        check("acme.tool", &["acme_tool/__init__.py", "acme/tool/__init__.py"], flat);
        check("acme-tool", &["acme_tool.py"], flat);
        check("Acme_Tool", &["Acme_Tool/__init__.py"], &["Acme_Tool/**"]);
        check("acme.tool", &["acme/tool/__init__.py"], &["acme/tool/**"]);
        check("acme-tool", &["acme/tool/a.py"], &["acme/tool/**"]);
        check("acme-tool", &["acme/tool.py"], &["acme/tool.py"]);
        check("acme-tool", &["acme/__init__.py", "acme/tool/__init__.py"], &["acme/**"]);
        check("a-b-c", &["a/b_c/__init__.py"], &["a/b_c/**"]);
        check("a-b-c", &["a_b/c/__init__.py"], &["a_b/c/**"]);
        check("a-b-c", &["a/b/c/__init__.py"], &["a/b/c/**"]);
        check("foo-stubs", &["foo-stubs/__init__.pyi"], &["foo-stubs/**"]);
        check("types-foo", &["foo-stubs/__init__.pyi"], &["foo-stubs/**"]);
        check("foo-bar-stubs", &["foo_bar-stubs/a.pyi"], &["foo_bar-stubs/**"]);
        check("acme-tool", &["acme/tool/data.json"], &[]);
        check("python-foo", &["foo/__init__.py"], &[]);
        check("hello", &["helo/__init__.py"], &[]);
        check("a-b-c-d-e-f-g-h", &["x.py"], &[]);
    }

    #[test]
    fn a_wheel_without_modules_is_an_error_unless_it_is_meant() {
        let check = |tables: &str, files: &[&str], expected: &str| {
            let dir = sys::fs::temp_dir().unwrap();
            for file in files {
                sys::fs::write_atomic(&dir.path().join(file), b"").unwrap();
            }
            let text = format!("[project]\nname = \"hello\"\nversion = \"1\"\n{tables}");
            sys::fs::write_atomic(&dir.path().join("pyproject.toml"), text.as_bytes()).unwrap();
            let project = Project::open(dir.path()).unwrap();
            let plan = project.plan(&crate::plan::BuildOptions::new());
            let error = plan.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{error}");
            assert_eq!(error.is_empty(), expected.is_empty(), "{files:?} {tables}: {error}");
        };
        let none = "pyproject.toml:1:1: `tool.wheelsmith.wheel[0].include`: the wheel `hello` has \
                    no Python module: there is no package `hello` in `src` or `python` or the project";
        let wheel = "[[tool.wheelsmith.wheel]]\n";
        check("", &[], none);
        check("", &["hello/__init__.py"], "");
        check("", &["src/hello.py"], "");
        check("", &["src/helo/__init__.py"], "`src` has `helo`: rename it to `hello`");
        check("", &["helo/__init__.py", "tests/__init__.py"], "the project has `helo`");
        check("", &["src/helo.py"], "`src` has `helo`: rename it to `hello`");
        check("", &["src/hello/data.json"], "has no Python module");
        let library = "[[tool.wheelsmith.component]]\nname = 'x'\nkind = 'c-shared'\n\
                       [[tool.wheelsmith.component.sources]]\nfiles = ['x.c']\n";
        check(library, &["x.c", "setup.py"], "");
        check(library, &["x.c", "helo/__init__.py"], "the project has `helo`");
        check(&format!("{wheel}include = []\n"), &[], "");
        check(
            &format!("{wheel}include = ['helo/**']\npython-source = 'src'\n"),
            &["src/hello/__init__.py"],
            "has no files",
        );
        check(
            &format!("{wheel}python-source = 'lib'\n"),
            &["lib/helo/a.py"],
            "there is no package `hello` in `lib`",
        );
        check(&format!("{wheel}python-source = 'lib'\n"), &["lib/hello/a.py"], "");
    }
}
