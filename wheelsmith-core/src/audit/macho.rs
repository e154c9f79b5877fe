//! Judges Mach-O files against a macOS tag: `macosx_11_0_arm64`, `macosx_10_9_universal2`.

use std::collections::BTreeSet;

use super::dyld::{self, Graph};
use super::place::installed;
use super::tangled::{TANGLED, TANGLED_HELP};
use crate::binary::NativeFile;
use crate::binary::macho::{Kind, Load, MachO, Pages, Platform, Signature, Slice};
use crate::finding::{Code, Finding};
use crate::name::{Arch, IosSdk, MacArch, PlatformTag, PlatformVersion, WheelPath};

/// First macOS for arm64.
const FIRST_ON_ARM: PlatformVersion = PlatformVersion::new(11, 0);
/// Prefix of the install names that delocate writes. No such directory exists.
const NOWHERE: &str = "/DLC/";
/// Fix for a signature that the audit does not check.
const CODESIGN: &str = "check the signature on macOS: `codesign --verify FILE`";

/// Version and processors of a macOS tag.
#[derive(Clone, Copy)]
struct Floor {
    min: PlatformVersion,
    arch: MacArch,
}

/// Returns the lowest tag that every file qualifies for, or `None` if a fault excludes every tag,
/// and findings about what keeps the files from the wanted tag.
pub(super) fn judge(
    files: &[NativeFile],
    min: PlatformVersion,
    arch: MacArch,
    findings: &mut Vec<Finding>,
) -> PlatformTag {
    let wanted = Floor { min, arch };
    let images = || files.iter().filter_map(|file| Some((&file.path, file.macho()?)));
    for (path, macho) in images() {
        for_platform(path, macho, wanted, findings);
    }
    let mut minimum = None;
    for &arch in wanted.arch.arches() {
        let slices: Vec<Loaded<'_>> =
            images().filter_map(|(path, macho)| Loaded::new(path, macho, arch)).collect();
        let graph = Graph::new(slices.iter().map(|loaded| (loaded.place.as_str(), loaded.slice)));
        for loaded in &slices {
            let case = Case { loaded, arch, wanted, graph: &graph, all: &slices };
            case.check(findings);
            minimum = minimum.max(case.minimum().filter(|&version| {
                // Every macOS for arm64 is version 11 or newer, so a lower version in a universal
                // tag does not concern arm64.
                wanted.arch.arches().len() == 1
                    || arch != Arch::Aarch64
                    || tagged(version) > FIRST_ON_ARM
            }));
        }
    }
    PlatformTag::MacOs { min: tagged(minimum.unwrap_or(wanted.min)), arch: wanted.arch }
}

/// Judges the files of an iOS wheel: platform, processor and the oldest iOS. The rest depends on
/// the app that contains the modules (PEP 730): it installs libraries as frameworks, and it is
/// signed as a whole.
pub(super) fn judge_ios(
    files: &[NativeFile],
    min: PlatformVersion,
    sdk: IosSdk,
    findings: &mut Vec<Finding>,
) -> PlatformTag {
    let wanted = if sdk.is_simulator() { Platform::Simulator } else { Platform::Ios };
    let mut needed = min;
    for file in files {
        let Some(image) = file.macho() else { continue };
        let mut find = |finding| findings.push(finding);
        let new = |code, message: String| Finding::new(code, &file.path, message);
        let Some(slice) = image.slice(sdk.arch()).filter(|slice| slice.kind.is_loaded()) else {
            let message = format!("it is for {}; the tag requires {sdk}", image.cpus());
            find(new(Code::WrongArch, message));
            continue;
        };
        let message = "its libraries and its signature are not judged: the app that contains it \
                       installs the libraries and is signed as a whole";
        let help = "test the module in an app";
        find(new(Code::NotJudged, message.to_owned()).with_help(help));
        // Before LC_BUILD_VERSION, iOS on Intel was the simulator.
        let is_wanted = |platform: Platform| {
            platform == wanted || platform == Platform::Ios && sdk == IosSdk::X86_64Simulator
        };
        let builds = || slice.builds.iter().filter(|build| is_wanted(build.platform));
        if let (Some(first), None) = (slice.builds.first(), builds().next()) {
            let message =
                format!("it is for {} ({}), the tag is for {sdk}", first.platform, slice.cpu);
            find(new(Code::WrongPlatform, message));
        }
        if let Some(minimum) = builds().map(|build| build.minimum).max().filter(|own| *own > min) {
            let message = format!("it needs iOS {minimum}, the tag says {min}");
            let help = "build it for the iOS of the tag (`-mios-version-min=…`), or raise the tag";
            find(new(Code::MinimumTooNew, message).with_help(help));
            needed = needed.max(minimum);
        }
    }
    PlatformTag::Ios { min: needed, sdk }
}

