//! `wheelsmith audit` and `wheelsmith inspect` on small wheels with one fault each: output and exit
//! code.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::wheels::{WheelFile, native};
use support::{Run, Sandbox, program};

const LINUX: &str = "demo-1.0-py3-none-manylinux_2_17_x86_64.whl";

/// Returns the JSON of the audit, whose exit code must be `code`.
fn report(sandbox: &Sandbox, code: i32, args: &[&str]) -> Value {
    let args = [&["audit", "--format", "json"], args].concat();
    serde_json::from_str(&sandbox.expect(code, &args).stdout).unwrap()
}

/// Returns severity, code and file of each finding of an input, with `-` for the whole input. Omits
/// notes.
fn findings(report: &Value, input: usize) -> Vec<String> {
    let findings = report["inputs"][input]["findings"].as_array().unwrap();
    let shown = findings.iter().filter(|finding| finding["severity"] != "info").map(|finding| {
        let text = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("severity"), text("code"), text("file"))
    });
    shown.collect()
}

#[test]
fn each_fault_is_named_and_decides_the_exit_code() {
    let check = |wheel: WheelFile, code: i32, verdict: Option<&str>, expected: &[&str]| {
        let sandbox = Sandbox::new();
        let path = wheel.write(sandbox.path());
        let name = path.file_name().unwrap().to_str().unwrap();
        let report = report(&sandbox, code, &[name]);
        assert_eq!(findings(&report, 0), expected, "{name}");
        assert_eq!(report["inputs"][0]["verdict"].as_str(), verdict, "{name}");
        assert_eq!(report["inputs"][0]["path"], name);
    };
    let linux = || WheelFile::new(LINUX);
    let good = linux().with("demo/libplain.so", "elf/x86_64.so");
    check(good, 0, Some("manylinux_2_17_x86_64"), &[]);
    // Whatever it is called and wherever it lies.
    let new = linux().with("demo/data/blob.bin", "elf/too-new.so");
    let found = ["error tag-not-earned -", "error symbol-too-new demo/data/blob.bin"];
    check(new, 1, Some("manylinux_2_34_x86_64"), &found);
    let alone = linux().with("demo/user.so", "elf/runpath.so");
    let found = ["error tag-not-earned -", "error external-library demo/user.so"];
    check(alone, 1, Some("linux_x86_64"), &found);
    let both = linux().with("demo/user.so", "elf/runpath.so");
    let both = both.with("demo/libplain.so", "elf/x86_64.so");
    check(both, 0, Some("manylinux_2_17_x86_64"), &[]);
    let other = linux().with("demo/x.so", "elf/x86_64.so").tags(&["py3-none-linux_x86_64"]);
    check(other, 1, Some("manylinux_2_17_x86_64"), &["error tags-differ -"]);
    let any = WheelFile::new("demo-1.0-py3-none-any.whl").with("demo/x.so", "elf/x86_64.so");
    check(any, 1, Some("manylinux_2_17_x86_64"), &["error native-in-any -"]);
    let pure = linux().with("demo/x.so", "elf/x86_64.so").purelib();
    check(pure, 0, Some("manylinux_2_17_x86_64"), &["warning purelib-with-native -"]);
    let none = linux().text("demo/__init__.py", "");
    check(none, 0, Some("any"), &["warning no-native-files -"]);
    let plain = WheelFile::new("demo-1.0-py3-none-linux_x86_64.whl");
    let plain = plain.with("demo/x.so", "elf/x86_64.so");
    check(plain, 0, Some("manylinux_2_17_x86_64"), &["warning unportable-tag -"]);
    let cut = linux().with("demo/x.so", "elf/too-short.so");
    let found = ["error tag-not-earned -", "error unreadable demo/x.so"];
    check(cut, 1, None, &found);
    let arm = linux().with("demo/x.so", "elf/aarch64.so");
    let found = ["error tag-not-earned -", "error wrong-arch demo/x.so"];
    check(arm, 1, None, &found);
    // Every claim must hold, and those that hold say nothing.
    let two = WheelFile::new(
        "demo-1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.manylinux_2_34_x86_64.whl",
    );
    let found = ["error tag-not-earned -", "error symbol-too-new demo/x.so"];
    check(two.with("demo/x.so", "elf/too-new.so"), 1, Some("manylinux_2_34_x86_64"), &found);
    let musl = WheelFile::new("demo-1.0-py3-none-musllinux_1_2_x86_64.whl");
    check(musl.with("demo/x.so", "elf/musl.so"), 0, Some("musllinux_1_2_x86_64"), &[]);
    let musl = WheelFile::new("demo-1.0-py3-none-musllinux_1_2_x86_64.whl");
    let found = ["error tag-not-earned -", "error wrong-libc demo/x.so"];
    check(musl.with("demo/x.so", "elf/x86_64.so"), 1, Some("linux_x86_64"), &found);
    // A static program keeps the promises of both.
    let fixed = WheelFile::new("demo-1.0-py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl");
    let fixed = fixed.with("demo-1.0.data/scripts/run", "elf/static-program");
    let verdict = Some("manylinux_2_5_x86_64");
    check(fixed, 0, verdict, &[]);
    let mac = WheelFile::new("demo-1.0-py3-none-macosx_11_0_arm64.whl");
    check(mac.with("demo/x.dylib", "macho/arm64.dylib"), 0, Some("macosx_11_0_arm64"), &[]);
    let windows = WheelFile::new("demo-1.0-py3-none-win_amd64.whl");
    check(windows.with("demo/x.dll", "pe/x64.dll"), 0, Some("win_amd64"), &[]);
    let windows = WheelFile::new("demo-1.0-py3-none-win_arm64.whl");
    let found = ["error tag-not-earned -", "error wrong-arch demo/x.dll"];
    check(windows.with("demo/x.dll", "pe/x64.dll"), 1, None, &found);
}

