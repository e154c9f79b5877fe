//! Files that describe a toolchain to cmake and meson.

use std::fmt::Write as _;

use crate::name::{Arch, Os, Target};

use super::site::Site;

/// Returns cmake's toolchain file. `cross` is true if this machine may not run the result.
pub(super) fn cmake(site: &Site<'_>, cross: bool) -> String {
    let target = site.target();
    let path = |path: &std::path::Path| quoted(&path.to_string_lossy());
    let mut lines = vec!["# Written by wheelsmith.".to_owned()];
    let mut set = |name: &str, value: String| lines.push(format!("set({name} {value})"));
    if cross {
        let system = match target.os() {
            Os::Linux(_) => "Linux",
            Os::MacOs => "Darwin",
            Os::Windows => "Windows",
        };
        set("CMAKE_SYSTEM_NAME", system.to_owned());
        set("CMAKE_SYSTEM_PROCESSOR", processor(&target).to_owned());
    }
    set("CMAKE_C_COMPILER", path(&site.wrappers.cc));
    set("CMAKE_CXX_COMPILER", path(&site.wrappers.cxx));
    set("CMAKE_ASM_COMPILER", path(&site.wrappers.cc));
    set("CMAKE_AR", path(&site.wrappers.ar));
    set("CMAKE_RANLIB", path(&site.wrappers.ranlib));
    for (name, tool) in
        [("NM", &site.setting.toolchain.nm), ("STRIP", &site.setting.toolchain.strip)]
    {
        if let Some(tool) = tool {
            set(&format!("CMAKE_{name}"), path(&tool.program));
        }
    }
    // Libraries and headers of the machine are not the target's; its programs are used.
    set("CMAKE_FIND_ROOT_PATH", path(&site.dirs.needs));
    set("CMAKE_FIND_ROOT_PATH_MODE_PROGRAM", "NEVER".to_owned());
    for what in ["LIBRARY", "INCLUDE", "PACKAGE"] {
        set(&format!("CMAKE_FIND_ROOT_PATH_MODE_{what}"), "ONLY".to_owned());
    }
    set("CMAKE_FIND_USE_PACKAGE_REGISTRY", "FALSE".to_owned());
    set("CMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY", "FALSE".to_owned());
    // Projects do not name the directory in which a machine has the headers of its libraries.
    let include: Vec<String> = site.include.iter().map(|dir| quoted(dir)).collect();
    if !include.is_empty() {
        set("CMAKE_C_STANDARD_INCLUDE_DIRECTORIES", include.join(" "));
        set("CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES", include.join(" "));
    }
    set("CMAKE_POSITION_INDEPENDENT_CODE", "ON".to_owned());
    // zig writes no list of linked files.
    set("CMAKE_C_LINKER_DEPFILE_SUPPORTED", "FALSE".to_owned());
    set("CMAKE_CXX_LINKER_DEPFILE_SUPPORTED", "FALSE".to_owned());
    // No search paths of this machine; those of the runtime are set afterwards.
    set("CMAKE_SKIP_RPATH", "TRUE".to_owned());
    lines.join("\n") + "\n"
}

/// Returns meson's machine file, for `--cross-file` or `--native-file`.
pub(super) fn meson(site: &Site<'_>, cross: bool) -> String {
    let target = site.target();
    let mut text = String::from("# Written by wheelsmith.\n[binaries]\n");
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    let word = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let path = |path: &std::path::Path| word(&path.to_string_lossy());
    let words = |text: &str| {
        let words: Vec<String> = text.split_whitespace().map(word).collect();
        format!("[{}]", words.join(", "))
    };
    line("c", path(&site.wrappers.cc));
    line("cpp", path(&site.wrappers.cxx));
    line("ar", path(&site.wrappers.ar));
    line("ranlib", path(&site.wrappers.ranlib));
    for (name, tool) in
        [("nm", &site.setting.toolchain.nm), ("strip", &site.setting.toolchain.strip)]
    {
        if let Some(tool) = tool {
            line(name, path(&tool.program));
        }
    }
    if let Some(program) = site.setting.host.env.find_program("pkg-config") {
        line("pkg-config", path(&program));
        // Its name before meson 1.3.
        line("pkgconfig", path(&program));
    }
    let variable = |name: &str| words(site.variables.get(name).map_or("", String::as_str));
    line("\n[built-in options]\nc_args", variable("CFLAGS_ALL"));
    line("cpp_args", variable("CXXFLAGS_ALL"));
    line("c_link_args", variable("LDFLAGS"));
    line("cpp_link_args", variable("LDFLAGS"));
    line("\n[properties]\nsys_root", path(&site.dirs.needs));
    let dirs = site.variables.get("PKG_CONFIG_LIBDIR").map_or("", String::as_str);
    let dirs: Vec<String> = dirs.split(':').filter(|dir| !dir.is_empty()).map(word).collect();
    line("pkg_config_libdir", format!("[{}]", dirs.join(", ")));
    if cross {
        line("needs_exe_wrapper", "true".to_owned());
        let system = match target.os() {
            Os::Linux(_) => "linux",
            Os::MacOs => "darwin",
            Os::Windows => "windows",
        };
        let (family, endian) = family(target.arch());
        line("\n[host_machine]\nsystem", word(system));
        line("cpu_family", word(family));
        line("cpu", word(target.arch().as_str()));
        line("endian", word(endian));
    }
    text
}

/// Returns cmake's name of the processor.
fn processor(target: &Target) -> &'static str {
    match (target.os(), target.arch()) {
        (Os::Windows, Arch::X86_64) => "AMD64",
        (Os::Windows, Arch::Aarch64) => "ARM64",
        (Os::MacOs, Arch::Aarch64) => "arm64",
        (_, arch) => arch.as_str(),
    }
}

/// Returns meson's name of the processor's family, and its byte order.
fn family(arch: Arch) -> (&'static str, &'static str) {
    match arch {
        Arch::Armv7l => ("arm", "little"),
        Arch::I686 => ("x86", "little"),
        Arch::Ppc64 => ("ppc64", "big"),
        Arch::Ppc64le => ("ppc64", "little"),
        Arch::S390x => ("s390x", "big"),
        other => (other.as_str(), "little"),
    }
}

/// Quotes a text as a bracket argument, in which cmake reads only the closing bracket.
fn quoted(text: &str) -> String {
    format!("[==[{text}]==]")
}
