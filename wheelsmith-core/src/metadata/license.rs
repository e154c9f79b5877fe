//! Licences: SPDX expressions, older free texts, files, classifiers (PEP 639).

use std::collections::BTreeMap;

use super::ProjectTable;
use super::project_table::LicenseValue;
use super::{Error, one_line, problem, problem_with_hint};
use crate::name::WheelPath;

/// Value of `license`.
#[derive(Debug, Clone)]
pub(super) enum License {
    /// SPDX expression in the spelling of the SPDX list.
    Expression(String),
    /// Licence in free text, possibly of several lines.
    Words(String),
}

const KEY: &str = "project.license";
const HINT: &str = "write an SPDX expression such as `MIT OR Apache-2.0`; for a licence that is \
    not on the list, `LicenseRef-` and a name";

impl License {
    /// Converts the value of `license`. Returns `None` for a table with `file`, which is a licence
    /// file.
    pub(super) fn new(raw: &LicenseValue, project: &ProjectTable) -> Result<Option<Self>, Error> {
        match raw {
            LicenseValue::Expression(text) => Ok(Some(Self::Expression(expression(text)?))),
            LicenseValue::Table(table) => {
                if project.license_files.is_some() {
                    let words = "is a table, which cannot stand beside `license-files`";
                    return Err(problem_with_hint(KEY, words, HINT));
                }
                match (&table.file, &table.text) {
                    (None, Some(text)) if !text.trim().is_empty() => {
                        Ok(Some(Self::Words(text.trim().replace("\r\n", "\n"))))
                    }
                    (Some(_), None) => Ok(None),
                    _ => Err(problem_with_hint(KEY, "needs either `file` or `text`", HINT)),
                }
            }
        }
    }
}

/// Returns the expression with every identifier and operator as the SPDX list spells it.
pub(crate) fn expression(text: &str) -> Result<String, Error> {
    let mut words = Vec::new();
    for word in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        words.push(spelling(word).ok_or_else(|| {
            problem_with_hint(KEY, format!("has `{word}`, which SPDX does not list"), HINT)
        })?);
    }
    let canonical = words.join(" ").replace("( ", "(").replace(" )", ")");
    // Older identifiers, such as `GPL-2.0`, are in the list, and indexes accept them.
    let mode = spdx::ParseMode {
        allow_deprecated: true,
        allow_postfix_plus_on_gpl: true,
        ..spdx::ParseMode::STRICT
    };
    if let Err(error) = spdx::Expression::parse_mode(&canonical, mode) {
        let words = format!("is `{text}`, which is not an SPDX expression: {}", error.reason);
        return Err(problem_with_hint(KEY, words, HINT));
    }
    Ok(canonical)
}

/// Returns a word of an expression in the spelling of the list; `None` if the list does not contain
/// it.
pub(crate) fn spelling(word: &str) -> Option<String> {
    let upper = word.to_ascii_uppercase();
    if ["(", ")", "AND", "OR", "WITH"].contains(&upper.as_str()) {
        return Some(upper);
    }
    if upper.starts_with("LICENSEREF-") {
        let name = &word["LicenseRef-".len()..];
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        return (!name.is_empty() && name.chars().all(plain)).then(|| format!("LicenseRef-{name}"));
    }
    // The crate's list contains these two, which mean that there is no expression.
    if ["NONE", "NOASSERTION"].contains(&upper.as_str()) {
        return None;
    }
    let find = |name: &str| {
        let licenses = spdx::identifiers::LICENSES.iter().map(|license| license.name);
        let exceptions = spdx::identifiers::EXCEPTIONS.iter().map(|exception| exception.name);
        licenses.chain(exceptions).find(|listed| listed.eq_ignore_ascii_case(name))
    };
    find(word).map(str::to_owned).or_else(|| Some(format!("{}+", find(word.strip_suffix('+')?)?)))
}

/// Decodes the licence files. Returns an error for a text that is not UTF-8.
pub(super) fn files(raw: Vec<(WheelPath, Vec<u8>)>) -> Result<BTreeMap<WheelPath, String>, Error> {
    let mut files = BTreeMap::new();
    for (path, bytes) in raw {
        let text = String::from_utf8(bytes).map_err(|_| {
            problem("project.license-files", format!("matches `{path}`, which is not UTF-8 text"))
        })?;
        files.insert(path, text);
    }
    Ok(files)
}

/// Validates classifiers and removes duplicates.
pub(super) fn classifiers(raw: &[String], license: Option<&License>) -> Result<Vec<String>, Error> {
    let key = "project.classifiers";
    let mut classifiers: Vec<String> = Vec::new();
    for text in raw {
        let text = one_line(key, text)?;
        if !text
            .split(" :: ")
            .all(|part| !part.is_empty() && part.trim() == part && !part.contains("::"))
        {
            return Err(problem(key, format!("has `{text}`: its parts are not split by ` :: `")));
        }
        if text.starts_with("License ::") && matches!(license, Some(License::Expression(_))) {
            let words = format!("has `{text}` beside an expression in `license`");
            return Err(problem_with_hint(key, words, "leave the classifier out"));
        }
        if !classifiers.contains(&text) {
            classifiers.push(text);
        }
    }
    Ok(classifiers)
}
