use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::library::file_name;
use super::*;
use crate::audit::Allowances;
use crate::name::PlatformTag;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/", $name)).as_slice()
    };
}

/// Libraries by name.
struct Map(BTreeMap<&'static str, &'static [u8]>);

impl LibrarySearch for Map {
    fn find(
        &self,
        name: &str,
        _: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library> {
        let name = file_name(name);
        let bytes = *self.0.get(name)?;
        let file = NativeFile::read(&name.parse().ok()?, bytes)?;
        let path = format!("/root/lib/{name}").into();
        fits(&file).then(|| Library { path, sha256: Digest::of(bytes), file })
    }
}

fn planned(
    tag: &str,
    files: &[(&str, &[u8])],
    libraries: &[(&'static str, &'static [u8])],
    exclude: &[&str],
) -> RepairPlan {
    let exclude: Vec<String> = exclude.iter().map(|pattern| (*pattern).to_owned()).collect();
    let allowances = Allowances::new(&exclude, Vec::new()).unwrap();
    let options = Options { allowances, ..Options::default() };
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    planned_with(tag, &paths, files, libraries, &options)
}

/// Returns the plan for a wheel with the files `paths`, some of which are native.
fn planned_with(
    tag: &str,
    paths: &[&str],
    files: &[(&str, &[u8])],
    libraries: &[(&'static str, &'static [u8])],
    options: &Options,
) -> RepairPlan {
    let tag: PlatformTag = tag.parse().unwrap();
    let filename = format!("demo-1.0-py3-none-{tag}.whl").parse().unwrap();
    let paths = paths.iter().map(|path| path.parse().unwrap()).collect();
    let files: Vec<NativeFile> = (files.iter())
        .filter_map(|(path, bytes)| NativeFile::read(&path.parse().unwrap(), *bytes))
        .collect();
    let lookup = Map(libraries.iter().copied().collect());
    let wanted = [Requirement::for_tag(&tag).unwrap()];
    plan(&filename, &paths, &files, &wanted, &lookup, options)
}

/// Returns the plan as lines: grafts, moves, changes, hooks, missing libraries.
fn lines(plan: &RepairPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for graft in &plan.grafts {
        lines.push(format!("+ {} for {}", graft.into, graft.needed_as.join(" ")));
    }
    for script in &plan.scripts {
        lines.push(format!("> {} to {}", script.from, script.to));
    }
    for (path, edit) in &plan.edits {
        let mut line = format!("~ {path}");
        if let Some(id) = &edit.id {
            _ = write!(line, " id={id}");
        }
        for (old, new) in &edit.renamed {
            _ = write!(line, " {old}={new}");
        }
        if edit.search != Search::Keep {
            _ = write!(line, " {:?}", edit.search);
        }
        lines.push(line);
    }
    lines.extend(plan.hooks.keys().map(|path| format!("^ {path}")));
    for missing in &plan.missing {
        lines.push(format!("? {} of {}", missing.library, missing.by));
    }
    lines
}

const PLAIN: (&str, &[u8]) = ("libplain.so", fixture!("elf/x86_64.so"));
const LINUX: &str = "manylinux_2_28_x86_64";

fn hash(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()[..8].to_owned()
}

#[test]
fn elf_libraries_are_copied_and_found() {
    let name = format!("libplain-{}.so", hash(PLAIN.1));
    let check = |files: &[(&str, &[u8])], expected: &[String]| {
        let plan = planned(LINUX, files, &[PLAIN], &[]);
        assert_eq!(lines(&plan), expected);
    };
    let graft = format!("+ demo.libs/{name} for libplain.so");
    let copy = format!("~ demo.libs/{name} id={name}");
    let user = |path: &str, rpath: &str| format!("~ {path} libplain.so={name} Rpath([{rpath}])");
    // Its own entry is kept, because it stays inside the wheel.
    let expected = [
        graft.clone(),
        copy.clone(),
        user("demo/sub/x.so", r#""$ORIGIN", "$ORIGIN/../../demo.libs""#),
    ];
    check(&[("demo/sub/x.so", fixture!("elf/runpath.so"))], &expected);
    // An entry that leaves the wheel is removed.
    let expected = [graft.clone(), copy, user("x.so", r#""$ORIGIN/demo.libs""#)];
    check(&[("x.so", fixture!("elf/rpath-outside.so"))], &expected);
    // A library in the search path needs no change.
    check(&[("p/x.so", fixture!("elf/runpath.so")), ("p/libplain.so", PLAIN.1)], &[]);
    // A program is moved if it cannot find the libraries from its directory.
    let path = "demo-1.0.data/scripts/x";
    let plan = planned(LINUX, &[(path, fixture!("elf/runpath.so"))], &[PLAIN], &[]);
    assert_eq!(lines(&plan)[1], format!("> {path} to demo.scripts/x"));
    assert!(lines(&plan)[2].ends_with(r#"Rpath(["$ORIGIN", "$ORIGIN/../demo.libs"])"#), "{plan:?}");
    // No relative path leads from that directory to the libraries.
    let path = "demo-1.0.data/data/lib/x.so";
    let plan = planned(LINUX, &[(path, fixture!("elf/runpath.so"))], &[PLAIN], &[]);
    assert!(
        plan.missing[0].reason.as_ref().unwrap().contains("no relative path leads"),
        "{plan:?}"
    );
}

#[test]
fn a_library_in_the_wrong_place_is_pointed_to() {
    let files =
        [("p/x.so", fixture!("elf/runpath.so")), ("p/lib/libplain.so", fixture!("elf/x86_64.so"))];
    let plan = planned(LINUX, &files, &[], &[]);
    assert_eq!(lines(&plan), [r#"~ p/x.so Rpath(["$ORIGIN", "$ORIGIN/lib"])"#]);
}

#[test]
fn what_is_not_found_is_said() {
    let files = [("p/x.so", fixture!("elf/runpath.so"))];
    assert_eq!(lines(&planned(LINUX, &files, &[], &[])), ["? libplain.so of p/x.so"]);
    // A library for another processor is ignored.
    let other = [("libplain.so", fixture!("elf/aarch64.so"))];
    assert_eq!(lines(&planned(LINUX, &files, &other, &[])), ["? libplain.so of p/x.so"]);
    let excluded = planned(LINUX, &files, &[PLAIN], &["libpl*"]);
    assert!(lines(&excluded).is_empty(), "{excluded:?}");
}

#[test]
fn mach_o_libraries_keep_their_names() {
    let tag = "macosx_13_0_arm64";
    let files = [("p/x.dylib", fixture!("macho/loader-path.dylib"))];
    let library = ("libplain.dylib", fixture!("macho/arm64.dylib"));
    let needed =
        NativeFile::read(&"x".parse().unwrap(), files[0].1).unwrap().macho().unwrap().clone();
    let needed: Vec<&str> = needed.slices[0].needed.iter().map(|n| n.name.as_str()).collect();
    let name = needed.iter().find(|name| name.starts_with('@')).unwrap();
    let base = name.rsplit('/').next().unwrap();
    let library = (base.to_owned().leak() as &'static str, library.1);
    let plan = planned(tag, &files, &[library], &[]);
    let text = lines(&plan);
    assert_eq!(text[0], format!("+ p/.dylibs/{base} for {name}"));
    assert!(text[1].starts_with(&format!("~ p/.dylibs/{base} id=@rpath/{base}")), "{text:?}");
    assert!(
        text[2].starts_with(&format!("~ p/x.dylib {name}=@loader_path/.dylibs/{base}")),
        "{text:?}"
    );
}

#[test]
fn libraries_of_a_windows_program_lie_beside_it() {
    let program = fixture!("pe/program.exe");
    let needed = NativeFile::read(&"x".parse().unwrap(), program).unwrap().pe().unwrap().clone();
    let is_foreign = |name: &&String| !name.to_lowercase().starts_with("kernel32");
    let names = needed.imports.iter().map(|import| &import.library);
    let Some(name) = names.into_iter().find(is_foreign) else {
        panic!("it needs {:?}", needed.imports);
    };
    let library = (name.clone().leak() as &'static str, fixture!("pe/x64.dll"));
    let plan = planned("win_amd64", &[("p/bin/x.exe", program)], &[library], &[]);
    assert!(
        plan.grafts[0].into.as_str().starts_with("p/bin/") && plan.hooks.is_empty(),
        "{plan:?}"
    );
    // Each directory of programs has its own copies.
    let two = [("p/a/x.exe", program), ("demo-1.0.data/scripts/y.exe", program)];
    let plan = planned("win_amd64", &two, &[library], &[]);
    let dirs = plan.grafts.iter().map(|graft| graft.into.parent().unwrap());
    assert_eq!(dirs.collect::<Vec<_>>(), ["demo-1.0.data/scripts", "p/a"]);
    assert!(plan.missing.is_empty() && plan.hooks.is_empty(), "{plan:?}");
}

/// Returns the library that `pe/user.dll` requires.
fn needed_dll() -> (&'static str, &'static [u8]) {
    let user = NativeFile::read(&"x".parse().unwrap(), fixture!("pe/user.dll")).unwrap();
    let imports = user.pe().unwrap().clone().imports;
    let name = imports.into_iter().find(|import| !import.is_delayed).unwrap().library;
    (name.leak(), fixture!("pe/x64.dll"))
}

#[test]
fn dlls_lie_where_windows_finds_them() {
    let user = fixture!("pe/user.dll");
    // Directories of the copies, and the files that add a directory.
    let check = |options: &Options, paths: &[&str], dirs: &[&str], hooks: &[&str]| {
        let is_native = |path: &&&str| !path.contains(".py") || path.contains(".pyd");
        let files: Vec<(&str, &[u8])> =
            paths.iter().filter(is_native).map(|path| (*path, user)).collect();
        let plan = planned_with("win_amd64", paths, &files, &[needed_dll()], options);
        let found = plan.grafts.iter().map(|graft| graft.into.parent().unwrap_or(""));
        assert_eq!(found.collect::<Vec<_>>(), dirs, "{paths:?}");
        let found = plan.hooks.iter().map(|(path, hook)| format!("{path} {}", hook.depth));
        assert_eq!(found.collect::<Vec<_>>(), hooks, "{paths:?}");
        assert!(plan.missing.is_empty(), "{plan:?}");
    };
    let usual = Options::default();
    check(&usual, &["p/__init__.py", "p/x.pyd"], &["demo.libs"], &["p/__init__.py 1"]);
    // The closest package above the module.
    let deep = ["p/__init__.py", "p/a/__init__.py", "p/a/b/x.pyd"];
    check(&usual, &deep, &["demo.libs"], &["p/a/__init__.py 2"]);
    // Python imports the parent first.
    let both = ["p/__init__.py", "p/x.pyd", "p/a/__init__.py", "p/a/y.pyd"];
    check(&usual, &both, &["demo.libs"], &["p/__init__.py 1"]);
    // Directories that installers merge.
    let platlib = "demo-1.0.data/platlib/p/x.pyd";
    check(&usual, &["p/__init__.py", platlib], &["demo.libs"], &["p/__init__.py 1"]);
    let init = "demo-1.0.data/purelib/p/__init__.py";
    check(&usual, &[init, platlib], &["demo.libs"], &[&format!("{init} 1")]);
    // One directory once installed has one copy.
    let parts = ["platlib", "purelib"].map(|part| format!("demo-1.0.data/{part}/ns/{part}.pyd"));
    let [platlib_part, purelib_part] = [parts[0].as_str(), parts[1].as_str()];
    check(&usual, &[purelib_part, platlib_part, "ns/x.pyd"], &["ns"], &[]);
    check(&usual, &[platlib_part, purelib_part], &["demo-1.0.data/platlib/ns"], &[]);
    check(&usual, &["demo-1.0.data/purelib/y.pyd", "x.pyd"], &[""], &[]);
    // Without a package: beside the module.
    check(&usual, &["x.pyd"], &[""], &[]);
    check(&usual, &["demo-1.0.data/platlib/x.pyd"], &["demo-1.0.data/platlib"], &[]);
    check(&usual, &["demo-1.0.data/data/x.pyd"], &["demo-1.0.data/data"], &[]);
    check(&usual, &["ns/x.pyd", "ns/y.pyd", "ns/a.py"], &["ns"], &[]);
    check(&usual, &["ns/p/__init__.py", "ns/p/x.pyd"], &["demo.libs"], &["ns/p/__init__.py 2"]);
    check(
        &usual,
        &["ns/x.pyd", "p/__init__.py", "p/y.pyd"],
        &["demo.libs", "ns"],
        &["p/__init__.py 1"],
    );
    // Directory of the user's choice.
    let beside = Options { lib_dir: Some("ns/p".into()), ..Options::default() };
    check(&beside, &["ns/p/__init__.py", "ns/p/x.pyd"], &["ns/p"], &[]);
    // Packages that the user declares to be namespaces.
    let named =
        |name: &str| Options { namespace_packages: vec![name.into()], ..Options::default() };
    let nested = ["a/__init__.py", "a/b/__init__.py", "a/b/x.pyd"];
    check(&named("a"), &nested, &["demo.libs"], &["a/b/__init__.py 2"]);
    check(&named("a.b"), &nested, &["a/b"], &[]);
    check(&named("a.bc"), &nested, &["demo.libs"], &["a/b/__init__.py 2"]);
}

#[test]
fn libraries_of_the_system_are_copied_on_request() {
    let include = |name: &str| Options { include: vec![name.to_owned()], ..Options::default() };
    let libc = ("libc.so.6", fixture!("elf/x86_64.so"));
    let elf = ("p/x.so", fixture!("elf/x86_64.so"));
    // A wheel never contains the C library.
    let plan = planned_with(LINUX, &[elf.0], &[elf], &[libc], &include("libc.so.6"));
    assert!(plan.grafts.is_empty(), "{plan:?}");
    let dll = ("p/x.pyd", fixture!("pe/user.dll"));
    // A library that no file requires keeps its name.
    let plan = planned_with(
        "win_amd64",
        &[dll.0],
        &[dll],
        &[needed_dll(), ("Other.dll", fixture!("pe/x64.dll"))],
        &include("Other.dll"),
    );
    assert!(
        plan.grafts.iter().any(|graft| graft.into.as_str() == "demo.libs/Other.dll"),
        "{plan:?}"
    );
    let plan = planned_with("win_amd64", &[dll.0], &[dll], &[needed_dll()], &include("absent.dll"));
    assert_eq!(plan.missing[0].by, "--include");
    // Case is ignored, and so are directories in macOS names.
    for (pattern, library, expected) in [
        ("vcruntime140*", "VCRUNTIME140_1.dll", true),
        ("VCRUNTIME140.dll", "vcruntime140.dll", true),
        ("libc++.1.dylib", "/usr/lib/libc++.1.dylib", true),
        ("libstdc++.so.6", "libstdc++.so.6", true),
        ("libstdc++.so", "libstdc++.so.6", false),
    ] {
        assert_eq!(include(pattern).includes(library), expected, "{pattern} {library}");
    }
    include("a[").check().unwrap_err();
}

#[test]
fn dlls_are_renamed_and_announced() {
    let files = [("p/sub/x.pyd", fixture!("pe/user.dll"))];
    let (name, bytes) = needed_dll();
    let paths = ["p/sub/x.pyd", "p/__init__.py"];
    let plan = planned_with("win_amd64", &paths, &files, &[(name, bytes)], &Options::default());
    let text = lines(&plan);
    let (base, _) = name.split_once('.').unwrap();
    let copy = format!("{}-{}.dll", base.to_lowercase(), hash(bytes));
    assert!(text.contains(&format!("+ demo.libs/{copy} for {name}")), "{text:?}");
    assert!(
        text.iter().any(|line| line.contains(&format!("~ p/sub/x.pyd {name}={copy}"))),
        "{text:?}"
    );
    assert!(text.contains(&"^ p/__init__.py".to_owned()), "{text:?}");
}

#[test]
fn removed_search_paths_are_recorded() {
    let check = |file: &[u8], expected: usize| {
        let plan = planned(LINUX, &[("p/x.so", file)], &[PLAIN], &[]);
        assert_eq!(plan.removed_paths.values().flatten().count(), expected, "{plan:?}");
    };
    check(fixture!("elf/rpath-outside.so"), 1);
    check(fixture!("elf/runpath.so"), 0);
}

#[test]
fn android_reads_runpath_alone() {
    let files = [("p/x.so", fixture!("elf/runpath.so"))];
    let plan = planned("android_24_x86_64", &files, &[PLAIN], &[]);
    let edit = &plan.edits[&"p/x.so".parse::<WheelPath>().unwrap()];
    let expected = ["$ORIGIN", "$ORIGIN/../demo.libs"].map(str::to_owned).to_vec();
    assert_eq!(edit.search, Search::Runpath(expected));
}

#[test]
fn mach_o_paths_hold_once_installed() {
    let file = fixture!("macho/loader-path.dylib");
    let needed = NativeFile::read(&"x".parse().unwrap(), file).unwrap().macho().unwrap().clone();
    let needed = needed.slices[0].needed.iter().find(|n| n.name.starts_with('@')).unwrap();
    let base = file_name(&needed.name).to_owned().leak();
    let library = (&*base, fixture!("macho/arm64.dylib"));
    let check = |path: &str, copy: &str, name: &str| {
        let plan = planned("macosx_13_0_arm64", &[(path, file)], &[library], &[]);
        assert_eq!(plan.grafts[0].into.as_str(), format!("{copy}/{base}"));
        let edit = &plan.edits[&path.parse::<WheelPath>().unwrap()];
        assert_eq!(edit.renamed[&needed.name], format!("{name}/{base}"), "{path}");
    };
    check("p/x.so", "p/.dylibs", "@loader_path/.dylibs");
    check("demo-1.0.data/platlib/p/x.so", "p/.dylibs", "@loader_path/.dylibs");
    check("demo-1.0.data/purelib/p/a/x.so", "p/.dylibs", "@loader_path/../.dylibs");
    check("x.so", "demo.dylibs", "@loader_path/demo.dylibs");
    // A program is moved to a directory with a relative path to the copies.
    check("demo-1.0.data/scripts/x", "demo.dylibs", "@loader_path/../demo.dylibs");
}
