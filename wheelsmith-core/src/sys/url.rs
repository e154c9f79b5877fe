//! Hosts in URLs.

/// Returns the host and port of a URL, with the user name if there is one.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// True if `url` is on this machine. A URL with a user name is not, because programs disagree about
/// where its host begins.
pub fn is_loopback(url: &str) -> bool {
    let authority = authority(url);
    let (name, port) = match authority.strip_prefix('[').and_then(|six| six.split_once(']')) {
        Some(parts) => parts,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port =
        |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let is_host = name.starts_with("127.") && name.parse::<std::net::Ipv4Addr>().is_ok()
        || name == "::1"
        || name == "localhost";
    is_host && (port.is_empty() || is_port(port))
}
