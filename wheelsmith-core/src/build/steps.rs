//! Decides the steps of every component of a target, without running any.

use std::collections::BTreeMap;

#[cfg(feature = "cargo")]
use super::cargo::CargoRun;
use super::{
    Error, Linkage, Setting, bpf, c, frameworks, go, license_files, merged, native, prebuilt,
};
use crate::config::Kind;
use crate::plan::{ComponentPlan, Step};
use crate::source::Resolved;

/// Returns the steps of each component, in build order. `sources` has `None` for sources that are not
/// unpacked yet.
///
/// # Errors
/// Returns the error that a build would fail with before it runs a command: a file, a program or
/// a framework that is missing.
pub fn steps(
    setting: &Setting<'_>,
    sources: &BTreeMap<(String, String), Option<Resolved>>,
) -> Result<Vec<Vec<Step>>, Error> {
    frameworks::check(setting)?;
    // `None` if what a component offers is known only when it is built.
    let mut known: Vec<(&str, Option<Linkage>)> = Vec::new();
    let mut all = Vec::new();
    for plan in &setting.plan.components {
        let name = plan.component.name.as_str();
        let key = (name.to_owned(), setting.target().triple().to_owned());
        let source = sources.get(&key).and_then(Option::as_ref);
        let setting = &setting.of(&plan.component);
        native::check(setting, plan)?;
        let (steps, linkage) = match source {
            None => {
                let after = format!("its source, {}, is unpacked", plan.from.0);
                (vec![Step::later(format!("build {name}"), after)], None)
            }
            Some(source) => of_component(setting, plan, source, &known)?,
        };
        known.push((name, linkage));
        all.push(steps);
    }
    Ok(all)
}

fn of_component(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    source: &Resolved,
    known: &[(&str, Option<Linkage>)],
) -> Result<(Vec<Step>, Option<Linkage>), Error> {
    let component = &plan.component;
    license_files(setting.config, setting.project, component, source)?;
    let of = |name: &&String| known.iter().find(|(other, _)| other == name);
    let unknown = component.after().find(|name| of(name).is_some_and(|(_, l)| l.is_none()));
    let later = |name: String, after: String| Ok((vec![Step::later(name, after)], None));
    let after = unknown.map(|name| format!("component {name} is built"));
    let linkages = known.iter().filter_map(|(name, linkage)| Some((*name, linkage.as_ref()?)));
    let linked = merged(component, linkages);
    match &component.kind {
        Kind::C(c) => {
            if let Some(after) = after {
                return later(format!("build {}", component.name), after);
            }
            let (steps, linkage) = c::steps(setting, plan, c, source, &linked)?;
            Ok((steps, Some(linkage)))
        }
        #[cfg(feature = "cargo")]
        Kind::Cargo(cargo) => {
            let (runs, _) = super::cargo::runs(setting, plan, cargo, source, &linked)?;
            // A digest of the libraries is one of its arguments.
            let after = component.link.first().map(|name| format!("component {name} is built"));
            if let Some(after) = after {
                return later(format!("cargo build {}", component.name), after);
            }
            let step = |run: &CargoRun<'_>| Step::Cargo { command: (&run.command).into() };
            Ok((runs.iter().map(step).collect(), None))
        }
        #[cfg(not(feature = "cargo"))]
        Kind::Cargo(_) => {
            let component = component.name.clone();
            Err(Error::WithoutCargo { component })
        }
        Kind::Prebuilt(_) | Kind::Files(_) => {
            let outputs = prebuilt::outputs(setting, component);
            let files = prebuilt::collect(setting, component, outputs, &|_| &source.root)?;
            let linkage = prebuilt::linkage(setting, &files);
            Ok((vec![Step::Take { files: files.len() }], Some(linkage)))
        }
        Kind::Bpf(programs) => {
            if let Some(after) = after {
                return later(format!("build {}", component.name), after);
            }
            let steps = bpf::steps(setting, plan, programs, source, &linked)?;
            Ok((steps, Some(Linkage::default())))
        }
        Kind::Go(module) => {
            if let Some(after) = after {
                return later(format!("go build {}", component.name), after);
            }
            let (steps, linkage) = go::steps(setting, plan, module, source, &linked)?;
            Ok((steps, Some(linkage)))
        }
        Kind::Recipe(recipe) => Ok((super::recipe::steps(setting, plan, recipe, source)?, None)),
    }
}
