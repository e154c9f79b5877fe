//! `wheelsmith index build`

use std::path::PathBuf;

use wheelsmith_core::index::{self, Options};
use wheelsmith_core::sys::{Host, fs};

use super::AddArgs;
use crate::commands::store::{CommitArg, commit_arg};
use crate::exit::Exit;
use crate::output::Output;

/// Create or update an index from a directory of files
///
/// Adds every wheel and source distribution (`.tar.gz`) below the directory and writes the pages
/// that change. It removes nothing: published files that the directory no longer has stay in the
/// index. Other files are named; if one is an archive in another format, the exit code is 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index build --dir dist --out site
  wheelsmith index build --dir dist --out site --view commit/1f3e5d --latest
  wheelsmith index build --store /srv/store --commit HEAD --out site")]
pub(super) struct Args {
    /// Directory with the wheels and source distributions
    #[arg(long, short, value_name = "DIST", default_value = "dist")]
    dir: PathBuf,
    /// Add the files of this commit in the store of `--store`, by default to the view `commit/ID`
    #[arg(long, value_name = "ID", value_parser = commit_arg, requires = "store",
          conflicts_with_all = ["dir", "files_url"])]
    commit: Option<CommitArg>,
    /// Leave out files whose name or path below DIST matches this pattern; repeatable
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    #[command(flatten)]
    add: AddArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let site = &args.add.site.site;
    let mut options = Options { exclude: args.exclude.clone(), ..args.add.options() };
    let fetched = fs::temp_dir()?;
    let mut dir = args.dir.as_path();
    if let (Some(commit), Some(store)) = (&args.commit, options.store.take()) {
        let commit = super::fetch_commit(&store.to_string_lossy(), commit, fetched.path(), host)?;
        if options.view.is_main() {
            options.view = format!("commit/{commit}").parse()?;
        }
        dir = fetched.path();
    } else if options.store.is_some() && options.files_url.is_none() {
        anyhow::bail!("`--store` needs `--files-url` or `--commit`");
    }
    let changes = index::build(site, dir, &options, host)?;
    output.indexed(site, &changes)?;
    let is_complete = !changes.skipped.iter().any(|skipped| skipped.reason.is_loss());
    Ok(if is_complete { Exit::Good } else { Exit::No })
}
