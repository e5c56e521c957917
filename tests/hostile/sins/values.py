"""JSON gone wrong: what is no JSON, and what is JSON but nothing that was promised."""

from ..table import sin


async def every(talk, document):
    """Honest answers whose JSON documents are replaced by what ``document`` makes of them."""
    await talk.reply((await talk.honest()).change(document))


def leaves(value, leaf):
    """``value`` with each leaf replaced."""
    if isinstance(value, dict):
        return {name: leaves(each, leaf) for name, each in value.items()}
    if isinstance(value, list):
        return [leaves(each, leaf) for each in value]
    return leaf(value)


async def every_leaf(talk, leaf):
    """Honest answers whose leaves are replaced."""
    await talk.reply((await talk.honest()).change_json(lambda value: leaves(value, leaf)))


async def every_member(talk, value):
    """Honest answers whose top-level members all have ``value``."""
    change = (await talk.honest()).change_json(lambda found: dict.fromkeys(found, value))
    await talk.reply(change)


@sin()
async def invalid_utf_8(talk):
    """Half a character at the start of each string."""
    await every(talk, lambda text: text.replace(b': "', b': "\xc3('.replace(b": ", b":")))


@sin()
async def utf_16(talk):
    """Another encoding of the same."""
    await every(talk, lambda text: text.decode().encode("utf-16"))


@sin()
async def a_byte_order_mark(talk):
    """JSON behind a byte order mark."""
    await every(talk, lambda text: b"\xef\xbb\xbf" + text)


@sin()
async def nothing_but_nul(talk):
    """A body of NULs."""
    await every(talk, lambda text: bytes(len(text)))


@sin()
async def an_empty_body(talk):
    """200 and nothing."""
    await every(talk, lambda text: b"")


@sin()
async def duplicate_members(talk):
    """Each object says everything twice."""
    await every(talk, lambda text: b"{" + text[1:-1] + b"," + text[1:])


@sin()
async def not_a_number(talk):
    """NaN and Infinity for numbers."""
    await every_leaf(talk, lambda value: float("nan") if type(value) in (int, float) else value)


@sin()
async def numbers_beyond_floats(talk):
    """1e999 for numbers."""
    answer = (await talk.honest()).change_json(
        lambda found: leaves(found, lambda v: "<n>" if type(v) in (int, float) else v)
    )
    await talk.reply(answer.change(lambda text: text.replace(b'"<n>"', b"1e999")))


@sin()
async def half_a_document(talk):
    """JSON without its end."""
    await every(talk, lambda text: text[: len(text) // 2])


@sin()
async def two_documents(talk):
    """JSON twice."""
    await every(talk, lambda text: text + text)


@sin()
async def a_page_of_html(talk):
    """A gateway's page where JSON is due."""
    await every(talk, lambda text: b"<html><body><h1>It works!</h1></body></html>")


@sin()
async def everything_null(talk):
    """Every leaf is null."""
    await every_leaf(talk, lambda value: None)


@sin()
async def everything_a_list(talk):
    """Every leaf is a list."""
    await every_leaf(talk, lambda value: [value])


@sin()
async def everything_an_object(talk):
    """Every leaf is an object."""
    await every_leaf(talk, lambda value: {"value": value})


@sin()
async def everything_a_string(talk):
    """Every leaf is a string."""
    await every_leaf(talk, str)


@sin()
async def everything_true(talk):
    """Every leaf is true."""
    await every_leaf(talk, lambda value: True)


@sin()
async def everything_minus_one(talk):
    """Every leaf is -1."""
    await every_leaf(talk, lambda value: -1)


@sin()
async def everything_huge(talk):
    """Every number has forty digits: indexes, counts, times."""
    await every_leaf(talk, lambda value: 10**40 if type(value) in (int, float) else value)


@sin()
async def members_are_null(talk):
    """The outermost members are null."""
    await every_member(talk, None)


@sin()
async def members_are_text(talk):
    """The outermost members are text."""
    await every_member(talk, "text")


@sin()
async def members_are_lists(talk):
    """The outermost members are lists of lists."""
    await every_member(talk, [[[]]])


@sin()
async def members_are_objects(talk):
    """The outermost members are objects of objects."""
    await every_member(talk, {"a": {"b": None}})


@sin()
async def a_list_at_the_top(talk):
    """The answer is in a list."""
    await every(talk, lambda text: b"[" + text + b"]")


@sin()
async def a_string_at_the_top(talk):
    """The answer is a string."""
    await every(talk, lambda text: b'"fine"')


@sin()
async def a_number_at_the_top(talk):
    """The answer is 42."""
    await every(talk, lambda text: b"42")


@sin()
async def null_at_the_top(talk):
    """The answer is null."""
    await every(talk, lambda text: b"null")


@sin()
async def nothing_at_the_top(talk):
    """The answer is an empty object."""
    await every(talk, lambda text: b"{}")
