//! Software bills of materials of wheels (CycloneDX 1.6 JSON,
//! below `.dist-info/sboms/` by PEP 770).
//!
//! The same parts give the same bytes: parts are sorted, and
//! the time is included only if `SOURCE_DATE_EPOCH` is set.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::name::Digest;

/// A bill of materials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bom {
    /// Name of the project, as its metadata spells it.
    pub name: String,
    /// True if the project is no Python package.
    pub is_generic: bool,
    /// Version.
    pub version: String,
    /// Tools besides wheelsmith: name, version.
    pub tools: BTreeSet<(String, String)>,
    /// Time, in seconds since 1970.
    pub epoch: Option<u64>,
    /// Parts.
    pub parts: Vec<Part>,
    /// References of the parts that the wheel itself contains.
    pub carried: BTreeSet<String>,
}

/// A part of a wheel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Unique reference in the list.
    pub reference: String,
    /// Whether it is a program rather than a library.
    pub is_program: bool,
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Package URL: `pkg:cargo/libc@0.2.1`.
    pub purl: Option<String>,
    /// Licences: SPDX expressions or free text.
    pub licenses: Vec<String>,
    /// Digest of the part itself.
    pub sha256: Option<Digest>,
    /// Origin of its source (a URL, a path in the project, or a package URL), and the digest of
    /// the archive, if known.
    pub source: Option<(String, Option<Digest>)>,
    /// Files of the wheel that contain it.
    pub files: BTreeSet<String>,
    /// Additional properties; names begin with `wheelsmith:`.
    pub properties: BTreeMap<String, String>,
    /// References of the parts that it uses.
    pub uses: BTreeSet<String>,
}

impl Bom {
    /// Renders the document.
    pub fn render(&self) -> Vec<u8> {
        let name = self.name.replace('_', "-");
        let kind = if self.is_generic { "generic" } else { "pypi" };
        let purl = format!("pkg:{kind}/{name}@{}", escape(&self.version));
        let mut tools = vec![json!({
            "type": "application",
            "name": "wheelsmith",
            "version": env!("CARGO_PKG_VERSION"),
        })];
        tools.extend(self.tools.iter().map(
            |(name, version)| json!({ "type": "application", "name": name, "version": version }),
        ));
        let mut metadata = json!({
            "component": {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": self.version,
                "purl": purl,
            },
            "tools": { "components": tools },
        });
        if let Some(epoch) = self.epoch {
            metadata["timestamp"] = json!(timestamp(epoch));
        }
        let mut parts: Vec<&Part> = self.parts.iter().collect();
        parts.sort_by(|a, b| a.reference.cmp(&b.reference));
        let mut dependencies = vec![json!({ "ref": purl, "dependsOn": self.carried })];
        let used = parts.iter().filter(|part| !part.uses.is_empty());
        dependencies
            .extend(used.map(|part| json!({ "ref": part.reference, "dependsOn": part.uses })));
        let document = json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": metadata,
            "components": parts.iter().map(|part| part.render()).collect::<Vec<_>>(),
            "dependencies": dependencies,
        });
        format!("{document:#}\n").into_bytes()
    }
}

impl Part {
    fn render(&self) -> Value {
        let mut value = json!({
            "type": if self.is_program { "application" } else { "library" },
            "bom-ref": self.reference,
            "name": self.name,
        });
        let hashes = |digest: &Digest| json!([{ "alg": "SHA-256", "content": digest.to_string() }]);
        if let Some(version) = &self.version {
            value["version"] = json!(version);
        }
        if let Some(purl) = &self.purl {
            value["purl"] = json!(purl);
        }
        match &self.licenses[..] {
            [] => {}
            // The format takes one expression, or any number of names.
            [one] if spdx::Expression::parse(one).is_ok() => {
                value["licenses"] = json!([{ "expression": one }]);
            }
            names => {
                let license = |name: &String| json!({ "license": { "name": name } });
                value["licenses"] = names.iter().map(license).collect();
            }
        }
        if let Some(digest) = &self.sha256 {
            value["hashes"] = hashes(digest);
        }
        if let Some((url, digest)) = &self.source {
            let mut reference = json!({ "type": "source-distribution", "url": url });
            if let Some(digest) = digest {
                reference["hashes"] = hashes(digest);
            }
            value["externalReferences"] = json!([reference]);
        }
        if !self.files.is_empty() {
            let place = |file: &String| json!({ "location": file });
            let places: Vec<Value> = self.files.iter().map(place).collect();
            value["evidence"] = json!({ "occurrences": places });
        }
        if !self.properties.is_empty() {
            let property =
                |(name, text): (&String, &String)| json!({ "name": name, "value": text });
            value["properties"] = self.properties.iter().map(property).collect();
        }
        value
    }
}

/// Returns the package URL of a crate.
pub fn crate_purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", escape(version))
}

/// Returns the package URL of a Go module.
pub fn go_purl(path: &str, version: &str) -> String {
    let path: Vec<String> = path.to_ascii_lowercase().split('/').map(escape).collect();
    format!("pkg:golang/{}@{}", path.join("/"), escape(version))
}

/// Percent-encodes text for package URLs.
pub fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Formats a time: `2026-01-31T00:00:00Z`.
fn timestamp(epoch: u64) -> String {
    let (days, rest) = (epoch / 86_400, epoch % 86_400);
    // Days since 1 March of the year 0, so that leap days end years.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates() {
        let check = |epoch, text: &str| assert_eq!(timestamp(epoch), text);
        check(0, "1970-01-01T00:00:00Z");
        check(315_532_800, "1980-01-01T00:00:00Z");
        check(951_827_696, "2000-02-29T12:34:56Z");
        check(1_798_761_599, "2026-12-31T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
    }

    #[test]
    fn a_document_is_sorted_and_whole() {
        let part = |reference: &str, uses: &[&str], licenses: &[&str]| Part {
            reference: reference.to_owned(),
            name: reference.to_owned(),
            licenses: licenses.iter().map(|text| (*text).to_owned()).collect(),
            uses: uses.iter().map(|text| (*text).to_owned()).collect(),
            ..Part::default()
        };
        let bom = Bom {
            name: "demo_pkg".into(),
            version: "1!1.0+g1".into(),
            parts: vec![part("b", &[], &["free for all"]), part("a", &["b"], &["MIT OR Zlib"])],
            carried: ["a".to_owned()].into(),
            ..Bom::default()
        };
        let text = bom.render();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["metadata"]["component"]["purl"], "pkg:pypi/demo-pkg@1%211.0%2Bg1");
        assert_eq!(value["metadata"].get("timestamp"), None);
        assert_eq!(value["components"][0]["licenses"][0]["expression"], "MIT OR Zlib");
        assert_eq!(value["components"][1]["licenses"][0]["license"]["name"], "free for all");
        assert_eq!(value["dependencies"][1], json!({ "ref": "a", "dependsOn": ["b"] }));
        assert_eq!(value["components"][0].get("externalReferences"), None);
        let dated = Bom { epoch: Some(0), parts: bom.parts.iter().rev().cloned().collect(), ..bom };
        let value: Value = serde_json::from_slice(&dated.render()).unwrap();
        assert_eq!(value["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(value["components"][0]["bom-ref"], "a");
    }
}
