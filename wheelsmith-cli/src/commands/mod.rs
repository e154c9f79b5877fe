//! One file for each command: describe arguments, load, call core, hand the value to the output.

pub(crate) mod audit;
pub(crate) mod backend;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod fetch;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod repair;
mod reporting;
pub(crate) mod sdist;
pub(crate) mod show;
pub(crate) mod test;
pub(crate) mod toolchain;
pub(crate) mod wheel;
pub(crate) mod wrapper;

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::name::{PlatformVersion, Target};
use wheelsmith_core::project::Project;
use wheelsmith_core::source::Policy;
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::toolchain::host_target;
use wheelsmith_core::wheel::{Compression, Packing};

use crate::args::Command;
use crate::exit::Exit;
use crate::output::Output;

/// Runs a command.
pub(crate) fn run(command: Command, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Audit(_) | Command::Check(_) => {}
        Command::Test(_) if output.is_for_all() || output.is_junit() => {}
        Command::Test(_) => {
            anyhow::bail!("this command answers in the forms `human`, `json` and `junit` only")
        }
        _ if output.is_for_all() => {}
        _ => anyhow::bail!("this command answers in the forms `human` and `json` only"),
    }
    match command {
        Command::Audit(args) => audit::run(&args, host, output),
        Command::Build(args) => build::run(&args, host, output),
        Command::Sdist(args) => sdist::run(&args, host, output),
        Command::Backend(args) => backend::run(&args, host, output),
        Command::Fetch(args) => fetch::run(&args, host, output),
        Command::Show(args) => show::run(&args, host, output),
        Command::Toolchain(args) => toolchain::run(&args, host, output),
        Command::Check(args) => check::run(&args, host, output),
        Command::Index(args) => index::run(&args, host, output),
        Command::Init(args) => init::run(&args, output),
        Command::Test(args) => test::run(&args, host, output),
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
    /// the default, or `host` for this machine; may be repeated
    #[arg(long, short, value_name = "TARGET", value_parser = wanted)]
    target: Vec<Wanted>,
    /// The oldest glibc or macOS that targets without a floor of their own must run on
    #[arg(long, value_name = "VERSION")]
    floor: Option<PlatformVersion>,
}

/// `--target`.
#[derive(Debug, Clone)]
enum Wanted {
    All,
    Host,
    One(Target),
}

fn wanted(text: &str) -> Result<Wanted, wheelsmith_core::name::ParseError> {
    match text {
        "all" => Ok(Wanted::All),
        "host" => Ok(Wanted::Host),
        text => text.parse().map(Wanted::One),
    }
}

impl ProjectArgs {
    fn load(&self, host: &Host) -> anyhow::Result<(Project, Vec<Target>)> {
        let project = Project::open_on(&self.project, host)?;
        let mut targets = Vec::new();
        for wanted in &self.target {
            match wanted {
                Wanted::All => targets.extend(&project.config.targets),
                Wanted::Host => targets.extend(host_target()),
                Wanted::One(target) => targets.push(*target),
            }
        }
        let mut targets = project.targets(&targets);
        for target in &mut targets {
            *target = target.or_floor(self.floor);
            // A target of the configuration has its floor there as well when it is named.
            let same = |other: &&Target| other.triple() == target.triple();
            if let Some(configured) = project.config.targets.iter().find(same)
                && target.to_string() == target.triple()
            {
                *target = *configured;
            }
        }
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

/// Where the answer is left for programs.
#[derive(Debug, clap::Args)]
pub(crate) struct ResultArgs {
    /// Write the answer to FILE as well, as `--format json` has it
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
}

impl ResultArgs {
    /// Runs a command; its answer, or why there is none, goes to the file.
    fn keep(
        &self,
        output: &Output,
        run: impl FnOnce() -> anyhow::Result<Exit>,
    ) -> anyhow::Result<Exit> {
        let result = run();
        if let Some(path) = &self.result {
            let answer = match &result {
                Ok(_) => output.answer(),
                Err(error) => Some(Output::json_error(error)),
            };
            let text = format!("{:#}\n", answer.unwrap_or_default());
            sys::fs::write_atomic(path, text.as_bytes()).context("cannot write the result")?;
        }
        result
    }
}

/// How wheels are packed.
#[derive(Debug, clap::Args)]
pub(crate) struct PackingArgs {
    /// How hard wheels are compressed [default: the configuration's, or `default`]
    #[arg(long, value_enum, value_name = "LEVEL")]
    compression: Option<Level>,
    /// Compress everything again, and keep nothing for the next time
    #[arg(long)]
    no_cache: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    Fast,
    Default,
    Best,
    Store,
}

impl PackingArgs {
    /// Returns the level that was asked for.
    fn compression(&self) -> Option<Compression> {
        self.compression.map(|level| match level {
            Level::Fast => Compression::Fast,
            Level::Default => Compression::Default,
            Level::Best => Compression::Best,
            Level::Store => Compression::Store,
        })
    }

    fn get(&self) -> Packing {
        let compression = self.compression().unwrap_or_default();
        Packing { compression, cache: !self.no_cache }
    }
}
