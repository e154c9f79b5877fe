//! Workarounds for faults of plain `zig cc`: each test builds real files.
//!
//! Without zig these tests print that they are skipped; with `WHEELSMITH_TEST_REQUIRE=1` they fail
//! instead.
#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use goblin::elf::Elf;
use goblin::mach::load_command::CommandVariant;
use goblin::mach::{Mach, MachO};
use wheelsmith_core::name::Target;
use wheelsmith_core::sys::{Command, Env, Event, Host, Jobs, ProcessError, Report, fs};
use wheelsmith_core::toolchain::{
    Error, LinkKind, MissingZig, Optimize, Request, RustStd, Strip, Tool, Toolchain, ToolchainKind,
    Wrappers, cxx, env_for_cargo, locate, rust_std,
};

const ARM: &str = "aarch64-unknown-linux-gnu";
const X86: &str = "x86_64-unknown-linux-gnu";

/// A build directory and a zig toolchain.
struct Bench {
    host: Host,
    toolchain: Toolchain,
    temp: tempfile::TempDir,
}

impl Bench {
    /// Finds zig; `None`, with a message, if there is none.
    fn new(target: &str) -> Option<Self> {
        let mut env = Env::from_process();
        // Warm from the second run on.
        env.set("ZIG_GLOBAL_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/zig"));
        Self::with(env, target)
    }

    fn with(env: Env, target: &str) -> Option<Self> {
        let required = env.get("WHEELSMITH_TEST_REQUIRE").is_some();
        let host = Host::quiet(env);
        let temp = fs::temp_dir().unwrap();
        match locate(&host, &request(target, temp.path())) {
            Ok(toolchain) => Some(Self { host, toolchain, temp }),
            Err(error @ Error::NoZig { .. }) if !required => {
                eprintln!("skipped: {error}");
                None
            }
            Err(error) => panic!("{error}; {:?}", error.hint()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write_atomic(&self.path(name), text.as_bytes()).unwrap();
    }

    fn run(&self, tool: &Tool, args: &[impl AsRef<str>]) -> Result<String, ProcessError> {
        let command = tool.command(self.temp.path(), &self.host.env);
        let exec = command.args(args.iter().map(AsRef::as_ref)).run(&self.host)?;
        Ok(String::from_utf8_lossy(&exec.stdout).into_owned() + &exec.stderr)
    }

    fn wrappers(&self, third_party: bool) -> Wrappers {
        let dir = self.path("wrappers");
        let program = Path::new("wheelsmith");
        let wrappers = if third_party {
            Wrappers::for_others(&self.toolchain, &dir, &[], false, program)
        } else {
            Wrappers::for_cargo(&self.toolchain, &dir, program)
        };
        wrappers.write().unwrap();
        wrappers
    }

    /// Runs the wrapper of the C compiler.
    fn wrapped(&self, args: &str) -> Result<String, ProcessError> {
        let args: Vec<&str> = args.split(' ').collect();
        self.run(&Tool::new(self.wrappers(false).cc), &args)
    }

    /// Compiles `a.c` and links `a.so` from it, as a build does.
    fn link(&self, source: &str, strip: Strip) -> Result<Vec<u8>, ProcessError> {
        self.write("a.c", source);
        let mut args = self.toolchain.compile_args(Optimize::O0);
        args.extend(["-c", "a.c", "-o", "a.o"].map(str::to_owned));
        self.run(&self.toolchain.cc, &args)?;
        let kind = LinkKind::Shared { name: "liba.so.1" };
        let mut args = self.toolchain.link_args(kind, Optimize::O2, strip);
        args.extend(["a.o", "-o", "a.so"].map(str::to_owned));
        self.run(&self.toolchain.cc, &args)?;
        Ok(fs::read(self.path("a.so")).unwrap())
    }
}

fn request<'a>(target: &str, work_dir: &'a Path) -> Request<'a> {
    Request {
        kind: ToolchainKind::Zig,
        target: target.parse().unwrap(),
        zig: None,
        sysroot: None,
        work_dir,
        missing_zig: MissingZig::Leave,
    }
}

