//! Converts the tables of a file to a validated configuration.

mod component;
mod data;
mod extension;
mod go;
mod package;
mod recipe;
mod test;
mod tree;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use globset::Glob;
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::diagnose::{Locator, did_you_mean};
use super::kinds;
use super::names::{PYPROJECT, ROOT};
use super::tables::{AuditTable, CheckTable, ConfigTable, FileTable, WaiverTable, WheelTable};
use super::{
    Audit, Component, Config, Error, Extension, External, Library, Override, Problem, Sdk, Wheel,
};
use crate::finding::{Settings, Waiver};
use crate::name::{PythonTag, TARGETS, Target};

/// Reads and validates `text`, and the `libraries` that were described in code. The `[project]`
/// table is that of `pyproject`, another file, if the text has none.
pub(super) fn parse(
    file: &str,
    text: &str,
    pyproject: Option<&str>,
    libraries: &[Library],
) -> Result<Config, Error> {
    let mut project = None;
    if let Some(beside) = pyproject {
        let parsed = parse(PYPROJECT, beside, None, &[])?;
        project = parsed.project.map(|table| (table, beside.to_owned()));
    }
    let error = |problems| Error { file: file.to_owned(), problems };
    let locator = Locator::new(file, text);
    let root = DeTable::parse(text).map_err(|e| error(vec![locator.problem(&e)]))?;
    let span = root.span();
    let problems = locator.misplaced();
    let mut root = locator.with_prefix(root.into_inner());
    let mut components = Vec::new();
    let mut is_whole = true;
    let mut check = Check { locator, problems };
    for (i, value) in take_components(&mut root).into_iter().enumerate() {
        let read = check.read_component(value, &format!("{ROOT}.component[{i}]"));
        is_whole &= read.is_some();
        components.extend(read);
    }
    check.locator.in_file = Some(components.len());
    for library in libraries {
        check.problems.extend(library.problems(components.len()));
        components.push(library.component());
    }
    let tables = FileTable::deserialize(Deserializer::from(Spanned::new(span, root)));
    let mut tables = tables.map_err(|error| check.note(&error)).ok();
    let mut beside = None;
    if let Some(tables) = &mut tables
        && tables.project.is_none()
        && let Some((table, text)) = project
    {
        tables.project = Some(table);
        beside = Some(text);
    }
    // If a component cannot be read, its name would be reported as unknown.
    let config =
        tables.filter(|_| is_whole).map(|tables| check.config(file, text, tables, components));
    check.problems.sort_by_key(|problem| (problem.line, problem.column));
    match config {
        Some(config) if check.problems.is_empty() => Ok(Config { pyproject: beside, ..config }),
        _ => Err(error(check.problems)),
    }
}

/// Removes the list of components from the table, because each kind has a type of its own.
fn take_components<'i>(root: &mut DeTable<'i>) -> Vec<Spanned<DeValue<'i>>> {
    let mut table = root;
    for name in ROOT.split('.').chain(["component"]) {
        let value = table.iter_mut().find(|(key, _)| key.get_ref() == name);
        match value.map(|(_, value)| value.get_mut()) {
            Some(DeValue::Table(inner)) => table = inner,
            Some(DeValue::Array(items)) if name == "component" => {
                return std::mem::replace(items, DeArray::new()).into_iter().collect();
            }
            _ => break,
        }
    }
    Vec::new()
}

