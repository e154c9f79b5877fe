//! The part of a child's output that explains its failure.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};

/// Most lines of an excerpt.
const LINES: usize = 40;
/// Lines from the first error on that are shown when the whole output is longer.
const FROM_ERROR: usize = 24;
/// Longest line, in characters.
const LINE_LENGTH: usize = 400;
/// Largest output that is searched for its first error, in bytes.
const SEARCHED: u64 = 256 << 20;

/// Texts that compilers, linkers and build systems write in front of the error that counts.
const ERRORS: &[&str] = &[
    ": error:",
    ": fatal error:",
    ": Error:",
    "error[",
    "CMake Error",
    " ERROR: ",
    "configure: error:",
    "undefined reference to",
    "undefined symbol",
    "Traceback (most recent call last)",
];
/// Texts at the start of a line that do so.
const ERROR_STARTS: &[&str] = &["error:", "Error:", "ERROR:", "fatal:"];
/// Texts that tell of a failure without its reason, for outputs with none of the others.
const SIGNS: &[&str] = &[": not found", ": No such file or directory", "*** ", "FAILED: "];

/// Returns the lines of `output` that explain a failure: all of a short output, otherwise those from
/// the first error on, and the last ones. Control sequences are left out.
pub(super) fn of(output: impl Read) -> String {
    let mut search = Search::default();
    let mut reader = BufReader::new(output.take(SEARCHED));
    // After a failed read, the lines before it are what there is.
    while let Ok(Some(line)) = line(&mut reader) {
        search.add(printable(&line));
    }
    search.finish()
}

/// Reads a line and returns its first characters; `None` at the end.
fn line(reader: &mut impl std::io::BufRead) -> std::io::Result<Option<String>> {
    const BYTES: u64 = 4 * LINE_LENGTH as u64;
    let mut bytes = Vec::new();
    if reader.take(BYTES).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let mut is_cut = false;
    if bytes.last() != Some(&b'\n') {
        is_cut = reader.skip_until(b'\n')? > 0;
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    // A progress bar writes over its own line.
    let text = text.rsplit('\r').next().unwrap_or(text);
    let mut line: String = text.chars().take(LINE_LENGTH).collect();
    if is_cut || line.len() < text.len() {
        line.push('…');
    }
    Ok(Some(line))
}

/// Finds the first error while lines go by, however many there are.
#[derive(Default)]
struct Search {
    /// Lines so far.
    count: usize,
    /// Last lines, and while no error was seen those before it.
    last: VecDeque<String>,
    /// Number of the line with which `found` begins, and lines from there on.
    found: Option<(usize, Vec<String>)>,
    /// As `found`, for a sign of failure.
    sign: Option<(usize, Vec<String>)>,
}

impl Search {
    fn add(&mut self, line: String) {
        let plain = uncoloured(&line);
        let at = self.count;
        let begin = |last: &VecDeque<String>| {
            // Where a header was included from, and in which function the error is.
            let is_context = |line: &&String| {
                line.starts_with("In file included from ")
                    || line.starts_with("                 from ")
                    || line.contains(": In function ")
            };
            let mut lines: Vec<String> =
                last.iter().rev().take_while(is_context).cloned().collect();
            lines.reverse();
            (at - lines.len(), lines)
        };
        if self.found.is_none() && is_error(&plain) {
            self.found = Some(begin(&self.last));
        }
        if self.sign.is_none() && SIGNS.iter().any(|sign| plain.contains(sign)) {
            self.sign = Some(begin(&self.last));
        }
        for (_, lines) in self.found.iter_mut().chain(&mut self.sign) {
            if lines.len() < FROM_ERROR {
                lines.push(line.clone());
            }
        }
        self.count += 1;
        self.last.push_back(line);
        if self.last.len() > LINES {
            self.last.pop_front();
        }
    }

    fn finish(mut self) -> String {
        while self.last.back().is_some_and(|line| line.trim().is_empty()) {
            self.last.pop_back();
            self.count -= 1;
        }
        let tail_from = self.count - self.last.len().min(self.count);
        let Some((from, lines)) = self.found.or(self.sign).filter(|(from, _)| *from < tail_from)
        else {
            // All of it, or the error is among the last lines.
            return Vec::from(self.last).join("\n");
        };
        let to = from + lines.len();
        let rest = LINES - FROM_ERROR - 1;
        let tail_from = to.max(self.count.saturating_sub(rest));
        let mut text = lines;
        if tail_from > to {
            text.push(format!("… {} more lines", tail_from - to));
        }
        let shown = self.count - tail_from;
        text.extend(self.last.into_iter().rev().take(shown).rev());
        text.join("\n")
    }
}

fn is_error(line: &str) -> bool {
    ERRORS.iter().any(|text| line.contains(text))
        || ERROR_STARTS.iter().any(|start| line.starts_with(start))
}

/// Returns `text` without escape sequences.
fn uncoloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[sequence(rest).0..];
    }
    out + rest
}

