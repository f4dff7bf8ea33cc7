"""The cycles: who starts, kills and looks at the server, and when."""
import contextlib
import http.client
import os
import pathlib
import random
import signal
import subprocess
import time

import checks
import work
from client import Client, Interface
from golden import Golden
from harness import Server, equal, short, want
from ledger import Ledger
from plans import NAMES, Planner

CLIENTS = 2
SETTLE_EVERY = 10  # cycles: then all jobs come to their end, and everything ever made is looked at
START_SECONDS = 10


class Mortal(Server):
    """A server that may die at any time, its start included."""

    folder_cycles = 100  # then a new folder: what is looked at must not grow for ever

    def __init__(self, options=("--threads", "2")):
        super().__init__(options, start=False)
        self.points = pathlib.Path(self.folder, "failpoints")
        self.longest_start = 0.0

    def launch(self, failpoint=""):
        """Starts the program: is it ready (or did it die first)?"""
        self.points.unlink(missing_ok=True)
        env = {**os.environ, **self.env, "DESCENTD_FAILPOINT": failpoint, "DESCENTD_FAILPOINT_LOG": str(self.points)}
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        while self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException, AttributeError):
                if self.call("GET", "/readyz").status == 200:
                    self.longest_start = max(self.longest_start, time.monotonic() - begin)
                    return True
            want(time.monotonic() - begin < START_SECONDS, f"the server is not ready after {START_SECONDS} s")
            time.sleep(0.002)
        return False

    def wait_for_death(self, seconds):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.returncode is not None

    def lie_dead(self):
        """Something may happen to the folder before the next start (power.py)."""

    def hits(self):
        return self.points.read_text().splitlines() if self.points.exists() else []


class Campaign:
    def __init__(self, seed, new_server=Mortal):
        # two streams: how many jobs there are to choose from depends on the time, what is done must not
        self.new_server = new_server
        self.seed, self.draw, self.glances = seed, random.Random(seed), random.Random(seed + 1)
        self.plan, self.kills = None, 0
        self.golden = Golden()
        document = self.golden.server.get("/v1/openapi.json")
        self.interface = Interface(document)
        self.kinds = work.kinds([o["type"] for o in self.golden.server.get("/v1/algorithms")["optimizers"]])
        self.planner = Planner(self.draw, [n for n in NAMES if self.has_point(n)])
        self.server, self.clients, self.begun = None, [], time.monotonic()
        self.longest_start, self.jobs, self.things, self.deaths = 0.0, 0, 0, 0

    def has_point(self, name):
        return not name.startswith("checkpoint.") or self.interface.has("GET", "/v1/jobs/{id}/checkpoints")

    # ---- one cycle ----

    def cycle(self, number, last):
        if self.server is None:
            self.open_folder()
        self.plan = self.planner.next()
        self.die_at_work(number)
        if self.plan.boot:
            self.die_at_start()
        self.live_on(settle=last or number % SETTLE_EVERY == 0)
        if last or number % self.server.folder_cycles == 0:
            self.close_folder()

    def die_at_work(self, number):
        plan = self.plan
        if self.server.launch(plan.failpoint()):
            for client in self.clients:
                client.start(f"{self.seed} {number} {client.number}", self.kills, plan.point)
            if not self.server.wait_for_death(plan.seconds):
                self.server.process.send_signal(signal.SIGTERM if plan.terminate else signal.SIGKILL)
                want(self.server.wait_for_death(20), "SIGTERM does not end the server")
            for client in self.clients:
                client.end()
        self.bury({0} if plan.terminate else set(), 1 if plan.action == "exit" else -signal.SIGKILL)

    def die_at_start(self):
        ready = self.server.launch(self.plan.boot + ":1:kill")
        if ready and not self.server.wait_for_death(0.5):
            self.server.kill()
        self.bury(set(), -signal.SIGKILL)

    def bury(self, also, wanted):
        """The server is dead: of what it should be?"""
        self.kills += 1
        self.deaths += 1
        code = self.server.process.returncode
        want(code in also | {wanted, -signal.SIGKILL}, f"the server ended with {code}")
        self.planner.note(self.server.hits())
        self.server.lie_dead()

    def live_on(self, settle):
        """Starts for good, and looks."""
        folder = checks.Folder(self.server.data)
        folder.check_by_program()
        want(self.server.launch(), f"the server does not start again: {self.server.process.returncode}")
        folder.check_tidied()
        for client in self.clients:
            client.kills = self.kills
            client.submit_again()
        if settle:
            self.settle()
        for client in self.clients:
            checks.all_things(client)
            for job in list(client.ledger.jobs.values()):
                if job.deleted != "yes" and (settle or job.frozen is None or self.glances.random() < 0.2):
                    checks.job(client, job, self.golden, self.kills)
        want(self.server.process.poll() is None, f"the server died while it was looked at: {self.server.process.returncode}")
        self.server.kill()
        self.bury(set(), -signal.SIGKILL)

    def settle(self):
        """Lets every job come to its end."""
        for client in self.clients:
            for job in client.living():
                with contextlib.suppress(StopIteration):
                    self.bring_to_end(client, job)

    def bring_to_end(self, client, job):
        client.look(job)
        if job.status == "paused":
            job.asked.add("resume")
            client.ask("resume", "POST", job.path + "/resume")
        end = time.monotonic() + 60
        while not job.is_over():
            want(time.monotonic() < end, f"{job.path} is {job.status} and does not end")
            job.learn(self.server.get(f"{job.path}?wait=5&until=terminal"))

    # ---- folders ----

    def open_folder(self):
        self.server, self.kills = self.new_server(), 0
        self.clients = [Client(self.server, Ledger(f"{self.server.folder}/ledger-{n}"), self.interface, self.kinds, n)
                        for n in range(1, CLIENTS + 1)]

    def close_folder(self):
        self.longest_start = max(self.longest_start, self.server.longest_start)
        for client in self.clients:
            self.jobs += len(client.ledger.jobs)
            self.things += len(client.ledger.things)
            client.ledger.close()
        self.server.discard()
        self.server = None

    # ---- words ----

    def finish(self):
        """The names that never fired."""
        self.golden.close()
        return self.planner.missed()

    def abandon(self):
        """Ends the programs; the folder stays. What there is to look at."""
        for server in (self.server, self.golden.server):
            if server and server.process and server.process.poll() is None:
                server.kill()
        if not self.server:
            return ""
        return f"    folder with the data and the clients' ledgers: {self.server.folder}\n{self.server.log_tail()}"

    def progress(self, cycle):
        fired = sum(self.planner.fired[n] > 0 for n in self.planner.names)
        return (f"{cycle:5} cycles {time.monotonic() - self.begun:6.0f} s, {self.deaths} deaths,"
                f" {fired} of {len(self.planner.names)} failpoints have fired")

    def table(self, missed):
        lines = [f"    {n:26} fired {self.planner.fired[n]:4}, hit {self.planner.hits[n]:6}" for n in self.planner.names]
        lines += [f"FAILED  {n} never fired" for n in missed]
        lines.append(f"{self.jobs} jobs, {self.things} data sets and models; the longest start took {self.longest_start:.2f} s")
        return "\n".join(lines)
