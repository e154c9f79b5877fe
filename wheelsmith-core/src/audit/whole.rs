//! Checks that need all ELF files of a wheel together.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use crate::binary::elf::{Elf, Kind};
use crate::binary::{Exports, NativeFile};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Arch, Libc, WheelPath};
use crate::policy;

/// Maximum number of symbol lookups in libraries; further symbols are not checked.
const MOST_CHECKS: u64 = 50_000_000;
/// Maximum number of symbols that a finding lists.
const SHOWN: usize = 20;
/// File name prefixes, up to the interface version, of system libraries whose every symbol has a
/// version. A symbol without a version does not come from them.
const VERSIONED: [&str; 18] = [
    "libanl.so.",
    "libatomic.so.",
    "libc.so.6",
    "libcrypt.so.",
    "libdl.so.",
    "libgcc_s.so.",
    "libgfortran.so.",
    "libgomp.so.",
    "libm.so.",
    "libmvec.so.",
    "libnsl.so.",
    "libpthread.so.",
    "libquadmath.so.",
    "libresolv.so.",
    "librt.so.",
    "libstdc++.so.",
    "libthread_db.so.",
    "libutil.so.",
];

pub(super) fn check(
    files: &[NativeFile],
    libc: Option<Libc>,
    graph: &Graph<'_>,
    unreachable: &[&WheelPath],
    findings: &mut Vec<Finding>,
) {
    duplicates(files, unreachable, findings);
    cxx_runtimes(files, graph, findings);
    for file in files.iter().filter(|file| unreachable.contains(&&file.path)) {
        let mib = file.size_bytes as f64 / f64::from(1 << 20);
        let message = format!(
            "no file of the wheel can load it: another library with its SONAME is loaded instead; \
             it takes {mib:.1} MiB"
        );
        let finding = Finding::new(Code::DuplicateLibrary, &file.path, message);
        let finding = Finding { severity: Severity::Warning, ..finding };
        findings.push(finding.with_help("leave it out, unless the package loads it by its path"));
    }
    for (file, _) in elves(files) {
        let is_bundled = |part: &str| part.strip_suffix(".libs").is_some();
        let path = file.path.as_str();
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        if dir.split('/').any(is_bundled) && !graph.is_needed(path) && !is_extension(file) {
            let message = "no file of the wheel needs it";
            findings.push(Finding::new(Code::UnusedLibrary, &file.path, message));
        }
    }
    // Symbols of musl have no versions, so it is unknown which ones the system provides.
    if libc == Some(Libc::Glibc) {
        undefined(files, graph, findings);
    }
}

fn elves(files: &[NativeFile]) -> impl Iterator<Item = (&NativeFile, &Elf)> {
    files.iter().filter_map(|file| Some((file, file.elf()?)))
}

/// Reports files that use C++ functions of another, where each has a private C++ runtime.
fn cxx_runtimes(files: &[NativeFile], graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    let private: BTreeMap<&str, &NativeFile> = files
        .iter()
        .filter(|file| file.has_private_cxx)
        .map(|file| (file.path.as_str(), file))
        .collect();
    if private.len() < 2 {
        return;
    }
    let mut seen = BTreeSet::new();
    for process in graph.processes() {
        let loaded: Vec<&NativeFile> =
            process.iter().filter_map(|path| private.get(path).copied()).collect();
        for user in &loaded {
            let others = loaded.iter().filter(|other| other.path != user.path);
            for other in others.filter(|other| seen.insert((&user.path, &other.path))) {
                findings.extend(across(user, other));
            }
        }
    }
}

/// Returns the finding about the C++ functions of `other` that `user` uses.
fn across(user: &NativeFile, other: &NativeFile) -> Option<Finding> {
    let names = user.symbols.undefined.iter().map(|symbol| symbol.name.as_str());
    // `operator new` and `delete` can be replaced, so that all files of a process share them.
    let is_replaceable =
        |name: &str| ["_Znw", "_Zna", "_Zdl", "_Zda"].iter().any(|start| name.starts_with(start));
    let names = names.filter(|name| name.starts_with("_Z") && !is_replaceable(name));
    let names = names.filter(|name| other.symbols.exports.contains(name));
    let names: Vec<&str> = names.collect();
    let first = names.first()?;
    let more = match names.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let message = format!(
        "it uses `{first}`{more} of `{}`, and each of the two has a private C++ runtime",
        other.path
    );
    let names = names.iter().take(SHOWN).map(|name| (*name).to_owned());
    Some(Finding::new(Code::TwoCxxRuntimes, &user.path, message).because(names))
}

