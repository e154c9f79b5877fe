//! Go: one program or library of a module, built by the user's Go with the target's C compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::record::{ATTEMPTS, Record};
use super::{Built, BuiltFile, Error, Inputs, Linkage, Setting, position};
use crate::config::{BuildMode, Go, Role};
use crate::name::{Arch, Digest, Libc, Os, Target, WheelPath};
use crate::plan::{ComponentPlan, Step};
use crate::source::Resolved;
use crate::sys::{self, Command, Env, FileState, ProcessError};
use crate::toolchain::{Strip, filter};

/// Frameworks of macOS that Go's runtime and its package `crypto/x509` use.
pub(crate) const GO_FRAMEWORKS: [&str; 2] = ["CoreFoundation", "Security"];

/// Template of `go list` for the files of a package that are not Go's own.
const FILES: &str = "{{if not .Standard}}{{$d := .Dir}}\
    {{range .GoFiles}}{{$d}}/{{.}}\n{{end}}{{range .CgoFiles}}{{$d}}/{{.}}\n{{end}}\
    {{range .CFiles}}{{$d}}/{{.}}\n{{end}}{{range .CXXFiles}}{{$d}}/{{.}}\n{{end}}\
    {{range .MFiles}}{{$d}}/{{.}}\n{{end}}{{range .HFiles}}{{$d}}/{{.}}\n{{end}}\
    {{range .SFiles}}{{$d}}/{{.}}\n{{end}}{{range .SysoFiles}}{{$d}}/{{.}}\n{{end}}\
    {{range .EmbedFiles}}{{$d}}/{{.}}\n{{end}}{{end}}";

/// Template of `go list` for the module of a package: path and version, also of a replacement.
const MODULE: &str = "{{with .Module}}{{if not .Main}}{{with .Replace}}{{.Path}} {{.Version}}\
    {{else}}{{.Path}} {{.Version}}{{end}}{{end}}{{end}}";

/// Go module that is linked into a component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoModule {
    /// Path: `golang.org/x/sys`.
    pub path: String,
    /// Version; a directory that replaces a module has none.
    pub version: Option<String>,
    /// Digest of the module in `go.sum`.
    pub sum: Option<String>,
}

impl fmt::Display for GoModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.iter().map(|version| format!("@{version}"));
        write!(f, "{}{}", self.path, version.collect::<String>())
    }
}

/// Returns the modules that are linked into a component, without its own.
///
/// # Errors
/// Returns an error if go cannot list them.
pub fn go_modules(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    go: &Go,
    source: &Resolved,
) -> Result<BTreeSet<GoModule>, Error> {
    let linked = Linkage::default();
    let make = GoBuild::new(setting, plan, go, source, &linked)?;
    // A module whose `go.sum` is missing is vendored.
    let sums = sys::fs::read_to_string(make.dir.join("go.sum")).unwrap_or_default();
    let listed = make.list(MODULE)?;
    let module = |line: &str| {
        let (path, version) = line.split_once(' ')?;
        let version = Some(version.to_owned()).filter(|version| !version.is_empty());
        let start = format!("{path} {} ", version.as_deref().unwrap_or_default());
        let sum = sums.lines().find_map(|line| line.strip_prefix(&start));
        let sum = sum.map(|sum| sum.trim().to_owned());
        Some(GoModule { path: path.to_owned(), version, sum })
    };
    Ok(listed.lines().filter_map(module).collect())
}

/// Returns name and version of the compiler: `go 1.24.1`.
///
/// # Errors
/// Returns an error if go does not print its version.
pub fn go_compiler(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    go: &Go,
    source: &Resolved,
) -> Result<String, Error> {
    let linked = Linkage::default();
    let version = GoBuild::new(setting, plan, go, source, &linked)?.query(&["version"])?;
    let version = version.split_whitespace().nth(2).unwrap_or_default();
    Ok(format!("go {}", version.trim_start_matches("go")))
}

