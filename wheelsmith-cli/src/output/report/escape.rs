//! Escapes untrusted text for HTML, XML and Markdown.
//!
//! Control characters, and characters that change the direction of text, are replaced by their
//! numbers in all formats. Otherwise a name could look like another one, or end a line.

use std::fmt::{self, Display, Write as _};

pub(in crate::output) use wheelsmith_core::finding::{Markup, is_unseen};

/// Returns `text` with numbers in place of unseen characters, before markup is escaped.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        let _ = if is_unseen(c) {
            write!(shown, "{}", c.escape_unicode())
        } else {
            shown.write_char(c)
        };
    }
    shown
}

/// Text in one line of Markdown, also inside a table.
pub(in crate::output) struct Markdown<'a>(pub(in crate::output) &'a str);

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\n' => f.write_char(' ')?,
                ' ' | '-' | '.' | ',' | '/' | ';' | '(' | ')' => f.write_char(c)?,
                // Markdown does not interpret characters by number. `@` would mention people, `#`
                // would refer to issues, and `:` would make links.
                c if c.is_ascii_punctuation() => write!(f, "&#{};", u32::from(c))?,
                c if is_unseen(c) => write!(f, "&#92;u&#123;{:x}&#125;", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Splits a message with names in backticks into parts; true for parts that are names.
pub(super) fn parts(message: &str) -> impl Iterator<Item = (bool, &str)> {
    let parts = message.split('`').enumerate().map(|(at, part)| (at % 2 == 1, part));
    parts.filter(|(_, part)| !part.is_empty())
}

/// Returns a message for a format that has `<code>`, with the names as code.
pub(super) fn with_code<'a, D: Display>(message: &'a str, text: impl Fn(&'a str) -> D) -> String {
    let mut out = String::new();
    for (is_name, part) in parts(message) {
        let part = text(part);
        let _ = if is_name { write!(out, "<code>{part}</code>") } else { write!(out, "{part}") };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text() {
        let check = |text: &str, markup: &str, markdown: &str| {
            assert_eq!(Markup(text).to_string(), markup);
            assert_eq!(Markdown(text).to_string(), markdown);
        };
        check("lib/a-1.so", "lib/a-1.so", "lib/a-1.so");
        check("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;", "&#60;b&#62;&#38;&#34;&#39;");
        check("a|b`_@x", "a|b`_@x", "a&#124;b&#96;&#95;&#64;x");
        check(
            "a\nb\r\u{202e}",
            "a\nb\\u{d}\\u{202e}",
            "a b&#92;u&#123;d&#125;&#92;u&#123;202e&#125;",
        );
        check("größe", "größe", "größe");
    }

    #[test]
    fn names_in_backticks_become_code() {
        let check = |message: &str, expected: &str| {
            assert_eq!(with_code(message, Markup), expected);
        };
        check("it needs `a<b`, now", "it needs <code>a&lt;b</code>, now");
        check("no names", "no names");
        check("`open", "<code>open</code>");
        check("", "");
    }
}
