//! Inputs to a report: opens each, reads what the audit needs of it, and judges.

use std::path::{Path, PathBuf};

use super::{Artifact, Inspect};
use crate::archive::{self, Limits};
use crate::audit::{self, Ask, Input, Kind, NativeFile, Opened, Report};
use crate::metadata::WheelFile;
use crate::name::{WheelFilename, WheelPath};
use crate::sys::Host;

/// No `WHEEL` is longer, in bytes.
const LONGEST_WHEEL: u64 = 1 << 20;

/// Audits every one of `paths`, several at once; the report is the same for any number of jobs. An
/// input that cannot be read does not keep the others from being judged.
pub fn report(
    paths: &[PathBuf],
    ask: &Ask,
    inspect: Inspect,
    limits: &Limits,
    host: &Host,
) -> Report {
    let task = host.task("auditing", paths.len() as u64);
    let inputs = host.jobs.map(&host.cancel, paths, |path| {
        let input = input(path, ask, inspect, limits, host);
        task.advance(1, path.display().to_string());
        input
    });
    let done = inputs.into_iter().zip(paths).map(|(input, path)| {
        input.unwrap_or_else(|| failed(shown(path), Kind::File, "it was not reached".to_owned()))
    });
    Report::new(done.collect())
}

/// Audits one input.
fn input(path: &Path, ask: &Ask, inspect: Inspect, limits: &Limits, host: &Host) -> Input {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_wheel = name.ends_with(".whl");
    let kind = if is_wheel { Kind::Wheel } else { Kind::File };
    let artifact = match Artifact::open(path, limits, host) {
        Ok(artifact) => artifact,
        Err(error) => return failed(shown(path), kind, chain(&error)),
    };
    let filename = match name.parse::<WheelFilename>() {
        Ok(filename) => Some(filename),
        Err(error) if is_wheel => return failed(shown(path), kind, error.to_string()),
        Err(_) => None,
    };
    let (files, findings) = match artifact.native_files(&inspect, host) {
        Ok(found) => found,
        Err(error) => return failed(shown(path), artifact.kind(), chain(&error)),
    };
    let wheel = filename.as_ref().and_then(|filename| wheel_text(&artifact, filename));
    let (path, kind) = (shown(path), artifact.kind());
    audit::input(Opened { path, kind, filename, wheel, files, findings }, ask)
}

/// Audits the wheel in a file under the name that it is going to have.
///
/// # Errors
/// Returns an error if the file cannot be read as a wheel.
#[cfg(feature = "repair")]
pub(crate) fn audit_as(
    path: &Path,
    filename: &WheelFilename,
    ask: &Ask,
    host: &Host,
) -> Result<Input, archive::Error> {
    let artifact = Artifact::open(path, &Limits::default(), host)?;
    let (files, findings) = artifact.native_files(&Inspect::default(), host)?;
    let wheel = wheel_text(&artifact, filename);
    let (path, kind, filename) = (filename.to_string(), Kind::Wheel, Some(filename.clone()));
    Ok(audit::input(Opened { path, kind, filename, wheel, files, findings }, ask))
}

/// What `WHEEL` says; nothing when there is none.
fn wheel_text(artifact: &Artifact, filename: &WheelFilename) -> Option<WheelFile> {
    let is_it = |path: &WheelPath| {
        let parts: Vec<&str> = path.parts().collect();
        matches!(parts[..], [dir, "WHEEL"] if dir.ends_with(".dist-info"))
    };
    let expected = format!("{}.dist-info/WHEEL", filename.stem());
    let members = artifact.members().iter().map(|member| &member.path);
    let mut candidates: Vec<&WheelPath> = members.filter(|path| is_it(path)).collect();
    candidates.sort_by_key(|path| path.as_str() != expected);
    let bytes = artifact.read(candidates.first()?, LONGEST_WHEEL).ok()?;
    Some(WheelFile::parse(&bytes))
}

fn failed(path: String, kind: Kind, error: String) -> Input {
    Input { error: Some(error), ..Input::new(path, kind) }
}

/// A path as it was given, with `/` on every host.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The native files in directories, for needs that the wheel itself does not meet.
///
/// # Errors
/// A directory that cannot be read.
pub fn libraries(
    dirs: &[PathBuf],
    limits: &Limits,
    host: &Host,
) -> Result<Vec<NativeFile>, archive::Error> {
    let mut files = Vec::new();
    for dir in dirs {
        let artifact = Artifact::open(dir, limits, host)?;
        files.extend(artifact.native_files(&Inspect::default(), host)?.0);
    }
    Ok(files)
}
