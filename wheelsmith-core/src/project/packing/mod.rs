//! Makes packages other than wheels and SDKs from runtimes: archives and npm packages.

mod binstall;
mod crates;
mod files;

use std::collections::BTreeMap;
use std::path::Path;

use super::epoch::epoch;
use super::{Error, Project, pack};
use crate::archive::Limits;
use crate::audit::{self, Allowances, Audit, NativeFile, Requirement};
use crate::config::{ArchiveFormat, ArchiveNames, Compression};
use crate::name::{Floor, NpmName, PlatformTag, Target};
use crate::package::installer::{ArchiveRow, Scripts};
use crate::package::npm::{self, PlatformRow};
use crate::package::{self, Content, Files, Problem, Writing};
use crate::plan::{
    BuildOptions, CratePlan, LeftOutPackage, PackageContent, PackageKind, PackagePlan, Plan,
    TargetPlan,
};
use crate::runtime::{self, FileEntry, Runtime};
use crate::sys::{self, Host};
use crate::version::scheme::ReleaseVersion;
use crate::wheel::{Entry, MadeFile};

pub use binstall::Binstall;
pub(super) use binstall::binstall;
pub(super) use crates::crates;

/// Package and its verdict.
#[derive(Debug)]
pub struct BuiltPackage {
    /// File name.
    pub name: String,
    /// Kind.
    pub kind: PackageKind,
    /// File; `None` if its files do not qualify for the target.
    pub file: Option<MadeFile>,
    /// Further names of the same file.
    pub aliases: Vec<MadeFile>,
    /// Verdict; `None` for a package without native files of its own.
    pub verdict: Option<PackageVerdict>,
    /// Row of the loader of the main package.
    pub(crate) row: Option<(usize, PlatformRow)>,
    /// Row of the installer of an archive.
    pub(crate) archive: Option<(usize, ArchiveRow)>,
}

/// Verdict on the files of a package.
#[derive(Debug)]
pub struct PackageVerdict {
    /// Oldest platform on which it must run.
    pub floor: Floor,
    /// Tag of the floor.
    pub wanted: PlatformTag,
    /// Audit of its files.
    pub audit: Audit,
}

/// Returns the version in the form of SemVer; `None` if it has no such form.
///
/// # Errors
/// Returns an error if there is no such form and a package needs it.
pub(super) fn semver(project: &Project, version: &str) -> Result<Option<String>, Error> {
    match ReleaseVersion::parse(version).and_then(|version| version.semver()) {
        Ok(version) => Ok(Some(version)),
        Err(_) if project.config.npm.is_empty() => Ok(None),
        Err(error) => {
            let message = format!("npm cannot have this version: {error}");
            Err(project.config.problem("tool.wheelsmith.npm[0]", message, error.help).into())
        }
    }
}

/// Makes the packages of one target.
pub(super) struct Packer<'a> {
    pub(super) project: &'a Project,
    pub(super) options: &'a BuildOptions,
    pub(super) host: &'a Host,
}

