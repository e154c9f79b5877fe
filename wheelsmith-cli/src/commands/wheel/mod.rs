//! `wheelsmith wheel`: changes to existing wheels.

mod add;
mod diff;
mod pack;
mod retag;
mod unpack;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::archive::Limits;
use wheelsmith_core::audit::{self, Requirement};
use wheelsmith_core::finding::{Code, Finding, Severity};
use wheelsmith_core::name::{PlatformTag, WheelFilename};
use wheelsmith_core::sys::Host;
use wheelsmith_core::wheel::{self, Existing, MadeFile};

use super::shared::PackingArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Unpack, pack, retag, extend and compare wheels
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel unpack dist/demo-1.0-py3-none-any.whl --out work
  wheelsmith wheel retag demo.whl --tag manylinux_2_28_x86_64 --out dist
  wheelsmith wheel diff dist/demo.whl rebuilt/demo.whl")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    Unpack(unpack::Args),
    Pack(pack::Args),
    Retag(retag::Args),
    #[command(alias = "combine")]
    Add(add::Args),
    Diff(diff::Args),
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match &args.verb {
        Subcommand::Unpack(args) => unpack::run(args, output),
        Subcommand::Pack(args) => pack::run(args, host, output),
        Subcommand::Retag(args) => retag::run(args, host, output),
        Subcommand::Add(args) => add::run(args, host, output),
        Subcommand::Diff(args) => diff::run(args, output),
    }
}

/// Takes a wheel that contradicts its own `RECORD`.
#[derive(Debug, clap::Args)]
struct ForceArgs {
    /// Take a wheel whose files differ from its RECORD, or whose names some systems cannot hold
    #[arg(long, value_name = "REASON")]
    force: Option<String>,
}

impl ForceArgs {
    /// Returns an error if `wheel` contradicts itself, and no reason was given to take it.
    fn verify(&self, wheel: &Existing) -> Result<(), wheel::Error> {
        if self.force.is_some() { Ok(()) } else { wheel.verified() }
    }
}

/// Writes `wheel` under `filename` to `out`.
fn write(
    wheel: Existing,
    filename: WheelFilename,
    out: &Path,
    packing: &PackingArgs,
    host: &Host,
) -> anyhow::Result<MadeFile> {
    let path = place(out, &filename.to_string());
    let wheel = wheel.into_wheel(filename)?;
    Ok(wheel::save(wheel, &path, packing.get(), host)?)
}

/// Returns the path of `name` in `out`, without `./` for the current directory.
fn place(out: &Path, name: &str) -> PathBuf {
    if out == Path::new(".") { PathBuf::from(name) } else { out.join(name) }
}

/// Returns the findings because of which the files of `wheel` do not qualify for one of `tags`;
/// empty if they qualify for each.
fn disqualifying_findings(wheel: &Existing, tags: &[PlatformTag]) -> anyhow::Result<Vec<Finding>> {
    let mut files = Vec::new();
    for entry in wheel.entries.values() {
        let file = entry.native_file(&Limits::default());
        files.extend(file.with_context(|| format!("cannot inspect `{}`", entry.path))?);
    }
    let mut found = Vec::new();
    for tag in tags {
        if *tag == PlatformTag::Any {
            let natives = files.iter().filter(|file| !file.is_device_code());
            let message = "it is a native file, which runs on some platforms only";
            found.extend(natives.map(|file| Finding::new(Code::NativeInAny, &file.path, message)));
        } else if let Some(requirement) = Requirement::for_tag(tag) {
            let verdict = audit::judge(&files, &requirement);
            found.extend(verdict.findings.into_iter().filter(|f| f.severity == Severity::Error));
        } else {
            let message = format!("unknown platform tag `{tag}`");
            found.push(Finding { help: None, ..Finding::whole(Code::TagNotEarned, message) });
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
