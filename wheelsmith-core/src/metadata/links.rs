//! Authors, maintainers and links.

use std::collections::BTreeMap;

use super::project_table::PersonTable;
use super::{Error, one_line, problem};

/// Person with a name, an address, or both.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

/// Longest label that indexes accept, in characters.
const LABEL_CHARS: usize = 32;

impl Person {
    pub(super) fn all(key: &str, raw: &[PersonTable]) -> Result<Vec<Self>, Error> {
        let person = |person: &PersonTable| {
            let text =
                |text: &Option<String>| text.as_deref().map(|t| one_line(key, t)).transpose();
            let (name, email) = (text(&person.name)?, text(&person.email)?);
            if name.is_none() && email.is_none() {
                return Err(problem(key, "has a person without name and address"));
            }
            if let Some(name) = name.as_ref().filter(|name| name.contains([',', '"', '\\'])) {
                let words = format!("has `{name}`: names stand in a list with `,` between them");
                return Err(problem(key, words));
            }
            if let Some(email) = email.as_ref().filter(|email| !is_address(email)) {
                return Err(problem(key, format!("has `{email}`, which is no e-mail address")));
            }
            Ok(Self { name, email })
        };
        raw.iter().map(person).collect()
    }

    /// Returns `Name <address>`, with the name in quotes if RFC 822 requires them; `None` without
    /// an address.
    pub(super) fn mailbox(&self) -> Option<String> {
        let email = self.email.as_ref()?;
        Some(match &self.name {
            Some(name) if name.contains(['.', '(', ')', '<', '>', '@', ':', ';', '[', ']']) => {
                format!("\"{name}\" <{email}>")
            }
            Some(name) => format!("{name} <{email}>"),
            None => email.clone(),
        })
    }
}

pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let label = |label: &str| {
        let inner = |c: char| c.is_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(inner) && !label.starts_with('-')
    };
    let atom = |atom: &str| {
        let inner = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        !atom.is_empty() && atom.chars().all(inner)
    };
    local.split('.').all(atom) && domain.split('.').all(label)
}

/// Validates links by label.
pub(super) fn urls(raw: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    let mut urls = BTreeMap::new();
    for (label, url) in raw {
        let key = format!("project.urls.{label}");
        let label = one_line(&key, label)?;
        if label.chars().count() > LABEL_CHARS {
            return Err(problem(key, format!("is a label of more than {LABEL_CHARS} characters")));
        }
        if label.contains(',') {
            return Err(problem(key, "is a label with a comma, which ends labels"));
        }
        let url = one_line(&key, url)?;
        let host = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let plain = |host: &str| !host.is_empty() && !host.starts_with(['/', '?', '#', ':']);
        if !host.is_some_and(plain) || url.contains(|c: char| c.is_whitespace() || c == '"') {
            return Err(problem(key, format!("is `{url}`, which is no http or https URL")));
        }
        urls.insert(label, url);
    }
    Ok(urls)
}
