//! Styles and short parts of text for a terminal.

use anstyle::{AnsiColor, Style};
use wheelsmith_core::audit::Audit;
use wheelsmith_core::finding::{Finding, Severity};
pub(super) use wheelsmith_core::name::size_text as size;

use super::text::Text;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// Returns the newest symbol of glibc that the files need, as a part of a sentence.
pub(super) fn newest(audit: &Audit) -> String {
    let newest = audit.newest("GLIBC");
    newest.map(|version| format!(", newest symbol GLIBC_{version}")).unwrap_or_default()
}

/// Writes a finding with its help.
pub(super) fn finding(text: &mut Text, finding: &Finding) {
    let (style, word) = match finding.severity {
        Severity::Error => (RED, "error"),
        Severity::Warning => (YELLOW, "warning"),
        Severity::Info => (DIM, "note"),
    };
    let code = finding.code;
    let (file, message) = (&finding.file, &finding.message);
    let place = file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
    let _ = writeln!(text, "    {style}{word}[{code}]{style:#} {place}{message}");
    if let Some(help) = &finding.help {
        let _ = writeln!(text, "      {DIM}{help}{DIM:#}");
    }
}
