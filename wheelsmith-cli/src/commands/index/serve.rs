//! `wheelsmith index serve`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::index::Responder;
use wheelsmith_core::sys::Host;
use wheelsmith_core::sys::http::Listener;

use crate::exit::Exit;
use crate::output::Output;

/// Serve an index to this machine, for tests
///
/// Listens on 127.0.0.1 until it is stopped. Pages are sent as JSON to who asks for that. This is no
/// server for others: for them, any web server will do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the index
    #[arg(value_name = "SITE", default_value = "site")]
    site: PathBuf,
    /// The port; 0 takes a free one
    #[arg(long, short, default_value_t = 0)]
    port: u16,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let site = &args.site;
    anyhow::ensure!(site.is_dir(), "there is no directory `{}`", site.display());
    let listener = Listener::bind(args.port)
        .with_context(|| format!("cannot listen on port {} of 127.0.0.1", args.port))?;
    output.serving(&format!("http://{}/simple/", listener.address()))?;
    let responder = Responder::new(site);
    listener.serve(&host.cancel, &|request| responder.respond(request));
    Ok(Exit::Good)
}
