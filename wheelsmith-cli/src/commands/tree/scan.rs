//! `wheelsmith tree scan`

use std::path::PathBuf;

use wheelsmith_core::sys::Host;
use wheelsmith_core::tree::{self, Needles, Tree};

use crate::exit::Exit;
use crate::output::Output;

/// Find every place in which an installation names its prefix
///
/// Searches programs, scripts, archives and compressed files, and the targets of links. Nothing is
/// changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith tree scan /opt/demo --prefix /opt/demo
  wheelsmith tree scan demo.tar.gz --prefix /opt/demo --strict
  wheelsmith tree scan stage --prefix /opt/demo --prefix /home/me/build

Exit codes: 0 scanned; 1 with --strict, a place was found or there was nothing to
search; 1 if a part could not be searched; 2 the tree could not be read.")]
pub(crate) struct Args {
    /// Directory, or archive: zip, or tar that may be compressed
    #[arg(value_name = "TREE")]
    tree: PathBuf,
    /// Directory to look for; may be repeated
    #[arg(long, value_name = "DIR", required = true)]
    prefix: Vec<String>,
    /// Fail if a place is found, or if there is nothing to search
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let needles = Needles::new(&args.prefix)?;
    let tree = Tree::open(&args.tree)?;
    let scan = tree::scan(&tree, &needles, host)?;
    output.tree_scan(&scan)?;
    let is_empty = scan.files + scan.links == 0;
    let fails = !scan.unread.is_empty() || (args.strict && (!scan.found.is_empty() || is_empty));
    Ok(if fails { Exit::No } else { Exit::Good })
}
