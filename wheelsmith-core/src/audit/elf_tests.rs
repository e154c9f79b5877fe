use super::*;
use crate::binary::Exports;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/elf/", $name)).as_slice()
    };
}

fn file(path: &str, bytes: &[u8]) -> NativeFile {
    NativeFile::read(&path.parse().unwrap(), bytes).unwrap()
}

/// Reads a file and edits its facts.
fn edited(path: &str, bytes: &[u8], edit: impl FnOnce(&mut NativeFile)) -> NativeFile {
    let mut file = file(path, bytes);
    edit(&mut file);
    file
}

fn elf(file: &mut NativeFile) -> &mut crate::binary::elf::Elf {
    let Facts::Elf(elf) = &mut file.facts else { panic!("no ELF file") };
    elf
}

/// Judges files for a tag and compares the resulting tag and the findings, as `code file`. Ignores
/// the findings that nearly every small file gets.
#[track_caller]
fn check_under(
    files: &[NativeFile],
    allowances: &Allowances,
    tag: &str,
    earned: &str,
    findings: &[&str],
) {
    const LEFT_OUT: [Code; 2] = [Code::NoBuildId, Code::NoRelro];
    let wanted = Requirement::for_tag(&tag.parse().unwrap()).unwrap();
    let audit = judgement(files.to_vec(), None, &wanted.allowing(allowances.clone()));
    let said = audit.findings.iter().filter(|finding| !LEFT_OUT.contains(&finding.code));
    let text = |f: &Finding| format!("{} {}", f.code, f.file.as_ref().map_or("", |p| p.as_str()));
    assert_eq!(said.map(text).collect::<Vec<_>>(), findings, "{:#?}", audit.findings);
    assert_eq!(audit.tag_text(), earned);
}

#[track_caller]
fn check(files: &[NativeFile], tag: &str, earned: &str, findings: &[&str]) {
    check_under(files, &Allowances::default(), tag, earned, findings);
}

const X86_64: &str = "manylinux_2_17_x86_64";
const LINUX: &str = "linux_x86_64";

#[test]
fn newer_processors_are_no_promise() {
    let v3 = |path: &str| [file(path, fixture!("x86-64-v3.so"))];
    check(&v3("p/lib.so"), X86_64, LINUX, &["isa-too-new p/lib.so"]);
    check(&v3("p/glibc-hwcaps/x86-64-v3/lib.so"), X86_64, "manylinux_2_5_x86_64", &[]);
}

#[test]
fn floating_point_arguments_must_lie_where_the_target_has_them() {
    let soft = [file("p/lib.so", fixture!("soft-float.so"))];
    check(&soft, "manylinux_2_17_armv7l", "linux_armv7l", &["wrong-arch p/lib.so"]);
    let hard = [file("p/lib.so", fixture!("armv7l.so"))];
    check(&hard, "manylinux_2_17_armv7l", "manylinux_2_17_armv7l", &[]);
    // The loader skips the one for another ABI.
    let user = edited("p/user.so", fixture!("armv7l.so"), |file| {
        elf(file).needed = vec!["lib.so".to_owned()];
        elf(file).runpath = vec!["$ORIGIN".to_owned()];
    });
    let [soft] = soft;
    let both = ["wrong-arch p/lib.so", "external-library p/user.so"];
    check(&[soft, user], "manylinux_2_17_armv7l", "linux_armv7l", &both);
    let riscv = edited("p/lib.so", fixture!("riscv64.so"), |file| {
        assert_eq!(elf(file).float_abi, Some(crate::binary::elf::FloatAbi::Double));
        elf(file).float_abi = Some(crate::binary::elf::FloatAbi::Soft);
    });
    check(&[riscv], "manylinux_2_31_riscv64", "linux_riscv64", &["wrong-arch p/lib.so"]);
}

#[test]
fn large_pages_need_large_alignment() {
    let tag = "manylinux_2_17_aarch64";
    check(&[file("p/lib.so", fixture!("aarch64.so"))], tag, tag, &[]);
    let small = [file("p/lib.so", fixture!("page-4k.so"))];
    check(&small, tag, tag, &["page-alignment p/lib.so"]);
}

