//! The command line.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _};

use crate::commands::{
    audit, backend, build, check, completions, fetch, index, init, inspect, pack, plan, publish,
    repair, sdist, sign, size, store, sums, test, toolchain, tree, update, verify, version, wheel,
    wrapper,
};
use crate::global::{Format, Global};

const AFTER_HELP: &str = "\
Examples:
  wheelsmith init hello        write a project that builds
  wheelsmith build             make a wheel for each target of the project
  wheelsmith audit dist/*.whl  compare their files with their platform tags
  wheelsmith check dist/*      find what the index or an installer would refuse
  wheelsmith test              install and try the wheels with every Python

Exit codes: 0 success; 1 findings, or a failed test; 2 the command could not finish.";

/// The commands in the order of the work, under the headings of the help.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Build", &["init", "build", "pack", "sdist", "fetch", "update", "toolchain"]),
    ("Prove", &["audit", "check", "test", "inspect", "size"]),
    ("Ship", &["repair", "wheel", "tree", "index", "store", "version"]),
    ("Release", &["plan", "publish", "sums", "sign", "verify"]),
    ("Other", &["completions", "help"]),
];

/// Builds native code for several targets and packs it into wheels whose platform tags are proven.
#[derive(Debug, Parser)]
#[command(
    name = "wheelsmith",
    version = env!("WHEELSMITH_VERSION"),
    after_help = AFTER_HELP,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Build(build::Args),
    Pack(pack::Args),
    Sdist(sdist::Args),
    Fetch(fetch::Args),
    Update(update::Args),
    Toolchain(toolchain::Args),
    Audit(audit::Args),
    Check(check::Args),
    Test(test::Args),
    #[command(alias = "show")]
    Inspect(inspect::Args),
    Size(size::Args),
    Repair(repair::Args),
    Wheel(wheel::Args),
    Tree(tree::Args),
    Index(index::Args),
    Store(store::Args),
    Version(version::Args),
    Plan(plan::Args),
    Publish(publish::Args),
    Sums(sums::Args),
    Sign(sign::Args),
    Verify(verify::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Backend(backend::Args),
    #[command(hide = true)]
    ToolchainWrapper(wrapper::Args),
}

impl Args {
    /// Reads the command line; prints a message and exits if it is wrong or asks for help.
    pub(crate) fn from_command_line() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Returns the whole command line as clap describes it.
pub(crate) fn command() -> clap::Command {
    let command = Args::command();
    let groups = groups(&command);
    let names: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |command, name| {
        let formats = Format::of_command(&name);
        command.mut_subcommand(name, |command| subcommand(command, formats))
    });
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}Options:\n{{options}}{{after-help}}"
    ))
}

/// Returns the list of commands for the help, in groups.
fn groups(command: &clap::Command) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (heading, names) in GROUPS {
        let _ = writeln!(text, "{heading}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map_or("Print the help of a command".to_owned(), ToString::to_string);
            let _ = writeln!(text, "  {name:11}  {about}");
        }
        text.push('\n');
    }
    text
}

/// Sets the output formats of a command, and one help text for `-h` and `--help`: summary and
/// explanation first, and options on one line if they fit.
fn subcommand(command: clap::Command, formats: &'static [Format]) -> clap::Command {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let long = command.get_long_about().map(ToString::to_string);
    let names: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let has_verbs = !names.is_empty();
    let mut command = command
        .before_help(long.unwrap_or(about))
        .long_about(None::<&str>)
        .help_template("{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}");
    if has_verbs {
        command = command.disable_help_subcommand(true);
    }
    if !has_verbs {
        command = command.arg(format_option(formats));
    }
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |command| subcommand(command, formats))
    })
}

/// `--format` of one command, in place of the global one.
fn format_option(formats: &'static [Format]) -> Arg {
    let names = formats.iter().map(|format| format.name());
    let help = format!("Output format: {}", names.clone().collect::<Vec<_>>().join(", "));
    let parser = PossibleValuesParser::new(names)
        .map(|name| Format::from_str(&name, false).unwrap_or(Format::Human));
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .global(true)
        .value_parser(parser)
        .default_value("human")
        .help(help)
        .help_heading("Global options")
        .hide_possible_values(true)
        .hide_default_value(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `check` with each command and its name, verbs of commands included.
    fn each(command: &clap::Command, name: &str, check: &mut impl FnMut(&str, &clap::Command)) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = format!("{name} {}", sub.get_name());
            check(&name, sub);
            each(sub, &name, check);
        }
    }

    #[test]
    fn every_help_fits_and_has_an_example() {
        command().debug_assert();
        let mut command = command().term_width(80);
        let mut wrong = Vec::new();
        each(&command, "wheelsmith", &mut |name, sub| {
            let after = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            let [short, long] = ["-h", "--help"].map(|flag| {
                let words = name.split(' ').chain([flag]);
                let error = super::command().term_width(80).try_get_matches_from(words);
                error.unwrap_err().to_string()
            });
            if short != long {
                wrong.push(format!("{name}: -h and --help differ"));
            }
            if !short.contains("Examples:\n") {
                wrong.push(format!("{name}: no example"));
            }
            let examples = after.lines().filter(|line| line.starts_with(' '));
            for line in short.lines().chain(examples).filter(|line| line.chars().count() > 80) {
                wrong.push(format!("{name}: {line}"));
            }
            let globals = short.split("Global options:\n").nth(1).unwrap_or_default();
            let globals = globals.lines().take_while(|line| !line.is_empty()).count();
            if globals > 8 {
                wrong.push(format!("{name}: {globals} lines of global options"));
            }
        });
        let help = command.render_help().to_string();
        wrong.extend(help.lines().filter(|line| line.chars().count() > 80).map(str::to_owned));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_groups_have_every_command_once() {
        let command = Args::command();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        listed.retain(|name| *name != "help");
        let all = command.get_subcommands().filter(|command| !command.is_hide_set());
        assert_eq!(listed, all.map(clap::Command::get_name).collect::<Vec<_>>());
    }

    #[test]
    fn a_command_takes_only_the_forms_that_it_prints() {
        let check = |line: &str, format: Option<Format>| {
            let matches = command().try_get_matches_from(line.split(' '));
            let parsed = matches.and_then(|matches| Args::from_arg_matches(&matches));
            assert_eq!(parsed.ok().map(|args| args.global.format), format, "{line}");
        };
        check("wheelsmith fetch", Some(Format::Human));
        check("wheelsmith fetch --format json", Some(Format::Json));
        check("wheelsmith --format json fetch", Some(Format::Json));
        check("wheelsmith fetch --format sarif", None);
        check("wheelsmith test --format junit", Some(Format::Junit));
        check("wheelsmith test --format html", None);
        check("wheelsmith audit --format html a.whl", Some(Format::Html));
        check("wheelsmith wheel diff --format json a b", Some(Format::Json));
        check("wheelsmith wheel diff --format sarif a b", None);
    }

    #[test]
    fn old_spellings_still_work() {
        for line in [
            "show a.so",
            "wheel combine a.whl --add b=c --platform-tag any",
            "wheel retag a.whl --tag cp39-abi3 --platform-tag any",
            "wheel retag a.whl --platform-tag any --force --reason why",
            "audit a.whl --policy manylinux_2_28 -o report",
            "audit a.whl --explain --want manylinux_2_17",
            "check a.whl -o report",
            "repair a.whl --plat manylinux_2_28 --only-plat",
            "repair a.whl --policy manylinux_2_28",
            "build --result answer.json",
            "test --require x --allow-failure y --timeout 5 --report r.xml --max-skipped 3",
            "index build --site site",
        ] {
            let matches = command().try_get_matches_from(format!("wheelsmith {line}").split(' '));
            assert!(matches.is_ok(), "{line}: {}", matches.unwrap_err());
        }
    }
}
