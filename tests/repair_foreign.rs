//! Wheels for macOS, Windows and musl with missing libraries: cross-compiled, repaired here, and
//! read by other tools.
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
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content, repository};

const FILES: [(&str, &str); 7] = [
    ("c/bar.c", "int bar(void) { return 41; }\n"),
    ("c/foo.c", "int bar(void);\nint foo(void) { return bar() + 1; }\n"),
    ("c/ext.c", "int foo(void);\nint answer(void) { return foo(); }\n"),
    (
        "c/run.c",
        "int printf(const char *, ...);\nint foo(void);\n\
         int main(void) { printf(\"%d\\n\", foo()); return 0; }\n",
    ),
    ("wheel/demo/__init__.py", "\"\"\"Demo.\"\"\"\nfrom __future__ import annotations\n"),
    ("wheel/demo/sub/__init__.py", ""),
    ("wheel/demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"),
];

/// Flags of a compilation without a C library or runtime, which takes a tenth of a second.
const BARE: [&str; 7] = [
    "-nostdlib",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-Os",
    "-g0",
];

struct Project {
    sandbox: Sandbox,
    zig: PathBuf,
}

impl Project {
    fn new(env: &TestEnv) -> Option<Self> {
        let zig = env.get("tools/zig", "repair_foreign")?;
        let sandbox = Sandbox::with(&FILES);
        fs::create_dir_all(sandbox.path().join("lib")).unwrap();
        Some(Self { sandbox, zig })
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.sandbox.path().join(relative)
    }

    /// Compiles, with or without a C library.
    fn compile(&self, target: &str, bare: bool, args: &str) {
        let mut command = Command::new(&self.zig);
        command.args(["cc", "-target", target]).args(if bare { &BARE[..] } else { &["-Os"] });
        content(command.args(args.split(' ')).current_dir(self.sandbox.path()));
    }

    /// Returns the wheel with this tag.
    fn pack(&self, tag: &str) -> PathBuf {
        let text = format!(
            "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n"
        );
        self.sandbox.write("wheel/demo-1.0.dist-info/WHEEL", &text);
        self.sandbox.expect(0, &["wheel", "pack", "wheel"]);
        self.path(&format!("demo-1.0-py3-none-{tag}.whl"))
    }

    fn repair(&self, wheel: &Path, out: &str, args: &[&str]) -> Run {
        let first = ["repair", wheel.to_str().unwrap(), "--library-path", "lib", "--out", out];
        self.sandbox.run(&[&first, args].concat())
    }

    /// Repairs the wheel twice, and then the result: the bytes are the same, and the audit reports
    /// nothing. Returns the repaired wheel.
    fn repaired(&self, wheel: &Path, earned: &str) -> PathBuf {
        let before = fs::read(wheel).unwrap();
        let run = |wheel: &Path, out: &str| {
            self.repair(wheel, out, &[]).expect(0).answers(&[&format!("qualifies for {earned}")]);
            only_file(&self.path(out))
        };
        let first = run(wheel, "one");
        let bytes = fs::read(&first).unwrap();
        assert!(bytes == fs::read(run(wheel, "two")).unwrap(), "another run gives other bytes");
        let again = run(&first, "three");
        assert!(bytes == fs::read(again).unwrap(), "repaired twice, it is another one");
        assert!(before == fs::read(wheel).unwrap(), "the input was touched");
        self.sandbox.expect(0, &["audit", first.to_str().unwrap(), "--fail-on", "warning"]);
        first
    }
}

fn only_file(dir: &Path) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Returns what other readers print about it.
fn judged(env: &TestEnv, wheel: &Path) -> Option<Run> {
    env.get("judges", "repair_foreign")?;
    let judge = repository().join("tests/judges/check_grafts.py");
    Some(content(Command::new(env.judge("python")).arg(judge).arg(wheel)))
}

