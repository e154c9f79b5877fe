//! Makes a root with a Python for another processor, from the distribution's packages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Error;
use crate::name::Arch;
use crate::sys::{self, Command, Env, Exec, Host, Lock, ProcessError};

/// Packages that others depend on and that Python does not need.
const NEEDLESS: [&str; 4] = ["dpkg", "tar", "install-info", "perl-base"];

/// Returns the root for `arch` in the cache; downloads and unpacks Debian's packages if it is
/// missing. Nothing outside the cache changes, and no privileges are needed: apt gets a state
/// directory of its own, and no package is configured.
///
/// # Errors
/// There is no apt or no network, or the distribution has no Python for `arch`.
pub fn prepare(arch: Arch, host: &Host) -> Result<PathBuf, Error> {
    let cache = host.env.cache_dir().ok_or_else(|| Error::NoWheel {
        why:
            "neither `WHEELSMITH_CACHE_DIR` nor `HOME` is set, so there is no directory for a root"
                .to_owned(),
    })?;
    let root = cache.join("roots").join(arch.as_str());
    let lock = Lock::acquire(&cache.join("roots").join(format!("{arch}.lock")), &host.cancel);
    let lock = lock.map_err(Error::io("lock the cache of roots"))?;
    let _lock = lock.ok_or(Error::Cancelled)?;
    if root.is_dir() {
        return Ok(root);
    }
    let unusable = |problem: &str, hint: &str| Error::Root {
        root: root.clone(),
        problem: problem.to_owned(),
        hint: Some(hint.to_owned()),
    };
    let Some(debian) = debian(arch) else {
        return Err(unusable(
            "Debian does not support this processor",
            "name a root with `--root`",
        ));
    };
    let (Some(get), Some(cached), Some(dpkg)) = (
        host.env.find_program("apt-get"),
        host.env.find_program("apt-cache"),
        host.env.find_program("dpkg-deb"),
    ) else {
        return Err(unusable(
            "`apt-get`, `apt-cache` and `dpkg-deb` are required to make one",
            "name a root with `--root`",
        ));
    };
    let task = host.task(format!("prepare a root for {arch}"), 0);
    let state = sys::fs::temp_dir().map_err(Error::io("create a directory for apt"))?;
    let apt = Apt { state: state.path(), env: configure(state.path(), debian, host)?, host };
    let failed = |source| match source {
        ProcessError::Cancelled => Error::Cancelled,
        source => Error::Prepare { arch: debian.to_owned(), source },
    };
    apt.run(&get, &["update"]).map_err(failed)?;
    let packages = apt.packages(&cached).map_err(failed)?;
    let Some(packages) = packages else {
        return Err(unusable("the distribution has no Python for it", "name one with `--root`"));
    };
    let words: Vec<&str> =
        ["download"].into_iter().chain(packages.iter().map(String::as_str)).collect();
    apt.run(&get, &words).map_err(failed)?;
    let made = sys::fs::UnfinishedDir::create(&root).map_err(Error::io("make the root"))?;
    for file in sys::fs::list(state.path()).map_err(Error::io("read the packages"))? {
        if file.extension().is_some_and(|extension| extension == "deb") {
            let unpack = Command::new(&dpkg, state.path(), &apt.env).arg("-x");
            let unpack = unpack.arg(file.to_string_lossy()).arg(made.path().to_string_lossy());
            unpack.run(host).map_err(failed)?;
        }
    }
    link_python(made.path()).map_err(Error::io("complete the root"))?;
    made.finish().map_err(Error::io("complete the root"))?;
    task.finish(format!("{} packages", packages.len()));
    Ok(root)
}

/// Returns Debian's name of a processor.
fn debian(arch: Arch) -> Option<&'static str> {
    Some(match arch {
        Arch::Aarch64 => "arm64",
        Arch::Armv7l => "armhf",
        Arch::I686 => "i386",
        Arch::Ppc64le => "ppc64el",
        Arch::Riscv64 => "riscv64",
        Arch::S390x => "s390x",
        Arch::X86_64 => "amd64",
        Arch::Loongarch64 | Arch::Ppc64 => return None,
    })
}

struct Apt<'h> {
    state: &'h Path,
    env: Env,
    host: &'h Host,
}

