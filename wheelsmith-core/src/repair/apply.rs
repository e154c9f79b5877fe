//! Carries a plan out, and judges what came out.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{
    Graft, LibraryDirs, MissingLibrary, MovedScript, Options, RepairPlan, launcher, plan, sbom,
};
use crate::archive::Limits;
use crate::artifact::{self, Artifact, Inspect};
use crate::audit::{self, Audit, NativeFile, Wanted};
use crate::finding::{Finding, Severity};
use crate::name::{Arch, Digest, Libc, PlatformTag, WheelFilename, WheelPath};
use crate::patch;
use crate::policy;
use crate::sys::{self, Host};
use crate::wheel::{self, Entry, Existing, MadeFile, Packing, Source};

/// A wheel to repair.
#[derive(Debug)]
pub struct Request<'a> {
    /// The wheel.
    pub wheel: &'a Path,
    /// Where the repaired one is written.
    pub out: &'a Path,
    /// Where libraries are looked for.
    pub roots: &'a LibraryDirs,
    /// What is different from the usual.
    pub options: &'a Options,
    /// The platform tag that it must earn, for which `manylinux_2_28` will do; by default the best
    /// that it does.
    pub platform: Option<&'a str>,
    /// Whether it gets that tag alone, and not the older one that it may earn as well.
    pub only_platform: bool,
    /// Whether symbols for debuggers are taken out.
    pub strip: bool,
    /// How it is packed.
    pub packing: Packing,
    /// Whether to plan only.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct RepairOutput {
    /// What the wheel was called.
    pub before: WheelFilename,
    /// What was decided.
    pub plan: RepairPlan,
    /// The newer macOS that it asks for than it did, where nobody asked for a tag.
    pub raised: Option<RaisedTag>,
    /// The new wheel; nothing when only a plan was asked for.
    pub file: Option<MadeFile>,
    /// What the audit says of it.
    pub audit: Option<Audit>,
}

/// A tag that became another because the bytes ask for more than it promised.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RaisedTag {
    /// The tag that the wheel had.
    pub from: PlatformTag,
    /// The lowest that its files allow.
    pub to: PlatformTag,
    /// The files that need it, copies among them.
    pub by: Vec<WheelPath>,
}

/// Why a wheel was not repaired. No file is left then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be read or written.
    #[error(transparent)]
    Wheel(#[from] wheel::Error),
    /// Its tag promises nothing that could be kept.
    #[error("`{wheel}` has no platform tag that native files could earn")]
    NoPlatform {
        /// The wheel.
        wheel: Box<WheelFilename>,
    },
    /// The tag that was asked for promises nothing that could be kept.
    #[error("`{tag}` is no platform tag that anything is known of")]
    UnknownPlatform {
        /// The tag.
        tag: String,
    },
    /// Libraries were not found.
    #[error("cannot repair `{wheel}`{}", not_found(.missing, *.searched))]
    Missing {
        /// The wheel.
        wheel: Box<WheelFilename>,
        /// What was not found, and who needs it.
        missing: Vec<MissingLibrary>,
        /// How many directories were searched.
        searched: usize,
    },
    /// A file cannot be changed.
    #[error("cannot change `{file}`")]
    Patch {
        /// The file.
        file: WheelPath,
        /// Why not.
        source: patch::Error,
    },
    /// A file of the wheel, or a library, cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file on disk.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no place for files that are being changed.
    #[error("cannot keep a changed file")]
    Scratch(#[source] io::Error),
    /// The repaired wheel does not keep what its tag promises.
    #[error("the repaired wheel earns {earned}, not {wanted}: {}", reasons(.findings))]
    NotEarned {
        /// What it earns, in words.
        earned: String,
        /// What it should.
        wanted: PlatformTag,
        /// What is in the way.
        findings: Vec<Finding>,
    },
    /// Something that this program does not do.
    #[error("{0}")]
    Unsupported(String),
}

impl Error {
    /// Whether the wheel cannot be repaired, rather than something having gone wrong.
    pub fn is_verdict(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NotEarned { .. } | Self::NoPlatform { .. })
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { missing, .. } => {
                let first = missing.iter().find(|missing| missing.reason.is_none())?;
                let library = super::closure::file_name(&first.library);
                Some(format!(
                    "add its directory with `--library-path`, or leave it out with \
                     `--exclude {library}`"
                ))
            }
            Self::NoPlatform { .. } => Some("name one with `--plat`".to_owned()),
            Self::UnknownPlatform { .. } => Some(
                "such as `manylinux_2_28`, `musllinux_1_2`, `macosx_11_0_arm64` or `win_amd64`"
                    .to_owned(),
            ),
            Self::Patch { source: patch::Error::NoSpace { .. }, file } => Some(format!(
                "link `{}` again, with `-headerpad_max_install_names` for macOS",
                super::closure::file_name(file.as_str())
            )),
            Self::NotEarned { .. } => Some(
                "name a newer tag with `--plat`, or build the library for an older system".into(),
            ),
            _ => None,
        }
    }
}

