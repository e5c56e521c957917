"""Models that are listed, and models that are asked for by name."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Reply,
    Request,
    error_reply,
    instead,
    intercept,
    model_of,
    restated,
)
from conformance.reference.service import MODELS

Body = dict[str, Any]
Document = dict[str, Any]


def _entries(document: Document) -> list[Document]:
    data: list[Document] = document.get("data") or []
    return data


@mutant("models-created-milliseconds", kills=("model.created",), kind="json", endpoint="models")
def models_created_milliseconds(document: Document, seen: Seen) -> None:
    """Models were created so many milliseconds after 1970."""
    for entry in _entries(document):
        entry["created"] = 1_700_000_000_000


@mutant(
    "models-bare-array",
    kills=("shape.body",),
    kind="json",
    thread="https://github.com/songquanpeng/one-api/issues/128",
    endpoint="models",
)
def models_bare_array(document: Document, seen: Seen) -> Any:
    """The list of models is a bare array."""
    return _entries(document)


@mutant(
    "models-other-member",
    kills=("shape.data",),
    kind="json",
    thread="https://github.com/vllm-project/router/issues/133",
    endpoint="models",
)
def models_other_member(document: Document, seen: Seen) -> Any:
    """The list of models is `{"models": ["a", "b"]}`."""
    return {"models": [each["id"] for each in _entries(document)]}


@mutant(
    "models-no-object",
    kills=("shape.object",),
    kind="json",
    thread="https://github.com/tarasglek/chatcraft.org/issues/515",
    endpoint="models",
)
def models_no_object(document: Document, seen: Seen) -> None:
    """The list of models has no `object`."""
    document.pop("object", None)


@mutant("model-unlisted", kills=("model.listed",), kind="json", endpoint="models")
def model_unlisted(document: Document, seen: Seen) -> None:
    """The list lacks the model that answers."""
    for entry in _entries(document):
        entry["id"] = "another-model"


@mutant("model-listed-twice", kills=("model.distinct",), kind="json", endpoint="models")
def model_listed_twice(document: Document, seen: Seen) -> None:
    """A model is listed twice."""
    document["data"] = _entries(document) * 2


@mutant(
    "model-entry-differs", kills=("model.retrieve-equals-entry",), kind="json", endpoint="model"
)
def model_entry_differs(document: Document, seen: Seen) -> None:
    """A model alone has another owner than in the list."""
    document["owned_by"] = "somebody-else"


@mutant(
    "model-ghosts-listed",
    kills=("model.listed-retrievable", "model.listed-usable"),
    kind="json",
    thread="https://github.com/decolua/9router/issues/1512",
    endpoint="models",
)
def model_ghosts_listed(document: Document, seen: Seen) -> None:
    """The list has a model that is not there."""
    document["data"] = [*_entries(document), {**_entries(document)[0], "id": "gone-model"}]


@mutant(
    "unknown-model-401",
    kills=("error.unknown-model.status",),
    kind="asgi",
    thread="https://github.com/diegosouzapw/OmniRoute/issues/10856",
)
def unknown_model_401(app: ASGIApp) -> ASGIApp:
    """An unknown model is answered as a wrong key is."""
    return restated(404, 401)(app)


@mutant(
    "unknown-model-served",
    kills=("error.unknown-model", "param.model.effect"),
    kind="asgi",
    thread="https://github.com/sgl-project/sglang/issues/31404",
)
def unknown_model_served(app: ASGIApp) -> ASGIApp:
    """Any model name is accepted; the one model answers."""
    return model_of(app)


@mutant("unknown-model-retrieved", kills=("model.unknown",), kind="asgi")
def unknown_model_retrieved(app: ASGIApp) -> ASGIApp:
    """A model that does not exist is found."""
    entry = {"id": "x", "object": "model", "created": 1, "owned_by": "x"}
    found = Reply.json(200, entry)

    def change(request: Request, honest: Reply) -> Reply | None:
        return found if "/models/" in request.path and honest.status == 404 else None

    return intercept(change)(app)


@mutant("model-path-slash", kills=("model.path-forms",), kind="asgi")
def model_path_slash(app: ASGIApp) -> ASGIApp:
    """A percent-encoded model id is not decoded."""
    return instead(
        lambda request: b"%" in request.raw_path and "/models/" in request.path,
        error_reply(404, "no such model"),
    )(app)


@mutant(
    "unknown-model-served-in-stream",
    kills=("param.model.effect",),
    kind="request",
    only="stream",
)
def unknown_model_served_in_stream(body: Body, seen: Seen) -> None:
    """An unknown model is silently replaced by the one that is there when the answer streams."""
    if isinstance(body.get("model"), str) and body["model"] not in MODELS:
        body["model"] = MODELS[0]


@mutant(
    "model-other",
    kills=("shape.model.echo",),
    kind="json",
    thread="https://github.com/vllm-project/vllm/issues/15845",
)
def model_other(document: Document, seen: Seen) -> None:
    """Answers name another model than the one that was asked for."""
    if "choices" in document:
        document["model"] = "gpt-3.5-turbo"


@mutant("stream-names-file", kills=("diff.stream-model",), kind="stream")
def stream_names_file(chunks: list[Document], seen: Seen) -> None:
    """A stream names the file that the model was read from."""
    for chunk in chunks:
        chunk["model"] = "/models/model.gguf"