#[test]
fn symbols_that_nobody_has_are_pointed_at() {
    let gaps = file("p/lib.so", fixture!("gaps.so"));
    let fpe = "fpe-symbols p/lib.so";
    check(std::slice::from_ref(&gaps), X86_64, LINUX, &[fpe, "undefined-symbol p/lib.so"]);
    let names = |file: NativeFile| {
        let wanted = Requirement::for_tag(&X86_64.parse().unwrap()).unwrap();
        let findings = judge(&[file], &wanted).findings;
        findings.into_iter().find(|f| f.code == Code::UndefinedSymbol).map(|f| f.evidence)
    };
    // The symbols of Python are available, because only Python loads a library that uses them.
    assert_eq!(names(gaps.clone()), Some(vec!["absent_function".to_owned()]));
    // The unversioned symbols of another library outside the wheel are unknown.
    let needs_more = edited("p/lib.so", fixture!("gaps.so"), |file| {
        elf(file).needed.push("libz.so.1".to_owned());
    });
    assert_eq!(names(needs_more), None);
    // Nor are the symbols of the process known if a library needs no other library.
    assert_eq!(names(edited("p/lib.so", fixture!("gaps.so"), |f| elf(f).needed.clear())), None);
    let weak = edited("p/lib.so", fixture!("gaps.so"), |file| {
        file.symbols.undefined.iter_mut().for_each(|symbol| symbol.weak = true);
    });
    assert_eq!(names(weak), None);
}

#[test]
fn functions_without_a_version_need_the_glibc_that_has_them() {
    let check = |edit: fn(&mut NativeFile), tag: &str, earned: &str, findings: &[&str]| {
        let user = edited("p/lib.so", fixture!("gaps.so"), |file| {
            let undefined = &mut file.symbols.undefined;
            undefined.retain(|symbol| symbol.name != "PyFPE_counter");
            let absent = undefined.iter_mut().find(|s| s.name == "absent_function").unwrap();
            "strlcpy".clone_into(&mut absent.name);
            edit(file);
        });
        check(&[user, file("p/other.so", fixture!("x86_64.so"))], tag, earned, findings);
    };
    let [old, new] = ["manylinux_2_17_x86_64", "manylinux_2_38_x86_64"];
    let too_new = ["symbol-too-new p/lib.so"];
    check(|_| {}, old, new, &too_new);
    check(|_| {}, new, new, &[]);
    // It is loaded into a process with glibc in any case.
    check(|file| elf(file).needed.clear(), old, new, &too_new);
    check(|file| file.symbols.undefined.iter_mut().for_each(|s| s.weak = true), old, old, &[]);
    // Another library may define it: one outside the wheel, or a file of the wheel.
    check(|file| elf(file).needed.push("libX11.so.6".to_owned()), old, old, &[]);
    check(|file| file.symbols.exports = Exports::of(["strlcpy"]), old, old, &[]);
}

#[test]
fn what_is_loaded_together_serves_each_other() {
    // `user.so` calls a function of `libplain.so`; here without a version, and another file needs
    // the library.
    let user = edited("p/user.so", fixture!("runpath.so"), |file| {
        assert!(file.symbols.undefined.iter().any(|symbol| symbol.name == "plain_length"));
        elf(file).needed = vec!["libc.so.6".to_owned()];
    });
    let plain = || file("p/libplain.so", fixture!("x86_64.so"));
    let asked = ["undefined-symbol p/user.so"];
    check(&[user.clone(), plain()], X86_64, X86_64, &asked);
    let first = edited("p/first.so", fixture!("runpath.so"), |file| {
        elf(file).needed =
            ["libplain.so", "user.so", "libc.so.6"].into_iter().map(str::to_owned).collect();
    });
    check(&[user, plain(), first], X86_64, X86_64, &[]);
}

#[test]
fn libpython_is_no_library_of_a_wheel() {
    let library = edited("p/lib.so", fixture!("x86_64.so"), |file| {
        elf(file).needed.push("libpython3.12.so.1.0".to_owned());
    });
    check(&[library], X86_64, LINUX, &["libpython p/lib.so"]);
}

