//! Crates that cargo links into a component for the target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Error, Setting, inputs};
use crate::config::Cargo;
use crate::name::Digest;
use crate::plan::ComponentPlan;
use crate::source::Resolved;
use crate::sys::{self, Command, ProcessError};

/// Crates by `name version`.
pub type Crates = BTreeMap<String, Crate>;

/// Crate of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crate {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Licence of its package.
    pub license: Option<String>,
    /// Repository and commit, for a crate from git.
    pub git: Option<String>,
    /// Whether it comes from a registry.
    pub is_published: bool,
    /// Digest of its package, from `Cargo.lock`.
    pub sha256: Option<Digest>,
    /// Crates that it uses.
    pub uses: BTreeSet<String>,
}

/// Returns the crates of a component; cargo is asked once for each `Cargo.lock` and set of
/// features. Build scripts, procedural macros and tests are not included.
///
/// # Errors
/// Returns an error if cargo fails.
pub fn crates(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    cargo: &Cargo,
    source: &Resolved,
) -> Result<Crates, Error> {
    let component = &plan.component;
    let (name, target) = (component.name.clone(), setting.target());
    let key = format!("{}.manifest", component.key);
    let manifest =
        inputs::file(setting.config, &key, &cargo.manifest, &source.root, setting.project)?;
    let dir = manifest.parent().unwrap_or(&source.root);
    let args = arguments(plan, cargo, &manifest, target.triple());
    let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|lock| lock.is_file());
    let lock = lock.and_then(|lock| sys::fs::read_to_string(&lock).ok()).unwrap_or_default();
    let manifest_text = sys::fs::read_to_string(&manifest).unwrap_or_default();
    let asked = Digest::of(format!("{args:?}\n{manifest_text}\n{lock}"));
    let memo = setting.component_dir(&name).join("crates.json");
    if let Some(answer) = remembered(&memo, asked) {
        return Ok(answer);
    }
    let program = setting.host.env.get("CARGO").unwrap_or("cargo");
    let program = setting.host.env.find_program(program);
    let program = program.ok_or_else(|| Error::NoCargo { component: name.clone() })?;
    let command = Command::new(program, dir, &setting.host.env).args(args);
    let said = command.run(setting.host).map_err(|source| match source {
        ProcessError::Cancelled => Error::Cancelled,
        source => Error::Cargo { component: name.clone(), target, source },
    })?;
    let mut crates = parse(&String::from_utf8_lossy(&said.stdout));
    add_checksums(&mut crates, &lock);
    let memory = Memory { asked, crates };
    if let Ok(text) = serde_json::to_vec(&memory) {
        // Only speed is lost if it cannot be written.
        let _ = sys::fs::write_atomic(&memo, &text);
    }
    Ok(memory.crates)
}

#[derive(Serialize, Deserialize)]
struct Memory {
    asked: Digest,
    crates: Crates,
}

fn remembered(memo: &Path, asked: Digest) -> Option<Crates> {
    let memory: Memory = serde_json::from_slice(&sys::fs::read(memo).ok()?).ok()?;
    (memory.asked == asked).then_some(memory.crates)
}

fn arguments(plan: &ComponentPlan, cargo: &Cargo, manifest: &Path, triple: &str) -> Vec<String> {
    let mut args: Vec<String> =
        ["tree", "--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "{p}|{l}"]
            .into_iter()
            .map(str::to_owned)
            .collect();
    args.extend(["--target".to_owned(), triple.to_owned()]);
    args.extend(["--manifest-path".to_owned(), manifest.to_string_lossy().into_owned()]);
    let features: Vec<&str> =
        cargo.features.iter().chain(&plan.over.features).map(String::as_str).collect();
    if !features.is_empty() {
        args.extend(["--features".to_owned(), features.join(",")]);
    }
    if !cargo.default_features {
        args.push("--no-default-features".to_owned());
    }
    if cargo.locked {
        args.push("--locked".to_owned());
    }
    args
}

/// Parses lines such as `1libc v0.2.1 (origin)|MIT (*)`, which begin with the depth. The crates
/// that a crate uses follow its first line.
fn parse(text: &str) -> Crates {
    let mut crates = Crates::new();
    let mut above: Vec<String> = Vec::new();
    for line in text.lines() {
        let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
        let (Ok(depth), Some((what, license))) =
            (line[..digits].parse::<usize>(), line[digits..].rsplit_once('|'))
        else {
            continue;
        };
        let mut words = what.splitn(3, ' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let version = version.trim_start_matches('v');
        let from = words.next().unwrap_or_default().trim_matches(['(', ')']);
        let is_path = from.starts_with('/') || from.get(1..3) == Some(":\\");
        let is_git = from.contains("://") && from.contains('#');
        let license = license.trim_end_matches(" (*)").trim();
        let reference = format!("{name} {version}");
        above.truncate(depth);
        if let Some(user) = above.last().and_then(|user| crates.get_mut(user)) {
            user.uses.insert(reference.clone());
        }
        above.push(reference.clone());
        crates.entry(reference).or_insert_with(|| Crate {
            name: name.to_owned(),
            version: version.to_owned(),
            // `/` is an older spelling of `OR`.
            license: (!license.is_empty()).then(|| license.replace('/', " OR ")),
            git: is_git.then(|| from.to_owned()),
            is_published: !is_path && !is_git,
            ..Crate::default()
        });
    }
    crates
}

fn add_checksums(crates: &mut Crates, lock: &str) {
    let Ok(lock) = lock.parse::<toml::Table>() else { return };
    let packages = lock.get("package").and_then(toml::Value::as_array);
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let (Some(name), Some(version), Some(sha256)) =
            (text("name"), text("version"), text("checksum"))
        else {
            continue;
        };
        if let Some(found) = crates.get_mut(&format!("{name} {version}"))
            && found.is_published
        {
            found.sha256 = sha256.parse().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read() {
        let text = "0demo v0.1.0 (/home/me/demo)|MIT\n1a v1.0.0|MIT/Apache-2.0\n2b v2.0.0+x|\n\
                    1b v2.0.0+x| (*)\n1g v0.3.0 (https://example.org/g?branch=main#abc)|Zlib\n\
                    1r v1.2.3 (registry `other`)|0BSD\n";
        let mut crates = parse(text);
        let sum = "0".repeat(64);
        add_checksums(
            &mut crates,
            &format!("[[package]]\nname = 'a'\nversion = '1.0.0'\nchecksum = '{sum}'\n"),
        );
        let names: Vec<&str> = crates.keys().map(String::as_str).collect();
        assert_eq!(names, ["a 1.0.0", "b 2.0.0+x", "demo 0.1.0", "g 0.3.0", "r 1.2.3"]);
        let uses: Vec<&str> = crates["demo 0.1.0"].uses.iter().map(String::as_str).collect();
        assert_eq!(uses, ["a 1.0.0", "b 2.0.0+x", "g 0.3.0", "r 1.2.3"]);
        assert_eq!(crates["a 1.0.0"].license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(crates["a 1.0.0"].sha256.map(|d| d.to_string()), Some(sum));
        assert_eq!(crates["b 2.0.0+x"].license, None);
        let git = crates["g 0.3.0"].git.as_deref();
        assert_eq!(git, Some("https://example.org/g?branch=main#abc"));
        let published = |name: &str| crates[name].is_published;
        assert_eq!(["demo 0.1.0", "g 0.3.0", "r 1.2.3"].map(published), [false, false, true]);
        assert_eq!(parse("error\n3\n0x\n0a|\n"), Crates::new());
    }
}
