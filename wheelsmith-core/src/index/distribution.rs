//! Reads a distribution that is added to an index.

use std::path::{Path, PathBuf};

use super::{DistName, Error};
use crate::archive::source::Buffers;
use crate::archive::zip::{Unreadable, Zip};
use crate::archive::{Artifact, Blob, Limits, PackedContent};
use crate::metadata::fields::Fields;
use crate::name::{Digest, ProjectName};
use crate::sys::{self, Host};

/// Largest metadata or provenance file that is accepted, in bytes.
const LONGEST_TEXT: u64 = 16 << 20;
/// Longest `Summary` that is kept, in characters; the specification allows one line.
const LONGEST_SUMMARY: usize = 300;
/// Longest `Requires-Python` that is accepted, in bytes.
const LONGEST_SPECIFIER: usize = 1000;

/// A wheel or source distribution whose content was read completely: every checksum is right, and
/// the metadata matches the file name.
#[derive(Debug)]
pub struct Distribution {
    /// Path on disk.
    pub path: PathBuf,
    /// Parsed file name.
    pub name: DistName,
    /// Digest of the file.
    pub sha256: Digest,
    /// Size of the file.
    pub size_bytes: u64,
    /// Content of `METADATA`; `None` for a source distribution.
    pub metadata: Option<Vec<u8>>,
    /// Content of `METADATA` or `PKG-INFO`.
    pub info: Vec<u8>,
    /// `Requires-Python`.
    pub requires_python: Option<String>,
    /// `Summary`.
    pub summary: Option<String>,
    /// Content of the file with the same name and `.provenance` at its end.
    pub provenance: Option<Vec<u8>>,
}

impl Distribution {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is damaged or ambiguous, or does not match its name.
    pub fn open(path: &Path, host: &Host) -> Result<Self, Error> {
        let filename = path.file_name().unwrap_or_default().to_string_lossy();
        let name: DistName =
            filename.parse().map_err(|source| Error::Name { path: path.to_owned(), source })?;
        let (sha256, size_bytes) = sys::fs::digest(path).map_err(|e| Error::read(path, e))?;
        let is_wheel = name.wheel.is_some();
        let metadata =
            if is_wheel { wheel_metadata(path, host)? } else { sdist_metadata(path, &name, host)? };
        let fields = Fields::read(&metadata);
        check(&fields, &name).map_err(|problem| Error::corrupt(path, problem))?;
        let requires_python = value(&fields, "requires-python");
        let summary = value(&fields, "summary");
        if requires_python.as_ref().is_some_and(|text| text.len() > LONGEST_SPECIFIER) {
            return Err(Error::corrupt(path, "its `Requires-Python` is longer than any real one"));
        }
        Ok(Self {
            sha256,
            size_bytes,
            requires_python,
            summary: summary.map(|text| text.chars().take(LONGEST_SUMMARY).collect()),
            metadata: is_wheel.then(|| metadata.clone()),
            info: metadata,
            provenance: provenance(path)?,
            path: path.to_owned(),
            name,
        })
    }
}

/// Unpacks every entry, so that each checksum is compared, and returns `METADATA`.
fn wheel_metadata(path: &Path, host: &Host) -> Result<Vec<u8>, Error> {
    let corrupt = |problem: &dyn std::fmt::Display| Error::corrupt(path, problem.to_string());
    let limits = Limits::default();
    let file = sys::fs::open(path).map_err(|e| Error::read(path, e))?;
    let blob = Blob::new(file).map_err(|e| Error::read(path, e))?;
    let zip = match Zip::open(&blob, &limits, &host.cancel) {
        Ok(zip) => zip,
        Err(Unreadable::Cancelled) => return Err(Error::Cancelled),
        Err(error) => return Err(corrupt(&error.into_text())),
    };
    if let Some(refusal) = zip.refusal() {
        return Err(corrupt(&refusal));
    }
    let (mut metadata, mut left) = (None, limits.total_bytes);
    let mut buffers = Buffers::new();
    for entry in zip.entries.iter().filter(|entry| !entry.is_dir()) {
        if host.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let name = entry.path.as_str();
        let bad = |why: String| corrupt(&format!("its member `{name}`: {why}"));
        let is_metadata =
            name.strip_suffix(".dist-info/METADATA").is_some_and(|s| !s.contains('/'));
        let most = if is_metadata { LONGEST_TEXT } else { left.min(limits.member_bytes) };
        let size = entry.header.size_bytes;
        if size > most {
            return Err(corrupt(&"it is larger when unpacked than any real wheel"));
        }
        left = left.saturating_sub(size);
        let Some(content) = PackedContent::of(&blob, entry) else { continue };
        let mut bytes = Vec::new();
        let read = content.read(&mut buffers, &mut |part| {
            if is_metadata {
                bytes.extend_from_slice(part);
            }
            Ok(())
        });
        read.map_err(|error| bad(error.into_text()))?;
        if is_metadata && metadata.replace(bytes).is_some() {
            return Err(corrupt(&"it has `METADATA` twice"));
        }
    }
    metadata.ok_or_else(|| corrupt(&"it has no `.dist-info/METADATA`"))
}

