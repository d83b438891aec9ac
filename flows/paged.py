"""What somebody hears who is paged by telephone."""

PROMPTS = (
    "page.outage",
    "page.message",
    "page.call_back",
    "page.case",
    "page.keys",
    "page.yours",
    "page.waiting",
    "page.withheld",
    "page.again",
    "page.late",
    "page.over",
    "page.unsaved",
)
