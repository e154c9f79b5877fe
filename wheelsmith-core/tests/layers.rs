//! Checks the dependency picture of `docs/ARCHITECTURE.md` against the paths in the sources: modules
//! import downwards only, and no two files import each other, directly or in a circle.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the sources of the repository"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Path of a module or item, such as `["audit", "graph"]`; the crate itself is empty.
type ItemPath = Vec<String>;

/// One source file without its tests.
struct SourceFile {
    /// Path below `src`.
    name: String,
    module: ItemPath,
    /// Paths that its `use` lines import, resolved to the crate's root.
    imports: BTreeSet<ItemPath>,
    /// Names that `pub use` lines give to items of other modules.
    exports: BTreeMap<String, ItemPath>,
    /// Paths that `pub use` lines import whole, with `*`.
    globs: Vec<ItemPath>,
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Returns the code of a file: without comments, strings' contents and the tests at its end.
fn code_of(text: &str) -> String {
    let text = text.split("\nmod tests {").next().unwrap();
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Splits `a, b::{c, d}` at the commas outside braces.
fn split_list(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Flattens a use tree into paths, each with the name that it gets.
fn flatten(tree: &str, prefix: &[String], into: &mut Vec<(ItemPath, String)>) {
    let tree = tree.trim();
    if let Some((before, list)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        let names = before.trim_end_matches("::").split("::").filter(|name| !name.is_empty());
        prefix.extend(names.map(|name| name.trim().to_owned()));
        let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
        for part in split_list(list) {
            flatten(part, &prefix, into);
        }
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(p, a)| (p, Some(a.trim())));
    let mut full = prefix.to_vec();
    full.extend(path.split("::").map(|name| name.trim().to_owned()));
    if full.last().is_some_and(|last| last == "self") {
        full.pop();
    }
    let name = alias.map(str::to_owned).or_else(|| full.last().cloned()).unwrap_or_default();
    into.push((full, name));
}

/// Resolves `crate::`, `self::` and `super::`; `None` for paths of other crates.
fn absolute(path: &[String], module: &[String], children: &BTreeSet<ItemPath>) -> Option<ItemPath> {
    let mut base = module.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {}
        first => {
            base.push(first.to_owned());
            return children.contains(&base).then(|| [module, path].concat());
        }
    }
    while rest.first().is_some_and(|name| name == "super") {
        base.pop()?;
        rest = &rest[1..];
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

fn module_of(name: &str) -> ItemPath {
    let name = name.strip_suffix(".rs").unwrap();
    let name = name.strip_suffix("/mod").unwrap_or(name);
    if name == "lib" || name == "main" {
        return Vec::new();
    }
    name.split('/').map(str::to_owned).collect()
}

/// Returns the paths that are written out where they are used, without a `use` line.
fn written_paths(code: &str, module: &[String], modules: &BTreeSet<ItemPath>) -> Vec<ItemPath> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut paths = Vec::new();
    for word in code.split(|c| !is_path(c)) {
        let names: Vec<String> =
            word.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if names.len() > 1 && !word.starts_with(':') {
            paths.extend(absolute(&names, module, modules));
        }
    }
    // A parent may call its parts, and they may use its types: that is one unit in several files.
    paths.retain(|path| {
        let parent = path.split_last().map_or(&[][..], |(_, parent)| parent);
        !path.starts_with(module) && !module.starts_with(parent)
    });
    paths
}

fn read_sources(src: &Path) -> Vec<SourceFile> {
    let names: Vec<String> = rust_files(src)
        .iter()
        .map(|file| file.strip_prefix(src).unwrap().to_string_lossy().replace('\\', "/"))
        .filter(|name| !name.contains("tests"))
        .collect();
    let modules: BTreeSet<ItemPath> = names.iter().map(|name| module_of(name)).collect();
    let mut files = Vec::new();
    for name in names {
        let code = code_of(&fs::read_to_string(src.join(&name)).unwrap());
        let module = module_of(&name);
        let mut file = SourceFile {
            name,
            module: module.clone(),
            imports: BTreeSet::new(),
            exports: BTreeMap::new(),
            globs: Vec::new(),
        };
        let mut statements: Vec<(bool, String)> = Vec::new();
        let mut body = String::new();
        let mut rest = code.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            let bare =
                line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) "));
            let bare = bare.or_else(|| line.strip_prefix("pub "));
            let is_public = bare.is_some();
            if bare.unwrap_or(line).starts_with("use ") {
                let at = code.len() - rest.len();
                let end = code[at..].find(';').map_or(code.len(), |end| at + end);
                let text = code[at..end].replace('\n', " ");
                let tree = text.split_once("use ").unwrap().1.to_owned();
                statements.push((is_public, tree));
                rest = &code[end..];
            } else {
                body.push_str(line);
                body.push('\n');
                rest = after;
            }
        }
        for (is_public, tree) in statements {
            let mut paths = Vec::new();
            flatten(&tree, &[], &mut paths);
            for (path, name) in paths {
                let Some(path) = absolute(&path, &module, &modules) else { continue };
                if !is_public {
                    file.imports.insert(path);
                } else if name == "*" {
                    file.globs.push(path[..path.len() - 1].to_vec());
                } else {
                    file.exports.insert(name, path);
                }
            }
        }
        file.imports.extend(written_paths(&body, &module, &modules));
        files.push(file);
    }
    files
}

/// Returns the index of the file in which the item at `path` is defined.
fn defining_file(
    path: &[String],
    files: &[SourceFile],
    by_module: &BTreeMap<ItemPath, usize>,
) -> Option<usize> {
    let mut path = path.to_vec();
    for _ in 0..12 {
        let length = (0..=path.len()).rev().find(|&n| by_module.contains_key(&path[..n]))?;
        let at = by_module[&path[..length]];
        let Some(name) = path.get(length) else { return Some(at) };
        match files[at].exports.get(name) {
            Some(target) if target != &path => path = [target, &path[length + 1..]].concat(),
            _ => return Some(at),
        }
    }
    None
}

/// Edges between files, by index.
fn edges(files: &[SourceFile]) -> Vec<BTreeSet<usize>> {
    let by_module = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
    let to = |at: usize, file: &SourceFile| {
        let found = file.imports.iter().filter_map(|path| defining_file(path, files, &by_module));
        found.filter(|&target| target != at).collect()
    };
    files.iter().enumerate().map(|(at, file)| to(at, file)).collect()
}

/// Groups of files that import each other in a circle.
fn circles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let reach: Vec<BTreeSet<usize>> = (0..edges.len())
        .map(|start| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
            while let Some(at) = open.pop() {
                open.extend(edges[at].iter().filter(|&&next| seen.insert(next)));
            }
            seen
        })
        .collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in 0..edges.len() {
        let is_mutual = |other: &usize| reach[at].contains(other) && reach[*other].contains(&at);
        let group: Vec<usize> = (0..edges.len()).filter(is_mutual).collect();
        if group.len() > 1 && group[0] == at {
            groups.push(group);
        }
    }
    groups
}

