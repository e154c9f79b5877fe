//! Inserts Python code that tells Windows where the libraries of a wheel are. The loader searches
//! the directory of an extension module, and directories that the process has added.
//!
//! A package's `__init__.py` gets a block that adds the directory before other code runs. Python
//! requires some statements to come first (encoding, docstring, imports from `__future__`); they
//! are found by reading the first statements as Python does. The rest of the file is not read.

use super::Error;
use crate::metadata::python_source::{comment_end, line_end, string_end};

/// The first line of the block.
const BEGIN: &[u8] = b"# wheelsmith: libraries of this wheel";
/// The last line of the block.
const END: &[u8] = b"# wheelsmith: end";
/// Prefixes of encodings in which every byte below 128 is an ASCII character wherever it occurs. In
/// others (Shift JIS, GBK, UTF-16) it may be the second half of a character.
const READABLE: [&str; 13] = [
    "utf-8",
    "utf8",
    "ascii",
    "us-ascii",
    "latin",
    "iso-latin",
    "iso-8859",
    "iso8859",
    "cp125",
    "windows-125",
    "koi8",
    "euc",
    "gb2312",
];
/// Limit of the search in the first two lines, in bytes.
const LONGEST_LINES: usize = 4096;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Inserts a block that calls `os.add_dll_directory` for the directory `libraries`, which is
/// `depth` directories above that of the module: 1 for `pkg/__init__.py` and `pkg.libs`.
///
/// Replaces an earlier block. The block works with Python 3.8 and newer, and does nothing if the
/// directory or the function is absent.
///
/// ```
/// use wheelsmith_core::patch::hook;
///
/// let module = b"\"\"\"Demo.\"\"\"\nfrom ._native import run\n";
/// let module = hook::insert(module, 1, "demo.libs").unwrap();
/// assert!(module.starts_with(b"\"\"\"Demo.\"\"\"\n# wheelsmith: libraries of this wheel\n"));
/// assert!(module.ends_with(b"# wheelsmith: end\nfrom ._native import run\n"));
/// ```
///
/// # Errors
/// Returns an error if the ends of the first statements cannot be found: for other encodings and
/// unfinished strings.
pub fn insert(module: &[u8], depth: usize, libraries: &str) -> Result<Vec<u8>, Error> {
    check_encoding(module)?;
    let reader = Reader { module };
    let place = reader.place()?;
    let rest = &module[reader.behind_block(place.at)..];
    let newline = match newline(module) {
        // `\r\n` would be one line end, and the next insertion would replace both.
        b"\r" if rest.starts_with(b"\n") => b"\n",
        newline => newline,
    };
    let mut out = module[..place.at].to_vec();
    if !place.is_line_start {
        // A line feed after a backslash and a carriage return would not end a line.
        if newline == b"\n" && out.ends_with(b"\r") {
            out.push(b'\r');
        }
        out.extend(newline);
    }
    for line in block(depth, libraries).lines() {
        out.extend(line.as_bytes());
        out.extend(newline);
    }
    out.extend(rest);
    Ok(out)
}

fn block(depth: usize, libraries: &str) -> String {
    let (begin, end) = (String::from_utf8_lossy(BEGIN), String::from_utf8_lossy(END));
    let up: String = "\"..\", ".repeat(depth);
    let libraries = literal(libraries);
    format!(
        "{begin}
def _wheelsmith_libraries():
    import os

    directory = os.path.abspath(os.path.join(os.path.dirname(__file__), {up}{libraries}))
    if hasattr(os, \"add_dll_directory\") and os.path.isdir(directory):
        os.add_dll_directory(directory)


_wheelsmith_libraries()
del _wheelsmith_libraries
{end}
"
    )
}

/// Returns a Python string literal in ASCII.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => out.extend(format!("\\U{:08x}", u32::from(c)).chars()),
        }
    }
    out + "\""
}

/// Returns the line end of the first line.
fn newline(module: &[u8]) -> &'static [u8] {
    match module.iter().position(|&b| b == b'\n' || b == b'\r') {
        Some(at) if module[at..].starts_with(b"\r\n") => b"\r\n",
        Some(at) if module[at] == b'\r' => b"\r",
        _ => b"\n",
    }
}

