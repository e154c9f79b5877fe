//! `wheelsmith store`: finished files by digest, commit and inputs.

mod bundle;
mod complete;
mod diff;
mod gc;
mod get;
mod init;
mod ls;
mod pin;
mod put;
mod verify;

use std::path::Path;

use wheelsmith_core::name::Target;
use wheelsmith_core::store::{CommitId, Error, Key, Label, Set, SetId, Store};
use wheelsmith_core::sys::Host;
use wheelsmith_core::version::commit::{COMMIT_VARIABLE, SourceCommit};

use crate::exit::Exit;
use crate::output::Output;

/// Keep finished files, and find them by digest or commit
///
/// A store is a directory. Files are kept under their digests, and never change. A set names
/// the files of one build; a commit has one set for each target. `wheelsmith build --store` reuses
/// what another machine built.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store init /srv/store
  wheelsmith store put dist --store /srv/store --commit
  wheelsmith store complete --store /srv/store --commit
  wheelsmith store get --store /srv/store --commit --out dist")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    Init(init::Args),
    Put(put::Args),
    Get(get::Args),
    Ls(ls::Args),
    Complete(complete::Args),
    Diff(diff::Args),
    Verify(verify::Args),
    Gc(gc::Args),
    Pin(pin::Args),
    Export(bundle::ExportArgs),
    Import(bundle::ImportArgs),
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match &args.verb {
        Subcommand::Init(args) => init::run(args, host, output),
        Subcommand::Put(args) => put::run(args, host, output),
        Subcommand::Get(args) => get::run(args, host, output),
        Subcommand::Ls(args) => ls::run(args, host, output),
        Subcommand::Complete(args) => complete::run(args, host, output),
        Subcommand::Diff(args) => diff::run(args, host, output),
        Subcommand::Verify(args) => verify::run(args, host, output),
        Subcommand::Gc(args) => gc::run(args, host, output),
        Subcommand::Pin(args) => pin::run(args, host, output),
        Subcommand::Export(args) => bundle::export(args, host, output),
        Subcommand::Import(args) => bundle::import(args, host, output),
    }
}

/// The store.
#[derive(Debug, clap::Args)]
pub(super) struct StoreArgs {
    /// Store: a directory
    #[arg(long = "store", value_name = "URL", env = "WHEELSMITH_STORE", hide_env_values = true)]
    url: String,
}

impl StoreArgs {
    pub(super) fn open(&self, host: &Host) -> Result<Store, Error> {
        Store::open_with(&self.url, host)
    }
}

/// The current directory.
pub(crate) const HERE: &str = ".";

/// Choice of a commit.
#[derive(Debug, Clone)]
pub(crate) enum CommitArg {
    /// The commit that git has checked out.
    Head,
    /// This commit.
    One(CommitId),
}

pub(crate) fn commit_arg(text: &str) -> Result<CommitArg, wheelsmith_core::name::ParseError> {
    if text == "HEAD" { Ok(CommitArg::Head) } else { text.parse().map(CommitArg::One) }
}

