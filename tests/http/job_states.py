"""The life of a job as api/job_states.def has it, and what must hold of every job's events."""
import re

from harness import ROOT, TERMINAL, equal, want

CLIENT_ACTIONS = ("pause", "resume", "stop", "cancel")  # in the order in which clients are told of them
STATUSES = ("queued", "running", "pausing", "paused", "stopping", "cancelling", *TERMINAL)
# Asking again for what has been brought about already changes nothing.
DONE = {"pause": ("pausing", "paused"), "resume": (), "stop": ("stopping",), "cancel": ("cancelling", "cancelled")}

# (status, trigger) -> status
TABLE = {(before.lower(), trigger.lower()): after.lower() for before, trigger, after in
         re.findall(r"^TRANSITION\((\w+), (\w+), (\w+)\)", (ROOT / "api/job_states.def").read_text(encoding="utf-8"), re.M)}
LEGAL = {(before, after) for (before, _), after in TABLE.items()}


def allowed(status):
    """The actions that a client may take, in the order in which it is told."""
    return [a for a in CLIENT_ACTIONS if (status, a) in TABLE] + (["delete"] if status in TERMINAL else [])


def events_of(client, job):
    """All events of a job, page by page."""
    events, after = [], 0
    while True:
        page = client.get(f"/v1/jobs/{job}/events?limit=100&after={after}")
        events += page["data"]
        if not page["has_more"]:
            return events
        after = page["last_id"]


def states_of(events):
    return [e["data"]["status"] for e in events if e["type"] == "state"]


def check_events(client, job):
    """Numbers without gap or repeat; from queued on only ways of the table; one end at most, and one `done` with it."""
    events = events_of(client, job)
    equal([int(e["id"]) for e in events], list(range(1, len(events) + 1)), f"numbers of the events of {job}")
    states = states_of(events)
    equal(states[0], "queued", f"the first state of {job}")
    for way in zip(states, states[1:]):
        want(way in LEGAL, f"{job} went from {way[0]} to {way[1]}: {states}")
    ends = [s for s in states if s in TERMINAL]
    equal([e["type"] for e in events].count("done"), len(ends), f"done events of {job}")
    want(len(ends) <= 1, f"{job} ended more than once: {states}")
    if ends:
        equal((states[-1], events[-1]["type"]), (ends[0], "done"), f"the end of {job}")
    return events