/// Returns path and version of each file that needs a newer macOS than `wanted`.
pub(super) fn too_new(
    files: &[NativeFile],
    min: PlatformVersion,
    arch: MacArch,
) -> Vec<(WheelPath, PlatformVersion)> {
    let wanted = Floor { min, arch };
    let mut found = Vec::new();
    for file in files {
        let Some(macho) = file.macho() else { continue };
        let minimums = wanted.arch.arches().iter().filter_map(|&arch| {
            let slice = macho.slice(arch).filter(|slice| slice.kind.is_loaded())?;
            let minimum = minimum(slice, arch)?;
            let floor = tagged(at_least(arch, wanted.min));
            (tagged(minimum) > floor).then_some(minimum)
        });
        found.extend(minimums.max().map(|minimum| (file.path.clone(), minimum)));
    }
    found
}

/// Returns the oldest macOS that the slice supports.
fn minimum(slice: &Slice, arch: Arch) -> Option<PlatformVersion> {
    let builds = slice.builds.iter().filter(|build| build.platform == Platform::MacOs);
    builds.map(|build| build.minimum).max().map(|minimum| at_least(arch, minimum))
}

/// Returns the effective version on this processor. arm64 has no macOS before 11, and 10.16 is
/// another name for 11.0.
fn at_least(arch: Arch, version: PlatformVersion) -> PlatformVersion {
    let is_older_name = version == PlatformVersion::new(10, 16);
    let first = arch == Arch::Aarch64 || is_older_name;
    if first { version.max(FIRST_ON_ARM) } else { version }
}

/// Checks the systems and processors that a whole file is for.
fn for_platform(path: &WheelPath, macho: &MachO, wanted: Floor, findings: &mut Vec<Finding>) {
    let mut find = |code, message| findings.push(Finding::new(code, path, message));
    let loaded: Vec<&Slice> = macho.slices.iter().filter(|slice| slice.kind.is_loaded()).collect();
    if loaded.is_empty() {
        find(Code::NotJudged, "no process loads a file of this kind".into());
        return;
    }
    for slice in &loaded {
        let platforms: Vec<Platform> = slice.builds.iter().map(|build| build.platform).collect();
        if let [first, ..] = platforms[..]
            && !platforms.contains(&Platform::MacOs)
        {
            find(Code::WrongPlatform, format!("it is for {first} ({})", slice.cpu));
        }
    }
    let is_missing = |arch: &Arch| !loaded.iter().any(|slice| slice.arch == Some(*arch));
    let missing = wanted.arch.arches().iter().copied().filter(is_missing);
    let missing: Vec<&str> = missing.map(|arch| MacArch::of(arch).as_str()).collect();
    if !missing.is_empty() {
        let message =
            format!("it is for {}; the tag requires {}", macho.cpus(), missing.join(" and "));
        find(Code::WrongArch, message);
    }
}

/// A file's slice for one processor.
struct Loaded<'a> {
    path: &'a WheelPath,
    /// Path where it is installed.
    place: String,
    slice: &'a Slice,
    /// Beginning of its messages.
    subject: String,
}