/// Returns the versions of glibc that a binary needs, such as `GLIBC_2.17`.
fn glibc_versions(bytes: &[u8]) -> Vec<String> {
    let elf = Elf::parse(bytes).unwrap();
    let needs = elf.verneed.iter().flat_map(|section| section.iter().collect::<Vec<_>>());
    let names = needs.flat_map(|need| need.iter().map(|aux| aux.vna_name).collect::<Vec<_>>());
    let names = names.filter_map(|name| elf.dynstrtab.get_at(name));
    names.filter(|name| name.starts_with("GLIBC_")).map(str::to_owned).collect()
}

fn sections(elf: &Elf<'_>) -> Vec<String> {
    let names = elf.section_headers.iter().filter_map(|s| elf.shdr_strtab.get_at(s.sh_name));
    names.map(str::to_owned).collect()
}

const ADD: &str = "int add(int a, int b) { return a + b; }\n";

#[test]
fn the_build_machines_processor_does_not_count() {
    let Some(bench) = Bench::new(X86) else { return };
    let macros = bench.run(&bench.toolchain.cc, &["-dM", "-E", "-x", "c", "/dev/null"]).unwrap();
    assert!(macros.contains("__SSE2__") && !macros.contains("__AVX"));
}

#[test]
fn no_sanitizer_no_debug_information_no_newer_glibc() {
    for target in [X86, ARM] {
        let Some(bench) = Bench::new(target) else { return };
        let source = "#include <string.h>\n#include <stdlib.h>\n\
            int twist(int *a, int i) { return a[i] / (1 << i) + (int)strlen(getenv(\"A\")); }\n";
        for strip in [Strip::None, Strip::Debug, Strip::All] {
            let bytes = bench.link(source, strip).unwrap();
            let elf = Elf::parse(&bytes).unwrap();
            assert_eq!(elf.soname, Some("liba.so.1"));
            let symbols = elf.dynsyms.iter().filter_map(|s| elf.dynstrtab.get_at(s.st_name));
            let symbols: Vec<&str> = symbols.collect();
            assert!(symbols.contains(&"twist"));
            assert!(!symbols.iter().any(|symbol| symbol.contains("ubsan")), "{symbols:?}");
            let sections = sections(&elf);
            assert!(!sections.iter().any(|name| name.starts_with(".debug")), "{sections:?}");
            let has_symbols = sections.iter().any(|name| name == ".symtab");
            assert_eq!(has_symbols, strip != Strip::All);
            assert!(glibc_versions(&bytes).iter().all(|v| v == "GLIBC_2.17" || v == "GLIBC_2.2.5"));
        }
    }
}

#[test]
fn a_missing_symbol_is_found_by_the_linker() {
    let Some(bench) = Bench::new(ARM) else { return };
    let source = "int gzopen64(void);\nint f(void) { return gzopen64(); }\n";
    let error = bench.link(source, Strip::All).unwrap_err().to_string();
    assert!(error.contains("gzopen64"), "{error}");
}

#[test]
fn flags_for_gcc_reach_zig_in_its_own_words() {
    let Some(bench) = Bench::new(ARM) else { return };
    bench.write("a.c", ADD);
    let check = |args: &str| {
        bench.wrapped(args).unwrap_or_else(|error| panic!("{error}"));
    };
    check("--target=aarch64-unknown-linux-gnu -c a.c -o a.o");
    check("-target aarch64-unknown-linux-gnu -c a.c -o a.o");
    check("-march=armv8-a -c a.c -o a.o");
    check("-march=armv8.2-a+fp16+dotprod -mtune=cortex-a72 -c a.c -o a.o");
    check("-mcpu=neoverse-n1 -c a.c -o a.o");
    check("-Wp,-U_FORTIFY_SOURCE -Wp,-D_FORTIFY_SOURCE=2 -Wp,-MD,a.d -c a.c -o a.o");
    assert!(fs::read_to_string(bench.path("a.d")).unwrap().contains("a.c"));
    check(
        "-shared a.o -o b.so -Wl,--exclude-libs,ALL -Wl,-h,libb.so.2 -Wl,-O1,--as-needed \
         -Wl,--no-copy-dt-needed-entries -Wl,-z,text -Wl,-z,separate-code,-z,now \
         -Xlinker --no-keep-memory -Wl,-Map,a.map -Wl,--push-state -static-libgcc -fuse-ld=bfd",
    );
    let bytes = fs::read(bench.path("b.so")).unwrap();
    assert_eq!(Elf::parse(&bytes).unwrap().soname, Some("libb.so.2"));
    // Nothing that we do not know is swallowed.
    let error = bench.wrapped("-shared a.o -o c.so -Wl,--foo").unwrap_err();
    assert!(error.to_string().contains("--foo"), "{error}");
}

