use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/extension/", $name)).as_slice()
    };
}

const STABLE: &[u8] = fixture!("stable.so");
const LINUX: &str = "manylinux_2_17_x86_64";

fn read(files: &[(&str, &[u8])]) -> Vec<NativeFile> {
    let read = |&(path, bytes): &(&str, &[u8])| NativeFile::read(&path.parse().unwrap(), bytes);
    let files: Vec<NativeFile> = files.iter().filter_map(read).collect();
    assert!(files.iter().all(|file| file.problem().is_none()), "{files:#?}");
    files
}

/// Checks the findings for the files of a wheel with these tags (`cp39-abi3-win_amd64`): severity,
/// code, file, and a part of the message or of the evidence.
fn check(tags: &str, files: &[(&str, &[u8])], expected: &[(&str, &str, &str, &str)]) {
    let (python, platform) = tags.rsplit_once('-').unwrap();
    let platforms: Vec<PlatformTag> = platform.split('.').map(|t| t.parse().unwrap()).collect();
    let findings = super::check(&read(files), &python.parse().unwrap(), &platforms);
    assert_eq!(findings.len(), expected.len(), "{tags}: {findings:#?}");
    for (finding, (severity, code, file, part)) in findings.iter().zip(expected) {
        let path = finding.file.as_ref().unwrap().as_str();
        let found = (finding.severity.as_str(), finding.code.as_str(), path);
        assert_eq!(found, (*severity, *code, *file), "{tags}: {findings:#?}");
        let text = format!("{}\n{}", finding.message, finding.evidence.join("\n"));
        assert!(text.contains(part), "{tags}: `{part}` is not in `{text}`");
    }
}

