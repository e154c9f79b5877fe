//! gcc of this machine as its own compiler, as a cross compiler, and as named by the environment.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::Path;

use wheelsmith_core::sys::{Env, Host, fs};
use wheelsmith_core::toolchain::{
    Error, LinkKind, MissingZig, Optimize, Request, State, Strip, Toolchain, ToolchainKind,
    Wrappers, env_for_cargo, host_target, locate, survey,
};

const ARM: &str = "aarch64-unknown-linux-gnu";

fn find(
    kind: ToolchainKind,
    target: &str,
    set: &[(&str, &str)],
    work_dir: &Path,
) -> Result<Toolchain, Error> {
    let mut env = Env::from_process();
    for (name, value) in set {
        env.set(*name, *value);
    }
    let request = Request {
        kind,
        target: target.parse().unwrap(),
        zig: None,
        sysroot: None,
        work_dir,
        missing_zig: MissingZig::Leave,
    };
    locate(&Host::quiet(env), &request)
}

/// Returns the toolchain; `None` if this machine does not have it.
fn try_find(
    kind: ToolchainKind,
    target: &str,
    set: &[(&str, &str)],
    work_dir: &Path,
) -> Option<Toolchain> {
    match find(kind, target, set, work_dir) {
        Ok(toolchain) => Some(toolchain),
        Err(error @ (Error::NotFound { .. } | Error::NoSuchProgram { .. })) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    }
}

fn builds(toolchain: &Toolchain, dir: &Path) {
    let host = Host::quiet(Env::from_process());
    fs::write_atomic(&dir.join("a.c"), b"int main(void) { return 0; }\n").unwrap();
    let run = |args: Vec<String>, more: &[&str]| {
        let command = toolchain.cc.command(dir, &host.env).args(args).args(more.iter().copied());
        let exec = command.run(&host).unwrap();
        assert_eq!(exec.stderr, "");
    };
    run(toolchain.compile_args(Optimize::O2), &["-c", "a.c", "-o", "a.o"]);
    let kind = LinkKind::Executable;
    run(toolchain.link_args(kind, Optimize::O2, Strip::All), &["a.o", "-o", "a"]);
    let kind = LinkKind::Shared { name: "liba.so.1" };
    run(toolchain.link_args(kind, Optimize::O2, Strip::Debug), &["a.o", "-o", "liba.so.1"]);
}

#[test]
fn the_hosts_own_compiler() {
    let temp = fs::temp_dir().unwrap();
    let triple = host_target().unwrap().triple();
    let Some(found) = try_find(ToolchainKind::Native, triple, &[], temp.path()) else { return };
    assert!(found.id.as_str().starts_with("native: "), "{}", found.id);
    builds(&found, temp.path());
    // A program and nothing else needs no wrapper.
    let program = Path::new("wheelsmith");
    let wrappers = Wrappers::for_others(&found, temp.path(), &[], false, program);
    wrappers.write().unwrap();
    assert_eq!(wrappers.cc, found.cc.program);
    let env = env_for_cargo(&found, &wrappers);
    assert!(env.values().any(|path| Path::new(path) == found.cc.program));

    let error = find(ToolchainKind::Native, "s390x-unknown-linux-gnu", &[], temp.path());
    assert!(matches!(error, Err(Error::OtherMachine { .. })));
}

#[test]
fn a_cross_compiler_says_which_glibc_it_links() {
    let temp = fs::temp_dir().unwrap();
    let Some(found) = try_find(ToolchainKind::CrossGcc, ARM, &[], temp.path()) else { return };
    let glibc = found.glibc.unwrap();
    let id = found.id.as_str();
    assert!(id.starts_with("cross-gcc: aarch64-linux-gnu-gcc"), "{id}");
    assert!(id.ends_with(&format!("; glibc {glibc}")) && !id.contains('/'), "{id}");
    builds(&found, temp.path());
}

#[test]
fn the_environment_names_a_compiler_with_arguments() {
    let temp = fs::temp_dir().unwrap();
    let name = "CC_aarch64_unknown_linux_gnu";
    let set = [(name, "aarch64-linux-gnu-gcc -DX=1"), ("TARGET_CFLAGS", "-DY=2")];
    let Some(found) = try_find(ToolchainKind::Auto, ARM, &set, temp.path()) else { return };
    assert_eq!(found.kind, ToolchainKind::Env);
    assert_eq!(found.cc.args, ["-DX=1", "-DY=2"]);
    assert!(found.read_vars.contains(name) && found.read_vars.contains("TARGET_AR"));
    builds(&found, temp.path());
    // Arguments are part of what decides the output.
    let plain = [(name, "aarch64-linux-gnu-gcc")];
    let plain = find(ToolchainKind::Auto, ARM, &plain, temp.path()).unwrap();
    assert_ne!(plain.id, found.id);
    let program = Path::new("wheelsmith");
    let wrappers = Wrappers::for_others(&found, temp.path(), &[], false, program);
    wrappers.write().unwrap();
    assert_ne!(wrappers.cc, found.cc.program);
    assert!(fs::read_to_string(&wrappers.cc).unwrap().contains(" '-DX=1' '-DY=2' $pie \"$@\"\n"));

    let error = find(ToolchainKind::Auto, ARM, &[(name, "gcc")], temp.path()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("not for `aarch64-unknown-linux-gnu`"), "{text}");
}

#[test]
fn a_survey_lists_every_kind() {
    let host = Host::quiet(Env::from_process());
    let targets = [host_target().unwrap(), ARM.parse().unwrap()];
    let found = survey(&host, &targets, None, Path::new("/")).unwrap();
    assert_eq!(found.len(), 2);
    for target in &found {
        assert_eq!(target.toolchains.iter().filter(|kind| kind.automatic).count(), 1);
        for kind in &target.toolchains {
            match &kind.state {
                State::Ready { id, .. } => assert!(!id.as_str().contains('\n')),
                State::Missing { reason, .. } => assert!(!reason.is_empty()),
            }
        }
    }
    eprintln!("{}", serde_json::to_string_pretty(&found).unwrap());
}
