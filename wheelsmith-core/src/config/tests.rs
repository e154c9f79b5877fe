use super::*;

/// Parses `[tool.wheelsmith]` with `body` below it (so that `body` starts on line 2) and compares
/// the whole report, or checks that there is none.
fn check(body: &str, expected: &str) {
    let text = format!("[tool.wheelsmith]\n{body}");
    let report =
        parse("demo.toml", &text).map_or_else(|error| error.to_string(), |_| String::new());
    assert_eq!(report, expected, "for:\n{body}");
}

const LIB: &str = "[[component]]\nname = \"a\"\nkind = \"c-shared\"\n";

#[test]
fn mistakes_are_named_with_line_key_and_spelling() {
    check("targets = ['x86_64-unknown-linux-gnu']", "");
    check(
        "tragets = []",
        "demo.toml:2:1: `tool.wheelsmith.tragets`: unknown key `tragets`\n    \
         did you mean `targets`?",
    );
    check(
        "[tool.wheelsmith.wheel]\n",
        "demo.toml:2:1: `tool.wheelsmith.wheel`: invalid type: map, expected a sequence\n    \
         write `[[tool.wheelsmith.wheel]]`, because there may be several",
    );
    check(
        "strip = 'dbug'",
        "demo.toml:2:9: `tool.wheelsmith.strip`: unknown value `dbug`\n    did you mean `debug`?",
    );
    check(
        "targets = ['x86_64-linux-gnu']",
        "demo.toml:2:11: `tool.wheelsmith.targets`: `x86_64-linux-gnu` is not a target (a \
         triple of the target table, such as `aarch64-unknown-linux-gnu` or, with a libc floor, \
         `aarch64-unknown-linux-gnu.2.28`); did you mean `x86_64-unknown-linux-gnu`?",
    );
    check(
        "glibc = 2.17",
        "demo.toml:2:9: `tool.wheelsmith.glibc`: invalid type: floating point `2.17`, expected a \
         string",
    );
    check(
        "targets = ['x86_64-unknown-linux-gnu', 'x86_64-unknown-linux-gnu.2.28']",
        "demo.toml:2:40: `tool.wheelsmith.targets[1]`: `x86_64-unknown-linux-gnu` is listed twice",
    );
    check(
        "[tool.wheelsmith.target.x86_64-unknown-linux-gun]",
        "demo.toml:2:25: `tool.wheelsmith.target.\"x86_64-unknown-linux-gun\"`: \
         `x86_64-unknown-linux-gun` is not a known target\n    \
         did you mean `x86_64-unknown-linux-gnu`?",
    );
    check(
        "[tool.wheelsmith.target.universal2-apple-darwin]\nmacos-min = '10.13'\ntoolchain = 'zig'",
        "demo.toml:4:1: `tool.wheelsmith.target.\"universal2-apple-darwin\".toolchain`: \
         `universal2-apple-darwin` is made of other targets, each of which is compiled\n    \
         set it for `x86_64-apple-darwin` and `aarch64-apple-darwin`",
    );
    check(
        "= 3",
        "demo.toml:2:1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`",
    );
}

