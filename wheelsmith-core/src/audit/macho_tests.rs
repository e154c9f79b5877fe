use super::*;
use crate::binary::macho::{MachO, Pages, Signature};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/macho/", $name)).as_slice()
    };
}

/// Verdict if no tag fits.
const NO_TAG: &str = "no platform tag";

fn native(path: &str, bytes: &[u8]) -> NativeFile {
    NativeFile::read(&path.parse().unwrap(), bytes).unwrap()
}

fn run(files: Vec<NativeFile>, tag: &str) -> Audit {
    judgement(files, None, &Requirement::for_tag(&tag.parse().unwrap()).unwrap())
}

/// Checks the tag that the files of a wheel with tag `tag` qualify for, and the findings, as `code
/// file`.
fn check_files(files: Vec<NativeFile>, tag: &str, earned: &str, findings: &[&str]) {
    let audit = run(files, tag);
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

const ARM: &str = "macosx_11_0_arm64";
const INTEL: &str = "macosx_10_12_x86_64";

#[test]
fn the_highest_minimum_chooses_the_tag() {
    let (arm, newer) = (("p/a.dylib", fixture!("arm64.dylib")), fixture!("newer.dylib"));
    let intel = ("p/a.dylib", fixture!("x86_64.dylib"));
    check(&[arm], ARM, ARM, &[]);
    check(&[arm], "macosx_14_0_arm64", ARM, &[]);
    check(&[intel], INTEL, INTEL, &[]);
    check(&[intel], "macosx_10_9_x86_64", INTEL, &["minimum-too-new p/a.dylib"]);
    let both = [arm, ("p/b.so", newer)];
    check(&both, ARM, "macosx_13_0_arm64", &["minimum-too-new p/b.so"]);
    // A tag for macOS 13 can only name 13.0.
    check(&both, "macosx_13_0_arm64", "macosx_13_0_arm64", &["newer-minor p/b.so"]);
    check(&both, "macosx_14_0_arm64", "macosx_13_0_arm64", &[]);
}

#[test]
fn the_target_of_a_build_is_a_tag_too() {
    let files = vec![native("p/b.so", fixture!("newer.dylib"))];
    let target = "aarch64-apple-darwin.13.3".parse().unwrap();
    let audit = judgement(files, None, &Requirement::for_target(target));
    assert_eq!(audit.tag_text(), "macosx_13_0_arm64");
    assert_eq!(audit.findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::NewerMinor]);
}

#[test]
fn every_slice_counts() {
    let universal = ("p/a.dylib", fixture!("universal.dylib"));
    let tag = "macosx_10_12_universal2";
    check(&[universal], tag, tag, &[]);
    check(&[universal], INTEL, INTEL, &[]);
    check(&[universal], ARM, ARM, &[]);
    let wrong = ["wrong-arch p/a.dylib"];
    check(&[("p/a.dylib", fixture!("universal-wide.dylib"))], tag, NO_TAG, &wrong);
    check(&[("p/a.dylib", fixture!("x86_64.dylib"))], ARM, NO_TAG, &wrong);
    check(&[("p/a.dylib", fixture!("arm64.dylib"))], INTEL, NO_TAG, &wrong);
    check(&[("p/a.dylib", fixture!("ppc.dylib"))], INTEL, NO_TAG, &wrong);
}

#[test]
fn files_of_other_systems_are_in_the_way() {
    check(&[("p/a", fixture!("ios.dylib"))], INTEL, NO_TAG, &["wrong-platform p/a"]);
    let elf = include_bytes!("../../../testdata/elf/x86_64.so");
    check(&[("p/a", elf)], INTEL, NO_TAG, &["wrong-platform p/a"]);
    check(&[("p/a", fixture!("too-short.dylib"))], ARM, NO_TAG, &["unreadable p/a"]);
    check(&[("p/a.o", fixture!("object.o"))], ARM, ARM, &["not-judged p/a.o"]);
}

