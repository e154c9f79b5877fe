//! Wheels that a configured wheel becomes: one for each ABI of its extension modules.

use super::{BuildOptions, Error};
use crate::config::{Component, Config, Kind, Wheel};
use crate::name::{PythonAbi, PythonVersion, Target};

/// Content of a wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything.
    Whole,
    /// The runtime, for every Python.
    Runtime,
    /// Extension modules and Python files, which require the wheel with the runtime.
    Extensions,
}

/// One of the wheels that a configured wheel becomes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variant {
    /// Configured wheel, with the name, tag and components of this one.
    pub(crate) wheel: Wheel,
    /// Content.
    pub(crate) part: Part,
    /// ABI of its extension modules, if it has any.
    pub(crate) abi: Option<PythonAbi>,
}

impl Variant {
    /// Returns a wheel that has everything and no extension modules.
    fn plain(wheel: &Wheel) -> Self {
        Self { wheel: wheel.clone(), part: Part::Whole, abi: None }
    }
}

/// Returns the components of `wheel` that are built for `target`.
fn components<'c>(
    config: &'c Config,
    wheel: &Wheel,
    target: Target,
) -> impl Iterator<Item = &'c Component> {
    let slice = target.compiled().first().copied().unwrap_or(target);
    config
        .components
        .iter()
        .filter(move |component| component.is_for(slice))
        .filter(|component| wheel.components.contains(&component.name))
}

/// Returns the wheels that `wheel` becomes for `target`.
///
/// # Errors
/// Returns an error if the options name a Python that the extension modules are not for.
pub(crate) fn variants(
    config: &Config,
    options: &BuildOptions,
    wheel: &Wheel,
    target: Target,
) -> Result<Vec<Variant>, Error> {
    let carried: Vec<&Component> = components(config, wheel, target).collect();
    let mut abis: Vec<PythonAbi> = Vec::new();
    for abi in carried.iter().flat_map(|c| c.extensions()).flat_map(|extension| &extension.abis) {
        if !abis.contains(abi) {
            abis.push(*abi);
        }
    }
    if abis.is_empty() {
        return Ok(vec![Variant::plain(wheel)]);
    }
    // An installer builds one wheel, which must not require another that no index has.
    let is_split = wheel.split && options.python.is_none() && !options.editable;
    if let Some(python) = options.python {
        let name = || wheel.name.to_string();
        let best = best(&abis, python).ok_or_else(|| Error::NoPython {
            wheel: name(),
            python,
            known: abis.clone(),
        })?;
        abis = vec![best];
    }
    let named = |components: &dyn Fn(&Component) -> bool| {
        carried.iter().filter(|c| components(c)).map(|c| c.name.clone()).collect()
    };
    let mut variants = Vec::new();
    if is_split {
        let mut runtime = wheel.clone();
        runtime.name = wheel.runtime_name();
        runtime.components = named(&has_other_files);
        variants.push(Variant { wheel: runtime, part: Part::Runtime, abi: None });
    }
    for abi in abis {
        let mut own = wheel.clone();
        own.tag = abi.tag();
        if is_split {
            own.components = named(&|component| !component.extensions().is_empty());
        }
        let part = if is_split { Part::Extensions } else { Part::Whole };
        variants.push(Variant { wheel: own, part, abi: Some(abi) });
    }
    Ok(variants)
}

/// True if a component is built to other files than extension modules.
fn has_other_files(component: &Component) -> bool {
    match &component.kind {
        Kind::Cargo(cargo) => cargo.artifacts.len() > cargo.extensions().count(),
        Kind::C(c) => c.extension.is_none(),
        Kind::Bpf(_) | Kind::Go(_) | Kind::Prebuilt(_) | Kind::Files(_) | Kind::Recipe(_) => true,
    }
}

/// Returns the ABI whose wheel `python` imports: its own, or the newest stable one.
fn best(abis: &[PythonAbi], python: PythonVersion) -> Option<PythonAbi> {
    let wanted = PythonAbi::Version(python);
    let serving = abis.iter().filter(|abi| abi.serves(&wanted));
    serving.max_by_key(|abi| (**abi == wanted, abi.oldest())).copied()
}

/// Removes the ABIs that no planned wheel has from the extension modules of a component.
pub(super) fn keep_used(component: &mut Component, used: &[PythonAbi]) {
    let keep = |extension: &mut crate::config::Extension| {
        let needed: Vec<PythonAbi> =
            used.iter().filter_map(|abi| extension.abi_for(abi)).copied().collect();
        extension.abis.retain(|abi| needed.contains(abi));
    };
    match &mut component.kind {
        Kind::C(c) => c.extension.iter_mut().for_each(keep),
        Kind::Cargo(cargo) => cargo.extensions_mut().for_each(keep),
        Kind::Bpf(_) | Kind::Go(_) | Kind::Prebuilt(_) | Kind::Files(_) | Kind::Recipe(_) => {}
    }
}