#[test]
fn components_are_checked() {
    let component = |body: &str, expected: &str| {
        let body = format!("{LIB}{body}").replace("[[component", "[[tool.wheelsmith.component");
        check(&body, expected);
    };
    let sources = "[[component.sources]]\nfiles = ['*.c']\n";
    component(sources, "");
    component(
        "",
        "demo.toml:2:1: `tool.wheelsmith.component[0]`: `sources` is missing\n    list the \
         sources: `[[tool.wheelsmith.component.sources]]` with `files`",
    );
    component(
        &format!("manifest = 'Cargo.toml'\n{sources}"),
        "demo.toml:5:1: `tool.wheelsmith.component[0].manifest`: components of kind `c-shared` \
         do not have this key\n    it belongs to: cargo",
    );
    component(
        &format!("link = ['a', 'bee']\n{sources}"),
        "demo.toml:5:1: `tool.wheelsmith.component[0].link`: components link to each other in a \
         cycle: `a` -> `a`\n    remove one of these links\n\
         demo.toml:5:14: `tool.wheelsmith.component[0].link[1]`: there is no component `bee`",
    );
    component(
        &format!(
            "link = ['b']\n{sources}[[component]]\nname = 'b'\nkind = 'c-static'\nlink = ['c']\n\
             {sources}[[component]]\nname = 'c'\nkind = 'c-static'\nlink = ['b']\n{sources}"
        ),
        "demo.toml:5:1: `tool.wheelsmith.component[0].link`: components link to each other in a \
         cycle: `b` -> `c` -> `b`\n    remove one of these links",
    );
    component(
        &format!("source = {{ archive = 'https://example.org/a.tar.gz' }}\n{sources}"),
        "demo.toml:5:1: `tool.wheelsmith.component[0].source`: `sha256` is missing\n    downloads \
         must be pinned",
    );
    component(
        &format!("source = {{ path = 'a', crate = 'b' }}\n{sources}"),
        "demo.toml:5:1: `tool.wheelsmith.component[0].source`: give exactly one of `path`, \
         `archive`, `crate`, `git` and `sdist`",
    );
    let source = |inner: &str, expected: &str| {
        component(&format!("source = {{ {inner} }}\n{sources}"), expected);
    };
    let id = "0a".repeat(20);
    source(&format!("git = 'https://a.example/x', rev = '{id}', submodules = false"), "");
    source(&format!("git = '../x', rev = '{id}'"), "");
    source("sdist = 'lz4', version = '4.4.5'", "");
    source(
        "git = '../x', rev = 'v1.2'",
        "demo.toml:5:26: `tool.wheelsmith.component[0].source.rev`: `v1.2` is a name, which can move \
         to another commit\n    write the full id of the commit: `git ls-remote ../x 'v1.2^{}' v1.2` \
         prints it for a tag or branch, `git rev-parse v1.2` in a clone for a short id",
    );
    source(
        "git = 'http://a.example/x', rev = 'x'",
        "demo.toml:5:12: `tool.wheelsmith.component[0].source.git`: `http` is not used for sources: \
         use https, ssh or file",
    );
    source(
        "sdist = '../lz4', version = '1'",
        "demo.toml:5:12: `tool.wheelsmith.component[0].source.sdist`: `../lz4` is not a name or \
         version of one package",
    );
    source(
        "sdist = 'lz4'",
        "demo.toml:5:1: `tool.wheelsmith.component[0].source`: `version` is missing\n    such as `{ \
         sdist = \"lz4\", version = \"4.4.5\" }`",
    );
    source(
        "path = 'a', rev = 'x', version = '1'",
        "demo.toml:5:24: `tool.wheelsmith.component[0].source.rev`: this key belongs to a source \
         with `git`\ndemo.toml:5:35: `tool.wheelsmith.component[0].source.version`: this key belongs \
         to a source with `crate` or `sdist`",
    );
    component(
        "[[component.sources]]\nfiles = ['/usr/src/*.c']\n",
        "demo.toml:6:9: `tool.wheelsmith.component[0].sources[0].files`: `/usr/src/*.c` is not \
         a relative path with `/` between its parts",
    );
    component(
        "[[component.sources]]\nfiles = ['*.c']\ndefine = { A = [] }\n",
        "demo.toml:7:16: `tool.wheelsmith.component[0].sources[0].define.A`: invalid type: \
         sequence, expected `true`, `false`, a number or a text",
    );
}

