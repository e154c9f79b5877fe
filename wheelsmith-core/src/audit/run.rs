//! Audits inputs on disk: opens each, collects its native files, and judges them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{AuditInput, AuditOptions, Input, Report, input, native_files};
use crate::archive::dir::has_wheel_name;
use crate::archive::{Artifact, Error, Kind, Limits};
use crate::binary::NativeFile;
use crate::finding::Severity;
use crate::metadata::WheelFile;
use crate::metadata::rows::recorded_paths;
use crate::name::{WheelFilename, WheelPath};
use crate::sys::{self, Env, Host};

/// Audits the wheel at `path` by the tags of its name.
///
/// ```no_run
/// let report = wheelsmith_core::audit::wheel("dist/demo-1.0-py3-none-manylinux_2_28_x86_64.whl")?;
/// if !report.is_good() {
///     for finding in &report.findings {
///         eprintln!("{}: {}", finding.code, finding.message);
///     }
/// }
/// # Ok::<(), wheelsmith_core::audit::Error>(())
/// ```
///
/// # Errors
/// Returns an error if the file does not exist or is not a wheel, so that a failed audit cannot be
/// mistaken for a good report.
pub fn wheel(path: impl AsRef<Path>) -> Result<Input, super::Error> {
    let path = path.as_ref();
    let host = Host::quiet(Env::default());
    let input = audit(path, &AuditOptions::default(), &host);
    match input.error {
        Some(message) => Err(super::Error { message }),
        None if input.kind != Kind::Wheel => {
            let message =
                format!("cannot audit `{}`: its name does not end in `.whl`", path.display());
            Err(super::Error { message })
        }
        None => Ok(input),
    }
}

/// Maximum size of `WHEEL` that is read, in bytes.
const LONGEST_WHEEL: u64 = 1 << 20;
/// Maximum size of `RECORD` that is read, in bytes.
const LONGEST_RECORD: u64 = 16 << 20;

/// Audits all `paths` in parallel; the report is the same for any number of jobs. An input that
/// cannot be read does not prevent the others from being judged.
pub fn report(paths: &[PathBuf], options: &AuditOptions, host: &Host) -> Report {
    let task = host.task("auditing", paths.len() as u64);
    let inputs = host.jobs.map(&host.cancel, paths, |path| {
        let inputs = audit_all(path, options, host);
        task.advance(1, path.display().to_string());
        inputs
    });
    let done = inputs.into_iter().zip(paths).flat_map(|(inputs, path)| {
        let failed = || vec![failed(shown(path), Kind::File, "it was not reached".to_owned())];
        inputs.unwrap_or_else(failed)
    });
    Report::new(done.collect())
}

/// Audits an input. For a directory that contains wheels, audits each wheel and, as one more input,
/// the other native files; a directory without wheels is one input.
fn audit_all(path: &Path, options: &AuditOptions, host: &Host) -> Vec<Input> {
    if !sys::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        return vec![audit(path, options, host)];
    }
    let artifact = match Artifact::open(path, &options.limits, host) {
        Ok(artifact) => artifact,
        Err(error) => return vec![failed(shown(path), Kind::Directory, chain(&error))],
    };
    let wheels = artifact.members().iter().filter(|member| is_wheel(member.path.as_str()));
    let mut inputs: Vec<Input> =
        wheels.map(|member| audit(&path.join(member.path.as_str()), options, host)).collect();
    let own = judge_artifact(path, &artifact, None, options, host);
    if inputs.is_empty() || !own.files.is_empty() {
        inputs.push(own);
    }
    inputs
}

fn is_wheel(name: &str) -> bool {
    has_wheel_name(Path::new(name))
}

/// Audits one input.
fn audit(path: &Path, options: &AuditOptions, host: &Host) -> Input {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_wheel = is_wheel(&name);
    let kind = if is_wheel { Kind::Wheel } else { Kind::File };
    let artifact = match Artifact::open(path, &options.limits, host) {
        Ok(artifact) => artifact,
        Err(error) => return failed(shown(path), kind, chain(&error)),
    };
    let filename = match name.parse::<WheelFilename>() {
        Ok(filename) => Some(filename),
        Err(error) if is_wheel => return failed(shown(path), kind, error.to_string()),
        Err(_) => None,
    };
    judge_artifact(path, &artifact, filename, options, host)
}