impl Packer<'_> {
    /// Makes the packages of one target.
    pub(super) fn target(
        &self,
        plan: &TargetPlan,
        runtime: &Runtime,
    ) -> Result<Vec<BuiltPackage>, Error> {
        let mut built = Vec::new();
        for package in &plan.packages {
            let task = self.host.task(format!("pack {}", package.file), 1);
            let made = match &package.content {
                PackageContent::Archive(i, names) => {
                    self.archive(*i, names, package, plan, runtime)?
                }
                PackageContent::NpmPlatform(i, name, _) => {
                    self.npm_platform(*i, name, package, plan, runtime)?
                }
                PackageContent::NpmMain(..)
                | PackageContent::Crate(..)
                | PackageContent::Installer { .. } => continue,
            };
            if made.file.is_some() {
                task.finish(made.name.clone());
            }
            built.push(made);
        }
        Ok(built)
    }

    fn problem(&self, table: &str, problem: Problem) -> Error {
        let Problem { key, message, help } = problem;
        let dot = if key.is_empty() { "" } else { "." };
        self.project.config.problem(&format!("{table}{dot}{key}"), message, help).into()
    }

    fn archive(
        &self,
        i: usize,
        names: &ArchiveNames,
        package: &PackagePlan,
        plan: &TargetPlan,
        runtime: &Runtime,
    ) -> Result<BuiltPackage, Error> {
        let archive = &self.project.config.archives[i];
        let table = format!("tool.wheelsmith.archive[{i}]");
        let place = |file: &FileEntry| runtime.path(&file.path);
        let content = package::archive_content(archive, names.format, &runtime.manifest, &place);
        let mut files = content.map_err(|problem| self.problem(&table, problem))?;
        files::add_texts(self.project, &mut files, true).and_then(|()| {
            files::add(self.project, &format!("{table}.include"), &archive.include, &mut files)
        })?;
        let audit = self.judge(plan, &files, &table)?;
        if !pack::may_be_written(self.project, &audit) {
            return Ok(refused(package, plan, audit));
        }
        let writing = Writing {
            format: names.format,
            top: &names.top,
            first: None,
            epoch: epoch(self.host).unwrap_or(runtime::ARCHIVE_EPOCH),
            compression: self.compression(),
            cache: !self.options.no_cache,
        };
        let file = self.write(&files, &package.file, writing)?;
        let mut aliases = Vec::new();
        for alias in &package.aliases {
            let path = self.project.out_dir(self.options).join(alias);
            let copied = crate::wheel::copy(&file.path, &path);
            aliases.push(copied.map_err(|error| Error::Write { path, source: Box::new(error) })?);
        }
        let mut row = None;
        if let Some(tag) = audit.tag.as_ref().filter(|_| !self.project.config.installers.is_empty())
        {
            let place = (&*package.file, &*names.top);
            let found = ArchiveRow::new(plan.target, tag, &audit.files, place, file.sha256);
            row = Some((i, found.map_err(|problem| self.problem(&table, problem))?));
        }
        let package = made(package, file, Some(verdict(plan, audit)));
        Ok(BuiltPackage { aliases, archive: row, ..package })
    }

    fn npm_platform(
        &self,
        i: usize,
        name: &NpmName,
        package: &PackagePlan,
        plan: &TargetPlan,
        runtime: &Runtime,
    ) -> Result<BuiltPackage, Error> {
        let table = format!("tool.wheelsmith.npm[{i}]");
        let problem = |problem| self.problem(&table, problem);
        let config = &self.project.config;
        let place = |file: &FileEntry| runtime.path(&file.path);
        let selected = npm::selected(&config.npm[i], &runtime.manifest, &place);
        let mut files = selected.map_err(problem)?;
        files::add_texts(self.project, &mut files, false)?;
        let audit = self.judge(plan, &files, &table)?;
        let tag = match &audit.tag {
            Some(tag) if pack::may_be_written(self.project, &audit) => tag.clone(),
            _ => return Ok(refused(package, plan, audit)),
        };
        let mut expected = config.targets.clone();
        expected.push(plan.target);
        let platform = npm::qualified(&tag, &audit.files, plan.target, &expected);
        let platform = platform.map_err(problem)?;
        let identity = Npm::new(self.project, i)?;
        let row = npm::finish_platform(
            identity.get(self.project, i),
            name,
            plan.target,
            &tag,
            platform,
            &mut files,
        );
        let row = row.map_err(problem)?;
        let file = self.write_npm(&files, &package.file)?;
        let row = Some((i, row));
        Ok(BuiltPackage { row, ..made(package, file, Some(verdict(plan, audit))) })
    }

    /// Makes the packages of all targets. `built` has the packages of each; none if it failed.
    pub(super) fn all(&self, plan: &Plan, built: &[TargetPackages<'_>]) -> Result<Common, Error> {
        let mut common = Common::default();
        for package in &plan.packages {
            let made = match &package.content {
                PackageContent::NpmMain(i, _) => {
                    let rows = rows(built, |package| package.row.as_ref(), *i);
                    self.complete(&rows).map(|rows| self.npm_main(*i, package, &rows))
                }
                PackageContent::Installer { archive, .. } => {
                    let rows = rows(built, |package| package.archive.as_ref(), *archive);
                    self.complete(&rows).map(|rows| self.installer(package, &rows))
                }
                PackageContent::Archive(..)
                | PackageContent::NpmPlatform(..)
                | PackageContent::Crate(..) => continue,
            };
            match made {
                Ok(made) => common.packages.push(made?),
                Err(reason) => {
                    let file = package.file.clone();
                    common.left_out.push(LeftOutPackage { file, reason });
                }
            }
        }
        common.packages.extend(self.crates(plan)?);
        Ok(common)
    }

    /// Makes the crates, those of one table with one run of cargo.
    fn crates(&self, plan: &Plan) -> Result<Vec<BuiltPackage>, Error> {
        let mut tables: BTreeMap<usize, Vec<(&PackagePlan, &CratePlan)>> = BTreeMap::new();
        for package in &plan.packages {
            if let PackageContent::Crate(i, planned) = &package.content {
                tables.entry(*i).or_default().push((package, planned));
            }
        }
        let mut built = Vec::new();
        for (i, packages) in tables {
            let label = format!("package {} with cargo", self.project.config.crates[i].manifest);
            let task = self.host.task(label, 1);
            let crates: Vec<&CratePlan> = packages.iter().map(|(_, planned)| *planned).collect();
            let out = self.project.out_dir(self.options);
            let files = crates::pack(self.project, i, &crates, self.options, &out)?;
            task.finish(format!("{} crates", files.len()));
            let packages = packages.iter().map(|(package, _)| *package);
            built.extend(packages.zip(files).map(|(p, file)| made(p, file, None)));
        }
        Ok(built)
    }

    /// Returns the rows of all targets; those that exist if the package may be partial. Otherwise
    /// returns the reason why it cannot be made.
    fn complete<R: Clone>(&self, rows: &[(Target, Option<&R>)]) -> Result<Vec<R>, String> {
        let missing = rows.iter().filter(|(_, row)| row.is_none());
        let missing: Vec<&str> = missing.map(|(target, _)| target.triple()).collect();
        let present: Vec<R> = rows.iter().filter_map(|(_, row)| row.cloned()).collect();
        if present.is_empty() || (!missing.is_empty() && !self.options.partial) {
            return Err(format!("it lacks the packages for {}", missing.join(", ")));
        }
        Ok(present)
    }

    fn npm_main(
        &self,
        i: usize,
        package: &PackagePlan,
        rows: &[PlatformRow],
    ) -> Result<BuiltPackage, Error> {
        let table = format!("tool.wheelsmith.npm[{i}]");
        let npm = &self.project.config.npm[i];
        let task = self.host.task(format!("pack {}", package.file), 1);
        let mut files = Files::new();
        files::add_texts(self.project, &mut files, true)?;
        files::add(self.project, &format!("{table}.include"), &npm.include, &mut files)?;
        let identity = Npm::new(self.project, i)?;
        npm::finish_main(identity.get(self.project, i), rows, &mut files)
            .map_err(|problem| self.problem(&table, problem))?;
        let file = self.write_npm(&files, &package.file)?;
        task.finish(package.file.clone());
        Ok(made(package, file, None))
    }

    /// Writes a script that installs the archives of all targets.
    fn installer(&self, package: &PackagePlan, rows: &[ArchiveRow]) -> Result<BuiltPackage, Error> {
        let PackageContent::Installer { installer, name, is_powershell, .. } = &package.content
        else {
            unreachable!("only installers are passed");
        };
        let (_, version) = super::archive::identity(self.project);
        let version = semver(self.project, &version)?.unwrap_or(version);
        let url = self.project.config.installers[*installer].url.fill(&version);
        let scripts = Scripts { name, version: &version, url: &url };
        let text = if *is_powershell {
            scripts.powershell(&package.file, rows)
        } else {
            scripts.shell(&package.file, rows)
        };
        let table = format!("tool.wheelsmith.installer[{installer}]");
        let text = text.map_err(|problem| self.problem(&table, problem))?;
        let path = self.project.out_dir(self.options).join(&package.file);
        sys::fs::write_program(&path, text.as_bytes())
            .map_err(|e| Error::io(format!("write `{}`", package.file), e))?;
        let (sha256, size_bytes) = (crate::name::Digest::of(&text), text.len() as u64);
        Ok(made(package, MadeFile { path, size_bytes, sha256 }, None))
    }

    fn write_npm(&self, files: &Files, name: &str) -> Result<MadeFile, Error> {
        let first = npm::MANIFEST.parse().expect("a constant");
        let writing = Writing {
            format: ArchiveFormat::TarGz,
            top: npm::TOP,
            first: Some(&first),
            epoch: npm::EPOCH,
            compression: self.compression(),
            cache: !self.options.no_cache,
        };
        self.write(files, name, writing)
    }

    fn compression(&self) -> Compression {
        self.options.compression.unwrap_or(self.project.config.compression)
    }

    fn write(&self, files: &Files, name: &str, writing: Writing<'_>) -> Result<MadeFile, Error> {
        let path = self.project.out_dir(self.options).join(name);
        package::write(files, &path, writing, self.host)
            .map_err(|error| Error::Write { path, source: Box::new(error) })
    }

    /// Judges the native files of a package as those of a wheel.
    fn judge(&self, plan: &TargetPlan, files: &Files, table: &str) -> Result<Audit, Error> {
        let mut native: Vec<NativeFile> = Vec::new();
        for (path, file) in files {
            let Content::Bytes(source) = &file.content else { continue };
            let (path, executable) = (path.clone(), file.executable);
            let entry = Entry { path, executable, source: source.clone() };
            let file = entry.native_file(&Limits::default());
            native.extend(file.map_err(|e| Error::io("read a file to inspect", e))?);
        }
        let allowances = Allowances::new(&self.project.config.audit.exclude, Vec::new())
            .map_err(|e| self.project.config.problem(table, e.to_string(), None))?;
        let requirement = Requirement::for_target(plan.target).allowing(allowances);
        let mut audit = audit::judgement(native, None, &requirement);
        pack::apply_settings(self.project, &mut audit);
        Ok(audit)
    }
}

