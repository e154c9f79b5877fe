//! Dependencies: parses them and writes them in a normalised form (dependency specifiers
//! specification).

use super::{Error, Specifiers, marker, one_line, problem, problem_with_hint};
use crate::name::{ParseError, ProjectName};

/// Dependency on another project.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) name: ProjectName,
    extras: Vec<String>,
    source: Source,
    marker: Option<String>,
}

/// Source of the other project.
#[derive(Debug, Clone)]
enum Source {
    /// Any index, limited to these versions.
    Versions(Specifiers),
    /// URL of a direct reference.
    Url(String),
}

impl Requirement {
    /// Parses the values of `key`, a list of requirements in a `[project]` table.
    pub(super) fn all(key: &str, raw: &[String]) -> Result<Vec<Self>, Error> {
        raw.iter()
            .map(|text| {
                let text = one_line(key, text)?;
                let requirement = Self::parse(&text).map_err(|error| {
                    problem(key, format!("has `{}`: {error}", without_password(&text)))
                })?;
                if requirement.url().is_some_and(|url| !has_scheme(url)) {
                    let words =
                        format!("has `{}`, whose URL has no scheme", without_password(&text));
                    let hint =
                        "write `name @ https://…`, or `file:///…` for a file of this machine";
                    return Err(problem_with_hint(key, words, hint));
                }
                Ok(requirement)
            })
            .collect()
    }

    /// Parses one requirement.
    ///
    /// # Errors
    /// Returns the reason as a clause.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_matches(is_blank);
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let (name, rest) = text.split_at(text.find(|c| !word(c)).unwrap_or(text.len()));
        let name = name.parse().map_err(|error: ParseError| error.to_string())?;
        let (extras, rest) = extras(rest.trim_start_matches(is_blank))?;
        if let Some(rest) = rest.strip_prefix('@') {
            let rest = rest.trim_start_matches(is_blank);
            let (url, rest) = rest.split_at(rest.find(is_blank).unwrap_or(rest.len()));
            if url.is_empty() {
                return Err("there is no URL after `@`".to_owned());
            }
            let marker = match rest.trim_matches(is_blank) {
                "" => None,
                rest => Some(rest.strip_prefix(';').ok_or("`;` is missing after the URL")?),
            };
            return Self::new(name, extras, Source::Url(url.to_owned()), marker);
        }
        let (versions, marker) = match rest.split_once(';') {
            Some((versions, marker)) => (versions.trim_end_matches(is_blank), Some(marker)),
            None => (rest, None),
        };
        let versions = match versions.strip_prefix('(') {
            Some(inner) => inner.strip_suffix(')').ok_or("`)` is missing")?,
            None => versions,
        };
        let versions = Specifiers::of_requirement(versions)?;
        Self::new(name, extras, Source::Versions(versions), marker)
    }

    fn new(
        name: ProjectName,
        extras: Vec<String>,
        source: Source,
        marker: Option<&str>,
    ) -> Result<Self, String> {
        let marker = marker.map(|marker| marker.trim_matches(is_blank));
        marker.map(marker::check).transpose().map_err(|error| format!("in its marker, {error}"))?;
        Ok(Self { name, extras, source, marker: marker.map(str::to_owned) })
    }

    /// Returns the URL of a direct reference.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.source {
            Source::Url(url) => Some(url),
            Source::Versions(_) => None,
        }
    }

    /// True if uv accepts the versions too; pip and the index do.
    pub(crate) fn is_read_by_uv(&self) -> bool {
        match &self.source {
            Source::Url(_) => true,
            Source::Versions(versions) => versions.is_read_by_uv(),
        }
    }

    /// Returns the value of `Requires-Dist`, for `extra` or for every installation.
    pub(super) fn render(&self, extra: Option<&str>) -> String {
        let mut out = self.name.as_written().to_owned();
        if !self.extras.is_empty() {
            out = format!("{out}[{}]", self.extras.join(","));
        }
        let mut semicolon = "; ";
        match &self.source {
            Source::Versions(versions) => out.push_str(&versions.to_string()),
            Source::Url(url) => {
                out = format!("{out} @ {url}");
                // Without the space the semicolon would be a part of the URL.
                semicolon = " ; ";
            }
        }
        match (&self.marker, extra) {
            (None, None) => out,
            (Some(marker), None) => format!("{out}{semicolon}{marker}"),
            (None, Some(extra)) => format!("{out}{semicolon}extra == '{extra}'"),
            // The marker may contain an `or`, which has a lower precedence.
            (Some(marker), Some(extra)) => {
                format!("{out}{semicolon}({marker}) and extra == '{extra}'")
            }
        }
    }
}