/// Builds a component with Go.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    go: &Go,
    source: &Resolved,
    linked: &Linkage,
) -> Result<Built, Error> {
    let component = &plan.component;
    let make = GoBuild::new(setting, plan, go, source, linked)?;
    let record = make.output.with_file_name("go.json");
    let mut how = make.how()?;
    let is_current = Record::current(&record, how, &make.output, setting.hashes).is_some();
    if !is_current {
        position::check(&component.name, &linked.archives)?;
        let label = format!("go build {} for {}", component.name, setting.target());
        let task = setting.host.task(label, 0);
        let dir = make.output.parent().unwrap_or(setting.work);
        sys::fs::create_dir_all(dir).map_err(|e| make.io(e))?;
        for _ in 0..ATTEMPTS {
            for path in [&record, &make.output].into_iter().filter(|path| path.exists()) {
                sys::fs::remove_file(path).map_err(|e| make.io(e))?;
            }
            let mark = dir.join("begun");
            sys::fs::write(&mark, b"").map_err(|e| make.io(e))?;
            let begun = FileState::of(&mark).map_err(|e| make.io(e))?;
            make.run()?;
            let read = make.files()?;
            let after = make.how()?;
            let is_whole =
                after == how && setting.hashes.unchanged(read.iter().map(PathBuf::as_path), &begun);
            how = after;
            if is_whole {
                if let Some(made) = Record::new(how, read, &make.output, setting.hashes) {
                    made.save(&record).map_err(|e| make.io(e))?;
                }
                break;
            }
        }
        setting.hashes.forget(&make.output);
        task.finish("built");
    }
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        files: make.built()?,
        outcome: if is_current { "up to date" } else { "built by go" }.to_owned(),
        linkage: make.linkage(setting.hashes.of(&make.output)),
        inputs: Inputs { dirs: vec![make.dir.clone()], records: vec![record], ..Inputs::default() },
    })
}

/// Decides the steps of a component of Go, and what it offers to others.
pub(super) fn steps(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    go: &Go,
    source: &Resolved,
    linked: &Linkage,
) -> Result<(Vec<Step>, Linkage), Error> {
    let make = GoBuild::new(setting, plan, go, source, linked)?;
    let command = (&make.command).into();
    let step = Step::Run { name: "build".to_owned(), command, appends_jobs: false };
    Ok((vec![step], make.linkage(None)))
}

struct GoBuild<'a> {
    setting: &'a Setting<'a>,
    plan: &'a ComponentPlan,
    go: &'a Go,
    linked: &'a Linkage,
    /// The module.
    dir: PathBuf,
    /// Source that contains the module.
    root: PathBuf,
    program: PathBuf,
    /// Variables that decide the result.
    variables: BTreeMap<String, String>,
    env: Env,
    command: Command,
    output: PathBuf,
}

impl<'a> GoBuild<'a> {
    fn new(
        setting: &'a Setting<'a>,
        plan: &'a ComponentPlan,
        go: &'a Go,
        source: &Resolved,
        linked: &'a Linkage,
    ) -> Result<Self, Error> {
        let (component, target) = (&plan.component, setting.target());
        let dir = go.dir.as_ref().map_or(source.root.clone(), |dir| source.root.join(dir.as_str()));
        if !dir.join("go.mod").is_file() {
            return Err(Error::NoScript {
                component: component.name.clone(),
                file: dir.join("go.mod"),
                hint: "name the directory of the module with `dir`".to_owned(),
            });
        }
        // The thread-local storage of Go's runtime has a fixed place, which musl gives only to
        // files that are there when a program starts.
        if go.build_mode == BuildMode::CShared && target.os() == Os::Linux(Libc::Musl) {
            return Err(Error::Unusable {
                component: component.name.clone(),
                target,
                what: "musl cannot load a shared library of Go while a program runs; build it \
                       with `build-mode = \"c-archive\"`, or a program"
                    .to_owned(),
            });
        }
        let program = setting.host.env.find_program("go").ok_or_else(|| Error::NoTool {
            component: component.name.clone(),
            tool: "go".to_owned(),
            hint: "install Go: your distribution's `golang-go`, or from https://go.dev/dl"
                .to_owned(),
        })?;
        let variables = variables(setting, go, source, linked, &dir);
        let env = setting.host.env.clone().with(variables.clone());
        let output = setting.component_dir(&component.name).join("out").join(file_name(
            &component.name,
            go.build_mode,
            target,
        ));
        let command = Command::new(&program, &dir, &env)
            .args(arguments(setting, go, linked, &output))
            .arg(go.package.as_str());
        let root = source.root.clone();
        Ok(Self { setting, plan, go, linked, dir, root, program, variables, env, command, output })
    }

