"""Ours: the real service as it ships, on a database of its own with the demo directory."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.caller import Script
from bench.contender import BASE, LINE, Contender
from bench.server import ROOT
from bench.webhook import ACCOUNT, TOKEN

IVR = Path(sys.executable).parent / "ivr"
INSTANT = "2026-11-18T18:00:00Z"  # a Wednesday on which the US and EMEA desks are open
ACME = "+14085550142"  # the demo directory's recognised partner
KEYS = "12"


@dataclass(frozen=True)
class Database:
    """A database with schema and directory."""

    name: str
    url: str
    callers: tuple[str, ...] = (ACME,)


def environ(url: str) -> dict[str, str]:
    """Return the environment of the service: everything that it insists on, and nothing else."""
    return {
        "IVR_ENV": "demo",
        "DATABASE_URL": url,
        "PUBLIC_BASE_URL": BASE,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN.decode(),
        "SECRET_KEY": "a secret of the benchmark alone, 32 characters and more",
    }


def ivr(url: str, *words: str) -> str:
    """Run a command of ours."""
    command = [sys.executable, str(IVR), *words]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ(url)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ivr {' '.join(words)}: {done.stdout[-500:]} {done.stderr[-1500:]}")
    return done.stdout


def ours(database: Database, workers: int = 1) -> Contender:
    """Return the service on a database."""
    script = Script(BASE, "/voice", LINE, KEYS, status="/voice/status", instant=INSTANT)
    name = database.name + (f", {workers} workers" if workers > 1 else "")
    command = [sys.executable, str(IVR), "serve"]
    settings = {**environ(database.url), "WEB_CONCURRENCY": str(workers)}
    return Contender(name, lambda _port: command, settings, script, database.callers)


def sqlite(folder: Path, file: str, name: str = "ours") -> Database:
    """Return a fresh SQLite file with the demo directory."""
    return filled(Database(name, f"sqlite:///{folder}/{file}.db"))


def filled(database: Database) -> Database:
    """Create the schema, and import the demo directory."""
    ivr(database.url, "db", "upgrade")
    ivr(database.url, "partners", "import", str(ROOT / "recordings/demo/partners.csv"))
    return database