/// Merges files for several processors; each slice begins at a page of its own.
fn fuse(slices: &[(u32, u32, &Path)], output: &Path) {
    const PAGE: usize = 1 << 14;
    let mut head: Vec<u32> = vec![0xcafe_babe, u32::try_from(slices.len()).unwrap()];
    let mut body = vec![0; PAGE];
    for (cpu, subtype, path) in slices {
        let bytes = fs::read(path).unwrap();
        body.resize(body.len().next_multiple_of(PAGE), 0);
        let numbers = [body.len(), bytes.len(), 14].map(|n| u32::try_from(n).unwrap());
        head.extend([*cpu, *subtype]);
        head.extend(numbers);
        body.extend(bytes);
    }
    let head: Vec<u8> = head.iter().flat_map(|number| number.to_be_bytes()).collect();
    body[..head.len()].copy_from_slice(&head);
    fs::write(output, body).unwrap();
}

const ARM: &str = "aarch64-macos.11.0-none";
const INTEL: &str = "x86_64-macos.10.13-none";
const PAD: &str = "-Wl,-headerpad,0x400";

impl Project {
    /// `libfoo.1.dylib`, which needs `libbar.1.dylib` by a path of the build machine, and two
    /// modules that search for the first in a directory of the build machine.
    fn macos(&self, targets: &[&str]) {
        let modules = ["wheel/demo/ext.so", "wheel/demo/sub/deep.so"];
        let mut made: Vec<Vec<PathBuf>> = Vec::new();
        for target in targets {
            let bar = "-dynamiclib -o lib/libbar.1.dylib c/bar.c";
            let name = "-install_name /opt/build/lib/libbar.1.dylib";
            self.compile(target, true, &format!("{bar} {name} {PAD}"));
            let library = "-dynamiclib -o lib/libfoo.1.dylib c/foo.c lib/libbar.1.dylib";
            let name = "-install_name @rpath/libfoo.1.dylib -Wl,-rpath,/opt/build/lib";
            self.compile(target, true, &format!("{library} {name} {PAD}"));
            for module in modules {
                let from = "c/ext.c lib/libfoo.1.dylib -Wl,-rpath,/opt/build/lib";
                self.compile(target, true, &format!("-dynamiclib -o {module} {from} {PAD}"));
            }
            if targets.len() > 1 {
                let files = ["lib/libbar.1.dylib", "lib/libfoo.1.dylib", modules[0], modules[1]];
                let kept = files.map(|file| {
                    let kept = self.path(&format!("{}.{}", file.replace('/', "-"), made.len()));
                    fs::copy(self.path(file), &kept).unwrap();
                    kept
                });
                made.push(kept.to_vec());
                if let [intel, arm] = &made[..] {
                    for (at, file) in files.iter().enumerate() {
                        let slices = [(0x0100_0007, 3, &*intel[at]), (0x0100_000c, 0, &arm[at])];
                        fuse(&slices, &self.path(file));
                    }
                }
            }
        }
    }
}

#[test]
fn macos_wheels_are_repaired_without_a_mac() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    let check = |targets: &[&str], tag: &str, arches: &[&str]| {
        let Some(project) = Project::new(&env) else { return };
        project.macos(targets);
        let wheel = project.pack(tag);
        let repaired = project.repaired(&wheel, tag);
        let Some(said) = judged(&env, &repaired) else { return };
        for arch in arches {
            let lines = [
                "demo/.dylibs/libbar.1.dylib ARCH: id @rpath/libbar.1.dylib",
                "demo/.dylibs/libfoo.1.dylib ARCH: needs @loader_path/libbar.1.dylib",
                "demo/ext.so ARCH: needs @loader_path/.dylibs/libfoo.1.dylib",
                "demo/sub/deep.so ARCH: needs @loader_path/../.dylibs/libfoo.1.dylib",
            ];
            let lines = lines.map(|line| line.replace("ARCH", arch));
            said_all(&said, &lines);
            if *arch == "arm64" {
                let signed = ["demo/ext.so", "demo/sub/deep.so", "demo/.dylibs/libfoo.1.dylib"];
                said_all(
                    &said,
                    &signed.map(|file| format!("{file} arm64: every page has its hash")),
                );
            }
        }
        assert!(
            !said.stdout.contains("rpath /") && !said.stdout.contains("/opt/"),
            "{}",
            said.stdout
        );
    };
    check(&[ARM], "macosx_11_0_arm64", &["arm64"]);
    check(&[INTEL], "macosx_10_13_x86_64", &["x86_64"]);
    check(&[INTEL, ARM], "macosx_10_13_universal2", &["x86_64", "arm64"]);
}

