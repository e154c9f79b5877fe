//! Symbols of Python's against the stable ABI that a wheel or a file claims.

use super::Case;
use super::guest::{Abi, Guest, Who};
use crate::binary::{Format, NativeFile};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Libc, PlatformVersion};
use crate::policy;
use crate::policy::stable_abi::{Membership, membership};

/// What reference counting of free-threaded builds needs, and no other build has (CPython's
/// `refcount.h` and `object.h`).
const FREE_THREADED: [&str; 3] =
    ["_Py_DecRefShared", "_Py_DecRefSharedDebug", "_Py_MergeZeroLocalRefcount"];

/// The symbols it takes that only free-threaded builds have.
pub(super) fn free_threaded(file: &NativeFile) -> Vec<String> {
    let used = file.python.used.iter();
    used.filter(|symbol| FREE_THREADED.contains(&symbol.as_str())).cloned().collect()
}

/// The symbols it takes that are not part of the stable ABI, with what is known of them.
pub(super) fn outside(files: &[NativeFile], file: &NativeFile) -> Vec<String> {
    let on_windows = file.format() == Format::Pe;
    let used = file.python.used.iter();
    let found = used.filter_map(|symbol| match membership(symbol, on_windows) {
        Membership::Since(_) => None,
        Membership::Elsewhere(owner) => Some(format!("{symbol}, which only {owner} has")),
        // Libraries have names such as Python's as well: PySide, PyQt.
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

/// The libraries that an ELF file needs and that are neither in the wheel nor promised by any
/// policy: where its symbols come from, the file does not say.
fn strange_libraries<'f>(files: &[NativeFile], file: &'f NativeFile) -> Vec<&'f str> {
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

/// Holds a file to the stable ABI when its name or its guests ask for that.
pub(super) fn check(files: &[NativeFile], case: &Case<'_>, guests: &[&Guest]) -> Vec<Finding> {
    let claims_by_name = matches!(case.named_abi(), Abi::Stable { .. });
    if matches!(case.named_abi(), Abi::CPython(_) | Abi::PyPy(_) | Abi::Other) {
        return Vec::new();
    }
    let is_invited = guests.iter().any(|guest| matches!(guest.who, Who::Stable { .. }));
    if !is_invited && !claims_by_name {
        return Vec::new();
    }
    let path = &case.file.path;
    let mut findings = Vec::new();
    let outside = outside(files, case.file);
    if !outside.is_empty() {
        let (are, them) = if outside.len() == 1 { ("is", "it") } else { ("are", "them") };
        let claim = if is_invited { "the wheel claims" } else { "its name claims" };
        let taken = count(outside.len());
        let message =
            format!("{claim} the stable ABI, and it takes {taken} that {are} not part of it");
        let mut finding = Finding::new(Code::NotStableAbi, path, message).because(outside);
        let strange = strange_libraries(files, case.file);
        if !strange.is_empty() {
            let libraries: Vec<String> = strange.iter().map(|name| format!("`{name}`")).collect();
            finding.message =
                format!("{}, unless {} has {them}", finding.message, libraries.join(" or "));
            finding.severity = Severity::Warning;
        }
        if !is_invited {
            // The Pythons that the tags invite have the symbol, whatever the name says.
            finding.severity = Severity::Warning;
        }
        findings.push(finding);
    }
    // Every pair of tags must hold, so that the oldest release counts. `none` says nothing of that.
    let floors = guests.iter().filter_map(|guest| match &guest.who {
        Who::Every(_) => None,
        who => Some((who.oldest()?, guest.tag.as_str())),
    });
    if let Some((floor, tag)) = floors.min() {
        let newer = newer(case.file, floor);
        if let Some((needed, _)) = newer.first() {
            let message = format!(
                "it takes {} that `{tag}` lacks; CPython {needed} has {}",
                count(newer.len()),
                if newer.len() == 1 { "it" } else { "them all" },
            );
            let evidence = newer.iter().map(|(since, symbol)| format!("{symbol}, since {since}"));
            findings.push(Finding::new(Code::StableAbiTooNew, path, message).because(evidence));
        }
    }
    findings
}

/// The symbols it takes that came after a release, newest first.
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
