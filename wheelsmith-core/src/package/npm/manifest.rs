//! `package.json` of the main package and of platform packages.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Identity, NODE, PlatformRow, loader};
use crate::metadata::ProjectTable;
use crate::metadata::project_table::LicenseValue;
use crate::name::{Libc, PlatformTag};

/// Labels of `[project] urls` for each key of `package.json`, in lower case without punctuation
/// (PEP 753).
const HOMEPAGE: [&str; 1] = ["homepage"];
const REPOSITORY: [&str; 4] = ["repository", "source", "sourcecode", "github"];
const ISSUES: [&str; 5] = ["issues", "bugs", "issue", "bugtracker", "tracker"];

/// Keys that both kinds of packages have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Common {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    keywords: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bugs: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    engines: BTreeMap<&'static str, String>,
    /// Commit, under the name that `npm publish` gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    git_head: Option<String>,
}

impl Common {
    fn new(identity: Identity<'_>, name: String, description: Option<String>) -> Self {
        let project = identity.project;
        let repository = url(project, &REPOSITORY).map(|url| {
            let url = if url.starts_with("git") { url } else { format!("git+{url}") };
            BTreeMap::from([("type", "git".to_owned()), ("url", url)])
        });
        let license = match &project.license {
            Some(LicenseValue::Expression(text)) => Some(text.clone()),
            _ => None,
        };
        let author = project.authors.first().and_then(|person| {
            let email = person.email.as_ref().map(|email| format!("<{email}>"));
            let parts: Vec<String> = person.name.clone().into_iter().chain(email).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        });
        let node = identity.npm.node.clone().unwrap_or_else(|| NODE.to_owned());
        Self {
            name,
            version: identity.version.to_owned(),
            description,
            keywords: project.keywords.clone(),
            homepage: url(project, &HOMEPAGE),
            bugs: url(project, &ISSUES).map(|url| BTreeMap::from([("url", url)])),
            repository,
            license,
            author,
            engines: BTreeMap::from([("node", node)]),
            git_head: identity.commit.map(|commit| {
                format!("{}{}", commit.id, if commit.is_dirty { "-dirty" } else { "" })
            }),
        }
    }
}

/// Returns the first URL of the project with one of `labels`.
fn url(project: &ProjectTable, labels: &[&str]) -> Option<String> {
    let normal = |label: &str| -> String {
        label.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    let find = |wanted: &&str| project.urls.iter().find(|(label, _)| normal(label) == *wanted);
    labels.iter().find_map(find).map(|(_, url)| url.clone())
}

/// `package.json` of a platform package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlatformManifest {
    #[serde(flatten)]
    common: Common,
    os: Vec<&'static str>,
    cpu: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    libc: Option<Vec<Libc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    main: Option<String>,
    /// Tells yarn to unpack the package, because no system runs programs inside an archive.
    prefer_unplugged: bool,
    /// Facts for `wheelsmith check`.
    wheelsmith: Facts,
}

/// Platform tag that the audit of the files found.
#[derive(Debug, Serialize)]
struct Facts {
    target: String,
    tag: String,
}

impl PlatformManifest {
    pub(super) fn new(identity: Identity<'_>, row: &PlatformRow, tag: &PlatformTag) -> Self {
        let description = format!("Files of {} for {}", identity.main, row.target);
        let mut common = Common::new(identity, row.name.clone(), Some(description));
        // People search for the main package.
        common.keywords.clear();
        Self {
            common,
            os: vec![row.os],
            cpu: row.cpu.clone(),
            libc: row.libc.map(|libc| vec![libc]),
            main: match &row.addons[..] {
                [addon] => Some(addon.clone()),
                _ => None,
            },
            prefer_unplugged: true,
            wheelsmith: Facts { target: row.target.clone(), tag: tag.to_string() },
        }
    }

    pub(super) fn to_json(&self) -> String {
        json(self)
    }
}

/// `package.json` of the main package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MainManifest {
    #[serde(flatten)]
    common: Common,
    main: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    bin: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

impl MainManifest {
    pub(super) fn new(
        identity: Identity<'_>,
        rows: &[PlatformRow],
        main: String,
        types: Option<String>,
    ) -> Self {
        let name = identity.main.to_string();
        let commands = identity.npm.bin.keys();
        let pin = |row: &PlatformRow| (row.name.clone(), identity.version.to_owned());
        Self {
            common: Common::new(identity, name, identity.project.description.clone()),
            main,
            types,
            bin: commands.map(|name| (name.clone(), loader::command_path(name))).collect(),
            optional_dependencies: rows.iter().map(pin).collect(),
        }
    }

    pub(super) fn to_json(&self) -> String {
        json(self)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("strings and lists are JSON") + "\n"
}
