//! URLs of files that are not in the site.

use std::fmt;
use std::str::FromStr;

use super::DistName;
use super::escape::url_part;
use crate::name::{Digest, ParseError};

/// URL template for files that are stored elsewhere. `{name}` (normalised), `{version}`, `{digest}`
/// (64 hex digits) and `{filename}` are replaced by those of the file; a template without
/// `{filename}` gets it at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesUrl(String);

impl FilesUrl {
    /// Returns the URL of a file.
    pub fn of(&self, name: &DistName, digest: &Digest) -> String {
        let version = name.version.to_string();
        self.0
            .replace("{name}", &name.project.normalized())
            .replace("{version}", &url_part(&version))
            .replace("{digest}", &digest.to_string())
            .replace("{filename}", &url_part(&name.to_string()))
    }
}

impl fmt::Display for FilesUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FilesUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let known = ["{name}", "{version}", "{digest}", "{filename}"];
        let bare = known.iter().fold(text.to_owned(), |rest, word| rest.replace(word, ""));
        if !is_absolute(text) || bare.contains(['{', '}', '?', '#', '"', '<', '>', '\\', ' ']) {
            return Err(ParseError::new(
                text,
                "a URL such as `https://example.org/v{version}/` (`{name}`, `{version}`, \
                 `{digest}` and `{filename}` stand for those of the file)",
            ));
        }
        let text = if text.ends_with("{filename}") {
            text.to_owned()
        } else {
            format!("{}/{{filename}}", text.trim_end_matches('/'))
        };
        Ok(Self(text))
    }
}

/// True if `url` is absolute and plain ASCII.
pub(super) fn is_absolute(url: &str) -> bool {
    let rest =
        ["https://", "http://", "file://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && url.bytes().all(|b| b.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let check = |template: &str, expected: &str| {
            let url: FilesUrl = template.parse().unwrap();
            let name = "Tiny.Pkg-1.0+c.tar.gz".parse().unwrap();
            assert_eq!(url.of(&name, &Digest::of(b"")), expected);
        };
        check("https://x.org/a/", "https://x.org/a/Tiny.Pkg-1.0%2Bc.tar.gz");
        check(
            "https://x.org/{name}/v{version}",
            "https://x.org/tiny-pkg/v1.0%2Bc/Tiny.Pkg-1.0%2Bc.tar.gz",
        );
        for bad in
            ["x.org", "https://", "https://x.org/{nam}", "https://x.org/?a", "https://x.org/#"]
        {
            bad.parse::<FilesUrl>().unwrap_err();
        }
    }
}
