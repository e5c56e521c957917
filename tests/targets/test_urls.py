"""Base URLs and secrets: which texts pass, and what is said of the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.targets.secrets import looks_like_key, redact, variable_fault
from conformance.targets.urls import base_url, is_loopback, owns_default_key


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("https://h//", "https://h"),
        ("HTTP://h", "http://h"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://h/my/completions/v1", "http://h/my/completions/v1"),
    ],
)
def test_a_base_url_loses_only_its_trailing_slash(text: str, url: str):
    """Paths are appended with a slash of their own."""
    assert url == base_url(text, where="x")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the base URL is empty"),
        ("localhost:8000/v1", "localhost:8000/v1 has no http:// or https://; write http://local"),
        ("ftp://h", "the scheme 'ftp' is not http or https"),
        ("http://", "the base URL has no host"),
        ("http://:80/", "the base URL has no host"),
        ("http://h:port", "malformed host or port"),
        ("http://h:99999", "malformed host or port"),
        ("http://h:0", "the base URL has port 0"),
        ("http://[::1", "malformed host or port"),
        ("http://h/v1?x=1", "a base URL ends before '?'"),
        ("http://h/v1?", "a base URL ends before '?'"),
        ("http://h/v1#", "a base URL ends before '#'"),
        ("http://h/a b", "no blanks, control characters"),
        ("http://h/\n", "no blanks, control characters"),
        ("http://user@h/", "a base URL holds no user or password"),
        ("http://h/v1/chat/completions", "is the URL of one endpoint; write http://h/v1"),
        ("http://h/v1/chat/completions/", "is the URL of one endpoint; write http://h/v1"),
        ("http://h/v1/completions", "is the URL of one endpoint; write http://h/v1"),
        ("http://h/v1/models", "is the URL of one endpoint; write http://h/v1"),
    ],
)
def test_a_text_that_is_no_base_url_gets_a_helpful_sentence(text: str, sentence: str):
    """What is wrong, and what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        base_url(text, where="here")

    assert str(caught.value).startswith("here: ")
    assert sentence in str(caught.value)


@given(st.text(max_size=30) | st.text(max_size=20).map("http://{}".format))
def test_any_text_is_a_base_url_or_refused(text: str):
    """No text gives a traceback; what passes is stable and usable as a prefix."""
    try:
        url = base_url(text, where="x")
    except ConfigurationError:
        return

    assert url == base_url(url, where="x")
    assert not url.endswith("/")
    assert owns_default_key(url) in (is_loopback(url), True)


@pytest.mark.parametrize(
    "text",
    [
        "sk-abcdef",
        "sk-proj-A1b2C3d4",
        "gsk_a1B2c3D4e5",
        "hf_a1b2c3d4e5f6",
        "Bearer anything",
        "0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9abc",
    ],
)
def test_keys_are_recognised_and_never_shown(text: str):
    """Issuers' prefixes, bearer credentials and long opaque runs."""
    assert looks_like_key(text)
    assert text not in redact(f"before {text} after")
    assert variable_fault(text) is not None


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "MY_KEY_2", "key", "_X", "DEEPTRIN_STAGING_EU1_KEY"]
)
def test_names_of_variables_are_not_taken_for_keys(name: str):
    """What people call such variables passes."""
    assert variable_fault(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "meta-llama/Meta-Llama-3.1-8B-Instruct",
        "gpt-4o-mini-2024-07-18",
        "https://api.example/inference-api/openai/v1",
        "param.repetition-penalty.effect",
    ],
)
def test_ordinary_words_of_a_configuration_are_shown(text: str):
    """Messages that hide everything would help nobody."""
    assert text == redact(text)


@given(st.text())
def test_what_is_shown_stands_on_one_line(text: str):
    """Control characters from a file never reach a terminal."""
    assert redact(text).isprintable()
    assert len(redact(text)) <= 80
