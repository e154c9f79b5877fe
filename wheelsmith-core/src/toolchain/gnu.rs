//! gcc and clang: the host's own, a cross compiler, or the one that the environment names.

use std::path::{Path, PathBuf};

use crate::name::{Digest, Libc, Os, PlatformVersion, Target};
use crate::sys::{Host, fs};

use super::flags::{machine_matches, target_args};
use super::vars::{Spellings, Var, Vars};
use super::{Error, Family, Request, Tool, Toolchain, ToolchainId, ToolchainKind, host_target};

/// Programs that run the compiler named in their arguments.
const LAUNCHERS: &[&str] = &["ccache", "distcc", "icecc", "sccache"];

/// Companions of a C compiler: C++ compiler, archiver and so on.
struct Companions {
    cxx: Tool,
    ar: Tool,
    ranlib: Tool,
    nm: Option<Tool>,
    strip: Option<Tool>,
    ld: Option<Tool>,
}

pub(super) fn native(
    host: &Host,
    mut vars: Vars<'_>,
    request: &Request<'_>,
) -> Result<Toolchain, Error> {
    vars.get("PATH");
    let kind = ToolchainKind::Native;
    let hint = match host_target() {
        Some(here) if here.arch() == request.target.arch() => {
            "install a C compiler (`apt-get install gcc g++`, `xcode-select --install`)"
        }
        _ => "choose `toolchain = \"zig\"`: this target is not the machine's own",
    };
    let cc = first(host, &["cc", "gcc", "clang"])
        .ok_or_else(|| not_found(kind, request, &["cc", "gcc", "clang"], hint))?;
    let find = |names: &[&str]| first(host, names);
    let missing = |name: &str| not_found(kind, request, &[name], hint);
    let companions = Companions {
        cxx: find(&["c++", "g++", "clang++"]).unwrap_or_else(|| cc.clone()),
        ar: find(&["ar"]).ok_or_else(|| missing("ar"))?,
        ranlib: find(&["ranlib"]).ok_or_else(|| missing("ranlib"))?,
        nm: find(&["nm"]),
        strip: find(&["strip"]),
        ld: find(&["ld"]),
    };
    finish(host, vars, request, kind, cc, companions)
}

pub(super) fn cross_gcc(
    host: &Host,
    mut vars: Vars<'_>,
    request: &Request<'_>,
) -> Result<Toolchain, Error> {
    vars.get("PATH");
    let kind = ToolchainKind::CrossGcc;
    let Some(prefix) = request.target.row().gnu_prefix else {
        let hint = "choose `toolchain = \"zig\"`: distributions have no gcc for this target";
        return Err(not_found(kind, request, &[], hint));
    };
    let hint = format!(
        "install it (`apt-get install gcc-{prefix} g++-{prefix}`), or choose `toolchain = \"zig\"`"
    );
    let tool = |name: &str| host.env.find_program(format!("{prefix}-{name}")).map(Tool::new);
    let need = |name: &str| {
        tool(name).ok_or_else(|| not_found(kind, request, &[&format!("{prefix}-{name}")], &hint))
    };
    let cc = need("gcc")?;
    let companions = Companions {
        cxx: tool("g++").unwrap_or_else(|| cc.clone()),
        ar: need("ar")?,
        ranlib: need("ranlib")?,
        nm: tool("nm"),
        strip: tool("strip"),
        ld: tool("ld"),
    };
    finish(host, vars, request, kind, cc, companions)
}

pub(super) fn clang(
    host: &Host,
    mut vars: Vars<'_>,
    request: &Request<'_>,
) -> Result<Toolchain, Error> {
    vars.get("PATH");
    let kind = ToolchainKind::Clang;
    let hint = "install it (`apt-get install clang lld llvm`), or choose `toolchain = \"zig\"`";
    let need =
        |names: &[&str]| first(host, names).ok_or_else(|| not_found(kind, request, names, hint));
    let mut cc = need(&["clang"])?;
    let mut cxx = first(host, &["clang++"]).unwrap_or_else(|| cc.clone());
    let mut args = target_args(Family::Clang, &request.target);
    if let Some(sysroot) = request.sysroot {
        args.push(format!("--sysroot={}", sysroot.display()));
    }
    if matches!(request.target.os(), Os::Linux(_)) {
        need(&["ld.lld"])?;
    }
    cc.args.clone_from(&args);
    cxx.args = args;
    let companions = Companions {
        cxx,
        // GNU ar makes no index of another machine's objects.
        ar: need(&["llvm-ar"])?,
        ranlib: need(&["llvm-ranlib"])?,
        nm: first(host, &["llvm-nm"]),
        strip: first(host, &["llvm-strip"]),
        ld: first(host, &["ld.lld"]),
    };
    finish(host, vars, request, kind, cc, companions)
}

