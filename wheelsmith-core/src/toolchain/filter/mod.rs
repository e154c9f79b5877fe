//! Changes command lines for gcc into command lines for `zig cc`.
//!
//! zig parses linker arguments itself and refuses unknown ones, which the build systems of other
//! projects often use. The rules are data (`rules`). [`apply`] executes them in this process, and
//! [`to_sh`] writes them as an equivalent shell script that starts no process.
//!
//! Response files (`@file`) are not opened here; wrappers expand them first.

mod headers;
mod rules;
mod sh;

pub use rules::{ALLOW_NATIVE, NO_NATIVE, NO_RPATH, SHARED_CXX, rules};
pub(in crate::toolchain) use sh::quoted;
pub use sh::to_sh;

/// Pattern and action. The first rule that matches counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Pattern.
    pub matches: Matches,
    /// Action.
    pub action: Action,
}

/// Pattern of a rule. A linker word is one of the words of `-Wl,a,b`, or the argument after
/// `-Xlinker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matches {
    /// This argument.
    Arg(&'static str),
    /// Arguments with this prefix.
    ArgPrefix(&'static str),
    /// This linker word.
    Word(&'static str),
    /// Linker words with this prefix.
    WordPrefix(&'static str),
    /// The linker word `-z` followed by this word; both are left out, whatever the action.
    Keyword(&'static str),
}

/// Action of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Passes it on; for exceptions before a wider rule.
    Keep,
    /// Leaves it out: zig does the same without it, or the result is equivalent.
    Drop,
    /// Leaves it and the next argument (or linker word) out.
    DropWithNext,
    /// Leaves it out and reports it, because the result differs.
    DropAndTell,
    /// Leaves it and the next one out, and reports it.
    DropWithNextAndTell,
    /// Replaces the matched text; the rest after a prefix is kept.
    Replace(&'static str),
    /// Replaces the whole argument or word.
    Exchange(&'static str),
    /// Extends the version in the next argument to three parts: `1.0` becomes `1.0.0`.
    PadNextVersion,
    /// Names the next argument, a directory, by `-iwithprefixbefore` if it contains a header of the
    /// C library.
    SystemDir,
}

/// Changed command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filtered {
    /// Arguments for zig.
    pub args: Vec<String>,
    /// Arguments that were left out although the result differs.
    pub told: Vec<String>,
}

/// Meaning of the next argument or linker word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Ordinary,
    Dropped,
    Version,
    /// Directory of `-isystem`.
    SystemDir,
    /// Argument after `-Xlinker`, or linker word after `-z`.
    Special,
}

/// Applies `rules` to a command line (without the program).
pub fn apply<S: AsRef<str>>(rules: &[Rule], args: impl IntoIterator<Item = S>) -> Filtered {
    let mut filter =
        Filter { rules, next: Next::Ordinary, next_word: Next::Ordinary, out: Filtered::default() };
    for arg in args {
        filter.arg(arg.as_ref());
    }
    if filter.next == Next::Special {
        filter.out.args.push("-Xlinker".to_owned());
    }
    if filter.next == Next::SystemDir {
        filter.out.args.push("-isystem".to_owned());
    }
    if filter.next_word == Next::Special {
        filter.out.args.push("-Wl,-z".to_owned());
    }
    filter.out
}

struct Filter<'r> {
    rules: &'r [Rule],
    next: Next,
    next_word: Next,
    out: Filtered,
}

impl Filter<'_> {
    fn arg(&mut self, arg: &str) {
        match std::mem::replace(&mut self.next, Next::Ordinary) {
            Next::Dropped => return,
            Next::Version => return self.out.args.push(padded(arg)),
            Next::SystemDir => {
                let option = headers::option(arg).to_owned();
                return self.out.args.extend([option, arg.to_owned()]);
            }
            Next::Special => {
                for word in self.word(arg) {
                    self.out.args.extend(["-Xlinker".to_owned(), word]);
                }
                return;
            }
            Next::Ordinary => {}
        }
        if arg == "-Xlinker" {
            self.next = Next::Special;
        } else if let Some(words) = arg.strip_prefix("-Wl,") {
            let kept: Vec<String> = words.split(',').flat_map(|word| self.word(word)).collect();
            if !kept.is_empty() {
                self.out.args.push(format!("-Wl,{}", kept.join(",")));
            }
        } else {
            let (kept, next) = self.carry_out(arg, false);
            self.next = next;
            self.out.args.extend(kept);
        }
    }

    /// Returns the words that replace a linker word: none, itself, or `-z` and itself.
    fn word(&mut self, word: &str) -> Vec<String> {
        match std::mem::replace(&mut self.next_word, Next::Ordinary) {
            Next::Dropped => Vec::new(),
            Next::Version => vec![padded(word)],
            // No rule for linker words has this action.
            Next::SystemDir => vec![word.to_owned()],
            Next::Special => {
                let dropped =
                    |rule: &Rule| matches!(rule.matches, Matches::Keyword(k) if k == word);
                if self.rules.iter().any(dropped) {
                    return Vec::new();
                }
                vec!["-z".to_owned(), word.to_owned()]
            }
            Next::Ordinary if word == "-z" => {
                self.next_word = Next::Special;
                Vec::new()
            }
            Next::Ordinary => {
                let (kept, next) = self.carry_out(word, true);
                self.next_word = next;
                kept.into_iter().collect()
            }
        }
    }

    fn carry_out(&mut self, text: &str, is_word: bool) -> (Option<String>, Next) {
        let matched = self.rules.iter().find_map(|rule| {
            let rest = match (rule.matches, is_word) {
                (Matches::Arg(whole), false) | (Matches::Word(whole), true) => {
                    (text == whole).then_some("")
                }
                (Matches::ArgPrefix(prefix), false) | (Matches::WordPrefix(prefix), true) => {
                    text.strip_prefix(prefix)
                }
                _ => None,
            };
            rest.map(|rest| (rule.action, rest))
        });
        let Some((action, rest)) = matched else {
            return (Some(text.to_owned()), Next::Ordinary);
        };
        if matches!(action, Action::DropAndTell | Action::DropWithNextAndTell) {
            self.out.told.push(text.to_owned());
        }
        match action {
            Action::Keep => (Some(text.to_owned()), Next::Ordinary),
            Action::Drop | Action::DropAndTell => (None, Next::Ordinary),
            Action::DropWithNext | Action::DropWithNextAndTell => (None, Next::Dropped),
            Action::Replace(new) => (Some(format!("{new}{rest}")), Next::Ordinary),
            Action::Exchange(new) => (Some(new.to_owned()), Next::Ordinary),
            Action::PadNextVersion => (Some(text.to_owned()), Next::Version),
            Action::SystemDir => (None, Next::SystemDir),
        }
    }
}

/// Returns the first of `words` that compiles for the processor of the build machine, with its option
/// if that is a word of its own.
pub fn native_flag<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let mut before = "";
    for word in words {
        let value = word.strip_suffix("=native");
        match (before, value) {
            (_, Some("-march" | "-mcpu" | "-mtune")) => return Some(word.to_owned()),
            ("-C" | "--codegen" | "-Z", Some("target-cpu" | "tune-cpu")) => {
                return Some(format!("{before} {word}"));
            }
            (_, Some(option))
                if (option.starts_with("-C")
                    || option.starts_with("-Z")
                    || option.starts_with("--codegen="))
                    && (option.ends_with("target-cpu") || option.ends_with("tune-cpu")) =>
            {
                return Some(word.to_owned());
            }
            ("-target-cpu" | "-tune-cpu", _) if word == "native" => {
                return Some(format!("{before} {word}"));
            }
            _ => {}
        }
        before = word;
    }
    None
}

