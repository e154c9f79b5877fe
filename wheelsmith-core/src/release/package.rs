//! Reads the packages to publish.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::archive::{Artifact, Limits};
use crate::audit;
use crate::check;
use crate::finding::Severity;
use crate::index::{DistName, Distribution};
use crate::metadata::fields::Fields;
use crate::metadata::requirement::Requirement;
use crate::name::{Digest, ProjectName};
use crate::registry::{File, Integrity, crates};
use crate::sys::{self, Host};

/// Largest manifest or readme that is read, in bytes.
const LARGEST_TEXT: u64 = 16 << 20;

/// Package to publish.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) path: PathBuf,
    pub(super) filename: String,
    pub(super) sha256: Digest,
    pub(super) size_bytes: u64,
    /// Name in its registry.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) content: Content,
}

/// Facts of a package that its registry requires.
#[derive(Debug)]
pub(super) enum Content {
    Python {
        project: ProjectName,
        metadata: Vec<u8>,
        /// Python tag of a wheel.
        python: Option<String>,
        requires: Vec<String>,
    },
    Npm {
        manifest: Value,
        integrity: Integrity,
        shasum: String,
    },
    Crate {
        manifest: Box<crates::Manifest>,
        readme: Option<String>,
    },
}

impl Package {
    /// True if the name is that of a package for one of the registries.
    pub(super) fn is_one(filename: &str) -> bool {
        DistName::is_like(filename) || [".tgz", ".crate"].iter().any(|end| filename.ends_with(end))
    }

    /// Reads and judges the file at `path`. The error lists every problem.
    pub(super) fn read(
        path: &Path,
        options: &check::Options,
        host: &Host,
    ) -> Result<Self, Vec<String>> {
        let filename = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let told = |problem: String| format!("`{filename}`: {problem}");
        let one = |problem: String| vec![told(problem)];
        let (sha256, size_bytes) = sys::fs::digest(path).map_err(|e| one(e.to_string()))?;
        let problems = faults(path, options, host).map_err(one)?;
        if !problems.is_empty() {
            return Err(problems.into_iter().map(told).collect());
        }
        let (name, version, content) = if DistName::is_like(&filename) {
            python(path, host)
        } else if let Some(top) = filename.strip_suffix(".crate") {
            krate(path, top, host)
        } else {
            npm(path, host)
        }
        .map_err(one)?;
        let package =
            Self { path: path.to_owned(), filename, sha256, size_bytes, name, version, content };
        Ok(package)
    }

    pub(super) fn file(&self) -> File<'_> {
        let Self { filename, path, sha256, size_bytes, .. } = self;
        File { name: filename, path, sha256: *sha256, size_bytes: *size_bytes }
    }
}

type Parts = (String, String, Content);

/// Returns the errors that the check has for a package, and the audit for a wheel.
fn faults(path: &Path, options: &check::Options, host: &Host) -> Result<Vec<String>, String> {
    let checked = check::file_with(path, options, &host.cancel).map_err(|e| e.to_string())?;
    let mut findings = checked.findings;
    if path.extension().is_some_and(|extension| extension == "whl") {
        findings.extend(audit::wheel(path).map_err(|error| error.to_string())?.findings);
    }
    let errors = findings.iter().filter(|finding| finding.counts_at(Severity::Error));
    Ok(errors.map(|finding| format!("{} ({})", finding.message, finding.code)).collect())
}

fn python(path: &Path, host: &Host) -> Result<Parts, String> {
    let read = Distribution::open(path, host).map_err(|error| error.to_string())?;
    let fields = Fields::read(&read.info);
    let requires = fields.all("requires-dist").filter_map(|text| Requirement::parse(text).ok());
    let requires = requires.map(|requirement| requirement.name.normalized()).collect();
    let version = read.name.version.to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let tag = read.name.wheel.is_some().then(|| name.rsplit('-').nth(2).map(str::to_owned));
    let project = read.name.project;
    let content = Content::Python {
        requires,
        metadata: read.info,
        python: tag.flatten(),
        project: project.clone(),
    };
    Ok((project.normalized(), version, content))
}

/// Reads a member of an archive as text.
fn text(archive: &Artifact, member: &str) -> Result<String, String> {
    let path = member.parse().map_err(|error| format!("{error}"))?;
    let bytes = archive.read(&path, LARGEST_TEXT).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    })?;
    String::from_utf8(bytes).map_err(|_| format!("`{member}` is not UTF-8"))
}

fn open(path: &Path, host: &Host) -> Result<Artifact, String> {
    let archive = Artifact::open(path, &Limits::default(), host).map_err(|e| e.to_string())?;
    match archive.findings().first() {
        Some(finding) => Err(format!("{} ({})", finding.message, finding.code)),
        None => Ok(archive),
    }
}

fn npm(path: &Path, host: &Host) -> Result<Parts, String> {
    let archive = open(path, host)?;
    let manifest: Value = serde_json::from_str(&text(&archive, "package/package.json")?)
        .map_err(|error| format!("its package.json: {error}"))?;
    let field = |key: &str| {
        let text = manifest[key].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| format!("its package.json has no `{key}`"))
    };
    let (name, version) = (field("name")?, field("version")?);
    let _: crate::name::NpmName = name.parse().map_err(|error| format!("{error}"))?;
    let (sha512, sha1) = hashes(path).map_err(|error| error.to_string())?;
    let content = Content::Npm { manifest, integrity: Integrity(sha512), shasum: sha1 };
    Ok((name, version, content))
}

/// Returns the SHA-512 in base64 and the SHA-1 in hex, which npm's protocol requires.
fn hashes(path: &Path) -> std::io::Result<(String, String)> {
    use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA512};
    use std::io::Read as _;
    let (mut long, mut short) = (Context::new(&SHA512), Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
    let (mut file, mut buffer) = (sys::fs::open(path)?, vec![0; 1 << 16]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        long.update(&buffer[..n]);
        short.update(&buffer[..n]);
    }
    let hex = short.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((STANDARD.encode(long.finish()), hex))
}

fn krate(path: &Path, top: &str, host: &Host) -> Result<Parts, String> {
    let archive = open(path, host)?;
    let manifest = crates::Manifest::parse(&text(&archive, &format!("{top}/Cargo.toml"))?)
        .map_err(|error| format!("its Cargo.toml: {error}"))?;
    let (name, version) = (manifest.package.name.clone(), manifest.package.version.clone());
    if format!("{name}-{version}") != top {
        return Err(format!("its Cargo.toml is that of `{name}` {version}"));
    }
    let readme = manifest.readme().map(|file| text(&archive, &format!("{top}/{file}")));
    let readme = readme.transpose()?;
    Ok((name, version, Content::Crate { manifest: Box::new(manifest), readme }))
}
