//! Programs that are moved from `.data/scripts`, and the scripts that start them.

use super::{MissingLibrary, MovedScript, RepairPlan};
use crate::audit::place::installed;
use crate::name::{WheelFilename, WheelPath};

/// Returns the path at which a file is installed. A program below `.data/scripts` that requires
/// libraries of the wheel is moved beside its packages. If a file cannot be moved, its libraries
/// are recorded as missing, and the result is `None`.
pub(super) fn place(
    plan: &mut RepairPlan,
    filename: &WheelFilename,
    file: &WheelPath,
    needed: &mut dyn Iterator<Item = &String>,
) -> Option<String> {
    let place = installed(file.as_str());
    let mut needed = needed.peekable();
    if needed.peek().is_none() || !place.starts_with("prefix/") {
        return Some(place);
    }
    let moved = place.strip_prefix("prefix/bin/");
    let moved = moved.map(|name| format!("{}.scripts/{name}", filename.name));
    if let Some(to) = moved.as_ref().and_then(|moved| moved.parse::<WheelPath>().ok()) {
        plan.scripts.push(MovedScript { from: file.clone(), to });
        return moved.map(|moved| format!("site/{moved}"));
    }
    plan.missing.extend(needed.map(|library| MissingLibrary {
        by: file.to_string(),
        library: library.clone(),
        reason: Some("no relative path leads from the installed file to the libraries".into()),
    }));
    None
}

/// Returns a Python script that starts `program`, given as path below the directory that Python
/// imports from. Installers fill in the interpreter line.
///
/// The installer puts the script beside the packages' directory (`--target`) or below the prefix of
/// the environment. Both are tried first. Last comes the metadata of the installed distribution,
/// which only an interpreter that imports from that environment finds.
pub(super) fn script(distribution: &str, program: &str) -> String {
    format!(
        r#"#!python
import os
import sys
import sysconfig


def candidates():
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    yield here
    for scheme in sysconfig.get_scheme_names():
        for key in ("platlib", "purelib"):
            bases = {{"base": here, "platbase": here, "userbase": here}}
            yield sysconfig.get_path(key, scheme, bases)
    try:
        from importlib import metadata
        yield str(metadata.distribution({distribution:?}).locate_file(""))
    except Exception:
        pass


for directory in candidates():
    program = os.path.join(directory, *{program:?}.split("/"))
    if os.path.isfile(program):
        os.execv(program, [program] + sys.argv[1:])
sys.exit("cannot find {program}, which belongs to " + os.path.abspath(__file__))
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_program_and_distribution() {
        let text = script("demo", "demo.scripts/run");
        assert!(text.starts_with("#!python\n"));
        assert!(text.contains("distribution(\"demo\")") && text.contains("\"demo.scripts/run\""));
    }
}
