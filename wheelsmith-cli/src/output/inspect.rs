//! Facts of native files.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde_json::{Value, json};
use wheelsmith_core::audit::FileFacts;
use wheelsmith_core::audit::extension::{Extension, start_functions};
use wheelsmith_core::binary::elf::{self, Elf, Relro};
use wheelsmith_core::binary::macho::{self, Load, Pages, Slice};
use wheelsmith_core::binary::pe::{self, Pe};
use wheelsmith_core::binary::{Facts as FileKind, NativeFile, Undefined};
use wheelsmith_core::name::{Arch, PlatformTag};

use super::human::{BOLD, DIM, RED, size};
use super::text::{self, Text};

/// Version of the document of `inspect`.
const INSPECT_SCHEMA: u32 = 2;
/// Width of a line.
const WIDTH: usize = 80;
/// Column of the values.
const VALUE: usize = 15;
/// Number of symbols of the newest version that are named without `--verbose`.
const SYMBOLS: usize = 6;

/// Native file, and the platform tag that it qualifies for alone.
#[derive(Debug)]
pub(crate) struct Inspected {
    /// Argument: a path, or the archive that contains the file.
    pub(crate) given: String,
    /// Facts.
    pub(crate) file: NativeFile,
    /// Tag that it qualifies for alone.
    pub(crate) verdict: Option<PlatformTag>,
}

/// Lines with a name and a value.
struct Facts(Text);

impl Facts {
    /// Adds a value, unless it is empty. A long value continues on the next lines, broken between
    /// words.
    fn say(&mut self, name: &str, value: impl fmt::Display) {
        let value = text::line(&value.to_string());
        let mut lines: Vec<String> = Vec::new();
        for word in value.split_whitespace() {
            match lines.last_mut() {
                Some(line) if VALUE + line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                    let _ = write!(line, " {word}");
                }
                _ => lines.push(word.to_owned()),
            }
        }
        for (i, line) in lines.iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            let _ = writeln!(self.0, "  {DIM}{name:width$}{DIM:#}{line}", width = VALUE - 2);
        }
    }

    /// Adds a line for each value, with the name before the first.
    fn list(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        for (i, value) in values.into_iter().enumerate() {
            self.say(if i == 0 { name } else { "" }, value);
        }
    }
}

pub(super) fn human(files: &[Inspected], verbose: bool) -> Text {
    let mut facts = Facts(Text::new());
    for (i, shown) in files.iter().enumerate() {
        if i > 0 {
            facts.0.push_own("\n");
        }
        one(&mut facts, shown, verbose);
    }
    facts.0
}

fn one(facts: &mut Facts, shown: &Inspected, verbose: bool) {
    let file = &shown.file;
    let bytes = size(file.size_bytes);
    let _ = writeln!(facts.0, "{BOLD}{}{BOLD:#}  {DIM}{bytes}{DIM:#}", file.path);
    if let Some(problem) = file.problem() {
        let _ = writeln!(facts.0, "  {RED}{problem}{RED:#}");
        return;
    }
    match &file.facts {
        FileKind::Elf(elf) => elf_facts(facts, file, elf, verbose),
        FileKind::MachO(image) => {
            for slice in &image.slices {
                slice_facts(facts, slice);
            }
        }
        FileKind::Pe(pe) => pe_facts(facts, pe, verbose),
        FileKind::Archive(Some(archive)) => {
            let arch = processor(archive.arch, archive.machine);
            facts.say("is", format!("a static library of ELF objects for {arch}"));
        }
        FileKind::Archive(None) => facts.say("is", "a static library"),
        FileKind::Wasm(wasm) => {
            let kind = if wasm.is_component { "component" } else { "module" };
            facts.say("is", format!("a WebAssembly {kind}"));
            facts.list("needs", wasm.needed.iter().cloned());
        }
        FileKind::Unreadable { .. } => {}
    }
    extension(facts, file, verbose);
    let others = "no portable tag on its own: it needs other libraries";
    match &shown.verdict {
        Some(PlatformTag::Any) => {}
        Some(PlatformTag::Linux { .. }) => facts.say("verdict", others),
        Some(tag) => facts.say("verdict", format!("{tag}, without its libraries")),
        None if needs_any(file) => facts.say("verdict", others),
        None => {}
    }
}

fn needs_any(file: &NativeFile) -> bool {
    let slices = file.macho().into_iter().flat_map(|macho| &macho.slices);
    file.elf().is_some_and(|elf| !elf.needed.is_empty())
        || slices.into_iter().any(|slice| !slice.needed.is_empty())
        || file.pe().is_some_and(|pe| !pe.imports.is_empty())
}

