//! Dependencies: checked, and written again in one form (dependency specifiers specification).

use pep440_rs::VersionSpecifiers;

use super::core_metadata::{first_line, specifiers};
use super::{Error, marker, one_line, problem, problem_with_hint};
use crate::name::{ParseError, ProjectName};

/// A dependency on another project.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    name: ProjectName,
    extras: Vec<String>,
    versions: VersionSpecifiers,
    marker: Option<String>,
}

impl Requirement {
    pub(super) fn all(key: &str, raw: &[String]) -> Result<Vec<Self>, Error> {
        raw.iter()
            .map(|text| {
                let text = one_line(key, text)?;
                if let Some((name, _)) = text.split_once('@').filter(|(n, _)| !n.contains(';')) {
                    let words = format!("needs `{}` from a URL, which indexes refuse", name.trim());
                    return Err(problem_with_hint(key, words, "name a version instead"));
                }
                Self::parse(&text).map_err(|error| problem(key, format!("has `{text}`: {error}")))
            })
            .collect()
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (text, marker) = match text.split_once(';') {
            Some((text, marker)) => (text.trim_end(), Some(marker.trim())),
            None => (text, None),
        };
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let (name, mut rest) = text.split_at(text.find(|c| !word(c)).unwrap_or(text.len()));
        let name = name.parse().map_err(|error: ParseError| error.to_string())?;
        rest = rest.trim_start();
        let mut extras = Vec::new();
        if let Some(inner) = rest.strip_prefix('[') {
            let (list, behind) = inner.split_once(']').ok_or("`]` is missing")?;
            rest = behind.trim_start();
            for extra in list.split(',').map(str::trim).filter(|_| !list.trim().is_empty()) {
                let extra: ProjectName = extra.parse().map_err(|e: ParseError| e.to_string())?;
                extras.push(extra.normalized());
            }
            extras.sort();
            extras.dedup();
        }
        if let Some(inner) = rest.strip_prefix('(') {
            rest = inner.strip_suffix(')').ok_or("`)` is missing")?;
        }
        let versions = rest.parse().map_err(|error| first_line(&format!("{error}")).to_owned());
        let versions: VersionSpecifiers =
            if rest.trim().is_empty() { VersionSpecifiers::empty() } else { versions? };
        marker.map(marker::check).transpose().map_err(|error| format!("in its marker, {error}"))?;
        Ok(Self { name, extras, versions, marker: marker.map(str::to_owned) })
    }

    /// The value of `Requires-Dist`, for an extra or for everybody.
    pub(super) fn render(&self, extra: Option<&str>) -> String {
        let mut out = self.name.as_written().to_owned();
        if !self.extras.is_empty() {
            out = format!("{out}[{}]", self.extras.join(","));
        }
        out.push_str(&specifiers(&self.versions));
        match (&self.marker, extra) {
            (None, None) => out,
            (Some(marker), None) => format!("{out}; {marker}"),
            (None, Some(extra)) => format!("{out}; extra == '{extra}'"),
            // The marker may hold an `or`, which binds less.
            (Some(marker), Some(extra)) => format!("{out}; ({marker}) and extra == '{extra}'"),
        }
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
        check("a @ https://x.y/z", "needs `a` from a URL, which indexes refuse");
        check("a\nb", "has a line break");
    }
}
