//! Environment of a build script, as a value.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Error;
use crate::name::{Libc, Os, TARGETS, Target};
use crate::sys::{self, Jobs};
use crate::toolchain::{self, Optimize, ToolchainKind};

/// Variables of a build script, read once.
///
/// See the Cargo book, "Environment variables Cargo sets for build scripts".
#[derive(Debug, Clone)]
pub struct Env {
    vars: sys::Env,
    read: BTreeSet<String>,
    target: Target,
    host: String,
    out_dir: PathBuf,
    manifest_dir: PathBuf,
    profile: String,
    optimize: Optimize,
    debug: bool,
    jobs: usize,
    links: Option<String>,
}

/// Reader of variables that records their names.
struct Reader<'v> {
    vars: &'v sys::Env,
    read: BTreeSet<String>,
}

impl Reader<'_> {
    fn find(&mut self, name: &str) -> Option<String> {
        self.read.insert(name.to_owned());
        self.vars.get(name).map(str::to_owned)
    }

    fn get(&mut self, name: &str) -> Result<String, Error> {
        self.find(name).ok_or_else(|| Error::NotSet { name: name.to_owned() })
    }
}

impl Env {
    /// Reads the environment of this process, which is a build script that cargo runs.
    ///
    /// # Errors
    /// Returns an error if a variable of cargo is missing, or the target is unknown.
    pub fn from_cargo() -> Result<Self, Error> {
        Self::from_vars(sys::Env::from_process())
    }

    /// Like [`Env::from_cargo`], with given variables, for example in a test.
    ///
    /// # Errors
    /// Returns the errors of [`Env::from_cargo`].
    ///
    /// ```
    /// use wheelsmith_core::{script, sys};
    ///
    /// let set = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    /// let vars: sys::Env = [
    ///     ("TARGET", "aarch64-unknown-linux-gnu"),
    ///     ("HOST", "x86_64-unknown-linux-gnu"),
    ///     ("OUT_DIR", "/build/demo/out"),
    ///     ("CARGO_MANIFEST_DIR", "/home/me/demo"),
    ///     ("OPT_LEVEL", "0"),
    ///     ("NUM_JOBS", "4"),
    /// ]
    /// .map(set)
    /// .into_iter()
    /// .collect();
    /// let env = script::Env::from_vars(vars)?;
    /// assert_eq!(env.target().triple(), "aarch64-unknown-linux-gnu");
    /// assert!(env.is_cross() && env.read_vars().contains("OUT_DIR"));
    /// # Ok::<(), script::Error>(())
    /// ```
    pub fn from_vars(vars: sys::Env) -> Result<Self, Error> {
        let mut reader = Reader { vars: &vars, read: BTreeSet::new() };
        let target = reader.get("TARGET")?;
        let target = match target.parse() {
            Ok(known) => known,
            // A target of the user's own, or of a distribution: `aarch64-alpine-linux-musl`.
            Err(_) => similar(&mut reader).ok_or(Error::Target { target })?,
        };
        let host = reader.get("HOST")?;
        let out_dir = PathBuf::from(reader.get("OUT_DIR")?);
        let manifest_dir = PathBuf::from(reader.get("CARGO_MANIFEST_DIR")?);
        let optimize = match reader.find("OPT_LEVEL").as_deref() {
            Some("0") => Optimize::O0,
            Some("1") => Optimize::O1,
            None | Some("2") => Optimize::O2,
            Some("3") => Optimize::O3,
            Some("s" | "z") => Optimize::Os,
            Some(value) => {
                return Err(Error::Odd { name: "OPT_LEVEL".into(), value: value.to_owned() });
            }
        };
        let jobs = match reader.find("NUM_JOBS") {
            None => 1,
            Some(value) => {
                value.parse().map_err(|_| Error::Odd { name: "NUM_JOBS".into(), value })?
            }
        };
        let debug = reader.find("DEBUG").is_some_and(|value| value != "false" && value != "0");
        let profile = reader.find("PROFILE").unwrap_or_else(|| "debug".to_owned());
        let links = reader.find("CARGO_MANIFEST_LINKS");
        for name in ["CARGO_MAKEFLAGS", "MAKEFLAGS"] {
            reader.find(name);
        }
        let Reader { read, .. } = reader;
        Ok(Self {
            vars,
            read,
            target,
            host,
            out_dir,
            manifest_dir,
            profile,
            optimize,
            debug,
            jobs,
            links,
        })
    }

    /// Returns cargo's `TARGET`. Its floor is that of the configuration.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Returns cargo's `HOST`: the triple of the machine that compiles.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// True if the target is not the host.
    pub fn is_cross(&self) -> bool {
        self.host != self.target.triple()
    }

    /// Returns cargo's `OUT_DIR`, below which everything is written.
    pub fn out_dir(&self) -> &Path {
        &self.out_dir
    }

    /// Returns the directory of the package.
    pub fn manifest_dir(&self) -> &Path {
        &self.manifest_dir
    }

