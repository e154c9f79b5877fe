//! Programs on disk through which cargo, configure, make and the `cc` crate call a toolchain,
//! because they accept a path without arguments.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::name::{Digest, Os, Target};
use crate::sys::fs;

use super::cxx::{BY_NAME, LINK_NAME};
use super::filter::{self, Filtered, Rule};
use super::flags::{Family, Optimize, ZIG_AS_OTHERS, target_args};
use super::{Error, Tool, Toolchain, driver};

/// Role of a wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// C compiler.
    Cc,
    /// C++ compiler.
    Cxx,
    /// Archiver.
    Ar,
    /// Indexer of archives.
    Ranlib,
    /// Linker of rustc.
    Linker,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Cc, Self::Cxx, Self::Ar, Self::Ranlib, Self::Linker];

    /// Returns the wrapper's file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cc => "cc",
            Self::Cxx => "c++",
            Self::Ar => "ar",
            Self::Ranlib => "ranlib",
            Self::Linker => "linker",
        }
    }

    /// Returns the role of the wrapper with the file name `name`.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Wrapper: a program, its fixed arguments, and the changes to the caller's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapper {
    /// Program.
    pub program: PathBuf,
    /// First arguments.
    pub args: Vec<String>,
    /// Variables that are set unless the caller has set them.
    pub env: BTreeMap<String, String>,
    /// Changes of the caller's arguments.
    pub rules: Vec<Rule>,
    /// Target of a zig that must be driven like gcc, by a generated script.
    pub driven_for: Option<Target>,
    /// True if it is a C++ compiler whose files share a C++ runtime (`toolchain::cxx`).
    pub shares_cxx: bool,
    /// True if programs are linked with `-pie`, which is not the default of zig and older
    /// compilers.
    pub pie: bool,
}

/// Arguments of command lines that link no program, or that set the kind of the program.
const NO_PROGRAM: [&str; 18] = [
    "-c",
    "-S",
    "-E",
    "-M",
    "-MM",
    "-shared",
    "-static",
    "-static-pie",
    "-pie",
    "-no-pie",
    "-nopie",
    "-r",
    "-nostdlib",
    "-nostartfiles",
    "-fsyntax-only",
    "-Wl,-r",
    "-Wl,-shared",
    "-###",
];

impl Wrapper {
    /// Returns the wrapper of a zig. `third_party` is true for the build systems of other projects,
    /// whose version scripts may name symbols that do not exist: GNU ld accepts them, LLD requires
    /// an option.
    pub fn of_zig(program: &Path, target: &Target, role: Role, third_party: bool) -> Self {
        let command = match role {
            Role::Cc | Role::Linker => "cc",
            Role::Cxx => "c++",
            Role::Ar => "ar",
            Role::Ranlib => "ranlib",
        };
        let mut args = vec![command.to_owned()];
        let compiles = !matches!(role, Role::Ar | Role::Ranlib);
        if compiles {
            args.extend(target_args(Family::Zig, target));
            // Before the caller's arguments, which have precedence. For link lines see
            // `flags::link_args`.
            args.extend([Optimize::O2.flag(), "-g0"].map(str::to_owned));
            args.extend(ZIG_AS_OTHERS.map(str::to_owned));
            if third_party && role != Role::Linker && matches!(target.os(), Os::Linux(_)) {
                args.push("-Wl,--undefined-version".to_owned());
            }
        }
        let mut rules = if compiles { filter::rules(target) } else { Vec::new() };
        if compiles && third_party && role != Role::Linker {
            rules.extend_from_slice(filter::NO_RPATH);
        }
        Self {
            program: program.to_owned(),
            args,
            env: BTreeMap::new(),
            rules,
            driven_for: (compiles && role != Role::Linker).then_some(*target),
            shares_cxx: false,
            pie: links_others(target, role, third_party),
        }
    }

