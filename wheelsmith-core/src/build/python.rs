//! Files of a Python with which extension modules are compiled and linked: headers, import
//! libraries of Windows, and the description that pyo3 reads.
//!
//! No Python is run. For the stable ABI, the headers of any newer release are used, with a
//! `pyconfig.h` that takes the facts of the target from the compiler.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Error, Setting};
use crate::name::{Os, PlatformVersion, PythonAbi, PythonVersion, host_target};
use crate::policy::stable_abi;
use crate::sys::{self, Command};
use crate::toolchain::Family;

/// `pyconfig.h` for the limited API, for every target.
const PYCONFIG: &str = include_str!("pyconfig.h");

/// Headers and libraries for one ABI, and how they are made.
pub(super) struct PythonFiles {
    /// Arguments of compilations.
    pub(super) args: Vec<String>,
    /// Import library of Windows.
    pub(super) library: Option<ImportLibrary>,
    /// Release of the headers, such as `3.11.7`.
    pub(super) release: String,
    headers: Headers,
    to: PathBuf,
    is_stable: bool,
}

/// Import library of Python on Windows.
pub(super) struct ImportLibrary {
    /// Path.
    pub(super) path: PathBuf,
    /// Definition file, its text and the command that makes the library of it; `None` if it is part
    /// of a Python.
    pub(super) made: Option<(PathBuf, String, Command)>,
}

/// Directory of headers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Headers {
    /// Directory with `Python.h`.
    dir: PathBuf,
    /// Directory of the installation.
    prefix: PathBuf,
    /// Release and build variant.
    python: PythonVersion,
    /// Full version: `3.11.7`.
    release: String,
}

/// Finds the files for `abi`. Nothing is written.
///
/// # Errors
/// Returns an error if no Python on this machine or in `python-root` has them.
pub(super) fn find(
    setting: &Setting<'_>,
    component: &str,
    abi: PythonAbi,
) -> Result<PythonFiles, Error> {
    let target = setting.target();
    let missing = |what: String, hint: &str| Error::NoPythonFiles {
        component: component.to_owned(),
        target,
        what,
        hint: hint.to_owned(),
    };
    let is_stable = abi.is_stable();
    let roots = setting.config.python_roots(target).into_iter();
    let roots = roots.map(|root| setting.project.join(root));
    let mut prefixes: Vec<PathBuf> = roots.flat_map(|root| with_usr(&root)).collect();
    // The limited API does not depend on the machine that the headers are from.
    if is_stable || host_target().is_some_and(|host| host.triple() == target.triple()) {
        prefixes.extend(installed(setting));
    }
    let mut found: Vec<Headers> = prefixes.iter().flat_map(|prefix| headers(prefix)).collect();
    found.retain(|headers| match abi {
        PythonAbi::Abi3(from) | PythonAbi::Abi3t(from) => {
            !headers.python.is_pypy && headers.python.version >= from
        }
        PythonAbi::Version(python) => headers.python == python,
    });
    // The oldest headers offer the least that the floor lacks; the first place wins.
    found.sort_by_key(|headers| (headers.python.version, headers.python.free_threaded));
    let Some(headers) = found.into_iter().next() else {
        return Err(match abi {
            PythonAbi::Abi3(from) | PythonAbi::Abi3t(from) => missing(
                format!("headers of Python {from} or newer"),
                "install the headers of any such Python (Debian: `python3-dev`), or name a \
                 directory with one in `python-root`",
            ),
            PythonAbi::Version(python) => missing(
                format!("headers of Python {python}"),
                "install that Python with its headers, or name a directory that has it for this \
                 target in `[tool.wheelsmith.target.<triple>] python-root`",
            ),
        });
    };
    let to = setting.work.join("python").join(abi.to_string());
    let mut args = vec![format!("-I{}", to.join("include").display())];
    match abi {
        PythonAbi::Abi3(from) => args.push(format!("-DPy_LIMITED_API={}", hex(from))),
        PythonAbi::Abi3t(from) => args.push(format!("-DPy_TARGET_ABI3T={}", hex(from))),
        // On Windows one `pyconfig.h` serves both builds.
        PythonAbi::Version(python) if python.free_threaded && target.os() == Os::Windows => {
            args.push("-DPy_GIL_DISABLED=1".to_owned());
        }
        PythonAbi::Version(_) => {}
    }
    // Paths in `__FILE__` do not depend on the checkout.
    args.push(format!("-ffile-prefix-map={}=build", setting.work.display()));
    let library = match (target.os(), abi) {
        (Os::Windows, PythonAbi::Version(python)) => {
            let name = format!("python{}.lib", python.library_version().replace('.', ""));
            let path = headers.prefix.join("libs").join(&name);
            if !path.is_file() {
                let hint = "name the directory of a Python for Windows in `python-root`";
                return Err(missing(format!("`{}`", path.display()), hint));
            }
            Some(ImportLibrary { path, made: None })
        }
        (Os::Windows, _) => import_library(setting, component, abi)?,
        _ => None,
    };
    let release = headers.release.clone();
    Ok(PythonFiles { args, library, release, headers, to, is_stable })
}