/// Returns the libraries that no file of the wheel can load, because another library with the same
/// SONAME is loaded in their place.
pub(super) fn unreachable<'f>(files: &'f [NativeFile], graph: &Graph<'_>) -> Vec<&'f WheelPath> {
    let libraries = || elves(files).filter(|(_, elf)| elf.kind == Kind::SharedLibrary);
    let loaded: BTreeSet<(&str, Option<Arch>)> = libraries()
        .filter(|(file, _)| graph.is_needed(file.path.as_str()))
        .filter_map(|(_, elf)| Some((elf.soname.as_deref()?, elf.arch)))
        .collect();
    let is_needed_by_link = |path: &WheelPath| {
        let links = files.iter().filter(|file| file.link.as_ref() == Some(path));
        links.map(|file| file.path.as_str()).any(|link| graph.is_needed(link))
    };
    let is_unreachable = |(file, elf): &(&NativeFile, &Elf)| {
        let name = elf.soname.as_deref();
        name.is_some_and(|name| loaded.contains(&(name, elf.arch)))
            && file.link.is_none()
            && !graph.is_needed(file.path.as_str())
            && !is_needed_by_link(&file.path)
            && !is_extension(file)
            && !is_for_newer_processors(file)
    };
    libraries().filter(is_unreachable).map(|(file, _)| &file.path).collect()
}

/// True if Python can import the file.
pub(super) fn is_extension(file: &NativeFile) -> bool {
    let module = file.path.file_name().split('.').next().unwrap_or_default();
    !file.symbols.exports.python_starts().is_empty()
        || file.symbols.exports.contains(&format!("init{module}"))
}

/// Reports libraries that have the same SONAME or the same build id as another.
fn duplicates(files: &[NativeFile], unreachable: &[&WheelPath], findings: &mut Vec<Finding>) {
    let mut by_soname: BTreeMap<(&str, Option<Arch>), Vec<&NativeFile>> = BTreeMap::new();
    let mut by_id: BTreeMap<&str, Vec<&NativeFile>> = BTreeMap::new();
    for (file, elf) in elves(files) {
        // The loader selects one of these by the processor: all are needed.
        if elf.kind != Kind::SharedLibrary
            || file.link.is_some()
            || is_for_newer_processors(file)
            || unreachable.contains(&&file.path)
        {
            continue;
        }
        // Extension modules are found by path and may have the same name.
        if let Some(soname) = elf.soname.as_deref().filter(|_| !is_extension(file)) {
            by_soname.entry((soname, elf.arch)).or_default().push(file);
        }
        if let Some(id) = &elf.build_id {
            by_id.entry(id).or_default().push(file);
        }
    }
    let mut say = |same: &[&NativeFile], what: String| {
        if let [first, others @ ..] = same
            && !others.is_empty()
        {
            let message = format!("{what}, as does `{}`", others[0].path);
            let evidence = others.iter().map(|file| file.path.to_string());
            let finding = Finding::new(Code::DuplicateLibrary, &first.path, message);
            findings.push(finding.because(evidence));
        }
    };
    for ((soname, _), same) in &by_soname {
        say(same, format!("it has the SONAME `{soname}`"));
    }
    let known: Vec<_> = by_soname.into_values().filter(|same| same.len() > 1).collect();
    for (id, same) in by_id {
        if !known.contains(&same) {
            say(&same, format!("it has the build id {id}"));
        }
    }
}

/// True if the loader uses the file only on processors that are new enough (ld.so(8),
/// "glibc-hwcaps").
pub(super) fn is_for_newer_processors(file: &NativeFile) -> bool {
    file.path.as_str().split('/').any(|part| part == "glibc-hwcaps")
}

