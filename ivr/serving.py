"""The web process: gunicorn; policies are read and proved before the first worker starts, the store opened after."""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from ivr.settings import Settings, SettingsError
from recordings.store import StoreUnavailable

KEEP_ALIVE = 75  # seconds; longer than any proxy keeps an idle connection, so that it is never we who close one in use
TIMEOUT = 30  # seconds in which a worker must show a sign of life
GRACE = 10  # seconds that a worker which is to stop has for what it is doing
METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
log = logging.getLogger("ivr")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn's own file of signs of life, which must not wait for a disk

Application = Callable[..., Any]


class JsonLogger(Logger):
    """Gunicorn's own lines, written as all others are."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401
        """Leave the lines to the handlers that are set up for everything."""
        super().setup(cfg)  # type: ignore[no-untyped-call]
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):
    """Gunicorn in this process, set up from our settings alone: no command line, no file."""

    def __init__(self, settings: Settings, build: Callable[[], Application]) -> None:
        self._settings = settings
        self._build = build
        self._last_good: Application | None = None
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        """Set every option that matters to us."""
        config: Any = self.cfg
        for name, value in options(self._settings).items():
            config.set(name, value)

    def load(self) -> Application:
        """Return the application. It is put together before the fork; what it opens, it opens in the worker.

        Policies that cannot be used keep the service from starting, but not a running one from going on as it was.
        """
        try:
            self._last_good = self._build()
        except SettingsError as error:
            if self._last_good is None:
                raise
            for fault in error.faults:
                log.error("Not taken over: %s", fault)  # noqa: TRY400 - the faults say it all
        gc.collect()
        gc.freeze()  # so that a worker does not copy what it shares with the others
        return self._last_good

    def reload(self) -> None:
        """Read the policies again (SIGHUP)."""
        super().reload()  # type: ignore[no-untyped-call]
        self.callable = None


def serve(settings: Settings, build: Callable[[], Application]) -> None:
    """Serve until told to stop. `build` reads the policies; it is called again when the process is told to reload."""
    Server(settings, build).run()  # type: ignore[no-untyped-call]


@contextmanager
def shared_metrics(settings: Settings) -> Iterator[None]:
    """Let several processes add up their figures. To be entered before anything imports the metrics."""
    if settings.web_concurrency == 1:
        yield
        return
    folder = mkdtemp(prefix="partnerline-metrics-")
    os.environ[METRICS_DIR] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def options(settings: Settings) -> dict[str, Any]:
    """Return gunicorn's settings."""
    return {
        "bind": f"{'127.0.0.1' if not settings.production else '0.0.0.0'}:{settings.port}",  # noqa: S104
        "workers": settings.web_concurrency,
        "worker_class": "gthread",
        "threads": settings.web_threads,
        "preload_app": True,
        "keepalive": KEEP_ALIVE,
        "timeout": TIMEOUT,
        "graceful_timeout": GRACE,
        "limit_request_line": 2048,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "control_socket_disable": True,
        "logger_class": JsonLogger,
        "loglevel": settings.log_level.value.lower(),
        "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
        "child_exit": _forget_worker,
        "post_worker_init": _keep_policies,
    }


def _keep_policies(worker: Worker) -> None:
    """Keep the text of every policy that calls will now begin under, without holding up the first of them."""

    def keep() -> None:
        try:
            worker.wsgi.extensions["partnerline"].know_policies()
        except StoreUnavailable as error:
            log.warning("The policies' texts are not kept yet: %s", error)

    Thread(target=keep, name="policies", daemon=True).start()


def _forget_worker(_server: Arbiter, worker: Worker) -> None:
    if METRICS_DIR in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
