use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/elf/", $name)).as_slice()
    };
}

const X86_64: &str = "x86_64-unknown-linux-gnu";

fn run(files: &[(&str, &[u8])], target: &str) -> Audit {
    let read = |(path, bytes): &(&str, &[u8])| NativeFile::read(&path.parse().unwrap(), *bytes);
    let files = files.iter().filter_map(read).collect();
    judgement(files, None, &Requirement::for_target(target.parse().unwrap()))
}

/// Checks the tag that the files of a wheel for a target qualify for, and the findings, as `code
/// file`.
fn check(files: &[(&str, &[u8])], target: &str, earned: &str, findings: &[&str]) {
    let audit = run(files, target);
    let found: Vec<String> = said(&audit)
        .into_iter()
        .map(|f| format!("{} {}", f.code, f.file.as_ref().map_or("", |file| file.as_str())))
        .collect();
    assert_eq!(found, findings, "{:#?}", audit.findings);
    assert_eq!(audit.tag_text(), earned);
}

/// Returns the findings without those that nearly every small file gets.
fn said(audit: &Audit) -> Vec<&Finding> {
    const LEFT_OUT: [Code; 3] = [Code::NoBuildId, Code::NoPie, Code::NoRelro];
    audit.findings.iter().filter(|f| !LEFT_OUT.contains(&f.code)).collect()
}

/// Verdict if no policy suffices.
const LINUX: &str = "linux_x86_64";
/// Verdict if no tag fits.
const NO_TAG: &str = "no platform tag";

#[test]
fn the_newest_symbol_chooses_the_tag() {
    let plain = fixture!("x86_64.so");
    check(&[("p/lib.so", plain)], X86_64, "manylinux_2_17_x86_64", &[]);
    check(&[("p/lib.so", fixture!("no-sections.so"))], X86_64, "manylinux_2_17_x86_64", &[]);
    check(&[("p/run", fixture!("program"))], X86_64, "manylinux_2_5_x86_64", &[]);
    check(
        &[("p/lib.so", fixture!("s390x.so"))],
        "s390x-unknown-linux-gnu",
        "manylinux_2_17_s390x",
        &[],
    );
    check(&[("p/a.py", b"print()"), ("p/b", b"")], X86_64, "any", &[]);
    let new = fixture!("too-new.so");
    let at = |floor: &str| format!("{X86_64}.{floor}");
    check(
        &[("p/lib.so", plain), ("x.data/scripts/data.bin", new)],
        &at("2.34"),
        "manylinux_2_34_x86_64",
        &[],
    );
    // The path and the name of a file do not matter.
    let files = [("p/lib.so", plain), ("x.data/scripts/data.bin", new)];
    check(
        &files,
        &at("2.33"),
        "manylinux_2_34_x86_64",
        &["symbol-too-new x.data/scripts/data.bin"],
    );
}

#[test]
fn the_culprit_is_named() {
    let audit = run(&[("p/lib.so", fixture!("too-new.so"))], X86_64);
    let [finding] = said(&audit)[..] else { panic!("{:#?}", audit.findings) };
    for part in ["`pthread_create@GLIBC_2.34`", "`libc.so.6`", "the floor is glibc 2.17"] {
        assert!(finding.message.contains(part), "{}", finding.message);
    }
    assert_eq!(audit.newest("GLIBC").as_deref(), Some("2.34"));
}

#[test]
fn floors_between_policies_are_kept() {
    // No policy for this processor is older than 2.31, so 2.27 restricts nothing.
    let files = [("p/lib.so", fixture!("riscv64.so"))];
    check(&files, "riscv64gc-unknown-linux-gnu.2.27", "manylinux_2_31_riscv64", &[]);
}

#[test]
fn libraries_are_found_as_the_loader_finds_them() {
    let plain = fixture!("x86_64.so");
    let needs = ["external-library p/user.so"];
    let tag = "manylinux_2_17_x86_64";
    let with = |user: &'static [u8], library: &'static str, earned: &str, findings: &[&str]| {
        check(&[("p/user.so", user), (library, plain)], X86_64, earned, findings);
    };
    let (runpath, rpath) = (fixture!("runpath.so"), fixture!("rpath-origin.so"));
    with(runpath, "p/libplain.so", tag, &[]);
    with(runpath, "x-1.data/platlib/p/libplain.so", tag, &[]);
    with(runpath, "p/lib/libplain.so", LINUX, &needs);
    with(rpath, "lib/libplain.so", tag, &[]);
    with(rpath, "p/libplain.so", LINUX, &needs);
    let outside = fixture!("rpath-outside.so");
    let both = ["external-library p/user.so", "escaping-rpath p/user.so"];
    with(outside, "opt/lib/libplain.so", LINUX, &both);
    // A library for another processor is skipped.
    let files = [("p/user.so", runpath), ("p/libplain.so", fixture!("aarch64.so"))];
    check(&files, X86_64, LINUX, &["wrong-arch p/libplain.so", "external-library p/user.so"]);
}

