"""Starts children of a foreign Python the way that Python itself was started.

The kernel of the machine that tests cannot run foreign programs by itself. Made by wheelsmith; it is
in no wheel.
"""

import os
import sys

_RUNNER = os.environ["WHEELSMITH_RUNNER"].split("\n")
_HOMES = [os.path.realpath(path) + os.sep for path in os.environ["WHEELSMITH_FOREIGN"].split(os.pathsep)]


def _head(path):
    try:
        with open(path, "rb") as file:
            return file.read(256)
    except OSError:
        return b""


_MACHINE = _head(os.path.realpath(sys.executable))[18:20]


def _foreign(path, head):
    path = os.path.realpath(path)
    return head[:4] == b"\x7fELF" and head[18:20] == _MACHINE and any(map(path.startswith, _HOMES))


def _words(path, argv):
    """The program and the arguments that start `path` with `argv` here."""
    path, argv = os.fsdecode(path), [os.fsdecode(word) for word in argv]
    head = _head(path)
    if _foreign(path, head):
        return _RUNNER[0], _RUNNER + [path] + argv[1:]
    if head[:2] == b"#!":
        line = os.fsdecode(head[2:].split(b"\n")[0]).strip().split(None, 1)
        if line and _foreign(line[0], _head(line[0])):
            return _RUNNER[0], _RUNNER + line + [path] + argv[1:]
    return path, argv


def _patch():
    execv, execve = os.execv, os.execve
    os.execv = lambda path, argv: execv(*_words(path, argv))
    os.execve = lambda path, argv, env: execve(*_words(path, argv), env)
    if hasattr(os, "posix_spawn"):
        spawn = os.posix_spawn
        os.posix_spawn = lambda path, argv, *rest, **more: spawn(*_words(path, argv), *rest, **more)
    import _posixsubprocess
    import subprocess

    fork_exec = _posixsubprocess.fork_exec

    def start(argv, programs, *rest):
        programs = list(programs)
        found = [program for program in programs if os.path.isfile(program)]
        if found:
            program, argv = _words(found[0], argv)
            programs, argv = [os.fsencode(program)], [os.fsencode(word) for word in argv]
        return fork_exec(argv, programs, *rest)

    _posixsubprocess.fork_exec = start
    if hasattr(subprocess, "_fork_exec"):
        subprocess._fork_exec = start


_patch()
