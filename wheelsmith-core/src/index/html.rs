//! HTML pages of the simple repository API (PEP 503, 592, 629, 658, 714, 740, 792).
//!
//! Installers read every anchor of a project's page as a file, so other links are buttons of forms.
//! No page needs scripts, and the content policy forbids them.

use std::fmt::Write as _;

use super::dist_name::Parts;
use super::escape::{Attribute, Text};
use super::json::VERSION;
use super::layout::{STYLE, href, provenance_url, simple, up};
use super::page::Page;
use super::state::{File, Project, Projects};
use super::{Status, View};
use crate::name::size_text;

/// Content policy of every page: its style sheet, and no scripts.
const POLICY: &str = "default-src 'none'; style-src 'self' file:; form-action 'self' file:; \
                      base-uri 'none'";

fn head(out: &mut String, title: &str, style: &str, more: &str) {
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"pypi:repository-version\" content=\"{VERSION}\">\n{more}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{title}</title>\n<link rel=\"stylesheet\" href=\"{style}\">\n</head>\n<body>\n",
        title = Text(title)
    );
}

/// Returns the list of projects.
pub(super) fn root(place: &View, projects: &Projects, site_url: Option<&str>) -> Vec<u8> {
    let mut out = String::with_capacity(2000 + 100 * projects.len());
    head(&mut out, "Packages", &format!("{}{STYLE}", up(place, 0)), "");
    out.push_str("<main>\n<h1>Packages");
    if !place.is_main() {
        let _ = write!(out, " <small>{}</small>", Text(place.as_str()));
    }
    out.push_str("</h1>\n");
    install(&mut out, place, site_url, "PACKAGE", "this page");
    out.push_str("<ul class=\"projects\">\n");
    for (name, project) in projects {
        let _ = write!(out, "<li><a href=\"{name}/\">{name}</a>");
        badge(&mut out, project.status);
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n</main>\n</body>\n</html>\n");
    out.into_bytes()
}

/// Returns the page of a project.
pub(super) fn project(page: &Page<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(2000 + 1000 * page.files.len());
    let up = up(page.place, 1);
    let Project { status, status_reason, .. } = page.project;
    let mut more = String::new();
    if *status != Status::Active {
        let status = status.as_str();
        let _ = writeln!(more, "<meta name=\"pypi:project-status\" content=\"{status}\">");
        if let Some(reason) = status_reason {
            let reason = Attribute(reason);
            let _ =
                writeln!(more, "<meta name=\"pypi:project-status-reason\" content=\"{reason}\">");
        }
    }
    head(&mut out, page.name, &format!("{up}{STYLE}"), &more);
    let _ = write!(
        out,
        "<main>\n<form action=\"../index.html\"><button>All packages</button></form>\n<h1>{}",
        page.name
    );
    badge(&mut out, *status);
    out.push_str("</h1>\n");
    if let Some(summary) = page.files.iter().rev().find_map(|(_, _, file)| file.summary.as_ref()) {
        let _ = writeln!(out, "<p>{}</p>", Text(summary));
    }
    if let Some(reason) = status_reason {
        let _ = writeln!(out, "<p class=\"note\">{}: {}</p>", status.as_str(), Text(reason));
    }
    if *status == Status::Quarantined {
        out.push_str("<p class=\"note\">Its files are not listed.</p>\n");
    } else {
        install(&mut out, page.place, page.site_url, page.name, "the page of all packages");
        for files in page.files.chunk_by(|a, b| a.0.version == b.0.version).rev() {
            version(&mut out, page, &up, files);
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out.into_bytes()
}

fn badge(out: &mut String, status: Status) {
    if status != Status::Active {
        let _ = write!(out, " <b class=\"badge\">{}</b>", status.as_str());
    }
}

/// Writes the commands that install a project from this index.
fn install(out: &mut String, place: &View, site_url: Option<&str>, what: &str, whose: &str) {
    let url = match site_url {
        Some(site) => format!("{site}{}/", simple(place)),
        None => "URL".to_owned(),
    };
    let _ = write!(
        out,
        "<section class=\"install\">\n<h2>Install</h2>\n<pre><code>pip install --index-url {url} \
         {what}</code></pre>\n<pre><code>uv pip install --default-index {url} {what}</code></pre>\n",
        url = Text(&url)
    );
    if site_url.is_none() {
        let _ = writeln!(out, "<p class=\"dim\">URL is the address of {whose}.</p>");
    }
    out.push_str("</section>\n");
}

/// Writes the files of one version.
fn version(out: &mut String, page: &Page<'_>, up: &str, files: &[(Parts<'_>, &str, &File)]) {
    let Some((first, ..)) = files.first() else { return };
    let is_yanked = files.iter().all(|(_, _, file)| file.yanked.is_some());
    let _ = write!(out, "<section>\n<h2>{}", first.version);
    if is_yanked {
        out.push_str(" <b class=\"badge\">yanked</b>");
    }
    out.push_str("</h2>\n<ul class=\"files\">\n");
    for (parts, filename, file) in files {
        out.push_str("<li>");
        anchor(out, page, up, filename, file);
        if let Some(reason) = &file.yanked {
            let reason = if reason.is_empty() { "no reason given" } else { reason };
            let _ = write!(out, "<p class=\"note\">yanked: {}</p>", Text(reason));
        }
        let _ = write!(out, "<dl><div><dt>Size<dd>{}</div>", size_text(file.size_bytes));
        if let Some([python, abi, platform]) = parts.tags {
            let _ = write!(
                out,
                "<div><dt>Python<dd>{python}-{abi}</div><div><dt>Platform<dd>{}</div>",
                platform.replace('.', " ")
            );
        } else {
            out.push_str("<div><dt>Kind<dd>source</div>");
        }
        if let Some(needs) = &file.requires_python {
            let _ = write!(out, "<div><dt>Requires Python<dd>{}</div>", Text(needs));
        }
        if let Some(time) = &file.upload_time {
            let _ = write!(out, "<div><dt>Uploaded<dd>{}</div>", Text(time));
        }
        let _ = writeln!(
            out,
            "</dl><details><summary>sha256</summary><code>{}</code></details></li>",
            file.sha256
        );
    }
    out.push_str("</ul>\n</section>\n");
}

/// Writes the attributes that installers read.
fn anchor(out: &mut String, page: &Page<'_>, up: &str, filename: &str, file: &File) {
    let href = href(up, filename, file);
    let _ = write!(out, "<a href=\"{}#sha256={}\"", Attribute(&href), file.sha256);
    if let Some(needs) = &file.requires_python {
        let _ = write!(out, " data-requires-python=\"{}\"", Attribute(needs));
    }
    if let Some(digest) = &file.metadata_sha256 {
        // The second name is that of PEP 658, which older installers read.
        let _ = write!(
            out,
            " data-core-metadata=\"sha256={digest}\" data-dist-info-metadata=\"sha256={digest}\""
        );
    }
    if let Some(reason) = &file.yanked {
        let _ = write!(out, " data-yanked=\"{}\"", Attribute(reason));
    }
    if let Some(url) = provenance_url(page.site_url, filename, file) {
        let _ = write!(out, " data-provenance=\"{}\"", Attribute(&url));
    }
    let _ = write!(out, ">{filename}</a>");
}