fn extension(facts: &mut Facts, file: &NativeFile, verbose: bool) {
    if let Some(extension) = Extension::of(file) {
        let of = [&extension.python, &extension.abi].into_iter().flatten();
        let of: Vec<&str> = of.map(String::as_str).collect();
        let mut text = format!("`import {}`", extension.module);
        if let Some(abi) = of.last() {
            let _ = write!(text, " for {abi}");
        }
        facts.say("Python", text);
    }
    facts.say("started by", file.python.starts.join(", "));
    if verbose {
        facts.say("from Python", file.python.used.join(", "));
    }
}

fn processor(arch: Option<Arch>, machine: u16) -> String {
    arch.map_or_else(|| format!("machine {machine}"), |arch| arch.to_string())
}

fn elf_facts(facts: &mut Facts, file: &NativeFile, elf: &Elf, verbose: bool) {
    let kind = match elf.kind {
        elf::Kind::Program => "program",
        elf::Kind::StaticProgram => "static program",
        elf::Kind::SharedLibrary => "shared library",
        elf::Kind::Object => "object file",
        elf::Kind::Other => "file of another kind",
    };
    let mut text = format!("ELF {kind} for {}", processor(elf.arch, elf.machine));
    if let Some(level) = elf.x86_64_level {
        let _ = write!(text, "-v{level}");
    }
    if let Some(api) = elf.android_api {
        let _ = write!(text, ", Android {api}");
    }
    facts.say("is", text);
    facts.say("loader", elf.interpreter.as_deref().unwrap_or_default());
    facts.say("SONAME", elf.soname.as_deref().unwrap_or_default());
    facts.say("RPATH", elf.rpath.join(":"));
    facts.say("RUNPATH", elf.runpath.join(":"));
    let versions = |library: &String| {
        let versions = elf.needed_versions.get(library).into_iter().flatten();
        let mut versions: Vec<&str> = versions.map(String::as_str).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(numbers(version)));
        if versions.is_empty() {
            library.clone()
        } else {
            format!("{library} {}", versions.join(", "))
        }
    };
    facts.list("needs", elf.needed.iter().map(versions));
    let others = elf.needed_versions.keys().filter(|library| !elf.needed.contains(library));
    facts.list("versions of", others.map(versions));
    facts.say("provides", elf.defined_versions.iter().cloned().collect::<Vec<_>>().join(", "));
    symbols(facts, file, verbose);
    let mut hardening = vec![match elf.relro {
        Relro::None => "no RELRO",
        Relro::Partial => "partial RELRO",
        Relro::Full => "full RELRO",
    }];
    if matches!(elf.kind, elf::Kind::Program | elf::Kind::StaticProgram) {
        hardening.push(if elf.is_pie { "PIE" } else { "no PIE" });
    }
    hardening.push(match elf.executable_stack {
        Some(false) => "no code on the stack",
        Some(true) => "code on the stack",
        None => "stack flags missing",
    });
    if elf.text_relocations {
        hardening.push("relocations in code");
    }
    if elf.kind != elf::Kind::Object {
        facts.say("hardening", hardening.join(", "));
    }
    if let Some((least, most)) = elf.alignment_bytes {
        let range = if least == most { String::new() } else { format!(" to {most:#x}") };
        facts.say("aligned to", format!("{least:#x}{range}"));
    }
    facts.say("build id", elf.build_id.as_deref().unwrap_or_default());
    if elf.unloaded_bytes > 0 && elf.kind != elf::Kind::Object {
        facts.say("not loaded", size(elf.unloaded_bytes));
    }
    facts.say("may load", elf.static_openers.join(", "));
}

/// Adds the symbols of the newest version in each namespace, or with `verbose` all.
fn symbols(facts: &mut Facts, file: &NativeFile, verbose: bool) {
    let name = |symbol: &Undefined| match &symbol.version {
        Some((version, _)) => format!("{}@{version}", symbol.name),
        None => symbol.name.clone(),
    };
    if verbose {
        let weak = |symbol: &Undefined| if symbol.weak { " (weak)" } else { "" };
        facts.list(
            "imports",
            file.symbols.undefined.iter().map(|s| format!("{}{}", name(s), weak(s))),
        );
        return;
    }
    let mut newest: BTreeMap<&str, (Vec<u32>, Vec<String>)> = BTreeMap::new();
    for symbol in &file.symbols.undefined {
        let Some((version, _)) = &symbol.version else { continue };
        let namespace = version.rsplit_once('_').map_or("", |(namespace, _)| namespace);
        let (best, names) = newest.entry(namespace).or_default();
        let version = numbers(version);
        if version > *best {
            names.clear();
            *best = version;
        } else if version < *best {
            continue;
        }
        names.push(name(symbol));
    }
    let newest = newest.into_values().map(|(_, mut names)| {
        let more = names.len().saturating_sub(SYMBOLS);
        names.truncate(SYMBOLS);
        if more > 0 {
            names.push(format!("and {more} more"));
        }
        names.join(", ")
    });
    facts.list("newest", newest.collect::<Vec<_>>());
    let count = file.symbols.undefined.len();

    facts.say("symbols", format!("imports {count}, exports {}", file.symbols.exports.count()));
}

