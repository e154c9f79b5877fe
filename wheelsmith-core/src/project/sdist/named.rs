//! Files of the project that components name: after `{project}/`, and in a source directory that is
//! part of the project.

use std::collections::BTreeSet;

use crate::config::{Component, Kind, Output, Recipe, Run, Source, SourcePath};

/// Word that is replaced by the project's directory.
const PROJECT: &str = "{project}/";

/// Returns the paths and globs that `component` names, relative to the project.
pub(super) fn named(component: &Component) -> BTreeSet<String> {
    let mut paths: Vec<&SourcePath> = component.license_files.iter().collect();
    let mut texts: Vec<&str> = Vec::new();
    match &component.kind {
        Kind::C(c) => {
            paths.extend(
                c.sources.iter().flat_map(|group| group.files.iter().chain(&group.include)),
            );
            paths.extend(c.headers.iter().flat_map(|headers| &headers.files));
            paths.extend(&c.version_script);
            texts.extend(c.sources.iter().flat_map(|group| &group.flags).map(String::as_str));
            texts.extend(c.link_flags.iter().map(String::as_str));
        }
        Kind::Bpf(bpf) => {
            let groups = || bpf.sources.iter();
            paths.extend(groups().flat_map(|group| group.files.iter().chain(&group.include)));
            texts.extend(groups().flat_map(|group| &group.flags).map(String::as_str));
        }
        Kind::Cargo(_) | Kind::Go(_) => {}
        Kind::Prebuilt(prebuilt) => {
            let own = prebuilt.archives.values().flat_map(|(_, outputs)| outputs);
            paths.extend(prebuilt.outputs.iter().chain(own).map(|output| &output.from));
        }
        Kind::Files(files) => paths.extend(files.outputs.iter().map(|output| &output.from)),
        Kind::Recipe(recipe) => {
            let is_taken = |output: &&Output| !output.from_build;
            paths.extend(recipe.outputs.iter().filter(is_taken).map(|output| &output.from));
            texts.extend(words(recipe));
        }
    }
    let source = match &component.source {
        Source::Path(path) if path == "." => Some(String::new()),
        Source::Path(path) => Some(format!("{}/", path.trim_end_matches('/'))),
        _ => None,
    };
    let paths = paths.into_iter().filter_map(|path| match &source {
        _ if path.from_project => Some(path.path.clone()),
        Some(source) => Some(format!("{source}{}", path.path)),
        None => None,
    });
    paths.chain(texts.into_iter().flat_map(paths_in)).collect()
}

/// Returns the texts of a recipe in which words are replaced.
fn words(recipe: &Recipe) -> impl Iterator<Item = &str> {
    let lists =
        [&recipe.configure, &recipe.build, &recipe.install, &recipe.flags, &recipe.link_flags];
    let run = recipe.run.iter().flat_map(|run| match run {
        Run::Words(words) => words.as_slice(),
        Run::Shell(line) => std::slice::from_ref(line),
    });
    lists.into_iter().flatten().chain(run).chain(recipe.env.values()).map(String::as_str)
}

/// Returns the paths after `{project}/` in an argument, which may contain other words.
fn paths_in(text: &str) -> impl Iterator<Item = String> {
    text.split(PROJECT).skip(1).filter_map(|rest| {
        let is_end = |c: char| c.is_whitespace() || "\"'`,:;=()<>|&{}$".contains(c);
        let path = rest.split(is_end).next()?.trim_end_matches('/');
        (!path.is_empty()).then(|| path.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_project_is_named() {
        let check = |body: &str, expected: &[&str]| {
            let text = format!("[[tool.wheelsmith.component]]\nname = 'a'\n{body}");
            let config = crate::config::parse("demo.toml", &text).unwrap();
            let found = named(&config.components[0]);
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{body}");
        };
        check(
            "kind = 'c-shared'\nversion-script = '{project}/a.map'\nlicense-files = ['COPYING']\n\
             link-flags = ['-Wl,--dynamic-list={project}/list,-z,now']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['x.c', '{project}/src/*.c']\n\
             include = ['{project}/inc']\n",
            &["COPYING", "a.map", "inc", "list", "src/*.c", "x.c"],
        );
        check("kind = 'files'\noutputs = [{ from = '{project}/x', role = 'data' }]\n", &["x"]);
        check(
            "kind = 'command'\nshell = true\nrun = ['cp {project}/conf/a \"{project}/b\" .']\n\
             env = { X = '{project}/c:{project}/d' }\n\
             outputs = [{ from = '{build}/x', role = 'data' }]\n",
            &["b", "c", "conf/a", "d"],
        );
    }
}
