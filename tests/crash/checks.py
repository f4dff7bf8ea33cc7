"""What must hold after a death and a new start. Each function raises Failure with what does not."""
import contextlib
import pathlib
import shutil
import sqlite3
import tempfile

import work
from golden import all_events, curve, metric_events, timeless
from harness import TERMINAL, equal, run_program, short, want
from ledger import MOVES, Thing, same

# ---- the folder, while no server is up ----


class Folder:
    """The data folder as a death left it. The database is read in a copy: opening it would already be a recovery."""

    def __init__(self, data):
        self.data = pathlib.Path(data)
        self.temporaries = self._names("tmp")
        self.files = self._names("objects")
        self.rows = set()
        if (self.data / "descentd.db").exists():
            with tempfile.TemporaryDirectory(prefix="descentd-crash-") as copy:
                for path in self.data.glob("descentd.db*"):
                    if not path.name.endswith("-shm"):  # memory of the process that is gone
                        shutil.copy(path, copy)
                with contextlib.closing(sqlite3.connect(copy + "/descentd.db")) as database:
                    self._check(database)

    def _names(self, folder):
        path = self.data / folder
        return {p.name for p in path.iterdir()} if path.is_dir() else set()

    def _check(self, database):
        def query(sql):
            return database.execute(sql).fetchall()

        tables = {r[0] for r in query("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if not tables:
            return  # it died before its first transaction
        equal(query("PRAGMA integrity_check"), [("ok",)], "integrity_check")
        equal(query("PRAGMA foreign_key_check"), [], "foreign_key_check")
        self.rows = {r[0] for r in query("SELECT sha256 FROM objects WHERE bytes IS NULL")}
        want(self.rows <= self.files, f"rows without their file: {self.rows - self.files}")
        users = ["SELECT sha256 FROM datasets", "SELECT object FROM models"] + ["SELECT object FROM checkpoints"] * ("checkpoints" in tables)
        stored, used = ({r[0] for r in query(sql)} for sql in ("SELECT sha256 FROM objects", " UNION ".join(users)))
        equal(stored, used, "objects that are stored, and those that are used")
        twice = "SELECT job FROM events WHERE type = 'done' GROUP BY job HAVING count(*) > 1"
        equal(query(twice), [], "jobs that ended twice")

    def check_by_program(self):
        """descentd check finds nothing that the next start would not put right."""
        if self.rows or self.files:
            code, found, error = run_program("check", "--data", str(self.data))
            equal(code, 0, f"descentd check: {short(found + error, 2000)}")

    def check_tidied(self):
        """The next start has removed what has no row, and all temporary files."""
        want(not self.temporaries & self._names("tmp"), "temporary files outlive a start")
        strays = self.files - self.rows & self._names("objects")
        want(not strays & self._names("objects"), f"files without a row outlive a start: {strays}")


# ---- what clients see ----


def all_things(client):
    """The data sets and the models of one ledger."""
    for thing in client.ledger.things.values():
        if thing.deleted != "yes":
            view = described(client, thing)
            if view is not None:
                equal({k: view[k] for k in thing.told}, thing.told, thing.path)


def described(client, thing):
    """Its description; None where it was deleted, which must have been asked for and be for ever."""
    answer = client.call("GET", thing.path)
    if answer.status == 410 and thing.deleted != "no":
        thing.deleted = "yes"
        return None
    want(thing.deleted != "yes", f"{thing.path} was deleted and is back")
    equal(answer.status, 200, thing.path)
    thing.deleted = "no"  # it was asked for and did not happen
    return answer.json


def one_job_per_key(client, job):
    if job.key is None:
        return
    found = client.read(f"/v1/jobs?limit=100&metadata.{work.KEY}={job.key}")["data"]
    first = [v["id"] for v in found if not getattr(client.ledger.jobs.get("/v1/jobs/" + v["id"]), "extended", True)]
    equal(first, [job.told["id"]], f"jobs of the key {job.key}")


def fields(job, view):
    """Name and metadata: as they were told, or as a PATCH without an answer would have them."""
    now = {k: view[k] for k in job.fields}
    want(now in (job.fields, job.maybe), f"{job.path}: {now}, told {job.fields}, asked for {job.maybe or 'nothing'}")
    job.fields, job.maybe = now, {}


def events(job, found):
    """Numbers without gap or repeat, legal changes of status only, one end."""
    equal([int(e["id"]) for e in found], list(range(1, len(found) + 1)), f"{job.path}: event numbers")
    states = [e["data"]["status"] for e in found if e["type"] == "state"]
    equal(states[0], "queued", f"{job.path}: the first status")
    for move in zip(states, states[1:]):
        want(move in MOVES, f"{job.path}: from {move[0]} to {move[1]}, which api/job_states.def does not have")
    ends = [e for e in found if e["type"] == "done"]
    if states[-1] in TERMINAL:
        equal([e["data"]["status"] for e in ends], [states[-1]], f"{job.path}: done events")
        equal(found[-1]["type"], "done", f"{job.path}: the last event")
    else:
        equal(ends, [], f"{job.path}: done events")
    return states[-1]


def against_golden(job, golden, rows, found, view):
    """The curves are the undisturbed run's, as far as they go; of a job that ran to its end so is everything."""
    truth = golden.run(job.spec)
    mine, told = [timeless(r) for r in rows], metric_events(found)
    to_the_end = view["status"] == "succeeded" and view["stop_reason"] == truth["stop_reason"]
    if not to_the_end:  # a last row may stand where the job was stopped
        mine, told = mine[:-1], told[:-1]
    same(mine, truth["rows"] if to_the_end else truth["rows"][:len(mine)], f"{job.path}: curves")
    if not job.extended:  # its first rows are copies, which no event told of
        same(told, truth["events"] if to_the_end else truth["events"][:len(told)], f"{job.path}: metric events")
    if to_the_end:
        equal(view["digest"], truth["digest"], f"{job.path}: digest")
    elif view["status"] == "succeeded":
        want(job.stopped, f"{job.path} ended by {view['stop_reason']}, nobody stopped it")


def job(client, one, golden, kills):
    view = described(client, one)
    if view is None:
        return
    one.learn(view)
    equal({k: view[k] for k in one.told}, one.told, one.path)
    fields(one, view)
    want(view["restarts"] <= kills - one.kills, f"{one.path}: {view['restarts']} restarts, {kills - one.kills} deaths")
    want(view["status"] != "failed", f"{one.path} failed: {short(view['error'])}")
    spec = client.read(one.path + "/spec")
    one.learn_answer("spec", spec)
    found, rows = all_events(client, one.path), curve(client, one.path)
    one.learn_events(found)
    one.compare_streamed(found)
    one.learn_rows(rows)
    last = events(one, found)
    if view["status"] in TERMINAL:
        equal(last, view["status"], f"{one.path}: the status that its events tell")
        one_job_per_key(client, one)
        over(client, one, golden, view, found, rows, spec["stop"])


def over(client, one, golden, view, found, rows, stop):
    """What is over stays as it is for ever."""
    if one.frozen is None:
        against_golden(one, golden, rows, found, view)
    results = None
    if view["status"] == "succeeded":
        results = client.read(one.path + "/results")
        one.learn_answer("results", results)
        equal(results["digest"], view["digest"], f"{one.path}: the results' digest")
        model(client, one, view)
    lasting = {k: v for k, v in view.items() if k not in (*one.fields, "version", "priority")}
    now = {"job": lasting, "events": found, "rows": rows, "results": results, "stop": stop}
    same(now, one.frozen or now, f"{one.path}, which is over")
    one.frozen = now


def model(client, one, view):
    path = "/v1/models/" + view["model"]
    if path not in client.ledger.things:
        told = client.read(path)
        equal(told["job"], view["id"], f"{path}: its job")
        client.ledger.things[path] = Thing(path, told)
