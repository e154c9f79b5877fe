//! Determines the commit that a build is made from, and writes it where the configuration uses it.
//!
//! An unknown commit is an error, unless the configuration has a text to use instead
//! (`unknown`).

use std::path::Path;

use super::scheme::ReleaseVersion;
use super::{PKG_INFO, VersionError, pkg_info_version};
use crate::config::{Component, Config, Error, Kind};
use crate::metadata::ProjectTable;
use crate::sys::{self, Host};
use crate::vcs::{self, Checkout, Repository};

/// Variable with the commit, for builds without version control: `<id>` or `<id>-dirty`.
pub const COMMIT_VARIABLE: &str = "WHEELSMITH_PROJECT_COMMIT";

/// File with the commit in archives: git expands the line `node: $Format:%H$` in it if
/// `.gitattributes` has `.git_archival.txt export-subst`, and source distributions contain it.
pub const STAMP: &str = ".git_archival.txt";

/// Key of the table in the configuration.
const KEY: &str = "tool.wheelsmith.commit";

/// Commit that a build is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCommit {
    /// Full id, or the text that the configuration gives for an unknown one.
    pub id: String,
    /// True if the work tree differs from the commit.
    pub is_dirty: bool,
    /// True if the id is that of a commit.
    pub is_known: bool,
}

impl SourceCommit {
    /// Returns the text of [`STAMP`].
    pub fn stamp(&self) -> String {
        format!("node: {}\ndirty: {}\n", self.id, self.is_dirty)
    }

    /// Returns a Python module with the version, the commit and the state of the work tree.
    pub fn module(&self, version: &str) -> String {
        let is_dirty = if self.is_dirty { "True" } else { "False" };
        let text = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        format!("VERSION = {}\nCOMMIT = {}\nDIRTY = {is_dirty}\n", text(version), text(&self.id))
    }
}

/// Replaces `{commit}`, `{dirty}`, `{version}` and `{pep440}` in macros, in variables of cargo and Go, and
/// in arguments of Go's linker. Returns the commit; `None` if the configuration does not use it.
///
/// # Errors
/// Returns an error if the commit is not known and the configuration gives no text for that, if there
/// is no version or it has no form of SemVer, or if a flag of a compiler or linker has one of the words.
pub fn fill_in(
    config: &mut Config,
    dir: &Path,
    host: &Host,
) -> Result<Option<SourceCommit>, Error> {
    for component in &config.components {
        let found = flags(component).find_map(|text| {
            let word = WORDS.iter().find(|word| text.contains(**word))?;
            Some(format!("`{word}` is not replaced in flags: `{text}`"))
        });
        if let Some(message) = found {
            let help = "put it into `define`".to_owned();
            return Err(config.problem(&component.key, message, Some(help)));
        }
    }
    let mut uses =
        |word: &str| config.components.iter_mut().flat_map(texts).any(|text| text.contains(word));
    let uses_commit = uses("{commit}") || uses("{dirty}");
    let (uses_semver, uses_pep440) = (uses("{version}"), uses("{pep440}"));
    let mut values = Vec::new();
    let version = config.project.as_ref().and_then(|project| project.version.clone());
    if version.is_none() && (uses_semver || uses_pep440) {
        let word = if uses_semver { "{version}" } else { "{pep440}" };
        let message = format!("`{word}` is used, but the project has no version");
        return Err(config.problem("project.version", message, None));
    }
    if let Some(version) = version {
        if uses_semver {
            let semver = ReleaseVersion::parse(&version).and_then(|version| version.semver());
            let semver = semver.map_err(|error| {
                config.problem("project.version", error.to_string(), error.help)
            })?;
            values.push(("{version}", semver));
        }
        if uses_pep440 {
            values.push(("{pep440}", version));
        }
    }
    let commit =
        if uses_commit || config.commit.is_some() { Some(find(config, dir, host)?) } else { None };
    if let Some(commit) = &commit {
        values.push(("{commit}", commit.id.clone()));
        values.push(("{dirty}", u8::from(commit.is_dirty).to_string()));
    }
    for text in config.components.iter_mut().flat_map(texts) {
        for (word, value) in &values {
            if text.contains(word) {
                *text = text.replace(word, value);
            }
        }
    }
    Ok(commit)
}

/// Words that are replaced.
const WORDS: [&str; 4] = ["{commit}", "{dirty}", "{version}", "{pep440}"];

/// Returns the arguments of compilers and linkers of a component, in which no word is replaced.
fn flags(component: &Component) -> impl Iterator<Item = &String> {
    let (sources, link): (&[_], &[String]) = match &component.kind {
        Kind::C(c) => (&c.sources, &c.link_flags),
        Kind::Bpf(bpf) => (&bpf.sources, &[]),
        _ => (&[], &[]),
    };
    sources.iter().flat_map(|group| &group.flags).chain(link)
}

