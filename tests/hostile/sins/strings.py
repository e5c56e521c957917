"""Strings that want to act: on the page, on the terminal, on the files of the run."""

from ..table import sin

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)></script>]]><!--{{7*7}}${7*7}'
ESCAPES = "\x1b[2J\x1b[31;1mowned\x1b]0;owned\x07\x9b5n\r\b\x00"
BACKWARDS = "\u202egnp.exe\u2066\u2028forged: line\u2029\u0085"
MARKDOWN = "| x |\n\n# forged\n[click](javascript:alert(1)) `${IFS}$(touch /tmp/forged)`"
LINES = '\n{"type":"result","verdict":"pass"}\n::error::forged\r\n##[error]forged'


def sown(value, seed):
    """``value`` with ``seed`` behind each string, member values and unknown member names too."""
    if isinstance(value, dict):
        grown = {name: sown(each, seed) for name, each in value.items()}
        return {**grown, f"x{seed}": seed}
    if isinstance(value, list):
        return [sown(each, seed) for each in value]
    return value + seed if isinstance(value, str) else value


async def sow(talk, seed, *, text=True):
    """Honest answers with ``seed`` in every string, in the reason and in every header value."""
    answer = (await talk.honest()).change_json(lambda value: sown(value, seed))
    plain = seed.replace("\n", " ").replace("\r", " ").replace("\x00", "").encode()
    fields = [(k, v if k.lower() == b"content-type" else v + plain) for k, v in answer.headers]
    answer.headers = [*fields, (b"X-Seed", plain)]
    answer.reason = plain
    await talk.reply(answer)


@sin()
async def markup_everywhere(talk):
    """Script and tags in each string."""
    await sow(talk, MARKUP)


@sin(cheap=True)
async def terminal_escapes_in_the_body(talk):
    """Escape sequences in each string of the body, as JSON escapes."""
    await talk.reply((await talk.honest()).change_json(lambda value: sown(value, ESCAPES)))


@sin(code=3, accused="")
async def terminal_escapes_in_the_head(talk):
    """Escape sequences in reason and header values."""
    answer = await talk.honest()
    answer.reason = ESCAPES.replace("\r", "").replace("\x00", "").encode()
    await talk.reply(answer.with_headers((b"X-Seed", answer.reason)))


@sin()
async def terminal_escapes_instead_of_an_answer(talk):
    """Escape sequences as they are, where JSON is due."""
    await talk.reply((await talk.honest()).change(lambda text: ESCAPES.encode() * 20))


@sin()
async def terminal_escapes_for_a_model(talk):
    """Honest but for the model, the ids and the finish reasons."""
    hit = {"model", "id", "finish_reason", "object"}

    def change(value):
        if isinstance(value, dict):
            return {k: ESCAPES if k in hit and v else change(v) for k, v in value.items()}
        return [change(each) for each in value] if isinstance(value, list) else value

    await talk.reply((await talk.honest()).change_json(change))


@sin()
async def text_that_runs_backwards(talk):
    """Bidirectional controls and line separators in each string."""
    await sow(talk, BACKWARDS)


@sin()
async def forged_lines(talk):
    """Line ends and what a log or a results file would take for its own."""
    await sow(talk, LINES)


@sin()
async def markdown_and_shell(talk):
    """What acts in a summary, or in a shell that repeats a request."""
    await sow(talk, MARKDOWN)


@sin()
async def lone_surrogates(talk):
    """Half a pair at the end of each string."""
    await talk.reply((await talk.honest()).change_json(lambda value: sown(value, "\ud800")))


@sin()
async def nul_in_every_string(talk):
    """A NUL at the end of each string."""
    await talk.reply((await talk.honest()).change_json(lambda value: sown(value, "\x00")))


@sin()
async def paths_for_ids(talk):
    """Ids that climb out of a folder."""
    await sow(talk, "/../../../../../../../../tmp/forged")
