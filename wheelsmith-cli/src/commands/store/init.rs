//! `wheelsmith store init`

use wheelsmith_core::store::Store;
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Create a store
///
/// Creates the directory and checks that its file system refuses to overwrite a file. An existing store
/// is checked, and stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store init /srv/store")]
pub(super) struct Args {
    /// Store: a directory
    #[arg(value_name = "URL", env = "WHEELSMITH_STORE", hide_env_values = true)]
    url: String,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = Store::init_with(&args.url, host)?;
    output.store_ready(store.url())?;
    Ok(Exit::Good)
}
