//! Import names and namespaces of a project (PEP 794).

use std::collections::BTreeSet;

use super::entry_points::is_identifier;
use super::{Error, ProjectTable, problem};

/// Both lists; `None` and empty if the project does not specify them.
#[derive(Debug, Clone, Default)]
pub(super) struct Imports {
    /// Names, some with `; private`. Empty if the project states that there are none.
    pub(super) names: Option<Vec<String>>,
    /// Namespaces, some with `; private`.
    pub(super) namespaces: Vec<String>,
}

const NAMES: &str = "project.import-names";
const NAMESPACES: &str = "project.import-namespaces";

impl Imports {
    pub(super) fn new(project: &ProjectTable) -> Result<Self, Error> {
        let mut known = BTreeSet::new();
        let mut list = |key: &str, raw: &[String]| {
            let mut list = Vec::new();
            for text in raw {
                let (name, private) = match text.split_once(';') {
                    Some((name, rest)) if rest.trim() == "private" => (name.trim(), "; private"),
                    Some(_) => {
                        return Err(problem(
                            key,
                            format!("has `{text}`: only `; private` can follow"),
                        ));
                    }
                    None => (text.trim(), ""),
                };
                if !name.split('.').all(is_identifier) {
                    return Err(problem(key, format!("has `{text}`, which cannot be imported")));
                }
                if !known.insert(name.to_owned()) {
                    return Err(problem(key, format!("has `{name}`, which was listed before")));
                }
                list.push(format!("{name}{private}"));
            }
            Ok(list)
        };
        let names = project.import_names.as_deref().map(|raw| list(NAMES, raw)).transpose()?;
        let namespaces = match project.import_namespaces.as_deref() {
            Some([]) => return Err(problem(NAMESPACES, "is empty")),
            Some(raw) => list(NAMESPACES, raw)?,
            None => Vec::new(),
        };
        for name in &known {
            if let Some((parent, _)) = name.rsplit_once('.').filter(|(p, _)| !known.contains(*p)) {
                let words = format!("has `{name}`, but `{parent}` is in neither list");
                return Err(problem(NAMES, words));
            }
        }
        Ok(Self { names, namespaces })
    }

    /// True if the project specifies a list, which requires metadata 2.5.
    pub(super) fn is_used(&self) -> bool {
        self.names.is_some() || !self.namespaces.is_empty()
    }
}
