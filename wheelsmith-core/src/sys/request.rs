//! HTTP requests with a body of known length. A status is no error, a redirect is not followed, and
//! a secret is printed as `***`.

use std::fmt;
use std::path::PathBuf;

use crate::name::Digest;

/// Text that no output contains: neither `Debug` nor a response.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Replaces the secret in a text of others by `***`.
    pub fn redact(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "***") }
    }

    /// Returns the text, to send it.
    #[cfg_attr(not(feature = "release"), allow(dead_code, reason = "only requests need it"))]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Value of the header `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// User and password.
    Basic(String, Secret),
    /// Bearer token.
    Bearer(Secret),
    /// The bare token.
    Token(Secret),
}

impl Auth {
    /// Returns the secret.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Basic(_, secret) | Self::Bearer(secret) | Self::Token(secret) => secret,
        }
    }
}

/// Part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// Content of a file with this size, in bytes, and this digest.
    File(PathBuf, u64, Digest),
    /// Content of a file with this size and digest, in base64.
    Base64(PathBuf, u64, Digest),
    /// JSON with a secret, which is the value of this key.
    SecretJson(&'static str, Secret),
}

/// Request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT`, `POST`, `DELETE`.
    pub method: &'static str,
    /// Absolute URL.
    pub url: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Authorization.
    pub auth: Option<Auth>,
    /// Parts of the body.
    pub body: Vec<Part>,
}

impl Request {
    /// Creates a request without a body.
    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), auth: None, body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the authorization.
    #[must_use]
    pub fn auth(mut self, auth: Option<&Auth>) -> Self {
        self.auth = auth.cloned();
        self
    }

    /// Sets the parts of the body.
    #[must_use]
    pub fn body(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.body = parts.into_iter().collect();
        self
    }
}

/// Response with any status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// `200`.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Content.
    pub body: Vec<u8>,
    /// Secrets of the request, which no message contains.
    pub secrets: Vec<Secret>,
}

impl Response {
    /// Replaces the secrets of the request in a text.
    pub fn redact(&self, text: &str) -> String {
        redact(&self.secrets, text)
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let own = self.headers.iter().find(|(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    /// True for 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Replaces secrets in a text.
pub(crate) fn redact(secrets: &[Secret], text: &str) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| secret.redact(&text))
}

#[cfg(feature = "release")]
pub(crate) use super::url::authority;
pub use super::url::is_loopback;

#[cfg(feature = "release")]
pub(crate) use client::{Client, SendError};

#[cfg(feature = "release")]
mod client {
    use std::io::{self, Read, Seek as _};
    use std::path::Path;
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Auth, Part, Request, Response, Secret, is_loopback, redact};
    use crate::name::Digest;
    use crate::sys::{Env, Host, net};

    /// Largest response that is read, in bytes.
    const LARGEST: u64 = 128 << 20;
    /// Longest wait for a response after the body was sent.
    const PATIENCE: Duration = Duration::from_mins(5);

    /// Reason why there is no response.
    #[derive(Debug, thiserror::Error)]
    pub(crate) enum SendError {
        /// The request cannot be sent at all.
        #[error("{0}")]
        Invalid(String),
        /// The connection failed. The server may have acted.
        #[error("{0}")]
        Lost(String),
    }

    /// Sender of requests with a pool of connections.
    pub(crate) struct Client {
        proxied: ureq::Agent,
        direct: ureq::Agent,
        env: Env,
    }

    impl std::fmt::Debug for Client {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Client")
        }
    }

    impl Client {
        pub(crate) fn new(host: &Host) -> Result<Self, SendError> {
            let agent = |proxy| -> Result<ureq::Agent, SendError> {
                let config = net::config(&host.env, proxy).map_err(SendError::Invalid)?;
                let config = config
                    .http_status_as_error(false)
                    .max_redirects(0)
                    .timeout_recv_response(Some(PATIENCE))
                    .timeout_per_read(Some(PATIENCE))
                    .timeout_per_write(Some(PATIENCE));
                Ok(config.build().into())
            };
            Ok(Self { proxied: agent(true)?, direct: agent(false)?, env: host.env.clone() })
        }

        /// Returns the secrets of a request, also in the form in which they are sent.
        pub(crate) fn secrets(request: &Request) -> Vec<Secret> {
            let mut secrets = Vec::new();
            if let Some(auth) = &request.auth {
                secrets.push(auth.secret().clone());
            }
            if let Some(Auth::Basic(user, secret)) = &request.auth {
                let pair = STANDARD.encode(format!("{user}:{}", secret.expose()));
                secrets.push(Secret::new(pair.trim_end_matches('=')));
            }
            for part in &request.body {
                if let Part::SecretJson(_, secret) = part {
                    secrets.push(secret.clone());
                }
            }
            secrets
        }

