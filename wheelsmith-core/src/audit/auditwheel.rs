//! Verdict of auditwheel on a wheel, computed from its rules and the facts read here.
//!
//! The model is `auditwheel show --ldpaths ""` of version 6.8 on a machine with glibc, so that no
//! library of the machine has an influence. If its rules lead to another tag than ours, the report
//! names the rule.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Auditwheel;
use crate::binary::NativeFile;
use crate::binary::elf::{Elf, FloatAbi};
use crate::name::{Arch, Libc, PlatformTag, WheelFilename};
use crate::policy::{self, Policy, android};

/// Maximum number of library lookups.
const MOST_LOOKUPS: usize = 10_000_000;

/// C libraries that auditwheel knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Libc(Libc),
    Android(u16),
}

/// Returns the verdict of auditwheel on the native files of a wheel, by path; `own` is our verdict.
/// `record` contains the paths that RECORD lists, because auditwheel reads no other files.
pub fn verdict(
    files: &[NativeFile],
    record: Option<&BTreeSet<String>>,
    own: Option<&PlatformTag>,
    name: &WheelFilename,
) -> Auditwheel {
    let mut reasons = Reasons::default();
    let tag = Show::run(files, record, name, &mut reasons);
    if tag.as_ref() == own {
        return Auditwheel { tag, reasons: Vec::new() };
    }
    let mut reasons: Vec<String> = reasons.0.into_iter().collect();
    if reasons.is_empty() {
        let known = |text: &str| text.to_owned();
        reasons.push(match (&tag, own) {
            (None, _) => known("it fails"),
            (Some(_), None) => known("it skips damaged files, which count here"),
            _ => known("it checks libraries and processors only of files that no other file needs"),
        });
    }
    Auditwheel { tag, reasons }
}

/// Rules of auditwheel that affected the verdict and differ from ours.
#[derive(Default)]
struct Reasons(BTreeSet<String>);

impl Reasons {
    fn add(&mut self, reason: impl Into<String>) {
        self.0.insert(reason.into());
    }
}

/// A file that auditwheel inspects.
struct InspectedFile<'a> {
    file: &'a NativeFile,
    elf: &'a Elf,
    is_extension: bool,
}

/// Libraries that auditwheel resolves for a file and its dependencies, by needed name; `None` for a
/// library that it does not find.
type Tree<'a> = BTreeMap<&'a str, Option<&'a Elf>>;

struct Show<'a> {
    files: &'a [NativeFile],
    seen: Vec<InspectedFile<'a>>,
}

impl<'a> Show<'a> {
    fn run(
        files: &'a [NativeFile],
        record: Option<&BTreeSet<String>>,
        name: &WheelFilename,
        reasons: &mut Reasons,
    ) -> Option<PlatformTag> {
        let mut arch = arch_of(name);
        let mut system = system_of(name);
        let mut show = Self { files, seen: Vec::new() };
        for file in files {
            let Some(elf) = file.elf() else { continue };
            let path = file.path.as_str();
            if path.contains("@0x") {
                reasons.add("it does not look for native files inside other files");
                continue;
            }
            if path.strip_suffix(".py").is_some() {
                continue;
            }
            if record.is_some_and(|record| !record.contains(path)) {
                reasons.add("it skips files that RECORD does not list");
                continue;
            }
            if path.split('/').rev().skip(1).any(|part| part == "purelib") {
                reasons.add("it fails if a native file is in `purelib`");
                return None;
            }
            let Some(own_arch) = baseline(elf) else {
                reasons.add("it skips files for other processors");
                continue;
            };
            if *arch.get_or_insert(own_arch) != own_arch {
                reasons.add("it skips files for other processors");
                continue;
            }
            let Ok(own) = libc_of(file, elf) else {
                reasons.add("it fails if a file is for two C libraries");
                return None;
            };
            if let Some(own) = own {
                match system {
                    None => system = Some(System::Libc(own)),
                    Some(System::Libc(libc)) if libc == own => {}
                    _ => {
                        reasons.add("it skips files for the other C library");
                        continue;
                    }
                }
            }
            let module = file.path.file_name().split('.').next().unwrap_or_default();
            let starts = ["init", "PyInit_", "_cffi_pypyinit_"];
            let is_extension = starts
                .iter()
                .any(|start| file.symbols.exports.contains(&format!("{start}{module}")));
            if is_extension && system.is_none() {
                reasons.add("it fails if an extension module does not show its C library");
                return None;
            }
            if !elf.has_section_headers && !elf.needed_versions.is_empty() {
                reasons.add("it finds no symbol versions in a file without section headers");
            }
            show.seen.push(InspectedFile { file, elf, is_extension });
        }
        let arch = arch?;
        if show.seen.is_empty() {
            return None;
        }
        let system = system.unwrap_or(System::Libc(Libc::Glibc));
        show.overall(arch, system, reasons)
    }

