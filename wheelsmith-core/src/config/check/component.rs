//! Validation of components.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, ROOT};
use crate::config::component_tables::{
    ArtifactTable, CargoTable, ComponentTable, ExtensionTable, HeadersTable, KindTable, MacroValue,
    OutputTable, PrebuiltTable, SourceTable, SourcesTable, TargetArchiveTable,
};
use crate::config::diagnose::did_you_mean;
use crate::config::extension::AbiKeys;
use crate::config::{
    Artifact, C, CForm, Cargo, Component, Files, Headers, Kind, Output, Prebuilt, Source,
    SourceGroup, SourcePath,
};

pub(super) const OUTPUTS_HELP: &str =
    "say what to take: `outputs = [{ from = \"bin/demo\", role = \"executable\" }]`";

impl KindTable {
    /// Returns the names of the components that it links to, and of those that it uses otherwise.
    fn others(&self) -> (&[String], &[String]) {
        match self {
            Self::Library(t) | Self::Shared(t) => (&t.link, &[]),
            Self::Static(t) => (&t.link, &[]),
            Self::Executable(t) => (&t.link, &[]),
            Self::Extension(t) => (&t.link, &[]),
            Self::Cargo(t) => (&t.link, &[]),
            Self::Prebuilt(_) | Self::Files(_) => (&[], &[]),
            Self::Configured(_, t) => (&t.link, &t.needs),
            Self::Make(t) => (&t.link, &t.needs),
            Self::Command(t) => (&t.link, &t.needs),
        }
    }
}

