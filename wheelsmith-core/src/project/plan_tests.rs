//! Property of plans: a build runs exactly the commands of its plan.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::Project;
use crate::plan::{BuildOptions, CommandLine, Step};
use crate::sys::{self, Command, Env, Event, Host, Report};

/// Records the commands that are started.
#[derive(Default)]
struct Recorder(Mutex<Vec<CommandLine>>);

impl Report for Recorder {
    fn event(&self, _: Event) {}

    fn started(&self, command: &Command) {
        self.0.lock().unwrap().push(command.into());
    }
}

/// C component: its kind, whether it links to the one before it, and a macro.
type Shape = (&'static str, bool, Option<u8>);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let kind = prop::sample::select(vec!["c-shared", "c-static", "c-library", "c-executable"]);
    prop::collection::vec((kind, any::<bool>(), prop::option::of(any::<u8>())), 1..4)
}

fn configuration(shapes: &[Shape]) -> String {
    let component = |(i, (kind, links, level)): (usize, &Shape)| {
        // Programs cannot be linked to.
        let is_linked = i > 0 && *links && shapes[i - 1].0 != "c-executable";
        let link = if is_linked { format!("link = ['c{}']\n", i - 1) } else { String::new() };
        let define = level.map(|level| format!("define = {{ LEVEL = {level} }}\n"));
        format!(
            "[[component]]\nname = 'c{i}'\nkind = '{kind}'\n{link}\
             [[component.sources]]\nfiles = ['{i}/*.c']\n{}",
            define.unwrap_or_default()
        )
    };
    let components: String = shapes.iter().enumerate().map(component).collect();
    format!("toolchain = 'native'\n{components}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_runs_is_what_the_plan_says(shapes in shapes()) {
        let mut env = Env::from_process();
        if env.find_program("cc").is_none() {
            return Ok(());
        }
        let dir = sys::fs::temp_dir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        env.set("WHEELSMITH_CACHE_DIR", dir.path().join("cache").to_string_lossy());
        for (i, (kind, ..)) in shapes.iter().enumerate() {
            let name = if *kind == "c-executable" { "main".to_owned() } else { format!("f{i}") };
            let text = format!("int {name}(void) {{ return 0; }}\n");
            sys::fs::write_atomic(&root.join(format!("{i}/a.c")), text.as_bytes()).unwrap();
            let more = format!("int more_{i}(void) {{ return 1; }}\n");
            sys::fs::write_atomic(&root.join(format!("{i}/b.c")), more.as_bytes()).unwrap();
        }
        sys::fs::write_atomic(&root.join("wheelsmith.toml"), configuration(&shapes).as_bytes()).unwrap();
        let recorder = Arc::new(Recorder::default());
        let host = Host { report: Arc::clone(&recorder) as Arc<dyn Report>, ..Host::quiet(env) };
        let project = Project::open_on(&root, &host).unwrap();
        let options = BuildOptions::new();
        let plan = project.dry_run(&options).unwrap();
        prop_assert!(!root.join("target").exists(), "a dry run writes nothing");
        recorder.0.lock().unwrap().clear();
        let output = project.build(&options).unwrap();
        for (_, result) in &output.targets {
            prop_assert!(result.is_ok(), "{result:?}");
        }
        let steps = || plan.targets.iter().flat_map(|t| &t.components).flat_map(|c| &c.steps);
        let mut planned: Vec<CommandLine> = steps().filter_map(Step::command).cloned().collect();
        let later = steps().filter(|step| step.command().is_none()).count();
        // Probes of the compiler run elsewhere.
        let mut ran = recorder.0.lock().unwrap().clone();
        ran.retain(|command| command.directory == root);
        prop_assert_eq!(ran.len(), planned.len() + later);
        if later == 0 {
            planned.sort();
            ran.sort();
            prop_assert_eq!(ran, planned);
        } else {
            for command in planned {
                prop_assert!(ran.contains(&command), "{command:?} did not run");
            }
        }
    }
}

/// Names and contents of files.
type Files = &'static [(&'static str, &'static str)];

