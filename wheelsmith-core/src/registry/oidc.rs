//! Trusted publishing: an identity token of the CI is exchanged for a token of a registry, which
//! lives for minutes.

use serde_json::Value;

use super::{join, npm, sentence};
use crate::sys::request::{Auth, Part, Request, Response, Secret};

/// Registry that exchanges tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange<'a> {
    /// Python index, with the URL of uploads.
    Pypi(&'a str),
    /// npm registry, and a package.
    Npm(&'a str, &'a str),
    /// Registry of crates, with the URL of its API.
    Crates(&'a str),
}

/// Returns `scheme://host[:port]` of a URL.
pub(crate) fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

impl Exchange<'_> {
    /// Returns the request for the audience; `None` if the audience follows from the URL.
    pub fn audience_request(self) -> Option<Request> {
        match self {
            Self::Pypi(url) => Some(Request::new("GET", join(origin(url), "_/oidc/audience"))),
            Self::Npm(..) | Self::Crates(_) => None,
        }
    }

    /// Returns the audience that follows from the URL.
    pub fn audience(self) -> String {
        let host = |url| origin(url).split_once("://").map_or("", |(_, host)| host).to_owned();
        match self {
            Self::Pypi(url) | Self::Crates(url) => host(url),
            Self::Npm(url, _) => format!("npm:{}", host(url)),
        }
    }

    /// Returns the request that exchanges `identity`. An identity token is accepted only once.
    pub fn request(self, identity: Secret) -> Request {
        let json = |url: String, key: &'static str, secret: Secret| {
            Request::new("POST", url)
                .header("content-type", "application/json")
                .body([Part::SecretJson(key, secret)])
        };
        match self {
            Self::Pypi(url) => json(join(origin(url), "_/oidc/mint-token"), "token", identity),
            Self::Crates(api) => {
                json(join(api, "api/v1/trusted_publishing/tokens"), "jwt", identity)
            }
            Self::Npm(registry, name) => {
                let path = "-/npm/v1/oidc/token/exchange/package";
                let url = join(registry, &format!("{path}/{}", npm::escaped(name)));
                Request::new("POST", url).auth(Some(&Auth::Bearer(identity)))
            }
        }
    }
}

/// Returns the request for GitHub's identity token; `url` and `token` come from the environment of a
/// job with the permission `id-token: write`.
pub fn github(url: &str, token: Secret, audience: &str) -> Request {
    let sign = if url.contains('?') { '&' } else { '?' };
    let audience = audience.replace(':', "%3A").replace('/', "%2F");
    Request::new("GET", format!("{url}{sign}audience={audience}")).auth(Some(&Auth::Bearer(token)))
}

/// Returns the text of a key in a response, such as `token`.
///
/// # Errors
/// Returns the status and the server's words.
pub fn value(response: &Response, key: &str) -> Result<String, String> {
    let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match value[key].as_str() {
        Some(text) if response.is_success() && !text.is_empty() => Ok(text.to_owned()),
        _ if response.is_success() => Err(format!("the response has no `{key}`")),
        _ => Err(format!("status {}{}", response.status, sentence(response))),
    }
}

/// Returns the claims of an identity token that registries compare, for a message. The signature is
/// not part of them.
pub fn claims(token: &Secret) -> String {
    use base64::Engine as _;
    const SHOWN: [&str; 9] = [
        "sub",
        "repository",
        "job_workflow_ref",
        "workflow_ref",
        "ref",
        "environment",
        "project_path",
        "ci_config_ref_uri",
        "aud",
    ];
    let payload = token.expose().split('.').nth(1).unwrap_or_default();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = engine.decode(payload.trim_end_matches('=')).unwrap_or_default();
    let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let shown = SHOWN.iter().filter_map(|key| Some(format!("{key}={}", payload[*key].as_str()?)));
    shown.collect::<Vec<_>>().join(", ")
}