#[test]
fn scripts_and_data_lie_in_one_prefix() {
    let library = ("x-1.data/data/lib/libplain.so", fixture!("x86_64.so"));
    let files = [("x-1.data/scripts/user", fixture!("rpath-origin.so")), library];
    check(&files, X86_64, "manylinux_2_17_x86_64", &[]);
    // The relative path to the packages of the environment is unknown there.
    let files = [("p/user", fixture!("rpath-origin.so")), library];
    check(&files, X86_64, LINUX, &["external-library p/user"]);
}

#[test]
fn a_library_in_the_wrong_place_is_pointed_at() {
    let files =
        [("p/user.so", fixture!("runpath.so")), ("p/lib/libplain.so", fixture!("x86_64.so"))];
    let message = &run(&files, X86_64).findings[0].message;
    assert!(message.contains("in the wheel at `p/lib/libplain.so`"), "{message}");
}

#[test]
fn files_of_other_platforms_are_errors() {
    let arm = [("p/lib.so", fixture!("aarch64.so"))];
    check(&arm, X86_64, NO_TAG, &["wrong-arch p/lib.so"]);
    check(&arm, "aarch64-unknown-linux-gnu", "manylinux_2_17_aarch64", &[]);
    let macho = include_bytes!("../../../testdata/macho/arm64.dylib").as_slice();
    check(&[("p/lib.dylib", macho)], X86_64, NO_TAG, &["wrong-platform p/lib.dylib"]);
    assert!(run(&arm, "aarch64-apple-darwin").has_errors());
    let both = [("p/a.dylib", macho), ("p/lib.so", fixture!("x86_64.so"))];
    check(&both, X86_64, "manylinux_2_17_x86_64", &["wrong-platform p/a.dylib"]);
}

#[test]
fn files_of_the_other_libc_are_errors() {
    let (gnu, musl) = (X86_64, "x86_64-unknown-linux-musl");
    let file = |bytes: &'static [u8]| [("p/lib.so", bytes)];
    let wrong = ["wrong-libc p/lib.so"];
    check(&file(fixture!("musl.so")), musl, "musllinux_1_2_x86_64", &[]);
    check(&file(fixture!("musl.so")), gnu, LINUX, &wrong);
    check(&file(fixture!("x86_64.so")), musl, LINUX, &wrong);
    // A single finding replaces all findings that follow from it.
    check(&file(fixture!("too-new.so")), musl, LINUX, &wrong);
    check(&file(fixture!("program")), musl, LINUX, &wrong);
}

#[test]
fn what_cannot_be_read_earns_nothing() {
    let files = [("p/a.so", fixture!("too-short.so")), ("p/b.so", fixture!("x86_64.so"))];
    check(&files, X86_64, NO_TAG, &["unreadable p/a.so"]);
    assert!(run(&files, X86_64).has_errors());
}

#[test]
fn code_that_is_data_is_said_to_be() {
    let note = ["not-judged p/x.o"];
    let library = ("p/lib.so", fixture!("x86_64.so"));
    // BPF runs wherever its kernel does; a static library does not run before it is linked.
    check(&[("p/x.o", fixture!("bpf.o"))], X86_64, "any", &note);
    check(&[("p/x.o", fixture!("bpf.o")), library], X86_64, "manylinux_2_17_x86_64", &note);
    let archive: &[u8] = b"!<arch>\n";
    check(&[("p/x.a", archive)], X86_64, "manylinux_2_17_x86_64", &["not-judged p/x.a"]);
    check(
        &[("p/x.a", archive)],
        "x86_64-unknown-linux-gnu.2.28",
        "manylinux_2_28_x86_64",
        &["not-judged p/x.a"],
    );
}

#[test]
fn withheld_symbols_are_errors() {
    // Made from a real file: the symbol that it needs is renamed to one of the policy's.
    let mut file = NativeFile::read(&"p/lib.so".parse().unwrap(), fixture!("x86_64.so")).unwrap();
    let judged = |file: &NativeFile| {
        let audit =
            judgement(vec![file.clone()], None, &Requirement::for_target(X86_64.parse().unwrap()));
        (audit.tag_text(), said(&audit).iter().map(|f| f.code).collect::<Vec<_>>())
    };
    "__cxa_thread_atexit_impl".clone_into(&mut file.symbols.undefined[0].name);
    let withheld = vec![Code::ForbiddenSymbol];
    assert_eq!(judged(&file), ("manylinux_2_24_x86_64".to_owned(), withheld));
    file.symbols.undefined[0].weak = true;
    assert_eq!(judged(&file), ("manylinux_2_17_x86_64".to_owned(), vec![]));
}