#[test]
fn recipes_are_checked() {
    let outputs = "outputs = [{ from = 'lib/liba.a', role = 'static-library' }]\n";
    let recipe = |kind: &str, body: &str, expected: &str| {
        let body = format!("[[tool.wheelsmith.component]]\nname = 'a'\nkind = '{kind}'\n{body}");
        check(&format!("{body}{outputs}"), expected);
    };
    recipe("cmake", "configure = ['-DX={needs}/usr', '${HOME}', '{a,b}']\nneeds = []\n", "");
    recipe(
        "make",
        "install = []\n",
        "demo.toml:6:14: `tool.wheelsmith.component[0].outputs[0].from`: the \
         component installs no files from which outputs could be taken\n    write `{build}/lib/liba.a`",
    );
    recipe(
        "autotools",
        "configure = ['--with-x={prefxi}']\n",
        "demo.toml:5:14: `tool.wheelsmith.component[0].configure[0]`: `{prefxi}` is not a \
         placeholder\n    did you mean `prefix`?",
    );
    recipe(
        "make",
        "configure = ['x']\nrun = [['x']]\n",
        "demo.toml:5:1: `tool.wheelsmith.component[0].configure`: components of kind `make` do not \
         have this key\n    it belongs to: cmake, autotools, meson\n\
         demo.toml:6:1: `tool.wheelsmith.component[0].run`: components of kind `make` do not have \
         this key\n    it belongs to: command",
    );
    recipe("command", "run = [['./b', '{stage}']]\n", "");
    recipe("command", "shell = true\nrun = ['for x in {a}; do :; done']\n", "");
    recipe(
        "command",
        "run = ['make all']\n",
        "demo.toml:5:8: `tool.wheelsmith.component[0].run[0]`: a command line needs `shell = true`\n    write a \
         list of words, or add `shell = true`",
    );
    recipe(
        "command",
        "",
        "demo.toml:2:1: `tool.wheelsmith.component[0]`: `run` is missing\n    such as `run = \
         [[\"./build.sh\", \"--prefix={stage}{prefix}\"]]`",
    );
    recipe(
        "meson",
        "prefix = 'usr'\nneeds = ['b']\n",
        "demo.toml:5:1: `tool.wheelsmith.component[0].prefix`: `usr` cannot be an installation \
         prefix\n    an absolute path on the machine that it will run on, such as `/usr`\n\
         demo.toml:6:10: `tool.wheelsmith.component[0].needs[0]`: there is no component `b`",
    );
    check(
        "[[tool.wheelsmith.component]]\nname = 'a'\nkind = 'files'\n\
         outputs = [{ from = '{build}/x', role = 'data' }]\n",
        "demo.toml:5:14: `tool.wheelsmith.component[0].outputs[0].from`: `{build}/x` has no \
         effect: this component builds nothing",
    );
}

#[test]
fn libraries_are_looked_for_where_they_may_come_from() {
    let wheel = |body: &str| format!("[project]\nname = 'demo'\n[[tool.wheelsmith.wheel]]\n{body}");
    let denied = parse("demo.toml", &wheel("library-path = ['deps']\n")).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "demo.toml:4:1: `tool.wheelsmith.wheel[0].library-path`: `library-path` has no effect, since \
         external libraries are denied\n    add `external = \"bundle\"` to copy libraries from there \
         into the wheel"
    );
    let text = "external = 'bundle'\nlibrary-path = ['all']\n\
                [tool.wheelsmith.target.s390x-unknown-linux-gnu]\nlibrary-path = ['own']\n";
    let config = parse("demo.toml", &wheel(text)).unwrap();
    let dirs = |target: &str| config.library_path(&config.wheels[0], target.parse().unwrap());
    assert_eq!(dirs("s390x-unknown-linux-gnu"), ["own", "all"]);
    assert_eq!(dirs("x86_64-unknown-linux-gnu"), ["all"]);
}

#[test]
fn sdks_are_checked() {
    let lib = "[[tool.wheelsmith.component]]\nname = 'codec'\nkind = 'c-library'\n\
               soname = 'libcodec.so.1'\nframeworks = ['Security']\n\
               [[tool.wheelsmith.component.sources]]\nfiles = ['*.c']\n";
    let sdk = |body: &str, expected: &str| {
        check(&format!("[[tool.wheelsmith.sdk]]\n{body}{lib}"), expected);
    };
    sdk("", "");
    sdk("name = 'codec-dev'\ncomponents = ['codec']\n", "");
    sdk(
        "components = ['codex']\n",
        "demo.toml:3:15: `tool.wheelsmith.sdk[0].components[0]`: there is no component `codex`\n    \
         did you mean `codec`?",
    );
    sdk(
        "name = '../x'\n",
        "demo.toml:3:1: `tool.wheelsmith.sdk[0].name`: `../x` cannot be part of a file name\n    use \
         letters, digits, `-`, `_`, `.` and `+`",
    );
    sdk(
        "[[tool.wheelsmith.sdk]]\n",
        "demo.toml:3:1: `tool.wheelsmith.sdk[1]`: another SDK has the same name\n    give each \
         a `name` of its own",
    );
    let wheels = |line: &str| {
        let text = format!("[project]\nname = 'a'\nversion = '1'\n[tool.wheelsmith]\n{line}");
        parse("demo.toml", &text).unwrap().wheels.len()
    };
    assert_eq!((wheels(""), wheels("wheel = []\n")), (1, 0));
}

