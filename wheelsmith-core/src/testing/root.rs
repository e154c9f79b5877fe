//! Root directories with the programs of another processor or another C library.

use std::path::{Path, PathBuf};

use super::find::probe;
use super::tested_wheel::{Native, libc};
use super::{Error, Python};
use crate::binary::elf::Elf;
use crate::name::{Arch, Libc, host_target};
use crate::sys::{self, Command, Host};

/// A directory with the programs and libraries of another machine.
#[derive(Debug, Clone)]
pub struct Root {
    /// Absolute path.
    pub dir: PathBuf,
    /// Processor.
    pub arch: Arch,
    /// C library, if the loader's name tells it.
    pub libc: Option<Libc>,
    /// Command that starts its programs: an emulator with the root, or the root's own loader.
    pub runner: Vec<String>,
}

impl Root {
    /// Determines the processor of the programs in `dir` and how they run here. `witness` is one of
    /// the programs, such as its Python.
    fn open_by(dir: &Path, witness: &Path, host: &Host) -> Result<Self, Error> {
        let problem = |problem: String, hint: Option<&str>| Error::Root {
            root: dir.to_owned(),
            problem,
            hint: hint.map(str::to_owned),
        };
        let bytes = sys::fs::read(witness).map_err(|e| problem(e.to_string(), None))?;
        let name = witness.display();
        let elf = Elf::parse(&bytes)
            .map_err(|_| problem(format!("`{name}` is not a Linux program"), None))?;
        let arch = elf
            .arch
            .ok_or_else(|| problem(format!("no installed emulator runs `{name}`"), None))?;
        let libc = elf.interpreter.as_deref().and_then(libc);
        if is_ours(arch) {
            let loader = elf.interpreter.as_deref().map(|loader| inside(dir, loader));
            let runner = loader.map(|loader| by_loader(dir, &loader)).unwrap_or_default();
            return Ok(Self { dir: dir.to_owned(), arch, libc, runner });
        }
        let emulators = emulators(arch);
        let found = emulators.iter().find_map(|name| host.env.find_program(name));
        let emulator = found.ok_or_else(|| {
            let text = format!("there is no emulator for {arch}: `{}`", emulators[0]);
            problem(text, Some("install `qemu-user-static`, or `qemu-user`"))
        })?;
        let words = [emulator.as_path(), Path::new("-L"), dir];
        let runner = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Ok(Self { dir: dir.to_owned(), arch, libc, runner })
    }

    /// Opens the root in `dir` and its Python.
    ///
    /// # Errors
    /// It has no Python, or nothing here can run it.
    pub fn open(dir: &Path, host: &Host) -> Result<(Self, Python), Error> {
        let dir = sys::fs::canonicalize(dir).map_err(Error::io("find the root"))?;
        let problem = |problem: String| Error::Root {
            root: dir.clone(),
            problem,
            hint: Some("a root has `usr/bin/python3`; `--prepare` makes one".to_owned()),
        };
        let program = (["usr/bin/python3", "bin/python3", "usr/local/bin/python3"].iter())
            .map(|place| inside(&dir, place))
            .find(|path| path.is_file())
            .ok_or_else(|| problem("it has no Python".to_owned()))?;
        let root = Self::open_by(&dir, &program, host)?;
        let text = program.to_string_lossy().into_owned();
        let env = host.env.for_users(&[]);
        let words: Vec<String> = root.runner.iter().cloned().chain([text]).collect();
        let command = Command::new(&words[0], Path::new("/"), &env).args(words[1..].to_vec());
        let python = probe(command, host)
            .map_err(|error| problem(format!("its Python does not start: {error}")))?
            .ok_or_else(|| problem("its Python is too old".to_owned()))?;
        // The emulator's paths in the root differ from those outside of it.
        let pip = python.pip.map(|pip| match inside(&dir, &pip.to_string_lossy()) {
            within if !pip.starts_with(&dir) && within.exists() => within,
            _ => pip,
        });
        let python = Python { program, runner: root.runner.clone(), pip, ..python };
        Ok((root, python))
    }

