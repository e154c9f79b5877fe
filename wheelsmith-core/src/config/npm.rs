//! `[[tool.wheelsmith.npm]]`: a main package and a package for each target.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::package_files::PackageFiles;
use crate::name::{Arch, Libc, NpmName, Os, ParseError, Target, WheelPath, npm_cpu};

/// `[[tool.wheelsmith.npm]]`: a main package with a package for each target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Npm {
    /// Name of the main package, such as `@scope/demo`; the name of the project if absent.
    pub name: Option<NpmName>,
    /// Beginning of the names of the platform packages, before `-linux-x64-gnu`; the name of the
    /// main package if absent.
    pub prefix: Option<NpmName>,
    /// Components whose files the platform packages contain; all if absent.
    pub components: Option<Vec<String>>,
    /// Globs of files of the runtime, such as `bin/*`. If absent, its programs, shared libraries,
    /// data and Node.js addons.
    pub files: Option<Vec<String>>,
    /// Commands that start a program of the runtime: `command = "program"`.
    pub bin: BTreeMap<String, String>,
    /// Further files of the main package, such as JavaScript and TypeScript declarations.
    pub include: Vec<PackageFiles>,
    /// File among those of `include` that `require` and `import` load. If absent, the addon of the
    /// runtime if there is one, or else functions with the paths of the runtime's files.
    pub main: Option<WheelPath>,
    /// TypeScript declarations among the files of `include`.
    pub types: Option<WheelPath>,
    /// Supported versions of Node.js; `>=16` if absent.
    pub node: Option<String>,
}

/// Platform of an npm package, in the words of npm and Node.js.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NpmPlatform {
    /// Suffix of the package's name: `linux-x64-gnu`.
    #[serde(skip)]
    pub suffix: String,
    /// `os`: `linux`.
    pub os: &'static str,
    /// `cpu`: `x64`.
    pub cpu: Vec<&'static str>,
    /// `libc`: `glibc`; `None` outside Linux.
    pub libc: Option<Libc>,
}

impl NpmPlatform {
    /// Returns the platform of `target`.
    pub fn of(target: Target) -> Self {
        let (os, libc) = match target.os() {
            Os::Linux(libc) => ("linux", Some(libc)),
            Os::MacOs => ("darwin", None),
            Os::Windows => ("win32", None),
        };
        let compiled = target.compiled();
        let cpu: Vec<&'static str> = compiled.iter().map(|slice| npm_cpu(slice.arch())).collect();
        let name = if cpu.len() > 1 { "universal" } else { npm_cpu(target.arch()) };
        let end = match (libc, target.arch()) {
            (Some(Libc::Glibc), Arch::Armv7l) => "-gnueabihf",
            (Some(Libc::Musl), Arch::Armv7l) => "-musleabihf",
            (Some(Libc::Glibc), _) => "-gnu",
            (Some(Libc::Musl), _) => "-musl",
            (None, _) => "",
        };
        Self { suffix: format!("{os}-{name}{end}"), os, cpu, libc }
    }
}

impl Npm {
    /// Returns the name of the main package; that of the project, `project`, if the table has none.
    ///
    /// # Errors
    /// Returns an error if the name of the project is no name of an npm package.
    pub fn main_name(&self, project: &str) -> Result<NpmName, ParseError> {
        self.name.clone().map_or_else(|| project.to_ascii_lowercase().parse(), Ok)
    }

    /// Returns the name of the package for `platform`, given the name of the main package.
    ///
    /// # Errors
    /// Returns an error if the name is too long.
    pub fn platform_name(
        &self,
        main: &NpmName,
        platform: &NpmPlatform,
    ) -> Result<NpmName, ParseError> {
        format!("{}-{}", self.prefix.as_ref().unwrap_or(main), platform.suffix).parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::TARGETS;

    #[test]
    fn names_are_those_of_npm() {
        let long = format!("a{}", "b".repeat(214));
        for wrong in [
            "",
            "Demo",
            "a b",
            "@a",
            "@a/",
            "@/b",
            ".a",
            "_a",
            "-a",
            "a/b",
            "ü",
            "node_modules",
            &long,
        ] {
            assert!(wrong.parse::<NpmName>().is_err(), "{wrong}");
        }
        let check = |name: &str, tarball: &str| {
            assert_eq!(name.parse::<NpmName>().unwrap().tarball("1.0.0"), tarball);
        };
        check("demo", "demo-1.0.0.tgz");
        check("@box/demo.js", "box-demo.js-1.0.0.tgz");
        let suggestion = "@Box/Demo".parse::<NpmName>().unwrap_err().suggestion;
        assert_eq!(suggestion.as_deref(), Some("@box/demo"));
    }

    #[test]
    fn every_target_has_a_suffix_of_its_own() {
        let platforms = TARGETS.iter().map(|row| NpmPlatform::of(row.triple.parse().unwrap()));
        let suffixes: std::collections::BTreeSet<String> =
            platforms.map(|platform| platform.suffix).collect();
        assert_eq!(suffixes.len(), TARGETS.len());
        let check = |triple: &str, suffix: &str| {
            assert_eq!(NpmPlatform::of(triple.parse().unwrap()).suffix, suffix);
        };
        check("x86_64-unknown-linux-gnu", "linux-x64-gnu");
        check("aarch64-unknown-linux-musl", "linux-arm64-musl");
        check("armv7-unknown-linux-gnueabihf", "linux-arm-gnueabihf");
        check("x86_64-pc-windows-gnu", "win32-x64");
        check("aarch64-apple-darwin", "darwin-arm64");
        check("universal2-apple-darwin", "darwin-universal");
    }
}
