"""Ladders: who is told next, who is skipped and why, what unlocks a level, and that nobody in trouble goes unheard."""

from datetime import timedelta

import pytest
from desks import EMEA, desk, z
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.ladder import Climb, Ladder, Level, Tried, Unlock, broadcast, climb
from routing.schedule import Schedule

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOON = z("2026-11-10 12:00")  # a Tuesday; EMEA is open until 18:00
NIGHT = z("2026-11-10 22:00")
OPENS = z("2026-11-11 08:00")
WEEKEND = z("2026-11-14 12:00")
DAWN = desk("dawn", "Europe/London", "06:00-12:00")


def ladder(*levels, urgent=True, hours=None, unlock=None):
    """Levels as "lead" or "lead manager": roles are named by their destinations. `hours` and `unlock` by level."""
    made = tuple(
        Level(" or ".join(names.split()), tuple(names.split()), 5 * MINUTE, (hours or {}).get(n), (unlock or {}).get(n))
        for n, names in enumerate(levels, 1)
    )
    return Ladder("test", made, 10 * MINUTE, urgent, "Europe/London")


def step(which, tried=(), at=NOON, *, people=None, off=(), progress=None):
    """The next step: `people` names who is behind a destination, else everybody is somebody; `off` have the day off."""
    reach = people or {}
    return climb(which, tried, at, lambda name: reach.get(name, name), lambda name, _: name in off, progress)


def told(level, destination, minutes_ago, result="sent", *, at=NOON):
    return Tried(level, 1, destination, at - minutes_ago * MINUTE, result)


FOUR = ladder("engineer", "lead", "manager", "director")


def test_the_first_step_tells_the_first_level():
    assert step(FOUR) == Climb(1, 1, ("engineer",), (), NOON + 5 * MINUTE)


def test_a_page_climbs_every_five_minutes_and_then_tells_everybody_again_and_again():
    tried, at, seen = [], NOON, []
    for _ in range(7):
        found = step(FOUR, tried, at)
        seen.append((int((at - NOON) / MINUTE), found.level, found.round, " ".join(found.tell)))
        tried += [Tried(found.level, found.round, name, at, "no_answer") for name in found.tell]
        at = found.next_at

    everybody = "engineer lead manager director"
    assert seen == [
        (0, 1, 1, "engineer"),
        (5, 2, 1, "lead"),
        (10, 3, 1, "manager"),
        (15, 4, 1, "director"),
        (20, 5, 2, everybody),
        (30, 5, 3, everybody),
        (40, 5, 4, everybody),
    ]


def test_those_who_were_told_have_their_time():
    waiting = step(FOUR, [told(1, "engineer", 4)])

    assert (waiting.level, waiting.tell, waiting.next_at) == (1, (), NOON + MINUTE)
    assert waiting.why == "those who were told still have time"
    assert step(FOUR, [told(1, "engineer", 5)]).tell == ("lead",)


def test_a_worker_that_was_away_goes_on_with_the_next_level_and_leaves_none_out():
    assert step(FOUR, [told(1, "engineer", 600)]).tell == ("lead",)


def test_the_order_in_which_tries_became_known_does_not_matter():
    tried = [told(2, "lead", 5), told(1, "engineer", 10)]

    assert step(FOUR, tried) == step(FOUR, tried[::-1])
    assert step(FOUR, tried).tell == ("manager",)


SKIPS = [
    # who is behind destinations, who is off, tried before, told now, skipped
    ({"engineer": None}, (), (), ("lead",), [(1, "engineer: nobody can be reached there")]),
    ({}, ("engineer",), (), ("lead",), [(1, "engineer: everybody has the day off")]),
    (
        {"engineer": None},
        ("lead",),
        (),
        ("manager",),
        [(1, "engineer: nobody can be reached there"), (2, "lead: everybody has the day off")],
    ),
    (
        {"engineer": "robin", "lead": "robin"},
        (),
        (told(1, "engineer", 5),),
        ("manager",),
        [(2, "lead: whoever it is has been told already")],
    ),
    ({"lead": None}, (), (told(1, "engineer", 5),), ("manager",), [(2, "lead: nobody can be reached there")]),
]


