//! The library in a `build.rs`: cargo builds the example for this machine and for aarch64, and
//! repeats only what changed.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use support::{Run, Sandbox, TestEnv, content, repository};
use wheelsmith_core::sys::{Env, Host};
use wheelsmith_core::toolchain::{MissingZig, Request, ToolchainKind, Wrappers, locate};

/// Commands of the guide, which the test below also runs, with `-v` or a number of jobs.
const COMMANDS: [&str; 4] = [
    "wheelsmith fetch",
    "cargo build --locked --offline",
    "cargo run --locked --offline",
    "cargo build --locked --offline --target aarch64-unknown-linux-gnu",
];

/// The build script of a package that depends on the example.
const USER_SCRIPT: &str = r#"fn main() {
    let lib = std::env::var("DEP_BPF_LIB").unwrap();
    println!("cargo::rustc-link-arg=-Wl,-rpath,{lib}");
}
"#;

const ARM: &str = "aarch64-unknown-linux-gnu";

/// Environment of cargo in the tests: one target directory for all, so that the library is compiled
/// once.
struct Cargo {
    target: PathBuf,
    /// The user's cache; only `wheelsmith fetch` writes to it.
    cache: Sandbox,
    rustc: PathBuf,
}

impl Cargo {
    fn new(env: &TestEnv, test: &str) -> Option<Self> {
        let rustc = env.get("tools/rustc-aarch64", test)?;
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-rs");
        Some(Self { target, cache: Sandbox::new(), rustc })
    }

    /// Runs `cargo <args>` in `dir`, offline, without the variables of the cargo that runs this
    /// test.
    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        self.configure(command.args(args).arg("--offline").current_dir(dir));
        command
    }

    fn configure<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for (name, _) in std::env::vars() {
            let is_cargos = name.starts_with("CARGO") && name != "CARGO_HOME";
            if is_cargos || ["MAKEFLAGS", "RUSTFLAGS", "LD_LIBRARY_PATH"].contains(&name.as_str()) {
                command.env_remove(name);
            }
        }
        command
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            // What runs here is then compiled once for both targets: cargo's own default for it
            // differs with `--target`.
            .env("CARGO_PROFILE_DEV_BUILD_OVERRIDE_DEBUG", "0")
            .env("RUSTC", &self.rustc)
            .env("WHEELSMITH_CACHE_DIR", self.cache.path())
    }

    fn run(&self, dir: &Path, args: &[&str]) -> Run {
        content(&mut self.command(dir, args))
    }

    /// Returns the newest `OUT_DIR` of `package` for a target, which has its own directory if it is
    /// named.
    fn out_dir(&self, package: &str, target: &str) -> PathBuf {
        let build = self.target.join(target).join("debug/build");
        let dirs = fs::read_dir(build).unwrap().map(|entry| entry.unwrap().path());
        let mine = dirs.map(|dir| dir.join("out/wheelsmith")).filter(|dir| {
            dir.join("runtime").is_dir() && dir.to_string_lossy().contains(&format!("/{package}-"))
        });
        let out = mine.max_by_key(|dir| written(&dir.join("runtime/runtime.json")));
        out.unwrap_or_else(|| panic!("nothing was built for {package}"))
    }
}

fn written(file: &Path) -> SystemTime {
    fs::metadata(file).and_then(|metadata| metadata.modified()).unwrap()
}

/// Returns every file below `dir` with its modification time.
fn times(dir: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut times = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            times.extend(self::times(&path));
        } else {
            let time = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
            times.insert(path, time.unwrap());
        }
    }
    times
}

/// Returns a command for `cargo` with its own target directory that cannot write to `dir`, if the
/// system supports that.
fn read_only(cargo: &Cargo, dir: &Path, args: &[&str]) -> Command {
    let mount = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"";
    let unshare = ["unshare", "--map-root-user", "--mount", "sh", "-e", "-c"];
    let mut probe = Command::new(unshare[0]);
    probe.args(&unshare[1..]).arg(format!("{mount} && ! touch \"$0/x\" 2>/dev/null")).arg(dir);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        eprintln!("nothing can be mounted here: that the source is left alone shows by its times");
        return cargo.command(dir, args);
    }
    let mut command = Command::new(unshare[0]);
    command.args(&unshare[1..]).arg(format!("{mount}; cd \"$0\"; exec cargo \"$@\" --offline"));
    command.arg(dir).args(args);
    cargo.configure(&mut command);
    command
}

/// Linker of rustc for aarch64, which a user configures once for cross builds.
fn linker(dir: &Path) -> PathBuf {
    let host = Host::quiet(Env::from_process());
    let request = Request {
        kind: ToolchainKind::Zig,
        target: ARM.parse().unwrap(),
        zig: None,
        sysroot: None,
        work_dir: dir,
        missing_zig: MissingZig::Offline,
    };
    let toolchain = locate(&host, &request).unwrap();
    let wrappers = Wrappers::for_cargo(&toolchain, dir, support::program());
    wrappers.write().unwrap();
    wrappers.linker
}

