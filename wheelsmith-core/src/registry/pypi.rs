//! Python package index: pages of the simple API in JSON and HTML, and the form of uploads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::{Presence, join};
use crate::metadata::fields::Fields;
use crate::name::{Digest, ProjectName};
use crate::sys::request::{Auth, Part, Request};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// Fields that may be repeated, with their names in the form.
const REPEATED: [(&str, &str); 16] = [
    ("classifier", "classifiers"),
    ("project-url", "project_urls"),
    ("license-file", "license_file"),
    ("dynamic", "dynamic"),
    ("platform", "platform"),
    ("supported-platform", "supported_platform"),
    ("provides-extra", "provides_extra"),
    ("provides-dist", "provides_dist"),
    ("requires-dist", "requires_dist"),
    ("requires-external", "requires_external"),
    ("obsoletes-dist", "obsoletes_dist"),
    ("requires", "requires"),
    ("provides", "provides"),
    ("obsoletes", "obsoletes"),
    ("import-name", "import_names"),
    ("import-namespace", "import_namespaces"),
];

/// Page of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Files by name.
    pub files: BTreeMap<String, PageFile>,
}

/// File on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFile {
    /// Digest, if the page has one.
    pub sha256: Option<Digest>,
    /// Size in bytes, if the page has it.
    pub size_bytes: Option<u64>,
    /// Time of the upload, such as `2026-01-31T00:00:00.5Z`.
    pub upload_time: Option<String>,
    /// True if it was withdrawn from new installations.
    pub is_yanked: bool,
}

impl Page {
    /// Parses a page; `content_type` decides its format.
    ///
    /// # Errors
    /// Returns the reason if the text is in neither format.
    pub fn parse(content_type: &str, body: &[u8]) -> Result<Self, String> {
        if content_type.contains("json") {
            let page: JsonPage = serde_json::from_slice(body).map_err(|error| error.to_string())?;
            let files = page.files.into_iter().map(|file| {
                let yanked = match file.yanked {
                    serde_json::Value::Null => false,
                    serde_json::Value::Bool(is_yanked) => is_yanked,
                    _ => true,
                };
                let row = PageFile {
                    sha256: file.hashes.get("sha256").and_then(|digest| digest.parse().ok()),
                    size_bytes: file.size,
                    upload_time: file.upload_time,
                    is_yanked: yanked,
                };
                (file.filename, row)
            });
            return Ok(Self { files: files.collect() });
        }
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        if !text.to_ascii_lowercase().contains("<html") && !text.contains("<a ") {
            return Err("it is neither JSON nor HTML of the simple API".to_owned());
        }
        Ok(Self { files: text.split("<a ").skip(1).filter_map(anchor).collect() })
    }

    /// Compares a file with ours.
    pub fn presence(&self, filename: &str, sha256: Digest) -> Presence {
        match self.files.get(filename) {
            Some(file) => Presence::of(file.sha256.as_ref(), &sha256),
            None => Presence::Absent,
        }
    }
}

/// Parses a link, behind `<a `: `href="URL#sha256=…" …>NAME</a>`.
fn anchor(text: &str) -> Option<(String, PageFile)> {
    let (attributes, rest) = text.split_once('>')?;
    let (name, _) = rest.split_once("</a")?;
    let name = name.trim().replace("&amp;", "&");
    let (_, href) = attributes.split_once("href=")?;
    let quote = href.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let href = href[1..].split(quote).next()?;
    let digest = href.rsplit_once("#sha256=").and_then(|(_, digest)| digest.parse().ok());
    let is_yanked = attributes.contains("data-yanked");
    Some((name, PageFile { sha256: digest, is_yanked, ..PageFile::default() }))
}

