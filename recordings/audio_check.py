"""What is in a recording's audio: how long it is, and whether there is anything to hear."""

import struct
from array import array
from hashlib import sha256
from io import BytesIO

import msgspec
from tinytag import TinyTag
from tinytag import TinyTagException as NoAudio

SHORTEST = 2.0  # seconds; anything shorter is no message
QUIET = 1 / 128  # of full scale; where nothing is louder there is nothing to hear
PCM = 1
PLACEHOLDERS = (0, 0xFFFFFFFF)  # sizes in the head of a file that was streamed


class BadAudio(ValueError):  # noqa: N818 - the fault is in what was sent
    """What was sent is no audio, or not all of it. The message says why."""


class Examined(msgspec.Struct, frozen=True):
    """What was found: `state` is stored, silent or too_short."""

    state: str
    seconds: int
    media_type: str
    sha256: str


class Wave(msgspec.Struct, frozen=True):
    """A WAV file: its format, bits a sample, bytes a second, and samples."""

    format: int
    bits: int
    rate: int
    samples: bytes


def examine(audio: bytes) -> Examined:
    """Say what an audio file holds. Raises BadAudio for what is none, or is cut short."""
    wave = read_wave(audio) if audio.startswith(b"RIFF") else None
    seconds = len(wave.samples) / wave.rate if wave else _seconds(audio)
    state = "too_short" if seconds < SHORTEST else "silent" if wave and is_silent(wave) else "stored"
    return Examined(state, int(seconds), "audio/wav" if wave else "audio/mpeg", sha256(audio).hexdigest())


def is_silent(wave: Wave) -> bool:
    """Whether no sample is loud enough to be heard. Only plain samples of 8 or 16 bits are listened to."""
    if wave.format != PCM or wave.bits not in (8, 16) or not wave.samples:
        return not wave.samples
    if wave.bits == 8:  # unsigned, with silence in the middle
        return _peak([sample - 128 for sample in (min(wave.samples), max(wave.samples))]) < 128 * QUIET
    samples = array("h", wave.samples[: len(wave.samples) // 2 * 2])
    return _peak([min(samples), max(samples)]) < 32768 * QUIET


def _peak(extremes: list[int]) -> int:
    return max(abs(each) for each in extremes)


def read_wave(audio: bytes) -> Wave:
    """Read a WAV file. Raises BadAudio."""
    if len(audio) < 44 or audio[8:12] != b"WAVE":
        raise BadAudio("it begins as a WAV file and is none")
    head: tuple[int, int, int] | None = None
    place = 12
    while place + 8 <= len(audio):
        name, (size,) = audio[place : place + 4], struct.unpack_from("<I", audio, place + 4)
        place += 8
        if name == b"fmt " and size >= 16 and place + 16 <= len(audio):
            kind, _channels, _samples, rate, _block, bits = struct.unpack_from("<HHIIHH", audio, place)
            head = (kind, bits, rate)
        elif name == b"data":
            return _wave(head, audio, place, size)
        place += size + size % 2
    raise BadAudio("the WAV file holds no samples")


def _wave(head: tuple[int, int, int] | None, audio: bytes, place: int, size: int) -> Wave:
    if head is None or not head[2]:
        raise BadAudio("the WAV file does not say how it is to be played")
    there = len(audio) - place
    if size not in PLACEHOLDERS and size > there:
        raise BadAudio(f"the WAV file is cut short: {there} of {size} bytes")
    samples = audio[place:] if size in PLACEHOLDERS else audio[place : place + size]
    return Wave(*head, samples)


def _seconds(audio: bytes) -> float:
    try:
        found = TinyTag.get(file_obj=BytesIO(audio), tags=False)
    except NoAudio as error:
        raise BadAudio(f"it is no audio: {error}") from None
    if not found.duration:
        raise BadAudio("it is no audio that has a length")
    return found.duration