/// Each rule is needed: zig refuses the word, or warns that it ignores it. Together they suffice:
/// with all words on one line, the wrapper links without a warning.
#[test]
fn every_linker_rule_is_needed_and_enough() {
    use wheelsmith_core::toolchain::filter::{Action, Matches, rules};

    let Some(bench) = Bench::new(ARM) else { return };
    bench.write("a.c", ADD);
    bench.wrapped("-c a.c -o a.o").unwrap();
    let mut all = vec!["-shared".to_owned(), "a.o".to_owned(), "-o".to_owned(), "a.so".to_owned()];
    for rule in rules(&bench.toolchain.target) {
        let words = match (rule.matches, rule.action) {
            (Matches::Word(word), Action::DropWithNext | Action::DropWithNextAndTell)
            | (Matches::Word(word @ ("-h" | "--undefined")), _) => format!("{word},add"),
            (Matches::Word(word), _) => word.to_owned(),
            (Matches::WordPrefix(word), _) => format!("{word}add"),
            (Matches::Keyword(word), _) => format!("-z,{word}"),
            _ => continue,
        };
        let arg = format!("-Wl,{words}");
        let raw = ["-shared", "a.o", "-o", "raw.so", &arg];
        match bench.run(&bench.toolchain.cc, &raw) {
            Ok(said) => assert!(!said.is_empty(), "zig takes `{arg}` as it is"),
            Err(error) => assert!(error.to_string().contains("unsupported"), "{error}"),
        }
        all.push(arg);
    }
    assert!(all.len() > 50);
    let said = bench.run(&Tool::new(bench.wrappers(false).cc), &all).unwrap();
    let ours = |line: &str| line.starts_with("wheelsmith: left out `");
    assert!(said.lines().all(ours), "{said}");
}

#[test]
fn only_others_may_export_what_does_not_exist() {
    let Some(bench) = Bench::new(ARM) else { return };
    bench.write("a.c", ADD);
    bench.write("a.map", "V1 { global: add; no_such_symbol; local: *; };\n");
    let args = ["-shared", "-Wl,--version-script,a.map", "a.c", "-o", "a.so"];
    let error = bench.run(&bench.toolchain.cc, &args).unwrap_err().to_string();
    assert!(error.contains("no_such_symbol"), "{error}");
    bench.run(&Tool::new(bench.wrappers(true).cc), &args).unwrap();
    let error = bench.run(&Tool::new(bench.wrappers(false).cc), &args).unwrap_err().to_string();
    assert!(error.contains("no_such_symbol"), "{error}");
    // The extra linker argument does not disturb compilations that forbid warnings.
    let strict = ["-Werror", "-Wall", "-c", "a.c", "-o", "a.o"];
    assert_eq!(bench.run(&Tool::new(bench.wrappers(true).cc), &strict).unwrap(), "");
}

