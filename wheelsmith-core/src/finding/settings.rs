//! Settings of a project for findings: their severities and waivers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::{Code, Finding, Severity};
use crate::name::ParseError;

/// Settings of a project for findings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Severity of the findings of a code.
    pub severity: BTreeMap<Code, Level>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
}

/// Configured severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Level {
    /// [`Severity::Error`].
    Error,
    /// [`Severity::Warning`].
    Warning,
    /// [`Severity::Info`].
    Info,
    /// Not reported.
    Ignore,
}

impl Level {
    const fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Ignore => None,
        }
    }
}

impl FromStr for Level {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "error" => Ok(Self::Error),
            "warning" => Ok(Self::Warning),
            "info" => Ok(Self::Info),
            "ignore" => Ok(Self::Ignore),
            _ => Err(ParseError::new(text, "`error`, `warning`, `info` or `ignore`")),
        }
    }
}

/// A finding that the project accepts.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// Code of the finding.
    pub code: Code,
    /// Pattern of files; without it, all files and the input as a whole.
    pub file: Option<GlobMatcher>,
    /// Reason.
    pub reason: String,
    /// Last day on which the waiver is valid.
    pub until: Option<Date>,
}

impl Waiver {
    /// Creates a waiver; `file` is a pattern for paths inside the wheel.
    ///
    /// # Errors
    /// Returns an error for a malformed pattern.
    pub fn new(
        code: Code,
        file: Option<&str>,
        reason: String,
        until: Option<Date>,
    ) -> Result<Self, globset::Error> {
        let file = file.map(Glob::new).transpose()?.map(|glob| glob.compile_matcher());
        Ok(Self { code, file, reason, until })
    }

    fn covers(&self, finding: &Finding) -> bool {
        let is_there = match (&self.file, &finding.file) {
            (None, _) => true,
            (Some(glob), Some(file)) => glob.is_match(file.as_str()),
            (Some(_), None) => false,
        };
        self.code == finding.code && is_there
    }

    fn name(&self) -> String {
        match &self.file {
            Some(glob) => format!("the waiver of `{}` in `{}`", self.code, glob.glob()),
            None => format!("the waiver of `{}`", self.code),
        }
    }
}

impl Settings {
    /// Sets the severity of every finding of each input, and marks those that are waived on
    /// `today`. Returns findings about the waivers.
    #[must_use]
    pub fn apply<'f>(
        &self,
        inputs: impl IntoIterator<Item = &'f mut Vec<Finding>>,
        today: Option<Date>,
    ) -> Vec<Finding> {
        let mut used = vec![false; self.waivers.len()];
        for findings in inputs {
            findings.retain_mut(|finding| {
                let level = self.severity.get(&finding.code);
                let severity = level.map_or(Some(finding.severity), |level| level.severity());
                let Some(severity) = severity else { return false };
                finding.severity = severity;
                let covers = |(_, waiver): &(usize, &Waiver)| waiver.covers(finding);
                if let Some((i, waiver)) = self.waivers.iter().enumerate().find(covers) {
                    used[i] = true;
                    if !waiver.is_over(today) {
                        finding.waived = Some(waiver.reason.clone());
                    }
                }
                true
            });
            clear_verdict(findings);
            findings.sort();
        }
        let mut configuration = Vec::new();
        for (waiver, used) in self.waivers.iter().zip(used) {
            let finding = match waiver.until {
                Some(until) if waiver.is_over(today) => {
                    let message = format!("{} expired on {until}", waiver.name());
                    Finding::whole(Code::ExpiredWaiver, message)
                }
                _ if !used => Finding::whole(
                    Code::UnusedWaiver,
                    format!("{} matches no finding", waiver.name()),
                ),
                _ => continue,
            };
            configuration.push(finding);
        }
        configuration
    }
}

/// Waives the verdict on the tag if every error that could have led to it is waived.
fn clear_verdict(findings: &mut [Finding]) {
    let is_verdict = |finding: &Finding| finding.code == Code::TagNotEarned;
    let is_error = |finding: &Finding| finding.severity == Severity::Error && !is_verdict(finding);
    let has_waived = findings.iter().any(|f| is_error(f) && f.waived.is_some());
    let has_other = findings.iter().any(|f| is_error(f) && f.waived.is_none());
    if has_waived && !has_other {
        for finding in findings.iter_mut().filter(|f| is_verdict(f) && f.waived.is_none()) {
            finding.waived = Some("the findings that exclude the tag are waived".to_owned());
        }
    }
}

impl Waiver {
    fn is_over(&self, today: Option<Date>) -> bool {
        matches!((self.until, today), (Some(until), Some(today)) if until < today)
    }
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Returns the day (UTC) of a time in seconds since 1970.
    pub fn from_epoch(seconds: u64) -> Self {
        // Howard Hinnant's `civil_from_days`: eras of 400 years that begin on 1 March.
        let days = seconds / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let day = day - (153 * shifted + 2) / 5 + 1;
        let small = |n: u64| u8::try_from(n).unwrap_or_default();
        Self { year: u16::try_from(year).unwrap_or(u16::MAX), month: small(month), day: small(day) }
    }
}

