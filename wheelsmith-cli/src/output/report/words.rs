//! Texts that all formats share.

use wheelsmith_core::finding::{Code, Finding, Severity};
use wheelsmith_core::name::PlatformTag;

use super::summary::{InputSummary, Summary};

/// State of an input, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InputState {
    /// The input could not be judged.
    Unjudged,
    /// The input has errors.
    Bad,
    /// The input has warnings.
    Fair,
    /// The input has neither errors nor warnings.
    Good,
}

/// Number of findings of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
    pub(super) waived: usize,
}

impl Counts {
    pub(super) fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *match finding.severity {
                _ if finding.waived.is_some() => &mut counts.waived,
                Severity::Error => &mut counts.errors,
                Severity::Warning => &mut counts.warnings,
                Severity::Info => &mut counts.notes,
            } += 1;
        }
        counts
    }

    /// Returns `2 errors, 1 warning, 1 waived`, or the text for no findings.
    pub(super) fn text(self) -> String {
        let parts = [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.notes, "note"),
            (self.waived, "waived"),
        ];
        let parts = parts.iter().filter(|(n, _)| *n > 0);
        let parts: Vec<String> = parts.map(|(n, word)| count(*n, word)).collect();
        if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
    }
}

/// Returns `1 error`, `2 errors`; `waived` has no plural.
pub(super) fn count(n: usize, word: &str) -> String {
    if n == 1 || word == "waived" { format!("{n} {word}") } else { format!("{n} {word}s") }
}

pub(super) fn standing(input: &InputSummary<'_>) -> InputState {
    let counts = Counts::of(input.findings);
    match counts {
        _ if input.error.is_some() => InputState::Unjudged,
        Counts { errors: 1.., .. } => InputState::Bad,
        Counts { warnings: 1.., .. } => InputState::Fair,
        _ => InputState::Good,
    }
}

impl Summary<'_> {
    /// Returns the worst state of all inputs.
    pub(super) fn worst(&self) -> InputState {
        self.inputs.iter().map(standing).min().unwrap_or(InputState::Good)
    }
}

impl InputSummary<'_> {
    /// Returns the tag that it qualifies for, or whether it is accepted.
    pub(super) fn verdict(&self) -> String {
        match self.audit.map(|audit| &audit.verdict) {
            _ if self.error.is_some() => "not judged".to_owned(),
            Some(Some(tag)) => tag.to_string(),
            Some(None) => "no platform tag".to_owned(),
            None if standing(self) == InputState::Bad => "refused".to_owned(),
            None => "accepted".to_owned(),
        }
    }

    /// Returns its state as a clause without a subject.
    pub(super) fn words(&self) -> &'static str {
        match (standing(self), self.audit.is_some()) {
            (InputState::Unjudged, _) => "could not be judged",
            (InputState::Bad, true) => "does not qualify for its tags",
            (InputState::Fair, true) => "qualifies for its tags, with warnings",
            (InputState::Good, true) => "qualifies for its tags",
            (InputState::Bad, false) => "would be refused",
            (InputState::Fair, false) => "would be accepted, with warnings",
            (InputState::Good, false) => "would be accepted",
        }
    }
}

impl InputState {
    /// Returns a mark for text.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Unjudged => "⛔",
            Self::Bad => "❌",
            Self::Fair => "⚠️",
            Self::Good => "✅",
        }
    }
}

/// Returns auditwheel's verdict in words; `None` if auditwheel did not run.
pub(super) fn auditwheel(input: &InputSummary<'_>) -> Option<String> {
    let theirs = input.audit?.auditwheel_verdict.as_ref()?;
    Some(theirs.tag.as_ref().map_or_else(|| "fails".to_owned(), PlatformTag::to_string))
}

/// Returns the last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the file name; for an extension module without the suffix that all in a wheel share:
/// `_io.so` for `_io.cpython-312-x86_64-linux-gnu.so`.
pub(super) fn module_name(path: &str) -> String {
    let name = file_name(path);
    let tail = [".cpython-", ".cp3", ".pypy", ".abi3"].iter().find_map(|start| name.find(start));
    match (tail, name.rfind('.')) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &name[..start], &name[end..]),
        _ => name.to_owned(),
    }
}

/// Returns the path of a code's page in the repository.
pub(super) fn page(code: Code) -> String {
    format!("docs/reference/findings/{code}.md")
}

/// Returns the URL of a code's page; `None` if the manifest names no repository.
pub(super) fn page_url(code: Code) -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY");
    (!repository.is_empty()).then(|| format!("{repository}/blob/main/{}", page(code)))
}

pub(super) use wheelsmith_core::name::size_text as size;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_have_short_names() {
        let check = |path: &str, expected: &str| assert_eq!(module_name(path), expected);
        check("a/_io.cpython-312-x86_64-linux-gnu.so", "_io.so");
        check("a/_io.cp312-win_amd64.pyd", "_io.pyd");
        check("a/_io.abi3.so", "_io.so");
        check("libz.so.1.3", "libz.so.1.3");
        check("a/.cpython-312", ".cpython-312");
    }

    #[test]
    fn counts_are_read_aloud() {
        let check = |[errors, warnings, notes, waived]: [usize; 4], expected: &str| {
            assert_eq!(Counts { errors, warnings, notes, waived }.text(), expected);
        };
        check([0, 0, 0, 0], "no findings");
        check([1, 2, 0, 3], "1 error, 2 warnings, 3 waived");
        check([0, 0, 1, 0], "1 note");
    }
}