impl Check<'_> {
    /// Checks the component at `key`; `names` are those of all components.
    pub(super) fn component(
        &mut self,
        key: &str,
        table: ComponentTable,
        names: &[String],
    ) -> Component {
        let ComponentTable { common, kind } = table;
        let name = common.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            self.problem(
                &format!("{key}.name"),
                format!("`{name}` is not a component's name"),
                Some("use letters, digits, `-`, `_`, `.` and `+`"),
            );
        }
        if names.iter().filter(|other| **other == name).count() > 1 {
            let message = format!("another component is called `{name}` as well");
            self.problem(&format!("{key}.name"), message, None);
        }
        let (link, needs) = kind.others();
        let (link, needs) = (link.to_vec(), needs.to_vec());
        for (list, others) in [("link", &link), ("needs", &needs)] {
            for (i, other) in others.iter().enumerate().filter(|(_, name)| !names.contains(name)) {
                let help = did_you_mean(other, names.iter().map(String::as_str));
                let message = format!("there is no component `{other}`");
                self.problem(&format!("{key}.{list}[{i}]"), message, help.as_deref());
            }
        }
        let source = self.source(&format!("{key}.source"), common.source.as_ref());
        Component {
            kind: self.kind(key, kind),
            key: key.to_owned(),
            name,
            version: common.version,
            license: common.license,
            license_files: common.license_files,
            source,
            os: common.os.map(|os| os.iter().map(|os| os.family()).collect()),
            allow_native: common.allow_native,
            link,
            needs,
        }
    }

    fn kind(&mut self, key: &str, table: KindTable) -> Kind {
        match table {
            KindTable::Library(t) | KindTable::Shared(t) if t.sources.is_empty() => {
                self.no_sources(key);
                Kind::C(C::new(CForm::Shared))
            }
            KindTable::Static(t) if t.sources.is_empty() => {
                self.no_sources(key);
                Kind::C(C::new(CForm::Static))
            }
            KindTable::Executable(t) if t.sources.is_empty() => {
                self.no_sources(key);
                Kind::C(C::new(CForm::Executable))
            }
            KindTable::Library(t) => Kind::C(shared(CForm::Library, t)),
            KindTable::Shared(t) => Kind::C(shared(CForm::Shared, t)),
            KindTable::Static(t) => Kind::C(C {
                sources: t.sources.iter().map(source_group).collect(),
                libraries: t.libraries,
                frameworks: t.frameworks,
                headers: headers(t.headers),
                ..C::new(CForm::Static)
            }),
            KindTable::Executable(t) => Kind::C(C {
                sources: t.sources.iter().map(source_group).collect(),
                libraries: t.libraries,
                frameworks: t.frameworks,
                link_flags: t.link_flags,
                headers: headers(t.headers),
                ..C::new(CForm::Executable)
            }),
            KindTable::Extension(t) => self.c_extension(key, t),
            KindTable::Cargo(t) => self.cargo(key, t),
            KindTable::Prebuilt(t) => self.prebuilt(key, &t),
            KindTable::Files(t) => {
                if t.outputs.is_empty() {
                    self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
                }
                Kind::Files(Files { outputs: self.outputs(key, &t.outputs) })
            }
            KindTable::Configured(system, t) => self.configured(key, system, t),
            KindTable::Make(t) => self.makefile(key, t),
            KindTable::Command(t) => self.commands(key, t),
        }
    }

    fn no_sources(&mut self, key: &str) {
        let help = "say what to compile: `[[tool.wheelsmith.component.sources]]` with `files`";
        self.problem(key, "`sources` is missing", Some(help));
    }

    fn cargo(&mut self, key: &str, table: CargoTable) -> Kind {
        let is_missing = table.artifacts.is_empty();
        let mut artifacts = Vec::new();
        for (i, artifact) in table.artifacts.into_iter().enumerate() {
            artifacts.extend(self.artifact(&format!("{key}.artifacts[{i}]"), artifact));
        }
        // A package has one library.
        let is_library = |artifact: &&Artifact| !matches!(artifact, Artifact::Bin(_));
        if artifacts.iter().filter(is_library).count() > 1 {
            let help = "make each a package of its own, and a component of its own";
            self.problem(key, "a package of cargo has one library only", Some(help));
        }
        if is_missing {
            let help = "such as `artifacts = [{ bin = \"demo\" }, { cdylib = \"demo_ffi\" }]`";
            self.problem(key, "`artifacts` is missing", Some(help));
        }
        let manifest = || SourcePath { from_project: false, path: "Cargo.toml".to_owned() };
        Kind::Cargo(Cargo {
            manifest: table.manifest.unwrap_or_else(manifest),
            artifacts,
            profile: table.profile.unwrap_or_else(|| "release".to_owned()),
            features: table.features,
            default_features: table.default_features.unwrap_or(true),
            locked: table.locked.unwrap_or(true),
        })
    }

    fn artifact(&mut self, key: &str, table: ArtifactTable) -> Option<Artifact> {
        let ArtifactTable { bin, cdylib, extension, node_addon, abi3, abi3t, python } = table;
        let abis = AbiKeys { abi3, abi3t, python };
        if !abis.is_empty() && extension.is_none() {
            let message = "only an extension module is for certain Pythons";
            self.problem(key, message, Some("add `extension = \"demo._native\"`"));
        }
        match (bin, cdylib, extension, node_addon) {
            (Some(name), None, None, None) => Some(Artifact::Bin(name)),
            (None, Some(name), None, None) => Some(Artifact::Cdylib(name)),
            (None, None, Some(module), None) => {
                Some(Artifact::Extension(self.extension(key, module, abis)))
            }
            (None, None, None, Some(name)) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                    let message = format!("`{name}` is not the name of an addon");
                    let help = "use letters, digits, `-`, `_` and `.`";
                    self.problem(&format!("{key}.node-addon"), message, Some(help));
                    return None;
                }
                Some(Artifact::NodeAddon(name))
            }
            _ => {
                let message = "give one of `bin`, `cdylib`, `extension` and `node-addon`";
                self.problem(key, message, None);
                None
            }
        }
    }

    fn c_extension(&mut self, key: &str, table: ExtensionTable) -> Kind {
        if table.sources.is_empty() {
            self.no_sources(key);
        }
        let abis = AbiKeys { abi3: table.abi3, abi3t: table.abi3t, python: table.python };
        let extension = self.extension(key, table.extension, abis);
        Kind::C(C {
            sources: table.sources.iter().map(source_group).collect(),
            libraries: table.libraries,
            frameworks: table.frameworks,
            link_flags: table.link_flags,
            extension: Some(extension),
            ..C::new(CForm::Extension)
        })
    }

    fn prebuilt(&mut self, key: &str, table: &PrebuiltTable) -> Kind {
        let mut archives = BTreeMap::new();
        for (triple, archive) in &table.archive {
            let key = format!("{key}.archive.\"{triple}\"");
            self.known_triple(&key, triple);
            if archive.outputs.is_empty() && table.outputs.is_empty() {
                self.problem(&key, "`outputs` is missing", Some(OUTPUTS_HELP));
            }
            let of_archive = self.target_archive(&key, archive, &table.outputs);
            archives.insert(triple.clone(), of_archive);
        }
        if table.archive.is_empty() && table.outputs.is_empty() {
            self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
        }
        Kind::Prebuilt(Prebuilt { outputs: self.outputs(key, &table.outputs), archives })
    }

    fn target_archive(
        &mut self,
        key: &str,
        table: &TargetArchiveTable,
        default: &[OutputTable],
    ) -> (Source, Vec<Output>) {
        let source = Source::Archive {
            location: table.archive.clone(),
            sha256: Some(table.sha256),
            mirrors: table.mirrors.clone(),
            strip_components: table.strip_components.unwrap_or(1),
        };
        let own = if table.outputs.is_empty() { default } else { &table.outputs };
        (source, self.outputs(key, own))
    }

    /// Checks outputs that come from the source or from an archive.
    fn outputs(&mut self, key: &str, tables: &[OutputTable]) -> Vec<Output> {
        let outputs: Vec<Output> = tables.iter().map(super::recipe::output).collect();
        for (i, table) in tables.iter().enumerate().filter(|(i, _)| outputs[*i].from_build) {
            let message = format!("`{}`: nothing is built here", table.from);
            self.problem(&format!("{key}.outputs[{i}].from"), message, None);
        }
        outputs
    }

    fn source(&mut self, key: &str, table: Option<&SourceTable>) -> Source {
        let here = Source::Path(".".to_owned());
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
            self.problem(key, "`sha256` is missing", Some("a download is only used when pinned"));
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
                format!("components link to each other in a circle: `{}`", cycle.join("` -> `")),
                Some("take one of these links out"),
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

fn shared(form: CForm, table: crate::config::component_tables::SharedTable) -> C {
    C {
        form,
        sources: table.sources.iter().map(source_group).collect(),
        soname: table.soname,
        version_script: table.version_script,
        libraries: table.libraries,
        frameworks: table.frameworks,
        link_flags: table.link_flags,
        allow_undefined: table.allow_undefined,
        headers: headers(table.headers),
        extension: None,
    }
}

fn headers(tables: Vec<HeadersTable>) -> Vec<Headers> {
    tables.into_iter().map(|table| Headers { files: table.files, to: table.to }).collect()
}

fn source_group(table: &SourcesTable) -> SourceGroup {
    let define = table.define.iter().filter_map(|(name, value)| match value {
        MacroValue::Flag(true) => Some(name.clone()),
        MacroValue::Flag(false) => None,
        MacroValue::Value(value) => Some(format!("{name}={value}")),
    });
    SourceGroup {
        files: table.files.clone(),
        exclude: table.exclude.clone(),
        std: table.std.clone(),
        include: table.include.clone(),
        define: define.collect(),
        flags: table.flags.clone(),
    }
}
