//! Python's `_sysconfigdata`: a module with one literal.
//!
//! Three programs read it. uv reads the comment in the first line and a literal of texts
//! and numbers up to its closing brace, and writes the file anew; so code comes behind the literal. PyO3
//! runs the text of the file in another Python, in which `__file__` is not defined; so code does
//! nothing then. crossenv imports it in another interpreter; so paths follow from the file and never
//! from `sys.prefix`.

use std::fmt::Write as _;

use super::text::tidy;
use super::{Place, ends_path, replace};

/// Stands for the prefix in the values. uv replaces this one, because the trees that it manages
/// have it.
const PLACEHOLDER: &str = "/install";

/// Replaces the placeholder when the module is imported. A value that is one path is replaced as it
/// is; in a command line each word is quoted.
const CODE: &str = r#"
# Paths below /install follow from where this file is.
def _relocate(variables, was):
    import os, re, shlex
    file = globals().get("__file__")
    if not file:
        return
    now = os.path.abspath(file)
    for _ in range({up}):
        now = os.path.dirname(now)
    was = r"(?:(?<=-[A-Z])|(?<![^\s'\"=:,]))" + was + r"(?![\w.+-])"
    word = re.compile(r"[^\s'\"]*" + was + r"[^\s'\"]*")
    def put(text):
        return re.sub(was, lambda _: now, text)
    for key, value in variables.items():
        if isinstance(value, str) and re.search(was, value):
            if re.match(was, value) and not re.search(r"\s", value):
                variables[key] = put(value)
            else:
                variables[key] = word.sub(lambda found: shlex.quote(put(found.group())), value)


_relocate(build_time_vars, "/install")
"#;

/// Replaces the prefix by a placeholder, drops the build machine, and adds code that follows the file.
pub(super) fn fix(place: &Place<'_>, text: &str) -> Result<String, String> {
    let start = text.find("build_time_vars = {").ok_or("it has no `build_time_vars`")?;
    let start = start + "build_time_vars = {".len();
    let mut literal = Literal { rest: &text[start..] };
    let mut entries = Vec::new();
    loop {
        literal.blank();
        if literal.skip('}') {
            break;
        }
        let key = literal.text()?.ok_or("a key of its literal is no text")?;
        literal.blank();
        if !literal.skip(':') {
            return Err("its literal has a key without a value".to_owned());
        }
        let value = match literal.text()? {
            Some(value) => quoted(&moved(place, &value)?),
            None => literal.number()?,
        };
        entries.push(format!("{}: {value}", quoted(&key)));
        literal.blank();
        if !literal.skip(',') && !literal.rest.starts_with('}') {
            return Err("its literal has a value without an end".to_owned());
        }
    }
    let up = place.path.as_str().matches('/').count() + 1;
    let code = CODE.replace("{up}", &up.to_string());
    Ok(format!("{}{}}}{}{code}", &text[..start], entries.join(",\n "), literal.rest))
}

/// Returns a value without the build machine, and with the placeholder for the prefix.
fn moved(place: &Place<'_>, value: &str) -> Result<String, String> {
    let is_foreign = place.names_build_dir(value);
    let value = if is_foreign { tidy(value, place.build_dirs)? } else { value.to_owned() };
    let put = |before: &str| begins_path(before).then(|| PLACEHOLDER.to_owned());
    Ok(replace(&value, place.prefix, put))
}

/// True if a path may begin after this text.
fn begins_path(before: &str) -> bool {
    let mut back = before.chars().rev();
    match (back.next(), back.next()) {
        (None, _) => true,
        (Some(c), _) if c.is_whitespace() || "'\"=:,".contains(c) => true,
        (Some(letter), Some('-')) => letter.is_ascii_uppercase(),
        // A path below the build directory, `.$(prefix)`, which stays as it is.
        (Some('.'), before) => before.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// Python literal that is read.
struct Literal<'t> {
    rest: &'t str,
}

impl Literal<'_> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn skip(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads one or more strings in a row; `None` if the text begins with no string.
    fn text(&mut self) -> Result<Option<String>, String> {
        let mut text = None::<String>;
        loop {
            self.blank();
            let Some(quote) = self.rest.chars().next().filter(|c| "'\"".contains(*c)) else {
                return Ok(text);
            };
            self.skip(quote);
            let text = text.get_or_insert_default();
            loop {
                let end = || "its literal has a text without an end".to_owned();
                let c = self.rest.chars().next().ok_or_else(end)?;
                self.skip(c);
                match c {
                    '\\' => text.push(self.escape()?),
                    c if c == quote => break,
                    c => text.push(c),
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let c = self.rest.chars().next().unwrap_or_default();
        self.skip(c);
        let digits = match c {
            '\\' | '\'' | '"' => return Ok(c),
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let number = self.rest.get(..digits).filter(|_| digits > 0).unwrap_or_default();
        let value = u32::from_str_radix(number, 16).ok().and_then(char::from_u32);
        self.rest = &self.rest[number.len()..];
        value.ok_or_else(|| format!("its literal has the escape `\\{c}`"))
    }

    fn number(&mut self) -> Result<String, String> {
        let is_number = |c: char| c.is_ascii_digit() || "-.e".contains(c);
        let end = self.rest.find(|c| !is_number(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        if number.is_empty() || !ends_path(rest) {
            return Err("its literal has a value that is neither text nor number".to_owned());
        }
        self.rest = rest;
        Ok(number.to_owned())
    }
}

/// Returns a text as Python writes it.
fn quoted(text: &str) -> String {
    let mut out = "'".to_owned();
    for c in text.chars() {
        match c {
            '\\' | '\'' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Two digits are enough for all of them.
            c if c.is_control() => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "'"
}