fn said_all(said: &Run, lines: &[String]) {
    for line in lines {
        assert!(said.stdout.lines().any(|other| other == line), "no `{line}` in\n{}", said.stdout);
    }
}

#[test]
fn macos_libraries_that_ask_for_more_than_the_tag() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    let Some(project) = Project::new(&env) else { return };
    project.macos(&[ARM]);
    let newer = "-dynamiclib -o lib/libbar.1.dylib c/bar.c";
    let name = format!("-install_name /opt/build/lib/libbar.1.dylib {PAD}");
    project.compile("aarch64-macos.13.3-none", true, &format!("{newer} {name}"));
    let wheel = project.pack("macosx_11_0_arm64");
    let raised = "raised from macosx_11_0_arm64 to macosx_13_0_arm64";
    let library = "demo/.dylibs/libbar.1.dylib requires";
    project.repair(&wheel, "out", &["--dry-run"]).expect(0).answers(&[raised, library]);
    // A tag that was asked for is kept, or the wheel refused.
    for only in [&[][..], &["--only-plat"]] {
        let args = [&["--plat", "macosx_11_0_arm64"], only].concat();
        let run = project.repair(&wheel, "out", &args).expect(1);
        run.says(&["macosx_11_0_arm64", "libbar.1.dylib", "13.3", "--tag"]);
    }
    assert!(
        !project.path("out").exists() || fs::read_dir(project.path("out")).unwrap().count() == 0
    );
    let tag = "macosx_13_3_arm64";
    project.repair(&wheel, "out", &["--plat", tag]).expect(0).answers(&["qualifies for macosx_13"]);
    let run = project.repair(&wheel, "raised", &[]).expect(0);
    run.answers(&["qualifies for macosx_13_0_arm64", raised, library]);
    let repaired = only_file(&project.path("raised"));
    assert!(repaired.to_str().unwrap().ends_with("-macosx_13_0_arm64.whl"), "{repaired:?}");
    project.sandbox.expect(0, &["audit", repaired.to_str().unwrap()]);
    // It asks for no more now.
    let again = project.repair(&repaired, "again", &["--format", "json"]).expect(0);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert!(again["wheels"][0]["raised"].is_null(), "{again}");
    // Its own files count as the copies do.
    let newer = "-dynamiclib -o wheel/demo/ext.so c/ext.c lib/libfoo.1.dylib";
    project.compile("aarch64-macos.14.0-none", true, &format!("{newer} {PAD}"));
    let wheel = project.pack("macosx_11_0_arm64");
    let run = project.repair(&wheel, "own", &[]).expect(0);
    run.answers(&["to macosx_14_0_arm64, which demo/ext.so requires"]);
    // A universal wheel cannot use a library of one processor.
    let wheel = project.pack("macosx_11_0_universal2");
    project.repair(&wheel, "other", &[]).expect(1);
}

#[test]
fn mach_o_files_without_room_are_left_alone() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    let Some(project) = Project::new(&env) else { return };
    project.macos(&[ARM]);
    // A short name, and no room for a longer one.
    let library = "-dynamiclib -o lib/libfoo.1.dylib c/foo.c lib/libbar.1.dylib";
    let name = "-install_name libfoo.1.dylib -Wl,-headerpad,0";
    project.compile(ARM, true, &format!("{library} {name}"));
    let deep = "wheel/demo/a/very/deep/directory/for/one/module/ext.so";
    fs::create_dir_all(project.path(deep).parent().unwrap()).unwrap();
    project.compile(
        ARM,
        true,
        &format!("-dynamiclib -o {deep} c/ext.c lib/libfoo.1.dylib -Wl,-headerpad,0"),
    );
    let wheel = project.pack("macosx_11_0_arm64");
    let before = fs::read(&wheel).unwrap();
    let run = project.repair(&wheel, "out", &[]).expect(2);
    run.says(&["cannot change `demo", "not enough free space", "-headerpad_max_install_names"]);
    assert!(before == fs::read(&wheel).unwrap());
    assert!(
        !project.path("out").exists() || fs::read_dir(project.path("out")).unwrap().count() == 0
    );
}

