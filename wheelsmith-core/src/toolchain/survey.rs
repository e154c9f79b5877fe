//! Lists the compilers of this machine.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::name::Target;
use crate::sys::{Command, Host, fs};

use super::gnu::may_be_native;
use super::locate::automatic;
use super::vars::Vars;
use super::{Error, MissingZig, Request, ToolchainId, ToolchainKind, locate};

/// Toolchains of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetSurvey {
    /// Target.
    pub target: Target,
    /// Kinds of toolchains that may support it.
    pub toolchains: Vec<ToolchainSurvey>,
    /// Rust's standard library; `None` if the project does not need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rust: Option<RustStd>,
}

/// Kind of toolchain, found or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolchainSurvey {
    /// Kind.
    pub kind: ToolchainKind,
    /// True if `auto` chooses it.
    pub automatic: bool,
    /// True if it was found.
    #[serde(flatten)]
    pub state: State,
}

/// State of a toolchain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum State {
    /// Found.
    Ready {
        /// Identity.
        id: ToolchainId,
        /// C compiler.
        program: PathBuf,
    },
    /// Not found.
    Missing {
        /// Error with its causes.
        reason: String,
        /// Installation instructions.
        hint: Option<String>,
    },
}

/// Rust's standard library for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum RustStd {
    /// Installed for this compiler.
    Ready {
        /// Version of the compiler: `rustc 1.95.0 (59807616e 2026-04-14)`.
        rustc: String,
    },
    /// Not installed: Rust components cannot be built.
    Missing {
        /// Missing part, in words.
        reason: String,
        /// Installation instructions.
        hint: String,
    },
}

/// Searches for every kind of toolchain that may support `targets`, without fetching any. `zig` is
/// the one that the configuration names; rustup searches for `rust-toolchain.toml` in
/// `project_dir`.
///
/// # Errors
/// Returns an error if a temporary directory cannot be created.
pub fn survey(
    host: &Host,
    targets: &[Target],
    zig: Option<&Path>,
    project_dir: &Path,
) -> Result<Vec<TargetSurvey>, Error> {
    let temp = fs::temp_dir().map_err(Error::io("create", "a temporary directory"))?;
    let found = targets.iter().map(|target| {
        let chosen = automatic(&mut Vars::new(&host.env), target);
        let mut kinds = vec![ToolchainKind::Zig];
        if may_be_native(target) {
            kinds.push(ToolchainKind::Native);
        }
        if target.row().gnu_prefix.is_some() {
            kinds.push(ToolchainKind::CrossGcc);
        }
        kinds.push(ToolchainKind::Clang);
        if chosen == ToolchainKind::Env {
            kinds.push(ToolchainKind::Env);
        }
        let toolchains = kinds.into_iter().map(|kind| {
            let missing_zig = MissingZig::Leave;
            let work_dir = temp.path();
            let target = *target;
            let request = Request { kind, target, zig, sysroot: None, work_dir, missing_zig };
            let state = match locate(host, &request) {
                Ok(found) => State::Ready { id: found.id, program: found.cc.program },
                Err(error) => State::Missing { reason: chain(&error), hint: error.hint() },
            };
            ToolchainSurvey { kind, automatic: kind == chosen, state }
        });
        let toolchains = toolchains.collect();
        TargetSurvey {
            target: *target,
            toolchains,
            rust: Some(rust_std(host, target, project_dir)),
        }
    });
    Ok(found.collect())
}

/// Returns whether the Rust compiler that cargo runs in `project_dir` (`RUSTC`, else `rustc`) has a
/// standard library for `target`.
pub fn rust_std(host: &Host, target: &Target, project_dir: &Path) -> RustStd {
    let name = host.env.get("RUSTC").unwrap_or("rustc");
    let missing = |reason: String, hint: String| RustStd::Missing { reason, hint };
    let Some(rustc) = host.env.find_program(name) else {
        let hint =
            if name == "rustc" { "install Rust" } else { "correct `RUSTC`, or leave it out" };
        return missing(format!("found no `{name}`"), hint.to_owned());
    };
    let ask = |args: &[&str]| {
        let exec = Command::new(&rustc, project_dir, &host.env).args(args.iter().copied());
        let exec = exec.run(host)?;
        Ok(String::from_utf8_lossy(&exec.stdout).trim().to_owned())
    };
    let asked: Result<_, crate::sys::ProcessError> = ask(&["--version"]).and_then(|version| {
        let args = ["--print", "target-libdir", "--target", target.triple()];
        Ok((version, ask(&args)?))
    });
    let (version, libdir) = match asked {
        Ok(answers) => answers,
        Err(error) => {
            return missing(error.to_string(), "reinstall Rust".to_owned());
        }
    };
    let files = fs::walk(Path::new(&libdir)).unwrap_or_default();
    if files.iter().any(|file| file.relative.starts_with("libstd-")) {
        return RustStd::Ready { rustc: version };
    }
    let triple = target.triple();
    // A rustc that rustup does not manage gets its libraries from its own distribution.
    let by_rustup = libdir.contains("/toolchains/") || libdir.contains("\\toolchains\\");
    let hint = if by_rustup && host.env.find_program("rustup").is_some() {
        format!("run `rustup target add {triple}`")
    } else {
        format!(
            "install that library from the source of `{}`, or name another compiler in `RUSTC`",
            rustc.display()
        )
    };
    missing(format!("{version} has no standard library for `{triple}`"), hint)
}

/// Joins an error and its causes to one text.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Env;

    #[test]
    fn an_empty_machine_has_nothing_and_says_how_to_get_it() {
        let host = Host::quiet(Env::default());
        let target: Target = "aarch64-unknown-linux-gnu".parse().unwrap();
        let found = survey(&host, &[target], None, Path::new("/")).unwrap().remove(0);
        let automatic: Vec<_> = found.toolchains.iter().filter(|kind| kind.automatic).collect();
        assert_eq!(automatic[0].kind, ToolchainKind::Zig);
        for kind in &found.toolchains {
            let State::Missing { hint: Some(_), .. } = &kind.state else { panic!("{kind:?}") };
        }
        let Some(RustStd::Missing { reason, .. }) = &found.rust else { panic!("{:?}", found.rust) };
        assert_eq!(reason, "found no `rustc`");
    }
}
