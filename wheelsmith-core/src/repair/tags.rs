//! Platform tags: those that a wheel is repaired for, and those that its name gets.

use crate::audit::{self, NativeFile, Requirement};
use crate::name::{Arch, Libc, PlatformTag, WheelFilename};
use crate::policy;

/// Group of platform tags that differ in age alone: `manylinux_2_17_x86_64` and
/// `manylinux_2_28_x86_64`, but not `musllinux_1_2_x86_64`.
#[derive(Debug, Clone)]
pub(super) struct TagGroup {
    /// Rules of `tag`.
    pub(super) wanted: Requirement,
    /// Tag that the files are judged for.
    pub(super) tag: PlatformTag,
    /// Tags of the group in the wheel's name; empty if the name guarantees none.
    claims: Vec<PlatformTag>,
    /// True if the user requested the tag.
    is_asked: bool,
}

/// Requirements of a wheel.
#[derive(Debug)]
pub(super) enum Requirements {
    /// Requirements of each group of tags.
    Known(Vec<TagGroup>),
    /// The tags are of a platform without rules in this program.
    NotJudged,
    /// Neither tags nor files show the platform.
    Unknown,
}

/// Returns the requirements of a wheel: the requested tag, or else those that its name claims.
pub(super) fn requirements(
    filename: &WheelFilename,
    files: &[NativeFile],
    asked: Option<&PlatformTag>,
) -> Requirements {
    if let Some(tag) = asked {
        let requirement = TagGroup::new(tag, vec![tag.clone()], true);
        return requirement.map_or(Requirements::Unknown, |one| Requirements::Known(vec![one]));
    }
    let groups = audit::by_platform(&filename.platforms);
    let known: Vec<TagGroup> = groups.into_iter().filter_map(TagGroup::of_group).collect();
    if !known.is_empty() {
        return Requirements::Known(known);
    }
    let is_open = |tag: &PlatformTag| matches!(tag, PlatformTag::Linux { .. } | PlatformTag::Any);
    if !filename.platforms.iter().all(is_open) {
        return Requirements::NotJudged;
    }
    let newest = newest_policy(filename, files);
    let requirement = newest.and_then(|tag| TagGroup::new(&tag, Vec::new(), false));
    requirement.map_or(Requirements::Unknown, |one| Requirements::Known(vec![one]))
}

/// Returns the newest policy for files of a wheel whose name guarantees nothing. The wheel gets the
/// oldest policy that they qualify for.
fn newest_policy(filename: &WheelFilename, files: &[NativeFile]) -> Option<PlatformTag> {
    let guessed = audit::guess(files, None);
    let libc = guessed.as_ref().and_then(PlatformTag::libc);
    let claimed: Option<Arch> = filename.platforms.iter().find_map(PlatformTag::arch);
    if libc.is_none() && claimed.is_none() {
        return guessed.filter(|tag| matches!(tag, PlatformTag::Windows { .. }));
    }
    let arch = claimed.or_else(|| guessed.as_ref().and_then(PlatformTag::arch))?;
    Some(policy::policies(arch, libc.unwrap_or(Libc::Glibc)).last()?.tag.clone())
}

impl TagGroup {
    fn new(tag: &PlatformTag, claims: Vec<PlatformTag>, is_asked: bool) -> Option<Self> {
        Some(Self { wanted: Requirement::for_tag(tag)?, tag: tag.clone(), claims, is_asked })
    }

    /// Creates the requirement of a group of claimed tags, the oldest first.
    fn of_group(claims: Vec<PlatformTag>) -> Option<Self> {
        let oldest = claims.first()?.modern();
        // The tag guarantees nothing, or it is for a platform whose libraries are never copied.
        if matches!(
            oldest,
            PlatformTag::Linux { .. } | PlatformTag::Ios { .. } | PlatformTag::Wasm { .. }
        ) {
            return None;
        }
        // Files show the glibc that they require, so the wheel may get an older or a newer tag.
        let tag = match &oldest {
            PlatformTag::Manylinux { arch, .. } => {
                policy::policies(*arch, Libc::Glibc).last()?.tag.clone()
            }
            _ => oldest,
        };
        Self::new(&tag, claims, false)
    }

    /// Creates the requirement of a tag that replaces the claimed ones.
    pub(super) fn raised(tag: &PlatformTag) -> Option<Self> {
        Self::new(tag, vec![tag.clone()], false)
    }

    /// Returns the tag that the user requests, or that the name of the wheel claims.
    pub(super) fn expected(&self) -> Option<&PlatformTag> {
        self.claims.first()
    }

    /// Returns the tags of the repaired wheel, whose files qualify for `verdict` and have no errors
    /// except waived ones.
    pub(super) fn tags(&self, verdict: Option<&PlatformTag>, only_asked: bool) -> Vec<PlatformTag> {
        let verdict = verdict.cloned();
        let is_kept = audit::satisfies(verdict.as_ref(), &self.tag.modern());
        let is_musl = matches!(self.tag, PlatformTag::Musllinux { .. });
        let tags: Vec<PlatformTag> = match verdict {
            _ if self.is_asked && only_asked => return self.claims.clone(),
            Some(verdict) if self.is_asked => {
                [verdict].into_iter().chain(self.claims.clone()).collect()
            }
            // Files do not show the musl release that they require, so all claims are kept.
            Some(verdict) if is_kept && (!is_musl || self.claims.is_empty()) => vec![verdict],
            // The files do not qualify for the tag because of a waived error.
            _ if self.claims.is_empty() => vec![self.tag.clone()],
            _ => self.claims.clone(),
        };
        tags.iter().flat_map(PlatformTag::with_aliases).collect()
    }
}

/// Returns the name of the repaired wheel.
pub(super) fn renamed(before: &WheelFilename, mut tags: Vec<PlatformTag>) -> WheelFilename {
    tags.sort_by_key(PlatformTag::to_string);
    tags.dedup();
    WheelFilename { platforms: tags, ..before.clone() }
}

/// True if every tag of a wheel's name makes a guarantee that can be judged.
pub(super) fn claims_all(filename: &WheelFilename) -> bool {
    let is_claim = |tag: &PlatformTag| !matches!(tag, PlatformTag::Linux { .. } | PlatformTag::Any);
    filename.platforms.iter().all(is_claim)
}