impl Project {
    /// `foo.dll`, which needs `BAR.dll`, and a module of a package that needs `foo.dll`.
    fn windows(&self, target: &str, link: &str) {
        let end = "-shared -Wl,--no-entry -Wl,--out-implib,lib";
        self.compile(target, true, &format!("-o lib/bar.dll c/bar.c {end}/bar.lib {link}"));
        self.compile(
            target,
            true,
            &format!("-o lib/foo.dll c/foo.c lib/bar.lib {end}/foo.lib {link}"),
        );
        for module in ["demo/ext.pyd", "demo/sub/deep.pyd"] {
            let module = format!("wheel/{module} c/ext.c lib/foo.lib");
            self.compile(target, true, &format!("-o {module} {end}/ext.lib {link}"));
        }
        for name in fs::read_dir(self.path("lib")).unwrap().map(|e| e.unwrap().path()) {
            if name.extension().is_some_and(|e| e == "lib" || e == "pdb") {
                fs::remove_file(name).unwrap();
            }
        }
        for dir in ["wheel/demo", "wheel/demo/sub"] {
            for file in fs::read_dir(self.path(dir)).unwrap().map(|e| e.unwrap().path()) {
                if file.extension().is_some_and(|e| e == "pdb") {
                    fs::remove_file(file).unwrap();
                }
            }
        }
        // Windows does not tell capitals from small letters.
        fs::rename(self.path("lib/bar.dll"), self.path("lib/Bar.DLL")).unwrap();
    }
}

#[test]
fn windows_wheels_are_repaired_without_windows() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    // With and without a table of symbols behind the sections.
    let check = |target: &str, tag: &str, arch: &str, link: &str| {
        let Some(project) = Project::new(&env) else { return };
        project.windows(target, link);
        let wheel = project.pack(tag);
        let repaired = project.repaired(&wheel, tag);
        let Some(said) = judged(&env, &repaired) else { return };
        let copies = grafts(&repaired);
        let copy =
            |start: &str| copies.iter().find(|name| name.starts_with(start)).unwrap().clone();
        let (foo, bar) = (copy("foo-"), copy("bar-"));
        said_all(
            &said,
            &[
                format!("demo.libs/{foo} {arch}: needs {bar}"),
                format!("demo/ext.pyd {arch}: needs {foo}"),
                format!("demo/sub/deep.pyd {arch}: needs {foo}"),
                "demo/__init__.py: announces demo.libs; it says: Demo.".to_owned(),
            ],
        );
    };
    check("x86_64-windows-gnu", "win_amd64", "x86_64", "-Wl,-s");
    check("x86_64-windows-gnu", "win_amd64", "x86_64", "-gdwarf");
    check("aarch64-windows-gnu", "win_arm64", "arm64", "-Wl,-s");
}

/// Returns the files in `demo.libs`.
fn grafts(wheel: &Path) -> Vec<String> {
    let wheel = zip::ZipArchive::new(fs::File::open(wheel).unwrap()).unwrap();
    let names = wheel.file_names().map(|name| name.unwrap().into_owned());
    names.filter_map(|name| name.strip_prefix("demo.libs/").map(str::to_owned)).collect()
}

#[test]
fn delayed_imports_are_renamed_as_well() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    let Some(project) = Project::new(&env) else { return };
    let native = |name: &str| repository().join("testdata/pe").join(name);
    fs::copy(native("runtime.dll"), project.path("wheel/demo/native.dll")).unwrap();
    fs::copy(native("x64.dll"), project.path("lib/plain.dll")).unwrap();
    for name in ["MSVCP140.dll", "python312.dll"] {
        fs::copy(native("x64.dll"), project.path("lib").join(name)).unwrap();
    }
    let wheel = project.pack("win_amd64");
    project.repair(&wheel, "one", &[]).expect(0);
    let repaired = only_file(&project.path("one"));
    let Some(said) = judged(&env, &repaired) else { return };
    let plain = grafts(&repaired).into_iter().find(|name| name.starts_with("plain-")).unwrap();
    said_all(&said, &[format!("demo/native.dll x86_64: needs {plain} later")]);
    assert!(said.stdout.contains("needs python312.dll"), "{}", said.stdout);
    // A runtime that is at hand and that neither Windows nor Python has.
    assert!(grafts(&repaired).iter().any(|name| name.starts_with("msvcp140-")), "{repaired:?}");
}

