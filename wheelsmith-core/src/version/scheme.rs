//! Release versions: their SemVer and PEP 440 forms, and the next one of each kind.
//!
//! Both forms of a version sort alike. That is why a development version is `1.2.0-0.dev.3` in
//! SemVer: `-dev.3` sorts after `-alpha.1` there, and before it in PEP 440.

use std::fmt::{self, Write as _};

use pep440_rs::{LocalSegment, Prerelease, PrereleaseKind, Version};

/// A version that a project releases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseVersion(Version);

/// Form in which a file writes a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `1.2.0-rc.1`: cargo, npm.
    SemVer,
    /// `1.2.0rc1`: Python (PEP 440).
    Pep440,
    /// `1.2.0`: the numbers of the release alone, for CMake.
    Numbers,
    /// `1, 2, 0, "rc1"`: the elements of a Python tuple.
    Tuple,
    /// `1`, `2` or `0`: one number of the release, by its position.
    Number(usize),
}

/// Part of a version that a bump raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bump {
    /// First number.
    Major,
    /// Second number.
    Minor,
    /// Third number.
    Patch,
    /// Number of the pre-release.
    Pre,
    /// From a pre-release to its release.
    Release,
    /// From a release to the first development version of the next patch release.
    NextDev,
}

/// Kind of a pre-release, in the order in which they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreKind {
    /// `-alpha.1`, `a1`.
    Alpha,
    /// `-beta.1`, `b1`.
    Beta,
    /// `-rc.1`, `rc1`.
    Rc,
}

/// Reason why a version has no such form, or no such successor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemeError {
    message: String,
    /// Remedy: the nearest form, or another command.
    pub help: Option<String>,
}

impl SchemeError {
    fn new(message: String, help: Option<String>) -> Self {
        Self { message, help }
    }

    /// The version has no form in the other scheme; `nearest` has one.
    fn without_form(text: &str, scheme: &str, why: &str, nearest: &str) -> Self {
        let message = format!("`{text}` has no {scheme} form: {why}");
        Self::new(message, Some(format!("the nearest version with both forms is `{nearest}`")))
    }
}

impl ReleaseVersion {
    /// Parses a version in either form.
    ///
    /// # Errors
    /// The text is no version, or a SemVer version without a PEP 440 form.
    pub fn parse(text: &str) -> Result<Self, SchemeError> {
        let text = text.trim();
        if let Ok(version) = semver::Version::parse(text) {
            return from_semver(text, &version);
        }
        let parsed = text.parse().map_err(|_| {
            let help = "write it as `1.2.0`, `1.2.0-rc.1` (SemVer) or `1.2.0rc1` (PEP 440)";
            SchemeError::new(format!("`{text}` is not a version"), Some(help.to_owned()))
        })?;
        Ok(Self(parsed))
    }

    /// Parses a version as a file of the given form writes it; `None` if the form does not tell.
    pub fn parse_as(text: &str, form: Form) -> Option<Self> {
        match form {
            Form::SemVer => {
                let version = semver::Version::parse(text).ok()?;
                from_semver(text, &version).ok()
            }
            Form::Pep440 => text.parse().ok().map(Self),
            Form::Numbers | Form::Tuple | Form::Number(_) => None,
        }
    }

    /// Returns the version as a file of the given form writes it.
    ///
    /// # Errors
    /// The version has no such form.
    pub fn write(&self, form: Form) -> Result<String, SchemeError> {
        match form {
            Form::SemVer => self.semver(),
            Form::Pep440 => Ok(self.0.to_string()),
            Form::Numbers => Ok(join(self.0.release(), ".")),
            Form::Tuple => Ok(self.tuple()),
            Form::Number(i) => Ok(self.0.release().get(i).copied().unwrap_or(0).to_string()),
        }
    }

