//! `wheelsmith audit`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::archive::{self, Limits};
use wheelsmith_core::audit::{self, Allowances, AuditOptions};
use wheelsmith_core::config::Audit;
use wheelsmith_core::name::PlatformTag;
use wheelsmith_core::sys::Host;

use super::reporting::{Reporting, today};
use super::shared::ExcludeArgs;
use crate::exit::Exit;
use crate::output::{Output, View};

/// Compare the native files of wheels with their platform tags
///
/// The audit reads every native file, for Linux, Android, macOS and Windows, on any machine. The
/// verdict depends on the files alone. It also reads directories, archives (`.tar.gz`,
/// `.tar.zst`, `.zip`, `.tgz`, `.crate`) and single files; their names claim no tag, so give
/// `--tag` to judge them by one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith audit dist/*.whl                     a step for CI
  wheelsmith audit demo.whl --explain             show what blocks older tags
  wheelsmith audit build/lib --tag manylinux_2_28 judge files before packing
  wheelsmith audit demo.whl --format html --output audit.html

Exit codes: 0 clean; 1 findings at or above `--fail-on`; 2 a file could not be judged.")]
pub(crate) struct Args {
    /// Wheels, directories, archives or files; patterns such as `dist/*.whl` are expanded
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Platform tag to judge by, instead of that of the name: `manylinux_2_28_x86_64`, or
    /// `manylinux_2_28` for the processor of the files
    #[arg(long, alias = "policy", value_name = "TAG")]
    tag: Option<String>,
    #[command(flatten)]
    exclude: ExcludeArgs,
    /// Directory of libraries that `repair` would copy into the wheel; repeatable
    #[arg(long, short = 'L', value_name = "DIR")]
    library_path: Vec<PathBuf>,
    /// Search other files for embedded native files and for paths of the build machine
    #[arg(long)]
    deep: bool,
    /// Show for each file what blocks older tags, or the one TAG
    #[arg(
        long,
        value_name = "TAG",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    explain: Option<String>,
    /// Former spelling of `--explain=TAG`.
    #[arg(long, value_name = "TAG", requires = "explain", hide = true)]
    want: Option<String>,
    #[command(flatten)]
    reporting: Reporting,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let configuration = args.reporting.configuration()?.map(|config| config.audit);
    let Audit { policy, mut exclude, fail_on, settings } = configuration.unwrap_or_default();
    exclude.extend(args.exclude.patterns()?);
    let libraries = audit::libraries(&args.library_path, &Limits::default(), host)?;
    let allowances = Allowances::new(&exclude, libraries).context("cannot read `--exclude`")?;
    let options = AuditOptions::default()
        .with_tag(args.tag.clone().or(policy))
        .with_allowances(allowances)
        .with_deep(args.deep);
    let paths = archive::expand(&args.paths)?;
    let mut report = audit::report(&paths, &options, host);
    let inputs = report.inputs.iter_mut().map(|input| &mut input.findings);
    report.configuration = args.reporting.over(settings).apply(inputs, today(host));
    let want = args.want.as_ref().or(args.explain.as_ref()).filter(|want| !want.is_empty());
    let want = want.map(|want| {
        let tag = want.parse::<PlatformTag>();
        tag.map_or_else(|_| want.clone(), |tag| tag.modern().to_string())
    });
    let view = View { verbose: args.explain.is_some(), explain: args.explain.is_some(), want };
    let text = output.report(&report, &view, args.reporting.is_to_file(), host)?;
    args.reporting.write(&text)?;
    Ok(args.reporting.exit(report.has_failures(), fail_on, |severity| report.has(severity)))
}
