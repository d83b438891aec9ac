"""Words that say that production is down, in what a caller has left on the voicemail."""

import re

# What is down, and how one says so. A transcript is a guess: what is meant for a person to look at may be wrong.
PHRASES = (
    r"production (system |server |site |environment )?(is|are|went|has gone|being) (\w+ )?(down|out|offline)",
    r"(everything|everyone|the whole (site|system|office)) (is|are|went) (\w+ )?(down|out|offline|dead)",
    r"(total|complete|major|full|system|service|network) outage",
    r"(have|having|there is|there's|this is|got|in) an? outage",
    r"(nobody|no one|none of (us|them)|no customers?) (can|is able to) (call|dial|work|reach|log ?in|take calls)",
    r"(can ?not|can't|unable to) (make|take|receive) any calls",
    r"(phone|system|service|network|site|server)s? (is|are) (all |completely |totally )?(down|offline|dead)",
    r"severity (one|1|zero|0)\b",
)
LONGEST = 20_000  # characters that are looked at
_SAID = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.ASCII)
_BLANKS = re.compile(r"[^a-z0-9']+")


def says_outage(text: str) -> bool:
    """Whether somebody says that production is down. Meant to be wrong rather on the side of looking."""
    plain = _BLANKS.sub(" ", text[:LONGEST].replace("\u2019", "'").casefold())
    return _SAID.search(plain) is not None
