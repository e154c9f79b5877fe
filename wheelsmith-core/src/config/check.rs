//! From the file as written to a checked configuration.

mod data;
mod recipe;

use std::collections::{BTreeMap, BTreeSet};

use super::build_system;
use super::diagnose::{Locator, did_you_mean};
use super::raw::{
    RawArtifact, RawAudit, RawCheck, RawComponent, RawConfig, RawDefine, RawFile, RawKind,
    RawOutput, RawOverride, RawSdk, RawSource, RawSources, RawTargetArchive, RawWaiver, RawWheel,
};
use super::{
    Artifact, Audit, C, CForm, Cargo, Component, ComponentOverride, Config, Error, External, Files,
    Headers, Kind, Output, Override, Prebuilt, Problem, Role, Sdist, Sdk, Source, SourceGroup,
    System, Wheel,
};
use globset::Glob;

use crate::finding::{Settings, Waiver};
use crate::name::{TARGETS, Target};

/// Reads and checks `text`.
pub(super) fn parse(file: &str, text: &str) -> Result<Config, Error> {
    let locator = Locator::new(text);
    let error = |problems| Error { file: file.to_owned(), problems };
    let raw: RawFile = toml::from_str(text).map_err(|e| error(vec![locator.problem(&e)]))?;
    let problems = build_system::check(text, &locator);
    let mut check = Check { locator, problems };
    let config = check.config(file, text, raw);
    check.problems.sort_by_key(|problem| (problem.line, problem.column));
    if check.problems.is_empty() { Ok(config) } else { Err(error(check.problems)) }
}

mod test;
mod version;

struct Check<'t> {
    locator: Locator<'t>,
    problems: Vec<Problem>,
}

const ROOT: &str = "tool.wheelsmith";