@pytest.mark.parametrize(("people", "off", "tried", "tell", "skipped"), SKIPS)
def test_a_level_of_which_nobody_can_be_told_is_skipped_at_once(people, off, tried, tell, skipped):
    found = step(FOUR, tried, people=people, off=off)

    assert (found.tell, list(found.skipped)) == (tell, skipped)
    assert found.next_at == NOON + 5 * MINUTE


def test_of_a_level_whoever_can_be_told_is_told_once():
    both = ladder("lead deputy manager", "director")

    assert step(both, off=("deputy",)).tell == ("lead", "manager")
    assert step(both, people={"deputy": None}).tell == ("lead", "manager")
    assert step(both, people={"lead": "robin", "manager": "robin"}).tell == ("lead", "deputy")


def test_a_try_that_was_none_does_not_count():
    assert step(FOUR, [told(1, "engineer", 0, "skipped")]).tell == ("engineer",)


def test_with_all_levels_empty_nobody_is_told_and_every_level_is_named():
    found = step(FOUR, people=dict.fromkeys(("engineer", "lead", "manager", "director")))

    assert (found.tell, [number for number, _ in found.skipped]) == ((), [1, 2, 3, 4])
    assert found.next_at == NOON + 10 * MINUTE


def test_with_everybody_off_everybody_is_told_all_the_same():
    """An escalation of somebody in trouble is never told to nobody."""
    names = ("engineer", "lead", "manager", "director")
    found = step(FOUR, off=names)

    assert (found.tell, found.level, len(found.skipped)) == (names, 5, 4)


HOURS = dict.fromkeys(range(1, 5), EMEA)


def test_an_urgent_ladder_whose_hours_close_every_level_tells_everybody_and_says_so():
    found = step(ladder("lead", "manager", urgent=True, hours=HOURS), at=NIGHT)

    assert (found.tell, found.level, found.round) == (("lead", "manager"), 3, 2)
    assert list(found.skipped) == [
        (1, "lead: off duty until Wed 2026-11-11 08:00 GMT"),
        (2, "manager: off duty until Wed 2026-11-11 08:00 GMT"),
    ]


def test_one_that_is_not_urgent_waits_for_the_first_level_to_open():
    calm = ladder("lead", "manager", urgent=False, hours={1: EMEA, 2: DAWN})
    found = step(calm, at=NIGHT)

    assert (found.tell, found.next_at, found.why) == (
        (),
        z("2026-11-11 06:00"),
        "everybody who is left to be told is off duty",
    )
    assert step(calm, at=found.next_at).tell == ("manager",)


def test_a_level_that_is_off_duty_is_skipped_for_one_that_is_not():
    calm = ladder("lead", "manager", urgent=False, hours={1: EMEA})
    found = step(calm, at=NIGHT)

    assert found.tell == ("manager",)
    assert list(found.skipped) == [(1, "lead: off duty until Wed 2026-11-11 08:00 GMT")]


def test_one_that_is_not_urgent_goes_on_in_the_morning_and_tells_everybody_on_duty_then():
    calm = ladder("lead", "manager", urgent=False, hours=HOURS)
    evening = [told(1, "lead", 10, at=NIGHT), told(2, "manager", 5, at=NIGHT)]
    found = step(calm, evening, NIGHT)

    assert (found.tell, found.next_at) == ((), OPENS)
    assert step(calm, evening, OPENS).tell == ("lead", "manager")


def test_the_same_people_at_the_end_of_the_ladder_are_waited_for_too():
    calm = ladder("lead", "nobody", urgent=False, hours=HOURS)
    found = step(calm, [told(1, "lead", 10, at=NIGHT)], NIGHT, people={"nobody": None})

    assert (found.tell, found.next_at) == ((), OPENS)


# --- the managed server's ladder: the support team, the head of support, the vice president, the chief architect

HEAD_THEN = Unlock(attempts=2, within_days=1, idle_days=1)
VICE_THEN = Unlock(attempts=2, within_days=1)
SERVER = Ladder(
    "server",
    (
        Level("support team", ("team",), 4 * HOUR),
        Level("head of support", ("head",), 4 * HOUR),
        Level("vice president", ("vice",), 4 * HOUR, unlock=HEAD_THEN),
        Level("chief operations architect", ("architect",), 4 * HOUR, unlock=VICE_THEN),
    ),
    4 * HOUR,
    urgent=True,
    zone="Europe/London",
)