    fn of_tool(tool: &Tool) -> Self {
        Self {
            program: tool.program.clone(),
            args: tool.args.clone(),
            env: tool.env.clone(),
            rules: Vec::new(),
            driven_for: None,
            shares_cxx: false,
            pie: false,
        }
    }

    /// Returns the program's arguments for the caller's `args`.
    pub fn command_line<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Filtered {
        let filtered = filter::apply(&self.rules, args);
        // A response file may contain any of them.
        let says_how = |arg: &String| NO_PROGRAM.contains(&arg.as_str()) || arg.starts_with('@');
        let pie = self.pie && !filtered.args.iter().any(says_how);
        let own = self.args.iter().map(String::as_str).chain(pie.then_some("-pie"));
        let args = own.map(str::to_owned).chain(filtered.args).collect();
        Filtered { args, ..filtered }
    }

    /// Returns the wrapper as a POSIX shell script that ends with `exec` of the program.
    pub fn to_sh(&self) -> String {
        let quoted = filter::quoted;
        let mut text = String::from(
            "#!/bin/sh\n# Written by wheelsmith; its name follows from its content.\n",
        );
        for (name, value) in &self.env {
            let _ = writeln!(
                text,
                "if [ -z \"${name}\" ]; then {name}={}; export {name}; fi",
                quoted(value)
            );
        }
        if self.driven_for.is_some() {
            text.push_str(driver::response_files());
        }
        text.push_str(&filter::to_sh(&self.rules));
        if let (Some(target), Some((command, args))) = (self.driven_for, self.args.split_first()) {
            let zig = target.zig();
            text.push_str(&driver::to_sh(&driver::Driver {
                program: &self.program.to_string_lossy(),
                command,
                args,
                plain_target: plain(&zig),
                machine: &target.gnu(),
                shares_cxx: self.shares_cxx,
                pie: self.pie.then_some(&NO_PROGRAM[..]),
            }));
            return text;
        }
        if self.pie {
            let words = NO_PROGRAM.join("|");
            let _ = writeln!(text, "pie=-pie\nfor a do case $a in {words}|@*) pie= ;; esac; done");
        }
        let _ = write!(text, "exec {}", quoted(&self.program.to_string_lossy()));
        for arg in &self.args {
            let _ = write!(text, " {}", quoted(arg));
        }
        if self.pie {
            text.push_str(" $pie");
        }
        text.push_str(" \"$@\"\n");
        text
    }

    /// Returns the wrapper as a batch file, which cannot change arguments: it calls wheelsmith's
    /// hidden `toolchain-wrapper <role> <target> <third-party> <zig>`, which uses
    /// [`Wrapper::of_zig`].
    fn to_cmd(
        &self,
        wheelsmith: &Path,
        role: Role,
        target: &Target,
        third_party: bool,
        flags: &[String],
    ) -> String {
        let mut text = String::from("@echo off\r\n");
        for (name, value) in &self.env {
            let _ = write!(text, "if not defined {name} set \"{name}={value}\"\r\n");
        }
        let (wheelsmith, zig) = (wheelsmith.display(), self.program.display());
        let role = role.name();
        let _ = write!(text, "\"{wheelsmith}\" toolchain-wrapper {role} {target} {third_party}");
        let _ = write!(text, " \"{zig}\"");
        for flag in flags {
            let _ = write!(text, " \"{flag}\"");
        }
        text.push_str(" %*\r\n");
        text
    }
}

/// Returns zig's name of a target without its floor: `x86_64-linux-gnu` of `x86_64-linux-gnu.2.17`.
fn plain(zig: &str) -> &str {
    // On macOS the floor is in the middle, where zig accepts it.
    zig.find("-gnu").map_or(zig, |at| zig[at..].find('.').map_or(zig, |dot| &zig[..at + dot]))
}