#[test]
fn people_read_the_verdict_first() {
    let sandbox = Sandbox::new();
    let wheel = WheelFile::new(LINUX).with("demo/new.so", "elf/too-new.so");
    wheel.with("demo/user.so", "elf/runpath.so").write(sandbox.path());
    let run = sandbox.expect(1, &["audit", LINUX]);
    let expected = "\
FAIL demo-1.0-py3-none-manylinux_2_17_x86_64.whl
     qualifies for no portable tag, only linux_x86_64; it claims
     manylinux_2_17_x86_64
     error[tag-not-earned] it claims manylinux_2_17_x86_64; its files qualify
       for linux_x86_64
       help: let `wheelsmith repair` copy the missing libraries into the wheel,
       and fix the other errors: indexes refuse `linux_*` tags
     demo/new.so
       error[symbol-too-new] it needs `pthread_create@GLIBC_2.34` from
         `libc.so.6`; the floor is glibc 2.17
         help: build it with the zig toolchain for the floor, or raise the floor
         (`glibc = \"…\"`)
     demo/user.so
       error[external-library] it needs `libplain.so`, which is not in the wheel
         and not guaranteed by manylinux_2_17_x86_64
         help: link it statically, let `wheelsmith repair` copy it into the
         wheel, or build it as a component
";
    let shown: String = run
        .stdout
        .lines()
        .filter(|line| !line.contains("more with"))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(shown, expected);
    let good = "good-1.0-py3-none-manylinux_2_17_x86_64.whl";
    WheelFile::new(good).with("good/x.so", "elf/hash-gnu.so").write(sandbox.path());
    let run =
        sandbox.expect(1, &["audit", LINUX, good]).answers(&["2 inputs, 3 errors, 0 warnings"]);
    let quiet: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("ok")).collect();
    assert_eq!(quiet, ["ok   good-1.0-py3-none-manylinux_2_17_x86_64.whl"]);
    for line in run.stdout.lines() {
        let is_one_word = line.split_whitespace().count() < 3;
        assert!(line.chars().count() <= 80 || is_one_word, "{line}");
    }
    let wide = sandbox.expect(1, &["audit", "--color", "always", LINUX]);
    assert!(wide.stdout.contains("\u{1b}[") && !run.stdout.contains('\u{1b}'));
}

