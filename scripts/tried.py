#!/usr/bin/env python3
"""Builds real projects for two processors, runs the results, and writes docs/reference/tried.md.

    scripts/tried.py [--program WHEELSMITH] [--quick | --page] [NAME…]

    NAME      only these directories of scripts/tried/; all when absent
    --quick   only what CI builds; the results are compared, and not written
    --page    builds nothing: writes the page again from scripts/tried/results.json

Each directory has a wheelsmith.toml, a `check.c` if the project is a library, and `expect`: lines of
a command and, behind ` => `, a text that it must print. Sources are pinned by wheelsmith.lock.
Programs of x86_64 run natively, those of aarch64 under qemu with the root of `scripts/test-env.sh`.
The exit code is 1 when a project could not be built or does not run.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import shlex
import shutil
import subprocess
import sys
import tomllib

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TRIED = REPOSITORY / "scripts" / "tried"
RESULTS = TRIED / "results.json"
PAGE = REPOSITORY / "docs" / "reference" / "tried.md"
QUICK = ("lz4",)
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")

HEAD = """# Projects that were tried

Real projects, built by the configurations in `scripts/tried/` for two processors and run.
`scripts/tried.py` builds them and writes this page; CI builds {quick}.

*Lines* counts the whole configuration, without the check of a library. *Time* is the processor time
of a first build; the toolchain's C library is in its cache from the second project on. *Verdict* is
the platform tag that the files qualify for. *Runs* says how the result ran: `native` for x86_64,
`qemu` for aarch64; `installed` means that the installed wheel ran as well.