impl FromStr for Date {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a day, such as `2027-01-31`");
        let parts: Vec<&str> = text.split('-').collect();
        let ([year, month, day], [4, 2, 2]) =
            (&parts[..], &parts.iter().map(|p| p.len()).collect::<Vec<_>>()[..])
        else {
            return Err(error());
        };
        let number = |text: &str| text.parse::<u16>().map_err(|_| error());
        let (year, month, day) = (number(year)?, number(month)?, number(day)?);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + u16::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(error()),
        };
        if !(1..=last).contains(&day) {
            return Err(error());
        }
        let small = |n: u16| u8::try_from(n).map_err(|_| error());
        Ok(Self { year, month: small(month)?, day: small(day)? })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

crate::name::serde_by_text!(Date);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_from_seconds() {
        let check = |seconds: u64, day: &str| {
            assert_eq!(Date::from_epoch(seconds).to_string(), day);
            assert_eq!(day.parse::<Date>().unwrap(), Date::from_epoch(seconds));
        };
        check(0, "1970-01-01");
        check(951_782_399, "2000-02-28");
        check(951_782_400, "2000-02-29");
        check(1_000_000_000, "2001-09-09");
        check(4_102_444_800, "2100-01-01");
        check(4_107_542_400, "2100-03-01");
        for text in ["2027-1-31", "2027-13-01", "2027-02-29", "20270131", "2027-01-00", ""] {
            text.parse::<Date>().unwrap_err();
        }
    }

    #[test]
    fn waived_findings_stay_and_do_not_count() {
        let path = "p/x.so".parse().unwrap();
        let found = Finding::new(Code::EscapingRpath, &path, "its RPATH has `/opt`");
        let run = |settings: &Settings, today: &str| {
            let mut findings = vec![found.clone()];
            let configuration = settings.apply([&mut findings], Some(today.parse().unwrap()));
            (findings.remove(0), configuration)
        };
        let waiver = |file: Option<&str>, until: Option<&str>| {
            let until = until.map(|day| day.parse().unwrap());
            let reason = "the driver lives there".to_owned();
            let waiver = Waiver::new(Code::EscapingRpath, file, reason, until).unwrap();
            Settings { waivers: vec![waiver], ..Settings::default() }
        };
        let check = |settings: &Settings, today: &str, is_waived: bool, configuration: &[Code]| {
            let (finding, said) = run(settings, today);
            assert_eq!(finding.waived.is_some(), is_waived);
            assert_eq!(finding.counts_at(Severity::Warning), !is_waived);
            let codes: Vec<Code> = said.iter().map(|f| f.code).collect();
            assert_eq!(codes, configuration);
        };
        check(&waiver(None, None), "2030-01-01", true, &[]);
        check(&waiver(Some("p/**"), Some("2026-12-31")), "2026-12-31", true, &[]);
        check(&waiver(None, Some("2026-12-31")), "2027-01-01", false, &[Code::ExpiredWaiver]);
        let (finding, said) = run(&waiver(Some("q/*"), None), "2027-01-01");
        assert_eq!(said[0].code, Code::UnusedWaiver);
        assert!(finding.waived.is_none());
    }

    #[test]
    fn a_verdict_goes_with_its_waived_causes() {
        let path = "p/x.so".parse().unwrap();
        let cause = Finding::new(Code::ExternalLibrary, &path, "it needs `libx.so.1`");
        let other = Finding::new(Code::SymbolTooNew, &path, "it needs `GLIBC_2.34`");
        let verdict = Finding::whole(Code::TagNotEarned, "it claims a tag");
        let counts = |findings: &[&Finding]| {
            let waiver =
                Waiver::new(Code::ExternalLibrary, None, "it is there".to_owned(), None).unwrap();
            let settings = Settings { waivers: vec![waiver], ..Settings::default() };
            let mut findings: Vec<Finding> = findings.iter().map(|f| (*f).clone()).collect();
            let _ = settings.apply([&mut findings], None);
            findings.iter().filter(|f| f.counts_at(Severity::Error)).count()
        };
        assert_eq!(counts(&[&cause, &verdict]), 0);
        assert_eq!(counts(&[&cause, &other, &verdict]), 2);
        assert_eq!(counts(&[&verdict]), 1);
    }

    #[test]
    fn severities_are_the_projects() {
        let found = Finding::whole(Code::UnportableTag, "x");
        let run = |level: Level| {
            let mut findings = vec![found.clone()];
            let severity = BTreeMap::from([(Code::UnportableTag, level)]);
            let settings = Settings { severity, ..Settings::default() };
            assert!(settings.apply([&mut findings], None).is_empty());
            findings.first().map(|f| f.severity)
        };
        assert_eq!(run(Level::Error), Some(Severity::Error));
        assert_eq!(run(Level::Info), Some(Severity::Info));
        assert_eq!(run(Level::Ignore), None);
    }
}
