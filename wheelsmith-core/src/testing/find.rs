//! Finds the Pythons of this machine: on `PATH`, of pyenv, of uv.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use serde::Deserialize;

use super::{Error, Platform, Python, Request};
use crate::name::{Arch, Libc};
use crate::sys::{self, Command, Env, Host, ProcessError};

const PROBE: &str = include_str!("probe.py");
/// Variables that tell uv where its Pythons are and which it may use.
const UV_PLACES: [&str; 3] = ["UV_PYTHON_INSTALL_DIR", "UV_PYTHON_PREFERENCE", "XDG_DATA_HOME"];

/// Returns every native Python once, in the order of the search: first the paths among `requests`.
/// `uv python find` is asked for a requested version that is not found otherwise.
///
/// # Errors
/// The user stopped the command. A program that is not a Python is skipped.
pub fn find(requests: &[Request], host: &Host) -> Result<Vec<Python>, Error> {
    let env = host.env.for_users(&[]);
    let mut programs: Vec<PathBuf> = Vec::new();
    for request in requests {
        if let Request::Path(path) = request {
            programs.push(std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        }
    }
    programs.extend(sys::pythons::on_path(&env));
    programs.extend(sys::pythons::of_pyenv(&host.env));
    let mut search = Search { host, env: &env, pythons: Vec::new(), tried: Vec::new() };
    search.look_at(&programs)?;
    if let Some(uv) = env.find_program("uv") {
        let asked = host.env.for_users(&UV_PLACES.map(str::to_owned));
        for request in requests {
            let is_met = search.pythons.iter().any(|python| request.is_met_by(python));
            if is_met || matches!(request, Request::Path(_)) {
                continue;
            }
            let ask = Command::new(&uv, Path::new("."), &asked)
                .args(["python", "find", "--no-python-downloads", "--no-project"])
                .arg(request.to_string());
            match ask.run(host) {
                Ok(said) => {
                    let path = String::from_utf8_lossy(&said.stdout).trim().to_owned();
                    search.look_at(&[path.into()])?;
                }
                Err(ProcessError::Cancelled) => return Err(Error::Cancelled),
                Err(error) => host.detail(|| error.to_string()),
            }
        }
    }
    let mut pythons = search.pythons;
    for request in requests {
        if let Request::Path(path) = request
            && let Ok(real) = sys::fs::canonicalize(path)
            && let Some(python) = pythons.iter_mut().find(|python| {
                is_same(&python.program, &real)
                    || python.aliases.iter().any(|alias| is_same(alias, &real))
            })
        {
            python.aliases.push(path.clone());
        }
    }
    Ok(pythons)
}

fn is_same(program: &Path, real: &Path) -> bool {
    sys::fs::canonicalize(program).is_ok_and(|other| other == real)
}

struct Search<'h> {
    host: &'h Host,
    env: &'h Env,
    pythons: Vec<Python>,
    /// Programs that were already tried, with links resolved.
    tried: Vec<PathBuf>,
}

impl Search<'_> {
    fn look_at(&mut self, programs: &[PathBuf]) -> Result<(), Error> {
        for program in programs {
            let Ok(real) = sys::fs::canonicalize(program) else { continue };
            if self.tried.contains(&real) {
                continue;
            }
            self.tried.push(real);
            let command = Command::new(program, Path::new("."), self.env);
            match probe(command, self.host) {
                Ok(Some(mut python)) => {
                    // A virtual environment and its base Python count as one.
                    let base = sys::fs::canonicalize(&python.program).unwrap_or_default();
                    let known = self.pythons.iter_mut().find(|o| is_same(&o.program, &base));
                    if let Some(known) = known {
                        known.aliases.push(program.clone());
                    } else {
                        python.aliases.push(program.clone());
                        self.pythons.push(python);
                    }
                }
                Ok(None) => {}
                Err(ProcessError::Cancelled) => return Err(Error::Cancelled),
                Err(error) => self.host.detail(|| error.to_string()),
            }
        }
        Ok(())
    }
}

/// Output of the probe script.
#[derive(Deserialize)]
struct ProbeOutput {
    program: PathBuf,
    version: [u32; 3],
    implementation: String,
    free_threaded: bool,
    platform: String,
    libc: Option<String>,
    musl: bool,
    pip: Option<PathBuf>,
}

/// Runs the probe script with the Python that `command` starts; returns `None` if it is too old for
/// the script.
pub(super) fn probe(command: Command, host: &Host) -> Result<Option<Python>, ProcessError> {
    let said = command.args(["-I", "-c", PROBE]).run(host)?;
    let Ok(said) = serde_json::from_slice::<ProbeOutput>(&said.stdout) else { return Ok(None) };
    if said.version < [3, 3, 0] {
        return Ok(None);
    }
    let platform = platform(&said);
    Ok(Some(Python {
        program: said.program,
        runner: Vec::new(),
        version: said.version,
        implementation: said.implementation,
        free_threaded: said.free_threaded,
        platform,
        aliases: Vec::new(),
        pip: said.pip,
    }))
}

fn platform(said: &ProbeOutput) -> Platform {
    let machine = said.platform.strip_prefix("linux-");
    // A 32-bit Python on a 64-bit machine reports the name of its own processor here.
    let machine = machine.map(|machine| match machine {
        "i386" | "i486" | "i586" => "i686",
        "armv8l" => "armv7l",
        machine => machine,
    });
    let Some(arch) = machine.and_then(|machine| Arch::from_str(machine).ok()) else {
        return Platform::Other(said.platform.clone());
    };
    let version = said.libc.as_deref().and_then(|libc| libc.strip_prefix("glibc "));
    // `2.36` or `2.36.9000`.
    let version = version.and_then(|text| {
        let parts: Vec<&str> = text.split('.').take(2).collect();
        parts.join(".").parse().ok()
    });
    let libc = if said.musl { Libc::Musl } else { Libc::Glibc };
    Platform::Linux { arch, libc, version: if said.musl { None } else { version } }
}
