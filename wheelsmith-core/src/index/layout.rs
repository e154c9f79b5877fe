//! Paths in a site, with `/` between the parts.

use super::View;
use super::escape::url_part;
use super::state::File;
use crate::name::Digest;

/// State file.
pub(super) const STATE: &str = "wheelsmith-index.json";
/// Private directory, never published: lock, cache, unfinished files.
pub(super) const PRIVATE: &str = ".wheelsmith";
/// Directory of a new view's pages until all of them are written.
pub(super) const NEW: &str = ".wheelsmith/new";
/// Directory of distributions. Each is in a directory named after its digest, so that two views can
/// have files with the same name and different content.
pub(super) const STORE: &str = "files";
/// Style sheet.
pub(super) const STYLE: &str = "style.css";
/// File that names the view behind `latest`.
pub(super) const POINTER: &str = "latest.json";
/// Page for people and installers, and page for programs.
pub(super) const PAGES: [&str; 2] = ["index.html", "index.json"];

/// Returns the directory of a view's list of projects.
pub(super) fn simple(view: &View) -> String {
    if view.is_main() { "simple".to_owned() } else { format!("{}/simple", view.as_str()) }
}

/// Returns the directory of a file in the store. Sixteen digits keep names apart; clients compare
/// the full digest.
pub(super) fn stored_in(digest: &Digest) -> String {
    digest.to_string()[..16].to_owned()
}

/// Returns the relative path from a view's list of projects, or with `deeper` from a project's
/// page, up to the site.
pub(super) fn up(view: &View, deeper: usize) -> String {
    "../".repeat(view.depth() + 1 + deeper)
}

/// Returns the URL of a file in a project's page; `up` is the path from the page to the site.
pub(super) fn href(up: &str, filename: &str, file: &File) -> String {
    match &file.url {
        Some(url) => url.clone(),
        None => format!("{up}{STORE}/{}/{}", stored_in(&file.sha256), url_part(filename)),
    }
}

/// Returns the absolute URL of a file's provenance, which PEP 740 requires; `None` if the URL of
/// the site is unknown.
pub(super) fn provenance_url(
    site_url: Option<&str>,
    filename: &str,
    file: &File,
) -> Option<String> {
    file.provenance_sha256?;
    let url = match (&file.url, site_url) {
        (Some(url), _) => url.clone(),
        (None, Some(site)) => href(site, filename, file),
        (None, None) => return None,
    };
    Some(format!("{url}.provenance"))
}