#[test]
fn versions_that_no_release_offers_are_errors() {
    let judged = |version: &str, target: &str| {
        let path = "p/lib.so".parse().unwrap();
        let mut file = NativeFile::read(&path, fixture!("x86_64.so")).unwrap();
        let Facts::Elf(elf) = &mut file.facts else { panic!("no ELF file") };
        elf.needed_versions.insert("libc.so.6".to_owned(), [version.to_owned()].into());
        let audit = judgement(vec![file], None, &Requirement::for_target(target.parse().unwrap()));
        let messages: Vec<String> = said(&audit).iter().map(|f| f.message.clone()).collect();
        (audit.tag_text(), messages.join("; "))
    };
    let check = |version: &str, floor: &str, earned: &str, part: &str| {
        let (tag, message) = judged(version, &format!("{X86_64}.{floor}"));
        assert_eq!(tag, earned, "{version}");
        assert_eq!(message.is_empty(), part.is_empty(), "{version}: {message}");
        assert!(message.contains(part), "{message}");
    };
    check("GLIBC_PRIVATE", "2.41", LINUX, "it is internal to glibc");
    check("GLIBC_ABI_DT_RELR", "2.35", "manylinux_2_36_x86_64", "the floor is glibc 2.35");
    check("GLIBC_ABI_DT_RELR", "2.36", "manylinux_2_36_x86_64", "");
    // Other processors have this version; this one never had it.
    check("GLIBC_2.0", "2.17", LINUX, "`GLIBC_2.0`");
    check("GLIBC_2.18", "2.20", "manylinux_2_24_x86_64", "");
    check("GLIBC_9.9", "2.41", LINUX, "`GLIBC_9.9`");
    check("GLIBCXX_3.4.29", "2.28", "manylinux_2_34_x86_64", "manylinux_2_28_x86_64 does not");
    check("OPENSSL_3.0.0", "2.17", "manylinux_2_5_x86_64", "");
}

/// Without errors, the verdict is a tag within the policies of the floor.
#[test]
fn no_errors_means_a_tag() {
    for bytes in [fixture!("x86_64.so"), fixture!("program"), fixture!("too-new.so")] {
        for minor in 5..45 {
            let audit = run(&[("p/x", bytes)], &format!("{X86_64}.2.{minor}"));
            let is_linux = matches!(audit.tag, Some(PlatformTag::Linux { .. }) | None);
            assert!(audit.has_errors() || !is_linux, "2.{minor}: {}", audit.tag_text());
        }
    }
}

#[test]
fn neither_order_nor_parts_matter() {
    let files = [
        ("p/user.so", fixture!("runpath.so")),
        ("p/libplain.so", fixture!("x86_64.so")),
        ("p/new.so", fixture!("too-new.so")),
    ];
    let mut reversed = files;
    reversed.reverse();
    assert_eq!(run(&files, X86_64), run(&reversed, X86_64));
}

#[test]
fn static_programs_ask_for_nothing() {
    let program = [("p/run", fixture!("static-program"))];
    check(&program, X86_64, "manylinux_2_5_x86_64", &[]);
    check(&program, "x86_64-unknown-linux-musl", "musllinux_1_2_x86_64", &[]);
}

#[test]
fn hygiene_does_not_stop_a_wheel() {
    let files = [("p/lib.so", fixture!("quiet-gnu-ld.so"))];
    check(&files, X86_64, "manylinux_2_5_x86_64", &["executable-stack p/lib.so"]);
    assert!(!run(&files, X86_64).has_errors());
}

#[test]
fn static_libraries_say_what_they_are_for() {
    let object = fixture!("aarch64.so");
    let header = format!("!<arch>\n{:<48}{:<10}`\n", "a.o/", object.len());
    let library = [header.as_bytes(), object].concat();
    let files = [("p/lib.a", library.as_slice())];
    check(&files, X86_64, "manylinux_2_17_x86_64", &["wrong-arch p/lib.a"]);
    let target = "aarch64-unknown-linux-gnu.2.17";
    check(&files, target, "manylinux_2_17_aarch64", &["not-judged p/lib.a"]);
}