| project | source | kind | lines | target | time | verdict | runs |
|---|---|---|---|---|---|---|---|
"""


def lines_of(text: str) -> int:
    """Count the lines of a configuration; the component `check` is no part of it."""
    marker = '[[component]]\nname = "check"'
    own = text.split(marker)[0]
    return sum(1 for line in own.splitlines() if line.strip())


def environment(test_env: pathlib.Path) -> dict[str, str]:
    tools = [test_env / "tools", test_env / "judges" / "bin"]
    path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
    return {**os.environ, "PATH": path}


def run(root: pathlib.Path, target: str, name: str, test_env: pathlib.Path) -> str:
    """Run the commands of a project in its runtime; return how they ran."""
    arch = target.split("-")[0]
    prefix, how = [], "native"
    if arch != platform.machine():
        qemu = test_env / "tools" / f"qemu-{arch}"
        prefix, how = [str(qemu), "-L", str(test_env / "arm64-root")], "qemu"
    for line in (TRIED / name / "expect").read_text().splitlines():
        command, _, expected = line.partition(" => ")
        program, *arguments = shlex.split(command)
        command = [*prefix, str(root / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=TRIED / name, timeout=300, stdin=subprocess.DEVNULL)
        output = done.stdout + done.stderr
        if done.returncode or expected not in output:
            raise RuntimeError(f"{shlex.join(command)}: exit code {done.returncode}\n{output[-2000:]}")
    return how


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def verdict_of(answer: dict) -> str:
    made = answer["targets"][0]
    wheels = made.get("wheels") or []
    if wheels:
        name = pathlib.PurePath(wheels[0]["file"]["path"]).name
        return name.removesuffix(".whl").split("-")[-1].split(".")[-1]
    return ""


def install(project: pathlib.Path, target: str, program: str, env: dict, test_env: pathlib.Path) -> None:
    """Install the wheel into a fresh environment and run its smoke commands there."""
    wheels = sorted((project / "dist").glob(f"*{target.split('-')[0]}.whl"))
    command = [program, "test", "--quiet", "--install", "venv", *map(str, wheels)]
    if target.startswith(platform.machine()):
        command += ["--python", f"{sys.version_info.major}.{sys.version_info.minor}"]
    else:
        command += ["--root", str(test_env / "arm64-root")]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)}: exit code {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}")


def build(name: str, target: str, program: str, work: pathlib.Path, test_env: pathlib.Path) -> dict:
    project = work / name
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(TRIED / name, project)
    env = environment(test_env) | {"WHEELSMITH_CACHE_DIR": str(work / "cache")}
    rustc = test_env / "tools" / f"rustc-{target.split('-')[0]}"
    if rustc.exists():
        # rustup's toolchain of the machine lacks the standard library of this target.
        env["RUSTC"] = str(rustc)
    fetch = [program, "fetch", "--quiet", str(project)]
    subprocess.run(fetch, check=True, env=env, stdout=subprocess.DEVNULL)
    shutil.copy(project / "wheelsmith.lock", TRIED / name / "wheelsmith.lock")
    start = cpu_seconds()
    command = [program, "build", "--quiet", "--format", "json", "--target", target, str(project)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True)
    seconds = cpu_seconds() - start
    if done.returncode:
        raise RuntimeError(f"the build ended with exit code {done.returncode}\n{done.stdout[-2000:]}")
    answer = json.loads(done.stdout)
    (project / f"{target}.json").write_text(done.stdout)
    root = project / "target" / "wheelsmith" / target / "runtime"
    if not root.is_dir():
        root = next((project / "target" / "wheelsmith").glob(f"*{target}*/runtime"))
    how = run(root, target, name, test_env)
    if "smoke" in (project / "wheelsmith.toml").read_text():
        install(project, target, program, env, test_env)
        how += ", installed"
    return {"seconds": round(seconds, 1), "verdict": verdict_of(answer), "runs": how}


def page(results: dict) -> str:
    quick = " and ".join(QUICK)
    text = HEAD.format(quick=quick)
    for name in sorted(results):
        config = (TRIED / name / "wheelsmith.toml").read_text()
        component = tomllib.loads(config)["component"][0]
        kind, source = component["kind"], component["source"]
        source = " ".join([next(iter(source)), *source.values()])
        for target, row in results[name].items():
            cells = [name, source, kind, lines_of(config), target.split("-")[0], f"{row['seconds']} s"]
            cells += [row["verdict"], row["runs"]]
            text += "| " + " | ".join(map(str, cells)) + " |\n"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="wheelsmith; built when absent")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    test_env = pathlib.Path(os.environ.get("WHEELSMITH_TEST_ENV", REPOSITORY / "target" / "test-env"))
    target_dir = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()
    program = args.program
    if program is None and not args.page:
        # As the tests are built, so that nothing is compiled for this alone.
        command = ["cargo", "build", "--locked", "--quiet", "--workspace", "--all-features"]
        subprocess.run(command, cwd=REPOSITORY, check=True)
        program = str(target_dir / "debug" / "wheelsmith")
    work = target_dir / "tried"
    work.mkdir(parents=True, exist_ok=True)
    names = args.names or sorted(path.parent.name for path in TRIED.glob("*/wheelsmith.toml"))
    if args.quick:
        names = list(QUICK)
        missing = [path.parent.name for path in TRIED.glob("*/wheelsmith.toml") if path.parent.name not in results]
        if missing or PAGE.read_text() != page(results):
            print(f"docs/reference/tried.md is not current: run scripts/tried.py {' '.join(missing)}", file=sys.stderr)
            return 1
    failed = 0
    for name in [] if args.page else names:
        for target in TARGETS:
            try:
                row = build(name, target, program, work, test_env)
            except (RuntimeError, subprocess.SubprocessError, StopIteration) as error:
                print(f"{name} {target}: {error}", file=sys.stderr, flush=True)
                failed += 1
                continue
            print(name, target, row, flush=True)
            if args.quick:
                if row["verdict"] != results[name][target]["verdict"]:
                    print(f"{name} {target}: the verdict was {results[name][target]['verdict']}", file=sys.stderr)
                    failed += 1
                continue
            results.setdefault(name, {})[target] = row
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
            PAGE.write_text(page(results))
    if args.page:
        PAGE.write_text(page(results))
    print(f"{len(names) * len(TARGETS) - failed} passed, {failed} failed" if not args.page else "written")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
