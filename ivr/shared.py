"""Redis: what many processes share and may lose. A caller never waits for it, and nothing durable is kept there."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 0.25  # seconds; with the client's own defaults one request to a server that hangs takes a minute


def connect(url: str, *, decode: bool = True) -> "Redis":
    """Return a client that gives up at once. Nothing is opened until it is used."""
    from redis import Redis  # noqa: PLC0415 - the client is loaded only where there is a Redis
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=decode,
    )


def trouble(url: str) -> str:
    """Return why Redis cannot be used; empty if it can, or if there is none to be used."""
    if not url:
        return ""
    from redis import RedisError  # noqa: PLC0415

    try:
        with connect(url) as client:
            client.ping()
    except (RedisError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
