//! `wheelsmith audit`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::archive::{self, Limits};
use wheelsmith_core::audit::{self, Allowances, AuditOptions};
use wheelsmith_core::config::Audit;
use wheelsmith_core::name::PlatformTag;
use wheelsmith_core::sys::Host;

use super::reporting::{Reporting, today};
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
    /// Show, for each file, what older tags would take
    #[arg(long)]
    explain: bool,
    /// The tag that `--explain` shows the way to [default: every older one]
    #[arg(long, value_name = "TAG", requires = "explain")]
    want: Option<String>,
    #[command(flatten)]
    reporting: Reporting,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let configuration = args.reporting.configuration()?.map(|config| config.audit);
    let Audit { policy, mut exclude, fail_on, settings } = configuration.unwrap_or_default();
    exclude.extend(args.exclude.iter().cloned());
    let libraries = audit::libraries(&args.library_path, &Limits::default(), host)?;
    let allowances = Allowances::new(&exclude, libraries).context("cannot read `--exclude`")?;
    let options = AuditOptions::default()
        .with_tag(args.policy.clone().or(policy))
        .with_allowances(allowances)
        .with_deep(args.deep);
    let paths = archive::expand(&args.paths)?;
    let mut report = audit::report(&paths, &options, host);
    let inputs = report.inputs.iter_mut().map(|input| &mut input.findings);
    report.configuration = args.reporting.over(settings).apply(inputs, today(host));
    let want = args.want.as_ref().map(|want| {
        let tag = want.parse::<PlatformTag>();
        tag.map_or_else(|_| want.clone(), |tag| tag.modern().to_string())
    });
    let view = View { verbose: args.explain, explain: args.explain, want };
    let text = output.report(&report, &view, args.reporting.is_to_file(), host)?;
    args.reporting.write(&text)?;
    Ok(args.reporting.exit(report.has_failures(), fail_on, |severity| report.has(severity)))
}
