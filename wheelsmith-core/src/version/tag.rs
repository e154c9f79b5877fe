//! Computes the version from the nearest tag and the number of commits since.

use pep440_rs::{Prerelease, Version};

use super::VersionError;
use crate::config::Tags;
use crate::sys::Host;
use crate::vcs::{self, Repository};

/// Returns the version of the commit that is checked out.
pub(super) fn version(
    tags: &Tags,
    repository: &Repository,
    host: &Host,
) -> Result<String, VersionError> {
    let mut args = vec!["describe", "--tags", "--long", "--dirty", "--abbrev=12", "--match"];
    let prefixed = tags.prefix.as_ref().map(|prefix| format!("{prefix}[0-9]*"));
    match &prefixed {
        Some(pattern) => args.push(pattern),
        None => args.extend(["v[0-9]*", "--match", "[0-9]*"]),
    }
    let described = repository.run(&args, host).map_err(|error| {
        let prefix = tags.prefix.as_deref().unwrap_or("v");
        let reason = match &error {
            vcs::Error::Refused { reason, .. } => reason.clone(),
            error => error.to_string(),
        };
        VersionError::with_help(
            format!("no tag precedes this commit: {reason}"),
            format!(
                "tag a release, such as `git tag {prefix}0.1.0`, fetch the tags, or set `{}`",
                super::VARIABLE
            ),
        )
    })?;
    let described = String::from_utf8_lossy(&described).trim().to_owned();
    from_description(&described, tags).ok_or_else(|| {
        VersionError::new(format!("`{described}` is a tag without a version (PEP 440)"))
    })
}

/// Parses the output of `git describe`: `v1.2-5-gabc` is the fifth commit on the way to the release
/// after 1.2.
fn from_description(text: &str, tags: &Tags) -> Option<String> {
    let (text, dirty) = text.strip_suffix("-dirty").map_or((text, false), |text| (text, true));
    let (rest, hash) = text.rsplit_once("-g")?;
    let (tag, distance) = rest.rsplit_once('-')?;
    let distance: u64 = distance.parse().ok()?;
    let tag = match &tags.prefix {
        Some(prefix) => tag.strip_prefix(prefix.as_str())?,
        None => tag.strip_prefix('v').unwrap_or(tag),
    };
    let released: Version = tag.parse().ok()?;
    if distance == 0 && !dirty {
        return Some(released.to_string());
    }
    let local = match (tags.local, dirty) {
        (false, _) => String::new(),
        (true, false) => format!("+g{hash}"),
        (true, true) => format!("+g{hash}.dirty"),
    };
    Some(format!("{}.dev{distance}{local}", next(&released)))
}

/// Returns the next release after `released`: its last number plus one.
fn next(released: &Version) -> Version {
    let plain = Version::new(released.release().iter().copied()).with_epoch(released.epoch());
    if let Some(Prerelease { kind, number }) = released.pre() {
        return plain.with_pre(Some(Prerelease { kind, number: number + 1 }));
    }
    if released.is_dev() {
        return plain;
    }
    let mut numbers = released.release().to_vec();
    if let Some(last) = numbers.last_mut() {
        *last += 1;
    }
    Version::new(numbers).with_epoch(released.epoch())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{self, Command, Env};

    #[test]
    fn commits_lie_before_the_next_release() {
        let tags = |prefix: Option<&str>, local| Tags { prefix: prefix.map(str::to_owned), local };
        let check = |text: &str, expected: Option<&str>| {
            let found = from_description(text, &tags(None, true));
            assert_eq!(found.as_deref(), expected, "{text}");
            if let Some(found) = found {
                found.parse::<Version>().unwrap();
            }
        };
        check("v1.2.3-0-gabc", Some("1.2.3"));
        check("1.2-5-gabc", Some("1.3.dev5+gabc"));
        check("v1.2.3-0-gabc-dirty", Some("1.2.4.dev0+gabc.dirty"));
        check("v1.0rc1-2-gabc", Some("1.0rc2.dev2+gabc"));
        check("v1.0.post1-2-gabc", Some("1.1.dev2+gabc"));
        check("v1.0.dev1-2-gabc", Some("1.0.dev2+gabc"));
        check("v1!2.0-1-gabc", Some("1!2.1.dev1+gabc"));
        check("vnext-1-gabc", None);
        check("v1", None);
        let of = |text: &str| from_description(text, &tags(Some("demo-v"), false));
        assert_eq!(of("demo-v2.0-3-gabc").as_deref(), Some("2.1.dev3"));
        assert_eq!(of("v2.0-3-gabc"), None);
    }

    #[test]
    fn the_nearest_tag_counts() {
        let dir = sys::fs::temp_dir().unwrap();
        let home = dir.path().to_string_lossy().into_owned();
        let mut env = Env::from_process().with([("HOME".to_owned(), home)]);
        for name in ["AUTHOR", "COMMITTER"] {
            env.set(format!("GIT_{name}_NAME"), "A");
            env.set(format!("GIT_{name}_EMAIL"), "a@example.org");
        }
        let host = Host::quiet(env);
        let root = dir.path().join("r");
        sys::fs::write_atomic(&root.join("p/pyproject.toml"), b"").unwrap();
        let Some(git) = host.env.find_program("git") else { return };
        let git = Command::new(git, &root, &host.env);
        let run = |args: &[&str]| git.clone().args(args.iter().copied()).run(&host).unwrap();
        let tags = Tags { prefix: None, local: false };
        let find = || {
            let repository = Repository::open(&root.join("p"), &host).unwrap().unwrap();
            version(&tags, &repository, &host)
        };
        run(&["init", "-q"]);
        run(&["add", "."]);
        run(&["commit", "-qm", "1"]);
        let error = find().unwrap_err();
        assert!(error.message.starts_with("no tag precedes this commit"), "{error:?}");
        run(&["tag", "v0.3"]);
        assert_eq!(find().as_deref(), Ok("0.3"));
        run(&["commit", "-qm", "2", "--allow-empty"]);
        assert_eq!(find().as_deref(), Ok("0.4.dev1"));
        run(&["tag", "-a", "v1.0rc1", "-m", "x"]);
        sys::fs::write(root.join("p/pyproject.toml"), "# new\n").unwrap();
        assert_eq!(find().as_deref(), Ok("1.0rc2.dev0"));
    }
}
