//! Builds the wheels of a source distribution, each with a Python on which it is tried.

use std::path::{Path, PathBuf};

use pep440_rs::Version;

use super::environment::Packages;
use super::matrix::builders;
use super::{CellReport, Error, Python, Settings, Status, TestedWheel};
use crate::index::Distribution;
use crate::metadata::Specifiers;
use crate::sys::{self, Command, Host, ProcessError};

/// Builds a wheel of `sdist` with each Python that `settings` choose, because the wheel that one
/// Python builds may not be the wheel of another. Returns the wheels, and a failed cell for each
/// Python that builds none while another does.
///
/// # Errors
/// No Python here builds a wheel.
pub fn wheels_of(
    sdist: &Path,
    out: &Path,
    pythons: &[Python],
    settings: &Settings,
    packages: &Packages,
    host: &Host,
) -> Result<(Vec<TestedWheel>, Vec<CellReport>), Error> {
    // Errors in its metadata are reported by the build.
    let about = Distribution::open(sdist, host).ok();
    let requires = about.and_then(|about| about.requires_python);
    let requires = requires.and_then(|text| text.parse::<Specifiers>().ok());
    let (mut subjects, mut failed, mut first) = (Vec::new(), Vec::new(), None);
    for (at, is_named) in builders(pythons, &settings.pythons) {
        let python = &pythons[at];
        let version = Version::new(python.version.map(u64::from));
        let is_refused = requires.as_ref().is_some_and(|requires| !requires.contains(&version));
        if is_refused && !is_named {
            continue;
        }
        match wheel_of(sdist, out, python, packages, host) {
            Ok(wheel) => {
                let built_by = Some(python.program.clone());
                subjects.push(TestedWheel { built_by, ..TestedWheel::open(&wheel)? });
            }
            Err(error @ (Error::Sdist { .. } | Error::Unusable { .. })) => {
                failed.push(failed_build(sdist, python, settings, &error));
                first.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match first {
        Some(error) if subjects.is_empty() => Err(error),
        None if subjects.is_empty() => {
            Err(Error::NoWheel { why: "no Python here builds the wheel".to_owned() })
        }
        _ => Ok((subjects, failed)),
    }
}

/// Reports a Python that cannot build the wheel.
fn failed_build(sdist: &Path, python: &Python, settings: &Settings, error: &Error) -> CellReport {
    let file = sdist.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = file.rsplit_once('-').map_or(file.as_str(), |(name, _)| name);
    let platform = python.platform.label();
    let source = std::error::Error::source(error);
    let cause = source.map(|cause| format!(": {cause}")).unwrap_or_default();
    let [major, minor, patch] = python.version;
    CellReport {
        id: format!("{name}-{}-{platform}-build", python.tag()),
        python: python.label(),
        interpreter: format!("{major}.{minor}.{patch} {}", python.program.display()),
        platform,
        foreign: false,
        scheme: settings.schemes.first().copied(),
        status: Status::Failed,
        required: false,
        reason: Some(format!("build: {error}{cause}")),
        tests: None,
        steps: Vec::new(),
        time_secs: 0.0,
        log: None,
        wheel: file,
    }
}

/// Builds the wheel of `sdist` below `out` with the pip of `python`, by the build backend that the
/// source distribution names, and returns its path. The build sees this process's environment, as a
/// user's would; the tests of the wheel do not.
///
/// # Errors
/// The build fails, or leaves no wheel.
fn wheel_of(
    sdist: &Path,
    out: &Path,
    python: &Python,
    packages: &Packages,
    host: &Host,
) -> Result<PathBuf, Error> {
    let sdist = sys::fs::canonicalize(sdist).map_err(Error::io("find the source distribution"))?;
    let unusable = |problem: &str| Error::Unusable { path: sdist.clone(), problem: problem.into() };
    let pip =
        python.pip.as_ref().ok_or_else(|| unusable("no installed Python has a pip for it"))?;
    let name = sdist.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let task = host.task(format!("build a wheel from {name} with Python {}", python.label()), 0);
    // A directory of its own: `out` may contain other wheels.
    let made = out.join(format!("{name}-{}", python.label()));
    sys::fs::create_dir_all(&made).map_err(Error::io("create a directory for the wheel"))?;
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
    let wheel = wheel.ok_or_else(|| unusable("its build produced no wheel"))?;
    task.finish(wheel.file_name().unwrap_or_default().to_string_lossy());
    Ok(wheel)
}
