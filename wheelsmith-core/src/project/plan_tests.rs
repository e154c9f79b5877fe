//! Property of plans: a build runs exactly the commands of its plan.

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
