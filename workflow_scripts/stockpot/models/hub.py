"""Is the hub of Hugging Face within reach? Asked once, instead of five times with growing waits."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants

from ..runtime.escape import one_line

PATIENCE = 10  # seconds for an answer, of any kind


@contextmanager
def hub() -> Iterator[str]:
    """A block that may fetch from the hub.

    Yields why the hub cannot be reached, or "". Without it the block gets what the cache has, and
    fails at once for anything else.
    """
    if constants.is_offline_mode():
        yield ""
        return
    reason = _unreachable(constants.ENDPOINT)
    before = constants.HF_HUB_OFFLINE, socket.getdefaulttimeout()
    # Some weights come from other servers, by code that waits for ever.
    socket.setdefaulttimeout(3 * PATIENCE)
    constants.HF_HUB_OFFLINE = bool(reason)
    try:
        yield reason
    finally:
        constants.HF_HUB_OFFLINE = before[0]
        socket.setdefaulttimeout(before[1])


def _unreachable(address: str) -> str:
    """Why there is no answer from an address; "" where there is one. Proxies are used."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return ""  # an answer, if not a friendly one
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "reason", None) or error, 120)
        return (
            f"no answer from {one_line(address, 80)}: {reason}. Run this once where there is a "
            "network, or set HF_HUB_CACHE to a cache that has it"
        )
    return ""
