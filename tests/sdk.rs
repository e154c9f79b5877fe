//! Tests of SDKs: unpacked, moved, and used with pkg-config and cmake, natively and for aarch64
//! under an emulator; and of projects without a wheel.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content};

const X86_64: &str = "x86_64-unknown-linux-gnu";
const AARCH64: &str = "aarch64-unknown-linux-gnu";

/// A library in both forms, which needs a static library, which needs one of the system; an
/// internal library, and a program.
fn project() -> Sandbox {
    Sandbox::with(&[
        (
            "wheelsmith.toml",
            "[project]\nname = 'codec'\nversion = '1.2'\ndescription = 'Encodes'\n\
             [tool.wheelsmith]\nwheel = []\n\
             targets = ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu']\n\
             [[tool.wheelsmith.sdk]]\ncomponents = ['codec']\n\
             [[tool.wheelsmith.component]]\nname = 'codec'\nkind = 'c-library'\n\
             soname = 'libcodec.so.1'\nlicense-files = ['COPYING']\nlink = ['part']\n\
             headers = [{ files = ['codec.h'], to = 'codec' }]\nlibraries = ['m']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['codec.c']\n\
             [[tool.wheelsmith.component]]\nname = 'part'\nkind = 'c-static'\nlibraries = ['m']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['part.c']\n\
             [[tool.wheelsmith.component]]\nname = 'inner'\nkind = 'c-static'\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['inner.c']\n\
             [[tool.wheelsmith.component]]\nname = 'encode'\nkind = 'c-executable'\n\
             link = ['codec', 'inner']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['user.c']\n",
        ),
        ("codec.h", "double codec(double);\n"),
        ("codec.c", "double part(double);\ndouble codec(double x) { return part(x) + 1; }\n"),
        ("part.c", "#include <math.h>\ndouble part(double x) { return pow(x, 2.5); }\n"),
        ("inner.c", "int inner(void) { return 0; }\n"),
        (
            "user.c",
            "#include <codec/codec.h>\n#include <stdio.h>\n\
             int main(int argc, char **argv) {\n    (void)argv;\n    \
             return printf(\"%g\\n\", codec(argc * 4.0)) < 0;\n}\n",
        ),
        ("COPYING", "Do what you like.\n"),
    ])
}

fn archive(project: &Sandbox, target: &str) -> PathBuf {
    project.path().join(format!("dist/codec-1.2-sdk-{target}.tar.gz"))
}

/// Unpacks the SDK for `target` into another directory than that of the build.
fn unpacked(project: &Sandbox, target: &str) -> PathBuf {
    let (away, moved) = (project.path().join("away"), project.path().join("moved").join(target));
    fs::create_dir_all(&away).unwrap();
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    content(Command::new("tar").arg("-xzf").arg(archive(project, target)).current_dir(&away));
    fs::rename(away.join(format!("codec-1.2-sdk-{target}")), &moved).unwrap();
    moved
}

