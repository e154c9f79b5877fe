//! `wheelsmith audit`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::artifact::{self, Inspect, Limits};
use wheelsmith_core::audit::{Ask, Date, Level, Terms};
use wheelsmith_core::config::{self, Audit};
use wheelsmith_core::finding::{Code, Severity};
use wheelsmith_core::name::PlatformTag;
use wheelsmith_core::sys::{self, Host};

use crate::exit::Exit;
use crate::output::{Output, View};

/// Judge wheels: do their native files keep what their tags promise?
///
/// Every native file is looked at, wherever it lies and whatever it is called, for Linux, macOS and
/// Windows alike. Nothing of this machine enters the verdict. Directories, archives (`.tar.gz`,
/// `.zip`) and single files are judged as well; they claim nothing, so that only `--policy` makes
/// what they need a fault.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith audit dist/*.whl                        the step for CI
  wheelsmith audit demo.whl --explain                what is in the way of older tags
  wheelsmith audit build/lib --policy manylinux_2_28 files before they are packed
  wheelsmith audit demo.whl --format html --output audit.html

Exit codes: 0 clean; 1 findings at or above `--fail-on`; 2 something could not be judged.")]
pub(crate) struct Args {
    /// Wheels, directories, archives, files; patterns (`dist/*.whl`) are expanded here too
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// The tag that the files must earn, in place of what names claim: `manylinux_2_28_x86_64`, or
    /// `manylinux_2_28` for the processor of the files
    #[arg(long, value_name = "TAG")]
    policy: Option<String>,
    /// A library that is there wherever the wheel is used, by name or pattern; may be repeated
    #[arg(long, value_name = "LIB")]
    exclude: Vec<String>,
    /// A directory of libraries that a repair would put into the wheel; may be repeated
    #[arg(long, value_name = "DIR")]
    library_path: Vec<PathBuf>,
    /// Also look for native files inside other files, and for paths of the machine that built them
    #[arg(long)]
    deep: bool,
    /// The least severity that makes the exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Severity>,
    /// How bad findings of a code are: `no-relro=error`, `unstripped=ignore`; may be repeated
    #[arg(long, value_name = "CODE=LEVEL", value_parser = level)]
    severity: Vec<(Code, Level)>,
    /// Show, for each file, what older tags would take
    #[arg(long)]
    explain: bool,
    /// The tag that `--explain` shows the way to [default: every older one]
    #[arg(long, value_name = "TAG", requires = "explain")]
    want: Option<String>,
    /// The file with `[tool.wheelsmith.audit]` [default: `wheelsmith.toml` or `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the answer to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn severity(text: &str) -> Result<Severity, String> {
    let all = [Severity::Error, Severity::Warning, Severity::Info];
    let found = all.into_iter().find(|severity| severity.as_str() == text);
    found.ok_or_else(|| "it is `error`, `warning` or `info`".to_owned())
}

fn level(text: &str) -> Result<(Code, Level), String> {
    let (code, level) = text.split_once('=').ok_or("there is no `=` between code and level")?;
    let text = |error: wheelsmith_core::name::ParseError| error.to_string();
    Ok((code.parse().map_err(text)?, level.parse().map_err(text)?))
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let Audit { policy, mut exclude, fail_on, mut settings } = settings(args.config.as_deref())?;
    exclude.extend(args.exclude.iter().cloned());
    settings.severity.extend(args.severity.iter().copied());
    let limits = Limits::default();
    let libraries = artifact::libraries(&args.library_path, &limits, host)?;
    let terms = Terms::new(&exclude, libraries).context("cannot read `--exclude`")?;
    let ask = Ask { policy: args.policy.clone().or(policy), terms };
    let paths = artifact::expand(&args.paths)?;
    let inspect = Inspect { deep: args.deep };
    let mut report = artifact::report(&paths, &ask, inspect, &limits, host);
    settings.apply(&mut report, today(host));
    let want = args.want.as_ref().map(|want| {
        let tag = want.parse::<PlatformTag>();
        tag.map_or_else(|_| want.clone(), |tag| tag.perennial().to_string())
    });
    let view = View { verbose: args.explain, explain: args.explain, want };
    let text = output.report(&report, &view, args.output.is_some(), host)?;
    if let Some(path) = &args.output {
        sys::fs::write_atomic(path, text.as_bytes())
            .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
    }
    Ok(if report.has_failures() {
        Exit::Failed
    } else if report.has(args.fail_on.or(fail_on).unwrap_or(Severity::Error)) {
        Exit::No
    } else {
        Exit::Good
    })
}

/// The day on which waivers are looked at: `SOURCE_DATE_EPOCH`, else the clock's.
fn today(host: &Host) -> Option<Date> {
    let epoch = host.env.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    epoch.or_else(sys::now).map(Date::from_epoch)
}

/// What the project says of the audit. A project that says nothing to wheelsmith is none of ours.
fn settings(file: Option<&Path>) -> anyhow::Result<Audit> {
    let usual = [Path::new("wheelsmith.toml"), Path::new("pyproject.toml")];
    let found = file.or_else(|| usual.into_iter().find(|path| path.is_file()));
    let Some(path) = found else { return Ok(Audit::default()) };
    let text = sys::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration `{}`", path.display()))?;
    if file.is_none() && !text.contains("tool.wheelsmith") {
        return Ok(Audit::default());
    }
    Ok(config::parse(&path.display().to_string(), &text)?.audit)
}
