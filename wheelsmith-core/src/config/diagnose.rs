//! Positions of problems in a file, and suggestions for misspelt words.

use std::fmt::{self, Write as _};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// All mistakes of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Name of the file in messages.
    pub file: String,
    /// Problems, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 for additions in code.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Key, such as `tool.wheelsmith.component[0].kind`; empty if the text is not TOML.
    pub key: String,
    /// Description.
    pub message: String,
    /// Remedy.
    pub help: Option<String>,
}

/// Ends of the keys whose values are lists of tables.
const TABLE_LISTS: [&str; 5] = [".component", ".sdk", ".sources", ".waivers", ".wheel"];

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match problem.line {
                0 => f.write_str("in the configuration made in code: ")?,
                line => write!(f, "{}:{line}:{}: ", self.file, problem.column)?,
            }
            if !problem.key.is_empty() {
                write!(f, "`{}`: ", problem.key)?;
            }
            f.write_str(&problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, "\n    {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Marks problems after the first `lines` lines as problems of additions in code.
    pub(super) fn without_lines_after(mut self, lines: usize) -> Self {
        for problem in self.problems.iter_mut().filter(|problem| problem.line > lines) {
            (problem.line, problem.column) = (0, 0);
        }
        self
    }
}

/// Positions of a file's keys.
pub(super) struct Locator<'t> {
    text: &'t str,
    root: DeTable<'t>,
    /// True if the file is `wheelsmith.toml`, whose keys have no prefix `tool.wheelsmith`.
    is_bare: bool,
    /// Top-level keys that only such a file has.
    own_keys: Vec<String>,
    /// Number of components that the file has; further ones were added in code.
    pub(super) in_file: Option<usize>,
}

/// Prefix of keys in files that several tools share.
const PREFIX: &str = "tool.wheelsmith";

/// Top-level tables of `pyproject.toml` (PEP 518, 621, 735). Further ones are wheelsmith's own keys.
const SHARED_TABLES: [&str; 4] = ["build-system", "dependency-groups", "project", "tool"];

impl<'t> Locator<'t> {
    /// Parses `text`, the content of `file`. Text that is not TOML has no keys.
    pub(super) fn new(file: &str, text: &'t str) -> Self {
        let root = DeTable::parse(text).map(Spanned::into_inner).unwrap_or_default();
        let is_shared = file.rsplit(['/', '\\']).next() == Some("pyproject.toml");
        let keys = root.keys().map(|key| key.get_ref().to_string());
        let own_keys: Vec<String> =
            keys.filter(|key| !is_shared && !SHARED_TABLES.contains(&key.as_str())).collect();
        let is_bare = !own_keys.is_empty() && tool(&root, "wheelsmith").is_none();
        Self { text, root, is_bare, own_keys, in_file: None }
    }

    /// Returns problems with keys that would not be read: those outside `[tool.wheelsmith]` of a file
    /// that has that table, and tables of a tool whose name is misspelt.
    pub(super) fn misplaced(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for key in self.own_keys.iter().filter(|_| !self.is_bare) {
            let message =
                "this key is outside `[tool.wheelsmith]`, although the file has that table";
            let help = format!("write `{PREFIX}.{key}`, or no key with the prefix `{PREFIX}`");
            problems.push(self.at(key, message.to_owned(), Some(help)));
        }
        let tools = self.root.get("tool").and_then(|tool| tool.get_ref().as_table());
        for name in tools.into_iter().flat_map(DeTable::keys).map(Spanned::get_ref) {
            let likeness = strsim::jaro_winkler(&name.to_lowercase(), "wheelsmith");
            if *name != "wheelsmith" && likeness > 0.93 {
                let message = "no tool has this name".to_owned();
                let help = Some("did you mean `tool.wheelsmith`?".to_owned());
                problems.push(self.at(&format!("tool.{name}"), message, help));
            }
        }
        problems
    }

