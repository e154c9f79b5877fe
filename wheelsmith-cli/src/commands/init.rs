//! `wheelsmith init`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use wheelsmith_core::config;
use wheelsmith_core::name::ProjectName;
use wheelsmith_core::sys;

use crate::exit::Exit;
use crate::output::Output;

/// Write a starter configuration that builds
///
/// In a directory without `pyproject.toml` it writes one, with a C library and a Python package
/// that loads it; next to an existing one it adds `[tool.wheelsmith]`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's directory
    #[arg(default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// The project's name [default: that of `[project]`, else the directory's]
    #[arg(long)]
    name: Option<ProjectName>,
}

const PROJECT: &str = r#"[build-system]
requires = ["wheelsmith"]
build-backend = "wheelsmith"

[project]
name = "@NAME@"
version = "0.1.0"
description = "A C library with a Python face"
requires-python = ">=3.8"
"#;

const TABLE: &str = r#"
[tool.wheelsmith]
# A libc floor may stand behind a triple: "aarch64-unknown-linux-gnu.2.28". The default is 2.17.
targets = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]

[[tool.wheelsmith.component]]
name = "@MODULE@"
kind = "c-shared"

[[tool.wheelsmith.component.sources]]
files = ["native/*.c"]
"#;

const C: &str = r"int @MODULE@_answer(void)
{
    return 42;
}
";

const PYTHON: &str = r#""""A C library with a Python face."""

import ctypes
import pathlib
import sys

_SUFFIX = {"darwin": "lib@MODULE@.dylib", "win32": "@MODULE@.dll"}.get(sys.platform, "lib@MODULE@.so")
_LIBRARY = ctypes.CDLL(str(pathlib.Path(__file__).parent / "_runtime" / "lib" / _SUFFIX))


def answer():
    """What the library says."""
    return _LIBRARY.@MODULE@_answer()
"#;

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let path = args.dir.join("pyproject.toml");
    let existing = match sys::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).context("cannot read the configuration"),
    };
    let name = match (&args.name, &existing) {
        (Some(name), _) => name.clone(),
        (None, Some(text)) => {
            let project = config::parse(&path.display().to_string(), text)?.project;
            project.map_or_else(|| directory_name(&args.dir), |project| Ok(project.name))?
        }
        (None, None) => directory_name(&args.dir)?,
    };
    let module = name.escaped();
    let fill = |text: &str| text.replace("@NAME@", name.as_written()).replace("@MODULE@", &module);
    let text = match &existing {
        Some(text) if text.contains("[tool.wheelsmith") => {
            bail!("`{}` has a `[tool.wheelsmith]` table already", path.display())
        }
        Some(text) => format!("{}\n{}", text.trim_end(), fill(TABLE)),
        None => fill(PROJECT) + &fill(TABLE),
    };
    let source = args.dir.join("native").join(format!("{module}.c"));
    let package = args.dir.join("src").join(&module).join("__init__.py");
    let mut written = vec![write(&path, &text)?];
    // Files that are there are the user's.
    for (file, text) in [(source, C), (package, PYTHON)] {
        if !file.exists() {
            written.push(write(&file, &fill(text))?);
        }
    }
    output.initialised(&written)?;
    Ok(Exit::Good)
}

fn write(path: &Path, text: &str) -> anyhow::Result<PathBuf> {
    sys::fs::write_atomic(path, text.as_bytes()).context("cannot write the starter project")?;
    Ok(path.to_owned())
}

fn directory_name(dir: &Path) -> anyhow::Result<ProjectName> {
    let full = match sys::fs::canonicalize(dir) {
        Ok(full) => full,
        // It will be made.
        Err(_) => dir.to_owned(),
    };
    let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.parse().with_context(|| {
        format!("cannot name the project after its directory `{name}`; give `--name`")
    })
}
