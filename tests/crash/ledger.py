"""What a client was told, and what it asked for without hearing back: the truth that a server is held against.

Each entry is a line of a file, synced before the client goes on; so the file is what a client of flesh and blood would have
in hand. A violation's report names it.
"""
import json
import os
import pathlib
import re

from harness import ROOT, TERMINAL, equal, want

TRANSITIONS = [tuple(word.lower() for word in row) for row in
               re.findall(r"^TRANSITION\((\w+), (\w+), (\w+)\)", pathlib.Path(ROOT / "api/job_states.def").read_text(), re.M)]
MOVES = {(start, end) for start, _, end in TRANSITIONS}
ACTIONS = {"pause", "resume", "stop", "cancel"}


def reachable(status, asked):
    """Where a job may have got to from a status, if clients asked for no more than `asked`."""
    found, waiting = set(), [status]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += [end for start, trigger, end in TRANSITIONS if start == here and (trigger not in ACTIONS or trigger in asked)]
    return found


def same(got, wanted, what):
    """equal(), which names the first place where two large values differ."""
    if isinstance(got, dict) and isinstance(wanted, dict) and got.keys() == wanted.keys():
        for key, value in got.items():
            same(value, wanted[key], f"{what}.{key}")
    elif isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        for i, value in enumerate(got):
            same(value, wanted[i], f"{what}[{i}]")
    else:
        equal(got, wanted, what)


class Thing:
    """A data set or a model: its path, and what its description always says."""

    def __init__(self, path, told):
        self.path, self.told, self.deleted = path, told, "no"  # "asked": without an answer; "yes"


class Job(Thing):
    """spec: what it trains; key: what it is labelled with, None: not; kills: deaths of the server before it was made."""

    def __init__(self, view, spec, key, kills, extended):
        super().__init__("/v1/jobs/" + view["id"], {k: view[k] for k in ("id", "seed", "created_at")})
        self.spec, self.key, self.kills, self.extended = spec, key, kills, extended
        self.fields = {k: view[k] for k in ("name", "metadata")}  # what PATCH changes
        self.maybe = {}  # a PATCH without an answer
        self.status, self.asked, self.stopped, self.model = "queued", set(), False, None
        self.seen = {"version": 0, "step": 0, "progress": 0, "restarts": 0}
        self.events, self.streamed, self.rows, self.answers = [], [], [], {}  # that were read
        self.request, self.frozen = None, None  # how it was submitted, to send again; all of it, once it is over

    def is_over(self):
        return self.status in TERMINAL

    def learn(self, view):
        """A description that the server gave: what it showed before must not be taken back."""
        for name, before in self.seen.items():
            want(view[name] >= before, f"{self.path}: {name} is {view[name]}, it was {before}")
            self.seen[name] = view[name]
        may = reachable(self.status, self.asked)
        want(view["status"] in may, f"{self.path} is {view['status']}, after {self.status} and {sorted(self.asked) or 'nothing'} asked for")
        self.status, self.asked, self.model = view["status"], set(), view["model"]

    def learn_events(self, events):
        """Events from the first on."""
        same(events[:len(self.events)], self.events, f"{self.path}: events that were read before")
        self.events = events

    def compare_streamed(self, events):
        """What came in streams, across deaths, with all events."""
        same(self.streamed, [{k: e[k] for k in ("id", "type", "data")} for e in events[:len(self.streamed)]], f"{self.path}: streamed events")

    def learn_rows(self, rows):
        same(rows[:len(self.rows)], self.rows, f"{self.path}: rows of the curves that were read before")
        self.rows = rows

    def learn_answer(self, part, value):
        """Of /spec and /results, which never change but in what PATCH is for, and where a stopped job was stopped."""
        free = {*self.fields, *(["stop"] if self.stopped else [])}
        before, now = ({k: v for k, v in one.items() if k not in free} for one in (self.answers.setdefault(part, value), value))
        same(now, before, f"{self.path}/{part}")


class Ledger:
    def __init__(self, path):
        self.path = path
        self.file = open(path, "a", encoding="utf-8")
        self.jobs, self.things = {}, {}  # by path
        self.unanswered = []             # submissions, as Client.post takes them

    def write(self, what, **facts):
        self.file.write(json.dumps({"what": what, **facts}) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self):
        self.file.close()
