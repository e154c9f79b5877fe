//! Finds zig, and describes its toolchain.

use std::path::{Path, PathBuf};

use crate::name::{Arch, Digest, Floor, PlatformVersion, Target};
use crate::sys::{Command, Host, fs};

use super::flags::target_args;
use super::vars::Vars;
use super::{Error, Family, Tool, Toolchain, ToolchainId, ToolchainKind, Zig, provision};

/// Oldest zig whose linker driver accepts our arguments.
const OLDEST: &str = "0.15.0";

/// Behaviour if there is no zig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingZig {
    /// Fetch the pinned one into the user's cache.
    Fetch,
    /// Return an error that fetching is forbidden.
    Offline,
    /// Return an error that the first build fetches it.
    Leave,
}

/// Finds zig: `explicit` or `WHEELSMITH_ZIG`, `zig` on `PATH`, one that was fetched before, the
/// `ziglang` package of a Python on `PATH`; otherwise does what `missing` says.
///
/// # Errors
/// Returns an error if none is found, or the named one does not work or is too old.
pub fn find_zig(
    host: &Host,
    target: &Target,
    explicit: Option<&Path>,
    missing: MissingZig,
) -> Result<Zig, Error> {
    find(host, &mut Vars::new(&host.env), target, explicit, missing)
}

pub(super) fn find(
    host: &Host,
    vars: &mut Vars<'_>,
    target: &Target,
    explicit: Option<&Path>,
    missing: MissingZig,
) -> Result<Zig, Error> {
    if let Some(path) = explicit {
        return named(host, "zig", &path.to_string_lossy());
    }
    if let Some(var) = vars.get("WHEELSMITH_ZIG") {
        return named(host, &var.name, &var.value);
    }
    vars.get("PATH");
    // A zig on `PATH` that does not work is no error; a later place may have a newer one.
    let mut too_old = None;
    if let Some(program) = host.env.find_program("zig") {
        match query(host, &program) {
            Ok(zig) => return Ok(zig),
            Err(error) => too_old = Some(error),
        }
    }
    let cache = host.env.cache_dir();
    let shelf = host.env.shelf_dir();
    if let Some(zig) = cache.iter().chain(&shelf).find_map(|dir| provision::fetched(dir)) {
        return Ok(zig);
    }
    if let Some(zig) = of_python(host, cache.as_deref()) {
        return Ok(zig);
    }
    match missing {
        MissingZig::Fetch => provision::fetch(host, &cache.ok_or(Error::NoCacheDir)?),
        _ => Err(too_old.unwrap_or_else(|| Error::NoZig {
            target: *target,
            looked_for: "`zig` on `PATH`, a zig that wheelsmith fetched, and the package `ziglang` of `python3` and `python`".to_owned(),
            offline: missing == MissingZig::Offline,
        })),
    }
}

fn named(host: &Host, variable: &str, value: &str) -> Result<Zig, Error> {
    let program = host.env.find_program(value).ok_or_else(|| Error::NoSuchProgram {
        variable: variable.to_owned(),
        value: value.to_owned(),
    })?;
    query(host, &program)
}

/// Runs a zig, or a launcher of one, to determine its version and real path.
fn query(host: &Host, program: &Path) -> Result<Zig, Error> {
    let what = "its version";
    // A launcher may have to find its own interpreter, so it gets the whole environment.
    let exec = Command::new(program, home_of(program), &host.env).arg("env").run(host);
    let exec = exec.map_err(|error| Error::Ask {
        program: program.into(),
        what,
        source: Box::new(error),
    })?;
    let text = String::from_utf8_lossy(&exec.stdout);
    let unreadable = || Error::Answer {
        program: program.into(),
        what,
        answer: text.lines().next().unwrap_or_default().to_owned(),
    };
    let version = field(&text, "version").ok_or_else(unreadable)?;
    let real = field(&text, "zig_exe").map_or_else(|| program.to_owned(), PathBuf::from);
    if number(&version).ok_or_else(unreadable)? < number(OLDEST).unwrap_or_default() {
        return Err(Error::OldZig { program: real, version, minimum: OLDEST });
    }
    Ok(Zig { program: real, version })
}

/// Finds the `ziglang` package of the first Python that has one. Its path is stored in the cache,
/// because running Python takes longer than a build without changes.
fn of_python(host: &Host, cache: Option<&Path>) -> Option<Zig> {
    const SCRIPT: &str = "import importlib.util as u, os; s = u.find_spec('ziglang'); \
        print(os.path.join(list(s.submodule_search_locations)[0], 'zig') if s else '')";
    for name in ["python3", "python"] {
        let Some(python) = host.env.find_program(name) else { continue };
        let memo = cache.map(|cache| {
            let key = Digest::of(python.to_string_lossy().as_bytes()).short();
            cache.join("ziglang-of").join(key)
        });
        if let Some(memo) = &memo
            && let Ok(remembered) = fs::read_to_string(memo)
            && let Ok(zig) = query(host, Path::new(remembered.trim()))
        {
            return Some(zig);
        }
        let run = Command::new(&python, home_of(&python), &host.env).args(["-c", SCRIPT]).run(host);
        let Ok(exec) = run else { continue };
        let text = String::from_utf8_lossy(&exec.stdout);
        let Some(program) = host.env.find_program(text.trim()).filter(|_| !text.trim().is_empty())
        else {
            continue;
        };
        let Ok(zig) = query(host, &program) else { continue };
        if let Some(memo) = memo {
            // The error is ignored: without the cache, the next search is only slower.
            let _ = fs::write_atomic(&memo, zig.program.to_string_lossy().as_bytes());
        }
        return Some(zig);
    }
    None
}