    /// Returns the SemVer form.
    ///
    /// # Errors
    /// PEP 440 has versions that SemVer has not: epochs, four numbers, post-releases, and
    /// development versions of pre-releases.
    pub fn semver(&self) -> Result<String, SchemeError> {
        let version = &self.0;
        let text = version.to_string();
        let refuse =
            |why, nearest: &str| Err(SchemeError::without_form(&text, "SemVer", why, nearest));
        let mut numbers = version.release().to_vec();
        let is_long = numbers.len() > 3;
        numbers.resize(3, 0);
        let plain = join(&numbers, ".");
        if version.epoch() != 0 {
            return refuse("SemVer has no epochs", &plain);
        }
        if is_long {
            return refuse("SemVer has three numbers", &plain);
        }
        if version.is_post() {
            numbers[2] += 1;
            return refuse("SemVer has no post-releases", &join(&numbers, "."));
        }
        let mut form = match (version.pre(), version.dev()) {
            (None, None) => plain,
            (Some(pre), None) => format!("{plain}-{}.{}", word(pre.kind), pre.number),
            (None, Some(dev)) => format!("{plain}-0.dev.{dev}"),
            (Some(pre), Some(_)) => {
                let nearest = format!("{plain}-{}.{}", word(pre.kind), pre.number);
                return refuse("SemVer has no order for them", &nearest);
            }
        };
        if !version.local().is_empty() {
            let segments = version.local().iter().map(ToString::to_string);
            form += "+";
            form += &segments.collect::<Vec<_>>().join(".");
        }
        Ok(form)
    }

    /// Returns the PEP 440 form.
    pub fn pep440(&self) -> String {
        self.0.to_string()
    }

    /// True if the version has a local part (`+git.abc`), which public indexes refuse.
    pub fn is_local(&self) -> bool {
        self.0.is_local()
    }

    /// Returns the version without its local part, as pins name it.
    #[must_use]
    pub fn without_local(&self) -> Self {
        Self(self.0.clone().without_local())
    }

    /// Returns the next version. `pre` makes it a pre-release of that kind: `minor` of 1.2.3 with
    /// `rc` is 1.3.0-rc.1.
    ///
    /// A number that a pre-release has raised already is not raised again: `minor` of 1.3.0-rc.2 is
    /// 1.3.0, as npm has it.
    ///
    /// # Errors
    /// The bump does not apply to this version; the message names the one that does.
    pub fn bump(&self, bump: Bump, pre: Option<PreKind>) -> Result<Self, SchemeError> {
        let refuse = |why: &str, help: &str| {
            Err(SchemeError::new(format!("`{}` {why}", self.0), Some(help.to_owned())))
        };
        let mut numbers = self.0.release().to_vec();
        let is_early = self.0.pre().is_some() || self.0.is_dev();
        match bump {
            Bump::Major | Bump::Minor | Bump::Patch => {
                let i = match bump {
                    Bump::Major => 0,
                    Bump::Minor => 1,
                    _ => 2,
                };
                numbers.resize(numbers.len().max(i + 1), 0);
                let is_raised = is_early && numbers[i + 1..].iter().all(|n| *n == 0);
                if !is_raised {
                    numbers[i] += 1;
                    numbers[i + 1..].fill(0);
                }
                let pre = pre.map(|kind| Prerelease { kind: kind.into(), number: 1 });
                let next = Self(self.plain(numbers).with_pre(pre));
                if next.0 <= self.0 {
                    return refuse("is not older than that pre-release", "use `bump pre`");
                }
                Ok(next)
            }
            Bump::Pre => self.next_pre(pre),
            Bump::Release | Bump::NextDev if pre.is_some() => {
                refuse("takes no kind of pre-release here", "leave `--pre` out")
            }
            Bump::Release if is_early => Ok(Self(self.plain(numbers))),
            Bump::Release => refuse(
                "is a release already",
                "raise a number: `bump patch`, `bump minor`, `bump major`",
            ),
            Bump::NextDev if self.0.pre().is_some() => refuse(
                "is a pre-release, and SemVer has no development versions of pre-releases",
                "use `bump pre` or `bump release`",
            ),
            Bump::NextDev => {
                let dev = if let Some(dev) = self.0.dev() {
                    dev + 1
                } else {
                    numbers.resize(numbers.len().max(3), 0);
                    numbers[2] += 1;
                    numbers[3..].fill(0);
                    0
                };
                Ok(Self(self.plain(numbers).with_dev(Some(dev))))
            }
        }
    }

