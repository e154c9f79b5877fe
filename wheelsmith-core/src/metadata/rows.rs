//! Rows of `RECORD`, as Python's `csv` module reads them.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Rows of CSV, as Python's `csv` reads them.
pub(crate) struct Rows<'a>(pub(crate) &'a str);

impl<'a> Rows<'a> {
    /// Returns the fields of the next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<Vec<Cow<'a, str>>, &'static str>> {
        if self.0.is_empty() {
            return None;
        }
        let text = self.0;
        let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
        if !line.contains(['"', '\r']) {
            self.0 = rest;
            return Some(Ok(line.split(',').map(Cow::Borrowed).collect()));
        }
        let mut row = vec![String::new()];
        let mut chars = self.0.char_indices().peekable();
        let mut quoted = false;
        while let Some((at, c)) = chars.next() {
            let field = row.last_mut()?;
            match c {
                '"' if quoted && chars.peek().is_some_and(|(_, c)| *c == '"') => {
                    field.push('"');
                    chars.next();
                }
                '"' if quoted => quoted = false,
                '"' if field.is_empty() => quoted = true,
                ',' if !quoted => row.push(String::new()),
                '\n' if !quoted => {
                    self.0 = &self.0[at + 1..];
                    return Some(Ok(row.into_iter().map(Cow::Owned).collect()));
                }
                '\r' if !quoted => {}
                c => field.push(c),
            }
        }
        self.0 = "";
        Some(if quoted {
            Err("a quoted path has no end")
        } else {
            Ok(row.into_iter().map(Cow::Owned).collect())
        })
    }
}

/// Returns the paths in the first field of each row, up to the first row that cannot be read.
pub(crate) fn recorded_paths(text: &str) -> BTreeSet<String> {
    let mut rows = Rows(text);
    std::iter::from_fn(|| rows.next_row()?.ok()?.into_iter().next())
        .filter(|path| !path.is_empty())
        .map(Cow::into_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unquoted() {
        let paths = recorded_paths("a.py,sha256=x,1\r\n\"b,\"\"c.py\",,\n\n\"open");
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["a.py", "b,\"c.py"]);
    }
}
