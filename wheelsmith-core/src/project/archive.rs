//! Archives of a target: its runtime directory, and SDKs.

use std::collections::BTreeMap;
use std::path::Path;

use super::epoch::epoch;
use super::{Error, Project, pack};
use crate::archive::Limits;
use crate::audit::{self, Allowances, Audit, Requirement};
use crate::config::{Role, Sdk};
use crate::name::{Digest, Floor, PlatformTag, Target, WheelPath};
use crate::plan::{self, TargetPlan};
use crate::runtime::{self, FileEntry, Manifest, Runtime};
use crate::sdk;
use crate::sys::{self, Host};
use crate::wheel::MadeFile;

/// Verdict on the archives of a project without wheels.
#[derive(Debug)]
pub struct ArchiveVerdict {
    /// Oldest platform that the files must run on.
    pub floor: Floor,
    /// Tag of the floor.
    pub wanted: PlatformTag,
    /// Audit of the files.
    pub audit: Audit,
}

impl ArchiveVerdict {
    /// True if the files qualify for the tag.
    pub fn is_good(&self) -> bool {
        self.audit.tag.is_some() && !self.audit.has_errors()
    }
}

/// Returns the name of the project in file names, and its version.
pub(super) fn identity(project: &Project) -> (String, String) {
    if let Some(project) = &project.config.project {
        return (project.name.escaped(), project.version.clone().unwrap_or_else(|| "0".into()));
    }
    // A project without `[project]` has the name of its directory.
    let name = project.dir.file_name().unwrap_or_default();
    (name.to_string_lossy().into_owned(), "0".to_owned())
}

fn stem(project: &Project, target: Target) -> String {
    let (name, version) = identity(project);
    plan::runtime_stem(&name, &version, target)
}

fn sdk_stem(project: &Project, sdk: &Sdk, target: Target) -> String {
    let (name, version) = identity(project);
    plan::sdk_stem(&name, &version, sdk, target)
}

/// Judges the files of `runtime` as those of a wheel.
pub(super) fn judge(
    project: &Project,
    plan: &TargetPlan,
    runtime: &Runtime,
) -> Result<ArchiveVerdict, Error> {
    let mut files = Vec::new();
    for file in &runtime.manifest.files {
        // Static libraries are judged as part of the files that they are linked into.
        if !matches!(file.role, Role::Executable | Role::SharedLibrary | Role::Data) {
            continue;
        }
        let native = audit::native_file(&file.path, &runtime.path(&file.path), &Limits::default());
        files.extend(native.map_err(|e| Error::io("read a file to inspect", e))?);
    }
    let allowances = Allowances::new(&project.config.audit.exclude, Vec::new()).map_err(|e| {
        project.config.problem("tool.wheelsmith.audit.exclude", e.to_string(), None)
    })?;
    let requirement = Requirement::for_target(plan.target).allowing(allowances);
    let mut audit = audit::judgement(files, None, &requirement);
    pack::apply_settings(project, &mut audit);
    Ok(ArchiveVerdict { floor: plan.target.floor(), wanted: plan.wanted_tag.clone(), audit })
}

/// Writes the runtime directory as `.tar.gz`, with its digest beside it.
pub(super) fn runtime(
    project: &Project,
    target: Target,
    runtime: &Runtime,
    out: &Path,
    host: &Host,
) -> Result<Vec<MadeFile>, Error> {
    write(runtime, &BTreeMap::new(), &stem(project, target), out, host)
}

/// Writes the SDKs of the configuration, each as `.tar.gz` with its digest beside it.
pub(super) fn sdks(
    project: &Project,
    target: Target,
    runtime: &Runtime,
    out: &Path,
    host: &Host,
) -> Result<Vec<MadeFile>, Error> {
    let mut made = Vec::new();
    for (i, sdk) in project.config.sdks.iter().enumerate() {
        let components = sdk::components(&project.config, sdk, &runtime.manifest);
        let mut manifest = sdk::part(&runtime.manifest, &components);
        if manifest.files.is_empty() {
            let message = format!("no component has a library or a header for {target}");
            let help = "give a component of kind `c-library`, or `headers`".to_owned();
            let key = format!("tool.wheelsmith.sdk[{i}]");
            return Err(project.config.problem(&key, message, Some(help)).into());
        }
        let texts = add_texts(project, &mut manifest, target)?;
        let part = Runtime { dir: runtime.dir.clone(), manifest };
        made.extend(write(&part, &texts, &sdk_stem(project, sdk, target), out, host)?);
    }
    Ok(made)
}

/// Adds the generated files of an SDK to its manifest, and returns their texts.
fn add_texts(
    project: &Project,
    manifest: &mut Manifest,
    target: Target,
) -> Result<BTreeMap<WheelPath, String>, Error> {
    let mut texts = BTreeMap::new();
    for sdk::GeneratedFile { component, path, text } in
        sdk::files(&project.config, manifest, target.os())
    {
        let key = project.config.component(&component).map_or("", |component| &component.key);
        let path = path.parse::<WheelPath>();
        let path = path.map_err(|e| project.config.problem(key, e.to_string(), None))?;
        manifest.files.push(FileEntry {
            path: path.clone(),
            sha256: Digest::of(&text),
            size_bytes: text.len() as u64,
            mode: "0644".to_owned(),
            role: Role::Data,
            component,
            aliases: Vec::new(),
            native: None,
        });
        texts.insert(path, text);
    }
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

fn write(
    runtime: &Runtime,
    texts: &BTreeMap<WheelPath, String>,
    stem: &str,
    out: &Path,
    host: &Host,
) -> Result<Vec<MadeFile>, Error> {
    let write = || -> std::io::Result<Vec<MadeFile>> {
        let mut bytes = Vec::new();
        let epoch = epoch(host).unwrap_or(runtime::ARCHIVE_EPOCH);
        runtime::write_archive(runtime, texts, stem, epoch, &mut bytes)?;
        // Format of `sha256sum --check`.
        let sums = format!("{}  {stem}.tar.gz\n", Digest::of(&bytes));
        let mut made = Vec::new();
        for (name, bytes) in [("tar.gz", &bytes[..]), ("tar.gz.sha256", sums.as_bytes())] {
            let path = out.join(format!("{stem}.{name}"));
            sys::fs::write_atomic(&path, bytes)?;
            let size_bytes = bytes.len() as u64;
            made.push(MadeFile { path, size_bytes, sha256: Digest::of(bytes) });
        }
        Ok(made)
    };
    write().map_err(|e| Error::io(format!("write `{stem}.tar.gz`"), e))
}
