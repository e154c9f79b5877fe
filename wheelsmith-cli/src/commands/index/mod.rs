//! `wheelsmith index`: a static package index, made and kept.

mod add;
mod build;
mod latest;
mod remove;
mod serve;
mod status;
mod verify;
mod yank;

use std::path::PathBuf;

use wheelsmith_core::index::{FilesUrl, Options, Select, UploadTime, View};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Make a static package index, keep it, check it, try it
///
/// An index is a directory (`--out`) of plain files: pages for installers and people, and the
/// distributions. It works from any web server, from pages hosting, from a bucket, and from
/// `file://`. What it says stands in one file, `wheelsmith-index.json`.
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
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
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
        Verb::Build(args) => build::run(args, host, output),
        Verb::Add(args) => add::run(args, host, output),
        Verb::Yank(args) => yank::run(args, host, output),
        Verb::Unyank(args) => yank::unyank(args, host, output),
        Verb::Remove(args) => remove::run(args, host, output),
        Verb::Status(args) => status::run(args, host, output),
        Verb::Latest(args) => latest::run(args, host, output),
        Verb::Verify(args) => verify::run(args, host, output),
        Verb::Serve(args) => serve::run(args, host, output),
    }
}

/// Which index.
#[derive(Debug, clap::Args)]
struct SiteArgs {
    /// The directory of the index
    #[arg(long = "out", short = 'o', visible_alias = "site", value_name = "SITE")]
    site: PathBuf,
    /// One of the indexes over the same files, such as `commit/1f3e5d`
    #[arg(long, value_name = "VIEW", default_value = "main")]
    view: View,
}

/// How files come into it.
#[derive(Debug, clap::Args)]
struct AddArgs {
    #[command(flatten)]
    site: SiteArgs,
    /// Lead `latest` to this view, once everything else is there
    #[arg(long)]
    latest: bool,
    /// The files are stored elsewhere, and not copied: a URL, in which `{name}`, `{version}`,
    /// `{digest}` and `{filename}` stand for those of the file
    #[arg(long, value_name = "URL")]
    files_url: Option<FilesUrl>,
    /// With --files-url: collect the files and their metadata here, for that place
    #[arg(long, value_name = "DIR", requires = "files_url")]
    store: Option<PathBuf>,
    /// Where the index will be: for commands to copy, and for what needs a full URL [default: as
    /// before]
    #[arg(long, value_name = "URL", value_parser = site_url)]
    site_url: Option<String>,
    /// When the files were uploaded, in UTC: `2026-01-31T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    upload_time: Option<UploadTime>,
}

fn site_url(text: &str) -> Result<String, wheelsmith_core::name::ParseError> {
    // The form of a place for files, but for a directory.
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

/// Which files.
#[derive(Debug, clap::Args)]
struct SelectArgs {
    /// `demo==1.0`, the name of a file, or `demo` for all of a project; may be repeated
    #[arg(required = true, value_name = "FILES")]
    select: Vec<Select>,
}