/// Returns the output of pkg-config with `args`, which finds only the SDK.
fn pkg_config(sdk: &Path, args: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(args).env("PKG_CONFIG_LIBDIR", sdk.join("lib/pkgconfig"));
    content(&mut command).stdout.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn programs_link_to_an_sdk_wherever_it_is() {
    const TEST: &str = "programs_link_to_an_sdk_wherever_it_is";
    let Some(env) = TestEnv::find(TEST) else { return };
    let project = project();
    project.expect(0, &["build"]).answers(&[
        "codec-1.2-x86_64-unknown-linux-gnu.tar.gz",
        "codec-1.2-sdk-aarch64-unknown-linux-gnu.tar.gz",
        "qualifies for manylinux_2_17_aarch64 (floor glibc 2.17",
    ]);
    let zig = env.get("tools/zig", TEST).unwrap();
    let emulator = env.get("tools/qemu-aarch64", TEST);
    let root = env.get("arm64-root", TEST);
    for target in [X86_64, AARCH64] {
        let sdk = unpacked(&project, target);
        let zig = zig.to_str().unwrap();
        let foreign = [zig, "cc", "-target", "aarch64-linux-gnu.2.17", "-O1"];
        let cc: &[&str] = if target == X86_64 { &["cc"] } else { &foreign };
        let rpath = format!("-Wl,-rpath,{}", sdk.join("lib").display());
        let check = |words: &[&str], more: &[&str]| {
            let program = sdk.join(words.join(""));
            let mut command = Command::new(cc[0]);
            command.args(&cc[1..]);
            command.arg("user.c").arg("-o").arg(&program).current_dir(project.path());
            content(command.args(pkg_config(&sdk, words)).args(more));
            let mut run = match (target, &emulator, &root) {
                (X86_64, ..) => Command::new(&program),
                (_, Some(emulator), Some(root)) => {
                    let mut command = Command::new(emulator);
                    command.arg("-L").arg(root).arg(&program);
                    command
                }
                _ => return,
            };
            assert_eq!(content(&mut run).stdout, "33\n", "{words:?} for {target}");
        };
        check(&["--cflags", "--libs", "codec"], &[&rpath]);
        if target == X86_64 {
            check(&["--static", "--cflags", "--libs", "codec"], &["-static"]);
            by_cmake(&env, &sdk, &project);
        }
        // Now nothing can be found but the archives.
        for name in ["libcodec.so", "libcodec.so.1"] {
            fs::remove_file(sdk.join("lib").join(name)).unwrap();
        }
        check(&["--cflags", "--libs", "codec-static"], &[]);
    }
}

/// A cmake project finds both forms, and does not find other versions.
fn by_cmake(env: &TestEnv, sdk: &Path, project: &Sandbox) {
    if env.get("judges/bin/cmake", "by_cmake").is_none() {
        return;
    }
    let dir = project.path().join("by-cmake");
    fs::create_dir(&dir).unwrap();
    fs::copy(project.path().join("user.c"), dir.join("user.c")).unwrap();
    let text = "cmake_minimum_required(VERSION 3.15)\nproject(user C)\n\
                find_package(codec 1.1 CONFIG REQUIRED)\nfind_package(codec 2 CONFIG QUIET)\n\
                if(codec_FOUND)\n  message(FATAL_ERROR \"version 2 is not there\")\nendif()\n\
                add_executable(dynamic user.c)\n\
                target_link_libraries(dynamic PRIVATE codec::codec)\n\
                add_executable(fixed user.c)\n\
                target_link_libraries(fixed PRIVATE codec::codec-static)\n";
    fs::write(dir.join("CMakeLists.txt"), text).unwrap();
    let cmake = |args: &[&str]| {
        content(Command::new(env.judge("cmake")).args(args).current_dir(&dir));
    };
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", sdk.display());
    cmake(&["-G", "Unix Makefiles", "-S", ".", "-B", "build", &prefix]);
    cmake(&["--build", "build"]);
    for program in ["dynamic", "fixed"] {
        assert_eq!(content(&mut Command::new(dir.join("build").join(program))).stdout, "33\n");
    }
}

#[test]
fn an_sdk_holds_what_its_libraries_need() {
    let Some(_env) = TestEnv::find("an_sdk_holds_what_its_libraries_need") else { return };
    let (one, other) = (project(), project());
    for project in [&one, &other] {
        project.expect(0, &["build", "--target", X86_64]);
    }
    let bytes = |project: &Sandbox| fs::read(archive(project, X86_64)).unwrap();
    assert!(bytes(&one) == bytes(&other), "an SDK has other bytes when built elsewhere");
    let sums = format!("codec-1.2-sdk-{X86_64}.tar.gz.sha256");
    content(
        Command::new("sha256sum").args(["--check", &sums]).current_dir(one.path().join("dist")),
    );
    let sdk = unpacked(&one, X86_64);
    let text = fs::read_to_string(sdk.join("runtime.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    let files: Vec<&str> = files.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(
        files,
        [
            "include/codec/codec.h",
            "lib/cmake/codec/codec-config-version.cmake",
            "lib/cmake/codec/codec-config.cmake",
            "lib/cmake/part/part-config-version.cmake",
            "lib/cmake/part/part-config.cmake",
            "lib/libcodec.a",
            "lib/libcodec.so.1",
            "lib/libpart.a",
            "lib/pkgconfig/codec-static.pc",
            "lib/pkgconfig/codec.pc",
            "lib/pkgconfig/part.pc",
            "licenses/codec/COPYING",
        ]
    );
    for file in files {
        let text = fs::read(sdk.join(file)).unwrap();
        let here = one.path().to_str().unwrap().as_bytes();
        assert!(!text.windows(here.len()).any(|part| part == here), "`{file}` names its place");
    }
    let version = content(
        Command::new("pkg-config")
            .args(["--modversion", "codec"])
            .env("PKG_CONFIG_LIBDIR", sdk.join("lib/pkgconfig")),
    );
    assert_eq!(version.stdout, "1.2\n");
    let plan = one.expect(0, &["build", "--target", X86_64, "--dry-run"]);
    plan.answers(&["pack  codec-1.2-x86_64", &format!("pack  codec-1.2-sdk-{X86_64}.tar.gz")]);
    one.expect(0, &["build", "--target", X86_64]).answers(&["codec   up to date"]);
}

#[test]
fn a_project_without_wheels_keeps_its_floor() {
    let Some(_env) = TestEnv::find("a_project_without_wheels_keeps_its_floor") else { return };
    let project = Sandbox::with(&[
        (
            "wheelsmith.toml",
            "[tool.wheelsmith]\ntargets = ['x86_64-unknown-linux-gnu']\n\
             [[tool.wheelsmith.component]]\nname = 'new'\nkind = 'prebuilt'\n\
             outputs = [{ from = 'libnew.so', role = 'shared-library' }]\n",
        ),
        // The floor of the machine's own library is newer than 2.17 in any case: since 2.34 threads
        // are in `libc.so.6`.
        (
            "new.c",
            "#include <pthread.h>\nvoid *f(void *x) { return x; }\nint g(void) {\n    pthread_t t;\n    \
             return pthread_create(&t, 0, f, 0);\n}\n",
        ),
    ]);
    let cc = ["-shared", "-fPIC", "-O1", "-o", "libnew.so", "new.c"];
    content(Command::new("cc").args(cc).current_dir(project.path()));
    let run = project.expect(1, &["build"]);
    run.answers(&["no archive written", "manylinux_2_17_x86_64", "symbol-too-new"]);
    assert_eq!(project.dist(), [] as [PathBuf; 0]);
    // What the machine has is as new as what was compiled on it.
    project.write(
        "wheelsmith.toml",
        &fs::read_to_string(project.path().join("wheelsmith.toml"))
            .unwrap()
            .replace("[tool.wheelsmith]", "[tool.wheelsmith]\nglibc = '2.99'"),
    );
    project.expect(0, &["build", "--format", "json"]).answers(&["\"judged\": {"]);
    assert_eq!(project.dist().len(), 2);
}

#[test]
fn frameworks_need_an_sdk() {
    let Some(_env) = TestEnv::find("frameworks_need_an_sdk") else { return };
    let project = Sandbox::with(&[
        (
            "wheelsmith.toml",
            "[tool.wheelsmith]\ntargets = ['aarch64-apple-darwin', 'x86_64-unknown-linux-gnu']\n\
             [[tool.wheelsmith.component]]\nname = 'part'\nkind = 'c-static'\n\
             frameworks = ['Answers']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['part.c']\n\
             [[tool.wheelsmith.component]]\nname = 'whole'\nkind = 'c-shared'\nlink = ['part']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['whole.c']\n",
        ),
        (
            "part.c",
            "#ifdef __APPLE__\n#include <Answers/Answers.h>\n#else\n\
             static int answer(void) { return 42; }\n#endif\nint part(void) { return answer(); }\n",
        ),
        ("whole.c", "int part(void);\nint whole(void) { return part(); }\n"),
    ]);
    let mac = "aarch64-apple-darwin";
    let mut command = project.command(&["build", "--target", mac]);
    Run::of(command.env_remove("SDKROOT")).expect(2).says(&[
        "cannot build component `part` for aarch64-apple-darwin: zig has no framework `Answers`",
        "hint: frameworks are in Apple's SDK: name its directory with `SDKROOT`",
    ]);
    project.expect(0, &["build", "--target", X86_64]);
    // A framework as Apple's SDK has them: headers, and what is exported.
    let framework = "sdk/System/Library/Frameworks/Answers.framework";
    project.write(&format!("{framework}/Headers/Answers.h"), "int answer(void);\n");
    project.write(
        &format!("{framework}/Answers.tbd"),
        "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos, arm64-macos ]\n\
         install-name: '/System/Library/Frameworks/Answers.framework/Versions/A/Answers'\n\
         exports:\n  - targets: [ x86_64-macos, arm64-macos ]\n    symbols: [ _answer ]\n...\n",
    );
    let mut command = project.command(&["build", "--target", mac]);
    Run::of(command.env("SDKROOT", project.path().join("sdk"))).expect(0);
    let library = format!("target/wheelsmith/{mac}/runtime/lib/libwhole.dylib");
    let bytes = fs::read(project.path().join(library)).unwrap();
    let name = b"/System/Library/Frameworks/Answers.framework/Versions/A/Answers";
    assert!(bytes.windows(name.len()).any(|part| part == name));
}
