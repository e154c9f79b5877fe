//! Requests to the registries of one destination.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::package::{Content, Package};
use super::steps::{Kind, Step, url_fault};
use crate::config::{CratesRegistry, Destination, NpmRegistry, PypiRegistry};
use crate::registry::oidc::{self, Exchange};
use crate::registry::{Presence, crates, npm, pypi};
use crate::sys::Host;
use crate::sys::request::{self, Auth, Client, Request, Response, Secret, SendError, is_loopback};

/// Number of times that a request without a response is repeated.
const TRIES: u32 = 5;
/// Time after which a minted token is replaced. It lives for 15 minutes.
const TOKEN_LIFE: Duration = Duration::from_mins(10);

/// State of a registry for one step.
pub(super) struct Seen {
    pub(super) presence: Presence,
    /// Note that completes the sentence "present, but".
    pub(super) note: Option<String>,
}

/// Connection to the registries.
pub(super) struct Session<'h> {
    pub(super) host: &'h Host,
    client: Client,
    destination: &'h Destination,
    /// Name of the destination.
    to: &'h str,
    /// Secrets that were sent, which no message contains.
    secrets: RefCell<Vec<Secret>>,
    api: RefCell<Option<String>>,
    tokens: RefCell<BTreeMap<String, (Secret, Instant)>>,
}

impl<'h> Session<'h> {
    pub(super) fn new(
        destination: &'h Destination,
        to: &'h str,
        host: &'h Host,
    ) -> Result<Self, String> {
        let client = Client::new(host).map_err(|error| error.to_string())?;
        let (secrets, api, tokens) = Default::default();
        Ok(Self { host, client, destination, to, secrets, api, tokens })
    }

    /// Replaces every secret that was sent in a text.
    pub(super) fn redact(&self, text: &str) -> String {
        request::redact(&self.secrets.borrow(), text)
    }

    fn pypi(&self) -> Result<&PypiRegistry, String> {
        self.destination.pypi.as_ref().ok_or_else(|| missing("pypi"))
    }

    fn npm(&self) -> Result<&NpmRegistry, String> {
        self.destination.npm.as_ref().ok_or_else(|| missing("npm"))
    }

    pub(super) fn crates(&self) -> Result<&CratesRegistry, String> {
        self.destination.crates.as_ref().ok_or_else(|| missing("crates"))
    }