    /// Returns cargo's `PROFILE`: `debug` or `release`.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Returns the optimization level of cargo's profile: `OPT_LEVEL`.
    pub fn optimize(&self) -> Optimize {
        self.optimize
    }

    /// True if cargo's profile includes debug information.
    pub fn debug(&self) -> bool {
        self.debug
    }

    /// Returns the number of jobs of the whole cargo build: `NUM_JOBS`. The job server limits them
    /// further.
    pub fn jobs(&self) -> usize {
        self.jobs
    }

    /// Returns the names of the variables that were read, set or not. The variables of a toolchain
    /// are in the directives of the [`Output`](super::Output).
    pub fn read_vars(&self) -> &BTreeSet<String> {
        &self.read
    }

    /// Returns the `links` key of the package; if set, dependent packages get metadata of the
    /// build.
    pub(super) fn links(&self) -> Option<&str> {
        self.links.as_deref()
    }

    /// Returns the directory of this build below `OUT_DIR`.
    pub(super) fn work_dir(&self) -> PathBuf {
        self.out_dir.join("wheelsmith")
    }

    /// Returns cargo's job tokens; without a job server, as many as cargo has jobs.
    pub(super) fn tokens(&self) -> Jobs {
        Jobs::inherited(&self.vars, self.jobs)
    }

    /// Returns the kind of toolchain that the variables select, as the `cc` crate reads them: `Env`
    /// if the target is the host and `HOST_CC` or `CC` is set, `Auto` if a variable names a
    /// compiler for the target. Returns `None` if no compiler is named.
    pub(super) fn compiler(&self) -> Option<ToolchainKind> {
        let is_set = |name: &str| self.vars.get(name).is_some();
        if !self.is_cross() && (is_set("HOST_CC") || is_set("CC")) {
            return Some(ToolchainKind::Env);
        }
        toolchain::is_named(&self.vars, &self.target).then_some(ToolchainKind::Auto)
    }