/// Returns a release as the macros of Python have it: `0x03090000`.
fn hex(version: PlatformVersion) -> String {
    format!("0x{:02x}{:02x}0000", version.major, version.minor)
}

/// Returns the import library of the stable ABI; `None` for other systems than Windows.
pub(super) fn import_library(
    setting: &Setting<'_>,
    component: &str,
    abi: PythonAbi,
) -> Result<Option<ImportLibrary>, Error> {
    let target = setting.target();
    if target.os() != Os::Windows || !abi.is_stable() {
        return Ok(None);
    }
    let library = if abi.is_free_threaded() { "python3t" } else { "python3" };
    let dir = setting.work.join("python").join(abi.to_string()).join("lib");
    let (definition, path) =
        (dir.join(format!("{library}.def")), dir.join(format!("lib{library}.a")));
    let exports: String = stable_abi::symbols(abi.oldest(), true)
        .into_iter()
        .map(|name| format!("    {name}\n"))
        .collect();
    let text = format!("LIBRARY \"{library}.dll\"\nEXPORTS\n{exports}");
    let host = setting.host;
    let toolchain = setting.toolchain;
    let command = if toolchain.family == Family::Zig {
        let zig =
            crate::toolchain::Tool { args: vec!["dlltool".to_owned()], ..toolchain.cc.clone() };
        zig.command(setting.work, &host.env)
    } else {
        let prefix = target.row().gnu_prefix.map(|prefix| format!("{prefix}-dlltool"));
        let mut names = prefix.into_iter().chain(["dlltool".to_owned(), "llvm-dlltool".to_owned()]);
        let program = names.find_map(|name| host.env.find_program(&name));
        let program = program.ok_or_else(|| Error::NoTool {
            component: component.to_owned(),
            tool: "dlltool".to_owned(),
            hint: "install the binutils of the target, or use `toolchain = \"zig\"`".to_owned(),
        })?;
        Command::new(program, setting.work, &host.env.for_compilers())
    };
    let machine = match target.arch() {
        crate::name::Arch::Aarch64 => "arm64",
        crate::name::Arch::I686 => "i386",
        _ => "i386:x86-64",
    };
    let command = command
        .arg("-d")
        .arg(definition.to_string_lossy())
        .arg("-l")
        .arg(path.to_string_lossy())
        .args(["-m", machine]);
    Ok(Some(ImportLibrary { path, made: Some((definition, text, command)) }))
}

impl ImportLibrary {
    /// Makes the library, if it is not one of a Python and not current.
    pub(super) fn make(&self, setting: &Setting<'_>, component: &str) -> Result<(), Error> {
        let Some((definition, text, command)) = &self.made else { return Ok(()) };
        let is_current = self.path.is_file()
            && sys::fs::read_to_string(definition).is_ok_and(|old| old == *text);
        if is_current {
            return Ok(());
        }
        let target = setting.target();
        let io = |source| Error::Io { component: component.to_owned(), target, source };
        let dir = definition.parent().unwrap_or(setting.work);
        sys::fs::create_dir_all(dir).map_err(io)?;
        let _ = sys::fs::remove_file(&self.path);
        sys::fs::write_atomic(definition, text.as_bytes()).map_err(io)?;
        command.run(setting.host).map(drop).map_err(|source| Error::Link {
            component: component.to_owned(),
            target,
            source,
        })
    }
}

