//! What there is to build with, for a person who asks.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::name::Target;
use crate::sys::{Command, Host, fs};

use super::gnu::may_be_native;
use super::locate::automatic;
use super::vars::Vars;
use super::{Error, MissingZig, Request, ToolchainId, ToolchainKind, locate};

/// What was found for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The target.
    pub target: Target,
    /// Each kind of toolchain that could serve it.
    pub toolchains: Vec<FoundToolchain>,
    /// Rust's standard library for it.
    pub rust: RustStd,
}

/// One kind of toolchain, found or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundToolchain {
    /// Which kind.
    pub kind: ToolchainKind,
    /// Whether a build takes this one unless told otherwise.
    pub automatic: bool,
    /// What was found.
    #[serde(flatten)]
    pub state: State,
}

/// Whether a toolchain is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum State {
    /// It is.
    Ready {
        /// What it is.
        id: ToolchainId,
        /// Its C compiler.
        program: PathBuf,
    },
    /// It is not.
    Missing {
        /// Why not: an error and its causes.
        reason: String,
        /// How to get it.
        hint: Option<String>,
    },
}

/// Rust's standard library for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum RustStd {
    /// It is installed for this compiler.
    Ready {
        /// What the compiler calls itself: `rustc 1.95.0 (59807616e 2026-04-14)`.
        rustc: String,
    },
    /// Some Rust components cannot be built.
    Missing {
        /// What is missing.
        reason: String,
        /// How to get it.
        hint: String,
    },
}

/// Looks for every kind of toolchain that could serve `targets`; fetches nothing. `zig` is what the
/// configuration names, `project_dir` where rustup looks for `rust-toolchain.toml`.
///
/// # Errors
/// When there is no room for a temporary directory.
pub fn survey(
    host: &Host,
    targets: &[Target],
    zig: Option<&Path>,
    project_dir: &Path,
) -> Result<Vec<Found>, Error> {
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
            FoundToolchain { kind, automatic: kind == chosen, state }
        });
        let toolchains = toolchains.collect();
        Found { target: *target, toolchains, rust: rust_std(host, target, project_dir) }
    });
    Ok(found.collect())
}

/// Whether the Rust compiler that cargo would run in `project_dir` (`RUSTC`, else `rustc`) has a
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
            return missing(error.to_string(), "install a Rust that works".to_owned());
        }
    };
    let files = fs::walk(Path::new(&libdir)).unwrap_or_default();
    if files.iter().any(|file| file.relative.starts_with("libstd-")) {
        return RustStd::Ready { rustc: version };
    }
    let triple = target.triple();
    // A rustc that rustup does not manage takes its libraries from where it came from itself.
    let by_rustup = libdir.contains("/toolchains/") || libdir.contains("\\toolchains\\");
    let hint = if by_rustup && host.env.find_program("rustup").is_some() {
        format!("run `rustup target add {triple}`")
    } else {
        format!(
            "install that library from where `{}` came, or name another compiler in `RUSTC`",
            rustc.display()
        )
    };
    missing(format!("{version} has no standard library for `{triple}`"), hint)
}

/// An error and its causes in one text.
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
        let RustStd::Missing { reason, .. } = &found.rust else { panic!("{:?}", found.rust) };
        assert_eq!(reason, "found no `rustc`");
    }
}
