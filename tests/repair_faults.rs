//! Tests of failing repairs: exit code, message, unchanged input, and no incomplete outputs.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use support::wheels::{WheelFile, native};
use support::{Run, Sandbox};

const NAME: &str = "demo-1.0-py3-none-linux_x86_64.whl";

/// A wheel with a module that needs `libplain.so`, and `lib/libplain.so` with these bytes.
fn project(library: Option<&str>, more: &[(&str, &str)]) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("lib")).unwrap();
    if let Some(library) = library {
        fs::write(sandbox.path().join("lib/libplain.so"), native(library)).unwrap();
    }
    let mut wheel = WheelFile::new(NAME).with("demo/ext.so", "elf/runpath.so");
    for (path, testdata) in more {
        wheel = wheel.with(path, testdata);
    }
    let wheel = wheel.write(sandbox.path());
    (sandbox, wheel)
}

fn left(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Asserts that a repair fails with `code`, prints `parts`, and changes and leaves no file.
fn check((sandbox, wheel): &(Sandbox, PathBuf), out: &str, code: i32, parts: &[&str]) -> Run {
    let before = fs::read(wheel).unwrap();
    let args = ["repair", NAME, "--library-path", "lib", "--out", out];
    let run = sandbox.expect(code, &args).says(parts);
    assert!(before == fs::read(wheel).unwrap(), "the input was touched");
    assert_eq!(left(&sandbox.path().join(out)), Vec::<String>::new());
    run
}

#[test]
fn libraries_that_are_of_no_use() {
    let start = "`demo/ext.so` needs `libplain.so`";
    let absent = ["which is not in the directory that was searched", "hint", "--library-path"];
    check(&project(None, &[]), "out", 1, &[&[start][..], &absent].concat());
    let other = "libplain.so` is for aarch64, not for x86_64";
    check(&project(Some("elf/aarch64.so"), &[]), "out", 1, &[start, other]);
    let broken = "libplain.so` cannot be read";
    check(&project(Some("elf/too-short.so"), &[]), "out", 1, &[start, broken]);
    let program = "libplain.so` is not a shared library";
    check(&project(Some("elf/static-program"), &[]), "out", 1, &[start, program]);
}

#[test]
fn damaged_files_are_said() {
    let damaged = project(Some("elf/x86_64.so"), &[("demo/bad.so", "elf/too-short.so")]);
    check(&damaged, "out", 1, &["demo/bad.so"]);
}

#[test]
fn packed_programs_are_left_alone() {
    let path = "demo/bin/packed";
    let (sandbox, wheel) = project(Some("elf/x86_64.so"), &[]);
    // What packers leave: segments, no sections, no dynamic entries, and data that is no program.
    let mut packed = native("elf/static-program");
    packed[40..48].fill(0);
    packed[58..64].fill(0);
    packed.extend(b"UPX!");
    packed.extend((0..50_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()));
    fs::create_dir_all(sandbox.path().join("unpacked")).unwrap();
    sandbox.expect(0, &["wheel", "unpack", wheel.to_str().unwrap(), "--out", "unpacked"]);
    let root = sandbox.path().join("unpacked/demo-1.0");
    fs::create_dir_all(root.join("demo/bin")).unwrap();
    fs::write(root.join(path), &packed).unwrap();
    fs::remove_file(root.join("demo-1.0.dist-info/RECORD")).unwrap();
    sandbox.expect(0, &["wheel", "pack", "unpacked/demo-1.0"]);
    let wheel = sandbox.path().join(NAME);
    let args = ["repair", wheel.to_str().unwrap(), "-L", "lib", "--out", "out", "--strip"];
    let said = sandbox.expect(0, &args);
    assert!(!said.stdout.contains(&format!("~ {path}")), "{}", said.stdout);
    assert!(said.stdout.contains(&format!("= {path}: left alone")), "{}", said.stdout);
    let made = sandbox.path().join("out").join(&left(&sandbox.path().join("out"))[0]);
    sandbox.expect(0, &["wheel", "unpack", made.to_str().unwrap(), "--out", "again"]);
    assert!(fs::read(sandbox.path().join("again/demo-1.0").join(path)).unwrap() == packed);
}

#[test]
fn outputs_that_cannot_be_written() {
    let wheel = project(Some("elf/x86_64.so"), &[]);
    wheel.0.write("occupied", "a file");
    check(&wheel, "occupied", 2, &["occupied"]);
    check(&wheel, "/proc/nowhere", 2, &["/proc/nowhere"]);
}

#[test]
fn a_killed_repair_leaves_nothing_half_made() {
    let (sandbox, _) = project(Some("elf/x86_64.so"), &[]);
    // Takes long enough to be interrupted.
    let text: String =
        (0..3_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect();
    let wheel = WheelFile::new(NAME).with("demo/ext.so", "elf/runpath.so").text("demo/big", &text);
    let wheel = wheel.write(sandbox.path());
    let before = fs::read(&wheel).unwrap();
    let out = sandbox.path().join("out");
    let args = ["repair", NAME, "-L", "lib", "--out", "out"];
    let earned = "demo-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl";
    let started = Instant::now();
    sandbox.expect(0, &args);
    let takes = started.elapsed();
    let whole = fs::read(out.join(earned)).unwrap();
    fs::remove_dir_all(&out).unwrap();
    // Anywhere within the run, and after its end: how far it is then differs from machine to machine.
    for (signal, tenths) in [("-INT", 2), ("-TERM", 5), ("-KILL", 3), ("-KILL", 7), ("-KILL", 9)] {
        let mut child = sandbox.command(&args).spawn().unwrap();
        std::thread::sleep(takes * tenths / 10);
        let id = child.id().to_string();
        std::process::Command::new("kill").args([signal, &id]).status().unwrap();
        let is_done = child.wait().unwrap().success();
        let names = left(&out);
        assert!(!is_done || names.iter().any(|name| name == earned), "{names:?}");
        for name in names {
            // The name of the wheel is only ever that of the whole wheel.
            let is_whole = name == earned && fs::read(out.join(&name)).unwrap() == whole;
            assert!(is_whole || name.starts_with(".wheelsmith-unfinished-"), "{name} was left");
        }
        assert!(before == fs::read(&wheel).unwrap());
        let _ = fs::remove_file(out.join(earned));
    }
    // The next run removes what killed runs left.
    sandbox.expect(0, &args);
    assert_eq!(left(&out), [earned]);
    assert!(fs::read(out.join(earned)).unwrap() == whole);
}

/// Repairs the wheel with `args`; returns the bytes before and after, and the name after.
fn repaired(sandbox: &Sandbox, wheel: &Path, args: &[&str]) -> (Vec<u8>, Vec<u8>, String) {
    let name = wheel.file_name().unwrap().to_str().unwrap();
    sandbox.expect(0, &[&["repair", name, "--out", "out"], args].concat());
    let names = left(&sandbox.path().join("out"));
    let [made] = &names[..] else { panic!("{names:?}") };
    let after = fs::read(sandbox.path().join("out").join(made)).unwrap();
    (fs::read(wheel).unwrap(), after, made.clone())
}

#[test]
fn good_wheels_come_back_byte_for_byte() {
    let check = |name: &str, files: &[(&str, &str)]| {
        let sandbox = Sandbox::new();
        let mut wheel = WheelFile::new(name).text("demo/__init__.py", "").header("X-Odd: line");
        for (path, testdata) in files {
            wheel = wheel.with(path, testdata);
        }
        let wheel = wheel.write(sandbox.path());
        let (before, after, made) = repaired(&sandbox, &wheel, &[]);
        assert_eq!(made, name);
        assert!(before == after, "{name} comes back with other bytes");
        // A dry run tells the same and writes nothing.
        let run = sandbox.expect(0, &["repair", name, "--dry-run", "--out", "dry"]);
        assert!(run.stdout.contains("unchanged: "), "{}", run.stdout);
        assert!(left(&sandbox.path().join("dry")).is_empty());
    };
    let program = ("demo/run", "elf/static-program");
    let library = ("demo/libplain.so", "elf/x86_64.so");
    let new = "demo-1.0-py3-none-manylinux_2_28_x86_64.whl";
    check(new, &[library]);
    check(
        "demo-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
        &[library],
    );
    check("demo-1.0-py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl", &[program]);
    check("demo-1.0-py3-none-musllinux_1_1_x86_64.whl", &[program]);
    check("demo-1.0-py3-none-win_amd64.whl", &[("demo/x.dll", "pe/x64.dll")]);
    check("demo-1.0-py3-none-any.whl", &[]);
    // Platforms without rules.
    check("demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl", &[]);
    check("demo-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl", &[]);
}

/// `repair` returns no wheel that `audit` refuses, also if it has no rules for the platform.
#[test]
fn files_of_another_system_do_not_come_back() {
    let check = |name: &str| {
        let sandbox = Sandbox::new();
        WheelFile::new(name).with("demo/x.so", "elf/x86_64.so").write(sandbox.path());
        sandbox.expect(1, &["audit", name]);
        let run = sandbox.expect(1, &["repair", name, "--out", "out"]);
        assert!(run.stderr.contains("it is a file for Linux"), "{}", run.stderr);
        assert!(left(&sandbox.path().join("out")).is_empty());
    };
    check("demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl");
    check("demo-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl");
}

#[test]
fn a_request_changes_a_good_wheel() {
    let sandbox = Sandbox::new();
    let name = "demo-1.0-py3-none-manylinux_2_28_x86_64.whl";
    let wheel =
        WheelFile::new(name).with("demo/libplain.so", "elf/x86_64.so").write(sandbox.path());
    let (_, _, made) = repaired(&sandbox, &wheel, &["--tag", "manylinux_2_28", "--only-tag"]);
    assert_eq!(made, name);
    fs::remove_dir_all(sandbox.path().join("out")).unwrap();
    let (_, _, made) = repaired(&sandbox, &wheel, &["--tag", "manylinux_2_28"]);
    assert_ne!(made, name);
    fs::remove_dir_all(sandbox.path().join("out")).unwrap();
    let (before, after, _) = repaired(&sandbox, &wheel, &["--compression", "store"]);
    assert!(before != after);
}

#[test]
fn what_audit_refuses_is_not_written() {
    // The suffix is that of another system, and no library is missing.
    let sandbox = Sandbox::new();
    let name = "demo-1.0-cp312-cp312-linux_x86_64.whl";
    let path = "demo/x.cpython-312-aarch64-linux-gnu.so";
    let wheel = WheelFile::new(name).with(path, "elf/x86_64.so").write(sandbox.path());
    for dry in [&[][..], &["--dry-run"]] {
        let args = [&["repair", name, "--out", "out"][..], dry].concat();
        sandbox.expect(1, &args).says(&["`audit` refuses the repaired wheel", path]);
        assert!(left(&sandbox.path().join("out")).is_empty());
    }
    // A waiver of the only cause clears the verdict.
    sandbox.write(
        "wheelsmith.toml",
        "[project]\nname = 'demo'\nversion = '1.0'\n\
         [[tool.wheelsmith.audit.waivers]]\ncode = 'wrong-abi'\nreason = 'tried by hand'\n\
         [[tool.wheelsmith.audit.waivers]]\ncode = 'no-init-function'\nreason = 'tried by hand'\n",
    );
    let (_, _, made) = repaired(&sandbox, &wheel, &[]);
    assert!(made.contains("manylinux_2_17"), "{made}");
}

#[test]
fn exclusions_come_from_files_and_from_the_configuration() {
    let (sandbox, _) = project(None, &[]);
    let refused = ["repair", NAME, "--out", "out"];
    sandbox.expect(1, &refused).says(&["libplain.so"]);
    sandbox.write("excluded.txt", "# ours\n\nlibpl*\n");
    sandbox.expect(0, &[&refused[..], &["--exclude-file", "excluded.txt"]].concat());
    sandbox
        .expect(2, &[&refused[..], &["--exclude-file", "absent.txt"]].concat())
        .says(&["absent.txt"]);
    let config = "[project]\nname = 'demo'\nversion = '1.0'\n[tool.wheelsmith.audit]\nexclude = ['libplain.so']\n";
    sandbox.write("settings.toml", config);
    sandbox.expect(0, &[&refused[..], &["--config", "settings.toml"]].concat());
}

#[test]
fn damage_is_not_laundered() {
    let check = |path: &str, text: Option<&str>, code: i32, said: &str| {
        let sandbox = Sandbox::new();
        let wheel = WheelFile::new(NAME).with("demo/libplain.so", "elf/x86_64.so");
        let wheel = wheel.text("demo/data.txt", "as RECORD has it").tampered(path, text);
        wheel.write(sandbox.path());
        for dry in [&[][..], &["--dry-run"]] {
            let args = [&["repair", NAME, "--out", "out"][..], dry].concat();
            sandbox.expect(code, &args).says(&[NAME, path, said]);
        }
        assert!(left(&sandbox.path().join("out")).is_empty());
        sandbox.expect(0, &["repair", NAME, "--out", "out", "--force", "known"]);
    };
    check("demo/data.txt", Some("other text there"), 1, "RECORD");
    check("demo/data.txt", Some("longer text than RECORD has it"), 1, "RECORD");
    check("demo/data.txt", None, 1, "RECORD");
    check("demo/new.txt", Some(""), 1, "RECORD");
    check("demo/con.txt", Some(""), 1, "--force");
}

#[test]
fn tables_that_point_outside_stop_the_repair() {
    let sandbox = Sandbox::new();
    for broken in ["elf/too-short.so"] {
        WheelFile::new(NAME).with("demo/ext.so", broken).write(sandbox.path());
        for dry in [&[][..], &["--dry-run"]] {
            let args = [&["repair", NAME, "--out", "out"][..], dry].concat();
            sandbox.expect(1, &args).says(&["demo/ext.so"]);
        }
        assert!(left(&sandbox.path().join("out")).is_empty());
    }
}
