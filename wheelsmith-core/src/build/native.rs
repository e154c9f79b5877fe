//! Refuses flags that compile for the processor of the build machine: the result would stop with an
//! illegal instruction on an older one.

use super::{Error, Setting};
use crate::config::{Kind, Recipe, Run};
use crate::plan::ComponentPlan;
#[cfg(any(feature = "cargo", test))]
use crate::sys::Env;
use crate::toolchain::filter::native_flag;

/// Checks the flags that the configuration has for a component.
pub(super) fn check(setting: &Setting<'_>, plan: &ComponentPlan) -> Result<(), Error> {
    let component = &plan.component;
    if component.allow_native {
        return Ok(());
    }
    let mut all: Vec<(&str, &[String])> =
        vec![("`flags`", &plan.over.flags), ("`link-flags`", &plan.over.link_flags)];
    let recipe_texts: Vec<String>;
    match &component.kind {
        Kind::C(c) => {
            all.extend(c.sources.iter().map(|group| ("`flags`", &group.flags[..])));
            all.push(("`link-flags`", &c.link_flags));
        }
        Kind::Recipe(recipe) => {
            recipe_texts = texts(recipe);
            all.extend([
                ("`flags`", &recipe.flags[..]),
                ("`link-flags`", &recipe.link_flags),
                ("its steps", &recipe_texts),
            ]);
        }
        Kind::Go(go) => all.push(("`ldflags`", &go.ldflags)),
        Kind::Bpf(_) | Kind::Cargo(_) | Kind::Prebuilt(_) | Kind::Files(_) => {}
    }
    let found = all.into_iter().find_map(|(origin, flags)| {
        let words = flags.iter().flat_map(|flag| flag.split_whitespace());
        let flag = native_flag(words.flat_map(parts));
        Some((flag?, origin.to_owned()))
    });
    refuse(setting, &component.name, found)
}

/// Checks what decides the flags of a component that cargo builds: variables, and the configuration
/// files of cargo.
#[cfg(feature = "cargo")]
pub(super) fn check_cargo(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    dir: &std::path::Path,
    env: &Env,
) -> Result<(), Error> {
    let component = &plan.component;
    if component.allow_native {
        return Ok(());
    }
    let triple = setting.target().triple();
    let found =
        in_variables(env, triple).or_else(|| super::cargo_config::native_flag(dir, env, triple));
    refuse(setting, &component.name, found)
}

fn refuse(
    setting: &Setting<'_>,
    component: &str,
    found: Option<(String, String)>,
) -> Result<(), Error> {
    let Some((flag, origin)) = found else { return Ok(()) };
    let (component, target) = (component.to_owned(), setting.target());
    Err(Error::Native { component, target, flag, origin })
}

/// Returns a flag and the variable that has it.
#[cfg(any(feature = "cargo", test))]
fn in_variables(env: &Env, triple: &str) -> Option<(String, String)> {
    let upper = triple.to_uppercase().replace(['-', '.'], "_");
    let lower = triple.replace('-', "_");
    let mut names = vec![
        "CARGO_ENCODED_RUSTFLAGS".to_owned(),
        "RUSTFLAGS".to_owned(),
        "CARGO_BUILD_RUSTFLAGS".to_owned(),
        format!("CARGO_TARGET_{upper}_RUSTFLAGS"),
    ];
    for flags in ["CFLAGS", "CXXFLAGS"] {
        names.extend([
            flags.to_owned(),
            format!("TARGET_{flags}"),
            format!("{flags}_{triple}"),
            format!("{flags}_{lower}"),
        ]);
    }
    names.into_iter().find_map(|name| {
        let value = env.get(&name)?;
        let words = value.split(|c: char| c.is_whitespace() || c == '\u{1f}');
        Some((native_flag(words)?, format!("the variable `{name}`")))
    })
}

/// Returns an argument, and its value if it sets a variable of make: `CFLAGS=-march=native`.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let value = word.split_once('=').map(|(_, value)| value);
    [Some(word), value].into_iter().flatten().map(|part| part.trim_matches(['"', '\'']))
}

/// Returns the texts of a recipe's steps.
fn texts(recipe: &Recipe) -> Vec<String> {
    let runs = recipe.run.iter().flat_map(|run| match run {
        Run::Words(words) => words.clone(),
        Run::Shell(line) => vec![line.clone()],
    });
    let others = recipe.configure.iter().chain(&recipe.build).chain(&recipe.install);
    others.chain(recipe.env.values()).cloned().chain(runs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_ask_for_this_machine_are_named() {
        let triple = "x86_64-unknown-linux-gnu";
        let check = |name: &str, value: &str, expected: Option<&str>| {
            let env: Env = [(name.to_owned(), value.to_owned())].into_iter().collect();
            let found = in_variables(&env, triple);
            assert_eq!(found.as_ref().map(|(flag, _)| flag.as_str()), expected, "{name}={value}");
            assert!(found.is_none_or(|(_, origin)| origin.contains(name)));
        };
        check("RUSTFLAGS", "-g -Ctarget-cpu=native", Some("-Ctarget-cpu=native"));
        check("RUSTFLAGS", "-C target-cpu=native", Some("-C target-cpu=native"));
        check("RUSTFLAGS", "--codegen target-cpu=native", Some("--codegen target-cpu=native"));
        check("RUSTFLAGS", "-Ctarget-cpu=x86-64-v2", None);
        let encoded = "--cfg=a\u{1f}-Ctarget-cpu=native";
        check("CARGO_ENCODED_RUSTFLAGS", encoded, Some("-Ctarget-cpu=native"));
        let own = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
        check(own, "-Ctarget-cpu=native", Some("-Ctarget-cpu=native"));
        let other = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
        check(other, "-Ctarget-cpu=native", None);
        check("CFLAGS", "-O3 -march=native", Some("-march=native"));
        check("CFLAGS_x86_64_unknown_linux_gnu", "-mcpu=native", Some("-mcpu=native"));
        check("CFLAGS_aarch64_unknown_linux_gnu", "-mcpu=native", None);
        check("HOST_CFLAGS", "-march=native", None);
    }

    #[test]
    fn flags_in_words_of_make_are_found() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(native_flag(parts(word)).as_deref(), expected, "{word}");
        };
        check("-march=native", Some("-march=native"));
        check("CFLAGS=-march=native", Some("-march=native"));
        check("CFLAGS=\"-mtune=native\"", Some("-mtune=native"));
        check("-march=x86-64", None);
        check("NATIVE=native", None);
    }
}
