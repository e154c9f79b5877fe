//! Extension modules and addons: their place in the runtime, the search path of their libraries, and
//! what must be true of each file before anybody tries to import it.

use std::path::{Path, PathBuf};

use super::{BuiltFile, Error, Setting};
use crate::binary::{NativeFile, macho};
use crate::config::{Component, Extension, Role};
use crate::name::{Libc, Os, PythonAbi, Target, WheelPath};
use crate::sys;

/// Returns the path in the runtime of the file for `abi`: `python/cp39-abi3/demo/_native.abi3.so`.
fn place(extension: &Extension, abi: PythonAbi, target: &Target) -> WheelPath {
    let path = format!("{}/{abi}/{}", Role::Extension.directory(), extension.path(&abi, target));
    path.parse().expect("tags and identifiers are parts of paths")
}

/// Returns the file of a module.
pub(super) fn built(
    extension: &Extension,
    abi: PythonAbi,
    target: &Target,
    path: PathBuf,
) -> BuiltFile {
    let to = place(extension, abi, target);
    BuiltFile { path, to, role: Role::Extension, aliases: Vec::new(), python: Some(abi) }
}

/// Returns the link arguments by which a module finds the libraries of the runtime in each wheel
/// that has both.
pub(super) fn search_path(
    setting: &Setting<'_>,
    component: &Component,
    extension: &Extension,
) -> Vec<String> {
    let origin = match setting.target().os() {
        Os::Linux(_) => "$ORIGIN",
        Os::MacOs => "@loader_path",
        Os::Windows => return Vec::new(),
    };
    let mut args: Vec<String> = Vec::new();
    for wheel in setting.config.wheels.iter().filter(|w| w.components.contains(&component.name)) {
        let way = relative(&extension.package(), &format!("{}/lib", wheel.into));
        let arg = format!("-Wl,-rpath,{origin}/{way}");
        if !args.contains(&arg) {
            args.push(arg);
        }
    }
    args
}

/// Returns the way from one directory of a wheel to another.
fn relative(from: &str, to: &str) -> String {
    let parts = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    up.chain(to[common..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// Symbols that the program which loads a file defines.
#[derive(Clone, Copy)]
pub(super) enum Loader<'a> {
    /// Python, which starts the module.
    Python(&'a Extension),
    /// Node.js.
    #[cfg_attr(not(feature = "cargo"), allow(dead_code, reason = "cargo builds the addons"))]
    Node,
}

impl Loader<'_> {
    fn defines(self, symbol: &str) -> bool {
        match self {
            Self::Python(_) => symbol.starts_with("Py") || symbol.starts_with("_Py"),
            // <https://nodejs.org/api/n-api.html>
            Self::Node => symbol.starts_with("napi_") || symbol.starts_with("node_api_"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Python(_) => "Python",
            Self::Node => "Node.js",
        }
    }
}

/// Checks a linked file: it has the function by which its loader starts it, and lacks no symbols
/// but those of the loader.
pub(super) fn check(
    setting: &Setting<'_>,
    component: &str,
    loader: Loader<'_>,
    file: &Path,
    shared: &[PathBuf],
) -> Result<(), Error> {
    let target = setting.target();
    let io = |source| Error::Io { component: component.to_owned(), target, source };
    let read = |path: &Path| -> Result<Option<NativeFile>, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name: WheelPath = name.parse().map_err(|e| io(std::io::Error::other(e)))?;
        let bytes = sys::fs::read(path).map_err(io)?;
        Ok(NativeFile::read(&name, bytes.as_slice()))
    };
    let Some(native) = read(file)? else {
        let message = format!("`{}` is no library", file.display());
        return Err(io(std::io::Error::other(message)));
    };
    if let Loader::Python(extension) = loader {
        check_start(component, target, extension, &native)?;
    } else if !["napi_register_module_v1", "node_api_module_get_api_version_v1"]
        .iter()
        .any(|name| native.symbols.exports.contains(name))
    {
        let what = "it exports no `napi_register_module_v1`, by which Node.js starts an addon";
        return Err(unusable(component, target, what.to_owned()));
    }
    let libraries = shared.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let is_offered = |symbol: &str| {
        libraries.iter().flatten().any(|library| library.symbols.exports.contains(symbol))
    };
    let lacking: Vec<String> = undefined(&native, target, file)
        .map_err(io)?
        .into_iter()
        .filter(|symbol| !loader.defines(symbol) && !is_offered(symbol))
        .collect();
    if let Some(first) = lacking.first() {
        let more = match lacking.len() - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let what = format!(
            "it uses `{first}`{more}, which neither {} nor a library that it is \
             linked to has",
            loader.name()
        );
        return Err(unusable(component, target, what));
    }
    Ok(())
}

fn check_start(
    component: &str,
    target: Target,
    extension: &Extension,
    native: &NativeFile,
) -> Result<(), Error> {
    let starts = &native.python.starts;
    let stem = extension.stem();
    let is_ascii = stem.is_ascii();
    let expected = ["PyInit_", "PyModExport_", "_cffi_pypyinit_"];
    let is_started = !is_ascii && !starts.is_empty()
        || expected.iter().any(|start| starts.iter().any(|name| *name == format!("{start}{stem}")));
    if is_started {
        return Ok(());
    }
    let others = match &starts[..] {
        [] => String::new(),
        names => format!("; it exports `{}`", names.join("`, `")),
    };
    let what = format!(
        "it exports no `PyInit_{stem}`, by which Python starts `{}`{others}",
        extension.module
    );
    Err(unusable(component, target, what))
}

fn unusable(component: &str, target: Target, what: String) -> Error {
    Error::Unusable { component: component.to_owned(), target, what }
}

/// Returns the symbols that the file expects from libraries which it does not name.
fn undefined(native: &NativeFile, target: Target, file: &Path) -> std::io::Result<Vec<String>> {
    match target.os() {
        // The symbols of glibc have versions. Those of musl have none, so nothing can be told there.
        Os::Linux(Libc::Glibc) => {
            let undefined = native.symbols.undefined.iter();
            let own = undefined.filter(|s| !s.weak && s.version.is_none());
            Ok(own.map(|symbol| symbol.name.clone()).collect())
        }
        Os::MacOs => {
            let bytes = sys::fs::read(file)?;
            let Some(image) = native.macho() else { return Ok(Vec::new()) };
            let slices = macho::symbols(image, bytes.as_slice().into());
            let slices = slices.map_err(std::io::Error::other)?;
            let symbols = slices.into_iter().flat_map(|slice| slice.undefined);
            let open = symbols.filter(|(_, origin)| *origin != macho::Origin::OtherLibrary);
            Ok(open.map(|(name, _)| name).collect())
        }
        // The linker refuses undefined symbols.
        Os::Linux(Libc::Musl) | Os::Windows => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_to_the_runtime() {
        let check = |from: &str, to: &str, way: &str| assert_eq!(relative(from, to), way);
        check("boxlite", "boxlite/_runtime/lib", "_runtime/lib");
        check("", "boxlite/_runtime/lib", "boxlite/_runtime/lib");
        check("a/b", "a/c/lib", "../c/lib");
        check("a/b/c", "x/lib", "../../../x/lib");
    }
}
