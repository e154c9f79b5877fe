//! The order in which the crates of a workspace can be published, and the reasons why they cannot.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::semver::VersionReq;
use cargo_metadata::{Dependency, DependencyKind, Package};

use crate::plan::CratePlan;

/// Returns the crates of a workspace that `packages` names, or all that may be published, each after
/// those that it needs. The error lists every reason why a registry would refuse one of them.
pub(crate) fn order(
    workspace: &[&Package],
    packages: Option<&[String]>,
) -> Result<Vec<CratePlan>, Vec<String>> {
    let members: BTreeMap<&str, &Package> =
        workspace.iter().map(|package| (package.name.as_str(), *package)).collect();
    let mut problems = Vec::new();
    let selected: BTreeSet<&str> = match packages {
        None => members.values().filter(|p| may_be_published(p)).map(|p| p.name.as_str()).collect(),
        Some(names) => {
            let is_member = |name: &&String| members.contains_key(name.as_str());
            let absent = names.iter().filter(|name| !is_member(name));
            problems.extend(absent.map(|name| format!("the workspace has no package `{name}`")));
            names.iter().filter(is_member).map(String::as_str).collect()
        }
    };
    if selected.is_empty() && problems.is_empty() {
        problems.push("no package of the workspace may be published".to_owned());
    }
    let graph = Graph { members: &members, selected: &selected };
    for name in &selected {
        let package = members[name];
        incomplete(package, &mut problems);
        for dependency in &package.dependencies {
            problems.extend(graph.unpublishable(package, dependency));
        }
    }
    let sorted = graph.sorted();
    if let Err(cycle) = &sorted {
        problems.push(format!(
            "these packages need each other, so that none can be published first: {}",
            cycle.join(" needs ")
        ));
    }
    match sorted {
        Ok(sorted) if problems.is_empty() => Ok(sorted),
        _ => Err(problems),
    }
}

fn may_be_published(package: &Package) -> bool {
    package.publish.as_ref().is_none_or(|registries| !registries.is_empty())
}

/// True if a dependency has a version; cargo says `*` otherwise.
fn has_version(dependency: &Dependency) -> bool {
    dependency.req != VersionReq::STAR
}

/// Adds what the crates registry requires and the package lacks.
fn incomplete(package: &Package, problems: &mut Vec<String>) {
    let name = &package.name;
    let mut add = |what: &str| problems.push(format!("`{name}` {what}"));
    if !may_be_published(package) {
        add("has `publish = false`");
    }
    if package.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
        add("has no `description`, which the registry requires");
    }
    if package.license.is_none() && package.license_file.is_none() {
        add("has neither `license` nor `license-file`, of which the registry requires one");
    }
}

struct Graph<'g> {
    members: &'g BTreeMap<&'g str, &'g Package>,
    selected: &'g BTreeSet<&'g str>,
}

impl<'g> Graph<'g> {
    /// Returns why `package` cannot be published with a dependency.
    fn unpublishable(&self, package: &Package, dependency: &Dependency) -> Option<String> {
        let (name, needs) = (&package.name, &dependency.name);
        let is_git =
            dependency.source.as_ref().is_some_and(|source| source.repr.starts_with("git+"));
        if !is_git && dependency.path.is_none() {
            return None;
        }
        if !has_version(dependency) {
            // cargo leaves such development dependencies out of the archive.
            let is_left_out = dependency.kind == DependencyKind::Development;
            let place = if is_git { "a git repository" } else { "a path" };
            return (!is_left_out)
                .then(|| format!("`{name}` needs `{needs}` from {place} without a `version`"));
        }
        if is_git {
            return Some(format!(
                "`{name}` needs `{needs}` from a git repository; its users would get another one \
                 from the registry"
            ));
        }
        let Some(member) = self.members.get(needs.as_str()) else {
            return Some(format!("`{name}` needs `{needs}` from a path outside the workspace"));
        };
        if !may_be_published(member) {
            return Some(format!("`{name}` needs `{needs}`, which has `publish = false`"));
        }
        if !self.selected.contains(needs.as_str()) {
            return Some(format!("`{name}` needs `{needs}`, which `packages` does not name"));
        }
        (!dependency.req.matches(&member.version)).then(|| {
            let (req, version) = (&dependency.req, &member.version);
            format!("`{name}` needs `{needs}` {req}, and the workspace has {version}")
        })
    }

