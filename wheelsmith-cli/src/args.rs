//! The command line.

use clap::{Parser, Subcommand, ValueEnum};
use wheelsmith_core::sys::Env;

use crate::commands::{
    audit, backend, build, check, completions, fetch, index, init, repair, sdist, show, test,
    toolchain, wheel, wrapper,
};

const AFTER_HELP: &str = "\
Examples:
  wheelsmith init                                     write a starter configuration here
  wheelsmith build                                    wheels for every configured target
  wheelsmith build --target aarch64-unknown-linux-gnu --out dist
  wheelsmith audit dist/*.whl                         do their files keep their tags?
  wheelsmith check dist/*                             will the index and installers take them?
  wheelsmith test                                     do they work, on every Python here?
  wheelsmith toolchain                                which compilers there are

Exit codes: 0 done, and good; 1 done, and the answer is no; 2 could not be done.";

/// Builds native runtimes for several targets, proves their platform tags, packs them into wheels.
#[derive(Debug, Parser)]
#[command(
    name = "wheelsmith",
    version = env!("WHEELSMITH_VERSION"),
    after_help = AFTER_HELP,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(build::Args),
    Sdist(sdist::Args),
    Audit(audit::Args),
    Test(test::Args),
    Show(show::Args),
    Fetch(fetch::Args),
    Toolchain(toolchain::Args),
    Repair(repair::Args),
    Wheel(wheel::Args),
    Check(check::Args),
    Index(index::Args),
    Init(init::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Backend(backend::Args),
    #[command(hide = true)]
    ToolchainWrapper(wrapper::Args),
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How answers are written to standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Say more: commands' warnings, what was found where
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// How many things run at once [default: the number of processors]
    #[arg(long, short, global = true, value_name = "N")]
    jobs: Option<std::num::NonZeroU16>,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

impl Global {
    pub(crate) fn jobs(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(all, |jobs| usize::from(jobs.get()))
    }
}

/// The form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs; one document with a schema number.
    Json,
    /// For code scanning (SARIF 2.1.0); reports of findings only.
    Sarif,
    /// For GitHub Actions: annotations, and a summary of the job; reports of findings only.
    Github,
    /// For summaries of tests; reports of findings only.
    Junit,
    /// For a browser: one page; reports of findings only.
    Html,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On terminals, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    pub(crate) fn apply(self, env: &Env) {
        let choice = match self {
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
            Self::Auto if env.get("NO_COLOR").is_some() => anstream::ColorChoice::Never,
            Self::Auto => anstream::ColorChoice::Auto,
        };
        choice.write_global();
    }
}

/// The whole command line, for completions.
pub(crate) fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}
