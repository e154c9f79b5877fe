//! Where things lie in a site, `/` between the parts.

use super::View;
use super::escape::url_part;
use super::state::File;
use crate::name::Digest;

/// The state.
pub(super) const STATE: &str = "wheelsmith-index.json";
/// What is ours and never published: the lock, the cache, files that are not whole yet.
pub(super) const PRIVATE: &str = ".wheelsmith";
/// Where the pages of a new view lie until all of them are there.
pub(super) const NEW: &str = ".wheelsmith/new";
/// Distributions, each in a directory named after its digest, so that files of one name and other
/// content can stand beside each other for different views.
pub(super) const STORE: &str = "files";
/// How pages look.
pub(super) const STYLE: &str = "style.css";
/// Where `latest` leads, for programs.
pub(super) const POINTER: &str = "latest.json";
/// A page for people and installers, and the same for programs.
pub(super) const PAGES: [&str; 2] = ["index.html", "index.json"];

/// The directory of a view's list of projects.
pub(super) fn simple(view: &View) -> String {
    if view.is_main() { "simple".to_owned() } else { format!("{}/simple", view.as_str()) }
}

/// The directory of a file in the store. Sixteen digits keep names apart; it is the digest in full
/// that clients check.
pub(super) fn stored_in(digest: &Digest) -> String {
    digest.to_string()[..16].to_owned()
}

/// From the list of projects of a view, or with `deeper` from a project's page, up to the site.
pub(super) fn up(view: &View, deeper: usize) -> String {
    "../".repeat(view.depth() + 1 + deeper)
}

/// The URL of a file as a project's page has it, `up` being the way to the site.
pub(super) fn href(up: &str, filename: &str, file: &File) -> String {
    match &file.url {
        Some(url) => url.clone(),
        None => format!("{up}{STORE}/{}/{}", stored_in(&file.sha256), url_part(filename)),
    }
}

/// The absolute URL of the provenance of a file (PEP 740 allows no other), where that is known.
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
