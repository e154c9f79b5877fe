//! Variables that name compilers, as the `cc` crate reads them.

use std::collections::BTreeSet;

use crate::name::Target;
use crate::sys::Env;

/// Reader of variables that records their names, so that a build script can tell cargo when to run
/// it again.
pub(super) struct Vars<'e> {
    env: &'e Env,
    read: BTreeSet<String>,
}

/// Variable that is set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) value: String,
}

/// Accepted spellings of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spellings {
    /// Spellings for the target: `CC_<target>`, `TARGET_CC`.
    Targeted,
    /// Spellings for the target, and `CC`.
    All,
}

impl<'e> Vars<'e> {
    pub(super) fn new(env: &'e Env) -> Self {
        Self { env, read: BTreeSet::new() }
    }

    /// Returns the spellings of `base` for `target`, in order of precedence.
    ///
    /// `HOST_CC` is for programs that the build runs, which never go into a wheel.
    pub(super) fn spellings(base: &str, target: &Target, which: Spellings) -> Vec<String> {
        let triple = target.triple();
        let mut names = vec![
            format!("{base}_{triple}"),
            format!("{base}_{}", triple.replace('-', "_")),
            format!("TARGET_{base}"),
        ];
        if which == Spellings::All {
            names.push(base.to_owned());
        }
        names
    }

    /// Returns the first spelling of `base` that is set.
    pub(super) fn find(&mut self, base: &str, target: &Target, which: Spellings) -> Option<Var> {
        Self::spellings(base, target, which).into_iter().find_map(|name| self.get(&name))
    }

    pub(super) fn get(&mut self, name: &str) -> Option<Var> {
        self.read.insert(name.to_owned());
        let value = self.env.get(name)?.to_owned();
        Some(Var { name: name.to_owned(), value })
    }

    pub(super) fn into_read(self) -> BTreeSet<String> {
        self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_variable_wins() {
        let target: Target = "aarch64-unknown-linux-gnu".parse().unwrap();
        let check = |set: &[&str], which, expected: Option<&str>| {
            let pairs = set.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
            let env: Env = pairs.collect();
            let mut vars = Vars::new(&env);
            let found = vars.find("CC", &target, which).map(|var| var.name);
            assert_eq!(found.as_deref(), expected);
        };
        let dashes = "CC_aarch64-unknown-linux-gnu";
        let underscores = "CC_aarch64_unknown_linux_gnu";
        check(&["CC", "TARGET_CC", underscores, dashes], Spellings::All, Some(dashes));
        check(&["CC", "TARGET_CC", underscores], Spellings::All, Some(underscores));
        check(&["CC", "TARGET_CC"], Spellings::All, Some("TARGET_CC"));
        check(&["CC"], Spellings::All, Some("CC"));
        check(&["CC", "HOST_CC", "CC_x86_64_unknown_linux_gnu"], Spellings::Targeted, None);
    }

    #[test]
    fn variables_that_are_not_set_were_read_too() {
        let target: Target = "x86_64-apple-darwin".parse().unwrap();
        let env = Env::default();
        let mut vars = Vars::new(&env);
        assert_eq!(vars.find("AR", &target, Spellings::Targeted), None);
        let read: Vec<String> = vars.into_read().into_iter().collect();
        assert_eq!(read, ["AR_x86_64-apple-darwin", "AR_x86_64_apple_darwin", "TARGET_AR"]);
    }
}