/// Start of the line that a wrapper writes for an argument that it leaves out.
const LEFT_OUT: &str = "wheelsmith: left out `";

/// Returns the message of a wrapper about an argument that it left out.
pub fn message(argument: &str) -> String {
    format!("{LEFT_OUT}{argument}`")
}

/// Returns the arguments that wrappers left out, according to the output of a build; each once.
pub fn messages(output: &str) -> std::collections::BTreeSet<String> {
    let argument = |line: &str| Some(line.split_once(LEFT_OUT)?.1.split_once('`')?.0.to_owned());
    output.lines().filter_map(argument).collect()
}

/// Returns the warning about an argument that was left out.
pub fn left_out(component: &str, argument: &str) -> String {
    if native_flag([argument]).is_some() {
        return format!(
            "component `{component}`: its build system passes `{argument}`, which was left out: a \
             package must not need what the build machine happens to have (`allow-native = true` \
             keeps it)"
        );
    }
    format!(
        "component `{component}`: zig has no `{argument}`, so it was left out (see the reference, \
         \"Arguments of others\")"
    )
}

/// Extends a Mach-O version to `major.minor.patch`, the only form that zig reads.
fn padded(version: &str) -> String {
    let missing = 2_usize.saturating_sub(version.matches('.').count());
    format!("{version}{}", ".0".repeat(missing))
}

#[cfg(test)]
mod tests;
