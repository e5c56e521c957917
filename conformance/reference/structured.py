"""``response_format``: the JSON text that the model is made to write."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.reference.instances import instance

__all__ = ["plan_document"]


def plan_document(
    response_format: Mapping[str, Any] | None, words: Sequence[str], dice: random.Random
) -> str | None:
    """The document to write; ``None``: free text."""
    match response_format:
        case {"type": "json_object"}:
            return json.dumps({"answer": " ".join(words), "sure": True}, ensure_ascii=False)
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return json.dumps(instance(schema, words, dice), ensure_ascii=False)
        case {"type": "json_schema"}:
            return json.dumps({"answer": " ".join(words)}, ensure_ascii=False)
        case _:
            return None