def tries(*given_tries):
    """Tries as "level destination instant result"."""
    found = []
    for text in given_tries:
        level, destination, day, clock, result = text.split()
        found.append(Tried(int(level), 1, destination, z(f"2026-11-{day} {clock}"), result))
    return found


TEAM = "1 team 10 06:00 no_answer"
LOCKS = [
    # what was tried, progress, asked at, told, level
    ((TEAM, "2 head 10 10:00 no_answer"), None, "10 14:00", "head", 2),  # one attempt is not more than one
    ((TEAM, "2 head 10 10:00 no_answer", "2 head 10 14:00 no_answer"), None, "10 18:00", "vice", 3),
    ((TEAM, "2 head 10 10:00 no_answer", "2 head 10 14:00 no_answer"), None, "10 17:59", "", 2),
    (
        (TEAM, "2 head 10 10:00 no_answer", "2 head 11 11:00 no_answer"),
        None,
        "11 15:00",
        "vice",
        3,
    ),  # 25 h apart, but a day without progress
    ((TEAM, "2 head 13 16:00 no_answer", "2 head 16 10:00 no_answer"), None, "16 14:00", "vice", 3),  # over a weekend
    ((TEAM, "2 head 10 10:00 no_answer", "2 head 10 14:00 answered"), None, "10 18:00", "", 2),  # reached: has a day
    ((TEAM, "2 head 10 10:00 answered"), None, "11 09:59", "", 2),
    ((TEAM, "2 head 10 10:00 answered"), None, "11 10:00", "vice", 3),  # one working day without progress
    ((TEAM, "2 head 13 10:00 answered"), None, "14 12:00", "", 2),  # Saturday is none
    ((TEAM, "2 head 13 10:00 answered"), None, "16 10:00", "vice", 3),
    ((TEAM, "2 head 10 10:00 answered"), "10 20:00", "11 12:00", "", 2),  # progress: the day begins anew
    ((TEAM, "2 head 10 10:00 answered"), "10 20:00", "11 20:00", "vice", 3),
    ((TEAM, "2 head 10 10:00 answered"), "10 09:00", "11 10:00", "vice", 3),  # progress before it was told is none
]


@pytest.mark.parametrize(("tried", "progress", "at", "tell", "level"), LOCKS)
def test_what_unlocks_the_vice_president(tried, progress, at, tell, level):
    progress_at = z(f"2026-11-{progress}") if progress else None
    found = step(SERVER, tries(*tried), z(f"2026-11-{at}"), progress=progress_at)

    assert (" ".join(found.tell), found.level) == (tell, level)
    assert found.next_at > z(f"2026-11-{at}")


def test_the_attempts_must_lie_within_one_working_day():
    only = Ladder("attempts", (SERVER.levels[1], Level("vice", ("vice",), HOUR, unlock=VICE_THEN)), HOUR, urgent=True)
    apart = tries("1 head 10 10:00 no_answer", "1 head 11 10:01 no_answer")
    near = tries("1 head 10 10:00 no_answer", "1 head 11 10:00 no_answer")

    assert step(only, apart, z("2026-11-11 15:00")).tell == ("head",)
    assert step(only, near, z("2026-11-11 15:00")).tell == ("vice",)


def test_while_a_level_is_locked_the_one_before_it_is_tried_again_in_a_round_of_its_own():
    tried, at, seen = [], z("2026-11-10 06:00"), []
    for _ in range(6):
        found = step(SERVER, tried, at)
        seen.append(f"{at:%H:%M} {found.round} {' '.join(found.tell)}")
        tried += [Tried(found.level, found.round, name, at, "no_answer") for name in found.tell]
        at = found.next_at

    assert seen == [
        "06:00 1 team",
        "10:00 1 head",
        "14:00 2 head",
        "18:00 2 vice",
        "22:00 3 vice",
        "02:00 3 architect",
    ]


def test_the_day_without_progress_is_looked_at_when_it_is_over():
    found = step(SERVER, tries(TEAM, "2 head 10 10:00 answered"), z("2026-11-10 14:00"))

    assert (found.tell, found.next_at) == ((), z("2026-11-11 10:00"))
    assert found.why == "level 3 opens then, if there is no progress"