/// The rest of a sentence, and lines behind it when there is more than one library.
fn not_found(missing: &[MissingLibrary], searched: usize) -> String {
    let nowhere = match searched {
        0 => "and no directory was given to look in".to_owned(),
        1 => "which is not in the directory that was searched".to_owned(),
        n => format!("which is in none of the {n} searched directories"),
    };
    let one = |missing: &MissingLibrary| {
        let MissingLibrary { by, library, reason } = missing;
        match reason {
            Some(reason) => format!("`{by}` needs `{library}`; {reason}"),
            None => format!("`{by}` needs `{library}`, {nowhere}"),
        }
    };
    if let [only] = missing {
        return format!(": {}", one(only));
    }
    let lines = missing.iter().map(|missing| format!("\n  {}", one(missing)));
    lines.collect()
}

fn reasons(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let file = finding.file.as_ref().map(|file| format!("`{file}`: ")).unwrap_or_default();
        format!("{file}{}", finding.message)
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Grafts what a wheel needs into it.
///
/// # Errors
/// When a library is not found, a file cannot be changed, or the result does not earn its tag.
pub fn repair(request: &Request<'_>, host: &Host) -> Result<RepairOutput, Error> {
    let mut wheel = Existing::open(request.wheel)?;
    let before = wheel.filename.clone();
    let files = native_files(wheel.entries.values())?;
    if files.is_empty() && before.platforms == [PlatformTag::Any] {
        return pure(&wheel, request, host);
    }
    let asked = match request.platform {
        None => None,
        Some(tag) => Some(
            audit::whole_tag(tag, &files)
                .ok_or_else(|| Error::UnknownPlatform { tag: tag.to_owned() })?,
        ),
    };
    let no_platform = || Error::NoPlatform { wheel: Box::new(before.clone()) };
    let (mut wanted, mut wanted_tag) =
        wanted(&before, &files, asked.as_ref()).ok_or_else(no_platform)?;
    let mut plan = plan(&before, &files, &wanted, request.roots, request.options);
    for (path, hook) in &mut plan.hooks {
        hook.is_new = !wheel.entries.contains_key(path);
    }
    if !plan.missing.is_empty() {
        let searched = request.roots.dirs().len();
        let missing = plan.missing;
        return Err(Error::Missing { wheel: Box::new(before), missing, searched });
    }
    // A tag that was asked for is kept or the wheel refused; the old one follows the files.
    let raised = if asked.is_none() { raise(&wanted, &wanted_tag, &files, &plan)? } else { None };
    if let Some(RaisedTag { to, .. }) = &raised {
        wanted = Wanted::by_tag(to).ok_or_else(no_platform)?;
        wanted_tag = to.clone();
    }
    if request.dry_run {
        return Ok(RepairOutput { before, plan, raised, file: None, audit: None });
    }
    let scratch = wheel.scratch().map_err(Error::Scratch)?;
    let place = ChangeOptions { strip: request.strip, scratch: Some(&scratch) };
    change(&mut wheel.entries, &before.name, &plan, &files, &place)?;
    if !plan.grafts.is_empty() {
        let text = sbom::render(&before, &plan.grafts, &request.options.origins);
        let path = format!("sboms/{}", sbom::FILE);
        let path = wheel.dist_info(&path).map_err(|e| Error::Unsupported(e.to_string()))?;
        wheel.insert(path, text, false);
    }
    let changed = native_files(wheel.entries.values())?;
    let audit = judge(changed, &wanted, &wanted_tag, request)?;
    let filename = renamed(&before, &audit, asked.as_ref(), request.only_platform);
    let path = request.out.join(filename.to_string());
    let finished = wheel.to_wheel(filename)?;
    let file = wheel::save_if(&finished, &path, request.packing, host, |written| {
        // What counts is what lies in the file, not what we meant to write.
        let again = read_back(written, host)?;
        judge(again, &wanted, &wanted_tag, request).map(|_| ())
    })?;
    Ok(RepairOutput { before, plan, raised, file: Some(file), audit: Some(audit) })
}

/// Whether the files of the wheel, and those that come in, need a newer macOS than `tag` says. What
/// they are for is in none of the places that change.
fn raise(
    wanted: &Wanted,
    tag: &PlatformTag,
    files: &[NativeFile],
    plan: &RepairPlan,
) -> Result<Option<RaisedTag>, Error> {
    let mut all = files.to_vec();
    for Graft { into, source, .. } in &plan.grafts {
        let path = Path::new(source);
        let file = artifact::native_file(into, path, &Limits::default());
        all.extend(file.map_err(|source| Error::Read { path: path.to_owned(), source })?);
    }
    let raised = wanted.raised(&all);
    Ok(raised.map(|(to, by)| RaisedTag { from: tag.clone(), to, by }))
}

/// A wheel without native files needs nothing; it is written again, so that those who repair all
/// their wheels find all of them in one place.
fn pure(wheel: &Existing, request: &Request<'_>, host: &Host) -> Result<RepairOutput, Error> {
    let before = wheel.filename.clone();
    let mut repaired = RepairOutput {
        before: before.clone(),
        plan: RepairPlan::default(),
        raised: None,
        file: None,
        audit: None,
    };
    if !request.dry_run {
        let path = request.out.join(before.to_string());
        let again = wheel.to_wheel(before)?;
        repaired.file = Some(wheel::save(&again, &path, request.packing, host)?);
    }
    Ok(repaired)
}

/// What the files are judged for, and its tag. Without a tag that was asked for, Linux wheels are
/// judged by the newest policy: they get the oldest one that they earn.
fn wanted(
    filename: &WheelFilename,
    files: &[NativeFile],
    asked: Option<&PlatformTag>,
) -> Option<(Wanted, PlatformTag)> {
    if let Some(tag) = asked {
        return Some((Wanted::by_tag(tag)?, tag.clone()));
    }
    let claimed = filename.platforms.first()?.modern();
    if matches!(claimed, PlatformTag::MacOs { .. } | PlatformTag::Windows { .. }) {
        return Some((Wanted::by_tag(&claimed)?, claimed));
    }
    let elves = || files.iter().filter_map(|file| file.elf.as_ref());
    let arch: Arch = claimed.arch().or_else(|| elves().find_map(|elf| elf.arch))?;
    let needed = || elves().flat_map(|elf| elf.needed.iter().chain(&elf.interpreter));
    let libc = claimed
        .libc()
        .or_else(|| needed().find_map(|name| policy::libc_of(super::closure::file_name(name))));
    let newest = policy::policies(arch, libc.unwrap_or(Libc::Glibc)).last()?;
    Some((Wanted::by_tag(&newest.tag)?, newest.tag.clone()))
}

/// How files are changed, and where they go.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChangeOptions<'a> {
    /// Whether symbols for debuggers are taken out.
    pub(super) strip: bool,
    /// A directory for large files: they would all be in memory at once until the wheel is written.
    pub(super) scratch: Option<&'a Path>,
}