/// Files of a component for each build system, with its table.
const SYSTEMS: [(&str, &str, Files); 6] = [
    (
        "make",
        "install = ['install']\noutputs = [{ from = 'lib/libm.a', role = 'static-library' }]\n",
        &[("Makefile", MAKEFILE), ("a.c", "int a;\n")],
    ),
    (
        "autotools",
        "needs = ['make']\nconfigure = ['--with-{target}']\n\
         outputs = [{ from = 'lib/libm.a', role = 'static-library', to = 'lib/liba.a' }]\n",
        &[
            ("configure", "#!/bin/sh\ncp Makefile.in Makefile\n"),
            ("Makefile.in", MAKEFILE),
            ("a.c", "int a;\n"),
        ],
    ),
    (
        "cmake",
        "needs = ['make']\noutputs = [{ from = 'lib/libk.a', role = 'static-library' }]\n",
        &[
            (
                "CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.16)\nproject(k C)\nadd_library(k STATIC a.c)\n\
                 install(TARGETS k)\n",
            ),
            ("a.c", "int a;\n"),
        ],
    ),
    (
        "meson",
        "outputs = [{ from = 'lib/libn.a', role = 'static-library' }]\n",
        &[
            ("meson.build", "project('n', 'c')\nstatic_library('n', 'a.c', install: true)\n"),
            ("a.c", "int a;\n"),
        ],
    ),
    (
        "command",
        "run = [['./b.sh', '{stage}{prefix}/share'], ['touch', '{stage}{prefix}/share/{gnu}']]\n\
         outputs = [{ from = 'share/*', role = 'data' }]\n",
        &[("b.sh", "#!/bin/sh\nmkdir -p \"$1\"\n")],
    ),
    (
        "cargo",
        "artifacts = [{ bin = 'r' }]\n",
        &[
            ("Cargo.toml", "[package]\nname = 'r'\nversion = '0.1.0'\nedition = '2021'\n"),
            ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"r\"\nversion = \"0.1.0\"\n"),
            ("src/main.rs", "fn main() {}\n"),
        ],
    ),
];

const MAKEFILE: &str = "PREFIX = /usr\nall: libm.a\nlibm.a: a.c\n\t$(CC) $(CFLAGS) -c a.c -o a.o\n\t\
                        $(AR) rcs libm.a a.o\ninstall: all\n\tmkdir -p $(DESTDIR)$(PREFIX)/lib\n\t\
                        cp libm.a $(DESTDIR)$(PREFIX)/lib/\n";

#[test]
fn build_systems_run_what_the_plan_says() {
    let dir = sys::fs::temp_dir().unwrap();
    let root = dir.path().canonicalize().unwrap().join("project");
    let mut env = Env::from_process();
    env.set("WHEELSMITH_CACHE_DIR", dir.path().join("cache").to_string_lossy());
    if let Some(bench) = env.path("WHEELSMITH_TEST_ENV") {
        let path = env.get("PATH").unwrap_or_default();
        env.set("PATH", format!("{path}:{}", bench.join("judges/bin").display()));
    }
    let is_there = |system: &str| match system {
        "autotools" | "command" => true,
        system => env.find_program(system).is_some(),
    };
    if !["cc", "make", "cargo"].into_iter().all(is_there) {
        return;
    }
    let mut text = "toolchain = 'native'\n".to_owned();
    for (system, table, files) in SYSTEMS.iter().filter(|(system, ..)| is_there(system)) {
        let _ = write!(
            text,
            "[[component]]\nname = '{system}'\nkind = '{system}'\nsource = {{ path = '{system}' }}\n\
             {table}"
        );
        for (name, text) in *files {
            let path = root.join(system).join(name);
            sys::fs::write_program(&path, text.as_bytes()).unwrap();
        }
    }
    sys::fs::write_atomic(&root.join("wheelsmith.toml"), text.as_bytes()).unwrap();
    let recorder = Arc::new(Recorder::default());
    let host = Host { report: Arc::clone(&recorder) as Arc<dyn Report>, ..Host::quiet(env) };
    let project = Project::open_on(&root, &host).unwrap();
    let options = BuildOptions { runtime_only: true, ..BuildOptions::new() };
    let plan = project.dry_run(&options).unwrap();
    assert!(!root.join("target").exists(), "a dry run writes nothing");
    recorder.0.lock().unwrap().clear();
    let output = project.build(&options).unwrap();
    for (_, result) in &output.targets {
        assert!(result.is_ok(), "{result:?}");
    }
    let steps = plan.targets.iter().flat_map(|t| &t.components).flat_map(|c| &c.steps);
    let is_step = |command: &CommandLine| {
        command.directory.iter().any(|part| part == "components")
            || command.args.first().is_some_and(|arg| arg == "build")
    };
    let mut ran = recorder.0.lock().unwrap().clone();
    ran.retain(is_step);
    let mut count = 0;
    for (step, mut ran) in steps.zip(ran.clone()) {
        if let Step::Run { appends_jobs: true, .. } = step {
            let jobs = ran.args.pop().unwrap();
            assert!(jobs.starts_with("-j"), "{jobs}");
        }
        assert_eq!(Some(&ran), step.command());
        count += 1;
    }
    assert_eq!(count, ran.len());
    let all = plan.targets.iter().flat_map(|t| &t.components).flat_map(|c| &c.steps).count();
    assert_eq!(count, all, "no step is left for later");
}
