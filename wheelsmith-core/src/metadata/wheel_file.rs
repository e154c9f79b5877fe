//! `WHEEL`: format version, generator, and the tags of a wheel (binary distribution format).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::fields::Fields;
use crate::name::{PlatformTag, PythonTag, WheelFilename};

/// Limit of the tags that one line expands to, since a hostile line could expand to any number.
const MOST_TAGS_OF_A_LINE: usize = 10_000;
/// Fields that follow from the file name.
const FROM_THE_NAME: [&str; 3] = ["tag", "build", "root-is-purelib"];

/// Contents of a `WHEEL` file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WheelFile {
    /// Fields in their order, with names as written.
    pub fields: Vec<(String, String)>,
    /// Single tags that the `Tag` fields expand to, such as `py3-none-any`; sorted, with
    /// duplicates.
    pub tags: Vec<String>,
    /// `Root-Is-Purelib`; `None` if the field is absent.
    pub is_purelib: Option<bool>,
    /// First line that is not a field.
    pub(crate) trouble: Option<String>,
}

impl WheelFile {
    /// Parses the file. Lines that are not fields are skipped.
    pub fn parse(bytes: &[u8]) -> Self {
        let fields = Fields::read(bytes);
        let mut tags: Vec<String> =
            fields.all("Tag").flat_map(|tag| expand(tag.trim_end())).collect();
        tags.sort();
        Self {
            tags,
            is_purelib: fields
                .one("Root-Is-Purelib")
                .map(|value| value.trim_end().eq_ignore_ascii_case("true")),
            fields: fields
                .list
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.trim_end().to_owned()))
                .collect(),
            trouble: fields.trouble,
        }
    }

    /// Returns the values of all fields called `name`, ignoring case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.fields.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Returns the text of this file with the tags and build number of `filename`. All other fields
    /// are kept in their order.
    pub(crate) fn with_tags_of(&self, filename: &WheelFilename) -> String {
        let mut text = String::new();
        let is_kept = |name: &str| !FROM_THE_NAME.iter().any(|n| n.eq_ignore_ascii_case(name));
        for (name, value) in self.fields.iter().filter(|(name, _)| is_kept(name)) {
            let _ = writeln!(text, "{name}: {value}");
        }
        // The author of a wheel for any platform chose the directory of its files.
        let was_pure = self.is_purelib.unwrap_or(true);
        text.push_str(&tag_fields(filename, was_pure && filename.platforms == [PlatformTag::Any]));
        text
    }

    /// Returns the file name with `stem` (`name-version`) and the tags in this file.
    ///
    /// # Errors
    /// Returns an error if no file name can express these tags.
    pub(crate) fn filename(&self, stem: &str) -> Result<WheelFilename, String> {
        let (name, version) = stem.split_once('-').ok_or("`.dist-info` has no version")?;
        let mut sets: [BTreeSet<&str>; 3] = Default::default();
        let mut tags = BTreeSet::new();
        for tag in &self.tags {
            let parts: Vec<&str> = tag.splitn(3, '-').collect();
            let [python, abi, platform] = parts[..] else {
                return Err(format!("the tag `{tag}` in its WHEEL is not `python-abi-platform`"));
            };
            for (set, part) in sets.iter_mut().zip([python, abi, platform]) {
                set.insert(part);
            }
            tags.insert((python, abi, platform));
        }
        let [python, abi, platforms] = sets.map(|set| set.into_iter().collect::<Vec<_>>());
        if python.is_empty() {
            return Err("its WHEEL has no `Tag`".to_owned());
        }
        if tags.len() != python.len() * abi.len() * platforms.len() {
            return Err(
                "its WHEEL has tags that no file name can express: not every Python tag occurs \
                 with every ABI and platform tag"
                    .to_owned(),
            );
        }
        let text = |e: crate::name::ParseError| e.to_string();
        let platforms = platforms.into_iter().map(|tag| tag.parse().map_err(text));
        let python: PythonTag =
            format!("{}-{}", python.join("."), abi.join(".")).parse().map_err(text)?;
        Ok(WheelFilename {
            name: name.to_owned(),
            version: version.to_owned(),
            build: self.values("Build").next().map(str::to_owned),
            python,
            platforms: platforms.collect::<Result<_, _>>()?,
        })
    }
}