    fn overall(&self, arch: Arch, system: System, reasons: &mut Reasons) -> Option<PlatformTag> {
        let policies: Vec<Policy> = match system {
            System::Libc(Libc::Glibc) => policy::policies(arch, Libc::Glibc).to_vec(),
            System::Libc(Libc::Musl) => {
                let newest = policy::policies(arch, Libc::Musl).last();
                newest.into_iter().cloned().collect()
            }
            System::Android(api) => {
                let policies = android::policies(arch).iter().rev();
                let is_old = |policy: &&Policy| match policy.tag {
                    PlatformTag::Android { api: level, .. } => level <= api,
                    _ => false,
                };
                // Without a suitable policy auditwheel ends with an error. The tag is kept.
                let mut policy = policies.clone().find(is_old)?.clone();
                policy.tag = PlatformTag::android(api, arch)?;
                vec![policy]
            }
        };
        let linux = PlatformTag::Linux { arch };
        let needed: BTreeSet<&str> =
            self.seen.iter().flat_map(|seen| &seen.elf.needed).map(String::as_str).collect();
        let is_root = |seen: &&InspectedFile<'_>| {
            seen.is_extension || !needed.contains(seen.file.path.file_name())
        };
        let roots: Vec<&InspectedFile<'_>> = self.seen.iter().filter(is_root).collect();
        if roots.iter().any(|root| root.is_extension && has_fpe(root.file)) {
            return Some(linux);
        }
        if roots.iter().any(|root| root.elf.x86_64_level.is_some()) {
            reasons.add("it permits no file for newer processors, even below `glibc-hwcaps`");
            return Some(linux);
        }
        let mut left = MOST_LOOKUPS;
        let mut trees = Vec::new();
        for root in &roots {
            trees.push((*root, self.tree(root, &mut left, reasons)?));
        }
        // The best policy for symbol versions, for libraries and for withheld symbols, each
        // computed separately; the result is the worst of the three.
        let versions: BTreeSet<&str> = self.seen.iter().flat_map(InspectedFile::versions).collect();
        let by_versions =
            policies.iter().position(|policy| versions.iter().all(|v| policy.allows_version(v)));
        let is_carried = |policy: &Policy, reasons: &mut Reasons| {
            trees.iter().all(|(root, tree)| !has_external(root, tree, policy, system, reasons))
        };
        let by_libraries = policies.iter().position(|policy| is_carried(policy, reasons));
        let by_symbols =
            policies.iter().position(|policy| !roots.iter().any(|root| root.is_withheld(policy)));
        let worst = by_versions.zip(by_libraries).zip(by_symbols);
        let worst = worst.map(|((a, b), c)| a.max(b).max(c));
        Some(worst.map_or(linux, |at| policies[at].tag.clone()))
    }

    /// Resolves the dependencies of `root` depth first. Searches the RPATH or RUNPATH of `root` and
    /// those of the file that needs the library, and no other directory. Both lists are passed down
    /// to the dependencies.
    fn tree(
        &self,
        root: &InspectedFile<'a>,
        left: &mut usize,
        reasons: &mut Reasons,
    ) -> Option<Tree<'a>> {
        let mut tree = Tree::new();
        let handed_down = self.directories(root.file, root.elf);
        let mut stack = vec![(root.file, root.elf, 0)];
        while let Some((file, elf, at)) = stack.pop() {
            let Some(name) = elf.needed.get(at).map(String::as_str) else { continue };
            stack.push((file, elf, at + 1));
            if tree.contains_key(name) {
                continue;
            }
            tree.insert(name, None);
            if policy::is_libpython(name) {
                continue;
            }
            let own = self.directories(file, elf);
            let dirs = || handed_down.0.iter().chain(&own.0).chain(&own.1).chain(&handed_down.1);
            let Some(rest) = left.checked_sub(dirs().count() + 1) else {
                reasons.add("its verdict was not computed to the end");
                return None;
            };
            *left = rest;
            let is_compatible =
                |found: &Elf| (found.machine, found.is_64_bit) == (elf.machine, elf.is_64_bit);
            let found = dirs().find_map(|dir| {
                let found = self.at(&join(dir, name)?)?;
                Some((found, found.elf().filter(|elf| is_compatible(elf))?))
            });
            if let Some((file, elf)) = found {
                tree.insert(name, Some(elf));
                stack.push((file, elf, 0));
            }
        }
        Some(tree)
    }

    fn at(&self, path: &str) -> Option<&'a NativeFile> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Returns the directories of the archive that RPATH and RUNPATH name. RPATH counts only if the
    /// file has no RUNPATH.
    fn directories(&self, file: &NativeFile, elf: &Elf) -> (Vec<String>, Vec<String>) {
        let origin = file.path.as_str().rsplit_once('/').map_or("", |(dir, _)| dir);
        let list = |entries: &[String]| -> Vec<String> {
            let inside = entries.iter().filter_map(|entry| {
                let rest =
                    entry.strip_prefix("$ORIGIN").or_else(|| entry.strip_prefix("${ORIGIN}"))?;
                join(origin, rest)
            });
            inside.filter(|dir| self.is_directory(dir)).collect()
        };
        let runpath = list(&elf.runpath);
        (if runpath.is_empty() { list(&elf.rpath) } else { Vec::new() }, runpath)
    }

    fn is_directory(&self, dir: &str) -> bool {
        let at = self.files.partition_point(|file| file.path.as_str() < dir);
        let mut behind = self.files[at..].iter().map(|file| file.path.as_str());
        dir.is_empty()
            || behind
                .by_ref()
                .take_while(|path| path.starts_with(dir))
                .any(|path| path.as_bytes().get(dir.len()) == Some(&b'/'))
    }
}

