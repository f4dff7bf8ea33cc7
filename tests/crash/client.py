"""A client that works until the server is gone: it submits, uploads, asks, reads and deletes, and writes all into its ledger.

It waits for every answer, so at a death at most one request of its is open. Refusals (409, 422) are fine where a job has
moved on meanwhile; an answer of 500 and above counts as none: what was asked for may or may not have happened.
"""
import contextlib
import http.client
import json
import random
import threading

import work
from golden import all_events, curve
from harness import equal, short, want
from ledger import Job, Thing

# The server died before it answered (http.client has no connection any more where it was reset while sending).
GONE = (OSError, http.client.HTTPException, AttributeError)
LISTEN_SECONDS = 0.1  # without an event: then a stream is left
LIVE_JOBS = 5  # a client waits for its jobs rather than have more of them


class Unknown(Exception):
    """An answer of a server in distress."""


class Interface:
    """What this server can do, by its own document."""

    def __init__(self, document):
        self.paths = document["paths"]

    def has(self, method, path):
        return method.lower() in self.paths.get(path, {})

    def takes_keys(self, path):
        return any(p.get("name") == "Idempotency-Key" for p in self.paths[path]["post"].get("parameters", []))

    def streams(self, path):
        return "text/event-stream" in self.paths[path]["get"]["responses"]["200"].get("content", {})

    def media(self, method, path):
        return next(iter(self.paths[path][method.lower()]["requestBody"]["content"]))


