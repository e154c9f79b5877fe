//! The fix of each finding fits the situation in which the finding was made.

use super::*;
use crate::archive::Kind;
use crate::binary::elf::Elf;
use crate::binary::{Facts, macho, pe};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/", $name)).as_slice()
    };
}

fn native(path: &str, bytes: &[u8]) -> NativeFile {
    NativeFile::read(&path.parse().unwrap(), bytes).unwrap()
}

fn elf(path: &str, bytes: &[u8], edit: impl FnOnce(&mut Elf)) -> NativeFile {
    let mut file = native(path, bytes);
    let Facts::Elf(facts) = &mut file.facts else { panic!("no ELF file") };
    edit(facts);
    file
}

fn audited(files: &[NativeFile], tag: &str) -> Vec<Finding> {
    let opened = AuditInput {
        path: "demo".to_owned(),
        kind: Kind::Directory,
        filename: None,
        wheel: None,
        record: None,
        files: files.to_vec(),
        findings: Vec::new(),
    };
    input(opened, &AuditOptions { tag: Some(tag.to_owned()), ..AuditOptions::default() }).findings
}

fn needs(library: &'static str) -> impl FnOnce(&mut Elf) {
    move |facts| facts.needed.push(library.to_owned())
}

fn needs_version(version: &'static str) -> impl FnOnce(&mut Elf) {
    move |facts| {
        let versions = facts.needed_versions.entry("libc.so.6".to_owned()).or_default();
        versions.insert(version.to_owned());
    }
}

const TAG: &str = "manylinux_2_17_x86_64";
const PROGRAM: &[u8] = fixture!("elf/program");
const LIBRARY: &[u8] = fixture!("elf/x86_64.so");

#[test]
fn each_situation_has_its_fix() {
    let check = |files: &[NativeFile], tag: &str, code: Code, fix: &str, wrong: &[&str]| {
        let findings = audited(files, tag);
        let found = findings.iter().find(|finding| finding.code == code);
        let help = found.and_then(|finding| finding.help).unwrap_or_default();
        assert!(help.contains(fix), "{code} for {tag}: {help:?}, not {fix:?}\n{findings:#?}");
        for wrong in wrong {
            assert!(!help.contains(wrong), "{code} for {tag}: {help:?}");
        }
    };
    let floor = ["floor", "newer tag", "raise"];
    // Symbols: too new, internal, of another library, of another C library.
    let new = elf("p/lib.so", LIBRARY, needs_version("GLIBC_2.34"));
    check(std::slice::from_ref(&new), TAG, Code::SymbolTooNew, "raise the floor", &[]);
    check(
        std::slice::from_ref(&new),
        TAG,
        Code::TagNotEarned,
        "use the tag that the files qualify",
        &[],
    );
    let private = elf("p/lib.so", LIBRARY, needs_version("GLIBC_PRIVATE"));
    check(
        std::slice::from_ref(&private),
        TAG,
        Code::SymbolTooNew,
        "public function",
        &["raise", "newer tag"],
    );
    check(&[private], TAG, Code::TagNotEarned, "fix the other errors", &["repair", "use the tag"]);
    let packed = elf("p/lib.so", fixture!("elf/musl.so"), |facts| facts.packed_relocations = true);
    check(&[packed], "musllinux_1_2_x86_64", Code::SymbolTooNew, "packed relocations", &floor);
    // Another processor, system or C library.
    let foreign = [native("p/lib.so", fixture!("elf/aarch64.so"))];
    check(&foreign, TAG, Code::WrongArch, "build the file for the target", &floor);
    check(&foreign, TAG, Code::TagNotEarned, "fix the other errors", &["use the tag", "repair"]);
    let foreign = [native("p/lib.so", fixture!("macho/arm64.dylib"))];
    check(&foreign, TAG, Code::WrongPlatform, "build the file for the target", &floor);
    let musl = [native("p/lib.so", fixture!("elf/musl.so"))];
    check(&musl, TAG, Code::WrongLibc, "build the file for the target", &floor);
    // Libraries: missing, elsewhere in the wheel, Python's.
    let user = elf("p/lib.so", LIBRARY, needs("libother.so.1"));
    check(std::slice::from_ref(&user), TAG, Code::ExternalLibrary, "wheelsmith repair", &[]);
    check(std::slice::from_ref(&user), TAG, Code::TagNotEarned, "copy the missing libraries", &[]);
    let other = elf("p/deep/libother.so.1", LIBRARY, |facts| {
        facts.soname = Some("libother.so.1".to_owned());
    });
    check(&[user, other], TAG, Code::ExternalLibrary, "RUNPATH", &["statically"]);
    let python = elf("p/lib.so", LIBRARY, needs("libpython3.12.so.1.0"));
    check(&[python], TAG, Code::Libpython, "do not link extension modules", &["program"]);
    let python = elf("p/tool", PROGRAM, needs("libpython3.12.so.1.0"));
    check(&[python], TAG, Code::Libpython, "program", &["extension module"]);
    // Hardening: each system by its own options.
    let stack = elf("p/lib.so", LIBRARY, |facts| facts.executable_stack = Some(true));
    check(&[stack], TAG, Code::ExecutableStack, "noexecstack", &["allow_stack_execute"]);
    let mut image = native("p/lib.dylib", fixture!("macho/arm64.dylib"));
    let Facts::MachO(facts) = &mut image.facts else { panic!("no Mach-O file") };
    facts.slices[0].executable_stack = true;
    facts.slices[0].rpaths.push("/opt/lib".to_owned());
    facts.slices[0].install_name = Some("/opt/lib/lib.dylib".to_owned());
    facts.slices[0].needed.push(macho::Needed {
        name: "/Library/Frameworks/Python.framework/Versions/3.12/Python".to_owned(),
        kind: macho::Load::Required,
    });
    let mac = "macosx_11_0_arm64";
    let image = [image];
    check(&image, mac, Code::ExecutableStack, "allow_stack_execute", &["noexecstack"]);
    check(&image, mac, Code::EscapingRpath, "@loader_path", &["$ORIGIN"]);
    check(&image, mac, Code::BuildPath, "install_name", &["remap-path-prefix"]);
    check(&image, mac, Code::ExternalLibrary, "dynamic_lookup", &["component", "program"]);
    let rpath = [native("p/lib.so", fixture!("elf/rpath-outside.so"))];
    check(&rpath, TAG, Code::EscapingRpath, "$ORIGIN", &["@loader_path"]);
    let mut dll = native("p/lib.dll", fixture!("pe/x64.dll"));
    let Facts::Pe(facts) = &mut dll.facts else { panic!("no PE file") };
    facts.dynamic_base = false;
    assert_eq!(facts.kind, pe::Kind::SharedLibrary);
    check(&[dll], "win_amd64", Code::NoPie, "/DYNAMICBASE", &["-fPIE", "program"]);
    let fixed = elf("p/tool", PROGRAM, |facts| facts.is_pie = false);
    check(&[fixed], TAG, Code::NoPie, "-pie", &["DYNAMICBASE"]);
}

