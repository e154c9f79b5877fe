//! `wheelsmith show`

use std::path::Path;

use anyhow::{Context as _, bail};
use wheelsmith_core::archive::{Artifact, Kind, Limits};
use wheelsmith_core::audit::{self, AuditInput, AuditOptions};
use wheelsmith_core::binary::NativeFile;
use wheelsmith_core::name::WheelPath;
use wheelsmith_core::sys::{self, Host};

use crate::exit::Exit;
use crate::output::{Output, Shown};

/// Show what native files say of themselves: what they are for, need, and offer
///
/// ELF, Mach-O and PE files and static libraries, whatever system this is. With `--verbose`, the
/// symbols as well.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith show build/libdemo.so
  wheelsmith show 'demo-1.0-py3-none-any.whl!demo/libdemo.so'   a file in a wheel, unpacked nowhere
  wheelsmith show demo-1.0-py3-none-any.whl                     each native file in it")]
pub(crate) struct Args {
    /// A file, `ARCHIVE!MEMBER`, or an archive or directory for all that is native in it
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
    output.shown(&shown)?;
    let can_read = shown.iter().all(|shown| shown.file.problem().is_none());
    Ok(if can_read { Exit::Good } else { Exit::No })
}

/// The native files that `name` means: one, or all of an archive.
fn read(name: &str, host: &Host) -> anyhow::Result<Vec<NativeFile>> {
    let limits = Limits::default();
    // A file that is there is itself, whatever it is called.
    let inner =
        name.split_once('!').filter(|_| sys::fs::symlink_metadata(Path::new(name)).is_err());
    let Some((archive, member)) = inner else {
        let artifact = Artifact::open(Path::new(name), &limits, host)?;
        let (files, findings) = audit::native_files(&artifact, false, host)?;
        if files.is_empty() {
            match findings.first() {
                Some(finding) => bail!("cannot read `{name}`: {}", finding.message),
                None if artifact.kind() == Kind::File => bail!("`{name}` is no native file"),
                None => bail!("`{name}` has no native file"),
            }
        }
        return Ok(files);
    };
    let artifact = Artifact::open(Path::new(archive), &limits, host)?;
    let path: WheelPath =
        member.parse().with_context(|| format!("`{member}` is no path in an archive"))?;
    match audit::native_member(&artifact, &path, host)? {
        Some(file) => Ok(vec![file]),
        None => bail!("`{member}` of `{archive}` is no native file"),
    }
}

/// The file with the tag that it would earn alone.
fn judged(name: &str, file: NativeFile) -> Shown {
    let opened = AuditInput {
        path: name.to_owned(),
        kind: Kind::File,
        filename: None,
        wheel: None,
        files: vec![file.clone()],
        findings: Vec::new(),
    };
    let earns = audit::input(opened, &AuditOptions::default()).verdict;
    Shown { given: name.to_owned(), file, earns }
}
