//! Repair of a wheel on disk: reads it, plans, changes, judges, and writes what is good.

use std::path::Path;

use super::change::{ChangeOptions, change};
use super::tags::{Requirements, TagGroup};
use super::{Error, LibraryDirs, Options, RepairPlan, plan, sbom, tags};
use crate::archive::Limits;
use crate::audit::{self, AuditOptions, NativeFile};
use crate::finding::{Code, Date, Finding, Settings, Severity};
use crate::name::{PlatformTag, WheelFilename, WheelPath};
use crate::sys::Host;
use crate::wheel::{self, Entry, Existing, MadeFile, Packing};

/// A wheel to repair.
#[derive(Debug)]
pub struct Request<'a> {
    /// The wheel.
    pub wheel: &'a Path,
    /// The directory for the repaired wheel.
    pub out: &'a Path,
    /// Directories of libraries.
    pub library_dirs: &'a LibraryDirs,
    /// Choices of the user.
    pub options: &'a Options,
    /// The platform tag that the wheel must qualify for; `None` for the best one that it does.
    pub tag: Option<RequestedTag<'a>>,
    /// The user's reason to repair a wheel that contradicts its own `RECORD`; `None` to refuse it.
    pub force: Option<&'a str>,
    /// Whether symbols for debuggers are removed.
    pub strip: bool,
    /// Compression.
    pub packing: Packing,
    /// Whether a wheel that is good already is packed again all the same.
    pub repack: bool,
    /// Severities and waivers of findings.
    pub settings: &'a Settings,
    /// The day on which waivers are looked at.
    pub today: Option<Date>,
    /// Whether everything happens but the writing.
    pub dry_run: bool,
}

/// A platform tag that the user asks for.
#[derive(Debug, Clone, Copy)]
pub struct RequestedTag<'a> {
    /// The tag, with or without the processor (`manylinux_2_28`).
    pub tag: &'a str,
    /// Whether the wheel gets it alone, and not the older one that it may qualify for as well.
    pub is_alone: bool,
}

/// The outcome of a repair.
#[derive(Debug)]
pub struct RepairOutput {
    /// The name of the wheel before.
    pub before: WheelFilename,
    /// The name of the repaired wheel.
    pub filename: WheelFilename,
    /// The changes.
    pub plan: RepairPlan,
    /// The newer macOS tag, if no tag was requested and the files need one.
    pub raised: Option<RaisedTag>,
    /// The reason why the wheel comes back byte for byte.
    pub unchanged: Option<Unchanged>,
    /// The platform tag that the audit found; `None` if the wheel is not judged.
    pub verdict: Option<PlatformTag>,
    /// The written wheel; `None` for a dry run.
    pub file: Option<MadeFile>,
}

/// Reason why a wheel comes back byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unchanged {
    /// It needs no library, and qualifies for all tags of its name.
    Good,
    /// It has no native file.
    Pure,
    /// This program has no rules for its platform.
    NotJudged,
}

/// A tag that became a newer one because the files need it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RaisedTag {
    /// The tag that the wheel had.
    pub from: PlatformTag,
    /// The lowest tag that its files allow.
    pub to: PlatformTag,
    /// The files that need it, copies among them.
    pub by: Vec<WheelPath>,
}

/// Copies the libraries that a wheel needs into it. Good wheels that need none come back byte for
/// byte. A dry run does everything but write, and so fails where the run would.
///
/// # Errors
/// Returns an error if the wheel contradicts its `RECORD`, a library is not found, a file cannot be
/// changed, or `audit` would refuse the result.
pub fn repair(request: &Request<'_>, host: &Host) -> Result<RepairOutput, Error> {
    let mut wheel = Existing::open(request.wheel)?;
    if request.force.is_none() {
        wheel.verified()?;
    }
    let before = wheel.filename.clone();
    // The plan needs the names of libraries, not of symbols.
    let files = native_files(wheel.entries.values(), NativeFile::without_symbols)?;
    let asked = match request.tag {
        None => None,
        Some(RequestedTag { tag, .. }) => Some(
            audit::whole_tag(tag, &files)
                .ok_or_else(|| Error::UnknownPlatform { tag: tag.to_owned() })?,
        ),
    };
    if files.is_empty() && before.platforms == [PlatformTag::Any] {
        return unchanged(request, &before, Unchanged::Pure, Some(PlatformTag::Any));
    }
    let requirements = match tags::requirements(&before, &files, asked.as_ref()) {
        Requirements::Known(requirements) => requirements,
        Requirements::NotJudged => {
            return unchanged(request, &before, Unchanged::NotJudged, None);
        }
        Requirements::Unknown => return Err(Error::NoPlatform { wheel: Box::new(before) }),
    };
    let judge = Judge { request, host };
    let wanted: Vec<_> = requirements.iter().map(|one| one.wanted.clone()).collect();
    let paths = wheel.entries.keys().cloned().collect();
    let plan = plan(&before, &paths, &files, &wanted, request.library_dirs, request.options);
    if !plan.missing.is_empty() {
        let searched = request.library_dirs.dirs().len();
        let missing = plan.missing;
        return Err(Error::Missing { wheel: Box::new(before), missing, searched });
    }
    let asks_for_changes = asked.is_some() || request.strip || request.repack;
    if !asks_for_changes && plan.is_empty() && tags::claims_all(&before) {
        let input = judge.file(request.wheel, &before)?;
        if judge.errors(input.findings).is_empty() {
            return unchanged(request, &before, Unchanged::Good, input.verdict);
        }
    }
    let scratch = wheel.scratch().map_err(Error::Scratch)?;
    let options = ChangeOptions { strip: request.strip, scratch: Some(&scratch) };
    change(&mut wheel.entries, &before.name, &plan, &files, &options)?;
    drop(files);
    if !plan.grafts.is_empty() {
        let text = sbom::render(&before, &plan.grafts, &request.options.origins);
        let path = format!("sboms/{}", sbom::FILE);
        let path = wheel.dist_info(&path).map_err(|e| Error::Unsupported(e.to_string()))?;
        wheel.insert(path, text, false);
    }
    let changed = native_files(wheel.entries.values(), |file| file)?;
    let (requirements, raised) = raised(requirements, &changed, asked.is_some());
    let is_alone = request.tag.is_some_and(|requested| requested.is_alone);
    let mut tags = Vec::new();
    let mut verdict = None;
    for requirement in &requirements {
        let found = judge.requirement(requirement, &changed)?;
        tags.extend(requirement.tags(found.as_ref(), is_alone));
        verdict = verdict.or(found);
    }
    drop(changed);
    let filename = tags::renamed(&before, tags);
    let path = request.out.join(filename.to_string());
    let finished = wheel.to_wheel(filename.clone())?;
    let approve = |written: &Path| judge.approve(written, &filename, requirements[0].expected());
    let file = if request.dry_run {
        let trial = scratch.join("trial.whl");
        wheel::save_if(&finished, &trial, request.packing, host, approve)?;
        None
    } else {
        Some(wheel::save_if(&finished, &path, request.packing, host, approve)?)
    };
    Ok(RepairOutput { before, filename, plan, raised, unchanged: None, verdict, file })
}