struct Check<'t> {
    locator: Locator<'t>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, key: &str, message: impl Into<String>, help: Option<&str>) {
        let help = help.map(str::to_owned);
        self.problems.push(self.locator.at(key, message.into(), help));
    }

    fn note(&mut self, error: &toml::de::Error) {
        self.problems.push(self.locator.problem(error));
    }

    fn read_component(&mut self, value: Spanned<DeValue<'_>>, key: &str) -> Option<Component> {
        let read = kinds::read(value, key, &self.locator, &mut self.problems);
        let (component, source) = read?;
        let source = self.source(&format!("{key}.source"), source.as_ref());
        Some(Component { source, ..component })
    }

    fn config(
        &mut self,
        file: &str,
        text: &str,
        raw: FileTable,
        mut components: Vec<Component>,
    ) -> Config {
        let table = raw.tool.wheelsmith.unwrap_or_default();
        let ConfigTable { targets, toolchain, zig, glibc, macos_min, strip, optimize, .. } = table;
        let (compression, cxx_runtime) = (table.compression, table.cxx_runtime);
        let mut triples = BTreeSet::new();
        for (i, target) in targets.iter().enumerate() {
            if !triples.insert(target.triple()) {
                let key = format!("{ROOT}.targets[{i}]");
                self.problem(&key, format!("`{}` is listed twice", target.triple()), None);
            }
        }
        let names: Vec<String> = components.iter().map(|c| c.name.clone()).collect();
        for (i, component) in components.iter_mut().enumerate() {
            self.component(&format!("{ROOT}.component[{i}]"), component, &names);
        }
        let components = self.in_link_order(components, &names);
        self.libcs(&components);
        let wheels = self.wheels(table.wheel, raw.project.as_ref(), &components);
        self.sdks(&table.sdk, &names);
        package::archives(self, &table.archive, &names);
        package::installers(self, &table.installer, &table.archive);
        package::npm(self, &table.npm, raw.project.as_ref(), &names);
        package::crates(self, &table.crates);
        tree::trees(self, &table.tree, &components);
        self.overrides(&table.target, &names);
        let audit = self.audit(table.audit);
        let check = self.check(table.check);
        let mut version_table = table.version;
        let sites = version_table.as_mut().map(|raw| std::mem::take(&mut raw.sites));
        let version_sites = sites.unwrap_or_default();
        version::sites(self, &version_sites);
        let version = version_table
            .and_then(|raw| version::check(self, raw, !version_sites.is_empty(), &components));
        test::check(self, &table.test);
        Config {
            file: file.to_owned(),
            text: text.to_owned(),
            lines: usize::MAX,
            pyproject: None,
            former_backend: None,
            foreign_backend: None,
            is_configured: true,
            in_file: self.locator.in_file,
            project: raw.project,
            targets,
            toolchain,
            zig,
            glibc,
            macos_min,
            strip,
            optimize,
            compression,
            cxx_runtime,
            components,
            wheels,
            sdks: table.sdk,
            archives: table.archive,
            npm: table.npm,
            crates: table.crates,
            installers: table.installer,
            trees: table.tree,
            overrides: table.target,
            audit,
            check,
            version,
            version_sites,
            commit: table.commit,
            sdist: table.sdist,
            release: table.release,
            test: table.test,
        }
    }

    fn audit(&mut self, raw: AuditTable) -> Audit {
        let root = format!("{ROOT}.audit");
        for (i, pattern) in raw.exclude.iter().enumerate() {
            if let Err(error) = Glob::new(pattern) {
                let message = format!("not a pattern: {}", error.kind());
                self.problem(&format!("{root}.exclude[{i}]"), message, None);
            }
        }
        let waivers = self.waivers(&root, raw.waivers);
        Audit {
            policy: raw.tag,
            exclude: raw.exclude,
            fail_on: raw.fail_on,
            settings: Settings { severity: raw.severity, waivers },
        }
    }

    fn check(&mut self, raw: CheckTable) -> super::Check {
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

    fn waivers(&mut self, root: &str, raw: Vec<WaiverTable>) -> Vec<Waiver> {
        let mut waivers = Vec::new();
        for (i, waiver) in raw.into_iter().enumerate() {
            let key = format!("{root}.waivers[{i}]");
            let WaiverTable { code, file, reason, until } = waiver;
            if reason.trim().is_empty() {
                let help = "say why the finding does not matter here";
                self.problem(&format!("{key}.reason"), "the waiver has no reason", Some(help));
            }
            match Waiver::new(code, file.as_deref(), reason, until) {
                Ok(waiver) => waivers.push(waiver),
                Err(error) => {
                    let message = format!("not a pattern: {}", error.kind());
                    self.problem(&format!("{key}.file"), message, None);
                }
            }
        }
        waivers
    }

    fn wheels(
        &mut self,
        raw: Option<Vec<WheelTable>>,
        project: Option<&crate::metadata::ProjectTable>,
        components: &[Component],
    ) -> Vec<Wheel> {
        let implicit = || project.map(|_| WheelTable::default()).into_iter().collect();
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
            let carried: Vec<&Component> = components.iter().filter(is_in).collect();
            let components = carried.iter().map(|c| c.name.clone()).collect();
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
            let has_extensions = self.extensions_of_wheel(&key, &carried, raw.tag.as_ref());
            if raw.split && !has_extensions {
                let help = "a wheel without extension modules is one for all Pythons already";
                let message = "it has no extension module to split from the runtime";
                self.problem(&format!("{key}.split"), message, Some(help));
            }
            if raw.split && external == External::Bundle {
                let help = "remove one of them";
                let message = "it cannot be combined with `external = \"bundle\"`, which copies \
                               libraries into each wheel";
                self.problem(&format!("{key}.split"), message, Some(help));
            }
            wheels.push(Wheel {
                data,
                into: raw.into.unwrap_or_else(|| {
                    default_into.parse().expect("an escaped name is part of a path")
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
                split: raw.split,
                sbom: raw.sbom.unwrap_or(true),
                external,
                library_path: raw.library_path,
            });
        }
        wheels
    }

    /// Reports Pythons that some extension modules of a wheel are for and others are not. Returns
    /// whether there are any.
    fn extensions_of_wheel(
        &mut self,
        key: &str,
        components: &[&Component],
        tag: Option<&PythonTag>,
    ) -> bool {
        let all: Vec<&Extension> = components.iter().flat_map(|c| c.extensions()).collect();
        if all.is_empty() {
            return false;
        }
        if tag.is_some() {
            let help = "leave it out: the tag follows from the extension modules";
            self.problem(&format!("{key}.tag"), "the wheel has extension modules", Some(help));
        }
        for abi in all.iter().flat_map(|extension| &extension.abis) {
            let without = all.iter().find(|extension| extension.abi_for(abi).is_none());
            let owner = all.iter().find(|extension| extension.abis.contains(abi));
            if let (Some(without), Some(owner)) = (without, owner) {
                let message = format!(
                    "`{}` is built for `{abi}`, and no file of `{}` is for these Pythons",
                    owner.module, without.module
                );
                let help = "name the same Pythons in both, or make them two wheels";
                self.problem(key, message, Some(help));
                return true;
            }
        }
        true
    }

    /// Reports names in `components` of `key` that no component has.
    fn known_components(&mut self, key: &str, wanted: Option<&[String]>, names: &[String]) {
        for (i, wanted) in wanted.unwrap_or_default().iter().enumerate() {
            if !names.contains(wanted) {
                let help = did_you_mean(wanted, names.iter().map(String::as_str));
                let message = format!("there is no component `{wanted}`");
                self.problem(&format!("{key}.components[{i}]"), message, help.as_deref());
            }
        }
    }

    fn sdks(&mut self, sdks: &[Sdk], names: &[String]) {
        for (i, Sdk { name, components }) in sdks.iter().enumerate() {
            let key = format!("{ROOT}.sdk[{i}]");
            self.known_components(&key, components.as_deref(), names);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            if let Some(name) = name
                && (name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain))
            {
                let help = "use letters, digits, `-`, `_`, `.` and `+`";
                let message = format!("`{name}` cannot be part of a file name");
                self.problem(&format!("{key}.name"), message, Some(help));
            }
            if sdks[..i].iter().any(|other| other.name == *name) {
                let help = "give each a `name` of its own";
                self.problem(&key, "another SDK has the same name", Some(help));
            }
        }
    }

    fn overrides(&mut self, overrides: &BTreeMap<String, Override>, names: &[String]) {
        for (triple, over) in overrides {
            let key = format!("{ROOT}.target.\"{triple}\"");
            self.known_triple(&key, triple);
            for name in over.components.keys().filter(|name| !names.contains(name)) {
                let help = did_you_mean(name, names.iter().map(String::as_str));
                let message = format!("there is no component `{name}`");
                self.problem(&format!("{key}.component.{name}"), message, help.as_deref());
            }
            self.fused(&key, triple, over);
        }
    }

    /// Reports compiler settings for a target that is combined from others.
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
            let message = format!("`{triple}` is made of other targets, each of which is compiled");
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

const NOT_SEARCHED: &str = "`library-path` has no effect, since external libraries are denied";
