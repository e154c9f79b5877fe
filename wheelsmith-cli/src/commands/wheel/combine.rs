//! `wheelsmith wheel combine`

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use wheelsmith_core::name::{PlatformTag, WheelPath};
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::wheel::{Entry, Existing, Source};

use crate::commands::PackingArgs;
use crate::exit::Exit;
use crate::output::{Output, Retagged};

/// Add files to a wheel
///
/// The platform tag stays when the files still earn it; otherwise nothing is written, unless
/// `--platform-tag` names one that they earn.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel combine demo.whl --add NOTICE=demo/NOTICE --out dist
  wheelsmith wheel combine demo-1.0-py3-none-any.whl --add server=demo/bin/server:755 \\
      --platform-tag manylinux_2_17_x86_64")]
pub(crate) struct Args {
    /// The wheel
    wheel: PathBuf,
    /// A file, its place in the wheel, and its mode where that is not the file's own:
    /// `build/server=demo/bin/server:755`; may be repeated
    #[arg(long = "add", required = true, value_name = "PATH=INSIDE[:MODE]")]
    add: Vec<Addition>,
    /// The platform tag of the result; may be repeated
    #[arg(long = "platform-tag", value_name = "TAG")]
    platforms: Vec<PlatformTag>,
    /// Where the wheel is written
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    packing: PackingArgs,
    #[command(flatten)]
    force: super::ForceArgs,
}

/// A file to add.
#[derive(Debug, Clone)]
struct Addition {
    file: PathBuf,
    inside: WheelPath,
    executable: Option<bool>,
}

impl FromStr for Addition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (file, rest) = text.split_once('=').ok_or("there is no `=` between file and place")?;
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
    for addition in &args.add {
        let Addition { file, inside, executable } = addition;
        let what = || format!("cannot add `{}`", file.display());
        if inside.parts().next().is_some_and(|top| top.ends_with(".dist-info")) {
            anyhow::bail!("{}: `{inside}` is for what describes the wheel", what());
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
    let refused = super::unearned(&wheel, &filename.platforms)?;
    let name = filename.to_string();
    let file = if refused.is_empty() {
        Some(super::write(&wheel, filename, &args.out, &args.packing, host)?)
    } else {
        None
    };
    let exit = if file.is_some() { Exit::Good } else { Exit::No };
    output.retagged(&[Retagged { name, file, refused, reason: None }])?;
    Ok(exit)
}
