"""Texts of every kind Unicode has, and plain ones to draw from.

Each kind is a sample that has broken a server, a template or a stream decoder somewhere; a sample
is asked for by name, so a failure names the kind. Lone surrogates are not text (RFC 8259 §8.1) and
belong to the malformed bodies.
"""

from __future__ import annotations

__all__ = ["KINDS", "OPEN_KINDS", "WORDS", "long_text"]

KINDS: dict[str, str] = {
    "escapes": 'quotes " and \\ and / and </script> and {{ braces }} %s',
    "cjk": "請問今天天氣如何？日本語のテキスト 한국어",
    "emoji": "family 👨‍👩‍👧‍👦, flag 🇺🇳, skin 👍🏽, keycap 1️⃣",
    "combining": "e\u0301 a\u0308\u0323 o\u0302\u0301 \u1112\u1161\u11ab क्षि กำ",
    "right-to-left": "שלום עולם \u200fمرحبا\u200e \u202etfel\u202c",
    "astral": "𝔘𝔫𝔦 𠜎𠜱 𐍈 🜁",
    "separators": "line\u2028separator paragraph\u2029separator next\u0085line",
    "invisible": "zero\u200bwidth no\u00a0break \ufeffmark soft\u00adhyphen",
    "control": "tab\t newline\n return\r\n bell\u0007 escape\u001b unit\u001f delete\u007f",
    "nul": "nul\u0000character",
}
#: Nobody promises that U+0000 survives a tokenizer: its refusal is information only.
OPEN_KINDS = frozenset({"nul"})

#: Short texts, the plainest first; no stop-like or template-like markup.
WORDS = (
    "Hi",
    "Say hello.",
    "One two three.",
    "What is 2 + 2?",
    "Good morning",
    "grüße aus Köln",
    "日本語",
    "🙂",
)

SENTENCE = "The quick brown fox jumps over the lazy dog near the old river bank. "


def long_text(length: int) -> str:
    """Plain English of exactly ``length`` characters."""
    return (SENTENCE * (length // len(SENTENCE) + 1))[:length]
