"""How an exchange ended: complete, broken (and how), and whether its connection may go on."""

from __future__ import annotations

import httpcore2

from conformance.wire.exchange import Exchange, FailureKind
from conformance.wire.framing import head_end, response_end
from conformance.wire.intake import Intake
from conformance.wire.network import Recorder, sentence

__all__ = ["classify", "finished", "settled"]


def settled(intake: Intake, recorder: Recorder) -> bool:
    """Whether the connection ends exactly with this response and may serve another request.

    Bytes behind the response would be taken for the next one's answer and accuse a bystander.
    """
    if recorder.cut or intake.status is None or intake.failure or recorder.failure:
        return False
    begin = head_end(recorder.raw)
    if begin is None:
        return False
    if begin > recorder.limits.headers:
        detail = f"the response head is larger than {recorder.limits.headers} bytes"
        intake.fail(FailureKind.HEADERS_TOO_LARGE, detail)
    if intake.closed_by_us:
        return False
    method = intake.request.method
    end = response_end(recorder.raw, begin, method, intake.status, intake.headers)
    if end is None:
        return False
    # Bytes that no request of ours asked for, unless malformed ones were taken for several.
    several = intake.request.raw is not None and recorder.raw.startswith(b"HTTP/1.", end)
    if end < recorder.size and not several:
        detail = f"{recorder.size - end} bytes follow the end of the response"
        intake.fail(FailureKind.PROTOCOL, detail)
    return end == recorder.size


def classify(error: Exception, recorder: Recorder) -> None:
    """Say in the recorder how the exchange failed (unless it knows already)."""
    kind, detail = FailureKind.PROTOCOL, sentence(error)
    if isinstance(error, httpcore2.ConnectTimeout):
        kind, detail = FailureKind.CONNECT_TIMEOUT, "no connection in time"
    elif isinstance(error, (httpcore2.ConnectError, httpcore2.ProxyError)):
        kind = FailureKind.CONNECT
    elif isinstance(error, httpcore2.LocalProtocolError):
        detail = f"the request cannot be sent: {detail}"
    elif isinstance(error, (httpcore2.NetworkError, httpcore2.TimeoutException, OSError)):
        kind = FailureKind.RESET
        detail = f"the connection broke {_when(recorder)}"
    elif recorder.eof and (not recorder.size or recorder.raw.startswith(b"HTTP/1.")):
        kind = FailureKind.RESET
        detail = f"the connection was closed {_when(recorder)}"
    recorder.fail(kind, detail)


def _when(recorder: Recorder) -> str:
    if recorder.head_done:
        return "before the response was complete"
    if recorder.size:
        return "within the response head"
    kept = " (it had been kept alive)" if recorder.reused else ""
    return f"before any byte of an answer{kept}"


def finished(
    intake: Intake, recorder: Recorder, *, id: str, repetition: int, phase: str
) -> Exchange:
    """The exchange of what intake and recorder collected."""
    return intake.exchange().replace(
        id=id,
        repetition=repetition,
        phase=phase,
        started=recorder.started,
        elapsed=recorder.elapsed,
        raw=recorder.raw,
        raw_reads=tuple(recorder.reads),
        failure=recorder.failure or intake.failure,
    )
