//! Edited files can be loaded, also after `strip`, whatever linked them. `readelf` and `eu-elflint`
//! report nothing new about them.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use wheelsmith_core::patch::{Edit, Search, apply, elf};

/// Ways to link the libraries.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("plain", &[]),
    ("sysv", &["-Wl,--hash-style=sysv"]),
    ("gnu", &["-Wl,--hash-style=gnu"]),
    ("both", &["-Wl,--hash-style=both"]),
    ("norelro", &["-Wl,-z,norelro"]),
    ("now", &["-Wl,-z,relro,-z,now"]),
    ("noseparate-code", &["-Wl,-z,noseparate-code"]),
    ("relr", &["-Wl,-z,pack-relative-relocs"]),
    ("64k", &["-Wl,-z,max-page-size=65536"]),
    ("2m", &["-Wl,-z,max-page-size=2097152"]),
    ("no-spare", &["-Wl,--spare-dynamic-tags=0"]),
    ("no-id", &["-Wl,--build-id=none"]),
    ("no-id-no-spare", &["-Wl,--build-id=none,--spare-dynamic-tags=0,-z,noseparate-code"]),
    ("debug", &["-g"]),
    ("stripped", &["-s"]),
    ("no-sections", &[NO_SECTIONS]),
];

const PROGRAMS: &[(&str, &[&str])] = &[
    ("pie", &["-pie", "-fPIE"]),
    ("pie-no-spare", &["-pie", "-fPIE", "-Wl,--spare-dynamic-tags=0"]),
    ("no-pie", &["-no-pie", "-fno-PIE"]),
    ("no-pie-no-spare", &["-no-pie", "-fno-PIE", "-Wl,--spare-dynamic-tags=0,-z,noseparate-code"]),
];

/// Not a compiler flag: the section headers are removed after the link.
const NO_SECTIONS: &str = "no-sections";

/// A compiler, and the emulator for its programs.
struct Machine {
    cc: &'static str,
    strips: Vec<Vec<&'static str>>,
    runner: Vec<String>,
}

#[test]
fn this_machine() {
    if !exists("cc") || !exists("readelf") {
        return skip("no C compiler and readelf");
    }
    let all = [vec!["strip"], vec!["llvm-strip"], vec!["eu-strip"]];
    let strips = all.into_iter().filter(|strip| exists(strip[0])).collect();
    check(&Machine { cc: "cc", strips, runner: Vec::new() });
}

#[test]
fn aarch64() {
    let cc = "aarch64-linux-gnu-gcc";
    let root = "/usr/aarch64-linux-gnu";
    let is_complete = Path::new(root).join("lib/libc.so.6").exists();
    let qemu = ["qemu-aarch64-static", "qemu-aarch64"].into_iter().find(|name| exists(name));
    let (true, true, Some(qemu)) = (exists(cc), is_complete, qemu) else {
        return skip("no compiler for aarch64 or no qemu");
    };
    let runner = vec![qemu.to_owned(), "-L".to_owned(), root.to_owned()];
    check(&Machine { cc, strips: vec![vec!["aarch64-linux-gnu-strip"]], runner });
}

