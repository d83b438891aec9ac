"""Health: is the process alive, is the service ready for work, and the figures of /metrics."""

import hmac
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST

from ivr.observe import exposition, log
from recordings.store import StoreUnavailable

Probe = Callable[[], None]  # raises StoreUnavailable
LOOPBACK = frozenset({"127.0.0.1", "::1"})


def blueprint(
    probe: Probe, look: Probe, shared: Callable[[], str], policies: dict[str, str], metrics_token: str
) -> Blueprint:
    """Return the health routes.

    `look` brings the figures of the backlog up to date. `shared` says why Redis cannot be used, which is worth knowing
    and no reason not to take calls. `policies` are the versions in force by programme.
    """
    health = Blueprint("health", __name__)

    @health.get("/livez")
    def livez() -> dict[str, Any]:
        """Answer as long as the process can: nothing else is asked."""
        return {"alive": True}

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Say whether calls can be written down. What is wrong is told to operators only."""
        trouble = _trouble(probe)
        told: dict[str, Any] = {"ready": not trouble}
        if _is_operator(request, metrics_token):
            told |= {"store": trouble or "ok", "redis": shared() or "ok", "policies": policies}
        return jsonify(told), 503 if trouble else 200

    @health.get("/metrics")
    def metrics() -> Response:
        """Give every figure to whoever may have them."""
        if not _is_operator(request, metrics_token):
            return Response("403 Forbidden\n", 403, mimetype="text/plain")
        _trouble(look)
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

    return health


def _trouble(probe: Probe) -> str:
    try:
        probe()
    except StoreUnavailable as error:
        log.warning("The store cannot be used: %s", error)
        return str(error)
    return ""


def _is_operator(asked: Request, token: str) -> bool:
    """Whether the request comes from this machine itself, not through a proxy on it, or carries METRICS_TOKEN."""
    given = asked.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if token and hmac.compare_digest(given, token.encode()):
        return True
    forwarded = "X-Forwarded-For" in asked.headers or "Forwarded" in asked.headers
    return asked.remote_addr in LOOPBACK and not forwarded