impl<'a> InspectedFile<'a> {
    fn versions(&self) -> impl Iterator<Item = &'a str> {
        let is_counted = |library: &str| {
            !library.starts_with("ld-linux") && !["ld64.so.1", "ld64.so.2"].contains(&library)
        };
        let has_sections = self.elf.has_section_headers;
        let needed = self.elf.needed_versions.iter();
        let counted = needed.filter(move |(library, _)| has_sections && is_counted(library));
        counted.flat_map(|(_, versions)| versions).map(String::as_str)
    }

    fn is_withheld(&self, policy: &Policy) -> bool {
        policy.forbidden_symbols.iter().any(|(library, symbols)| {
            self.elf.needed.contains(library)
                && self.file.symbols.undefined.iter().any(|s| !s.weak && symbols.contains(&s.name))
        })
    }
}

/// True if `root` needs, directly or through libraries outside the policy, a library that is
/// neither found nor in the policy.
fn has_external(
    root: &InspectedFile<'_>,
    tree: &Tree<'_>,
    policy: &Policy,
    system: System,
    reasons: &mut Reasons,
) -> bool {
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&Elf> = vec![root.elf];
    while let Some(elf) = next.pop() {
        for name in elf.needed.iter().map(String::as_str) {
            if allows(policy, name, system, reasons) || !asked.insert(name) {
                continue;
            }
            match tree.get(name).copied().flatten() {
                Some(found) => next.push(found),
                None => return true,
            }
        }
    }
    false
}

fn allows(policy: &Policy, library: &str, system: System, reasons: &mut Reasons) -> bool {
    if library.contains("ld-linux") || ["ld64.so.1", "ld64.so.2"].contains(&library) {
        return true;
    }
    match system {
        System::Android(_) if policy::is_libpython(library) => true,
        System::Libc(Libc::Musl) if library == "libc.so" => {
            reasons.add("it does not know `libc.so`, musl's own name for its library");
            false
        }
        _ => policy.allowed_libraries.contains(library),
    }
}

