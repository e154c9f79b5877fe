//! Parses `Field: value` lines of WHEEL and METADATA (RFC 822, as Python's e-mail parser reads
//! them).

/// Limit of the number of fields, which protects against files made to exhaust memory.
const MOST_FIELDS: usize = 50_000;

/// Fields in their order, and the text after the empty line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    /// Name and value; the lines of a folded value are joined by line ends.
    pub(crate) list: Vec<(&'a str, String)>,
    /// Description.
    pub(crate) body: &'a str,
    /// First fault, as a clause.
    pub(crate) trouble: Option<String>,
}

impl<'a> Fields<'a> {
    /// Parses `bytes`.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut fields = Self::default();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                fields.trouble = Some(format!("byte {at} is not UTF-8"));
                std::str::from_utf8(&bytes[..at]).unwrap_or_default()
            }
        };
        if text.starts_with('\u{feff}') {
            fields.trouble = Some("it begins with a byte order mark".to_owned());
        }
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        while !rest.is_empty() {
            let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
            let line = line.strip_suffix('\r').unwrap_or(line);
            rest = behind;
            if fields.list.len() == MOST_FIELDS {
                fields.trouble = Some(format!("it has more than {MOST_FIELDS} fields"));
                break;
            }
            if line.is_empty() {
                fields.body = rest;
                break;
            }
            if line.starts_with([' ', '\t']) {
                match fields.list.last_mut() {
                    Some((_, value)) => {
                        value.push('\n');
                        value.push_str(line);
                    }
                    None => fields.trouble = Some("it begins with a space".to_owned()),
                }
                continue;
            }
            let is_name =
                |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
            if let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_name(name)) {
                // Like Python, keeps white space at the end as a part of the value.
                fields.list.push((name, value.trim_start_matches([' ', '\t']).to_owned()));
            } else {
                let shown: String = line.chars().take(60).collect();
                fields.trouble = Some(format!("`{shown}` is not a field"));
            }
        }
        fields
    }

    /// Returns all values of a field, ignoring case.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let own = self.list.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a field.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let own = self.list.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }
}