    fn io(&self, source: std::io::Error) -> Error {
        let component = self.plan.component.name.clone();
        Error::Io { component, target: self.setting.target(), source }
    }

    fn failed(&self, log: &Path, source: ProcessError) -> Error {
        match source {
            ProcessError::Cancelled => Error::Cancelled,
            source => Error::Step {
                step: "build",
                component: self.plan.component.name.clone(),
                target: self.setting.target(),
                log: log.to_owned(),
                source,
            },
        }
    }

    fn run(&self) -> Result<(), Error> {
        let log = self.setting.component_dir(&self.plan.component.name).join("log/1-build.log");
        sys::fs::create_dir_all(log.parent().unwrap_or(&self.dir)).map_err(|e| self.io(e))?;
        let jobs = &self.setting.host.jobs;
        let token = jobs.acquire().map_err(|e| self.io(e))?;
        let more: Vec<_> = std::iter::from_fn(|| jobs.try_acquire()).take(jobs.count()).collect();
        let mut command = self.command.clone().log(&log);
        command.args.insert(1, format!("-p={}", 1 + more.len()));
        command.run(self.setting.host).map_err(|source| self.failed(&log, source))?;
        drop((token, more));
        let said = sys::fs::read(&log).map_err(|e| self.io(e))?;
        for left_out in filter::messages(&String::from_utf8_lossy(&said)) {
            let name = &self.plan.component.name;
            self.setting.host.warn(filter::left_out(name, &left_out));
        }
        Ok(())
    }

    /// Returns what go prints for each package that is linked.
    fn list(&self, template: &str) -> Result<String, Error> {
        let tags = format!("-tags={}", self.go.tags.join(","));
        self.query(&["list", "-deps", &tags, "-f", template, &self.go.package])
    }

    /// Returns what go prints for a query.
    fn query(&self, args: &[&str]) -> Result<String, Error> {
        let log = self.setting.component_dir(&self.plan.component.name).join("log/query.log");
        let command = Command::new(&self.program, &self.dir, &self.env).args(args.iter().copied());
        let said = command.failure_log(&log).run(self.setting.host);
        let said = said.map_err(|source| self.failed(&log, source))?;
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// Returns the files that were compiled or embedded, and those that choose versions. Modules in
    /// Go's own cache are pinned by `go.sum`.
    fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let listed = self.list(FILES)?;
        let is_cached =
            |path: &&Path| !path.starts_with(&self.root) && path.to_string_lossy().contains('@');
        let listed = listed.lines().filter(|line| !line.is_empty()).map(Path::new);
        let mut files: Vec<PathBuf> =
            listed.filter(|path| !is_cached(path)).map(Path::to_owned).collect();
        let modules = ["go.mod", "go.sum", "vendor/modules.txt"].map(|name| self.dir.join(name));
        files.extend(modules.into_iter().filter(|path| path.is_file()));
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Returns a digest of arguments, variables, programs and linked libraries, and of the names of
    /// the module's files, of which a new one may belong to a package.
    fn how(&self) -> Result<Digest, Error> {
        let version = self.query(&["version"])?;
        let names = sys::fs::walk(&self.dir).map_err(|e| self.io(e))?;
        let names: Vec<String> = names.into_iter().map(|file| file.relative).collect();
        let shared_cxx = self.setting.toolchain.shared_cxx.as_ref().map(|cxx| cxx.file.clone());
        let all = serde_json::json!({
            "args": self.command.args,
            "variables": self.variables,
            "flags": self.env.get("GOFLAGS"),
            "go": version,
            "toolchain": self.setting.toolchain.id.to_string(),
            "cxx": shared_cxx,
            "linked": self.linked.key.map(|key| key.to_string()),
            "names": names,
        });
        Ok(Digest::of(all.to_string()))
    }

    /// Returns the header that Go writes beside a library.
    fn header(&self) -> Option<PathBuf> {
        (self.go.build_mode != BuildMode::Exe).then(|| self.output.with_extension("h"))
    }

    fn built(&self) -> Result<Vec<BuiltFile>, Error> {
        let role = match self.go.build_mode {
            BuildMode::Exe => Role::Executable,
            BuildMode::CShared => Role::SharedLibrary,
            BuildMode::CArchive => Role::StaticLibrary,
        };
        let header = self.header().map(|path| (path, Role::Header));
        let files = std::iter::once((self.output.clone(), role)).chain(header);
        files
            .map(|(path, role)| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let to: Result<WheelPath, _> = format!("{}/{name}", role.directory()).parse();
                let to = to.map_err(|e| {
                    self.setting.config.problem(&self.plan.component.key, e.to_string(), None)
                })?;
                Ok(BuiltFile { path, to, role, aliases: Vec::new(), python: None })
            })
            .collect()
    }