fn check(machine: &Machine) {
    let temp = tempfile::tempdir().unwrap();
    let loader = temp.path().join("load");
    compile(machine, &["load.c"], &loader, &["-ldl"]).unwrap();
    for (name, flags) in LIBRARIES {
        let dir = temp.path().join(name);
        let main = "libmain-0123456789abcdef.so";
        let Some(edited) = edited(machine, &dir, flags, &["-shared", "-fPIC"], main) else {
            continue;
        };
        // The dependency was renamed and lies beside it; nothing else finds it.
        run(machine, &loader, &[&edited]).unwrap_or_else(|e| panic!("{name}: {e}"));
        if flags.contains(&NO_SECTIONS) {
            continue;
        }
        for strip in &machine.strips {
            strip_all(strip, &dir);
            run(machine, &loader, &[&edited]).unwrap_or_else(|e| panic!("{name}, {strip:?}: {e}"));
        }
    }
    for (name, flags) in PROGRAMS {
        let dir = temp.path().join(name);
        let Some(edited) = edited(machine, &dir, flags, &["-DPROGRAM"], "program") else {
            continue;
        };
        run(machine, &edited, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
        for strip in &machine.strips {
            strip_all(strip, &dir);
            run(machine, &edited, &[]).unwrap_or_else(|e| panic!("{name}, {strip:?}: {e}"));
        }
    }
}

/// Builds a library and a file that needs it, renames both in `dir`, and compares the reports of
/// the judges. Does nothing if the linker does not know the flags.
fn edited(
    machine: &Machine,
    dir: &Path,
    flags: &[&str],
    kind: &[&str],
    main: &str,
) -> Option<PathBuf> {
    let build = dir.join("build");
    std::fs::create_dir_all(&build).unwrap();
    let map = format!("-Wl,--version-script={}", sources().join("dep.map").display());
    let shared = ["-shared", "-fPIC", "-Wl,-soname,libdep.so.1", &map];
    let linker: Vec<&str> =
        flags.iter().copied().filter(|f| f.starts_with("-Wl") || f.starts_with("-g")).collect();
    let dep = build.join("libdep.so.1");
    let compiled = compile(machine, &["dep.c"], &dep, &[&shared[..], &linker].concat());
    if let Err(error) = compiled {
        skip(&error);
        return None;
    }
    let old = build.join(main);
    let known: Vec<&str> = flags.iter().copied().filter(|f| *f != NO_SECTIONS).collect();
    let mut all = kind.to_vec();
    all.extend(&known);
    all.push(dep.to_str().unwrap());
    compile(machine, &["main.c"], &old, &all).unwrap();
    let is_program = main == "program";
    let edits = [(dep, "libdep-0123456789abcdef.so.1", true), (old, main, !is_program)];
    for (path, new_name, is_library) in edits {
        let mut bytes = std::fs::read(&path).unwrap();
        if flags.contains(&NO_SECTIONS) {
            bytes[0x28..0x30].fill(0);
            bytes[0x3a..0x40].fill(0);
        }
        let old_name = "libdep.so.1".to_owned();
        let mut edit = Edit {
            id: is_library.then(|| new_name.to_owned()),
            renamed: [(old_name, "libdep-0123456789abcdef.so.1".to_owned())].into(),
            search: Search::Runpath(vec!["$ORIGIN".to_owned()]),
            ..Edit::default()
        };
        // Through another edit, as a wheel that is repaired twice.
        let first =
            Edit { search: Search::Rpath(vec!["$ORIGIN/../x.libs".to_owned()]), ..edit.clone() };
        let new = apply(&apply(&bytes, &first).unwrap(), &edit).unwrap();
        assert!(
            new.len() < bytes.len() + 4096,
            "{}: {:?}",
            path.display(),
            elf::plan(&bytes, &edit)
        );
        edit.renamed.clear();
        assert_eq!(apply(&new, &edit).unwrap(), new);
        let target = dir.join(new_name);
        std::fs::write(&target, &new).unwrap();
        executable(&target);
        if !flags.contains(&NO_SECTIONS) {
            nothing_new(&path, &target);
        }
    }
    Some(dir.join(main))
}

fn nothing_new(old: &Path, new: &Path) {
    // A relocation in a writable segment is taken for one in the last, which is not.
    let known = "text relocation flag not set";
    let mut judges = vec![vec!["readelf", "-aW"]];
    if exists("eu-elflint") {
        judges.push(vec!["eu-elflint", "--gnu-ld"]);
    }
    for judge in judges {
        let complaints = |path: &Path| -> BTreeSet<String> {
            let output = Command::new(judge[0]).args(&judge[1..]).arg(path).output().unwrap();
            let text = if judge[0] == "readelf" { output.stderr } else { output.stdout };
            let text = String::from_utf8_lossy(&text).replace(&path.display().to_string(), "");
            let lines = text.lines().filter(|line| *line != "No errors" && !line.contains(known));
            lines.map(str::to_owned).collect()
        };
        let (before, after) = (complaints(old), complaints(new));
        let more: Vec<&String> = after.difference(&before).collect();
        assert!(more.is_empty(), "{}: {more:#?}", new.display());
    }
}

fn strip_all(strip: &[&str], dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let status = Command::new(strip[0]).args(&strip[1..]).arg(&path).output().unwrap();
            assert!(status.status.success(), "{strip:?} {}: {status:?}", path.display());
        }
    }
}

fn run(machine: &Machine, program: &Path, arguments: &[&Path]) -> Result<(), String> {
    let mut line: Vec<std::ffi::OsString> = machine.runner.iter().map(Into::into).collect();
    line.push(program.into());
    line.extend(arguments.iter().map(|path| path.as_os_str().to_owned()));
    let output = Command::new(&line[0]).args(&line[1..]).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(format!("{line:?}: {output:?}")) }
}

fn compile(machine: &Machine, sources_: &[&str], to: &Path, flags: &[&str]) -> Result<(), String> {
    let sources_ = sources_.iter().map(|name| sources().join(name));
    let mut command = Command::new(machine.cc);
    let output = command.args(sources_).args(flags).arg("-o").arg(to).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_known = !text.contains("unknown") && !text.contains("unrecognized");
    match output.status.success() && !text.contains("ignored") {
        true => Ok(()),
        false if is_known && !text.contains("ignored") => panic!("{text}"),
        false => Err(text),
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch_elf")
}

fn executable(path: &Path) {
    wheelsmith_core::sys::fs::set_executable(path, true).unwrap();
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