/// Returns `text` without characters and sequences that move the cursor or change the terminal; line
/// breaks, tabs and colours stay. A line that a CI service would read as a command (`::error::`)
/// begins with `|`.
pub fn printable(text: &str) -> String {
    let plain = shown(text);
    let is_command = |line: &str| uncoloured(line).trim_start().starts_with("::");
    if !plain.lines().any(is_command) {
        return plain;
    }
    let mark = |line: &str| if is_command(line) { format!("| {line}") } else { line.to_owned() };
    plain.split('\n').map(mark).collect::<Vec<_>>().join("\n")
}

fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1b}' {
            let (sequence, is_colour) = sequence(rest);
            if is_colour {
                out.push_str(&rest[..sequence]);
            }
            rest = &rest[sequence..];
            continue;
        }
        let is_bidi = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if matches!(c, '\n' | '\t') || !(c.is_control() || is_bidi) {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Returns the length of the escape sequence with which `text` begins (ECMA-48), and whether it sets
/// a colour.
fn sequence(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        // Control sequences: parameters, then one final byte.
        Some(b'[') => {
            let parameters = bytes[2..].iter().take_while(|b| (0x20..0x40).contains(*b)).count();
            match bytes.get(2 + parameters) {
                Some(last @ 0x40..=0x7e) => (3 + parameters, *last == b'm'),
                _ => (2 + parameters, false),
            }
        }
        // Strings, such as window titles and links: up to BEL or ESC \.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let end = text.find('\u{7}').map(|at| at + 1);
            let long = text[1..].find("\u{1b}\\").map(|at| at + 3);
            (end.into_iter().chain(long).min().unwrap_or(text.len()), false)
        }
        Some(0x20..=0x7e) => (2, false),
        _ => (1, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> String {
        (0..count).map(|i| format!("line {i}\n")).collect()
    }

    #[test]
    fn the_first_error_is_shown() {
        let check = |error: &str, context: &str| {
            let text = format!("{}{context}{error}\n{}", lines(500), lines(300));
            let shown = of(text.as_bytes());
            let first = format!("{context}{error}");
            assert!(shown.starts_with(&first), "{shown}");
            assert!(
                shown.ends_with("… 261 more lines\n") || shown.ends_with("line 299"),
                "{shown}"
            );
            assert!(shown.contains(" more lines\n") && shown.lines().count() <= LINES, "{shown}");
        };
        check("a.c:3:1: error: unknown type name `x`", "a.c: In function `f`:\n");
        check("x.h:1:10: fatal error: y.h: No such file", "In file included from a.c:1:\n");
        check("CMake Error at CMakeLists.txt:3 (find_package):", "");
        check("meson.build:1:0: ERROR: Unknown compiler(s)", "");
        check("configure: error: no acceptable C compiler found in $PATH", "");
        check("error[E0432]: unresolved import `x`", "");
        check("error: the lock file needs to be updated", "");
        check("/bin/ld: a.o: undefined reference to `f`", "");
        check("\u{1b}[1m\u{1b}[31merror\u{1b}[0m: coloured", "");
        check("make: *** [Makefile:6: all] Error 1", "");
    }

    #[test]
    fn without_an_error_the_last_lines_are_shown() {
        assert_eq!(of("a\nb\n\n".as_bytes()), "a\nb");
        assert_eq!(of("".as_bytes()), "");
        let shown = of(lines(100).as_bytes());
        assert!(shown.starts_with("line 60\n") && shown.ends_with("line 99"), "{shown}");
        let near = format!("{}a.c:1: error: x\n{}", lines(60), lines(5));
        assert!(of(near.as_bytes()).contains("error: x\nline 0"));
    }

    #[test]
    fn no_line_is_endless() {
        let text = format!("{}\nb\n", "x".repeat(1 << 20));
        let shown = of(text.as_bytes());
        assert_eq!(shown, format!("{}…\nb", "x".repeat(LINE_LENGTH)));
    }

    #[test]
    fn control_sequences_are_left_out() {
        let check = |text: &str, expected: &str| assert_eq!(printable(text), expected, "{text:?}");
        check("a\tb\nc", "a\tb\nc");
        check("\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m");
        check("\u{1b}[2J\u{1b}[1;1Hx\u{1b}[K", "x");
        check("\u{1b}]0;title\u{7}x\u{1b}]8;;http://a\u{1b}\\y", "xy");
        check("\u{1b}cx\u{8}\u{7f}\u{9b}y\u{202e}z", "xyz");
        check("\u{1b}", "");
        check("\u{1b}[", "");
        check("\u{1b}[31", "");
        check("a\n::error::x\n  ::y\nb::c", "a\n| ::error::x\n|   ::y\nb::c");
        check("\u{1b}[1m::error::x", "| \u{1b}[1m::error::x");
    }
}
