#!/usr/bin/env python3
"""Judge wheels without any of our code: `check_wheel.py WHEEL...`.

Reads local headers, central directory and end records byte by byte (not with `zipfile`), inflates
with `zlib`, and compares what it finds with the rules of the zip, wheel, RECORD and core metadata
specifications. Prints one line for each broken rule; exit code 1 when there is any. Needs nothing
but the standard library of Python 3.8 or newer.

It judges wheels as wheelsmith writes them, which is stricter than what installers take: no extra
fields, no directory entries, one time for all entries, `.dist-info` at the end.
"""

import base64
import configparser
import csv
import email.parser
import email.policy
import hashlib
import io
import re
import struct
import sys
import unicodedata
import zlib

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END_64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR = struct.Struct("<4sIQI")
FILENAME = re.compile(
    r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.+!]+)(-(?P<build>[0-9][A-Za-z0-9_.]*))?"
    r"-(?P<python>[a-z][a-z0-9_.]*)-(?P<abi>[a-z0-9_.]+)-(?P<platform>[a-z0-9_.]+)\.whl"
)
# Fields of core metadata, by the version that added them.
FIELDS = {
    (1, 0): "metadata-version name version platform summary description keywords home-page author"
    " author-email license",
    (1, 1): "supported-platform download-url classifier",
    (1, 2): "maintainer maintainer-email requires-python requires-external requires-dist"
    " provides-dist obsoletes-dist project-url",
    (2, 1): "description-content-type provides-extra",
    (2, 2): "dynamic",
    (2, 4): "license-expression license-file",
    (2, 5): "import-name import-namespace",
}
ONCE = {"metadata-version", "name", "version", "summary", "description", "keywords", "home-page",
        "author", "author-email", "maintainer", "maintainer-email", "license",
        "license-expression", "requires-python", "description-content-type"}


class Broken(Exception):
    """The frame is so broken that nothing behind it can be judged."""