#[test]
fn what_should_not_be_there_twice_or_at_all_is_noted() {
    let plain = |path: &str| file(path, fixture!("x86_64.so"));
    let twice = ["duplicate-library p/libplain.so"];
    check(&[plain("p/libplain.so"), plain("q/libplain.so.1")], X86_64, X86_64, &twice);
    let variants = [plain("p/libplain.so"), plain("p/glibc-hwcaps/x86-64-v3/libplain.so")];
    check(&variants, X86_64, X86_64, &[]);
    let grafted = [plain("p.libs/libplain.so"), file("p/user.so", fixture!("runpath.so"))];
    let both = ["external-library p/user.so", "unused-library p.libs/libplain.so"];
    check(&grafted, X86_64, LINUX, &both);
    let user = edited("p/user.so", fixture!("runpath.so"), |file| {
        elf(file).runpath = vec!["$ORIGIN/../p.libs".to_owned()];
    });
    check(&[plain("p.libs/libplain.so"), user], X86_64, X86_64, &[]);
}

#[test]
fn what_is_never_loaded_is_weighed() {
    let with = |size_mib: u64, unloaded_mib: u64| {
        [edited("p/lib.so", fixture!("x86_64.so"), |file| {
            file.size_bytes = size_mib << 20;
            elf(file).unloaded_bytes = unloaded_mib << 20;
        })]
    };
    check(&with(10, 2), X86_64, X86_64, &[]);
    check(&with(9, 2), X86_64, X86_64, &["unstripped p/lib.so"]);
    check(&with(2, 1), X86_64, X86_64, &[]);
}

#[test]
fn static_programs_that_open_libraries_are_named() {
    let program = [file("p/run", fixture!("static-opener"))];
    let both = ["static-dlopen p/run", "no-pie p/run"];
    check(&program, X86_64, "manylinux_2_5_x86_64", &both);
    let program = [file("p/run", fixture!("static-program"))];
    check(&program, X86_64, "manylinux_2_5_x86_64", &["no-pie p/run"]);
}

#[test]
fn excluded_libraries_are_promised() {
    let allowances = Allowances::new(&["libplain*".to_owned()], Vec::new()).unwrap();
    let user = [file("p/user.so", fixture!("runpath.so"))];
    check(&user, X86_64, LINUX, &["external-library p/user.so"]);
    check_under(&user, &allowances, X86_64, "manylinux_2_5_x86_64", &[]);
}

#[test]
fn libraries_at_hand_count_with_their_needs() {
    let user = [file("p/user.so", fixture!("runpath.so"))];
    let with = |library: NativeFile, earned: &str, findings: &[&str]| {
        let allowances = Allowances::new(&[], vec![library]).unwrap();
        check_under(&user, &allowances, X86_64, earned, findings);
    };
    // Found by SONAME, whatever the file name is.
    with(file("lib/libplain.so.1.2", fixture!("x86_64.so")), X86_64, &[]);
    with(file("lib/other.so", fixture!("too-new.so")), LINUX, &["external-library p/user.so"]);
    let newer = file("lib/libplain.so", fixture!("too-new.so"));
    with(newer, "manylinux_2_34_x86_64", &["symbol-too-new lib/libplain.so"]);
    let needy = edited("lib/libplain.so", fixture!("x86_64.so"), |file| {
        elf(file).needed.push("libfoo.so.1".to_owned());
    });
    with(needy, LINUX, &["external-library lib/libplain.so"]);
}

