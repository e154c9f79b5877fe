//! Text for a terminal. Names and messages from files are untrusted: a line break could start a
//! line that a CI runner interprets as a command, other control characters move the cursor, and
//! some characters change the direction of the text around them. They are escaped in all results,
//! errors and progress lines.

use std::fmt;

use super::report::escape::is_unseen;

/// Text of a result. Each `write!` adds at most one line: control characters in its arguments,
/// including line breaks, are escaped.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds formatted text; `write!` and `writeln!` call it.
    #[expect(clippy::unnecessary_wraps, reason = "`write!` has a result")]
    pub(super) fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> fmt::Result {
        let text = arguments.to_string();
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        self.0.push_str(&escaped(line, false));
        self.0.push_str(end);
        Ok(())
    }

    /// Adds text of this program as it is, including line breaks.
    pub(super) fn push_own(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// Returns one line of text with control characters and changes of direction escaped. Colours are
/// kept.
pub(super) fn line(text: &str) -> String {
    escaped(text, false)
}

/// Like [`line()`], for text of several lines, such as an error with the last lines of a compiler. A
/// line break is kept unless a CI runner would interpret the next line as a command.
pub(super) fn lines(text: &str) -> String {
    escaped(text, true)
}

/// True if a CI runner would interpret a line with this beginning as a command.
pub(super) fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("::") || line.starts_with("##[") || line.starts_with("##vso[")
}

fn escaped(text: &str, keeps_breaks: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    if keeps_breaks && is_command(rest) {
        out.push('\\');
    }
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '\u{1b}' if colour(rest) > 0 => {
                let (sequence, after) = rest.split_at(colour(rest));
                out.push_str(sequence);
                rest = after;
                continue;
            }
            '\n' if keeps_breaks && !is_command(after) => out.push(c),
            '\t' if keeps_breaks => out.push(c),
            '\n' | '\r' | '\t' => out.extend(c.escape_default()),
            c if is_unseen(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
        rest = after;
    }
    out
}

/// Returns the length of the sequence that sets a colour or a weight at the beginning of `text`; 0 if
/// there is none. Sequences that hide text do not count.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let Some(end) = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';')) else { return 0 };
    let is_hidden = parameters[..end].split(';').any(|number| number == "8");
    if parameters[end..].starts_with('m') && !is_hidden { end + 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::human::RED;

    #[test]
    fn text_of_files_stays_in_its_line() {
        let check = |name: &str, expected: &str| {
            let mut text = Text::new();
            let _ = writeln!(text, "  {RED}{name}{RED:#}: bad");
            assert_eq!(text.as_str(), format!("  {RED}{expected}{RED:#}: bad\n"));
            assert_eq!(line(name), expected);
        };
        check("lib/größe.so", "lib/größe.so");
        check("a\n::error::x\r", "a\\n::error::x\\r");
        check("a\tb\u{8}", "a\\tb\\u{8}");
        check("\u{1b}[2J\u{1b}]0;title\u{7}", "\\u{1b}[2J\\u{1b}]0;title\\u{7}");
        check("\u{1b}[8mhidden", "\\u{1b}[8mhidden");
        check("\u{9b}2J\u{202e}gpj.exe\u{2066}", "\\u{9b}2J\\u{202e}gpj.exe\\u{2066}");
    }

    #[test]
    fn lines_of_messages_are_no_commands() {
        let check = |text: &str, expected: &str| assert_eq!(lines(text), expected);
        check("cc failed:\n  x.c:1: error\n\tint", "cc failed:\n  x.c:1: error\n\tint");
        check("\u{1b}[1mx\u{1b}[0m", "\u{1b}[1mx\u{1b}[0m");
        check("a\n::stop-commands::t\nb\r", "a\\n::stop-commands::t\nb\\r");
        check("a\n  ::add-mask::x", "a\\n  ::add-mask::x");
        check("a\n##[group]x", "a\\n##[group]x");
        check("::error::x", "\\::error::x");
    }
}