/// Copies the wheel as it is, so that those who repair all their wheels find them in one directory.
fn unchanged(
    request: &Request<'_>,
    before: &WheelFilename,
    reason: Unchanged,
    verdict: Option<PlatformTag>,
) -> Result<RepairOutput, Error> {
    let file = match request.wheel.file_name() {
        Some(name) if !request.dry_run => {
            Some(wheel::copy(request.wheel, &request.out.join(name))?)
        }
        _ => None,
    };
    Ok(RepairOutput {
        before: before.clone(),
        filename: before.clone(),
        plan: RepairPlan::default(),
        raised: None,
        unchanged: Some(reason),
        verdict,
        file,
    })
}

/// Raises macOS requirements to what the files need, unless the user asked for the tag.
fn raised(
    mut requirements: Vec<TagGroup>,
    files: &[NativeFile],
    is_asked: bool,
) -> (Vec<TagGroup>, Option<RaisedTag>) {
    let mut first = None;
    for requirement in requirements.iter_mut().filter(|_| !is_asked) {
        let Some((to, by)) = requirement.wanted.raised(files) else { continue };
        let Some(new) = TagGroup::raised(&to) else { continue };
        let from = requirement.tag.clone();
        *requirement = new;
        first.get_or_insert(RaisedTag { from, to, by });
    }
    (requirements, first)
}

/// The judgement of `audit`, with the user's exclusions and waivers.
struct Judge<'a> {
    request: &'a Request<'a>,
    host: &'a Host,
}

impl Judge<'_> {
    /// Audits the file of a wheel under the name that it has or gets.
    fn file(&self, path: &Path, filename: &WheelFilename) -> Result<audit::Input, Error> {
        let allowances = self.request.options.terms.clone();
        let options = AuditOptions::default().with_allowances(allowances);
        audit::audit_as(path, filename, &options, self.host).map_err(|error| Error::Read {
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        })
    }

    /// Refuses a written wheel that `audit` would refuse.
    fn approve(
        &self,
        written: &Path,
        filename: &WheelFilename,
        wanted: Option<&PlatformTag>,
    ) -> Result<(), Error> {
        let input = self.file(written, filename)?;
        let findings = self.errors(input.findings);
        if findings.is_empty() {
            return Ok(());
        }
        Err(not_earned(input.verdict, wanted, findings))
    }

    /// Judges the changed files for one group of tags, and returns the tag that they qualify for.
    fn requirement(
        &self,
        group: &TagGroup,
        files: &[NativeFile],
    ) -> Result<Option<PlatformTag>, Error> {
        let wanted = group.wanted.clone().allowing(self.request.options.terms.clone());
        let verdict = audit::judge(files, &wanted);
        let findings = self.errors(verdict.findings);
        if findings.is_empty() {
            return Ok(verdict.tag);
        }
        Err(not_earned(verdict.tag, group.expected(), findings))
    }

    /// The errors that the user does not waive.
    fn errors(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        // Whether every waiver is used shows in the whole report of `audit` alone.
        let _ = self.request.settings.apply([&mut findings], self.request.today);
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        let has_waived = findings.iter().any(|f| is_error(f) && f.waived.is_some());
        findings.retain(|finding| finding.counts_at(Severity::Error));
        // The verdict follows from the other errors.
        if has_waived && findings.iter().all(|finding| finding.code == Code::TagNotEarned) {
            findings.clear();
        }
        findings
    }
}

fn not_earned(
    earned: Option<PlatformTag>,
    wanted: Option<&PlatformTag>,
    findings: Vec<Finding>,
) -> Error {
    let earned = earned.filter(|tag| Some(tag) != wanted);
    Error::NotEarned { earned, wanted: wanted.cloned(), findings }
}

/// Reads the native files among `entries`, of each as much as is `kept`.
fn native_files<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    kept: impl Fn(NativeFile) -> NativeFile,
) -> Result<Vec<NativeFile>, Error> {
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.native_file(&Limits::default());
        let path = || entry.path.as_str().into();
        files.extend(file.map_err(|source| Error::Read { path: path(), source })?.map(&kept));
    }
    Ok(files)
}
