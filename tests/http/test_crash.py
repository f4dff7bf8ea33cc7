"""kill -9 at random moments, while clients upload, submit, cancel and delete: every answer that was read still holds.

Each client keeps a ledger of what it asked for and what it was told. What was sent but never answered may or may not have
happened; what was answered with 2xx has.
"""
import contextlib
import http.client
import pathlib
import random
import sqlite3
import threading
import time

from harness import MODE, PATIENCE, Server, equal, short, want
from material import csv_table, mlp, softmax

KILLS = {"release": 30, "debug": 10, "asan": 6, "tsan": 4}[MODE]
# The server was killed before it answered (http.client has no connection any more where it was reset while sending).
GONE = (OSError, http.client.HTTPException, AttributeError)


class Writer:
    """One client's life, and its ledger: path -> what was acknowledged of it, and whether its end was asked for."""

    def __init__(self, server, seed):
        self.server, self.draw, self.number = server, random.Random(seed), seed * 1_000_000
        self.made, self.ending, self.gone, self.error = {}, set(), set(), None

    def run(self, stop):
        try:
            while not stop.is_set():
                self.draw.choice([self.upload, self.submit, self.submit, self.delete])()
        except GONE:
            pass
        except Exception as e:  # pylint: disable=broad-except
            self.error = e

    def upload(self):
        self.number += 1
        rows_ = self.draw.choice([5, 40, 4000])  # the last becomes a file, the others live in the database
        made = self.server.upload(csv_table(rows_, seed=self.number), query=f"?name=n{self.number}")
        self.made[f"/v1/datasets/{made['id']}"] = {k: made[k] for k in ("sha256", "name", "rows", "created_at")}

    def submit(self):
        self.number += 1
        table = {"x": [[self.number, 1], [2, self.number % 7], [3, 0], [0, 1]], "y": ["a", "b", "a", "b"]}
        spec = self.draw.choice([
            softmax(table, training={"epochs": 1, "seed": self.number}),
            mlp(hidden=(8,), training={"epochs": self.draw.choice([1, 3000]), "seed": self.number}),
        ])
        answer = self.server.call("POST", "/v1/jobs", {**spec, "name": f"n{self.number}", "metadata": {"n": str(self.number)}})
        want(answer.status == 201, f"POST /v1/jobs -> {answer.status} {short(answer.text)}")
        self.made[f"/v1/jobs/{answer.json['id']}"] = {k: answer.json[k] for k in ("name", "metadata", "seed", "created_at")}

    def delete(self):
        alive = [path for path in self.made if path not in self.ending]
        if not alive:
            return
        path = self.draw.choice(alive)
        if "/jobs/" in path:
            self.server.call("POST", path + "/cancel")
            if self.server.get(path)["status"] not in ("succeeded", "failed", "cancelled"):
                return
        self.ending.add(path)
        answer = self.server.call("DELETE", path)
        if answer.status == 204:
            self.gone.add(path)
        else:
            want(answer.status == 409, f"DELETE {path} -> {answer.status}")
            self.ending.discard(path)

    def check(self):
        """Against a server that was killed and started again."""
        if self.error:
            raise self.error
        for path, told in self.made.items():
            answer = self.server.call("GET", path)
            if path in self.gone:
                equal(answer.status, 410, f"{path}, which was deleted")
            elif path in self.ending and answer.status == 410:
                self.gone.add(path)
            else:
                equal(answer.status, 200, path)
                equal({k: answer.json[k] for k in told}, told, path)
                self.ending.discard(path)
        self.forget_some()

    def forget_some(self):
        """Keeps the ledger short."""
        for path in [p for p in self.made if p in self.gone][:-20] + list(self.made)[:-60]:
            self.made.pop(path, None)


def _check_store(server):
    """What must hold of the files themselves, while the server is down."""
    folder = pathlib.Path(server.data)
    with contextlib.closing(sqlite3.connect(folder / "descentd.db")) as database:
        equal(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity_check")
        equal(database.execute("PRAGMA foreign_key_check").fetchall(), [], "foreign_key_check")
        named = {r[0] for r in database.execute("SELECT sha256 FROM objects WHERE bytes IS NULL")}
        users = "SELECT sha256 FROM datasets UNION SELECT object FROM models UNION SELECT object FROM checkpoints"
        used = {r[0] for r in database.execute(users)}
        stored = {r[0] for r in database.execute("SELECT sha256 FROM objects")}
        ended = database.execute("SELECT job, count(*) FROM events WHERE type = 'done' GROUP BY job HAVING count(*) > 1").fetchall()
    files = {p.name for p in (folder / "objects").iterdir()}
    want(named <= files, f"rows without their file: {named - files}")
    equal(stored, used, "objects that are stored, and those that are used")
    equal(ended, [], "jobs that ended twice")


def what_was_acknowledged_survives_kill_9_at_any_moment():
    draw = random.Random(11)
    with Server() as s:
        writers = [Writer(s, 1), Writer(s, 2)]
        for _ in range(KILLS):
            stop = threading.Event()
            threads = [threading.Thread(target=w.run, args=(stop,)) for w in writers]
            for t in threads:
                t.start()
            time.sleep(draw.uniform(0.01, 0.4) * min(PATIENCE, 4))
            s.kill()
            stop.set()
            for t in threads:
                t.join()
            s.start()
            for w in writers:
                w.check()
        want(sum(len(w.made) for w in writers) > 20, "the clients did not get to do much")
        for w in writers:
            for path in [p for p in w.made if "/jobs/" in p and p not in w.gone]:
                view = s.get(path)
                if view["status"] in ("queued", "running"):
                    s.call("POST", path + "/cancel")
                elif view["status"] == "succeeded":
                    equal(s.results(view["id"])["digest"], view["digest"], "digest")
                    equal(s.get(f"/v1/models/{view['model']}")["job"], view["id"], "the model's job")
        for view in s.get("/v1/jobs?limit=100&status=cancelling")["data"]:
            s.wait(view["id"], "cancelled")
        s.stop()
        _check_store(s)
        files = {p.name for p in pathlib.Path(s.data, "tmp").iterdir()}
        equal(files, set(), "temporary files")
