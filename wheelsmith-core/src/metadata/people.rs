//! Addresses of people and places in the metadata.

/// The addresses of a list such as `A B <a@b.c>, d@e.f`; names in quotes may hold commas.
pub(crate) fn addresses(text: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(String::new()),
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    let address = |part: &String| {
        let part = part.trim();
        let inner = part.rsplit_once('<').map_or(part, |(_, rest)| rest.trim_end_matches('>'));
        inner.trim().to_owned()
    };
    parts.iter().map(address).filter(|address| !address.is_empty()).collect()
}

/// Whether the index takes `text` as an e-mail address: words in any alphabet with dots between
/// them, at a domain with a dot that is not reserved for other uses (RFC 5322, 6531, 6761).
pub(crate) fn is_mailbox(text: &str) -> bool {
    const RESERVED: [&str; 7] =
        ["arpa", "invalid", "local", "localhost", "onion", "test", "internal"];
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    local.len() <= 64
        && domain.len() <= 253
        && local.split('.').all(is_atom)
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && top.contains(char::is_alphabetic)
        && !RESERVED.contains(&top.as_str())
}

/// Whether `text` is an address with a scheme that the index links to.
pub(crate) fn is_url(text: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (own, rest) = text.split_at_checked(scheme.len())?;
        own.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let is_host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']);
    rest.is_some_and(is_host) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
