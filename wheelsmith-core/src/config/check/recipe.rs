//! Validation of components that have a build system of their own.

use std::collections::BTreeMap;

use super::Check;
use super::component::BUILD;
use crate::config::diagnose::did_you_mean;
use crate::config::recipe::unknown_placeholder;
use crate::config::{PLACEHOLDERS, Recipe, Run, System};

impl Check<'_> {
    pub(super) fn recipe(&mut self, key: &str, recipe: &mut Recipe) {
        if recipe.system == System::Command {
            self.runs(key, recipe);
        }
        self.outputs(key, &mut recipe.outputs, true);
        self.prefix(key, &mut recipe.prefix);
        self.placeholders(key, recipe);
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
    }

    fn runs(&mut self, key: &str, recipe: &Recipe) {
        if recipe.run.is_empty() {
            let help = "such as `run = [[\"./build.sh\", \"--prefix={stage}{prefix}\"]]`";
            self.problem(key, "`run` is missing", Some(help));
        }
        for (i, run) in recipe.run.iter().enumerate() {
            let key = format!("{key}.run[{i}]");
            match run {
                Run::Words(words) if words.is_empty() => {
                    self.problem(&key, "the command is empty", None);
                }
                Run::Words(_) if recipe.shell => {
                    self.problem(
                        &key,
                        "with `shell = true`, the command is one line of text",
                        None,
                    );
                }
                Run::Shell(_) if !recipe.shell => self.problem(
                    &key,
                    "a command line needs `shell = true`",
                    Some("write a list of words, or add `shell = true`"),
                ),
                Run::Words(_) | Run::Shell(_) => {}
            }
        }
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

    fn prefix(&mut self, key: &str, prefix: &mut String) {
        let trimmed = prefix.trim_end_matches('/');
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        let rest = trimmed.strip_prefix('/');
        if !rest.is_some_and(|rest| rest.split('/').all(is_plain)) {
            let help = "an absolute path on the machine that it will run on, such as `/usr`";
            let message = format!("`{prefix}` cannot be an installation prefix");
            self.problem(&format!("{key}.prefix"), message, Some(help));
        }
        prefix.truncate(trimmed.len());
    }
}