#[test]
fn the_example_links_to_libbpf_wherever_cargo_builds_it() {
    const TEST: &str = "the example of build.rs";
    let Some(env) = TestEnv::find(TEST) else { return };
    let Some(cargo) = Cargo::new(&env, TEST) else { return };
    let example = repository().join("examples/build-rs");
    let before = times(&example);
    // The one step with a network, on a copy: the guide says so.
    let copy = Sandbox::example("build-rs");
    let mut fetch = copy.command(&["fetch"]);
    content(fetch.env("WHEELSMITH_CACHE_DIR", cargo.cache.path()));
    let cached = times(cargo.cache.path());

    // For this machine, with more jobs than it has processors, from a source that is read-only.
    // What an earlier run of this test built would prove nothing.
    cargo.run(&example, &["clean", "-p", "bpf-example"]);
    content(&mut read_only(&cargo, &example, &["build", "--locked", "-j8"]));
    let native = cargo.target.join("debug/bpf-example");
    content(&mut Command::new(&native)).answers(&["libbpf v1.7 on "]);

    cargo.run(&example, &["run", "--locked"]).answers(&["libbpf v1.7 on "]);

    // The second time nothing is asked again.
    let second = cargo.run(&example, &["build", "--locked", "-v"]);
    second.says(&["Fresh bpf-example"]);

    // In a package that depends on it: where the library is, it is told.
    let user = Sandbox::with(&[
        (
            "Cargo.toml",
            &format!(
                "[package]\nname = 'bpf-user'\nversion = '0.1.0'\nedition = '2024'\n[workspace]\n\
                 [dependencies]\nbpf-example = {{ path = '{}' }}\n",
                example.display()
            ),
        ),
        ("build.rs", USER_SCRIPT),
        ("src/main.rs", "fn main() { println!(\"used {}\", bpf_example::version()); }\n"),
    ]);
    fs::copy(example.join("Cargo.lock"), user.path().join("Cargo.lock")).unwrap();
    cargo.run(user.path(), &["build"]);
    content(&mut Command::new(cargo.target.join("debug/bpf-user"))).answers(&["used v1.7"]);

    // For aarch64, with one job, which is the one that the build script has already.
    let wrappers = Sandbox::new();
    let mut arm = cargo.command(&example, &["build", "--locked", "-j1", "--target", ARM]);
    arm.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", linker(wrappers.path()));
    content(&mut arm);
    if let (Some(qemu), Some(root)) =
        (env.get("tools/qemu-aarch64", TEST), env.get("arm64-root", TEST))
    {
        let program = cargo.target.join(ARM).join("debug/bpf-example");
        let mut emulated = Command::new(qemu);
        content(emulated.arg("-L").arg(root).arg(program)).answers(&["libbpf v1.7 on aarch64"]);
    }
    assert_eq!(times(&example), before, "only OUT_DIR is written");
    assert_eq!(times(cargo.cache.path()), cached, "only OUT_DIR is written");
}

/// A package whose build script describes a library in code and links to it statically.
fn package() -> Sandbox {
    let manifest = format!(
        "[package]\nname = 'coded'\nversion = '0.1.0'\nedition = '2024'\n[workspace]\n\
         [build-dependencies]\nwheelsmith-core = {{ path = '{}', default-features = false, \
         features = ['build'] }}\n",
        repository().join("wheelsmith-core").display()
    );
    let sandbox = Sandbox::with(&[
        ("Cargo.toml", &manifest),
        (
            "build.rs",
            "use wheelsmith_core::script::{Builder, Env, Error, Library};\n\
             fn main() -> Result<(), Error> {\n    \
                 let env = Env::from_cargo()?;\n    \
                 let base = Library::archive(\"base\").sources([\"native/base/*.c\"]);\n    \
                 let top = Library::archive(\"top\")\n        \
                     .sources([\"native/top.c\"])\n        \
                     .include(\"native\")\n        \
                     .link(\"base\");\n    \
                 let output = Builder::new(&env).library(&top).library(&base).build()?;\n    \
                 output.directives.emit(&mut std::io::stdout())?;\n    \
                 Ok(())\n}\n",
        ),
        (
            "src/main.rs",
            "unsafe extern \"C\" {\n    safe fn top() -> i32;\n}\n\
             fn main() {\n    println!(\"top {}\", top());\n}\n",
        ),
        ("native/base.h", "int one(void);\nint two(void);\n"),
        ("native/top.c", "#include \"base.h\"\nint top(void) { return one() + two(); }\n"),
        ("native/base/one.c", "int one(void) { return 1; }\n"),
        ("native/base/two.c", "int two(void) { return 2; }\n"),
    ]);
    let lock = repository().join("examples/build-rs/Cargo.lock");
    fs::copy(lock, sandbox.path().join("Cargo.lock")).unwrap();
    sandbox
}

