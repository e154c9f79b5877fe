//! Files of source distributions, and of the wheels that are built from them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::python_files;
use crate::project::Project;
use crate::sys::{self, Command, Env, Host};

const CONFIG: &str = "[build-system]\nrequires = ['x']\nbuild-backend = 'x'\n\
                      [project]\nname = 'demo'\nversion = '1.0'\n";

/// A project in a temporary directory.
struct Sandbox {
    _temp: tempfile::TempDir,
    dir: PathBuf,
    host: Host,
}

impl Sandbox {
    /// Writes the project; `None` on machines without git.
    fn new(config: &str, files: &[&str]) -> Option<Self> {
        let temp = sys::fs::temp_dir().unwrap();
        let top = sys::fs::canonicalize(temp.path()).unwrap();
        let mut env = Env::from_process().with([("HOME".into(), top.to_string_lossy().into())]);
        for name in ["AUTHOR", "COMMITTER"] {
            env.set(format!("GIT_{name}_NAME"), "A");
            env.set(format!("GIT_{name}_EMAIL"), "a@example.org");
        }
        env.set("GIT_ALLOW_PROTOCOL", "file");
        let sandbox = Self { dir: top.join("p"), _temp: temp, host: Host::quiet(env) };
        sandbox.write("pyproject.toml", &format!("{CONFIG}{config}"));
        for file in files {
            sandbox.write(file, "");
        }
        sandbox.host.env.find_program("git").map(|_| sandbox)
    }

    fn write(&self, path: &str, text: &str) {
        sys::fs::write_atomic(&self.dir.join(path), text.as_bytes()).unwrap();
    }

    fn git(&self, args: &[&str]) {
        let git = self.host.env.find_program("git").unwrap();
        let git = Command::new(git, &self.dir, &self.host.env);
        git.args(args.iter().copied()).run(&self.host).unwrap();
    }

    fn commit(&self) {
        self.git(&["init", "-q"]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "x"]);
    }

    /// Returns the Python files of the wheel.
    fn wheel(&self, dir: &Path) -> Result<Vec<String>, String> {
        let project = Project::open_on(dir, &self.host).map_err(text)?;
        let files = python_files::files(&project, &project.config.wheels[0], &self.host);
        Ok(files.map_err(text)?.into_iter().map(|file| file.path.to_string()).collect())
    }

    /// Writes the source distribution, and returns its files. Asserts that a wheel that is built
    /// from it has the same files as the wheel that is built here.
    fn sdist(&self) -> Result<Vec<String>, String> {
        let out = self.dir.with_file_name("out");
        let project = Project::open_on(&self.dir, &self.host).map_err(text)?;
        let file = project.sdist(&out).map_err(text)?;
        let bytes = sys::fs::read(&file.path).unwrap();
        tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..])).unpack(&out).unwrap();
        let unpacked = out.join("demo-1.0");
        assert_eq!(self.wheel(&unpacked), self.wheel(&self.dir));
        let files = sys::fs::walk(&unpacked).unwrap().into_iter().map(|file| file.relative);
        let always = ["PKG-INFO", "pyproject.toml"];
        Ok(files.filter(|file| !always.contains(&file.as_str())).collect())
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn text(error: crate::project::Error) -> String {
    let hint = error.hint().map(|hint| format!("\n{hint}")).unwrap_or_default();
    format!("{error}{hint}")
}

type Step<'a> = &'a dyn Fn(&Sandbox);

