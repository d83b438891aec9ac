"""Requests that Twilio never sent: wrong signatures, and right ones over fields that were cut up anew."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from carrier import Carrier
from wire import Form, pairs, sign

OTHER_TOKEN = "ffffffffffffffffffffffffffffffff"


def forged_signatures(phone: Carrier, path: str, form: Form) -> Iterator[tuple[str, str | None]]:
    """Name each kind of wrong signature for a request, and give the header's value; None is no header."""
    token, base, url = phone.auth_token, phone.wire.base, phone.wire.base + path
    right, host = sign(token, url, form), urlsplit(base).netloc
    yield "no header", None
    yield "empty", ""
    yield "28 times A", "A" * 28
    yield "another token", sign(OTHER_TOKEN, url, form)
    yield "an empty token", sign("", url, form)
    yield "truncated", right[:-2]
    yield "lower case", right.lower()
    yield "repeated", f"{right},{right}"
    yield "not ASCII", "\u00e9" * 28
    yield "very long", "A" * 8000
    yield "over another host", sign(token, url.replace(host, "evil.example"), form)
    yield "over a port", sign(token, url.replace(host, f"{host}:8443"), form)
    yield "over http", sign(token, url.replace("https:", "http:"), form)
    yield "over another path", sign(token, base + "/elsewhere", form)
    yield "over another query", sign(token, f"{url}{'&' if '?' in url else '?'}a=1", form)
    yield "over no fields", sign(token, url)
    yield "over one field more", sign(token, url, [*pairs(form), ("Zzz", "1")])


def tampered(form: Form) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Change one field at a time: another value, another name, gone; each with a name for the test."""
    fields = pairs(form)
    for position, (name, value) in enumerate(fields):
        before, after = fields[:position], fields[position + 1 :]
        yield f"{name} changed", [*before, (name, value + "0"), *after]
        yield f"{name} renamed", [*before, (f"X{name}", value), *after]
        yield f"{name} dropped", [*before, *after]


def resplit(form: Form) -> Iterator[list[tuple[str, str]]]:
    """Cut the signed text into other fields: neighbours merged, a name's end moved. Each keeps the same signature."""
    fields = sorted(pairs(form))
    yield [(fields[0][0], _text(fields)[len(fields[0][0]) :])]
    for position, (name, value) in enumerate(fields):
        before, after = fields[:position], fields[position + 1 :]
        if after:
            yield [*before, (name, value + _text(after[:1])), *after[1:]]
        whole = name + value
        for cut in range(1, len(whole) + 1):
            moved = [*before, (whole[:cut], whole[cut:]), *after]
            if cut != len(name) and _keeps_its_text(moved):
                yield moved


def moved_into_path(path: str, form: Form) -> tuple[str, list[tuple[str, str]]]:
    """Move the first field into the URL: path and form that keep the signature."""
    first, *others = sorted(pairs(form))
    return path + first[0] + first[1], others


def _text(fields: Sequence[tuple[str, str]]) -> str:
    return "".join(name + value for name, value in fields)


def _keeps_its_text(fields: Sequence[tuple[str, str]]) -> bool:
    names = [name for name, _ in fields]
    return len(set(names)) == len(names) and sorted(names) == names
