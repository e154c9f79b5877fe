//! `wheelsmith inspect`

use std::path::Path;

use anyhow::{Context as _, bail};
use wheelsmith_core::archive::{Artifact, Kind, Limits};
use wheelsmith_core::audit::{self, AuditInput, AuditOptions};
use wheelsmith_core::binary::NativeFile;
use wheelsmith_core::name::WheelPath;
use wheelsmith_core::sys::{self, Host};

use crate::exit::Exit;
use crate::output::{Inspected, Output};

/// Print the platform, needed libraries and symbols of native files
///
/// Reads ELF, Mach-O and PE files and static libraries, on any system. `--verbose` lists every
/// symbol.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith inspect build/libdemo.so
  wheelsmith inspect demo-1.0-py3-none-any.whl      each native file of a wheel
  wheelsmith inspect 'demo-1.0-py3-none-any.whl!demo/libdemo.so'

Exit codes: 0 read; 1 a file is damaged; 2 a file could not be read.")]
pub(crate) struct Args {
    /// File, `ARCHIVE!MEMBER`, or an archive or directory for every native file in it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let mut shown = Vec::new();
    for name in &args.files {
        for file in read(name, host)? {
            shown.push(judged(name, file));
        }
    }
    output.inspected(&shown)?;
    let can_read = shown.iter().all(|shown| shown.file.problem().is_none());
    Ok(if can_read { Exit::Good } else { Exit::No })
}

/// Reads the native files that `name` stands for: one, or all of an archive.
fn read(name: &str, host: &Host) -> anyhow::Result<Vec<NativeFile>> {
    let limits = Limits::default();
    // An existing file may have `!` in its name.
    let inner =
        name.split_once('!').filter(|_| sys::fs::symlink_metadata(Path::new(name)).is_err());
    let Some((archive, member)) = inner else {
        let artifact = Artifact::open(Path::new(name), &limits, host)?;
        let (files, findings) = audit::native_files(&artifact, false, host)?;
        if files.is_empty() {
            match findings.first() {
                Some(finding) => bail!("cannot read `{name}`: {}", finding.message),
                None if artifact.kind() == Kind::File => bail!("`{name}` is not a native file"),
                None => bail!("`{name}` has no native file"),
            }
        }
        return Ok(files);
    };
    let artifact = Artifact::open(Path::new(archive), &limits, host)?;
    let path: WheelPath =
        member.parse().with_context(|| format!("`{member}` is not a path in an archive"))?;
    match audit::native_member(&artifact, &path, host)? {
        Some(file) => Ok(vec![file]),
        None => bail!("`{member}` of `{archive}` is not a native file"),
    }
}

/// Judges a file on its own.
fn judged(name: &str, file: NativeFile) -> Inspected {
    let opened = AuditInput {
        path: name.to_owned(),
        kind: Kind::File,
        filename: None,
        wheel: None,
        record: None,
        files: vec![file.clone()],
        findings: Vec::new(),
    };
    let verdict = audit::input(opened, &AuditOptions::default()).verdict;
    Inspected { given: name.to_owned(), file, verdict }
}
