//! Plans packages other than wheels and SDKs: archives and npm packages.

use serde::Serialize;

use super::{BuildOptions, Error, Naming, PackageKind, Plan, TargetPlan};
use crate::config::{ArchiveNames, Config, NameValues, NpmPlatform};
use crate::name::{NpmName, Os, ParseError, Target};

/// Package to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackagePlan {
    /// Kind.
    pub kind: PackageKind,
    /// File name.
    pub file: String,
    /// Further names of the same file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Content.
    #[serde(skip)]
    #[cfg_attr(
        not(feature = "project"),
        allow(dead_code, reason = "a build script packs nothing")
    )]
    pub(crate) content: PackageContent,
}

/// Content of a package. Numbers are positions in the lists of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PackageContent {
    /// Archive.
    Archive(usize, ArchiveNames),
    /// npm package for one target.
    NpmPlatform(usize, NpmName, NpmPlatform),
    /// Main npm package.
    NpmMain(usize, NpmName),
    /// Crate.
    Crate(usize, CratePlan),
    /// Script that installs an archive: its positions, its name, and true for PowerShell.
    Installer { installer: usize, archive: usize, name: String, is_powershell: bool },
}

/// Crate to package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CratePlan {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

impl CratePlan {
    /// Returns the file name of the archive.
    pub fn file(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }
}

/// Returns the packages of `target`.
pub(super) fn of_target(
    config: &Config,
    options: &BuildOptions,
    target: Target,
    naming: &Naming<'_>,
) -> Result<Vec<PackagePlan>, Error> {
    let mut packages = Vec::new();
    for (i, archive) in config.archives.iter().enumerate() {
        if !options.makes(PackageKind::Archive) {
            break;
        }
        let version = naming.semver.unwrap_or(naming.version);
        let values = NameValues { name: naming.written, version, pep440: naming.version, ext: "" };
        let names = archive.names(values, target);
        packages.push(PackagePlan {
            kind: PackageKind::Archive,
            file: names.file.clone(),
            aliases: names.aliases.clone(),
            content: PackageContent::Archive(i, names),
        });
    }
    for i in npm(config, options) {
        let (main, version) = npm_identity(config, i, naming)?;
        let platform = NpmPlatform::of(target);
        let name = config.npm[i].platform_name(&main, &platform).map_err(named)?;
        packages.push(PackagePlan {
            kind: PackageKind::Npm,
            file: name.tarball(version),
            aliases: Vec::new(),
            content: PackageContent::NpmPlatform(i, name, platform),
        });
    }
    Ok(packages)
}

/// Returns the packages of all targets together, and the reasons why some are left out.
pub(super) fn of_all(
    config: &Config,
    options: &BuildOptions,
    plan: &mut Plan,
    naming: &Naming<'_>,
) -> Result<(), Error> {
    let is_planned =
        |target: &&Target| plan.targets.iter().any(|p| p.target.triple() == target.triple());
    let expected = &config.targets;
    let missing = expected.iter().filter(|target| !is_planned(target));
    let missing: Vec<&'static str> = missing.map(Target::triple).collect();
    let mut packages: Vec<(String, PackagePlan)> = Vec::new();
    for i in npm(config, options) {
        let (main, version) = npm_identity(config, i, naming)?;
        let file = main.tarball(version);
        packages.push((
            main.to_string(),
            PackagePlan {
                kind: PackageKind::Npm,
                file,
                aliases: Vec::new(),
                content: PackageContent::NpmMain(i, main),
            },
        ));
    }
    packages.extend(installers(config, options, plan, naming));
    for (package, planned) in packages {
        if missing.is_empty() || options.partial {
            plan.packages.push(planned);
            continue;
        }
        let missing = missing.iter().map(|triple| (*triple).to_owned()).collect();
        let error = Error::MissingTargets { package, missing, expected: expected.len() };
        // A build of some targets is no release.
        if options.packages.is_some() {
            return Err(error);
        }
        plan.left_out.push(LeftOutPackage { file: planned.file, reason: error.to_string() });
    }
    for (i, crates) in naming.crates.iter().enumerate() {
        plan.packages.extend(crates.iter().map(|package| PackagePlan {
            kind: PackageKind::Crates,
            file: package.file(),
            aliases: Vec::new(),
            content: PackageContent::Crate(i, package.clone()),
        }));
    }
    unique(plan)
}

/// Returns the scripts that install archives, each with its name in messages.
fn installers(
    config: &Config,
    options: &BuildOptions,
    plan: &Plan,
    naming: &Naming<'_>,
) -> Vec<(String, PackagePlan)> {
    let mut packages = Vec::new();
    let makes = options.makes(PackageKind::Installer);
    for (i, installer) in config.installers.iter().enumerate().filter(|_| makes) {
        let is_it = |archive: &crate::config::Archive| {
            installer.archive.is_none() || archive.name == installer.archive
        };
        let Some(archive) = config.archives.iter().position(is_it) else { continue };
        let name = config.archives[archive].name.as_deref().unwrap_or(naming.written);
        let default = || format!("{name}-installer");
        let stem = installer.name.clone().unwrap_or_else(default);
        let is_windows = |target: &TargetPlan| target.target.os() == Os::Windows;
        let forms = [
            ("sh", false, !plan.targets.iter().all(is_windows)),
            ("ps1", true, plan.targets.iter().any(is_windows)),
        ];
        for (extension, is_powershell, _) in forms.into_iter().filter(|(.., has)| *has) {
            let (installer, name) = (i, name.to_owned());
            let file = format!("{stem}.{extension}");
            packages.push((
                file.clone(),
                PackagePlan {
                    kind: PackageKind::Installer,
                    file,
                    aliases: Vec::new(),
                    content: PackageContent::Installer { installer, archive, name, is_powershell },
                },
            ));
        }
    }
    packages
}

/// Package that is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOutPackage {
    /// File name.
    pub file: String,
    /// Reason.
    pub reason: String,
}

/// Returns the positions of the npm packages to make.
fn npm<'c>(config: &'c Config, options: &BuildOptions) -> impl Iterator<Item = usize> + use<'c> {
    let makes = options.makes(PackageKind::Npm);
    (0..config.npm.len()).filter(move |_| makes)
}

fn npm_identity<'n>(
    config: &Config,
    i: usize,
    naming: &Naming<'n>,
) -> Result<(NpmName, &'n str), Error> {
    let name = config.npm[i].main_name(naming.written).map_err(named)?;
    Ok((name, naming.semver.unwrap_or(naming.version)))
}

fn named(error: ParseError) -> Error {
    Error::PackageName(error)
}

/// Checks that no two files have the same name.
fn unique(plan: &Plan) -> Result<(), Error> {
    let mut seen = std::collections::BTreeMap::new();
    let of_target = |plan: &TargetPlan| {
        let names = plan.packages.iter().flat_map(|p| p.aliases.iter().chain([&p.file]));
        let names = names.chain(&plan.archives).cloned().collect::<Vec<_>>();
        (plan.target.triple(), names)
    };
    let all = plan.targets.iter().map(of_target);
    let main = plan.packages.iter().map(|package| package.file.clone()).collect();
    for (owner, names) in all.chain([("all targets", main)]) {
        for name in names {
            // File systems of macOS and Windows do not tell cases apart.
            if let Some(first) = seen.insert(name.to_lowercase(), owner) {
                return Err(Error::SameFile {
                    file: name,
                    first: first.to_owned(),
                    second: owner.to_owned(),
                });
            }
        }
    }
    Ok(())
}
