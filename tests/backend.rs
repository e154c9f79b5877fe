//! wheelsmith as a build back end: pip, `python -m build` and uv build, isolated from everything
//! except the wheel of the back end, which is made here from the tested program.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use support::{Run, Sandbox, TestEnv, content, repository};

/// The judges and a directory with the wheel of the back end.
struct Frontends {
    env: TestEnv,
    links: &'static Path,
}

impl Frontends {
    fn find(test: &str) -> Option<Self> {
        let env = TestEnv::find(test)?;
        env.get("judges", test)?;
        Some(Self { env, links: links() })
    }

    /// Returns a command for a judge in `dir` that can install only the wheel of the back end.
    fn command(&self, program: &str, dir: &Path) -> Command {
        let mut command = Command::new(self.env.judge(program));
        command.current_dir(dir).env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", self.links);
        command.env("UV_NO_INDEX", "1").env("UV_FIND_LINKS", self.links).env("UV_OFFLINE", "1");
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env_remove("WHEELSMITH");
        command
    }

    fn pip(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = self.command("python", dir);
        command.args(["-m", "pip"]).args(args);
        command
    }

    /// Makes an empty virtual environment and returns its Python.
    fn venv(&self, dir: &Path) -> PathBuf {
        content(
            Command::new(self.env.judge("python")).args(["-m", "venv", "--without-pip"]).arg(dir),
        );
        dir.join("bin/python")
    }
}

/// Returns the directory with the wheel of the back end: that of `scripts/dogfood.sh --debug`, if
/// `WHEELSMITH_DOGFOOD` names it; otherwise one made from the tested program and the package of the
/// repository.
fn links() -> &'static Path {
    static LINKS: OnceLock<(Option<Sandbox>, PathBuf)> = OnceLock::new();
    let (_, dist) = LINKS.get_or_init(|| {
        if let Some(dist) = std::env::var_os("WHEELSMITH_DOGFOOD").map(PathBuf::from) {
            assert!(one(&dist, ".whl").is_file());
            return (None, dist);
        }
        let config = format!(
            "[project]\nname = 'wheelsmith-build'\nversion = '{}'\n[tool.wheelsmith]\n\
             [[tool.wheelsmith.component]]\nname = 'program'\nkind = 'files'\n\
             outputs = [{{ from = 'wheelsmith', role = 'executable' }}]\n\
             [[tool.wheelsmith.wheel]]\ninto = 'wheelsmith_build'\npython-source = 'python'\n\
             console = {{ wheelsmith = 'wheelsmith' }}\n",
            env!("CARGO_PKG_VERSION")
        );
        let sandbox = Sandbox::with(&[("pyproject.toml", &config)]);
        support::copy(&repository().join("python"), &{
            let dir = sandbox.path().join("python");
            fs::create_dir_all(&dir).unwrap();
            dir
        });
        let program = sandbox.path().join("wheelsmith");
        fs::copy(support::program(), &program).unwrap();
        // Four fifths of it are for debuggers, and every environment would get them.
        content(Command::new("strip").arg(&program));
        // Built by this machine's own compiler, it runs on this machine; what it earns elsewhere is
        // another test's question.
        let args = ["build", "--target", "host", "--floor", "2.43", "--compression", "store"];
        sandbox.expect(0, &args);
        let dist = sandbox.path().join("dist");
        (Some(sandbox), dist)
    });
    dist
}

/// A package with a C library.
fn demo() -> Sandbox {
    Sandbox::with(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = ['wheelsmith-build']\nbuild-backend = 'wheelsmith_build'\n\
             [project]\nname = 'demo'\ndynamic = ['version']\nlicense-files = ['LICENSE']\n\
             license = 'MIT'\nrequires-python = '>=3.8'\nscripts = { demo-answer = 'demo:main' }\n\
             [tool.wheelsmith]\nversion = { from = 'python', path = 'src/demo/__init__.py' }\n\
             [[tool.wheelsmith.component]]\nname = 'answer'\nkind = 'c-shared'\n\
             license-files = ['native/COPYING']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['native/*.c']\n",
        ),
        ("LICENSE", "free\n"),
        ("native/COPYING", "free as well\n"),
        ("native/answer.c", ANSWER),
        ("src/demo/__init__.py", PACKAGE),
    ])
}

