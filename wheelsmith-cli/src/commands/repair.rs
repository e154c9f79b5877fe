//! `wheelsmith repair`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::audit::Allowances;
use wheelsmith_core::name::WheelPath;
use wheelsmith_core::repair::{LibraryDirs, Options, Request, RequestedTag, repair};
use wheelsmith_core::sys::{self, Host};

use super::reporting::{project_settings, today};
use super::shared::PackingArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Copy the libraries that a wheel needs into it
///
/// Finds each library that the platform tag does not guarantee in the directories of
/// `--library-path`, copies it and the libraries that it needs under new names, and edits the files
/// of the wheel to load the copies. The result is written only if `audit` accepts it, and gets the
/// oldest tag that it qualifies for, or the one of `--tag`. A good wheel that needs no library comes
/// back byte for byte. Works for wheels of every platform on every platform.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith repair dist/*.whl --library-path build/lib --out wheelhouse
  wheelsmith repair demo.whl -L sysroot/usr/lib --tag manylinux_2_28_x86_64
  wheelsmith repair demo.whl -L lib --exclude 'libcuda.so*' --dry-run

Exit codes: 0 repaired; 1 the wheel cannot be made good; 2 it could not be repaired.")]
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
    /// File with libraries to leave out, one name or pattern on each line; repeatable
    #[arg(long, value_name = "FILE")]
    exclude_file: Vec<PathBuf>,
    /// Library to copy although the platform or Python has it (`vcruntime140.dll`,
    /// `libstdc++.so.6`) or no file names it, by name or pattern; repeatable
    #[arg(long, value_name = "LIB")]
    include: Vec<String>,
    /// Directory of the copies in the wheel [default: `NAME.libs`; for macOS `PACKAGE/.dylibs`]
    #[arg(long, value_name = "DIR")]
    lib_dir: Option<WheelPath>,
    /// Windows: namespace package (`a.b`) whose `__init__.py` stays as it is; repeatable
    #[arg(long, value_name = "PACKAGE", value_delimiter = ';')]
    namespace_pkg: Vec<String>,
    /// Repair a wheel whose files differ from its RECORD, or whose names some systems cannot hold
    #[arg(long, value_name = "REASON")]
    force: Option<String>,
    /// Remove debug symbols
    #[arg(long)]
    strip: bool,
    /// Do everything but write, and print the plan
    #[arg(long)]
    dry_run: bool,
    /// File with exclusions, severities and waivers [default: `wheelsmith.toml` or
    /// `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    packing: PackingArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let audit = project_settings(args.config.as_deref())?.map(|config| config.audit);
    let audit = audit.unwrap_or_default();
    let exclude = [&audit.exclude[..], &args.exclude, &patterns(&args.exclude_file)?].concat();
    if let Some(dir) = &args.lib_dir {
        let top = dir.parts().next().unwrap_or_default();
        if matches!(top.rsplit_once('.'), Some((_, "dist-info" | "data"))) {
            anyhow::bail!("`--lib-dir {dir}` is for metadata of the wheel; name another directory");
        }
    }
    let mut options = Options::default();
    options.allowances =
        Allowances::new(&exclude, Vec::new()).context("cannot read `--exclude`")?;
    options.include.clone_from(&args.include);
    options.lib_dir = args.lib_dir.as_ref().map(WheelPath::to_string);
    options.namespace_packages.clone_from(&args.namespace_pkg);
    options.check().map_err(anyhow::Error::msg).context("cannot read `--include`")?;
    if let Some(dir) = args.library_path.iter().find(|dir| !dir.is_dir()) {
        anyhow::bail!("`--library-path {}` is not a directory", dir.display());
    }
    let library_dirs = LibraryDirs::new(args.library_path.clone());
    let mut exit = Exit::Good;
    let mut results = Vec::new();
    for wheel in &args.wheels {
        let request = Request {
            wheel,
            out: &args.out,
            library_dirs: &library_dirs,
            options: &options,
            tag: args.tag.as_deref().map(|tag| RequestedTag { tag, is_alone: args.only_tag }),
            force: args.force.as_deref(),
            strip: args.strip,
            packing: args.packing.get(),
            repack: args.packing.is_asked(),
            settings: &audit.settings,
            today: today(host),
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

/// Reads the patterns of files, one on each line; empty lines and those that begin with `#` count
/// for nothing.
pub(super) fn patterns(files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut patterns = Vec::new();
    for file in files {
        patterns.extend(read_patterns(file)?);
    }
    Ok(patterns)
}

fn read_patterns(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = sys::fs::read_to_string(file)
        .with_context(|| format!("cannot read `{}` of `--exclude-file`", file.display()))?;
    let lines = text.lines().map(str::trim);
    Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}