impl CommitArg {
    /// Returns the commit of files that were made from `dir`, and whether its checkout has changes that
    /// are not in the commit. They are an error unless allowed. The commit is also compared with the
    /// checkout, with `WHEELSMITH_PROJECT_COMMIT`, and with the one that the `built` files contain.
    pub(crate) fn checked(
        &self,
        dir: &Path,
        allow_dirty: bool,
        built: Option<&SourceCommit>,
        host: &Host,
    ) -> anyhow::Result<(CommitId, bool)> {
        let commit = self.resolve(dir, host)?;
        let mut dirty = false;
        if super::shared::is_checkout(dir, host) {
            let head = super::shared::current_commit(dir, host)?;
            anyhow::ensure!(
                head == commit.as_str(),
                "the files are to be stored for the commit {commit}, but git has {head} checked out: \
                 check out {commit}"
            );
            dirty = super::shared::is_dirty(dir, host)?;
        }
        let variable =
            host.env.get(COMMIT_VARIABLE).map(|text| match text.strip_suffix("-dirty") {
                Some(id) => (id, true),
                None => (text, false),
            });
        let built = built.filter(|built| built.is_known);
        let built = built.map(|built| (built.id.as_str(), built.is_dirty));
        for (id, is_dirty) in variable.into_iter().chain(built) {
            anyhow::ensure!(
                id == commit.as_str(),
                "the files are to be stored for the commit {commit}, but they are built from {id}: \
                 give the same one with `--commit` and `{COMMIT_VARIABLE}`"
            );
            dirty |= is_dirty;
        }
        anyhow::ensure!(
            !dirty || allow_dirty,
            "the checkout has changes that are not in the commit: commit them, or store the files \
             anyway with `--allow-dirty`"
        );
        Ok((commit, dirty))
    }

    /// Returns the commit; without a value, the one that git has checked out around `dir`.
    pub(crate) fn resolve(&self, dir: &Path, host: &Host) -> anyhow::Result<CommitId> {
        match self {
            Self::Head => Ok(super::shared::current_commit(dir, host)?.parse()?),
            Self::One(commit) => Ok(commit.clone()),
        }
    }
}

/// Parses a slot: a triple without a floor, or `any`.
fn slot_arg(text: &str) -> anyhow::Result<Label> {
    if text == "any" {
        return Ok(Label::any());
    }
    let target: Target = text.parse()?;
    anyhow::ensure!(target.triple() == text, "a slot has no floor: name it `{}`", target.triple());
    Ok(target.into())
}

/// Choice of sets.
#[derive(Debug, clap::Args)]
struct SelectArgs {
    /// Name of a set: `sha256:` and 64 digits
    #[arg(value_name = "SET", required_unless_present = "commit", conflicts_with = "commit")]
    set: Option<SetId>,
    /// Sets of a commit [without a value: the commit that git has checked out]
    #[arg(long, value_name = "ID", value_parser = commit_arg, num_args = 0..=1,
          default_missing_value = "HEAD")]
    commit: Option<CommitArg>,
    /// Only this slot of the commit: a target, or `any`; repeatable
    #[arg(long, value_name = "SLOT", value_parser = slot_arg, requires = "commit")]
    slot: Vec<Label>,
}

impl SelectArgs {
    /// Returns the selected sets.
    fn sets(&self, store: &Store, host: &Host) -> anyhow::Result<Vec<(SetId, Set)>> {
        if let Some(id) = self.set {
            return Ok(vec![(id, store.set(&id)?)]);
        }
        let Some(commit) = &self.commit else { return Ok(Vec::new()) };
        let commit = commit.resolve(HERE.as_ref(), host)?;
        let found = store.commit(&commit)?;
        for slot in &self.slot {
            if !found.iter().any(|(there, _, _)| there == slot) {
                anyhow::bail!("the store has no set of the commit {commit} for `{slot}`");
            }
        }
        let is_wanted = |slot: &Label| self.slot.is_empty() || self.slot.contains(slot);
        let found = found.into_iter().filter(|(slot, _, _)| is_wanted(slot));
        let sets: Vec<(SetId, Set)> = found.map(|(_, id, set)| (id, set)).collect();
        anyhow::ensure!(!sets.is_empty(), "the store has no set of the commit {commit}");
        Ok(sets)
    }

    /// Returns the keys of the references to the selected sets of a commit.
    fn keys(&self, sets: &[(SetId, Set)], host: &Host) -> anyhow::Result<Vec<Key>> {
        let Some(commit) = &self.commit else { return Ok(Vec::new()) };
        let commit = commit.resolve(HERE.as_ref(), host)?;
        Ok(sets.iter().map(|(_, set)| Key::commit(&commit, &set.slot)).collect())
    }
}
