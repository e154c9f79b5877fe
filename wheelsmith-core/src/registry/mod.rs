//! Protocols of package registries as values: requests to send, and the meaning of responses. No
//! function here uses the network.
//!
//! The bytes that a registry serves are compared by digest; the text of an error never decides
//! anything, because registries word the same error differently.

pub mod crates;
pub mod npm;
pub mod oidc;
pub mod pypi;

use std::fmt;
use std::path::Path;

use crate::name::Digest;
use crate::sys::request::Response;

/// Longest sentence of a server that is shown, in characters.
const LONGEST_REASON: usize = 300;

/// File of a registry under the name of one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// No such file.
    Absent,
    /// The same bytes.
    Same,
    /// Other bytes, with this digest.
    Other(String),
    /// A file without a digest that could be compared.
    Unproven,
}

impl Presence {
    /// Compares a digest of the registry with ours.
    fn of<T: PartialEq + fmt::Display>(found: Option<&T>, ours: &T) -> Self {
        match found {
            Some(found) if found == ours => Self::Same,
            Some(found) => Self::Other(found.to_string()),
            None => Self::Unproven,
        }
    }
}

/// Meaning of the response to an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The registry accepted the file.
    Accepted,
    /// The registry asks to wait for this many seconds.
    Wait(u64),
    /// The registry failed. It may have stored the file.
    Unknown(String),
    /// The registry refused the file, or has one of that name.
    Refused(String),
    /// The registry did not accept the credential.
    Denied(String),
}

/// Interprets the response to an upload; `now` is the time in seconds since 1970.
pub fn sent(response: &Response, now: u64) -> Sent {
    let status = response.status;
    let reason = || format!("status {status}{}", sentence(response));
    let wait = response.header("retry-after").and_then(|text| retry_after(text, now));
    match status {
        429 => Sent::Wait(wait.unwrap_or(30)),
        503 if wait.is_some() => Sent::Wait(wait.unwrap_or_default()),
        200..=299 if has_errors(&response.body) => Sent::Refused(reason()),
        200..=299 => Sent::Accepted,
        300..=399 => {
            let to = response.redact(response.header("location").unwrap_or("another URL"));
            Sent::Refused(format!("status {status}: a redirect to `{to}`; configure that URL"))
        }
        401 | 403 => Sent::Denied(reason()),
        408 | 500..=599 => Sent::Unknown(reason()),
        _ => Sent::Refused(reason()),
    }
}

/// True if a successful response has errors, as those of old servers of crates have.
fn has_errors(body: &[u8]) -> bool {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    value["errors"].as_array().is_some_and(|errors| !errors.is_empty())
}

/// Returns the server's own words, on one line; empty if there are none.
fn sentence(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let value: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let first = &value["errors"][0];
    let words = ["detail", "description", "message", "code"].map(|key| first[key].as_str());
    let words =
        words.into_iter().chain(["error", "message", "detail"].map(|key| value[key].as_str()));
    let words = words.flatten().next().map(str::to_owned).or_else(|| {
        // A page for people: its text without tags.
        let mut is_tag = false;
        let keep = |c: &char| {
            is_tag = *c == '<' || is_tag && *c != '>';
            !is_tag && *c != '>'
        };
        value.is_null().then(|| text.chars().take(8000).filter(keep).collect())
    });
    let words = words.unwrap_or_default();
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = response.redact(&words.join(" "));
    let words: String = words.chars().take(LONGEST_REASON).collect();
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// Returns the seconds until the time of `Retry-After`: a number, or a date.
fn retry_after(text: &str, now: u64) -> Option<u64> {
    let text = text.trim();
    let date = || Some(http_date(text)?.saturating_sub(now).saturating_add(1));
    text.parse().ok().or_else(date)
}

/// Parses `Tue, 01 Dec 2026 00:25:00 GMT` to seconds since 1970.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let words: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let clock: Option<Vec<u64>> = time.split(':').map(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds] = clock?[..] else { return None };
    let is_valid = (1970..10_000).contains(&year) && (1..=31).contains(&day);
    if !is_valid || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

/// Returns the number of days from 1970-01-01 to a date.
pub(crate) fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    days.checked_sub(719_468)
}

/// Joins the URL of a registry and a path.
fn join(base: &str, path: &str) -> String {
    format!("{}/{path}", base.trim_end_matches('/'))
}

/// File to send.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// File name in the registry.
    pub name: &'a str,
    /// Path on disk.
    pub path: &'a Path,
    /// Digest.
    pub sha256: Digest,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// Digest of npm: SHA-512 in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrity(pub String);

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha512-{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::request::Secret;

    #[test]
    fn dates_of_http_are_read() {
        let check =
            |text: &str, expected: Option<u64>| assert_eq!(http_date(text), expected, "{text}");
        check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        check("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199));
        check("Tue, 01 Dec 2026 00:00:00 UTC", None);
        check("Tue, 99 Dec 2026 00:00:00 GMT", None);
        check("30", None);
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770), Some(8));
        assert_eq!(retry_after("7", 0), Some(7));
    }

    #[test]
    fn responses_have_a_meaning() {
        let check = |status: u16, header: Option<(&str, &str)>, body: &str, expected: Sent| {
            let headers = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let headers = headers.into_iter().collect();
            let body = body.as_bytes().to_vec();
            let secrets = vec![Secret::new("secret-a")];
            let response = Response { status, headers, body, secrets };
            assert_eq!(sent(&response, 0), expected);
        };
        check(201, None, "", Sent::Accepted);
        let errors = r#"{"errors":[{"detail":"already uploaded"}]}"#;
        check(200, None, errors, Sent::Refused("status 200: already uploaded".into()));
        check(429, Some(("retry-after", "9")), "", Sent::Wait(9));
        check(429, None, "", Sent::Wait(30));
        check(503, None, "", Sent::Unknown("status 503".into()));
        let page = "<html><h1>409 Conflict</h1>\n<b>the file</b> exists</html>";
        let text = "status 409: 409 Conflict the file exists";
        check(409, None, page, Sent::Refused(text.into()));
        check(403, None, r#"{"error":"no"}"#, Sent::Denied("status 403: no".into()));
        let to = Some(("location", "https://example.org/legacy/"));
        let text = "status 301: a redirect to `https://example.org/legacy/`; configure that URL";
        let escaped = r#"{"error":"no \u0073ecret-a"}"#;
        check(400, None, escaped, Sent::Refused("status 400: no ***".into()));
        check(301, to, "", Sent::Refused(text.into()));
    }
}
