//! Places of Pythons on this machine.

use std::path::PathBuf;

use super::{Env, fs};

/// Minor versions of Python 3 that are looked for by name.
const MINORS: std::ops::RangeInclusive<u32> = 8..=20;

/// Returns the programs of all Pythons: on `PATH`, of pyenv, of uv.
pub fn programs(env: &Env) -> Vec<PathBuf> {
    [on_path(env), of_pyenv(env), of_uv(env)].concat()
}

/// Returns the Pythons on `PATH`, by name.
pub fn on_path(env: &Env) -> Vec<PathBuf> {
    // pyenv's shims are slow to report that a version is not chosen. Its Pythons are found below.
    let path = env.get("PATH").unwrap_or_default();
    let real = std::env::split_paths(path).filter(|dir| !dir.ends_with(".pyenv/shims"));
    let mut env = env.clone();
    if let Ok(path) = std::env::join_paths(real) {
        env.set("PATH", path.to_string_lossy());
    }
    let mut names = vec!["python3".to_owned(), "python".to_owned()];
    for minor in MINORS {
        names.push(format!("python3.{minor}"));
        names.push(format!("python3.{minor}t"));
        names.push(format!("pypy3.{minor}"));
    }
    names.iter().filter_map(|name| env.find_program(name)).collect()
}

/// Returns the Pythons that pyenv installed.
pub fn of_pyenv(env: &Env) -> Vec<PathBuf> {
    let root = env.path("PYENV_ROOT").or_else(|| Some(env.path("HOME")?.join(".pyenv")));
    installations(root.map(|root| root.join("versions")))
}

/// Returns the Pythons that uv installed.
fn of_uv(env: &Env) -> Vec<PathBuf> {
    let data = env.path("XDG_DATA_HOME").or_else(|| Some(env.path("HOME")?.join(".local/share")));
    let dir = env.path("UV_PYTHON_INSTALL_DIR").or_else(|| Some(data?.join("uv/python")));
    installations(dir)
}

/// Returns the program of each installation in a directory.
fn installations(dir: Option<PathBuf>) -> Vec<PathBuf> {
    let found = dir.map_or_else(Vec::new, |dir| fs::list(&dir).unwrap_or_default());
    let program = if cfg!(windows) { "python.exe" } else { "bin/python3" };
    found.into_iter().map(|dir| dir.join(program)).filter(|path| path.is_file()).collect()
}