    /// Returns the environment of child processes: without cargo's variables for this package,
    /// without flags of rustc, without network, and with all output directories below `OUT_DIR`.
    pub(super) fn for_children(&self) -> sys::Env {
        const NOT: &[&str] = &[
            "DEBUG",
            "DYLD_FALLBACK_LIBRARY_PATH",
            "DYLD_LIBRARY_PATH",
            "HOST",
            "LD_LIBRARY_PATH",
            "MAKEFLAGS",
            "MFLAGS",
            "NUM_JOBS",
            "OPT_LEVEL",
            "OUT_DIR",
            "PROFILE",
            "RUSTC_LINKER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
            "RUSTDOCFLAGS",
            "RUSTFLAGS",
            "TARGET",
        ];
        const OF_CARGO: &[&str] =
            &["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
        let is_for_us = |name: &str| {
            let kept = OF_CARGO.iter().any(|kept| name.starts_with(kept));
            NOT.contains(&name) || name.starts_with("DEP_") || (name.starts_with("CARGO_") && !kept)
        };
        let kept = self.vars.iter().filter(|(name, _)| !is_for_us(name));
        let mut env: sys::Env = kept.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let work = self.work_dir();
        let mut place = |name: &str, dir: &Path| env.set(name, dir.to_string_lossy());
        if let Some(cache) = self.vars.cache_dir() {
            place("WHEELSMITH_SHELF_DIR", &cache);
        }
        place("WHEELSMITH_CACHE_DIR", &work.join("cache"));
        for name in ["TMPDIR", "TMP", "TEMP"] {
            place(name, &work.join("tmp"));
        }
        env.set("CARGO_NET_OFFLINE", "true");
        if !self.is_cross() {
            // Variables of the host apply to the target too.
            for base in ["CC", "CXX", "AR", "RANLIB", "CFLAGS", "CXXFLAGS"] {
                let target = format!("TARGET_{base}");
                if let (None, Some(own)) =
                    (env.get(&target), self.vars.get(&format!("HOST_{base}")))
                {
                    env.set(target, own);
                }
            }
        }
        env
    }
}

/// Returns the target of the table with the same processor, system and C library.
fn similar(reader: &mut Reader<'_>) -> Option<Target> {
    let mut cfg = |name: &str| reader.find(&format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let (arch, os, env, endian) = (cfg("ARCH"), cfg("OS"), cfg("ENV"), cfg("ENDIAN"));
    let arch = match (arch.as_str(), endian.as_str()) {
        ("x86", _) => "i686",
        ("arm", _) => "armv7l",
        ("powerpc64", "little") => "ppc64le",
        (arch, _) => arch,
    };
    let os = match (os.as_str(), env.as_str()) {
        ("linux", "gnu") => Os::Linux(Libc::Glibc),
        ("linux", "musl") => Os::Linux(Libc::Musl),
        ("macos", _) => Os::MacOs,
        ("windows", "gnu") => Os::Windows,
        _ => return None,
    };
    let row = TARGETS.iter().find(|row| row.arch.as_str() == arch && row.os == os)?;
    row.triple.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(more: &[(&str, &str)]) -> sys::Env {
        let cargo = [
            ("TARGET", "x86_64-unknown-linux-gnu"),
            ("HOST", "x86_64-unknown-linux-gnu"),
            ("OUT_DIR", "/out"),
            ("CARGO_MANIFEST_DIR", "/package"),
        ];
        let all = cargo.iter().chain(more);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_cargo_says_is_read_once() {
        let more = [("OPT_LEVEL", "z"), ("NUM_JOBS", "7"), ("DEBUG", "true"), ("PROFILE", "x")];
        let env = Env::from_vars(vars(&more)).unwrap();
        assert_eq!(env.optimize(), Optimize::Os);
        assert_eq!((env.jobs(), env.debug(), env.profile()), (7, true, "x"));
        assert!(!env.is_cross());
        assert!(env.read_vars().contains("CARGO_MAKEFLAGS"));
        assert!(!env.read_vars().contains("CARGO_CFG_TARGET_ARCH"), "it was not needed");
        let check = |more: &[(&str, &str)], words: &str| {
            let error = Env::from_vars(vars(more)).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        };
        check(&[("OUT_DIR", "")], "`OUT_DIR` is not set");
        check(&[("NUM_JOBS", "many")], "`NUM_JOBS` is `many`");
        check(&[("OPT_LEVEL", "9")], "`OPT_LEVEL` is `9`");
        check(&[("TARGET", "wasm32-wasip1")], "wheelsmith does not support");
    }

    #[test]
    fn a_target_of_ones_own_is_known_by_what_it_is() {
        let check = |[arch, os, env, endian]: [&str; 4], expected: Option<&str>| {
            let more = [
                ("TARGET", "my-own"),
                ("CARGO_CFG_TARGET_ARCH", arch),
                ("CARGO_CFG_TARGET_OS", os),
                ("CARGO_CFG_TARGET_ENV", env),
                ("CARGO_CFG_TARGET_ENDIAN", endian),
            ];
            let target = Env::from_vars(vars(&more)).ok().map(|env| env.target().triple());
            assert_eq!(target, expected);
        };
        check(["aarch64", "linux", "musl", "little"], Some("aarch64-unknown-linux-musl"));
        check(["powerpc64", "linux", "gnu", "little"], Some("powerpc64le-unknown-linux-gnu"));
        check(["x86_64", "windows", "msvc", "little"], None);
    }

    #[test]
    fn children_see_nothing_of_this_package() {
        let more = [
            ("CARGO_CFG_UNIX", ""),
            ("CARGO_ENCODED_RUSTFLAGS", "-g"),
            ("CARGO_HOME", "/cargo"),
            ("CARGO_MAKEFLAGS", "-j"),
            ("DEP_Z_ROOT", "/z"),
            ("HOST_CC", "gcc"),
            ("LD_LIBRARY_PATH", "/x"),
            ("NUM_JOBS", "2"),
            ("PATH", "/bin"),
            ("RUSTC", "rustc"),
            ("RUSTFLAGS", "-g"),
            ("WHEELSMITH_CACHE_DIR", "/cache"),
        ];
        let env = Env::from_vars(vars(&more)).unwrap();
        let children = env.for_children();
        let seen: Vec<(&str, &str)> = children.iter().collect();
        assert_eq!(
            seen,
            [
                ("CARGO_HOME", "/cargo"),
                ("CARGO_NET_OFFLINE", "true"),
                ("HOST_CC", "gcc"),
                ("PATH", "/bin"),
                ("RUSTC", "rustc"),
                ("TARGET_CC", "gcc"),
                ("TEMP", "/out/wheelsmith/tmp"),
                ("TMP", "/out/wheelsmith/tmp"),
                ("TMPDIR", "/out/wheelsmith/tmp"),
                ("WHEELSMITH_CACHE_DIR", "/out/wheelsmith/cache"),
                ("WHEELSMITH_SHELF_DIR", "/cache"),
            ]
        );
    }

    #[test]
    fn a_named_compiler_counts_for_its_target() {
        use ToolchainKind::{Auto, Env as Any};
        let check = |more: &[(&str, &str)], expected: Option<ToolchainKind>| {
            assert_eq!(Env::from_vars(vars(more)).unwrap().compiler(), expected, "{more:?}");
        };
        let arm = ("TARGET", "aarch64-unknown-linux-gnu");
        check(&[], None);
        check(&[("CC", "gcc")], Some(Any));
        check(&[("HOST_CC", "gcc")], Some(Any));
        check(&[("CC", "gcc"), arm], None);
        check(&[("CC_aarch64_unknown_linux_gnu", "gcc"), arm], Some(Auto));
        check(&[("TARGET_CC", "gcc"), arm], Some(Auto));
    }
}
