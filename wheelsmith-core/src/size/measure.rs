//! Measures packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::saving::{self, Looked};
use super::{FileKind, FileSize, PackageSize, SizeError, SizeReport, Unexamined};
use crate::archive::source::Buffers;
use crate::archive::{self, Artifact, Kind, Limits};
use crate::audit;
use crate::audit::extension::Extension;
use crate::binary::{Format, NativeFile};
use crate::name::{Digest, WheelPath};
use crate::sys::{self, Host};

/// Ends of the names of packages.
const PACKAGES: &[&str] =
    &[".whl", ".tar.gz", ".tgz", ".crate", ".zip", ".tar", ".tar.xz", ".tar.bz2", ".tar.zst"];
/// Size limit of native files that are stripped to see what that saves, in bytes. They are held in
/// memory, twice.
const MOST_STRIPPED: u64 = 512 << 20;

/// Measures the package at `path`: an archive, a file or a directory. A directory that has packages
/// and no directories, such as `dist`, is measured as a set of packages.
///
/// # Errors
/// Returns an error if a package cannot be read completely, or a directory has no files.
pub fn measure(path: &Path, host: &Host) -> Result<SizeReport, SizeError> {
    let mut packages = Vec::new();
    for path in packages_of(path)?.unwrap_or_else(|| vec![path.to_owned()]) {
        packages.push(package(&path, host)?);
    }
    packages.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.path.cmp(&b.path)));
    let savings = saving::across(&packages);
    Ok(SizeReport { packages, savings })
}

/// Returns the packages of a directory; `None` if `path` is not a directory of packages.
fn packages_of(path: &Path) -> Result<Option<Vec<PathBuf>>, SizeError> {
    // What cannot be read is an error of the archive.
    if !sys::fs::metadata(path).is_ok_and(|found| found.is_dir()) {
        return Ok(None);
    }
    let io = |source| SizeError::Io { path: path.to_owned(), source };
    let entries = sys::fs::list(path).map_err(io)?;
    if entries.is_empty() {
        return Err(SizeError::Empty { path: path.to_owned() });
    }
    let is_package = |entry: &PathBuf| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        PACKAGES.iter().any(|end| name.ends_with(end))
    };
    let has_directories = entries.iter().any(|entry| entry.is_dir());
    Ok((!has_directories && entries.iter().any(is_package)).then_some(entries))
}

fn package(path: &Path, host: &Host) -> Result<PackageSize, SizeError> {
    let task = host.task(format!("measuring {}", path.display()), 0);
    let artifact = Artifact::open(path, &Limits::default(), host)?;
    if let Some(finding) = artifact.findings().first() {
        let finding = Box::new(finding.clone());
        return Err(SizeError::Refused { path: path.to_owned(), finding });
    }
    let count = artifact.members().len();
    if count == 0 && matches!(artifact.kind(), Kind::Directory | Kind::Runtime) {
        return Err(SizeError::Empty { path: path.to_owned() });
    }
    let (native, _) = audit::native_files(&artifact, false, host)?;
    let kinds: BTreeMap<&WheelPath, FileKind> = native.iter().map(|f| (&f.path, kind(f))).collect();
    let looked = host.jobs.map_held(&host.cancel, count, Buffers::new, |buffers, at| {
        let kind = kinds.get(&artifact.members()[at].path).copied().unwrap_or(FileKind::Other);
        look(&artifact, at, kind, buffers)
    });
    drop(task);
    let looked: Option<Vec<_>> = looked.into_iter().collect();
    let mut looked =
        looked.ok_or(SizeError::Cancelled)?.into_iter().collect::<Result<Vec<_>, _>>()?;
    looked.sort_by(|a, b| {
        b.file.weight().cmp(&a.file.weight()).then_with(|| a.file.path.cmp(&b.file.path))
    });
    let unpacked_bytes = looked.iter().map(|found| found.file.size_bytes).sum();
    let size_bytes = match artifact.kind() {
        Kind::Directory | Kind::Runtime => unpacked_bytes,
        _ => {
            let io = |source| SizeError::Io { path: path.to_owned(), source };
            sys::fs::metadata(path).map_err(io)?.len()
        }
    };
    let savings = saving::of_package(&path_name(path), size_bytes, &looked);
    let mut unexamined = Vec::new();
    for found in &mut looked {
        if let Some(reason) = found.unexamined.take() {
            unexamined.push(Unexamined { path: found.file.path.clone(), reason });
        }
    }
    let files = looked.into_iter().map(|found| found.file).collect();
    let (path, kind) = (path.to_owned(), artifact.kind());
    Ok(PackageSize { path, kind, size_bytes, unpacked_bytes, files, savings, unexamined })
}

fn kind(file: &NativeFile) -> FileKind {
    if Extension::of(file).is_some() { FileKind::Module } else { FileKind::Native }
}

fn path_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn look(
    artifact: &Artifact,
    at: usize,
    kind: FileKind,
    buffers: &mut Buffers,
) -> Result<Looked, archive::Error> {
    let member = &artifact.members()[at];
    let mut sha256 = Sha256::new();
    let mut first = Vec::new();
    artifact.visit(at, buffers, &mut |part| {
        if first.len() < 64 {
            first.extend_from_slice(&part[..part.len().min(64)]);
        }
        sha256.update(part);
    })?;
    let file = FileSize {
        path: member.path.to_string(),
        size_bytes: member.size_bytes,
        packed_bytes: artifact.packed_bytes(at),
        sha256: Digest::from_bytes(sha256.finalize().into()),
        kind,
    };
    let mut looked = Looked { file, strippable: None, unexamined: None };
    match Format::of(&first) {
        // Other formats keep such symbols in files of their own, or have few.
        Some(Format::Elf) if member.size_bytes > MOST_STRIPPED => {
            let most = MOST_STRIPPED >> 20;
            looked.unexamined = Some(format!("it has more than {most} MiB"));
        }
        Some(Format::Elf) => {
            let bytes = artifact.read(&member.path, MOST_STRIPPED)?;
            match saving::by_stripping(&bytes, looked.file.packed_bytes.is_some()) {
                Ok(saved) => looked.strippable = saved,
                Err(reason) => looked.unexamined = Some(reason),
            }
        }
        _ => {}
    }
    Ok(looked)
}