impl PythonFiles {
    /// Copies the headers, without the facts of the machine that they are from if the ABI is stable,
    /// and makes the import library.
    pub(super) fn write(&self, setting: &Setting<'_>, component: &str) -> Result<(), Error> {
        let target = setting.target();
        let io = |source| Error::Io { component: component.to_owned(), target, source };
        let to = self.to.join("include");
        let mut kept = BTreeSet::new();
        let mut put = |relative: &str, bytes: &[u8]| {
            let path = to.join(relative);
            kept.insert(relative.to_owned());
            // An unchanged file keeps its time.
            if sys::fs::read(&path).is_ok_and(|old| old == bytes) {
                return Ok(());
            }
            sys::fs::write_atomic(&path, bytes).map(drop)
        };
        let Headers { dir, prefix, .. } = &self.headers;
        for file in sys::fs::walk(dir).map_err(io)? {
            let is_config = file.relative == "pyconfig.h";
            if !(is_config && self.is_stable) {
                let bytes = sys::fs::read(&file.path).map_err(io)?;
                put(&file.relative, &bytes).map_err(io)?;
            }
        }
        if self.is_stable {
            put("pyconfig.h", PYCONFIG.as_bytes()).map_err(io)?;
        } else if let Some(name) = dir.file_name() {
            // Debian's `pyconfig.h` includes that of the processor.
            for system in sys::fs::list(&prefix.join("include")).unwrap_or_default() {
                let own = system.join(name).join("pyconfig.h");
                if let (Ok(bytes), Some(system)) = (sys::fs::read(&own), system.file_name()) {
                    let (system, name) = (system.to_string_lossy(), name.to_string_lossy());
                    put(&format!("{system}/{name}/pyconfig.h"), &bytes).map_err(io)?;
                }
            }
        }
        for file in sys::fs::walk(&to).map_err(io)? {
            if !kept.contains(&file.relative) {
                sys::fs::remove_file(&file.path).map_err(io)?;
            }
        }
        match &self.library {
            Some(library) => library.make(setting, component),
            None => Ok(()),
        }
    }
}

/// Returns a directory, and the directories in it that a system installs to.
fn with_usr(root: &Path) -> Vec<PathBuf> {
    vec![root.to_owned(), root.join("usr"), root.join("usr/local")]
}

/// Returns the directories in which the Pythons of this machine are installed.
fn installed(setting: &Setting<'_>) -> Vec<PathBuf> {
    let programs = sys::pythons::programs(&setting.host.env);
    let mut prefixes = Vec::new();
    for program in programs {
        let real = sys::fs::canonicalize(&program).unwrap_or(program);
        let dir = real.parent().unwrap_or(Path::new("/")).to_owned();
        // On Windows the program is in the directory itself.
        for prefix in [dir.parent().map(Path::to_owned), Some(dir)].into_iter().flatten() {
            if !prefixes.contains(&prefix) {
                prefixes.push(prefix);
            }
        }
    }
    prefixes
}

/// Returns the headers in an installation.
fn headers(prefix: &Path) -> Vec<Headers> {
    let include = prefix.join("include");
    let mut dirs = vec![include.clone()];
    let mut below = sys::fs::list(&include).unwrap_or_default();
    below.sort();
    let is_pythons = |dir: &PathBuf| {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("python3") || name.starts_with("pypy3")
    };
    dirs.extend(below.into_iter().filter(is_pythons));
    dirs.into_iter().filter_map(|dir| described(dir, prefix)).collect()
}

/// Returns the headers in `dir`, if there are any.
fn described(dir: PathBuf, prefix: &Path) -> Option<Headers> {
    if !dir.join("Python.h").is_file() {
        return None;
    }
    let text = sys::fs::read_to_string(dir.join("patchlevel.h")).ok()?;
    let release = quoted(&text, "PY_VERSION")?;
    let mut parts = release.split('.');
    let version = format!("{}.{}", parts.next()?, parts.next()?).parse().ok()?;
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let python = PythonVersion {
        is_pypy: text.contains("PYPY_VERSION"),
        version,
        free_threaded: name.starts_with("python3") && name.ends_with('t'),
    };
    Some(Headers { dir, prefix: prefix.to_owned(), python, release: release.to_owned() })
}

/// Returns the text that a macro is defined as.
fn quoted<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("#define")?.trim().strip_prefix(name)?;
        rest.strip_prefix(char::is_whitespace)?.trim().strip_prefix('"')?.split('"').next()
    })
}

