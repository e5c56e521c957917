"""Messages that are refused or emptied, by their role or content."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import ASGIApp, Reply, Request, error_reply, instead

Document = dict[str, Any]


def _roles(request: Request) -> list[Any]:
    messages = request.asked("messages")
    found = messages if isinstance(messages, list) else []
    return [each.get("role") for each in found if isinstance(each, dict)]


@mutant("system-refused", kills=("message.role.system",), kind="asgi")
def system_refused(app: ASGIApp) -> ASGIApp:
    """The template of the model knows no system role."""
    return instead(
        lambda request: "system" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant("assistant-refused", kills=("message.role.assistant",), kind="asgi")
def assistant_refused(app: ASGIApp) -> ASGIApp:
    """Earlier answers are not taken."""
    return instead(
        lambda request: "assistant" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant(
    "developer-refused",
    kills=("message.role.developer",),
    kind="asgi",
    thread="https://github.com/ogx-ai/ogx/issues/6069",
)
def developer_refused(app: ASGIApp) -> ASGIApp:
    """The role `developer` is unknown."""
    return instead(
        lambda request: "developer" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant("user-refused", kills=("message.role.user",), kind="asgi")
def user_refused(app: ASGIApp) -> ASGIApp:
    """The role of the person who asks has another name."""
    return instead(
        lambda request: "user" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant(
    "role-order-500",
    kills=("message.order",),
    kind="asgi",
    thread="https://github.com/nathaninline/ajean/issues/26",
)
def role_order_500(app: ASGIApp) -> ASGIApp:
    """A second system message makes the template raise."""
    return instead(
        lambda request: _roles(request).count("system") > 1,
        error_reply(500, "Jinja Exception: System message must be at the beginning"),
    )(app)


@mutant(
    "parts-blanked",
    kills=("message.text-part",),
    kind="request",
    thread="https://github.com/CommandCodeAI/command-code/issues/820",
)
def parts_blanked(body: Document, seen: Seen) -> None:
    """Content given as parts is dropped in silence."""
    for message in body.get("messages") or []:
        if isinstance(message, dict) and isinstance(message.get("content"), list):
            message["content"] = ""


@mutant(
    "null-content-refused",
    kills=("message.tool-round-trip",),
    kind="asgi",
    thread="https://github.com/mistralai/mistral-common/issues/324",
)
def null_content_refused(app: ASGIApp) -> ASGIApp:
    """The null content of a message that calls a tool is refused."""

    def concerned(request: Request) -> bool:
        messages = request.asked("messages")
        found = messages if isinstance(messages, list) else []
        return any(
            isinstance(m, dict) and m.get("tool_calls") and m.get("content") is None for m in found
        )

    return instead(concerned, error_reply(400, "Input should be a valid string"))(app)


@mutant("image-part-500", kills=("message.image-part",), kind="asgi")
def image_part_500(app: ASGIApp) -> ASGIApp:
    """An image part raises an exception."""
    return instead(
        lambda request: b'"image_url"' in request.body, error_reply(500, "KeyError: 'image_url'")
    )(app)


def _calling(request: Request) -> list[Any]:
    """The messages that call a tool."""
    messages = request.asked("messages")
    found = messages if isinstance(messages, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("tool_calls")]


@mutant(
    "empty-content-refused",
    kills=("message.tool-round-trip",),
    kind="asgi",
    thread="https://github.com/vercel/ai/pull/13505",
)
def empty_content_refused(app: ASGIApp) -> ASGIApp:
    """The empty content of a message that calls a tool is refused."""
    return instead(
        lambda request: any(each.get("content") == "" for each in _calling(request)),
        error_reply(400, "text content blocks must be non-empty"),
    )(app)


@mutant(
    "absent-content-refused",
    kills=("message.tool-round-trip",),
    kind="asgi",
    thread="https://github.com/jekalmin/extended_openai_conversation/pull/456",
)
def absent_content_refused(app: ASGIApp) -> ASGIApp:
    """A message that calls a tool is refused without content."""
    return instead(
        lambda request: any("content" not in each for each in _calling(request)),
        error_reply(400, "messages.1.content: Field required"),
    )(app)


@mutant(
    "image-part-detail",
    kills=("error.envelope",),
    kind="asgi",
    thread="https://github.com/thinking-machines-lab/tinker-feedback/issues/83",
)
def image_part_detail(app: ASGIApp) -> ASGIApp:
    """An image part is refused in an envelope of another kind."""
    body = {"detail": "Input tag 'image_url' was not expected", "errors": []}
    return instead(lambda request: b'"image_url"' in request.body, Reply.json(422, body))(app)
