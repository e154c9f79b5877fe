//! `wheelsmith wheel retag`

use std::path::{Path, PathBuf};
use std::str::FromStr;

use wheelsmith_core::name::{ParseError, PlatformTag, PythonTag};
use wheelsmith_core::sys::Host;
use wheelsmith_core::wheel::Existing;

use crate::commands::shared::PackingArgs;
use crate::exit::Exit;
use crate::output::{Output, Retagged};

/// Change the tags of wheels
///
/// The audit decides whether the files qualify for a platform tag. `--force` writes the tag anyway,
/// and the report contains the reason. All files but `WHEEL` and `RECORD` stay as they are packed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel retag demo.whl --tag manylinux_2_28_x86_64 --out dist
  wheelsmith wheel retag demo.whl --python-tag cp39-abi3
  wheelsmith wheel retag demo.whl --build-tag 2
  wheelsmith wheel retag demo.whl --tag manylinux_2_17_x86_64 \\
      --force 'its one newer symbol is looked up at run time'

Exit codes: 0 written; 1 a wheel does not qualify for the tag; 2 not possible.")]
pub(crate) struct Args {
    /// Wheels
    #[arg(required = true, value_name = "WHEEL")]
    wheels: Vec<PathBuf>,
    /// Platform tag, such as `manylinux_2_28_x86_64`; repeatable
    #[arg(long, alias = "platform-tag", value_name = "TAG")]
    tag: Vec<Tag>,
    /// Python and ABI tags, such as `py3-none` or `cp39-abi3`
    #[arg(long, value_name = "PYTHON-ABI")]
    python_tag: Option<PythonTag>,
    /// Build tag, which begins with a digit; `none` removes it
    #[arg(long = "build-tag", value_name = "TAG", value_parser = build_tag)]
    build: Option<String>,
    /// Write a platform tag that the files do not qualify for, or retag a wheel that contradicts its
    /// `RECORD`, for this reason
    #[arg(long, value_name = "REASON", num_args = 0..=1, default_missing_value = "")]
    force: Option<String>,
    /// Former spelling of the reason of `--force`.
    #[arg(long, requires = "force", hide = true)]
    reason: Option<String>,
    /// Directory for the wheels
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    packing: PackingArgs,
}

/// A value of `--tag`.
#[derive(Debug, Clone)]
enum Tag {
    Platform(PlatformTag),
    /// Former spelling of `--python-tag`.
    Python(PythonTag),
}

impl FromStr for Tag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        // No platform tag has a hyphen.
        if text.contains('-') {
            text.parse().map(Self::Python)
        } else {
            text.parse().map(Self::Platform)
        }
    }
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
    if args.tag.is_empty() && args.python_tag.is_none() && args.build.is_none() {
        anyhow::bail!("no tag is given; name one with `--tag`, `--python-tag` or `--build-tag`");
    }
    let reason = args.force.as_ref().filter(|reason| !reason.is_empty());
    let reason = reason.or(args.reason.as_ref()).map(String::as_str);
    if args.force.is_some() && reason.is_none() {
        anyhow::bail!("`--force` needs a reason; write `--force 'why this is right'`");
    }
    let mut retagged = Vec::new();
    for path in &args.wheels {
        retagged.push(retag(args, reason, path, host)?);
    }
    output.retagged(&retagged)?;
    let is_refused = retagged.iter().any(|wheel| wheel.file.is_none());
    Ok(if is_refused { Exit::No } else { Exit::Good })
}

fn retag(args: &Args, reason: Option<&str>, path: &Path, host: &Host) -> anyhow::Result<Retagged> {
    let wheel = Existing::open(path)?;
    if reason.is_none() {
        wheel.verified()?;
    }
    let mut filename = wheel.filename.clone();
    let mut platforms: Vec<PlatformTag> = Vec::new();
    for tag in &args.tag {
        match tag {
            Tag::Platform(tag) => platforms.push(tag.clone()),
            Tag::Python(tag) => filename.python = tag.clone(),
        }
    }
    if let Some(tag) = &args.python_tag {
        filename.python = tag.clone();
    }
    match args.build.as_deref() {
        Some("none") => filename.build = None,
        Some(tag) => filename.build = Some(tag.to_owned()),
        None => {}
    }
    let mut refused = Vec::new();
    if !platforms.is_empty() {
        filename.platforms = platforms.iter().flat_map(PlatformTag::with_aliases).collect();
        filename.platforms.sort_by_key(PlatformTag::to_string);
        filename.platforms.dedup();
        refused = super::disqualifying_findings(&wheel, &platforms)?;
    }
    let name = filename.to_string();
    let file = if refused.is_empty() || reason.is_some() {
        let path = super::place(&args.out, &name);
        Some(wheel.retag(filename, &path, args.packing.get(), host)?)
    } else {
        None
    };
    let reason = reason.filter(|_| !refused.is_empty()).map(str::to_owned);
    Ok(Retagged { name, file, refused, reason })
}
