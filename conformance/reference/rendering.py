"""From choices to the documents of the API: regular answers and stream chunks of both endpoints."""

from __future__ import annotations

import codecs
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.reference.generation import Choice, Piece, TokenRecord, ToolChoice, ToolDelta
from conformance.reference.tokenizer import Tokenizer

__all__ = ["ChatRenderer", "CompletionsRenderer", "Renderer"]

Document = dict[str, Any]


class Renderer:
    """What both endpoints share. ``object_name`` and ``chunk_name`` are the ``object`` members."""

    object_name = chunk_name = ""

    def __init__(
        self, id: str, created: int, model: str, values: Mapping[str, Any], tokenizer: Tokenizer
    ) -> None:
        self.id, self.created, self.model = id, created, model
        self.values, self.tokenizer = values, tokenizer
        self.wants_usage = bool(values.get("stream_options", {}).get("include_usage"))

    def document(self, choices: Sequence[Choice], usage: Document) -> Document:
        """The regular answer."""
        return {
            **self.head(self.object_name),
            "choices": [self.choice(each) for each in sorted(choices, key=lambda c: c.index)],
            "usage": usage,
            "system_fingerprint": None,
        }

    def head(self, name: str) -> Document:
        """The members that every document of one answer has in common."""
        return {"id": self.id, "object": name, "created": self.created, "model": self.model}

    def chunk(self, choices: list[Document], usage: Document | None = None) -> Document:
        """One chunk; with ``include_usage`` every chunk has the member ``usage``."""
        chunk = {**self.head(self.chunk_name), "system_fingerprint": None, "choices": choices}
        return {**chunk, "usage": usage} if self.wants_usage else chunk

    def usage_chunk(self, usage: Document) -> Document:
        """The last chunk of a stream that was asked for usage."""
        return self.chunk([], usage)

    def choice(self, choice: Choice) -> Document:
        """One choice of a regular answer."""
        raise NotImplementedError

    def opening(self, choice: Choice) -> Iterator[Document]:
        """The chunks before the first token of a choice."""
        raise NotImplementedError

    def delta(self, choice: Choice, piece: Piece) -> Iterator[Document]:
        """The chunks that one step makes."""
        raise NotImplementedError

    def closing(self, choice: Choice) -> Document:
        """The chunk with the finish reason."""
        raise NotImplementedError


class ChatRenderer(Renderer):
    """``chat.completion`` and ``chat.completion.chunk``."""

    object_name, chunk_name = "chat.completion", "chat.completion.chunk"

    def choice(self, choice: Choice) -> Document:
        """A choice with its message."""
        calls = choice.tool_calls if isinstance(choice, ToolChoice) else []
        message: Document = {
            "role": "assistant",
            "content": None if calls else choice.text,
            "refusal": None,
        }
        if choice.settings.reasoning:
            message["reasoning_content"] = choice.reasoning
        if calls and self.older:
            message["function_call"] = self.call(calls[0])["function"]
        elif calls:
            message["tool_calls"] = [self.call(each) for each in calls]
        return {
            "index": choice.index,
            "message": message,
            "logprobs": self.logprobs(choice.records) if choice.wants_records else None,
            "finish_reason": self.reason(choice),
        }

    @property
    def older(self) -> bool:
        """Whether calls are wanted in the older form, by ``functions``."""
        return "functions" in self.values and not self.values.get("tools")

    def reason(self, choice: Choice) -> str | None:
        """The finish reason; a complete call in the older form has one of its own."""
        called = choice.finish_reason == "tool_calls" and self.older
        return "function_call" if called else choice.finish_reason

    def call(self, call: ToolDelta) -> Document:
        """One whole tool call."""
        function = {"name": call.name, "arguments": call.arguments}
        return {"id": call.id, "type": "function", "function": function}

    def opening(self, choice: Choice) -> Iterator[Document]:
        """The role, with empty content."""
        content = None if isinstance(choice, ToolChoice) else ""
        yield self.piece(choice, {"role": "assistant", "content": content, "refusal": None})

    def delta(self, choice: Choice, piece: Piece) -> Iterator[Document]:
        """Text, thoughts or part of a tool call."""
        delta: Document = {}
        if piece.reasoning:
            delta["reasoning_content"] = piece.reasoning
        if piece.tool is not None:
            called = self.call_delta(piece.tool)
            delta |= (
                {"function_call": called["function"]} if self.older else {"tool_calls": [called]}
            )
        elif piece.text or not delta:
            delta["content"] = piece.text
        yield self.piece(choice, delta, records=piece.records)

    def call_delta(self, call: ToolDelta) -> Document:
        """The opening of a tool call, or more of its arguments."""
        if call.name is None:
            return {"index": call.index, "function": {"arguments": call.arguments}}
        return {"index": call.index, **self.call(call)}

    def closing(self, choice: Choice) -> Document:
        """An empty delta with the finish reason."""
        return self.piece(choice, {}, self.reason(choice))

    def piece(
        self,
        choice: Choice,
        delta: Document,
        finish_reason: str | None = None,
        records: Sequence[TokenRecord] = (),
    ) -> Document:
        """One chunk with one choice."""
        logprobs = self.logprobs(records) if records else None
        return self.chunk(
            [
                {
                    "index": choice.index,
                    "delta": delta,
                    "logprobs": logprobs,
                    "finish_reason": finish_reason,
                }
            ]
        )

    def logprobs(self, records: Sequence[TokenRecord]) -> Document:
        """Log probabilities in the form of the chat endpoint."""
        content = [
            {
                **self.token(each.token, each.logprob),
                "top_logprobs": [self.token(*pair) for pair in each.top],
            }
            for each in records
        ]
        return {"content": content, "refusal": None}

    def token(self, token: int, logprob: float | None) -> Document:
        """One token with its log probability and bytes."""
        return {
            "token": self.tokenizer.token_text(token),
            "logprob": logprob,
            "bytes": list(self.tokenizer.pieces[token]),
        }


