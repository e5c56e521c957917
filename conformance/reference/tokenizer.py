"""Tokens: a vocabulary of about a thousand byte pieces, and text to ids and back.

    0 …   255   one byte each: every text can be encoded, and a character may span tokens
    256 … 271   specials: never produced by encoding text, empty when decoded
    272 …       pieces of several bytes: punctuation, words with their leading space, word parts,
                characters of several bytes whole and in half

Encoding takes the longest piece at each position: ``decode(encode(text)) == text`` for every text
of Unicode scalar values. Lone surrogates, which JSON can smuggle in, become U+FFFD first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from conformance.reference.corpus import SENTENCES

__all__ = ["SPECIALS", "Tokenizer", "scalar_text"]

#: Name → id of the special tokens.
SPECIALS: dict[str, int] = {
    "<|begin_of_text|>": 256,
    "<|end_of_text|>": 257,
    "<|start_header_id|>": 258,
    "<|end_header_id|>": 259,
    "<|eot_id|>": 260,
    "<|fim_suffix|>": 261,
    "<|tool_call|>": 262,
    **{f"<|reserved_{number}|>": number for number in range(263, 272)},
}

_FIRST_PIECE = 272
_PUNCTUATION = [
    ". ", ", ", ".\n", "\n\n", "  ", "    ", "? ", "! ", ": ", "; ", " (", ") ", '": "', '", "',
    '{"', '"}', '":', "...", "--", "->", "()", " - ", "'s", "n't", "://", "`` ", "**", "##",
]  # fmt: skip
_WORD_PARTS = """
ing tion er ed es ly ment ness able ful less ous ive al ize ate ent ant ist ism ity ure age ance
ence th he in re on an at en nd ti or ar te st it ha is ou le se io ne ve co me de hi ri ro ic
ll be ch ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs
un pre con dis com per sub inter over under out str ght ough ould ight ther here ever thing
Act like help user assist system role name city tool call type text json key value data file code
"""
_CHARACTERS = ["→", "水", "山", "ü", "—", "“", "”", "•"]
#: First bytes of characters whose last byte is a token of its own: they span two tokens.
_HALVES = [b"\xf0\x9f\x98", b"\xf0\x9f", b"\xe2\x82", b"\xe6\x97", b"\xe4\xbd"]


def scalar_text(text: str) -> str:
    """``text`` with every lone surrogate replaced by U+FFFD, so that it has a UTF-8 form."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _words() -> list[str]:
    """The words of the corpus with their leading space, frequent ones first."""
    counts = Counter(word.strip(".,!?") for line in SENTENCES for word in line.split())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [f" {word}" for word in ranked if word.isascii() and word.isalpha() and len(word) <= 9]


def _pieces() -> list[bytes]:
    words = _words()
    firsts = sorted({line.split()[0].strip(",") for line in SENTENCES})
    texts = [*_PUNCTUATION, *words, *firsts, *_WORD_PARTS.split(), *_CHARACTERS]
    texts += [f" {letter}" for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    pieces = dict.fromkeys(text.encode() for text in texts)
    pieces.update(dict.fromkeys(_HALVES))
    return [piece for piece in pieces if len(piece) > 1]


class Tokenizer:
    """Text to token ids and back. Immutable; one instance serves every request."""

    def __init__(self) -> None:
        specials = [b""] * (_FIRST_PIECE - 256)
        #: The bytes of each id; empty for specials.
        self.pieces: tuple[bytes, ...] = (
            *(bytes([value]) for value in range(256)),
            *specials,
            *_pieces(),
        )
        self._ids = {piece: number for number, piece in enumerate(self.pieces) if piece}
        self._lengths = self._lengths_by_first_byte()
        self.longest = max(map(len, self.pieces))
        self.encode = lru_cache(maxsize=2048)(self._encode)

    def __len__(self) -> int:
        return len(self.pieces)

    def _lengths_by_first_byte(self) -> tuple[tuple[int, ...], ...]:
        lengths: list[set[int]] = [set() for _ in range(256)]
        for piece in self._ids:
            lengths[piece[0]].add(len(piece))
        return tuple(tuple(sorted(found, reverse=True)) for found in lengths)

    def _encode(self, text: str) -> tuple[int, ...]:
        """The ids of ``text``, longest piece first at each position."""
        data, ids, lengths = scalar_text(text).encode(), self._ids, self._lengths
        found: list[int] = []
        at = 0
        while at < len(data):
            for length in lengths[data[at]]:
                number = ids.get(data[at : at + length])
                if number is not None:
                    found.append(number)
                    at += length
                    break
        return tuple(found)

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of ``ids``; specials are nothing."""
        return b"".join(self.pieces[number] for number in ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def token_text(self, number: int) -> str:
        """One token as text; ``bytes`` beside it tells the exact value."""
        return self.pieces[number].decode("utf-8", "replace")

    def shown(self, number: int) -> str:
        """One token where no ``bytes`` stand beside it: half a character is ``bytes:\\xf0\\x9f``."""
        piece = self.pieces[number]
        try:
            return piece.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