    fn next_pre(&self, kind: Option<PreKind>) -> Result<Self, SchemeError> {
        let refuse = |why: String, help: &str| Err(SchemeError::new(why, Some(help.to_owned())));
        let plain = self.plain(self.0.release().to_vec());
        let with = |kind: PrereleaseKind, number| {
            Ok(Self(plain.clone().with_pre(Some(Prerelease { kind, number }))))
        };
        match (self.0.pre(), kind.map(PrereleaseKind::from)) {
            (Some(now), kind) if kind.is_none_or(|kind| kind == now.kind) => {
                // The development version of a pre-release comes before it.
                with(now.kind, now.number + u64::from(!self.0.is_dev()))
            }
            (Some(now), Some(kind)) if kind > now.kind => with(kind, 1),
            (Some(now), _) => refuse(
                format!("`{}` is behind that kind of pre-release: `{}`", self.0, word(now.kind)),
                "leave `--pre` out, or raise a number with it: `bump patch --pre alpha`",
            ),
            (None, kind) if self.0.is_dev() => with(kind.unwrap_or(PrereleaseKind::Alpha), 1),
            (None, _) => refuse(
                format!("`{}` is a release, which has no pre-releases after it", self.0),
                "raise a number as well: `bump minor --pre rc`",
            ),
        }
    }

    /// Returns a release with these numbers and the epoch of this version.
    fn plain(&self, numbers: Vec<u64>) -> Version {
        Version::new(numbers).with_epoch(self.0.epoch())
    }

    fn tuple(&self) -> String {
        let mut text = join(self.0.release(), ", ");
        if let Some(Prerelease { kind, number }) = self.0.pre() {
            let _ = write!(text, ", \"{kind}{number}\"");
        }
        for (name, number) in [("post", self.0.post()), ("dev", self.0.dev())] {
            if let Some(number) = number {
                let _ = write!(text, ", \"{name}{number}\"");
            }
        }
        text
    }
}

impl fmt::Display for ReleaseVersion {
    /// Writes the SemVer form, or the PEP 440 form of versions that have only that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semver().unwrap_or_else(|_| self.pep440()))
    }
}

impl From<PreKind> for PrereleaseKind {
    fn from(kind: PreKind) -> Self {
        match kind {
            PreKind::Alpha => Self::Alpha,
            PreKind::Beta => Self::Beta,
            PreKind::Rc => Self::Rc,
        }
    }
}

/// Returns the word for a kind of pre-release in SemVer.
fn word(kind: PrereleaseKind) -> &'static str {
    match kind {
        PrereleaseKind::Alpha => "alpha",
        PrereleaseKind::Beta => "beta",
        PrereleaseKind::Rc => "rc",
    }
}

fn join(numbers: &[u64], separator: &str) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(separator)
}

fn from_semver(text: &str, version: &semver::Version) -> Result<ReleaseVersion, SchemeError> {
    let numbers = [version.major, version.minor, version.patch];
    let plain = join(&numbers, ".");
    let refuse =
        |why: &str, nearest: String| Err(SchemeError::without_form(text, "PEP 440", why, &nearest));
    let mut pep440 = Version::new(numbers);
    let pre: Vec<&str> = version.pre.split('.').filter(|part| !part.is_empty()).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let kind = |text: &str| match text {
        "alpha" => Some(PrereleaseKind::Alpha),
        "beta" => Some(PrereleaseKind::Beta),
        "rc" => Some(PrereleaseKind::Rc),
        _ => None,
    };
    // Such as `rc1`, which sorts after `rc10`.
    let glued = |text: &str| {
        let end = text.find(|c: char| c.is_ascii_digit())?;
        Some((kind(&text[..end])?, number(&text[end..])?))
    };
    match pre[..] {
        [] => {}
        ["0", "dev", n] | ["dev", n] if number(n).is_some() => {
            pep440 = pep440.with_dev(number(n));
        }
        [name, n] if kind(name).is_some() && number(n).is_some() => {
            let pre = kind(name).zip(number(n)).map(|(kind, number)| Prerelease { kind, number });
            pep440 = pep440.with_pre(pre);
        }
        [one] if glued(one).is_some() => {
            let (kind, n) = glued(one).unwrap_or((PrereleaseKind::Rc, 1));
            let nearest = format!("{plain}-{}.{n}", word(kind));
            return refuse("without a dot before its number it sorts as a text", nearest);
        }
        [name, ..] if kind(name).is_some() => {
            let n = pre.get(1).and_then(|n| number(n)).unwrap_or(1);
            return refuse("a pre-release has one number", format!("{plain}-{name}.{n}"));
        }
        _ => {
            let n = pre.last().and_then(|n| number(n)).unwrap_or(0);
            return refuse(
                "Python knows the pre-releases alpha, beta, rc and dev",
                format!("{plain}-0.dev.{n}"),
            );
        }
    }
    if !version.build.is_empty() {
        let segments = version.build.split(['.', '-']).map(segment);
        pep440 = pep440.with_local(segments.collect());
    }
    Ok(ReleaseVersion(pep440))
}

