//! Links every kind of component that provides a library to every kind that uses one.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Sandbox, TestEnv, content};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Components that provide a library: name, kind and configuration. Each defines a function with
/// its own name that returns its number in this list, from 1.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("deep", "c-static", ""),
    ("fixed", "c-static", "link = ['deep']\nlibraries = ['m']\n"),
    ("dynamic", "c-shared", "soname = 'libdynamic.so.3'\nlink = ['fixed']\n"),
    ("both", "c-library", "link = ['deep']\n"),
    ("taken", "prebuilt", "outputs = [{ from = 'taken/libtaken.a', role = 'static-library' }]\n"),
    ("found", "prebuilt", "outputs = [{ from = 'taken/libfound.so*', role = 'shared-library' }]\n"),
    (
        "made",
        "make",
        "source = { path = 'made' }\n\
         outputs = [{ from = 'lib/libmade.a', role = 'static-library' }]\n",
    ),
    (
        "ran",
        "command",
        "source = { path = 'ran' }\nlink = ['deep']\nrun = [\n    \
         ['{cc}', '-shared', '-Wl,-soname,libran.so.1', '-o', 'libran.so.1', 'ran.c', \
         '-L{needs}/usr/lib', '-ldeep'],\n    \
         ['mkdir', '-p', '{stage}{prefix}/lib'],\n    \
         ['cp', 'libran.so.1', '{stage}{prefix}/lib/'],\n    \
         ['ln', '-s', 'libran.so.1', '{stage}{prefix}/lib/libran.so'],\n]\n\
         outputs = [{ from = 'lib/libran.so*', role = 'shared-library' }]\n",
    ),
    (
        "crated",
        "cargo",
        "artifacts = [{ cdylib = 'crated' }]\nlocked = false\nmanifest = 'crated/Cargo.toml'\n",
    ),
];

/// Source of a C program that calls every function.
fn user() -> String {
    let mut text = String::from("#include <stdio.h>\n");
    for (name, ..) in PROVIDERS {
        let _ = writeln!(text, "int {name}(void);");
    }
    let calls: Vec<String> = PROVIDERS.iter().map(|(name, ..)| format!("{name}()")).collect();
    let _ = write!(text, "int main(void)\n{{\n    printf(\"%d\\n\", {});\n", calls.join(" + "));
    text + "    return 0;\n}\n"
}