/// True if a wrapper links position-independent programs for other projects.
fn links_others(target: &Target, role: Role, third_party: bool) -> bool {
    third_party && matches!(role, Role::Cc | Role::Cxx) && matches!(target.os(), Os::Linux(_))
}

/// Caller of wrappers.
#[derive(Clone, Copy)]
enum Caller<'a> {
    /// cargo and the `cc` crate.
    Cargo,
    /// Build systems of other projects.
    Others {
        /// Arguments of both compilers, before all others.
        flags: &'a [String],
        /// True if they may compile for the processor of the build machine.
        allow_native: bool,
    },
}

/// Paths of a toolchain's programs that can be called by path alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrappers {
    /// C compiler.
    pub cc: PathBuf,
    /// C++ compiler.
    pub cxx: PathBuf,
    /// Archiver.
    pub ar: PathBuf,
    /// Indexer of archives.
    pub ranlib: PathBuf,
    /// Linker of rustc.
    pub linker: PathBuf,
    /// Paths and texts of those that are scripts.
    pub(super) scripts: Vec<(PathBuf, String)>,
}

impl Wrappers {
    /// Returns the wrappers for cargo and the `cc` crate, below `dir`, which should belong to the
    /// build; a tool without arguments needs no wrapper. [`Wrappers::write`] writes them.
    ///
    /// `wheelsmith` is the running program, which batch files of Windows call.
    pub fn for_cargo(toolchain: &Toolchain, dir: &Path, wheelsmith: &Path) -> Self {
        Self::new(toolchain, dir, Caller::Cargo, wheelsmith)
    }

    /// Like [`Wrappers::for_cargo`], for the build systems of other projects, which may ignore
    /// variables: both compilers get `flags` before the caller's arguments.
    pub fn for_others(
        toolchain: &Toolchain,
        dir: &Path,
        flags: &[String],
        allow_native: bool,
        wheelsmith: &Path,
    ) -> Self {
        Self::new(toolchain, dir, Caller::Others { flags, allow_native }, wheelsmith)
    }

