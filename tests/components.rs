//! Components with their own build systems: each kind builds, links to others, and runs, natively
//! and for aarch64 under an emulator, and is rebuilt only after a change.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content, repository};

const X86_64: &str = "x86_64-unknown-linux-gnu";
const AARCH64: &str = "aarch64-unknown-linux-gnu";

/// Build tools of the test environment, in front of those of the machine.
struct Tools {
    env: TestEnv,
    path: String,
}

impl Tools {
    fn find(test: &str) -> Option<Self> {
        let env = TestEnv::find(test)?;
        for name in ["cmake", "meson", "ninja"] {
            env.get(&format!("judges/bin/{name}"), test)?;
        }
        let own = env.judge("cmake").parent().unwrap().to_str().unwrap().to_owned();
        let path = format!("{own}:{}", std::env::var("PATH").unwrap_or_default());
        Some(Self { env, path })
    }

    fn build(&self, project: &Sandbox, code: i32, args: &[&str]) -> Run {
        let mut command = project.command(&["build"]);
        Run::of(command.args(args).env("PATH", &self.path)).expect(code)
    }

    /// Returns the outcome of a build for x86_64 for each component.
    fn outcomes(&self, project: &Sandbox) -> BTreeMap<String, String> {
        let run = self.build(project, 0, &["--target", X86_64, "--format", "json"]);
        let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let components = answer["targets"][0]["components"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        components.iter().map(|c| (text(&c["name"]), text(&c["outcome"]))).collect()
    }
}

/// Copies the project, which has a component for each build system.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    support::copy(&repository().join("testdata/components"), sandbox.path());
    sandbox
}

fn runtime(project: &Sandbox, target: &str) -> PathBuf {
    project.path().join("target/wheelsmith").join(target).join("runtime")
}

/// Returns every file below `dir` with its content.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// Asserts the output of the programs that were built for `target`.
fn runs(tools: &Tools, project: &Sandbox, target: &str) {
    const TEST: &str = "every_kind_builds_and_runs";
    let emulator = tools.env.get("tools/qemu-aarch64", TEST);
    let root = tools.env.get("arm64-root", TEST);
    let runtime = runtime(project, target);
    let told = fs::read_to_string(runtime.join("share/told.txt")).unwrap();
    let gnu = target.replace("-unknown", "");
    assert_eq!(told, format!("{gnu}\nconst char *low(void);\n"));
    for header in ["mid.h", "mid/mid.h"] {
        assert!(runtime.join("include").join(header).is_file(), "{header}");
    }
    let says = format!("low-{target} low-{target}\n");
    for (program, says) in [("top", says.as_str()), ("ours", &says), ("plain", "plain\n")] {
        let program = runtime.join("bin").join(program);
        let mut command = match (target, &emulator, &root) {
            (X86_64, ..) if cfg!(target_arch = "x86_64") => Command::new(&program),
            (AARCH64, Some(emulator), Some(root)) => {
                let mut command = Command::new(emulator);
                command.arg("-L").arg(root).arg(&program);
                command
            }
            _ => continue,
        };
        assert_eq!(content(&mut command).stdout, says, "{}", program.display());
    }
}

/// The compilers of a distribution build the same components as zig, but not for the oldest glibc.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn other_compilers_build_every_kind() {
    const TEST: &str = "other_compilers_build_every_kind";
    let Some(tools) = Tools::find(TEST) else { return };
    let check = |kind: &str, target: &str, needs: &str| {
        if !needs.is_empty() && tools.env.get(&format!("compilers/{needs}"), TEST).is_none() {
            return;
        }
        let project = project();
        let config = fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
        let tables = format!("[tool.wheelsmith]\ntoolchain = \"{kind}\"\n");
        project.write("pyproject.toml", &config.replacen("[tool.wheelsmith]\n", &tables, 1));
        // No wheel: it would have to keep the floor.
        tools.build(&project, 0, &["--target", target, "--runtime-only"]);
        runs(&tools, &project, target);
        let library = fs::read(runtime(&project, target).join("lib/libmid.so.1")).unwrap();
        let elf = wheelsmith_core::binary::elf::Elf::parse(&library).unwrap();
        assert!(elf.build_id.is_some(), "{kind} for {target} writes no build id");
    };
    check("native", X86_64, "");
    check("cross-gcc", AARCH64, "aarch64-linux-gnu-gcc");
    check("clang", X86_64, "clang");
    check("clang", AARCH64, "clang");
}

