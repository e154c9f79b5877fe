//! Decides which C++ runtime the files of a target use.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::config::CxxRuntime;

/// C++ runtime of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CxxPlan {
    /// `shared`, `static` or `system`.
    pub runtime: CxxRuntime,
    /// Names of the components that use C++.
    pub components: BTreeSet<String>,
    /// File name of the shared library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
}

/// Use of C++ by a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CxxUse {
    /// Name of the component.
    pub component: String,
    /// Number of its programs and shared libraries that may contain C++.
    pub files: usize,
}

/// Facts about a toolchain that the decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CxxToolchain {
    /// True if it links the system's C++ library by default.
    pub has_system: bool,
    /// True if a shared library can be compiled from its sources.
    pub can_share: bool,
}

/// Decides the C++ runtime. `groups` are the sets of components whose files are in one process: those
/// of a wheel, and those that are linked to each other. Returns `None` if no component uses C++.
///
/// # Errors
/// Returns the reason if the toolchain does not have the configured runtime.
pub fn decide(
    wanted: CxxRuntime,
    toolchain: CxxToolchain,
    uses: &[CxxUse],
    groups: &[BTreeSet<&str>],
) -> Result<Option<CxxPlan>, &'static str> {
    let CxxToolchain { has_system, can_share } = toolchain;
    let meet = groups.iter().any(|group| {
        let together = uses.iter().filter(|one| group.contains(one.component.as_str()));
        together.map(|one| one.files).sum::<usize>() > 1
    });
    let runtime = match wanted {
        CxxRuntime::System | CxxRuntime::Shared | CxxRuntime::Auto if has_system => {
            CxxRuntime::System
        }
        CxxRuntime::System => return Err("zig contains no C++ library of the system"),
        CxxRuntime::Shared if can_share => CxxRuntime::Shared,
        CxxRuntime::Shared => return Err("zig's C++ runtime can be shared on Linux only"),
        CxxRuntime::Auto if meet && can_share => CxxRuntime::Shared,
        CxxRuntime::Static | CxxRuntime::Auto => CxxRuntime::Static,
    };
    // A configured runtime is also for components whose C++ is not known before they are built.
    if uses.is_empty() && (wanted == CxxRuntime::Auto || runtime == CxxRuntime::System) {
        return Ok(None);
    }
    let components = uses.iter().map(|one| one.component.clone()).collect();
    Ok(Some(CxxPlan { runtime, components, library: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZIG: CxxToolchain = CxxToolchain { has_system: false, can_share: true };
    const ZIG_MAC: CxxToolchain = CxxToolchain { has_system: false, can_share: false };
    const GCC: CxxToolchain = CxxToolchain { has_system: true, can_share: false };

    #[test]
    fn files_that_meet_share_one_runtime() {
        use CxxRuntime::{Auto, Shared, Static, System};
        let check = |wanted, toolchain, files: &[(&str, usize)], groups: &[&[&str]], expected| {
            let uses = files.iter().map(|(component, files)| CxxUse {
                component: (*component).to_owned(),
                files: *files,
            });
            let uses: Vec<_> = uses.collect();
            let groups: Vec<BTreeSet<&str>> =
                groups.iter().map(|group| group.iter().copied().collect()).collect();
            let decided = decide(wanted, toolchain, &uses, &groups);
            let runtime = decided.map(|plan| plan.map(|plan| plan.runtime));
            assert_eq!(runtime.ok(), expected, "{wanted} {files:?} {groups:?}");
        };
        let (one, two) = (&[("a", 1)][..], &[("a", 1), ("b", 1)][..]);
        let (together, apart): (&[&[&str]], &[&[&str]]) = (&[&["a", "b"]], &[&["a"], &["b"]]);
        check(Auto, ZIG, one, together, Some(Some(Static)));
        check(Auto, ZIG, two, together, Some(Some(Shared)));
        check(Auto, ZIG, two, apart, Some(Some(Static)));
        check(Auto, ZIG, &[("a", 2)], apart, Some(Some(Shared)));
        check(Auto, ZIG, &[("a", 0), ("b", 1)], together, Some(Some(Static)));
        check(Auto, ZIG, &[], together, Some(None));
        check(Auto, ZIG_MAC, two, together, Some(Some(Static)));
        check(Auto, GCC, two, together, Some(Some(System)));
        check(Shared, ZIG, &[], together, Some(Some(Shared)));
        check(Shared, ZIG_MAC, two, together, None);
        check(Shared, GCC, two, together, Some(Some(System)));
        check(Static, ZIG, two, together, Some(Some(Static)));
        check(Static, GCC, &[], together, Some(Some(Static)));
        check(System, GCC, one, together, Some(Some(System)));
        check(System, ZIG, one, together, None);
    }
}
