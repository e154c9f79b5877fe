//! Packages crates, by the user's own cargo.

use std::path::Path;

use cargo_metadata::MetadataCommand;

use super::super::{Error, Project};
use crate::config::{self, Crates};
use crate::package::crate_order;
use crate::plan::{BuildOptions, CratePlan, PackageKind};
use crate::sys::{Command, Host};
use crate::wheel::{self, MadeFile};

/// Returns the crates of each table of the configuration, in the order in which they can be
/// published; nothing if the options select none.
///
/// # Errors
/// Returns an error if cargo cannot read a workspace, or a registry would refuse a crate.
pub(in crate::project) fn crates(
    project: &Project,
    options: &BuildOptions,
) -> Result<Vec<Vec<CratePlan>>, Error> {
    if !options.makes(PackageKind::Crates) {
        return Ok(Vec::new());
    }
    let of_table = |(i, table): (usize, &Crates)| {
        let cargo = cargo(project, table, "metadata", &project.host)?;
        let said = cargo.args(["--no-deps", "--format-version", "1"]).run(&project.host);
        let said = said.map_err(|source| Error::Cargo { action: "read the crates", source })?;
        let refused = |reasons: Vec<String>| -> Error { problems(project, i, reasons).into() };
        let metadata = MetadataCommand::parse(&*String::from_utf8_lossy(&said.stdout))
            .map_err(|error| refused(vec![format!("cargo's answer cannot be read: {error}")]))?;
        crate_order(&metadata.workspace_packages(), table.packages.as_deref()).map_err(refused)
    };
    project.config.crates.iter().enumerate().map(of_table).collect()
}

/// Returns an error with all reasons why the crates of a table cannot be published.
fn problems(project: &Project, i: usize, reasons: Vec<String>) -> config::Error {
    let key = format!("tool.wheelsmith.crates[{i}]");
    let mut errors = reasons.into_iter().map(|reason| project.config.problem(&key, reason, None));
    let mut first = errors.next().expect("there is a reason");
    first.problems.extend(errors.flat_map(|error| error.problems));
    first
}

/// Packages the crates of one table together, and writes them to `out`.
///
/// # Errors
/// Returns an error if cargo fails, or a file cannot be written.
pub(super) fn pack(
    project: &Project,
    i: usize,
    crates: &[&CratePlan],
    options: &BuildOptions,
    out: &Path,
) -> Result<Vec<MadeFile>, Error> {
    let (table, host) = (&project.config.crates[i], &project.host);
    let target = project.work_dir().join("crates").join(i.to_string());
    let mut cargo = cargo(project, table, "package", host)?
        // cargo records in the archive whether the work tree had changes.
        .args(["--quiet", "--allow-dirty", "--target-dir"])
        .arg(target.to_string_lossy());
    let flags = [
        (!table.verify, "--no-verify"),
        (options.policy.offline, "--offline"),
        (options.policy.locked, "--locked"),
    ];
    cargo = cargo.args(flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    for package in crates {
        cargo = cargo.args(["--package", &package.name]);
    }
    cargo.run(host).map_err(|source| Error::Cargo { action: "package the crates", source })?;
    let copy = |package: &&CratePlan| {
        let file = package.file();
        let path = out.join(&file);
        let copied = wheel::copy(&target.join("package").join(&file), &path);
        copied.map_err(|error| Error::Write { path, source: Box::new(error) })
    };
    crates.iter().map(copy).collect()
}

/// Returns a command of the user's cargo on the manifest, in the project's directory.
fn cargo(project: &Project, table: &Crates, verb: &str, host: &Host) -> Result<Command, Error> {
    let cargo = host.env.get("CARGO").unwrap_or("cargo");
    let program = host.env.find_program(cargo).ok_or(Error::NoCargo)?;
    let manifest = project.dir.join(&table.manifest);
    let command = Command::new(program, &project.dir, &host.env);
    Ok(command.args([verb, "--manifest-path"]).arg(manifest.to_string_lossy()))
}
