//! Answers HTTP requests for a site: pages in the requested form, and files.

use std::path::PathBuf;

use super::layout::PAGES;
use crate::name::ProjectName;
use crate::sys::http::{Body, Request, Response};

/// Server of the files in a site.
#[derive(Debug, Clone)]
pub struct Responder {
    root: PathBuf,
}

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";

impl Responder {
    /// Creates the server of the site at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Answers one request.
    pub fn respond(&self, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::text(405, "only GET and HEAD are answered\n")
                .with("Allow", "GET, HEAD".to_owned());
        }
        let path = request.target.split(['?', '#']).next().unwrap_or_default();
        let Some(parts) = parts(path) else { return missing() };
        let mut place = self.root.clone();
        place.extend(&parts);
        if !path.ends_with('/') && place.is_file() {
            return Response::file(place.clone(), content_type(&parts));
        }
        // Project names are normalised (PEP 503).
        if let [front @ .., "simple", name] =
            &parts.iter().map(String::as_str).collect::<Vec<_>>()[..]
            && let Ok(project) = name.parse::<ProjectName>()
            && (project.normalized() != *name || !path.ends_with('/'))
        {
            let front: String = front.iter().map(|part| format!("/{part}")).collect();
            return moved(format!("{front}/simple/{}/", project.normalized()));
        }
        if !place.join(PAGES[0]).is_file() {
            return missing();
        }
        if !path.ends_with('/') {
            return moved(format!("{path}/"));
        }
        let (page, kind) = match negotiate(&request.accept) {
            Some(JSON) if place.join(PAGES[1]).is_file() => (PAGES[1], JSON.to_owned()),
            Some(HTML) => (PAGES[0], HTML.to_owned()),
            Some(_) => (PAGES[0], "text/html; charset=utf-8".to_owned()),
            None => {
                let text = format!("there is `{JSON}`, `{HTML}` and `text/html`\n");
                return Response::text(406, &text);
            }
        };
        Response::file(place.join(page), kind).with("Vary", "Accept".to_owned())
    }
}

fn missing() -> Response {
    Response::text(404, "not found\n")
}

fn moved(to: String) -> Response {
    Response { status: 301, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
        .with("Location", to)
}

/// Splits a path into parts; `None` if it leaves the site or names a hidden file.
fn parts(path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for part in path.strip_prefix('/')?.split('/').filter(|part| !part.is_empty()) {
        let part = decode(part)?;
        if part.starts_with('.') || part.contains(['/', '\\', ':', '\0']) {
            return None;
        }
        parts.push(part);
    }
    Some(parts)
}

fn decode(part: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), part.bytes());
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn content_type(parts: &[String]) -> String {
    let name = parts.last().map(String::as_str).unwrap_or_default();
    let by_end = [
        (".html", "text/html; charset=utf-8"),
        (".json", "application/json"),
        (".css", "text/css; charset=utf-8"),
        (".metadata", "text/plain; charset=utf-8"),
        (".provenance", "application/json"),
        (".whl", "application/zip"),
        (".gz", "application/gzip"),
    ];
    let found = by_end.iter().find(|(end, _)| name.ends_with(end));
    found.map_or("application/octet-stream", |(_, kind)| kind).to_owned()
}

/// Returns the form that a client prefers (PEP 691); of equal ones the first that it names.
fn negotiate(accept: &str) -> Option<&'static str> {
    if accept.trim().is_empty() {
        return Some("text/html");
    }
    let mut best: Option<(&'static str, f32)> = None;
    for part in accept.split(',') {
        let mut words = part.split(';').map(str::trim);
        let form = match words.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            JSON | "application/vnd.pypi.simple.latest+json" => JSON,
            HTML | "application/vnd.pypi.simple.latest+html" => HTML,
            "text/html" | "text/*" | "*/*" => "text/html",
            _ => continue,
        };
        let quality = words.find_map(|word| word.strip_prefix("q="));
        let quality = quality.map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if quality > best.map_or(0.0, |(_, q)| q) {
            best = Some((form, quality));
        }
    }
    best.map(|(form, _)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_the_form_that_they_prefer() {
        let check = |accept: &str, expected: Option<&str>| {
            assert_eq!(negotiate(accept), expected, "{accept}");
        };
        check("", Some("text/html"));
        check("*/*", Some("text/html"));
        check("text/html,application/xhtml+xml,*/*;q=0.8", Some("text/html"));
        check(&format!("{JSON}, {HTML};q=0.1, text/html;q=0.01"), Some(JSON));
        check(&format!("{JSON};q=0.2, {HTML};q=0.9"), Some(HTML));
        check("application/vnd.pypi.simple.latest+json", Some(JSON));
        check("image/png", None);
        check(&format!("{JSON};q=0"), None);
    }

    #[test]
    fn paths_stay_in_the_site() {
        let check = |path: &str, expected: Option<&[&str]>| {
            let parts = parts(path);
            assert_eq!(
                parts.as_deref().map(|p| p.iter().map(String::as_str).collect::<Vec<_>>()),
                expected.map(<[&str]>::to_vec),
                "{path}"
            );
        };
        check("/", Some(&[]));
        check("/simple/a/", Some(&["simple", "a"]));
        check("/files/a%2Bb.whl", Some(&["files", "a+b.whl"]));
        for path in
            ["", "x", "/../x", "/%2e%2e/x", "/a%2Fb", "/.wheelsmith/lock", "/a%5Cb", "/%zz", "/%e9"]
        {
            check(path, None);
        }
    }
}