/// Checks one file of a Linux wheel.
fn one(python: &str, path: &str, bytes: &[u8], expected: &[(&str, &str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|&(severity, code, part)| (severity, code, path, part)).collect();
    check(&format!("{python}-{LINUX}"), &[(path, bytes)], &expected);
}

const WRONG: &str = "wrong-abi";

#[test]
fn modules_are_known_by_name_or_by_the_function_that_starts_them() {
    let check = |path: &str, bytes: &[u8], expected: Option<[&str; 3]>| {
        let extension = Extension::of(&read(&[(path, bytes)])[0]);
        let found =
            extension.map(|e| [e.module, e.python.unwrap_or_default(), e.abi.unwrap_or_default()]);
        assert_eq!(found, expected.map(|words| words.map(str::to_owned)), "{path}");
    };
    check("pkg/demo.so", STABLE, Some(["pkg.demo", "", ""]));
    check("pkg/other.so", STABLE, None);
    check("pkg/demo.abi3.so", STABLE, Some(["pkg.demo", "", "abi3"]));
    check("demo.cpython-313t-x86_64-linux-gnu.so", STABLE, Some(["demo", "cp313", "cp313t"]));
    check("x.data/platlib/pkg/demo.abi3t.so", STABLE, Some(["pkg.demo", "", "abi3t"]));
    check("x.data/data/lib/demo.so", STABLE, Some(["demo", "", ""]));
    check("pkg/demo.pypy310-pp73-darwin.so", STABLE, Some(["pkg.demo", "pp310", "pypy310_pp73"]));
    check("pkg/__init__.so", fixture!("package.so"), Some(["pkg", "", ""]));
    check("pkg/größe.so", fixture!("punycode.so"), Some(["pkg.größe", "", ""]));
    check("pkg/demo.so", fixture!("python2.so"), Some(["pkg.demo", "", ""]));
    check("pkg/demo.so", fixture!("export.so"), Some(["pkg.demo", "", ""]));
    check("pkg/demo.so", fixture!("stable.dylib"), Some(["pkg.demo", "", ""]));
    check("pkg/demo.pyd", fixture!("python3.dll"), Some(["pkg.demo", "", ""]));
    check("pkg/demo.dll", fixture!("python3.dll"), None);
    check("pkg/libhelper.so", fixture!("helper.so"), None);
}

#[test]
fn file_names_must_be_for_the_tags() {
    let good = |python: &str, name: &str| one(python, name, STABLE, &[]);
    let bad = |python: &str, name: &str, part: &str| {
        one(python, name, STABLE, &[("error", WRONG, part)]);
    };
    let cpython_312 = "demo.cpython-312-x86_64-linux-gnu.so";
    good("cp312-cp312", cpython_312);
    good("cp312-cp312", "demo.abi3.so");
    good("cp312-cp312", "demo.so");
    good("cp37-cp37m", "demo.cpython-37m-x86_64-linux-gnu.so");
    good("pp310-pypy310_pp73", "demo.pypy310-pp73-x86_64-linux-gnu.so");
    good("cp315-abi3.abi3t", "demo.abi3t.so");
    good("cp315-abi3t", "demo.abi3t-x86_64-linux-gnu.so");
    bad("cp311-cp311", cpython_312, "is for CPython 3.12; the wheel is for `cp311-cp311`");
    bad("cp313-cp313t", "demo.cpython-313-x86_64-linux-gnu.so", "is for CPython 3.13;");
    bad("cp313-cp313", "demo.cpython-313t-x86_64-linux-gnu.so", "for free-threaded CPython 3.13");
    bad("cp313-cp313t", "demo.abi3.so", "for CPython without free threads");
    bad("pp310-pypy310_pp73", cpython_312, "for `pp310-pypy310_pp73`");
    bad("cp39-abi3", cpython_312, "the wheel is for CPython from 3.9 on (`cp39-abi3`)");
    bad("cp39-abi3", "demo.abi3t.so", "for CPython from 3.15 on");
    bad(
        "cp315-abi3.abi3t",
        "demo.abi3.so",
        "the wheel is also for free-threaded CPython from 3.15 on",
    );
    bad(
        "cp311.cp312-cp311.cp312",
        cpython_312,
        "the wheel is also for CPython 3.11 (`cp311-cp311`)",
    );
}

#[test]
fn wheels_for_every_python_may_have_a_file_for_each() {
    let name = |minor: u8| format!("pkg/demo.cpython-3{minor}-x86_64-linux-gnu.so");
    let (old, new) = (name(11), name(12));
    let every = format!("py3-none-{LINUX}");
    let only = "is for CPython 3.12; the wheel is for every Python 3 (`py3-none`)";
    check(&every, &[(&new, STABLE)], &[("error", WRONG, &new, only)]);
    check(&every, &[(&old, STABLE), (&new, STABLE)], &[]);
    check(&every, &[("pkg/demo.so", STABLE)], &[]);
    check(&every, &[("pkg/demo.so", STABLE), (&new, STABLE)], &[]);
    check(&every, &[("pkg/demo.abi3.so", STABLE), ("pkg/demo.abi3t.so", STABLE)], &[]);
    let stable = "CPython without free threads; the wheel is for every Python 3";
    let path = "pkg/demo.abi3.so";
    check(&every, &[(path, STABLE)], &[("warning", WRONG, path, stable)]);
    // The same name in another directory is another module.
    let elsewhere = old.replace("pkg", "other");
    let files = [(elsewhere.as_str(), STABLE), (&new, STABLE)];
    let old_only = "is for CPython 3.11";
    check(&every, &files, &[("error", WRONG, &elsewhere, old_only), ("error", WRONG, &new, only)]);
    // A file that uses more than the stable ABI is for one release, whatever its name.
    let private = fixture!("private.so");
    let one_release = "_PyObject_GetDictPtr";
    check(&every, &[("pkg/demo.so", private)], &[("error", WRONG, "pkg/demo.so", one_release)]);
    check(&every, &[("pkg/libdemo.so", private)], &[]);
    // A leftover file from another build, beside the right one.
    let tags = format!("cp312-cp312-{LINUX}");
    check(&tags, &[(&old, STABLE), (&new, STABLE)], &[("warning", WRONG, &old, "CPython 3.11")]);
}

#[test]
fn file_names_must_be_for_the_system() {
    let check = |platform: &str, suffix: &str, is_right: bool| {
        let path = format!("demo{suffix}");
        let expected = [("error", WRONG, path.as_str(), "the suffix of another system")];
        let expected = if is_right { &[][..] } else { &expected[..] };
        let tags = format!("cp312-cp312-{platform}");
        check(&tags, &[(&path, STABLE)], expected);
    };
    let gnu = ".cpython-312-x86_64-linux-gnu.so";
    check("manylinux_2_17_x86_64.manylinux2014_x86_64", gnu, true);
    check("linux_x86_64", gnu, true);
    check("manylinux_2_17_aarch64", gnu, false);
    check("musllinux_1_2_x86_64", gnu, false);
    check("musllinux_1_2_x86_64.manylinux_2_17_x86_64", gnu, true);
    check("macosx_11_0_arm64", gnu, false);
    check("macosx_11_0_arm64", ".cpython-312-darwin.so", true);
    check("win_arm64", ".cp312-win_amd64.pyd", false);
    check("win_amd64", ".cp312-win_amd64.pyd", true);
    check("ios_13_0_arm64_iphoneos", gnu, false);
    check("ios_13_0_arm64_iphoneos", ".cpython-312-iphoneos.so", true);
    check("freebsd_14_amd64", gnu, true);
}

#[test]
fn somebody_must_start_the_module() {
    const MISSING: &str = "no-init-function";
    let demo = "demo.cpython-312-x86_64-linux-gnu.so";
    let other = "other.cpython-312-x86_64-linux-gnu.so";
    let named = "Python looks for `PyInit_other`, but it exports `PyInit_demo`";
    one("cp312-cp312", other, STABLE, &[("error", MISSING, named)]);
    let helper = fixture!("helper.so");
    one("cp312-cp312", demo, helper, &[("info", MISSING, "it exports no `PyInit_demo`")]);
    one("cp312-cp312", "libhelper.so", helper, &[]);
    let old = "its start function is `initdemo`; only Python 2 looks for it";
    one("cp312-cp312", demo, fixture!("python2.so"), &[("error", MISSING, old)]);
    one("cp27-cp27mu", "demo.so", fixture!("python2.so"), &[]);
    let new = "its start function is `PyModExport_demo`; only Pythons from 3.15 on look for it";
    one("cp312-cp312", demo, fixture!("export.so"), &[("error", MISSING, new)]);
    one("cp315-abi3", "demo.abi3.so", fixture!("export.so"), &[]);
    one("cp312-cp312", "pkg/__init__.so", fixture!("package.so"), &[]);
    one("cp312-cp312", "größe.so", fixture!("punycode.so"), &[]);
    let encoded = [("error", MISSING, "Python looks for `PyInitU_lnge_loa`")];
    one("cp312-cp312", "länge.abi3.so", STABLE, &encoded);
}

#[test]
fn the_stable_abi_is_kept() {
    const OUTSIDE: &str = "not-stable-abi";
    const NEWER: &str = "stable-abi-too-new";
    let demo = "demo.abi3.so";
    let newer = fixture!("newer.so");
    one("cp32-abi3", demo, STABLE, &[]);
    one("cp312-abi3", demo, newer, &[]);
    one(
        "cp311-abi3",
        demo,
        newer,
        &[(
            "error",
            NEWER,
            "it uses a symbol that `cp311-abi3` lacks; CPython 3.12 has it\nPyObject_Vectorcall, since 3.12",
        )],
    );
    one(
        "cp39-abi3",
        demo,
        newer,
        &[(
            "error",
            NEWER,
            "it uses 2 symbols that `cp39-abi3` lacks; CPython 3.12 has them all\nPyObject_Vectorcall, since 3.12\nPyUnicode_AsUTF8AndSize, since 3.10",
        )],
    );
    // Of several tags the oldest counts, and tags without a release do not count.
    one("cp312.cp39-abi3", demo, newer, &[("error", NEWER, "`cp39-abi3` lacks")]);
    one("cp39-abi3", "demo.so", newer, &[("error", NEWER, "2 symbols")]);
    one("cp312-cp312", demo, newer, &[]);
    one("cp310-cp310", demo, newer, &[("error", NEWER, "`cp310-cp310` lacks")]);
    let private = fixture!("private.so");
    let wheel = "the wheel claims the stable ABI, but it uses a symbol that is not part of it";
    one("cp39-abi3", demo, private, &[("error", OUTSIDE, wheel)]);
    one("cp39-abi3", "libdemo.so.1", private, &[("error", OUTSIDE, "_PyObject_GetDictPtr")]);
    one("cp312-cp312", demo, private, &[("warning", OUTSIDE, "its name claims the stable ABI")]);
    one("cp312-cp312", "demo.so", private, &[]);
    let windows = "PyErr_SetFromWindowsErr, which only Python for Windows has";
    one("cp39-abi3", demo, fixture!("windows.so"), &[("error", OUTSIDE, windows)]);
    let threads = "only free-threaded Pythons have; the wheel is for `cp39-abi3`\n_Py_DecRefShared";
    one("cp39-abi3", demo, fixture!("threads.so"), &[("error", WRONG, threads)]);
    one("cp313-cp313", "demo.so", fixture!("threads.so"), &[("error", WRONG, "_Py_DecRefShared")]);
    one("cp313-cp313t", "demo.so", fixture!("threads.so"), &[]);
    // Other libraries also have such names: in the wheel, or perhaps outside.
    let helped = fixture!("helped.so");
    one("cp39-abi3", demo, helped, &[("error", OUTSIDE, "PyDemo_New")]);
    let tags = format!("cp39-abi3-{LINUX}");
    check(&tags, &[(demo, helped), ("demo.libs/libhelper.so", fixture!("helper.so"))], &[]);
    let unless = "that is not part of it, unless `libhelper.so` has it";
    one("cp39-abi3", demo, fixture!("strange.so"), &[("warning", OUTSIDE, unless)]);
}

#[test]
fn macos_and_windows_files_are_held_to_it_as_well() {
    let mac = "cp310-abi3-macosx_10_12_x86_64";
    check(mac, &[("demo.abi3.so", fixture!("stable.dylib"))], &[]);
    let both = |path: &'static str| {
        [
            ("error", "not-stable-abi", path, "_PyObject_GetDictPtr"),
            ("error", "stable-abi-too-new", path, "PyObject_Vectorcall, since 3.12"),
        ]
    };
    check(mac, &[("demo.abi3.so", fixture!("newer-private.dylib"))], &both("demo.abi3.so"));
    let windows = "cp310-abi3-win_amd64";
    check(windows, &[("demo.pyd", fixture!("python3.dll"))], &[]);
    check(windows, &[("demo.pyd", fixture!("newer-private.dll"))], &both("demo.pyd"));
}

