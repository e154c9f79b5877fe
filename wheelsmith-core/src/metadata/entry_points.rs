//! `entry_points.txt` (entry points specification).

use std::collections::BTreeMap;

use super::project_table::Texts;
use super::{Error, ProjectTable, problem};

/// Validated entry points: group -> name -> `module:attribute`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPoints(BTreeMap<String, BTreeMap<String, String>>);

const CONSOLE: &str = "console_scripts";
const GUI: &str = "gui_scripts";

impl EntryPoints {
    /// Reads the entry points of a project: `scripts`, `gui-scripts`, `entry-points`.
    ///
    /// # Errors
    /// Returns an error with the key whose value installers cannot read.
    pub fn new(project: &ProjectTable) -> Result<Self, Error> {
        let mut groups = BTreeMap::new();
        let programs = [
            ("project.scripts", CONSOLE, &project.scripts),
            ("project.gui-scripts", GUI, &project.gui_scripts),
        ];
        for (key, group, points) in programs {
            for (name, target) in points {
                let key = format!("{key}.{name}");
                if !is_program_name(name) {
                    let words = "is not a program's name (letters, digits, `-`, `_`, `.`)";
                    return Err(problem(key, words));
                }
                if !is_reference(target, true) {
                    return Err(problem(key, format!("is `{target}`, not `module:function`")));
                }
            }
            insert(&mut groups, group, points);
        }
        if let Some(both) =
            project.scripts.keys().find(|name| project.gui_scripts.contains_key(*name))
        {
            let words = "is also a console program, and both would be one file";
            return Err(problem(format!("project.gui-scripts.{both}"), words));
        }
        for (group, points) in &project.entry_points {
            let key = format!("project.entry-points.{group}");
            let own = [(CONSOLE, "scripts"), (GUI, "gui-scripts")];
            if let Some((_, place)) = own.iter().find(|(name, _)| name == group) {
                return Err(problem(key, format!("belongs into `project.{place}`")));
            }
            let word = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if !group.split('.').all(word) {
                return Err(problem(key, "is not a group (words with `.` between them)"));
            }
            for (name, target) in points {
                let key = format!("{key}.{name}");
                if name.is_empty()
                    || name.trim() != name
                    || name.starts_with(['[', '#', ';'])
                    || name.contains(|c: char| c == '=' || c.is_control())
                {
                    return Err(problem(key, "is not a name that `entry_points.txt` can hold"));
                }
                if !is_reference(target, false) {
                    return Err(problem(key, format!("is `{target}`, not `module:attribute`")));
                }
            }
            insert(&mut groups, group, points);
        }
        Ok(Self(groups))
    }

    /// True if there are no entry points, so that no file is written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names of the programs that an installer creates.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        let groups = [CONSOLE, GUI].into_iter().filter_map(|group| self.0.get(group));
        groups.flat_map(|points| points.keys().map(String::as_str))
    }

    /// Returns the text of the file, sorted.
    pub fn render(&self) -> String {
        let mut sections = Vec::new();
        for (group, points) in &self.0 {
            let lines = points.iter().map(|(name, target)| format!("{name} = {target}\n"));
            sections.push(format!("[{group}]\n{}", lines.collect::<String>()));
        }
        sections.join("\n")
    }
}

fn insert(groups: &mut BTreeMap<String, Texts>, group: &str, points: &Texts) {
    if !points.is_empty() {
        let trimmed = points.iter().map(|(name, target)| (name.clone(), target.trim().to_owned()));
        groups.insert(group.to_owned(), trimmed.collect());
    }
}

/// Line of `entry_points.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'t> {
    /// Name of a group, which is followed by its entry points.
    Group(&'t str),
    /// Entry point.
    Point { group: &'t str, name: &'t str, target: &'t str },
    /// Indented line without `=`, which continues the line before in Python's `configparser`.
    Continuation(&'t str),
    /// Line that is neither.
    Other(&'t str),
}

impl Line<'_> {
    /// True if installers make a program of entry points of this group.
    pub(crate) fn is_program_group(group: &str) -> bool {
        [CONSOLE, GUI].contains(&group)
    }
}

/// Returns the lines of `entry_points.txt` without comments: INI with `=` only, case-sensitive.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut group = None;
    text.lines().filter_map(move |line| {
        let inner = line.trim();
        if inner.is_empty() || inner.starts_with(['#', ';']) {
            return None;
        }
        if line.starts_with([' ', '\t']) && !inner.contains('=') {
            return Some(Line::Continuation(line.trim_end()));
        }
        if let Some(name) = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = Some(name);
            return Some(Line::Group(name));
        }
        Some(match (group, inner.split_once('=')) {
            (Some(group), Some((name, target))) => {
                Line::Point { group, name: name.trim(), target: target.trim() }
            }
            _ => Line::Other(inner),
        })
    })
}

