//! Validation of `version = { from = … }`.

use super::Check;
use crate::config::tables::{VersionFrom, VersionTable};
use crate::config::{Component, Kind, Source, Tags, VersionSite, VersionSource};

const KEY: &str = "tool.wheelsmith.version";

/// Checks the source of the version; `None` if it has mistakes, or if only `sites` is given.
pub(super) fn check(
    check: &mut Check<'_>,
    raw: VersionTable,
    has_sites: bool,
    components: &[Component],
) -> Option<VersionSource> {
    use VersionFrom::{Cargo, Python, Toml, Vcs};
    let Some(from) = raw.from else {
        if !has_sites {
            let help =
                "say where the version is: `from = \"cargo\"`, or other places: `sites = […]`";
            check.problem(KEY, "`from` is missing", Some(help));
        }
        return None;
    };
    let given = [
        ("component", raw.component.is_some(), Cargo, "cargo"),
        ("manifest", raw.manifest.is_some(), Cargo, "cargo"),
        ("path", raw.path.is_some() && from != Toml, Python, "python` or `toml"),
        ("attribute", raw.attribute.is_some(), Python, "python"),
        ("tag-prefix", raw.tag_prefix.is_some(), Vcs, "vcs"),
        ("local", raw.local.is_some(), Vcs, "vcs"),
    ];
    for (name, _, _, owner) in given.iter().filter(|(_, given, of, _)| *given && *of != from) {
        let message = format!("this key belongs to a version from `{owner}`");
        check.problem(&format!("{KEY}.{name}"), message, None);
    }
    match from {
        Cargo => {
            let manifest = match raw.manifest {
                Some(manifest) if raw.component.is_none() => manifest,
                Some(_) => {
                    check.problem(KEY, "give either `component` or `manifest`", None);
                    return None;
                }
                None => component_manifest(check, raw.component.as_deref(), components)?,
            };
            Some(VersionSource::Cargo { manifest })
        }
        Python => {
            let Some(path) = raw.path else {
                let help = "such as `{ from = \"python\", path = \"src/demo/__init__.py\" }`";
                check.problem(KEY, "`path` is missing", Some(help));
                return None;
            };
            let attribute = raw.attribute.unwrap_or_else(|| "__version__".to_owned());
            Some(VersionSource::Python { path, attribute })
        }
        Toml => Some(VersionSource::Toml {
            path: raw.path.unwrap_or_else(|| "version.toml".to_owned()),
        }),
        Vcs => Some(VersionSource::Vcs(Tags {
            prefix: raw.tag_prefix,
            local: raw.local.unwrap_or(true),
        })),
    }
}

/// Checks the further places of the version.
pub(super) fn sites(check: &mut Check<'_>, sites: &[VersionSite]) {
    for (i, site) in sites.iter().enumerate() {
        let key = format!("{KEY}.sites[{i}]");
        let kinds = [&site.attribute, &site.macro_name, &site.pattern];
        if kinds.iter().filter(|kind| kind.is_some()).count() > 1 {
            check.problem(&key, "give one of `attribute`, `macro` and `pattern`", None);
        }
        if let Some(pattern) = &site.pattern
            && pattern.matches("{version}").count() != 1
        {
            let help = "such as `version = \"{version}\"`";
            check.problem(&key, "`pattern` does not contain `{version}` once", Some(help));
        }
        let is_outside =
            site.file.starts_with('/') || site.file.split('/').any(|part| part == "..");
        if site.file.is_empty() || is_outside {
            check.problem(&key, "`file` is not inside the project", None);
        }
    }
}

/// Returns the `Cargo.toml` of the component called `name`, or of the only one that cargo builds.
fn component_manifest(
    check: &mut Check<'_>,
    name: Option<&str>,
    components: &[Component],
) -> Option<String> {
    let is_cargo = |component: &&Component| matches!(component.kind, Kind::Cargo(_));
    let wanted = |component: &&Component| name.is_none_or(|name| component.name == name);
    let found: Vec<&Component> = components.iter().filter(is_cargo).filter(wanted).collect();
    let help = "name one with `component`, or its file with `manifest`";
    let [component] = found[..] else {
        let message = match name {
            Some(name) => format!("there is no component `{name}` that cargo builds"),
            None => format!("there are {} components that cargo builds", found.len()),
        };
        check.problem(KEY, message, Some(help));
        return None;
    };
    let Kind::Cargo(cargo) = &component.kind else { return None };
    match &component.source {
        Source::Path(path) if path != "." && !cargo.manifest.from_project => {
            Some(format!("{path}/{}", cargo.manifest.path))
        }
        Source::Path(_) => Some(cargo.manifest.path.clone()),
        _ if cargo.manifest.from_project => Some(cargo.manifest.path.clone()),
        _ => {
            let message =
                format!("the source of component `{}` is not in the project", component.name);
            check.problem(KEY, message, Some("write the version into `[project]`"));
            None
        }
    }
}
