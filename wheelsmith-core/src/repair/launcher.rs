//! The program that takes the place of one that moved.

/// A Python script that starts `program`, which lies at this path below the directory that Python
/// imports from. Its interpreter line is the one that installers fill in.
///
/// The script is where the installer puts scripts: beside the packages' directory for `--target`,
/// below the environment's prefix otherwise. Both are tried before the metadata of the installed
/// distribution, which only an interpreter that imports from there can see.
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
