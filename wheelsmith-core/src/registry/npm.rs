//! npm registry: documents of packages, publication and tags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{File, Integrity, Presence, join};
use crate::sys::request::{Auth, Part, Request};

/// Document of a package.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Document {
    /// Versions by number.
    #[serde(default)]
    pub versions: BTreeMap<String, Version>,
    /// Versions by tag.
    #[serde(default, rename = "dist-tags")]
    pub tags: BTreeMap<String, String>,
}

/// Published version.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Version {
    #[serde(default)]
    dist: Dist,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Dist {
    integrity: Option<String>,
}

impl Document {
    /// Parses a document.
    ///
    /// # Errors
    /// Returns the reason if the text is not JSON of this form.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }

    /// Compares a version with ours.
    pub fn presence(&self, version: &str, integrity: &Integrity) -> Presence {
        let Some(found) = self.versions.get(version) else { return Presence::Absent };
        let digests = found.dist.integrity.as_deref().unwrap_or_default();
        let sha512 = digests.split_whitespace().find_map(|text| text.strip_prefix("sha512-"));
        Presence::of(sha512.map(|text| Integrity(text.to_owned())).as_ref(), integrity)
    }
}

/// Returns the name as it is written in a URL.
pub fn escaped(name: &str) -> String {
    name.replace('/', "%2f")
}

/// Returns the request for the document of a package.
pub fn look(registry: &str, name: &str, auth: Option<&Auth>) -> Request {
    Request::new("GET", join(registry, &escaped(name)))
        .header("accept", "application/json")
        .header("cache-control", "no-cache")
        .auth(auth)
}

/// Returns who may install a new package: `public`, or what the manifest says.
pub fn access(manifest: &Value) -> &str {
    manifest["publishConfig"]["access"].as_str().unwrap_or("public")
}

/// Returns the publication of a tarball under `tag`; `manifest` is its `package.json`.
pub fn publish(
    registry: &str,
    manifest: &Value,
    tag: &str,
    digests: (&Integrity, &str),
    file: &File<'_>,
    auth: Option<&Auth>,
) -> Request {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default();
    let (name, version) = (text("name"), text("version"));
    let tarball = format!("{name}-{version}.tgz");
    let short = tarball.rsplit('/').next().unwrap_or_default();
    let url = join(registry, &format!("{name}/-/{short}"));
    let mut own = manifest.clone();
    own["_id"] = json!(format!("{name}@{version}"));
    own["dist"] =
        json!({ "integrity": digests.0.to_string(), "shasum": digests.1, "tarball": url });
    let document = json!({
        "_id": name,
        "name": name,
        "description": manifest["description"],
        "access": access(manifest),
        "dist-tags": { tag: version },
        "versions": { version: own },
    });
    // The content is added as text, so that it is read from the file while it is sent.
    let head = document.to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    let content = "\"content_type\":\"application/octet-stream\"";
    let length = file.size_bytes;
    let head = format!(
        "{head},\"_attachments\":{{{}:{{{content},\"length\":{length},\"data\":\"",
        json!(tarball)
    );
    Request::new("PUT", join(registry, &escaped(name)))
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .auth(auth)
        .body([
            Part::Bytes(head.into_bytes()),
            Part::Base64(file.path.to_owned(), file.size_bytes, file.sha256),
            Part::Bytes(b"\"}}}".to_vec()),
        ])
}

/// Returns the request that points a tag at a version.
pub fn set_tag(
    registry: &str,
    name: &str,
    tag: &str,
    version: &str,
    auth: Option<&Auth>,
) -> Request {
    let url = join(registry, &format!("-/package/{}/dist-tags/{tag}", escaped(name)));
    Request::new("PUT", url)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .auth(auth)
        .body([Part::Bytes(json!(version).to_string().into_bytes())])
}