/// Returns the numbers of a version for comparisons: `[2, 17]` for `GLIBC_2.17`.
fn numbers(version: &str) -> Vec<u32> {
    let tail = version.rsplit('_').next().unwrap_or_default();
    tail.split('.').filter_map(|number| number.parse().ok()).collect()
}

fn slice_facts(facts: &mut Facts, slice: &Slice) {
    let kind = match slice.kind {
        macho::Kind::Program => "program",
        macho::Kind::SharedLibrary => "shared library",
        macho::Kind::Bundle => "bundle",
        macho::Kind::Object => "object file",
        macho::Kind::DebugInfo => "debug information",
        macho::Kind::Archive => "static library",
        macho::Kind::Other => "file of another kind",
    };
    facts.say("is", format!("Mach-O {kind} for {}", slice.cpu));
    for build in &slice.builds {
        let sdk = build.sdk.map(|sdk| format!(" (SDK {sdk})")).unwrap_or_default();
        facts.say("made for", format!("{} {}{sdk}", build.platform, build.minimum));
    }
    facts.say("install name", slice.install_name.as_deref().unwrap_or_default());
    facts.list("rpath", slice.rpaths.iter().cloned());
    let needs = slice.needed.iter().map(|needed| {
        let how = match needed.kind {
            Load::Required => "",
            Load::Weak => " (weak)",
            Load::Reexport => " (re-exported)",
            Load::Upward => " (upward)",
            Load::Lazy => " (when used)",
        };
        format!("{}{how}", needed.name)
    });
    facts.list("needs", needs);
    if let Some(signature) = &slice.signature {
        let by = if signature.ad_hoc { "without an identity (ad hoc)" } else { "by somebody" };
        let pages = match signature.pages {
            Pages::Right => "pages match".to_owned(),
            Pages::Wrong { count, .. } => format!("{count} pages changed since"),
            Pages::NotChecked => "pages were not checked".to_owned(),
            Pages::Unreadable => "unreadable".to_owned(),
        };
        facts.say("signed", format!("{by}; {pages}"));
    } else if slice.kind.is_loaded() {
        facts.say("signed", "no");
    }
}

fn pe_facts(facts: &mut Facts, pe: &Pe, verbose: bool) {
    let kind = match pe.kind {
        pe::Kind::Program => "program",
        pe::Kind::SharedLibrary => "DLL",
        pe::Kind::Other => "file of another kind",
    };
    facts.say("is", format!("PE {kind} for {}", processor(pe.arch, pe.machine)));
    facts.say("made for", format!("Windows {} (by its internal number)", pe.subsystem_version));
    facts.say("name", pe.export_name.as_deref().unwrap_or_default());
    let needs = pe.imports.iter().map(|import| {
        let count = import.symbols.len() + import.by_number;
        let plural = if count == 1 { "symbol" } else { "symbols" };
        let delayed = if import.is_delayed { ", when used" } else { "" };
        format!("{} ({count} {plural}{delayed})", import.library)
    });
    facts.list("needs", needs);
    if verbose {
        let names = pe.imports.iter().flat_map(|import| {
            import.symbols.iter().map(|symbol| format!("{symbol} of {}", import.library))
        });
        facts.list("imports", names);
        facts.list("exports", pe.exports.iter().cloned());
    } else {
        facts.say("symbols", format!("exports {}", pe.exports.len() + pe.forwarders));
    }
    let set = [
        (pe.no_execute, "NX"),
        (pe.dynamic_base, "ASLR"),
        (pe.high_entropy, "high-entropy ASLR"),
        (pe.control_flow_guard, "CFG"),
    ];
    let set: Vec<&str> = set.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
    facts.say("hardening", if set.is_empty() { "none".to_owned() } else { set.join(", ") });
    facts.say("signed", if pe.is_signed { "yes, but the signature was not checked" } else { "no" });
}

pub(super) fn json(files: &[Inspected]) -> Value {
    let files = files.iter().map(|shown| {
        let Inspected { given, file, verdict } = shown;
        let mut value = json!(FileFacts::of(file));
        value["given"] = json!(given);
        value["verdict"] = json!(verdict);
        value["undefined"] = json!(file.symbols.undefined);
        value["starts"] = json!(start_functions(file));
        value["problem"] = json!(file.problem().map(ToString::to_string));
        value
    });
    json!({ "schema": INSPECT_SCHEMA, "files": files.collect::<Vec<_>>() })
}
