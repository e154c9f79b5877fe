//! Parses and renders the state: sorted JSON with a line for each file, so that a diff shows what
//! changed.

use std::fmt::Write as _;

use serde::Deserialize;
use std::collections::BTreeMap;

use super::url::is_absolute;
use super::{DistName, Project, State, View};
use crate::name::ProjectName;

/// Version of the format; grows when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: u32,
    site_url: Option<String>,
    latest: Option<String>,
    views: BTreeMap<String, BTreeMap<String, Project>>,
}

impl State {
    /// Parses the text of a state.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: Raw = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if raw.schema != SCHEMA {
            let schema = raw.schema;
            return Err(format!("it has schema {schema}; this version knows schema {SCHEMA}"));
        }
        if let Some(url) = raw.site_url.as_deref().filter(|url| !is_absolute(url)) {
            return Err(format!("`{url}` is not a URL"));
        }
        let view = |text: &str| text.parse::<View>().map_err(|e| e.to_string());
        let mut views = BTreeMap::new();
        for (name, projects) in raw.views {
            for (name, project) in &projects {
                check(name, project)?;
            }
            views.insert(view(&name)?, projects);
        }
        let latest = raw.latest.as_deref().map(view).transpose()?;
        if let Some(latest) = latest.as_ref().filter(|latest| !views.contains_key(latest)) {
            return Err(format!("`latest` points to the view `{latest}`, which does not exist"));
        }
        Ok(Self { site_url: raw.site_url, latest, views })
    }

    /// Renders the state; equal states have equal texts.
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(1000 + 500 * self.files().count());
        let _ = write!(out, "{{\n\"schema\": {SCHEMA},\n\"site_url\": ");
        json(&mut out, &self.site_url);
        out.push_str(",\n\"latest\": ");
        json(&mut out, &self.latest.as_ref().map(View::to_string));
        out.push_str(",\n\"views\": {");
        for (at, (view, projects)) in self.views.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let _ = write!(out, "{comma}\n\"{view}\": {{");
            for (at, (name, project)) in projects.iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let _ = write!(out, "{comma}\n\"{name}\": {{");
                if project.status.as_str() != "active" {
                    let _ = write!(out, "\"status\": \"{}\", ", project.status.as_str());
                }
                if let Some(reason) = &project.status_reason {
                    out.push_str("\"status_reason\": ");
                    json(&mut out, reason);
                    out.push_str(", ");
                }
                out.push_str("\"files\": {");
                for (at, (name, file)) in project.files.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let _ = write!(out, "{comma}\n  \"{name}\": ");
                    json(&mut out, file);
                }
                out.push_str("}}");
            }
            out.push('}');
        }
        out.push_str("}\n}\n");
        out
    }
}

/// Returns an error for names that wheelsmith does not write, because names become paths.
fn check(name: &str, project: &Project) -> Result<(), String> {
    if !name.parse::<ProjectName>().is_ok_and(|parsed| parsed.normalized() == name) {
        return Err(format!("`{name}` is not a normalised project name"));
    }
    for (file, about) in &project.files {
        if !DistName::is_plain(file) {
            return Err(format!("`{file}` is not the name of a wheel or source distribution"));
        }
        if let Some(url) = about.url.as_deref().filter(|url| !is_absolute(url)) {
            return Err(format!("`{url}` is not a URL"));
        }
    }
    Ok(())
}

fn json(out: &mut String, value: &impl serde::Serialize) {
    // Cannot fail: there are only texts and numbers under text keys.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}
