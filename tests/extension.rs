//! Extension modules: built, judged, and imported by the Pythons that they are for.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Sandbox, TestEnv, content};

const MODULE: &str = "\
#include <Python.h>
int box_answer(void);
PyObject *lost(void);
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(box_answer()); }
static PyMethodDef methods[] = {{\"answer\", answer, METH_NOARGS, 0}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"_native\", 0, 0, methods};
PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&module); }
";

const LIBRARY: &str = "\
[[tool.wheelsmith.component]]
name = 'box'
kind = 'KIND'
[[tool.wheelsmith.component.sources]]
files = ['c/box.c']
";

const EXTENSION: &str = "\
[[tool.wheelsmith.component]]
name = 'native'
kind = 'c-extension'
extension = 'boxlite._native'
link = ['box']
PYTHONS
[[tool.wheelsmith.component.sources]]
files = ['c/native.c']
";

/// A project with a library and an extension module that links to it.
fn project(head: &str, kind: &str, pythons: &str, wheel: &str) -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("c/box.c", "int box_answer(void) { return 42; }\n"),
        ("c/native.c", MODULE),
        ("src/boxlite/__init__.py", "from boxlite._native import answer\n"),
    ]);
    let project = "[project]\nname = 'boxlite'\nversion = '1.0'\n";
    let library = LIBRARY.replace("KIND", kind);
    let extension = EXTENSION.replace("PYTHONS", pythons);
    let text = format!("{project}[tool.wheelsmith]\n{head}\n{library}{extension}{wheel}");
    sandbox.write("wheelsmith.toml", &text);
    sandbox
}

/// Pythons of this machine that have headers: version, program.
fn pythons() -> Vec<(String, PathBuf)> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let mut prefixes = vec![PathBuf::from("/usr"), PathBuf::from("/usr/local")];
    prefixes.extend(
        fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().map(|e| e.unwrap().path()),
    );
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for prefix in prefixes {
        for minor in 9..=14 {
            let (version, name) = (format!("3.{minor}"), format!("python3.{minor}"));
            let headers = prefix.join("include").join(&name).join("Python.h");
            let program = prefix.join("bin").join(&name);
            let is_known = found.iter().any(|(known, _)| *known == version);
            if headers.is_file() && program.is_file() && !is_known {
                found.push((version, program));
            }
        }
    }
    found.sort();
    found
}

/// Unpacks wheels into one directory, and imports the module from there.
fn import(python: &mut Command, wheels: &[&Path]) {
    let site = tempfile::tempdir().unwrap();
    for wheel in wheels {
        let mut unzip = Command::new("python3");
        content(unzip.args(["-m", "zipfile", "-e"]).arg(wheel).arg(site.path()));
    }
    let code = format!(
        "import sys; sys.path.insert(0, r'{}'); import boxlite; assert boxlite.answer() == 42",
        site.path().display()
    );
    content(python.args(["-I", "-c", &code]));
}