class Client:
    """number: of this client; what it makes is like nobody else's."""

    def __init__(self, server, ledger, interface, kinds, number):
        self.server, self.ledger, self.interface, self.kinds, self.number = server, ledger, interface, kinds, number
        self.draw, self.keys, self.kills, self.error = random.Random(number), 0, 0, None
        self.thread, self.stopping = None, threading.Event()
        self.actions = [a for a in ("pause", "resume", "stop", "cancel") if interface.has("POST", f"/v1/jobs/{{id}}/{a}")]
        self.operations = [self.upload_small, self.upload_large, self.upload_images, self.submit, self.submit, self.submit,
                           self.look, self.look, self.read_events, self.read_rows, self.read_answers, self.act, self.act,
                           self.delete_job, self.delete_thing, self.delete_thing]
        if interface.has("PATCH", "/v1/jobs/{id}"):
            self.operations.append(self.patch)
        if interface.has("POST", "/v1/jobs/{id}/rerun"):
            self.operations += [self.rerun, self.extend]
        if interface.takes_keys("/v1/jobs"):
            self.operations.append(self.repeat)
        if interface.streams("/v1/jobs/{id}/events"):
            self.operations += [self.follow, self.follow]
        self.focus = {"upload": [self.upload_large], "delete": [self.delete_large],
                      "checkpoint": [self.submit_large, self.look], "model": [self.submit_large, self.look],
                      "finish": [self.submit, self.look], "job": [self.submit, self.look],
                      "commit": [self.submit_large, self.act, self.act]}

    # ---- a life ----

    def start(self, seed, kills, point=""):
        """kills: deaths of the server until now; point: the failpoint that it is to reach soon."""
        self.draw, self.kills, self.error = random.Random(seed), kills, None
        self.stopping.clear()
        self.thread = threading.Thread(target=self.run, args=(self.focus.get(point.split(".")[0], []),))
        self.thread.start()

    def run(self, focus):
        try:
            while not self.stopping.is_set():
                self.work(self.draw.choice(focus if focus and self.draw.random() < 0.5 else self.operations))
        except GONE:
            pass
        except Exception as e:  # pylint: disable=broad-except
            self.error = e

    def work(self, operation):
        try:
            operation()
        except Unknown:
            pass

    def end(self):
        self.stopping.set()
        self.thread.join()
        if self.error:
            raise self.error

    def call(self, method, path, body=None, headers=None):
        answer = self.server.call(method, path, body, headers)
        if answer.status >= 500:
            raise Unknown(f"{method} {path} -> {answer.status}")
        return answer

    def ask(self, what, method, path, body=None, headers=None, refusals=(409,), **facts):
        """A request that changes something: the answer, or None if it was refused."""
        self.ledger.write("asked", operation=what, path=path, **facts)
        answer = self.call(method, path, body, headers)
        want(answer.status < 300 or answer.status in refusals, f"{method} {path} -> {answer.status} {short(answer.text)}")
        self.ledger.write("told", operation=what, path=path, status=answer.status, answer=answer.json if answer.body else None)
        return answer if answer.status < 300 else None

    def read(self, path):
        answer = self.call("GET", path)
        equal(answer.status, 200, path)
        return answer.json

    # ---- data sets ----

    def content(self):
        return 10 * self.draw.randrange(10**6) + self.number

    def upload(self, body, media, name):
        made = self.ask("upload", "POST", f"/v1/datasets?name={name}", body, {"Content-Type": media}).json
        told = {k: made[k] for k in ("id", "sha256", "rows", "created_at", "name", "status")}
        path = "/v1/datasets/" + made["id"]
        thing = self.ledger.things.setdefault(path, Thing(path, told))
        equal(told, thing.told, "the same content again")
        return thing

    def upload_small(self):
        return self.upload(work.table(40, self.content()), "text/csv", "small")

    def upload_large(self):
        return self.upload(work.table(7000, self.content()), "text/csv", "large")

    def upload_images(self):
        pictures, labels = work.images(self.content())
        thing = self.upload(pictures, "application/x-idx", "pictures")
        thing.told = {k: thing.told[k] for k in ("id", "created_at", "name", "rows")}  # the labels change the rest
        answer = self.ask("label", "PUT", thing.path + "/labels", labels, {"Content-Type": "application/x-idx"})
        thing.told.update({k: answer.json[k] for k in ("sha256", "status")})

    def delete_large(self):
        self.delete(self.upload_large())

    def delete_thing(self):
        alive = [t for t in self.ledger.things.values() if t.deleted == "no"]
        if len(alive) > 3:
            self.delete(self.draw.choice(alive))

    def delete(self, thing):
        thing.deleted = "asked"
        thing.deleted = "no" if self.ask("delete", "DELETE", thing.path) is None else "yes"

    # ---- submissions ----

    def submit(self, kind=None):
        if sum(not j.is_over() for j in self.living()) >= LIVE_JOBS:
            return self.look()
        spec = dict(self.kinds[kind or self.draw.choice(sorted(self.kinds))])
        spec["training"] = {**spec["training"], "seed": self.draw.randrange(work.SEEDS)}
        extra = {"resources": {"threads": self.draw.choice([1, 2, "auto"])}}
        if self.draw.random() < 0.7:
            extra["checkpoint"] = {"every_steps": self.draw.choice([50, 50, 120]), "keep": self.draw.choice([1, 2])}
        key = self.new_key()
        return self.post("/v1/jobs", "/v1/jobs", {**spec, **extra, "name": key, "metadata": {work.KEY: key}}, key, spec)

    def submit_large(self):
        self.submit(self.draw.choice([k for k, spec in self.kinds.items() if spec["model"].get("hidden") == [128, 128]]))

    def rerun(self):
        job = self.some_job(lambda j: not j.extended)
        if job is not None and sum(not j.is_over() for j in self.living()) < LIVE_JOBS:
            key = self.new_key()
            change = {"training": {"seed": self.draw.randrange(work.SEEDS)}}
            body = {**change, "name": key, "metadata": {work.KEY: key}}
            self.post("/v1/jobs/{id}/rerun", job.path + "/rerun", body, key, work.merge(job.spec, change))

    def extend(self):
        """One epoch more; bit-equal to a run that was so long from the start."""
        job = self.some_job(lambda j: j.status == "succeeded" and j.answers.get("results", {}).get("stop_reason") == "epochs")
        if job is not None:
            spec = work.merge(job.spec, {"training": {"epochs": job.spec["training"]["epochs"] + 1}})
            self.post("/v1/jobs/{id}/rerun", job.path + "/rerun", {"extend_epochs": 1}, self.new_key(), spec, extended=True)

    def repeat(self):
        """A submission that was answered, sent once more under its key: the first answer again."""
        job = self.some_job(lambda j: j.request is not None)
        if job is not None:
            path, body, headers, first = job.request
            again = self.ask("repeat", "POST", path, body, headers, (404, 410))
            if again is not None:
                equal(again.json, first, "the answer to a repeated submission")

    def new_key(self):
        self.keys += 1
        return f"client{self.number}-{self.keys}"

    def post(self, route, path, body, key, spec, extended=False, kills=None):
        """Submits, under a key where the server takes one. spec: what it comes to; kills: before it was first sent, None: now."""
        submission = (route, path, body, key, spec, extended, self.kills if kills is None else kills)
        self.ledger.unanswered.append(submission)
        headers = {"Content-Type": self.interface.media("POST", route)}
        keyed = self.interface.takes_keys(route)
        if keyed:
            headers["Idempotency-Key"] = key
        answer = self.ask("submit", "POST", path, body, headers, (404, 409, 410, 422) if "{id}" in route else (), key=key)
        self.ledger.unanswered.remove(submission)
        if answer is not None:
            job = self.know(answer.json, submission)
            job.request = (path, body, headers, answer.json) if keyed else None

    def know(self, view, submission):
        _, _, _, key, spec, extended, kills = submission
        job = Job(view, spec, None if extended else key, kills, extended)
        return self.ledger.jobs.setdefault(job.path, job)

    def submit_again(self):
        """After a death: whatever had no answer, blindly, where its key makes that safe; else it is looked for."""
        for submission in list(self.ledger.unanswered):
            self.ledger.unanswered.remove(submission)
            if self.interface.takes_keys(submission[0]):
                self.post(*submission)
            else:
                for view in self.read(f"/v1/jobs?limit=100&metadata.{work.KEY}={submission[3]}")["data"]:
                    self.know(view, submission)

    # ---- jobs ----

    def living(self):
        return [j for j in self.ledger.jobs.values() if j.deleted == "no"]

    def some_job(self, wanted=lambda j: True):
        found = [j for j in self.living() if wanted(j)]
        return self.draw.choice(found[-12:]) if found else None

    def look(self, job=None):
        job = job or self.some_job(lambda j: not j.is_over())
        if job is not None:
            view = self.read(job.path)
            self.ledger.write("read", path=job.path, **{k: view[k] for k in ("status", *job.seen)})
            job.learn(view)

    def read_events(self):
        job = self.some_job()
        if job is not None:
            after = job.events[-1]["id"] if job.events else 0
            found = all_events(self, job.path, after)
            self.ledger.write("read", path=job.path + "/events", after=after, last=found[-1]["id"] if found else after)
            job.learn_events(job.events + found)

    def follow(self):
        """The stream of events from where this client was, before whatever death, for a while."""
        job = self.some_job()
        if job is None:
            return
        begin = len(job.streamed)
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=LISTEN_SECONDS)
        try:
            with contextlib.suppress(TimeoutError):
                connection.request("GET", job.path + "/events", headers={"Accept": "text/event-stream", "Last-Event-ID": str(begin)})
                answer = connection.getresponse()
                want(answer.status in (200, 204, 503), f"{job.path}/events -> {answer.status}")
                for event in streamed_events(answer) if answer.status == 200 else ():
                    equal(event["id"], len(job.streamed) + 1, f"{job.path}: number of an event that was streamed")
                    job.streamed.append(event)
        finally:
            connection.close()
            self.ledger.write("read", path=job.path + "/events", after=begin, events=job.streamed[begin:])

    def read_rows(self):
        job = self.some_job()
        if job is not None:
            rows = curve(self, job.path)
            self.ledger.write("read", path=job.path + "/metrics", rows=len(rows))
            job.learn_rows(rows)

    def read_answers(self):
        job = self.some_job(lambda j: j.status == "succeeded")
        if job is not None:
            for part in ("spec", "results"):
                job.learn_answer(part, self.read(f"{job.path}/{part}"))
            self.ledger.write("read", path=job.path + "/results", digest=job.answers["results"]["digest"])

    def get(self, path):
        return self.read(path)

    def act(self):
        action = self.draw.choice(self.actions)
        job = self.some_job(lambda j: (j.status == "paused") == (action == "resume") or self.draw.random() < 0.1)
        if job is None:
            return
        job.asked.add(action)
        job.stopped |= action == "stop"
        answer = self.ask(action, "POST", f"{job.path}/{action}")
        if answer is not None:
            job.learn(answer.json)
        else:
            self.look(job)

    def patch(self):
        job = self.some_job()
        if job is not None:
            job.maybe = {"name": self.new_key(), "metadata": {**job.fields["metadata"], "patched": self.new_key()}}
            answer = self.ask("patch", "PATCH", job.path, job.maybe, {"Content-Type": self.interface.media("PATCH", "/v1/jobs/{id}")}, ())
            job.fields, job.maybe = job.maybe, {}
            job.learn(answer.json)

    def delete_job(self):
        job = self.some_job(lambda j: j.is_over())
        if job is not None and len(self.living()) > 10:
            self.delete(job)


def streamed_events(lines):
    """Events of a text/event-stream, those that are complete."""
    fields = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "id" in fields:
            yield {"id": int(fields["id"]), "type": fields["event"], "data": json.loads(fields["data"])}
            fields = {}
