//! `wheelsmith repair`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::audit::Allowances;
use wheelsmith_core::name::WheelPath;
use wheelsmith_core::repair::{LibraryDirs, Options, Request, repair};
use wheelsmith_core::sys::Host;

use super::PackingArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Copy the libraries that a wheel needs into it
///
/// Finds each library that the platform tag does not guarantee in the directories of
/// `--library-path`, copies it and the libraries that it needs under new names, and edits the files
/// of the wheel to load the copies. The result is audited and gets the oldest tag that it qualifies
/// for, or the one of `--tag`. Works for wheels of every platform on every platform.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith repair dist/*.whl --library-path build/lib --out wheelhouse
  wheelsmith repair demo.whl -L sysroot/usr/lib --tag manylinux_2_28_x86_64
  wheelsmith repair demo.whl -L lib --exclude 'libcuda.so*' --dry-run

Exit codes: 0 repaired; 1 the wheel cannot get the tag; 2 it could not be repaired.")]
pub(crate) struct Args {
    /// Wheels
    #[arg(required = true, value_name = "WHEEL")]
    wheels: Vec<PathBuf>,
    /// Directory to search for libraries, in the given order; repeatable
    #[arg(long, short = 'L', value_name = "DIR")]
    library_path: Vec<PathBuf>,
    /// Directory for the repaired wheels
    #[arg(long, short, value_name = "DIR", default_value = "wheelhouse")]
    out: PathBuf,
    /// Platform tag that the wheel must qualify for, with or without the processor
    /// (`manylinux_2_28`) [default: the oldest possible]
    #[arg(long, aliases = ["plat", "policy"], value_name = "TAG")]
    tag: Option<String>,
    /// Give the wheel that tag only, and no older one that it also qualifies for
    #[arg(long, alias = "only-plat", requires = "tag")]
    only_tag: bool,
    /// Library to leave out, by name or pattern such as `libcuda.so*`; repeatable
    #[arg(long, value_name = "LIB")]
    exclude: Vec<String>,
    /// Directory of the copies in the wheel [default: `NAME.libs`; for macOS `PACKAGE/.dylibs`]
    #[arg(long, value_name = "DIR")]
    lib_dir: Option<WheelPath>,
    /// Remove debug symbols
    #[arg(long)]
    strip: bool,
    /// Print the plan, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    packing: PackingArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let terms = Allowances::new(&args.exclude, Vec::new()).context("cannot read `--exclude`")?;
    if let Some(dir) = &args.lib_dir {
        let top = dir.parts().next().unwrap_or_default();
        if matches!(top.rsplit_once('.'), Some((_, "dist-info" | "data"))) {
            anyhow::bail!("`--lib-dir {dir}` is for metadata of the wheel; name another directory");
        }
    }
    let options = Options {
        terms,
        lib_dir: args.lib_dir.as_ref().map(WheelPath::to_string),
        ..Options::default()
    };
    if let Some(dir) = args.library_path.iter().find(|dir| !dir.is_dir()) {
        anyhow::bail!("`--library-path {}` is not a directory", dir.display());
    }
    let roots = LibraryDirs::new(args.library_path.clone());
    let mut exit = Exit::Good;
    let mut results = Vec::new();
    for wheel in &args.wheels {
        let request = Request {
            wheel,
            out: &args.out,
            roots: &roots,
            options: &options,
            platform: args.tag.as_deref(),
            only_platform: args.only_tag,
            strip: args.strip,
            packing: args.packing.get(),
            dry_run: args.dry_run,
        };
        let result = repair(&request, host);
        if let Err(error) = &result {
            exit = exit.max(if error.is_verdict() { Exit::No } else { Exit::Failed });
        }
        results.push((wheel.clone(), result));
    }
    output.repaired(&results)?;
    Ok(exit)
}
