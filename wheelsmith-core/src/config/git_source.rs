//! Git repositories as sources.

use serde::Serialize;

/// Commit of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GitSource {
    /// URL, or a path relative to the configuration.
    pub url: String,
    /// Full id of the commit, in lower case.
    pub rev: String,
    /// True if the source contains the submodules.
    pub submodules: bool,
}

impl GitSource {
    /// True if `url` is a path rather than a URL.
    pub fn is_path(url: &str) -> bool {
        let has_host = || url.split('/').next().is_some_and(|first| first.contains(':'));
        !url.contains("://") && !has_host()
    }

    /// True if `url` needs no network.
    pub fn is_local(url: &str) -> bool {
        Self::is_path(url) || url.starts_with("file://")
    }

    /// Checks that git may fetch `url`. Returns the reason if not.
    pub(crate) fn check_url(url: &str) -> Result<(), String> {
        if url.is_empty() || url.starts_with('-') || url.chars().any(char::is_control) {
            return Err(format!("`{}` is not a URL of a repository", url.escape_debug()));
        }
        if url.contains("::") {
            return Err(format!(
                "`{url}` names a helper of git: use a URL with https, ssh or file"
            ));
        }
        let Some((scheme, rest)) = url.split_once("://") else { return Ok(()) };
        if !["https", "ssh", "file"].contains(&scheme) {
            return Err(format!("`{scheme}` is not used for sources: use https, ssh or file"));
        }
        let user = rest.split('/').next().and_then(|host| Some(host.rsplit_once('@')?.0));
        if user.is_some_and(|user| user.contains(':')) {
            return Err("the URL contains a password: give it to git's credential helper".into());
        }
        Ok(())
    }

    /// Checks that `rev` is the full id of a commit. Returns the reason and the remedy if not.
    pub(crate) fn check_rev(&self) -> Result<(), (String, String)> {
        let is_id =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let rev = &self.rev;
        if matches!(rev.len(), 40 | 64) && is_id(rev) {
            return Ok(());
        }
        let what = if rev.len() >= 4 && is_id(rev) {
            "is a short id, which can become ambiguous"
        } else {
            "is a name, which can move to another commit"
        };
        let url = &self.url;
        Err((
            format!("`{rev}` {what}"),
            format!(
                "write the full id of the commit: `git ls-remote {url} '{rev}^{{}}' {rev}` prints \
                 it for a tag or branch, `git rev-parse {rev}` in a clone for a short id"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths_are_told_apart() {
        let check = |url: &str, is_path: bool, refused: Option<&str>| {
            assert_eq!(GitSource::is_path(url), is_path, "{url}");
            match (GitSource::check_url(url), refused) {
                (Ok(()), None) => {}
                (Err(reason), Some(part)) => assert!(reason.contains(part), "{url}: {reason}"),
                (got, _) => panic!("{url}: {got:?}"),
            }
        };
        check("https://a.example/x.git", false, None);
        check("ssh://git@a.example/x.git", false, None);
        check("git@a.example:x/y.git", false, None);
        check("file:///x", false, None);
        check("../x", true, None);
        check("vendor/x:y", true, None);
        check("http://a.example/x", false, Some("https"));
        check("git://a.example/x", false, Some("https"));
        check("ext::sh -c x", false, Some("helper"));
        check("-x", true, Some("not a URL"));
        check("", true, Some("not a URL"));
        check("https://me:secret@a.example/x", false, Some("password"));
    }

    #[test]
    fn only_full_ids_are_pins() {
        let check = |rev: &str, refused: Option<&str>| {
            let source = GitSource { url: "x".into(), rev: rev.into(), submodules: true };
            match (source.check_rev(), refused) {
                (Ok(()), None) => {}
                (Err((message, _)), Some(part)) => assert!(message.contains(part), "{message}"),
                (got, _) => panic!("{rev}: {got:?}"),
            }
        };
        check(&"0a".repeat(20), None);
        check(&"0a".repeat(32), None);
        check("0a1b2c3", Some("short id"));
        check("v1.2", Some("name"));
        check("main", Some("name"));
        check("HEAD", Some("name"));
        check(&"0A".repeat(20), Some("name"));
    }
}