    /// Returns the tables of a file as if each key had its prefix.
    pub(super) fn with_prefix(&self, mut root: DeTable<'t>) -> DeTable<'t> {
        if !self.is_bare {
            return root;
        }
        let mut own = DeTable::new();
        for key in &self.own_keys {
            if let Some((key, value)) = root.remove_entry(key.as_str()) {
                own.insert(key, value);
            }
        }
        let table = |name: &'static str, inner: DeTable<'t>| {
            let mut table = DeTable::new();
            let value = Spanned::new(0..0, DeValue::Table(inner));
            table.insert(Spanned::new(0..0, name.into()), value);
            table
        };
        let tool = table("wheelsmith", own);
        root.remove("tool");
        root.insert(Spanned::new(0..0, "tool".into()), Spanned::new(0..0, DeValue::Table(tool)));
        root
    }

    /// Converts an error of the TOML reader.
    pub(super) fn problem(&self, error: &toml::de::Error) -> Problem {
        let offset = error.span().map_or(0, |span| span.start);
        let (line, column) = position(self.text, offset);
        let mut message = error.message().trim().replace('\n', ", ");
        let mut help = None;
        if message.starts_with("invalid type: map, expected a sequence") {
            let key = self.key_at(offset);
            let is_list = TABLE_LISTS.iter().any(|list| key.ends_with(list));
            help = is_list.then(|| format!("write `[[{key}]]`, because there may be several"));
        }
        if let Some(unknown) = message.strip_prefix("unknown ") {
            let mut quoted = unknown.split('`').skip(1).step_by(2);
            let wrong = quoted.next().unwrap_or_default().to_owned();
            let known: Vec<&str> = quoted.collect();
            help = did_you_mean(&wrong, known.iter().copied())
                .or_else(|| Some(format!("known names: {}", known.join(", "))));
            let what = if unknown.starts_with("variant") { "value" } else { "key" };
            message = format!("unknown {what} `{wrong}`");
        }
        Problem { line, column, key: self.key_at(offset), message, help }
    }

    /// Returns a problem with the value at `key`, such as `tool.wheelsmith.component[0].kind`. If the
    /// file has no such key, the position is that of its nearest parent.
    pub(super) fn at(&self, key: &str, message: String, help: Option<String>) -> Problem {
        if self.is_in_code(key) {
            return Problem { line: 0, column: 0, key: key.to_owned(), message, help };
        }
        let bare = key.strip_prefix(PREFIX).filter(|_| self.is_bare);
        let key = bare.map_or(key, |rest| rest.trim_start_matches('.'));
        let (line, column) = position(self.text, self.offset(key));
        Problem { line, column, key: key.to_owned(), message, help }
    }

    /// True if `key` belongs to a component that was added in code.
    fn is_in_code(&self, key: &str) -> bool {
        let index =
            || key.strip_prefix("tool.wheelsmith.component[")?.split_once(']')?.0.parse().ok();
        self.in_file.zip(index()).is_some_and(|(in_file, index): (usize, usize)| index >= in_file)
    }

    /// Returns the place of the string at `key`, with its quotes; `None` if the file has no such key,
    /// or its value is not a string on one line.
    #[cfg(feature = "project")]
    pub(super) fn string_at(&self, key: &str) -> Option<Range<usize>> {
        let bare = key.strip_prefix(PREFIX).filter(|_| self.is_bare);
        let key = bare.map_or(key, |rest| rest.trim_start_matches('.'));
        let (mut table, mut found) = (Some(&self.root), None);
        for part in split(key) {
            let (name, index) = match part.strip_suffix(']').and_then(|p| p.rsplit_once('[')) {
                Some((name, index)) => (name, Some(index.parse::<usize>().ok()?)),
                None => (part, None),
            };
            let mut value = table?.get(name)?;
            if let Some(index) = index {
                value = value.get_ref().as_array()?.get(index)?;
            }
            table = value.get_ref().as_table();
            found = Some(value);
        }
        let value = found.filter(|value| matches!(value.get_ref(), DeValue::String(_)))?;
        let text = &self.text[value.span()];
        (!text.contains('\n') && !text.starts_with("\"\"\"") && !text.starts_with("'''"))
            .then(|| value.span())
    }

    fn offset(&self, key: &str) -> usize {
        let mut offset = 0;
        let mut table = Some(&self.root);
        for part in split(key) {
            let (name, index) = match part.rsplit_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<usize>().ok()),
                None => (part, None),
            };
            let Some((found, value)) =
                table.and_then(|t| t.iter().find(|(k, _)| k.get_ref().as_ref() == name))
            else {
                break;
            };
            let mut value: &Spanned<DeValue<'_>> = value;
            // The position of a key below a table header such as `[[a.b]]` is that of the header.
            offset = found.span().start;
            if let (Some(index), DeValue::Array(array)) = (index, value.get_ref()) {
                let Some(item) = array.get(index) else { break };
                value = item;
                offset = item.span().start;
            }
            table = match value.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => None,
            };
        }
        offset
    }

    /// Returns the key whose name or value covers `offset`.
    fn key_at(&self, offset: usize) -> String {
        let mut key = String::new();
        key_in(&self.root, offset, &mut key);
        key
    }
}

/// Returns the table of a tool.
fn tool<'r, 't>(root: &'r DeTable<'t>, name: &str) -> Option<&'r Spanned<DeValue<'t>>> {
    root.get("tool")?.get_ref().as_table()?.get(name)
}

fn covers(span: &Range<usize>, offset: usize) -> bool {
    span.start <= offset && offset < span.end.max(span.start + 1)
}

/// Appends the path of the key that covers `offset`; returns true if there is one. Tables with
/// headers cover only their headers, so every branch is searched.
fn key_in(table: &DeTable<'_>, offset: usize, key: &mut String) -> bool {
    for (name, value) in table {
        let length = key.len();
        if !key.is_empty() {
            key.push('.');
        }
        key.push_str(name.get_ref());
        if key_in_value(value, offset, key) || covers(&name.span(), offset) {
            return true;
        }
        key.truncate(length);
    }
    false
}

fn key_in_value(value: &Spanned<DeValue<'_>>, offset: usize, key: &mut String) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => key_in(table, offset, key) || covers(&value.span(), offset),
        DeValue::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let length = key.len();
                let _ = write!(key, "[{i}]");
                if key_in_value(item, offset, key) {
                    return true;
                }
                key.truncate(length);
            }
            covers(&value.span(), offset)
        }
        _ => covers(&value.span(), offset),
    }
}

/// Splits a key into its parts; a quoted part may hold dots.
fn split(key: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    key.split(move |c| {
        quoted ^= c == '"';
        c == '.' && !quoted
    })
    .map(|part| part.trim_matches('"'))
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Returns the name in `known` that is nearest to `wrong`, as a question.
pub(super) fn did_you_mean<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(name, wrong), name));
    let (score, name) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.75).then(|| format!("did you mean `{name}`?"))
}
