//! Reads edited files with other tools: Python runs modules with a block, lief and pefile read
//! Mach-O and PE files, if `WHEELSMITH_TEST_ENV` has them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::Command;

use wheelsmith_core::patch::{Edit, Search, hook, macho, pe};

/// Python of the judges, or the one in `PATH`.
fn python() -> PathBuf {
    let judges = std::env::var_os("WHEELSMITH_TEST_ENV").map(PathBuf::from);
    let python = judges.map(|dir| dir.join("judges/bin/python")).filter(|path| path.exists());
    python.unwrap_or_else(|| PathBuf::from("python3"))
}

/// Runs a script; `None` if there is no Python, or if a module that it needs is missing.
fn run(test: &str, script: &str, dir: &Path) -> Option<String> {
    const CANNOT_JUDGE: i32 = 77;
    let python = python();
    let output = Command::new(&python).args(["-I", "-B", "-c", script]).arg(dir).output();
    let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
    let Ok(output) = output else {
        assert!(!required, "{test}: there is no {}", python.display());
        eprintln!("skipped {test}: there is no {}", python.display());
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(CANNOT_JUDGE) {
        assert!(!required, "{test}: {error}");
        eprintln!("skipped {test}: {error}");
        return None;
    }
    assert!(output.status.success(), "{error}");
    Some(String::from_utf8(output.stdout).unwrap())
}

const MODULES: &[&[u8]] = &[
    b"",
    b"# Nothing but a comment",
    b"#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n\nx = 1\n",
    b"\xef\xbb\xbf'''Doc.'''\nx = 1\n",
    b"\"\"\"Doc.\"\"\"",
    b"\"\"\"Doc \\\"\"\" and\n# more.\n\"\"\"\nfrom __future__ import annotations\nx = 1\n",
    b"r'Raw \\' doc' # comment\nx = 1\n",
    b"U\"Doc\"\nx = 1\n",
    b"'One' \"two\" \\\n  '''three'''\nx = 1\n",
    b"('In' # comment\n 'parentheses')\nfrom __future__ import division\n",
    b"'Doc'; x = 1\n",
    b"'Doc'; from __future__ import annotations; x = 1\n",
    b"'Doc';\nx = 1\n",
    b"'Doc'; \\\n  x = 1\n",
    b"from __future__ import (\n    annotations, # ) why\n    division as d,\n)\nx = 1\n",
    b"from __future__ \\\n  import annotations, \\\n  division\nx = 1\n",
    b"from __future__ import annotations\n# Why.\nfrom __future__ import division; x = 1\n",
    b"from __future__ import(annotations);x = 1",
    b"'Doc'\r\nfrom __future__ import annotations\r\nx = 1\r\n",
    b"'''Doc\r\n'''\r\nx = '''a\r\nb'''\r\n",
    b"'Doc'\rx = 1\r",
    b"\x0c\n'Doc'\n\x0c\nx = 1\n",
    b"\x0c'Doc'\nx = 1\n",
    b"# coding: latin-1\n'D\xf6c'\nx = '\xe9'\n",
    b"b'bytes'\nx = 1\n",
    b"f'{1}'\nx = 1\n",
    b"'a' f'{1}'\nx = 1\n",
    b"'%s' % 1\nx = 1\n",
    b"'a', 'b'\nx = 1\n",
    b"('a',)\nx = 1\n",
    b"'a'.join([])\nx = 1\n",
    b"\\\nx = 1\n",
    b"# comment\n\\\nx = 1\n",
    b"if True:\n    x = 1\n",
    b"def f():\n    '''Doc.'''\n",
];

/// Python parses each module as before, plus the three statements of the block.
const COMPARE: &str = r#"
import ast, pathlib, sys
for before in sorted(pathlib.Path(sys.argv[1]).glob("*.before")):
    after = before.with_suffix(".after").read_bytes()
    before = before.read_bytes()
    old, new = ast.parse(before), ast.parse(after)
    assert ast.get_docstring(old, clean=False) == ast.get_docstring(new, clean=False), after
    flags = [compile(text, "m", "exec", dont_inherit=True).co_flags for text in (before, after)]
    assert flags[0] == flags[1], after
    at = [i for i, s in enumerate(new.body) if getattr(s, "name", "") == "_wheelsmith_libraries"]
    assert len(at) == 1, after
    del new.body[at[0] : at[0] + 3]
    assert ast.dump(old) == ast.dump(new), after
    names = {"__file__": "m.py"}
    exec(compile(after, "m", "exec", dont_inherit=True), names)
    assert "_wheelsmith_libraries" not in names, after
    print("ok")
"#;

#[test]
fn python_reads_modules_as_before() {
    let dir = tempfile::tempdir().unwrap();
    for (i, module) in MODULES.iter().enumerate() {
        let after = hook::insert(module, 1, "demo.libs").unwrap();
        std::fs::write(dir.path().join(format!("{i:02}.before")), module).unwrap();
        std::fs::write(dir.path().join(format!("{i:02}.after")), &after).unwrap();
    }
    if let Some(answer) = run("python_reads_modules_as_before", COMPARE, dir.path()) {
        assert_eq!(answer.lines().count(), MODULES.len());
    }
}

/// The block adds the directory if `os.add_dll_directory` exists, as on Windows.
const IMPORT: &str = r#"
import os, sys
named = []
os.add_dll_directory = named.append
sys.path.insert(0, sys.argv[1])
import demo, demo.deep
print(*(os.path.relpath(path, sys.argv[1]) for path in named), sep="\n")
"#;

#[test]
fn the_directory_is_named_where_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, depth| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, hook::insert(b"", depth, "de mo.libs").unwrap()).unwrap();
    };
    write("demo/__init__.py", 1);
    write("demo/deep/__init__.py", 2);
    let test = "the_directory_is_named_where_it_is_there";
    let Some(without) = run(test, IMPORT, dir.path()) else { return };
    assert_eq!(without.trim(), "");
    std::fs::create_dir(dir.path().join("de mo.libs")).unwrap();
    assert_eq!(run(test, IMPORT, dir.path()).unwrap(), "de mo.libs\nde mo.libs\n");
}

