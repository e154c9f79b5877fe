//! From a source distribution to the wheel that its users would build.

use std::path::{Path, PathBuf};

use super::environment::Packages;
use super::{Error, Python};
use crate::sys::{self, Command, Host, ProcessError};

/// Builds the wheel of `sdist` into `out` with the pip of `python`, by the build backend that the
/// source distribution names, and gives its path. The build sees this process's environment, as a
/// user's would; the tests of the wheel do not.
///
/// # Errors
/// When the build fails, or leaves no wheel.
pub fn wheel_of(
    sdist: &Path,
    out: &Path,
    python: &Python,
    packages: &Packages,
    host: &Host,
) -> Result<PathBuf, Error> {
    let sdist = sys::fs::canonicalize(sdist).map_err(Error::io("find the source distribution"))?;
    let unusable = |problem: &str| Error::Unusable { path: sdist.clone(), problem: problem.into() };
    let pip = python.pip.as_ref().ok_or_else(|| unusable("no Python here has a pip for it"))?;
    let name = sdist.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let task = host.task(format!("build a wheel from {name}"), 0);
    // A directory of its own: whatever lies in `out` already is another one's.
    let made = out.join(format!("{name}.wheel"));
    sys::fs::create_dir_all(&made).map_err(Error::io("make a place for the wheel"))?;
    let mut command = Command::new(&python.program, out, &host.env)
        .arg(pip.to_string_lossy())
        .args(["wheel", "--no-input", "--disable-pip-version-check", "--no-deps"])
        .args(["--no-cache-dir", "--wheel-dir"])
        .arg(made.to_string_lossy());
    if packages.no_index {
        command = command.arg("--no-index");
    }
    for place in &packages.find_links {
        command = command.args(["--find-links", place]);
    }
    match command.arg(sdist.to_string_lossy()).run(host) {
        Ok(_) => {}
        Err(ProcessError::Cancelled) => return Err(Error::Cancelled),
        Err(source) => return Err(Error::Sdist { sdist, source }),
    }
    let files = sys::fs::list(&made).map_err(Error::io("find the wheel that was built"))?;
    let wheel = files.into_iter().find(|path| path.extension().is_some_and(|e| e == "whl"));
    let wheel = wheel.ok_or_else(|| unusable("its build left no wheel"))?;
    task.finish(wheel.file_name().unwrap_or_default().to_string_lossy());
    Ok(wheel)
}