#[test]
fn windows_files_load_the_library_of_their_python() {
    let check = |python: &str, bytes: &[u8], expected: &[&str]| {
        let expected: Vec<_> =
            expected.iter().map(|part| ("error", WRONG, "demo.pyd", *part)).collect();
        check(&format!("{python}-win_amd64"), &[("demo.pyd", bytes)], &expected);
    };
    let stable = fixture!("python3.dll");
    let free_threaded = fixture!("python3t.dll");
    let python312 = fixture!("python312.dll");
    let python313t = fixture!("python313t.dll");
    check("cp312-cp312", python312, &[]);
    check("cp312-cp312", stable, &[]);
    check("cp313-cp313t", python313t, &[]);
    check("cp315-abi3t", free_threaded, &[]);
    check("cp315-abi3.abi3t", free_threaded, &[]);
    check("cp312-none", python312, &[]);
    check("cp311-cp311", python312, &["it needs `python312.dll`, the library of CPython 3.12"]);
    check("cp39-abi3", python312, &["CPython 3.12; the wheel is for CPython from 3.9 on"]);
    check("py3-none", python312, &["CPython 3.12; the wheel is for every Python 3"]);
    check("cp313-cp313", python313t, &["the library of free-threaded CPython 3.13"]);
    check("cp313-cp313t", stable, &["the library of CPython without free threads"]);
    check("cp315-abi3t", stable, &["the wheel is for `cp315-abi3t`"]);
    check("pp310-pypy310_pp73", python312, &["the wheel is for `pp310-pypy310_pp73`"]);
    // Python on Windows does not look for this name.
    let path = "demo.abi3.pyd";
    let expected = [("error", WRONG, path, "is for no Python")];
    tests::check("cp39-abi3-win_amd64", &[(path, stable)], &expected);
    // Its name is for one Python, its library for another.
    let path = "demo.cp311-win_amd64.pyd";
    let expected = [("error", WRONG, path, "no Python for `cp311.cp312-cp311.cp312` is both")];
    tests::check("cp311.cp312-cp311.cp312-win_amd64", &[(path, python312)], &expected);
    // A Python inside the wheel is independent of the tags.
    let files = [("app/demo.dll", python312), ("app/Python312.dll", stable)];
    tests::check("py3-none-win_amd64", &files, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Reading and judging a damaged file ends without a panic.
    #[test]
    fn changed_bytes_are_no_trouble(
        which in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        head in prop::collection::vec((0_usize..1200, any::<u8>()), 0..4),
    ) {
        let fixtures =
            [fixture!("newer.so"), fixture!("newer-private.dylib"), fixture!("newer-private.dll")];
        let mut bytes = fixtures[which].to_vec();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        for (at, byte) in head {
            bytes[at] = byte;
        }
        let file = NativeFile::read(&"p/demo.abi3.so".parse().unwrap(), &bytes);
        let files: Vec<NativeFile> = file.into_iter().collect();
        super::check(&files, &"cp39-abi3".parse().unwrap(), &[LINUX.parse().unwrap()]);
    }

    #[test]
    fn any_name_is_taken_apart(name in "\\PC{0,40}", suffix in "(\\.(cpython|cp|pypy|abi3t?)[-0-9a-zé]{0,12})?\\.(so|pyd)") {
        for text in [format!("{name}{suffix}"), suffix] {
            if let Some(found) = ModuleName::parse(&text) {
                prop_assert_eq!(format!("{}{}", found.module, found.suffix), text);
            }
        }
        name::exported_name(&name);
    }
}

#[test]
fn messages_say_what_is_wrong_and_with_which_tag() {
    let files = read(&[("demo.abi3.so", fixture!("newer.so"))]);
    let findings = super::check(&files, &"cp39-abi3".parse().unwrap(), &[LINUX.parse().unwrap()]);
    assert_eq!(
        findings[0].message,
        "it uses 2 symbols that `cp39-abi3` lacks; CPython 3.12 has them all"
    );
    assert!(super::check(&[], &"py3-none".parse().unwrap(), &[PlatformTag::Any]).is_empty());
}