    /// Sleeps; returns false if the user cancels.
    pub(super) fn sleep(&self, time: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < time {
            if self.host.cancel.is_cancelled() {
                return false;
            }
            let left = time.saturating_sub(start.elapsed());
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        !self.host.cancel.is_cancelled()
    }

    pub(super) fn send(&self, request: &Request) -> Result<Response, SendError> {
        self.host.detail(|| format!("{} {}", request.method, request.url));
        for secret in Client::secrets(request) {
            let mut secrets = self.secrets.borrow_mut();
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        self.client.send(request)
    }

    /// Sends a request that changes nothing. It is repeated if the server fails.
    fn ask(&self, request: &Request) -> Result<Response, String> {
        let context = |reason: String| format!("cannot read `{}`: {reason}", request.url);
        let mut pause = Duration::from_millis(250);
        let mut reason = String::new();
        for _ in 0..TRIES {
            match self.send(request) {
                Err(SendError::Invalid(text)) => return Err(context(text)),
                Err(SendError::Lost(text)) => reason = text,
                Ok(response) if matches!(response.status, 429 | 500..=599) => {
                    reason = format!("status {}", response.status);
                }
                Ok(response) if (300..400).contains(&response.status) => {
                    let to = response.redact(response.header("location").unwrap_or("another URL"));
                    return Err(context(format!("a redirect to `{to}`; configure that URL")));
                }
                Ok(response) => return Ok(response),
            }
            if !self.sleep(pause) {
                return Err(context("stopped".into()));
            }
            pause *= 2;
        }
        Err(context(format!("{reason}, {TRIES} times")))
    }

    /// Returns the content of a successful response; `None` if there is no such resource.
    fn content(&self, request: &Request) -> Result<Option<Response>, String> {
        let response = self.ask(request)?;
        match response.status {
            200..=299 => Ok(Some(response)),
            404 | 410 | 451 => Ok(None),
            status => Err(format!("cannot read `{}`: status {status}", request.url)),
        }
    }

    pub(super) fn page(&self, package: &Package) -> Result<Option<pypi::Page>, String> {
        let Content::Python { project, .. } = &package.content else { return Ok(None) };
        let request = pypi::look(&self.pypi()?.simple, project);
        let Some(response) = self.content(&request)? else { return Ok(None) };
        let kind = response.header("content-type").unwrap_or_default();
        let page = pypi::Page::parse(kind, &response.body);
        page.map(Some).map_err(|problem| format!("cannot read `{}`: {problem}", request.url))
    }

    pub(super) fn document(&self, name: &str) -> Result<Option<npm::Document>, String> {
        let auth = self.auth(Kind::Npm, name, false)?;
        let request = npm::look(&self.npm()?.registry, name, auth.as_ref());
        let Some(response) = self.content(&request)? else { return Ok(None) };
        let document = npm::Document::parse(&response.body);
        document.map(Some).map_err(|problem| format!("cannot read `{}`: {problem}", request.url))
    }

    pub(super) fn rows(&self, name: &str) -> Result<Option<Vec<crates::Row>>, String> {
        let request = crates::look(&self.crates()?.index, name);
        let Some(response) = self.content(&request)? else { return Ok(None) };
        let rows = crates::rows(&response.body);
        rows.map(Some).map_err(|problem| format!("cannot read `{}`: {problem}", request.url))
    }

    /// Compares what the registry has with a package.
    pub(super) fn look(&self, package: &Package) -> Result<Seen, String> {
        let mut is_yanked = false;
        let presence = match &package.content {
            Content::Python { .. } => {
                let page = self.page(package)?.unwrap_or_default();
                is_yanked = page.files.get(&package.filename).is_some_and(|file| file.is_yanked);
                page.presence(&package.filename, package.sha256)
            }
            Content::Npm { integrity, .. } => {
                let document = self.document(&package.name)?;
                document.map_or(Presence::Absent, |it| it.presence(&package.version, integrity))
            }
            Content::Crate { .. } => {
                let rows = self.rows(&package.name)?.unwrap_or_default();
                is_yanked = crates::row(&rows, &package.version).is_some_and(|row| row.yanked);
                crates::presence(&rows, &package.version, package.sha256)
            }
        };
        Ok(Seen { presence, note: is_yanked.then(|| "yanked".to_owned()) })
    }

    /// Compares a tag of npm with its step. A tag of a newer version is left where it is.
    pub(super) fn tag(&self, step: &Step) -> Result<Seen, String> {
        let tag = step.tag.as_deref().unwrap_or_default();
        let tags = self.document(&step.name)?.unwrap_or_default().tags;
        let Some(found) = tags.get(tag) else {
            return Ok(Seen { presence: Presence::Absent, note: None });
        };
        let [theirs, ours] = [found, &step.version].map(|text| semver::Version::parse(text));
        let is_newer = theirs.is_ok_and(|theirs| ours.is_ok_and(|ours| theirs > ours));
        let is_same = *found == step.version || is_newer;
        let note = is_newer.then(|| format!("it stays at {found}, which is newer"));
        Ok(Seen { presence: if is_same { Presence::Same } else { Presence::Absent }, note })
    }

    /// Returns the URL of the API of the registry of crates.
    pub(super) fn api(&self) -> Result<String, String> {
        if let Some(api) = &*self.api.borrow() {
            return Ok(api.clone());
        }
        let request = crates::settings(&self.crates()?.index);
        let response = self.content(&request)?;
        let settings =
            response.and_then(|it| serde_json::from_slice::<crates::Settings>(&it.body).ok());
        let api = settings.and_then(|settings| settings.api);
        let api = api.ok_or_else(|| format!("`{}` names no `api` to publish to", request.url))?;
        if let Some(fault) = url_fault(&api, self.to) {
            return Err(format!("the `api` in `{}`: {fault}", request.url));
        }
        *self.api.borrow_mut() = Some(api.clone());
        Ok(api)
    }

    /// Returns the upload of a package; npm packages are published under `tag`.
    pub(super) fn upload(&self, package: &Package, tag: &str) -> Result<Request, String> {
        let file = package.file();
        Ok(match &package.content {
            Content::Python { metadata, python, .. } => {
                let auth = self.auth(Kind::Pypi, &package.name, true)?;
                pypi::upload(
                    &self.pypi()?.upload,
                    metadata,
                    python.as_deref(),
                    &file,
                    auth.as_ref(),
                )
            }
            Content::Npm { manifest, integrity, shasum } => {
                let auth = self.auth(Kind::Npm, &package.name, true)?;
                let digests = (integrity, shasum.as_str());
                npm::publish(&self.npm()?.registry, manifest, tag, digests, &file, auth.as_ref())
            }
            Content::Crate { manifest, readme } => {
                let auth = self.auth(Kind::Crates, &package.name, true)?;
                let metadata = manifest.metadata(readme.as_deref(), &self.crates()?.index)?;
                crates::publish(&self.api()?, &metadata, &file, auth.as_ref())
            }
        })
    }

    /// Returns the request that points a tag of npm at a version.
    pub(super) fn set_tag(&self, name: &str, tag: &str, version: &str) -> Result<Request, String> {
        let auth = self.auth(Kind::Npm, name, true)?;
        Ok(npm::set_tag(&self.npm()?.registry, name, tag, version, auth.as_ref()))
    }

    /// Returns the credential for a registry: from the environment, else by trusted publishing if
    /// `mint` is true. On this machine none is needed.
    pub(super) fn auth(&self, kind: Kind, name: &str, mint: bool) -> Result<Option<Auth>, String> {
        let env = &self.host.env;
        let (variable, url) = match kind {
            Kind::Pypi => {
                let pypi = self.pypi()?;
                (pypi.token.as_deref().unwrap_or("UV_PUBLISH_TOKEN"), pypi.upload.clone())
            }
            Kind::Npm | Kind::NpmTag => {
                let npm = self.npm()?;
                (npm.token.as_deref().unwrap_or("NPM_TOKEN"), npm.registry.clone())
            }
            Kind::Crates => {
                let crates = self.crates()?;
                let variable = crates.token.as_deref().unwrap_or("CARGO_REGISTRY_TOKEN");
                (variable, crates::base(&crates.index).to_owned())
            }
        };
        if let Some(token) = env.get(variable) {
            let secret = Secret::new(token);
            return Ok(Some(match kind {
                Kind::Pypi => Auth::Basic("__token__".to_owned(), secret),
                Kind::Npm | Kind::NpmTag => Auth::Bearer(secret),
                Kind::Crates => Auth::Token(secret),
            }));
        }
        if kind == Kind::Pypi {
            for tool in ["UV_PUBLISH", "TWINE"] {
                let get = |what: &str| env.get(&format!("{tool}_{what}")).map(str::to_owned);
                let (user, password) = (get("USERNAME"), get("PASSWORD"));
                if user.is_some() || password.is_some() {
                    let user = user.unwrap_or_else(|| "__token__".to_owned());
                    return Ok(Some(Auth::Basic(user, Secret::new(password.unwrap_or_default()))));
                }
            }
        }
        if self.has_identity(kind) {
            return if mint { self.minted(kind, name).map(Some) } else { Ok(None) };
        }
        if !mint || is_loopback(&url) {
            return Ok(None);
        }
        Err(format!(
            "there is no credential for `{url}`: set `{variable}`, or allow the CI job to request \
             an identity token"
        ))
    }

    /// Returns an error if there is no credential for a registry.
    pub(super) fn credential(&self, kind: Kind) -> Result<(), String> {
        if self.has_identity(kind) {
            return Ok(());
        }
        self.auth(kind, "", true).map(drop)
    }

    fn has_identity(&self, kind: Kind) -> bool {
        let variable = if kind == Kind::Pypi { "PYPI_ID_TOKEN" } else { "NPM_ID_TOKEN" };
        let own = kind != Kind::Crates && self.host.env.get(variable).is_some();
        own || self.host.env.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_some()
    }

    /// Returns a token by trusted publishing, which is used for ten minutes.
    fn minted(&self, kind: Kind, name: &str) -> Result<Auth, String> {
        let auth = |secret: Secret| match kind {
            Kind::Pypi => Auth::Basic("__token__".to_owned(), secret),
            Kind::Npm | Kind::NpmTag => Auth::Bearer(secret),
            Kind::Crates => Auth::Token(secret),
        };
        let key = match kind {
            Kind::Npm | Kind::NpmTag => format!("npm {name}"),
            kind => format!("{kind:?}"),
        };
        if let Some((secret, made)) = self.tokens.borrow().get(&key)
            && made.elapsed() < TOKEN_LIFE
        {
            return Ok(auth(secret.clone()));
        }
        let api = if kind == Kind::Crates { self.api()? } else { String::new() };
        let exchange = match kind {
            Kind::Pypi => Exchange::Pypi(&self.pypi()?.upload),
            Kind::Npm | Kind::NpmTag => Exchange::Npm(&self.npm()?.registry, name),
            Kind::Crates => Exchange::Crates(&api),
        };
        let secret = self.exchange(kind, exchange)?;
        self.host.mask(&secret);
        self.tokens.borrow_mut().insert(key, (secret.clone(), Instant::now()));
        Ok(auth(secret))
    }

    fn exchange(&self, kind: Kind, exchange: Exchange<'_>) -> Result<Secret, String> {
        let env = &self.host.env;
        let given = match kind {
            Kind::Pypi => env.get("PYPI_ID_TOKEN"),
            Kind::Npm | Kind::NpmTag => env.get("NPM_ID_TOKEN"),
            Kind::Crates => None,
        };
        let identity = if let Some(token) = given {
            Secret::new(token)
        } else {
            let audience = match exchange.audience_request() {
                Some(request) => oidc::value(&self.ask(&request)?, "audience")?,
                None => exchange.audience(),
            };
            let url = env.get("ACTIONS_ID_TOKEN_REQUEST_URL").unwrap_or_default();
            let token = env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN").unwrap_or_default();
            let response = self.ask(&oidc::github(url, Secret::new(token), &audience))?;
            let value = oidc::value(&response, "value");
            Secret::new(value.map_err(|e| format!("cannot get an identity token: {e}"))?)
        };
        self.host.mask(&identity);
        let request = exchange.request(identity.clone());
        let response = self.send(&request).map_err(|error| error.to_string())?;
        oidc::value(&response, "token").map(Secret::new).map_err(|error| {
            let error = self.redact(&identity.redact(&error));
            let claims = oidc::claims(&identity);
            format!("`{}` does not trust this job: {error} (claims: {claims})", request.url)
        })
    }
}

fn missing(registry: &str) -> String {
    format!("no registry is configured for it: set `{registry}` of the destination")
}
