//! The options of every command.

use clap::ValueEnum;
use wheelsmith_core::sys::Env;

/// Options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Output format on standard output
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Format::Human,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub(crate) format: Format,
    /// Print errors only: no warnings, no progress
    #[arg(long, short, global = true, conflicts_with_all = ["verbose", "log_level"])]
    quiet: bool,
    /// Print every step, command line and note
    #[arg(long, short, global = true, conflicts_with = "log_level")]
    pub(crate) verbose: bool,
    /// Messages to print: error, warn, info (default), debug
    #[arg(long, global = true, value_enum, value_name = "LEVEL", hide_possible_values = true)]
    log_level: Option<Level>,
    /// Number of parallel jobs [default: all processors]
    #[arg(long, short, global = true, value_name = "N")]
    jobs: Option<std::num::NonZeroU16>,
    /// When to use colours: auto, always, never
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Color::Auto,
        value_name = "WHEN",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub(crate) color: Color,
}

impl Global {
    pub(crate) fn jobs(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(all, |jobs| usize::from(jobs.get()))
    }

    /// Returns what goes to standard error.
    pub(crate) fn level(&self) -> Level {
        match self.log_level {
            _ if self.quiet => Level::Error,
            _ if self.verbose => Level::Debug,
            level => level.unwrap_or(Level::Info),
        }
    }
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Sarif,
    Github,
    Junit,
    Html,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Junit => "junit",
            Self::Html => "html",
        }
    }

    /// Returns the forms that the command `name` prints.
    pub(crate) fn of_command(name: &str) -> &'static [Self] {
        match name {
            "audit" | "check" => Self::value_variants(),
            "test" => &[Self::Human, Self::Json, Self::Junit],
            _ => &[Self::Human, Self::Json],
        }
    }

    /// True if the output is for programs.
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json)
    }
}

/// Amount of output on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
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