/// Target, and the packages that were made for it.
pub(super) type TargetPackages<'a> = (Target, &'a [BuiltPackage]);

/// Packages of all targets together.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) packages: Vec<BuiltPackage>,
    pub(super) left_out: Vec<LeftOutPackage>,
}

/// Returns the row of each target that is of the table at position `i`.
fn rows<'a, R>(
    built: &[TargetPackages<'a>],
    row: impl Fn(&'a BuiltPackage) -> Option<&'a (usize, R)>,
    i: usize,
) -> Vec<(Target, Option<&'a R>)> {
    let of = |packages: &'a [BuiltPackage]| {
        packages.iter().filter_map(&row).find(|(of, _)| *of == i).map(|(_, row)| row)
    };
    built.iter().map(|(target, packages)| (*target, of(packages))).collect()
}

/// Names of an npm table.
struct Npm {
    main: NpmName,
    version: String,
}

impl Npm {
    fn new(project: &Project, i: usize) -> Result<Self, Error> {
        let (_, version) = super::archive::identity(project);
        let table = project.config.project.as_ref();
        let name = table.map(|table| table.name.to_string()).unwrap_or_default();
        let main = project.config.npm[i].main_name(&name);
        let main = main.map_err(crate::plan::Error::PackageName)?;
        Ok(Self { main, version: semver(project, &version)?.unwrap_or(version) })
    }