fn sdist_metadata(path: &Path, name: &DistName, host: &Host) -> Result<Vec<u8>, Error> {
    let corrupt = |problem: crate::archive::Error| {
        let cause = std::error::Error::source(&problem).map(|cause| format!(": {cause}"));
        Error::corrupt(path, format!("{problem}{}", cause.unwrap_or_default()))
    };
    let archive = Artifact::open(path, &Limits::default(), host).map_err(corrupt)?;
    let stem = name.to_string();
    let stem = stem.strip_suffix(".tar.gz").unwrap_or(&stem);
    // Installers accept any single directory at the top, whatever its name.
    let tops: std::collections::BTreeSet<&str> =
        archive.members().iter().filter_map(|member| member.path.parts().next()).collect();
    let is_info = |path: &str| {
        path.split_once('/')
            .is_some_and(|(top, rest)| (top == stem || tops.len() == 1) && rest == "PKG-INFO")
    };
    let member = archive.members().iter().find(|member| is_info(member.path.as_str()));
    let member =
        member.ok_or_else(|| Error::corrupt(path, format!("it has no `{stem}/PKG-INFO`")))?;
    archive.read(&member.path, LONGEST_TEXT).map_err(corrupt)
}

/// Returns the attestations of the file at `path`; `None` if there is no such file.
fn provenance(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let mut place = path.as_os_str().to_owned();
    place.push(".provenance");
    let place = PathBuf::from(place);
    let Ok(about) = sys::fs::metadata(&place) else { return Ok(None) };
    if about.len() > LONGEST_TEXT {
        return Err(Error::corrupt(&place, "it is longer than any real provenance file"));
    }
    let bytes = sys::fs::read(&place).map_err(|e| Error::read(&place, e))?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|e| Error::corrupt(&place, e.to_string()))?;
    if value["version"] != 1 || !value["attestation_bundles"].is_array() {
        let problem =
            "it is not a provenance file: `version` must be 1, `attestation_bundles` a list";
        return Err(Error::corrupt(&place, problem));
    }
    Ok(Some(bytes))
}

/// Returns the first value of a field; `None` if it is empty or `UNKNOWN`.
fn value(fields: &Fields<'_>, name: &str) -> Option<String> {
    let value = fields.one(name).map(str::trim_end)?;
    if value.is_empty() || value == "UNKNOWN" {
        return None;
    }
    // A folded value becomes one line.
    Some(value.lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

/// Returns an error if the metadata is of another project or version than `name`.
fn check(fields: &Fields<'_>, name: &DistName) -> Result<(), String> {
    let project = value(fields, "name").ok_or("its metadata has no `Name`")?;
    let version = value(fields, "version").ok_or("its metadata has no `Version`")?;
    let is_same = project.parse::<ProjectName>().is_ok_and(|parsed| parsed == name.project)
        && version.parse::<pep440_rs::Version>().is_ok_and(|parsed| parsed == name.version);
    if is_same {
        return Ok(());
    }
    Err(format!("its metadata is that of `{project}` {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_end_at_the_first_blank_line() {
        let headers = Fields::read(b"Name: A.b\nVersion: 1.0\nSummary: x\n  y\n\nName: c\n");
        assert_eq!(value(&headers, "summary").unwrap(), "x y");
        assert_eq!(value(&headers, "requires-python"), None);
        check(&headers, &"a_b-1-py3-none-any.whl".parse().unwrap()).unwrap();
        let error = check(&headers, &"a_b-2-py3-none-any.whl".parse().unwrap()).unwrap_err();
        assert_eq!(error, "its metadata is that of `A.b` 1.0");
    }
}