/// Larger files go into the scratch directory, in bytes.
const LARGEST_IN_MEMORY: usize = 1 << 20;

/// Carries `plan` out on the entries of a wheel of the project `name`.
pub(super) fn change(
    entries: &mut BTreeMap<WheelPath, Entry>,
    name: &str,
    plan: &RepairPlan,
    files: &[NativeFile],
    place: &ChangeOptions<'_>,
) -> Result<(), Error> {
    for graft in &plan.grafts {
        let Graft { into, source, .. } = graft;
        let path = PathBuf::from(source);
        let read = |source| Error::Read { path: path.clone(), source };
        let bytes = sys::fs::read(&path).map_err(read)?;
        let executable = sys::fs::is_executable(&path).map_err(read)?;
        let new = edited(&bytes, into, plan, place.strip)?;
        drop(bytes);
        place.put(entries, into, new, executable)?;
    }
    let is_grafted = |path: &WheelPath| plan.grafts.iter().any(|graft| graft.into == *path);
    let changed = files.iter().map(|file| &file.path);
    let changed = changed.filter(|path| plan.edits.contains_key(path) || place.strip);
    for path in changed.filter(|path| !is_grafted(path)) {
        let Some(entry) = entries.get(path) else { continue };
        let executable = entry.executable;
        let old = bytes(entry)?;
        let new = edited(&old, path, plan, place.strip)?;
        let is_changed = new != old;
        drop(old);
        if is_changed {
            place.put(entries, path, new, executable)?;
        }
    }
    for MovedScript { from, to } in &plan.scripts {
        let Some(mut entry) = entries.remove(from) else { continue };
        entry.path = to.clone();
        entries.insert(to.clone(), entry);
        let text = launcher::script(name, to.as_str());
        put(entries, from, text.into_bytes(), true);
    }
    for (path, hook) in &plan.hooks {
        let old = match entries.get(path) {
            Some(entry) => bytes(entry)?,
            None => Vec::new(),
        };
        let new = patch::hook::insert(&old, hook.depth, &plan.libraries)
            .map_err(|source| Error::Patch { file: path.clone(), source })?;
        put(entries, path, new, false);
    }
    Ok(())
}