pub(super) fn from_env(
    host: &Host,
    mut vars: Vars<'_>,
    request: &Request<'_>,
) -> Result<Toolchain, Error> {
    vars.get("PATH");
    let target = &request.target;
    // A `CC` without a target is for this machine, unless `toolchain = "env"` says otherwise.
    let which =
        if request.kind == ToolchainKind::Env { Spellings::All } else { Spellings::Targeted };
    let Some(var) = vars.find("CC", target, which) else {
        let names = Vars::spellings("CC", target, which);
        return Err(Error::NotInEnv { target: *target, variables: listed(&names) });
    };
    let mut cc = tool_of(host, &var)?;
    let mut named = |base: &str| -> Result<Option<Tool>, Error> {
        vars.find(base, target, which).map(|var| tool_of(host, &var)).transpose()
    };
    let hint = format!("set `AR_{}` too", target.triple().replace('-', "_"));
    // As the `cc` crate does: the compiler's own prefix, else the plain name.
    let beside = |name: &str| {
        let cross = target.row().gnu_prefix.map(|prefix| format!("{prefix}-{name}"));
        let program = cross.and_then(|name| host.env.find_program(name));
        program.or_else(|| host.env.find_program(name)).map(Tool::new)
    };
    let missing = |name: &str| not_found(ToolchainKind::Env, request, &[name], &hint);
    let mut cxx = named("CXX")?.unwrap_or_else(|| cc.clone());
    let ar = named("AR")?.or_else(|| beside("ar")).ok_or_else(|| missing("ar"))?;
    let ranlib = named("RANLIB")?.or_else(|| beside("ranlib")).ok_or_else(|| missing("ranlib"))?;
    let nm = named("NM")?.or_else(|| beside("nm"));
    let strip = named("STRIP")?.or_else(|| beside("strip"));
    let ld = named("LD")?.or_else(|| beside("ld"));
    for (tool, base) in [(&mut cc, "CFLAGS"), (&mut cxx, "CXXFLAGS")] {
        if let Some(flags) = vars.find(base, target, which) {
            tool.args.extend(flags.value.split_whitespace().map(str::to_owned));
        }
    }
    let companions = Companions { cxx, ar, ranlib, nm, strip, ld };
    finish(host, vars, request, ToolchainKind::Env, cc, companions)
}

/// Identifies the compiler, and checks that it compiles for the target.
fn finish(
    host: &Host,
    vars: Vars<'_>,
    request: &Request<'_>,
    kind: ToolchainKind,
    mut cc: Tool,
    mut companions: Companions,
) -> Result<Toolchain, Error> {
    let target = &request.target;
    fs::create_dir_all(request.work_dir).map_err(Error::io("create", request.work_dir))?;
    let version = query(host, request, &cc, &["--version"], "its version")?;
    let family = if version.contains("ziglang") {
        Family::Zig
    } else {
        family_of(host, &cc, request.work_dir)?
    };
    let first_line = version.lines().next().unwrap_or_default().trim().to_owned();
    let mut id = format!("{kind}: {first_line}");
    let mut glibc = None;
    // zig does not support `-dumpmachine`; its target is among the user's arguments.
    if family != Family::Zig {
        let machine = query(host, request, &cc, &["-dumpmachine"], "its target")?;
        let machine = machine.trim();
        if kind != ToolchainKind::Clang && !machine_matches(machine, target) {
            if family == Family::Gcc {
                let program = compiler_of(host, &cc);
                let machine = machine.to_owned();
                return Err(Error::OtherMachine { program, machine, target: *target });
            }
            let args = target_args(family, target);
            cc.args.extend(args.clone());
            companions.cxx.args.extend(args);
        } else if target.os() == Os::MacOs && kind != ToolchainKind::Clang {
            let args = target_args(family, target);
            cc.args.extend(args.clone());
            companions.cxx.args.extend(args);
        }
        if let Os::Linux(libc) = target.os() {
            let lld = if family == Family::Clang { "-fuse-ld=lld" } else { "-Wl,--as-needed" };
            let linker = query(host, request, &cc, &[lld, "-Wl,--version"], "its linker")?;
            id.push_str("; ");
            id.push_str(linker.lines().next().unwrap_or_default().trim());
            if libc == Libc::Glibc {
                let macros = ["-E", "-dM", "-include", "features.h", "-x", "c", "/dev/null"];
                let macros = query(host, request, &cc, &macros, "its C library's headers")?;
                glibc = glibc_of(&macros);
                if let Some(version) = glibc {
                    id = format!("{id}; glibc {version}");
                }
            }
        }
    }
    if kind == ToolchainKind::Env && !cc.args.is_empty() {
        // The arguments may contain a path, so only their digest is part of the identity.
        let said = [cc.args.join("\0"), companions.cxx.args.join("\0")].join("\n");
        id = format!("{id}; arguments {}", Digest::of(said).short());
    }
    let Companions { cxx, ar, ranlib, nm, strip, ld } = companions;
    Ok(Toolchain {
        kind,
        family,
        target: *target,
        cc,
        cxx,
        ar,
        ranlib,
        nm,
        strip,
        ld,
        glibc,
        id: ToolchainId::new(id),
        read_vars: vars.into_read(),
    })
}

