//! Repairs a wheel on disk: reads it, plans, changes, audits, and writes the result.

use std::path::Path;

use super::change::{ChangeOptions, change};
use super::tags::{Requirements, TagGroup};
use super::{Error, LibraryDirs, Options, RepairPlan, plan, sbom, tags};
use crate::archive::Limits;
use crate::audit::{self, AuditOptions, NativeFile};
use crate::finding::{Code, Date, Finding, Settings, Severity};
use crate::name::{PlatformTag, WheelFilename, WheelPath};
use crate::sys::{self, Host};
use crate::wheel::{self, Entry, Existing, MadeFile, Packing};

/// Request to repair a wheel.
#[derive(Debug)]
pub struct Request<'a> {
    /// Path of the wheel.
    pub wheel: &'a Path,
    /// Directory for the repaired wheel.
    pub out: &'a Path,
    /// Directories of libraries.
    pub library_dirs: &'a LibraryDirs,
    /// Options of the user.
    pub options: &'a Options,
    /// Platform tag that the wheel must qualify for; `None` for the best one that it qualifies for.
    pub tag: Option<RequestedTag<'a>>,
    /// Reason to repair a wheel that contradicts its own `RECORD`; `None` to refuse it.
    pub force: Option<&'a str>,
    /// True if symbols for debuggers are removed.
    pub strip: bool,
    /// Compression.
    pub packing: Packing,
    /// True if a wheel that needs no repair is compressed again too.
    pub repack: bool,
    /// Severities and waivers of findings.
    pub settings: &'a Settings,
    /// Date on which waivers are evaluated.
    pub today: Option<Date>,
    /// True if no file is written.
    pub dry_run: bool,
}

/// Platform tag that the user requests.
#[derive(Debug, Clone, Copy)]
pub struct RequestedTag<'a> {
    /// Tag, with or without the processor (`manylinux_2_28`).
    pub tag: &'a str,
    /// True if the wheel gets only this tag, without the older one that it may qualify for.
    pub is_alone: bool,
}

/// Result of a repair.
#[derive(Debug)]
pub struct RepairOutput {
    /// Name of the original wheel.
    pub before: WheelFilename,
    /// Name of the repaired wheel.
    pub filename: WheelFilename,
    /// The changes.
    pub plan: RepairPlan,
    /// Newer macOS tag; `Some` if no tag was requested and the files require one.
    pub raised: Option<RaisedTag>,
    /// Reason why the wheel was copied unchanged.
    pub unchanged: Option<Unchanged>,
    /// Platform tag of the audit; `None` if the wheel is not judged.
    pub verdict: Option<PlatformTag>,
    /// Written wheel; `None` for a dry run.
    pub file: Option<MadeFile>,
}

/// Reason why a wheel is copied unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unchanged {
    /// The wheel requires no library, and qualifies for all tags of its name.
    Good,
    /// The wheel contains no native file.
    Pure,
    /// This program has no rules for its platform.
    NotJudged,
}

/// Tag that was replaced by a newer one because the files require it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RaisedTag {
    /// Original tag.
    pub from: PlatformTag,
    /// Lowest tag that the files permit.
    pub to: PlatformTag,
    /// Files that require it, including copies.
    pub by: Vec<WheelPath>,
}

/// Copies the libraries that a wheel requires into it. A good wheel that requires none is copied
/// unchanged. A dry run does everything but write, and so fails where the run would.
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
    // The plan requires the names of libraries, not of symbols.
    let files = native_files(wheel.entries.values(), NativeFile::without_symbols)?;
    let unknown = |tag: &str| {
        let tag = tag.to_owned();
        if audit::lacks_processor(&tag) {
            Error::NoProcessor { tag }
        } else {
            Error::UnknownPlatform { tag }
        }
    };
    let asked = match request.tag {
        None => None,
        Some(RequestedTag { tag, .. }) => {
            Some(audit::whole_tag(tag, &files).ok_or_else(|| unknown(tag))?)
        }
    };
    if files.is_empty() && before.platforms == [PlatformTag::Any] {
        return unchanged(request, &before, Unchanged::Pure, Some(PlatformTag::Any));
    }
    let requirements = match tags::requirements(&before, &files, asked.as_ref()) {
        Requirements::Known(requirements) => requirements,
        Requirements::NotJudged => {
            // Some faults need no rules of the platform, such as a file for another system.
            Judge { request, host }.approve(request.wheel, &before, None)?;
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
    let finished = wheel.into_wheel(filename.clone())?;
    let approve = |written: &Path| judge.approve(written, &filename, requirements[0].expected());
    let file = if request.dry_run {
        let dir = sys::fs::temp_dir().map_err(Error::Scratch)?;
        let trial = dir.path().join("trial.whl");
        wheel::save_if(finished, &trial, request.packing, host, approve)?;
        None
    } else {
        Some(wheel::save_if(finished, &path, request.packing, host, approve)?)
    };
    Ok(RepairOutput { before, filename, plan, raised, unchanged: None, verdict, file })
}

/// Copies the wheel unchanged, so that all wheels are in the output directory.
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

/// Raises macOS requirements to those of the files, unless the user requested the tag.
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

/// Audit with the user's exclusions and waivers.
struct Judge<'a> {
    request: &'a Request<'a>,
    host: &'a Host,
}

impl Judge<'_> {
    /// Audits the file of a wheel under its present or future name.
    fn file(&self, path: &Path, filename: &WheelFilename) -> Result<audit::Input, Error> {
        let allowances = self.request.options.allowances.clone();
        let options = AuditOptions::default().with_allowances(allowances);
        audit::audit_as(path, filename, &options, self.host).map_err(|error| Error::Read {
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        })
    }

    /// Returns an error if `audit` refuses a written wheel.
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
        Err(not_qualified(input.verdict, wanted, findings))
    }

    /// Judges the changed files for one group of tags, and returns the tag that they qualify for.
    fn requirement(
        &self,
        group: &TagGroup,
        files: &[NativeFile],
    ) -> Result<Option<PlatformTag>, Error> {
        let wanted = group.wanted.clone().allowing(self.request.options.allowances.clone());
        let verdict = audit::judge(files, &wanted);
        let findings = self.errors(verdict.findings);
        if findings.is_empty() {
            return Ok(verdict.tag);
        }
        Err(not_qualified(verdict.tag, group.expected(), findings))
    }

    /// Returns the errors that the user does not waive.
    fn errors(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        // Only the whole report of `audit` shows whether every waiver is used.
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

fn not_qualified(
    verdict: Option<PlatformTag>,
    wanted: Option<&PlatformTag>,
    findings: Vec<Finding>,
) -> Error {
    let verdict = verdict.filter(|tag| Some(tag) != wanted);
    Error::NotQualified { verdict, wanted: wanted.cloned(), findings }
}

/// Reads the native files among `entries`, each to the extent of `kept`.
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
