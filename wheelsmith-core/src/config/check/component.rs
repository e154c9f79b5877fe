//! Validation of components.

use std::collections::BTreeSet;

use super::{Check, ROOT};
use crate::config::diagnose::did_you_mean;
use crate::config::source_table::SourceTable;
use crate::config::{Component, Kind, Output, Prebuilt, Role, Source};

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
            Kind::C(c) if c.sources.is_empty() => {
                let help = "list the sources: `[[tool.wheelsmith.component.sources]]` with `files`";
                self.problem(key, "`sources` is missing", Some(help));
            }
            Kind::Cargo(cargo) if cargo.artifacts.is_empty() => {
                let help = "such as `artifacts = [{ bin = \"demo\" }, { cdylib = \"demo_ffi\" }]`";
                self.problem(key, "`artifacts` is missing", Some(help));
            }
            Kind::C(_) | Kind::Cargo(_) => {}
            Kind::Prebuilt(prebuilt) => self.prebuilt(key, prebuilt),
            Kind::Files(files) => self.outputs(key, &mut files.outputs, false),
            Kind::Recipe(recipe) => self.recipe(key, recipe),
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
        let ways =
            [&table.path, &table.archive, &table.krate].iter().filter(|way| way.is_some()).count();
        if ways != 1 {
            self.problem(key, "give exactly one of `path`, `archive` and `crate`", None);
            return here;
        }
        let foreign: &[(&str, bool)] = &[
            ("version", table.version.is_some() && table.krate.is_none()),
            ("sha256", table.sha256.is_some() && table.archive.is_none()),
            ("mirrors", !table.mirrors.is_empty() && table.archive.is_none()),
            ("strip-components", table.strip_components.is_some() && table.archive.is_none()),
        ];
        for (name, _) in foreign.iter().filter(|(_, is_given)| *is_given) {
            let owner = if *name == "version" { "crate" } else { "archive" };
            let message = format!("this key belongs to a source with `{owner}`");
            self.problem(&format!("{key}.{name}"), message, None);
        }
        if let Some(path) = &table.path {
            return Source::Path(path.clone());
        }
        if let Some(name) = &table.krate {
            let Some(version) = &table.version else {
                let help = "such as `{ crate = \"libbpf-sys\", version = \"1.7.0+v1.7.0\" }`";
                self.problem(key, "`version` is missing", Some(help));
                return here;
            };
            return Source::Crate { name: name.clone(), version: version.clone() };
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