#[test]
fn only_what_changed_is_built_again() {
    const TEST: &str = "changes for a build.rs";
    let Some(env) = TestEnv::find(TEST) else { return };
    let Some(cargo) = Cargo::new(&env, TEST) else { return };
    let package = package();
    let build = || cargo.run(package.path(), &["build", "-v"]).stderr;
    let runs = |said: &str| said.lines().any(|line| line.ends_with("/build-script-build`"));
    let answer = || content(&mut Command::new(cargo.target.join("debug/coded"))).stdout;
    assert!(runs(&build()), "it has never run");
    assert_eq!(answer(), "top 3\n");
    let out = cargo.out_dir("coded", "").join("components");
    let objects = || -> BTreeMap<PathBuf, SystemTime> {
        let is_object = |path: &PathBuf| path.extension().is_some_and(|suffix| suffix == "o");
        times(&out).into_iter().filter(|(path, _)| is_object(path)).collect()
    };
    let changed = |before: &BTreeMap<PathBuf, SystemTime>| -> Vec<String> {
        let after = objects();
        let other = after.iter().filter(|(path, time)| before.get(*path) != Some(time));
        other.map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };

    let before = objects();
    assert!(!runs(&build()), "nothing changed");

    package.write("native/base/one.c", "int one(void) { return 10; }\n");
    assert!(runs(&build()));
    assert_eq!((answer(), changed(&before)), ("top 12\n".into(), vec!["one.c.o".to_owned()]));

    // A header is an input, and so is a file that a glob names from now on.
    let before = objects();
    package.write("native/base.h", "int one(void);\nint two(void); /* two */\n");
    assert!(runs(&build()));
    assert_eq!(changed(&before), ["top.c.o"]);
    let before = objects();
    package.write("native/base/more.c", "int more(void) { return 0; }\n");
    assert!(runs(&build()));
    assert_eq!(changed(&before), ["more.c.o"]);

    // Not Rust: what it is written in is the package's own affair.
    package.write("src/main.rs", &(read(&package, "src/main.rs") + "// more\n"));
    assert!(!runs(&build()));

    // What a compiler refuses is said as one reads it, and the script does not panic.
    package.write("native/base/two.c", "int two(void) { return missing; }\n");
    let failed = Run::of(&mut cargo.command(package.path(), &["build"])).expect(101);
    let failed = failed.says(&[
        "cannot compile `native/base/two.c` of component `base` for ",
        "use of undeclared identifier 'missing'",
    ]);
    assert!(!failed.stderr.contains("panicked"), "{}", failed.stderr);
    package.write("native/base/two.c", "int two(void) { return 2; }\n");
    package.write("build.rs", &read(&package, "build.rs").replace("native/top.c", "native/no.c"));
    let failed = Run::of(&mut cargo.command(package.path(), &["build"])).expect(101);
    failed.says(&["in the configuration made in code: ", "`native/no.c` names no file"]);
}

fn read(package: &Sandbox, path: &str) -> String {
    fs::read_to_string(package.path().join(path)).unwrap()
}

