//! E-mail addresses and links in the metadata.

/// Returns the addresses of a list such as `A B <a@b.c>, d@e.f (comment)`. Names in quotes and
/// comments may contain commas.
pub(crate) fn addresses(text: &str) -> Vec<String> {
    let (mut parts, mut is_quoted, mut comments) = (vec![String::new()], false, 0_usize);
    for c in text.chars() {
        match c {
            '"' if comments == 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => comments += 1,
            ')' if !is_quoted && comments > 0 => comments -= 1,
            ',' | ';' if !is_quoted && comments == 0 => parts.push(String::new()),
            c if comments == 0 => parts.last_mut().into_iter().for_each(|part| part.push(c)),
            _ => {}
        }
    }
    let address = |part: &String| {
        let part = part.trim();
        let inner = part.rsplit_once('<').map_or(part, |(_, rest)| rest.trim_end_matches('>'));
        inner.trim().to_owned()
    };
    parts.iter().map(address).filter(|address| !address.is_empty()).collect()
}

/// True if the index accepts `text` as an e-mail address: words in any alphabet with dots between
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

/// True if the index accepts `text` as the URL of a link: the scheme is `http` or `https`, and the
/// port, if any, is valid.
pub(crate) fn is_link(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let host = rest.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let is_number = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    ["http", "https"].iter().any(|own| scheme.eq_ignore_ascii_case(own))
        && (!is_number || port.parse::<u16>().is_ok())
}

/// True if a browser can follow the link `text`.
pub(crate) fn is_url(text: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (own, rest) = text.split_at_checked(scheme.len())?;
        own.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let is_host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']);
    rest.is_some_and(is_host) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
