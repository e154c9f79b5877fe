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

/// Whether `text` is an address with a scheme that the index links to.
pub(crate) fn is_url(text: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (own, rest) = text.split_at_checked(scheme.len())?;
        own.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let is_host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']);
    rest.is_some_and(is_host) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