#[test]
#[cfg(unix)]
fn every_kind_builds_and_runs() {
    const TEST: &str = "every_kind_builds_and_runs";
    let Some(tools) = Tools::find(TEST) else { return };
    let project = project();
    let source = project.path().join("vendor");
    let before = snapshot(&source);
    tools.build(&project, 0, &[]);
    assert!(snapshot(&source) == before, "a build wrote to its source");
    for target in [X86_64, AARCH64] {
        runs(&tools, &project, target);
    }
    let wheels: Vec<String> = project.dist().iter().map(|w| w.display().to_string()).collect();
    for tag in ["manylinux_2_5_x86_64.whl", "manylinux_2_17_aarch64.whl"] {
        assert!(wheels.iter().any(|wheel| wheel.ends_with(tag)), "{wheels:?}");
    }
}

/// cmake and meson of Debian 12 build the same as today's.
#[test]
#[cfg(unix)]
fn the_oldest_build_systems_work() {
    const TEST: &str = "the_oldest_build_systems_work";
    let Some(mut tools) = Tools::find(TEST) else { return };
    let Some(old) = tools.env.get("old-builders/bin", TEST) else { return };
    tools.path = format!("{}:{}", old.display(), tools.path);
    let project = project();
    tools.build(&project, 0, &["--target", AARCH64]);
    runs(&tools, &project, AARCH64);
    let cache =
        runtime(&project, AARCH64).with_file_name("components").join("mid/build/CMakeCache.txt");
    let cache = fs::read_to_string(cache).unwrap();
    assert!(cache.contains("CMAKE_CACHE_MINOR_VERSION:INTERNAL=25"), "another cmake ran");
}

#[test]
#[cfg(unix)]
fn only_what_changed_is_built_again() {
    let Some(tools) = Tools::find("only_what_changed_is_built_again") else { return };
    let (project, deeper) = (project(), Sandbox::new());
    tools.build(&project, 0, &["--target", X86_64]);
    // Elsewhere, with another number of jobs, the bytes are the same.
    let other = deeper.path().join("another/directory");
    fs::create_dir_all(&other).unwrap();
    let other = Sandbox::at(&other);
    support::copy(&repository().join("testdata/components"), other.path());
    tools.build(&other, 0, &["--target", X86_64, "--jobs", "1"]);
    let files =
        |project: &Sandbox| snapshot(&runtime(project, X86_64)).into_values().collect::<Vec<_>>();
    assert!(files(&project) == files(&other), "the runtime has other bytes when built elsewhere");

    let check = |change: &str, built: &[&str]| {
        let outcomes = tools.outcomes(&project);
        let rebuilt = outcomes.iter().filter(|(_, outcome)| *outcome != "up to date");
        let rebuilt: Vec<&str> = rebuilt.map(|(name, _)| name.as_str()).collect();
        assert_eq!(rebuilt, built, "after: {change}");
    };
    check("nothing", &[]);
    let at = |path: &str| project.path().join(path);
    fs::write(at("vendor/make/notes"), "new").unwrap();
    check("a new file", &["plain"]);
    let text = fs::read_to_string(at("vendor/cmake/mid.c")).unwrap();
    fs::write(at("vendor/cmake/mid.c"), text + "\nint more(void) { return 1; }\n").unwrap();
    check("a library in the middle", &["mid", "ours", "top"]);
    let library = at("target/wheelsmith").join(X86_64).join("components/mid/out/lib/libmid.so.1");
    fs::write(&library, "damaged").unwrap();
    check("a damaged library", &["mid"]);
    let config = fs::read_to_string(at("pyproject.toml")).unwrap();
    fs::write(at("pyproject.toml"), config.replace("{gnu}", "{target}")).unwrap();
    check("an argument", &["told"]);
}

