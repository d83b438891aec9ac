"""Stories of calls, through signed webhooks, the real service and a real store.

Each asserts which numbers are rung, what is spoken, and what the log says.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from service import LINE, RINGS, Service

TUESDAY_10_15_PT = datetime(2026, 7, 14, 17, 15, tzinfo=UTC)
TUESDAY_20_30_PT = datetime(2026, 7, 15, 3, 30, tzinfo=UTC)  # only APAC is open
SATURDAY_21_00_PT = datetime(2026, 7, 19, 4, 0, tzinfo=UTC)  # nobody is open
TUESDAY_10_00_UK = datetime(2026, 7, 14, 9, 0, tzinfo=UTC)  # EMEA and APAC are open
WEDNESDAY_11_00_SG = datetime(2026, 7, 15, 3, 0, tzinfo=UTC)
CHRISTMAS_11_00_UK = datetime(2026, 12, 25, 11, 0, tzinfo=UTC)
ACME, COBALT, DELTA, EVEREST, BEACON, HARBOUR, FJORD, LANTERN = (
    "347109",
    "518820",
    "518838",
    "733361",
    "620045",
    "620052",
    "733379",
    "733387",
)
ACME_PHONE, STRANGER, WITHHELD = "+14085550142", "+442079460999", "anonymous"


@pytest.fixture
def service(database_url):
    """The whole service, over each engine in turn."""
    service = Service(database_url)
    yield service
    service.close()


# --- R9, R13, R12, R14, R15: an open desk at home


def test_a_certified_partners_severity_2_reaches_tier_2_of_its_region_with_two_keys(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE)
    call.hears("I see you're calling from Acme").presses("1").presses("2")
    call.hears("Tier 2").hears("Your case number is").rings(RINGS["us-tier2-engineer"])
    call.engineer_accepts().is_connected_to(RINGS["us-tier2-engineer"]).talks(600).engineer_hangs_up().hangs_up()
    assert "Severity 2. Acme, resale, certified" in call.whisper
    assert service.says(call, rule="R9", outcome="connected", desk="us-tier2", severity=2, flags=())


def test_the_certified_number_gives_the_same_and_only_the_greeting_differs(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-certified"], ACME_PHONE).hears("certified partner support")
    call.presses("1").presses("3").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R9", outcome="abandoned_ringing", severity=3)


def test_an_uncertified_reseller_on_the_hotline_is_told_why_and_gets_tier_1(service):
    call = service.at(TUESDAY_10_00_UK).dials(LINE["emea-certified"], STRANGER).hears("six-digit Partner ID")
    call.presses(DELTA).hears("Partner ID 5 1 8, 8 3 8").hears_no("To escalate").presses("1").presses("3")
    call.hears("This line is for certified partners").hears("troubleshooting results")
    call.rings(RINGS["emea-tier1-engineer"]).engineer_accepts().talks(60).engineer_hangs_up().hangs_up()
    assert service.says(call, rule="R13", outcome="connected", desk="emea-tier1", severity=3)


def test_an_expired_certification_is_said_aloud_and_goes_to_tier_1(service):
    call = (
        service.at(WEDNESDAY_11_00_SG).dials(LINE["apac-shared"], STRANGER).presses(EVEREST).presses("1").presses("2")
    )
    call.hears("Your support certification ended on").rings(RINGS["apac-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R12", flags=("CERT_EXPIRED",))


def test_in_an_outage_nobody_is_lectured_about_an_expired_certification(service):
    call = service.at(WEDNESDAY_11_00_SG).dials(LINE["apac-shared"], STRANGER)
    call.presses(EVEREST).presses("1").presses("1").presses("1")
    call.hears("Severity 1").hears_no("certification").rings(RINGS["apac-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R1", flags=("CERT_EXPIRED", "S1_UNANSWERED"))


def test_an_agency_with_a_letter_of_agency_reaches_tier_1_and_the_engineer_is_told_to_verify(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses(BEACON).presses("1").presses("3")
    call.hears("Connecting you to Tier 1").rings(RINGS["us-tier1-engineer"]).engineer_accepts()
    assert "Letter of Agency on file, verify the customer" in call.whisper
    assert service.says(call, rule="R14", flags=())


def test_an_agency_without_one_may_bring_the_customer(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses(HARBOUR).presses("1").presses("2")
    call.hears("We don't have a Letter of Agency for you").presses("1").rings(RINGS["us-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R14", flags=("NO_LOA", "CUSTOMER_PRESENT"))


def test_or_hear_how_to_request_one_and_be_connected_after_that(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses(HARBOUR).presses("1").presses("2")
    call.presses("2").hears("choose Request LOA").presses("1").rings(RINGS["us-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R14", flags=("NO_LOA",))


def test_a_referral_partner_gets_tier_1(service):
    call = service.at(TUESDAY_10_00_UK).dials(LINE["emea-standard"], STRANGER).presses(FJORD).presses("1").presses("3")
    call.rings(RINGS["emea-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R15", flags=("REFERRAL",))


def test_three_unknown_ids_lead_on_unverified_and_never_name_a_partner(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses("111111")
    call.hears("I couldn't find 1 1 1, 1 1 1").presses("222222").hears("I still can't find").presses("333333")
    call.hears("No problem").presses("1").presses("2").rings(RINGS["us-tier1-engineer"]).hangs_up()
    assert not any("Acme" in sentence for sentence in call.spoken)
    assert service.says(call, rule="R15", flags=("UNVERIFIED",), partner=None)


def test_the_tenth_unknown_id_of_an_hour_from_one_number_is_flagged_and_still_answered(service):
    for _ in range(3):
        call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER)
        call.presses("111111").presses("222222").presses("333333").hangs_up()
        assert "PID_GUESSING" not in service.call_of(call).flags
    call = service.dials(LINE["us-standard"], STRANGER).presses("444444").hears("I couldn't find").presses(ACME)
    call.hears("Partner ID 3 4 7, 1 0 9").hangs_up()
    assert "PID_GUESSING" in service.call_of(call).flags


def test_a_suspended_partner_hears_what_an_unknown_one_hears(service):
    unknown = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses("111111")
    suspended = service.dials(LINE["us-standard"], STRANGER).presses(LANTERN)
    assert [s.replace("7 3 3, 3 8 7", "1 1 1, 1 1 1") for s in suspended.spoken] == unknown.spoken
    suspended.presses(LANTERN).presses(LANTERN).presses("1").presses("2").rings(RINGS["us-tier1-engineer"]).hangs_up()
    assert service.says(suspended, rule="R15", flags=("PARTNER_INACTIVE", "UNVERIFIED"), partner=None)


def test_a_caller_without_an_id_says_so_with_0_and_a_direct_customer_reaches_tier_1(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], WITHHELD).presses("0#").hears("without your ID")
    call.presses("2").hears("please contact them first").presses("1").presses("1").presses("3")
    call.rings(RINGS["us-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R15", flags=("DIRECT_CUSTOMER", "UNVERIFIED"), caller=None)


@pytest.mark.parametrize(
    "shown", ["anonymous", "RESTRICTED", "+266696687", "+7378742833", "sip:someone@example.com", ""]
)
def test_a_withheld_or_odd_number_is_asked_for_the_id_and_our_own_number_is_shown_to_engineers(service, shown):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], shown).presses(ACME).presses("1").presses("2")
    call.rings(RINGS["us-tier2-engineer"])
    assert f'callerId="{LINE["us-standard"]}"' in call.documents[-1].text
    assert service.says(call, caller=None)


# --- the keypad


def test_a_star_clears_what_was_keyed_and_costs_nothing(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses("34*347109")
    call.hears("Partner ID 3 4 7, 1 0 9").presses("1").presses("2").rings(RINGS["us-tier2-engineer"])
    assert service.call_of(call).tally.misses == 0


def test_a_lone_star_waits_a_minute_and_then_asks_whether_anybody_is_there(service):
    call = (
        service.at(TUESDAY_10_15_PT)
        .dials(LINE["us-standard"], STRANGER)
        .presses("*#")
        .hears("I'll wait for one minute")
    )
    call.stays_silent().hears("Are you still there?").presses(ACME).hears("Partner ID 3 4 7, 1 0 9")
    assert service.call_of(call).tally.misses == 0


def test_zero_is_an_engineer_nine_repeats_and_star_goes_back(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("9").hears("For a new problem")
    call.presses("1").hears("If production is down").presses("*").hears("For a new problem").presses("0")
    call.rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R9", intent="engineer", severity=None)


def test_a_star_at_the_first_menu_changes_the_partner(service):
    call = (
        service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("*").hears("six-digit Partner ID")
    )
    call.presses(DELTA).hears("Partner ID 5 1 8, 8 3 8")
    assert service.call_of(call).partner.name == "Delta"


def test_two_silences_make_the_service_patient_and_help_is_said_once(service):
    call = (
        service.at(TUESDAY_10_15_PT)
        .dials(LINE["us-standard"], ACME_PHONE)
        .stays_silent()
        .hears("press star to go back")
    )
    call.stays_silent().hears_no("press star to go back")
    assert 'timeout="12"' in call.documents[-1].text
    assert service.call_of(call).flags == ("PATIENT_MODE",)


def test_a_caller_who_cannot_use_the_menu_gets_an_engineer(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE)
    call.presses("7").hears("Sorry, that isn't an option").presses("8").presses("5").rings(RINGS["us-tier2-engineer"])
    assert service.says(call, rule="R9", flags=("MENU_GIVEUP",))


# --- R1 to R3: Severity 1


def test_severity_1_rings_tier_2_then_tier_1_then_the_other_open_desks_then_the_ladder(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    call.hears("Severity 1. I'm connecting you to an engineer now")
    for name in ("us-tier2-engineer", "us-tier2-second", "us-tier1-engineer", "us-tier1-second", "us-oncall-engineer"):
        call.rings(RINGS[name]).does_not_answer()
    call.rings(RINGS["us-oncall-lead"]).engineer_accepts().is_connected_to(RINGS["us-oncall-lead"])
    assert call.whisper.startswith("Severity 1. Acme, resale, certified, US.")
    call.talks(300).engineer_hangs_up().hangs_up()
    assert service.says(call, rule="R1", outcome="connected", severity=1)


def test_severity_1_is_rung_on_when_the_line_drops_within_half_a_minute(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    call.engineer_accepts().talks(12).engineer_hangs_up().rings(RINGS["us-tier2-second"])


def test_silence_after_choosing_severity_1_is_a_confirmation(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1")
    call.stays_silent().stays_silent().rings(RINGS["us-tier2-engineer"])
    assert service.says(call, rule="R1", severity=1)


def test_severity_1_follows_the_sun_when_home_is_closed(service):
    call = service.at(TUESDAY_20_30_PT).dials(LINE["us-standard"], ACME_PHONE)
    call.hears("Our US desk is closed until 5 AM Pacific on Wednesday. Severity 1 is still answered")
    call.presses("1").presses("1").presses("1").hears("so I'm connecting you to our Asia-Pacific team now")
    call.rings(RINGS["apac-tier2-engineer"]).engineer_accepts().talks(60).engineer_hangs_up().hangs_up()
    assert service.says(call, rule="R2", outcome="connected", desk="apac-tier2", flags=("FOLLOWED_SUN",))


def test_an_unknown_callers_saturday_night_outage_climbs_the_ladder_round_after_round(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], STRANGER).presses("0#").presses("1")
    call.hears("All our desks are closed until").presses("1").presses("1").presses("1").hears(
        "I'm calling the on-call engineer"
    )
    ladder = [RINGS[f"us-oncall-{who}"] for who in ("engineer", "lead", "manager", "director")]
    for number in ladder:
        call.rings(number).does_not_answer()
    call.hears("I've paged the duty manager").hears("Your case number is").stays_silent()
    call.rings(ladder[0]).is_busy().rings(ladder[1]).machine_answers().rings(ladder[2]).engineer_accepts().talks(90)
    call.engineer_hangs_up().hangs_up()
    assert call.dialled == [*ladder, *ladder[:3]]
    assert service.says(call, rule="R3", outcome="connected", flags=("UNVERIFIED", "S1_UNANSWERED"))


def test_a_severity_1_caller_may_choose_a_call_back_to_another_number(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    for _ in range(4):
        call.does_not_answer()
    call.presses("1").hears("the number ending 0 1 4 2").presses("2").presses("442079460777#").hears("ending 0 7 7 7")
    call.presses("1").hears("We'll call you back on the number ending 0 7 7 7").hangs_up()
    assert service.says(call, rule="R3", outcome="callback_requested", call_back="+442079460777")
    assert service.outbox(call) >= {"page", "call_back"}


def test_a_severity_1_caller_who_hangs_up_unreached_is_owed_a_call_back_and_somebody_is_paged(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    call.does_not_answer().hangs_up()
    assert service.says(call, rule="R3", outcome="abandoned_ringing", call_back=ACME_PHONE, flags=("S1_UNANSWERED",))
    assert service.outbox(call) == {"page", "call_back"}


def test_the_fourth_severity_1_of_an_hour_is_still_rung_but_pages_nobody(service):
    for _ in range(3):
        service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses(
            "1"
        ).hangs_up()
    call = service.dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    call.rings(RINGS["us-oncall-engineer"]).hangs_up()
    assert service.outbox(call) == {"call_back"}


# --- R4 and R5: the escalation voicemail


def test_a_certified_partner_leaves_an_escalation_voicemail_and_hears_by_when_we_call_back(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-voicemail"], ACME_PHONE).hears("partner escalation voicemail")
    call.hears("Is this a Severity 1 outage?").presses("2").hears("enter your case number").presses("#")
    call.hears("After the tone").leaves_a_message(20).hears("To send your message").presses("1")
    call.hears("Sent. Your reference is").hears("by 2:15 PM Pacific today").presses("9").hears("Sent.").hangs_up()
    call.recording_arrives()
    assert service.says(call, rule="R5", outcome="voicemail_left", kind="escalation_voicemail", audio="completed")
    assert service.outbox(call) == {"voicemail", "fetch"}
    assert service.case_of(call)["intent"] == "escalation"


def test_an_outage_on_the_voicemail_line_goes_to_an_engineer_at_once(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("1")
    call.hears("Severity 1 needs an engineer, not a voicemail").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R1", severity=1)


def test_no_answer_at_the_gate_counts_as_an_outage(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-voicemail"], ACME_PHONE).stays_silent().stays_silent()
    call.rings(RINGS["us-oncall-engineer"])
    assert service.says(call, rule="R3", severity=1)


def test_a_message_is_kept_when_the_caller_hangs_up_in_it_or_in_the_review(service):
    in_it = service.at(SATURDAY_21_00_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    in_it.leaves_a_message(8, end="hangup")
    reviewing = service.dials(LINE["us-voicemail"], STRANGER).presses(ACME).presses("2").presses("#")
    reviewing.leaves_a_message(9).hangs_up()
    assert service.says(in_it, outcome="voicemail_left", rule="R5")
    assert service.says(reviewing, outcome="voicemail_left", rule="R5")


def test_a_re_recording_that_is_never_spoken_leaves_the_first_take(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    call.leaves_a_message(9).presses("3").hangs_up()
    assert service.call_of(call).message.seconds == 9
    assert service.says(call, outcome="voicemail_left")


def test_a_cancelled_message_is_not_sent(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    call.leaves_a_message(9).presses("*").hears("Cancelled. Nothing was sent.").hangs_up()
    assert service.says(call, outcome="cancelled")
    assert service.outbox(call) == set()


@pytest.mark.parametrize("silent_action", [True, False])
def test_two_empty_takes_end_with_the_open_hours(service, silent_action):
    call = service.at(TUESDAY_20_30_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    call.leaves_a_message(0, "silence", silent_action=silent_action).hears("I didn't hear anything")
    call.leaves_a_message(0, "silence", silent_action=silent_action).hears(
        "We're open again at 5 AM Pacific on Wednesday"
    )
    call.hangs_up()
    assert service.says(call, outcome="voicemail_abandoned")


def test_three_minutes_are_the_limit_and_the_caller_is_told(service):
    call = service.at(TUESDAY_20_30_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    call.leaves_a_message(end="limit").hears("That's the three-minute limit").presses("1").hears("Sent.")


def test_whoever_calls_again_within_half_an_hour_hears_that_we_have_the_message(service):
    first = service.at(TUESDAY_20_30_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    first.leaves_a_message(9).presses("1").hangs_up()
    service.passes(600)
    service.dials(LINE["us-voicemail"], ACME_PHONE).hears("Welcome back. We have the message you left")


def with_message(service, at):
    """A message that was left at an instant, and the call that left it."""
    call = service.at(at).dials(LINE["us-voicemail"], ACME_PHONE)
    return call.presses("2").presses("#").leaves_a_message(9).presses("1").hangs_up()


def later(service, **after):
    """The same caller, some time after that message."""
    return service.at(TUESDAY_10_15_PT + timedelta(**after)).dials(LINE["us-voicemail"], ACME_PHONE)


def listened(service, call, at):
    """Somebody listens to the message of a call."""
    store, sid = service.parts.store, call.takes[-1].sid
    row = (f"{sid}.listened", sid, "listened", store.instant(at), store.instant(at), "somebody", "{}")
    sql = "INSERT INTO work_log (key, subject, kind, at, logged_at, actor, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
    store.write(lambda conn: conn.execute(store.sql(sql), row), 5.0)


def test_whoever_calls_again_within_half_an_hour_hears_that_it_waits_and_goes_on_as_ever(service):
    with_message(service, TUESDAY_10_15_PT)
    again = later(service, minutes=20).hears("Welcome back").hears("waiting to be heard")
    again.hears("We aim to call you back by 2:15 PM Pacific today").hears("Is this a Severity 1 outage?")
    again.presses("2").hears("enter your case number").presses("#").leaves_a_message(5).presses("1").hangs_up()
    assert service.says(again, outcome="voicemail_left")


def test_whoever_calls_again_later_hears_what_became_of_the_message_and_may_leave_another(service):
    first = with_message(service, TUESDAY_10_15_PT)
    listened(service, first, TUESDAY_10_15_PT + timedelta(minutes=40))
    again = later(service, hours=3).hears_no("message you left").presses("2")
    again.hears("We have the message you left 2 hours ago").hears("It was heard at 10:55 AM Pacific today")
    again.hears("We aim to call you back by 2:15 PM Pacific today").hears("To leave another message, press 1")
    again.presses("1").presses("#").leaves_a_message(5).presses("1").hears("Sent.").hangs_up()
    assert service.says(again, outcome="voicemail_left")


@pytest.mark.parametrize("ends", ["*", ""])
def test_or_has_heard_enough(service, ends):
    with_message(service, TUESDAY_10_15_PT)
    again = later(service, hours=5).presses("2")
    again.hears("We aimed to call you back by 2:15 PM Pacific today. We're sorry")
    again = again.presses(ends).hears("Goodbye") if ends else again.hangs_up()
    assert service.says(again, outcome="closed_informed")
    assert service.outbox(again) == set()


def test_an_outage_does_not_have_to_hear_about_an_earlier_message(service):
    with_message(service, TUESDAY_10_15_PT)
    again = later(service, hours=5).presses("1").hears_no("message you left")
    again.rings(RINGS["us-tier2-engineer"]).hangs_up()


def test_whoever_wants_a_person_instead_gets_one_with_0(service):
    with_message(service, TUESDAY_10_15_PT)
    later(service, hours=5).presses("2").presses("0").rings(RINGS["us-tier2-engineer"]).hangs_up()


def test_a_message_that_was_answered_is_not_promised_again(service):
    first = with_message(service, TUESDAY_10_15_PT)
    store = service.parts.store
    answered = store.instant(TUESDAY_10_15_PT + timedelta(hours=3))
    sql = store.sql("UPDATE tasks SET state = 'answered', answered_at = ? WHERE call_sid = ?")
    store.write(lambda conn: conn.execute(sql, (answered, first.sid)), 5.0)
    again = later(service, days=3).presses("2").hears("message you left 2 days ago")
    again.hears("It was answered at 1:15 PM Pacific on Tuesday").hears_no("We aim").hears_no("waiting").hangs_up()


def test_from_another_number_it_takes_the_case_number_too(service):
    reference = service.call_of(with_message(service, TUESDAY_10_15_PT)).case_number
    service.at(TUESDAY_10_15_PT + timedelta(hours=1))
    guess = service.dials(LINE["us-voicemail"], STRANGER).presses(ACME).presses("2").presses("#")
    guess.hears("After the tone").hears_no("message you left").hangs_up()
    known = service.dials(LINE["us-voicemail"], STRANGER).presses(ACME).presses("2").presses(f"{reference}#")
    known.hears("We have the message you left").hears("waiting to be heard").hangs_up()


@pytest.mark.parametrize(("days", "told"), [(6, True), (8, False)])
def test_a_message_is_told_of_for_seven_days(service, days, told):
    with_message(service, TUESDAY_10_15_PT)
    again = later(service, days=days).presses("2")
    assert any("message you left" in sentence for sentence in again.spoken) == told
    again.hangs_up()


# --- 0 in the review: the severity escape


def in_review(service, at):
    call = service.at(at).dials(LINE["us-voicemail"], ACME_PHONE).presses("2").presses("#")
    return call.leaves_a_message(9).hears("To send your message")


def test_0_in_the_review_sends_the_message_and_rings_an_engineer_who_is_there(service):
    call = in_review(service, TUESDAY_10_15_PT).presses("0").rings(RINGS["us-tier2-engineer"])
    call.engineer_accepts().talks(60).engineer_hangs_up().hangs_up()
    assert service.says(call, outcome="connected", severity=None)
    assert service.outbox(call) == {"voicemail"}
    assert set(service.tasks(call)) == {"message"}


def test_0_in_the_review_at_night_is_an_outage_if_the_caller_says_so(service):
    call = in_review(service, SATURDAY_21_00_PT).presses("0").hears("Is this a Severity 1 outage?")
    call.presses("1").hears("I'm calling the on-call engineer").rings(RINGS["us-oncall-engineer"]).hangs_up()
    assert service.says(call, rule="R3", severity=1, flags=("PRODUCTION_DOWN", "S1_UNANSWERED"))
    assert service.outbox(call) == {"voicemail", "page", "call_back"}
    assert {kind: (task["severity"], task["flags"]) for kind, task in service.tasks(call).items()} == {
        "message": (1, "PRODUCTION_DOWN S1_UNANSWERED"),
        "call_back": (1, "PRODUCTION_DOWN S1_UNANSWERED"),
    }
    details = service.query("SELECT detail FROM outbox WHERE call_sid = ? AND kind = 'page'", call.sid)
    assert [json.loads(detail)["why"] for (detail,) in details] == ["production down"]


def test_a_severity_2_is_asked_whether_it_has_become_an_outage(service):
    call = service.at(TUESDAY_20_30_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2").presses("2")
    call.presses("#").leaves_a_message(9).presses("0").hears("Is this a Severity 1 outage?").presses("1")
    call.rings(RINGS["apac-tier2-engineer"]).engineer_accepts().talks(60).engineer_hangs_up().hangs_up()
    assert service.says(call, rule="R2", severity=1, outcome="connected")


def test_0_in_the_review_at_night_and_no_outage_leaves_the_message_and_says_by_when(service):
    call = in_review(service, SATURDAY_21_00_PT).presses("0").presses("2").hears("Sent. Your reference is")
    call.hears("We aim to call you back by").hangs_up()
    assert service.says(call, outcome="voicemail_left", severity=None, flags=())


def test_0_in_the_review_in_the_evening_offers_the_team_that_is_there_and_no_second_message(service):
    call = in_review(service, TUESDAY_20_30_PT).presses("0").presses("2").hears("team now, press 1")
    call.presses("1").rings(RINGS["apac-tier2-engineer"]).hangs_up()
    again = in_review(service, TUESDAY_20_30_PT + timedelta(days=14)).presses("0").presses("2").presses("2")
    again.hears("Sent. Your reference is").hangs_up()
    assert service.says(again, outcome="voicemail_left")
    assert len(again.takes) == 1


def test_silence_after_an_outage_was_denied_pages_nobody(service):
    call = in_review(service, SATURDAY_21_00_PT).presses("0").stays_silent().stays_silent().hears("Sent.").hangs_up()
    assert service.outbox(call) == {"voicemail"}


def test_whoever_has_left_a_message_and_waits_for_an_engineer_is_not_offered_another(service):
    call = in_review(service, TUESDAY_10_15_PT).presses("0")
    for _ in range(4):
        call.is_busy()
    call.hears("For a call back on this number, press 1").hears_no("To leave a message").hangs_up()
    assert service.says(call, outcome="voicemail_left")


def test_an_uncertified_partner_cannot_leave_a_message_but_can_talk(service):
    call = service.at(TUESDAY_10_00_UK).dials(LINE["emea-voicemail"], STRANGER).presses(DELTA).presses("2")
    call.hears("This voicemail is for certified partners").presses("1").rings(RINGS["emea-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R4", desk="emea-tier1")


def test_an_uncertified_outage_on_the_voicemail_line_goes_live(service):
    call = service.at(TUESDAY_10_00_UK).dials(LINE["emea-voicemail"], STRANGER).presses(DELTA).presses("1")
    call.rings(RINGS["emea-tier1-engineer"])
    assert service.says(call, rule="R1")


# --- R6 to R8: escalations and existing cases


def test_a_certified_partner_escalates_to_tier_2_live(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("3").hears("Severity 1 outage?")
    call.presses("2").hears("To speak to Tier 2 about it now").presses("1").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R6", flags=("ESCALATION",))


def test_or_by_voicemail(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("3").presses("2").presses("2")
    call.presses("#").leaves_a_message(9).presses("1").hears("Sent.").hangs_up()
    assert service.says(call, rules=("R6", "R5"), outcome="voicemail_left")


def test_an_uncertified_partner_is_told_the_quickest_way_and_may_talk_to_tier_1(service):
    call = service.at(TUESDAY_10_00_UK).dials(LINE["emea-standard"], STRANGER).presses(DELTA).presses("3")
    call.hears("the Escalate button on the case").presses("1").rings(RINGS["emea-tier1-engineer"]).hangs_up()
    assert service.says(call, rule="R7")


def test_a_partner_with_a_case_number_reaches_the_desk_that_has_it(service):
    number = service.case_opened_by(ACME_PHONE, at=TUESDAY_10_15_PT, severity="2")
    call = service.dials(LINE["us-standard"], ACME_PHONE).presses("2").presses(f"{number}#")
    call.hears("Severity 2. I'm connecting you to the team that has it").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R8", case=number)


def test_another_partners_case_is_not_found_and_never_confirmed(service):
    number = service.case_opened_by(ACME_PHONE, at=TUESDAY_10_15_PT, severity="2")
    call = service.dials(LINE["us-standard"], STRANGER).presses(BEACON).presses("2").presses(f"{number}#")
    call.hears("I can't find case").presses("#").rings(RINGS["us-tier1-engineer"]).hangs_up()
    assert service.call_of(call).case_number != number


def test_an_open_severity_1_case_is_an_outage_again(service):
    number = service.case_opened_by(ACME_PHONE, at=SATURDAY_21_00_PT, severity="11")
    call = service.dials(LINE["us-standard"], ACME_PHONE).presses("2").presses(f"{number}#")
    call.rings(RINGS["us-oncall-engineer"])
    assert service.says(call, rule="R3", case=number)


# --- R10, R11, R16, R17: closed


def test_a_certified_partner_after_hours_may_talk_to_the_open_region_or_leave_a_message(service):
    call = service.at(TUESDAY_20_30_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    call.hears("To speak to our Asia-Pacific team now, press 1").presses("1").rings(
        RINGS["apac-tier2-engineer"]
    ).hangs_up()
    assert service.says(call, rule="R10", desk="apac-tier2", flags=("FOLLOWED_SUN",))


def test_with_every_desk_closed_a_certified_partner_is_offered_the_voicemail(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("3")
    call.hears("To leave an escalation voicemail, press 1").presses("1").presses("#").leaves_a_message(5).presses(
        "1"
    ).hangs_up()
    assert service.says(call, rules=("R11", "R5"), outcome="voicemail_left")


def test_an_uncertified_partner_after_hours_is_offered_the_open_region_and_otherwise_told_when_to_call(service):
    call = service.at(TUESDAY_20_30_PT).dials(LINE["us-standard"], STRANGER).presses(BEACON).presses("1").presses("3")
    call.hears("Or open a case in Partner Portal").stays_silent().stays_silent().stays_silent()
    call.hears("Your call is logged as case").hears("call back after 5 AM Pacific on Wednesday").hangs_up()
    assert service.says(call, rule="R16", outcome="closed_informed", kind="closed")
    assert service.case_of(call)["number"] == service.call_of(call).case_number


def test_with_every_desk_closed_an_uncertified_partner_gets_a_case_number_and_no_voicemail(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], STRANGER).presses(BEACON).presses("1").presses("2")
    call.hears("Your call is logged as case").hears("6 PM Pacific on Sunday").hears_no("voicemail").hangs_up()
    assert service.says(call, rule="R17", outcome="closed_informed")


def test_a_public_holiday_is_said_to_be_one(service):
    call = service.at(CHRISTMAS_11_00_UK.replace(hour=15)).dials(LINE["emea-standard"], STRANGER).presses(COBALT)
    call.hears("closed until").presses("1").presses("3").hears("voicemail")
    boxing = service.at(datetime(2026, 8, 31, 13, tzinfo=UTC)).dials(LINE["emea-standard"], STRANGER).presses(COBALT)
    boxing.hears("closed today for a public holiday. We reopen at 8 AM UK time on Tuesday")


def test_a_caller_with_no_severity_is_asked_about_an_outage_before_the_call_can_end(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], STRANGER).presses("0#").presses("1").presses("0")
    call.hears("Is this a Severity 1 outage?").presses("2").hears("Your call is logged as case")
    assert service.says(call, rule="R17")


# --- R18: nobody accepts


def test_after_two_rounds_the_caller_may_keep_the_place_choose_a_call_back_or_leave_a_message(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    for name in ("us-tier2-engineer", "us-tier2-second") * 2:
        call.rings(RINGS[name]).does_not_answer()
    call.hears("Thanks for holding").stays_silent().rings(
        RINGS["us-tier2-engineer"]
    ).engineer_passes().machine_answers()
    call.presses("1").hears("number ending 0 1 4 2").presses("1").hears("We'll call you back").hangs_up()
    assert service.says(call, rules=("R9", "R18"), outcome="callback_requested", call_back=ACME_PHONE)


def test_whoever_may_not_leave_a_message_is_not_offered_one(service):
    call = service.at(TUESDAY_10_00_UK).dials(LINE["emea-standard"], STRANGER).presses(DELTA).presses("1").presses("3")
    for _ in range(4):
        call.does_not_answer()
    call.hears("For a call back on this number, press 1").hears_no("leave a message").presses("2")
    call.rings(RINGS["emea-tier1-engineer"])


@pytest.mark.parametrize(
    "outcome",
    [
        "is_busy",
        "fails",
        "rejects",
        "engineer_passes",
        "engineer_is_silent",
        "engineer_hangs_up_in_whisper",
        "machine_answers",
        "does_not_answer",
        "is_canceled",
    ],
)
def test_anything_but_an_accepting_key_rings_the_next_one(service, outcome):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    getattr(call.rings(RINGS["us-tier2-engineer"]), outcome)()
    call.rings(RINGS["us-tier2-second"]).engineer_accepts().is_connected_to(RINGS["us-tier2-second"])


def test_an_engineer_may_hear_the_whisper_again_before_accepting(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    engineer = call.engineer().answers()
    engineer.presses("9")
    engineer.presses("1")
    call.is_connected_to(RINGS["us-tier2-engineer"])
    assert call.whisper.count("Acme, resale, certified") == 2


# --- thinking better of it


def test_a_number_that_the_caller_backed_out_of_is_forgotten(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    for _ in range(4):
        call.is_busy()
    call.presses("1").presses("2").presses("442079460999#").hears("ending 0 9 9 9").presses("*")
    call.rings(RINGS["us-oncall-engineer"]).hangs_up()
    assert service.says(call, call_back=ACME_PHONE)


def test_three_unreadable_numbers_lead_back_to_the_question_and_promise_nothing(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    for _ in range(4):
        call.is_busy()
    call.presses("1").presses("2").presses("12#").presses("12#").presses("12#").hears("the number ending 0 1 4 2")
    call.presses("2").presses("011442079460999#").hears("ending 0 9 9 9").presses("1").hangs_up()
    assert service.says(call, outcome="callback_requested", call_back="+442079460999")


def test_nobody_is_said_to_have_been_paged_who_was_not(service):
    for _ in range(3):
        first = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE)
        first.presses("1").presses("1").presses("1").hangs_up()
    call = service.dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("1").presses("1")
    for _ in range(4):
        call.is_busy()
    call.hears("I haven't reached anyone yet").hears_no("paged")


def test_zero_at_the_gate_is_an_engineer_and_never_an_outage(service):
    opened = service.at(TUESDAY_10_15_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("0")
    opened.rings(RINGS["us-tier2-engineer"]).hangs_up()
    closed = service.at(SATURDAY_21_00_PT).dials(LINE["us-voicemail"], ACME_PHONE).presses("0").presses("0")
    closed.hears("Is this a Severity 1 outage?").presses("2").hears("All our desks are closed")
    assert service.says(opened, rule="R9", severity=None)
    assert service.says(closed, severity=None)


def test_zero_where_nobody_can_be_rung_says_so_and_offers_again_what_there_is(service):
    call = service.at(SATURDAY_21_00_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2").presses("0")
    call.hears("All our desks are closed until").hears("To leave an escalation voicemail, press 1")
    assert service.call_of(call).tally.misses == 0


def test_a_message_after_a_vain_wait_belongs_to_the_case_that_was_opened(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    for _ in range(4):
        call.does_not_answer()
    number = service.call_of(call).case_number
    call.presses("2").hears("After the tone").leaves_a_message(9).presses("1").hangs_up()
    assert service.case_of(call) == {
        "number": number,
        "intent": "escalation",
        "severity": 2,
        "partner_id": ACME,
        "desk": "us-tier2",
    }


def test_an_engineer_hears_the_number_of_a_case_that_exists(service):
    number = service.case_opened_by(ACME_PHONE, at=TUESDAY_10_15_PT, severity="2")
    call = service.dials(LINE["us-standard"], ACME_PHONE).presses("2").presses(f"{number}#").engineer_accepts()
    assert call.whisper.startswith(f"Severity 2, case {number[0]} {number[1]} {number[2]}")


def test_an_engineer_hears_that_the_customer_is_on_the_line(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], STRANGER).presses(HARBOUR).presses("1").presses("2")
    call.presses("1").engineer_accepts()
    assert "no Letter of Agency, customer on the line" in call.whisper


def test_a_desk_that_closes_during_the_call_is_said_to_be_closed_before_anything_is_offered(service):
    call = service.at(datetime(2026, 7, 15, 0, 59, 58, tzinfo=UTC)).dials(LINE["us-standard"], ACME_PHONE)
    call.hears_no("closed").presses("1").presses("2").hears("Our US desk is closed until 5 AM Pacific on Wednesday")
    call.hears("To speak to our Asia-Pacific team now")


def test_nine_between_two_rounds_says_the_case_number_again(service):
    call = service.at(TUESDAY_10_15_PT).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    for _ in range(4):
        call.is_busy()
    call.presses("9").hears("Your case number is").hears("Thanks for holding").presses("1").hears("number ending")
