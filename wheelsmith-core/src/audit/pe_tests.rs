use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/pe/", $name)).as_slice()
    };
}

/// Verdict if no tag fits.
const NO_TAG: &str = "no platform tag";
const X64: &str = "win_amd64";

fn native(path: &str, bytes: &[u8]) -> NativeFile {
    NativeFile::read(&path.parse().unwrap(), bytes).unwrap()
}

/// Checks the tag that the files of a wheel qualify for, and the findings, as `code file`.
fn check_files(files: Vec<NativeFile>, tag: &str, earned: &str, findings: &[&str]) {
    let audit = judgement(files, None, &Requirement::for_tag(&tag.parse().unwrap()).unwrap());
    let found: Vec<String> = audit
        .findings
        .iter()
        .map(|f| format!("{} {}", f.code, f.file.as_ref().map_or("", |file| file.as_str())))
        .collect();
    assert_eq!(found, findings, "{:#?}", audit.findings);
    assert_eq!(audit.tag_text(), earned);
}

fn check(files: &[(&str, &[u8])], tag: &str, earned: &str, findings: &[&str]) {
    let files = files.iter().map(|(path, bytes)| native(path, bytes)).collect();
    check_files(files, tag, earned, findings);
}

#[test]
fn the_processor_chooses_the_tag() {
    let (x64, x86, arm) = (fixture!("x64.dll"), fixture!("x86.dll"), fixture!("arm64.dll"));
    let wrong = ["wrong-arch p/a.dll"];
    check(&[("p/a.dll", x64)], X64, X64, &[]);
    check(&[("p/a.dll", x86)], "win32", "win32", &[]);
    check(&[("p/a.dll", arm)], "win_arm64", "win_arm64", &[]);
    check(&[("p/a.dll", x86)], X64, NO_TAG, &wrong);
    check(&[("p/a.dll", arm)], X64, NO_TAG, &wrong);
    check(&[("p/a.dll", x64)], "win32", NO_TAG, &wrong);
    check(&[("p/a.dll", x64)], "win_arm64", NO_TAG, &wrong);
    check(&[("p/a.dll", fixture!("too-short.dll"))], X64, NO_TAG, &["unreadable p/a.dll"]);
    // Windows for Arm emulates programs for Intel, which is slow.
    let files = [("p/a.exe", fixture!("program.exe")), ("p/plain.dll", x64)];
    check(&files, "win_arm64", NO_TAG, &["wrong-arch p/plain.dll", "emulated-program p/a.exe"]);
}

#[test]
fn libraries_are_found_in_the_wheel() {
    let user = ("p/user.pyd", fixture!("user.dll"));
    let with = |library: &str, bytes: &[u8], earned: &str, findings: &[&str]| {
        check(&[user, (library, bytes)], X64, earned, findings);
    };
    let plain = fixture!("x64.dll");
    with("p/plain.dll", plain, X64, &[]);
    with("p/PLAIN.DLL", plain, X64, &[]);
    with("x-1.data/platlib/p/plain.dll", plain, X64, &[]);
    with("p.libs/plain.dll", plain, X64, &["library-elsewhere p/user.pyd"]);
    with("p/other.dll", plain, NO_TAG, &["external-library p/user.pyd"]);
    // A library for another processor is skipped.
    let both = ["wrong-arch p/plain.dll", "external-library p/user.pyd"];
    with("p/plain.dll", fixture!("x86.dll"), NO_TAG, &both);
}

#[test]
fn the_runtime_of_the_compiler_is_asked_for() {
    let runtime = ("p/runtime.pyd", fixture!("runtime.dll"));
    // A library that is loaded on first use may be missing.
    let expected = ["c-runtime p/runtime.pyd", "optional-library p/runtime.pyd"];
    check(&[runtime], X64, X64, &expected);
    let plain = ("p/plain.dll", fixture!("x64.dll"));
    check(&[runtime, plain], X64, X64, &["c-runtime p/runtime.pyd"]);
    let msvcp = ("p/msvcp140.dll", fixture!("x64.dll"));
    check(&[runtime, plain, msvcp], X64, X64, &[]);
    // A program has no Python that provides the other part.
    let mut program = native("p/run.exe", runtime.1);
    pe(&mut program).kind = crate::binary::pe::Kind::Program;
    let [plain, msvcp] = [plain, msvcp].map(|(path, bytes)| native(path, bytes));
    check_files(vec![program, plain, msvcp], X64, X64, &["c-runtime p/run.exe"]);
}

fn pe(file: &mut NativeFile) -> &mut crate::binary::pe::Pe {
    let Facts::Pe(pe) = &mut file.facts else { panic!("no PE file") };
    pe
}

/// Returns facts that no fixture has.
fn changed(bytes: &[u8], change: impl FnOnce(&mut crate::binary::pe::Pe)) -> NativeFile {
    let mut file = native("p/user.dll", bytes);
    change(pe(&mut file));
    file
}

#[test]
fn a_file_may_forbid_itself_the_libraries_of_the_wheel() {
    let plain = native("p/plain.dll", fixture!("x64.dll"));
    let user = changed(fixture!("user.dll"), |pe| pe.system_libraries_only = true);
    check_files(vec![user, plain], X64, NO_TAG, &["external-library p/user.dll"]);
}

#[test]
fn hardening_is_looked_at() {
    let open =
        |bytes: &[u8]| changed(bytes, |pe| (pe.no_execute, pe.dynamic_base) = (false, false));
    let both = ["no-nx p/user.dll", "no-pie p/user.dll"];
    check_files(vec![open(fixture!("x86.dll"))], "win32", "win32", &both);
    // Windows never executes data in 64-bit processes.
    check_files(vec![open(fixture!("x64.dll"))], X64, X64, &["no-pie p/user.dll"]);
    let dotnet = changed(fixture!("x86.dll"), |pe| {
        (pe.no_execute, pe.dynamic_base, pe.is_dotnet) = (false, false, true);
    });
    check_files(vec![dotnet], X64, X64, &[]);
}

#[test]
fn code_for_emulated_processes_only_is_for_nobody() {
    use crate::binary::pe::Hybrid;
    let emulated = |tag: &str| {
        let file = changed(fixture!("x64.dll"), |pe| {
            (pe.hybrid, pe.arch) = (Some(Hybrid::Arm64Ec), None);
        });
        check_files(vec![file], tag, NO_TAG, &["wrong-arch p/user.dll"]);
    };
    emulated(X64);
    emulated("win_arm64");
}
