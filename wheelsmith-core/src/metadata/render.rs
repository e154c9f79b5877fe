//! Writes metadata: one field per line, then an empty line and the description.

use std::fmt::Write as _;

use super::Metadata;
use super::entry_points::is_identifier;
use super::license::License;
use super::links::Person;

impl Metadata {
    /// Returns the text of `METADATA`: UTF-8, line feeds, the lowest version that has all its
    /// fields.
    ///
    /// Lines are not folded, because e-mail parsers, which read the format, would keep the line
    /// breaks in the values. Only free licence texts have several lines.
    pub fn render(&self) -> String {
        self.written("2.1", &[])
    }

    /// Returns the text of a source distribution's `PKG-INFO`: like `METADATA`, with the names of
    /// the fields whose values may differ in its wheels (PEP 643).
    pub fn render_for_sdist(&self, dynamic: &[&str]) -> String {
        // Older versions do not guarantee that a wheel has the same values.
        self.written("2.2", dynamic)
    }

    fn written(&self, at_least: &'static str, dynamic: &[&str]) -> String {
        let mut out = Fields(String::new());
        out.one("Metadata-Version", self.lowest().max(at_least));
        out.one("Name", self.name.as_written());
        out.one("Version", &self.version());
        out.each("Dynamic", dynamic);
        out.each("Summary", self.summary());
        if !self.keywords.is_empty() {
            out.one("Keywords", &self.keywords.join(","));
        }
        out.people("Author", &self.authors);
        out.people("Maintainer", &self.maintainers);
        match &self.license {
            Some(License::Expression(expression)) => out.one("License-Expression", expression),
            Some(License::Words(words)) => {
                let lines: Vec<&str> = words.lines().map(str::trim_end).collect();
                out.one("License", &lines.join("\n        "));
            }
            None => {}
        }
        out.each("License-File", self.license_files.keys());
        out.each("Classifier", &self.classifiers);
        out.each("Requires-Python", self.requires_python());
        out.each("Requires-Dist", self.dependencies.iter().map(|needed| needed.render(None)));
        for (extra, requirements) in &self.extras {
            out.one("Provides-Extra", extra);
            out.each("Requires-Dist", requirements.iter().map(|needed| needed.render(Some(extra))));
        }
        out.each("Project-URL", self.urls.iter().map(|(label, url)| format!("{label}, {url}")));
        match self.imports.names.as_deref() {
            Some([]) => out.one("Import-Name", ""),
            Some(names) => out.each("Import-Name", names),
            None => {}
        }
        out.each("Import-Namespace", &self.imports.namespaces);
        if let Some(readme) = &self.readme {
            out.one("Description-Content-Type", &readme.content_type);
            out.0.push('\n');
            out.0.push_str(&readme.text);
            if !readme.text.ends_with('\n') {
                out.0.push('\n');
            }
        }
        out.0
    }
}

impl Metadata {
    /// Returns the lowest version that has every field: older installers refuse newer versions.
    fn lowest(&self) -> &'static str {
        let has_license = matches!(self.license, Some(License::Expression(_)));
        if self.imports.is_used() {
            // PEP 794: `Import-Name`, `Import-Namespace`.
            "2.5"
        } else if has_license || !self.license_files.is_empty() {
            // PEP 639: `License-Expression`, `License-File`.
            "2.4"
        } else if !self.extras.keys().all(|extra| is_identifier(extra)) {
            // PEP 685: extras are no longer identifiers, but contain `-`.
            "2.3"
        } else {
            "2.1"
        }
    }
}

struct Fields(String);

impl Fields {
    fn one(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "{}", format!("{name}: {value}").trim_end());
    }

    fn each<T: ToString>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.one(name, &value.to_string()));
    }

    /// Adds people; those with an address have a field of their own.
    fn people(&mut self, role: &str, people: &[Person]) {
        let unreachable = people.iter().filter(|person| person.email.is_none());
        let names: Vec<&str> = unreachable.filter_map(|person| person.name.as_deref()).collect();
        let addresses: Vec<String> = people.iter().filter_map(Person::mailbox).collect();
        if !names.is_empty() {
            self.one(role, &names.join(", "));
        }
        if !addresses.is_empty() {
            self.one(&format!("{role}-email"), &addresses.join(", "));
        }
    }
}
