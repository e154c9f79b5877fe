//! `wheelsmith store put`

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use wheelsmith_core::project::Project;
use wheelsmith_core::runtime::{MANIFEST_FILE, Manifest};
use wheelsmith_core::store::{self, FileKind, Key, Label, Set};
use wheelsmith_core::sys::{self, Host};

use super::{CommitArg, HERE, StoreArgs, commit_arg, slot_arg};
use crate::exit::Exit;
use crate::output::Output;

/// Store the files of a directory as a set
///
/// DIR is a directory of packages, such as `dist`, or a runtime directory. Wheels are audited; their
/// platform tags are kept in the set. The name and version of the project are those of the runtime,
/// or of the configuration in the current directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store put dist --store /srv/store
  wheelsmith store put dist --store /srv/store --commit --slot \\
    x86_64-unknown-linux-gnu

Exit codes: 0 stored, or there already; 2 not stored, such as another set for the
same commit and slot.")]
pub(super) struct Args {
    /// Directory with the files
    #[arg(value_name = "DIR", default_value = "dist")]
    dir: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
    /// Name of the project
    #[arg(long, value_name = "NAME")]
    project: Option<Label>,
    /// Version of the project
    #[arg(long, value_name = "VERSION")]
    version: Option<Label>,
    /// Target of the files [default: that of a runtime, else `any`]
    #[arg(long, value_name = "SLOT", value_parser = slot_arg)]
    slot: Option<Label>,
    /// Refer to the set for a commit [without a value: the commit that git has checked out]
    #[arg(long, value_name = "ID", value_parser = commit_arg, num_args = 0..=1,
          default_missing_value = "HEAD")]
    commit: Option<CommitArg>,
    /// Store files for a commit although the checkout has changes
    #[arg(long, requires = "commit")]
    allow_dirty: bool,
    /// Keep the set for ever under this name
    #[arg(long, value_name = "NAME")]
    pin: Option<Label>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    ensure!(args.dir.is_dir(), "there is no directory `{}`", args.dir.display());
    let mut set = identity(args, host)?;
    let mut references: Vec<Key> = args.pin.iter().map(Key::pin).collect();
    if let Some(commit) = &args.commit {
        let (commit, dirty) = commit.checked(HERE.as_ref(), args.allow_dirty, None, host)?;
        set.dirty = dirty;
        references.push(Key::commit(&commit, &set.slot));
        set.commit = Some(commit);
    }
    let is_runtime = args.dir.join(MANIFEST_FILE).is_file();
    let kind = is_runtime.then_some(FileKind::Runtime);
    set.files = store::describe(&args.dir, kind, &set, host)?;
    ensure!(!set.files.is_empty(), "there is no file in `{}`", args.dir.display());
    let path = |file: &store::StoredFile| args.dir.join(file.path.as_str());
    let (id, moved) = store.publish(&set, &references, path)?;
    output.stored(&id, &set, &references, moved)?;
    Ok(Exit::Good)
}

/// Returns the set without its files: of a runtime from its manifest, else of the configuration.
fn identity(args: &Args, host: &Host) -> anyhow::Result<Set> {
    let given = |name: String, version: String, slot: Label| -> anyhow::Result<Set> {
        let project = args.project.clone().map_or_else(|| name.parse(), Ok)?;
        let version = args.version.clone().map_or_else(|| version.parse(), Ok)?;
        Ok(Set::new(project, version, args.slot.clone().unwrap_or(slot)))
    };
    let manifest = args.dir.join(MANIFEST_FILE);
    if manifest.is_file() {
        let text = sys::fs::read(&manifest)?;
        let read = || format!("cannot read the manifest `{}`", manifest.display());
        let runtime: Manifest = serde_json::from_slice(&text).with_context(read)?;
        return given(runtime.name, runtime.version, runtime.target.parse()?);
    }
    if let (Some(project), Some(version)) = (&args.project, &args.version) {
        return given(project.to_string(), version.to_string(), Label::any());
    }
    let project = Project::open_on(HERE.as_ref(), host).context(
        "cannot tell the project of the files: name it with `--project` and `--version`",
    )?;
    let (name, version) = project.identity();
    let mut set = given(name, version, Label::any())?;
    set.expected = project.slots();
    Ok(set)
}
