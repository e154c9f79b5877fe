#!/usr/bin/env python3
"""Makes the table of the libraries of Windows from those of an installed delvewheel.

    scripts/windows-libraries.py            write wheelsmith-core/src/policy/data/windows.json
    scripts/windows-libraries.py --check    fail if the file is not current

delvewheel lists, for each processor, the libraries on the installation media of Windows 7 (arm64: 10) to
11. The table has those of every processor. Libraries of one processor only are services, drivers and
leftovers, whose names wheels may use for their own libraries. Needs `pip install delvewheel==1.13.*`.
"""

import json
import pathlib
import sys
import textwrap

from delvewheel import _dll_list as theirs

OURS = pathlib.Path(__file__).parent.parent / "wheelsmith-core" / "src" / "policy" / "data"

ABOUT = (
    "Made by scripts/windows-libraries.py. What is on every desktop Windows from 10 on, on each "
    "processor, and what comes with Visual C++ or Python. Names in small letters."
)
PREFIXES = ["api-ms-win-", "ext-ms-onecore-", "ext-ms-win-"]
# On Windows 10 and 11, but not on 7, or not among the files of the arm64 discs, or no .dll.
SINCE_10 = """
    avicap32.dll avifil32.dll bluetoothapis.dll bthprops.cpl combase.dll coremessaging.dll d3d12.dll
    d3dcompiler_47.dll dciman32.dll dcomp.dll dpapi.dll dxcore.dll gdi32full.dll gdiplus.dll
    glu32.dll mfcore.dll mfsrcsnk.dll mi.dll mscoree.dll msvcp_win.dll msvfw32.dll ntasn1.dll
    opengl32.dll shcore.dll tokenbinding.dll twinapi.appcore.dll ucrtbase.dll webauthn.dll
    websocket.dll win32u.dll windows.storage.dll wintypes.dll wmvcore.dll wofutil.dll wsclient.dll
    xaudio2_9.dll xinput1_4.dll
""".split()
C_RUNTIME = """
    concrt140.dll
    mfc80.dll mfc80u.dll mfc90.dll mfc90u.dll mfc100.dll mfc100u.dll mfc110.dll mfc110u.dll
    mfc120.dll mfc120u.dll mfc140.dll mfc140u.dll mfcm140.dll mfcm140u.dll
    msvcp80.dll msvcp90.dll msvcp100.dll msvcp110.dll msvcp120.dll
    msvcp140.dll msvcp140_1.dll msvcp140_2.dll msvcp140_atomic_wait.dll msvcp140_codecvt_ids.dll
    msvcr80.dll msvcr90.dll msvcr100.dll msvcr110.dll msvcr120.dll
    vcamp140.dll vccorlib140.dll vcomp90.dll vcomp100.dll vcomp110.dll vcomp120.dll vcomp140.dll
    vcruntime140.dll vcruntime140_1.dll vcruntime140_threads.dll
""".split()
C_RUNTIME_OF_PYTHON = ["vcruntime140.dll", "vcruntime140_1.dll"]


def table():
    everywhere = theirs.ignore_names_x86 & theirs.ignore_names_x64 & theirs.ignore_names_arm64
    return {
        "about": ABOUT,
        "system_prefixes": PREFIXES,
        "system": sorted((everywhere | set(SINCE_10)) - set(C_RUNTIME)),
        "c_runtime": sorted(C_RUNTIME),
        "c_runtime_of_python": C_RUNTIME_OF_PYTHON,
    }


def text(value):
    """A name needs no line of its own."""
    if isinstance(value, str):
        return json.dumps(value)
    names = ", ".join(json.dumps(name) for name in value)
    if len(names) < 80:
        return f"[{names}]"
    indent = " " * 4
    lines = textwrap.wrap(names, 96, initial_indent=indent, subsequent_indent=indent)
    return "[\n" + "\n".join(lines) + "\n  ]"


def main():
    rows = [f"  {json.dumps(key)}: {text(value)}" for key, value in table().items()]
    wanted = "{\n" + ",\n".join(rows) + "\n}\n"
    path = OURS / "windows.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(wanted)
    elif path.read_text() != wanted:
        sys.exit(f"{path} is not what {pathlib.Path(__file__).name} would write")


main()
