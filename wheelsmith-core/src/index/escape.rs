//! Escapes text from files for HTML and URLs.

use std::fmt::{self, Display, Write as _};

/// Text inside a quoted attribute. A browser reads back exactly the same text.
pub(super) struct Attribute<'a>(pub(super) &'a str);

/// Text inside an element. Characters that are invisible or change the direction of text are shown
/// by number.
pub(super) struct Text<'a>(pub(super) &'a str);

fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

/// Writes `text` in pieces as long as possible: most of it needs no escape.
fn write(f: &mut fmt::Formatter<'_>, text: &str, is_unseen: impl Fn(char) -> bool) -> fmt::Result {
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let escape = escaped(c);
        if escape.is_none() && !is_unseen(c) {
            continue;
        }
        f.write_str(&text[from..at])?;
        match escape {
            Some(escape) => f.write_str(escape)?,
            None => write!(f, "{}", c.escape_unicode())?,
        }
        from = at + c.len_utf8();
    }
    f.write_str(&text[from..])
}

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, |_| false)
    }
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, |c| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
                || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
        })
    }
}

/// Escapes a part of a URL's path. `+` is escaped too, because some stores read it as a space.
pub(super) fn url_part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~!".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let check = |text: &str, attribute: &str, seen: &str| {
            assert_eq!(Attribute(text).to_string(), attribute);
            assert_eq!(Text(text).to_string(), seen);
        };
        check(">=3.9,<4", "&gt;=3.9,&lt;4", "&gt;=3.9,&lt;4");
        check("<b>&\"'ü", "&lt;b&gt;&amp;&quot;&#39;ü", "&lt;b&gt;&amp;&quot;&#39;ü");
        check("a\u{202e}b", "a\u{202e}b", "a\\u{202e}b");
        assert_eq!(url_part("a-1!2+c_u.whl"), "a-1!2%2Bc_u.whl");
    }
}