/// True if `name` contains only letters, digits, `-`, `_`, `.`, which every installer accepts in
/// file names.
pub(crate) fn is_program_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.chars().all(inner) && !name.starts_with('.')
}

/// True if `target` is `package.module:object.attribute`. The part after the colon is required if
/// `attribute` is true. Extras in brackets are an older form that installers ignore.
pub(crate) fn is_reference(target: &str, attribute: bool) -> bool {
    let target = target.trim();
    let target = match target.split_once('[') {
        Some((target, extras)) if !attribute && extras.ends_with(']') => target.trim_end(),
        Some(_) => return false,
        None => target,
    };
    let dotted = |path: &str| path.trim().split('.').all(is_identifier);
    match target.split_once(':') {
        Some((module, object)) => dotted(module) && dotted(object),
        None => !attribute && dotted(target),
    }
}

/// True if the Python module `text` may have the attribute `name`: it contains the word outside of
/// comments, or something that defines names which are not written.
pub(crate) fn may_define(text: &str, name: &str) -> bool {
    const UNWRITTEN: [&str; 8] = [
        "import *",
        "__getattr__",
        "globals(",
        "vars(",
        "exec(",
        "setattr(",
        "sys.modules",
        "__dict__",
    ];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let lines = || text.lines().filter(|line| !line.trim_start().starts_with('#'));
    UNWRITTEN.iter().any(|sign| text.contains(sign))
        || lines().any(|line| line.split(|c| !is_word(c)).any(|word| word == name))
}

/// True if `word` is a Python identifier in ASCII.
pub(crate) fn is_identifier(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// True if Python reserves `word`, so that it cannot be a name (`keyword.kwlist`).
pub(crate) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return",
        "try", "while", "with", "yield",
    ];
    KEYWORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<EntryPoints, Error> {
        EntryPoints::new(&toml::from_str(&format!("name = 'demo'\n{text}")).unwrap())
    }

    #[test]
    fn groups_and_names_are_sorted() {
        let text = "scripts = { b = 'demo.cli:main', a-2 = 'demo:main.run' }\n\
            gui-scripts = { win = 'demo:gui' }\n\
            entry-points.pytest11 = { Demo = 'demo.plugin', 'x y' = 'demo:y [extra]' }";
        let points = new(text).unwrap();
        assert_eq!(
            points.render(),
            "[console_scripts]\na-2 = demo:main.run\nb = demo.cli:main\n\n\
             [gui_scripts]\nwin = demo:gui\n\n\
             [pytest11]\nDemo = demo.plugin\nx y = demo:y [extra]\n"
        );
        assert_eq!(points.programs().collect::<Vec<_>>(), ["a-2", "b", "win"]);
        assert!(new("").unwrap().is_empty());
    }

    #[test]
    fn lines_are_read_as_configparser_does() {
        let text = "# a\nb = c\n[g]\n x = y:z [e] \n\tmore\n;\n [h] \nword\n";
        let point = Line::Point { group: "g", name: "x", target: "y:z [e]" };
        let expected = [
            Line::Other("b = c"),
            Line::Group("g"),
            point,
            Line::Continuation("\tmore"),
            Line::Continuation(" [h]"),
            Line::Other("word"),
        ];
        assert_eq!(lines(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn attributes_that_a_module_cannot_have() {
        let check = |text: &str, expected: bool| {
            assert_eq!(may_define(text, "main"), expected, "{text}");
        };
        check("def main():\n", true);
        check("from .cli import (\n  run as main,\n)", true);
        check("if __name__ == '__main__':\n    run()\n", false);
        check("domain = remain = 1  \n# main\n", false);
        check("from .cli import *", true);
        check("def __getattr__(name): ...", true);
        check("", false);
    }

    #[test]
    fn what_installers_would_not_read_is_refused() {
        let check = |text: &str, error: &str| {
            assert_eq!(new(text).unwrap_err().to_string(), error);
        };
        check(
            "scripts = { 'a/b' = 'x:y' }",
            "`project.scripts.a/b` is not a program's name (letters, digits, `-`, `_`, `.`)",
        );
        check("scripts = { a = 'x' }", "`project.scripts.a` is `x`, not `module:function`");
        check("scripts = { a = 'x:y z' }", "`project.scripts.a` is `x:y z`, not `module:function`");
        check(
            "scripts = { a = 'x:y' }\ngui-scripts = { a = 'x:z' }",
            "`project.gui-scripts.a` is also a console program, and both would be one file",
        );
        check(
            "entry-points.console_scripts = { a = 'x:y' }",
            "`project.entry-points.console_scripts` belongs into `project.scripts`",
        );
        check(
            "entry-points.'a b' = { a = 'x:y' }",
            "`project.entry-points.a b` is not a group (words with `.` between them)",
        );
        check(
            "entry-points.g = { 'a=b' = 'x:y' }",
            "`project.entry-points.g.a=b` is not a name that `entry_points.txt` can hold",
        );
    }
}