#[test]
#[cfg(unix)]
fn failures_show_their_last_lines() {
    let Some(tools) = Tools::find("failures_show_their_last_lines") else { return };
    let project = project();
    let config = fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
    let check = |from: &str, to: &str, says: &[&str]| {
        assert!(config.contains(from), "{from}");
        project.write("pyproject.toml", &config.replacen(from, to, 1));
        tools.build(&project, 2, &["--target", X86_64]).says(says);
    };
    check(
        "\"--name=",
        "\"--nmae=",
        &[
            "cannot configure component `low` for x86_64-unknown-linux-gnu",
            "unknown option --nmae=low-x86_64-unknown-linux-gnu",
            "components/low/log/1-configure.log",
        ],
    );
    check(
        "lib/liblow.a",
        "lib/libhigh.a",
        &[
            "`lib/libhigh.a` names no file",
            "installed were `include/low.h`, `lib/liblow.a`, `lib/pkgconfig/low.pc`",
        ],
    );
    fs::remove_file(project.path().join("vendor/autotools/configure")).unwrap();
    check("demo", "demo", &["there is no `configure`", "hint: take a release of it"]);
    let mut command = project.command(&["build", "--target", X86_64]);
    project.write(
        "pyproject.toml",
        &config.replace("vendor/autotools", "vendor/cmake").replacen("autotools", "cmake", 1),
    );
    let zig = tools.env.get("tools/zig", "failures").unwrap();
    let bin = project.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(zig, bin.join("zig")).unwrap();
    Run::of(command.env("PATH", &bin))
        .expect(2)
        .says(&["no `cmake` was found on PATH", "hint: install it: `pip install cmake`"]);
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn archives_for_a_fixed_address_are_named() {
    let Some(_env) = TestEnv::find("archives_for_a_fixed_address_are_named") else { return };
    let project = Sandbox::with(&[
        (
            "wheelsmith.toml",
            "[[tool.wheelsmith.component]]\nname = 'low'\nkind = 'prebuilt'\n\
             outputs = [{ from = 'lib/liblow.a', role = 'static-library' }]\n\
             [[tool.wheelsmith.component]]\nname = 'high'\nkind = 'c-shared'\nlink = ['low']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['high.c']\n",
        ),
        ("low.c", "int table[4];\nint low(int at) { return table[at]; }\n"),
        ("high.c", "int low(int at);\nint high(void) { return low(1); }\n"),
    ]);
    fs::create_dir(project.path().join("lib")).unwrap();
    let archive = |flag: &str| {
        let run = |program: &str, args: &[&str]| {
            content(Command::new(program).args(args).current_dir(project.path()));
        };
        run("cc", &["-O1", flag, "-c", "low.c"]);
        run("ar", &["rcs", "lib/liblow.a", "low.o"]);
    };
    archive("-fno-pic");
    project.expect(2, &["build", "--runtime-only", "--target", X86_64]).says(&[
        "cannot link component `high`",
        "liblow.a` is not position-independent: `low.o` has the relocation",
        "compile it with `-fPIC`",
    ]);
    // Before its steps are run, whatever they would do with it.
    let config = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    let (prebuilt, _) = config.split_once("[[tool.wheelsmith.component]]\nname = 'high'").unwrap();
    let recipe = "[[tool.wheelsmith.component]]\nname = 'high'\nkind = 'command'\nlink = ['low']\n\
                  run = [['false']]\noutputs = [{ from = 'lib/x', role = 'data' }]\n";
    project.write("wheelsmith.toml", &format!("{prebuilt}{recipe}"));
    project.expect(2, &["build", "--runtime-only", "--target", X86_64]).says(&[
        "cannot link component `high`",
        "liblow.a` is not position-independent: `low.o` has the relocation",
    ]);
    project.write("wheelsmith.toml", &config);
    // Good for a program at any address, but others may replace the table of a library.
    archive("-fpie");
    project.expect(2, &["build", "--runtime-only", "--target", X86_64]).says(&["of `table`"]);
    archive("-fPIC");
    project.expect(0, &["build", "--runtime-only", "--target", X86_64]);
}
