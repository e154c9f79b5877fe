//! Generates the Python module that starts the runtime's programs, for console commands.
//!
//! The module finds the programs relative to itself, so it works in a virtual environment, in the
//! site-packages of a user or of the system, and in a `--target` or `--prefix` directory.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Name of the module in the runtime's directory of the wheel.
pub(super) const MODULE: &str = "_launch";

const HEAD: &str = r#""""Starts the programs of this package. Made by wheelsmith."""

import os
import subprocess
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _run(path):
    program = os.path.join(_HERE, *path.split("/"))
    if os.name == "nt":
        # There is no exec that keeps the console; ctrl-c goes to the child as well.
        try:
            sys.exit(subprocess.call([program] + sys.argv[1:]))
        except KeyboardInterrupt:
            sys.exit(130)
    os.execv(program, [program] + sys.argv[1:])
"#;

/// Returns the module for `console`: command -> path of the program in the runtime.
pub(super) fn module(console: &BTreeMap<String, String>) -> String {
    let mut text = HEAD.to_owned();
    for ((_, function), path) in functions(console.keys()).zip(console.values()) {
        let _ = write!(text, "\n\ndef {function}():\n    _run({path:?})\n");
    }
    text
}

/// Returns each of `commands`, which are sorted, with its function in [`MODULE`].
pub(super) fn functions<'c>(
    commands: impl Iterator<Item = &'c String>,
) -> impl Iterator<Item = (String, String)> {
    commands.enumerate().map(|(i, command)| {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let word: String = command.chars().map(plain).collect();
        // The number distinguishes `a-b` from `a_b`.
        (command.clone(), format!("run_{i}_{word}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_function() {
        let console = [("a-b", "bin/a"), ("a_b", "bin/b")];
        let console: BTreeMap<String, String> =
            console.iter().map(|(c, p)| ((*c).to_owned(), (*p).to_owned())).collect();
        let text = module(&console);
        assert!(text.ends_with("def run_1_a_b():\n    _run(\"bin/b\")\n"), "{text}");
        let functions: Vec<String> = functions(console.keys()).map(|(_, f)| f).collect();
        assert_eq!(functions, ["run_0_a_b", "run_1_a_b"]);
    }
}
