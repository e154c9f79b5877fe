//! JSON pages of the simple repository API 1.4 (PEP 691, 700, 714, 740, 792).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Status;
use super::layout::{href, provenance_url, up};
use super::page::Page;
use super::state::Projects;
use crate::name::Digest;

/// Version of the API.
pub(super) const VERSION: &str = "1.4";

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

const META: Meta = Meta { api_version: VERSION };

#[derive(Serialize)]
struct Root<'a> {
    meta: Meta,
    projects: Vec<Name<'a>>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Detail<'a> {
    meta: Meta,
    name: &'a str,
    project_status: ProjectStatus<'a>,
    versions: Vec<String>,
    files: Vec<FileDetail<'a>>,
}

#[derive(Serialize)]
struct ProjectStatus<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FileDetail<'a> {
    filename: &'a str,
    url: String,
    hashes: BTreeMap<&'static str, String>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<&'a str>,
    // Omits the PEP 658 key in JSON, because some pip releases reject it.
    #[serde(skip_serializing_if = "Option::is_none")]
    core_metadata: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yanked: Option<Yanked<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Yanked<'a> {
    Mark(bool),
    Reason(&'a str),
}

/// Returns the list of projects.
pub(super) fn root(projects: &Projects) -> Vec<u8> {
    let projects = projects.keys().map(|name| Name { name }).collect();
    render(&Root { meta: META, projects })
}

/// Returns the page of a project.
pub(super) fn project(page: &Page<'_>) -> Vec<u8> {
    let mut versions: Vec<String> = page.files.iter().map(|f| f.0.version.to_string()).collect();
    versions.dedup();
    let is_offered = page.project.status != Status::Quarantined;
    render(&Detail {
        meta: META,
        name: page.name,
        project_status: ProjectStatus {
            status: page.project.status.as_str(),
            reason: page.project.status_reason.as_deref(),
        },
        versions: if is_offered { versions } else { Vec::new() },
        files: if is_offered { files(page) } else { Vec::new() },
    })
}

fn files<'a>(page: &Page<'a>) -> Vec<FileDetail<'a>> {
    let up = up(page.place, 1);
    let sha256 = |digest: &Digest| BTreeMap::from([("sha256", digest.to_string())]);
    let mut files = Vec::with_capacity(page.files.len());
    for &(_, filename, file) in &page.files {
        files.push(FileDetail {
            filename,
            url: href(&up, filename, file),
            hashes: sha256(&file.sha256),
            size: file.size_bytes,
            requires_python: file.requires_python.as_deref(),
            core_metadata: file.metadata_sha256.as_ref().map(sha256),
            upload_time: file.upload_time.as_deref(),
            yanked: file.yanked.as_deref().map(|reason| match reason {
                "" => Yanked::Mark(true),
                reason => Yanked::Reason(reason),
            }),
            provenance: provenance_url(page.site_url, filename, file),
        });
    }
    files
}

fn render(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(4000);
    // Cannot fail: there are only texts and numbers under text keys.
    let _ = serde_json::to_writer(&mut out, value);
    out
}
