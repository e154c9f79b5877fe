//! Chooses a toolchain for a target on this machine.

use crate::name::{Os, Target};
use crate::sys::Host;

use super::vars::{Spellings, Vars};
use super::{Error, Request, Toolchain, ToolchainKind, gnu, zig};

/// Finds the toolchain that `request` asks for.
///
/// # Errors
/// Returns an error if none is found, or the named one does not work or compiles for another
/// target.
pub fn locate(host: &Host, request: &Request<'_>) -> Result<Toolchain, Error> {
    let mut vars = Vars::new(&host.env);
    let target = &request.target;
    let kind = match request.kind {
        ToolchainKind::Auto => automatic(&mut vars, target),
        kind => kind,
    };
    let toolchain = match kind {
        ToolchainKind::Auto | ToolchainKind::Zig => {
            let zig = zig::find(host, &mut vars, target, request.zig, request.missing_zig)?;
            zig::toolchain(host, &zig, target, request.work_dir, vars)?
        }
        ToolchainKind::Env => gnu::from_env(host, vars, request)?,
        ToolchainKind::Native => gnu::native(host, vars, request)?,
        ToolchainKind::CrossGcc => gnu::cross_gcc(host, vars, request)?,
        ToolchainKind::Clang => gnu::clang(host, vars, request)?,
    };
    host.detail(|| {
        let program = toolchain.cc.program.display();
        format!("{target}: {} at `{program}`", toolchain.id)
    });
    Ok(toolchain)
}

/// Returns the kind that `auto` stands for. A distribution's gcc links against the glibc of that
/// distribution, so on Linux zig comes before the host's own compiler even if the target is the
/// host.
pub(super) fn automatic(vars: &mut Vars<'_>, target: &Target) -> ToolchainKind {
    if vars.find("CC", target, Spellings::Targeted).is_some() {
        ToolchainKind::Env
    } else if target.os() == Os::MacOs && cfg!(target_os = "macos") {
        ToolchainKind::Native
    } else {
        ToolchainKind::Zig
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sys::Env;
    use crate::toolchain::MissingZig;

    #[test]
    fn the_environment_comes_before_zig() {
        let target: Target = "aarch64-unknown-linux-gnu".parse().unwrap();
        let check = |set: &[&str], expected| {
            let pairs = set.iter().map(|name| ((*name).to_owned(), "cc".to_owned()));
            let env: Env = pairs.collect();
            assert_eq!(automatic(&mut Vars::new(&env), &target), expected, "{set:?}");
        };
        check(&[], ToolchainKind::Zig);
        check(&["CC"], ToolchainKind::Zig);
        check(&["CC_aarch64_unknown_linux_gnu"], ToolchainKind::Env);
        check(&["TARGET_CC"], ToolchainKind::Env);
        check(&["CC_x86_64_unknown_linux_gnu"], ToolchainKind::Zig);
    }

    fn error(kind: ToolchainKind, set: &[(&str, &str)]) -> Error {
        let pairs = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let env: Env = pairs.collect();
        let request = Request {
            kind,
            target: "aarch64-unknown-linux-gnu".parse().unwrap(),
            zig: None,
            sysroot: None,
            work_dir: Path::new("/nonexistent"),
            missing_zig: MissingZig::Offline,
        };
        locate(&Host::quiet(env), &request).unwrap_err()
    }

    #[test]
    fn what_is_missing_is_said_with_a_way_out() {
        let check = |kind, set: &[(&str, &str)], text: &str, hint: &str| {
            let error = error(kind, set);
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{:?}", error.hint());
        };
        check(ToolchainKind::Auto, &[], "found no zig for `aarch64", "without `--offline`");
        check(
            ToolchainKind::Zig,
            &[("WHEELSMITH_ZIG", "/nonexistent/zig")],
            "`WHEELSMITH_ZIG` names `/nonexistent/zig`, which is not a program",
            "correct `WHEELSMITH_ZIG`",
        );
        check(
            ToolchainKind::CrossGcc,
            &[],
            "looked for `aarch64-linux-gnu-gcc`",
            "apt-get install gcc-aarch64-linux-gnu",
        );
        check(ToolchainKind::Clang, &[], "looked for `clang`", "clang");
        check(ToolchainKind::Env, &[], "`CC_aarch64_unknown_linux_gnu`", "set `CC_");
        check(
            ToolchainKind::Auto,
            &[("TARGET_CC", "no-such-gcc -O2")],
            "`TARGET_CC` names `no-such-gcc -O2`",
            "correct `TARGET_CC`",
        );
    }

    #[test]
    fn this_machine_is_in_the_table() {
        assert!(crate::name::host_target().is_some());
    }
}
