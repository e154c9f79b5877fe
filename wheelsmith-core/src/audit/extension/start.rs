//! The function by which Python starts an extension module.

use super::guest::{FIRST_WITH_ABI3T, Guest, Who};
use super::name::{ModuleName, exported_name};
use crate::binary::NativeFile;
use crate::finding::{Code, Finding, Severity};
use crate::name::WheelPath;

/// How a Python starts a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// `PyInit_demo` (PEP 3121, 489): every Python 3.
    Init,
    /// `PyModExport_demo` (PEP 793): from 3.15 on.
    Export,
    /// `_cffi_pypyinit_demo`: PyPy, for what cffi made.
    Cffi,
    /// `initdemo`: Python 2.
    Python2,
}

/// The functions that start the module at `path`, whoever looks for them.
fn wanted(path: &WheelPath, module: &str) -> Vec<(Start, String)> {
    // Python calls the module of a package by the name of its directory.
    let package = path.parent().and_then(|parent| parent.rsplit('/').next());
    let package = package.filter(|_| module == "__init__");
    let mut wanted = Vec::new();
    for name in package.into_iter().chain([module]) {
        let (is_encoded, name) = exported_name(name);
        let mark = if is_encoded { "U" } else { "" };
        wanted.push((Start::Init, format!("PyInit{mark}_{name}")));
        wanted.push((Start::Export, format!("PyModExport{mark}_{name}")));
        wanted.push((Start::Cffi, format!("_cffi_pypyinit_{name}")));
        wanted.push((Start::Python2, format!("init{name}")));
    }
    wanted
}

/// Returns those of its functions that start the module, by name.
pub(super) fn names(file: &NativeFile, module: &str) -> Vec<(Start, String)> {
    let mut names = wanted(&file.path, module);
    names.retain(|(_, name)| file.symbols.exports.contains(name));
    names.sort_by(|a, b| a.1.cmp(&b.1));
    names
}

impl Start {
    /// Whether all of them look for it.
    fn serves(self, who: &Who) -> bool {
        match who {
            Who::PyPy(_) => matches!(self, Self::Init | Self::Cffi),
            _ if who.is_python_2() => self == Self::Python2,
            _ => match self {
                Self::Init => true,
                Self::Export => who.oldest().is_none_or(|version| version >= FIRST_WITH_ABI3T),
                Self::Cffi | Self::Python2 => false,
            },
        }
    }
}

/// An extension module that those cannot start who look for its file.
pub(super) fn check(
    file: &NativeFile,
    name: Option<&ModuleName<'_>>,
    guests: &[&Guest],
) -> Option<Finding> {
    const MOST_NAMED: usize = 10;
    let name = name?;
    let found = names(file, name.module);
    let left_out = guests.iter().find(|g| !found.iter().any(|(how, _)| how.serves(&g.who)));
    if left_out.is_none() && !(found.is_empty() && guests.is_empty()) {
        return None;
    }
    let path = &file.path;
    if let (Some(guest), Some((how, function))) = (left_out, found.first()) {
        let who = match how {
            Start::Export => "only Pythons from 3.15 on look for it",
            Start::Cffi => "only PyPy looks for it",
            Start::Init => "only Python 3 looks for it",
            Start::Python2 => "only Python 2 looks for it",
        };
        let message =
            format!("`{function}` starts it; {who}, and the wheel is for `{}`", guest.tag);
        return Some(Finding::new(Code::NoInitFunction, path, message));
    }
    let expected = match exported_name(name.module) {
        (false, name) => format!("PyInit_{name}"),
        (true, name) => format!("PyInitU_{name}"),
    };
    let others = &file.python.starts;
    let message = match others.len() {
        0 => format!("its name is that of an extension module, and it exports no `{expected}`"),
        1 => format!("Python looks for `{expected}`, and it exports `{}`", others[0]),
        n => format!("Python looks for `{expected}`, and it exports {n} others"),
    };
    let named = if others.len() > 1 { MOST_NAMED } else { 0 };
    let mut finding = Finding::new(Code::NoInitFunction, path, message)
        .because(others.iter().take(named).cloned());
    if others.is_empty() && file.python.used.is_empty() {
        // It wants nothing of Python: somebody loads it by path, as ctypes and cffi do.
        finding.severity = Severity::Info;
    }
    Some(finding)
}
