//! Loads the wheel's native files with an old C library.

use std::path::Path;
use std::time::{Duration, Instant};

use super::cell::{Outcome, StepError, StepLog};
use super::files::unpack;
use super::tested_wheel::Native;
use super::{Error, Root, Settings, Status, TestedWheel};
use crate::sys::{self, Command, Env, Host};

/// Loads every native file for the root's processor with the root's loader and C library, and
/// starts the programs that smoke commands name.
///
/// # Errors
/// The wheel cannot be unpacked, or the user stopped the command.
pub(super) fn prove(
    subject: &TestedWheel,
    root: &Root,
    settings: &Settings,
    log: &Path,
    host: &Host,
) -> Result<Outcome, Error> {
    let dir = sys::fs::temp_dir().map_err(Error::io("make the cell's directory"))?;
    unpack(&subject.path, dir.path())?;
    let mut log = StepLog::new(log, Duration::from_secs(settings.timeout_secs), host)?;
    let mut env = host.env.for_users(&settings.pass_env);
    // Makes the loader check symbol versions too.
    env.set("LD_WARN", "yes");
    let proof = LibcCheck { dir: dir.path(), root, env };
    let natives: Vec<&Native> =
        subject.natives.iter().filter(|native| root.is_of(native)).collect();
    let start = Instant::now();
    let result = natives.iter().try_for_each(|native| proof.one(native, settings, &mut log));
    host.detail(|| format!("the old libc took {:.1} s", start.elapsed().as_secs_f64()));
    let (status, reason) = match result {
        Ok(()) if natives.is_empty() => {
            (Status::Skipped, Some("the wheel has no file for the loader of the root".to_owned()))
        }
        Ok(()) => (Status::Passed, None),
        Err(StepError::Failed(reason)) => (Status::Failed, Some(reason)),
        Err(StepError::Cancelled) => return Err(Error::Cancelled),
    };
    Ok(Outcome { status, reason, tests: None, steps: log.steps })
}

struct LibcCheck<'a> {
    dir: &'a Path,
    root: &'a Root,
    env: Env,
}

impl LibcCheck<'_> {
    fn one(
        &self,
        native: &Native,
        settings: &Settings,
        log: &mut StepLog<'_>,
    ) -> Result<(), StepError> {
        let file = self.dir.join(&native.path);
        let load = self.runner(&["--list"]).arg(file.to_string_lossy());
        let said = log.run("libc", &load)?;
        log.check("libc", || complaint(&said).map(|line| format!("`{}`: {line}", native.path)))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for words in &settings.smoke {
            let [program, args @ ..] = &words[..] else { continue };
            if native.is_program && *program == name {
                let start = self.runner(&[]).arg(file.to_string_lossy()).args(args.to_vec());
                log.run("smoke", &start)?;
            }
        }
        Ok(())
    }

    fn runner(&self, more: &[&str]) -> Command {
        let [program, args @ ..] = &self.root.runner[..] else {
            return Command::new("", self.dir, &self.env);
        };
        Command::new(program, self.dir, &self.env).args(args.to_vec()).args(more.iter().copied())
    }
}

/// Returns the first complaint of the loader. Symbols of Python may be missing.
fn complaint(said: &str) -> Option<&str> {
    said.lines().map(str::trim).find(|line| {
        let is_python = line.contains("libpython");
        (line.contains("not found") || line.contains("cannot open shared object")) && !is_python
    })
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn loaders_complain_in_words() {
        let check = |said: &str, expected: Option<&str>| {
            assert_eq!(complaint(said), expected, "{said}");
        };
        check("\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n", None);
        check("\tlibfoo.so.1 => not found\n", Some("libfoo.so.1 => not found"));
        check("\tlibpython3.12.so.1.0 => not found\n", None);
        let version = "./x: /lib/libc.so.6: version `GLIBC_2.34' not found (required by ./x)";
        check(version, Some(version));
    }
}
