//! `wheelsmith index`: static package indexes.

mod add;
mod build;
mod latest;
mod remove;
mod serve;
mod status;
mod verify;
mod yank;

use std::path::{Path, PathBuf};

use wheelsmith_core::index::{FilesUrl, Options, Select, UploadTime, View};
use wheelsmith_core::store::{CommitId, FileKind, Set, Store};
use wheelsmith_core::sys::Host;

use super::store::{CommitArg, HERE};
use crate::exit::Exit;
use crate::output::Output;

/// Create and update a static package index
///
/// An index is a directory of plain files: pages for installers and people, and the distributions.
/// Any web server or storage bucket can serve it; installers also read it from `file://`. Its state
/// is the file `wheelsmith-index.json`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index build --dir dist --out site
  wheelsmith index build --dir dist --out site --view commit/1f3e5d --latest
  wheelsmith index yank demo==1.0 --out site --reason 'crashes on start'
  wheelsmith index verify site
  pip install --index-url file://$PWD/site/simple/ demo")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    Build(build::Args),
    Add(add::Args),
    Yank(yank::Args),
    Unyank(yank::UnyankArgs),
    Remove(remove::Args),
    Status(status::Args),
    Latest(latest::Args),
    Verify(verify::Args),
    Serve(serve::Args),
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match &args.verb {
        Subcommand::Build(args) => build::run(args, host, output),
        Subcommand::Add(args) => add::run(args, host, output),
        Subcommand::Yank(args) => yank::run(args, host, output),
        Subcommand::Unyank(args) => yank::unyank(args, host, output),
        Subcommand::Remove(args) => remove::run(args, host, output),
        Subcommand::Status(args) => status::run(args, host, output),
        Subcommand::Latest(args) => latest::run(args, host, output),
        Subcommand::Verify(args) => verify::run(args, host, output),
        Subcommand::Serve(args) => serve::run(args, host, output),
    }
}

/// Index and view.
#[derive(Debug, clap::Args)]
struct SiteArgs {
    /// Directory of the index
    #[arg(long = "out", short = 'o', alias = "site", value_name = "DIR")]
    site: PathBuf,
    /// View: one of several indexes over the same files, such as `commit/1f3e5d`
    #[arg(long, value_name = "VIEW", default_value = "main")]
    view: View,
}

/// Options for adding files.
#[derive(Debug, clap::Args)]
struct AddArgs {
    #[command(flatten)]
    site: SiteArgs,
    /// Point `latest` at this view when everything else is written
    #[arg(long)]
    latest: bool,
    /// URL of files that are stored elsewhere; may contain `{name}`, `{version}`, `{digest}` and
    /// `{filename}`
    #[arg(long, value_name = "URL")]
    files_url: Option<FilesUrl>,
    /// Directory to collect the files for `--files-url` in; with `--commit`, the store to read
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// URL of the published index, for pages that need a full URL [default: the previous one]
    #[arg(long, value_name = "URL", value_parser = site_url)]
    site_url: Option<String>,
    /// Upload time of the files in UTC, such as `2026-01-31T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    upload_time: Option<UploadTime>,
}

fn site_url(text: &str) -> Result<String, wheelsmith_core::name::ParseError> {
    // The same syntax as a URL of files, without the file.
    let _: FilesUrl = text.parse()?;
    Ok(format!("{}/", text.trim_end_matches('/')))
}

impl AddArgs {
    fn options(&self) -> Options {
        Options {
            view: self.site.view.clone(),
            files_url: self.files_url.clone(),
            store: self.store.clone(),
            upload_time: self.upload_time.clone(),
            site_url: self.site_url.clone(),
            latest: self.latest,
            ..Options::default()
        }
    }
}

/// Writes the wheels and source distributions of a commit in a store to a directory.
fn fetch_commit(
    url: &str,
    commit: &CommitArg,
    dir: &Path,
    host: &Host,
) -> anyhow::Result<CommitId> {
    let store = Store::open_with(url, host)?;
    let commit = commit.resolve(HERE.as_ref(), host)?;
    let sets = store.commit(&commit)?;
    anyhow::ensure!(!sets.is_empty(), "the store has no set of the commit {commit}");
    for (slot, _, set) in sets {
        let is_indexed = |kind| matches!(kind, FileKind::Wheel | FileKind::Sdist);
        for file in set.files.iter().filter(|f| !is_indexed(f.kind)) {
            let text =
                || format!("left out, as neither wheel nor source distribution: {}", file.path);
            if file.kind == FileKind::Archive && file.path.as_str().ends_with(".tar.gz") {
                host.warn(text());
            } else {
                host.detail(text);
            }
        }
        let files = set.files.iter().filter(|f| is_indexed(f.kind)).cloned().collect();
        // Sets may have files of one name, and then each has to have the same content.
        let dir = dir.join(slot.as_str());
        store.fetch_set(&Set { files, ..set }, &dir)?;
    }
    Ok(commit)
}

/// Choice of files.
#[derive(Debug, clap::Args)]
struct SelectArgs {
    /// Files: a release `demo==1.0`, a file name, or a project `demo`; repeatable
    #[arg(required = true, value_name = "FILES")]
    select: Vec<Select>,
}