/// What makefiles and `configure` scripts ask of `$CC` beside compiling one file to one object.
#[cfg(unix)]
#[test]
fn the_driver_behaves_like_gcc() {
    let Some(bench) = Bench::new(ARM) else { return };
    bench.write("a.c", ADD);
    bench.write("b.c", "int two(void) { return TWO; }\n");
    bench.write("odd", ADD);
    bench.write("words", "-DTWO=2 '-DTEXT=\"a b\"' -c\n");
    let long: String = (0..4000).map(|n| format!(" -DA_NAME_THAT_IS_LONG_ENOUGH_{n}=1")).collect();
    bench.write("long", &format!("-DTWO=2 -c{long}\n"));
    // A launcher, such as `ccache`, is called with the compiler as its first argument.
    bench.write("launcher", "#!/bin/sh\necho launched >&2\nexec \"$@\"\n");
    fs::set_executable(&bench.path("launcher"), true).unwrap();
    let cc = bench.wrappers(true).cc;
    let cc = cc.to_string_lossy();
    let shell = |line: &str| {
        let script = format!("set -e; CC='{cc}'; {line}");
        bench.run(&Tool::new("/bin/sh"), &["-c", &script]).map_err(|e| e.to_string())
    };
    let check = |line: &str, expected: &str| {
        let said = shell(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(said.contains(expected), "{line}: {said}");
    };
    check("$CC -dumpmachine", "aarch64-linux-gnu\n");
    check("$CC -print-multiarch", "aarch64-linux-gnu\n");
    check("$CC -dumpversion", ".");
    check("$CC --version", "clang version");
    check("$CC -v 2>&1", "clang version");
    check("$CC -Wl,--version", "LLD");
    // As libtool calls `$LD`.
    check("$CC -m aarch64linux -v", "compatible with GNU linkers");
    check("$CC --help", ": supported targets: elf");
    check("$CC -print-file-name=libm.so", "libm.so\n");
    check("$CC -print-prog-name=ld", "ld\n");
    check("$CC -print-search-dirs", "libraries: =\n");
    check("$CC -E -dM - </dev/null", "#define __aarch64__ 1");
    check("echo 'int x = __LINE__;' | $CC -E -x c -", "int x = 1;");
    check("$CC -S -o - a.c", "add:");
    check("$CC -S -o /dev/stdout a.c", "add:");
    check("$CC -DTWO=2 -c a.c b.c && ls", "a.o\nb.c\nb.o\n");
    check("$CC -x c -c odd -o odd.o && ls odd.o", "odd.o");
    check("$CC @words b.c -o words.o && ls words.o", "words.o");
    check("$CC @long b.c -o long.o && ls long.o", "long.o");
    check("$CC -DTWO=2 $(cat long) b.c -o line.o && ls line.o", "line.o");
    check("$CC -c a.c -o /dev/null && ls -l /dev/null", "crw");
    check("$CC -fsyntax-only a.c && echo right", "right");
    check("./launcher $CC -c a.c -o launched.o && ls launched.o", "launched.o");
    check("$CC -O2 -flto=auto -shared -fPIC a.c -o flto.so && ls flto.so", "flto.so");
    check("$CC -MM a.c", "a.o: a.c");
    let refused = |line: &str, expected: &str| {
        let error = shell(line).expect_err(line);
        assert!(error.contains(expected), "{line}: {error}");
    };
    refused("$CC -DTWO=2 -c a.c b.c -o both.o", "several files");
    refused("$CC -S -o - no.c", "no.c");
    refused("echo 'int x' | $CC -fsyntax-only -x c -", "error:");
}

/// gcc searches the directories of `-isystem` before those of the C library, zig after them.
#[cfg(unix)]
#[test]
fn system_directories_are_searched_before_the_c_library() {
    let Some(bench) = Bench::new(ARM) else { return };
    for dir in ["own", "first", "quiet"] {
        fs::create_dir_all(bench.path(dir)).unwrap();
    }
    bench.write("own/regexp.h", "enum { OWN = 1 };\n");
    bench.write("first/regexp.h", "enum { FIRST = 1 };\n");
    // Warnings about the headers of other projects stay off.
    bench.write("quiet/quiet.h", "static int unused(void) { return 1; }\n");
    bench.write("own.c", "#include <regexp.h>\n#include <stdio.h>\nint own = OWN;\n");
    bench.write("first.c", "#include <regexp.h>\nint first = FIRST;\n");
    bench.write("quiet.c", "#include <quiet.h>\nint quiet;\n");
    for cc in [bench.wrappers(true).cc, bench.wrappers(false).cc, bench.wrappers(true).cxx] {
        let check = |line: &str| {
            let args: Vec<&str> = line.split(' ').collect();
            let run = bench.run(&Tool::new(&cc), &args);
            run.unwrap_or_else(|error| panic!("{} {line}: {error}", cc.display()));
        };
        check("-isystem own -c own.c -o own.o");
        check("-isystem own -Ifirst -c first.c -o first.o");
        check("-Wall -Werror -isystem quiet -c quiet.c -o quiet.o");
    }
}

#[test]
fn a_floor_that_zig_lacks_is_said_before_anything_is_built() {
    let Some(bench) = Bench::new(ARM) else { return };
    let request = request("powerpc64le-unknown-linux-gnu.2.17", bench.temp.path());
    let error = locate(&bench.host, &request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "zig has no glibc 2.17 for `powerpc64le-unknown-linux-gnu.2.17`; its oldest is 2.19"
    );
    assert!(error.hint().unwrap().contains("powerpc64le-unknown-linux-gnu.2.19"));
}

/// Without `-O` on the link line zig builds its sanitizer runtime first: 10 seconds.
#[test]
fn a_first_link_builds_no_sanitizer_runtime() {
    let mut env = Env::from_process();
    let cache = fs::temp_dir().unwrap();
    env.set("ZIG_GLOBAL_CACHE_DIR", cache.path().to_str().unwrap());
    let Some(bench) = Bench::with(env, ARM) else { return };
    bench.link(ADD, Strip::All).unwrap();
    bench.wrapped("-shared a.o -o b.so").unwrap();
    let files: Vec<String> =
        fs::walk(cache.path()).unwrap().into_iter().map(|file| file.relative).collect();
    assert!(files.iter().any(|name| name.contains("compiler_rt")), "{files:?}");
    assert!(!files.iter().any(|name| name.contains("ubsan")), "{files:?}");
}

/// Sources that were compiled: the last argument of each compilation.
#[derive(Default)]
struct Compiled(Mutex<Vec<String>>);

impl Report for Compiled {
    fn event(&self, _: Event) {}

    fn started(&self, command: &Command) {
        if command.args.iter().any(|arg| arg == "-c") {
            self.0.lock().unwrap().extend(command.args.last().cloned());
        }
    }
}

/// The C++ runtime is compiled once for a target, by whichever of several builds comes first, and then
/// taken from the user's cache.
#[test]
fn the_cxx_runtime_is_compiled_once_per_target() {
    let Some(bench) = Bench::with(Env::from_process(), X86) else { return };
    let compiled = Arc::new(Compiled::default());
    let report = Arc::clone(&compiled);
    let host = Host { report, jobs: Jobs::new(2), ..bench.host.clone() };
    let shared = cxx::planned(&host, &bench.toolchain).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| cxx::make(&host, &bench.toolchain, &shared).unwrap());
        }
    });
    let mut sources = std::mem::take(&mut *compiled.0.lock().unwrap());
    let count = sources.len();
    assert!(count == 0 || count > 50, "{sources:?}");
    sources.sort();
    sources.dedup();
    assert_eq!(sources.len(), count, "a source was compiled twice");
    cxx::make(&host, &bench.toolchain, &shared).unwrap();
    assert_eq!(*compiled.0.lock().unwrap(), Vec::<String>::new());
    eprintln!("{count} files were compiled");
}