/// Collects the native files of an opened input and judges them.
fn judge_artifact(
    path: &Path,
    artifact: &Artifact,
    filename: Option<WheelFilename>,
    options: &AuditOptions,
    host: &Host,
) -> Input {
    let kind = artifact.kind();
    let (files, findings) = match native_files(artifact, options.deep, host) {
        Ok(found) => found,
        Err(error) => return failed(shown(path), kind, chain(&error)),
    };
    let path = shown(path);
    if files.is_empty()
        && findings.iter().all(|finding| finding.severity == Severity::Info)
        && let Some(why) = nothing_to_judge(artifact, kind)
    {
        let error = format!("cannot audit `{path}`: {why}");
        return failed(path, kind, error);
    }
    let (wheel, record) = filename.as_ref().map_or((None, None), |name| metadata(artifact, name));
    input(AuditInput { path, kind, filename, wheel, record, files, findings }, options)
}

/// Returns the reason why an input without native files cannot be audited. Wheels and runtimes
/// without native files are valid inputs.
fn nothing_to_judge(artifact: &Artifact, kind: Kind) -> Option<&'static str> {
    let members = || artifact.members().iter().map(|member| member.path.as_str());
    let is_sdist = |path: &str| path.split_once('/').is_some_and(|(_, rest)| rest == "PKG-INFO");
    match kind {
        Kind::Wheel | Kind::Runtime => None,
        Kind::File => Some("it is not a native file, a wheel or an archive"),
        Kind::Archive if members().any(is_sdist) => {
            Some("it is an sdist: build a wheel from it, and audit that")
        }
        Kind::Archive if members().any(is_wheel) => {
            Some("it has no native file of its own: unpack it, and audit the wheels in it")
        }
        Kind::Archive => Some("it has no native file"),
        Kind::Directory => Some("it has no native file and no wheel"),
    }
}

/// Audits the wheel at `path` under the name that it will get.
///
/// # Errors
/// Returns an error if the file cannot be read as a wheel.
#[cfg(feature = "repair")]
pub(crate) fn audit_as(
    path: &Path,
    filename: &WheelFilename,
    options: &AuditOptions,
    host: &Host,
) -> Result<Input, Error> {
    let artifact = Artifact::open(path, &options.limits, host)?;
    let (files, findings) = native_files(&artifact, options.deep, host)?;
    let (wheel, record) = metadata(&artifact, filename);
    let (path, kind, filename) = (filename.to_string(), Kind::Wheel, Some(filename.clone()));
    Ok(input(AuditInput { path, kind, filename, wheel, record, files, findings }, options))
}

/// Returns the content of `WHEEL`, and the paths in `RECORD`; `None` for a file that is missing.
fn metadata(
    artifact: &Artifact,
    filename: &WheelFilename,
) -> (Option<WheelFile>, Option<BTreeSet<String>>) {
    let read = |file: &str, most_bytes: u64| {
        let is_it = |path: &WheelPath| {
            let parts: Vec<&str> = path.parts().collect();
            matches!(parts[..], [dir, name] if name == file && dir.ends_with(".dist-info"))
        };
        let expected = format!("{}.dist-info/{file}", filename.stem());
        let members = artifact.members().iter().map(|member| &member.path);
        let mut candidates: Vec<&WheelPath> = members.filter(|path| is_it(path)).collect();
        candidates.sort_by_key(|path| path.as_str() != expected);
        artifact.read(candidates.first()?, most_bytes).ok()
    };
    let wheel = read("WHEEL", LONGEST_WHEEL).map(|bytes| WheelFile::parse(&bytes));
    let record = read("RECORD", LONGEST_RECORD)
        .map(|bytes| recorded_paths(&String::from_utf8_lossy(&bytes)));
    (wheel, record)
}

fn failed(path: String, kind: Kind, error: String) -> Input {
    Input { error: Some(error), ..Input::new(path, kind) }
}

/// Returns a path as given, with `/` on every host.
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

/// Reads the native files in directories that provide libraries which the wheel needs and lacks.
///
/// # Errors
/// Returns an error if a directory cannot be read.
pub fn libraries(dirs: &[PathBuf], limits: &Limits, host: &Host) -> Result<Vec<NativeFile>, Error> {
    let mut files = Vec::new();
    for dir in dirs {
        let artifact = Artifact::open(dir, limits, host)?;
        files.extend(native_files(&artifact, false, host)?.0);
    }
    Ok(files)
}
