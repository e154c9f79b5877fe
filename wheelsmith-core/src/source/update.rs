//! Newer versions of pinned sources, as far as the user's own tools see them: crates through cargo,
//! source distributions through uv or pip, commits through the tags that git lists.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cargo_metadata::semver;

use super::{Error, LOCK_FILE, Lock, Policy, SourceDirs, crates, git, obtain, python};
use crate::config::{Config, GitSource, Source};
use crate::name::Digest;
use crate::sys::{self, Host};

/// Result of looking for a newer version of one source.
#[derive(Debug)]
pub struct Update {
    /// Names of the components that have the source.
    pub components: Vec<String>,
    /// Keys of these components in the configuration.
    pub(crate) keys: Vec<String>,
    /// The pinned source.
    pub source: Source,
    /// The pinned version: a version, a tag, or a commit without a tag.
    pub version: String,
    /// The newer version; `None` if the pinned one is the newest.
    pub newer: Result<Option<Newer>, Error>,
    /// Explanation, such as why a version cannot be compared.
    pub note: Option<String>,
}

/// Newer version of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    /// Its version or tag.
    pub version: String,
    /// The source.
    pub source: Source,
    /// Digest that the lock pins; `None` in a dry run.
    pub sha256: Option<Digest>,
}

/// Looks for newer versions of the sources of the components called `names`; of all components if it
/// is empty. `to` is the wanted version, tag or commit instead of the newest one.
pub(crate) fn look_up(
    config: &Config,
    names: &[String],
    to: Option<&str>,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Vec<Update> {
    let mut sources: BTreeMap<&Source, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for component in &config.components {
        let has_version = matches!(
            component.source,
            Source::Crate { .. } | Source::Sdist { .. } | Source::Git(_)
        );
        if has_version {
            let (components, keys) = sources.entry(&component.source).or_default();
            components.push(component.name.clone());
            keys.push(component.key.clone());
        }
    }
    let is_wanted =
        |components: &[String]| names.is_empty() || components.iter().any(|c| names.contains(c));
    sources.retain(|_, (components, _)| is_wanted(components));
    let updates = sources.into_iter().map(|(source, (components, keys))| {
        let mut update = Update {
            components,
            keys,
            source: source.clone(),
            version: String::new(),
            newer: Ok(None),
            note: None,
        };
        match source {
            Source::Git(source) => update.of_git(source, to, places, host),
            Source::Crate { name, version } | Source::Sdist { name, version } => {
                update.version.clone_from(version);
                update.newer = newer_package(source, name, version, to, places, host);
            }
            Source::Path(_) | Source::Archive { .. } => {}
        }
        update
    });
    updates.collect()
}

/// Change of the lock that is written when every new source is in the cache.
pub(crate) struct LockChange<'a> {
    places: &'a SourceDirs<'a>,
    text: Option<String>,
    lock: Lock,
}

impl<'a> LockChange<'a> {
    /// Reads the lock.
    pub(crate) fn read(places: &'a SourceDirs<'a>) -> Result<Self, Error> {
        let (text, lock) = super::read_lock(places)?;
        Ok(Self { places, text, lock })
    }

    /// Obtains a source and pins it. Returns its digest.
    pub(crate) fn pin(
        &mut self,
        component: &str,
        source: &Source,
        host: &Host,
    ) -> Result<Option<Digest>, Error> {
        let policy = Policy::default();
        let got = obtain::obtain(component, source, &mut self.lock, self.places, policy, host)?;
        Ok(got.sha256)
    }

    /// Writes the pins of the sources of `config`.
    pub(crate) fn write(&self, config: &Config) -> Result<(), Error> {
        let text = self.lock.only(&super::ids(config)).to_string();
        self.put(text.as_bytes())
    }

    /// Writes the lock as it was read.
    pub(crate) fn restore(&self) -> Result<(), Error> {
        match &self.text {
            Some(text) => self.put(text.as_bytes()),
            None => sys::fs::remove_file(self.places.project.join(LOCK_FILE))
                .map_err(|error| Error::io("remove the lock", error)),
        }
    }

