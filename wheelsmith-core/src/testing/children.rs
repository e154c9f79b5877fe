//! Lets a foreign Python start children.

use std::path::Path;

use super::Error;
use crate::sys::{self, Env};

const MODULE: &str = include_str!("children.py");

/// Writes the module into `dir` and sets the variables that it reads. `runner` is the command that
/// starts programs below one of `homes`. Every Python that has `dir` on its path loads the module.
pub(super) fn enable(
    dir: &Path,
    runner: &[String],
    homes: &[&Path],
    env: &mut Env,
) -> Result<(), Error> {
    let path = dir.join("sitecustomize.py");
    sys::fs::create_dir_all(dir)
        .and_then(|()| sys::fs::write(&path, MODULE))
        .map_err(Error::io("write the launcher of foreign programs"))?;
    env.set("WHEELSMITH_RUNNER", runner.join("\n"));
    let homes: Vec<String> = homes.iter().map(|home| home.to_string_lossy().into_owned()).collect();
    env.set("WHEELSMITH_FOREIGN", homes.join(":"));
    Ok(())
}