/// Checks the encoding that one of the first two lines declares (PEP 263).
fn check_encoding(module: &[u8]) -> Result<(), Error> {
    if module.contains(&0) {
        return Err(Error::Unsupported("it is not a module of Python in text".to_owned()));
    }
    let text = module.strip_prefix(BYTE_ORDER_MARK).unwrap_or(module);
    let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST_LINES)]);
    for line in text.replace("\r\n", "\n").split(['\n', '\r']).take(2) {
        let line = line.trim_start_matches([' ', '\t', '\x0c']);
        let Some(comment) = line.strip_prefix('#') else {
            // Only an empty line or a comment may precede the declaration.
            if line.is_empty() {
                continue;
            }
            break;
        };
        let name = comment.match_indices("coding").find_map(|(at, word)| {
            let rest = comment[at + word.len()..].strip_prefix([':', '='])?;
            let rest = rest.trim_start_matches([' ', '\t']);
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
            Some(&rest[..end.unwrap_or(rest.len())]).filter(|name| !name.is_empty())
        });
        let Some(name) = name else { continue };
        let plain = name.to_ascii_lowercase().replace('_', "-");
        if READABLE.iter().any(|readable| plain.starts_with(readable)) {
            break;
        }
        return Err(Error::Unsupported(format!("it is written in the encoding `{name}`")));
    }
    Ok(())
}

/// Position of the block.
struct Position {
    at: usize,
    /// True if a line begins there; otherwise one has to be ended first.
    is_line_start: bool,
}

/// Continuation after a statement.
enum Next {
    /// Offset of the next line, or of the end of the module.
    Line(usize),
    /// Offset of another statement of the same line.
    Statement(usize),
}

/// Reader of the first statements of a module.
struct Reader<'m> {
    module: &'m [u8],
}

