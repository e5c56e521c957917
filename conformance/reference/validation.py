"""From a JSON body to a checked set of parameters: faults in the order real OpenAI finds them.

Model, presence of messages, unknown keys, field values in the order of the table, and last what
concerns several fields. Null is the same as leaving an optional parameter out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from conformance.reference.errors import APIError, invalid_type, shown
from conformance.reference.parameters import CHAT, COMPLETIONS
from conformance.reference.rules import missing

__all__ = ["PARAMETERS", "Validator", "parse_object"]

#: Endpoint → its table.
PARAMETERS = {"chat": CHAT, "completions": COMPLETIONS}

_NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using "
    "your HTTP library correctly. The API expects a JSON payload, but what was sent was not valid "
    "JSON.)"
)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``, or 400; RFC 8259 strictly: UTF-8, no NaN, no Infinity."""
    try:
        body = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise APIError(400, _NOT_JSON) from None
    if not isinstance(body, dict):
        raise APIError(400, _NOT_JSON)
    return body


class Validator:
    """Checks bodies against the tables."""

    def __init__(self, models: Collection[str], withdrawn: Collection[str] = ()) -> None:
        self.models, self.withdrawn = models, withdrawn

    def check(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The given parameters, normalised, without nulls; 400 or 404 for the first fault."""
        self.check_model(body.get("model"))
        self.check_required(endpoint, body)
        self.check_names(endpoint, body)
        values = self.check_values(endpoint, body)
        self.check_together(endpoint, values)
        return values

    def check_model(self, model: Any) -> None:
        """400 for no model, 404 for one that is not served."""
        if model is None or model == "":
            raise APIError(400, "you must provide a model parameter", param="model")
        if not isinstance(model, str):
            raise invalid_type("model", "a string", model)
        if model not in self.models:
            raise unknown_model(model)

    def check_required(self, endpoint: str, body: Mapping[str, Any]) -> None:
        """400 for a missing ``messages`` or ``prompt``."""
        name = "messages" if endpoint == "chat" else "prompt"
        if name not in body or (endpoint == "chat" and body[name] is None):
            raise missing(name)

    def check_names(self, endpoint: str, body: Mapping[str, Any]) -> None:
        """400 for a key that no table has, or that this deployment withdrew."""
        for name in body:
            if name != "model" and name not in PARAMETERS[endpoint]:
                raise APIError(400, f"Unrecognized request argument supplied: {shown(name)}")
            if name in self.withdrawn and body[name] is not None:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                raise APIError(400, message, param=name, code="unsupported_parameter")

    def check_values(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Every value by the rule of its row."""
        values = {"model": body["model"]}
        for name, rule in PARAMETERS[endpoint].items():
            value = body.get(name)
            if value is not None:
                values[name] = rule(name, value)
        return values

    def check_together(self, endpoint: str, values: Mapping[str, Any]) -> None:
        """What parameters require of each other."""
        if "stream_options" in values and not values.get("stream"):
            raise _only_allowed("stream_options", "stream")
        if endpoint == "chat":
            self.check_chat(values)
        else:
            self.check_completions(values)

    def check_chat(self, values: Mapping[str, Any]) -> None:
        """``top_logprobs`` with ``logprobs``; ``tool_choice`` with ``tools`` that have it."""
        if "top_logprobs" in values and not values.get("logprobs"):
            raise _only_allowed("top_logprobs", "logprobs")
        choice, call = values.get("tool_choice", "none"), values.get("function_call", "none")
        tools = [tool["function"]["name"] for tool in values.get("tools", ())]
        functions = [function["name"] for function in values.get("functions", ())]
        named = choice["function"]["name"] if isinstance(choice, dict) else None
        called = call["name"] if isinstance(call, dict) else None
        _check_choice("tool_choice", choice, named, "tools", tools)
        _check_choice("function_call", call, called, "functions", functions)

    def check_completions(self, values: Mapping[str, Any]) -> None:
        """``best_of`` at least ``n``, and not in a stream."""
        best_of, n = values.get("best_of"), values.get("n", 1)
        if best_of is not None and best_of < n and (best_of or n > 1):
            message = f"You requested that the server return more choices than it will generate (best_of={best_of}, n={n})."
            raise APIError(400, message, param="best_of")
        if values.get("stream") and (best_of or 1) > n:
            raise APIError(400, "Cannot stream results with best_of > n.", param="best_of")


def _check_choice(
    param: str, choice: Any, named: str | None, offer: str, names: Collection[str]
) -> None:
    message = f"Invalid value for '{param}': "
    if choice != "none" and not names:
        message += f"'{param}' is only allowed when '{offer}' are specified."
    elif named is not None and named not in names:
        message += f"function '{shown(named)}' is not one of '{offer}'."
    else:
        return
    raise APIError(400, message, param=param)


def unknown_model(model: str) -> APIError:
    """404: no such model."""
    message = f"The model `{shown(model)}` does not exist or you do not have access to it."
    return APIError(404, message, code="model_not_found")


def _only_allowed(param: str, other: str) -> APIError:
    message = f"The '{param}' parameter is only allowed when '{other}' is enabled."
    return APIError(400, message, param=param)
