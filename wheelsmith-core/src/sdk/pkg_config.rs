//! Files for pkg-config 0.29 and pkgconf: `.pc`.
//!
//! `${pcfiledir}` is the directory of the file itself, so no file has an absolute path.

use super::{Library, Shared};

/// Returns the `.pc` files of `library`: one by its name, and, if it has both forms, one for the
/// static form with `-static` behind it. (`--static` of pkg-config leaves the choice between
/// `libx.so` and `libx.a` to the linker, which takes the first.)
pub(super) fn files(library: &Library, all: &[Library]) -> Vec<(String, String)> {
    let name = &library.name;
    let place = |name: &str| format!("lib/pkgconfig/{name}.pc");
    let archives = |library: &Library| -> Vec<String> {
        let files = library.archives.iter().map(|file| format!("${{libdir}}/{file}"));
        files.chain(system(library)).collect()
    };
    if library.shared.is_empty() {
        let needs = static_names(library, all);
        let text = text(library, name, &archives(library), &[("Requires", needs)]);
        return vec![(place(name), text)];
    }
    let mut libs: Vec<String> = Vec::new();
    for Shared { file, link_name } in &library.shared {
        match link_name {
            Some(name) => libs.push(format!("-l{name}")),
            None => libs.push(format!("${{libdir}}/{file}")),
        }
    }
    libs.insert(0, "-L${libdir}".to_owned());
    let private =
        [("Requires.private", library.needs.clone()), ("Libs.private", system(library).collect())];
    let mut files = vec![(place(name), text(library, name, &libs, &private))];
    if !library.archives.is_empty() {
        let own = format!("{name}-static");
        let needs = static_names(library, all);
        files.push((place(&own), text(library, &own, &archives(library), &[("Requires", needs)])));
    }
    files
}

/// Returns the libraries that `library` needs, each in its static form if it has one.
fn static_names(library: &Library, all: &[Library]) -> Vec<String> {
    let name = |name: &String| {
        let other = all.iter().find(|other| other.name == *name);
        let both = other.is_some_and(|o| !o.shared.is_empty() && !o.archives.is_empty());
        if both { format!("{name}-static") } else { name.clone() }
    };
    library.needs.iter().map(name).collect()
}

fn system(library: &Library) -> impl Iterator<Item = String> + '_ {
    let libraries = library.system.iter().map(|name| format!("-l{name}"));
    libraries.chain(library.frameworks.iter().map(|name| format!("-framework {name}")))
}

fn text(library: &Library, name: &str, libs: &[String], more: &[(&str, Vec<String>)]) -> String {
    let mut lines = vec![
        "# Written by wheelsmith.".to_owned(),
        "prefix=${pcfiledir}/../..".to_owned(),
        "libdir=${prefix}/lib".to_owned(),
        "includedir=${prefix}/include".to_owned(),
        String::new(),
        format!("Name: {name}"),
        format!("Description: {}", library.description),
        format!("Version: {}", library.version),
        "Cflags: -I${includedir}".to_owned(),
        format!("Libs: {}", libs.join(" ")),
    ];
    let more = more.iter().filter(|(_, words)| !words.is_empty());
    lines.extend(more.map(|(key, words)| format!("{key}: {}", words.join(" "))));
    lines.join("\n") + "\n"
}
