//! Judges PE files against a Windows tag: `win32`, `win_amd64`, `win_arm64`.

use std::collections::{BTreeMap, BTreeSet};

use super::place::installed;
use crate::binary::NativeFile;
use crate::binary::pe::{Kind, Pe};
use crate::finding::{Code, Finding};
use crate::name::{Arch, PlatformTag, WheelPath, WindowsArch};
use crate::policy::windows::{Origin, origin, with_suffix};

/// Returns the tag, or `None` if a fault excludes it, and the findings.
pub(super) fn judge(
    files: &[NativeFile],
    wanted: WindowsArch,
    findings: &mut Vec<Finding>,
) -> PlatformTag {
    let images = || files.iter().filter_map(|file| Some((&file.path, file.pe()?)));
    let mut libraries: BTreeMap<String, Vec<(&WheelPath, &Pe)>> = BTreeMap::new();
    for (path, pe) in images() {
        libraries.entry(path.file_name().to_ascii_lowercase()).or_default().push((path, pe));
    }
    for (path, pe) in images() {
        let mut find = |code, message| findings.push(Finding::new(code, path, message));
        for_arch(pe, wanted, &mut find);
        if pe.kind != Kind::Other {
            check_imports(path, pe, &libraries, findings);
            check_hardening(path, pe, findings);
        }
    }
    PlatformTag::Windows { arch: wanted }
}

fn for_arch(pe: &Pe, wanted: WindowsArch, find: &mut impl FnMut(Code, String)) {
    // .NET code is compiled where it runs; its header names x86.
    let is_any = pe.is_dotnet && pe.arch == Some(Arch::I686);
    if pe.arch == Some(wanted.arch()) || is_any {
        return;
    }
    let (found, tag) = (pe.machine_name(), wanted);
    let is_emulated = match (wanted.arch(), pe.arch) {
        (Arch::X86_64, Some(arch)) => arch == Arch::I686,
        (Arch::Aarch64, Some(_)) => true,
        _ => false,
    };
    if pe.kind == Kind::Program && is_emulated {
        find(Code::EmulatedProgram, format!("it is for {found}, which {tag} only emulates"));
    } else {
        find(Code::WrongArch, format!("it is for {found}, the target is {tag}"));
    }
}

/// Checks the origin of each imported library.
fn check_imports(
    path: &WheelPath,
    pe: &Pe,
    libraries: &BTreeMap<String, Vec<(&WheelPath, &Pe)>>,
    findings: &mut Vec<Finding>,
) {
    let mut find = |finding| findings.push(finding);
    let new = |code, message: String| Finding::new(code, path, message);
    let is_program = pe.kind == Kind::Program;
    let mut elsewhere: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut runtime: BTreeSet<&str> = BTreeSet::new();
    for import in &pe.imports {
        let library = import.library.as_str();
        let from = origin(library);
        if matches!(from, Origin::System | Origin::Python) {
            continue;
        }
        let found = libraries.get(&with_suffix(library));
        // A process loads only libraries of its own processor.
        let fits = |other: &&&(&WheelPath, &Pe)| other.1.arch == pe.arch;
        let mut inside = found.into_iter().flatten().filter(|other| fits(&other)).peekable();
        if inside.peek().is_some() && !pe.system_libraries_only {
            let found: Vec<&WheelPath> = inside.map(|(at, _)| *at).collect();
            if !found.iter().any(|at| directory(at) == directory(path)) {
                let first = found[0].parent().unwrap_or(".");
                elsewhere.entry(first).or_default().insert(library);
            }
            continue;
        }
        match from {
            // Python loads its own C runtime before any file of the wheel; a program has no such
            // runtime.
            Origin::PythonsCRuntime if !is_program => {}
            Origin::PythonsCRuntime | Origin::CRuntime => {
                runtime.insert(library);
            }
            _ if import.is_delayed => {
                let message = format!("it loads `{library}` at its first use");
                find(new(Code::OptionalLibrary, message));
            }
            _ if inside.peek().is_some() => {
                let message = format!(
                    "it needs `{library}`, which is in the wheel, but it was linked to load \
                     libraries only from the system directory"
                );
                let help = "link it without `/DEPENDENTLOADFLAG:0x800`";
                find(new(Code::ExternalLibrary, message).with_help(help));
            }
            _ => {
                let message =
                    format!("it needs `{library}`, which neither the wheel nor Windows contains");
                find(new(Code::ExternalLibrary, message));
            }
        }
    }
    for (directory, names) in elsewhere {
        let (how, help) = if is_program {
            ("if that is on PATH", "put the library beside the program, or start it with that PATH")
        } else {
            (
                "after `os.add_dll_directory`",
                "make sure that the package calls `os.add_dll_directory` before it loads the file",
            )
        };
        let message =
            format!("it needs {} from `{directory}`, where Windows looks only {how}", list(&names));
        find(new(Code::LibraryElsewhere, message).with_help(help));
    }
    if !runtime.is_empty() {
        let message = format!("it needs {}, which Windows does not contain", list(&runtime));
        find(new(Code::CRuntime, message));
    }
}

/// Returns the directory in which a file is installed.
fn directory(path: &WheelPath) -> String {
    let place = installed(path.as_str());
    place.rsplit_once('/').map_or_else(String::new, |(directory, _)| directory.to_owned())
}

fn check_hardening(path: &WheelPath, pe: &Pe, findings: &mut Vec<Finding>) {
    // The .NET runtime chooses the addresses of .NET code.
    if pe.is_dotnet {
        return;
    }
    // Windows never executes data in 64-bit processes, whatever the header says.
    if !pe.no_execute && !pe.is_64_bit {
        findings.push(Finding::new(Code::NoNx, path, "its data can be executed (no NX_COMPAT)"));
    }
    if !pe.dynamic_base {
        let message =
            "it cannot be loaded at a random address (no DYNAMIC_BASE, or no relocations)";
        let finding = Finding::new(Code::NoPie, path, message);
        findings.push(finding.with_help("link with `/DYNAMICBASE`, without `/FIXED`"));
    }
}

fn list(names: &BTreeSet<&str>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
