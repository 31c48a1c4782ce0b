"""Fetching from the hub of Hugging Face, with one question first whether it is within reach.

Without that, its library asks five times with growing waits.
"""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants

from ..runtime.escape import one_line

ANSWER_TIMEOUT_S = 10  # for an answer of any kind
DOWNLOAD_TIMEOUT_S = 30  # for a server that stops sending


@contextmanager
def hub() -> Iterator[str]:
    """Open a block that may fetch from the hub.

    Yields:
        Why the hub cannot be reached, or "". In the first case the block gets what the cache has,
        and fails at once for anything else.
    """
    if constants.is_offline_mode():
        yield ""
        return
    reason = _unreachable(constants.ENDPOINT)
    offline_before = constants.HF_HUB_OFFLINE
    timeout_before = socket.getdefaulttimeout()
    # Some weights come from other servers, through code that waits for ever.
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    constants.HF_HUB_OFFLINE = bool(reason)
    try:
        yield reason
    finally:
        constants.HF_HUB_OFFLINE = offline_before
        socket.setdefaulttimeout(timeout_before)


def _unreachable(address: str) -> str:
    """Why there is no answer from an address; "" where there is one. Proxies are used."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S).close()
    except urllib.error.HTTPError:
        return ""  # an error of the server is an answer
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", None) or error
        return (
            f"no answer from {one_line(address, 80)}: {one_line(cause, 120)}. Run this once where "
            "there is a network, or set HF_HUB_CACHE to a cache that has it"
        )
    return ""