/// Returns the texts of a component in which words are replaced.
fn texts(component: &mut Component) -> Vec<&mut String> {
    match &mut component.kind {
        Kind::C(c) => c.sources.iter_mut().flat_map(|group| &mut group.define).collect(),
        Kind::Bpf(bpf) => bpf.sources.iter_mut().flat_map(|group| &mut group.define).collect(),
        Kind::Cargo(cargo) => cargo.env.values_mut().collect(),
        Kind::Go(go) => go.env.values_mut().chain(&mut go.ldflags).collect(),
        Kind::Prebuilt(_) | Kind::Files(_) | Kind::Recipe(_) => Vec::new(),
    }
}

fn find(config: &Config, dir: &Path, host: &Host) -> Result<SourceCommit, Error> {
    let unknown = config.commit.as_ref().and_then(|commit| commit.unknown.clone());
    match (of_checkout(config.project.as_ref(), &config.file, dir, host), unknown) {
        (Ok(commit), _) => Ok(commit),
        (Err(Missing::Unknown(_)), Some(id)) => {
            Ok(SourceCommit { id, is_dirty: false, is_known: false })
        }
        (Err(Missing::Unknown(error) | Missing::Wrong(error)), _) => {
            Err(config.problem(KEY, error.message, error.help))
        }
    }
}

/// Reason why there is no commit.
enum Missing {
    /// No source has a commit.
    Unknown(VersionError),
    /// A source has an invalid commit.
    Wrong(VersionError),
}

fn of_checkout(
    project: Option<&ProjectTable>,
    file: &str,
    dir: &Path,
    host: &Host,
) -> Result<SourceCommit, Missing> {
    if let Some(text) = host.env.get(COMMIT_VARIABLE) {
        let help = "set it to the full id of a commit, with `-dirty` behind it if files differ";
        return parse(text).ok_or_else(|| {
            let message = format!("`{COMMIT_VARIABLE}` is `{text}`, which is no commit");
            Missing::Wrong(VersionError::with_help(message, help))
        });
    }
    let wrong = |error: vcs::Error| {
        let help = error.hint().map(|hint| format!("{hint}; or set `{COMMIT_VARIABLE}`"));
        Missing::Wrong(VersionError { message: error.to_string(), help })
    };
    let is_sdist = project.is_some_and(|project| pkg_info_version(dir, &project.name).is_some());
    let stamp = sys::fs::read_to_string(dir.join(STAMP)).ok();
    let stamped = stamp.as_deref().and_then(stamp_of);
    let reason = match Checkout::of(dir, file, is_sdist, host).map_err(wrong)? {
        Checkout::Repository(repository) => return of_repository(&repository, host).map_err(wrong),
        Checkout::Unreadable(error) => return Err(wrong(error)),
        Checkout::Sdist => format!("it has `{PKG_INFO}`, and `{STAMP}` names no commit"),
        Checkout::Untracked(repository) => {
            let root = repository.root.display();
            format!("the repository `{root}` does not track `{file}`, and `{STAMP}` names none")
        }
        Checkout::Plain => {
            format!("`{file}` is in no repository, and there is no `{STAMP}` that names it")
        }
    };
    stamped.ok_or_else(|| {
        let message = format!("the commit is not known: {reason}");
        let help = format!(
            "set `{COMMIT_VARIABLE}`, build in a checkout, or write `unknown = \"unknown\"` into `[{KEY}]`"
        );
        Missing::Unknown(VersionError::with_help(message, help))
    })
}

/// Returns the commit that is checked out. Files that git does not track make no difference, as for
/// `git describe --dirty`.
fn of_repository(repository: &Repository, host: &Host) -> Result<SourceCommit, vcs::Error> {
    let id = repository.run(&["rev-parse", "--verify", "HEAD"], host)?;
    let changes = repository.run(&["status", "--porcelain", "--untracked-files=no"], host)?;
    let id = String::from_utf8_lossy(&id).trim().to_owned();
    Ok(SourceCommit { id, is_dirty: !changes.is_empty(), is_known: true })
}

/// Parses `<id>` or `<id>-dirty`.
fn parse(text: &str) -> Option<SourceCommit> {
    let (id, is_dirty) = text.strip_suffix("-dirty").map_or((text, false), |id| (id, true));
    let is_hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_full = matches!(id.len(), 40 | 64);
    (is_hex && is_full).then(|| SourceCommit { id: id.to_owned(), is_dirty, is_known: true })
}