#[test]
fn many_processes_write_the_same_wrappers() {
    let Some(bench) = Bench::new(ARM) else { return };
    bench.write("a.c", ADD);
    // Whoever has written them first may have them replaced by the same while it runs them. (All
    // write before any runs: a child that starts in between would inherit an open file.)
    let written = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for i in 0..8 {
            let (bench, written) = (&bench, &written);
            scope.spawn(move || {
                let wrappers = bench.wrappers(false);
                assert!(fs::is_executable(&wrappers.cc).unwrap());
                written.wait();
                let out = format!("{i}.o");
                bench.run(&Tool::new(wrappers.cc), &["-c", "a.c", "-o", &out]).unwrap();
                assert!(bench.path(&out).exists());
            });
        }
    });
    let names: Vec<String> =
        fs::walk(&bench.path("wrappers")).unwrap().into_iter().map(|f| f.relative).collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn a_dylib_has_our_minimum_and_our_name() {
    let Some(bench) = Bench::new("aarch64-apple-darwin") else { return };
    bench.write("a.c", ADD);
    let kind = LinkKind::Shared { name: "liba.dylib" };
    let mut args = bench.toolchain.link_args(kind, Optimize::O2, Strip::All);
    args.extend(["a.c", "-o", "a.dylib"].map(str::to_owned));
    bench.run(&bench.toolchain.cc, &args).unwrap();
    let bytes = fs::read(bench.path("a.dylib")).unwrap();
    let Mach::Binary(MachO { name, load_commands, .. }) = Mach::parse(&bytes).unwrap() else {
        panic!("not a thin Mach-O file");
    };
    assert_eq!(name, Some("@rpath/liba.dylib"));
    let minimum = load_commands.iter().find_map(|command| match command.command {
        CommandVariant::BuildVersion(build) => Some(build.minos),
        _ => None,
    });
    assert_eq!(minimum, Some(11 << 16));
    let signed = |c: &goblin::mach::load_command::LoadCommand| {
        matches!(c.command, CommandVariant::CodeSignature(_))
    };
    assert!(load_commands.iter().any(signed));
    bench
        .wrapped("-dynamiclib a.c -o b.dylib -compatibility_version 1.0 -Wl,-current_version,2")
        .unwrap();
}