#[test]
fn android_is_judged_by_its_level() {
    let library = || file("p/lib.so", fixture!("android.so"));
    let small = "page-alignment p/lib.so";
    // Its note names API level 24; it uses the version of `malloc` that was introduced in level 28.
    check(&[library()], "android_28_arm64_v8a", "android_28_arm64_v8a", &[small]);
    let two = ["symbol-too-new p/lib.so", "symbol-too-new p/lib.so", small];
    check(&[library()], "android_21_arm64_v8a", "android_28_arm64_v8a", &two);
    let camera = edited("p/lib.so", fixture!("android.so"), |file| {
        elf(file).needed_versions.clear();
        elf(file).alignment_bytes = None;
        elf(file).needed.extend(["libaaudio.so", "libpython3.13.so"].map(str::to_owned));
    });
    let missing = ["external-library p/lib.so"];
    check(&[camera], "android_24_arm64_v8a", "android_26_arm64_v8a", &missing);
    let linux = [file("p/lib.so", fixture!("aarch64.so"))];
    check(&linux, "android_24_arm64_v8a", "linux_aarch64", &["wrong-libc p/lib.so"]);
    check(&[library()], "manylinux_2_17_aarch64", "linux_aarch64", &["wrong-libc p/lib.so", small]);
}

/// Checks the tag that auditwheel gives files in a wheel with a given name, and whether it is ours.
#[track_caller]
fn says(files: &[NativeFile], tag: &str, theirs: Option<&str>, reason: &str) {
    let name = format!("p-1-py3-none-{tag}.whl").parse().unwrap();
    let wanted = Requirement::for_tag(&tag.parse().unwrap()).unwrap();
    let told = auditwheel_verdict(files, None, judge(files, &wanted).tag.as_ref(), &name);
    assert_eq!(told.tag.map(|tag| tag.to_string()).as_deref(), theirs);
    let reasons = told.reasons.join("; ");
    assert_eq!(reasons.is_empty(), reason.is_empty(), "{reasons}");
    assert!(reasons.contains(reason), "{reasons}");
}

#[test]
fn what_auditwheel_says_is_told() {
    let new = file("p/lib.so", fixture!("too-new.so"));
    says(&[new], X86_64, Some("manylinux_2_34_x86_64"), "");
    let bare = file("p/lib.so", fixture!("no-sections.so"));
    says(&[bare], X86_64, Some("manylinux_2_5_x86_64"), "without section headers");
    let plain = || file("p/libplain.so", fixture!("x86_64.so"));
    let both = [plain(), file("p/user.so", fixture!("runpath.so"))];
    says(&both, X86_64, Some(X86_64), "");
    says(&both[1..], X86_64, Some(LINUX), "");
    let arm = file("p/arm.so", fixture!("aarch64.so"));
    says(&[plain(), arm.clone()], X86_64, Some(X86_64), "");
    says(&[arm], X86_64, None, "");
    let zig = edited("p/lib.so", fixture!("musl.so"), |file| {
        elf(file).needed = vec!["libc.so".to_owned()];
    });
    says(&[zig], "musllinux_1_2_x86_64", Some(LINUX), "`libc.so`");
    let pure = file("p-1.data/purelib/p/lib.so", fixture!("x86_64.so"));
    says(&[pure], X86_64, None, "`purelib`");
    // A library that another file needs is not a root: its processor is not checked.
    let v3 = edited("p/libplain.so", fixture!("x86-64-v3.so"), |file| {
        elf(file).soname = Some("libplain.so".to_owned());
    });
    let user = file("p/user.so", fixture!("runpath.so"));
    says(&[v3, user], X86_64, Some("manylinux_2_5_x86_64"), "no other file needs");
}

#[test]
fn excluded_libraries_are_promised_on_every_system() {
    let macho = include_bytes!("../../../testdata/macho/absolute.dylib").as_slice();
    let pe = include_bytes!("../../../testdata/pe/user.dll").as_slice();
    let errors = |bytes: &[u8], tag: &str, exclude: &[&str]| {
        let exclude: Vec<String> = exclude.iter().map(|&pattern| pattern.to_owned()).collect();
        let allowances = Allowances::new(&exclude, Vec::new()).unwrap();
        let wanted = Requirement::for_tag(&tag.parse().unwrap()).unwrap();
        let audit = judge(&[file("p/lib", bytes)], &wanted.clone().allowing(allowances.clone()));
        audit.findings.iter().filter(|f| f.code == Code::ExternalLibrary).count()
    };
    for (bytes, tag) in [(macho, "macosx_11_0_arm64"), (pe, "win_amd64")] {
        assert!(errors(bytes, tag, &[]) > 0);
        assert!(errors(bytes, tag, &["absent*"]) > 0);
        assert_eq!(errors(bytes, tag, &["*"]), 0);
    }
}