impl Check<'_> {
    fn problem(&mut self, key: &str, message: impl Into<String>, help: Option<&str>) {
        let help = help.map(str::to_owned);
        self.problems.push(self.locator.at(key, message.into(), help));
    }

    fn config(&mut self, file: &str, text: &str, raw: RawFile) -> Config {
        let table = raw.tool.wheelsmith.unwrap_or_default();
        let RawConfig { targets, toolchain, zig, glibc, macos_min, strip, optimize, .. } = table;
        let compression = table.compression;
        let mut triples = BTreeSet::new();
        for (i, target) in targets.iter().enumerate() {
            if !triples.insert(target.triple()) {
                let key = format!("{ROOT}.targets[{i}]");
                self.problem(&key, format!("`{}` is listed twice", target.triple()), None);
            }
        }
        let keyed: Vec<(String, String)> = (table.component.iter().enumerate())
            .map(|(i, c)| (format!("{ROOT}.component[{i}]"), c.name.clone()))
            .collect();
        let names: Vec<String> = keyed.iter().map(|(_, name)| name.clone()).collect();
        let mut components = Vec::new();
        for ((key, _), raw) in keyed.iter().zip(table.component) {
            components.push(self.component(key, raw, &names));
        }
        let components = self.in_link_order(components, &names);
        let wheels = self.wheels(table.wheel, raw.project.as_ref(), &components);
        let sdks = self.sdks(table.sdk, &names);
        let overrides = self.overrides(table.target, &names);
        let audit = self.audit(table.audit);
        let check = self.check(table.check);
        let version = table.version.and_then(|raw| version::check(self, raw, &components));
        let sdist = Sdist { include: table.sdist.include, exclude: table.sdist.exclude };
        let testing = test::check(self, table.test);
        Config {
            file: file.to_owned(),
            text: text.to_owned(),
            project: raw.project,
            targets,
            toolchain,
            zig,
            glibc,
            macos_min,
            strip,
            optimize,
            compression,
            components,
            wheels,
            sdks,
            overrides,
            audit,
            check,
            version,
            sdist,
            test: testing,
        }
    }

    fn audit(&mut self, raw: RawAudit) -> Audit {
        let root = format!("{ROOT}.audit");
        for (i, pattern) in raw.exclude.iter().enumerate() {
            if let Err(error) = Glob::new(pattern) {
                let message = format!("no pattern: {}", error.kind());
                self.problem(&format!("{root}.exclude[{i}]"), message, None);
            }
        }
        let waivers = self.waivers(&root, raw.waivers);
        Audit {
            policy: raw.policy,
            exclude: raw.exclude,
            fail_on: raw.fail_on,
            settings: Settings { severity: raw.severity, waivers },
        }
    }

    fn check(&mut self, raw: RawCheck) -> super::Check {
        let root = format!("{ROOT}.check");
        if let (Some(large), Some(limit)) = (raw.large_file, raw.file_limit)
            && large > limit
        {
            let message = format!("{large} is more than `file-limit`, which is {limit}");
            self.problem(&format!("{root}.large-file"), message, None);
        }
        let waivers = self.waivers(&root, raw.waivers);
        super::Check {
            index: raw.index,
            large_file_mib: raw.large_file,
            file_limit_mib: raw.file_limit,
            fail_on: raw.fail_on,
            settings: Settings { severity: raw.severity, waivers },
        }
    }

    fn waivers(&mut self, root: &str, raw: Vec<RawWaiver>) -> Vec<Waiver> {
        let mut waivers = Vec::new();
        for (i, waiver) in raw.into_iter().enumerate() {
            let key = format!("{root}.waivers[{i}]");
            let RawWaiver { code, file, reason, until } = waiver;
            if reason.trim().is_empty() {
                let help = "say why the finding is no fault here";
                self.problem(&format!("{key}.reason"), "it gives no reason", Some(help));
            }
            match Waiver::new(code, file.as_deref(), reason, until) {
                Ok(waiver) => waivers.push(waiver),
                Err(error) => {
                    let message = format!("no pattern: {}", error.kind());
                    self.problem(&format!("{key}.file"), message, None);
                }
            }
        }
        waivers
    }

    fn component(&mut self, key: &str, raw: RawComponent, names: &[String]) -> Component {
        let name = raw.name.clone();
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
        for (list, others) in [("link", &raw.link), ("needs", &raw.needs)] {
            for (i, other) in others.iter().enumerate().filter(|(_, name)| !names.contains(name)) {
                let help = did_you_mean(other, names.iter().map(String::as_str));
                let message = format!("there is no component `{other}`");
                self.problem(&format!("{key}.{list}[{i}]"), message, help.as_deref());
            }
        }
        self.foreign_keys(key, &raw);
        let source = self.source(&format!("{key}.source"), raw.source.as_ref());
        let os = raw.os.as_ref().map(|os| os.iter().map(|os| os.family()).collect());
        Component {
            kind: self.kind(key, &raw),
            key: key.to_owned(),
            name,
            version: raw.version,
            license: raw.license,
            license_files: raw.license_files,
            source,
            os,
            link: raw.link,
            needs: raw.needs,
        }
    }

    /// Keys that mean nothing for the component's kind are mistakes, not decoration.
    fn foreign_keys(&mut self, key: &str, raw: &RawComponent) {
        use RawKind::{
            Autotools, CExecutable, CLibrary, CShared, CStatic, Cargo, Cmake, Command, Files, Make,
            Meson, Prebuilt,
        };
        const C: &[RawKind] = &[CLibrary, CShared, CStatic, CExecutable];
        const SHARED: &[RawKind] = &[CLibrary, CShared];
        const RECIPE: &[RawKind] = &[Cmake, Make, Autotools, Meson, Command];
        const LINKED: &[RawKind] =
            &[CLibrary, CShared, CExecutable, Cmake, Make, Autotools, Meson, Command];
        let given: &[(&str, bool, &[RawKind])] = &[
            ("sources", !raw.sources.is_empty(), C),
            ("soname", raw.soname.is_some(), SHARED),
            ("version-script", raw.version_script.is_some(), SHARED),
            ("libraries", raw.libraries.is_some(), &[C, RECIPE].concat()),
            ("frameworks", raw.frameworks.is_some(), C),
            ("link-flags", raw.link_flags.is_some(), LINKED),
            ("allow-undefined", raw.allow_undefined.is_some(), SHARED),
            ("headers", raw.headers.is_some(), C),
            ("link", !raw.link.is_empty(), &[C, &[Cargo], RECIPE].concat()),
            ("needs", !raw.needs.is_empty(), RECIPE),
            ("manifest", raw.manifest.is_some(), &[Cargo]),
            ("artifacts", !raw.artifacts.is_empty(), &[Cargo]),
            ("profile", raw.profile.is_some(), &[Cargo]),
            ("features", raw.features.is_some(), &[Cargo]),
            ("default-features", raw.default_features.is_some(), &[Cargo]),
            ("locked", raw.locked.is_some(), &[Cargo]),
            ("outputs", !raw.outputs.is_empty(), &[&[Prebuilt, Files], RECIPE].concat()),
            ("archive", !raw.archive.is_empty(), &[Prebuilt]),
            ("dir", raw.dir.is_some(), RECIPE),
            ("configure", !raw.configure.is_empty(), &[Cmake, Autotools, Meson]),
            ("build", !raw.build.is_empty(), &[Cmake, Make, Autotools, Meson]),
            ("install", raw.install.is_some(), &[Cmake, Make, Autotools, Meson]),
            ("run", !raw.run.is_empty(), &[Command]),
            ("shell", raw.shell.is_some(), &[Command]),
            ("env", !raw.env.is_empty(), RECIPE),
            ("flags", !raw.flags.is_empty(), RECIPE),
            ("prefix", raw.prefix.is_some(), RECIPE),
        ];
        for (name, is_given, kinds) in given {
            if *is_given && !kinds.contains(&raw.kind) {
                let message = "this key means nothing for a component of this kind";
                let kinds: Vec<String> = kinds.iter().map(|kind| word(*kind)).collect();
                let help = format!("it belongs to: {}", kinds.join(", "));
                self.problem(&format!("{key}.{name}"), message, Some(&help));
            }
        }
    }

    fn kind(&mut self, key: &str, raw: &RawComponent) -> Kind {
        let form = match raw.kind {
            RawKind::CLibrary => CForm::Library,
            RawKind::CShared => CForm::Shared,
            RawKind::CStatic => CForm::Static,
            RawKind::CExecutable => CForm::Executable,
            RawKind::Cargo => return self.cargo(key, raw),
            RawKind::Files => {
                if raw.outputs.is_empty() {
                    self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
                }
                return Kind::Files(Files { outputs: self.outputs(key, &raw.outputs) });
            }
            RawKind::Prebuilt => return self.prebuilt(key, raw),
            RawKind::Cmake => return self.recipe(key, System::Cmake, raw),
            RawKind::Make => return self.recipe(key, System::Make, raw),
            RawKind::Autotools => return self.recipe(key, System::Autotools, raw),
            RawKind::Meson => return self.recipe(key, System::Meson, raw),
            RawKind::Command => return self.recipe(key, System::Command, raw),
        };
        if raw.sources.is_empty() {
            let help = "say what to compile: `[[tool.wheelsmith.component.sources]]` with `files`";
            self.problem(key, "`sources` is missing", Some(help));
        }
        let headers = raw.headers.iter().flatten();
        Kind::C(C {
            form,
            sources: raw.sources.iter().map(source_group).collect(),
            soname: raw.soname.clone(),
            version_script: raw.version_script.clone(),
            libraries: raw.libraries.clone().unwrap_or_default(),
            frameworks: raw.frameworks.clone().unwrap_or_default(),
            link_flags: raw.link_flags.clone().unwrap_or_default(),
            allow_undefined: raw.allow_undefined.unwrap_or(false),
            headers: headers
                .map(|h| Headers { files: h.files.clone(), to: h.to.clone() })
                .collect(),
        })
    }

    fn cargo(&mut self, key: &str, raw: &RawComponent) -> Kind {
        let mut artifacts = Vec::new();
        for (i, artifact) in raw.artifacts.iter().enumerate() {
            match artifact {
                RawArtifact { bin: Some(name), cdylib: None } => {
                    artifacts.push(Artifact::Bin(name.clone()));
                }
                RawArtifact { bin: None, cdylib: Some(name) } => {
                    artifacts.push(Artifact::Cdylib(name.clone()));
                }
                _ => self.problem(
                    &format!("{key}.artifacts[{i}]"),
                    "give either `bin` or `cdylib`",
                    None,
                ),
            }
        }
        if raw.artifacts.is_empty() {
            let help = "such as `artifacts = [{ bin = \"demo\" }, { cdylib = \"demo_ffi\" }]`";
            self.problem(key, "`artifacts` is missing", Some(help));
        }
        Kind::Cargo(Cargo {
            manifest: raw.manifest.clone().unwrap_or_else(|| super::SourcePath {
                from_project: false,
                path: "Cargo.toml".to_owned(),
            }),
            artifacts,
            profile: raw.profile.clone().unwrap_or_else(|| "release".to_owned()),
            features: raw.features.clone().unwrap_or_default(),
            default_features: raw.default_features.unwrap_or(true),
            locked: raw.locked.unwrap_or(true),
        })
    }

    fn prebuilt(&mut self, key: &str, raw: &RawComponent) -> Kind {
        let mut archives = BTreeMap::new();
        for (triple, archive) in &raw.archive {
            let key = format!("{key}.archive.\"{triple}\"");
            self.known_triple(&key, triple);
            if archive.outputs.is_empty() && raw.outputs.is_empty() {
                self.problem(&key, "`outputs` is missing", Some(OUTPUTS_HELP));
            }
            let of_archive = self.target_archive(&key, archive, &raw.outputs);
            archives.insert(triple.clone(), of_archive);
        }
        if raw.archive.is_empty() && raw.outputs.is_empty() {
            self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
        }
        Kind::Prebuilt(Prebuilt { outputs: self.outputs(key, &raw.outputs), archives })
    }

    fn target_archive(
        &mut self,
        key: &str,
        raw: &RawTargetArchive,
        default: &[RawOutput],
    ) -> (Source, Vec<Output>) {
        let source = Source::Archive {
            location: raw.archive.clone(),
            sha256: Some(raw.sha256),
            mirrors: raw.mirrors.clone(),
            strip_components: raw.strip_components.unwrap_or(1),
        };
        let own = if raw.outputs.is_empty() { default } else { &raw.outputs };
        (source, self.outputs(key, own))
    }

    /// Outputs that come from the source, or from an archive.
    fn outputs(&mut self, key: &str, raw: &[RawOutput]) -> Vec<Output> {
        for (i, output) in raw.iter().enumerate().filter(|(_, raw)| recipe::from_build(raw)) {
            let message = format!("`{}`: nothing is built here", output.from);
            self.problem(&format!("{key}.outputs[{i}].from"), message, None);
        }
        raw.iter().map(recipe::output).collect()
    }

    fn source(&mut self, key: &str, raw: Option<&RawSource>) -> Source {
        let here = Source::Path(".".to_owned());
        let Some(raw) = raw else { return here };
        let ways = [&raw.path, &raw.archive, &raw.krate].iter().filter(|way| way.is_some()).count();
        if ways != 1 {
            self.problem(key, "give exactly one of `path`, `archive` and `crate`", None);
            return here;
        }
        let foreign: &[(&str, bool)] = &[
            ("version", raw.version.is_some() && raw.krate.is_none()),
            ("sha256", raw.sha256.is_some() && raw.archive.is_none()),
            ("mirrors", !raw.mirrors.is_empty() && raw.archive.is_none()),
            ("strip-components", raw.strip_components.is_some() && raw.archive.is_none()),
        ];
        for (name, _) in foreign.iter().filter(|(_, is_given)| *is_given) {
            let owner = if *name == "version" { "crate" } else { "archive" };
            let message = format!("this key belongs to a source with `{owner}`");
            self.problem(&format!("{key}.{name}"), message, None);
        }
        if let Some(path) = &raw.path {
            return Source::Path(path.clone());
        }
        if let Some(name) = &raw.krate {
            let Some(version) = &raw.version else {
                let help = "such as `{ crate = \"libbpf-sys\", version = \"1.7.0+v1.7.0\" }`";
                self.problem(key, "`version` is missing", Some(help));
                return here;
            };
            return Source::Crate { name: name.clone(), version: version.clone() };
        }
        let location = raw.archive.clone().unwrap_or_default();
        if Source::is_url(&location) && raw.sha256.is_none() {
            self.problem(key, "`sha256` is missing", Some("a download is only used when pinned"));
        }
        Source::Archive {
            location,
            sha256: raw.sha256,
            mirrors: raw.mirrors.clone(),
            strip_components: raw.strip_components.unwrap_or(1),
        }
    }

    /// Sorts components so that each comes after what it links to, otherwise as written.
    fn in_link_order(&mut self, components: Vec<Component>, names: &[String]) -> Vec<Component> {
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

    fn wheels(
        &mut self,
        raw: Option<Vec<RawWheel>>,
        project: Option<&crate::metadata::ProjectTable>,
        components: &[Component],
    ) -> Vec<Wheel> {
        let implicit = || project.map(|_| RawWheel::default()).into_iter().collect();
        let raw = raw.unwrap_or_else(implicit);
        let mut wheels = Vec::new();
        for (i, raw) in raw.into_iter().enumerate() {
            let key = format!("{ROOT}.wheel[{i}]");
            let Some(name) = raw.name.or_else(|| project.map(|project| project.name.clone()))
            else {
                let help = "add `[project]` with `name` and `version` (PEP 621)";
                self.problem(&key, "a wheel needs a `[project]` table", Some(help));
                continue;
            };
            let names: Vec<String> = components.iter().map(|c| c.name.clone()).collect();
            self.known_components(&key, raw.components.as_deref(), &names);
            let is_in =
                |c: &&Component| raw.components.as_ref().is_none_or(|list| list.contains(&c.name));
            let components = components.iter().filter(is_in).map(|c| c.name.clone()).collect();
            let default_into = format!("{}/_runtime", name.escaped());
            let build = |b: &String| b.starts_with(|c: char| c.is_ascii_digit());
            if !raw.build.as_ref().is_none_or(build) {
                self.problem(&format!("{key}.build"), "a build tag starts with a digit", None);
            }
            let external = raw.external.unwrap_or_default();
            if external == External::Deny && !raw.library_path.is_empty() {
                let help =
                    "add `external = \"bundle\"` to copy libraries from there into the wheel";
                self.problem(&format!("{key}.library-path"), NOT_SEARCHED, Some(help));
            }
            let data = self.data_files(&key, raw.data);
            wheels.push(Wheel {
                data,
                into: raw.into.unwrap_or_else(|| {
                    default_into.parse().expect("an escaped name is a path's part")
                }),
                key,
                name,
                components,
                python_source: raw.python_source,
                include: raw.include,
                exclude: raw.exclude,
                console: raw.console,
                tag: raw.tag.unwrap_or_else(|| "py3-none".parse().expect("a constant")),
                build: raw.build,
                sbom: raw.sbom.unwrap_or(true),
                external,
                library_path: raw.library_path,
            });
        }
        wheels
    }

    /// Names in `components` of `key` that no component has.
    fn known_components(&mut self, key: &str, wanted: Option<&[String]>, names: &[String]) {
        for (i, wanted) in wanted.unwrap_or_default().iter().enumerate() {
            if !names.contains(wanted) {
                let help = did_you_mean(wanted, names.iter().map(String::as_str));
                let message = format!("there is no component `{wanted}`");
                self.problem(&format!("{key}.components[{i}]"), message, help.as_deref());
            }
        }
    }

    fn sdks(&mut self, raw: Vec<RawSdk>, names: &[String]) -> Vec<Sdk> {
        let mut sdks: Vec<Sdk> = Vec::new();
        for (i, RawSdk { name, components }) in raw.into_iter().enumerate() {
            let key = format!("{ROOT}.sdk[{i}]");
            self.known_components(&key, components.as_deref(), names);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            if let Some(name) = name.as_ref()
                && (name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain))
            {
                let help = "use letters, digits, `-`, `_`, `.` and `+`";
                let message = format!("`{name}` is no part of a file name");
                self.problem(&format!("{key}.name"), message, Some(help));
            }
            if sdks.iter().any(|other| other.name == name) {
                let help = "give each a `name` of its own";
                self.problem(&key, "another SDK is called so as well", Some(help));
            }
            sdks.push(Sdk { name, components });
        }
        sdks
    }

    fn overrides(
        &mut self,
        raw: BTreeMap<String, RawOverride>,
        names: &[String],
    ) -> BTreeMap<String, Override> {
        let mut overrides = BTreeMap::new();
        for (triple, raw) in raw {
            let key = format!("{ROOT}.target.\"{triple}\"");
            self.known_triple(&key, &triple);
            let mut components = BTreeMap::new();
            for (name, raw) in raw.component {
                if !names.contains(&name) {
                    let help = did_you_mean(&name, names.iter().map(String::as_str));
                    let message = format!("there is no component `{name}`");
                    self.problem(&format!("{key}.component.{name}"), message, help.as_deref());
                }
                let over = ComponentOverride {
                    flags: raw.flags,
                    link_flags: raw.link_flags,
                    features: raw.features,
                    configure: raw.configure,
                };
                components.insert(name, over);
            }
            let over = Override {
                glibc: raw.glibc,
                macos_min: raw.macos_min,
                toolchain: raw.toolchain,
                sysroot: raw.sysroot,
                library_path: raw.library_path,
                components,
            };
            self.fused(&key, &triple, &over);
            overrides.insert(triple, over);
        }
        overrides
    }

    /// Nothing is compiled for a target that is fused of others.
    fn fused(&mut self, key: &str, triple: &str, over: &Override) {
        let row = TARGETS.iter().find(|row| row.triple == triple);
        let Some(slices) = row.map(|row| row.slices).filter(|slices| !slices.is_empty()) else {
            return;
        };
        let keys = [
            ("toolchain", over.toolchain.is_some()),
            ("sysroot", over.sysroot.is_some()),
            ("component", !over.components.is_empty()),
        ];
        for (name, _) in keys.into_iter().filter(|(_, is_set)| *is_set) {
            let message = format!("`{triple}` is fused of other targets, which are compiled");
            let help = format!("set it for `{}`", slices.join("` and `"));
            self.problem(&format!("{key}.{name}"), message, Some(&help));
        }
    }

    fn known_triple(&mut self, key: &str, triple: &str) {
        if TARGETS.iter().any(|row| row.triple == triple) {
            return;
        }
        let help = did_you_mean(triple, TARGETS.iter().map(|row| row.triple));
        let help = match triple.parse::<Target>() {
            Ok(_) => Some("write the triple without a floor here".to_owned()),
            Err(_) => help,
        };
        self.problem(key, format!("`{triple}` is not a known target"), help.as_deref());
    }
}

