//! The whole of a run before any of it happens.
//!
//! A plan follows from the configuration and the targets alone; whether a compiler or a file is
//! there shows later. `--dry-run` prints it.

use serde::Serialize;

use crate::config::{Component, ComponentOverride, Config, External};
use crate::name::{PlatformTag, Target, WheelFilename};
use crate::source;
use crate::toolchain::{Optimize, Strip, ToolchainKind};

/// What a run does.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// One for each target.
    pub targets: Vec<TargetPlan>,
}

/// What a run does for one target.
#[derive(Debug, Clone, Serialize)]
pub struct TargetPlan {
    /// With its floor.
    pub target: Target,
    /// The platform tag that the floor asks for; the audit of the result decides.
    pub wanted_tag: PlatformTag,
    /// Which toolchain.
    pub toolchain: ToolchainKind,
    /// clang's sysroot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysroot: Option<String>,
    /// How hard the compiler tries.
    pub optimize: Optimize,
    /// What is removed from what is linked.
    pub strip: Strip,
    /// What is built, in this order.
    pub components: Vec<ComponentPlan>,
    /// What is packed, when the bytes earn the wanted tag.
    pub wheels: Vec<WheelFilename>,
    /// The archives that are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<String>,
    /// The targets whose runtimes are fused into this one's, which has no components then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<TargetPlan>,
    /// Those of the wheels that take in the libraries that they need from outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<Bundle>,
}

/// A wheel that takes in the libraries that it needs and has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// The wheel.
    pub wheel: WheelFilename,
    /// Where they are looked for after the components' own, relative to the configuration.
    pub library_path: Vec<String>,
}

/// A component for one target.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentPlan {
    /// The component.
    #[serde(flatten)]
    pub component: Component,
    /// Where its source comes from for this target.
    pub from: source::Described,
    /// What the target adds.
    pub over: ComponentOverride,
}

/// Plans a run. `filenames` gives the file name of each of the configuration's wheels for a tag.
pub fn plan(
    config: &Config,
    targets: &[Target],
    filenames: impl Fn(&PlatformTag) -> Vec<WheelFilename>,
) -> Plan {
    let targets = targets.iter().map(|&target| {
        let target = config.with_floor(target);
        let slices = target.slices();
        if slices.is_empty() {
            return thin(config, target, &filenames);
        }
        let mut plan = thin(config, target, &filenames);
        // Compiled once and packed as a part of this one only.
        let slices = slices.into_iter().map(|slice| config.with_floor(slice));
        plan.slices = slices.map(|slice| thin(config, slice, &|_| Vec::new())).collect();
        plan.components.clear();
        plan
    });
    Plan { targets: targets.collect() }
}

/// The plan of a target that is compiled for.
fn thin(
    config: &Config,
    target: Target,
    filenames: &impl Fn(&PlatformTag) -> Vec<WheelFilename>,
) -> TargetPlan {
    let over = config.overrides.get(target.triple());
    let components = config.components.iter().filter(|component| component.is_for(target));
    let components = components.map(|component| ComponentPlan {
        component: component.clone(),
        from: source::Described::new(source::source_for(component, target)),
        over: over
            .and_then(|over| over.components.get(&component.name))
            .cloned()
            .unwrap_or_default(),
    });
    let wanted_tag = target.wanted_tag();
    let filenames = filenames(&wanted_tag);
    let bundles = (config.wheels.iter().zip(&filenames))
        .filter(|(wheel, _)| wheel.external == External::Bundle)
        .map(|(wheel, filename)| Bundle {
            wheel: filename.clone(),
            library_path: config.library_path(wheel, target),
        });
    TargetPlan {
        target,
        toolchain: config.toolchain_for(target),
        sysroot: over.and_then(|over| over.sysroot.clone()),
        optimize: config.optimize,
        strip: config.strip,
        components: components.collect(),
        archives: Vec::new(),
        bundles: bundles.collect(),
        slices: Vec::new(),
        wheels: filenames,
        wanted_tag,
    }
}
