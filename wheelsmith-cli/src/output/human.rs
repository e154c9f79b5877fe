//! Output for people.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use wheelsmith_core::plan::{Plan, Step, TargetPlan};
use wheelsmith_core::project::{ArchiveVerdict, BuildOutput, BuiltWheel, TargetBuild};
use wheelsmith_core::repair::{Graft, MissingLibrary, RepairPlan};
use wheelsmith_core::toolchain::{RustStd, State, TargetSurvey};

use super::text::{Text, lines};

pub(super) use super::style::{BOLD, DIM, GREEN, RED, YELLOW, finding, newest, size};

/// Writes an error with its causes and its hint to standard error.
pub(super) fn error(context: Option<&str>, error: &dyn std::error::Error, hint: Option<String>) {
    use std::io::Write as _;
    let mut text = format!("{RED}error{RED:#}: ");
    if let Some(context) = context {
        text = text + context + ": ";
    }
    text += &error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}\n  caused by: {error}");
        cause = error.source();
    }
    if let Some(hint) = hint {
        text = format!("{text}\n{BOLD}hint{BOLD:#}: {hint}");
    }
    let _ = writeln!(anstream::stderr(), "{}", lines(&text));
}

/// Returns a line for each item.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> Text {
    let mut text = Text::new();
    for item in items {
        let _ = writeln!(text, "{item}");
    }
    text
}

pub(super) fn built(output: &BuildOutput) -> Text {
    let mut text = Text::new();
    for (target, result) in &output.targets {
        let end = match result {
            Ok(made) => {
                format!("{DIM}({}, {:.1} s){DIM:#}", made.toolchain, made.time.as_secs_f64())
            }
            Err(error) if error.is_cancelled() => format!("{YELLOW}stopped{YELLOW:#}"),
            Err(_) => format!("{RED}failed{RED:#}"),
        };
        let _ = writeln!(text, "{BOLD}{target}{BOLD:#} {end}");
        match result {
            Ok(build) => target_build(&mut text, build),
            // Standard error has the causes; this line names the failed one among other targets.
            Err(error) if output.targets.len() > 1 && !error.is_cancelled() => {
                let _ = writeln!(text, "  {error}");
            }
            Err(_) => {}
        }
    }
    if !output.packages.is_empty() {
        let _ = writeln!(text, "{BOLD}all targets{BOLD:#}");
    }
    for made in &output.packages {
        super::package::built(&mut text, made);
    }
    super::package::left_out(&mut text, &output.left_out);
    text
}

fn target_build(text: &mut Text, made: &TargetBuild) {
    let width = made.components.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, outcome) in &made.components {
        let _ = writeln!(text, "  {name:width$}  {outcome}");
    }
    let is_empty = made.wheels.is_empty() && made.archives.is_empty() && made.packages.is_empty();
    if is_empty && made.judged.is_none() {
        let _ = writeln!(text, "  {}", made.runtime.display());
    }
    for file in &made.archives {
        let size = size(file.size_bytes);
        let _ = writeln!(text, "  {GREEN}{}{GREEN:#}  {size}", file.path.display());
    }
    if let Some(judged) = &made.judged {
        archive_verdict(text, judged);
    }
    for wheel in &made.wheels {
        built_wheel(text, wheel);
    }
    for made in &made.packages {
        super::package::built(text, made);
    }
    if made.saved_bytes() > 0 {
        let saved = size(made.saved_bytes());
        let _ = writeln!(text, "  {saved} saved by one wheel for the runtime");
    }
}

/// Writes the verdict on archives without a wheel.
fn archive_verdict(text: &mut Text, judged: &ArchiveVerdict) {
    let verdict = judged.audit.tag_text();
    if judged.is_good() {
        let newest = newest(&judged.audit);
        let _ = writeln!(text, "    qualifies for {verdict} (floor {}{newest})", judged.floor);
    } else {
        let wanted = &judged.wanted;
        let _ = writeln!(
            text,
            "  {RED}no archive{RED:#} written: the files qualify for {verdict}, not {wanted}"
        );
    }
    for found in &judged.audit.findings {
        finding(text, found);
    }
}

fn built_wheel(text: &mut Text, wheel: &BuiltWheel) {
    let verdict = wheel.audit.tag_text();
    if let Some(file) = &wheel.file {
        let _ = writeln!(text, "  {GREEN}{}{GREEN:#}", file.path.display());
        let size = size(file.size_bytes);
        let newest = newest(&wheel.audit);
        // A floor limits native files.
        let floor = match wheel.audit.files[..] {
            [] => String::new(),
            _ => format!(" (floor {}{newest})", wheel.floor),
        };
        let _ = writeln!(text, "    qualifies for {verdict}{floor}, {size}");
        let _ = writeln!(text, "    {DIM}sha256 {}{DIM:#}", file.sha256);
    } else {
        let _ = writeln!(text, "  {RED}{}{RED:#}", wheel.name);
        let _ = writeln!(
            text,
            "    not written: its files qualify for {verdict}, not {}",
            wheel.wanted
        );
    }
    if let Some(plan) = &wheel.bundled {
        bundled(text, plan);
    }
    for found in &wheel.audit.findings {
        finding(text, found);
    }
}

/// Writes the libraries that were copied into a wheel, or those that are missing.
fn bundled(text: &mut Text, plan: &RepairPlan) {
    for MissingLibrary { by, library, reason } in &plan.missing {
        let by = by.rsplit(['/', '\\']).next().unwrap_or(by);
        let why = reason.as_deref().unwrap_or("neither a component nor `library-path` has it");
        let _ = writeln!(text, "    {RED}missing{RED:#} {library}, which {by} needs: {why}");
    }
    if !plan.missing.is_empty() {
        return;
    }
    for Graft { into, needed_as, .. } in &plan.grafts {
        let needed_as = needed_as.join(", ");
        let _ = writeln!(text, "    {GREEN}+{GREEN:#} {into} {DIM}(was {needed_as}){DIM:#}");
    }
}