/// Returns the text of `WHEEL` for a new wheel called `filename`.
pub(super) fn render(filename: &WheelFilename) -> String {
    let head = concat!("Wheel-Version: 1.0\nGenerator: wheelsmith ", env!("CARGO_PKG_VERSION"));
    format!("{head}\n{}", tag_fields(filename, filename.platforms == [PlatformTag::Any]))
}

/// Returns the fields that follow from the file name.
fn tag_fields(filename: &WheelFilename, is_purelib: bool) -> String {
    let mut out = format!("Root-Is-Purelib: {is_purelib}\n");
    for tag in filename.expanded_tags() {
        let _ = writeln!(out, "Tag: {tag}");
    }
    if let Some(build) = &filename.build {
        let _ = writeln!(out, "Build: {build}");
    }
    out
}

/// Returns the single tags of a set: `py2.py3-none-any` gives `py2-none-any` and `py3-none-any`.
fn expand(tag: &str) -> Vec<String> {
    let parts: Vec<Vec<&str>> = tag.splitn(3, '-').map(|set| set.split('.').collect()).collect();
    let [python, abi, platform] = &parts[..] else { return vec![tag.to_owned()] };
    let mut tags = Vec::new();
    if python.len().saturating_mul(abi.len()).saturating_mul(platform.len()) > MOST_TAGS_OF_A_LINE {
        return vec![tag.to_owned()];
    }
    for python in python {
        for abi in abi {
            tags.extend(platform.iter().map(|platform| format!("{python}-{abi}-{platform}")));
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_files_name_each_tag_once() {
        let check = |filename: &str, rest: &str| {
            let text = render(&filename.parse().unwrap());
            let version = env!("CARGO_PKG_VERSION");
            let head = format!("Wheel-Version: 1.0\nGenerator: wheelsmith {version}\n");
            assert_eq!(text, head + rest);
        };
        check("d-1-py3-none-any.whl", "Root-Is-Purelib: true\nTag: py3-none-any\n");
        check(
            "d-1-7x-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "Root-Is-Purelib: false\nTag: py3-none-manylinux2014_x86_64\n\
             Tag: py3-none-manylinux_2_17_x86_64\nBuild: 7x\n",
        );
    }

    #[test]
    fn sets_and_folded_fields_are_read() {
        let file = WheelFile::parse(
            b"Generator: a\n  b\nTag: py2.py3-none-any\nRoot-Is-Purelib: TRUE\n\nTag: x\n",
        );
        assert_eq!(file.tags, ["py2-none-any", "py3-none-any"]);
        assert_eq!(file.is_purelib, Some(true));
        assert_eq!(file.values("generator").collect::<Vec<_>>(), ["a\n  b"]);
        let name = file.filename("d-1").unwrap();
        assert_eq!(name.to_string(), "d-1-py2.py3-none-any.whl");
        let no_product = WheelFile::parse(b"Tag: py2-none-any\nTag: py3-none-win32\n");
        no_product.filename("d-1").unwrap_err();
    }

    #[test]
    fn the_name_follows_from_the_tags() {
        let check = |tags: &[&str], expected: Result<&str, &str>| {
            let text: String = tags.iter().map(|tag| format!("Tag: {tag}\n")).collect();
            let name = WheelFile::parse(text.as_bytes()).filename("demo-1.0");
            let name = name.map(|name| name.to_string());
            match expected {
                Ok(expected) => assert_eq!(name.unwrap(), expected),
                Err(part) => assert!(name.clone().unwrap_err().contains(part), "{name:?}"),
            }
        };
        check(&["py3-none-any"], Ok("demo-1.0-py3-none-any.whl"));
        let two = ["py2-none-win32", "py3-none-win32"];
        check(&two, Ok("demo-1.0-py2.py3-none-win32.whl"));
        check(&["py2.py3-none-win32"], Ok("demo-1.0-py2.py3-none-win32.whl"));
        check(&[], Err("no `Tag`"));
        check(&["py3"], Err("is not `python-abi-platform`"));
        check(&["py2-none-any", "py3-abi3-any"], Err("no file name"));
    }
}