#[test]
fn a_broken_input_leaves_the_others_to_be_judged() {
    let sandbox = Sandbox::new();
    let good = WheelFile::new(LINUX).with("demo/x.so", "elf/x86_64.so").write(sandbox.path());
    let cut = "cut-1.0-py3-none-manylinux_2_17_x86_64.whl";
    let bytes = fs::read(&good).unwrap();
    fs::write(sandbox.path().join(cut), &bytes[..bytes.len() / 2]).unwrap();
    sandbox.write("text-1.0-py3-none-any.whl", "this is no wheel\n");
    let found = report(&sandbox, 2, &["*.whl"]);
    let inputs = found["inputs"].as_array().unwrap();
    let paths: Vec<&str> = inputs.iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [cut, LINUX, "text-1.0-py3-none-any.whl"]);
    assert!(inputs[0]["error"].as_str().unwrap().contains("cannot read"), "{}", inputs[0]["error"]);
    assert!(inputs[1]["error"].is_null());
    assert_eq!(inputs[1]["verdict"], "manylinux_2_17_x86_64");
    sandbox.expect(2, &["audit", cut, LINUX]).answers(&[
        "??",
        "ok   demo",
        "1 could not be judged",
    ]);
    sandbox.expect(2, &["audit", "nothing-*.whl"]).says(&["cannot find `nothing-*.whl`"]);
}

const FAULTY: &str = "demo-1.0-py3-none-manylinux_2_17_x86_64.whl";

/// A wheel with one warning, about the RPATH of `demo/user.so`.
fn with_warning() -> Sandbox {
    let sandbox = Sandbox::new();
    let wheel = WheelFile::new(FAULTY).with("demo/user.so", "elf/rpath-outside.so");
    wheel.with("demo/libplain.so", "elf/x86_64.so").write(sandbox.path());
    sandbox
}

#[test]
fn severities_and_waivers_are_the_projects_business() {
    let sandbox = with_warning();
    let config = |text: &str| {
        let text = format!("[project]\nname = \"demo\"\nversion = \"1\"\n{text}");
        sandbox.write("pyproject.toml", &text);
    };
    let run = |code: i32, args: &[&str]| {
        let args = [&["--exclude", "libplain.so", FAULTY], args].concat();
        findings(&report(&sandbox, code, &args), 0)
    };
    let rpath = "warning escaping-rpath demo/user.so";
    assert_eq!(run(0, &[]), [rpath]);
    assert_eq!(run(1, &["--fail-on", "warning"]), [rpath]);
    let error = "error escaping-rpath demo/user.so";
    assert_eq!(run(1, &["--severity", "escaping-rpath=error"]), [error]);
    assert!(run(0, &["--severity", "escaping-rpath=ignore", "--fail-on", "warning"]).is_empty());

    let waiver = "fail-on = \"warning\"\n[[tool.wheelsmith.audit.waivers]]\n\
                  code = \"escaping-rpath\"\nreason = \"the driver lives there\"\n";
    let audit = "[tool.wheelsmith.audit]\n";
    config(&format!("{audit}{waiver}file = \"demo/*.so\"\n"));
    assert_eq!(run(0, &[]), [rpath]);
    let shown = sandbox.expect(0, &["audit", "--exclude", "libplain.so", FAULTY]);
    shown.answers(&["waived[escaping-rpath]", "because the driver lives there"]);
    config(&format!("{audit}{waiver}file = \"other/*.so\"\n"));
    let found = report(&sandbox, 1, &["--exclude", "libplain.so", FAULTY]);
    assert_eq!(found["configuration"][0]["code"], "unused-waiver");
    config(&format!("{audit}{waiver}until = \"2027-01-31\"\n"));
    let on = |seconds: &str, code: i32| {
        let args = ["audit", "--exclude", "libplain.so", FAULTY];
        let mut command = sandbox.command(&args);
        Run::of(command.env("SOURCE_DATE_EPOCH", seconds)).expect(code)
    };
    on("1801439999", 0); // 2027-01-31
    on("1801440000", 1).answers(&["expired-waiver", "expired on 2027-01-31"]);
    // A file elsewhere, and one with mistakes.
    sandbox.write("else/pyproject.toml", "[tool.wheelsmith.audit]\nfail-on = \"warning\"\n");
    fs::remove_file(sandbox.path().join("pyproject.toml")).unwrap();
    assert_eq!(run(0, &[]), [rpath]);
    config(&format!("{audit}{}", waiver.replace("the driver lives there", " ")));
    sandbox.expect(2, &["audit", FAULTY]).says(&["waivers[0].reason", "the waiver has no reason"]);
    config(&format!("{audit}severity = {{ no-such-code = \"error\" }}\n"));
    sandbox.expect(2, &["audit", FAULTY]).says(&["no-such-code"]);
}

