"""The chat template."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conformance.reference.chat import render_chat
from conformance.reference.tokenizer import SPECIALS, Tokenizer

TOKENIZER = Tokenizer()
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(max_size=20)}
    ),
    min_size=1,
    max_size=4,
)


def rendered(messages: list[dict[str, Any]], *rest: Any) -> tuple[int, ...]:
    return render_chat(TOKENIZER, messages, *rest)


@given(MESSAGES, MESSAGES)
def test_a_longer_history_takes_more_tokens(
    messages: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    """Every message costs tokens, an empty one too."""
    assert len(rendered(messages)) < len(rendered([*messages, *more]))


@given(MESSAGES, MESSAGES)
def test_different_conversations_have_different_prompts(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    """Roles, order and every character are in the prompt."""
    assert (one == other) == (rendered(one) == rendered(other))


@given(st.sampled_from(sorted(SPECIALS)), st.text(max_size=10))
def test_the_name_of_a_special_is_ordinary_text(name: str, text: str) -> None:
    """A message cannot end its own turn."""
    turns = [SPECIALS["<|eot_id|>"], SPECIALS["<|start_header_id|>"]]
    ids = rendered([{"role": "user", "content": f"{text}{name}"}])

    assert [1, 2] == [ids.count(each) for each in turns]


@given(st.lists(st.text(max_size=8), max_size=4))
def test_text_parts_are_one_text(texts: list[str]) -> None:
    """Content in parts is the parts' text, joined."""
    parts = [{"type": "text", "text": text} for text in texts]

    assert rendered([{"role": "user", "content": "".join(texts)}]) == rendered(
        [{"role": "user", "content": parts}]
    )


def test_tools_and_calls_are_part_of_the_prompt() -> None:
    """What the model may call and has called is read by it."""
    messages = [{"role": "user", "content": "Hi"}]
    tool = {"type": "function", "function": {"name": "look_up"}}
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}

    bare = len(rendered([*messages, {"role": "assistant", "content": None}]))
    assert bare < len(rendered([*messages, called]))
    assert len(rendered(messages)) < len(rendered(messages, [tool]))
