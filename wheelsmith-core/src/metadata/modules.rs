//! Names that Python can import once a list of files is installed.
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "Python takes names as they are written"
)]

use std::collections::BTreeSet;

use super::entry_points::is_identifier;

/// Modules and stub packages in a list of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modules {
    /// Modules and packages that can be imported. A package in a namespace has its dotted name
    /// (`acme.tool`); modules inside a package are not listed.
    pub importable: BTreeSet<String>,
    /// Names for type checkers only: packages `name-stubs` (PEP 561) and separate `.pyi` files.
    pub stubs: BTreeSet<String>,
    /// All modules by dotted name, including those inside packages.
    all: BTreeSet<String>,
}

impl Modules {
    /// Finds the modules among `files`: paths from the top of a wheel or of `site-packages`. The
    /// `purelib` and `platlib` parts of a `.data` directory are installed there too; other parts
    /// of it, and `.dist-info`, are not.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a str>) -> Self {
        let mut modules = Self::default();
        let mut packages = BTreeSet::new();
        let mut found = Vec::new();
        for file in files {
            let Some(path) = installed_path(file) else { continue };
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            let (top, _) = dir.split_once('/').unwrap_or((dir, ""));
            let Some((stem, is_stub)) = module_stem(name) else { continue };
            if let Some(stubs) = top.strip_suffix("-stubs").filter(|name| is_identifier(name)) {
                modules.stubs.insert(format!("{stubs}-stubs"));
                continue;
            }
            // Python cannot import anything below a directory whose name is not an identifier.
            let is_dotted = dir.is_empty() || dir.split('/').all(is_identifier);
            if !is_dotted || !is_identifier(stem) {
                continue;
            }
            let dir = dir.replace('/', ".");
            if is_stub {
                found.push((dir, stem.to_owned(), true, false));
            } else if stem == "__init__" {
                if !dir.is_empty() {
                    packages.insert(dir.clone());
                    modules.all.insert(dir);
                }
            } else {
                found.push((
                    dir,
                    stem.to_owned(),
                    false,
                    name.ends_with(".so") && name.matches('.').count() == 1,
                ));
            }
        }
        for (dir, stem, is_stub, is_library) in found {
            let name = if dir.is_empty() { stem } else { format!("{dir}.{stem}") };
            if !is_stub {
                modules.all.insert(name.clone());
            }
            // In a directory that is not a package, a plain `.so` is more likely a library.
            if is_library && !dir.is_empty() {
                continue;
            }
            if !is_inside(&packages, &dir) {
                let list = if is_stub { &mut modules.stubs } else { &mut modules.importable };
                list.insert(name);
            }
        }
        for package in &packages {
            let parent = package.rsplit_once('.').map_or("", |(parent, _)| parent);
            if !is_inside(&packages, parent) {
                modules.importable.insert(package.clone());
            }
        }
        // A stub beside its module describes it.
        let Self { importable, stubs, .. } = &mut modules;
        stubs.retain(|stub| !importable.contains(stub));
        modules
    }

    /// True if there is neither a module nor a stub.
    pub fn is_empty(&self) -> bool {
        self.importable.is_empty() && self.stubs.is_empty()
    }

    /// True if `import name` finds a module, a package or a namespace.
    pub fn can_import(&self, name: &str) -> bool {
        let below = format!("{name}.");
        self.all.contains(name)
            || self.all.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    }
}

/// True if the dotted `dir` is one of `packages` or inside one.
fn is_inside(packages: &BTreeSet<String>, dir: &str) -> bool {
    let mut dir = dir;
    loop {
        if packages.contains(dir) {
            return true;
        }
        match dir.rsplit_once('.') {
            Some((parent, _)) => dir = parent,
            None => return false,
        }
    }
}

/// Returns the path below `site-packages` that a file of a wheel is installed to; `None` for files
/// that go elsewhere.
fn installed_path(file: &str) -> Option<&str> {
    let (top, rest) = file.split_once('/').unwrap_or((file, ""));
    if top.ends_with(".dist-info") {
        return None;
    }
    if top.ends_with(".data") && !rest.is_empty() {
        return ["purelib/", "platlib/"].iter().find_map(|part| rest.strip_prefix(part));
    }
    Some(file)
}

/// Returns the name of the module in a file called `name`, and true for a stub. `name` ends with
/// `py`, `so`, `abi3.so`, `cp312-win_amd64.pyd` or `pyi`.
fn module_stem(name: &str) -> Option<(&str, bool)> {
    let (stem, end) = name.split_once('.')?;
    match end {
        "py" | "pyc" => Some((stem, false)),
        "pyi" => Some((stem, true)),
        // A library for the linker, not a module.
        "so" if stem.starts_with("lib") => None,
        _ => {
            let last = end.rsplit('.').next().unwrap_or(end);
            matches!(last, "so" | "pyd").then_some((stem, false))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_files() {
        let check = |files: &[&str], importable: &[&str], stubs: &[&str]| {
            let modules = Modules::of(files.iter().copied());
            assert_eq!(modules.importable.iter().collect::<Vec<_>>(), importable, "{files:?}");
            assert_eq!(modules.stubs.iter().collect::<Vec<_>>(), stubs, "{files:?}");
        };
        check(&["demo/__init__.py", "demo/a.py", "demo-1.0.dist-info/METADATA"], &["demo"], &[]);
        check(&["demo/a/b/__init__.py", "demo/__init__.py"], &["demo"], &[]);
        check(
            &["one.py", "two.cpython-312-x86_64-linux-gnu.so", "three.abi3.so"],
            &["one", "three", "two"],
            &[],
        );
        check(&["win.cp312-win_amd64.pyd", "fast/__init__.abi3.so"], &["fast", "win"], &[]);
        // Namespaces (PEP 420): the first package or module inside gives the name.
        check(&["acme/tool/__init__.py", "acme/tool/x.py"], &["acme.tool"], &[]);
        check(&["acme/tool.py", "acme/data.json"], &["acme.tool"], &[]);
        // Stubs (PEP 561).
        check(&["foo-stubs/__init__.pyi", "foo-stubs/a.pyi"], &[], &["foo-stubs"]);
        check(&["foo.pyi"], &[], &["foo"]);
        check(&["foo.pyi", "foo.abi3.so"], &["foo"], &[]);
        check(&["foo/__init__.py", "foo/a.pyi"], &["foo"], &[]);
        check(&["demo-1.data/purelib/a/__init__.py", "demo-1.data/scripts/b.py"], &["a"], &[]);
        check(&["data.json", "README", "lib.so.1", "run-me.py", "a-b/__init__.py"], &[], &[]);
        check(&["demo.libs/libz.so.1", "demo/table.csv", "demo/lib/libdemo.so"], &[], &[]);
        check(&["data/lib/b.so", "space/c.abi3.so", "d.so"], &["d", "space.c"], &[]);
        check(&[], &[], &[]);
    }

    #[test]
    fn what_can_be_imported() {
        let modules = Modules::of(["acme/tool/__init__.py", "acme/tool/run.py", "one.py"]);
        for name in ["acme", "acme.tool", "acme.tool.run", "one"] {
            assert!(modules.can_import(name), "{name}");
        }
        for name in ["acme.to", "acme.tool.gone", "on", ""] {
            assert!(!modules.can_import(name), "{name}");
        }
    }
}