/// Reads the layers of the page: a block of lines, each a layer of modules, lower ones first.
fn layers() -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    let block = page.split("```layers\n").nth(1).expect("a block `layers`").split("```").next();
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let words = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_whitespace().filter(is_name).map(str::to_owned).collect()
    };
    block.unwrap().lines().filter(|line| !line.trim().is_empty()).map(words).collect()
}

#[test]
fn modules_import_downwards_only() {
    let layers = layers();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = read_sources(&src);
    let level = |module: &str| layers.iter().position(|layer| layer.iter().any(|m| m == module));
    let mut modules: BTreeSet<&str> = BTreeSet::new();
    let mut wrong = Vec::new();
    for (file, targets) in files.iter().zip(edges(&files)) {
        let Some(from) = file.module.first() else { continue };
        modules.insert(from);
        for target in targets {
            let Some(to) = files[target].module.first() else { continue };
            if from != to && level(from) <= level(to) {
                wrong.push(format!("{from} -> {to}: {} imports {}", file.name, files[target].name));
            }
        }
    }
    wrong.sort();
    let listed: BTreeSet<&str> = layers.iter().flatten().map(String::as_str).collect();
    assert_eq!(listed, modules, "docs/ARCHITECTURE.md lists other modules than there are");
    assert!(wrong.is_empty(), "imports that point up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let cli = core.join("../../wheelsmith-cli/src");
    let mut wrong = Vec::new();
    for src in [core, cli] {
        let files = read_sources(&src);
        assert!(files.len() > 20);
        let edges = edges(&files);
        for group in circles(&edges) {
            let name = |at: &usize| files[*at].name.as_str();
            let inside = |at: &usize| {
                let targets = edges[*at].iter().filter(|target| group.contains(target)).map(name);
                format!("{} -> {}", name(at), targets.collect::<Vec<_>>().join(", "))
            };
            wrong.push(group.iter().map(inside).collect::<Vec<_>>().join("\n"));
        }
    }
    assert!(wrong.is_empty(), "circles:\n{}", wrong.join("\n\n"));
}

#[test]
fn the_reader_of_use_lines_sees_lists_and_aliases() {
    let check = |tree: &str, expected: &[&str]| {
        let mut paths = Vec::new();
        flatten(tree, &[], &mut paths);
        let texts: Vec<String> =
            paths.iter().map(|(path, name)| format!("{} as {name}", path.join("::"))).collect();
        assert_eq!(texts, expected, "{tree}");
    };
    check("crate::name::Arch", &["crate::name::Arch as Arch"]);
    check(
        "super::{self, a::{B, C as D}}",
        &["super as super", "super::a::B as B", "super::a::C as D"],
    );
}