/// Returns the text of the file that describes a Python to pyo3 (`PYO3_CONFIG_FILE`), so that it
/// looks for none. The features of pyo3 decide whether the module keeps to the stable ABI.
#[cfg(feature = "cargo")]
pub(super) fn pyo3_config(
    abi: PythonAbi,
    target: &crate::name::Target,
    library_dir: Option<&Path>,
) -> String {
    use std::fmt::Write as _;

    let is_pypy = matches!(abi, PythonAbi::Version(python) if python.is_pypy);
    let is_free_threaded = abi.is_free_threaded() && !abi.is_stable();
    let is_narrow = matches!(target.arch(), crate::name::Arch::I686 | crate::name::Arch::Armv7l);
    let width = if is_narrow { 32 } else { 64 };
    let mut text = format!(
        "implementation={}\nversion={}\nshared=true\npointer_width={width}\nbuild_flags={}\n\
         suppress_build_script_link_lines={}\n",
        if is_pypy { "PyPy" } else { "CPython" },
        abi.oldest(),
        if is_free_threaded { "Py_GIL_DISABLED" } else { "" },
        target.os() != Os::Windows,
    );
    if target.os() == Os::Windows {
        let version = match abi {
            PythonAbi::Abi3(_) => "3".to_owned(),
            PythonAbi::Abi3t(_) => "3t".to_owned(),
            PythonAbi::Version(python) => python.library_version().replace('.', ""),
        };
        let _ = writeln!(text, "lib_name=python{version}");
        if let Some(dir) = library_dir {
            let _ = writeln!(text, "lib_dir={}", dir.display());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_their_release() {
        let check = |path: &str, patchlevel: &str, expected: Option<&str>| {
            let root = sys::fs::temp_dir().unwrap();
            let dir = root.path().join("include").join(path);
            sys::fs::write_atomic(&dir.join("Python.h"), b"").unwrap();
            sys::fs::write_atomic(&dir.join("patchlevel.h"), patchlevel.as_bytes()).unwrap();
            let found = headers(root.path());
            let found = found.first().map(|h| format!("{} {}", h.python, h.release));
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        let of = |version: &str| format!("/* x */\n#define PY_VERSION      \t\"{version}\"\n");
        check("python3.11", &of("3.11.7"), Some("3.11 3.11.7"));
        check("python3.13t", &of("3.13.0rc1+"), Some("3.13t 3.13.0rc1+"));
        check("", &of("3.12.1"), Some("3.12 3.12.1"));
        let pypy = of("3.11.13") + "#define PYPY_VERSION \"7.3.20\"\n";
        check("pypy3.11", &pypy, Some("pypy3.11 3.11.13"));
        check("python3.11", "#define PY_VERSION_HEX 0\n", None);
        check("python2.7", &of("2.7.18"), None);
        check("numpy", &of("3.11.7"), None);
    }

    #[cfg(feature = "cargo")]
    #[test]
    fn pyo3_is_told_of_the_python() {
        let check = |abi: &str, target: &str, expected: &[&str], absent: &[&str]| {
            let dir = Path::new("/w/lib");
            let text = pyo3_config(abi.parse().unwrap(), &target.parse().unwrap(), Some(dir));
            let lines: Vec<&str> = text.lines().collect();
            for line in expected {
                assert!(lines.contains(line), "{abi} {target}: no `{line}` in\n{text}");
            }
            for start in absent {
                assert!(!text.contains(start), "{abi} {target}: `{start}` in\n{text}");
            }
        };
        let linux = "aarch64-unknown-linux-gnu";
        let quiet = "suppress_build_script_link_lines=true";
        check("cp39-abi3", linux, &["version=3.9", "pointer_width=64", quiet], &["lib_"]);
        check("cp314-cp314t", linux, &["version=3.14", "build_flags=Py_GIL_DISABLED"], &[]);
        check("cp315-abi3.abi3t", linux, &["version=3.15", "build_flags="], &["Py_GIL"]);
        check("pp311-pypy311_pp73", linux, &["implementation=PyPy", "version=3.11"], &[]);
        check("cp39-abi3", "i686-unknown-linux-gnu", &["pointer_width=32"], &[]);
        let windows = "x86_64-pc-windows-gnu";
        check("cp39-abi3", windows, &["lib_name=python3", "lib_dir=/w/lib"], &[quiet]);
        check("cp313-cp313t", windows, &["lib_name=python313t"], &[]);
    }
}
