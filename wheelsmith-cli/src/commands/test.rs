//! `wheelsmith test`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::archive;
use wheelsmith_core::config::{self, Config};
use wheelsmith_core::name::Target;
use wheelsmith_core::project::Project;
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::testing::{
    self, CellReport, Error, InstallScheme, Installer, Options, Packages, Python, Request, Root,
    Settings, TestedWheel, Verdict,
};

use crate::exit::Exit;
use crate::output::{Output, TestForm};

/// Install and try wheels with every Python, in fresh environments
///
/// Installs each wheel alone into a fresh environment, for each Python (from `PATH`, pyenv or uv) and
/// each way to install, without the source tree and without variables of the build. Each of these
/// cells imports the package and runs the smoke commands and the test command of
/// `[tool.wheelsmith.test]`. Wheels for another processor run under qemu. Skips are counted and shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith test                          the wheels in `dist`, every Python
  wheelsmith test dist/*.whl --python 3.9 --python 3.13
  wheelsmith test --target aarch64-unknown-linux-gnu --prepare
  wheelsmith test --install venv --install user --output test.xml
  wheelsmith test --libc-root debian-11    also with that directory's C library

Exit codes: 0 every required cell passed; 1 one failed; 2 nothing was tested, or a Python is missing.")]
pub(crate) struct Args {
    /// Wheels, or source distributions to build wheels from; patterns are expanded
    /// [default: `dist/*.whl` in the project]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Python to test with, which must be installed: `3.12`, `3.13t`, `pypy3.10`, or a path;
    /// repeatable [default: those of the configuration, else every Python found]
    #[arg(long, short, value_name = "PYTHON")]
    python: Vec<Request>,
    /// Test only wheels for this target; repeatable
    #[arg(long, short, value_name = "TARGET")]
    target: Vec<Target>,
    /// Root directory of another machine, for its Python; repeatable
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Make such roots from Debian's packages for processors that have none, and keep them
    #[arg(long)]
    prepare: bool,
    /// Directory with an old C library with which native files must load and programs start;
    /// repeatable
    #[arg(long, value_name = "DIR")]
    libc_root: Vec<PathBuf>,
    /// Way to install: venv, target, user, prefix; repeatable
    #[arg(long, value_enum, value_name = "WAY", hide_possible_values = true)]
    install: Vec<InstallArg>,
    /// Installer: pip, uv
    #[arg(long, value_enum, value_name = "PROGRAM", hide_possible_values = true)]
    installer: Option<InstallerArg>,
    /// Command that must exit with 0, such as `demo --version`; repeatable
    #[arg(long, value_name = "COMMAND", value_parser = words)]
    smoke: Vec<Words>,
    /// Test command, such as `python -m pytest tests`
    #[arg(long, value_name = "COMMAND", value_parser = words)]
    command: Option<Words>,
    /// Directory or page in which installers find required packages; repeatable
    #[arg(long, value_name = "DIR|URL")]
    find_links: Vec<String>,
    /// Take packages from `--find-links` only, from no index
    #[arg(long)]
    no_index: bool,
    /// Time limit of a cell
    #[arg(long, alias = "timeout", value_name = "SECONDS")]
    timeout_secs: Option<std::num::NonZeroU32>,
    /// Number of tests that a cell may skip
    #[arg(long, value_name = "N")]
    max_skipped: Option<u32>,
    /// Pattern of cells that must pass, such as `*-cp312-*`; repeatable
    #[arg(long, alias = "require", value_name = "PATTERN")]
    required: Vec<String>,
    /// Pattern of cells that may fail; repeatable
    #[arg(long, alias = "allow-failure", value_name = "PATTERN")]
    allowed_failures: Vec<String>,
    /// Also write the report to FILE: `.json`, `.xml` (JUnit) or `.md`; repeatable
    #[arg(long, alias = "report", value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Directory for the logs of the cells [default: `target/wheelsmith/test` in the project]
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Configuration [default: `wheelsmith.toml` or `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Value of `--install`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum InstallArg {
    Venv,
    Target,
    User,
    Prefix,
}

/// Value of `--installer`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum InstallerArg {
    Pip,
    Uv,
}

/// Words of a command.
#[derive(Debug, Clone)]
struct Words(Vec<String>);

fn words(text: &str) -> Result<Words, &'static str> {
    Settings::words(text).map(Words)
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let forms = args.output.iter().map(|path| TestForm::of(path)).collect::<Result<Vec<_>, _>>()?;
    let project = project(args.config.as_deref())?;
    let (dir, config) = match project {
        Some(Project { dir, config, .. }) => (dir, Some(config)),
        None => (std::path::absolute(".")?, None),
    };
    let settings = settings(args, config);
    let packages = Packages { find_links: places(&args.find_links), no_index: args.no_index };
    let mut pythons = testing::find(&settings.pythons, host)?;
    let built = sys::fs::temp_dir().context("cannot create a temporary directory for wheels")?;
    let (mut subjects, failed_builds) =
        subjects(args, &dir, &pythons, &settings, &packages, built.path(), host)?;
    testing::only_for(&mut subjects, &args.target);
    if subjects.is_empty() {
        let why = "none of the wheels is for the target".to_owned();
        return Err(Error::NoWheel { why }.into());
    }
    let mut roots = Vec::new();
    for root in &args.root {
        let (root, python) = Root::open(root, host)?;
        roots.push(root);
        pythons.push(python);
    }
    if args.prepare {
        for arch in testing::foreign(&subjects, &args.target, &pythons) {
            let (root, python) = Root::open(&testing::prepare(arch, host)?, host)?;
            roots.push(root);
            pythons.push(python);
        }
    }
    let libc_roots = args.libc_root.iter().map(|dir| Root::of_libc(dir, host));
    let options = Options {
        logs: args.logs.clone().unwrap_or_else(|| dir.join("target/wheelsmith/test")),
        project: dir,
        packages,
        roots,
        libc_roots: libc_roots.collect::<Result<_, _>>()?,
        failed_builds,
    };
    let cells = testing::matrix(&subjects, &pythons, &settings, &args.target);
    let report = testing::run(&subjects, &pythons, &cells, &settings, &options, host)?;
    for (path, form) in args.output.iter().zip(forms) {
        let text = form.render(&report)?;
        sys::fs::write_atomic(path, text.as_bytes())
            .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
    }
    output.tested(&report)?;
    Ok(match report.verdict {
        Verdict::Good => Exit::Good,
        Verdict::Bad if report.is_untried() => Exit::Failed,
        Verdict::Bad => Exit::No,
    })
}

/// Returns the wheels to test, including those built from source distributions, and a report for each
/// Python that could not build one.
fn subjects(
    args: &Args,
    project: &Path,
    pythons: &[Python],
    settings: &Settings,
    packages: &Packages,
    out: &Path,
    host: &Host,
) -> anyhow::Result<(Vec<TestedWheel>, Vec<CellReport>)> {
    let usual = [format!("{}/dist/*.whl", project.display())];
    let patterns = if args.paths.is_empty() { &usual[..] } else { &args.paths };
    let found = archive::expand(patterns);
    if found.is_err() && args.paths.is_empty() {
        let why = "there is no wheel in `dist`".to_owned();
        return Err(Error::NoWheel { why }.into());
    }
    let (mut subjects, mut failed) = (Vec::new(), Vec::new());
    for path in found? {
        let is_sdist = [".tar.gz", ".zip"].iter().any(|end| path.to_string_lossy().ends_with(end));
        if is_sdist {
            let (built, unbuilt) =
                testing::wheels_of(&path, out, pythons, settings, packages, host)?;
            subjects.extend(built);
            failed.extend(unbuilt);
        } else {
            subjects.push(TestedWheel::open(&path)?);
        }
    }
    Ok((subjects, failed))
}

/// Makes directories absolute, because cells run in other ones; leaves URLs unchanged.
fn places(find_links: &[String]) -> Vec<String> {
    let place = |place: &String| match sys::fs::canonicalize(place) {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(_) => place.clone(),
    };
    find_links.iter().map(place).collect()
}

/// Returns the settings of the configuration, overridden by the arguments.
fn settings(args: &Args, config: Option<Config>) -> Settings {
    let mut settings = config.map(|config| config.test).unwrap_or_default();
    if !args.python.is_empty() {
        settings.pythons.clone_from(&args.python);
    }
    if !args.install.is_empty() {
        let scheme = |scheme: &InstallArg| match scheme {
            InstallArg::Venv => InstallScheme::Venv,
            InstallArg::Target => InstallScheme::Target,
            InstallArg::User => InstallScheme::User,
            InstallArg::Prefix => InstallScheme::Prefix,
        };
        settings.schemes = args.install.iter().map(scheme).collect();
    }
    match args.installer {
        Some(InstallerArg::Pip) => settings.installer = Installer::Pip,
        Some(InstallerArg::Uv) => settings.installer = Installer::Uv,
        None => {}
    }
    if !args.smoke.is_empty() {
        settings.smoke = args.smoke.iter().map(|words| words.0.clone()).collect();
    }
    if let Some(Words(words)) = &args.command {
        settings.command = Some(words.clone());
    }
    if let Some(seconds) = args.timeout_secs {
        settings.timeout_secs = u64::from(seconds.get());
    }
    settings.max_skipped = args.max_skipped.or(settings.max_skipped);
    settings.required.extend(args.required.iter().cloned());
    settings.allowed_failures.extend(args.allowed_failures.iter().cloned());
    settings
}

/// Opens the project of `file`, or the one in the current directory; `None` if there is none that uses
/// wheelsmith.
fn project(file: Option<&Path>) -> anyhow::Result<Option<Project>> {
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => config::find_settings(Path::new("."))?,
    };
    Ok(file.map(|file| Project::load(&file)).transpose()?)
}
