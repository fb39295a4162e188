"""Holds documents to the JSON Schemas that ship with the harness."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from harness.documents import json_schemas


def faults(name: str, document: Any) -> list[str]:
    """What a document has that its schema does not say, each with its place; [] for none."""
    plain = json.loads(json.dumps(document, allow_nan=False))
    found = Draft202012Validator(json_schemas.schema(name)).iter_errors(plain)
    return [f"{it.json_path}: {it.message:.200}" for it in found]
