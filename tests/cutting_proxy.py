"""A wire to a server that can be cut just after the server has done what it was asked, before it can say so."""

import select
import socket
import threading
from contextlib import suppress

from postgres_server import HOST


class CuttingProxy:
    """Forwards bytes both ways. Once armed, it cuts the next connection whose query has been answered."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server((HOST, 0))
        self.port: int = self._server.getsockname()[1]
        self.cuts = 0
        self._armed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self) -> None:
        """Let the next query through, and cut the wire instead of its answer."""
        self._armed = True

    def close(self) -> None:
        """Accept nobody any more."""
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.create_connection((HOST, self._target)) as server, suppress(OSError):
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is server and self._armed:
                        self._armed = False
                        self.cuts += 1
                        return
                    (server if ready is client else client).sendall(data)
