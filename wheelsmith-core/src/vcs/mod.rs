//! What version control knows of a directory: asked of git, where it is there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sys::{Command, Host};

/// git in `dir`, without what a hook or an outer git tells its children; nothing where there is no
/// git.
pub fn git(dir: &Path, host: &Host) -> Option<Command> {
    let mut env = host.env.clone();
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        env.remove(name);
    }
    env.set("LC_ALL", "C");
    Some(Command::new(host.env.find_program("git")?, dir, &env))
}

/// Whether `dir` lies in a repository.
pub fn is_inside(dir: &Path) -> bool {
    dir.ancestors().any(|dir| dir.join(".git").exists())
}

/// Which files of a directory are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that are tracked, those of submodules included.
    Tracked,
    /// Those that are tracked although an ignore file names them.
    TrackedAndIgnored,
    /// Those that are neither tracked nor ignored.
    Untracked,
}

/// Files below `dir`, by their paths relative to it with `/` between the parts. Nothing where there
/// is no repository, or no git to ask.
pub fn files(which: Which, dir: &Path, host: &Host) -> Option<BTreeSet<String>> {
    if !is_inside(dir) {
        return None;
    }
    let args: &[&str] = match which {
        Which::Tracked => &["--cached", "--recurse-submodules"],
        Which::TrackedAndIgnored => &["--cached", "--ignored", "--exclude-standard"],
        Which::Untracked => &["--others", "--exclude-standard"],
    };
    let said =
        git(dir, host)?.args(["ls-files", "-z"]).args(args.iter().copied()).run(host).ok()?;
    let names = said.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    // A name that is not UTF-8 has no place in an archive of ours; it is missed where it is needed.
    Some(names.filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect())
}