#[test]
fn libraries_are_found_as_dyld_finds_them() {
    let check = |user: (&str, &[u8]), library: &str, earned: &str, findings: &[&str]| {
        check(&[user, (library, fixture!("arm64.dylib"))], ARM, earned, findings);
    };
    let rpath = ("p/user.so", fixture!("rpath.dylib"));
    // It names a directory outside the wheel and also its build directory.
    let paths = ["escaping-rpath p/user.so", "build-path p/user.so"];
    check(rpath, "p/lib/libplain.dylib", ARM, &paths);
    let all = ["external-library p/user.so", paths[0], paths[1]];
    check(rpath, "p/libplain.dylib", NO_TAG, &all);
    let external = ["external-library p/user.so"];
    let bare = ("p/user.so", fixture!("no-rpath.dylib"));
    check(bare, "p/libplain.dylib", NO_TAG, &external);
    let loader = fixture!("loader-path.dylib");
    check(("p/user.so", loader), "lib/libplain.dylib", ARM, &[]);
    check(("p/user.so", loader), "p/lib/libplain.dylib", NO_TAG, &external);
    check(("user.so", loader), "lib/libplain.dylib", NO_TAG, &["external-library user.so"]);
    let absolute = ("p/user.so", fixture!("absolute.dylib"));
    check(absolute, "opt/homebrew/lib/libplain.dylib", NO_TAG, &external);
    let program = ("x-1.data/scripts/run", fixture!("program"));
    check(program, "x-1.data/data/lib/libplain.dylib", ARM, &[]);
    check(("p/user.so", loader), "x-1.data/platlib/lib/libplain.dylib", ARM, &[]);
    let external = ["external-library x-1.data/scripts/run"];
    check(program, "x-1.data/lib/libplain.dylib", NO_TAG, &external);
}

/// A file passes its rpaths on to the libraries that it loads.
#[test]
fn rpaths_of_the_loader_count() {
    let mut first = native("p/first.so", fixture!("loader-path.dylib"));
    let slice = &mut first.macho_mut().unwrap().slices[0];
    slice.needed[1].name = "@loader_path/lib/second.dylib".to_owned();
    slice.rpaths = vec!["@loader_path/more".to_owned()];
    let second = native("p/lib/second.dylib", fixture!("no-rpath.dylib"));
    let library = native("p/more/libplain.dylib", fixture!("arm64.dylib"));
    check_files(vec![first.clone(), second.clone(), library.clone()], ARM, ARM, &[]);
    first.macho_mut().unwrap().slices[0].rpaths.clear();
    let files = vec![first, second, library];
    check_files(files, ARM, NO_TAG, &["external-library p/lib/second.dylib"]);
}

/// Returns facts that no fixture has.
fn changed(change: impl FnOnce(&mut crate::binary::macho::Slice)) -> Vec<NativeFile> {
    let mut file = native("p/a", fixture!("arm64.dylib"));
    change(&mut file.macho_mut().unwrap().slices[0]);
    vec![file]
}

#[test]
fn every_library_is_placed() {
    use crate::binary::macho::{Load, Needed};
    let check = |name: &str, kind, earned: &str, findings: &[&str]| {
        let needed = Needed { name: name.to_owned(), kind };
        let files = changed(|slice| {
            slice.needed.push(needed);
            slice.rpaths.push("/usr/lib/swift".to_owned());
        });
        check_files(files, ARM, earned, findings);
    };
    let external = ["external-library p/a"];
    check("/usr/lib/libz.1.dylib", Load::Required, ARM, &[]);
    check("/System/Library/Frameworks/Metal.framework/Metal", Load::Required, ARM, &[]);
    check("/usr/lib/../local/lib/libz.dylib", Load::Required, NO_TAG, &external);
    check("/usr/local/lib/libz.dylib", Load::Required, NO_TAG, &external);
    check("/usr/local/lib/libz.dylib", Load::Reexport, NO_TAG, &external);
    check("/usr/local/lib/libz.dylib", Load::Weak, ARM, &["optional-library p/a"]);
    check("libz.dylib", Load::Required, NO_TAG, &external);
    check("@rpath/libz.dylib", Load::Required, NO_TAG, &external);
    check("@rpath/libswiftCore.dylib", Load::Required, ARM, &[]);
    check("@rpath/Python.framework/Versions/3.12/Python", Load::Required, NO_TAG, &external);
    // The library is found, but it is a program: dyld loads only libraries.
    check("@loader_path/a", Load::Required, ARM, &[]);
}