/// A program and a cdylib whose build script compiles C with the `cc` crate.
const CRATE: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"rz\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\
         [build-dependencies]\ncc = \"1\"\n[workspace]\n",
    ),
    (
        "build.rs",
        "fn main() { cc::Build::new().file(\"c.c\").flag_if_supported(\"-march=armv8-a\").compile(\"c\"); }\n",
    ),
    ("c.c", "int from_c(int a) { return a + 1; }\n"),
    (
        "src/lib.rs",
        "extern \"C\" { fn from_c(a: i32) -> i32; }\n\
         #[no_mangle]\npub extern \"C\" fn rz(a: i32) -> i32 { unsafe { from_c(a) } }\n",
    ),
    (
        "src/main.rs",
        "fn main() { let t = std::thread::spawn(|| rz::rz(41)); println!(\"{} {}\", t.join().unwrap(), std::env::consts::ARCH); }\n",
    ),
];

#[test]
fn rust_links_and_its_build_scripts_compile() {
    for target in [X86, ARM] {
        let Some(mut bench) = Bench::new(target) else { return };
        let parsed: Target = target.parse().unwrap();
        for (name, text) in CRATE {
            bench.write(name, text);
        }
        // A distribution's compiler may have libraries that rustup's has not.
        let mut std = rust_std(&bench.host, &parsed, bench.temp.path());
        if matches!(std, RustStd::Missing { .. }) && Path::new("/usr/bin/rustc").exists() {
            bench.host.env.set("RUSTC", "/usr/bin/rustc");
            std = rust_std(&bench.host, &parsed, bench.temp.path());
        }
        if let RustStd::Missing { reason, hint } = std {
            let required = bench.host.env.get("WHEELSMITH_TEST_REQUIRE").is_some();
            assert!(!required, "{reason}; {hint}");
            eprintln!("skipped: {reason}");
            continue;
        }
        let wrappers = bench.wrappers(false);
        let keep = |name: &str| !name.starts_with("CARGO_") || name == "CARGO_HOME";
        let env: Env = (bench.host.env.iter())
            .filter(|(name, _)| keep(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let env = env.with(env_for_cargo(&bench.toolchain, &wrappers));
        let cargo = bench.host.env.find_program("cargo").unwrap();
        let dir = bench.temp.path();
        let args = ["build", "--release", "--offline", "--target", target, "--target-dir", "t"];
        Command::new(cargo, dir, &env).args(args).run(&bench.host).unwrap();
        let out = bench.path("t").join(target).join("release");
        for name in ["rz", "librz.so"] {
            let bytes = fs::read(out.join(name)).unwrap();
            let versions = glibc_versions(&bytes);
            assert!(!versions.is_empty());
            let newer = |version: &String| {
                let minor = version.trim_start_matches("GLIBC_2.").split('.').next().unwrap();
                minor.parse::<u32>().unwrap() > 17
            };
            assert!(!versions.iter().any(newer), "{versions:?}");
            let libraries = Elf::parse(&bytes).unwrap().libraries.join(" ");
            assert!(!libraries.contains("libgcc_s"), "{libraries}");
        }
        let program = out.join("rz");
        let said = if target.starts_with(std::env::consts::ARCH) {
            Command::new(&program, dir, &env).run(&bench.host).unwrap().stdout
        } else if let Some(command) = under_qemu(&bench.host, &program) {
            command.run(&bench.host).unwrap().stdout
        } else {
            eprintln!("not run: no qemu for {target}");
            continue;
        };
        let arch = target.split('-').next().unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), format!("42 {arch}\n"));
    }
}

/// Runs `program` under qemu, with the loader and the C library of one root: that of the multiarch
/// packages if they are installed, else that of the cross compiler.
fn under_qemu(host: &Host, program: &Path) -> Option<Command> {
    let qemu = host.env.find_program("qemu-aarch64-static")?;
    let command = Command::new(qemu, "/", &host.env);
    let command = if Path::new("/lib/ld-linux-aarch64.so.1").exists() {
        command
    } else if Path::new("/usr/aarch64-linux-gnu/lib").exists() {
        command.args(["-L", "/usr/aarch64-linux-gnu"])
    } else {
        return None;
    };
    Some(command.arg(program.to_string_lossy()))
}
