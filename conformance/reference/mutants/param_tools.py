"""Functions that are not called as tools and tool_choice say."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import finish
from conformance.reference.mutants.dropping import dropped

Body = dict[str, Any]


@mutant("tools-ignored", kills=("param.tools.effect",), kind="request", profile="openai")
def tools_ignored(body: Body, seen: Seen) -> None:
    """tools and tool_choice are accepted and ignored."""
    for name in ("tools", "tool_choice", "parallel_tool_calls"):
        body.pop(name, None)


@mutant(
    "tools-ignored-in-stream",
    kills=("param.tools.stream-equals-regular", "param.tools.effect"),
    kind="request",
    only="stream",
    thread="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1066",
    profile="openai",
)
def tools_ignored_in_stream(body: Body, seen: Seen) -> None:
    """A stream never calls a tool."""
    tools_ignored(body, seen)


@mutant(
    "tool-choice-ignored",
    kills=("param.tool_choice.effect",),
    kind="request",
    thread="https://github.com/Blaizzy/mlx-vlm/issues/1045",
    profile="openai",
)
def tool_choice_ignored(body: Body, seen: Seen) -> None:
    """Whatever tool_choice says, the model decides."""
    body.pop("tool_choice", None)


@mutant(
    "tool-choice-required-is-auto",
    kills=("param.tool_choice.effect",),
    kind="request",
    thread="https://github.com/vllm-project/vllm/issues/44216",
    profile="openai",
)
def tool_choice_required_is_auto(body: Body, seen: Seen) -> None:
    """required counts as auto."""
    if body.get("tool_choice") == "required":
        body["tool_choice"] = "auto"


@mutant(
    "tool-choice-none-is-auto",
    kills=("param.tool_choice.effect",),
    kind="request",
    thread="https://github.com/tenstorrent/tt-inference-server/pull/3084",
    profile="openai",
)
def tool_choice_none_is_auto(body: Body, seen: Seen) -> None:
    """none counts as auto."""
    if body.get("tool_choice") == "none":
        body["tool_choice"] = "auto"


@mutant(
    "tool-choice-named-is-required",
    kills=("param.tool_choice.named",),
    kind="request",
    profile="openai",
)
def tool_choice_named_is_required(body: Body, seen: Seen) -> None:
    """A named function counts as required."""
    if isinstance(body.get("tool_choice"), dict):
        body["tool_choice"] = "required"


@mutant(
    "tool-choice-none-needs-tools",
    kills=("param.tool_choice.none-without-tools",),
    kind="request",
    thread="https://github.com/vllm-project/vllm/issues/9426",
    profile="openai",
)
def tool_choice_none_needs_tools(body: Body, seen: Seen) -> None:
    """tool_choice none is refused without tools."""
    if body.get("tool_choice") == "none" and "tools" not in body:
        body["tool_choice"] = "required"


dropped(
    "parallel-tool-calls-ignored",
    "parallel_tool_calls",
    ("param.parallel_tool_calls.effect",),
    thread="https://github.com/sgl-project/sglang/issues/9696",
)


@mutant(
    "tool-calls-finish-stop",
    kills=("param.tools.finish-reason",),
    kind="choice",
    thread="https://github.com/ollama/ollama/pull/5995",
    profile="openai",
)
def tool_calls_finish_stop(choice: Body, seen: Seen) -> None:
    """An answer with tool calls finishes with stop."""
    if finish(choice) == "tool_calls":
        choice["finish_reason"] = "stop"


@mutant(
    "tool-calls-finish-singular",
    kills=("param.tools.finish-reason",),
    kind="choice",
    thread="https://github.com/ml-explore/mlx-lm/pull/782",
    profile="openai",
)
def tool_calls_finish_singular(choice: Body, seen: Seen) -> None:
    """The finish reason is tool_call."""
    if finish(choice) == "tool_calls":
        choice["finish_reason"] = "tool_call"


@mutant(
    "cut-tool-call-called-complete",
    kills=("param.tools.cut",),
    kind="choice",
    thread="https://github.com/ROCm/FastFlowLM/pull/728",
    profile="openai",
)
def cut_tool_call_called_complete(choice: Body, seen: Seen) -> None:
    """A call that the limit cut finishes with tool_calls."""
    if finish(choice) == "length" and seen.asked("tools"):
        choice["finish_reason"] = "tool_calls"