    fn linkage(&self, digest: Option<Digest>) -> Linkage {
        let target = self.setting.target();
        let mut linkage = Linkage { key: digest, ..Linkage::default() };
        linkage.include.extend(self.header().and_then(|path| Some(path.parent()?.to_owned())));
        match self.go.build_mode {
            BuildMode::Exe => {}
            BuildMode::CShared => linkage.shared.push(self.output.clone()),
            BuildMode::CArchive => {
                linkage.archives.push(self.output.clone());
                linkage.archives.extend(self.linked.archives.iter().cloned());
                linkage.shared.clone_from(&self.linked.shared);
                linkage.system.clone_from(&self.linked.system);
                linkage.frameworks.clone_from(&self.linked.frameworks);
                match target.os() {
                    Os::Linux(_) => linkage.system.push("pthread".to_owned()),
                    Os::MacOs => linkage.frameworks.extend(GO_FRAMEWORKS.map(str::to_owned)),
                    Os::Windows => {}
                }
            }
        }
        linkage
    }
}

fn file_name(name: &str, mode: BuildMode, target: Target) -> String {
    let os = target.os();
    match mode {
        BuildMode::Exe => format!("{name}{}", os.program_suffix()),
        BuildMode::CShared if os == Os::Windows => format!("{name}{}", os.shared_library_suffix()),
        BuildMode::CShared => format!("lib{name}{}", os.shared_library_suffix()),
        BuildMode::CArchive => format!("lib{name}.a"),
    }
}