impl<'a> Loaded<'a> {
    fn new(path: &'a WheelPath, macho: &'a MachO, arch: Arch) -> Option<Self> {
        let slice = macho.slice(arch).filter(|slice| slice.kind.is_loaded())?;
        let subject = match macho.slices.len() {
            1 => "it".to_owned(),
            _ => format!("its {} slice", slice.cpu),
        };
        Some(Self { path, place: installed(path.as_str()), slice, subject })
    }
}

/// A slice together with the other files of the wheel.
struct Case<'a> {
    loaded: &'a Loaded<'a>,
    arch: Arch,
    wanted: Floor,
    graph: &'a Graph<'a>,
    all: &'a [Loaded<'a>],
}

impl Case<'_> {
    fn check(&self, findings: &mut Vec<Finding>) {
        let mut find = |finding| findings.push(finding);
        if !self.graph.is_complete() {
            find(self.finding(Code::Unreadable, TANGLED).with_help(TANGLED_HELP));
        }
        self.check_minimum(&mut find);
        self.check_libraries(&mut find);
        self.check_paths(&mut find);
        self.check_signature(&mut find);
        let subject = &self.loaded.subject;
        if self.loaded.slice.executable_stack {
            let message = format!("{subject} has an executable stack");
            let help = "link without `-allow_stack_execute`";
            find(self.finding(Code::ExecutableStack, message).with_help(help));
        }
        if self.loaded.slice.kind == Kind::Program && !self.loaded.slice.position_independent {
            let message = format!("{subject} is always loaded at the same address");
            let help = "link with `-pie`, without `-no_pie`";
            find(self.finding(Code::NoPie, message).with_help(help));
        }
    }

    fn finding(&self, code: Code, message: impl Into<String>) -> Finding {
        Finding::new(code, self.loaded.path, message)
    }

    fn minimum(&self) -> Option<PlatformVersion> {
        minimum(self.loaded.slice, self.arch)
    }

    fn check_minimum(&self, find: &mut impl FnMut(Finding)) {
        let Some(minimum) = self.minimum() else {
            // A slice for another system has been reported already.
            if self.loaded.slice.builds.is_empty() {
                let message = format!("{} names no minimum macOS", self.loaded.subject);
                find(self.finding(Code::NoMinimum, message));
            }
            return;
        };
        let floor = tagged(at_least(self.arch, self.wanted.min));
        if tagged(minimum) > floor {
            let message =
                format!("{} needs macOS {minimum}, the floor is {floor}", self.loaded.subject);
            find(self.finding(Code::MinimumTooNew, message));
        } else if minimum > floor {
            let message = format!(
                "{} needs macOS {minimum}; its tag can only express {floor}, so older releases of \
                 macOS install it",
                self.loaded.subject
            );
            find(self.finding(Code::NewerMinor, message));
        }
    }

    fn check_libraries(&self, find: &mut impl FnMut(Finding)) {
        let place = self.loaded.place.as_str();
        let is_outside =
            |name: &str| !is_system(name) && !self.graph.finds(place, name) && !self.is_swift(name);
        let mut seen = BTreeSet::new();
        for needed in self.loaded.slice.needed.iter().filter(|needed| is_outside(&needed.name)) {
            let name = needed.name.as_str();
            if !seen.insert(name) {
                continue;
            }
            if needed.kind == Load::Weak {
                let message = format!("{} uses `{name}` if it is present", self.loaded.subject);
                find(self.finding(Code::OptionalLibrary, message));
                continue;
            }
            let is_program = self.loaded.slice.kind == Kind::Program;
            let (place, help) = if is_python(name) {
                let help = if is_program {
                    "put the library into the wheel beside the program, or link Python statically"
                } else {
                    "link with `-undefined dynamic_lookup` instead: the process provides the symbols"
                };
                ("which only one kind of Python installation has".to_owned(), Some(help))
            } else if let Some(found) = self.elsewhere(name) {
                let help = "link the file with `-Wl,-rpath,@loader_path/…`, or let `wheelsmith \
                            repair` add the rpath";
                (
                    format!("which is in the wheel at `{found}`, where dyld does not look"),
                    Some(help),
                )
            } else if name.starts_with('/') {
                ("which is outside the wheel and the system".to_owned(), None)
            } else if name.starts_with('@') {
                ("which is not in the wheel".to_owned(), None)
            } else {
                ("which dyld looks for in the current directory".to_owned(), None)
            };
            let message = format!("{} needs `{name}`, {place}", self.loaded.subject);
            let finding = self.finding(Code::ExternalLibrary, message);
            find(match help {
                Some(help) => finding.with_help(help),
                None => finding,
            });
        }
    }

    /// Returns a file of the wheel with the same file name as the library, in any directory.
    fn elsewhere(&self, name: &str) -> Option<&WheelPath> {
        let place = self.graph.elsewhere(name)?;
        self.all.iter().find(|loaded| loaded.place == place).map(|loaded| loaded.path)
    }

    /// True for libraries of Swift. They are part of the system, although files name them with
    /// `@rpath`.
    fn is_swift(&self, name: &str) -> bool {
        name.starts_with("@rpath/libswift")
            && self
                .loaded
                .slice
                .rpaths
                .iter()
                .any(|entry| entry.trim_end_matches('/') == "/usr/lib/swift")
    }

    fn check_paths(&self, find: &mut impl FnMut(Finding)) {
        let place = self.loaded.place.as_str();
        for entry in &self.loaded.slice.rpaths {
            let is_inside = !dyld::directories(entry, place, self.graph.programs(place)).is_empty();
            if !is_inside && !is_system(&format!("{entry}/")) {
                let message =
                    format!("{} has the rpath `{entry}`, outside the wheel", self.loaded.subject);
                let help = "use `@loader_path` and paths relative to it";
                find(self.finding(Code::EscapingRpath, message).with_help(help));
            }
        }
        let install_name =
            self.loaded.slice.install_name.as_deref().filter(|name| name.starts_with('/'));
        if let Some(name) = install_name.filter(|n| !is_system(n) && !n.starts_with(NOWHERE)) {
            let message = format!("{} has the install name `{name}`", self.loaded.subject);
            let help = "link with `-install_name @rpath/NAME`";
            find(self.finding(Code::BuildPath, message).with_help(help));
        }
    }

    fn check_signature(&self, find: &mut impl FnMut(Finding)) {
        let is_arm = self.arch == Arch::Aarch64;
        let subject = &self.loaded.subject;
        let signature = self.loaded.slice.signature.as_ref();
        if signature.is_some_and(Signature::is_unchecked) {
            let message = format!("{subject} has a signature that was not compared with its bytes");
            find(self.finding(Code::NotJudged, message).with_help(CODESIGN));
            return;
        }
        let fault = match signature.map(|signature| signature.pages) {
            None if is_arm => format!("{subject} is not signed"),
            None | Some(Pages::Right) => return,
            Some(Pages::NotChecked) => {
                let message = format!("{subject} is signed with SHA-1, which is not checked");
                find(self.finding(Code::NotJudged, message).with_help(CODESIGN));
                return;
            }
            Some(Pages::Unreadable) => format!("{subject} has a malformed signature"),
            Some(Pages::Wrong { count, first }) => format!(
                "{subject} was changed after it was signed: {count} of its pages differ, the first at \
                 {first:#x}"
            ),
        };
        let code = if is_arm { Code::InvalidSignature } else { Code::StaleSignature };
        find(self.finding(code, fault));
    }
}

/// Returns the version as a tag can express it. From macOS 11 on, installers know only minor
/// version 0.
fn tagged(version: PlatformVersion) -> PlatformVersion {
    if version.major >= 11 { PlatformVersion::new(version.major, 0) } else { version }
}

/// True for the shared library of a Python, which extension modules must not link to.
fn is_python(library: &str) -> bool {
    library.contains("/Python.framework/") || library.contains("libpython")
}

/// True if macOS itself provides the library.
pub(super) fn is_system(name: &str) -> bool {
    let is_climbing = name.split('/').any(|part| part == "..");
    !is_climbing && (name.starts_with("/usr/lib/") || name.starts_with("/System/Library/"))
}
