//! cargo's configuration files: where further flags go, and flags that are refused.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::sys::{self, Env};
use crate::toolchain::filter;

/// Returns the key under which flags for `triple` join the user's.
///
/// cargo uses the flags of the first of these that has any: `target.<triple>` and `target.<cfg>`
/// together, then `build`. A key on the command line joins the same key of the files, and hides the
/// later ones.
pub(super) fn rustflags_key(dir: &Path, env: &Env, triple: &str) -> String {
    let variable = triple.to_uppercase().replace(['-', '.'], "_");
    let by_variable = env.get(&format!("CARGO_TARGET_{variable}_RUSTFLAGS")).is_some();
    if by_variable || files(dir, env).iter().any(|file| has_target_flags(file, triple)) {
        format!("target.{triple}.rustflags")
    } else {
        "build.rustflags".to_owned()
    }
}

/// Returns the first flag of cargo's configuration that compiles for the processor of the build
/// machine, and its place in words.
pub(super) fn native_flag(dir: &Path, env: &Env, triple: &str) -> Option<(String, String)> {
    fn words(value: &Value) -> Vec<String> {
        match value {
            Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
            Value::Array(values) => {
                values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            // `[env]` may hold a table: { value = "…", force = true }.
            Value::Table(table) => table.get("value").map(words).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
    let find = |place: String, value: Option<&Value>| {
        let words = words(value?);
        let flag = filter::native_flag(words.iter().map(String::as_str))?;
        Some((flag, format!("`{place}` of cargo's configuration")))
    };
    files(dir, env).iter().find_map(|file| {
        let table = |name: &str| file.get(name).and_then(Value::as_table);
        let build = table("build").and_then(|build| build.get("rustflags"));
        let mut all = vec![("build.rustflags".to_owned(), build)];
        for (name, target) in table("target").into_iter().flatten() {
            if name == triple || name.starts_with("cfg(") {
                all.push((format!("target.{name}.rustflags"), target.get("rustflags")));
            }
        }
        for (name, value) in table("env").into_iter().flatten() {
            if name.contains("CFLAGS") || name.contains("CXXFLAGS") {
                all.push((format!("env.{name}"), Some(value)));
            }
        }
        for (name, profile) in table("profile").into_iter().flatten() {
            all.push((format!("profile.{name}.rustflags"), profile.get("rustflags")));
        }
        all.into_iter().find_map(|(place, value)| find(place, value))
    })
}

/// Reads the configuration files of a cargo that runs in `dir`.
fn files(dir: &Path, env: &Env) -> Vec<Table> {
    let mut dirs: Vec<PathBuf> = dir.ancestors().map(|dir| dir.join(".cargo")).collect();
    let home = env.path("HOME").map(|home| home.join(".cargo"));
    dirs.extend(env.path("CARGO_HOME").or(home));
    let read = |dir: PathBuf| {
        // cargo prefers the name without extension if both exist.
        let text = ["config", "config.toml"]
            .iter()
            .find_map(|name| sys::fs::read_to_string(dir.join(name)).ok())?;
        // cargo itself reports a file that is not TOML.
        text.parse::<Table>().ok()
    };
    dirs.into_iter().filter_map(read).collect()
}

/// Returns true if a file has flags for `triple` or for a `cfg`. Only the compiler knows whether
/// the `cfg` describes the triple.
fn has_target_flags(file: &Table, triple: &str) -> bool {
    let targets = file.get("target").and_then(Value::as_table);
    targets.into_iter().flatten().any(|(name, table)| {
        (name == triple || name.starts_with("cfg(")) && table.get("rustflags").is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_this_machine_are_named() {
        let triple = "x86_64-unknown-linux-gnu";
        let check = |text: &str, expected: Option<&str>| {
            let dir = tempfile::tempdir().unwrap();
            sys::fs::write_atomic(&dir.path().join(".cargo/config.toml"), text.as_bytes()).unwrap();
            let found = native_flag(dir.path(), &Env::default(), triple);
            let found = found.map(|(flag, place)| format!("{flag} in {place}"));
            let expected = expected.map(|text| format!("{text} of cargo's configuration"));
            assert_eq!(found, expected, "for:\n{text}");
        };
        let build = "-Ctarget-cpu=native in `build.rustflags`";
        check("[build]\nrustflags = ['-Ctarget-cpu=native']", Some(build));
        check("[build]\nrustflags = '-g -Ctarget-cpu=native'", Some(build));
        let apart = "-C target-cpu=native in `build.rustflags`";
        check("[build]\nrustflags = ['-C', 'target-cpu=native']", Some(apart));
        check(
            "[target.x86_64-unknown-linux-gnu]\nrustflags = ['-Ctarget-cpu=native']",
            Some("-Ctarget-cpu=native in `target.x86_64-unknown-linux-gnu.rustflags`"),
        );
        check("[target.aarch64-unknown-linux-gnu]\nrustflags = ['-Ctarget-cpu=native']", None);
        check(
            "[target.'cfg(unix)']\nrustflags = ['-Ctarget-cpu=native']",
            Some("-Ctarget-cpu=native in `target.cfg(unix).rustflags`"),
        );
        check(
            "[env]\nCFLAGS = { value = '-march=native', force = true }",
            Some("-march=native in `env.CFLAGS`"),
        );
        check("[build]\nrustflags = ['-Ctarget-cpu=x86-64-v3']", None);
        check("", None);
    }

    #[test]
    fn the_first_that_has_flags_counts() {
        let triple = "x86_64-unknown-linux-gnu";
        let check = |text: &str, expected: &str| {
            let dir = tempfile::tempdir().unwrap();
            let deep = dir.path().join("crates/demo");
            sys::fs::create_dir_all(&deep).unwrap();
            sys::fs::write_atomic(&dir.path().join(".cargo/config.toml"), text.as_bytes()).unwrap();
            let env = Env::default();
            assert_eq!(rustflags_key(&deep, &env, triple), expected, "for:\n{text}");
            let mut env = env;
            env.set("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "--cfg=x");
            let target = format!("target.{triple}.rustflags");
            assert_eq!(rustflags_key(&deep, &env, triple), target);
        };
        check("", "build.rustflags");
        check("[build]\nrustflags = ['--cfg=x']", "build.rustflags");
        let own = "target.x86_64-unknown-linux-gnu.rustflags";
        check("[target.x86_64-unknown-linux-gnu]\nrustflags = '--cfg=x'", own);
        check("[target.'cfg(unix)']\nrustflags = ['--cfg=x']", own);
        check("[target.'cfg(unix)']\nlinker = 'x'", "build.rustflags");
        check("[target.aarch64-unknown-linux-gnu]\nrustflags = ['--cfg=x']", "build.rustflags");
        check("no TOML", "build.rustflags");
    }
}