/// Reports symbols that no library defines which is loaded together with the file.
fn undefined(files: &[NativeFile], graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    let mut open: BTreeMap<&str, Unresolved<'_>> = BTreeMap::new();
    let by_path: BTreeMap<&str, &NativeFile> =
        files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut left = MOST_CHECKS;
    for process in graph.processes() {
        let loaded: Vec<&NativeFile> =
            process.iter().filter_map(|path| by_path.get(path).copied()).collect();
        let is_pythons = is_for_python(&loaded);
        let is_judged = is_judged(&loaded, graph);
        for file in &loaded {
            let open = open.entry(file.path.as_str()).or_insert_with(|| Unresolved::of(file));
            if !is_judged {
                open.symbols.clear();
            }
            if is_pythons {
                open.symbols.retain(|(name, _)| !python_has(name));
            }
            let cost = open.symbols.len() as u64 * loaded.len() as u64;
            let Some(rest) = left.checked_sub(cost) else { return };
            left = rest;
            open.symbols.retain(|(_, digest)| {
                !loaded.iter().any(|other| other.symbols.exports.contains_digest(*digest))
            });
        }
    }
    for (path, open) in open {
        let Some(((first, _), file)) = open.symbols.first().zip(by_path.get(path)) else {
            continue;
        };
        let more = match open.symbols.len() - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let message = format!("it uses `{first}`{more}, which no library loaded with it provides");
        let names = open.symbols.iter().take(SHOWN).map(|(name, _)| (*name).to_owned());
        findings.push(Finding::new(Code::UndefinedSymbol, &file.path, message).because(names));
    }
}

/// Symbols of a file that have not been found yet.
struct Unresolved<'a> {
    symbols: Vec<(&'a str, u64)>,
}

impl<'a> Unresolved<'a> {
    fn of(file: &'a NativeFile) -> Self {
        let unversioned = file.symbols.undefined.iter().filter(|s| !s.weak && s.version.is_none());
        // Functions of newer releases of glibc have findings of their own.
        let unversioned = unversioned.filter(|s| policy::glibc::first_release(&s.name).is_none());
        let symbols = unversioned.map(|s| (s.name.as_str(), Exports::digest(&s.name))).collect();
        Self { symbols }
    }
}

/// True if all libraries outside the wheel are known to have no unversioned symbols, and glibc is
/// among them. A library that names no dependency uses the symbols of the process.
fn is_judged(loaded: &[&NativeFile], graph: &Graph<'_>) -> bool {
    let needs = loaded.iter().filter_map(|file| Some((file.path.as_str(), file.elf()?)));
    let mut has_libc = true;
    for (path, elf) in needs {
        has_libc &= elf.needed.iter().any(|library| library == "libc.so.6");
        let outside = elf.needed.iter().filter(|library| !graph.finds(path, library));
        for library in outside {
            if !has_versions(library) {
                return false;
            }
        }
    }
    has_libc
}

/// True if all symbols of a library outside the wheel are known to have versions.
pub(super) fn has_versions(library: &str) -> bool {
    policy::is_loader(library) || VERSIONED.iter().any(|known| library.starts_with(known))
}

/// True if Python loads the files: at least one of them is an extension module, and none is a
/// program.
fn is_for_python(loaded: &[&NativeFile]) -> bool {
    let is_program =
        |file: &&NativeFile| file.elf().is_some_and(|elf| elf.kind != Kind::SharedLibrary);
    let asks = |file: &NativeFile| file.symbols.undefined.iter().any(|symbol| is_own(&symbol.name));
    !loaded.first().is_some_and(is_program)
        && loaded.iter().any(|file| is_extension(file) || asks(file))
}

fn is_own(name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py")
}

/// True if a Python process has the symbol: a symbol of Python itself, or one of the parts of glibc
/// that Python needs. The latter are available even if the file does not list them.
fn python_has(name: &str) -> bool {
    const STARTS: [&str; 4] = ["dl", "pthread_", "sem_", "shm_"];
    let of_threads = STARTS.iter().any(|start| name.starts_with(start));
    let plain = name.strip_suffix(['f', 'l']).unwrap_or(name);
    is_own(name) || of_threads || MATHS.contains(&name) || MATHS.contains(&plain)
}

/// Functions of `math.h`; the variants for `float` and `long double` end in `f` and `l`.
#[rustfmt::skip]
const MATHS: [&str; 59] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos",
    "cosh", "erf", "erfc", "exp", "exp10", "exp2", "expm1", "fabs", "fdim", "floor", "fma", "fmax",
    "fmin", "fmod", "frexp", "hypot", "ilogb", "ldexp", "lgamma", "llrint", "llround", "log",
    "log10", "log1p", "log2", "logb", "lrint", "lround", "modf", "nan", "nearbyint", "nextafter",
    "nexttoward", "pow", "remainder", "remquo", "rint", "round", "scalbln", "scalbn", "sin",
    "sincos", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc",
];
