use crate::name::Target;

use super::*;

/// Target, arguments of the caller, arguments for zig, separated by `|`.
const ROWS: &[(&str, &str, &str)] = &[
    (ARM, "-c|a.c|-o|a.o", "-c|a.c|-o|a.o"),
    (ARM, "", ""),
    // Target of other tools.
    (ARM, "--target=aarch64-unknown-linux-gnu|-c|a.c", "-c|a.c"),
    (ARM, "-target|aarch64-unknown-linux-gnu|a.c", "a.c"),
    (ARM, "a.c|-target", "a.c"),
    // Processors.
    (ARM, "-march=armv8-a", "-mcpu=generic"),
    (ARM, "-march=armv8-a+crc+crypto", "-mcpu=generic+crc+crypto"),
    (ARM, "-march=armv8.2-a+dotprod", "-mcpu=generic+v8_2a+dotprod"),
    (ARM, "-march=armv8.2-a+fp16", "-mcpu=generic+v8_2a+fullfp16"),
    (ARM, "-mcpu=cortex-a53|-mtune=cortex-a53", "-mcpu=cortex_a53"),
    (
        X86,
        "-march=x86-64|-march=x86-64-v3|-march=core2",
        "-mcpu=x86_64|-mcpu=x86_64_v3|-march=core2",
    ),
    (X86, "-march=native|-mtune=generic", ""),
    ("i686-unknown-linux-gnu", "-march=i686|-m32", "-m32"),
    ("armv7-unknown-linux-gnueabihf", "-march=armv7-a|-mfpu=neon", "-mfpu=neon"),
    ("riscv64gc-unknown-linux-gnu", "-march=rv64gc|-mabi=lp64d", "-mabi=lp64d"),
    ("powerpc64le-unknown-linux-gnu", "-mcpu=power8", "-mcpu=pwr8"),
    // Link-time optimization, as gcc spells it.
    (X86, "-flto=auto|-flto=4|-flto=thin|-flto|-fno-lto", "-flto|-flto|-flto=thin|-flto|-fno-lto"),
    (X86, "-flto-partition=one|-fuse-linker-plugin|-ffat-lto-objects", "-ffat-lto-objects"),
    // The preprocessor.
    (ARM, "-Wp,-U_FORTIFY_SOURCE|-Wp,-MD,a b.d|-Wp,-MMD,x|-Wp,-w", "-Wp,-MD,a b.d|-Wp,-MMD,x"),
    // Directories of headers that are not there, and those of the machine.
    (ARM, "-isystem|/no such directory|a.c", "-isystem|/no such directory|a.c"),
    (ARM, "-isystem|/usr/include|-Ia|-isystem", "-isystem|/usr/include|-Ia|-isystem"),
    // The linker.
    (ARM, "-Wl,--exclude-libs,ALL|x.o", "x.o"),
    (ARM, "-Wl,--exclude-libs|-Wl,ALL,-s", "-Wl,-s"),
    (ARM, "-Wl,-s,--exclude-libs=libz.a,-z,now", "-Wl,-s,-z,now"),
    (ARM, "-Xlinker|--exclude-libs|x.o|-Xlinker|ALL", "x.o"),
    (ARM, "-Xlinker|-soname|-Xlinker|a,b", "-Xlinker|-soname|-Xlinker|a,b"),
    (ARM, "-Wl,-h,libx.so.1|-Wl,-O1", "-Wl,-soname,libx.so.1"),
    (ARM, "-Wl,--undefined=main|-Wl,--undefined,main", "-Wl,-u,main|-Wl,-u,main"),
    (ARM, "-Wl,--as-needed,--no-copy-dt-needed-entries", "-Wl,--as-needed"),
    (ARM, "-Wl,-rpath-link,/a b|-Wl,-rpath,$ORIGIN/../lib", "-Wl,-rpath,$ORIGIN/../lib"),
    (ARM, "-Wl,-z,text,-z,relro|-Wl,-z|-Wl,separate-code", "-Wl,-z,relro"),
    (ARM, "-Wl,-z|a.o|-Wl,now", "a.o|-Wl,-z,now"),
    (ARM, "-Xlinker|-z|-Xlinker|defs|-Xlinker|-z|-Xlinker|text", "-Xlinker|-z|-Xlinker|defs"),
    (ARM, "-Wl,-Map=a.map|-Wl,-Map,a.map|-Wl,--version-script,x.map", "-Wl,--version-script,x.map"),
    (ARM, "-Wl,|-Wl,,x|-Wl,a,|--exclude-libs|-Wl,--cref", "-Wl,|-Wl,,x|-Wl,a,|--exclude-libs"),
    (ARM, "a.o|-Xlinker", "a.o|-Xlinker"),
    (ARM, "a.o|-Wl,-z", "a.o|-Wl,-z"),
    // Arguments that change the program reach zig, which refuses them.
    (ARM, "-Wl,--wrap,malloc|-Wl,--no-such-thing", "-Wl,--wrap,malloc|-Wl,--no-such-thing"),
    // Hard to quote.
    (
        ARM,
        "-DA=\"b c\"|it's|a\\b|$HOME|`x`|*|-n|-e||--target=x",
        "-DA=\"b c\"|it's|a\\b|$HOME|`x`|*|-n|-e|",
    ),
    (ARM, "-DX='1 2'|-Wl,--cref,-rpath,it's \"$x\" *", "-DX='1 2'|-Wl,-rpath,it's \"$x\" *"),
    (ARM, "-DA=1\n2|-mtune=x|line\n", "-DA=1\n2|line\n"),
    // Mach-O.
    (
        MAC,
        "-compatibility_version|1.0|-current_version|1.2.3",
        "-compatibility_version|1.0.0|-current_version|1.2.3",
    ),
    (
        MAC,
        "-Wl,-compatibility_version,1,-current_version|-Wl,2.5",
        "-Wl,-compatibility_version,1.0.0,-current_version|-Wl,2.5.0",
    ),
    (MAC, "-Xlinker|-current_version|-Xlinker|7", "-Xlinker|-current_version|-Xlinker|7.0.0"),
    (MAC, "-mmacosx-version-min=10.9|-Wl,-O1", "-Wl,-O1"),
];
const ARM: &str = "aarch64-unknown-linux-gnu";
const X86: &str = "x86_64-unknown-linux-gnu";
const MAC: &str = "aarch64-apple-darwin";