impl Reader<'_> {
    fn place(&self) -> Result<Position, Error> {
        let start =
            if self.module.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        // Comments at the start of the module stay before the block; later ones stay with what
        // follows.
        let mut place = Position { at: self.skip_lines(start), is_line_start: true };
        if place.at == self.module.len() {
            place.is_line_start = place.at == start || self.ends_line(place.at);
        }
        let mut statement = self.skip_lines(start);
        let mut may_be_docstring = true;
        loop {
            let text = self.skip_blanks(statement);
            let end = if may_be_docstring { self.docstring(text)? } else { None };
            may_be_docstring = false;
            let Some(end) = end.or_else(|| self.future_import(text)) else { return Ok(place) };
            match self.statement_end(end) {
                None => return Ok(place),
                Some(Next::Statement(next)) => {
                    place = Position { at: next, is_line_start: false };
                    statement = next;
                }
                Some(Next::Line(next)) => {
                    place = Position { at: next, is_line_start: self.ends_line(next) };
                    statement = self.skip_lines(next);
                }
            }
        }
    }

    /// True if a line end precedes `at`.
    fn ends_line(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|last| matches!(self.module[last], b'\n' | b'\r'))
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.module.get(at).copied()
    }

    fn starts(&self, at: usize, text: &[u8]) -> bool {
        self.module.get(at..).is_some_and(|rest| rest.starts_with(text))
    }

    /// Returns the offset after blanks and continued lines.
    fn skip_blanks(&self, mut at: usize) -> usize {
        loop {
            match self.byte(at) {
                Some(b' ' | b'\t' | b'\x0c') => at += 1,
                // A backslash at the end of the module continues no line.
                Some(b'\\') => match line_end(self.module, at + 1) {
                    Some(next) if next < self.module.len() => at = next,
                    _ => return at,
                },
                _ => return at,
            }
        }
    }

    /// Returns the offset after blanks, comments and line ends, as they occur within parentheses.
    fn skip_blanks_and_lines(&self, mut at: usize) -> usize {
        loop {
            at = comment_end(self.module, self.skip_blanks(at));
            match line_end(self.module, at) {
                Some(next) => at = next,
                None => return at,
            }
        }
    }

    /// Returns the offset after empty lines and comments, but not after a block of ours. A line
    /// begins at `at`.
    fn skip_lines(&self, mut at: usize) -> usize {
        loop {
            if self.starts(at, BEGIN) {
                return at;
            }
            let end = comment_end(self.module, self.skip_blanks(at));
            match line_end(self.module, end) {
                Some(next) => at = next,
                None if end == self.module.len() => return end,
                None => return at,
            }
        }
    }

    fn statement_end(&self, at: usize) -> Option<Next> {
        let line = |at| {
            let end = comment_end(self.module, at);
            line_end(self.module, end).or((end == self.module.len()).then_some(end))
        };
        let at = self.skip_blanks(at);
        if self.byte(at) != Some(b';') {
            return line(at).map(Next::Line);
        }
        let next = self.skip_blanks(at + 1);
        Some(line(next).map_or(Next::Statement(next), Next::Line))
    }

    /// Returns the offset after an expression that consists of text strings only, if there is one
    /// at `at`.
    fn docstring(&self, mut at: usize) -> Result<Option<usize>, Error> {
        let mut depth = 0_usize;
        let skip = |at: usize, depth: usize| {
            if depth > 0 { self.skip_blanks_and_lines(at) } else { self.skip_blanks(at) }
        };
        while self.byte(at) == Some(b'(') {
            depth += 1;
            at = skip(at + 1, depth);
        }
        let Some(end) = self.string(at)? else { return Ok(None) };
        at = end;
        loop {
            let next = skip(at, depth);
            if let Some(end) = self.string(next)? {
                at = end;
            } else if depth > 0 && self.byte(next) == Some(b')') {
                depth -= 1;
                at = next + 1;
                // A string after a closing parenthesis would be a syntax error.
                if depth == 0 {
                    break;
                }
            } else {
                break;
            }
        }
        // Anything else makes it another expression, such as `"%s" % name`.
        let is_whole = depth == 0 && self.statement_end(at).is_some();
        Ok(is_whole.then_some(at))
    }

    /// Returns the offset after the text string at `at`. Byte strings and f-strings do not count.
    fn string(&self, mut at: usize) -> Result<Option<usize>, Error> {
        if matches!(self.byte(at), Some(b'r' | b'R' | b'u' | b'U')) {
            at += 1;
        }
        if !matches!(self.byte(at), Some(b'"' | b'\'')) {
            return Ok(None);
        }
        let no_end = |_| Error::Unsupported("its first string has no end".to_owned());
        string_end(self.module, at).map(Some).map_err(no_end)
    }

    /// Returns the offset after an import from `__future__`, if there is one at `at`.
    fn future_import(&self, mut at: usize) -> Option<usize> {
        for word in [b"from".as_slice(), b"__future__", b"import"] {
            at = self.word(at, word)?;
        }
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b',';
        let in_parentheses = self.byte(at) == Some(b'(');
        at += usize::from(in_parentheses);
        loop {
            at = if in_parentheses { self.skip_blanks_and_lines(at) } else { self.skip_blanks(at) };
            match self.byte(at) {
                Some(b')') if in_parentheses => return Some(at + 1),
                Some(b) if is_name(b) => at += 1,
                _ if in_parentheses => return None,
                _ => return Some(at),
            }
        }
    }

    /// Returns the offset after `word` and following blanks, if `word` is at `at`.
    fn word(&self, at: usize, word: &[u8]) -> Option<usize> {
        let end = at + word.len();
        let is_longer = self.byte(end).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        (self.starts(at, word) && !is_longer).then(|| self.skip_blanks(end))
    }

    /// Returns the offset after a block of ours at `at`; `at` if there is none.
    fn behind_block(&self, at: usize) -> usize {
        if !self.starts(at, BEGIN) {
            return at;
        }
        let mut line = at;
        while line < self.module.len() {
            let rest = &self.module[line..];
            let end = line + rest.iter().position(|b| b"\n\r".contains(b)).unwrap_or(rest.len());
            let next = line_end(self.module, end).unwrap_or(end);
            if &self.module[line..end] == END {
                return next;
            }
            line = next;
        }
        // Without its last line, the extent of the block is unknown.
        at
    }
}

#[cfg(test)]
#[path = "hook_tests.rs"]
mod tests;
