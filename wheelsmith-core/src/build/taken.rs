//! Files that are taken as they are: prebuilt binaries, data, licences.

use super::inputs::{self, Input};
use super::{Built, BuiltFile, Error, Linkage, Setting};
use crate::config::{Output, Role};
use crate::name::Digest;
use crate::plan::ComponentPlan;
use crate::source::Resolved;

/// Takes `outputs` from the source.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    outputs: &[Output],
    source: &Resolved,
) -> Result<Built, Error> {
    let component = &plan.component;
    let mut files = Vec::new();
    let mut linkage = Linkage::default();
    for (i, output) in outputs.iter().enumerate() {
        let key = format!("{}.outputs[{i}].from", component.key);
        let from = std::slice::from_ref(&output.from);
        let found = inputs::expand(setting.config, &key, from, &[], &source.root, setting.project)?;
        if found.len() > 1 && output.to.is_some() {
            let key = format!("{}.outputs[{i}].to", component.key);
            let message = format!("`{}` names {} files, `to` one", output.from, found.len());
            return Err(setting.config.problem(&key, message, None).into());
        }
        for Input { relative, path } in found {
            let name = relative.rsplit('/').next().unwrap_or(&relative);
            let to = match &output.to {
                Some(to) => to.clone(),
                None => in_directory(setting, component, output.role, name)?,
            };
            match output.role {
                Role::SharedLibrary => linkage.shared.push(path.clone()),
                Role::StaticLibrary => linkage.archives.push(path.clone()),
                _ => {}
            }
            files.push(BuiltFile { path, to, role: output.role, aliases: Vec::new() });
        }
    }
    let linkable = linkage.shared.iter().chain(&linkage.archives);
    let digests: Vec<String> =
        linkable.filter_map(|path| setting.hashes.of(path)).map(|d| d.to_string()).collect();
    linkage.key = Some(Digest::of(digests.join(",")));
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        outcome: format!("{} taken", files.len()),
        files,
        linkage,
    })
}

/// The component's licence files; they land in a directory of its own.
pub(super) fn license_files(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    source: &Resolved,
) -> Result<Vec<BuiltFile>, Error> {
    let component = &plan.component;
    let key = format!("{}.license-files", component.key);
    let patterns = &component.license_files;
    let found = inputs::expand(setting.config, &key, patterns, &[], &source.root, setting.project)?;
    let file = |Input { relative, path }: Input| {
        let to = format!("licenses/{}/{relative}", component.name);
        let to = to.parse().map_err(|e: crate::name::ParseError| {
            setting.config.problem(&key, e.to_string(), None)
        })?;
        Ok(BuiltFile { path, to, role: Role::License, aliases: Vec::new() })
    };
    found.into_iter().map(file).collect()
}

fn in_directory(
    setting: &Setting<'_>,
    component: &crate::config::Component,
    role: Role,
    name: &str,
) -> Result<crate::name::WheelPath, Error> {
    let text = format!("{}/{name}", role.directory());
    let problem = |e: crate::name::ParseError| {
        setting.config.problem(&component.key, e.to_string(), None).into()
    };
    text.parse().map_err(problem)
}