#[test]
fn what_is_no_wheel_is_judged_for_what_is_asked() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("lib")).unwrap();
    fs::write(sandbox.path().join("lib/new.so"), native("elf/too-new.so")).unwrap();
    let verdict = |report: &Value| report["inputs"][0]["verdict"].as_str().map(str::to_owned);
    let check = |code: i32, args: &[&str], expected: &[&str]| {
        let report = report(&sandbox, code, args);
        assert_eq!(verdict(&report).as_deref(), Some("manylinux_2_34_x86_64"), "{args:?}");
        assert_eq!(findings(&report, 0), expected, "{args:?}");
    };
    check(0, &["lib"], &[]);
    check(0, &["lib/new.so"], &[]);
    check(0, &["lib", "--policy", "manylinux_2_34_x86_64"], &[]);
    check(0, &["lib", "--policy", "manylinux_2_35"], &[]);
    let found = ["error tag-not-earned -", "error symbol-too-new new.so"];
    check(1, &["lib", "--policy", "manylinux_2_28"], &found);
    check(1, &["lib", "--policy", "manylinux2014_x86_64"], &found);
    sandbox.expect(2, &["audit", "lib", "--policy", "nonsense"]);
    let run = sandbox.expect(0, &["audit", "--explain", "--want", "manylinux_2_17", "lib"]);
    run.answers(&["GLIBC_2.34 of libc.so.6: pthread_create"]);
}

#[test]
fn libraries_of_others_count_when_somebody_names_them() {
    let sandbox = Sandbox::new();
    WheelFile::new(LINUX).with("demo/user.so", "elf/runpath.so").write(sandbox.path());
    sandbox.expect(1, &["audit", LINUX]);
    sandbox.expect(0, &["audit", "--exclude", "libplain.so", LINUX]);
    sandbox.expect(0, &["audit", "--exclude", "libpl*", LINUX]);
    sandbox.expect(1, &["audit", "--exclude", "libother.so", LINUX]);
}

#[test]
fn an_answer_may_go_to_a_file_in_each_form() {
    let sandbox = Sandbox::new();
    WheelFile::new(LINUX).with("demo/new.so", "elf/too-new.so").write(sandbox.path());
    let check = |form: &str, part: &str| {
        let run = sandbox.expect(1, &["audit", LINUX, "--format", form, "--output", "answer"]);
        assert_eq!(run.stdout, "", "{form}");
        let text = fs::read_to_string(sandbox.path().join("answer")).unwrap();
        assert!(text.contains(part) && !text.contains('\u{1b}'), "{form}: {text}");
        let shown = sandbox.expect(1, &["audit", LINUX, "--format", form]);
        assert_eq!(shown.stdout, text, "{form}");
    };
    check("human", "FAIL demo-1.0");
    check("json", "\"schema\": 2");
    check("sarif", "\"2.1.0\"");
    check("github", "::error ");
    check("junit", "<testsuite");
    check("html", "<!doctype html>");
    let summary = sandbox.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let mut command = sandbox.command(&["audit", LINUX, "--format", "github"]);
    Run::of(command.env("GITHUB_STEP_SUMMARY", &summary)).expect(1);
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n") && text.contains("symbol-too-new"), "{text}");
    let other = sandbox.expect(2, &["toolchain", "--format", "sarif"]);
    other.says(&["possible values: human, json"]);
}

/// Writes wheels of every kind, good and bad.
fn mixed() -> Sandbox {
    let sandbox = with_warning();
    let natives = ["x86_64.so", "too-new.so", "musl.so", "program", "too-short.so", "aarch64.so"];
    for (i, native) in natives.iter().enumerate() {
        let mut wheel = WheelFile::new(&format!("m{i}-1.0-py3-none-manylinux_2_17_x86_64.whl"));
        for copy in 0..8 {
            wheel = wheel.with(&format!("m{i}/{copy}/{native}"), &format!("elf/{native}"));
        }
        wheel.write(sandbox.path());
    }
    let mac = WheelFile::new("mac-1.0-py3-none-macosx_11_0_universal2.whl");
    mac.with("mac/x.dylib", "macho/universal.dylib").write(sandbox.path());
    let windows = WheelFile::new("win-1.0-py3-none-win_amd64.whl");
    windows.with("win/x.dll", "pe/user.dll").write(sandbox.path());
    sandbox
}