fn segment(text: &str) -> LocalSegment {
    match text.parse() {
        Ok(number) => LocalSegment::Number(number),
        Err(_) => LocalSegment::String(text.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The versions of two releases, each before the next one in both schemes.
    const CHAIN: [(&str, &str); 11] = [
        ("1.2.0-0.dev.2", "1.2.0.dev2"),
        ("1.2.0-0.dev.10", "1.2.0.dev10"),
        ("1.2.0-alpha.1", "1.2.0a1"),
        ("1.2.0-alpha.2", "1.2.0a2"),
        ("1.2.0-beta.1", "1.2.0b1"),
        ("1.2.0-rc.1", "1.2.0rc1"),
        ("1.2.0-rc.9", "1.2.0rc9"),
        ("1.2.0-rc.10", "1.2.0rc10"),
        ("1.2.0", "1.2.0"),
        ("1.2.1-0.dev.0", "1.2.1.dev0"),
        ("1.2.1", "1.2.1"),
    ];

    #[test]
    fn both_forms_lead_to_each_other_in_one_order() {
        for (semver, pep440) in CHAIN {
            for text in [semver, pep440] {
                let version = ReleaseVersion::parse(text).unwrap();
                assert_eq!(version.semver().as_deref(), Ok(semver), "{text}");
                assert_eq!(version.pep440(), pep440, "{text}");
            }
        }
        let semver = |text: &str| semver::Version::parse(text).unwrap();
        let pep440 = |text: &str| text.parse::<Version>().unwrap();
        for pair in CHAIN.windows(2) {
            assert!(semver(pair[0].0) < semver(pair[1].0), "{pair:?}");
            assert!(pep440(pair[0].1) < pep440(pair[1].1), "{pair:?}");
        }
    }

    #[test]
    fn further_spellings_are_read() {
        let check = |text: &str, semver: &str, pep440: &str| {
            let version = ReleaseVersion::parse(text).unwrap();
            assert_eq!(version.semver().as_deref(), Ok(semver), "{text}");
            assert_eq!(version.pep440(), pep440, "{text}");
        };
        check("1.2.0-dev.3", "1.2.0-0.dev.3", "1.2.0.dev3");
        check("1.2", "1.2.0", "1.2");
        check("v1.2", "1.2.0", "1.2");
        check("1.2.0+git.abc", "1.2.0+git.abc", "1.2.0+git.abc");
        check("1.2.0+1.012", "1.2.0+1.12", "1.2.0+1.12");
    }

    #[test]
    fn versions_without_another_form_name_the_nearest() {
        let check = |text: &str, nearest: &str| {
            let version = ReleaseVersion::parse(text);
            let error = version.and_then(|version| version.semver()).unwrap_err();
            let help = error.help.clone().unwrap_or_default();
            assert!(help.ends_with(&format!("`{nearest}`")), "{text}: {error}: {help}");
            let near = ReleaseVersion::parse(nearest).unwrap();
            assert_eq!(near.semver().as_deref(), Ok(nearest));
        };
        check("1.2.0-nightly.1", "1.2.0-0.dev.1");
        check("1.2.0-nightly", "1.2.0-0.dev.0");
        check("1.2.0-alpha.1.2", "1.2.0-alpha.1");
        check("1.2.0-beta.2.dev.1", "1.2.0-beta.2");
        check("1.2.0-rc1", "1.2.0-rc.1");
        check("1.2.0-rc", "1.2.0-rc.1");
        check("1.2.0-1", "1.2.0-0.dev.1");
        check("1.0.post1", "1.0.1");
        check("1!2.0", "2.0.0");
        check("1.2.3.4", "1.2.3");
        check("1.0a1.dev2", "1.0.0-alpha.1");
        for bad in ["", "one", "1..2", "1.2.0-", "-1"] {
            ReleaseVersion::parse(bad).unwrap_err();
        }
    }

    #[test]
    fn bumps_lead_upwards() {
        use Bump::{Major, Minor, NextDev, Patch, Pre, Release};
        use PreKind::{Alpha, Beta, Rc};
        let check = |from: &str, bump, pre, expected: Result<&str, &str>| {
            let version = ReleaseVersion::parse(from).unwrap();
            match (version.bump(bump, pre), expected) {
                (Ok(next), Ok(expected)) => {
                    assert_eq!(next.to_string(), expected, "{from} {bump:?}");
                    assert!(version < next, "{from} {bump:?}");
                }
                (Err(error), Err(part)) => {
                    let text = format!("{error} {:?}", error.help);
                    assert!(text.contains(part), "{from} {bump:?}: {text}");
                }
                (next, _) => panic!("{from} {bump:?}: {next:?}"),
            }
        };
        check("1.2.3", Major, None, Ok("2.0.0"));
        check("1.2.3", Minor, None, Ok("1.3.0"));
        check("1.2.3", Patch, None, Ok("1.2.4"));
        check("1.2", Patch, None, Ok("1.2.1"));
        check("1", Minor, None, Ok("1.1.0"));
        check("1.2.3+git.abc", Patch, None, Ok("1.2.4"));
        check("1.2.3", Minor, Some(Rc), Ok("1.3.0-rc.1"));
        check("1.3.0-rc.2", Minor, None, Ok("1.3.0"));
        check("1.3.1-rc.2", Minor, None, Ok("1.4.0"));
        check("2.0.0-alpha.1", Major, None, Ok("2.0.0"));
        check("1.2.4-0.dev.3", Patch, None, Ok("1.2.4"));
        check("1.2.4-0.dev.3", Patch, Some(Alpha), Ok("1.2.4-alpha.1"));
        check("1.3.0-rc.2", Minor, Some(Rc), Err("use `bump pre`"));
        check("1.3.0-rc.2", Pre, None, Ok("1.3.0-rc.3"));
        check("1.3.0-alpha.2", Pre, Some(Beta), Ok("1.3.0-beta.1"));
        check("1.3.0-rc.2", Pre, Some(Alpha), Err("bump patch --pre alpha"));
        check("1.3.0-0.dev.1", Pre, None, Ok("1.3.0-alpha.1"));
        check("1.3.0a1.dev2", Pre, None, Ok("1.3.0-alpha.1"));
        check("1.3.0", Pre, Some(Rc), Err("bump minor --pre rc"));
        check("1.3.0-rc.2", Release, None, Ok("1.3.0"));
        check("1.3.0-0.dev.2", Release, None, Ok("1.3.0"));
        check("1.3.0", Release, None, Err("bump patch"));
        check("1.3.0-rc.1", Release, Some(Rc), Err("leave `--pre` out"));
        check("1.3.0", NextDev, None, Ok("1.3.1-0.dev.0"));
        check("1.3.1-0.dev.0", NextDev, None, Ok("1.3.1-0.dev.1"));
        check("1.3.0-rc.1", NextDev, None, Err("bump pre"));
    }

    #[test]
    fn each_form_is_written() {
        let version = ReleaseVersion::parse("1.2.0-rc.1").unwrap();
        let check = |form, expected: &str| assert_eq!(version.write(form).as_deref(), Ok(expected));
        check(Form::SemVer, "1.2.0-rc.1");
        check(Form::Pep440, "1.2.0rc1");
        check(Form::Numbers, "1.2.0");
        check(Form::Tuple, "1, 2, 0, \"rc1\"");
        check(Form::Number(1), "2");
        check(Form::Number(3), "0");
    }

    proptest! {
        /// Every version with a SemVer form keeps its value and its order there.
        #[test]
        fn semver_keeps_value_and_order(
            a in any_version(),
            b in any_version(),
        ) {
            let semver = |v: &ReleaseVersion| semver::Version::parse(&v.semver().unwrap()).unwrap();
            let read = ReleaseVersion::parse(&a.semver().unwrap()).unwrap();
            prop_assert_eq!(&read, &a);
            prop_assert_eq!(semver(&a).cmp(&semver(&b)), a.cmp(&b));
        }
    }

    fn any_version() -> impl Strategy<Value = ReleaseVersion> {
        let numbers = proptest::array::uniform3(0_u64..20);
        (numbers, 0_u8..5, 0_u64..30).prop_map(|(numbers, kind, n)| {
            let version = Version::new(numbers);
            let pre = |kind| Some(Prerelease { kind, number: n });
            ReleaseVersion(match kind {
                0 => version.with_pre(pre(PrereleaseKind::Alpha)),
                1 => version.with_pre(pre(PrereleaseKind::Beta)),
                2 => version.with_pre(pre(PrereleaseKind::Rc)),
                3 => version.with_dev(Some(n)),
                _ => version,
            })
        })
    }
}
