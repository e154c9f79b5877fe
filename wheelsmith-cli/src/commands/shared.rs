//! Arguments that several commands have.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::name::{PlatformVersion, Target};
use wheelsmith_core::project::{BuildOptions, BuildOutput, BuildVerdict, Project};
use wheelsmith_core::source::Policy;
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::toolchain::host_target;
use wheelsmith_core::vcs::Repository;
use wheelsmith_core::wheel::{Compression, Packing};

use crate::exit::Exit;
use crate::output::Output;

/// Project and targets.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectArgs {
    /// Project: a directory, or its `pyproject.toml` or `wheelsmith.toml`
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    #[command(flatten)]
    targets: TargetArgs,
}

/// Targets.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Target: a triple, with a floor if wanted (`aarch64-unknown-linux-gnu.2.28`); `host` for this
    /// machine; `all` for those of the configuration; repeatable [default: all]
    #[arg(long, short, value_name = "TARGET", value_parser = target_arg)]
    target: Vec<TargetArg>,
    /// Oldest glibc or macOS to run on, for targets that name no floor
    #[arg(long, value_name = "VERSION")]
    floor: Option<PlatformVersion>,
}

/// Value of `--target`.
#[derive(Debug, Clone)]
enum TargetArg {
    All,
    Host,
    One(Target),
}

fn target_arg(text: &str) -> Result<TargetArg, wheelsmith_core::name::ParseError> {
    match text {
        "all" => Ok(TargetArg::All),
        "host" => Ok(TargetArg::Host),
        text => text.parse().map(TargetArg::One),
    }
}

impl ProjectArgs {
    pub(super) fn load(&self, host: &Host) -> anyhow::Result<(Project, Vec<Target>)> {
        let project = Project::open_on(&self.project, host)?;
        let targets = self.targets.of(&project);
        Ok((project, targets))
    }
}

impl TargetArgs {
    /// Returns the targets that the user selects.
    pub(super) fn of(&self, project: &Project) -> Vec<Target> {
        let mut targets = Vec::new();
        for target in &self.target {
            match target {
                TargetArg::All => targets.extend(&project.config.targets),
                TargetArg::Host => targets.extend(host_target()),
                TargetArg::One(target) => targets.push(*target),
            }
        }
        let mut targets = project.targets(&targets);
        for target in &mut targets {
            *target = target.or_floor(self.floor);
            // A target that is named without a floor has the floor of the configuration.
            let same = |other: &&Target| other.triple() == target.triple();
            if let Some(configured) = project.config.targets.iter().find(same)
                && target.to_string() == target.triple()
            {
                *target = *configured;
            }
        }
        targets
    }
}

/// Options for getting sources.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Fail if `wheelsmith.lock` is missing or not current
    #[arg(long)]
    locked: bool,
    /// Download nothing
    #[arg(long)]
    offline: bool,
}

impl PolicyArgs {
    pub(super) fn policy(&self) -> Policy {
        Policy { offline: self.offline, locked: self.locked }
    }
}

/// File of the report, for programs.
#[derive(Debug, clap::Args)]
pub(crate) struct ResultArgs {
    /// Also write the report to FILE, as JSON
    #[arg(long, alias = "result", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ResultArgs {
    /// Runs a command and writes its report, or its error, to the file.
    pub(super) fn keep(
        &self,
        output: &Output,
        run: impl FnOnce() -> anyhow::Result<Exit>,
    ) -> anyhow::Result<Exit> {
        let result = run();
        if let Some(path) = &self.output {
            let report = match &result {
                Ok(_) => output.document(),
                Err(error) => Some(Output::json_error(error)),
            };
            let text = format!("{:#}\n", report.unwrap_or_default());
            sys::fs::write_atomic(path, text.as_bytes())
                .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
        }
        result
    }
}

/// Options for packing wheels.
#[derive(Debug, clap::Args)]
pub(crate) struct PackingArgs {
    /// Compression: fast, default, best, store [default: that of the configuration]
    #[arg(long, value_enum, value_name = "LEVEL", hide_possible_values = true)]
    compression: Option<Level>,
    /// Neither read nor write the cache of compressed files
    #[arg(long)]
    pub(super) no_cache: bool,
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
    pub(crate) fn compression(&self) -> Option<Compression> {
        self.compression.map(|level| match level {
            Level::Fast => Compression::Fast,
            Level::Default => Compression::Default,
            Level::Best => Compression::Best,
            Level::Store => Compression::Store,
        })
    }

    /// True if the user names a compression.
    pub(crate) fn is_asked(&self) -> bool {
        self.compression.is_some()
    }

    pub(crate) fn get(&self) -> Packing {
        let compression = self.compression().unwrap_or_default();
        Packing { compression, cache: !self.no_cache }
    }
}

/// Options for libraries that every user's system has.
#[derive(Debug, clap::Args)]
pub(crate) struct ExcludeArgs {
    /// Library that every user's system has, by name or pattern such as `libcuda.so*`; repeatable
    #[arg(long, value_name = "LIB")]
    exclude: Vec<String>,
    /// File with such libraries, one name or pattern on each line; repeatable
    #[arg(long, value_name = "FILE")]
    exclude_file: Vec<PathBuf>,
}

impl ExcludeArgs {
    /// Returns the patterns of both options. In a file, empty lines and lines that begin with `#` are
    /// ignored.
    pub(super) fn patterns(&self) -> anyhow::Result<Vec<String>> {
        let mut patterns = self.exclude.clone();
        for file in &self.exclude_file {
            let text = sys::fs::read_to_string(file)
                .with_context(|| format!("cannot read `{}` of `--exclude-file`", file.display()))?;
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            patterns.extend(lines.map(str::to_owned));
        }
        Ok(patterns)
    }
}

/// Builds a project, or prints the plan.
pub(super) fn build(
    project: &Project,
    options: &BuildOptions,
    dry_run: bool,
    output: &Output,
) -> anyhow::Result<Exit> {
    if dry_run {
        output.plan(&project.dry_run(options)?)?;
        return Ok(Exit::Good);
    }
    let built = project.build(options)?;
    output.built(&built)?;
    Ok(exit(&built))
}

/// Returns the exit code of a build.
pub(super) fn exit(built: &BuildOutput) -> Exit {
    match built.verdict() {
        BuildVerdict::Good => Exit::Good,
        BuildVerdict::Refused => Exit::No,
        BuildVerdict::Failed => Exit::Failed,
    }
}

/// Runs git in the checkout around a directory.
fn git(dir: &Path, args: &[&str], host: &Host) -> anyhow::Result<String> {
    let no_commit = "cannot tell the commit: name it with `--commit`";
    let repository = Repository::around(dir, host).context(no_commit)?;
    let repository =
        repository.with_context(|| format!("`{}` is not in a git checkout", dir.display()));
    let said = repository.context(no_commit)?.run(args, host).context(no_commit)?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

/// Returns the commit that git has checked out around a directory.
pub(super) fn current_commit(dir: &Path, host: &Host) -> anyhow::Result<String> {
    git(dir, &["rev-parse", "HEAD"], host)
}

/// True if a directory is in a git checkout.
pub(super) fn is_checkout(dir: &Path, host: &Host) -> bool {
    matches!(Repository::around(dir, host), Ok(Some(_)))
}

/// True if the checkout around a directory has changes that are not in the commit. Files that git
/// ignores do not count.
pub(super) fn is_dirty(dir: &Path, host: &Host) -> anyhow::Result<bool> {
    Ok(!git(dir, &["status", "--porcelain"], host)?.is_empty())
}