const ANSWER: &str = "int answer(void) { return 42; }\n";
const PACKAGE: &str = "\
import ctypes, pathlib
__version__ = '1.5'
_LIB = pathlib.Path(__file__).parent / '_runtime' / 'lib' / 'libanswer.so'
def answer():
    return ctypes.CDLL(str(_LIB)).answer()
def main():
    print(answer())
";

/// Returns the only file in `dir` whose name has this end.
fn one(dir: &Path, suffix: &str) -> PathBuf {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> =
        files.filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn assert_same(one: &Path, other: &Path) {
    assert_eq!(one.file_name(), other.file_name());
    let same = fs::read(one).unwrap() == fs::read(other).unwrap();
    assert!(same, "`{}` and `{}` differ", one.display(), other.display());
}

/// Every front end makes the same wheel, from the tree and from the source distribution.
fn builds_everywhere(example: &str, from_sdist: bool, holds: &[&str]) {
    let Some(frontends) = Frontends::find(example) else { return };
    let (sandbox, out) = (Sandbox::example(example), Sandbox::new());
    let place = |name: &str| out.path().join(name);
    let dir = sandbox.path();
    let mut pip = frontends.pip(dir, &["wheel", ".", "--no-deps", "--wheel-dir"]);
    content(pip.arg(place("pip")));
    // Without an option it builds the wheel from the source distribution.
    let mut build = frontends.command("python", dir);
    build.args(["-m", "build", "--outdir"]).arg(place("build"));
    content(build.args((!from_sdist).then_some("--wheel")));
    let mut uv = frontends.command("uv", dir);
    uv.args(["build", "--wheel", "--sdist", "--out-dir"]).arg(place("uv"));
    content(uv.arg("--python").arg(frontends.env.judge("python")));
    let wheel = one(&place("pip"), ".whl");
    assert_same(&wheel, &one(&place("build"), ".whl"));
    assert_same(&wheel, &one(&place("uv"), ".whl"));
    let sdist = one(&place("uv"), ".tar.gz");
    if from_sdist {
        assert_same(&sdist, &one(&place("build"), ".tar.gz"));
    }
    let mut twine = frontends.command("twine", dir);
    content(twine.args(["check", "--strict"]).arg(&wheel).arg(&sdist));
    let mut parts = frontends.command("python", dir);
    content(parts.arg(repository().join("tests/judges/check_sbom.py")).arg(&wheel).args(holds));
}

#[test]
fn hostinfo_builds_through_every_front_end() {
    // `platform` is linked into a program, `libc` by cargo.
    let holds = ["component:platform", "component:hostinfo", "crate:hostinfo@0.1.0"];
    builds_everywhere("hostinfo", true, &holds);
}

#[test]
fn tinybpf_builds_through_every_front_end() {
    builds_everywhere(
        "tinybpf",
        false,
        &["component:libbpf", "pkg:cargo/libbpf-sys@1.7.0%2Bv1.7.0"],
    );
}

#[test]
fn an_installation_and_its_uninstallation() {
    let Some(frontends) = Frontends::find("install") else { return };
    let sandbox = demo();
    let python = frontends.venv(&sandbox.path().join("venv"));
    let python = python.to_str().unwrap();
    content(&mut frontends.pip(sandbox.path(), &["--python", python, "install", "--no-deps", "."]));
    content(&mut Command::new(sandbox.path().join("venv/bin/demo-answer"))).answers(&["42"]);
    // Outside of its environment, without isolation: the backend is installed by hand.
    let install = ["--python", python, "install", "--no-deps", "wheelsmith-build"];
    content(&mut frontends.pip(sandbox.path(), &install));
    content(Command::new(python).args(["-m", "wheelsmith_build", "--version"]))
        .answers(&["wheelsmith"]);
    let mut uv = frontends.command("uv", sandbox.path());
    uv.args(["pip", "install", "--no-deps", "--no-build-isolation", "--reinstall", "--python"]);
    content(uv.args([python, "."]));
    content(&mut Command::new(sandbox.path().join("venv/bin/demo-answer"))).answers(&["42"]);
}

#[test]
fn init_says_how_pip_builds_its_project() {
    let Some(frontends) = Frontends::find("init") else { return };
    let sandbox = Sandbox::new();
    let said = sandbox.expect(0, &["init", "hello"]).stdout;
    let dir = sandbox.path().join("hello");
    // The command as it is told, with the directory of the wheel and nothing but it.
    let (_, told) = said.split_once("pip install ").expect("how to install it");
    let told = told.trim().replace("LINKS", frontends.links.to_str().unwrap());
    let python = frontends.venv(&dir.join("venv"));
    let mut pip = Command::new(frontends.env.judge("python"));
    pip.current_dir(sandbox.path()).env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    pip.args(["-m", "pip", "--python"]).arg(&python).arg("install").args(told.split(' '));
    content(&mut pip);
    let code = "import hello; print(hello.answer())";
    content(Command::new(&python).args(["-c", code])).answers(&["42"]);
}

#[test]
fn an_editable_installation_reflects_edits() {
    let Some(frontends) = Frontends::find("editable") else { return };
    let sandbox = demo();
    let dir = sandbox.path();
    let python = frontends.venv(&dir.join("venv"));
    let python = python.to_str().unwrap();
    let run = || content(Command::new(dir.join("venv/bin/demo-answer")).current_dir("/"));
    content(&mut frontends.pip(dir, &["--python", python, "install", "--no-deps", "-e", "."]));
    run().answers(&["42"]);
    // Python: at once. C: after a build.
    sandbox.write("src/demo/__init__.py", &PACKAGE.replace("print(", "print('edited', "));
    run().answers(&["edited 42"]);
    sandbox.write("native/answer.c", &ANSWER.replace("42", "43"));
    sandbox.expect(0, &["build", "--target", "host"]);
    run().answers(&["edited 43"]);
    // The wheel that was built then has the files themselves, and nothing of the links.
    let mut names = Command::new(frontends.env.judge("python"));
    names.args(["-m", "zipfile", "-l"]).arg(one(&dir.join("dist"), ".whl"));
    let names = content(&mut names).stdout;
    assert!(names.contains("demo/_runtime/lib/libanswer.so"), "{names}");
    assert!(!names.contains(".pth") && !names.contains(".gitignore"), "{names}");
    content(&mut frontends.pip(dir, &["--python", python, "uninstall", "--yes", "demo"]));
}

/// Runs hooks in a separate process, as a front end does.
fn hook(frontends: &Frontends, dir: &Path, code: &str) -> Run {
    let mut command = frontends.command("python", dir);
    let path = dir.join("site");
    if !path.exists() {
        let install = ["install", "--no-deps", "--target", "site", "wheelsmith-build"];
        content(&mut frontends.pip(dir, &install));
    }
    command.env("PYTHONPATH", path).arg("-c");
    Run::of(command.arg(format!("import wheelsmith_build as w\n{code}")))
}

#[test]
fn hooks_answer_before_anything_is_built() {
    let Some(frontends) = Frontends::find("hooks") else { return };
    let sandbox = demo();
    let dir = sandbox.path();
    let run = |code: &str| hook(&frontends, dir, code);
    run("import os; os.makedirs('m'); print(w.prepare_metadata_for_build_wheel('m'))")
        .expect(0)
        .answers(&["demo-1.5.dist-info"]);
    assert!(!dir.join("target/wheelsmith/x86_64-unknown-linux-gnu/runtime").exists());
    let name = run(
        "import os; os.makedirs('d'); print('made', w.build_wheel('d', None, 'm/demo-1.5.dist-info'))",
    );
    let name = name.expect(0).answers(&["made demo-1.5-py3-none-"]);
    drop(name);
    let unpack = "import zipfile, glob; zipfile.ZipFile(glob.glob('d/*.whl')[0]).extractall('u')";
    run(unpack).expect(0);
    let compare = "
import os
a, b = 'm/demo-1.5.dist-info', 'u/demo-1.5.dist-info'
read = lambda path: open(path, 'rb').read()
names = [os.path.relpath(os.path.join(d, f), a) for d, _, fs in os.walk(a) for f in fs]
assert {'METADATA', 'WHEEL', 'entry_points.txt', 'licenses/LICENSE'} < set(names), names
assert 'licenses/answer/native/COPYING' in names, names
# Only the bytes that are built tell which tags they earn.
names.remove('WHEEL')
for name in names:
    assert read(os.path.join(a, name)) == read(os.path.join(b, name)), name
";
    run(compare).expect(0);
    // zig is there, so that nothing must be installed; without it, also without the one of the
    // Python that runs the hook, it is asked for by its version.
    run("assert w.get_requires_for_build_wheel() == []").expect(0);
    run("assert w.get_requires_for_build_sdist() == []").expect(0);
    let without = "
import importlib.util, os
importlib.util.find_spec = lambda name: None
os.environ.update(PATH='/nowhere', WHEELSMITH_CACHE_DIR=os.path.abspath('cache'))
found = w.get_requires_for_build_wheel()
assert len(found) == 1 and found[0].startswith('ziglang=='), found
";
    run(without).expect(0);
}

#[test]
fn settings_reach_the_program() {
    let Some(frontends) = Frontends::find("settings") else { return };
    let sandbox = demo();
    let dir = sandbox.path();
    let run = |code: &str| hook(&frontends, dir, code);
    let build = |settings: &str| {
        run(&format!(
            "import tempfile; print('made', w.build_wheel(tempfile.mkdtemp(), {settings}))"
        ))
    };
    build("{'floor': '2.28'}").expect(0).answers(&["-linux-gnu.2.28 "]);
    let cross = "{'target': 'aarch64-unknown-linux-gnu', 'jobs': '1', 'verbose': ''}";
    build(cross).expect(0).answers(&["_aarch64.whl"]);
    build("{'florr': '2.28'}").expect(1).says(&["unknown setting `florr`", "floor"]);
    build("{'offline': 'perhaps'}").expect(1).says(&["must be `true` or `false`, not `perhaps`"]);
    build("{'features': 'x'}").expect(2).says(&["cannot enable the feature `x`"]);
    let two = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"].map(|t| format!("'{t}'"));
    build(&format!("{{'target': [{}]}}", two.join(","))).expect(1).says(&["needs one wheel"]);
    // The program's own words, and no traceback, when a build fails.
    sandbox.write("native/answer.c", "int answer(void) { return; }\n#error broken\n");
    let said = build("None").expect(2).says(&["broken"]).stderr;
    assert!(!said.contains("Traceback"), "{said}");
}

#[test]
fn every_python_can_load_the_backend() {
    let Some(frontends) = Frontends::find("pythons") else { return };
    let sandbox = demo();
    let dir = sandbox.path();
    hook(&frontends, dir, "").expect(0);
    let mut list = frontends.command("uv", dir);
    let list = ["python", "list", "--only-installed", "--no-config", "--output-format", "json"]
        .into_iter()
        .fold(&mut list, Command::arg);
    let list: serde_json::Value = serde_json::from_str(&content(list).stdout).unwrap();
    for python in list.as_array().unwrap() {
        let minor = python["version_parts"]["minor"].as_u64().unwrap();
        if python["version_parts"]["major"] != 3 || minor < 8 {
            continue;
        }
        let mut command = Command::new(python["path"].as_str().unwrap());
        command.current_dir(dir).env("PYTHONPATH", dir.join("site")).env_remove("WHEELSMITH");
        let out = dir.join(format!("for-{minor}"));
        fs::create_dir_all(&out).unwrap();
        let code = format!("import wheelsmith_build as w; print('made', w.build_sdist({out:?}))");
        content(command.args(["-W", "error", "-c", &code])).answers(&["made demo-1.5.tar.gz"]);
    }
}

#[test]
fn pure_python_needs_no_compiler() {
    let Some(frontends) = Frontends::find("pure") else { return };
    let sandbox = Sandbox::with(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = ['wheelsmith-build']\nbuild-backend = 'wheelsmith_build'\n\
             [project]\nname = 'Pure.Demo'\nversion = '1.0'\nreadme = 'README.md'\n\
             [tool.wheelsmith]\n[tool.wheelsmith.sdist]\nexclude = ['notes/**', 'nothing/**']\n",
        ),
        ("README.md", "# demo\n"),
        ("notes/x.md", ""),
        ("dist/old.whl", ""),
        (".gitignore", "*.log\n"),
        ("src/pure_demo/__init__.py", "x = 1\n"),
        ("src/pure_demo/debug.log", "secret\n"),
        ("src/pure_demo/data/table.csv", "1,2\n"),
    ]);
    let (dir, out) = (sandbox.path(), Sandbox::new());
    let mut command = frontends.command("python", dir);
    // No compiler can be found where there are no programs.
    command.args(["-m", "build", "--outdir"]).arg(out.path()).env("PATH", "/nowhere");
    content(&mut command);
    let wheel = one(out.path(), ".whl");
    assert_eq!(wheel.file_name().unwrap(), "pure_demo-1.0-py3-none-any.whl");
    let sdist = one(out.path(), ".tar.gz");
    assert_eq!(sdist.file_name().unwrap(), "pure_demo-1.0.tar.gz");
    let mut list = frontends.command("python", dir);
    let names = content(list.args(["-m", "tarfile", "-l"]).arg(&sdist)).stdout;
    let names: Vec<&str> = names.split_whitespace().collect();
    let expected = [
        ".gitignore",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
        "src/pure_demo/__init__.py",
        "src/pure_demo/data/table.csv",
    ];
    assert_eq!(names, expected.map(|name| format!("pure_demo-1.0/{name}")));
    let again = sandbox.expect(0, &["sdist", "--out", "again"]);
    sandbox.expect(0, &["sdist", "--out", "again"]);
    again.says(&["`nothing/**` of `sdist.exclude` names no file"]);
    assert_same(&sdist, &one(&dir.join("again"), ".tar.gz"));
    content(frontends.command("twine", dir).args(["check", "--strict"]).arg(&sdist).arg(&wheel));
    let from_tree = sandbox.expect(0, &["build", "--out", "tree"]);
    from_tree.answers(&["pure_demo-1.0-py3-none-any.whl"]);
    assert_same(&wheel, &one(&dir.join("tree"), ".whl"));
}

