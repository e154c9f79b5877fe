//! Extracts the part of a child's output that explains its failure.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};

use super::printable::{printable, uncoloured};

/// Most lines of an excerpt.
const LINES: usize = 40;
/// Lines from the first error on that are shown when the whole output is longer.
const FROM_ERROR: usize = 24;
/// Longest line, in characters.
const LINE_LENGTH: usize = 400;
/// Largest output that is searched for its first error, in bytes.
const SEARCHED: u64 = 256 << 20;

/// Texts that compilers, linkers and build systems write before the error message.
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
/// Texts at the start of a line with an error message.
const ERROR_STARTS: &[&str] = &["error:", "Error:", "ERROR:", "fatal:"];
/// Texts that report a failure without its reason, for outputs with no error message.
const SIGNS: &[&str] = &[": not found", ": No such file or directory", "*** ", "FAILED: "];

/// Returns the lines of `output` that explain a failure: all of a short output, otherwise those from
/// the first error on, and the last ones. Control sequences are left out.
pub(super) fn of(output: impl Read) -> String {
    let mut search = Search::default();
    let mut reader = BufReader::new(output.take(SEARCHED));
    // After a failed read, the lines before it are used.
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
    // A progress bar overwrites its own line.
    let text = text.rsplit('\r').next().unwrap_or(text);
    let mut line: String = text.chars().take(LINE_LENGTH).collect();
    if is_cut || line.len() < text.len() {
        line.push('…');
    }
    Ok(Some(line))
}

/// Search for the first error in any number of lines.
#[derive(Default)]
struct Search {
    /// Lines so far.
    count: usize,
    /// Last lines; until the first error, the lines before it.
    last: VecDeque<String>,
    /// Number of the line with which `found` begins, and lines from there on.
    found: Option<(usize, Vec<String>)>,
    /// Like `found`, for a sign of failure.
    sign: Option<(usize, Vec<String>)>,
}

impl Search {
    fn add(&mut self, line: String) {
        let plain = uncoloured(&line);
        let at = self.count;
        let begin = |last: &VecDeque<String>| {
            // Lines that name the including file or the function of an error.
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
            // The output is short, or the error is among the last lines.
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
}