    fn put(&self, text: &[u8]) -> Result<(), Error> {
        let written = sys::fs::write_atomic(&self.places.project.join(LOCK_FILE), text);
        written.map(drop).map_err(|error| Error::io("write the lock", error))
    }
}

fn newer_package(
    source: &Source,
    name: &str,
    pinned: &str,
    to: Option<&str>,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<Option<Newer>, Error> {
    let is_crate = matches!(source, Source::Crate { .. });
    let work = sys::fs::temp_dir_in(places.work)
        .map_err(|error| Error::io("make a temporary directory", error))?;
    let version = match (is_crate, to) {
        (true, to) => crates::find(name, to, work.path(), places, Policy::default(), host)?,
        (false, Some(to)) => to.to_owned(),
        (false, None) => python::newest(name, work.path(), places, host)?,
    };
    let order = if is_crate { compare_crates } else { compare_python };
    let is_other = if to.is_some() { version != pinned } else { order(&version, pinned).is_gt() };
    let name = name.to_owned();
    Ok(is_other.then(|| Newer {
        version: version.clone(),
        source: if is_crate {
            Source::Crate { name, version }
        } else {
            Source::Sdist { name, version }
        },
        sha256: None,
    }))
}

fn compare_crates(a: &str, b: &str) -> Ordering {
    match (a.parse::<semver::Version>(), b.parse::<semver::Version>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

fn compare_python(a: &str, b: &str) -> Ordering {
    match (a.parse::<pep440_rs::Version>(), b.parse::<pep440_rs::Version>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

impl Update {
    fn of_git(
        &mut self,
        source: &GitSource,
        to: Option<&str>,
        places: &SourceDirs<'_>,
        host: &Host,
    ) {
        let short = |rev: &str| rev[..12].to_owned();
        self.version = short(&source.rev);
        let tags = match git::tags(&source.url, places, host) {
            Ok(tags) => tags,
            Err(error) => {
                self.newer = Err(error);
                return;
            }
        };
        let newer = |version: &str, rev: &str| Newer {
            version: version.to_owned(),
            source: Source::Git(GitSource { rev: rev.to_owned(), ..source.clone() }),
            sha256: None,
        };
        let pinned = tags.iter().filter(|(_, rev)| *rev == source.rev);
        let pinned = pinned.filter_map(|(tag, _)| Tag::parse(tag)).max_by(Tag::compare);
        if let Some(pinned) = &pinned {
            pinned.name.clone_into(&mut self.version);
        }
        if let Some(to) = to {
            let tag = tags.iter().find(|(tag, _)| tag == to);
            let id = GitSource { rev: to.to_owned(), ..source.clone() };
            self.newer = match tag {
                Some((tag, rev)) => Ok((*rev != source.rev).then(|| newer(tag, rev))),
                None if id.check_rev().is_ok() => {
                    Ok((to != source.rev).then(|| newer(&short(to), to)))
                }
                None => Err(Error::GitTree {
                    url: source.url.clone(),
                    reason: format!("it has no tag `{to}`"),
                }),
            };
            return;
        }
        let candidates = tags.iter().filter_map(|(tag, rev)| Some((Tag::parse(tag)?, rev)));
        let Some(pinned) = pinned else {
            let newest = candidates.filter(|(tag, _)| tag.suffix.is_empty());
            let newest = newest.max_by(|(a, _), (b, _)| a.compare(b));
            self.note = Some(match newest {
                Some((tag, _)) => format!(
                    "no tag with a version points to the pinned commit; the newest tag is {}: \
                     `--to {0}` moves to it",
                    tag.name
                ),
                None => "the repository has no tag with a version".to_owned(),
            });
            return;
        };
        let newest = candidates.filter(|(tag, _)| tag.is_like(&pinned));
        let newest = newest.max_by(|(a, _), (b, _)| a.compare(b));
        let newest = newest.filter(|(tag, _)| tag.compare(&pinned).is_gt());
        self.newer = Ok(newest.map(|(tag, rev)| newer(tag.name, rev)));
    }
}

/// Tag with a version: `curl-8_5_0` has the prefix `curl-`, the numbers 8, 5 and 0, and no suffix.
#[derive(Debug)]
struct Tag<'t> {
    name: &'t str,
    prefix: &'t str,
    numbers: Vec<u64>,
    suffix: &'t str,
}

impl<'t> Tag<'t> {
    /// Parses a tag; `None` if it has no version.
    fn parse(name: &'t str) -> Option<Self> {
        let start = name.find(|c: char| c.is_ascii_digit())?;
        let (prefix, mut rest) = name.split_at(start);
        let mut numbers = Vec::new();
        loop {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            numbers.push(rest[..end].parse().ok()?);
            rest = &rest[end..];
            let next = rest.strip_prefix(['.', '_', '-']);
            match next.filter(|next| next.starts_with(|c: char| c.is_ascii_digit())) {
                Some(next) => rest = next,
                None => return Some(Self { name, prefix, numbers, suffix: rest }),
            }
        }
    }

    /// True if it continues the series of `other`: a prerelease does so only after a prerelease.
    fn is_like(&self, other: &Self) -> bool {
        let letters =
            |text: &'t str| text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        self.prefix == other.prefix
            && (self.suffix.is_empty() || letters(self.suffix) == letters(other.suffix))
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = |tag: &Self| {
            let end = tag.numbers.iter().rposition(|n| *n != 0).map_or(0, |last| last + 1);
            tag.numbers[..end].to_vec()
        };
        let suffix = |tag: &Self| (tag.suffix.is_empty(), tag.suffix.len(), tag.suffix.to_owned());
        numbers(self).cmp(&numbers(other)).then_with(|| suffix(self).cmp(&suffix(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_continue_their_own_series() {
        let check = |pinned: &str, tags: &[&str], expected: Option<&str>| {
            let pinned = Tag::parse(pinned).unwrap();
            let tags = tags.iter().filter_map(|tag| Tag::parse(tag));
            let newest = tags.filter(|tag| tag.is_like(&pinned)).max_by(Tag::compare);
            let newest = newest.filter(|tag| tag.compare(&pinned).is_gt());
            assert_eq!(newest.map(|tag| tag.name), expected, "{}", pinned.name);
        };
        check("v1.2", &["v1.2", "v1.10", "v1.9", "1.11", "v2.0-rc1"], Some("v1.10"));
        check("v1.2.0", &["v1.2", "v1.2.0"], None);
        check("curl-8_5_0", &["curl-8_5_0", "curl-8_10_1", "tiny-9_0_0"], Some("curl-8_10_1"));
        check("v2.0-rc1", &["v2.0-rc1", "v2.0-rc2", "v1.9"], Some("v2.0-rc2"));
        check("v2.0-rc9", &["v2.0-rc9", "v2.0-rc10"], Some("v2.0-rc10"));
        check("v2.0-rc2", &["v2.0-rc2", "v2.0"], Some("v2.0"));
        check("v2.0", &["v2.0-rc2", "v2.0"], None);
        check(
            "release-2.1-stable",
            &["release-2.1-stable", "release-2.2-stable", "release-2.3-alpha"],
            Some("release-2.2-stable"),
        );
        check("2024-01-05", &["2024-01-05", "2023-12-31", "2024-02-01"], Some("2024-02-01"));
        assert!(Tag::parse("nightly").is_none());
    }

    #[test]
    fn versions_are_compared_by_the_rules_of_their_index() {
        assert!(compare_crates("1.10.0", "1.9.0").is_gt());
        assert!(compare_crates("1.7.0+v1.7.1", "1.7.0+v1.7.0").is_gt());
        assert!(compare_crates("2.0.0-alpha.1", "2.0.0").is_lt());
        assert!(compare_python("1.10", "1.9").is_gt());
        assert!(compare_python("1.0rc1", "1.0").is_lt());
        assert!(compare_python("1.0", "1.0.0").is_eq());
    }
}
