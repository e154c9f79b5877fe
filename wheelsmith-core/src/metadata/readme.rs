//! Long description and its content type.

use super::project_table::ReadmeValue;
use super::{Error, one_line, problem, problem_with_hint};

/// Long description and its content type.
#[derive(Debug, Clone)]
pub(super) struct Readme {
    pub(super) content_type: String,
    pub(super) text: String,
}

const KEY: &str = "project.readme";
const TYPES: [(&str, &[&str]); 3] = [
    ("text/markdown", &[".md", ".markdown"]),
    ("text/x-rst", &[".rst"]),
    ("text/plain", &[".txt"]),
];

impl Readme {
    /// Reads the description. Its text is `file` unless the table contains it.
    pub(super) fn new(raw: &ReadmeValue, file: Option<Vec<u8>>) -> Result<Self, Error> {
        let (path, text, given) = match raw {
            ReadmeValue::File(path) => (Some(path), None, None),
            ReadmeValue::Table(table) => {
                (table.file.as_ref(), table.text.as_ref(), table.content_type.as_ref())
            }
        };
        let bytes = match (path, text) {
            (None, Some(text)) => text.clone().into_bytes(),
            (Some(path), None) => {
                file.ok_or_else(|| problem(KEY, format!("names `{path}`, which was not read")))?
            }
            _ => return Err(problem(KEY, "needs either `file` or `text`")),
        };
        let text = String::from_utf8(bytes).map_err(|_| problem(KEY, "is not UTF-8 text"))?;
        let content_type = match (given, path) {
            (Some(given), _) => content_type(given)?,
            (None, Some(path)) => from_suffix(path)?,
            (None, None) => return Err(problem(KEY, "needs `content-type` beside `text`")),
        };
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        Ok(Self { content_type, text })
    }
}

fn from_suffix(path: &str) -> Result<String, Error> {
    let path_lower = path.to_ascii_lowercase();
    let matches = |suffixes: &[&str]| suffixes.iter().any(|suffix| path_lower.ends_with(suffix));
    let found = TYPES.iter().find(|(_, suffixes)| matches(suffixes));
    found.map(|(name, _)| (*name).to_owned()).ok_or_else(|| {
        let words = format!("names `{path}`, whose suffix does not say its type");
        let hint = "write `readme = { file = \"…\", content-type = \"text/markdown\" }`";
        problem_with_hint(KEY, words, hint)
    })
}

/// Validates a content type and its parameters: indexes must support them.
fn content_type(text: &str) -> Result<String, Error> {
    let error = || {
        let words = format!("has the content-type `{text}`, which indexes do not render");
        let hint = "write `text/markdown`, `text/x-rst` or `text/plain`; the only parameters are \
                 `charset=UTF-8` and `variant=GFM` or `variant=CommonMark`";
        problem_with_hint(KEY, words, hint)
    };
    let line = one_line(KEY, text)?;
    let mut parts = line.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !TYPES.iter().any(|(known, _)| *known == name) {
        return Err(error());
    }
    let mut out = name.clone();
    for parameter in parts {
        let (key, value) = parameter.split_once('=').ok_or_else(error)?;
        let value = value.trim().trim_matches('"');
        let written = match key.trim().to_ascii_lowercase().as_str() {
            "charset" if value.eq_ignore_ascii_case("utf-8") => "charset=UTF-8",
            "variant" if name != "text/markdown" => return Err(error()),
            "variant" if value == "GFM" => "variant=GFM",
            "variant" if value == "CommonMark" => "variant=CommonMark",
            _ => return Err(error()),
        };
        out = format!("{out}; {written}");
    }
    Ok(out)
}
