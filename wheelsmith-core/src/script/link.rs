//! Directives that link a crate to components.

use std::collections::BTreeSet;
use std::path::Path;

use super::directives::{Directive, Directives, LinkKind};
use crate::build::Built;
use crate::config::{Component, Role};
use crate::name::{Os, Target};
use crate::runtime::Runtime;

/// Returns the names of the components that a crate links to: those to which no other component
/// links, because a shared library or program contains its own dependencies.
pub(super) fn roots(components: &[Component]) -> Vec<String> {
    let inner: BTreeSet<&String> = components.iter().flat_map(|c| &c.link).collect();
    let roots = components.iter().map(|c| &c.name).filter(|name| !inner.contains(name));
    roots.cloned().collect()
}

/// Returns the directives that link to the components called `wanted`.
pub(super) fn directives(
    built: &[Built],
    wanted: &[String],
    runtime: &Runtime,
    target: Target,
) -> Directives {
    let mut all = Directives::default();
    let lib = runtime.dir.join(Role::SharedLibrary.directory());
    let mut has_shared = false;
    // Later components may use earlier ones, and linkers resolve from left to right.
    for component in built.iter().rev().filter(|one| wanted.contains(&one.name)) {
        let linkage = &component.linkage;
        for archive in &linkage.archives {
            let Some(name) = name_of(archive) else { continue };
            all.push(Directive::LinkSearch(archive.parent().unwrap_or(archive).to_owned()));
            all.push(Directive::LinkLib(LinkKind::Static, name));
        }
        for shared in &linkage.shared {
            // Linkers find only names without a version.
            let owner = built.iter().flat_map(|one| &one.files).find(|file| file.path == *shared);
            let aliases = owner.into_iter().flat_map(|file| &file.aliases);
            let names = std::iter::once(shared.as_path()).chain(aliases.map(Path::new));
            let Some(name) = names.into_iter().find_map(name_of) else { continue };
            has_shared = true;
            all.push(Directive::LinkSearch(lib.clone()));
            all.push(Directive::LinkLib(LinkKind::Dylib, name));
        }
        for name in &linkage.system {
            all.push(Directive::LinkLib(LinkKind::Dylib, name.clone()));
        }
    }
    if has_shared && target.os() != Os::Windows {
        // Programs, tests and examples of the package run from cargo's directories.
        all.push(Directive::LinkArg(format!("-Wl,-rpath,{}", lib.display())));
    }
    all
}

/// Returns `z` for `libz.so`, `libz.a`, `libz.dylib` and `z.dll`; `None` if linkers do not search for
/// a file of that name.
fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    if let Some(name) = file.strip_suffix(".dll") {
        return Some(name.strip_prefix("lib").unwrap_or(name).to_owned());
    }
    if let Some(stem) = file.strip_suffix(".dylib") {
        // Linkers find `libz.1.dylib` under its other name.
        return stem.strip_prefix("lib").filter(|name| !name.contains('.')).map(str::to_owned);
    }
    let stem = [".a", ".so"].iter().find_map(|suffix| file.strip_suffix(suffix))?;
    stem.strip_prefix("lib").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkers_look_for_plain_names() {
        let check = |file: &str, name: Option<&str>| {
            assert_eq!(name_of(Path::new(file)).as_deref(), name, "{file}");
        };
        check("/out/libz.a", Some("z"));
        check("libbpf.so", Some("bpf"));
        check("libbpf.so.1", None);
        check("libbpf.1.dylib", None);
        check("libbpf.dylib", Some("bpf"));
        check("demo.dll", Some("demo"));
        check("demo.so", None);
    }
}
