//! One file for each command: describe arguments, load, call core, hand the value to the output.

pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod completions;
pub(crate) mod fetch;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod repair;
pub(crate) mod show;
pub(crate) mod toolchain;
pub(crate) mod wheel;
pub(crate) mod wrapper;

use std::path::PathBuf;

use wheelsmith_core::name::Target;
use wheelsmith_core::project::Project;
use wheelsmith_core::source::Policy;
use wheelsmith_core::sys::Host;
use wheelsmith_core::wheel::Compression;

use crate::args::Command;
use crate::exit::Exit;
use crate::output::Output;

/// Runs a command.
pub(crate) fn run(command: Command, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    if !output.is_for_all() && !matches!(command, Command::Audit(_)) {
        anyhow::bail!("this command answers in the forms `human` and `json` only");
    }
    match command {
        Command::Audit(args) => audit::run(&args, host, output),
        Command::Build(args) => build::run(&args, host, output),
        Command::Fetch(args) => fetch::run(&args, host, output),
        Command::Show(args) => show::run(&args, host, output),
        Command::Toolchain(args) => toolchain::run(&args, host, output),
        Command::Index(args) => index::run(&args, host, output),
        Command::Init(args) => init::run(&args, output),
        Command::Repair(args) => repair::run(&args, host, output),
        Command::Wheel(args) => wheel::run(&args, host, output),
        Command::Completions(args) => completions::run(&args),
        Command::ToolchainWrapper(args) => wrapper::run(&args, host),
    }
}

/// Which project, and for which targets.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectArgs {
    /// The project's directory, or its `pyproject.toml` or `wheelsmith.toml`
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// What to build for: a triple, with a libc floor behind it where wanted
    /// (`aarch64-unknown-linux-gnu.2.28`), or `all` for the configuration's list, which is also
    /// the default; may be repeated
    #[arg(long, short, value_name = "TARGET", value_parser = wanted)]
    target: Vec<Wanted>,
}

/// `--target`.
#[derive(Debug, Clone)]
enum Wanted {
    All,
    One(Target),
}

fn wanted(text: &str) -> Result<Wanted, wheelsmith_core::name::ParseError> {
    if text == "all" { Ok(Wanted::All) } else { text.parse().map(Wanted::One) }
}

impl ProjectArgs {
    fn load(&self) -> anyhow::Result<(Project, Vec<Target>)> {
        let project = Project::load(&self.project)?;
        let mut targets = Vec::new();
        for wanted in &self.target {
            match wanted {
                Wanted::All => targets.extend(&project.config.targets),
                Wanted::One(target) => targets.push(*target),
            }
        }
        let targets = project.targets(&targets);
        Ok((project, targets))
    }
}

/// What may be done to get sources.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Fail unless `wheelsmith.lock` is there and current
    #[arg(long)]
    locked: bool,
    /// Download nothing
    #[arg(long)]
    offline: bool,
}

impl PolicyArgs {
    fn policy(&self) -> Policy {
        Policy { offline: self.offline, locked: self.locked }
    }
}

/// How wheels are written.
#[derive(Debug, clap::Args)]
pub(crate) struct CompressionArgs {
    /// How hard wheels are compressed
    #[arg(long, value_enum, default_value_t = Level::Default, value_name = "LEVEL")]
    compression: Level,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    Fast,
    Default,
    Best,
    Store,
}

impl CompressionArgs {
    fn get(&self) -> Compression {
        match self.compression {
            Level::Fast => Compression::Fast,
            Level::Default => Compression::Default,
            Level::Best => Compression::Best,
            Level::Store => Compression::Store,
        }
    }
}
