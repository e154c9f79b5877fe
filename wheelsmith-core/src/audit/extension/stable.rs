//! Checks the symbols of Python that a file uses against the stable ABI that the wheel or the file
//! claims.

use super::Case;
use super::tag_pair::{Abi, Interpreters, TagPair};
use crate::binary::{Format, NativeFile};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Libc, PlatformVersion};
use crate::policy;
use crate::policy::stable_abi::{Membership, membership};

/// Symbols for reference counting that only free-threaded builds have (CPython's `refcount.h` and
/// `object.h`).
const FREE_THREADED: [&str; 3] =
    ["_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_MergeZeroLocalRefcount"];

/// Returns the symbols used by the file that only free-threaded builds have.
pub(super) fn free_threaded(file: &NativeFile) -> Vec<String> {
    let used = file.python.used.iter();
    used.filter(|symbol| FREE_THREADED.contains(&symbol.as_str())).cloned().collect()
}

/// Returns the symbols used by the file that are not part of the stable ABI, each with an
/// explanation.
pub(super) fn outside(files: &[NativeFile], file: &NativeFile) -> Vec<String> {
    let on_windows = file.format() == Format::Pe;
    let used = file.python.used.iter();
    let found = used.filter_map(|symbol| match membership(symbol, on_windows) {
        Membership::Since(_) => None,
        Membership::Elsewhere(owner) => Some(format!("{symbol}, which only {owner} has")),
        // Other libraries, such as PySide and PyQt, also have names that look like those of Python.
        Membership::Not if is_offered(files, symbol) => None,
        Membership::Not => Some(symbol.clone()),
    });
    found.collect()
}

fn is_offered(files: &[NativeFile], symbol: &str) -> bool {
    files.iter().any(|file| {
        let offered = &file.python.offered;
        file.symbols.exports.contains(symbol)
            || offered.binary_search_by(|name| (**name).cmp(symbol)).is_ok()
    })
}

/// Returns the libraries that an ELF file needs and that are neither in the wheel nor guaranteed by
/// any policy. An ELF file does not record which library a symbol comes from.
fn unknown_libraries<'f>(files: &[NativeFile], file: &'f NativeFile) -> Vec<&'f str> {
    let Some((elf, arch)) = file.elf().and_then(|elf| Some((elf, elf.arch?))) else {
        return Vec::new();
    };
    let is_here = |library: &str| {
        files.iter().any(|file| {
            let soname = file.elf().and_then(|elf| elf.soname.as_deref());
            file.path.file_name() == library || soname == Some(library)
        })
    };
    let of_libc = |libc| policy::policies(arch, libc).last();
    let newest =
        [of_libc(Libc::Glibc), of_libc(Libc::Musl), policy::android::policies(arch).last()];
    let is_promised =
        |library: &str| newest.iter().flatten().any(|policy| policy.allows_library(library));
    let is_python = |library: &str| library.starts_with("libpython");
    let needed = elf.needed.iter().map(String::as_str);
    needed.filter(|name| !is_here(name) && !is_promised(name) && !is_python(name)).collect()
}

/// Checks a file against the stable ABI if its name or its tags require that.
pub(super) fn check(files: &[NativeFile], case: &Case<'_>, pairs: &[&TagPair]) -> Vec<Finding> {
    let claims_by_name = matches!(case.named_abi(), Abi::Stable { .. });
    if matches!(case.named_abi(), Abi::CPython(_) | Abi::PyPy(_) | Abi::Other) {
        return Vec::new();
    }
    let is_claimed =
        pairs.iter().any(|pair| matches!(pair.interpreters, Interpreters::Stable { .. }));
    if !is_claimed && !claims_by_name {
        return Vec::new();
    }
    let path = &case.file.path;
    let mut findings = Vec::new();
    let outside = outside(files, case.file);
    if !outside.is_empty() {
        let (are, them) = if outside.len() == 1 { ("is", "it") } else { ("are", "them") };
        let claim = if is_claimed { "the wheel claims" } else { "its name claims" };
        let taken = count(outside.len());
        let message =
            format!("{claim} the stable ABI, but it uses {taken} that {are} not part of it");
        let mut finding = Finding::new(Code::NotStableAbi, path, message).because(outside);
        let unknown = unknown_libraries(files, case.file);
        if !unknown.is_empty() {
            let libraries: Vec<String> = unknown.iter().map(|name| format!("`{name}`")).collect();
            finding.message =
                format!("{}, unless {} has {them}", finding.message, libraries.join(" or "));
            finding.severity = Severity::Warning;
        }
        if !is_claimed {
            // The accepted interpreters have the symbol, whatever the name says.
            finding.severity = Severity::Warning;
        }
        findings.push(finding);
    }
    // Every tag pair must work, so the oldest release counts. `none` makes no statement about
    // releases.
    let floors = pairs.iter().filter_map(|pair| match &pair.interpreters {
        Interpreters::Every(_) => None,
        interpreters => Some((interpreters.oldest()?, pair.tag.as_str())),
    });
    if let Some((floor, tag)) = floors.min() {
        let newer = newer(case.file, floor);
        if let Some((needed, _)) = newer.first() {
            let message = format!(
                "it uses {} that `{tag}` lacks; CPython {needed} has {}",
                count(newer.len()),
                if newer.len() == 1 { "it" } else { "them all" },
            );
            let evidence = newer.iter().map(|(since, symbol)| format!("{symbol}, since {since}"));
            findings.push(Finding::new(Code::StableAbiTooNew, path, message).because(evidence));
        }
    }
    findings
}

/// Returns the symbols used by the file that are newer than a release, newest first.
fn newer(file: &NativeFile, floor: PlatformVersion) -> Vec<(PlatformVersion, &str)> {
    let on_windows = file.format() == Format::Pe;
    let used = file.python.used.iter();
    let mut found: Vec<(PlatformVersion, &str)> = used
        .filter_map(|symbol| match membership(symbol, on_windows) {
            Membership::Since(since) if since > floor => Some((since, symbol.as_str())),
            _ => None,
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    found
}

fn count(symbols: usize) -> String {
    if symbols == 1 { "a symbol".to_owned() } else { format!("{symbols} symbols") }
}