#[test]
fn what_lies_beside_the_packages_is_checked() {
    let wheel = |body: &str| {
        parse("demo.toml", &format!("[project]\nname = 'demo'\n[[tool.wheelsmith.wheel]]\n{body}"))
    };
    let check = |body: &str, expected: &str| {
        assert_eq!(wheel(body).unwrap_err().to_string(), expected, "for:\n{body}");
    };
    check(
        "data = { scrpts = ['x'] }",
        "demo.toml:4:10: `tool.wheelsmith.wheel[0].data.scrpts`: unknown key `scrpts`\n    did you \
         mean `scripts`?",
    );
    check(
        "data.scripts = [{ from = 'x', to = 'y' }]",
        "demo.toml:4:31: `tool.wheelsmith.wheel[0].data.scripts[0].to`: installers refuse \
         directories below `scripts`\n    leave `to` out: installers put all commands into one directory",
    );
    check(
        "data.headers = ['/usr/include/*.h']",
        "demo.toml:4:17: `tool.wheelsmith.wheel[0].data.headers[0]`: `/usr/include/*.h` is not a \
         relative path with `/` between its parts",
    );
    check(
        "data.data = [3]",
        "demo.toml:4:14: `tool.wheelsmith.wheel[0].data.data[0]`: invalid type: integer `3`, \
         expected a glob, or a table with `from` and `to`",
    );
    let config =
        wheel("data.headers = ['include/*.h', { from = 'x/*', to = 'y' }]\ndata.scripts = ['run']");
    let data = &config.unwrap().wheels[0].data;
    let shown = |files: &DataFiles| {
        let to = files.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        format!("{} {}{to}", files.scheme.as_str(), files.from)
    };
    let shown: Vec<String> = data.iter().map(shown).collect();
    assert_eq!(shown, ["scripts run", "headers include/*.h", "headers x/* to y"]);
}

#[test]
fn links_decide_the_order() {
    let text = "[project]\nname = 'Demo-Pkg'\nversion = '1'\n\
                [[tool.wheelsmith.component]]\nname = 'app'\nkind = 'cargo'\nlink = ['lib']\n\
                artifacts = [{ bin = 'app' }]\n\
                [[tool.wheelsmith.component]]\nname = 'lib'\nkind = 'files'\n\
                outputs = [{ from = 'x', role = 'data' }]\n";
    let config = parse("demo.toml", text).unwrap();
    let names: Vec<&str> = config.components.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["lib", "app"]);
    let [wheel] = &config.wheels[..] else { panic!("one wheel") };
    assert_eq!(wheel.components, ["lib", "app"]);
    assert_eq!(wheel.into.as_str(), "demo_pkg/_runtime");
    assert_eq!(wheel.tag.to_string(), "py3-none");
}

#[test]
fn tests_of_wheels_are_checked() {
    let test = |line: &str, expected: &str| {
        check(&format!("[tool.wheelsmith.test]\n{line}"), expected);
    };
    test("python = ['3.12', '3.13t', './python']\ninstall = ['venv', 'user']", "");
    test("smoke = ['demo --version', \"python -c 'import demo'\"]", "");
    test(
        "python = ['3.x']",
        "demo.toml:3:10: `tool.wheelsmith.test.python`: `3.x` is not a Python (such as `3.12`, \
         `3.13t` or a path)",
    );
    test(
        "smoke = ['demo', \"'\"]",
        "demo.toml:3:18: `tool.wheelsmith.test.smoke[1]`: no command: a quote is not closed",
    );
    test(
        "install = []",
        "demo.toml:3:1: `tool.wheelsmith.test.install`: no installation scheme is listed\n    one of `venv`, \
         `target`, `user`, `prefix`",
    );
    test(
        "comand = 'x'",
        "demo.toml:3:1: `tool.wheelsmith.test.comand`: unknown key `comand`\n    did you mean \
         `command`?",
    );
}

#[test]
fn the_most_specific_floor_wins() {
    let text = "[tool.wheelsmith]\nglibc = '2.28'\nmacos-min = '12.0'\n\
                [tool.wheelsmith.target.s390x-unknown-linux-gnu]\nglibc = '2.34'\n";
    let config = parse("demo.toml", text).unwrap();
    let tag = |target: &str| config.with_floor(target.parse().unwrap()).wanted_tag().to_string();
    assert_eq!(tag("x86_64-unknown-linux-gnu"), "manylinux_2_28_x86_64");
    assert_eq!(tag("s390x-unknown-linux-gnu"), "manylinux_2_34_s390x");
    assert_eq!(tag("s390x-unknown-linux-gnu.2.17"), "manylinux_2_17_s390x");
    assert_eq!(tag("aarch64-apple-darwin"), "macosx_12_0_arm64");
    assert_eq!(tag("x86_64-unknown-linux-musl"), "musllinux_1_2_x86_64");
}