@pytest.mark.parametrize(("people", "off"), [({"head": None}, ()), ({}, ("head",)), ({"head": "team"}, ())])
def test_a_lock_asks_nothing_of_people_who_cannot_be_told(people, off):
    found = step(SERVER, tries(TEAM), z("2026-11-10 10:00"), people=people, off=off)

    assert (found.tell, [number for number, _ in found.skipped]) == (("vice",), [2])


def test_the_head_who_has_left_since_is_not_waited_for():
    found = step(SERVER, tries(TEAM, "2 head 10 10:00 no_answer"), z("2026-11-10 14:00"), off=("head",))

    assert found.tell == ("vice",)


def test_a_lock_waits_for_the_hours_of_those_before_it_unless_it_is_urgent():
    levels = ("lead", "manager")
    calm = ladder(*levels, urgent=False, hours={1: EMEA}, unlock={2: VICE_THEN})
    urgent = ladder(*levels, urgent=True, hours={1: EMEA}, unlock={2: VICE_THEN})
    tried = [told(1, "lead", 300, "no_answer", at=NIGHT)]

    assert (step(calm, tried, NIGHT).tell, step(calm, tried, NIGHT).next_at) == ((), OPENS)
    assert step(urgent, tried, NIGHT).tell == ("manager",)


# --- everybody


def test_a_broadcast_tells_each_person_once_whatever_their_hours():
    which = ladder("engineer lead", "lead2", "director", hours=HOURS)
    found = broadcast(which, NIGHT, {"lead": "robin", "lead2": "robin", "director": "x"}.get, lambda *_: False)

    assert (found.tell, found.level, found.next_at) == (("lead", "director"), 4, NIGHT + 10 * MINUTE)


def test_a_broadcast_that_is_not_urgent_tells_those_on_duty_if_there_are_any():
    which = ladder("early", "late", urgent=False, hours={1: DAWN, 2: EMEA})

    def everybody(at):
        return broadcast(which, at, str, lambda *_: False).tell

    assert everybody(z("2026-11-10 15:00")) == ("late",)
    assert everybody(NIGHT) == ("early", "late")


def test_naive_instants_are_refused():
    with pytest.raises(ValueError, match="aware instant"):
        step(FOUR, at=NOON.replace(tzinfo=None))


names = st.sampled_from(["a", "b", "c", "d", "e"])
maybe_hours = st.sampled_from([None, EMEA, DAWN, Schedule("never", "UTC", ((),) * 7)])
locks = st.none() | st.builds(Unlock, st.sampled_from([0, 2, 3]), st.just(1), st.sampled_from([0, 1]))
levels_drawn = st.builds(
    Level,
    st.just("role"),
    st.lists(names, min_size=1, max_size=3).map(tuple),
    st.sampled_from([5 * MINUTE, 4 * HOUR]),
    maybe_hours,
    locks,
)
ladders = st.builds(
    Ladder,
    st.just("drawn"),
    st.lists(levels_drawn, min_size=1, max_size=4).map(tuple),
    st.just(HOUR),
    st.booleans(),
    st.just("Europe/London"),
)


@given(
    ladders,
    st.dictionaries(names, st.sampled_from([None, "robin", "sam"]), max_size=3),
    st.sets(names, max_size=4),
    st.sampled_from([NOON, NIGHT, WEEKEND]),
    st.lists(st.sampled_from(["sent", "no_answer", "answered"]), min_size=40, max_size=40),
)
@settings(deadline=None, max_examples=200)
def test_any_climb_goes_on_tells_nobody_twice_in_a_round_and_reaches_everybody_there_is(
    which, people, off, start, results
):
    tried, at = [], start
    present = {people.get(name, name) for level in which.levels for name in level.destinations} - {None}
    for result in results:
        found = step(which, tried, at, people=people, off=off)
        assert found.next_at > at, "it never stands still"
        if which.urgent and not tried:
            assert bool(found.tell) is bool(present), "somebody in trouble is never told to nobody"
        tried += [Tried(found.level, found.round, name, at, result) for name in found.tell]
        at = found.next_at
    for turn in {each.round for each in tried}:
        persons = [people.get(each.destination, each.destination) for each in tried if each.round == turn]
        assert len(persons) == len(set(persons))
    assert bool(tried) is bool(present)