#[test]
fn packed_relocations_need_new_loaders() {
    let packed = |bytes: &[u8], noted: bool| {
        edited("p/x.so", bytes, |file| {
            let elf = elf(file);
            elf.packed_relocations = true;
            if noted {
                let versions = elf.needed_versions.entry("libc.so.6".to_owned()).or_default();
                versions.insert("GLIBC_ABI_DT_RELR".to_owned());
            }
        })
    };
    let gnu = fixture!("x86_64.so");
    let noted = packed(gnu, true);
    check(std::slice::from_ref(&noted), "manylinux_2_36_x86_64", "manylinux_2_36_x86_64", &[]);
    let too_new = ["symbol-too-new p/x.so"];
    check(&[noted], "manylinux_2_35_x86_64", "manylinux_2_36_x86_64", &too_new);
    // A file that needs no symbol of glibc does not have to list the version.
    let alone = edited("p/x.so", gnu, |file| {
        let elf = elf(file);
        (elf.packed_relocations, elf.needed) = (true, Vec::new());
        elf.needed_versions.clear();
    });
    check(std::slice::from_ref(&alone), "manylinux_2_17_x86_64", "manylinux_2_36_x86_64", &too_new);
    check(&[alone], "musllinux_1_2_x86_64", "linux_x86_64", &too_new);
}

#[test]
fn names_of_modules_bind_their_c_library() {
    let alone = |path: &str| {
        edited(path, fixture!("x86_64.so"), |file| {
            let elf = elf(file);
            elf.needed.clear();
            elf.needed_versions.clear();
            file.symbols.undefined.clear();
        })
    };
    let linux = |path: &str, expected: &str| {
        let wanted = Requirement::for_tag(&"linux_x86_64".parse().unwrap()).unwrap();
        let verdict = judge(&[alone(path)], &wanted);
        assert_eq!(verdict.tag.unwrap().to_string(), expected, "{path}");
    };
    linux("m.cpython-312-x86_64-linux-musl.so", "musllinux_1_2_x86_64");
    linux("m.cpython-312-x86_64-linux-gnu.so", "manylinux_2_5_x86_64");
    linux("m.cpython-310-x86_64-linux-gnu.so", "manylinux_2_5_x86_64");
    linux("m.abi3.so", "manylinux_2_5_x86_64");
    let wrong = |path: &str, tag: &str| {
        let wanted = Requirement::for_tag(&tag.parse().unwrap()).unwrap();
        let verdict = judge(&[alone(path)], &wanted);
        verdict.findings.iter().any(|finding| finding.code == Code::WrongLibc)
    };
    assert!(wrong("m.cpython-312-x86_64-linux-musl.so", "manylinux_2_17_x86_64"));
    assert!(wrong("m.cpython-312-x86_64-linux-gnu.so", "musllinux_1_2_x86_64"));
    assert!(!wrong("m.cpython-310-x86_64-linux-gnu.so", "musllinux_1_2_x86_64"));
}

#[test]
fn linux_tags_name_a_processor_and_a_system() {
    let judged = |files: &[NativeFile]| {
        let wanted = Requirement::for_tag(&"linux_x86_64".parse().unwrap()).unwrap();
        let verdict = judge(files, &wanted);
        let errors = verdict.findings.iter().filter(|f| f.severity == Severity::Error);
        (verdict.tag.map(|tag| tag.to_string()), errors.map(|f| f.code).collect::<Vec<_>>())
    };
    let (own, other) = (file("a.so", fixture!("x86_64.so")), file("b.so", fixture!("aarch64.so")));
    let mac = file("c.dylib", include_bytes!("../../../testdata/macho/arm64.dylib"));
    let text = |tag: &str| Some(tag.to_owned());
    let good = judged(std::slice::from_ref(&own)).0;
    assert!(good.unwrap().starts_with("manylinux_"));
    assert_eq!(judged(std::slice::from_ref(&other)), (None, vec![Code::WrongArch]));
    assert_eq!(judged(&[own.clone(), other]).1, [Code::WrongArch]);
    assert_eq!(judged(&[own, mac]).1, [Code::WrongPlatform]);
    let new = judged(&[file("n.so", fixture!("too-new.so"))]);
    assert_eq!(new, (text("manylinux_2_34_x86_64"), vec![]));
}

