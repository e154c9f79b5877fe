//! `wheelsmith wheel add`

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use wheelsmith_core::name::{PlatformTag, WheelPath};
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::wheel::{Entry, Existing, Source};

use crate::commands::shared::PackingArgs;
use crate::exit::Exit;
use crate::output::{Output, Retagged};

/// Add files to a wheel
///
/// The platform tag stays if all files still qualify for it. Otherwise no wheel is written, unless
/// `--tag` names a tag that they qualify for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel add demo.whl NOTICE=demo/NOTICE --out dist
  wheelsmith wheel add demo-1.0-py3-none-any.whl server=demo/bin/server:755 \\
      --tag manylinux_2_17_x86_64

Exit codes: 0 written; 1 the files do not qualify for the tag; 2 not possible.")]
pub(crate) struct Args {
    /// Wheel
    wheel: PathBuf,
    /// File and its path in the wheel, with a mode (644 or 755) if it is to have another than the
    /// file: `build/server=demo/bin/server:755`
    #[arg(required_unless_present = "former", value_name = "FILE=PATH[:MODE]")]
    files: Vec<Addition>,
    /// Former spelling of the files.
    #[arg(id = "former", long = "add", hide = true)]
    former: Vec<Addition>,
    /// Platform tag of the result; repeatable
    #[arg(long = "tag", alias = "platform-tag", value_name = "TAG")]
    platforms: Vec<PlatformTag>,
    /// Directory for the wheel
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    packing: PackingArgs,
    #[command(flatten)]
    force: super::ForceArgs,
}

/// File to add.
#[derive(Debug, Clone)]
struct Addition {
    file: PathBuf,
    inside: WheelPath,
    executable: Option<bool>,
}

impl FromStr for Addition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (file, rest) = text.split_once('=').ok_or("write FILE=PATH")?;
        let (inside, executable) = match rest.rsplit_once(':') {
            None => (rest, None),
            Some((inside, "644")) => (inside, Some(false)),
            Some((inside, "755")) => (inside, Some(true)),
            Some((_, mode)) => return Err(format!("the mode is 644 or 755, not `{mode}`")),
        };
        let inside =
            inside.parse().map_err(|e: wheelsmith_core::name::ParseError| e.to_string())?;
        Ok(Self { file: file.into(), inside, executable })
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let mut wheel = Existing::open(&args.wheel)?;
    args.force.verify(&wheel)?;
    for addition in args.files.iter().chain(&args.former) {
        let Addition { file, inside, executable } = addition;
        let what = || format!("cannot add `{}`", file.display());
        if inside.parts().next().is_some_and(|top| top.ends_with(".dist-info")) {
            anyhow::bail!("{}: `{inside}` is in the metadata directory of the wheel", what());
        }
        if wheel.entries.contains_key(inside) {
            anyhow::bail!("{}: the wheel has a file `{inside}` already", what());
        }
        if !file.is_file() {
            anyhow::bail!("{}: there is no such file", what());
        }
        let size_bytes = sys::fs::metadata(file).with_context(what)?.len();
        let executable = match executable {
            Some(executable) => *executable,
            None => sys::fs::is_executable(file).with_context(what)?,
        };
        let source = Source::File { path: file.clone(), size_bytes };
        wheel.entries.insert(inside.clone(), Entry { path: inside.clone(), executable, source });
    }
    let mut filename = wheel.filename.clone();
    if !args.platforms.is_empty() {
        filename.platforms = args.platforms.iter().flat_map(PlatformTag::with_aliases).collect();
        filename.platforms.sort_by_key(PlatformTag::to_string);
        filename.platforms.dedup();
    }
    let refused = super::disqualifying_findings(&wheel, &filename.platforms)?;
    let name = filename.to_string();
    let file = if refused.is_empty() {
        Some(super::write(wheel, filename, &args.out, &args.packing, host)?)
    } else {
        None
    };
    let exit = if file.is_some() { Exit::Good } else { Exit::No };
    output.retagged(&[Retagged { name, file, refused, reason: None }])?;
    Ok(exit)
}