#[test]
fn the_answer_is_the_same_for_any_number_of_jobs() {
    let sandbox = mixed();
    for form in ["json", "human", "sarif", "html", "junit"] {
        let run = |jobs: &str| {
            sandbox.expect(1, &["audit", "--format", form, "--jobs", jobs, "*.whl"]).stdout
        };
        let one = run("1");
        assert_eq!(one, run("8"), "{form}");
        assert_eq!(one, run("3"), "{form}");
    }
}

/// Root directory of an auditing machine that has only the program, its own libraries, and the
/// wheels.
#[test]
fn the_answer_is_the_same_on_an_empty_machine() {
    let sandbox = mixed();
    let root = Sandbox::new();
    let put = |from: &Path, to: &str| {
        let to = root.path().join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    put(program(), "/wheelsmith");
    let ldd = Command::new("ldd").arg(program()).output();
    let Ok(ldd) = ldd else { return eprintln!("skipped: there is no ldd") };
    for word in String::from_utf8_lossy(&ldd.stdout).split_whitespace() {
        if word.starts_with('/') {
            put(Path::new(word), word);
        }
    }
    for entry in fs::read_dir(sandbox.path()).unwrap() {
        let path = entry.unwrap().path();
        put(&path, &format!("/work/{}", path.file_name().unwrap().to_str().unwrap()));
    }
    let mut command = Command::new("unshare");
    // As an ordinary user, the root of a user namespace may change its directory.
    command.args(["--user", "--map-root-user", "--root"]).arg(root.path());
    command.args(["--wd", "/work", "/wheelsmith", "audit", "--format", "json", "*.whl"]);
    command.env_clear().env("LC_ALL", "C");
    let output = Run::of(&mut command);
    if output.code != 1 && output.stderr.contains("unshare") {
        let is_needed = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
        assert!(!is_needed, "{}", output.stderr);
        return eprintln!("skipped: no namespace to be had: {}", output.stderr);
    }
    let there = output.expect(1).stdout;
    let here = sandbox.expect(1, &["audit", "--format", "json", "*.whl"]).stdout;
    assert_eq!(there, here);
    let place = sandbox.path().to_str().unwrap();
    assert!(!here.contains(place), "the answer names the directory of the audit");
}

#[test]
fn one_file_says_what_it_is() {
    let sandbox = Sandbox::new();
    WheelFile::new(LINUX)
        .with("demo/new.so", "elf/too-new.so")
        .with("demo/lib/x.dylib", "macho/universal.dylib")
        .text("demo/__init__.py", "")
        .write(sandbox.path());
    let check = |code: i32, name: &str, parts: &[&str]| {
        sandbox.expect(code, &["show", name]).answers(parts);
    };
    let elf = [
        "ELF shared library for x86_64",
        "libc.so.6 GLIBC_2.34",
        "pthread_create@GLIBC_2.34",
        "manylinux_2_34_x86_64",
    ];
    check(0, &format!("{LINUX}!demo/new.so"), &elf);
    let macho = ["Mach-O shared library for x86_64", "for arm64", "macOS 11.0", "@rpath/libplain"];
    check(0, &format!("{LINUX}!demo/lib/x.dylib"), &macho);
    check(0, LINUX, &[elf[0], macho[0]]);
    for (name, parts) in [
        ("pe/user.dll", &["PE DLL for x86_64", "plain.dll (1 symbol)", "ASLR"][..]),
        ("macho/object.o", &["object"]),
        ("elf/program", &["ELF program for x86_64", "/lib64/ld-linux-x86-64.so.2"]),
    ] {
        fs::write(sandbox.path().join("file"), native(name)).unwrap();
        check(0, "file", parts);
    }
    fs::write(sandbox.path().join("cut"), native("elf/too-short.so")).unwrap();
    check(1, "cut", &["lies outside the file"]);
    sandbox.expect(2, &["show", &format!("{LINUX}!demo/gone.so")]).says(&["it has no such file"]);
    let none = sandbox.expect(2, &["show", &format!("{LINUX}!demo/__init__.py")]);
    none.says(&["is not a native file"]);
    let run = sandbox.expect(0, &["show", "--format", "json", &format!("{LINUX}!demo/new.so")]);
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found["files"][0]["elf"]["needed"][0], "libc.so.6");
    assert_eq!(found["files"][0]["verdict"], "manylinux_2_34_x86_64");
}

