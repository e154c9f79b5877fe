//! The environment as a value.

use std::collections::BTreeMap;
#[cfg(feature = "run")]
use std::path::Path;
use std::path::PathBuf;

/// Snapshot of environment variables. The core reads no others.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<String, String>);

/// Variables with which a child finds its own files and reaches the network. None of them changes
/// the output of a compiler.
const HARMLESS: &[&str] = &[
    "APPDATA",
    "COMSPEC",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LOCALAPPDATA",
    "NO_PROXY",
    "PATH",
    "PATHEXT",
    "PROGRAMDATA",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USERPROFILE",
    "WINDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

impl Env {
    /// Returns the variables of this process. Those that are not UTF-8 are left out.
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub fn from_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let mut env = Self(std::env::vars_os().filter_map(text).collect());
        // Children run in other directories, so a relative path would change its meaning.
        if let Some(dir) = env.path("WHEELSMITH_CACHE_DIR")
            && let Ok(dir) = std::path::absolute(dir)
        {
            env.set("WHEELSMITH_CACHE_DIR", dir.to_string_lossy());
        }
        env
    }

    /// Returns the value of `name`; `None` if it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of `name` as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// Sets a variable in this snapshot.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Removes a variable from this snapshot.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Returns this environment with the variables of `more`, which have precedence.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.extend(more);
        self
    }

    /// Returns every variable, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the variables for compilers: those with which they find their files, and none that
    /// changes their output. The locale is fixed, and `__DATE__` is 1980-01-01 unless
    /// `SOURCE_DATE_EPOCH` is set.
    #[must_use]
    pub fn for_compilers(&self) -> Self {
        let keep = |name: &str| HARMLESS.contains(&name) || name.starts_with("ZIG_");
        let kept = self.iter().filter(|(name, _)| keep(name));
        let mut env = Self(kept.map(|(n, v)| (n.to_owned(), v.to_owned())).collect());
        env.set("LC_ALL", "C");
        env.set("SOURCE_DATE_EPOCH", self.get("SOURCE_DATE_EPOCH").unwrap_or("315532800"));
        env
    }

    /// Returns the variables that the user of a finished package has: files, language, network.
    /// Variables of a build are left out: compilers, flags, `PYTHONPATH`, `LD_LIBRARY_PATH`, those
    /// of cargo, and an active virtual environment with its directory on `PATH`. The variables
    /// named in `pass` stay.
    #[must_use]
    pub fn for_users(&self, pass: &[String]) -> Self {
        const LANGUAGE: &[&str] = &["LANG", "LANGUAGE", "LOGNAME", "SHELL", "TERM", "TZ", "USER"];
        let keep = |name: &str| {
            let passed = pass.iter().any(|passed| passed == name);
            passed
                || HARMLESS.contains(&name)
                || LANGUAGE.contains(&name)
                || name.starts_with("LC_")
        };
        let kept = self.iter().filter(|(name, _)| keep(name));
        let mut env = Self(kept.map(|(n, v)| (n.to_owned(), v.to_owned())).collect());
        if let (Some(active), Some(path)) = (self.path("VIRTUAL_ENV"), self.get("PATH")) {
            let outside = std::env::split_paths(path).filter(|dir| !dir.starts_with(&active));
            if let Ok(path) = std::env::join_paths(outside) {
                env.set("PATH", path.to_string_lossy());
            }
        }
        env
    }

    /// Finds a program on `PATH`. A path is returned if the program exists there.
    #[cfg(feature = "run")]
    pub fn find_program(&self, program: impl AsRef<Path>) -> Option<PathBuf> {
        let program = program.as_ref();
        let path = self.get("PATH").unwrap_or_default();
        let nowhere = Path::new(if cfg!(windows) { "C:\\" } else { "/" });
        which::which_in(program, Some(path), nowhere).ok()
    }

    /// Returns the user's cache directory: `WHEELSMITH_CACHE_DIR`, else a directory below
    /// `XDG_CACHE_HOME`, `~/Library/Caches`, `%LOCALAPPDATA%` or `~/.cache`, by the custom of the
    /// host.
    pub fn cache_dir(&self) -> Option<PathBuf> {
        if let Some(dir) = self.path("WHEELSMITH_CACHE_DIR") {
            return Some(dir);
        }
        let base = if cfg!(windows) {
            self.path("LOCALAPPDATA")
        } else if let Some(dir) = self.path("XDG_CACHE_HOME") {
            Some(dir)
        } else if cfg!(target_os = "macos") {
            self.path("HOME").map(|home| home.join("Library/Caches"))
        } else {
            self.path("HOME").map(|home| home.join(".cache"))
        };
        base.map(|base| base.join("wheelsmith"))
    }

    /// Returns the directory of a cache that is only read: `WHEELSMITH_SHELF_DIR`. In a build
    /// script it is the user's cache; the script's own cache is below `OUT_DIR`.
    pub fn shelf_dir(&self) -> Option<PathBuf> {
        self.path("WHEELSMITH_SHELF_DIR")
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_do_not_see_the_users_flags() {
        let set = |name: &str| (name.to_owned(), "x".to_owned());
        let names = ["PATH", "CFLAGS", "LANG", "TZ", "MAKEFLAGS", "ZIG_GLOBAL_CACHE_DIR"];
        let env: Env = names.into_iter().map(set).collect();
        let compilers = env.for_compilers();
        let seen: Vec<&str> = compilers.iter().map(|(name, _)| name).collect();
        assert_eq!(seen, ["LC_ALL", "PATH", "SOURCE_DATE_EPOCH", "ZIG_GLOBAL_CACHE_DIR"]);
    }

    #[test]
    #[cfg(unix)]
    fn users_do_not_see_the_builders_variables() {
        let names = ["CC", "CARGO_HOME", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TOKEN", "X"];
        let mut env: Env =
            names.map(|name| (name.to_owned(), "x".to_owned())).into_iter().collect();
        env.set("VIRTUAL_ENV", "/build/venv");
        env.set("PATH", "/build/venv/bin:/usr/bin");
        let users = env.for_users(&["TOKEN".to_owned()]);
        let seen: Vec<(&str, &str)> = users.iter().collect();
        assert_eq!(seen, [("LC_ALL", "x"), ("PATH", "/usr/bin"), ("TOKEN", "x")]);
    }
}
