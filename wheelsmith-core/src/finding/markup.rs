//! Escapes untrusted text for HTML and XML.

use std::fmt::{self, Display, Write as _};

/// Text inside an element or a quoted attribute of HTML or XML. Characters that cannot be seen are
/// shown by their numbers, except for line feeds.
#[derive(Debug, Clone, Copy)]
pub struct Markup<'a>(pub &'a str);

impl Display for Markup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match escaped(c) {
                Some(escape) => f.write_str(escape)?,
                None if c != '\n' && is_unseen(c) => write!(f, "{}", c.escape_unicode())?,
                None => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Returns the form in markup of a character that has a meaning in it.
pub(crate) fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

/// True for control characters, and for characters that are invisible or change the direction of
/// text: a name with them could look like another one, or end a line.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