        /// Sends a request. A secret in the response is replaced.
        pub(crate) fn send(&self, request: &Request) -> Result<Response, SendError> {
            let Request { method, url, headers, auth, body } = request;
            let has_secret =
                auth.is_some() || body.iter().any(|part| matches!(part, Part::SecretJson(..)));
            if has_secret && !url.starts_with("https://") && !is_loopback(url) {
                let text = format!("`{url}` is not https, so that no credential is sent to it");
                return Err(SendError::Invalid(text));
            }
            let mut builder = ureq::http::Request::builder().method(*method).uri(url);
            for (name, value) in headers {
                builder = builder.header(*name, value);
            }
            builder = match auth {
                Some(Auth::Basic(user, secret)) => {
                    let pair = STANDARD.encode(format!("{user}:{}", secret.expose()));
                    builder.header("authorization", format!("Basic {pair}"))
                }
                Some(Auth::Bearer(secret)) => {
                    builder.header("authorization", format!("Bearer {}", secret.expose()))
                }
                Some(Auth::Token(secret)) => builder.header("authorization", secret.expose()),
                None => builder,
            };
            let secrets = Self::secrets(request);
            let lost = |error: ureq::Error| SendError::Lost(redact(&secrets, &error.to_string()));
            let invalid = |error: ureq::http::Error| SendError::Invalid(error.to_string());
            let is_direct = net::is_direct(&self.env, url);
            let agent = if is_direct { &self.direct } else { &self.proxied };
            let sent = if body.is_empty() && *method == "GET" {
                agent.run(builder.body(()).map_err(invalid)?)
            } else {
                let (length, reader) =
                    reader(body).map_err(|e| SendError::Invalid(e.to_string()))?;
                let body = ureq::SendBody::from_owned_reader(reader);
                let builder = builder.header("content-length", length.to_string());
                agent.run(builder.body(body).map_err(invalid)?)
            };
            let response = sent.map_err(lost)?;
            let status = response.status().as_u16();
            let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
                let value = value.to_str().ok()?;
                Some((name.as_str().to_owned(), redact(&secrets, value)))
            };
            let headers = response.headers().iter().filter_map(header).collect();
            let content = response.into_body().into_with_config().limit(LARGEST).read_to_vec();
            let mut body = content.map_err(lost)?;
            let text = String::from_utf8_lossy(&body);
            let hidden = redact(&secrets, &text);
            if hidden != text {
                body = hidden.into_bytes();
            }
            Ok(Response { status, headers, body, secrets })
        }
    }

    type Chain = Box<dyn Read + Send>;

    /// Returns the length of a body and its reader.
    fn reader(parts: &[Part]) -> io::Result<(u64, Chain)> {
        let mut length = 0;
        let mut chain: Chain = Box::new(io::empty());
        for part in parts {
            let (size, next): (u64, Chain) = match part {
                Part::Bytes(bytes) => {
                    (bytes.len() as u64, Box::new(io::Cursor::new(bytes.clone())))
                }
                Part::File(path, size, digest) => {
                    (*size, Box::new(unchanged(path, *digest)?.take(*size)))
                }
                Part::Base64(path, size, digest) => {
                    let file = unchanged(path, *digest)?.take(*size);
                    (size.div_ceil(3) * 4, Box::new(Encoded { file, ready: io::Cursor::default() }))
                }
                Part::SecretJson(key, secret) => {
                    let text = serde_json::json!({ *key: secret.expose() }).to_string();
                    (text.len() as u64, Box::new(io::Cursor::new(text.into_bytes())))
                }
            };
            length += size;
            chain = Box::new(chain.chain(next));
        }
        Ok((length, chain))
    }

    /// Opens a file that has this digest.
    fn unchanged(path: &Path, expected: Digest) -> io::Result<std::fs::File> {
        let mut file = crate::sys::fs::open(path)?;
        let (found, _) = crate::sys::fs::digest_of(&mut file)?;
        if found != expected {
            let path = path.display();
            return Err(io::Error::other(format!(
                "`{path}` was changed while it was published: its sha256 is {found}, not {expected}"
            )));
        }
        file.rewind()?;
        Ok(file)
    }

    /// Reader of a file in base64.
    struct Encoded<R> {
        file: R,
        ready: io::Cursor<Vec<u8>>,
    }

    impl<R: Read> Read for Encoded<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let mut part = Vec::new();
            // A multiple of three, so that only the end is padded.
            self.file.by_ref().take(3 << 14).read_to_end(&mut part)?;
            self.ready = io::Cursor::new(STANDARD.encode(part).into_bytes());
            self.ready.read(buffer)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_body_has_its_length() {
            for size in [0, 1, 2, 3, (3 << 14) - 1, 3 << 14, (3 << 14) + 1, 200_000] {
                let dir = crate::sys::fs::temp_dir().unwrap();
                let path = dir.path().join("file");
                let bytes = vec![7_u8; size];
                crate::sys::fs::write(&path, &bytes).unwrap();
                let digest = Digest::of(&bytes);
                let changed = [Part::File(path.clone(), size as u64, Digest::of(b"other"))];
                assert!(reader(&changed).is_err());
                let parts = [Part::Bytes(b"a".to_vec()), Part::Base64(path, size as u64, digest)];
                let (length, mut reader) = reader(&parts).unwrap();
                let mut text = String::new();
                reader.read_to_string(&mut text).unwrap();
                assert_eq!(text.len() as u64, length);
                assert_eq!(STANDARD.decode(&text[1..]).unwrap(), bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_a_host_not_a_prefix() {
        let check = |url: &str, expected: bool| assert_eq!(is_loopback(url), expected, "{url}");
        check("http://127.0.0.1:80/a", true);
        check("http://localhost/", true);
        check("http://[::1]:1/", true);
        check("http://127.0.0.1.example.org/", false);
        check("http://localhost.example.org/", false);
        check("http://user@127.0.0.1/", false);
        check("http://127.0.0.1:1@192.0.2.2:38413/", false);
        check("http://[::1]@192.0.2.2/", false);
        check("http://[::1].example.org/", false);
        check("http://127.0.0.1\\@192.0.2.2/", false);
        check("https://example.org/127.0.0.1", false);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let auth = Auth::Basic("user".into(), Secret::new("hunter2"));
        let request = Request::new("GET", "https://example.org").auth(Some(&auth));
        assert!(!format!("{request:?}").contains("hunter2"));
        assert_eq!(auth.secret().redact("no hunter2!"), "no ***!");
    }
}
