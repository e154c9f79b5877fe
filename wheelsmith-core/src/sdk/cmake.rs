//! Packages for cmake: `find_package(codec CONFIG)` defines the targets `codec::codec` and, if there is
//! a static form, `codec::codec-static`.

use super::Library;

/// Returns the package of `library`, and its version file.
pub(super) fn files(
    library: &Library,
    all: &[Library],
    has_headers: bool,
) -> Vec<(String, String)> {
    let name = &library.name;
    let place = |file: &str| format!("lib/cmake/{name}/{name}-{file}.cmake");
    vec![
        (place("config"), package(library, all, has_headers)),
        (place("config-version"), version(&library.version)),
    ]
}

fn package(library: &Library, all: &[Library], has_headers: bool) -> String {
    let name = &library.name;
    let mut lines = vec!["# Written by wheelsmith.".to_owned()];
    for need in &library.needs {
        lines.push(format!(
            "include(\"${{CMAKE_CURRENT_LIST_DIR}}/../{need}/{need}-config.cmake\")"
        ));
    }
    lines.push(
        "get_filename_component(_wheelsmith_prefix \"${CMAKE_CURRENT_LIST_DIR}/../../..\" ABSOLUTE)"
            .to_owned(),
    );
    let file = |file: &String| format!("${{_wheelsmith_prefix}}/lib/{file}");
    let mut archives: Vec<String> = library.archives.iter().map(file).collect();
    archives.extend(library.needs.iter().map(|need| static_target(need, all)));
    archives.extend(library.system.iter().cloned());
    archives.extend(library.frameworks.iter().map(|name| format!("-framework {name}")));
    let shared: Vec<String> = library.shared.iter().map(|shared| file(&shared.file)).collect();
    if shared.is_empty() {
        lines.extend(target(&format!("{name}::{name}"), &archives, has_headers));
    } else {
        lines.extend(target(&format!("{name}::{name}"), &shared, has_headers));
    }
    if !library.archives.is_empty() {
        lines.extend(target(&format!("{name}::{name}-static"), &archives, has_headers));
    }
    lines.push("unset(_wheelsmith_prefix)".to_owned());
    lines.join("\n") + "\n"
}

/// A target that stands for files. It is an interface of paths because that is the same for every
/// system, for one library and for several.
fn target(name: &str, libraries: &[String], has_headers: bool) -> Vec<String> {
    let mut lines = vec![
        format!("if(NOT TARGET {name})"),
        format!("  add_library({name} INTERFACE IMPORTED)"),
        format!("  set_target_properties({name} PROPERTIES"),
    ];
    if has_headers {
        // cmake refuses a directory that is not there.
        lines
            .push("    INTERFACE_INCLUDE_DIRECTORIES \"${_wheelsmith_prefix}/include\"".to_owned());
    }
    lines.push(format!("    INTERFACE_LINK_LIBRARIES \"{}\")", libraries.join(";")));
    lines.push("endif()".to_owned());
    lines
}

fn static_target(name: &str, all: &[Library]) -> String {
    let other = all.iter().find(|other| other.name == name);
    match other {
        Some(other) if !other.archives.is_empty() => format!("{name}::{name}-static"),
        _ => format!("{name}::{name}"),
    }
}

/// A request for an older version is met.
fn version(version: &str) -> String {
    format!(
        "# Written by wheelsmith.\n\
         set(PACKAGE_VERSION \"{version}\")\n\
         if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)\n  \
           set(PACKAGE_VERSION_COMPATIBLE FALSE)\n\
         else()\n  \
           set(PACKAGE_VERSION_COMPATIBLE TRUE)\n  \
           if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)\n    \
             set(PACKAGE_VERSION_EXACT TRUE)\n  \
           endif()\n\
         endif()\n"
    )
}