/// make and a nested cargo take job tokens from the outer cargo, build in their own directories,
/// and get the variables of the toolchain, not those of the outer package.
#[test]
fn nested_build_systems_share_cargos_jobs() {
    const TEST: &str = "make and cargo in a build.rs";
    let Some(env) = TestEnv::find(TEST) else { return };
    let Some(cargo) = Cargo::new(&env, TEST) else { return };
    let package = package();
    let manifest = read(&package, "Cargo.toml").replace("coded", "nested");
    package.write("Cargo.toml", &manifest.replace("'build'", "'cargo'"));
    package.write(
        "build.rs",
        "use wheelsmith_core::script::{Builder, Env, Error};\n\
         fn main() -> Result<(), Error> {\n    \
             let env = Env::from_cargo()?;\n    \
             let output = Builder::new(&env).config(\"native\").build()?;\n    \
             let program = output.program(\"helper\").unwrap();\n    \
             println!(\"cargo::rustc-env=HELPER={}\", program.display());\n    \
             output.directives.emit(&mut std::io::stdout())?;\n    \
             Ok(())\n}\n",
    );
    package.write("src/main.rs", "fn main() {\n    println!(env!(\"HELPER\"));\n}\n");
    package.write(
        "native/wheelsmith.toml",
        "[[tool.wheelsmith.component]]\nname = 'made'\nkind = 'make'\nsource = { path = 'made' }\n\
         outputs = [{ from = 'share/flags.txt', role = 'data' }]\n\
         [[tool.wheelsmith.component]]\nname = 'helper'\nkind = 'cargo'\n\
         source = { path = 'helper' }\nartifacts = [{ bin = 'helper' }]\n",
    );
    package.write(
        "native/made/Makefile",
        "all:\n\t@echo '$(MAKEFLAGS)' > flags.txt\n\t@+$(MAKE) -s more\nmore:\n\t@true\n\
         install:\n\tmkdir -p $(DESTDIR)$(PREFIX)/share\n\t\
         cp flags.txt $(DESTDIR)$(PREFIX)/share/\n",
    );
    package.write(
        "native/helper/Cargo.toml",
        "[package]\nname = 'helper'\nversion = '0.1.0'\nedition = '2024'\n[workspace]\n",
    );
    package.write(
        "native/helper/Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"helper\"\nversion = \"0.1.0\"\n",
    );
    package.write(
        "native/helper/src/main.rs",
        "fn main() {\n    let outer = option_env!(\"CARGO_PKG_NAME\").unwrap();\n    \
         println!(\"helps {outer} {:?}\", option_env!(\"OUT_DIR\"));\n}\n",
    );
    cargo.run(package.path(), &["build", "-j2"]);
    let helper = content(&mut Command::new(cargo.target.join("debug/nested"))).stdout;
    let helper = PathBuf::from(helper.trim());
    content(&mut Command::new(&helper)).answers(&["helps helper None"]);
    let out = cargo.out_dir("nested", "");
    assert!(helper.starts_with(&out) && out.join("cargo").is_dir(), "{}", helper.display());
    let flags = fs::read_to_string(out.join("runtime/share/flags.txt")).unwrap();
    assert!(flags.contains("--jobserver-"), "{flags}");
    let mut logs = fs::read_dir(out.join("components/made/log")).unwrap();
    let complains = |log: &Path| fs::read_to_string(log).unwrap().contains("jobserver");
    assert!(!logs.any(|log| complains(&log.unwrap().path())), "make found no job server");
    // What cargo wrote a rule for is an input.
    let second = cargo.run(package.path(), &["build", "-v"]);
    second.says(&["Fresh nested"]);
    package.write("native/helper/src/main.rs", "fn main() {\n    println!(\"other\");\n}\n");
    cargo.run(package.path(), &["build"]);
    content(&mut Command::new(&helper)).answers(&["other"]);
}

#[test]
fn the_guide_says_what_is_tested() {
    let page = fs::read_to_string(repository().join("docs/guide/build-rs.md")).unwrap();
    let said: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(said, COMMANDS);
    let script = fs::read_to_string(repository().join("examples/build-rs/build.rs")).unwrap();
    let code = script.split_once("\n\n").unwrap().1;
    assert!(page.contains(code), "the guide shows the example's script");
    let user = page.contains(USER_SCRIPT);
    assert!(user, "the guide shows what a package that depends on it has");
}

/// Each feature compiles only the crates that it needs.
#[test]
fn a_build_needs_few_crates() {
    let example = repository().join("examples/build-rs");
    let crates = |targets: &[&str]| -> BTreeSet<String> {
        let mut tree = Command::new("cargo");
        tree.args(["tree", "--offline", "--locked", "--edges", "build,normal", "--prefix", "none"]);
        let tree = content(tree.args(targets).current_dir(&example)).stdout;
        let lines =
            tree.lines().filter(|line| !line.is_empty() && !line.starts_with("bpf-example"));
        lines.map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    // What is compiled here, and what would be on any machine.
    let (here, anywhere) = (crates(&[]), crates(&["--target", "all"]));
    eprintln!("a build script needs {} crates; {} on all machines", here.len(), anywhere.len());
    assert!(here.len() <= 60, "{here:?}");
    let heavy = ["openssl", "ring", "rustls", "tokio", "ureq", "zip"];
    let is_heavy = |line: &&String| heavy.iter().any(|name| line.starts_with(&format!("{name} ")));
    assert_eq!(anywhere.iter().find(is_heavy), None);
}

/// The feature that judges wheels compiles no compiler driver.
#[test]
fn each_feature_needs_few_crates() {
    let check = |feature: &str, most: usize| {
        let mut tree = Command::new("cargo");
        tree.args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none"]);
        tree.args(["--package", "wheelsmith-core", "--no-default-features", "--features", feature]);
        let tree = content(tree.current_dir(repository())).stdout;
        let names = tree.lines().filter_map(|line| line.split(' ').next());
        let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        assert!(names.len() <= most, "{feature} needs {} crates: {names:?}", names.len());
        let heavy = ["cc", "tar", "cargo_metadata", "ureq", "rustls", "tokio"];
        assert_eq!(heavy.iter().find(|name| names.contains(**name)), None, "{feature}");
    };
    check("audit", 45);
    check("check", 45);
    check("check-packages", 55);
    check("index", 55);
    check("wheel", 65);
    check("testing", 65);
}
