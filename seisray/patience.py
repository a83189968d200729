"""Waiting for a server that fails for a while: which errors may pass by themselves, and how long they are outlasted.

Arrow tries each S3 request a few times; what outlasts that is tried again as a whole until SEISRAY_S3_PATIENCE_S
seconds (120) are over.
"""

import logging
import os
import re
import threading
from collections.abc import Callable
from typing import Any

import tenacity

from seisray.errors import ConfigError

STALL_S = 20.0  # a connection on which nothing moves for so long is given up; whatever takes so long says so

# What may heal with time, in Arrow's words: a name or, where an answer has no body, a status. An upload is gone where
# an earlier attempt completed it and the answer was lost; a part is invalid where its answer broke off.
_PASSING = re.compile(
    r"AWS Error (NETWORK_CONNECTION|INTERNAL_FAILURE|SERVICE_UNAVAILABLE|SLOW_DOWN|THROTTLING|REQUEST_TIMEOUT"
    r"|NO_SUCH_UPLOAD|\w+ \(HTTP status (408|409|425|429|500|502|503|504)\)|.*ExceptionName: InvalidPart)"
)


class BrokenAnswerError(OSError):
    """An answer came through in part."""


def passes(error: BaseException) -> bool:
    """Return whether an error may go away by itself."""
    return isinstance(error, BrokenAnswerError) or _PASSING.search(str(error)) is not None


def patience_s() -> float:
    """Return for how many seconds to go on; raise ConfigError where SEISRAY_S3_PATIENCE_S is no number."""
    try:
        return float(os.environ.get("SEISRAY_S3_PATIENCE_S", "120"))
    except ValueError as error:
        raise ConfigError(f"SEISRAY_S3_PATIENCE_S must be seconds, e.g. 120: {error}") from error


def outlast(call: Callable[[], Any], complaint: str) -> Any:
    """Call until no passing error comes or patience ends; warn once, at the first error or after STALL_S."""
    until_s, said = patience_s(), threading.Event()

    def warn(reason: object) -> None:
        if not said.is_set():
            said.set()
            logging.getLogger(__name__).warning("%s: %s; trying for up to %.0f s", complaint, reason, until_s)

    notice = threading.Timer(STALL_S, warn, [f"no answer, or a slow one, for {STALL_S:.0f} s"])
    notice.daemon = True
    notice.start()
    try:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(passes),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
            stop=tenacity.stop_before_delay(until_s),
            before_sleep=lambda state: warn(state.outcome and state.outcome.exception()),
            reraise=True,
        )(call)
    finally:
        notice.cancel()
