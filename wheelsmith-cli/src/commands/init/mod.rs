//! `wheelsmith init`

mod module_name;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use wheelsmith_core::config;
use wheelsmith_core::name::ProjectName;
use wheelsmith_core::sys;

use crate::exit::Exit;
use crate::output::Output;

/// Write a project that builds, or add wheelsmith to an existing one
///
/// In a directory without `pyproject.toml`, init writes one, together with a C library and a Python
/// package that loads it. In an existing project it adds the table `[tool.wheelsmith]` and changes
/// nothing that is there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith init hello              a new project in the directory `hello`
  wheelsmith init                    here, also in an existing project
  wheelsmith init . --name my-tool   under another name than the directory's")]
pub(crate) struct Args {
    /// The project's directory
    #[arg(default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// The project's name [default: that of `[project]`, else the directory's]
    #[arg(long)]
    name: Option<ProjectName>,
}

/// Module name of wheelsmith's build back end.
const BACKEND: &str = "wheelsmith_build";
const BUILD_SYSTEM: &str = include_str!("templates/build_system.toml");
const PROJECT: &str = include_str!("templates/project.toml");
const TABLE: &str = include_str!("templates/wheelsmith.toml");
const LIBRARY: &str = include_str!("templates/library.c");
const PACKAGE: &str = include_str!("templates/package.py");
const IGNORED: &str = include_str!("templates/gitignore");

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let dir = &args.dir;
    if dir.join("wheelsmith.toml").is_file() {
        bail!("`{}` has a `wheelsmith.toml` already", dir.display());
    }
    let path = dir.join("pyproject.toml");
    let existing = read(&path)?;
    let name = name(args, &path, existing.as_deref())?;
    let module = module_name::of(&name).map_err(anyhow::Error::msg).context(
        "cannot start the project under this name; give another one with `--name`, or in `[project]`",
    )?;
    let fill = |text: &str| text.replace("@NAME@", name.as_written()).replace("@MODULE@", &module);
    let mut note = installers(dir);
    let text = match &existing {
        Some(text) if text.contains("[tool.wheelsmith") => {
            bail!("`{}` has a `[tool.wheelsmith]` table already", path.display())
        }
        Some(text) => {
            let mut added = String::new();
            match backend(text, dir) {
                None => added = format!("\n{BUILD_SYSTEM}"),
                Some(backend) if backend == BACKEND => {}
                Some(backend) => note = foreign(&backend),
            }
            format!("{}\n{added}{}", text.trim_end(), fill(TABLE))
        }
        None => BUILD_SYSTEM.to_owned() + &fill(PROJECT) + &fill(TABLE),
    };
    let mut written = vec![write(&path, &text)?];
    // Existing files are the user's.
    let source = dir.join("native").join(format!("{module}.c"));
    if !source.exists() {
        written.push(write(&source, &fill(LIBRARY))?);
    }
    // A package is in `src` or beside `pyproject.toml`.
    let packages = ["src", "."].map(|parent| dir.join(parent).join(&module));
    if !packages.iter().any(|package| package.exists()) {
        written.push(write(&packages[0].join("__init__.py"), &fill(PACKAGE))?);
    }
    written.extend(ignore(dir)?);
    output.initialised(dir, &written, &note)?;
    Ok(Exit::Good)
}

fn name(args: &Args, path: &Path, existing: Option<&str>) -> anyhow::Result<ProjectName> {
    let project = match existing {
        Some(text) => config::parse(&path.display().to_string(), text)?.project,
        None => None,
    };
    match (&args.name, project) {
        (Some(name), Some(project)) if *name != project.name => {
            bail!("`{}` names the project `{}`: leave `--name` out", path.display(), project.name)
        }
        (Some(name), _) => Ok(name.clone()),
        (None, Some(project)) => Ok(project.name),
        (None, None) => directory_name(&args.dir),
    }
}

/// Returns the build back end that installers use for a project; `None` if it names none, and
/// setuptools has nothing to read.
fn backend(pyproject: &str, dir: &Path) -> Option<String> {
    let file: toml::Table = pyproject.parse().unwrap_or_default();
    let table = file.get("build-system").and_then(toml::Value::as_table);
    let named = table.and_then(|table| table.get("build-backend")).and_then(toml::Value::as_str);
    let has_setup = || ["setup.py", "setup.cfg"].iter().any(|file| dir.join(file).exists());
    match (named, table) {
        (Some(name), _) => Some(name.to_owned()),
        (None, None) if !has_setup() => None,
        (None, _) => Some("setuptools".to_owned()),
    }
}

fn foreign(backend: &str) -> String {
    format!(
        "pip and uv still build this project with `{backend}`, without the C library.\n\
         To have them use wheelsmith, write this `[build-system]`:\n\n{BUILD_SYSTEM}"
    )
}

fn installers(dir: &Path) -> String {
    let (dir, is_relative) = (dir.display(), dir.is_relative());
    let dir =
        if is_relative && dir.to_string() != "." { format!("./{dir}") } else { dir.to_string() };
    format!(
        "pip and uv build it as well, given the package `wheelsmith-build`, which no index has yet:\n  \
         in a clone of wheelsmith  wheelsmith build --target host --out LINKS\n  \
         here                      pip install --no-index --find-links LINKS {dir}"
    )
}

/// Adds the results of builds to `.gitignore`.
fn ignore(dir: &Path) -> anyhow::Result<Option<PathBuf>> {
    let path = dir.join(".gitignore");
    let text = read(&path)?.unwrap_or_default();
    let plain = |line: &str| line.trim().trim_matches('/').to_owned();
    let has = |wanted: &str| text.lines().any(|line| plain(line) == plain(wanted));
    let missing: Vec<&str> = IGNORED.lines().filter(|wanted| !has(wanted)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Ok(Some(write(&path, &format!("{text}{end}{}\n", missing.join("\n")))?))
}

fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match sys::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<PathBuf> {
    sys::fs::write_atomic(path, text.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path.to_owned())
}

fn directory_name(dir: &Path) -> anyhow::Result<ProjectName> {
    // The directory may not exist yet.
    let full = sys::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.parse().with_context(|| {
        format!("cannot name the project after its directory `{name}`; give `--name`")
    })
}
