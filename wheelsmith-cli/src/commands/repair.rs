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
/// Each library that the platform tag does not promise is looked for in the directories that
/// `--library-path` names, copied with all that it needs in turn, and renamed; the files of the
/// wheel are changed to find the copies. The result is audited, and gets the oldest tag that it
/// earns: a macOS tag is raised to what the files ask for, unless `--plat` names one. Works for
/// wheels of every platform on every platform.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith repair dist/*.whl --library-path build/lib --out wheelhouse
  wheelsmith repair demo.whl --library-path sysroot/usr/lib --plat manylinux_2_28_x86_64
  wheelsmith repair demo.whl --library-path lib --exclude 'libcuda.so*' --dry-run")]
pub(crate) struct Args {
    /// The wheels
    #[arg(required = true, value_name = "WHEEL")]
    wheels: Vec<PathBuf>,
    /// A directory of libraries; searched in the order given; may be repeated
    #[arg(long, short = 'L', value_name = "DIR")]
    library_path: Vec<PathBuf>,
    /// Where repaired wheels are written
    #[arg(long, short, value_name = "DIR", default_value = "wheelhouse")]
    out: PathBuf,
    /// The platform tag that the wheel must earn, with or without the processor
    /// (`manylinux_2_28`) [default: the oldest that it does]
    #[arg(long, visible_alias = "policy", value_name = "TAG")]
    plat: Option<String>,
    /// Give it that tag alone, not the older one that it earns as well
    #[arg(long, requires = "plat")]
    only_plat: bool,
    /// A library to leave out, by name or pattern (`libcuda.so*`); may be repeated
    #[arg(long, value_name = "LIB")]
    exclude: Vec<String>,
    /// The directory of the copies in the wheel (default: `<name>.libs`; for macOS `<package>/.dylibs`)
    #[arg(long, value_name = "DIR")]
    lib_dir: Option<WheelPath>,
    /// Take out the symbols that only debuggers read
    #[arg(long)]
    strip: bool,
    /// Print which library goes where, and do nothing
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
            anyhow::bail!("`{dir}` of `--lib-dir` is no place for libraries");
        }
    }
    let options = Options {
        terms,
        lib_dir: args.lib_dir.as_ref().map(WheelPath::to_string),
        ..Options::default()
    };
    if let Some(dir) = args.library_path.iter().find(|dir| !dir.is_dir()) {
        anyhow::bail!("`{}` of `--library-path` is no directory", dir.display());
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
            platform: args.plat.as_deref(),
            only_platform: args.only_plat,
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