#[test]
fn functions_of_glibc_are_errors_for_musl() {
    let using = |name: &str, weak: bool| {
        edited("p/x.so", fixture!("musl.so"), |file| {
            let symbol = crate::binary::Undefined { name: name.to_owned(), version: None, weak };
            file.symbols.undefined.push(symbol);
        })
    };
    let codes = |file: NativeFile| {
        let wanted = Requirement::for_tag(&"musllinux_1_2_x86_64".parse().unwrap()).unwrap();
        let verdict = judge(&[file], &wanted);
        let errors = verdict.findings.iter().filter(|f| f.severity == Severity::Error);
        errors.map(|f| f.code).collect::<Vec<_>>()
    };
    let plain = codes(using("strtol", false));
    assert_eq!(plain, []);
    assert_eq!(codes(using("__isoc23_strtol", true)), []);
    assert_eq!(codes(using("__isoc23_strtol", false)), [Code::UndefinedSymbol]);
    assert_eq!(codes(using("__memcpy_chk", false)), [Code::UndefinedSymbol]);
}

#[test]
fn a_copy_that_nothing_can_load_is_no_part_of_the_verdict() {
    let loaded = edited("p/lib/libplain.so", fixture!("x86_64.so"), |_| {});
    let soname = loaded.elf().unwrap().soname.clone();
    let user = edited("p/user.so", fixture!("x86_64.so"), |file| {
        let elf = elf(file);
        elf.soname = None;
        elf.needed.extend(soname.clone());
        elf.runpath = vec!["$ORIGIN/lib".to_owned()];
    });
    assert_eq!(soname.as_deref(), Some("libplain.so"));
    let copy = edited("p/old/libplain.so", fixture!("x86_64.so"), |file| {
        elf(file).needed.push("libgone.so.1".to_owned());
    });
    let wanted = Requirement::for_tag(&"manylinux_2_28_x86_64".parse().unwrap()).unwrap();
    let verdict = judge(&[loaded, copy, user], &wanted);
    let found = verdict.findings.iter().find(|f| f.code == Code::DuplicateLibrary).unwrap();
    assert_eq!(found.severity, Severity::Warning);
    assert!(found.message.contains("MiB"), "{}", found.message);
    assert!(verdict.findings.iter().all(|f| f.severity != Severity::Error), "{verdict:#?}");
}

#[test]
fn a_link_is_no_copy() {
    let rename = |file: &mut NativeFile| {
        let elf = elf(file);
        (elf.soname, elf.build_id) = (Some("libplain.so.1".to_owned()), Some("1".to_owned()));
    };
    let check = |is_link: bool, expected: usize| {
        let target = edited("d/lib/libplain.so.1.2", fixture!("x86_64.so"), rename);
        let names = ["d/lib/libplain.so", "d/lib/libplain.so.1"];
        let links = names.map(|name| {
            edited(name, fixture!("x86_64.so"), |file| {
                rename(file);
                file.link = is_link.then(|| target.path.clone());
            })
        });
        let user = edited("d/bin/user", fixture!("program"), |file| {
            let elf = elf(file);
            elf.needed.push("libplain.so.1".to_owned());
            elf.runpath = vec!["$ORIGIN/../lib".to_owned()];
        });
        let files: Vec<NativeFile> = links.into_iter().chain([target, user]).collect();
        let wanted = Requirement::for_tag(&"manylinux_2_28_x86_64".parse().unwrap()).unwrap();
        let findings = judge(&files, &wanted).findings;
        let found = findings.iter().filter(|f| f.code == Code::DuplicateLibrary);
        assert_eq!(found.count(), expected, "{findings:#?}");
    };
    check(true, 0);
    check(false, 2);
}