/// Parses an optional list in brackets; returns it and the rest of the text.
fn extras(text: &str) -> Result<(Vec<String>, &str), String> {
    let Some(inner) = text.strip_prefix('[') else { return Ok((Vec::new(), text)) };
    let (list, rest) = inner.split_once(']').ok_or("`]` is missing")?;
    let mut extras = Vec::new();
    if !list.trim_matches(is_blank).is_empty() {
        for extra in list.split(',').map(|extra| extra.trim_matches(is_blank)) {
            let extra: ProjectName = extra.parse().map_err(|e: ParseError| e.to_string())?;
            extras.push(extra.normalized());
        }
    }
    extras.sort();
    extras.dedup();
    Ok((extras, rest.trim_start_matches(is_blank)))
}

/// True for white space of the grammar.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// True if a URL has a scheme: `https:`, `git+ssh:`, `file:`.
fn has_scheme(url: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    url.split_once(':').is_some_and(|(scheme, rest)| {
        // A single letter is a Windows drive.
        scheme.len() > 1
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(inner)
            && !rest.is_empty()
    })
}

/// Returns `text` with `***` in place of user name and password of a URL, for messages and logs.
pub(crate) fn without_password(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((_, host)) => format!("{before}://***@{host}{}", &rest[end..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_have_one_form() {
        let check = |text: &str, plain: &str, with_extra: &str| {
            let requirement = Requirement::parse(text).unwrap();
            assert_eq!(requirement.render(None), plain);
            assert_eq!(requirement.render(Some("x")), with_extra);
        };
        check("requests", "requests", "requests; extra == 'x'");
        check(
            " Foo.Bar [B_b, a,a ] ( >= 1.0 , <2 )",
            "Foo.Bar[a,b-b]>=1.0,<2",
            "Foo.Bar[a,b-b]>=1.0,<2; extra == 'x'",
        );
        check("a==1.*", "a==1.*", "a==1.*; extra == 'x'");
        check("a>=1,", "a>=1", "a>=1; extra == 'x'");
        check("a===1.0-custom", "a===1.0-custom", "a===1.0-custom; extra == 'x'");
        check(
            "a[b]@https://u:${TOKEN}@x.y/z;w=1 ; os_name == 'nt'",
            "a[b] @ https://u:${TOKEN}@x.y/z;w=1 ; os_name == 'nt'",
            "a[b] @ https://u:${TOKEN}@x.y/z;w=1 ; (os_name == 'nt') and extra == 'x'",
        );
        check("a @ file:///z", "a @ file:///z", "a @ file:///z ; extra == 'x'");
        check(
            "a[]~=1.2.3;os_name=='nt'",
            "a~=1.2.3; os_name=='nt'",
            "a~=1.2.3; (os_name=='nt') and extra == 'x'",
        );
        check(
            "a ; os_name == 'nt' or python_version < '3.9'",
            "a; os_name == 'nt' or python_version < '3.9'",
            "a; (os_name == 'nt' or python_version < '3.9') and extra == 'x'",
        );
    }

    #[test]
    fn what_installers_would_not_read_is_refused() {
        let check = |text: &str, part: &str| {
            let all = Requirement::all("project.dependencies", &[text.to_owned()]);
            let error = all.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("", "`project.dependencies` is empty");
        check("-a", "is not a project name");
        check("a b", "has `a b`: ");
        check("a[b", "`]` is missing");
        check("a[b,]", "is not a project name");
        check("a(>1", "`)` is missing");
        check("a >= x", "has `a >= x`: ");
        check("a ~= 1", "has `a ~= 1`: ");
        check("a; os = 'nt'", "in its marker, `os` does not belong there");
        check("a;", "in its marker, it ends too early");
        check("a @ x.y/z", "has `a @ x.y/z`, whose URL has no scheme");
        check("a @ C:/z", "whose URL has no scheme");
        check("a @", "there is no URL after `@`");
        check("a @ https://u:secret@x.y/z os", "has `a @ https://***@x.y/z os`: `;` is missing");
        check("a\nb", "has a line break");
    }
}
