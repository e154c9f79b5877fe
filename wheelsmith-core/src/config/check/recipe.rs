//! Components that have a build system of their own.

use std::collections::BTreeMap;

use super::super::raw::{RawComponent, RawOutput, RawRole};
use super::super::raw_run::RawRun;
use super::super::recipe::unknown_placeholder;
use super::{Check, Kind, OUTPUTS_HELP, Output, Role, System, did_you_mean};
use crate::config::{PLACEHOLDERS, Recipe, Run, SourcePath};

/// What stands in front of outputs that are taken from where they were built.
const BUILD: &str = "{build}/";

impl Check<'_> {
    pub(super) fn recipe(&mut self, key: &str, system: System, raw: &RawComponent) -> Kind {
        if raw.outputs.is_empty() {
            self.problem(key, "`outputs` is missing", Some(OUTPUTS_HELP));
        }
        let run = self.runs(key, system, raw);
        self.placeholders(key, raw);
        let install = match &raw.install {
            Some(install) => install.clone(),
            None if system == System::Command => Vec::new(),
            None => vec!["install".to_owned()],
        };
        if install.is_empty() && system != System::Command {
            for (i, output) in raw.outputs.iter().enumerate() {
                if !from_build(output) && !output.from.from_project {
                    let message = "nothing is installed, so that there is nothing to take it from";
                    let help = format!("write `{BUILD}{}`", output.from);
                    self.problem(&format!("{key}.outputs[{i}].from"), message, Some(&help));
                }
            }
        }
        let libraries = raw.libraries.clone().unwrap_or_default();
        Kind::Recipe(Recipe {
            system,
            dir: raw.dir.clone(),
            configure: raw.configure.clone(),
            build: raw.build.clone(),
            install,
            run,
            env: raw.env.clone(),
            flags: raw.flags.clone(),
            link_flags: raw.link_flags.clone().unwrap_or_default(),
            libraries,
            prefix: self.prefix(key, raw.prefix.as_deref()),
            outputs: raw.outputs.iter().map(output).collect(),
        })
    }

    fn runs(&mut self, key: &str, system: System, raw: &RawComponent) -> Vec<Run> {
        if system == System::Command && raw.run.is_empty() {
            let help = "such as `run = [[\"./build.sh\", \"--prefix={stage}{prefix}\"]]`";
            self.problem(key, "`run` is missing", Some(help));
        }
        let shell = raw.shell.unwrap_or(false);
        let mut runs = Vec::new();
        for (i, run) in raw.run.iter().enumerate() {
            let key = format!("{key}.run[{i}]");
            match run {
                RawRun::Line(line) if shell => runs.push(Run::Shell(line.clone())),
                RawRun::Words(words) if !shell && !words.is_empty() => {
                    runs.push(Run::Words(words.clone()));
                }
                RawRun::Words(words) if words.is_empty() => {
                    self.problem(&key, "nothing to run", None);
                }
                RawRun::Line(_) => self.problem(
                    &key,
                    "a line is for a shell",
                    Some("write a list of words, or add `shell = true`"),
                ),
                RawRun::Words(_) => self.problem(&key, "a shell takes a line of text", None),
            }
        }
        runs
    }

    /// What looks like a placeholder and is none is a slip of the pen; a shell's braces are its own.
    fn placeholders(&mut self, key: &str, raw: &RawComponent) {
        let lists: [(&str, &[String]); 5] = [
            ("configure", &raw.configure),
            ("build", &raw.build),
            ("install", raw.install.as_deref().unwrap_or_default()),
            ("flags", &raw.flags),
            ("link-flags", raw.link_flags.as_deref().unwrap_or_default()),
        ];
        let mut texts: BTreeMap<String, &str> = BTreeMap::new();
        for (list, words) in lists {
            texts.extend(
                words.iter().enumerate().map(|(i, word)| (format!("{list}[{i}]"), word.as_str())),
            );
        }
        texts.extend(raw.env.iter().map(|(name, text)| (format!("env.{name}"), text.as_str())));
        for (i, run) in raw.run.iter().enumerate() {
            if let RawRun::Words(words) = run {
                texts.extend(words.iter().map(|word| (format!("run[{i}]"), word.as_str())));
            }
        }
        for (place, text) in texts {
            let Some(word) = unknown_placeholder(text) else { continue };
            let help = did_you_mean(&word, PLACEHOLDERS)
                .unwrap_or_else(|| format!("known here: {}", PLACEHOLDERS.join(", ")));
            let message = format!("`{{{word}}}` stands for nothing");
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
            let message = format!("`{prefix}` is no place to be installed at");
            self.problem(&format!("{key}.prefix"), message, Some(help));
        }
        trimmed.to_owned()
    }
}

/// Whether an output is taken from where it was built.
pub(super) fn from_build(raw: &RawOutput) -> bool {
    raw.from.path.starts_with(BUILD)
}

pub(super) fn output(raw: &RawOutput) -> Output {
    let SourcePath { from_project, path } = raw.from.clone();
    let path = path.strip_prefix(BUILD).map_or(path.clone(), str::to_owned);
    Output {
        from: SourcePath { from_project, path },
        from_build: from_build(raw),
        role: match raw.role {
            RawRole::Executable => Role::Executable,
            RawRole::SharedLibrary => Role::SharedLibrary,
            RawRole::StaticLibrary => Role::StaticLibrary,
            RawRole::Header => Role::Header,
            RawRole::Data => Role::Data,
        },
        to: raw.to.clone(),
    }
}