    fn get<'a>(&'a self, project: &'a Project, i: usize) -> npm::Identity<'a> {
        npm::Identity {
            npm: &project.config.npm[i],
            main: &self.main,
            version: &self.version,
            project: project.config.project.as_ref().expect("checked by the configuration"),
            commit: project.commit.as_ref().filter(|commit| commit.is_known),
        }
    }
}

fn verdict(plan: &TargetPlan, audit: Audit) -> PackageVerdict {
    PackageVerdict { floor: plan.target.floor(), wanted: plan.wanted_tag.clone(), audit }
}

fn made(package: &PackagePlan, file: MadeFile, verdict: Option<PackageVerdict>) -> BuiltPackage {
    BuiltPackage {
        name: package.file.clone(),
        kind: package.kind,
        file: Some(file),
        aliases: Vec::new(),
        verdict,
        row: None,
        archive: None,
    }
}

fn refused(package: &PackagePlan, plan: &TargetPlan, audit: Audit) -> BuiltPackage {
    BuiltPackage {
        name: package.file.clone(),
        kind: package.kind,
        file: None,
        aliases: Vec::new(),
        verdict: Some(verdict(plan, audit)),
        row: None,
        archive: None,
    }
}

/// Reads the runtime of `target` that an earlier run built, and checks every file.
///
/// # Errors
/// Returns an error if there is none, if it is that of another version, or if a file was changed.
pub(super) fn existing(project: &Project, target: Target, dir: &Path) -> Result<Runtime, Error> {
    let (name, version) = super::archive::identity(project);
    let error = |reason: String| Error::NoRuntime { target: target.to_string(), reason };
    let Ok(text) = sys::fs::read(dir.join(runtime::MANIFEST_FILE)) else {
        return Err(error(format!("`{}` has none", dir.display())));
    };
    let manifest: runtime::Manifest =
        serde_json::from_slice(&text).map_err(|e| error(format!("its manifest: {e}")))?;
    let wanted = (runtime::SCHEMA, &*name, &*version, target.triple());
    let found = (manifest.schema, &*manifest.name, &*manifest.version, &*manifest.target);
    if found != wanted {
        return Err(error(format!(
            "`{}` has that of {} {} for {}",
            dir.display(),
            manifest.name,
            manifest.version,
            manifest.target
        )));
    }
    let runtime = Runtime { dir: dir.to_owned(), manifest };
    for file in &runtime.manifest.files {
        let is_it = sys::fs::digest(&runtime.path(&file.path))
            .is_ok_and(|(digest, _)| digest == file.sha256);
        if !is_it {
            return Err(error(format!("`{}` was changed or removed", file.path)));
        }
    }
    Ok(runtime)
}
