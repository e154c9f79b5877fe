//! Carries out a plan: look, send, wait until visible.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Error;
use super::ledger::{Event, Ledger};
use super::package::Package;
use super::session::{Seen, Session};
use super::steps::{Kind, Plan, Step, conflict, url_faults};
use crate::check;
use crate::registry::{Presence, Sent, sent};
use crate::sys::request::SendError;
use crate::sys::{self, Host};

/// Number of times that a file is sent if the registry fails.
const TRIES: u32 = 5;
/// Number of times that a registry may ask to wait, for each step.
const WAITS: u32 = 20;

/// Options of a publication.
#[derive(Debug, Clone)]
pub struct PublishOptions {
    /// Kind of steps to execute; all if `None`.
    pub only: Option<Kind>,
    /// True to look only, and send nothing.
    pub dry_run: bool,
    /// File of the ledger.
    pub ledger: PathBuf,
    /// Longest wait until a registry shows a file.
    pub visible: Duration,
    /// Longest wait for a rate limit, for each step.
    pub rate_limit: Duration,
    /// Directory with the packages; that of the plan if `None`.
    pub directory: Option<PathBuf>,
    /// Rules for wheels and source distributions.
    pub check: check::Options,
}

/// Result of a publication.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// Steps in the order of the plan.
    pub steps: Vec<StepResult>,
}

/// Result of a step.
#[derive(Debug, Clone, Serialize)]
pub struct StepResult {
    /// Name of the step.
    pub id: String,
    /// Outcome.
    pub outcome: Outcome,
    /// Reason, if it did not succeed; behind "present, but" what users should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The registry had the same bytes.
    Present,
    /// The file was sent, and the registry shows it.
    Published,
    /// The file would be sent.
    Planned,
    /// The registry has other bytes under this name.
    Conflict,
    /// The registry refused the file.
    Rejected,
    /// The file was sent, and the registry did not show it in time.
    Invisible,
    /// The step was not executed.
    Skipped,
    /// The step is of a registry that was not selected, or needs such a step.
    NotSelected,
}

impl Published {
    /// True if every step is published.
    pub fn is_complete(&self) -> bool {
        let done = [Outcome::Present, Outcome::Published];
        self.steps.iter().all(|step| done.contains(&step.outcome))
    }

    /// True if every selected step is published; in a dry run, also if it would be sent.
    pub fn is_good(&self, dry_run: bool) -> bool {
        let fine = [Outcome::Present, Outcome::Published, Outcome::NotSelected];
        self.steps
            .iter()
            .all(|step| fine.contains(&step.outcome) || dry_run && step.outcome == Outcome::Planned)
    }

    /// Returns the number of steps with an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.steps.iter().filter(|step| step.outcome == outcome).count()
    }
}

/// Publishes what the registries do not have yet.
///
/// # Errors
/// Returns an error before the first upload if a file differs from the plan, if a registry has other
/// bytes under one of the names, or if a credential is missing.
pub fn publish(plan: &Plan, options: &PublishOptions, host: &Host) -> Result<Published, Error> {
    let fail = |problems: Vec<String>| Error::Faults { release: plan.release(), problems };
    let problems = url_faults(&plan.destination, &plan.to);
    if !problems.is_empty() {
        return Err(fail(problems));
    }
    let packages = packages(plan, options, host)?;
    let session =
        Session::new(&plan.destination, &plan.to, host).map_err(|problem| fail(vec![problem]))?;
    let ledger = Ledger::new(options.ledger.clone());
    let (done, not_selected) = Default::default();
    let mut run = Run { plan, options, session, packages, ledger, done, not_selected };
    let problems = run.preflight()?;
    if !problems.is_empty() {
        return Err(fail(problems.iter().map(|problem| run.session.redact(problem)).collect()));
    }
    let task = host.task("publishing", plan.steps.len() as u64);
    let mut steps = Vec::new();
    // Steps at which the credential was refused, by registry.
    let mut denied: BTreeMap<&str, String> = BTreeMap::new();
    for step in &plan.steps {
        let registry = step.kind.registry();
        let mut result = run.step(step, denied.get(registry).map(String::as_str))?;
        result.reason = result.reason.map(|reason| run.session.redact(&reason));
        if let (Outcome::Rejected, Some(reason)) = (result.outcome, &result.reason)
            && reason.starts_with(DENIED)
        {
            denied.insert(registry, step.id.clone());
        }
        task.advance(1, format!("{} {}", step.id, word(result.outcome)));
        steps.push(result);
    }
    Ok(Published { steps })
}