    /// Writes the scripts. The name of their directory follows from their content, and each file
    /// appears complete, so any number of processes may do this at once.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn write(&self) -> Result<(), Error> {
        for (path, text) in &self.scripts {
            fs::write_program(path, text.as_bytes()).map_err(Error::io("write", path))?;
        }
        Ok(())
    }

    fn new(toolchain: &Toolchain, dir: &Path, caller: Caller<'_>, wheelsmith: &Path) -> Self {
        let target = &toolchain.target;
        let (third_party, flags, allow_native) = match caller {
            Caller::Cargo => (false, &[][..], false),
            Caller::Others { flags, allow_native } => (true, flags, allow_native),
        };
        let texts = Role::ALL.map(|role| {
            let tool = match role {
                Role::Cc | Role::Linker => &toolchain.cc,
                Role::Cxx => &toolchain.cxx,
                Role::Ar => &toolchain.ar,
                Role::Ranlib => &toolchain.ranlib,
            };
            let flags = if matches!(role, Role::Cc | Role::Cxx) { flags } else { &[] };
            let mut flags = flags.to_vec();
            let shared = toolchain.shared_cxx.as_ref();
            let shared = shared.filter(|_| !matches!(role, Role::Ar | Role::Ranlib));
            if let Some(shared) = shared {
                flags.extend([shared.search_arg(), BY_NAME.to_owned()]);
                if cfg!(windows) && role == Role::Cxx {
                    // Before the private runtime that zig adds, of which nothing is linked then.
                    flags.push(format!("-l{LINK_NAME}"));
                }
            }
            if tool.is_bare() && flags.is_empty() {
                return (role, Err(tool.program.clone()));
            }
            // A zig that the environment names has arguments of its own.
            let mut wrapper = if toolchain.kind == super::ToolchainKind::Zig {
                let env = tool.env.clone();
                Wrapper { env, ..Wrapper::of_zig(&tool.program, target, role, third_party) }
            } else if toolchain.family == Family::Zig {
                Wrapper { rules: filter::rules(target), ..Wrapper::of_tool(tool) }
            } else {
                Wrapper::of_tool(tool)
            };
            wrapper.args.extend(flags.iter().cloned());
            wrapper.pie = links_others(target, role, third_party);
            if shared.is_some() {
                wrapper.rules = [filter::SHARED_CXX, &wrapper.rules].concat();
                wrapper.shares_cxx = role == Role::Cxx;
            }
            if toolchain.kind != super::ToolchainKind::Zig && wrapper.pie {
                wrapper.rules.extend_from_slice(filter::NO_RPATH);
            }
            let compiles = !matches!(role, Role::Ar | Role::Ranlib);
            if compiles && third_party && toolchain.family != Family::Zig && !allow_native {
                wrapper.rules.extend_from_slice(filter::NO_NATIVE);
            }
            if compiles && toolchain.family == Family::Zig && allow_native {
                wrapper.rules = [filter::ALLOW_NATIVE, &wrapper.rules].concat();
            }
            let text = if cfg!(windows) {
                wrapper.to_cmd(wheelsmith, role, target, third_party, &flags)
            } else {
                wrapper.to_sh()
            };
            (role, Ok(text))
        });
        let all: String = texts.iter().filter_map(|(_, text)| text.as_deref().ok()).collect();
        let dir = dir.join(format!("{target}-{}", Digest::of(all).short()));
        let mut scripts = Vec::new();
        let [cc, cxx, ar, ranlib, linker] = texts.map(|(role, text)| match text {
            Ok(text) => {
                let suffix = if cfg!(windows) { ".cmd" } else { "" };
                let path = dir.join(format!("{}{suffix}", role.name()));
                scripts.push((path.clone(), text));
                path
            }
            Err(program) => program,
        });
        Self { cc, cxx, ar, ranlib, linker, scripts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zig_gets_the_target_first_and_the_callers_words_last() {
        let target: Target = "aarch64-unknown-linux-gnu".parse().unwrap();
        let check = |role, third_party, args: &[&str], expected: &str| {
            let wrapper = Wrapper::of_zig(Path::new("/z/zig"), &target, role, third_party);
            assert_eq!(wrapper.command_line(args).args.join(" "), expected);
        };
        let start =
            "-target aarch64-linux-gnu.2.17 -O2 -g0 -fno-sanitize=all -UNDEBUG -Wno-date-time";
        let theirs = ["--target=x", "-O0", "a.c"];
        check(Role::Cc, false, &theirs, &format!("cc {start} -O0 a.c"));
        let map = "-Wl,--undefined-version";
        check(Role::Cxx, true, &theirs, &format!("c++ {start} {map} -pie -O0 a.c"));
        check(Role::Cc, true, &["-c", "a.c"], &format!("cc {start} {map} -c a.c"));
        check(Role::Cc, true, &["-shared", "a.o"], &format!("cc {start} {map} -shared a.o"));
        check(Role::Linker, true, &["a.o"], &format!("cc {start} a.o"));
        check(Role::Ar, true, &["rcs", "liba.a"], "ar rcs liba.a");
    }

    #[test]
    fn a_batch_file_leaves_the_work_to_wheelsmith() {
        let target: Target = "x86_64-pc-windows-gnu".parse().unwrap();
        let wrapper = Wrapper::of_zig(Path::new("C:\\zig.exe"), &target, Role::Cxx, false);
        assert_eq!(
            wrapper.to_cmd(Path::new("C:\\w.exe"), Role::Cxx, &target, false, &[]),
            "@echo off\r\n\"C:\\w.exe\" toolchain-wrapper c++ x86_64-pc-windows-gnu false \"C:\\zig.exe\" %*\r\n"
        );
        assert!(Role::ALL.into_iter().all(|role| Role::of_name(role.name()) == Some(role)));
    }
}
