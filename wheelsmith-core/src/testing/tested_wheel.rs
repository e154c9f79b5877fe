//! A wheel that is tested: its modules, commands and native files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Error, Settings};
use crate::binary::elf::Elf;
use crate::metadata::entry_points::{Line, lines};
use crate::metadata::fields::Fields;
use crate::metadata::{Modules, Specifiers};
use crate::name::{Arch, Libc, WheelFilename, WheelPath};
use crate::sys;
use crate::wheel::{Entry, Existing};

/// A wheel to test.
#[derive(Debug, Clone)]
pub struct TestedWheel {
    /// Absolute path.
    pub path: PathBuf,
    /// Parsed file name.
    pub filename: WheelFilename,
    /// `Requires-Python`.
    pub requires_python: Option<Specifiers>,
    /// True if it requires other distributions.
    pub has_dependencies: bool,
    /// Modules and packages that are imported.
    pub imports: Vec<String>,
    /// Commands and scripts.
    pub commands: Vec<String>,
    /// Entry points, commands first.
    pub entry_points: Vec<EntryPoint>,
    /// True if the wheel has only stubs for type checkers, or its metadata say that it has no
    /// modules.
    pub is_without_modules: bool,
    /// Interpreter that built the wheel from a source distribution; the wheel is tried on it alone.
    pub built_by: Option<PathBuf>,
    /// ELF files that are programs or load libraries.
    pub natives: Vec<Native>,
}

/// An entry point of the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// True for `console_scripts` and `gui_scripts`, for which installers make commands.
    pub is_command: bool,
    /// True if the object may need modules of distributions that are not installed: it names
    /// extras, or it is in a group that another distribution defines.
    pub is_optional: bool,
    /// Name in its group.
    pub name: String,
    /// `module:attribute`.
    pub target: String,
}

impl std::fmt::Display for EntryPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self { is_optional: true, .. } => "optional",
            Self { is_command: true, .. } => "command",
            _ => "other",
        };
        write!(f, "{kind}\t{}\t{}", self.name, self.target)
    }
}

/// An ELF file of the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// Path in the wheel.
    pub path: String,
    /// Processor.
    pub arch: Arch,
    /// C library that it needs by name; `None` if it names none.
    pub libc: Option<Libc>,
    /// True for a program.
    pub is_program: bool,
}

impl TestedWheel {
    /// Reads the wheel at `path`.
    ///
    /// # Errors
    /// It is no wheel, or its metadata cannot be used.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let path = sys::fs::canonicalize(path).map_err(Error::io("find the wheel"))?;
        let wheel = Existing::open(&path)?;
        let unusable = |problem: String| Error::Unusable { path: path.clone(), problem };
        let read = |rest: &str| -> Result<Option<String>, Error> {
            let name = wheel.dist_info(rest).map_err(|e| unusable(e.to_string()))?;
            let Some(entry) = wheel.entries.get(&name) else { return Ok(None) };
            let bytes = entry.load().map_err(|e| unusable(e.to_string()))?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        };
        let metadata = read("METADATA")?.unwrap_or_default();
        let fields = Fields::read(metadata.as_bytes());
        let requires = fields.one("Requires-Python").filter(|text| !text.is_empty());
        let requires = requires.map(str::parse::<Specifiers>).transpose();
        let requires_python =
            requires.map_err(|e| unusable(format!("its `Requires-Python` cannot be read: {e}")))?;
        let is_plain = |need: &str| !need.contains("extra ==") && !need.contains("extra==");
        let has_dependencies = fields.all("Requires-Dist").any(is_plain);
        let files: Vec<&str> = wheel.entries.keys().map(WheelPath::as_str).collect();
        let names = fields.all("Import-Name").chain(fields.all("Import-Namespace"));
        let names = names.map(|name| name.split(';').next().unwrap_or_default().trim());
        let stated: Vec<&str> = names.collect();
        let is_stubs = |file: &&str| file.split('/').next().is_some_and(|t| t.ends_with("-stubs"));
        let is_without_modules = stated == [""] || files.iter().any(is_stubs);
        let mut imports: Vec<String> =
            stated.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if imports.is_empty() {
            imports = importable(&files);
        }
        let entry_points = entry_points(&read("entry_points.txt")?.unwrap_or_default());
        let commands = commands(&entry_points, &files);
        let mut natives = Vec::new();
        for entry in wheel.entries.values() {
            natives.extend(native(entry).map_err(|e| unusable(e.to_string()))?);
        }
        let filename = wheel.filename.clone();
        drop(wheel);
        Ok(Self {
            path,
            filename,
            requires_python,
            has_dependencies,
            imports,
            commands,
            entry_points,
            is_without_modules,
            built_by: None,
            natives,
        })
    }

    /// Returns the top-level names of the wheel's modules, joined by commas.
    pub(super) fn top_names(&self) -> String {
        let tops = self.imports.iter().map(|name| name.split('.').next().unwrap_or(name));
        tops.collect::<Vec<_>>().join(",")
    }

    /// True if a cell tries something although it imports no module, or if there is nothing to
    /// import by intent.
    pub(super) fn is_tried_otherwise(&self, settings: &Settings) -> bool {
        let has_commands = !settings.smoke.is_empty() || settings.command.is_some();
        let has_points = !self.commands.is_empty() || !self.entry_points.is_empty();
        has_commands || has_points || self.is_without_modules || settings.imports.is_some()
    }

    /// Returns the file name on disk.
    pub fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn native(entry: &Entry) -> std::io::Result<Option<Native>> {
    if entry.first(4)? != b"\x7fELF" {
        return Ok(None);
    }
    let bytes = entry.load()?;
    let Ok(elf) = Elf::parse(&bytes) else { return Ok(None) };
    let Some(arch) = elf.arch else { return Ok(None) };
    let is_program = elf.interpreter.is_some();
    if elf.needed.is_empty() && !is_program {
        return Ok(None);
    }
    let libc = elf.interpreter.iter().chain(&elf.needed).find_map(|name| libc(name));
    Ok(Some(Native { path: entry.path.to_string(), arch, libc, is_program }))
}