fn has_fpe(file: &NativeFile) -> bool {
    let names = ["PyFPE_jbuf", "PyFPE_dummy", "PyFPE_counter"];
    file.symbols.undefined.iter().any(|symbol| names.contains(&symbol.name.as_str()))
}

/// Returns the processor in the platform tags of the file name; `None` if they name none or
/// several.
fn arch_of(name: &WheelFilename) -> Option<Arch> {
    const NAMES: [(&str, Arch); 13] = [
        ("_aarch64", Arch::Aarch64),
        ("_arm64_v8a", Arch::Aarch64),
        ("_armv7l", Arch::Armv7l),
        ("_i686", Arch::I686),
        ("_loongarch64", Arch::Loongarch64),
        ("_ppc64", Arch::Ppc64),
        ("_ppc64le", Arch::Ppc64le),
        ("_riscv64", Arch::Riscv64),
        ("_s390x", Arch::S390x),
        ("_x86_64", Arch::X86_64),
        ("_x86_64_v2", Arch::X86_64),
        ("_x86_64_v3", Arch::X86_64),
        ("_x86_64_v4", Arch::X86_64),
    ];
    let of = |tag: &PlatformTag| {
        let text = tag.to_string();
        NAMES.iter().find(|(end, _)| text.ends_with(end)).map(|(_, arch)| *arch)
    };
    let arches: BTreeSet<Option<Arch>> = name.platforms.iter().map(of).collect();
    if arches.len() == 1 { arches.into_iter().next()? } else { None }
}

/// Returns the C library in the platform tags of the file name; `None` if they name none or
/// several.
fn system_of(name: &WheelFilename) -> Option<System> {
    let mut found = None;
    for tag in &name.platforms {
        let own = match tag {
            PlatformTag::Android { api, .. } => System::Android(*api),
            tag => match tag.libc() {
                Some(libc) => System::Libc(libc),
                None => continue,
            },
        };
        match found {
            Some(other) if other != own => return None,
            _ => found = Some(own),
        }
    }
    found
}

/// Returns the processor of a file. A 32-bit Arm file counts only if its header says that it passes
/// floating-point arguments in registers.
fn baseline(elf: &Elf) -> Option<Arch> {
    let is_soft = elf.arch == Some(Arch::Armv7l) && elf.float_abi != Some(FloatAbi::Double);
    elf.arch.filter(|_| !is_soft)
}

/// Returns the C library that the loader, the dependencies or the name of a file indicate; an error
/// if they indicate two.
fn libc_of(file: &NativeFile, elf: &Elf) -> Result<Option<Libc>, ()> {
    let of_loader = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        if name.starts_with("ld-musl-") { Libc::Musl } else { Libc::Glibc }
    };
    let mut found = elf.interpreter.as_ref().map(of_loader);
    for library in &elf.needed {
        let own = if library.starts_with("libc.musl-") || library.starts_with("ld-musl-") {
            Libc::Musl
        } else if library == "libc.so.6"
            || library.starts_with("ld-linux-")
            || library.starts_with("ld64.so.")
        {
            Libc::Glibc
        } else {
            continue;
        };
        if *found.get_or_insert(own) != own {
            return Err(());
        }
    }
    Ok(found.or_else(|| libc_by_name(file.path.file_name())))
}

fn libc_by_name(name: &str) -> Option<Libc> {
    let ends = |ends: [&str; 2]| ends.iter().any(|end| name.ends_with(end));
    if ends(["-arm-linux-musleabihf.so", "-linux-musl.so"]) {
        return Some(Libc::Musl);
    }
    if !ends(["-arm-linux-gnueabihf.so", "-linux-gnu.so"]) {
        return None;
    }
    // Before Python 3.11, modules for musl had this name too.
    let abi = name.strip_suffix(".so")?.rsplit('.').next()?;
    let minor = abi.strip_prefix("cpython-3")?;
    let is_new = minor.get(..2).and_then(|digits| digits.parse().ok()).is_some_and(|n: u8| n >= 11);
    is_new.then_some(Libc::Glibc)
}

/// Returns `dir/rest` without `.` and `..`; `None` if the result is outside the archive.
fn join(dir: &str, rest: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