#[test]
fn what_lies_beside_the_packages_is_installed() {
    let Some(frontends) = Frontends::find("data") else { return };
    let sandbox = Sandbox::with(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = ['wheelsmith-build']\nbuild-backend = 'wheelsmith_build'\n\
             [project]\nname = 'demo'\nversion = '1.0'\n\
             [[tool.wheelsmith.component]]\nname = 'extra'\nkind = 'files'\n\
             outputs = [{ from = '{project}/lists/x.txt', role = 'data' }]\n\
             [[tool.wheelsmith.wheel]]\n\
             [tool.wheelsmith.wheel.data]\nscripts = ['tools/*']\nheaders = ['include/**/*.h']\n\
             data = [{ from = 'man/*.1', to = 'share/man/man1' }, 'files/etc/demo.conf']\n\
             [tool.wheelsmith.sdist]\ninclude = ['demo/**']\n",
        ),
        ("demo/__init__.py", ""),
        ("tools/demo-where", "#!python\nimport sys\nprint(sys.prefix)\n"),
        ("tools/demo-hello", "#!/bin/sh\necho hello\n"),
        ("include/demo/demo.h", "int demo(void);\n"),
        ("man/demo.1", ".TH demo 1\n"),
        ("files/etc/demo.conf", "a = 1\n"),
        ("lists/x.txt", "x\n"),
    ]);
    let (dir, out) = (sandbox.path(), Sandbox::new());
    // The wheel is made from the source distribution.
    let mut build = frontends.command("python", dir);
    content(build.args(["-m", "build", "--outdir"]).arg(out.path()));
    let wheel = one(out.path(), ".whl");
    sandbox.expect(0, &["build", "--target", "host", "--out", "tree"]);
    assert_same(&wheel, &one(&dir.join("tree"), ".whl"));
    content(&mut sandbox.command(&["check", wheel.to_str().unwrap()]));
    for installer in ["python", "uv"] {
        let venv = dir.join(format!("venv-{installer}"));
        let python = frontends.venv(&venv);
        let mut command = frontends.command(installer, dir);
        // pip has the interpreter before the command.
        match installer {
            "uv" => command.args(["pip", "install", "--python"]).arg(&python),
            _ => command.args(["-m", "pip", "--python"]).arg(&python).arg("install"),
        };
        content(command.arg("--no-deps").arg(&wheel));
        for file in ["share/man/man1/demo.1", "demo.conf"] {
            assert!(venv.join(file).is_file(), "{installer}: {file}");
        }
        let hello = content(&mut Command::new(venv.join("bin/demo-hello")));
        assert_eq!(hello.stdout, "hello\n");
        let place = content(&mut Command::new(venv.join("bin/demo-where"))).stdout;
        assert_eq!(Path::new(place.trim()), fs::canonicalize(&venv).unwrap(), "{installer}");
        let mut find = Command::new("find");
        let headers = content(find.arg(&venv).args(["-name", "demo.h"])).stdout;
        assert!(headers.contains("/include/"), "{installer}: {headers}");
    }
    // A name that is gone is an error with its line, not a smaller wheel.
    fs::remove_file(dir.join("files/etc/demo.conf")).unwrap();
    let gone = "`files/etc/demo.conf` names no file below";
    sandbox.expect(2, &["build", "--target", "host"]).says(&[gone, "pyproject.toml:15"]);
    sandbox.expect(2, &["sdist"]).says(&[gone]);
}