class CompletionsRenderer(Renderer):
    """``text_completion``, the same name for documents and chunks."""

    object_name = chunk_name = "text_completion"

    def __init__(
        self, id: str, created: int, model: str, values: Mapping[str, Any], tokenizer: Tokenizer
    ) -> None:
        super().__init__(id, created, model, values, tokenizer)
        self._offsets: defaultdict[int, _Offsets] = defaultdict(_Offsets)

    def choice(self, choice: Choice) -> Document:
        """A choice with its text, after the prompt where it is echoed."""
        return self.piece(
            choice, self.echo(choice) + choice.text, choice.finish_reason, choice.records
        )

    def echo(self, choice: Choice) -> str:
        """The prompt's text if the request asks for it."""
        return choice.prompt.text if self.values.get("echo") else ""

    def opening(self, choice: Choice) -> Iterator[Document]:
        """Nothing, or the echoed prompt."""
        if self.values.get("echo"):
            text = self.echo(choice)
            yield self.chunk([self.piece(choice, text, None, (), echoed=True)])

    def delta(self, choice: Choice, piece: Piece) -> Iterator[Document]:
        """A piece of text."""
        yield self.chunk([self.piece(choice, piece.text, None, piece.records, echoed=False)])

    def closing(self, choice: Choice) -> Document:
        """Empty text with the finish reason."""
        return self.chunk([self.piece(choice, "", choice.finish_reason, (), echoed=False)])

    def piece(
        self,
        choice: Choice,
        text: str,
        finish_reason: str | None,
        records: Sequence[TokenRecord],
        *,
        echoed: bool | None = None,
    ) -> Document:
        """One choice; ``echoed`` says whether a chunk is the prompt (``None``: a whole answer)."""
        logprobs = None
        if choice.wants_records and (records or echoed is not False):
            prompt = (
                self.prompt_records(choice)
                if self.values.get("echo") and echoed is not False
                else []
            )
            logprobs = self.logprobs([*prompt, *records], self._offsets[choice.index])
        return {
            "index": choice.index,
            "text": text,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }

    def prompt_records(self, choice: Choice) -> list[TokenRecord]:
        """The prompt's tokens; the first has no log probability, nothing stands before it."""
        return choice.score_prompt()

    def logprobs(self, records: Sequence[TokenRecord], offsets: _Offsets) -> Document:
        """Log probabilities in the form of the completions endpoint."""
        texts = [self.tokenizer.shown(each.token) for each in records]
        alternatives = [self.alternatives(each) for each in records]
        return {
            "tokens": texts,
            "token_logprobs": [each.logprob for each in records],
            "top_logprobs": alternatives if self.values.get("logprobs") else None,
            "text_offset": [offsets.next(self.tokenizer.pieces[each.token]) for each in records],
        }

    def alternatives(self, record: TokenRecord) -> Document | None:
        """The likeliest tokens of a position and the sampled one."""
        if record.logprob is None:
            return None
        found = {self.tokenizer.shown(token): logprob for token, logprob in record.top}
        found.setdefault(self.tokenizer.shown(record.token), record.logprob)
        return found


class _Offsets:
    """Where the tokens of a choice begin in its text, in characters.

    The second half of a character that two tokens share begins where the character does.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._length = 0

    def next(self, piece: bytes) -> int:
        """The offset of the next token."""
        offset = self._length
        self._length += len(self._decoder.decode(piece))
        return offset