#[test]
fn musl_wheels_are_repaired_and_run() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    let check = |arch: &str, loader: &[&str]| {
        let Some(project) = Project::new(&env) else { return };
        let target = format!("{arch}-linux-musl");
        let shared = "-shared -fPIC -Wl,-soname,";
        let bar = format!("{shared}libbar.so.1 -o lib/libbar.so.1 c/bar.c");
        project.compile(&target, true, &bar);
        let foo = format!("{shared}libfoo.so.1 -o lib/libfoo.so.1 c/foo.c lib/libbar.so.1");
        project.compile(&target, true, &foo);
        let ext = "-shared -fPIC -o wheel/demo/ext.so c/ext.c lib/libfoo.so.1";
        project.compile(&target, true, ext);
        project.compile(
            &target,
            false,
            "-dynamic -s -o wheel/demo/run c/run.c lib/libfoo.so.1 lib/libbar.so.1",
        );
        let wheel = project.pack(&format!("linux_{arch}"));
        let tag = format!("musllinux_1_2_{arch}");
        let repaired = project.repaired(&wheel, &tag);
        fs::rename(project.path("lib"), project.path("away")).unwrap();
        project.sandbox.expect(0, &["wheel", "unpack", repaired.to_str().unwrap(), "--out", "un"]);
        let mut parts = Vec::new();
        for part in loader {
            let Some(part) = env.get(part, "repair_foreign") else { return };
            parts.push(part);
        }
        let mut command = Command::new(&parts[0]);
        command.args(&parts[1..]).arg(find(&project.path("un"), "run")).current_dir("/");
        assert_eq!(content(&mut command).stdout, "42\n");
    };
    check("x86_64", &["tools/ld-musl-x86_64"]);
    check("aarch64", &["tools/qemu-aarch64", "tools/ld-musl-aarch64"]);
}

#[test]
fn two_libraries_of_one_name_are_two_copies() {
    let Some(env) = TestEnv::find("repair_foreign") else { return };
    let Some(project) = Project::new(&env) else { return };
    fs::create_dir_all(project.path("lib/two")).unwrap();
    project.sandbox.write("c/other.c", "int bar(void) { return 1; }\n");
    let target = "x86_64-linux-gnu.2.17";
    let shared = "-shared -fPIC -Wl,-soname,";
    for (dir, source) in [("lib", "c/bar.c"), ("lib/two", "c/other.c")] {
        let bar = format!("{shared}libbar.so.1 -o {dir}/libbar.so.1 {source}");
        project.compile(target, true, &bar);
    }
    let foo = format!("{shared}libfoo.so.1 -Wl,-rpath,$ORIGIN -o lib/two/libfoo.so.1");
    project.compile(target, true, &format!("{foo} c/foo.c lib/two/libbar.so.1"));
    let both = "lib/two/libfoo.so.1 lib/libbar.so.1";
    let ext = format!("-shared -fPIC -Wl,--no-as-needed -o wheel/demo/ext.so c/ext.c {both}");
    project.compile(target, true, &ext);
    let wheel = project.pack("linux_x86_64");
    let args = ["--library-path", "lib/two"];
    project.repair(&wheel, "out", &args).expect(0);
    let grafts = grafts(&only_file(&project.path("out")));
    let bars = grafts.iter().filter(|name| name.starts_with("libbar-")).count();
    assert_eq!((grafts.len(), bars), (3, 2), "{grafts:?}");
}

fn find(dir: &Path, name: &str) -> PathBuf {
    let mut queue = vec![dir.to_owned()];
    while let Some(path) = queue.pop() {
        if path.is_dir() {
            queue.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.file_name().unwrap() == name {
            return path;
        }
    }
    panic!("no `{name}`");
}
