//! Validation of components.

use std::collections::BTreeSet;

use super::{Check, ROOT};
use crate::config::diagnose::did_you_mean;
use crate::config::source_table::SourceTable;
use crate::config::{
    Artifact, Bpf, BuildMode, C, Component, GitSource, Kind, Output, Prebuilt, Role, Source,
};

const OUTPUTS_HELP: &str =
    "list the files to install: `outputs = [{ from = \"bin/demo\", role = \"executable\" }]`";

/// Prefix of outputs that are taken from the directory of the build.
pub(super) const BUILD: &str = "{build}/";

impl Check<'_> {
    /// Checks the component at `key`; `names` are those of all components.
    pub(super) fn component(&mut self, key: &str, component: &mut Component, names: &[String]) {
        key.clone_into(&mut component.key);
        let name = &component.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            self.problem(
                &format!("{key}.name"),
                format!("`{name}` is not a component's name"),
                Some("use letters, digits, `-`, `_`, `.` and `+`"),
            );
        }
        if names.iter().filter(|other| *other == name).count() > 1 {
            let message = format!("another component has the name `{name}`");
            self.problem(&format!("{key}.name"), message, None);
        }
        for (list, others) in [("link", &component.link), ("needs", &component.needs)] {
            for (i, other) in others.iter().enumerate().filter(|(_, name)| !names.contains(name)) {
                let help = did_you_mean(other, names.iter().map(String::as_str));
                let message = format!("there is no component `{other}`");
                self.problem(&format!("{key}.{list}[{i}]"), message, help.as_deref());
            }
        }
        match &mut component.kind {
            Kind::C(C { sources, .. }) | Kind::Bpf(Bpf { sources }) if sources.is_empty() => {
                let help = "list the sources: `[[tool.wheelsmith.component.sources]]` with `files`";
                self.problem(key, "`sources` is missing", Some(help));
            }
            Kind::Cargo(cargo) if cargo.artifacts.is_empty() => {
                let help = "such as `artifacts = [{ bin = \"demo\" }, { cdylib = \"demo_ffi\" }]`";
                self.problem(key, "`artifacts` is missing", Some(help));
            }
            Kind::C(c) => {
                if let Some(extension) = &c.extension {
                    self.extension(key, extension);
                }
            }
            Kind::Cargo(cargo) => self.artifacts(key, cargo),
            Kind::Bpf(_) => {}
            Kind::Go(go) => self.go(key, go),
            Kind::Prebuilt(prebuilt) => self.prebuilt(key, prebuilt),
            Kind::Files(files) => self.outputs(key, &mut files.outputs, false),
            Kind::Recipe(recipe) => self.recipe(key, recipe),
        }
    }

    /// Reports components that link to one of another C library, and shared libraries for a C library
    /// that no other file of the target has.
    pub(super) fn libcs(&mut self, components: &[Component]) {
        for component in components {
            let linked = component.link.iter().enumerate();
            let other = linked.filter_map(|(i, name)| {
                let linked = components.iter().find(|linked| linked.name == *name)?;
                (linked.libc != component.libc).then_some((i, linked))
            });
            for (i, linked) in other.collect::<Vec<_>>() {
                let key = format!("{}.link[{i}]", component.key);
                let message = format!("`{}` has another `libc`", linked.name);
                self.problem(&key, message, Some("write the same `libc` for both"));
            }
            let cdylib = match &component.kind {
                Kind::Cargo(cargo) => {
                    cargo.artifacts.iter().any(|artifact| matches!(artifact, Artifact::Cdylib(_)))
                }
                Kind::Recipe(recipe) => {
                    recipe.outputs.iter().any(|output| output.role == Role::SharedLibrary)
                }
                Kind::Go(go) => go.build_mode == BuildMode::CShared,
                _ => false,
            };
            if component.libc.is_some() && cdylib {
                let help = "build a program or a static library";
                let message = "no process has both C libraries: it cannot be a shared library";
                self.problem(&format!("{}.libc", component.key), message, Some(help));
            }
        }
    }

    fn prebuilt(&mut self, key: &str, prebuilt: &mut Prebuilt) {
        for (triple, (_, outputs)) in &mut prebuilt.archives {
            let key = format!("{key}.archive.\"{triple}\"");
            self.known_triple(&key, triple);
            if outputs.is_empty() {
                outputs.clone_from(&prebuilt.outputs);
            }
            self.outputs(&key, outputs, false);
        }
        if prebuilt.archives.is_empty() || !prebuilt.outputs.is_empty() {
            self.outputs(key, &mut prebuilt.outputs, false);
        }
    }

    /// Checks a list of outputs; `is_built` is true if some may be in the directory of a build.
    pub(super) fn outputs(&mut self, key: &str, outputs: &mut [Output], is_built: bool) {
        if outputs.is_empty() {
            self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
        }
        for (i, output) in outputs.iter_mut().enumerate() {
            let key = format!("{key}.outputs[{i}]");
            if let Some(below) = output.from.path.strip_prefix(BUILD) {
                if !is_built {
                    let message =
                        format!("`{}` has no effect: this component builds nothing", output.from);
                    self.problem(&format!("{key}.from"), message, None);
                }
                output.from.path = below.to_owned();
                output.from_build = true;
            }
            if output.role == Role::License {
                let help = "name licence files in `license-files`";
                self.problem(&format!("{key}.role"), "unknown value `license`", Some(help));
            }
        }
    }

    pub(super) fn source(&mut self, key: &str, table: Option<&SourceTable>) -> Source {
        let here = Source::default();
        let Some(table) = table else { return here };
        let ways = [&table.path, &table.archive, &table.krate, &table.git, &table.sdist];
        if ways.iter().filter(|way| way.is_some()).count() != 1 {
            let message = "give exactly one of `path`, `archive`, `crate`, `git` and `sdist`";
            self.problem(key, message, None);
            return here;
        }
        let has_version = table.krate.is_some() || table.sdist.is_some();
        let (is_archive, is_git) = (table.archive.is_some(), table.git.is_some());
        let foreign: &[(&str, bool, &str)] = &[
            ("version", table.version.is_some() && !has_version, "`crate` or `sdist`"),
            ("rev", table.rev.is_some() && !is_git, "`git`"),
            ("submodules", table.submodules.is_some() && !is_git, "`git`"),
            ("sha256", table.sha256.is_some() && !is_archive, "`archive`"),
            ("mirrors", !table.mirrors.is_empty() && !is_archive, "`archive`"),
            ("strip-components", table.strip_components.is_some() && !is_archive, "`archive`"),
        ];
        for (name, _, owner) in foreign.iter().filter(|(_, is_given, _)| *is_given) {
            let message = format!("this key belongs to a source with {owner}");
            self.problem(&format!("{key}.{name}"), message, None);
        }
        if let Some(path) = &table.path {
            return Source::Path(path.clone());
        }
        if let Some(url) = &table.git {
            return self.git_source(key, url, table).map_or(here, Source::Git);
        }
        if let Some(name) = table.krate.as_ref().or(table.sdist.as_ref()) {
            let is_crate = table.krate.is_some();
            let Some(version) = &table.version else {
                let example = if is_crate {
                    "such as `{ crate = \"libbpf-sys\", version = \"1.7.0+v1.7.0\" }`"
                } else {
                    "such as `{ sdist = \"lz4\", version = \"4.4.5\" }`"
                };
                self.problem(key, "`version` is missing", Some(example));
                return here;
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+!".contains(c);
            let is_plain = |text: &str| {
                text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain)
            };
            let word = if is_crate { "crate" } else { "sdist" };
            for (inner, text) in [(word, name), ("version", version)] {
                if !is_plain(text) {
                    let message = format!("`{text}` is not a name or version of one package");
                    self.problem(&format!("{key}.{inner}"), message, None);
                    return here;
                }
            }
            let (name, version) = (name.clone(), version.clone());
            return if is_crate {
                Source::Crate { name, version }
            } else {
                Source::Sdist { name, version }
            };
        }
        let location = table.archive.clone().unwrap_or_default();
        if Source::is_url(&location) && table.sha256.is_none() {
            self.problem(key, "`sha256` is missing", Some("downloads must be pinned"));
        }
        Source::Archive {
            location,
            sha256: table.sha256,
            mirrors: table.mirrors.clone(),
            strip_components: table.strip_components.unwrap_or(1),
        }
    }

    /// Checks the keys of a git repository.
    fn git_source(&mut self, key: &str, url: &str, table: &SourceTable) -> Option<GitSource> {
        if let Err(message) = GitSource::check_url(url) {
            self.problem(&format!("{key}.git"), message, None);
            return None;
        }
        let submodules = table.submodules.unwrap_or(true);
        let Some(rev) = table.rev.clone() else {
            let help = "write the full id of a commit: branches and tags can move";
            self.problem(key, "`rev` is missing", Some(help));
            return None;
        };
        let source = GitSource { url: url.to_owned(), rev, submodules };
        if let Err((message, help)) = source.check_rev() {
            self.problem(&format!("{key}.rev"), message, Some(&help));
            return None;
        }
        Some(source)
    }

    /// Sorts components so that each comes after those that it links to, and otherwise as written.
    pub(super) fn in_link_order(
        &mut self,
        components: Vec<Component>,
        names: &[String],
    ) -> Vec<Component> {
        let mut done: BTreeSet<String> = BTreeSet::new();
        let mut ordered = Vec::new();
        let mut waiting = components;
        loop {
            let is_ready =
                |c: &Component| c.after().all(|name| done.contains(name) || !names.contains(name));
            let Some(i) = waiting.iter().position(is_ready) else { break };
            let component = waiting.remove(i);
            done.insert(component.name.clone());
            ordered.push(component);
        }
        if let Some(first) = waiting.first() {
            let cycle = cycle(&waiting, first);
            let key = names.iter().position(|name| *name == first.name).unwrap_or_default();
            self.problem(
                &format!("{ROOT}.component[{key}].link"),
                format!("components link to each other in a cycle: `{}`", cycle.join("` -> `")),
                Some("remove one of these links"),
            );
            ordered.extend(waiting);
        }
        ordered
    }
}

fn cycle(components: &[Component], first: &Component) -> Vec<String> {
    let mut path: Vec<String> = vec![first.name.clone()];
    let mut current = first;
    loop {
        let waiting = |name: &&String| components.iter().any(|c| c.name == **name);
        let Some(next) = current.after().find(waiting) else { return path };
        if let Some(start) = path.iter().position(|name| name == next) {
            path.push(next.clone());
            return path.split_off(start);
        }
        path.push(next.clone());
        let Some(component) = components.iter().find(|c| c.name == *next) else { return path };
        current = component;
    }
}
