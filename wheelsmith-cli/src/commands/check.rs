//! `wheelsmith check`

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wheelsmith_core::check::{self, Index, Input, Kind, Limits, Options, Report, SCHEMA};
use wheelsmith_core::finding::Severity;
use wheelsmith_core::sys::{self, Host};

use crate::exit::Exit;
use crate::output::Output;

const MIB: u64 = 1 << 20;

/// Check finished wheels and sdists: what passes is taken by the index and by every installer
///
/// Nothing is fixed, and nothing is asked of the network. Whether native files keep the platform
/// tag is not judged here.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Wheels and `.tar.gz` source distributions
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where they are to be published: what only the public index refuses is a warning elsewhere
    #[arg(long, value_enum, default_value_t = Place::Pypi, value_name = "INDEX")]
    index: Place,
    /// The worst that may be found without the answer being no
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// From which size on a file is larger than the index takes without being asked, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 100)]
    large_file: u32,
    /// The largest file that the index takes for this project, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    file_limit: u32,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Place {
    Pypi,
    Private,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    /// Findings never make the answer no
    Never,
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let limits = Limits {
        file_bytes: u64::from(args.large_file) * MIB,
        most_file_bytes: u64::from(args.file_limit) * MIB,
        ..Limits::default()
    };
    let index = match args.index {
        Place::Pypi => Index::Pypi,
        Place::Private => Index::Private,
    };
    let options = Options { index, limits };
    let inputs = all(&args.files, &options, host);
    if host.cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let report = Report { schema: SCHEMA, inputs };
    output.checked(&report)?;
    let is_bad = args.fail_on.severity().is_some_and(|severity| report.has(severity));
    Ok(match (report.has_failures(), is_bad) {
        (true, _) => Exit::Failed,
        (_, true) => Exit::No,
        _ => Exit::Good,
    })
}

/// Checks several files at once; the answers stand in the order of the files.
fn all(files: &[PathBuf], options: &Options, host: &Host) -> Vec<Input> {
    let next = AtomicUsize::new(0);
    let inputs = Mutex::new(vec![None; files.len()]);
    let work = || {
        while let Some((at, path)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            files.get(at).map(|path| (at, path))
        } {
            let input = one(path, options, host);
            if let Ok(mut inputs) = inputs.lock() {
                inputs[at] = Some(input);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..host.jobs.count().min(files.len()) {
            scope.spawn(work);
        }
        work();
    });
    inputs.into_inner().unwrap_or_default().into_iter().flatten().collect()
}

fn one(path: &Path, options: &Options, host: &Host) -> Input {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let check = || -> io::Result<check::Checked> {
        let file = sys::fs::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::other("it is a directory"));
        }
        check::check(&name, file, options, &host.cancel)
    };
    let path = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    match check() {
        Ok(checked) => Input { path, kind: checked.kind, error: None, findings: checked.findings },
        Err(error) => Input {
            path,
            kind: Kind::of(&name),
            error: Some(error.to_string()),
            findings: Vec::new(),
        },
    }
}
