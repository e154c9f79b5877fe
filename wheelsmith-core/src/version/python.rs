//! Reads a string that is assigned in a Python module, without running it.

use crate::metadata::python_source::{comment_end, string_end};

/// Returns the string that is assigned to `attribute` at the top level of `module`.
///
/// # Errors
/// The reason, to be read after the module's name: no such assignment, two, or one of another value
/// than a string literal.
pub(super) fn literal<'m>(module: &'m str, attribute: &str) -> Result<&'m str, String> {
    let mut found = None;
    for value in assignments(module, attribute) {
        if found.is_some() {
            return Err(format!("assigns `{attribute}` more than once"));
        }
        found = Some(text(value).ok_or_else(|| {
            format!("assigns to `{attribute}` something other than a plain text in quotes")
        })?);
    }
    found.ok_or_else(|| format!("does not assign `{attribute}` at its top level"))
}

/// Returns the values that `module` assigns to `attribute` at its top level.
pub(super) fn assignments<'m>(module: &'m str, attribute: &str) -> impl Iterator<Item = &'m str> {
    statements(module).into_iter().filter_map(move |statement| assigned(statement, attribute))
}

/// Returns the statements that begin in the first column, each with its further lines.
fn statements(module: &str) -> Vec<&str> {
    let bytes = module.as_bytes();
    let mut statements = Vec::new();
    let (mut at, mut start, mut depth) = (0, None, 0_usize);
    while at < bytes.len() {
        let is_line_start = at == 0 || bytes[at - 1] == b'\n';
        if is_line_start && depth == 0 && start.is_none() && !bytes[at].is_ascii_whitespace() {
            start = Some(at);
        }
        match bytes[at] {
            b'#' => {
                at = comment_end(bytes, at);
                continue;
            }
            b'"' | b'\'' => {
                at = string_end(bytes, at).unwrap_or_else(|end| end);
                continue;
            }
            b'\\' => at += 1,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' | b';' if depth == 0 => {
                if let Some(start) = start.take() {
                    statements.push(&module[start..at]);
                }
                if bytes[at] == b';' {
                    // The rest of the line is a statement too.
                    start = Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    statements.extend(start.map(|start| &module[start..]));
    statements
}

/// Returns the value that `statement` assigns to `attribute`: `a = x`, `a: str = x`, `b = a = x`.
fn assigned<'s>(statement: &'s str, attribute: &str) -> Option<&'s str> {
    let mut rest = statement.trim();
    let mut is_ours = false;
    loop {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let behind = match behind.strip_prefix(':') {
            // The annotation is a name or an expression without `=`.
            Some(annotation) => annotation.find('=').map_or("", |equals| &annotation[equals..]),
            None => behind,
        };
        match behind.strip_prefix('=') {
            Some(value) if !name.is_empty() && !value.starts_with('=') => {
                is_ours |= name == attribute;
                rest = value.trim_start();
            }
            _ => return is_ours.then_some(rest),
        }
    }
}

/// Returns the content of a string literal.
fn text(value: &str) -> Option<&str> {
    let value = value.trim_start_matches(['r', 'u', 'R', 'U']);
    if !value.starts_with(['"', '\'']) {
        return None;
    }
    let len = string_end(value.as_bytes(), 0).ok()?;
    let behind = value.get(len..)?.trim_start();
    if !behind.is_empty() && !behind.starts_with('#') {
        return None;
    }
    let triple = value.starts_with("\"\"\"") || value.starts_with("'''");
    let quotes = &value[..if triple { 3 } else { 1 }];
    let inner = value.get(quotes.len()..len)?.strip_suffix(quotes)?;
    // No version needs an escape sequence.
    (!inner.contains('\\')).then(|| inner.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read() {
        let check = |module: &str, expected: Result<&str, &str>| {
            let found = literal(module, "__version__");
            match expected {
                Ok(version) => assert_eq!(found, Ok(version), "{module}"),
                Err(part) => {
                    let error = found.unwrap_err();
                    assert!(error.contains(part), "{module}: {error}");
                }
            }
        };
        check("__version__ = '1.2'", Ok("1.2"));
        check(
            "\"\"\"Doc.\n\n__version__ = '0'\n\"\"\"\n\n__version__: str = \"1.2\"  # ok\n",
            Ok("1.2"),
        );
        check("x = (\n__version__ == '3')\n__version__ = VERSION = '1.2'\n", Ok("1.2"));
        check("# it's\n__all__ = ['a', '''\n''']; __version__ = '1.2'\r\n", Ok("1.2"));
        check("if True:\n    __version__ = '1.2'\n", Err("does not assign"));
        check("__version__ = '1' + '2'", Err("something other"));
        check("__version__ = f'{x}'", Err("something other"));
        check("__version__ = get()", Err("something other"));
        check("__version__ = '1\n", Err("something other"));
        check("__version__ = '1'\n__version__ = '2'\n", Err("more than once"));
        check("__version__ += '1'\nclass __version__: pass\n", Err("does not assign"));
        check("", Err("does not assign"));
        check("'", Err("does not assign"));
        check("__version__ = '", Err("something other"));
        check("__version__ = '\\", Err("something other"));
    }
}
