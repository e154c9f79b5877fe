//! `hostinfo`: prints the facts, and on request the output of the C helper beside it.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use hostinfo_ffi::Facts;

const USAGE: &str = "usage: hostinfo [--json | --helper | --version]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Facts::of_this_machine().to_text()),
        ["--json"] => Ok(Facts::of_this_machine().to_json() + "\n"),
        ["--helper"] => ask_helper(),
        ["--version"] => Ok(format!("hostinfo {}\n", env!("CARGO_PKG_VERSION"))),
        ["--help"] => Ok(format!("{USAGE}\n")),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the output of the helper, which is in the same directory as this program.
fn ask_helper() -> Result<String, Box<dyn Error>> {
    let helper = helper()?;
    // An emulator that runs this program cannot be asked by the kernel to run another foreign one:
    // the tests name it here.
    let prefix = std::env::var("HOSTINFO_EXEC_PREFIX").unwrap_or_default();
    let mut words = prefix.split_whitespace();
    let mut command = match words.next() {
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.args(words).arg(&helper);
            command
        }
        None => Command::new(&helper),
    };
    let output =
        command.output().map_err(|error| format!("cannot run `{}`: {error}", helper.display()))?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", helper.display(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn helper() -> Result<PathBuf, Box<dyn Error>> {
    let mut path = std::env::current_exe()?;
    path.set_file_name(format!("hostinfo-helper{}", std::env::consts::EXE_SUFFIX));
    Ok(path)
}