#[derive(Deserialize)]
struct JsonPage {
    files: Vec<JsonFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile {
    filename: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    size: Option<u64>,
    upload_time: Option<String>,
    #[serde(default)]
    yanked: serde_json::Value,
}

/// Returns the request for the page of a project.
pub fn look(simple: &str, project: &ProjectName) -> Request {
    let url = join(simple, &format!("{}/", project.normalized()));
    Request::new("GET", url)
        .header("accept", format!("{JSON}, text/html;q=0.5"))
        .header("cache-control", "max-age=0")
}

/// Returns the form of an upload; `metadata` is METADATA or PKG-INFO, `python` the Python tag of a
/// wheel.
pub fn upload(
    url: &str,
    metadata: &[u8],
    python: Option<&str>,
    file: &super::File<'_>,
    auth: Option<&Auth>,
) -> Request {
    let boundary = format!("wheelsmith-{}", file.sha256.short());
    let mut head = String::new();
    for (name, value) in form(metadata, python, file.sha256) {
        let _ = write!(
            head,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    let _ = write!(
        head,
        "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        file.name
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    Request::new("POST", url)
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .header("accept", "application/json;q=0.9, text/plain;q=0.8")
        .auth(auth)
        .body([
            Part::Bytes(head.into_bytes()),
            Part::File(file.path.to_owned(), file.size_bytes, file.sha256),
            Part::Bytes(tail.into_bytes()),
        ])
}

/// Returns the fields of the form without the file, in order.
pub fn form(metadata: &[u8], python: Option<&str>, sha256: Digest) -> Vec<(String, String)> {
    let fields = Fields::read(metadata);
    let filetype = if python.is_some() { "bdist_wheel" } else { "sdist" };
    let mut form = vec![
        (":action".to_owned(), "file_upload".to_owned()),
        ("protocol_version".to_owned(), "1".to_owned()),
        ("filetype".to_owned(), filetype.to_owned()),
        ("pyversion".to_owned(), python.unwrap_or("source").to_owned()),
        ("sha256_digest".to_owned(), sha256.to_string()),
    ];
    for (name, value) in &fields.list {
        let lower = name.to_ascii_lowercase();
        let repeated = REPEATED.iter().find(|(field, _)| *field == lower);
        let name = repeated.map_or_else(|| lower.replace('-', "_"), |(_, name)| (*name).to_owned());
        form.push((name, value.clone()));
    }
    let has = |form: &[(String, String)], name: &str| form.iter().any(|(own, _)| own == name);
    if !has(&form, "description") && !fields.body.is_empty() {
        form.push(("description".to_owned(), fields.body.to_owned()));
    }
    if !has(&form, "requires_python") {
        form.push(("requires_python".to_owned(), String::new()));
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_in_both_formats() {
        let digest = Digest::of(b"a");
        let html = format!(
            "<!DOCTYPE html><html><body><a href=\"../f/a-1.tar.gz#sha256={digest}\">a-1.tar.gz</a>\
             <a data-yanked=\"\" href='b#md5=1'>a-2.tar.gz</a></body></html>"
        );
        let json = format!(
            r#"{{"files":[{{"filename":"a-1.tar.gz","hashes":{{"sha256":"{digest}"}},"url":"x"}},
            {{"filename":"a-2.tar.gz","hashes":{{}},"url":"x","yanked":"bad"}}]}}"#
        );
        for (kind, text) in [("text/html; charset=utf-8", html), (JSON, json)] {
            let page = Page::parse(kind, text.as_bytes()).unwrap();
            assert_eq!(page.presence("a-1.tar.gz", digest), Presence::Same, "{kind}");
            let other = Presence::Other(digest.to_string());
            assert_eq!(page.presence("a-1.tar.gz", Digest::of(b"b")), other);
            assert_eq!(page.presence("a-2.tar.gz", digest), Presence::Unproven);
            assert_eq!(page.presence("a-3.tar.gz", digest), Presence::Absent);
            assert!(page.files["a-2.tar.gz"].is_yanked && !page.files["a-1.tar.gz"].is_yanked);
        }
        Page::parse("text/plain", b"not found").unwrap_err();
        Page::parse(JSON, b"<html>").unwrap_err();
    }
}
