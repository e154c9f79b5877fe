//! Escapes text from files for HTML and URLs.

use std::fmt::{self, Display, Write as _};

pub(super) use crate::finding::Markup as Text;
use crate::finding::escaped;

/// Text inside a quoted attribute. A browser reads back exactly the same text.
pub(super) struct Attribute<'a>(pub(super) &'a str);

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match escaped(c) {
            Some(escape) => f.write_str(escape),
            None => f.write_char(c),
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
