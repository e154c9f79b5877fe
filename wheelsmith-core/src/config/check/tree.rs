//! Validation of `[[tool.wheelsmith.tree]]`.

use globset::Glob;

use super::{Check, ROOT};
use crate::config::{Component, Kind, NamePattern, Tree};

/// Checks the trees.
pub(super) fn trees(check: &mut Check<'_>, trees: &[Tree], components: &[Component]) {
    for (i, tree) in trees.iter().enumerate() {
        let key = format!("{ROOT}.tree[{i}]");
        source(check, &key, tree, components);
        names(check, &key, tree);
        let lists = tree.variants.iter().flat_map(|(name, variant)| {
            let include = variant.include.as_deref().unwrap_or_default();
            [(format!("variants.{name}.include"), include)]
                .into_iter()
                .chain([(format!("variants.{name}.exclude"), &variant.exclude[..])])
        });
        for (list, patterns) in lists.chain([("expect".to_owned(), &tree.expect[..])]) {
            for (j, pattern) in patterns.iter().enumerate() {
                glob(check, &format!("{key}.{list}[{j}]"), pattern);
            }
        }
        for (j, allowed) in tree.allow.iter().enumerate() {
            let key = format!("{key}.allow[{j}]");
            glob(check, &format!("{key}.path"), &allowed.path);
            if allowed.reason.trim().is_empty() {
                let help = "say why the path does no harm there";
                check.problem(&format!("{key}.reason"), "there is no reason", Some(help));
            }
        }
        for (j, test) in tree.test.iter().enumerate() {
            if test.run.first().is_none_or(|program| program.starts_with('/')) {
                let help = "begin with a program of the tree, such as `bin/demo`";
                check.problem(
                    &format!("{key}.test[{j}].run"),
                    "no program of the tree",
                    Some(help),
                );
            }
        }
        if trees[..i].iter().any(|other| other.name == tree.name) {
            check.problem(&key, "another tree has the same name", Some("give each a `name`"));
        }
    }
}

/// Checks the place of the installation and its prefix.
fn source(check: &mut Check<'_>, key: &str, tree: &Tree, components: &[Component]) {
    let known: Vec<String> = components.iter().map(|c| c.name.clone()).collect();
    check.known_components(key, Some(&tree.components), &known);
    let mut prefixes: Vec<&str> = tree.prefix.as_deref().into_iter().collect();
    for name in &tree.components {
        let Some(component) = components.iter().find(|c| c.name == *name) else { continue };
        if let Kind::Recipe(recipe) = &component.kind {
            prefixes.push(&recipe.prefix);
        } else {
            let help = "name components of kind `autotools`, `cmake`, `make`, `meson` or `command`";
            let message = format!("component `{name}` installs no files");
            check.problem(&format!("{key}.components"), message, Some(help));
        }
    }
    if tree.components.is_empty() == tree.dir.is_none() {
        let help = "name `components`, or `dir` with its `prefix`";
        check.problem(key, "a tree is made of components or of a directory", Some(help));
    } else if prefixes.is_empty() {
        let help = "name the directory that the installation was configured for";
        check.problem(key, "`dir` needs `prefix`", Some(help));
    }
    prefixes.dedup();
    if let [one, other, ..] = prefixes[..] {
        let help = "configure all components of a tree for one prefix";
        let message = format!("the prefix `{one}` differs from `{other}`");
        check.problem(key, message, Some(help));
    }
    for prefix in prefixes.into_iter().chain(tree.build_dirs.iter().map(String::as_str)) {
        if !prefix.starts_with('/') || prefix.trim_end_matches('/').is_empty() {
            let help = "choose a directory of its own, such as `/opt/demo`";
            check.problem(key, format!("`{prefix}` is not an absolute path below `/`"), Some(help));
        }
    }
}

/// Checks the names of the archives.
fn names(check: &mut Check<'_>, key: &str, tree: &Tree) {
    let is_plain = |text: &str| !text.contains(['{', '}']) && text.parse::<NamePattern>().is_ok();
    let variants = tree.variants.keys().map(|name| ("variants", name.as_str()));
    let own = [("name", &tree.name), ("top", &tree.top)];
    let own = own.into_iter().filter_map(|(word, value)| Some((word, value.as_deref()?)));
    for (word, text) in own.chain(variants) {
        if !is_plain(text) {
            let help = "use letters, digits, `-`, `_`, `.` and `+`";
            let message = format!("`{text}` cannot be part of a file name");
            check.problem(&format!("{key}.{word}"), message, Some(help));
        }
    }
    let Some(file) = &tree.file else { return };
    if let Err(error) = Tree::pattern(file, "full", "0") {
        check.problem(&format!("{key}.file"), error.to_string(), None);
    }
    if tree.variants.len() > 1 && !file.contains("{variant}") {
        let help = "add `{variant}`";
        check.problem(&format!("{key}.file"), "all variants would have one name", Some(help));
    }
}

fn glob(check: &mut Check<'_>, key: &str, pattern: &str) {
    if let Err(error) = Glob::new(pattern) {
        check.problem(key, format!("not a pattern: {}", error.kind()), None);
    }
}
