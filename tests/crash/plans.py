"""When and how the server dies: one plan a cycle, drawn from the seed.

First a walk through server/failpoint.def, every name until it has fired once; then at random: names, moments of kill -9,
SIGTERM, and a second death in the recovery from the first.
"""
import collections
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = re.findall(r'^FAILPOINT\(\w+, "([a-z_.]+)"\)', (ROOT / "server/failpoint.def").read_text(), re.M)
TRIES = 6  # cycles that a name gets to fire in

# Names whose place is in a call that can fail, or in a write that can be torn (FAILPOINT_..._FAILS and _WRITES).
FAILING = [n for n in NAMES if n.endswith((".mid", ".fsynced"))]
TORN = [n for n in NAMES if n.endswith(".mid") and not n.startswith("boot.")]

# What must have happened before a point of the start is reached: one of these left something behind.
LEAVES = {"boot.purge_mid": "upload.mid", "boot.requeue_mid": "job.step"}
# A slow disk or a slow job: milliseconds at each hit, so that deaths fall into what otherwise takes no time.
SLOW = {"job.step": 50, "commit.before": 5, "model.written": 50, "checkpoint.written": 50, "checkpoint.before_db": 50}
# SIGTERM on the way: the last checkpoint of the write-ahead log is made at the end.
AT_THE_END = ("wal.before_checkpoint", "wal.after_checkpoint")


class Plan(collections.namedtuple("Plan", "point hit action boot seconds terminate")):
    """point, hit, action: a failpoint of the working server, or ""; seconds: until kill -9 (or SIGTERM) comes anyway;
    boot: a failpoint of the start after that, or ""."""

    def failpoint(self):
        return f"{self.point}:{self.hit}:{self.action}" if self.point else ""

    def __str__(self):
        end = f"{'SIGTERM' if self.terminate else 'kill -9'} after {1000 * self.seconds:.0f} ms"
        return ", ".join(filter(None, [self.failpoint(), end, self.boot and f"then {self.boot}:1:kill"]))


class Planner:
    """names: those of failpoint.def that this server can reach."""

    def __init__(self, draw, names):
        self.draw, self.names = draw, names
        self.walk = [n for n in names if not n.startswith("boot.")]
        self.boot_walk = [n for n in names if n.startswith("boot.")]
        self.draw.shuffle(self.walk)
        self.tries, self.hits, self.fired = collections.Counter(), collections.Counter(), collections.Counter()

    def note(self, lines):
        """Lines of the failpoints' log."""
        for line in lines:
            name, _, fired = line.partition(" ")
            self.hits[name] += 1
            self.fired[name] += fired == "fired"
        for walk in (self.walk, self.boot_walk):
            walk[:] = [n for n in walk if not self.fired[n] and self.tries[n] < TRIES]

    def missed(self):
        return [n for n in self.names if not self.fired[n]]

    def next(self):
        boot = self.next_boot()
        point = LEAVES.get(boot)
        if point is None and self.walk:
            self.walk.append(self.walk.pop(0))  # the next try comes after all the others
            point = self.walk[-1]
            self.tries[point] += 1
        elif point is None:
            return self.at_random(boot)
        return Plan(point, self.first_hit(point), "kill", boot, 0.3 if point in AT_THE_END else 2.0, point in AT_THE_END)

    def next_boot(self):
        if self.boot_walk:
            self.boot_walk.append(self.boot_walk.pop(0))
            self.tries[self.boot_walk[-1]] += 1
            return self.boot_walk[-1]
        boots = [n for n in self.names if n.startswith("boot.")]
        return self.draw.choice(boots) if self.draw.random() < 0.2 else ""

    def first_hit(self, point):
        """What is passed all the time is fatal at different moments."""
        most = {"job.step": 1000, "commit.before": 60, "commit.after": 60}
        return self.draw.randint(1, most.get(point, 1))

    def at_random(self, boot):
        seconds, terminate = self.draw.uniform(0.005, 0.5), self.draw.random() < 0.2
        if self.draw.random() < 0.25:
            return Plan("", 0, "", boot, seconds, terminate)
        if self.draw.random() < 0.25:
            point = self.draw.choice([n for n in SLOW if n in self.names])
            return Plan(point, "1+", f"sleep:{SLOW[point]}", boot, seconds, terminate)
        point = self.draw.choice([n for n in self.names if not n.startswith("boot.")])
        hit, action = self.first_hit(point) + self.draw.choice([0, 0, 1, 2]), "kill"
        if point in TORN and self.draw.random() < 0.5:
            action = f"torn:{self.draw.choice([0, 1, 511, 4096, 65535])}"
        elif point in FAILING and self.draw.random() < 0.3:
            action = "error:ENOSPC"
        elif self.draw.random() < 0.1:
            action = "exit"
        return Plan(point, hit, action, boot, self.draw.uniform(0.3, 0.8), point in AT_THE_END)
