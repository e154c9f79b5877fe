//! Frameworks of macOS: they are part of Apple's SDK, which zig does not contain.

use super::{Error, Linkage, Setting};
use crate::config::Kind;
use crate::name::Os;
use crate::plan::ComponentPlan;
use crate::toolchain::Family;

/// Returns an error if a framework is missing, before anything is compiled.
pub(super) fn check(setting: &Setting<'_>) -> Result<(), Error> {
    // Apple's own compiler finds the SDK itself.
    let is_apple = setting.target().os() == Os::MacOs;
    if !is_apple || setting.toolchain.family != Family::Zig || sdk(setting).is_some() {
        return Ok(());
    }
    let missing = |plan| Some((plan, wanted(plan)?));
    match setting.plan.components.iter().find_map(missing) {
        None => Ok(()),
        Some((plan, framework)) => Err(Error::NoSdk {
            component: plan.component.name.clone(),
            target: setting.target(),
            framework,
        }),
    }
}

/// Returns the arguments by which compilers find frameworks, for a component that links to
/// `linked`.
pub(super) fn args(setting: &Setting<'_>, plan: &ComponentPlan, linked: &Linkage) -> Vec<String> {
    let is_none = wanted(plan).is_none() && linked.frameworks.is_empty();
    if setting.target().os() != Os::MacOs || is_none {
        return Vec::new();
    }
    let dir = |sdk: String| format!("-F{sdk}/System/Library/Frameworks");
    sdk(setting).map(dir).into_iter().collect()
}

/// Returns the directory of Apple's SDK: the `sysroot` of the target, or `SDKROOT`.
fn sdk(setting: &Setting<'_>) -> Option<String> {
    let own = setting.plan.sysroot.as_ref().map(|dir| setting.project.join(dir));
    let sdk = own.or_else(|| setting.host.env.path("SDKROOT"))?;
    sdk.join("System/Library/Frameworks").is_dir().then(|| sdk.to_string_lossy().into_owned())
}

/// Returns the first framework that a component links to.
fn wanted(plan: &ComponentPlan) -> Option<String> {
    let (frameworks, flags) = match &plan.component.kind {
        Kind::C(c) => (&c.frameworks[..], &c.link_flags[..]),
        Kind::Recipe(recipe) => (&[][..], &recipe.link_flags[..]),
        Kind::Bpf(_) | Kind::Cargo(_) | Kind::Go(_) | Kind::Prebuilt(_) | Kind::Files(_) => {
            return None;
        }
    };
    let all: Vec<&String> = flags.iter().chain(&plan.over.link_flags).collect();
    frameworks.first().cloned().or_else(|| named(&all))
}

fn named(flags: &[&String]) -> Option<String> {
    let by_linker = |flag: &str| Some(flag.strip_prefix("-Wl,-framework,")?.to_owned());
    flags.iter().enumerate().find_map(|(i, flag)| {
        if flag.as_str() == "-framework" {
            return flags.get(i + 1).map(|name| (*name).clone());
        }
        by_linker(flag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_name_frameworks() {
        let check = |flags: &str, expected: Option<&str>| {
            let flags: Vec<String> = flags.split(' ').map(str::to_owned).collect();
            let flags: Vec<&String> = flags.iter().collect();
            assert_eq!(named(&flags).as_deref(), expected, "{flags:?}");
        };
        check("-lm -framework CoreFoundation", Some("CoreFoundation"));
        check("-Wl,-framework,Security", Some("Security"));
        check("-lm -Wl,-s", None);
        check("-framework", None);
    }
}