#[test]
fn signatures_are_asked_for_on_arm_alone() {
    check(&[("p/a", fixture!("unsigned.dylib"))], ARM, NO_TAG, &["invalid-signature p/a"]);
    check(&[("p/a", fixture!("bad-page.dylib"))], ARM, NO_TAG, &["invalid-signature p/a"]);
    let signed = |pages: Pages| {
        changed(|slice| {
            let mut macho = MachO { is_universal: false, slices: vec![slice.clone()] };
            macho.set_pages(0, pages);
            *slice = macho.slices.remove(0);
        })
    };
    check_files(signed(Pages::Right), ARM, ARM, &[]);
    check_files(signed(Pages::NotChecked), ARM, ARM, &["not-judged p/a"]);
    check_files(signed(Pages::Unreadable), ARM, NO_TAG, &["invalid-signature p/a"]);
    // On Intel an invalid signature has the same effect as a missing one.
    let mut intel = native("p/a", fixture!("x86_64.dylib"));
    let wrong = native("p/b", fixture!("bad-page.dylib"));
    let signature: Option<Signature> = wrong.macho().unwrap().slices[0].signature.clone();
    intel.macho_mut().unwrap().slices[0].signature = signature;
    check_files(vec![intel], INTEL, INTEL, &["stale-signature p/a"]);
}

#[test]
fn a_file_in_pieces_says_that_its_pages_were_not_seen() {
    let bytes = fixture!("arm64.dylib");
    let mut pieces = crate::binary::Pieces::new(bytes.len() as u64);
    pieces.add(0, bytes.to_vec());
    let file = NativeFile::read(&"p/a".parse().unwrap(), &pieces).unwrap();
    assert!(pieces.take_missing().is_empty());
    check_files(vec![file], ARM, ARM, &["not-judged p/a"]);
}

#[test]
fn hardening_and_paths_are_looked_at() {
    use crate::binary::macho::Kind;
    let check = |expected: &[&str], change: fn(&mut crate::binary::macho::Slice)| {
        check_files(changed(change), ARM, ARM, expected);
    };
    check(&["executable-stack p/a"], |slice| slice.executable_stack = true);
    check(&["no-pie p/a"], |slice| slice.kind = Kind::Program);
    check(&[], |slice| (slice.kind, slice.position_independent) = (Kind::Program, true));
    check(&["no-minimum p/a"], |slice| slice.builds.clear());
    check(&["build-path p/a"], |slice| slice.install_name = Some("/Users/me/liba.dylib".into()));
    check(&[], |slice| slice.install_name = Some("/DLC/p/liba.dylib".into()));
    check(&[], |slice| slice.install_name = Some("liba.dylib".into()));
    check(&["escaping-rpath p/a"], |slice| slice.rpaths.push("@loader_path/../..".into()));
    check(&[], |slice| slice.rpaths.push("@loader_path/..".into()));
}

#[test]
fn ios_wheels_are_judged_by_their_own_rules() {
    let file = |minimum| {
        changed(move |slice| {
            slice.builds[0].platform = crate::binary::macho::Platform::Ios;
            slice.builds[0].minimum = crate::name::PlatformVersion::new(minimum, 0);
            slice.signature = None;
        })
    };
    let device = "ios_13_0_arm64_iphoneos";
    check_files(file(13), device, device, &["not-judged p/a"]);
    let newer = ["minimum-too-new p/a", "not-judged p/a"];
    check_files(file(15), device, "ios_15_0_arm64_iphoneos", &newer);
    let wrong = ["wrong-platform p/a", "not-judged p/a"];
    check_files(file(13), "ios_13_0_arm64_iphonesimulator", NO_TAG, &wrong);
    let intel = ["wrong-arch p/a"];
    check_files(file(13), "ios_13_0_x86_64_iphonesimulator", NO_TAG, &intel);
}