fn split(text: &str) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split('|').collect() }
}

fn rules_for(target: &str) -> Vec<Rule> {
    rules(&target.parse::<Target>().unwrap())
}

#[test]
fn others_lines_become_zigs() {
    for (target, before, after) in ROWS {
        let filtered = apply(&rules_for(target), split(before));
        assert_eq!(filtered.args, split(after), "{before}");
    }
}

/// The rules do what every row of the reference says.
#[test]
fn the_reference_is_true() {
    let page = include_str!("../../../../docs/reference/arguments.md");
    let (linker, compiler) = page.split_once("## Compiler arguments").unwrap();
    let mut rows = 0;
    for (text, prefix) in [(linker, "-Wl,"), (compiler, "")] {
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
            let argument = cells.next().unwrap().trim_matches('`');
            let outcome = cells.next().unwrap().trim_end_matches('|').trim();
            let given = format!("{prefix}{argument}");
            let filtered = apply(&rules_for(X86), [given.as_str()]);
            let kept = filtered.args.join(" ");
            let is_true = if let Some(new) = outcome.strip_prefix("becomes `") {
                kept == format!("{prefix}{}", new.trim_end_matches('`'))
            } else if outcome.starts_with("left out, with a warning") {
                kept.is_empty() && filtered.told.len() == 1
            } else if outcome.starts_with("left out") {
                kept.is_empty() && filtered.told.is_empty()
            } else {
                (outcome.starts_with("passed on") || outcome.starts_with("refused"))
                    && kept == given
            };
            assert!(is_true, "{line}: {filtered:?}");
            rows += 1;
        }
    }
    assert!(rows > 50, "{rows} rows");
}

#[test]
fn what_changes_the_result_is_told() {
    let check = |args: &str, told: &[&str]| {
        assert_eq!(apply(&rules_for(X86), split(args)).told, told, "{args}");
    };
    check("-Wl,--exclude-libs,ALL,--cref|-march=native", &["--exclude-libs", "-march=native"]);
    check("-mcpu=native|-mtune=native", &["-mcpu=native"]);
    check("-Wl,-O1|--target=x", &[]);
}

/// The script does exactly what `apply` does, even on meaningless lines.
#[test]
#[cfg(unix)]
fn the_script_agrees() {
    use crate::sys::{Command, Env, Host};

    let host = Host::quiet(Env::default());
    let check_with = |shell: &str, target: &str, args: &[&str]| {
        let rules = rules_for(target);
        let show = r#"for a do printf '%s\0' "$a"; done"#;
        let script = format!("{}\n{show}", to_sh(&rules));
        let sh = Command::new(shell, "/", &host.env).args(["-c", &script, "sh"]);
        let exec = sh.args(args.iter().copied()).run(&host).unwrap();
        let filtered = apply(&rules, args);
        let expected = filtered.args.join("\0") + if filtered.args.is_empty() { "" } else { "\0" };
        assert_eq!(String::from_utf8(exec.stdout).unwrap(), expected, "{args:?}");
        let told: Vec<String> = filtered.told.iter().map(|word| message(word)).collect();
        assert_eq!(exec.stderr.lines().collect::<Vec<_>>(), told, "{args:?}");
    };
    let check = |target: &str, args: &[&str]| {
        for shell in ["/bin/sh", "/bin/bash", "/bin/ksh"] {
            if std::path::Path::new(shell).exists() {
                check_with(shell, target, args);
            }
        }
    };
    for (target, before, _) in ROWS {
        check(target, &split(before));
    }
    let dir = crate::sys::fs::temp_dir().unwrap();
    crate::sys::fs::write(dir.path().join("regexp.h"), "").unwrap();
    let dir = dir.path().to_str().unwrap();
    let line = ["-isystem", dir, "-isystem", "/nowhere", "-I", dir];
    check(ARM, &line);
    let before_ours = ["-iwithprefixbefore", dir, "-isystem", "/nowhere", "-I", dir];
    assert_eq!(apply(&rules_for(ARM), line).args, before_ours);
    let pieces: Vec<&str> = ROWS.iter().flat_map(|(_, before, _)| split(before)).collect();
    for step in [1, 7, 11, 23] {
        let shuffled: Vec<&str> =
            (0..pieces.len()).map(|i| pieces[(i * step + step) % pieces.len()]).collect();
        check(ARM, &shuffled);
        check(MAC, &shuffled);
    }
}

#[test]
fn rule_words_need_no_care_in_a_shell() {
    let plain =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_=,.+".contains(c));
    for row in crate::name::TARGETS {
        for rule in rules_for(row.triple) {
            let (Matches::Arg(text)
            | Matches::ArgPrefix(text)
            | Matches::Word(text)
            | Matches::WordPrefix(text)
            | Matches::Keyword(text)) = rule.matches;
            assert!(plain(text) && !text.is_empty(), "{text}");
        }
    }
}