fn query(
    host: &Host,
    request: &Request<'_>,
    tool: &Tool,
    args: &[&str],
    what: &'static str,
) -> Result<String, Error> {
    let command = tool.command(request.work_dir, &host.env).args(args.iter().copied());
    let exec = command.run(host).map_err(|error| Error::Ask {
        program: tool.program.clone(),
        what,
        source: Box::new(error),
    })?;
    Ok(String::from_utf8_lossy(&exec.stdout).into_owned())
}

/// Returns the family of a compiler, by the macros that it defines: `cc` may be any.
fn family_of(host: &Host, cc: &Tool, work_dir: &Path) -> Result<Family, Error> {
    let program = compiler_of(host, cc);
    let other = || Error::OtherFamily { program: program.clone() };
    let here = host_target().map_or("x86_64-unknown-linux-gnu", |target| target.triple());
    // All settings are given, so that the `cc` crate does not read the environment.
    let tool = cc::Build::new()
        .compiler(&program)
        .target(here)
        .host(here)
        .opt_level(0)
        .debug(false)
        .no_default_flags(true)
        .out_dir(work_dir)
        .cargo_metadata(false)
        .cargo_warnings(false)
        .cargo_debug(false)
        .try_get_compiler()
        .map_err(|_| other())?;
    if tool.is_like_msvc() {
        Err(other())
    } else if tool.is_like_clang() {
        Ok(Family::Clang)
    } else {
        Ok(Family::Gcc)
    }
}

/// Returns the compiler behind a launcher such as ccache.
fn compiler_of(host: &Host, tool: &Tool) -> PathBuf {
    let is_launcher = tool.program.file_stem().and_then(|name| name.to_str());
    let behind = is_launcher.filter(|name| LAUNCHERS.contains(name)).and(tool.args.first());
    behind.and_then(|name| host.env.find_program(name)).unwrap_or_else(|| tool.program.clone())
}

/// Returns the program and arguments that a variable names. A path with spaces is one program if it
/// exists.
fn tool_of(host: &Host, var: &Var) -> Result<Tool, Error> {
    if let Some(program) = host.env.find_program(&var.value) {
        return Ok(Tool::new(program));
    }
    let mut words = var.value.split_whitespace();
    let program = words.next().and_then(|word| host.env.find_program(word));
    let program = program.ok_or_else(|| Error::NoSuchProgram {
        variable: var.name.clone(),
        value: var.value.clone(),
    })?;
    Ok(Tool { args: words.map(str::to_owned).collect(), ..Tool::new(program) })
}

fn first(host: &Host, names: &[&str]) -> Option<Tool> {
    names.iter().find_map(|name| host.env.find_program(name)).map(Tool::new)
}

fn not_found(kind: ToolchainKind, request: &Request<'_>, names: &[&str], hint: &str) -> Error {
    let looked_for = if names.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{} on `PATH`", listed(names))
    };
    Error::NotFound { kind, target: request.target, looked_for, hint: hint.to_owned() }
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}

/// Parses `2.36` from the macros of `features.h`.
fn glibc_of(macros: &str) -> Option<PlatformVersion> {
    let number = |name: &str| {
        let line = macros.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Some(PlatformVersion::new(number("#define __GLIBC__ ")?, number("#define __GLIBC_MINOR__ ")?))
}

/// True if `target` may be the machine's own, for the survey.
pub(super) fn may_be_native(target: &Target) -> bool {
    host_target().is_some_and(|here| {
        here.arch() == target.arch() && here.os().family() == target.os().family()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Env;

    #[test]
    fn the_headers_say_which_glibc() {
        let macros = "#define __GLIBC_MINOR__ 36\n#define x\n#define __GLIBC__ 2\n";
        assert_eq!(glibc_of(macros), Some(PlatformVersion::new(2, 36)));
        assert_eq!(glibc_of("#define __GLIBC__ 2\n"), None);
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_may_hold_arguments() {
        let mut env = Env::default();
        env.set("PATH", "/bin:/usr/bin");
        let host = Host::quiet(env);
        let check = |value: &str, expected: Option<&[&str]>| {
            let var = Var { name: "CC".into(), value: value.into() };
            let tool = tool_of(&host, &var).ok();
            let args: Option<Vec<&str>> =
                tool.as_ref().map(|tool| tool.args.iter().map(String::as_str).collect());
            assert_eq!(args.as_deref(), expected, "{value}");
        };
        check("sh", Some(&[]));
        check("/bin/sh -m64  -g", Some(&["-m64", "-g"]));
        check("no-such-program", None);
        check(" ", None);
    }
}
