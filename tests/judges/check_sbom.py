"""Checks the list of parts in a wheel: by CycloneDX's own schema, and that it holds what is named.

    check_sbom.py WHEEL [REFERENCE-OR-PURL]...
"""

import json
import sys
import zipfile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main(wheel, *wanted):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/sboms/" in name]
        assert len(names) == 1 and names[0].endswith("/wheelsmith.cdx.json"), names
        text = archive.read(names[0]).decode()
        files = set(archive.namelist())
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error
    document = json.loads(text)
    parts = document["components"]
    known = {part["bom-ref"] for part in parts} | {document["metadata"]["component"]["bom-ref"]}
    for dependency in document["dependencies"]:
        missing = {dependency["ref"], *dependency["dependsOn"]} - known
        assert not missing, missing
    for part in parts:
        for place in part.get("evidence", {}).get("occurrences", []):
            assert place["location"] in files, place
    said = known | {part.get("purl") for part in parts}
    assert set(wanted) <= said, (sorted(set(wanted) - said), sorted(filter(None, said)))


main(*sys.argv[1:])
