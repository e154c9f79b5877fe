use super::*;

fn library(name: &str, shared: &str, archives: &str, needs: &str) -> Library {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let shared = words(shared).into_iter();
    let shared = shared.map(|file| Shared { file, link_name: Some(name.to_owned()) });
    Library {
        name: name.to_owned(),
        version: "1.2".to_owned(),
        description: "Encodes".to_owned(),
        shared: shared.collect(),
        archives: words(archives),
        needs: words(needs),
        ..Library::default()
    }
}

fn all() -> Vec<Library> {
    let mut codec = library("codec", "libcodec.so.1", "libcodec.a", "part base");
    codec.system.push("m".to_owned());
    vec![
        library("part", "", "libpart.a", ""),
        library("base", "libbase.so", "libbase.a", ""),
        codec,
    ]
}

/// The lines of each file behind its first six, which are all alike.
fn pc(library: &Library) -> Vec<(String, String)> {
    let files = pkg_config::files(library, &all()).into_iter();
    files
        .map(|(path, text)| {
            let (head, rest) = text.split_once("Version: 1.2\n").unwrap();
            assert!(head.contains("prefix=${pcfiledir}/../..\n"), "{head}");
            (path, rest.replace("Cflags: -I${includedir}\n", ""))
        })
        .collect()
}

#[test]
fn both_forms_have_a_name() {
    let check = |library: &Library, expected: &[(&str, &str)]| {
        let found = pc(library);
        let found: Vec<(&str, &str)> = found.iter().map(|(p, t)| (&**p, &**t)).collect();
        assert_eq!(found, expected);
    };
    let all = all();
    check(&all[0], &[("lib/pkgconfig/part.pc", "Libs: ${libdir}/libpart.a\n")]);
    check(
        &all[2],
        &[
            (
                "lib/pkgconfig/codec.pc",
                "Libs: -L${libdir} -lcodec\nRequires.private: part base\nLibs.private: -lm\n",
            ),
            (
                "lib/pkgconfig/codec-static.pc",
                "Libs: ${libdir}/libcodec.a -lm\nRequires: part base-static\n",
            ),
        ],
    );
    let mut nameless = library("z", "libz.so.1", "", "");
    nameless.shared[0].link_name = None;
    check(&nameless, &[("lib/pkgconfig/z.pc", "Libs: -L${libdir} ${libdir}/libz.so.1\n")]);
}

#[test]
fn targets_of_cmake_name_files() {
    let all = all();
    let [(path, text), (beside, version)] = &cmake::files(&all[2], &all, true)[..] else {
        panic!("two files")
    };
    assert_eq!(path, "lib/cmake/codec/codec-config.cmake");
    assert_eq!(beside, "lib/cmake/codec/codec-config-version.cmake");
    assert!(version.contains("set(PACKAGE_VERSION \"1.2\")"), "{version}");
    for part in [
        "include(\"${CMAKE_CURRENT_LIST_DIR}/../part/part-config.cmake\")\n",
        "add_library(codec::codec INTERFACE IMPORTED)\n",
        "INTERFACE_LINK_LIBRARIES \"${_wheelsmith_prefix}/lib/libcodec.so.1\")\n",
        "INTERFACE_LINK_LIBRARIES \"${_wheelsmith_prefix}/lib/libcodec.a;part::part-static;\
         base::base-static;m\")\n",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(!cmake::files(&all[0], &all, false)[0].1.contains("INCLUDE"));
}

#[test]
fn what_linkers_find_a_library_by() {
    use crate::name::Libc;
    let check = |file: &str, os, expected: Option<&str>| {
        assert_eq!(link_name(file, os).as_deref(), expected, "{file}");
    };
    let linux = Os::Linux(Libc::Glibc);
    check("libcodec.so", linux, Some("codec"));
    check("libcodec.so.1", linux, None);
    check("codec.so", linux, None);
    check("libcodec.dylib", Os::MacOs, Some("codec"));
    check("libcodec.1.dylib", Os::MacOs, Some("codec.1"));
    check("codec.dll", Os::Windows, Some("codec"));
}
