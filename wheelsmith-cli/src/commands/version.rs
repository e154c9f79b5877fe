//! `wheelsmith version`

use std::path::PathBuf;

use wheelsmith_core::config::VersionSource;
use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;
use wheelsmith_core::version::change::{Change, ProjectVersion};
use wheelsmith_core::version::scheme::{Bump, PreKind, ReleaseVersion};

use crate::exit::Exit;
use crate::output::Output;

/// Show, check and change the version in every file that has it
///
/// The version has one source: `[project] version`, or what `[tool.wheelsmith] version` names. The
/// other places are those of `version.sites`, the pins between packages of the project, and lock
/// files. Only the version is replaced in each; a lock file that another tool would write
/// differently is not changed otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith version show
  wheelsmith version bump minor --dry-run   print what would change
  wheelsmith version set 1.2.0-rc.1
  wheelsmith version check --tag v1.2.0     in CI, before a release")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print the version in both forms, its source, and the files that contain it
    #[command(after_help = "Examples:\n  wheelsmith version show --format json")]
    Show {
        #[command(flatten)]
        project: ProjectArg,
    },
    /// Change the version
    #[command(after_help = "Examples:\n  wheelsmith version set 1.2.0-rc.1")]
    Set {
        /// New version, in the form of SemVer or PEP 440
        version: String,
        #[command(flatten)]
        project: ProjectArg,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Raise the version
    ///
    /// A number that a pre-release has raised already is not raised again: `bump minor` of
    /// 1.3.0-rc.2 is 1.3.0.
    #[command(after_help = "\
Examples:
  wheelsmith version bump patch            1.2.3 to 1.2.4
  wheelsmith version bump minor --pre rc   1.2.3 to 1.3.0-rc.1
  wheelsmith version bump pre              1.3.0-rc.1 to 1.3.0-rc.2
  wheelsmith version bump release          1.3.0-rc.2 to 1.3.0")]
    Bump {
        /// Part to raise: major, minor, patch, pre, release
        #[arg(value_enum, hide_possible_values = true)]
        part: Part,
        /// Kind of pre-release to begin: alpha, beta, rc
        #[arg(long, value_enum, value_name = "KIND", hide_possible_values = true)]
        pre: Option<Kind>,
        #[command(flatten)]
        project: ProjectArg,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Change the version to the next development version: 1.2.0 to 1.2.1-0.dev.0
    #[command(after_help = "Examples:\n  wheelsmith version next-dev   after a release")]
    NextDev {
        #[command(flatten)]
        project: ProjectArg,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// List every place with another version, and what a registry would refuse
    #[command(after_help = "Examples:\n  wheelsmith version check --tag v1.2.0")]
    Check {
        #[command(flatten)]
        project: ProjectArg,
        /// Tag that must name the version, such as `v1.2.0`
        #[arg(long, value_name = "TAG")]
        tag: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct ProjectArg {
    /// Project: a directory, or its `pyproject.toml` or `wheelsmith.toml`
    #[arg(long, default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
}

#[derive(Debug, clap::Args)]
struct ChangeArgs {
    /// Print the change as a diff, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write although git reports changed files
    #[arg(long)]
    allow_dirty: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Part {
    Major,
    Minor,
    Patch,
    Pre,
    Release,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Alpha,
    Beta,
    Rc,
}

impl From<Part> for Bump {
    fn from(part: Part) -> Self {
        match part {
            Part::Major => Self::Major,
            Part::Minor => Self::Minor,
            Part::Patch => Self::Patch,
            Part::Pre => Self::Pre,
            Part::Release => Self::Release,
        }
    }
}

impl From<Kind> for PreKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Alpha => Self::Alpha,
            Kind::Beta => Self::Beta,
            Kind::Rc => Self::Rc,
        }
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let open = |arg: &ProjectArg| -> anyhow::Result<(Project, ProjectVersion)> {
        let project = Project::open_on(&arg.project, host)?;
        let version = ProjectVersion::read(&project.config, &project.dir, host)?;
        Ok((project, version))
    };
    let apply = |project: &Project, change: &Change, args: &ChangeArgs| -> anyhow::Result<Exit> {
        if !args.dry_run {
            change.apply(&project.dir, args.allow_dirty, host)?;
        }
        output.version_changed(change, args.dry_run)?;
        Ok(Exit::Good)
    };
    match &args.verb {
        Verb::Show { project } => {
            let (_, version) = open(project)?;
            output.version(&version)?;
            Ok(Exit::Good)
        }
        Verb::Set { version, project, change } => {
            let to = ReleaseVersion::parse(version)?;
            let (project, version) = open(project)?;
            apply(&project, &version.change(&to, &project.config, &project.dir, host)?, change)
        }
        Verb::Bump { part, pre, project, change } => {
            let (project, version) = open(project)?;
            let to = version.bump((*part).into(), pre.map(PreKind::from))?;
            apply(&project, &version.change(&to, &project.config, &project.dir, host)?, change)
        }
        Verb::NextDev { project, change } => {
            let (project, version) = open(project)?;
            let to = version.bump(Bump::NextDev, None)?;
            apply(&project, &version.change(&to, &project.config, &project.dir, host)?, change)
        }
        Verb::Check { project, tag } => {
            let (project, version) = open(project)?;
            let prefix = match &project.config.version {
                Some(VersionSource::Vcs(tags)) => tags.prefix.as_deref(),
                _ => None,
            };
            let problems = version.problems(tag.as_deref(), prefix);
            output.version_checked(&version, &problems)?;
            Ok(if problems.is_empty() { Exit::Good } else { Exit::No })
        }
    }
}