class Judge:
    def __init__(self, path):
        self.path = path
        self.found = []
        with open(path, "rb") as file:
            self.data = file.read()

    def rule(self, code, holds, text):
        if not holds:
            self.found.append(f"{code} {text}")

    def run(self):
        try:
            files = self.frame()
            self.names(list(files))
            self.wheel(files)
        except Broken as broken:
            self.found.append(str(broken))
        return self.found

    # The frame.

    def take(self, layout, at, magic):
        chunk = self.data[at : at + layout.size]
        if len(chunk) < layout.size or chunk[:4] != magic:
            raise Broken(f"Z4 no {magic!r} record at {at}")
        return layout.unpack(chunk)[1:]

    def end(self):
        at = len(self.data) - END.size
        disk, start_disk, here, count, size, start, comment = self.take(END, at, b"PK\5\6")
        self.rule("Z8", comment == 0, "the archive has a comment")
        self.rule("Z4", disk == start_disk == 0 and here == count, "several disks")
        zip64 = 0xFFFF in (here, count) or 0xFFFFFFFF in (size, start)
        if zip64:
            at -= LOCATOR.size
            disk, end, disks = self.take(LOCATOR, at, b"PK\6\7")
            self.rule("Z4", (disk, disks) == (0, 1), "zip64: several disks")
            fields = self.take(END_64, end, b"PK\6\6")
            length, _, needed, disk, start_disk, here, count, size, start = fields
            self.rule("Z9", length == END_64.size - 12, "zip64: extensible data")
            self.rule("Z4", needed == 45 and disk == start_disk == 0 and here == count, "zip64")
            self.rule("Z4", end + END_64.size == at, "zip64: locator and record are apart")
            at = end
        self.rule("Z4", start + size == at, "bytes between central directory and its end record")
        return start, at, count

    def zip64(self, where, extra, size, packed, start):
        """The three values, those that did not fit taken from the zip64 field."""
        wanted = [value == 0xFFFFFFFF for value in (size, packed, start)]
        values = [size, packed, start]
        if not any(wanted):
            self.rule("Z9", not extra, f"{where}: extra fields that are not needed")
            return values
        if len(extra) < 4 or struct.unpack("<2H", extra[:4]) != (1, len(extra) - 4):
            raise Broken(f"Z9 {where}: not exactly one zip64 field")
        self.rule("Z9", len(extra) == 4 + 8 * sum(wanted), f"{where}: zip64 of another length")
        at = 4
        for i in range(3):
            if wanted[i]:
                (values[i],) = struct.unpack("<Q", extra[at : at + 8])
                at += 8
        return values

    def frame(self):
        """Content by name, in the order of the archive; every header compared with its twin."""
        at, end, count = self.end()
        central_start = at
        expected = 0
        files, times = {}, set()
        for _ in range(count):
            (made, needed, flags, method, time, date, crc, packed, size, name_len, extra_len,
             comment_len, disk, internal, external, start) = self.take(CENTRAL, at, b"PK\1\2")
            at += CENTRAL.size
            raw = self.data[at : at + name_len]
            extra = self.data[at + name_len : at + name_len + extra_len]
            at += name_len + extra_len + comment_len
            name = self.name(raw, flags)
            size, packed, start = self.zip64(name, extra, size, packed, start)
            self.rule("Z8", comment_len == 0, f"{name}: a comment")
            self.rule("Z4", disk == 0 and internal == 0, f"{name}: odd attributes")
            self.rule("Z3", name not in files, f"{name}: there twice")
            self.rule("Z13", not name.endswith("/"), f"{name}: a directory entry")
            self.rule("Z14", made >> 8 == 3, f"{name}: not made on unix")
            mode = external >> 16
            self.rule("Z14", mode in (0o100644, 0o100755), f"{name}: mode {mode:o}")
            self.rule("Z14", external & 0xFFFF == 0, f"{name}: DOS attributes")
            self.rule("Z5", method in (0, 8), f"{name}: method {method}")
            self.rule("Z1", not flags & 8, f"{name}: a data descriptor")
            self.rule("Z4", not flags & ~(1 << 11), f"{name}: flags {flags:#x}")
            self.rule("Z4", needed == (45 if extra else 20), f"{name}: needs version {needed}")
            times.add((date, time))

            self.rule("Z2", start == expected, f"{name}: begins at {start}, not {expected}")
            twin = self.take(LOCAL, start, b"PK\3\4")
            begin = start + LOCAL.size
            twin_name = self.data[begin : begin + twin[8]]
            twin_extra = self.data[begin + twin[8] : begin + twin[8] + twin[9]]
            begin += twin[8] + twin[9]
            self.rule("Z4", twin_name == raw, f"{name}: has another name in its local header")
            twin_size, twin_packed, _ = self.zip64(name, twin_extra, twin[7], twin[6], 0)
            same = (flags, method, time, date, crc, packed, size)
            self.rule("Z4", twin[1:6] + (twin_packed, twin_size) == same, f"{name}: headers differ")
            if begin + packed > central_start:
                raise Broken(f"Z4 {name}: runs into the central directory")
            expected = begin + packed
            files[name] = self.content(name, method, self.data[begin:expected], size, crc)
        self.rule("Z2", expected == central_start, "bytes between entries and central directory")
        self.rule("Z4", at == end, "the central directory is longer than its entries")
        self.rule("Z15", len(times) <= 1, f"entries have {len(times)} times")
        unpacked = sum(map(len, files.values()))
        bomb = unpacked > 64 << 20 and unpacked > 50 * len(self.data)
        self.rule("Z10", not bomb, "shrinks so much that indexes take it for a bomb")
        return files

    def name(self, raw, flags):
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Broken(f"Z6 {raw!r}: not UTF-8")
        self.rule("Z6", bool(flags & 1 << 11) == (not raw.isascii()), f"{name}: UTF-8 flag")
        self.rule("Z6", not re.search(r"[\x00-\x1f\x7f]", name), f"{name!r}: control characters")
        parts = name.split("/")
        plain = not {"", ".", ".."} & set(parts) and "\\" not in name
        self.rule("Z7", plain and not re.match(r"[A-Za-z]:", name), f"{name}: not a plain path")
        return name

    def content(self, name, method, data, size, crc):
        if method == 8:
            inflater = zlib.decompressobj(-15)
            try:
                data = inflater.decompress(data, size + 1)
            except zlib.error as error:
                raise Broken(f"Z11 {name}: {error}")
            whole = inflater.eof and not inflater.unused_data and not inflater.unconsumed_tail
            self.rule("Z11", whole, f"{name}: not exactly one deflate stream")
        self.rule("Z4", len(data) == size, f"{name}: {len(data)} bytes, not {size}")
        self.rule("Z11", zlib.crc32(data) == crc, f"{name}: crc")
        return data

    # The layout.

    def names(self, names):
        seen = {}
        for name in names:
            key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
            self.rule("Z12", key not in seen, f"{name} and {seen.get(key)} differ by case only")
            seen[key] = name
        for key, name in seen.items():
            for i in (i for i, c in enumerate(key) if c == "/"):
                self.rule("Z12", key[:i] not in seen, f"{name}: below a file")

    def wheel(self, files):
        basename = re.split(r"[/\\]", self.path)[-1]
        match = FILENAME.fullmatch(basename)
        if not match or not files:
            raise Broken(f"N1 {basename}: not a wheel's name")
        name, version, build = match["name"], match["version"], match["build"]
        normalized = re.sub(r"[-_.]+", "_", name).lower()
        self.rule("N2", name == normalized, f"{name} should be {normalized}")
        for part in ("python", "abi", "platform"):
            tags = match[part].split(".")
            self.rule("N5", tags == sorted(set(tags)), f"{match[part]}: not a sorted set")

        stem = f"{name}-{version}"
        info = f"{stem}.dist-info"
        infos = {n.split("/")[0] for n in files if re.search(r"\.dist-info$", n.split("/")[0], re.I)}
        self.rule("D1", infos == {info}, f"dist-info directories: {sorted(infos)}")
        for file in ("METADATA", "WHEEL", "RECORD"):
            if f"{info}/{file}" not in files:
                raise Broken(f"D2 no {info}/{file}")
        known = {f"{info}/{n}" for n in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
        inside = [n for n in files if n.startswith(info + "/")]
        for extra in set(inside) - known:
            allowed = extra[len(info) + 1 :].startswith(("licenses/", "sboms/"))
            self.rule("D3", allowed, f"{extra}: not a file of a built wheel")
        order = list(files)
        self.rule("Z16", order[-len(inside) :] == inside, "dist-info is not at the end")
        self.rule("Z16", order[-1] == f"{info}/RECORD", "RECORD is not last")
        self.rule("Z15", order[: -len(inside)] == sorted(order[: -len(inside)],
                  key=lambda n: n.encode()), "entries are not sorted")
        self.rule("Z15", inside[:-1] == sorted(inside[:-1]), "dist-info is not sorted")
        for file in files:
            parts = file.split("/")
            if parts[0].lower().endswith(".data"):
                self.rule("D4", parts[0] == f"{stem}.data", f"{file}: another data directory")
                known = {"purelib", "platlib", "headers", "scripts", "data"}
                self.rule("D4", len(parts) > 2 and parts[1] in known, f"{file}: unknown scheme")
                flat = parts[1] != "scripts" or len(parts) == 3
                self.rule("D5", flat, f"{file}: a directory below scripts")

        self.wheel_file(files[f"{info}/WHEEL"], match, build)
        self.record(files, f"{info}/RECORD")
        self.metadata(files, info, normalized, version)
        if f"{info}/entry_points.txt" in files:
            self.entry_points(files[f"{info}/entry_points.txt"])

    def fields(self, code, raw):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Broken(f"{code} not UTF-8")
        self.rule(code, "\r" not in text, "carriage returns")
        message = email.parser.Parser(policy=email.policy.compat32).parsestr(text)
        self.rule(code, not message.defects, f"{message.defects}")
        fields = {}
        for key, value in message.items():
            fields.setdefault(key.lower(), []).append(value)
        return fields, message.get_payload()

    def wheel_file(self, raw, match, build):
        fields, body = self.fields("W1", raw)
        self.rule("W1", not body.strip(), "WHEEL has a body")
        self.rule("W1", fields.get("wheel-version") == ["1.0"], "Wheel-Version")
        self.rule("W1", len(fields.get("generator", [])) == 1, "Generator")
        pure = "true" if match["platform"] == "any" else "false"
        self.rule("D9", fields.get("root-is-purelib") == [pure], "Root-Is-Purelib")
        self.rule("W3", fields.get("build") == (build and [build]), "Build")
        parts = (match[part].split(".") for part in ("python", "abi", "platform"))
        python, abi, platform = parts
        expanded = [f"{p}-{a}-{o}" for p in python for a in abi for o in platform]
        self.rule("W2", fields.get("tag") == sorted(expanded), f"Tag lines: {fields.get('tag')}")

    def record(self, files, path):
        try:
            text = files[path].decode("utf-8")
        except UnicodeDecodeError:
            raise Broken("R6 RECORD: not UTF-8")
        self.rule("R6", "\r" not in text and text.endswith("\n"), "line ends")
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise Broken(f"R5 RECORD: {error}")
        again = io.StringIO(newline="")
        csv.writer(again, lineterminator="\n").writerows(rows)
        self.rule("R5", again.getvalue() == text, "quoting is not that of CSV")
        if any(len(row) != 3 for row in rows):
            raise Broken("R5 rows without three fields")
        self.rule("R1", [row[0] for row in rows] == list(files), "paths are not those there")
        self.rule("R1", rows[-1:] == [[path, "", ""]], "RECORD's own row")
        for name, digest, size in rows[:-1]:
            if name not in files:
                self.rule("R2", False, f"{name}: listed, not there")
                continue
            content = files[name]
            encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            self.rule("R3", digest == "sha256=" + encoded.rstrip("="), f"{name}: {digest}")
            self.rule("R4", size == str(len(content)), f"{name}: {size} bytes")

    def metadata(self, files, info, normalized, version):
        fields, body = self.fields("M1", files[f"{info}/METADATA"])
        one = lambda key: (fields.get(key) or [""])[0]
        for key, values in fields.items():
            self.rule("M1", key not in ONCE or len(values) == 1, f"{key}: several times")
        if not re.fullmatch(r"[0-9]\.[0-9]", one("metadata-version")):
            raise Broken("M1 no Metadata-Version")
        declared = tuple(map(int, one("metadata-version").split(".")))
        used = (1, 0)
        for since, names in FIELDS.items():
            if set(names.split()) & set(fields):
                used = max(used, since)
        known = set(" ".join(FIELDS.values()).split())
        self.rule("M1", set(fields) <= known, f"unknown fields: {set(fields) - known}")
        self.rule("M1", used <= declared, f"{declared} does not have fields of {used}")
        self.rule("M1", declared == max(used, (2, 4)), f"{declared} is newer than needed")
        self.rule("M2", re.sub(r"[-_.]+", "_", one("name")).lower() == normalized, "Name")
        self.rule("M3", one("version") == version, f"Version: {one('version')}")
        both = "license" in fields and "license-expression" in fields
        self.rule("M5", not both, "License and License-Expression")
        classifiers = fields.get("classifier", [])
        old = [c for c in classifiers if c.startswith("License ::")]
        self.rule("M6", not ("license-expression" in fields and old), f"{old}")
        there = [n for n in files if n.startswith(f"{info}/licenses/")]
        listed = [f"{info}/licenses/{n}" for n in fields.get("license-file", [])]
        self.rule("M7", sorted(listed) == there, f"License-File: {listed}, there: {there}")
        for path in there:
            try:
                files[path].decode("utf-8")
            except UnicodeDecodeError:
                self.rule("M7", False, f"{path}: not UTF-8")
        extras = fields.get("provides-extra", [])
        for extra in extras:
            self.rule("M9", re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", extra), f"extra {extra}")
        for needed in fields.get("requires-dist", []):
            self.rule("M9", "@" not in needed.split(";")[0], f"{needed}: a URL")
            asked = re.search(r"extra == '([^']*)'$", needed)
            self.rule("M9", not asked or asked[1] in extras, f"{needed}: no such extra")
        self.rule("M10", len(one("summary")) <= 512, "Summary is long")
        for url in fields.get("project-url", []):
            label, _, link = url.partition(", ")
            good = len(label) <= 32 and re.match(r"https?://[^\s/]", link)
            self.rule("M10", good, f"Project-URL: {url}")
        self.rule("M10", not {"name", "version", "metadata-version"} & set(
            value.lower() for value in fields.get("dynamic", [])), "Dynamic")
        names = fields.get("import-name", []) + fields.get("import-namespace", [])
        names = [n.split(";")[0].strip() for n in names if n]
        for name in names:
            parent = name.rpartition(".")[0]
            self.rule("M8", all(p.isidentifier() for p in name.split(".")), f"import {name}")
            self.rule("M8", not parent or parent in names, f"import {name} without {parent}")
        self.rule("M8", len(set(names)) == len(names), "import names twice")
        typed = "description-content-type" in fields
        self.rule("M10", typed or not body.strip(), "a description without a type")

    def entry_points(self, raw):
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        parser.optionxform = str
        try:
            parser.read_string(raw.decode("utf-8"))
        except (configparser.Error, UnicodeDecodeError) as error:
            self.rule("P1", False, f"entry_points.txt: {error}")
            return
        for group in parser.sections():
            for name, target in parser.items(group):
                if group in ("console_scripts", "gui_scripts"):
                    self.rule("P1", re.fullmatch(r"[\w.-]+", name), f"program {name}")
                    self.rule("P1", ":" in target, f"{name} = {target}: no function")
                module = r"\w+(\.\w+)*"
                form = rf"{module}(\s*:\s*{module})?(\s*\[.*\])?"
                self.rule("P1", re.fullmatch(form, target), f"{name} = {target}")


def main(paths):
    if not paths:
        sys.exit(__doc__)
    bad = 0
    for path in paths:
        found = Judge(path).run()
        bad += bool(found)
        for line in found:
            print(f"{path}: {line}")
        if not found:
            print(f"{path}: good")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