impl Apt<'_> {
    fn run(&self, program: &Path, args: &[&str]) -> Result<Exec, ProcessError> {
        Command::new(program, self.state, &self.env).args(args.iter().copied()).run(self.host)
    }

    /// Returns Python's packages and their dependencies, as apt lists them; `None` if there is no
    /// Python.
    fn packages(&self, cached: &Path) -> Result<Option<BTreeSet<String>>, ProcessError> {
        let text = |exec: Exec| String::from_utf8_lossy(&exec.stdout).into_owned();
        let depends = self.run(cached, &["depends", "python3-minimal"]).map(text);
        let depends = match depends {
            Err(ProcessError::Failed { .. }) => return Ok(None),
            other => other?,
        };
        let Some(python) = versioned(&depends) else { return Ok(None) };
        let mut words = vec!["depends", "--recurse", "--important"];
        let wanted = [format!("{python}-minimal"), format!("lib{python}-stdlib")];
        words.extend(wanted.iter().map(String::as_str));
        let all = text(self.run(cached, &words)?);
        let is_name = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        let mut packages: BTreeSet<String> =
            all.lines().filter(is_name).map(|line| line.trim().to_owned()).collect();
        packages.retain(|name| !NEEDLESS.contains(&name.as_str()) && !name.starts_with("libperl"));
        // pip, as a file that Python can run.
        packages.insert("python3-pip-whl".to_owned());
        Ok(Some(packages))
    }
}

/// Returns `python3.11` from the dependencies of `python3-minimal`.
fn versioned(depends: &str) -> Option<String> {
    depends.lines().find_map(|line| {
        // `Depends:` or `PreDepends:`, with `|` in front of alternatives.
        let name = line.split_once("Depends: ")?.1.trim().strip_suffix("-minimal")?;
        name.starts_with("python3.").then(|| name.to_owned())
    })
}

/// Configures apt with a state directory of its own and one processor.
fn configure(state: &Path, debian: &str, host: &Host) -> Result<Env, Error> {
    let write = || -> std::io::Result<PathBuf> {
        for dir in ["lists/partial", "cache/archives/partial"] {
            sys::fs::create_dir_all(state.join(dir))?;
        }
        sys::fs::write(state.join("status"), b"")?;
        let place = state.display();
        let text = format!(
            "#clear APT::Architectures;\nAPT::Architecture \"{debian}\";\n\
             APT::Architectures {{ \"{debian}\"; }};\nAPT::Sandbox::User \"\";\n\
             Acquire::Languages \"none\";\nDir::State \"{place}\";\n\
             Dir::State::status \"{place}/status\";\nDir::Cache \"{place}/cache\";\n"
        );
        let path = state.join("apt.conf");
        sys::fs::write(&path, text)?;
        Ok(path)
    };
    let path = write().map_err(Error::io("configure apt"))?;
    let mut env = host.env.for_users(&[]);
    env.set("APT_CONFIG", path.to_string_lossy());
    env.set("LC_ALL", "C");
    Ok(env)
}

/// Adds `usr/bin/python3` to the root; the package that has it is not among those unpacked.
fn link_python(root: &Path) -> std::io::Result<()> {
    let bin = root.join("usr/bin");
    let link = bin.join("python3");
    if sys::fs::symlink_metadata(&link).is_ok() {
        return Ok(());
    }
    let is_python = |name: &String| {
        name.strip_prefix("python3.").is_some_and(|minor| minor.parse::<u32>().is_ok())
    };
    let names = sys::fs::list(&bin)?
        .into_iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()).filter(is_python));
    match names.max() {
        Some(name) => sys::fs::symlink(&name, &link),
        None => Err(std::io::Error::other("the packages have no Python")),
    }
}

#[cfg(test)]
mod tests {
    use super::versioned;

    #[test]
    fn apt_names_the_python() {
        let check = |depends: &str, expected: Option<&str>| {
            assert_eq!(versioned(depends).as_deref(), expected, "{depends}");
        };
        check("python3-minimal\n  PreDepends: python3.11-minimal\n", Some("python3.11"));
        check("python3-minimal\n  Depends: dpkg\n |Depends: python3.13-minimal\n", {
            Some("python3.13")
        });
        check("python3-minimal\n  Depends: dpkg\n", None);
    }
}
