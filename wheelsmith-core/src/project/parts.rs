//! SBOMs of wheels.

use std::collections::{BTreeMap, BTreeSet};

use super::epoch::epoch;
use crate::build::{Crate, Crates, GoModule};
use crate::config::{Config, Role, Source, Wheel};
use crate::metadata::Metadata;
use crate::name::WheelPath;
use crate::runtime::{ComponentInfo, Runtime};
use crate::sbom::{Bom, Part, crate_purl, go_purl};
use crate::sys::Host;

/// Name of the file below `.dist-info/sboms`.
pub(super) const FILE: &str = "wheelsmith.cdx.json";

/// Crates, Go modules and compilers of components.
#[derive(Debug, Clone, Default)]
pub(super) struct Inventory {
    /// Crates by component.
    pub(super) crates: BTreeMap<String, Crates>,
    /// Modules by component that Go built, without its own.
    pub(super) modules: BTreeMap<String, BTreeSet<GoModule>>,
    /// Compilers of Rust and Go that were used: `rustc 1.95.0`.
    pub(super) compilers: BTreeSet<String>,
}

impl Inventory {
    /// Adds what the same components contain for another processor.
    pub(super) fn extend(&mut self, other: &Self) {
        for (component, crates) in &other.crates {
            let all = self.crates.entry(component.clone()).or_default();
            all.extend(crates.iter().map(|(key, krate)| (key.clone(), krate.clone())));
        }
        for (component, modules) in &other.modules {
            self.modules.entry(component.clone()).or_default().extend(modules.iter().cloned());
        }
        self.compilers.extend(other.compilers.iter().cloned());
    }
}

/// Renders the SBOM of `wheel`.
pub(super) fn render(
    config: &Config,
    wheel: &Wheel,
    metadata: &Metadata,
    runtime: &Runtime,
    found: &Inventory,
    host: &Host,
) -> Vec<u8> {
    let carried = runtime.carried(&wheel.components);
    let mut components = with_linked(config, wheel);
    components.extend(carried.iter().copied());
    let infos: BTreeMap<&str, &ComponentInfo> =
        runtime.manifest.components.iter().map(|info| (info.name.as_str(), info)).collect();
    let mut bom = Bom {
        name: metadata.name().as_written().to_owned(),
        version: metadata.version(),
        epoch: epoch(host),
        ..Bom::default()
    };
    let mut crates = Crates::new();
    let mut modules = BTreeSet::new();
    for name in &components {
        // Components that are built for other systems only.
        let Some(info) = infos.get(name) else { continue };
        let mut part = component(config, wheel, info, runtime);
        if let Some(its) = found.crates.get(*name) {
            let root = its.keys().find(|key| is_root(its, key));
            part.uses.extend(root.map(|root| crate_reference(root)));
            crates.extend(its.iter().map(|(key, krate)| (key.clone(), krate.clone())));
        }
        if let Some(its) = found.modules.get(*name) {
            part.uses.extend(its.iter().map(module_reference));
            modules.extend(its);
        }
        bom.carried.insert(part.reference.clone());
        bom.parts.push(part);
    }
    bom.parts.extend(crates.iter().map(|(key, krate)| crate_part(key, krate)));
    bom.parts.extend(modules.into_iter().map(module_part));
    let toolchain = &runtime.manifest.toolchain;
    let tools = std::iter::once(toolchain).chain(&found.compilers).filter_map(|tool| {
        let tool = tool.split(" (").next().unwrap_or(tool);
        tool.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()))
    });
    if !bom.parts.is_empty() {
        bom.tools.extend(tools);
    }
    bom.render()
}

/// Returns the wheel's components and those that are linked into them.
fn with_linked<'c>(config: &'c Config, wheel: &'c Wheel) -> BTreeSet<&'c str> {
    let mut all: BTreeSet<&str> = wheel.components.iter().map(String::as_str).collect();
    // Each comes after what it links to.
    for component in config.components.iter().rev() {
        if all.contains(component.name.as_str()) {
            all.extend(component.link.iter().map(String::as_str));
        }
    }
    all
}

fn reference(component: &str) -> String {
    format!("component:{component}")
}

fn crate_reference(key: &str) -> String {
    format!("crate:{}", key.replace(' ', "@"))
}

fn module_reference(module: &GoModule) -> String {
    format!("go:{module}")
}

/// True if no other crate of the component uses it.
fn is_root(crates: &Crates, key: &str) -> bool {
    !crates.values().any(|krate| krate.uses.contains(key))
}

fn component(config: &Config, wheel: &Wheel, info: &ComponentInfo, runtime: &Runtime) -> Part {
    let carries = runtime.carried(&wheel.components).contains(info.name.as_str());
    let files = runtime.manifest.files.iter().filter(|file| {
        let is_packed = matches!(file.role, Role::Executable | Role::SharedLibrary | Role::Data);
        carries && is_packed && file.component == info.name
    });
    let files: Vec<_> = files.collect();
    let place = |path: &WheelPath| wheel.into.join(path.as_str()).map(|path| path.to_string());
    let configured = config.component(&info.name);
    let source = configured.map(|component| &component.source);
    let purl = match source {
        Some(Source::Crate { name, version }) => Some(crate_purl(name, version)),
        _ => None,
    };
    let origin = info.origin.as_deref().map(|origin| {
        purl.clone()
            .unwrap_or_else(|| origin.split_once(' ').map_or(origin, |(_, place)| place).to_owned())
    });
    Part {
        reference: reference(&info.name),
        is_program: files.iter().any(|file| file.role == Role::Executable),
        name: info.name.clone(),
        version: info.version.clone(),
        licenses: info.license.iter().cloned().collect(),
        source: origin.map(|origin| (origin, info.sha256)),
        files: files.iter().filter_map(|file| place(&file.path).ok()).collect(),
        uses: configured.iter().flat_map(|c| &c.link).map(|name| reference(name)).collect(),
        purl,
        ..Part::default()
    }
}

fn crate_part(key: &str, krate: &Crate) -> Part {
    let git = krate.git.iter().map(|git| ("wheelsmith:source".to_owned(), git.clone()));
    Part {
        reference: crate_reference(key),
        name: krate.name.clone(),
        version: Some(krate.version.clone()),
        purl: krate.is_published.then(|| crate_purl(&krate.name, &krate.version)),
        licenses: krate.license.iter().cloned().collect(),
        sha256: krate.sha256,
        uses: krate.uses.iter().map(|key| crate_reference(key)).collect(),
        properties: git.collect(),
        ..Part::default()
    }
}

fn module_part(module: &GoModule) -> Part {
    let sum = module.sum.iter().map(|sum| ("wheelsmith:go-sum".to_owned(), sum.clone()));
    Part {
        reference: module_reference(module),
        name: module.path.clone(),
        version: module.version.clone(),
        purl: module.version.as_deref().map(|version| go_purl(&module.path, version)),
        properties: sum.collect(),
        ..Part::default()
    }
}
