use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
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
        let bytes = *self.0.get(name)?;
        let file = NativeFile::read(&name.parse().ok()?, bytes)?;
        let source = format!("/root/lib/{name}");
        fits(&file).then(|| Library { source, sha256: Digest::of(bytes), file })
    }
}

fn planned(
    tag: &str,
    files: &[(&str, &[u8])],
    libraries: &[(&'static str, &'static [u8])],
    exclude: &[&str],
) -> RepairPlan {
    let tag: PlatformTag = tag.parse().unwrap();
    let filename = format!("demo-1.0-py3-none-{tag}.whl").parse().unwrap();
    let files: Vec<NativeFile> = (files.iter())
        .filter_map(|(path, bytes)| NativeFile::read(&path.parse().unwrap(), *bytes))
        .collect();
    let exclude: Vec<String> = exclude.iter().map(|pattern| (*pattern).to_owned()).collect();
    let options =
        Options { terms: Allowances::new(&exclude, Vec::new()).unwrap(), ..Options::default() };
    let lookup = Map(libraries.iter().copied().collect());
    plan(&filename, &files, &Requirement::for_tag(&tag).unwrap(), &lookup, &options)
}

/// The plan as lines: grafts, moves, changes, hooks, what is missing.
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
        if edit.search != crate::patch::Search::Keep {
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
    // Its own entry stays, since it leads into the wheel.
    let expected = [
        graft.clone(),
        copy.clone(),
        user("demo/sub/x.so", r#""$ORIGIN", "$ORIGIN/../../demo.libs""#),
    ];
    check(&[("demo/sub/x.so", fixture!("elf/runpath.so"))], &expected);
    // An entry that leads out of it goes.
    let expected = [graft.clone(), copy, user("x.so", r#""$ORIGIN/demo.libs""#)];
    check(&[("x.so", fixture!("elf/rpath-outside.so"))], &expected);
    // What is there already needs nothing.
    check(&[("p/x.so", fixture!("elf/runpath.so")), ("p/libplain.so", PLAIN.1)], &[]);
    // A program that cannot see the libraries from where it lies moves.
    let path = "demo-1.0.data/scripts/x";
    let plan = planned(LINUX, &[(path, fixture!("elf/runpath.so"))], &[PLAIN], &[]);
    assert_eq!(lines(&plan)[1], format!("> {path} to demo.scripts/x"));
    assert!(lines(&plan)[2].ends_with(r#"Rpath(["$ORIGIN", "$ORIGIN/../demo.libs"])"#), "{plan:?}");
    // From there no path leads anywhere.
    let path = "demo-1.0.data/data/lib/x.so";
    let plan = planned(LINUX, &[(path, fixture!("elf/runpath.so"))], &[PLAIN], &[]);
    assert!(plan.missing[0].reason.as_ref().unwrap().contains("no path leads"), "{plan:?}");
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
    // A library of another processor is none.
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
    // From two places they are beside one at most.
    let two = [("p/a/x.exe", program), ("p/b/y.exe", program)];
    let plan = planned("win_amd64", &two, &[library], &[]);
    let reason = plan.missing[0].reason.as_ref().unwrap();
    assert!(reason.contains("beside it"), "{reason}");
}

#[test]
fn dlls_are_renamed_and_announced() {
    let files = [("p/sub/x.pyd", fixture!("pe/user.dll"))];
    let needed = NativeFile::read(&"x".parse().unwrap(), files[0].1).unwrap().pe().unwrap().clone();
    let name = &needed.imports.iter().find(|import| !import.is_delayed).unwrap().library;
    let library = (name.clone().leak() as &'static str, fixture!("pe/x64.dll"));
    let plan = planned("win_amd64", &files, &[library], &[]);
    let text = lines(&plan);
    let (base, _) = name.split_once('.').unwrap();
    let copy = format!("{}-{}.dll", base.to_lowercase(), hash(library.1));
    assert!(text.contains(&format!("+ demo.libs/{copy} for {name}")), "{text:?}");
    assert!(
        text.iter().any(|line| line.contains(&format!("~ p/sub/x.pyd {name}={copy}"))),
        "{text:?}"
    );
    assert!(text.contains(&"^ p/__init__.py".to_owned()), "{text:?}");
}