/// Returns the C library that has a loader or a library of this name. musl calls itself `libc.so`;
/// distributions use other names.
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

/// Returns the modules and packages at the top of the wheel; without any, those in namespace
/// packages (PEP 420).
fn importable(files: &[&str]) -> Vec<String> {
    let names = Modules::of(files.iter().copied()).importable;
    let (nested, top): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.contains('.'));
    if top.is_empty() { nested } else { top }
}

/// Returns the entry points of `entry_points.txt`, commands first.
fn entry_points(text: &str) -> Vec<EntryPoint> {
    let points = lines(text).filter_map(|line| {
        let Line::Point { group, name, target } = line else { return None };
        let (target, extras) = target.split_once('[').unwrap_or((target, ""));
        Some(EntryPoint {
            is_command: Line::is_program_group(group),
            is_optional: group != "console_scripts" || !extras.is_empty(),
            name: name.to_owned(),
            target: target.trim().to_owned(),
        })
    });
    let mut points: Vec<EntryPoint> = points.collect();
    points.sort_by_key(|point| !point.is_command);
    points
}

/// Returns the commands that an installer makes, sorted.
fn commands(entry_points: &[EntryPoint], files: &[&str]) -> Vec<String> {
    let points = entry_points.iter().filter(|point| point.is_command);
    let scripts = files.iter().filter_map(|file| file.split_once(".data/scripts/"));
    let scripts = scripts.map(|(_, name)| name.to_owned()).filter(|name| !name.contains('/'));
    let names: BTreeSet<String> = points.map(|point| point.name.clone()).chain(scripts).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wheel_gives_its_users() {
        let check = |files: &[&str], expected: &[&str]| {
            assert_eq!(importable(files), expected, "{files:?}");
        };
        check(&["demo/__init__.py", "demo/a.py", "demo-1.0.dist-info/METADATA"], &["demo"]);
        check(&["one.py", "two.cpython-312-x86_64-linux-gnu.so", "three.abi3.so"], {
            &["one", "three", "two"]
        });
        check(&["data.json", "README", "lib.so.1", "demo.libs/a.so", "data/lib/b.so"], &[]);
        check(&["space/part/__init__.py", "space/part/a.py", "data.json"], &["space.part"]);
        check(&["space/a.py", "space/b.abi3.so"], &["space.a", "space.b"]);
        check(&["demo/__init__.py", "docs/conf.py"], &["demo"]);
        check(&["demo-stubs/__init__.pyi"], &[]);
        check(&["demo-1.0.data/purelib/a/__init__.py", "demo-1.0.data/scripts/b.py"], &["a"]);
        let text = "[console_scripts]\nb = m:f\n# c = m:f\na=m:f [x]\n[gui_scripts]\nd = m:f\n\
                    [demo.plugins]\ne = m\n";
        let points = entry_points(text);
        let shown: Vec<String> = points.iter().map(ToString::to_string).collect();
        let expected =
            ["command\tb\tm:f", "optional\ta\tm:f", "optional\td\tm:f", "optional\te\tm"];
        assert_eq!(shown, expected);
        assert_eq!(commands(&points, &["demo-1.0.data/scripts/run"]), ["a", "b", "d", "run"]);
        let of = |name| libc(name).map(|libc| libc == Libc::Musl);
        assert_eq!(["/lib/ld-musl-x86_64.so.1", "libc.so"].map(of), [Some(true); 2]);
        assert_eq!(["libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(of), [Some(false); 2]);
        assert_eq!(["libm.so.6", "libcrypt.so"].map(of), [None; 2]);
    }
}
