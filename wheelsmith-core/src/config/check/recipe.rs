//! Validation of components that have a build system of their own.

use std::collections::BTreeMap;

use super::Check;
use super::component::OUTPUTS_HELP;
use crate::config::component_tables::{
    CommandTable, ConfiguredTable, MakeTable, OutputTable, RoleName,
};
use crate::config::diagnose::did_you_mean;
use crate::config::recipe::unknown_placeholder;
use crate::config::run_entry::RunEntry;
use crate::config::{Kind, Output, PLACEHOLDERS, Recipe, Role, Run, SourcePath, System};

/// Prefix of outputs that are taken from the directory of the build.
const BUILD: &str = "{build}/";

impl Check<'_> {
    pub(super) fn configured(&mut self, key: &str, system: System, table: ConfiguredTable) -> Kind {
        let recipe = Recipe {
            system,
            dir: table.dir,
            configure: table.configure,
            build: table.build,
            install: table.install.unwrap_or_else(|| vec!["install".to_owned()]),
            run: Vec::new(),
            env: table.env,
            flags: table.flags,
            link_flags: table.link_flags,
            libraries: table.libraries,
            prefix: self.prefix(key, table.prefix.as_deref()),
            outputs: table.outputs.iter().map(output).collect(),
        };
        self.recipe(key, recipe)
    }

    pub(super) fn makefile(&mut self, key: &str, table: MakeTable) -> Kind {
        let recipe = Recipe {
            system: System::Make,
            dir: table.dir,
            configure: Vec::new(),
            build: table.build,
            install: table.install.unwrap_or_else(|| vec!["install".to_owned()]),
            run: Vec::new(),
            env: table.env,
            flags: table.flags,
            link_flags: table.link_flags,
            libraries: table.libraries,
            prefix: self.prefix(key, table.prefix.as_deref()),
            outputs: table.outputs.iter().map(output).collect(),
        };
        self.recipe(key, recipe)
    }

    pub(super) fn commands(&mut self, key: &str, table: CommandTable) -> Kind {
        let recipe = Recipe {
            system: System::Command,
            dir: table.dir,
            configure: Vec::new(),
            build: Vec::new(),
            install: Vec::new(),
            run: self.runs(key, &table.run, table.shell),
            env: table.env,
            flags: table.flags,
            link_flags: table.link_flags,
            libraries: table.libraries,
            prefix: self.prefix(key, table.prefix.as_deref()),
            outputs: table.outputs.iter().map(output).collect(),
        };
        self.recipe(key, recipe)
    }

    fn recipe(&mut self, key: &str, recipe: Recipe) -> Kind {
        if recipe.outputs.is_empty() {
            self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
        }
        self.placeholders(key, &recipe);
        if recipe.install.is_empty() && recipe.system != System::Command {
            for (i, output) in recipe.outputs.iter().enumerate() {
                if !output.from_build && !output.from.from_project {
                    let message =
                        "the component installs no files from which outputs could be taken";
                    let help = format!("write `{BUILD}{}`", output.from);
                    self.problem(&format!("{key}.outputs[{i}].from"), message, Some(&help));
                }
            }
        }
        Kind::Recipe(recipe)
    }

    fn runs(&mut self, key: &str, entries: &[RunEntry], shell: bool) -> Vec<Run> {
        if entries.is_empty() {
            let help = "such as `run = [[\"./build.sh\", \"--prefix={stage}{prefix}\"]]`";
            self.problem(key, "`run` is missing", Some(help));
        }
        let mut runs = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            let key = format!("{key}.run[{i}]");
            match entry {
                RunEntry::Line(line) if shell => runs.push(Run::Shell(line.clone())),
                RunEntry::Words(words) if !shell && !words.is_empty() => {
                    runs.push(Run::Words(words.clone()));
                }
                RunEntry::Words(words) if words.is_empty() => {
                    self.problem(&key, "the command is empty", None);
                }
                RunEntry::Line(_) => self.problem(
                    &key,
                    "a command line needs `shell = true`",
                    Some("write a list of words, or add `shell = true`"),
                ),
                RunEntry::Words(_) => {
                    let message = "with `shell = true`, the command is one line of text";
                    self.problem(&key, message, None);
                }
            }
        }
        runs
    }

    /// Reports words in braces that look like placeholders and are unknown. The braces of a shell
    /// line belong to the shell.
    fn placeholders(&mut self, key: &str, recipe: &Recipe) {
        let lists: [(&str, &[String]); 5] = [
            ("configure", &recipe.configure),
            ("build", &recipe.build),
            ("install", &recipe.install),
            ("flags", &recipe.flags),
            ("link-flags", &recipe.link_flags),
        ];
        let mut texts: BTreeMap<String, &str> = BTreeMap::new();
        for (list, words) in lists {
            texts.extend(
                words.iter().enumerate().map(|(i, word)| (format!("{list}[{i}]"), word.as_str())),
            );
        }
        texts.extend(recipe.env.iter().map(|(name, text)| (format!("env.{name}"), text.as_str())));
        for (i, run) in recipe.run.iter().enumerate() {
            if let Run::Words(words) = run {
                texts.extend(words.iter().map(|word| (format!("run[{i}]"), word.as_str())));
            }
        }
        for (place, text) in texts {
            let Some(word) = unknown_placeholder(text) else { continue };
            let help = did_you_mean(&word, PLACEHOLDERS)
                .unwrap_or_else(|| format!("known names: {}", PLACEHOLDERS.join(", ")));
            let message = format!("`{{{word}}}` is not a placeholder");
            self.problem(&format!("{key}.{place}"), message, Some(&help));
        }
    }

    fn prefix(&mut self, key: &str, prefix: Option<&str>) -> String {
        let Some(prefix) = prefix else { return "/usr".to_owned() };
        let trimmed = prefix.trim_end_matches('/');
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        let rest = trimmed.strip_prefix('/');
        if !rest.is_some_and(|rest| rest.split('/').all(is_plain)) {
            let help = "an absolute path on the machine that it will run on, such as `/usr`";
            let message = format!("`{prefix}` cannot be an installation prefix");
            self.problem(&format!("{key}.prefix"), message, Some(help));
        }
        trimmed.to_owned()
    }
}

/// Converts an entry of `outputs`.
pub(super) fn output(table: &OutputTable) -> Output {
    let SourcePath { from_project, path } = table.from.clone();
    let below = path.strip_prefix(BUILD).map(str::to_owned);
    Output {
        from_build: below.is_some(),
        from: SourcePath { from_project, path: below.unwrap_or(path) },
        role: match table.role {
            RoleName::Executable => Role::Executable,
            RoleName::SharedLibrary => Role::SharedLibrary,
            RoleName::StaticLibrary => Role::StaticLibrary,
            RoleName::Header => Role::Header,
            RoleName::Data => Role::Data,
        },
        to: table.to.clone(),
    }
}
