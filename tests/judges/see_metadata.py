"""Judgements of other tools on the metadata of wheels: `see_metadata.py DIRECTORY`, with a wheel in each
directory below it.

Prints JSON: directory -> judge -> reason of a refusal, or null. `index` is `packaging.metadata` and the
rules that the public index adds to it at upload; `pip` is the metadata reader of pip; `uv` installs the
wheel without its requirements. A judge that cannot run is left out."""

import contextlib
import email.utils
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packaging.metadata import Metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

try:
    import email_validator
except ImportError:
    email_validator = None

os.environ.update(UV_OFFLINE="1", UV_NO_INDEX="1", UV_NO_CONFIG="1")
BIN = Path(sys.executable).parent
VERSIONS = {"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"}


def is_url(text):
    from rfc3986 import exceptions, uri_reference, validators

    uri = uri_reference(text).normalize()
    validator = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri)
    except exceptions.ValidationError:
        return False
    return True


def address(text):
    _, found = email.utils.parseaddr(text)
    if found:
        email_validator.validate_email(found, check_deliverability=False)


def index(wheel):
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        stem = "-".join(wheel.name.split("-")[:2])
        names = archive.namelist()
        text = archive.read(stem + ".dist-info/METADATA")
    try:
        meta = Metadata.from_email(text)
    except ExceptionGroup as group:
        return "; ".join(str(error) for error in group.exceptions)
    if meta.metadata_version not in VERSIONS:
        return "metadata version"
    if meta.version.local:
        return "local version"
    if canonicalize_name(meta.name) != name or meta.version != version:
        return "name or version of the file"
    if len(meta.summary or "") > 512:
        return "long summary"
    for field in meta.author_email, meta.maintainer_email:
        if field is not None:
            if email_validator is None:
                raise LookupError
            try:
                address(field)
            except email_validator.EmailNotValidError as error:
                return str(error)
    for url in meta.home_page, meta.download_url:
        if url not in (None, "", "UNKNOWN") and not is_url(url):
            return "url"
    for label, url in (meta.project_urls or {}).items():
        if not label or len(label) > 32 or not url or not is_url(url):
            return "project url"
    for text in (meta.provides_dist or []) + (meta.obsoletes_dist or []):
        try:
            if Requirement(text).url:
                return "direct reference"
        except InvalidRequirement as error:
            return str(error)
    if any(requirement.url for requirement in meta.requires_dist or []):
        return "direct reference"
    if meta.license and meta.license_expression:
        return "two licences"
    for path in meta.license_files or []:
        if "{}.dist-info/licenses/{}".format(stem, path) not in names:
            return "licence file"
    return None


def pip(wheel):
    from pip._internal.metadata import FilesystemWheel, select_backend

    name = wheel.name.split("-")[0]
    found = select_backend().Distribution.from_wheel(FilesystemWheel(str(wheel)), name)
    found.version, list(found.iter_dependencies()), found.requires_python
    if found.canonical_name != canonicalize_name(name):
        return "another name"
    return None


def uv(wheel):
    words = [str(BIN / "uv"), "pip", "install", "--no-deps", "--quiet", "--python", sys.executable]
    with tempfile.TemporaryDirectory() as place:
        run = subprocess.run(words + ["--target", place, wheel], capture_output=True, text=True)
    if "requires a different Python" in run.stderr or "Requires-Python" in run.stderr:
        return None
    return run.stderr or "refused" if run.returncode else None


def main():
    answers = {}
    for wheel in sorted(Path(sys.argv[1]).glob("*/*.whl")):
        own = answers[wheel.parent.name] = {}
        for judge in index, pip, uv:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    own[judge.__name__] = judge(wheel)
            except LookupError as error:
                if judge is not index or type(error) is not LookupError:
                    own[judge.__name__] = repr(error)
            except Exception as error:
                own[judge.__name__] = repr(error)
    json.dump(answers, sys.stdout)


main()