#[test]
fn no_fix_is_for_another_system_or_kind_of_file() {
    let files = [
        ("elf", TAG, native("p/lib.so", LIBRARY)),
        ("elf", TAG, native("p/lib.so", fixture!("elf/too-new.so"))),
        ("elf", TAG, native("p/lib.so", fixture!("elf/unstripped.so"))),
        ("elf", TAG, native("p/lib.so", fixture!("elf/gaps.so"))),
        ("elf", "manylinux_2_17_aarch64", native("p/lib.so", fixture!("elf/page-4k.so"))),
        ("macho", "macosx_11_0_arm64", native("p/lib.so", fixture!("macho/bad-page.dylib"))),
        ("macho", "macosx_11_0_arm64", native("p/lib.so", fixture!("macho/absolute.dylib"))),
        ("macho", "macosx_10_12_x86_64", native("p/lib.so", fixture!("macho/no-rpath.dylib"))),
        ("pe", "win_amd64", native("p/lib.pyd", fixture!("pe/user.dll"))),
        ("pe", "win_amd64", native("p/lib.pyd", fixture!("pe/runtime.dll"))),
        ("pe", "win32", native("p/lib.pyd", fixture!("pe/x86.dll"))),
    ];
    let foreign = |format| match format {
        "elf" => ["/DYNAMICBASE", "codesign", "macos-min", "the program"].as_slice(),
        "macho" => ["/DYNAMICBASE", "RUNPATH", "glibc =", "the program"].as_slice(),
        _ => ["codesign", "RUNPATH", "glibc =", "macos-min", "the program"].as_slice(),
    };
    for (format, tag, file) in files {
        for finding in audited(&[file], tag) {
            let help = finding.help.unwrap_or_default();
            assert!(!help.is_empty(), "{finding:?}");
            for word in foreign(format) {
                assert!(!help.contains(word), "{format}: {finding:?}");
            }
        }
    }
}
