//! Reasons why a wheel is not repaired.

use std::io;
use std::path::PathBuf;

use super::MissingLibrary;
use super::library::file_name;
use crate::audit::is_resolved_by_newer_tag;
use crate::finding::{Code, Finding};
use crate::name::{PlatformTag, WheelFilename, WheelPath};
use crate::{patch, wheel};

/// Reason why a wheel was not repaired. No file is written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The wheel cannot be read or written.
    #[error(transparent)]
    Wheel(#[from] wheel::Error),
    /// Neither its tags nor its files show the platform.
    #[error("`{wheel}` has no platform tag that native files could qualify for")]
    NoPlatform {
        /// Wheel.
        wheel: Box<WheelFilename>,
    },
    /// The requested tag is unknown.
    #[error("unknown platform tag `{tag}`")]
    UnknownPlatform {
        /// Tag.
        tag: String,
    },
    /// The requested tag has no processor, and there is no file to take it from.
    #[error("`{tag}` names no processor, and no native file of the wheel shows one")]
    NoProcessor {
        /// Tag.
        tag: String,
    },
    /// Libraries were not found.
    #[error("cannot repair `{wheel}`{}", not_found(.missing, *.searched))]
    Missing {
        /// Wheel.
        wheel: Box<WheelFilename>,
        /// Libraries, and the files that require them.
        missing: Vec<MissingLibrary>,
        /// Number of directories that were searched.
        searched: usize,
    },
    /// A file cannot be changed.
    #[error("cannot change `{file}`")]
    Patch {
        /// File.
        file: WheelPath,
        /// Cause.
        source: patch::Error,
    },
    /// A file of the wheel, or a library, cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// File on disk.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// A changed file cannot be stored until the wheel is written.
    #[error("cannot store a changed file in the temporary directory")]
    Scratch(#[source] io::Error),
    /// `audit` would refuse the repaired wheel.
    #[error("{}: {}", sentence(.verdict.as_ref(), .wanted.as_ref()), reasons(.findings))]
    NotQualified {
        /// The other tag that it qualifies for, if any.
        verdict: Option<PlatformTag>,
        /// Tag that it should qualify for; `None` for any.
        wanted: Option<PlatformTag>,
        /// Errors of the audit.
        findings: Vec<Finding>,
    },
    /// This program cannot do what was requested.
    #[error("{0}")]
    Unsupported(String),
}

impl Error {
    /// True if the wheel cannot be repaired; false if an operation failed.
    pub fn is_verdict(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::NotQualified { .. }
                | Self::NoPlatform { .. }
                | Self::Wheel(wheel::Error::Contradiction { .. })
        )
    }

    /// Returns advice for the user, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Wheel(error) => error.hint().map(str::to_owned),
            Self::Missing { missing, .. } => {
                let first = missing.iter().find(|missing| missing.reason.is_none())?;
                let library = file_name(&first.library);
                Some(format!(
                    "add its directory with `--library-path`, or leave it out with \
                     `--exclude {library}`"
                ))
            }
            Self::NoPlatform { .. } => Some("name a platform tag with `--tag`".to_owned()),
            Self::NoProcessor { tag } => Some(format!(
                "a wheel without native files runs everywhere and needs no repair; otherwise write \
                 the whole tag, such as `{tag}_x86_64`"
            )),
            Self::UnknownPlatform { .. } => Some(
                "use a tag such as `manylinux_2_28`, `musllinux_1_2`, `macosx_11_0_arm64` or \
                 `win_amd64`"
                    .to_owned(),
            ),
            Self::Patch { source: patch::Error::NoSpace { .. }, file } => Some(format!(
                "link `{}` again, with `-headerpad_max_install_names` for macOS",
                file_name(file.as_str())
            )),
            Self::NotQualified { findings, .. } => {
                let is_cause = |finding: &&Finding| finding.code != Code::TagNotEarned;
                let mut rest = findings.iter().filter(is_cause).peekable();
                (rest.peek().is_some() && rest.all(is_resolved_by_newer_tag)).then(|| {
                    "name a newer tag with `--tag`, or build the library for an older system".into()
                })
            }
            _ => None,
        }
    }
}

/// Returns the rest of a sentence, followed by lines if more than one library is missing.
fn not_found(missing: &[MissingLibrary], searched: usize) -> String {
    let nowhere = match searched {
        0 => "and no directory to search was given".to_owned(),
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

fn sentence(found: Option<&PlatformTag>, wanted: Option<&PlatformTag>) -> String {
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            format!("the repaired wheel qualifies for {found}, not {wanted}")
        }
        (None, Some(wanted)) => format!("the repaired wheel does not qualify for {wanted}"),
        (_, None) => "`audit` refuses the repaired wheel".to_owned(),
    }
}

fn reasons(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let file = finding.file.as_ref().map(|file| format!("`{file}`: ")).unwrap_or_default();
        format!("{file}{}", finding.message)
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}