fn names(project: &Sandbox) -> Vec<String> {
    let names = project.dist().into_iter();
    names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn one_file_serves_every_python_from_a_release_on() {
    const TEST: &str = "one_file_serves_every_python_from_a_release_on";
    let Some(env) = TestEnv::find(TEST) else { return };
    let pythons = pythons();
    if env.get("tools/zig", TEST).is_none() || pythons.is_empty() {
        eprintln!("skipped {TEST}: there is no zig, or no Python with headers");
        return;
    }
    let targets = "targets = ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu', \
                   'aarch64-apple-darwin']";
    let project = project(targets, "c-shared", "abi3 = '3.9'", "");
    project.expect(0, &["build", "--target", "all"]);
    let wheels = project.dist();
    assert_eq!(
        names(&project),
        [
            "boxlite-1.0-cp39-abi3-macosx_11_0_arm64.whl",
            "boxlite-1.0-cp39-abi3-manylinux1_x86_64.manylinux_2_5_x86_64.whl",
            "boxlite-1.0-cp39-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
        ]
    );
    for wheel in &wheels {
        if env.get("judges/bin/abi3audit", TEST).is_some() {
            content(Command::new(env.judge("abi3audit")).arg("--strict").arg(wheel));
        }
        project.expect(0, &["audit", wheel.to_str().unwrap()]);
        project.expect(0, &["check", wheel.to_str().unwrap()]);
    }
    if env.get("judges/bin/python", TEST).is_some() {
        // Python's symbols come from the program that loads the module, not from a library.
        let code = "import lief, sys, zipfile\n\
                    archive = zipfile.ZipFile(sys.argv[1])\n\
                    module = lief.MachO.parse(list(archive.read('boxlite/_native.abi3.so'))).at(0)\n\
                    libraries = [library.name for library in module.libraries]\n\
                    assert not [name for name in libraries if 'ython' in name], libraries\n\
                    assert '_PyInit__native' in [symbol.name for symbol in module.exported_symbols]\n\
                    named = {symbol.name: symbol.binding_info.library_ordinal for symbol in module.imported_symbols if symbol.has_binding_info}\n\
                    assert named['_PyModule_Create2'] == -2, named\n\
                    assert module.has_code_signature\n";
        content(Command::new(env.judge("python")).args(["-c", code]).arg(&wheels[0]));
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        for (_, program) in &pythons {
            import(&mut Command::new(program), &[&wheels[1]]);
        }
    }
    let root = env.get("arm64-root", TEST).zip(env.get("tools/qemu-aarch64", TEST));
    if let Some((root, qemu)) = root {
        let mut python = Command::new(qemu);
        python.arg("-L").arg(&root).arg(root.join("usr/bin/python3"));
        import(&mut python, &[&wheels[2]]);
    }
    // The second build has nothing to do, and the same bytes.
    let before: Vec<_> = wheels.iter().map(|wheel| fs::read(wheel).unwrap()).collect();
    let again = project.expect(0, &["build", "--target", "all"]);
    assert!(!again.stdout.contains("compiled"), "{}", again.stdout);
    let after: Vec<_> = project.dist().iter().map(|wheel| fs::read(wheel).unwrap()).collect();
    assert!(before == after);
}

/// A compiler that writes down what it compiles.
fn counting(project: &Sandbox) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let (log, cc) = (project.path().join("compiled.log"), project.path().join("cc.sh"));
    let script = format!("#!/bin/sh\necho \"$@\" >>'{}'\nexec cc \"$@\"\n", log.display());
    fs::write(&cc, script).unwrap();
    fs::set_permissions(&cc, fs::Permissions::from_mode(0o755)).unwrap();
    (cc, log)
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn wheels_of_several_pythons_share_one_runtime() {
    let pythons = pythons();
    if pythons.len() < 2 {
        eprintln!("skipped wheels_of_several_pythons_share_one_runtime: too few Pythons");
        return;
    }
    let versions: Vec<&String> = pythons.iter().map(|(version, _)| version).collect();
    let head = "toolchain = 'env'\nglibc = '2.36'\ntargets = ['x86_64-unknown-linux-gnu']";
    for split in [false, true] {
        let wheel = format!("[[tool.wheelsmith.wheel]]\nsplit = {split}\n");
        let project = project(head, "c-shared", &format!("python = {versions:?}"), &wheel);
        let (cc, log) = counting(&project);
        let mut command = project.command(&["build"]);
        let built = content(command.env("CC_x86_64_unknown_linux_gnu", cc));
        let log = fs::read_to_string(log).unwrap();
        let compiled = |file: &str| {
            log.lines().filter(|l| l.contains(" -c ") && l.ends_with(&format!("c/{file}"))).count()
        };
        assert_eq!((compiled("box.c"), compiled("native.c")), (1, pythons.len()), "{log}");
        let wheels = project.dist();
        assert_eq!(wheels.len(), pythons.len() + usize::from(split), "{wheels:?}");
        assert_eq!(built.stdout.contains("saved by one wheel"), split, "{}", built.stdout);
        let runtime =
            wheels.iter().find(|w| w.to_string_lossy().contains("boxlite_runtime-1.0-py3-none-"));
        for (version, program) in &pythons {
            let tag = format!("cp{0}-cp{0}", version.replace('.', ""));
            let own = wheels.iter().find(|w| w.to_string_lossy().contains(&tag)).unwrap();
            let all: Vec<&Path> = runtime.into_iter().chain([own]).map(PathBuf::as_path).collect();
            import(&mut Command::new(program), &all);
            let mut list = Command::new("python3");
            let listed = content(list.args(["-m", "zipfile", "-l"]).arg(own)).stdout;
            assert_eq!(listed.contains("_runtime/lib/libbox.so"), !split, "{listed}");
            let mut read = Command::new("python3");
            read.args(["-c", "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print([z.read(n).decode() for n in z.namelist() if n.endswith('METADATA')][0])"]);
            let metadata = content(read.arg(own)).stdout;
            assert_eq!(
                metadata.contains("Requires-Dist: boxlite-runtime==1.0"),
                split,
                "{metadata}"
            );
            if split {
                pip_installs_both(program, wheels[0].parent().unwrap());
            }
        }
    }
}

/// pip finds the wheel of the runtime by the requirement of the module's.
fn pip_installs_both(python: &Path, dist: &Path) {
    let site = tempfile::tempdir().unwrap();
    let mut pip = Command::new(python);
    if !pip.args(["-m", "pip", "--version"]).output().is_ok_and(|run| run.status.success()) {
        eprintln!("skipped pip_installs_both: {} has no pip", python.display());
        return;
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-index", "--find-links"]);
    content(pip.arg(dist).arg("--target").arg(site.path()).arg("boxlite==1.0"));
    for name in ["boxlite-1.0.dist-info", "boxlite_runtime-1.0.dist-info"] {
        assert!(site.path().join(name).is_dir(), "{name} was not installed");
    }
    let code = format!(
        "import sys; sys.path.insert(0, r'{}'); import boxlite; assert boxlite.answer() == 42",
        site.path().display()
    );
    content(Command::new(python).args(["-I", "-c", &code]));
}

#[test]
fn a_file_that_nobody_can_import_is_an_error() {
    if pythons().is_empty() {
        eprintln!("skipped a_file_that_nobody_can_import_is_an_error: no Python with headers");
        return;
    }
    let check = |from: &str, to: &str, code: i32, message: &str| {
        let head = "toolchain = 'native'\nglibc = '2.36'";
        let project = project(head, "c-static", "abi3 = '3.9'", "");
        project.write("c/native.c", &MODULE.replace(from, to));
        let run = project.expect(code, &["build"]);
        let said = run.stdout + &run.stderr;
        assert!(said.contains(message), "no `{message}` in\n{said}");
        assert!(project.dist().is_empty());
    };
    check("PyInit__native", "PyInit_native", 2, "it exports no `PyInit__native`");
    check("PyLong_FromLong(box_answer())", "lost()", 2, "it uses `lost`");
    let outside = "(PyObject *)_PyObject_GetDictPtr(self)";
    let declared = "PyObject **_PyObject_GetDictPtr(PyObject *);\nPyObject *lost(void);";
    let module = MODULE.replace("PyObject *lost(void);", declared);
    let head = "toolchain = 'native'\nglibc = '2.36'";
    let project = project(head, "c-static", "abi3 = '3.9'", "");
    project.write("c/native.c", &module.replace("PyLong_FromLong(box_answer())", outside));
    project.expect(1, &["build"]).answers(&["error[not-stable-abi]"]);
    assert!(project.dist().is_empty());
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    let check = |pythons: &str, wheel: &str, message: &str| {
        let project = project("", "c-static", pythons, wheel);
        project.expect(2, &["build", "--dry-run"]).says(&[message]);
    };
    let wheel = "[[tool.wheelsmith.wheel]]\n";
    check("", "", "it does not say for which Pythons the module is");
    check("abi3t = '3.14'", "", "Python 3.14 has no `abi3t`; 3.15 is the first");
    check("python = ['3.12', '3.12']", "", "Python 3.12 is listed twice");
    check("python = ['3.12t']", "", "`3.12t` is not a Python");
    check("abi3 = '3.9'", &format!("{wheel}tag = 'py3-none'\n"), "the tag follows from");
    let bundle = format!("{wheel}split = true\nexternal = 'bundle'\n");
    check("abi3 = '3.9'", &bundle, "it cannot be combined");
    let none = format!("{wheel}split = true\ncomponents = ['box']\n");
    check("abi3 = '3.9'", &none, "it has no extension module");
}

/// The example, with pyo3: no Python is needed to build it, and every later one imports it.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn the_example_with_pyo3() {
    const TEST: &str = "the_example_with_pyo3";
    let Some(env) = TestEnv::find(TEST) else { return };
    if env.get("tools/zig", TEST).is_none() {
        return;
    }
    let project = Sandbox::example("extension");
    let mut fetch = Command::new("cargo");
    fetch.args(["fetch", "--locked", "--quiet"]).current_dir(project.path().join("native"));
    if !fetch.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped {TEST}: its crates cannot be downloaded");
        return;
    }
    let mut build = project.command(&["build", "--target", "x86_64-unknown-linux-gnu"]);
    // A Python that pyo3 found would end the build.
    content(build.env("PYO3_PYTHON", "/bin/false"));
    let mut expected = 1;
    if let Some(rustc) = env.get("tools/rustc-aarch64", TEST) {
        let target = ["build", "--target", "aarch64-unknown-linux-gnu"];
        content(project.command(&target).env("RUSTC", rustc).env("PYO3_PYTHON", "/bin/false"));
        expected += 1;
    }
    let wheels = project.dist();
    assert_eq!(wheels.len(), expected, "{wheels:?}");
    for wheel in &wheels {
        if env.get("judges/bin/abi3audit", TEST).is_some() {
            content(Command::new(env.judge("abi3audit")).arg("--strict").arg(wheel));
        }
        let name = wheel.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("boxes-0.1.0-cp39-abi3-manylinux"), "{name}");
        let check = |python: &mut Command| {
            let site = tempfile::tempdir().unwrap();
            let mut unzip = Command::new("python3");
            content(unzip.args(["-m", "zipfile", "-e"]).arg(wheel).arg(site.path()));
            let code = format!(
                "import sys; sys.path.insert(0, r'{}'); import boxes; \
                 assert boxes.volume(2, 3, 4) == 24",
                site.path().display()
            );
            content(python.args(["-I", "-c", &code]));
        };
        if name.contains("x86_64") {
            for (_, program) in pythons() {
                check(&mut Command::new(program));
            }
        } else if let Some((root, qemu)) =
            env.get("arm64-root", TEST).zip(env.get("tools/qemu-aarch64", TEST))
        {
            check(Command::new(qemu).arg("-L").arg(&root).arg(root.join("usr/bin/python3")));
        }
    }
}

