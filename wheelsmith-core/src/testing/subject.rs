//! A wheel as far as a test must know it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Error;
use crate::binary::elf::Elf;
use crate::metadata::fields::Fields;
use crate::metadata::{Modules, Specifiers};
use crate::name::{Arch, Libc, WheelFilename, WheelPath};
use crate::sys;
use crate::wheel::{Entry, Existing, Source};

/// A wheel to test.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where it is; absolute.
    pub path: PathBuf,
    /// What it is called.
    pub filename: WheelFilename,
    /// The Pythons that it wants.
    pub requires_python: Option<Specifiers>,
    /// Whether it needs other packages.
    pub has_dependencies: bool,
    /// Top-level modules and packages.
    pub imports: Vec<String>,
    /// Console commands and scripts.
    pub commands: Vec<String>,
    /// ELF files that ask for a loader or are loaded by one: path in the wheel, processor, and
    /// whether it is a program.
    pub natives: Vec<Native>,
}

/// An ELF file of the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// Where it is in the wheel.
    pub path: String,
    /// Its processor.
    pub arch: Arch,
    /// The C library that it asks for by name; nothing when it asks for neither.
    pub libc: Option<Libc>,
    /// Whether it is a program.
    pub is_program: bool,
}

impl Subject {
    /// Reads the wheel at `path`.
    ///
    /// # Errors
    /// When it is none, or what it says of itself cannot be used.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let path = sys::fs::canonicalize(path).map_err(Error::io("find the wheel"))?;
        let wheel = Existing::open(&path)?;
        let unusable = |problem: String| Error::Unusable { path: path.clone(), problem };
        let read = |rest: &str| -> Result<Option<String>, Error> {
            let name = wheel.dist_info(rest).map_err(|e| unusable(e.to_string()))?;
            let Some(entry) = wheel.entries.get(&name) else { return Ok(None) };
            let bytes = bytes(entry).map_err(|e| unusable(e.to_string()))?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        };
        let metadata = read("METADATA")?.unwrap_or_default();
        let fields = Fields::read(metadata.as_bytes());
        let requires = fields.one("Requires-Python");
        let requires = requires.map(|text| text.parse::<Specifiers>()).transpose();
        let requires_python =
            requires.map_err(|e| unusable(format!("its `Requires-Python` cannot be read: {e}")))?;
        let is_plain = |need: &str| !need.contains("extra ==") && !need.contains("extra==");
        let has_dependencies = fields.all("Requires-Dist").any(is_plain);
        let files: Vec<&str> = wheel.entries.keys().map(WheelPath::as_str).collect();
        let stated: Vec<String> = fields
            .all("Import-Name")
            .filter_map(|name| name.split(';').next().map(|name| name.trim().to_owned()))
            .filter(|name| !name.is_empty())
            .collect();
        let found = || Modules::of(files.iter().copied()).importable.into_iter().collect();
        let imports = if stated.is_empty() { found() } else { stated };
        let commands = commands(&read("entry_points.txt")?.unwrap_or_default(), &files);
        let mut natives = Vec::new();
        for entry in wheel.entries.values() {
            natives.extend(native(entry).map_err(|e| unusable(e.to_string()))?);
        }
        let filename = wheel.filename.clone();
        drop(wheel);
        Ok(Self { path, filename, requires_python, has_dependencies, imports, commands, natives })
    }

    /// Its file name as it lies there.
    pub fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn bytes(entry: &Entry) -> std::io::Result<Vec<u8>> {
    match &entry.source {
        Source::Bytes(bytes) => Ok(bytes.clone()),
        Source::File { path, .. } => sys::fs::read(path),
    }
}

fn native(entry: &Entry) -> std::io::Result<Option<Native>> {
    let start = match &entry.source {
        Source::Bytes(bytes) => bytes.get(..4).unwrap_or_default().to_vec(),
        Source::File { path, .. } => {
            let mut start = [0; 4];
            let n = sys::fs::read_at(&sys::fs::open(path)?, &mut start, 0)?;
            start[..n].to_vec()
        }
    };
    if start != b"\x7fELF" {
        return Ok(None);
    }
    let bytes = bytes(entry)?;
    let Ok(elf) = Elf::parse(&bytes) else { return Ok(None) };
    let Some(arch) = elf.arch else { return Ok(None) };
    let is_program = elf.interpreter.is_some();
    if elf.needed.is_empty() && !is_program {
        return Ok(None);
    }
    let libc = elf.interpreter.iter().chain(&elf.needed).find_map(|name| libc(name));
    Ok(Some(Native { path: entry.path.to_string(), arch, libc, is_program }))
}

/// The C library that a loader or a C library of this name belongs to. musl's own name for itself is
/// `libc.so`; distributions give it others.
pub(super) fn libc(name: &str) -> Option<Libc> {
    let name = name.rsplit('/').next().unwrap_or(name);
    if name == "libc.so" || name.starts_with("ld-musl-") || name.starts_with("libc.musl-") {
        Some(Libc::Musl)
    } else if name == "libc.so.6" || name.starts_with("ld-linux") || name.starts_with("ld64.so") {
        Some(Libc::Glibc)
    } else {
        None
    }
}

/// The commands that an installer makes, sorted.
fn commands(entry_points: &str, files: &[&str]) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut is_console = false;
    for line in entry_points.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_console = group.trim() == "console_scripts";
        } else if is_console
            && !line.starts_with(['#', ';'])
            && let Some((name, _)) = line.split_once('=')
        {
            names.insert(name.trim().to_owned());
        }
    }
    let scripts = files.iter().filter_map(|file| file.split_once(".data/scripts/"));
    names.extend(scripts.map(|(_, name)| name.to_owned()).filter(|name| !name.contains('/')));
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wheel_gives_its_users() {
        let points = "[console_scripts]\nb = m:f\n# c = m:f\na=m:f [x]\n[gui_scripts]\nd = m:f\n";
        assert_eq!(commands(points, &["demo-1.0.data/scripts/run"]), ["a", "b", "run"]);
        let of = |name| libc(name).map(|libc| libc == Libc::Musl);
        assert_eq!(["/lib/ld-musl-x86_64.so.1", "libc.so"].map(of), [Some(true); 2]);
        assert_eq!(["libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(of), [Some(false); 2]);
        assert_eq!(["libm.so.6", "libcrypt.so"].map(of), [None; 2]);
    }
}