    /// Returns the selected packages that `name` needs to be published first.
    fn needs(&self, name: &str) -> BTreeSet<&'g str> {
        let dependencies = self.members[name].dependencies.iter();
        let is_kept = |d: &&Dependency| {
            d.path.is_some() && (d.kind != DependencyKind::Development || has_version(d))
        };
        let names = dependencies.filter(is_kept).filter_map(|d| self.selected.get(d.name.as_str()));
        names.copied().filter(|needed| *needed != name).collect()
    }

    /// Returns the selected packages in order, or a cycle.
    fn sorted(&self) -> Result<Vec<CratePlan>, Vec<&'g str>> {
        let mut left: BTreeSet<&str> = self.selected.clone();
        let mut sorted = Vec::new();
        while let Some(next) = left.iter().copied().find(|name| self.needs(name).is_disjoint(&left))
        {
            left.remove(next);
            let version = self.members[next].version.to_string();
            sorted.push(CratePlan { name: next.to_owned(), version });
        }
        // Each remaining package needs another one, so that following them ends in a cycle.
        let Some(mut at) = left.iter().copied().next() else { return Ok(sorted) };
        let mut path = Vec::new();
        while !path.contains(&at) {
            path.push(at);
            let next = self.needs(at).into_iter().find(|needed| left.contains(needed));
            at = next.unwrap_or(at);
        }
        path.drain(..path.iter().position(|name| *name == at).unwrap_or(0));
        path.push(at);
        Err(path)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(name: &str, dependencies: &[Value]) -> Value {
        json!({
            "name": name, "version": "1.2.0", "id": name, "dependencies": dependencies,
            "description": "a", "license": "MIT", "targets": [], "features": {},
            "manifest_path": "/w/Cargo.toml", "edition": "2021",
        })
    }

    fn needs(name: &str, req: &str, kind: Option<&str>) -> Value {
        json!({
            "name": name, "req": req, "kind": kind, "optional": false, "features": [],
            "uses_default_features": true, "path": format!("/w/{name}"),
        })
    }

    fn with(mut value: Value, key: &str, new: Value) -> Value {
        value[key] = new;
        value
    }

    fn run(packages: &[Value], selected: Option<&[&str]>) -> Result<Vec<String>, Vec<String>> {
        let packages: Vec<Package> =
            packages.iter().map(|p| serde_json::from_value(p.clone()).unwrap()).collect();
        let selected: Option<Vec<String>> =
            selected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let members: Vec<&Package> = packages.iter().collect();
        let found = order(&members, selected.as_deref())?;
        Ok(found.iter().map(CratePlan::file).collect())
    }

    #[test]
    fn crates_come_after_those_that_they_need() {
        let workspace = [
            package("a", &[needs("z", "^1.2", None), needs("m", "=1.2.0", Some("build"))]),
            package("m", &[needs("z", "^1", None), needs("a", "*", Some("dev"))]),
            package("z", &[]),
            with(package("tests", &[needs("a", "*", None)]), "publish", json!([])),
        ];
        let files = ["z-1.2.0.crate", "m-1.2.0.crate", "a-1.2.0.crate"].map(str::to_owned);
        assert_eq!(run(&workspace, None), Ok(files.to_vec()));
        assert_eq!(run(&workspace, Some(&["z", "m"])), Ok(files[..2].to_vec()));
    }

    #[test]
    fn what_a_registry_refuses_is_told_at_once() {
        let check = |packages: &[Value], selected: Option<&[&str]>, expected: &[&str]| {
            let found = run(packages, selected).unwrap_err();
            assert_eq!(found.len(), expected.len(), "{found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{found}: {expected}");
            }
        };
        let z = package("z", &[]);
        let git = |req: &str| {
            let git = json!("git+https://example.org/z?rev=1#1");
            with(with(needs("z", req, None), "source", git), "path", Value::Null)
        };
        let a = |dependency: Value| package("a", &[dependency]);
        check(&[a(needs("z", "*", None)), z.clone()], None, &["from a path without a `version`"]);
        check(&[a(git("*"))], None, &["from a git repository without a `version`"]);
        check(&[a(git("^1"))], None, &["would get another one"]);
        check(
            &[a(needs("z", "^2", None)), z.clone()],
            None,
            &["`z` ^2, and the workspace has 1.2.0"],
        );
        check(&[a(needs("x", "^1", None))], None, &["from a path outside the workspace"]);
        let private = with(z.clone(), "publish", json!([]));
        let used = a(needs("z", "^1", None));
        check(&[used.clone(), private.clone()], None, &["which has `publish = false`"]);
        check(&[used.clone(), z.clone()], Some(&["a"]), &["`packages` does not name"]);
        check(
            std::slice::from_ref(&private),
            None,
            &["no package of the workspace may be published"],
        );
        check(&[private], Some(&["z"]), &["`z` has `publish = false`"]);
        check(std::slice::from_ref(&z), Some(&["y"]), &["the workspace has no package `y`"]);
        let bare = with(with(z, "description", Value::Null), "license", Value::Null);
        check(&[bare], None, &["no `description`", "neither `license` nor `license-file`"]);
        let ring = |name: &str, next: &str, kind| package(name, &[needs(next, "^1", kind)]);
        let ring = [ring("a", "b", None), ring("b", "c", Some("dev")), ring("c", "b", None)];
        check(&ring, None, &["none can be published first: b needs c needs b"]);
    }
}