const NOT_SEARCHED: &str = "nothing is looked for there, since external libraries are denied";
const OUTPUTS_HELP: &str =
    "say what to take: `outputs = [{ from = \"bin/demo\", role = \"executable\" }]`";

fn word(kind: RawKind) -> String {
    match kind {
        RawKind::CLibrary => "c-library",
        RawKind::CShared => "c-shared",
        RawKind::CStatic => "c-static",
        RawKind::CExecutable => "c-executable",
        RawKind::Cargo => "cargo",
        RawKind::Prebuilt => "prebuilt",
        RawKind::Files => "files",
        RawKind::Cmake => "cmake",
        RawKind::Make => "make",
        RawKind::Autotools => "autotools",
        RawKind::Meson => "meson",
        RawKind::Command => "command",
    }
    .to_owned()
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

fn source_group(raw: &RawSources) -> SourceGroup {
    let define = raw.define.iter().filter_map(|(name, value)| match value {
        RawDefine::Flag(true) => Some(name.clone()),
        RawDefine::Flag(false) => None,
        RawDefine::Value(value) => Some(format!("{name}={value}")),
    });
    SourceGroup {
        files: raw.files.clone(),
        exclude: raw.exclude.clone(),
        std: raw.std.clone(),
        include: raw.include.clone(),
        define: define.collect(),
        flags: raw.flags.clone(),
    }
}
