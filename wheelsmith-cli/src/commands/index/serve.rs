//! `wheelsmith index serve`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::index::{self, Options, Responder};
use wheelsmith_core::sys::http::Listener;
use wheelsmith_core::sys::{Host, fs};

use crate::commands::store::{CommitArg, commit_arg};
use crate::exit::Exit;
use crate::output::Output;

/// Serve an index on this machine, for tests
///
/// Listens on 127.0.0.1 until it is stopped, and sends pages as HTML or JSON as the client asks.
/// To publish an index, use any web server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index serve site --port 8000
  wheelsmith index serve --store /srv/store --commit HEAD")]
pub(super) struct Args {
    /// Directory of the index
    #[arg(value_name = "DIR", default_value = "site")]
    site: PathBuf,
    /// Serve the files of this commit in the store of `--store`, without a site
    #[arg(long, value_name = "ID", value_parser = commit_arg, requires = "store",
          conflicts_with = "site")]
    commit: Option<CommitArg>,
    /// Store with the commit
    #[arg(long, value_name = "URL", requires = "commit")]
    store: Option<String>,
    /// Port; 0 chooses a free one
    #[arg(long, short, default_value_t = 0)]
    port: u16,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let temporary = fs::temp_dir()?;
    let site = match (&args.commit, &args.store) {
        (Some(commit), Some(store)) => {
            let (files, site) = (temporary.path().join("files"), temporary.path().join("site"));
            super::fetch_commit(store, commit, &files, host)?;
            index::build(&site, &files, &Options::default(), host)?;
            site
        }
        _ => args.site.clone(),
    };
    let site = &site;
    anyhow::ensure!(site.is_dir(), "there is no directory `{}`", site.display());
    let listener = Listener::bind(args.port)
        .with_context(|| format!("cannot listen on port {} of 127.0.0.1", args.port))?;
    output.serving(&format!("http://{}/simple/", listener.address()))?;
    let responder = Responder::new(site);
    listener.serve(&host.cancel, &|request| responder.respond(request));
    Ok(Exit::Good)
}