fn user_in_rust() -> String {
    let mut text = String::new();
    for (name, kind, config) in PROVIDERS {
        let is_static = *kind == "c-static" || config.contains("static-library");
        let how = if is_static { ", kind = \"static\"" } else { "" };
        let _ = writeln!(
            text,
            "#[link(name = \"{name}\"{how})]\nextern \"C\" {{\n    fn {name}() -> i32;\n}}"
        );
    }
    let calls: Vec<String> = PROVIDERS.iter().map(|(name, ..)| format!("{name}()")).collect();
    text + &format!(
        "fn main() {{\n    println!(\"{{}}\", unsafe {{ {} }});\n}}\n",
        calls.join(" + ")
    )
}

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    let all: Vec<String> = PROVIDERS.iter().map(|(name, ..)| format!("'{name}'")).collect();
    let (all, flags) = (all.join(", "), PROVIDERS.iter().map(|(name, ..)| format!("-l{name}")));
    // What others need comes last.
    let flags: Vec<String> = flags.rev().collect();
    let mut config = format!("[tool.wheelsmith]\ntargets = ['{TARGET}']\n");
    let sources =
        |file: &str| format!("[[tool.wheelsmith.component.sources]]\nfiles = ['{file}']\n");
    for (i, (name, kind, more)) in PROVIDERS.iter().enumerate() {
        let _ = write!(
            config,
            "[[tool.wheelsmith.component]]\nname = '{name}'\nkind = '{kind}'\n{more}"
        );
        let dir = match *kind {
            "prebuilt" => "taken/",
            "make" => "made/",
            "command" => "ran/",
            "cargo" => continue,
            _ => {
                config += &sources(&format!("{name}.c"));
                ""
            }
        };
        let number = i + 1;
        let text = format!("int {name}(void)\n{{\n    return {number};\n}}\n");
        sandbox.write(&format!("{dir}{name}.c"), &text);
    }
    let user = format!("link = [{all}]\n");
    for (name, kind, more) in [
        ("in-c", "c-executable", sources("user.c")),
        (
            "in-rust",
            "cargo",
            "manifest = 'user/Cargo.toml'\nartifacts = [{ bin = 'in-rust' }]\nlocked = false\n"
                .into(),
        ),
        (
            "by-make",
            "make",
            "source = { path = 'by-make' }\n\
             outputs = [{ from = 'bin/by-make', role = 'executable' }]\n"
                .into(),
        ),
        (
            "by-command",
            "command",
            format!(
                "source = {{ path = 'by-make' }}\nshell = true\nrun = [\n    \
                 '{{cc}} user.c -o by-command $LDFLAGS {}',\n    \
                 'install -D by-command {{stage}}{{prefix}}/bin/by-command',\n]\n\
                 outputs = [{{ from = 'bin/by-command', role = 'executable' }}]\n",
                flags.join(" ")
            ),
        ),
    ] {
        let _ = write!(
            config,
            "[[tool.wheelsmith.component]]\nname = '{name}'\nkind = '{kind}'\n{user}{more}"
        );
    }
    // One who needs, and does not link: sees the files of others.
    config += "[[tool.wheelsmith.component]]\nname = 'looks'\nkind = 'command'\n\
               source = { path = 'by-make' }\nneeds = ['crated', 'both', 'in-c']\nshell = true\n\
               run = ['install -d {stage}{prefix}/share', \
               'cd {needs}/usr && ls */* > {stage}{prefix}/share/seen']\n\
               outputs = [{ from = 'share/seen', role = 'data' }]\n";
    sandbox.write("wheelsmith.toml", &config);
    let package = |name: &str, lib: &str| {
        format!(
            "[package]\nname = '{name}'\nversion = '1.0.0'\nedition = '2021'\n{lib}[workspace]\n"
        )
    };
    sandbox.write("crated/Cargo.toml", &package("crated", "[lib]\ncrate-type = ['cdylib']\n"));
    let number = PROVIDERS.len();
    sandbox.write(
        "crated/src/lib.rs",
        &format!("#[no_mangle]\npub extern \"C\" fn crated() -> i32 {{\n    {number}\n}}\n"),
    );
    sandbox.write("user/Cargo.toml", &package("in-rust", ""));
    sandbox.write("user/src/main.rs", &user_in_rust());
    sandbox.write("user.c", &self::user());
    sandbox.write("by-make/user.c", &self::user());
    let flags = flags.join(" ");
    sandbox.write(
        "by-make/Makefile",
        &format!(
            "by-make: user.c\n\t$(CC) $(CFLAGS) user.c -o $@ $(LDFLAGS) {flags}\n\n\
             install: by-make\n\tinstall -D by-make $(DESTDIR)$(PREFIX)/bin/by-make\n"
        ),
    );
    sandbox.write(
        "made/Makefile",
        "libmade.a: made.c\n\t$(CC) $(CFLAGS) -c made.c -o made.o\n\t$(AR) rcs $@ made.o\n\n\
         install: libmade.a\n\tinstall -D libmade.a $(DESTDIR)$(PREFIX)/lib/libmade.a\n",
    );
    prebuilt(&sandbox.path().join("taken"));
    sandbox
}

/// Prebuilt libraries.
fn prebuilt(dir: &Path) {
    let run = |program: &str, args: &[&str]| {
        content(Command::new(program).args(args).current_dir(dir));
    };
    run("cc", &["-O1", "-fPIC", "-c", "taken.c"]);
    run("ar", &["rcs", "libtaken.a", "taken.o"]);
    let soname = "-Wl,-soname,libfound.so.2";
    run("cc", &["-O1", "-fPIC", "-shared", soname, "-o", "libfound.so.2", "found.c"]);
    std::os::unix::fs::symlink("libfound.so.2", dir.join("libfound.so")).unwrap();
}

#[test]
fn every_kind_links_to_every_kind() {
    let Some(_env) = TestEnv::find("every_kind_links_to_every_kind") else { return };
    let project = project();
    project.expect(0, &["build", "--runtime-only"]);
    let runtime = project.path().join("target/wheelsmith").join(TARGET).join("runtime");
    let moved = project.path().join("moved");
    fs::rename(&runtime, &moved).unwrap();
    let sum: usize = (1..=PROVIDERS.len()).sum();
    for program in ["in-c", "in-rust", "by-make", "by-command"] {
        let said = content(&mut Command::new(moved.join("bin").join(program))).stdout;
        assert_eq!(said, format!("{sum}\n"), "{program}");
    }
    let seen = fs::read_to_string(moved.join("share/seen")).unwrap();
    assert_eq!(seen, "bin/in-c\nlib/libboth.a\nlib/libboth.so\nlib/libcrated.so\n");
    project.expect(0, &["build", "--runtime-only"]).answers(&["by-command  up to date"]);
}