    /// Opens a root for the test with the oldest libc: it needs a loader and a C library, and no
    /// Python.
    ///
    /// # Errors
    /// It has no loader, or nothing here can run it.
    pub fn of_libc(dir: &Path, host: &Host) -> Result<Self, Error> {
        let dir = sys::fs::canonicalize(dir).map_err(Error::io("find the libc root"))?;
        let (name, loader) = loader(&dir).ok_or_else(|| Error::Root {
            root: dir.clone(),
            problem: "it has no loader".to_owned(),
            hint: Some("such as `lib64/ld-linux-x86-64.so.2`".to_owned()),
        })?;
        let mut root = Self::open_by(&dir, &loader, host)?;
        root.libc = libc(&name);
        if root.runner.is_empty() {
            root.runner = by_loader(&dir, &loader);
        } else {
            // The emulator finds the libraries in the root; only the loader must be named.
            root.runner.push(loader.to_string_lossy().into_owned());
        }
        Ok(root)
    }

    /// True if its loader is the one that a file requests.
    pub(super) fn is_of(&self, native: &Native) -> bool {
        let is_same = native.libc.is_none() || self.libc.is_none() || native.libc == self.libc;
        native.arch == self.arch && is_same
    }
}

/// True if programs for `arch` run here without an emulator.
pub(super) fn is_ours(arch: Arch) -> bool {
    host_target().is_some_and(|host| host.arch() == arch)
}

/// Returns the command that starts the loader with the library directories of its root.
fn by_loader(dir: &Path, loader: &Path) -> Vec<String> {
    let libraries: Vec<String> =
        library_dirs(dir).iter().map(|dir| dir.to_string_lossy().into_owned()).collect();
    vec![loader.to_string_lossy().into_owned(), "--library-path".to_owned(), libraries.join(":")]
}

fn emulators(arch: Arch) -> [String; 2] {
    let name = match arch {
        Arch::Armv7l => "arm",
        Arch::I686 => "i386",
        other => other.as_str(),
    };
    // The static emulator needs no libraries of this machine, and is the usual one.
    [format!("qemu-{name}-static"), format!("qemu-{name}")]
}

/// Returns the path on this machine for `path` of the root; links with absolute targets stay
/// inside.
fn inside(root: &Path, path: &str) -> PathBuf {
    let mut at = root.join(path.trim_start_matches('/'));
    for _ in 0..16 {
        let Ok(target) = sys::fs::read_link(&at) else { break };
        at = match target.strip_prefix("/") {
            Ok(rest) => root.join(rest),
            Err(_) => at.parent().unwrap_or(root).join(&target),
        };
    }
    at
}

/// Returns the library directories of a root, including those for its processor.
fn library_dirs(root: &Path) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for name in ["lib64", "lib", "usr/lib64", "usr/lib"] {
        let dir = inside(root, name);
        let Ok(entries) = sys::fs::list(&dir) else { continue };
        let is_multiarch = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains("-linux-") && path.is_dir()
        };
        dirs.extend(entries.into_iter().filter(is_multiarch));
        dirs.push(dir);
    }
    dirs
}

/// Returns the name and path of the first loader of a root.
fn loader(root: &Path) -> Option<(String, PathBuf)> {
    let mut dirs: Vec<PathBuf> = vec![inside(root, "lib64"), inside(root, "lib")];
    dirs.extend(library_dirs(root));
    for dir in dirs {
        for path in sys::fs::list(&dir).unwrap_or_default() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_loader = name.starts_with("ld-") && name.contains(".so")
                || name.starts_with("ld64.so")
                || name.starts_with("ld.so");
            // Some machines have `ld-linux.so.2` of another processor beside their own.
            let own = if root == Path::new("/") { own_loader(&name) } else { true };
            let path = inside(root, &path.strip_prefix(root).unwrap_or(&path).to_string_lossy());
            if is_loader && own && path.is_file() {
                return Some((name, path));
            }
        }
    }
    None
}

fn own_loader(name: &str) -> bool {
    let host = host_target().map(|host| host.arch());
    match host {
        Some(Arch::X86_64) => name.contains("x86-64") || name.contains("x86_64"),
        Some(Arch::Aarch64) => name.contains("aarch64"),
        _ => true,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_the_root() {
        let dir = sys::fs::temp_dir().unwrap();
        let root = dir.path();
        sys::fs::write_atomic(&root.join("usr/lib/ld-linux-aarch64.so.1"), b"x").unwrap();
        sys::fs::symlink("usr/lib", &root.join("lib")).unwrap();
        sys::fs::write_atomic(&root.join("opt/python3"), b"x").unwrap();
        sys::fs::create_dir_all(root.join("usr/bin")).unwrap();
        sys::fs::symlink("/opt/python3", &root.join("usr/bin/python3")).unwrap();
        assert_eq!(inside(root, "/usr/bin/python3"), root.join("opt/python3"));
        let (name, path) = loader(root).unwrap();
        assert_eq!(path, root.join("usr/lib").join(name));
    }
}
