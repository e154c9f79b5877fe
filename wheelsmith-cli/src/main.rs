//! `wheelsmith`: arguments in, report out, exit code.

mod args;
mod commands;
mod exit;
mod global;
mod output;

use std::process::ExitCode;
use std::sync::Arc;

use wheelsmith_core::sys::{Cancel, Env, Host, Jobs};

use args::Args;
use exit::Exit;
use output::{Output, Progress};

fn main() -> ExitCode {
    let args = Args::from_command_line();
    let env = Env::from_process();
    args.global.color.apply(&env);
    let cancel = Cancel::default();
    let handler = cancel.clone();
    // Without a handler a signal ends the process at once, which leaves no half-written file either.
    let _ = ctrlc::set_handler(move || handler.cancel());
    let progress = Progress::new(args.global.format, args.global.level(), &env);
    let host = Host {
        jobs: Jobs::new(args.global.jobs()),
        env,
        report: Arc::new(progress),
        cancel: cancel.clone(),
    };
    let output = Output::new(args.global.format, args.global.verbose);
    let result = commands::run(args.command, &host, &output);
    match result {
        _ if cancel.is_cancelled() => Exit::Interrupted,
        Ok(exit) => exit,
        // The reader has read enough: `wheelsmith … | head`.
        Err(error) if is_broken_pipe(&error) => Exit::Good,
        Err(error) => {
            output.error(&error);
            if is_refusal(&error) { Exit::No } else { Exit::Failed }
        }
    }
    .into()
}

/// True if a wheel was read and is not fit for use, or packages cannot be published as they are.
fn is_refusal(error: &anyhow::Error) -> bool {
    use wheelsmith_core::release;
    use wheelsmith_core::wheel::Error;
    let is_verdict =
        |error: &Error| matches!(error, Error::Refused { .. } | Error::Contradiction { .. });
    let is_fault = |error: &release::Error| matches!(error, release::Error::Faults { .. });
    error.downcast_ref::<Error>().is_some_and(is_verdict)
        || error.downcast_ref::<release::Error>().is_some_and(is_fault)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
