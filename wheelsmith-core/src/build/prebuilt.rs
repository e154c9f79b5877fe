//! Files that are taken as they are: prebuilt binaries, data, licences.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::inputs::{self, Input};
use super::{Built, BuiltFile, Error, Inputs, Linkage, Setting};
use crate::binary::elf::Elf;
use crate::config::{Component, Config, Kind, Output, Role};
use crate::name::Digest;
use crate::plan::ComponentPlan;
use crate::source::Resolved;
use crate::sys;

/// Takes `outputs` of the source.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    source: &Resolved,
) -> Result<Built, Error> {
    let component = &plan.component;
    let outputs = outputs(setting, component);
    let files = collect(setting, component, outputs, &|_| &source.root)?;
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        outcome: format!("{} taken", files.len()),
        linkage: linkage(setting, &files),
        inputs: Inputs {
            files: files.iter().map(|file| file.path.clone()).collect(),
            dirs: outputs
                .iter()
                .flat_map(|output| {
                    let pattern = std::slice::from_ref(&output.from);
                    inputs::dirs(pattern, &source.root, setting.project)
                })
                .collect(),
            ..Inputs::default()
        },
        files,
    })
}

/// Returns the outputs of a component that needs no building: those of its archive for the target,
/// if it has one.
pub(super) fn outputs<'c>(setting: &Setting<'_>, component: &'c Component) -> &'c [Output] {
    match &component.kind {
        Kind::Prebuilt(prebuilt) => {
            let own = prebuilt.archives.get(setting.target().triple());
            own.map_or(&prebuilt.outputs, |(_, outputs)| outputs)
        }
        Kind::Files(files) => &files.outputs,
        Kind::C(_) | Kind::Bpf(_) | Kind::Cargo(_) | Kind::Go(_) | Kind::Recipe(_) => &[],
    }
}

/// Returns the files that `outputs` name, each below the directory that `root` returns for it.
pub(super) fn collect<'r>(
    setting: &Setting<'_>,
    component: &Component,
    outputs: &[Output],
    root: &dyn Fn(&Output) -> &'r Path,
) -> Result<Vec<BuiltFile>, Error> {
    let mut files = Vec::new();
    for (i, output) in outputs.iter().enumerate() {
        let key = format!("{}.outputs[{i}].from", component.key);
        let from = std::slice::from_ref(&output.from);
        let (config, project) = (setting.config, setting.project);
        let found = inputs::expand(config, &key, from, &[], root(output), project)?;
        let files_by_name = one_each(found, output);
        if files_by_name.len() > 1 && output.to.is_some() {
            let key = format!("{}.outputs[{i}].to", component.key);
            let message =
                format!("`{}` names {} files, `to` one", output.from, files_by_name.len());
            return Err(config.problem(&key, message, None).into());
        }
        for NamedFile { path, name, aliases } in files_by_name {
            let to = match &output.to {
                Some(to) => to.clone(),
                None => in_directory(setting, component, output.role, &name)?,
            };
            files.push(BuiltFile { path, to, role: output.role, aliases, python: None });
        }
    }
    Ok(files)
}

/// Returns what `files` offer to components that link to them.
pub(super) fn linkage(setting: &Setting<'_>, files: &[BuiltFile]) -> Linkage {
    let of = |role: Role| {
        let files = files.iter().filter(move |file| file.role == role);
        files.map(|file| file.path.clone()).collect::<Vec<_>>()
    };
    let mut linkage = Linkage {
        archives: of(Role::StaticLibrary),
        shared: of(Role::SharedLibrary),
        ..Linkage::default()
    };
    let linkable = linkage.shared.iter().chain(&linkage.archives);
    let digests: Vec<String> =
        linkable.filter_map(|path| setting.hashes.of(path)).map(|d| d.to_string()).collect();
    linkage.key = Some(Digest::of(digests.join(",")));
    linkage
}

/// File with its names.
struct NamedFile {
    path: PathBuf,
    name: String,
    aliases: Vec<String>,
}

/// Returns each file once. A library is often a chain of links (`libx.so` -> `libx.so.1` ->
/// `libx.so.1.7.0`): the file gets its SONAME, for which the loader looks, and the other names
/// become links to it.
///
/// Headers and data that `**` names keep their path below the directory in which the glob begins:
/// headers are included by it.
fn one_each(found: Vec<Input>, output: &Output) -> Vec<NamedFile> {
    let role = output.role;
    let keeps_path = matches!(role, Role::Header | Role::Data) && output.from.path.contains("**");
    let base = inputs::literal_prefix(&output.from.path);
    let name = |input: &Input| {
        let path = input.relative.as_str();
        let name = if keeps_path {
            path.strip_prefix(base).map(|rest| rest.trim_start_matches('/'))
        } else {
            path.rsplit('/').next()
        };
        name.unwrap_or(path).to_owned()
    };
    let mut by_file: BTreeMap<PathBuf, Vec<Input>> = BTreeMap::new();
    for input in found {
        let real = match role {
            Role::SharedLibrary => sys::fs::canonicalize(&input.path),
            _ => Ok(input.path.clone()),
        };
        by_file.entry(real.unwrap_or_else(|_| input.path.clone())).or_default().push(input);
    }
    let mut files_by_name: Vec<NamedFile> = Vec::new();
    for (real, inputs) in by_file {
        let mut names: Vec<String> = inputs.iter().map(name).collect();
        names.sort();
        names.dedup();
        let chosen = if names.len() > 1 {
            let soname =
                sys::fs::read(&real).ok().and_then(|bytes| Elf::parse(&bytes).ok()?.soname);
            soname.filter(|soname| names.contains(soname)).unwrap_or_else(|| names[0].clone())
        } else {
            names[0].clone()
        };
        names.retain(|name| *name != chosen);
        files_by_name.push(NamedFile {
            path: inputs[0].path.clone(),
            name: chosen,
            aliases: names,
        });
    }
    files_by_name.sort_by(|a, b| a.path.cmp(&b.path));
    files_by_name
}

/// Returns the licence files of a component, which have a directory of their own.
///
/// # Errors
/// Returns an error if a pattern names no file.
pub(crate) fn license_files(
    config: &Config,
    project: &Path,
    component: &Component,
    source: &Resolved,
) -> Result<Vec<BuiltFile>, crate::config::Error> {
    let key = format!("{}.license-files", component.key);
    let patterns = &component.license_files;
    let found = inputs::expand(config, &key, patterns, &[], &source.root, project)?;
    let file = |Input { relative, path }: Input| {
        let to = format!("licenses/{}/{relative}", component.name);
        let to = to
            .parse()
            .map_err(|e: crate::name::ParseError| config.problem(&key, e.to_string(), None))?;
        Ok(BuiltFile { path, to, role: Role::License, aliases: Vec::new(), python: None })
    };
    found.into_iter().map(file).collect()
}

fn in_directory(
    setting: &Setting<'_>,
    component: &Component,
    role: Role,
    name: &str,
) -> Result<crate::name::WheelPath, Error> {
    let text = format!("{}/{name}", role.directory());
    let problem = |e: crate::name::ParseError| {
        setting.config.problem(&component.key, e.to_string(), None).into()
    };
    text.parse().map_err(problem)
}