const DENIED: &str = "the registry did not accept the credential";

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Present => "present",
        Outcome::Published => "published",
        Outcome::Planned => "planned",
        Outcome::Conflict => "conflict",
        Outcome::Rejected => "rejected",
        Outcome::Invisible => "not visible",
        Outcome::Skipped => "skipped",
        Outcome::NotSelected => "not selected",
    }
}

/// Reads the packages of a plan, which must have its digests.
fn packages(
    plan: &Plan,
    options: &PublishOptions,
    host: &Host,
) -> Result<BTreeMap<String, Package>, Error> {
    let directory = options.directory.as_ref().unwrap_or(&plan.directory);
    let files: Vec<&Step> = plan.steps.iter().filter(|step| step.file.is_some()).collect();
    let read = host.jobs.map(&host.cancel, &files, |step| {
        let name = step.file.as_ref().map(|file| file.name.as_str()).unwrap_or_default();
        Package::read(&directory.join(name), &options.check, host)
    });
    let (mut packages, mut problems) = (BTreeMap::new(), Vec::new());
    for (step, result) in files.into_iter().zip(read) {
        let Some(file) = &step.file else { continue };
        match result.ok_or(Error::Cancelled)? {
            Ok(package) if package.sha256 == file.sha256 => {
                packages.insert(step.id.clone(), package);
            }
            Ok(package) => problems.push(format!(
                "`{}` has sha256 {}, and the plan has {}",
                file.name, package.sha256, file.sha256
            )),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() {
        Ok(packages)
    } else {
        Err(Error::Faults { release: plan.release(), problems })
    }
}

struct Run<'r> {
    plan: &'r Plan,
    options: &'r PublishOptions,
    session: Session<'r>,
    packages: BTreeMap<String, Package>,
    ledger: Ledger,
    /// Steps that the registries show.
    done: BTreeSet<String>,
    /// Steps that `--only` excludes, and those that need them.
    not_selected: BTreeSet<String>,
}

impl Run<'_> {
    fn is_chosen(&self, step: &Step) -> bool {
        self.options.only.is_none_or(|only| only.registry() == step.kind.registry())
    }

    /// Looks at every step, so that a fault is found before the first upload.
    fn preflight(&self) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        let mut needed = BTreeSet::new();
        for step in self.plan.steps.iter().filter(|step| self.is_chosen(step)) {
            if self.session.host.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            match self.look(step).map(|seen| seen.presence) {
                Ok(Presence::Absent) => {
                    needed.insert(step.kind);
                }
                Ok(Presence::Same) => {}
                Ok(found) => {
                    let sha256 = step.file.as_ref().map(|file| file.sha256);
                    self.ledger.write(&step.id, Event::Conflict, None, sha256)?;
                    problems.push(conflict(step, &found));
                }
                Err(problem) => problems.push(problem),
            }
        }
        for kind in needed {
            if let Err(problem) = self.session.credential(kind) {
                problems.push(problem);
            }
        }
        problems.dedup();
        Ok(problems)
    }

    fn look(&self, step: &Step) -> Result<Seen, String> {
        match self.packages.get(&step.id) {
            Some(package) => self.session.look(package),
            None => self.session.tag(step),
        }
    }

    fn presence(&self, step: &Step) -> Result<Presence, String> {
        self.look(step).map(|seen| seen.presence)
    }

    fn step(&mut self, step: &Step, denied: Option<&str>) -> Result<StepResult, Error> {
        let result =
            |outcome, reason: Option<String>| StepResult { id: step.id.clone(), outcome, reason };
        if self.session.host.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let sha256 = step.file.as_ref().map(|file| file.sha256);
        let note = |event, status| self.ledger.write(&step.id, event, status, sha256);
        let is_chosen = self.is_chosen(step);
        match self.look(step) {
            Err(problem) if is_chosen => return Ok(result(Outcome::Skipped, Some(problem))),
            Err(_) | Ok(Seen { presence: Presence::Absent, .. }) => {}
            Ok(Seen { presence: Presence::Same, note: more }) => {
                note(Event::Present, None)?;
                self.done.insert(step.id.clone());
                return Ok(result(Outcome::Present, more));
            }
            Ok(Seen { presence, .. }) => {
                note(Event::Conflict, None)?;
                return Ok(result(Outcome::Conflict, Some(conflict(step, &presence))));
            }
        }
        if !is_chosen {
            self.not_selected.insert(step.id.clone());
            return Ok(result(Outcome::NotSelected, None));
        }
        if let Some(id) = step.needs.iter().find(|id| self.not_selected.contains(*id)) {
            let reason = format!("it needs `{id}`, which is not selected by `--only`");
            self.not_selected.insert(step.id.clone());
            return Ok(result(Outcome::NotSelected, Some(reason)));
        }
        if let Some(at) = denied {
            let reason = format!("the credential was refused at `{at}`");
            return Ok(result(Outcome::Skipped, Some(reason)));
        }
        if self.options.dry_run {
            self.done.insert(step.id.clone());
            return Ok(result(Outcome::Planned, None));
        }
        if let Some(id) = step.needs.iter().find(|id| !self.done.contains(*id)) {
            let reason = format!("it needs `{id}`, which is not published");
            return Ok(result(Outcome::Skipped, Some(reason)));
        }
        let (outcome, reason) = self.send(step)?;
        if outcome == Outcome::Published || outcome == Outcome::Present {
            self.done.insert(step.id.clone());
        }
        Ok(result(outcome, reason))
    }

    /// Sends a file until the registry answers, and waits until it shows the file.
    fn send(&self, step: &Step) -> Result<(Outcome, Option<String>), Error> {
        let sha256 = step.file.as_ref().map(|file| file.sha256);
        let note = |event, status| self.ledger.write(&step.id, event, status, sha256);
        let (mut tries, mut waits, mut waited) = (0, 0, Duration::ZERO);
        // A try that failed may have been stored all the same.
        let mut may_be_stored = false;
        loop {
            // A minted token may have expired meanwhile, so that each try has a request of its own.
            let request = if let Some(package) = self.packages.get(&step.id) {
                self.session.upload(package, step.tag.as_deref().unwrap_or("next"))
            } else {
                let tag = step.tag.as_deref().unwrap_or("latest");
                self.session.set_tag(&step.name, tag, &step.version)
            };
            let request = match request {
                Ok(request) => request,
                Err(problem) => return Ok((Outcome::Rejected, Some(problem))),
            };
            note(Event::Intent, None)?;
            let response = match self.session.send(&request) {
                Ok(response) => Ok(response),
                Err(SendError::Invalid(text)) => return Ok((Outcome::Rejected, Some(text))),
                Err(SendError::Lost(text)) => Err(text),
            };
            let status = response.as_ref().ok().map(|response| response.status);
            note(Event::Sent, status)?;
            let now = sys::now().unwrap_or_default();
            let meaning = match response {
                Ok(response) => sent(&response, now),
                Err(text) => Sent::Unknown(format!("the connection was lost: {text}")),
            };
            match meaning {
                Sent::Accepted => return self.visible(step),
                Sent::Wait(seconds) => {
                    may_be_stored |= status == Some(503);
                    let seconds = seconds.max(1);
                    let pause = Duration::from_secs(seconds);
                    note(Event::Wait, status)?;
                    let left = self.options.rate_limit.saturating_sub(waited);
                    if pause > left {
                        let limit = self.options.rate_limit.as_secs();
                        let before = match waited.as_secs() {
                            0 => String::new(),
                            before => format!(" after {before} s"),
                        };
                        let reason = format!(
                            "the registry asks to wait {seconds} s{before}, longer than `--rate-limit` {limit}: run the same plan again later"
                        );
                        return Ok((Outcome::Rejected, Some(reason)));
                    }
                    waits += 1;
                    if waits > WAITS {
                        let reason = format!(
                            "the registry asked to wait {WAITS} times: run the same plan again later"
                        );
                        return Ok((Outcome::Rejected, Some(reason)));
                    }
                    waited = waited.saturating_add(pause);
                    self.session.host.warn(format!(
                        "{}: the registry's rate limit asks to wait for {seconds} s",
                        step.id
                    ));
                    self.pause(pause)?;
                }
                Sent::Unknown(reason) => {
                    tries += 1;
                    may_be_stored = true;
                    match self.presence(step) {
                        Ok(Presence::Same) => return self.visible(step),
                        Ok(Presence::Absent) | Err(_) if tries < TRIES => {}
                        Ok(Presence::Absent) | Err(_) => {
                            let reason = format!("the registry failed {TRIES} times: {reason}");
                            return Ok((Outcome::Rejected, Some(reason)));
                        }
                        Ok(other) => return self.conflicting(step, &other),
                    }
                    self.pause(Duration::from_millis(250 << tries))?;
                }
                // Registries refuse what they have, some with status 403.
                Sent::Refused(reason) | Sent::Denied(reason)
                    if may_be_stored && status != Some(401) =>
                {
                    return Ok(match self.visible(step)? {
                        (Outcome::Invisible, _) => {
                            note(Event::Rejected, status)?;
                            (Outcome::Rejected, Some(reason))
                        }
                        other => other,
                    });
                }
                Sent::Refused(reason) => return self.refused(step, status, reason),
                Sent::Denied(reason) => {
                    return self.refused(step, status, format!("{DENIED}: {reason}"));
                }
            }
        }
    }

    fn pause(&self, time: Duration) -> Result<(), Error> {
        if self.session.sleep(time) { Ok(()) } else { Err(Error::Cancelled) }
    }

    fn conflicting(
        &self,
        step: &Step,
        found: &Presence,
    ) -> Result<(Outcome, Option<String>), Error> {
        let sha256 = step.file.as_ref().map(|file| file.sha256);
        self.ledger.write(&step.id, Event::Conflict, None, sha256)?;
        Ok((Outcome::Conflict, Some(conflict(step, found))))
    }

    /// Looks why a file was refused: registries answer so if they have it already.
    fn refused(
        &self,
        step: &Step,
        status: Option<u16>,
        reason: String,
    ) -> Result<(Outcome, Option<String>), Error> {
        match self.presence(step) {
            Ok(Presence::Same) => self.visible(step),
            Ok(Presence::Absent) | Err(_) => {
                let sha256 = step.file.as_ref().map(|file| file.sha256);
                self.ledger.write(&step.id, Event::Rejected, status, sha256)?;
                Ok((Outcome::Rejected, Some(reason)))
            }
            Ok(other) => self.conflicting(step, &other),
        }
    }

    /// Waits until the registry shows the bytes that were sent.
    fn visible(&self, step: &Step) -> Result<(Outcome, Option<String>), Error> {
        let (start, mut pause) = (Instant::now(), Duration::from_millis(100));
        loop {
            let reason = match self.presence(step) {
                Ok(Presence::Same) => {
                    let sha256 = step.file.as_ref().map(|file| file.sha256);
                    self.ledger.write(&step.id, Event::Visible, None, sha256)?;
                    return Ok((Outcome::Published, None));
                }
                Ok(Presence::Absent) => "the registry accepted it and does not show it".to_owned(),
                Ok(other) => return self.conflicting(step, &other),
                Err(problem) => problem,
            };
            if start.elapsed() > self.options.visible {
                let seconds = self.options.visible.as_secs();
                let reason = format!("{reason} after {seconds} s: run the same plan again later");
                return Ok((Outcome::Invisible, Some(reason)));
            }
            self.pause(pause)?;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }
}