/// Checks the source distribution of a committed project after `change`: its files, or a part of
/// the error.
#[track_caller]
fn check(config: &str, files: &[&str], change: Step<'_>, expected: Result<&[&str], &str>) {
    let Some(sandbox) = Sandbox::new(config, files) else { return };
    sandbox.commit();
    change(&sandbox);
    match (sandbox.sdist(), expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
}

const WHEEL: &str = "[[tool.wheelsmith.wheel]]\n";

#[test]
fn secrets_and_ignored_files_stay_here() {
    let files = ["demo/__init__.py", ".gitignore"];
    check("", &files, &|p| p.write(".env", "TOKEN=1"), Ok(&[".gitignore", "demo/__init__.py"]));
    // A `PKG-INFO` in the repository does not make it an unpacked source distribution.
    let change = |p: &Sandbox| {
        p.write("PKG-INFO", "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n\n");
        p.write(".gitignore", "*.log\n.env\n");
        p.git(&["add", "-A"]);
        p.write(".env", "TOKEN=1");
        p.write("demo/a.log", "x");
    };
    check("", &files, &change, Ok(&[".gitignore", "demo/__init__.py"]));
    let change = |p: &Sandbox| {
        p.write(".git/info/exclude", "demo/secret.py\n");
        p.write("demo/secret.py", "");
        p.git(&["config", "core.excludesFile", "~/ignored"]);
        p.write("../ignored", "*.key\n");
        p.write("demo/a.key", "");
        p.write("demo/a.py~", "");
        p.write("demo/__pycache__/a.pyc", "");
    };
    check("", &files, &change, Ok(&[".gitignore", "demo/__init__.py"]));
    // Tracked files are included although an ignore file names them.
    let change = |p: &Sandbox| {
        p.write(".gitignore", "*.dat\n");
        p.write("demo/a.dat", "");
        p.git(&["add", "-f", "demo/a.dat"]);
    };
    check("", &files, &change, Ok(&[".gitignore", "demo/__init__.py", "demo/a.dat"]));
}

#[test]
fn a_repository_that_git_cannot_read_is_refused() {
    let files = ["demo/__init__.py"];
    check("", &files, &|p| p.write(".git/index", "broken"), Err("cannot read the git repository"));
    check("", &files, &|p| p.git(&["rm", "-rq", "--cached", "."]), Err("git does not track"));
    let named = "[tool.wheelsmith.sdist]\ninclude = ['demo/**']\n";
    check(named, &files, &|p| p.git(&["rm", "-rq", "--cached", "."]), Ok(&files));
    let Some(mut sandbox) = Sandbox::new("", &files) else { return };
    sandbox.commit();
    sandbox.write(".env", "TOKEN=1");
    sandbox.write(".gitignore", "demo/ignored.py\n");
    sandbox.write("demo/ignored.py", "");
    sandbox.host.env.set("PATH", "/nowhere");
    let error = sandbox.sdist().unwrap_err();
    assert!(error.contains("no `git` on PATH") && error.contains("install git"), "{error}");
    // A wheel does not contain files that the ignore files name.
    assert_eq!(sandbox.wheel(&sandbox.dir).unwrap(), ["demo/__init__.py"]);
    // An unpacked source distribution below such a repository needs no git.
    sandbox.write("x/PKG-INFO", "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n\n");
    sandbox.write("x/pyproject.toml", CONFIG);
    sandbox.write("x/demo/ignored.py", "");
    assert_eq!(sandbox.wheel(&sandbox.dir.join("x")).unwrap(), ["demo/ignored.py"]);
}

#[test]
fn the_version_and_the_list_of_files_see_the_same_repository() {
    let config = CONFIG.replace("version = '1.0'", "dynamic = ['version']");
    let config = format!("{config}[tool.wheelsmith]\nversion = {{ from = 'vcs' }}\n");
    let Some(sandbox) = Sandbox::new("", &["demo/__init__.py"]) else { return };
    sandbox.write("pyproject.toml", &config);
    sandbox.write("PKG-INFO", "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n\n");
    let version = || match Project::open_on(&sandbox.dir, &sandbox.host) {
        Ok(project) => Ok(project.config.project.unwrap().version.unwrap()),
        Err(error) => Err(text(error)),
    };
    assert_eq!(version().as_deref(), Ok("1.0"));
    sandbox.commit();
    assert!(version().unwrap_err().contains("no tag precedes this commit"));
    sandbox.git(&["tag", "v2.0"]);
    assert_eq!(version().as_deref(), Ok("2.0"));
    sandbox.write(".git/HEAD", "broken");
    assert!(version().unwrap_err().contains("cannot read the git repository"));
}

#[test]
fn what_the_configuration_names_travels() {
    let files = ["demo/__init__.py"];
    let include = |patterns: &str| format!("{WHEEL}include = [{patterns}]\n");
    let ignored = |p: &Sandbox| {
        p.write(".gitignore", "_gen.py\n");
        p.write("demo/_gen.py", "");
        p.write("demo/tpl/.gitignore", "");
        p.git(&["add", "."]);
    };
    let all = [".gitignore", "demo/__init__.py", "demo/_gen.py", "demo/tpl/.gitignore"];
    check(&include("'demo/**', 'demo/_gen.py'"), &files, &ignored, Ok(&all));
    check(&include("'demo/**', 'demo/_gen.py', 'demo/tpl/.gitignore'"), &files, &ignored, Ok(&all));
    check(&include("'demo/**', 'demo/_gen.py', 'demo/tpl/.*'"), &files, &ignored, Ok(&all));
    // An untracked file that only a wildcard names is in the wheel alone.
    check(
        "",
        &files,
        &|p| p.write("demo/new.py", ""),
        Err("contains `demo/new.py`, which git does not"),
    );
    let sdist = "[tool.wheelsmith.sdist]\ninclude = ['demo/**', 'demo/_gen.py']\n";
    check(sdist, &files, &ignored, Err("has `demo/_gen.py`, which git ignores"));
    let sdist = "[tool.wheelsmith.sdist]\nexclude = ['demo/**']\n";
    check(sdist, &files, &|_| (), Ok(&files));
    let source = "[[tool.wheelsmith.component]]\nname = 'c'\nkind = 'c-shared'\nsource = { path = '.' }\n\
                  [[tool.wheelsmith.component.sources]]\nfiles = ['c/gen.c']\n";
    let generated = |p: &Sandbox| {
        p.write(".git/info/exclude", "gen.c\n");
        p.write("c/gen.c", "");
    };
    check(source, &files, &generated, Ok(&["c/gen.c", "demo/__init__.py"]));
}

#[test]
fn packages_called_like_results_travel() {
    for name in ["target", "dist"] {
        let files = [format!("{name}/__init__.py"), format!("{name}/a/b.py")];
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let config = format!("{WHEEL}python-source = '.'\ninclude = ['{name}/**']\n");
        let change = |p: &Sandbox| p.write(&format!("{name}/wheelsmith/CACHEDIR.TAG"), "");
        let result = |p: &Sandbox| p.write("dist/demo-1.0-py3-none-any.whl", "");
        check(&config, &files, &|p| [change(p), result(p)].into_iter().collect(), Ok(&files));
        let Some(plain) = Sandbox::new(&config, &files) else { return };
        change(&plain);
        result(&plain);
        assert_eq!(plain.sdist().unwrap(), files);
    }
}

#[test]
#[cfg(unix)]
fn links_to_directories_are_followed_or_refused() {
    let files = ["demo/__init__.py", "shared/lib/a.py"];
    let link = |to: &'static str, at: &'static str| {
        move |p: &Sandbox| {
            sys::fs::symlink(to, &p.dir.join(at)).unwrap();
            p.git(&["add", "-A"]);
        }
    };
    let all = ["demo/__init__.py", "demo/lib/a.py", "shared/lib/a.py"];
    check("", &files, &link("../shared/lib", "demo/lib"), Ok(&all));
    check("", &files, &link("../demo", "demo/lib"), Err("a directory that contains it"));
    check("", &files, &link("/usr", "demo/lib"), Err("outside the project"));
    check("", &files, &link("/etc/passwd", "demo/data.txt"), Err("a file outside the project"));
    check("", &files, &link("../../out", "demo/out"), Err("a file that does not exist"));
    let inside = ["demo/__init__.py", "demo/a.py", "shared/lib/a.py"];
    check("", &files, &link("../shared/lib/a.py", "demo/a.py"), Ok(&inside));
    check("", &files, &link("nowhere", "demo/lib.py"), Err("a file that does not exist"));
    check("", &files, &link("/dev/null", "demo/null"), Err("neither a file nor a directory"));
    let exclude = format!("{WHEEL}exclude = ['demo/lib/**', 'demo/lib']\n");
    let exclude = format!("{exclude}[tool.wheelsmith.sdist]\nexclude = ['demo/lib']\n");
    check(&exclude, &files, &link("/usr", "demo/lib"), Ok(&files));
    // The package itself is a link.
    let files = ["impl/__init__.py"];
    let all = ["demo/__init__.py", "impl/__init__.py"];
    check("", &files, &link("impl", "demo"), Ok(&all));
}

#[test]
fn other_repositories_inside_are_seen() {
    let files = ["demo/__init__.py"];
    let nested = |p: &Sandbox| {
        p.write("demo/vendor/a.py", "");
        p.git(&["init", "-q", "demo/vendor"]);
    };
    check("", &files, &nested, Err("contains `demo/vendor/a.py`"));
    let submodule = |p: &Sandbox| {
        p.write("../lib/a.py", "");
        for args in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "x"]] {
            p.git(&[&["-C", "../lib"], args].concat());
        }
        p.git(&["submodule", "--quiet", "add", "../lib", "demo/lib"]);
    };
    let all = [".gitmodules", "demo/__init__.py", "demo/lib/a.py"];
    // The `.git` file of the submodule is not included.
    check("", &files, &submodule, Ok(&all));
    let absent = |p: &Sandbox| {
        submodule(p);
        p.git(&["submodule", "--quiet", "deinit", "-f", "--all"]);
    };
    check("", &files, &absent, Err("git submodule update --init"));
    let sparse = |p: &Sandbox| {
        p.git(&["update-index", "--skip-worktree", "demo/__init__.py"]);
        sys::fs::remove_file(p.dir.join("demo/__init__.py")).unwrap();
    };
    check("", &["demo/__init__.py", "demo/a.py"], &sparse, Err("sparse checkout"));
    let worktree = |p: &Sandbox| {
        p.git(&["worktree", "add", "-q", "../tree"]);
        p.write("../tree/.env", "TOKEN=1");
    };
    let Some(mut sandbox) = Sandbox::new("", &files) else { return };
    sandbox.commit();
    worktree(&sandbox);
    sandbox.dir = sandbox.dir.with_file_name("tree");
    assert_eq!(sandbox.sdist().unwrap(), files);
}

#[test]
fn without_a_repository_junk_stays_here() {
    let junk = [".env", "demo/a.py~", ".idea/x.xml", "demo.egg-info/PKG-INFO", "venv/pyvenv.cfg"];
    let Some(sandbox) = Sandbox::new("", &junk) else { return };
    sandbox.write("demo/__init__.py", "");
    sandbox.write(".gitignore", "*.log\n");
    sandbox.write("demo/a.log", "");
    let files = sandbox.sdist().unwrap().into_iter().collect::<BTreeSet<_>>();
    assert_eq!(
        files.iter().map(String::as_str).collect::<Vec<_>>(),
        [".gitignore", "demo/__init__.py"]
    );
}