pub(super) fn plan(plan: &Plan, verbose: bool) -> Text {
    let mut text = Text::new();
    for target in &plan.targets {
        plan_target(&mut text, target, verbose);
    }
    if !plan.packages.is_empty() {
        let _ = writeln!(text, "{BOLD}all targets{BOLD:#}");
    }
    for planned in &plan.packages {
        super::package::plan(&mut text, planned);
    }
    super::package::left_out(&mut text, &plan.left_out);
    text
}

fn plan_target(text: &mut Text, plan: &TargetPlan, verbose: bool) {
    let _ = writeln!(text, "{BOLD}{}{BOLD:#} with toolchain {}", plan.target, plan.toolchain);
    for slice in &plan.slices {
        let _ = writeln!(text, "  slice {}", slice.target);
        plan_components(text, slice, verbose);
    }
    plan_components(text, plan, verbose);
    for archive in &plan.archives {
        let _ = writeln!(text, "  pack  {archive}");
    }
    for planned in &plan.packages {
        super::package::plan(text, planned);
    }
    for wheel in &plan.wheels {
        let _ = writeln!(text, "  pack  {}", wheel.file);
        if wheel.lowest != wheel.file {
            let lowest = wheel.lowest.platforms.last().map(ToString::to_string);
            let lowest = lowest.unwrap_or_default();
            let _ = writeln!(text, "    {DIM}or with an older tag, down to {lowest}{DIM:#}");
        }
        if let Some(library_path) = &wheel.library_path {
            let also: String =
                library_path.iter().map(|dir| format!(", then from {dir}")).collect();
            let _ = writeln!(text, "    with its needed libraries, from the components{also}");
        }
    }
}

fn plan_components(text: &mut Text, plan: &TargetPlan, verbose: bool) {
    if let Some(cxx) = &plan.cxx_runtime {
        let names = cxx.components.iter().cloned().collect::<Vec<_>>().join(", ");
        let _ = match (&cxx.library, cxx.runtime) {
            (Some(library), _) => writeln!(text, "  share one C++ runtime, {library}: {names}"),
            (None, runtime) => writeln!(text, "  use the {runtime} C++ runtime: {names}"),
        };
    }
    for component in &plan.components {
        let _ = writeln!(
            text,
            "  build {} ({}) from {}",
            component.component.name,
            component.component.kind.as_str(),
            component.from.0
        );
        if !component.component.link.is_empty() {
            let _ = writeln!(text, "    linked to {}", component.component.link.join(", "));
        }
        for step in component.steps.iter().filter(|_| verbose) {
            let _ = match (step, step.command()) {
                (Step::Run { appends_jobs: true, command, .. }, _) => {
                    writeln!(text, "    {DIM}{command} -j<free job tokens>{DIM:#}")
                }
                (_, Some(command)) => writeln!(text, "    {DIM}{command}{DIM:#}"),
                (Step::Take { files }, _) => writeln!(text, "    {DIM}take {files} files{DIM:#}"),
                (Step::Later { name, after }, _) => {
                    writeln!(text, "    {DIM}{name}, after {after}{DIM:#}")
                }
                _ => Ok(()),
            };
        }
    }
}

pub(super) fn fetched(sources: usize) -> Text {
    let mut text = Text::new();
    let word = if sources == 1 { "source" } else { "sources" };
    let _ = writeln!(text, "{sources} {word} ready");
    text
}

pub(super) fn initialised(dir: &Path, files: &[PathBuf], note: &str) -> Text {
    let mut text = Text::new();
    for file in files {
        let _ = writeln!(text, "wrote {}", file.display());
    }
    let dir = dir.display().to_string();
    let project = if dir == "." { String::new() } else { format!(" {dir}") };
    let _ = writeln!(text, "build it with `wheelsmith build{project}`");
    text.push_own(note.trim_end());
    let _ = writeln!(text);
    text
}

pub(super) fn toolchains(found: &[TargetSurvey]) -> Text {
    let mut text = Text::new();
    for found in found {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", found.target);
        for toolchain in &found.toolchains {
            let kind = toolchain.kind.to_string();
            let chosen = if toolchain.automatic { "*" } else { " " };
            match &toolchain.state {
                State::Ready { id, program } => {
                    let program = program.display();
                    let _ = writeln!(
                        text,
                        " {chosen}{GREEN}{kind:9}{GREEN:#}  {id}  {DIM}{program}{DIM:#}"
                    );
                }
                State::Missing { reason, hint } => {
                    let _ = writeln!(text, " {chosen}{YELLOW}{kind:9}{YELLOW:#}  {reason}");
                    if let Some(hint) = hint {
                        let _ = writeln!(text, "             {DIM}{hint}{DIM:#}");
                    }
                }
            }
        }
        match &found.rust {
            Some(RustStd::Ready { rustc }) => {
                let _ = writeln!(text, "  {GREEN}rust     {GREEN:#}  {rustc}");
            }
            Some(RustStd::Missing { reason, hint }) => {
                let _ = writeln!(text, "  {YELLOW}rust     {YELLOW:#}  {reason}");
                let _ = writeln!(text, "             {DIM}{hint}{DIM:#}");
            }
            None => {}
        }
    }
    let _ = writeln!(text, "(* marks the default of a build)");
    text
}