/// Files for Windows: the names, the library of Python that they load, and what they export.
#[test]
fn a_module_for_windows_loads_the_library_of_the_stable_abi() {
    const TEST: &str = "a_module_for_windows_loads_the_library_of_the_stable_abi";
    let Some(env) = TestEnv::find(TEST) else { return };
    let has_judge = env.get("judges/bin/python", TEST).is_some();
    if env.get("tools/zig", TEST).is_none() || !has_judge || pythons().is_empty() {
        return;
    }
    let project = project("targets = ['x86_64-pc-windows-gnu']", "c-static", "abi3 = '3.9'", "");
    project.expect(0, &["build", "--target", "all"]);
    assert_eq!(names(&project), ["boxlite-1.0-cp39-abi3-win_amd64.whl"]);
    let code = "import io, pefile, sys, zipfile\n\
                archive = zipfile.ZipFile(sys.argv[1])\n\
                pe = pefile.PE(data=archive.read('boxlite/_native.pyd'))\n\
                dlls = [entry.dll.decode().lower() for entry in pe.DIRECTORY_ENTRY_IMPORT]\n\
                assert 'python3.dll' in dlls, dlls\n\
                assert not [dll for dll in dlls if dll.startswith('python3') and dll != 'python3.dll'], dlls\n\
                names = [symbol.name.decode() for symbol in pe.DIRECTORY_ENTRY_EXPORT.symbols]\n\
                assert names == ['PyInit__native'], names\n";
    content(Command::new(env.judge("python")).args(["-c", code]).arg(&project.dist()[0]));
    content(Command::new(env.judge("abi3audit")).arg("--strict").arg(&project.dist()[0]));
    if env.get("judges/bin/delvewheel", TEST).is_some() {
        let mut show = Command::new(env.judge("delvewheel"));
        let shown = content(show.arg("show").arg(&project.dist()[0])).stdout;
        let (copied, present) = shown.split_once("will not be copied").unwrap();
        assert!(copied.contains("    None"), "{shown}");
        assert!(present.contains("    python3.dll"), "{shown}");
    }
}
