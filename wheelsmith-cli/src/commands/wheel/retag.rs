//! `wheelsmith wheel retag`

use std::path::PathBuf;

use wheelsmith_core::name::{PlatformTag, PythonTag};
use wheelsmith_core::sys::Host;
use wheelsmith_core::wheel::Existing;

use crate::commands::PackingArgs;
use crate::exit::Exit;
use crate::output::{Output, Retagged};

/// Give wheels other tags
///
/// The files must qualify for the platform tag, as `audit` judges them. `--force REASON` writes the
/// tag all the same, and prints the reason. All files but WHEEL and RECORD keep their bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel retag demo.whl --tag cp39-abi3
  wheelsmith wheel retag demo.whl --platform-tag manylinux_2_28_x86_64 --out dist
  wheelsmith wheel retag demo.whl --build-tag 2
  wheelsmith wheel retag demo.whl --platform-tag manylinux_2_17_x86_64 \\
      --force 'its one newer symbol is looked up at run time'")]
pub(crate) struct Args {
    /// The wheels
    #[arg(required = true, value_name = "WHEEL")]
    wheels: Vec<PathBuf>,
    /// Python and ABI tags: `py3-none`, `cp39-abi3`
    #[arg(long, value_name = "PYTHON-ABI")]
    tag: Option<PythonTag>,
    /// A platform tag: `manylinux_2_28_x86_64`; may be repeated
    #[arg(long = "platform-tag", value_name = "TAG")]
    platforms: Vec<PlatformTag>,
    /// A build tag, which begins with a digit; `none` takes one away
    #[arg(long = "build-tag", value_name = "TAG", value_parser = build_tag)]
    build: Option<String>,
    /// Write a tag for which the files do not qualify, or take a wheel that contradicts its RECORD
    #[arg(long, value_name = "REASON", num_args = 0..=1, default_missing_value = "")]
    force: Option<String>,
    /// The reason, by its old name
    #[arg(long, value_name = "REASON", requires = "force", hide = true)]
    reason: Option<String>,
    /// Where the wheels are written
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    packing: PackingArgs,
}

fn build_tag(text: &str) -> Result<String, String> {
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let is_tag = is_word && text.starts_with(|c: char| c.is_ascii_digit());
    if text == "none" || is_tag {
        Ok(text.to_owned())
    } else {
        Err("a build tag begins with a digit and has letters, digits, `_` and `.`".to_owned())
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    if args.tag.is_none() && args.platforms.is_empty() && args.build.is_none() {
        anyhow::bail!("no tag is given; see `wheelsmith wheel retag --help`");
    }
    if args.force.is_some() && args.force_reason().is_none() {
        anyhow::bail!("`--force` needs a reason: `--force 'why this is right'`");
    }
    let mut retagged = Vec::new();
    for path in &args.wheels {
        retagged.push(retag(args, path, host)?);
    }
    output.retagged(&retagged)?;
    let is_refused = retagged.iter().any(|wheel| wheel.file.is_none());
    Ok(if is_refused { Exit::No } else { Exit::Good })
}

impl Args {
    /// Returns why the user insists.
    fn force_reason(&self) -> Option<&String> {
        self.force.as_ref().filter(|reason| !reason.is_empty()).or(self.reason.as_ref())
    }
}

fn retag(args: &Args, path: &std::path::Path, host: &Host) -> anyhow::Result<Retagged> {
    let wheel = Existing::open(path)?;
    let reason = args.force_reason();
    if reason.is_none() {
        wheel.verified()?;
    }
    let mut filename = wheel.filename.clone();
    if let Some(tag) = &args.tag {
        filename.python = tag.clone();
    }
    match args.build.as_deref() {
        Some("none") => filename.build = None,
        Some(tag) => filename.build = Some(tag.to_owned()),
        None => {}
    }
    let mut refused = Vec::new();
    if !args.platforms.is_empty() {
        filename.platforms = args.platforms.iter().flat_map(PlatformTag::with_aliases).collect();
        filename.platforms.sort_by_key(PlatformTag::to_string);
        filename.platforms.dedup();
        refused = super::unearned(&wheel, &args.platforms)?;
    }
    let name = filename.to_string();
    let file = if refused.is_empty() || reason.is_some() {
        let path = super::place(&args.out, &name);
        Some(wheel.retag(filename, &path, args.packing.get(), host)?)
    } else {
        None
    };
    let reason = reason.filter(|_| !refused.is_empty()).cloned();
    Ok(Retagged { name, file, refused, reason })
}