/// Returns the variables of go that decide the result.
fn variables(
    setting: &Setting<'_>,
    go: &Go,
    source: &Resolved,
    linked: &Linkage,
    dir: &Path,
) -> BTreeMap<String, String> {
    let (target, wrappers) = (setting.target(), setting.wrappers);
    let os = match target.os() {
        Os::Linux(_) => "linux",
        Os::MacOs => "darwin",
        Os::Windows => "windows",
    };
    // The oldest processors of each kind.
    let (arch, level) = match target.arch() {
        Arch::X86_64 => ("amd64", Some(("GOAMD64", "v1"))),
        Arch::I686 => ("386", Some(("GO386", "sse2"))),
        Arch::Aarch64 => ("arm64", Some(("GOARM64", "v8.0"))),
        Arch::Armv7l => ("arm", Some(("GOARM", "7"))),
        Arch::Ppc64le => ("ppc64le", Some(("GOPPC64", "power8"))),
        Arch::Ppc64 => ("ppc64", Some(("GOPPC64", "power8"))),
        Arch::Riscv64 => ("riscv64", Some(("GORISCV64", "rva20u64"))),
        Arch::S390x => ("s390x", None),
        Arch::Loongarch64 => ("loong64", None),
    };
    let mut flags = vec![setting.plan.optimize.flag().to_owned(), "-g0".to_owned()];
    flags.extend(
        [(setting.project, "."), (dir, ".")]
            .map(|(from, to)| quoted(&format!("-ffile-prefix-map={}={to}", from.display()))),
    );
    flags.extend(linked.include.iter().map(|dir| quoted(&format!("-I{}", dir.display()))));
    let flags = flags.join(" ");
    let archives = linked.archives.iter().chain(&linked.shared);
    let mut link: Vec<String> = archives.map(|path| quoted(&path.to_string_lossy())).collect();
    link.extend(linked.system.iter().map(|name| format!("-l{name}")));
    link.extend(linked.frameworks.iter().map(|name| format!("-framework {name}")));
    let text = |path: &Path| quoted(&path.to_string_lossy());
    let mut variables = BTreeMap::from(
        [
            ("GOOS", os.to_owned()),
            ("GOARCH", arch.to_owned()),
            ("CGO_ENABLED", if go.cgo { "1" } else { "0" }.to_owned()),
            ("CC", text(&wrappers.cc)),
            ("CXX", text(&wrappers.cxx)),
            ("AR", text(&wrappers.ar)),
            ("CGO_CFLAGS", flags.clone()),
            ("CGO_CXXFLAGS", flags),
            ("CGO_CPPFLAGS", String::new()),
            ("CGO_LDFLAGS", link.join(" ")),
            // C libraries of this machine are not those of the target.
            ("PKG_CONFIG", "false".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    variables.extend(level.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if source.origin.is_some() {
        // A workspace of the project does not list a module that was downloaded.
        variables.insert("GOWORK".to_owned(), "off".to_owned());
    }
    // Objects of another compiler have other keys there only as far as Go sees the difference.
    if let Some(cache) = setting.host.env.cache_dir() {
        let key = Digest::of(format!("{}\n{target}", setting.toolchain.id));
        let dir = cache.join("go-build").join(key.short());
        variables.insert("GOCACHE".to_owned(), dir.to_string_lossy().into_owned());
    }
    variables.extend(go.env.clone());
    variables
}

/// Returns the arguments of go, without the package.
fn arguments(setting: &Setting<'_>, go: &Go, linked: &Linkage, output: &Path) -> Vec<String> {
    let target = setting.target();
    let is_linux = matches!(target.os(), Os::Linux(_));
    let is_static = target.os() == Os::Linux(Libc::Musl);
    let mode = match go.build_mode {
        // As programs from C: at an address that changes.
        BuildMode::Exe if go.cgo && is_linux && !is_static => "pie".to_owned(),
        mode => mode.to_string(),
    };
    let mut link: Vec<String> = match setting.plan.strip {
        Strip::All => vec!["-s".to_owned(), "-w".to_owned()],
        Strip::Debug => vec!["-w".to_owned()],
        Strip::None => Vec::new(),
    };
    // It depends on the paths of compilers.
    link.push("-buildid=".to_owned());
    link.extend(go.ldflags.iter().cloned());
    let mut external = Vec::new();
    if go.build_mode == BuildMode::Exe && is_static && go.cgo {
        external.push("-static".to_owned());
    }
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    if go.build_mode == BuildMode::CShared {
        match target.os() {
            Os::Linux(_) => external.extend([format!("-Wl,-soname,{name}"), "-Wl,-z,defs".into()]),
            Os::MacOs => external.push(format!("-Wl,-install_name,@rpath/{name}")),
            Os::Windows => {}
        }
    }
    if go.build_mode != BuildMode::CArchive {
        if is_linux && go.cgo {
            external.push("-Wl,-z,relro,-z,now,--build-id=sha1".to_owned());
        }
        if !linked.shared.is_empty() || setting.toolchain.shared_cxx.is_some() {
            external.extend(setting.sibling_rpath(go.build_mode == BuildMode::Exe));
        }
    }
    if !external.is_empty() {
        link.push(format!("-extldflags={}", external.join(" ")));
    }
    let link: Vec<String> = link.iter().map(|word| quoted(word)).collect();
    let mut args: Vec<String> =
        ["build", "-trimpath", "-buildvcs=false"].map(str::to_owned).to_vec();
    args.push(format!("-buildmode={mode}"));
    if !go.tags.is_empty() {
        args.push(format!("-tags={}", go.tags.join(",")));
    }
    args.push(format!("-ldflags={}", link.join(" ")));
    args.extend(["-o".to_owned(), output.to_string_lossy().into_owned()]);
    args
}

/// Returns a word as go reads it from a list of words.
fn quoted(word: &str) -> String {
    match word {
        word if !word.contains(char::is_whitespace) => word.to_owned(),
        word if word.contains('\'') => format!("\"{word}\""),
        word => format!("'{word}'"),
    }
}