#[test]
fn a_source_distribution_knows_the_version_of_its_tag() {
    let sandbox = Sandbox::with(&[
        (
            "pyproject.toml",
            "[project]\nname = 'demo'\ndynamic = ['version']\n\
             [tool.wheelsmith]\nversion = { from = 'vcs' }\n",
        ),
        ("demo/__init__.py", ""),
        ("demo/new.py", ""),
        (".gitignore", "/dist/\n/target/\n"),
    ]);
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(sandbox.path()).args(["-c", "user.name=a", "-c", "user.email=a@b.org"]);
        content(command.args(args));
    };
    git(&["init", "-q"]);
    git(&["add", "pyproject.toml", "demo/__init__.py", ".gitignore"]);
    git(&["commit", "-qm", "1"]);
    let said = sandbox.expect(2, &["sdist"]).stderr;
    assert!(said.contains("no tag precedes this commit"), "{said}");
    git(&["tag", "v0.9"]);
    // A wheel would have the file, and one that is built from the source distribution would not.
    sandbox
        .expect(2, &["sdist"])
        .says(&["the wheel contains `demo/new.py`, which git does not track"]);
    fs::rename(sandbox.path().join("demo/new.py"), sandbox.path().join("new.py")).unwrap();
    let run = sandbox.expect(0, &["sdist"]).answers(&["demo-0.9.tar.gz"]);
    run.says(&["lacks `new.py`, which is neither tracked nor ignored"]);
    let mut tar = Command::new("tar");
    content(tar.current_dir(sandbox.path()).args(["-xf", "dist/demo-0.9.tar.gz", "-C", "dist"]));
    // In a repository that says otherwise: it is the archive that knows.
    git(&["tag", "-f", "v1.0"]);
    let unpacked = Sandbox::at(&sandbox.path().join("dist/demo-0.9"));
    unpacked.expect(0, &["build"]).answers(&["demo-0.9-py3-none-any.whl"]);
    unpacked.expect(0, &["sdist"]);
    assert_same(
        &sandbox.path().join("dist/demo-0.9.tar.gz"),
        &one(&unpacked.path().join("dist"), ".tar.gz"),
    );
}
