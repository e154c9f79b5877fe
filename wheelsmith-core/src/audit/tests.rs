use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/elf/", $name)).as_slice()
    };
}

const X86_64: &str = "x86_64-unknown-linux-gnu";

fn run(files: &[(&str, &[u8])], target: &str) -> Audit {
    let files: Vec<_> =
        files.iter().map(|(path, bytes)| (path.parse().unwrap(), bytes.to_vec())).collect();
    audit(&files, target.parse().unwrap())
}

/// The files of a wheel for a target earn a tag and get findings, as `code file`.
fn check(files: &[(&str, &[u8])], target: &str, earned: &str, findings: &[&str]) {
    let audit = run(files, target);
    let found: Vec<String> =
        audit.findings.iter().map(|f| format!("{} {}", f.code, f.file)).collect();
    assert_eq!(found, findings, "{:#?}", audit.findings);
    assert_eq!(audit.earned_text(), earned);
}

const NO_TAG: &str = "fit for no tag";

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
    // Wherever it lies, and whatever it is called.
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
    let [finding] = &audit.findings[..] else { panic!("{:#?}", audit.findings) };
    for part in ["`pthread_create@GLIBC_2.34`", "`libc.so.6`", "the floor is glibc 2.17"] {
        assert!(finding.message.contains(part), "{}", finding.message);
    }
    assert_eq!(audit.newest("GLIBC").as_deref(), Some("2.34"));
}

#[test]
fn floors_between_policies_are_kept() {
    // 2.27 is newer than nothing here, but no policy is older than 2.31 for this processor.
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
    with(runpath, "p/lib/libplain.so", NO_TAG, &needs);
    with(rpath, "lib/libplain.so", tag, &[]);
    with(rpath, "p/libplain.so", NO_TAG, &needs);
    let outside = fixture!("rpath-outside.so");
    let both = ["external-library p/user.so", "escaping-rpath p/user.so"];
    with(outside, "opt/lib/libplain.so", NO_TAG, &both);
    // One for another processor is passed over.
    let files = [("p/user.so", runpath), ("p/libplain.so", fixture!("aarch64.so"))];
    check(&files, X86_64, NO_TAG, &["wrong-arch p/libplain.so", "external-library p/user.so"]);
}

#[test]
fn files_of_other_platforms_are_errors() {
    let arm = [("p/lib.so", fixture!("aarch64.so"))];
    assert!(run(&arm, X86_64).has_errors());
    check(&arm, "aarch64-unknown-linux-gnu", "manylinux_2_17_aarch64", &[]);
    let musl = [("p/lib.so", fixture!("musl.so"))];
    check(&musl, "x86_64-unknown-linux-musl", "musllinux_1_2_x86_64", &[]);
    check(&musl, X86_64, NO_TAG, &["external-library p/lib.so"]);
    let glibc = [("p/lib.so", fixture!("x86_64.so"))];
    check(&glibc, "x86_64-unknown-linux-musl", NO_TAG, &["external-library p/lib.so"]);
    let macho: &[u8] = b"\xcf\xfa\xed\xfe";
    assert!(run(&[("p/lib.dylib", macho)], X86_64).has_errors());
    assert!(run(&glibc, "aarch64-apple-darwin").has_errors());
    let damaged = [("p/lib.so", fixture!("too-short.so"))];
    assert!(run(&damaged, X86_64).findings.iter().any(|f| f.code == Code::Unreadable));
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
fn every_code_has_its_words() {
    let page = include_str!("../../../docs/reference/findings.md");
    for code in Code::ALL {
        assert!(page.contains(&format!("\n## `{code}`\n")), "{code} has no section");
    }
}
