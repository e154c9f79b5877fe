//! Faults of an ELF file that do not depend on the platform.

use super::place::{directory, installed};
use crate::binary::NativeFile;
use crate::binary::elf::{Elf, Kind, Relro};
use crate::finding::{Code, Finding};
use crate::name::Arch;

/// Smallest amount of unloaded bytes that is reported. The names of a few functions are acceptable.
const MOST_UNLOADED_BYTES: u64 = 1 << 20;

pub(super) fn check(file: &NativeFile, elf: &Elf, findings: &mut Vec<Finding>) {
    let place = installed(file.path.as_str());
    let entries = elf.rpath.iter().map(|entry| ("RPATH", entry));
    for (tag, entry) in entries.chain(elf.runpath.iter().map(|entry| ("RUNPATH", entry))) {
        if directory(entry, &place).is_none() {
            let message = if entry.is_empty() {
                format!("its {tag} has an empty entry, which means the current directory")
            } else {
                format!("its {tag} has `{entry}`, outside the wheel")
            };
            let help = "use `$ORIGIN` and paths relative to it";
            findings.push(Finding::new(Code::EscapingRpath, &file.path, message).with_help(help));
        }
    }
    let mut find = |code, message: String| findings.push(Finding::new(code, &file.path, message));
    if elf.executable_stack == Some(true) {
        find(Code::ExecutableStack, "its stack is executable".to_owned());
    }
    if elf.text_relocations {
        find(Code::TextRelocations, "the loader must change its code".to_owned());
    }
    // A static program at a fixed address has no data that the loader fills in.
    if elf.relro == Relro::None && (elf.kind != Kind::StaticProgram || elf.is_pie) {
        find(Code::NoRelro, "its relocated data stays writable".to_owned());
    }
    if matches!(elf.kind, Kind::Program | Kind::StaticProgram) && !elf.is_pie {
        find(Code::NoPie, "it is always loaded at the same address".to_owned());
    }
    if elf.build_id.is_none() {
        find(Code::NoBuildId, "it has no build id".to_owned());
    }
    if elf.unloaded_bytes > MOST_UNLOADED_BYTES && elf.unloaded_bytes > file.size_bytes / 5 {
        let (unloaded, size) = (mib(elf.unloaded_bytes), mib(file.size_bytes));
        find(Code::Unstripped, format!("{unloaded} of its {size} are never loaded"));
    }
    if let Some((least, _)) = elf.alignment_bytes.filter(|(least, _)| *least < largest_page(elf)) {
        let kib = least / 1024;
        find(Code::PageAlignment, format!("its segments are aligned to {kib} KiB"));
    }
    if !elf.static_openers.is_empty() {
        let calls = elf.static_openers.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let message = format!(
            "it is a static glibc program with {}: the libraries that it loads must be of the same \
             glibc",
            calls.join(", ")
        );
        find(Code::StaticDlopen, message);
    }
}

/// Returns the largest memory page size that kernels for the processor are built with, in bytes; on
/// Android, that of its newest devices.
fn largest_page(elf: &Elf) -> u64 {
    match elf.arch {
        Some(Arch::Aarch64) if elf.android_api.is_some() => 16_384,
        Some(Arch::Aarch64 | Arch::Ppc64le) => 65_536,
        _ => 0,
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