/// Parses [`STAMP`]; `None` if git has not expanded it.
fn stamp_of(text: &str) -> Option<SourceCommit> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let commit = parse(value("node:")?)?;
    Some(SourceCommit { is_dirty: value("dirty:") == Some("true"), ..commit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{Command, Env};

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn stamps_and_variables_are_parsed() {
        let check = |found: Option<SourceCommit>, expected: Option<bool>| {
            assert_eq!(found.as_ref().map(|commit| commit.is_dirty), expected);
            assert!(found.is_none_or(|commit| commit.id == ID && commit.is_known));
        };
        check(parse(ID), Some(false));
        check(parse(&format!("{ID}-dirty")), Some(true));
        check(parse(&ID[..12]), None);
        check(parse(&ID.to_uppercase()), None);
        check(parse("unknown"), None);
        check(stamp_of(&format!("node: {ID}\nnode-date: 2026-01-01\n")), Some(false));
        check(stamp_of("node: $Format:%H$\n"), None);
        check(stamp_of(""), None);
        let commit = SourceCommit { id: ID.to_owned(), is_dirty: true, is_known: true };
        check(stamp_of(&commit.stamp()), Some(true));
        let module = format!("VERSION = \"1.0\"\nCOMMIT = \"{ID}\"\nDIRTY = True\n");
        assert_eq!(commit.module("1.0"), module);
    }

    /// Fills in a project in `dir`. Returns the macros of its component, or the error.
    fn run(dir: &Path, commit: &str, env: Env) -> Result<String, String> {
        let text = format!(
            "[project]\nname = 'demo'\nversion = '1.2rc1'\n{commit}\n\
             [[tool.wheelsmith.component]]\nname = 'a'\nkind = 'c-executable'\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['a.c']\n\
             define = {{ C = '{{commit}}', D = '{{dirty}}', P = '{{pep440}}', V = '{{version}}' }}\n"
        );
        sys::fs::write(dir.join("pyproject.toml"), &text).unwrap();
        let mut config = crate::config::parse("pyproject.toml", &text).unwrap();
        let filled = fill_in(&mut config, dir, &Host::quiet(env)).map_err(|e| e.to_string())?;
        assert!(filled.is_some());
        let Kind::C(c) = &config.components[0].kind else { panic!() };
        Ok(c.sources[0].define.join(" "))
    }

    #[test]
    fn words_are_replaced_or_an_error() {
        let check = |project: &str, line: &str, expected: &str| {
            let text = format!(
                "{project}\n[[tool.wheelsmith.component]]\nname = 'a'\nkind = 'c-executable'\n\
                 [[tool.wheelsmith.component.sources]]\nfiles = ['a.c']\n{line}\n"
            );
            let mut config = crate::config::parse("pyproject.toml", &text).unwrap();
            let host = Host::quiet(Env::default());
            let error = fill_in(&mut config, Path::new("."), &host).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let project = "[project]\nname = 'demo'\nversion = '1'";
        check(project, "flags = ['-DC={commit}']", "`{commit}` is not replaced in flags");
        check("", "define = { V = '{version}' }", "the project has no version");
    }

    #[test]
    fn the_commit_is_known_or_an_error() {
        let dir = sys::fs::temp_dir().unwrap();
        let dir = sys::fs::canonicalize(dir.path()).unwrap();
        let env = Env::from_process();
        let with = |value: &str| {
            let mut env = env.clone();
            env.set(COMMIT_VARIABLE, value);
            env
        };
        let filled = |id: &str, dirty: u8| Ok(format!("C={id} D={dirty} P=1.2rc1 V=1.2.0-rc.1"));
        let error = run(&dir, "", env.clone()).unwrap_err();
        assert!(error.contains("the commit is not known"), "{error}");
        let unknown = "[tool.wheelsmith.commit]\nunknown = 'none'";
        assert_eq!(run(&dir, unknown, env.clone()), filled("none", 0));
        assert_eq!(run(&dir, "", with(&format!("{ID}-dirty"))), filled(ID, 1));
        // A wrong value is an error even if an unknown commit is none.
        let error = run(&dir, unknown, with("main")).unwrap_err();
        assert!(error.contains("which is no commit"), "{error}");
        sys::fs::write(dir.join(STAMP), "node: $Format:%H$\n").unwrap();
        run(&dir, "", env.clone()).unwrap_err();
        sys::fs::write(dir.join(STAMP), format!("node: {ID}\n")).unwrap();
        assert_eq!(run(&dir, "", env.clone()), filled(ID, 0));

        let host = Host::quiet(env.clone());
        let Some(program) = host.env.find_program("git") else { return };
        let git = |args: &[&str]| {
            let args = ["-c", "user.name=a", "-c", "user.email=a@b"].iter().chain(args);
            let command = Command::new(program.clone(), &dir, &host.env).args(args.copied());
            String::from_utf8(command.run(&host).unwrap().stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q"]);
        // The stamp of the archive counts until the repository tracks the project.
        assert_eq!(run(&dir, "", env.clone()), filled(ID, 0));
        git(&["add", "."]);
        git(&["commit", "-qm", "1"]);
        let head = git(&["rev-parse", "HEAD"]);
        assert_eq!(run(&dir, "", env.clone()), filled(&head, 0));
        sys::fs::write(dir.join("untracked"), "").unwrap();
        assert_eq!(run(&dir, "", env.clone()), filled(&head, 0));
        assert_eq!(run(&dir, unknown, env), filled(&head, 1));
    }
}
