//! Tells Python on Windows where the libraries of a wheel are: the loader of Windows looks for what
//! an extension module needs beside it, and in directories that the process has named.
//!
//! A package's `__init__.py` gets a block that names the directory before anything else is run. What
//! has to stand before it (encoding, docstring, imports from `__future__`) is found by reading the
//! first statements as Python does; the rest of the file is not looked at.

use super::Error;

/// The first line of the block.
const BEGIN: &[u8] = b"# wheelsmith: libraries of this wheel";
/// The last line of the block.
const END: &[u8] = b"# wheelsmith: end";
/// Encodings by their beginnings, in which every byte below 128 is itself, wherever it stands. In
/// the others (Shift JIS, GBK, UTF-16) a quote or a backslash may be half of a character.
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
/// The first two lines are looked at up to here, in bytes.
const LONGEST_LINES: usize = 4096;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Gives a module a block that calls `os.add_dll_directory` for the directory `libraries`, which is
/// `depth` directories above that of the module: 1 for `pkg/__init__.py` and `pkg.libs`.
///
/// A block that is there already is replaced. The block works with Python 3.8 and newer and does
/// nothing where the directory or the function is absent.
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
/// A module in an encoding, or with an unfinished string, that leaves open where statements end.
pub fn insert(module: &[u8], depth: usize, libraries: &str) -> Result<Vec<u8>, Error> {
    see_encoding(module)?;
    let reader = Reader { module };
    let place = reader.place()?;
    let rest = &module[reader.behind_block(place.at)..];
    let newline = match newline(module) {
        // The two would be the end of one line, and the next block would replace both.
        b"\r" if rest.starts_with(b"\n") => b"\n",
        newline => newline,
    };
    let mut out = module[..place.at].to_vec();
    if !place.is_line_start {
        // Nor would a line feed end a line behind a backslash and a carriage return.
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

/// A string of Python, in ASCII.
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

/// The line end that the module uses, by its first line.
fn newline(module: &[u8]) -> &'static [u8] {
    match module.iter().position(|&b| b == b'\n' || b == b'\r') {
        Some(at) if module[at..].starts_with(b"\r\n") => b"\r\n",
        Some(at) if module[at] == b'\r' => b"\r",
        _ => b"\n",
    }
}

/// Reads the encoding from one of the first two lines (PEP 263).
fn see_encoding(module: &[u8]) -> Result<(), Error> {
    if module.contains(&0) {
        return Err(Error::Unsupported("it is not a module of Python in text".to_owned()));
    }
    let text = module.strip_prefix(BYTE_ORDER_MARK).unwrap_or(module);
    let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST_LINES)]);
    for line in text.replace("\r\n", "\n").split(['\n', '\r']).take(2) {
        let line = line.trim_start_matches([' ', '\t', '\x0c']);
        let Some(comment) = line.strip_prefix('#') else {
            // Only a comment or nothing may stand before the line of the encoding.
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

/// Where the block goes.
struct Place {
    at: usize,
    /// Whether a line begins there; else one has to be ended first.
    is_line_start: bool,
}

/// What follows a statement.
enum Next {
    /// Another line, or the end of the module.
    Line(usize),
    /// Another statement of the same line.
    Statement(usize),
}

/// Reads the first statements of a module.
struct Reader<'m> {
    module: &'m [u8],
}

impl Reader<'_> {
    fn place(&self) -> Result<Place, Error> {
        let start =
            if self.module.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        // Comments belong to what precedes them at the start of the module, and to what follows
        // them later.
        let mut place = Place { at: self.skip_lines(start), is_line_start: true };
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
                    place = Place { at: next, is_line_start: false };
                    statement = next;
                }
                Some(Next::Line(next)) => {
                    place = Place { at: next, is_line_start: self.ends_line(next) };
                    statement = self.skip_lines(next);
                }
            }
        }
    }

    /// Whether `at` is behind the end of a line.
    fn ends_line(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|last| matches!(self.module[last], b'\n' | b'\r'))
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.module.get(at).copied()
    }

    fn starts(&self, at: usize, text: &[u8]) -> bool {
        self.module.get(at..).is_some_and(|rest| rest.starts_with(text))
    }

    /// Behind a line end at `at`, if there is one.
    fn line_end(&self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'\r' if self.byte(at + 1) == Some(b'\n') => Some(at + 2),
            b'\n' | b'\r' => Some(at + 1),
            _ => None,
        }
    }

    /// Behind what separates words within a logical line.
    fn skip_blanks(&self, mut at: usize) -> usize {
        loop {
            match self.byte(at) {
                Some(b' ' | b'\t' | b'\x0c') => at += 1,
                // The end of the module continues nothing.
                Some(b'\\') => match self.line_end(at + 1) {
                    Some(next) if next < self.module.len() => at = next,
                    _ => return at,
                },
                _ => return at,
            }
        }
    }

    /// Behind what separates words within parentheses.
    fn skip_blanks_and_lines(&self, mut at: usize) -> usize {
        loop {
            at = self.skip_comment(self.skip_blanks(at));
            match self.line_end(at) {
                Some(next) => at = next,
                None => return at,
            }
        }
    }

    /// At the end of the line, if a comment begins at `at`.
    fn skip_comment(&self, at: usize) -> usize {
        if self.byte(at) != Some(b'#') {
            return at;
        }
        let rest = &self.module[at..];
        at + rest.iter().position(|&b| b == b'\n' || b == b'\r').unwrap_or(rest.len())
    }

    /// Behind empty lines and comments, at the start of a line; but not behind a block of ours.
    fn skip_lines(&self, mut at: usize) -> usize {
        loop {
            if self.starts(at, BEGIN) {
                return at;
            }
            let end = self.skip_comment(self.skip_blanks(at));
            match self.line_end(end) {
                Some(next) => at = next,
                None if end == self.module.len() => return end,
                None => return at,
            }
        }
    }

    fn statement_end(&self, at: usize) -> Option<Next> {
        let line = |at| {
            let end = self.skip_comment(at);
            self.line_end(end).or((end == self.module.len()).then_some(end))
        };
        let at = self.skip_blanks(at);
        if self.byte(at) != Some(b';') {
            return line(at).map(Next::Line);
        }
        let next = self.skip_blanks(at + 1);
        Some(line(next).map_or(Next::Statement(next), Next::Line))
    }

    /// Behind an expression that is nothing but strings of text, if there is one at `at`.
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
                // No string may follow a parenthesis.
                if depth == 0 {
                    break;
                }
            } else {
                break;
            }
        }
        // Whatever else follows makes it another expression, such as `"%s" % name`.
        let is_whole = depth == 0 && self.statement_end(at).is_some();
        Ok(is_whole.then_some(at))
    }

    /// Behind a string of text at `at`; those of bytes and those with expressions are none.
    fn string(&self, mut at: usize) -> Result<Option<usize>, Error> {
        if matches!(self.byte(at), Some(b'r' | b'R' | b'u' | b'U')) {
            at += 1;
        }
        let Some(quote @ (b'"' | b'\'')) = self.byte(at) else { return Ok(None) };
        let triple = [quote; 3];
        let is_triple = self.starts(at, &triple);
        at += if is_triple { 3 } else { 1 };
        loop {
            match self.byte(at) {
                None => break,
                // In raw strings as well, a quote behind a backslash ends nothing.
                Some(b'\\') => at = self.line_end(at + 1).unwrap_or(at + 2),
                Some(_) if is_triple && self.starts(at, &triple) => return Ok(Some(at + 3)),
                Some(b) if !is_triple && b == quote => return Ok(Some(at + 1)),
                Some(b'\n' | b'\r') if !is_triple => break,
                Some(_) => at += 1,
            }
        }
        Err(Error::Unsupported("its first string has no end".to_owned()))
    }

    /// Behind an import from `__future__`, if there is one at `at`.
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

    /// Behind `word` and the blanks after it.
    fn word(&self, at: usize, word: &[u8]) -> Option<usize> {
        let end = at + word.len();
        let is_longer = self.byte(end).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        (self.starts(at, word) && !is_longer).then(|| self.skip_blanks(end))
    }

    /// Behind a block of ours at `at`; `at` itself where there is none.
    fn behind_block(&self, at: usize) -> usize {
        if !self.starts(at, BEGIN) {
            return at;
        }
        let mut line = at;
        while line < self.module.len() {
            let rest = &self.module[line..];
            let end = line + rest.iter().position(|b| b"\n\r".contains(b)).unwrap_or(rest.len());
            let next = self.line_end(end).unwrap_or(end);
            if &self.module[line..end] == END {
                return next;
            }
            line = next;
        }
        // Somebody has taken its end away: nobody knows what is ours.
        at
    }
}

#[cfg(test)]
#[path = "hook_tests.rs"]
mod tests;
