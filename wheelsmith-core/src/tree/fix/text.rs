//! Files of pkg-config, cmake and make.

use super::{Place, replace};

/// Names of tools that stay when their directory, of the build machine, does not.
const TOOLS: [&str; 12] =
    ["ar", "as", "c++", "cc", "cpp", "cxx", "ld", "nm", "objcopy", "ranlib", "readelf", "strip"];

/// Options of compilers and linkers whose value may be the next word.
const WITH_VALUE: [&str; 17] = [
    "-B",
    "-F",
    "-I",
    "-L",
    "-T",
    "-idirafter",
    "-iframework",
    "-imacros",
    "-include",
    "-iprefix",
    "-iquote",
    "-isysroot",
    "-isystem",
    "-o",
    "-rpath",
    "--sysroot",
    "-rpath-link",
];

/// Makes paths relative to the file: `${pcfiledir}`.
pub(super) fn pkg_config(place: &Place<'_>, text: &str) -> Result<String, String> {
    let prefix = format!("${{pcfiledir}}/{}", place.up());
    let line = |line: &str| {
        let line = match line.split_once(':') {
            Some((key, value)) if place.names_build_dir(value) => {
                format!("{key}: {}\n", tidy(value, place.build_dirs)?)
            }
            _ => line.to_owned(),
        };
        Ok(replace(&line, place.prefix, |_| Some(prefix.clone())))
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Makes paths relative to the file: `${CMAKE_CURRENT_LIST_DIR}`.
pub(super) fn cmake(place: &Place<'_>, text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let defines = |word: &str| {
        let mut found = lower.match_indices(word);
        found.any(|(at, _)| lower[at + word.len()..].trim_start().starts_with('('))
    };
    if defines("function") || defines("macro") {
        return Err("it defines a function, which has the directory of its caller".to_owned());
    }
    let prefix = format!("${{CMAKE_CURRENT_LIST_DIR}}/{}", place.up());
    Ok(replace(text, place.prefix, |_| Some(prefix.clone())))
}

/// Derives paths from that of the makefile. Words of variables that name the build machine are
/// dropped. Make has no form for a path with a space.
pub(super) fn makefile(place: &Place<'_>, text: &str) -> Result<String, String> {
    let line = |line: &str| {
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_variable(name)) else {
            return Ok(line.to_owned());
        };
        if place.names_build_dir(value) {
            Ok(format!("{name}= {}\n", tidy(value, place.build_dirs)?))
        } else {
            Ok(line.to_owned())
        }
    };
    let tidied = text.split_inclusive('\n').map(line).collect::<Result<String, String>>()?;
    let new = replace(&tidied, place.prefix, |_| Some("$(wheelsmith_prefix)".to_owned()));
    if new == tidied {
        return Ok(new);
    }
    Ok(format!(
        "wheelsmith_prefix := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/{})\n{new}",
        place.up()
    ))
}

fn is_variable(name: &str) -> bool {
    let name = name.trim_end_matches([':', '?', '+']).trim_end();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Removes the words that name a directory of the build machine, and options whose value they are.
/// A tool keeps its name.
///
/// # Errors
/// Returns the reason if words cannot be told apart, or if an option would lose its value.
pub(super) fn tidy(value: &str, build_dirs: &[String]) -> Result<String, String> {
    let mut kept: Vec<&str> = Vec::new();
    for word in words(value)? {
        if !build_dirs.iter().any(|dir| word.contains(dir.as_str())) {
            kept.push(word);
            continue;
        }
        let is_path = word.starts_with('/');
        if let Some(name) = word.rsplit('/').next().filter(|name| is_path && TOOLS.contains(name)) {
            kept.push(name);
            continue;
        }
        match kept.last() {
            Some(option) if option.starts_with("-X") => {
                return Err(format!("it passes a directory of the build machine with `{option}`"));
            }
            Some(&("-Wl,-rpath" | "-Wl,-rpath-link")) if word.starts_with("-Wl,") => {
                kept.pop();
            }
            Some(option) if !word.starts_with('-') && WITH_VALUE.contains(option) => {
                kept.pop();
            }
            _ => {}
        }
    }
    Ok(kept.join(" "))
}

/// Returns the words of a value; quotes and brackets keep their content together.
fn words(value: &str) -> Result<Vec<&str>, String> {
    let (mut words, mut start) = (Vec::new(), None);
    let (mut quote, mut depth) = (None, 0_u32);
    let mut letters = value.char_indices();
    while let Some((at, c)) = letters.next() {
        if c.is_whitespace() && quote.is_none() && depth == 0 {
            words.extend(start.take().map(|start: usize| &value[start..at]));
            continue;
        }
        start.get_or_insert(at);
        match (c, quote) {
            ('\\', None | Some('"')) => _ = letters.next(),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if quote.is_some() || depth > 0 {
        return Err("a quote or bracket in a line with the build machine has no end".to_owned());
    }
    words.extend(start.map(|start| &value[start..]));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_build_machine_are_dropped() {
        let check = |value: &str, expected: &str| {
            assert_eq!(tidy(value, &["/build".to_owned()]).as_deref().unwrap_or("-"), expected);
        };
        check("-isystem /build/include -O2", "-O2");
        check("-Wl,-rpath -Wl,/build/lib -lz", "-lz");
        check("'CC=/build/cc -pthread' '--with x'", "'--with x'");
        check("-DA=\\\"/build\\\" $(addprefix -I/build/, a b) -lz", "-lz");
        check("'-DX=/build/a b", "-");
        check("-Xlinker -rpath -Xlinker /build/lib", "-");
        check("/build/bin/cc -I/build/include -O2  -L/build/lib -lz", "cc -O2 -lz");
        check("/build/bin/python3.11", "");
        check("-Wl,-rpath,/build/lib x", "x");
    }
}