/// Inputs that were not judged never end with exit code 0: links, pipes, empty files, unknown
/// processors.
#[test]
#[cfg(unix)]
fn what_cannot_be_judged_is_no_success() {
    use std::os::unix::fs::symlink;

    let wheel = "demo-1.0-py3-none-any.whl";
    let check = |make: &dyn Fn(&Path), input: &str, code: i32, part: &str| {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path().join("bad")).unwrap();
        fs::create_dir(sandbox.path().join("d")).unwrap();
        let bad = WheelFile::new(wheel).with("demo/x.so", "elf/x86_64.so");
        bad.write(&sandbox.path().join("bad"));
        make(sandbox.path());
        let run = sandbox.run(&["audit", input]);
        assert_eq!(run.code, code, "{input}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains(part), "{input}: {}{}", run.stdout, run.stderr);
    };
    let link = |target: &'static str, name: &'static str| {
        move |dir: &Path| symlink(target, dir.join("d").join(name)).unwrap()
    };
    check(&link("../bad/demo-1.0-py3-none-any.whl", wheel), "d", 1, "native-in-any");
    check(&link("../bad", "linked"), "d", 2, "no native file and no wheel");
    check(&link("nowhere", wheel), "d", 2, "cannot read");
    check(&link("nowhere", "x.so"), "d", 2, "no native file and no wheel");
    let pipe = |dir: &Path| {
        let made = Command::new("mkfifo").arg(dir.join("d").join(wheel)).status();
        assert!(made.unwrap().success());
    };
    check(&pipe, "d", 2, "no native file and no wheel");
    check(&pipe, "d/demo-1.0-py3-none-any.whl", 2, "a pipe");
    let file =
        |bytes: &'static [u8]| move |dir: &Path| fs::write(dir.join("d/x.so"), bytes).unwrap();
    check(&file(b""), "d/x.so", 2, "not a native file");
    check(&file(b"\x7fELF"), "d/x.so", 1, "unreadable");
    check(&file(b"\x7fELF"), "d", 1, "unreadable");
    let twice = |dir: &Path| {
        fs::write(dir.join("d/x.so"), native("elf/x86_64.so")).unwrap();
        let pack = "tar czf one.gz x.so && cat one.gz one.gz >x.tar.gz";
        let packed = Command::new("sh").args(["-c", pack]).current_dir(dir.join("d")).status();
        assert!(packed.unwrap().success());
    };
    check(&twice, "d/x.tar.gz", 2, "behind its first");
    check(&twice, "d/one.gz", 0, "manylinux_2_17_x86_64");
    // SPARC.
    let mut sparc = native("elf/x86_64.so");
    sparc[18] = 43;
    let other = |dir: &Path| fs::write(dir.join("d/x.so"), &sparc).unwrap();
    check(&other, "d/x.so", 1, "wrong-arch");
}

/// A tag without rules proves nothing about native files.
#[test]
fn unknown_platforms_are_not_judged() {
    let check = |platform: &str, code: i32| {
        let sandbox = Sandbox::new();
        let wheel = WheelFile::new(&format!("demo-1.0-py3-none-{platform}.whl"));
        let path = wheel.with("demo/x.so", "elf/x86_64.so").write(sandbox.path());
        let name = path.file_name().unwrap().to_str().unwrap();
        let report = report(&sandbox, code, &[name]);
        let is_said = report["inputs"][0]["error"].as_str().is_some_and(|e| e.contains("no rules"));
        assert_eq!(is_said, code == 2, "{report}");
    };
    check("manylinux_2_17_x86_64", 0);
    check("freebsd_14_0_release_amd64", 2);
    check("linux_armv6l", 2);
    check("win_arm32", 2);
    check("manylinux_2_17_x86_64.solaris_2_11_x86_64", 2);
    let sandbox = Sandbox::new();
    let pure = WheelFile::new("demo-1.0-py3-none-solaris_2_11.whl").text("demo/__init__.py", "");
    pure.write(sandbox.path());
    report(&sandbox, 0, &["demo-1.0-py3-none-solaris_2_11.whl"]);
}
