"""What the round of the clocks tells people: what matters first, and nothing of a caller that they do not need."""

from flows.case_clocks import CaseClock
from flows.casework import CaseView
from flows.taskwork import TaskView
from flows.work import Entry
from ivr.notify.tell import Note
from ivr.wording import grouped, left_words, span_words, there
from routing.policy import Policy

PROMISES = {"first_response": "first response", "escalation": "answer to a message", "call_back": "call back"}


def promise(clock_id: str) -> str:
    """Return what a clock waits for: "first response", "update 3", "answer to a message"."""
    name, _, rest = clock_id.partition(".")
    return f"update {rest}" if name == "update" else PROMISES.get(name, name)


def subject_of(view: CaseView) -> str:
    """Return what a case is known by: severity, number, partner."""
    severity = f"Severity {view.severity}, " if view.severity is not None else ""
    partner = view.case.partner_name or "unknown partner"
    return f"{severity}case {grouped(view.case.number)}, {partner}"


def warning_note(view: CaseView, clock: CaseClock, policy: Policy) -> Note:
    """Tell that three quarters of the time have run."""
    left = left_words(clock.clock.left)
    what = f"{promise(clock.id)} due {_due(view, clock, policy)}, {left} left"
    return Note(f"Due soon: {subject_of(view)}: {what}", _body(view, clock))


def breach_note(view: CaseView, clock: CaseClock, policy: Policy) -> Note:
    """Tell that a target was missed."""
    what = f"{promise(clock.id)} was due {_due(view, clock, policy)}"
    come = "" if clock.running else "\nIt has come since."
    return Note(f"Missed: {subject_of(view)}: {what}", _body(view, clock) + come)


def acceptance_note(view: CaseView, entry: Entry) -> Note:
    """Tell whoever has the case to ask its partner whether it can be closed."""
    number, times = entry.detail["number"], entry.detail["of"]
    what = f"ask whether it can be closed ({number} of {times})"
    log = f"ivr cases log {view.case.number}"
    body = f"Log the answer with `{log} accept --by NAME`, or `{log} reopen --by NAME --reason WHY`."
    return Note(f"{subject_of(view)}: {what}", body)


def closed_note(view: CaseView, entry: Entry) -> Note:
    """Tell that the service has closed a case."""
    return Note(f"Closed: {subject_of(view)}", f"{entry.says('reason').capitalize()}.")


def handed_note(view: TaskView, policy: Policy, since: str) -> Note:
    """Tell a desk that a task is its own now."""
    task = view.task
    zone = policy.regions[task.region].zone
    kind = "Message" if task.kind == "message" else "Call back"
    severity = f"Severity {task.severity}, " if task.severity is not None else ""
    due = f", due {there(task.due_at, zone)}" if task.due_at else ""
    partner = task.partner_name or "unknown partner"
    case = f", case {grouped(task.case_number)}" if task.case_number else ""
    body = f"It comes from {since}, where nobody is on duty.\nTake it with `ivr tasks claim {task.id} --by NAME`."
    return Note(f"{kind} for you: {severity}{partner}{case}{due}", body)


def _due(view: CaseView, clock: CaseClock, policy: Policy) -> str:
    region = policy.regions[view.case.region]
    return there(clock.clock.due_at, region.zone, view.at) if clock.clock.due_at else "at an unknown time"


def _body(view: CaseView, clock: CaseClock) -> str:
    held = f"{view.holder} has it." if view.holder else "Nobody has taken it."
    amount = f"{span_words(clock.clock.target.amount)}, {clock.clock.target.counts}"
    return f"Target: {amount} ({clock.table} table). {held}\nSee `ivr cases show {view.case.number}`."