fn put(
    entries: &mut BTreeMap<WheelPath, Entry>,
    path: &WheelPath,
    bytes: Vec<u8>,
    executable: bool,
) {
    let entry = Entry { executable, ..Entry::bytes(path.clone(), bytes) };
    entries.insert(path.clone(), entry);
}

impl ChangeOptions<'_> {
    fn put(
        &self,
        entries: &mut BTreeMap<WheelPath, Entry>,
        path: &WheelPath,
        bytes: Vec<u8>,
        executable: bool,
    ) -> Result<(), Error> {
        let Some(dir) = self.scratch.filter(|_| bytes.len() > LARGEST_IN_MEMORY) else {
            put(entries, path, bytes, executable);
            return Ok(());
        };
        // The files of the wheel itself have numbers there.
        let file = dir.join(format!("changed-{}", Digest::of(path.as_str()).short()));
        let size_bytes = bytes.len() as u64;
        let written = sys::fs::create(&file).and_then(|mut out| out.write_all(&bytes));
        written.map_err(Error::Scratch)?;
        let source = Source::File { path: file, size_bytes };
        entries.insert(path.clone(), Entry { path: path.clone(), executable, source });
        Ok(())
    }
}

fn edited(
    bytes: &[u8],
    path: &WheelPath,
    plan: &RepairPlan,
    strip: bool,
) -> Result<Vec<u8>, Error> {
    let error = |source| Error::Patch { file: path.clone(), source };
    // Before the names change: strippers do not expect what editors leave behind.
    let stripped = if strip { Some(patch::strip(bytes).map_err(error)?) } else { None };
    match (plan.edits.get(path), stripped) {
        (Some(edit), stripped) => {
            patch::apply(stripped.as_deref().unwrap_or(bytes), edit).map_err(error)
        }
        (None, Some(stripped)) => Ok(stripped),
        (None, None) => Ok(bytes.to_vec()),
    }
}

fn bytes(entry: &Entry) -> Result<Vec<u8>, Error> {
    let path = || entry.path.as_str().into();
    entry.load().map_err(|source| Error::Read { path: path(), source })
}

fn native_files<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<Vec<NativeFile>, Error> {
    let mut files = Vec::new();
    for entry in entries {
        let file = artifact::native_entry(entry, &Limits::default());
        let path = || entry.path.as_str().into();
        files.extend(file.map_err(|source| Error::Read { path: path(), source })?);
    }
    Ok(files)
}

/// What the native files of the written wheel say, as far as a loader would read them.
fn read_back(path: &Path, host: &Host) -> Result<Vec<NativeFile>, Error> {
    let damaged =
        |why: String| Error::Read { path: path.to_owned(), source: io::Error::other(why) };
    let wheel =
        Artifact::open(path, &Limits::default(), host).map_err(|e| damaged(e.to_string()))?;
    let (files, findings) =
        wheel.native_files(&Inspect::default(), host).map_err(|e| damaged(e.to_string()))?;
    let is_damage = |finding: &&Finding| finding.severity == Severity::Error;
    match findings.iter().find(is_damage) {
        Some(finding) => Err(damaged(finding.message.clone())),
        None => Ok(files),
    }
}

/// The verdict, if it is good enough.
fn judge(
    files: Vec<NativeFile>,
    wanted: &Wanted,
    wanted_tag: &PlatformTag,
    request: &Request<'_>,
) -> Result<Audit, Error> {
    let audit = audit::judge_under(files, wanted, &request.options.terms);
    let errors = audit.findings.iter().filter(|f| f.counts_at(Severity::Error));
    let findings: Vec<Finding> = errors.cloned().collect();
    if findings.is_empty() {
        return Ok(audit);
    }
    let (earned, wanted) = (audit.earned_text(), wanted_tag.clone());
    Err(Error::NotEarned { earned, wanted, findings })
}

/// The file name for what was earned.
fn renamed(
    before: &WheelFilename,
    audit: &Audit,
    asked: Option<&PlatformTag>,
    only_asked: bool,
) -> WheelFilename {
    let mut tags: Vec<PlatformTag> = Vec::new();
    match asked {
        Some(asked) if only_asked => tags.push(asked.clone()),
        asked => {
            tags.extend(audit.earned.iter().chain(asked).flat_map(PlatformTag::with_aliases));
        }
    }
    tags.sort_by_key(PlatformTag::to_string);
    tags.dedup();
    WheelFilename { platforms: tags, ..before.clone() }
}
