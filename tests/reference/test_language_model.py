"""What the language model writes."""

from __future__ import annotations

from statistics import pstdev

from conformance.reference.chat import render_chat
from conformance.reference.language_model import Context, LanguageModel
from conformance.reference.tokenizer import Tokenizer

TOKENIZER = Tokenizer()
MODEL = LanguageModel(TOKENIZER, "test")


def greedy(prompt: tuple[int, ...], most: int = 400) -> list[int]:
    context, written = Context(prompt), []
    while len(written) < most:
        logits = MODEL.logits(context)
        token = logits.index(max(logits))
        if token == MODEL.end:
            break
        written.append(token)
        context.advance(token)
    return written


def chat(*turns: tuple[str, str]) -> tuple[int, ...]:
    return render_chat(TOKENIZER, [{"role": role, "content": text} for role, text in turns])


def test_greedy_text_repeats() -> None:
    """The same prompt gives the same text."""
    prompt = chat(("user", "Hi there!"))

    assert greedy(prompt) == greedy(prompt)


def test_every_part_of_a_conversation_changes_the_text() -> None:
    """System message, history, order and role all matter."""
    conversations = [
        chat(("user", "Hi there!")),
        chat(("system", "Be kind."), ("user", "Hi there!")),
        chat(("system", "Be brief."), ("user", "Hi there!")),
        chat(("user", "Hello"), ("assistant", "Yes?"), ("user", "Hi there!")),
        chat(("assistant", "Yes?"), ("user", "Hello"), ("user", "Hi there!")),
        chat(("user", "Hello"), ("user", "Yes?"), ("user", "Hi there!")),
    ]
    texts = {tuple(greedy(prompt)) for prompt in conversations}

    assert len(conversations) == len(texts)


def test_text_ends_by_itself_and_has_variety() -> None:
    """Greedy answers to fifty prompts end within the context and are sentences, not loops."""
    for number in range(50):
        written = greedy(TOKENIZER.encode(f"Question {number}:"))

        assert 10 < len(written) < 400
        assert len(set(written)) > len(written) / 4


def test_text_has_no_half_characters() -> None:
    """The model finishes every character it begins."""
    texts = [TOKENIZER.decode(greedy(TOKENIZER.encode(f"{n}?"))) for n in range(60)]

    assert not any("\ufffd" in text for text in texts)
    assert any(not text.isascii() for text in texts)


def test_logits_have_a_natural_spread() -> None:
    """Standard deviation near 3, no gap near the 100 that a bias adds."""
    logits = MODEL.logits(Context(TOKENIZER.encode("Boil the water.")))
    natural = [each for each in logits if each > -20]

    assert 2 < pstdev(natural) < 5
    assert max(natural) - min(natural) < 45


def test_a_repeated_token_sees_constant_logits() -> None:
    """Where one token repeats, only its own penalty for stuttering and the end move."""
    context = Context(TOKENIZER.encode("Boil"))
    for _ in range(3):
        context.advance(400)
    before = MODEL.logits(context)
    context.advance(400)
    after = MODEL.logits(context)
    before[MODEL.end] = after[MODEL.end] = 0.0

    assert before == after


def test_an_answer_goes_on_where_it_is_sent_back() -> None:
    """Where the prompt ends makes no difference to what follows."""
    prompt = TOKENIZER.encode("Boil the water in a")
    text = greedy(prompt)

    assert text[8:] == greedy((*prompt, *text[:8]))[: len(text) - 8]
