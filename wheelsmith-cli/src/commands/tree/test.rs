//! `wheelsmith tree test`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use wheelsmith_core::config::Tree;
use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;
use wheelsmith_core::tree;

use crate::exit::Exit;
use crate::output::Output;

/// Run the programs of a tree in places where it was never built
///
/// Unpacks each archive below a path with a space and non-ASCII letters, and runs the commands of
/// `[[tool.wheelsmith.tree.test]]` without an environment, without network and as another user;
/// then again after moving the tree, and in a root that holds only the tree and the C library. Lists
/// what the machine does not permit.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith tree test dist/demo-1.0.0-x86_64-unknown-linux-gnu.tar.gz
  wheelsmith tree test dist/*.tar.gz --runner 'qemu-aarch64 -L /opt/arm64'

Exit codes: 0 passed; 1 a command failed, or passed nowhere; 2 not tested.")]
pub(crate) struct Args {
    /// Archive
    #[arg(value_name = "ARCHIVE", required = true)]
    archives: Vec<PathBuf>,
    /// Directory of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Program and arguments that run foreign programs [default: qemu on PATH]
    #[arg(long, value_name = "COMMAND")]
    runner: Option<String>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let project = Project::open_on(&args.project, host)?;
    let runner = args.runner.as_deref().unwrap_or_default();
    let runner: Vec<String> = runner.split_whitespace().map(str::to_owned).collect();
    let mut reports = Vec::new();
    for archive in &args.archives {
        let tree = of_archive(&project, archive)?;
        if tree.test.is_empty() {
            bail!("the tree of `{}` has no `test` in the configuration", archive.display());
        }
        reports.push(tree::test(archive, &tree.test, &runner, host)?);
    }
    output.tree_tests(&reports)?;
    let is_good = reports.iter().all(tree::TestReport::is_good);
    Ok(if is_good { Exit::Good } else { Exit::No })
}

/// Returns the tree whose name begins that of the archive; the only one if it has no name.
fn of_archive<'p>(project: &'p Project, archive: &Path) -> anyhow::Result<&'p Tree> {
    let file = archive.file_name().unwrap_or_default().to_string_lossy();
    let trees = &project.config.trees;
    let fits = |tree: &&Tree| tree.name.as_ref().is_none_or(|name| file.starts_with(name.as_str()));
    let found = trees.iter().filter(fits).max_by_key(|tree| tree.name.as_ref().map(String::len));
    found.with_context(|| format!("no tree of the configuration has the name of `{file}`"))
}