/// Returns a directory that exists and contains no project's files.
fn home_of(program: &Path) -> PathBuf {
    program.parent().unwrap_or(Path::new("/")).to_owned()
}

/// Returns the toolchain of `zig` for one target.
pub(super) fn toolchain(
    host: &Host,
    zig: &Zig,
    target: &Target,
    work_dir: &Path,
    vars: Vars<'_>,
) -> Result<Toolchain, Error> {
    if let (Floor::Glibc(floor), Some(oldest)) = (target.floor(), oldest_glibc(target.arch()))
        && floor < oldest
    {
        return Err(Error::Floor { target: *target, floor, oldest });
    }
    let global = host.env.cache_dir().unwrap_or_else(|| work_dir.to_owned()).join("zig");
    let caches =
        [("ZIG_GLOBAL_CACHE_DIR", global), ("ZIG_LOCAL_CACHE_DIR", work_dir.join("zig-cache"))];
    // Variables that the user set are among the compilers' variables.
    let ours = caches.into_iter().filter(|(name, _)| host.env.get(name).is_none());
    let env = ours.map(|(name, dir)| (name.to_owned(), dir.to_string_lossy().into_owned()));
    let env: std::collections::BTreeMap<_, _> = env.collect();
    let tool = |words: &[&str], target_args: Vec<String>| {
        let args = words.iter().map(|word| (*word).to_owned()).chain(target_args).collect();
        Tool { program: zig.program.clone(), args, env: env.clone() }
    };
    let target_args = target_args(Family::Zig, target);
    Ok(Toolchain {
        kind: ToolchainKind::Zig,
        family: Family::Zig,
        target: *target,
        cc: tool(&["cc"], target_args.clone()),
        cxx: tool(&["c++"], target_args),
        ar: tool(&["ar"], Vec::new()),
        ranlib: tool(&["ranlib"], Vec::new()),
        nm: lists_symbols(host, target),
        strip: None,
        ld: Some(tool(&["ld.lld"], Vec::new())),
        glibc: None,
        id: ToolchainId::new(format!("zig {}", zig.version)),
        read_vars: vars.into_read(),
    })
}

/// Finds an `nm`, which zig lacks. Build systems would search for one by the compiler's name and
/// may find that of another target. This one reads any ELF file.
fn lists_symbols(host: &Host, target: &Target) -> Option<Tool> {
    let cross = target.row().gnu_prefix.map(|prefix| format!("{prefix}-nm"));
    let names = ["llvm-nm".to_owned()].into_iter().chain(cross).chain(["nm".to_owned()]);
    names.filter_map(|name| host.env.find_program(name)).map(Tool::new).next()
}

/// Returns the oldest glibc for which zig has stubs, for processors that glibc supports only since
/// a release after 2.5. With an older floor, zig finds no headers.
fn oldest_glibc(arch: Arch) -> Option<PlatformVersion> {
    match arch {
        Arch::Aarch64 => Some(PlatformVersion::new(2, 17)),
        Arch::Ppc64le => Some(PlatformVersion::new(2, 19)),
        Arch::Riscv64 => Some(PlatformVersion::new(2, 27)),
        Arch::Loongarch64 => Some(PlatformVersion::new(2, 36)),
        _ => None,
    }
}

/// Parses `0.17.0-dev.12+abc` as numbers; the part behind the first three is ignored.
fn number(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split(['-', '+']).next()?.split('.').map(str::parse);
    Some([parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?])
}

/// Returns the value of a text field in the output of `zig env`: ZON (`.name = "x"`), in older
/// releases JSON.
fn field(text: &str, name: &str) -> Option<String> {
    let starts = [format!(".{name} = \""), format!("\"{name}\": \"")];
    let rest = starts.iter().find_map(|start| Some(text.split_once(start.as_str())?.1))?;
    let (mut bytes, mut rest) = (Vec::new(), rest.bytes());
    loop {
        match rest.next()? {
            b'"' => return String::from_utf8(bytes).ok(),
            b'\\' => match rest.next()? {
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                }
                b'n' => bytes.push(b'\n'),
                b't' => bytes.push(b'\t'),
                plain => bytes.push(plain),
            },
            plain => bytes.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zig_describes_itself() {
        let check = |text: &str, name: &str, expected: Option<&str>| {
            assert_eq!(field(text, name).as_deref(), expected);
        };
        let zon =
            ".{\n    .zig_exe = \"/a \\\"b\\\"/z\\xc3\\xbcg\",\n    .version = \"0.17.0\",\n}\n";
        check(zon, "zig_exe", Some("/a \"b\"/züg"));
        check(zon, "version", Some("0.17.0"));
        check(zon, "lib_dir", None);
        check("{\n \"zig_exe\": \"C:\\\\zig\\\\zig.exe\",\n", "zig_exe", Some("C:\\zig\\zig.exe"));
        check(".version = \"0.17", "version", None);
        check(".version = \"\\", "version", None);
    }

    #[test]
    fn versions_are_numbers() {
        let check = |text: &str, expected: Option<[u32; 3]>| assert_eq!(number(text), expected);
        check("0.17.0", Some([0, 17, 0]));
        check("0.16.0-dev.1484+d0ba6642b", Some([0, 16, 0]));
        check("0.17", None);
        check("", None);
        assert!(number("0.9.1").unwrap() < number(OLDEST).unwrap());
    }
}