/// Returns the names that judges read, one line for each file.
const JUDGE: &str = r#"
import pathlib, sys
try:
    import lief, pefile
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    if path.read_bytes()[:2] == b"MZ":
        image = pefile.PE(str(path))
        assert image.verify_checksum(), path
        # The fixtures are mostly padding and start nowhere, which pefile finds odd.
        known = ("Byte 0x", "EntryPoint")
        odd = [text for text in image.get_warnings() if not any(word in text for word in known)]
        assert not odd, (path, odd)
        names = [entry.dll.decode() for entry in image.DIRECTORY_ENTRY_IMPORT]
        # The parts live as long as what holds them.
        whole = lief.PE.parse(str(path))
        assert names == [entry.name for entry in whole.imports], path
        print(path.name, len(image.sections), *names)
    else:
        whole = lief.MachO.parse(str(path))
        for image in whole:
            assert lief.MachO.check_layout(image)[0], (path, lief.MachO.check_layout(image))
            names = [library.name for library in image.libraries]
            print(path.name, *names, *(rpath.path for rpath in image.rpaths))
"#;

#[test]
fn judges_read_the_names_that_were_asked_for() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let dir = tempfile::tempdir().unwrap();
    let read = |path: &str| std::fs::read(fixtures.join(path)).unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(dir.path().join(name), bytes).unwrap();
    let renamed = |old: &str, new: &str| [(old.to_owned(), new.to_owned())].into();
    let edit = Edit {
        id: Some("@rpath/libother-0123abcd.dylib".to_owned()),
        renamed: renamed("@rpath/libplain.dylib", "@loader_path/.dylibs/libplain-0123abcd.dylib"),
        search: Search::Rpath(vec!["@loader_path".to_owned()]),
        ..Edit::default()
    };
    for name in ["rpath.dylib", "universal.dylib", "x86_64.dylib"] {
        write(name, macho::apply(&read(&format!("macho/{name}")), &edit).unwrap());
    }
    let mut edit = Edit { renamed: renamed("plain.dll", "plain-0123.dll"), ..Edit::default() };
    write("program.exe", pe::apply(&read("pe/program.exe"), &edit).unwrap());
    write("user.dll", pe::apply(&read("pe/user.dll"), &edit).unwrap());
    // Too long for the bytes that its sections leave unused.
    let long = ["a", "b"].map(|name| name.repeat(250));
    edit.renamed = [("plain.dll", &long[0]), ("kernel32.dll", &long[1])]
        .map(|(old, new)| (old.to_owned(), new.clone()))
        .into();
    write("user-long.dll", pe::apply(&read("pe/user.dll"), &edit).unwrap());
    let expected = format!(
        "program.exe 3 plain-0123.dll\n\
         rpath.dylib @rpath/libother-0123abcd.dylib /usr/lib/libSystem.B.dylib \
         @loader_path/.dylibs/libplain-0123abcd.dylib @loader_path\n\
         universal.dylib @rpath/libother-0123abcd.dylib /usr/lib/libSystem.B.dylib @loader_path\n\
         universal.dylib @rpath/libother-0123abcd.dylib /usr/lib/libSystem.B.dylib @loader_path\n\
         user-long.dll 4 {} {}\n\
         user.dll 3 plain-0123.dll KERNEL32.dll\n\
         x86_64.dylib @rpath/libother-0123abcd.dylib /usr/lib/libSystem.B.dylib @loader_path\n",
        long[0], long[1]
    );
    let test = "judges_read_the_names_that_were_asked_for";
    if let Some(answer) = run(test, JUDGE, dir.path()) {
        assert_eq!(answer, expected);
    }
}
