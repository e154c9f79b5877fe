//! Files of pkg-config, cmake and make.

use super::{Place, replace};

/// Names of tools that stay when their directory, of the build machine, does not.
const TOOLS: [&str; 12] =
    ["ar", "as", "c++", "cc", "cpp", "cxx", "ld", "nm", "objcopy", "ranlib", "readelf", "strip"];

/// Makes paths relative to the file: `${pcfiledir}`.
pub(super) fn pkg_config(place: &Place<'_>, text: &str) -> String {
    let prefix = format!("${{pcfiledir}}/{}", place.up());
    let line = |line: &str| {
        let line = match line.split_once(':') {
            Some((key, value)) if place.names_build_dir(value) => {
                format!("{key}: {}\n", tidy(value, place.build_dirs))
            }
            _ => line.to_owned(),
        };
        replace(&line, place.prefix, |_| Some(prefix.clone()))
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Makes paths relative to the file: `${CMAKE_CURRENT_LIST_DIR}`.
pub(super) fn cmake(place: &Place<'_>, text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    if lower.contains("function(") || lower.contains("macro(") {
        return Err("it defines a function, which has the directory of its caller".to_owned());
    }
    let prefix = format!("${{CMAKE_CURRENT_LIST_DIR}}/{}", place.up());
    Ok(replace(text, place.prefix, |_| Some(prefix.clone())))
}

/// Derives paths from that of the makefile. Words of variables that name the build machine are
/// dropped. Make has no form for a path with a space.
pub(super) fn makefile(place: &Place<'_>, text: &str) -> String {
    let line = |line: &str| {
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_variable(name)) else {
            return line.to_owned();
        };
        if place.names_build_dir(value) {
            format!("{name}= {}\n", tidy(value, place.build_dirs))
        } else {
            line.to_owned()
        }
    };
    let tidied: String = text.split_inclusive('\n').map(line).collect();
    let new = replace(&tidied, place.prefix, |_| Some("$(wheelsmith_prefix)".to_owned()));
    if new == tidied {
        return new;
    }
    format!(
        "wheelsmith_prefix := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/{})\n{new}",
        place.up()
    )
}

fn is_variable(name: &str) -> bool {
    let name = name.trim_end_matches([':', '?', '+']).trim_end();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Removes the words that name a directory of the build machine. A tool keeps its name.
pub(super) fn tidy(value: &str, build_dirs: &[String]) -> String {
    let word = |word: &str| -> Option<String> {
        if !build_dirs.iter().any(|dir| word.contains(dir.as_str())) {
            return Some(word.to_owned());
        }
        let is_path = word.starts_with('/');
        let name = word.rsplit('/').next().filter(|name| is_path && TOOLS.contains(name));
        name.map(str::to_owned)
    };
    value.split_whitespace().filter_map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_build_machine_are_dropped() {
        let check = |value: &str, expected: &str| {
            assert_eq!(tidy(value, &["/build".to_owned()]), expected);
        };
        check("/build/bin/cc -I/build/include -O2  -L/build/lib -lz", "cc -O2 -lz");
        check("/build/bin/python3.11", "");
        check("-Wl,-rpath,/build/lib x", "x");
    }
}
