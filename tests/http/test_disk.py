"""The disk under the server: full, damaged, read-only, and cut off in the middle of a write."""
import os
import pathlib
import random
import resource
import shutil
import subprocess
import time

from harness import PATIENCE, THOROUGH, Failure, Server, Skip, equal, rows, want
from job_states import check_events
from material import BLOBS, csv_table, endless, idx, mlp, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

CSV = {"Content-Type": "text/csv"}


def _room(server, size=None):
    """No file of the server may grow past `size` bytes: to it the disk is full. None: there is room again."""
    _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most if size is None else size, most))


def a_full_disk_is_told_and_lost_nothing_when_there_is_room_again():
    spec = mlp({**BLOBS, "n": 3000}, (32,), training={"epochs": 10, "batch_size": 20, "seed": 3, "log_every_steps": 1})
    with Server() as s:
        golden = s.train(spec)
        model = s.train(softmax())["model"]
        running = s.job({**endless(), "resources": {"threads": 1}})
        s.wait_until(running, lambda j: j["step"] > 0)
        ends = s.job({**spec, "resources": {"threads": 1}})
        _room(s, 4096)
        s.refuse(507, "insufficient_storage", "POST", "/v1/datasets", csv_table(20000), CSV)
        s.refuse(507, "insufficient_storage", "POST", "/v1/datasets", csv_table(20), CSV)
        s.refuse(507, "insufficient_storage", "POST", "/v1/jobs", softmax())
        s.refuse(507, "insufficient_storage", "POST", f"/v1/jobs/{running}/cancel")
        s.refuse(507, "insufficient_storage", "DELETE", f"/v1/models/{model}")
        s.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1, 2]]})
        equal(s.call("GET", "/readyz").status, 200, "ready")
        time.sleep(1.5 * PATIENCE)  # both jobs come to where they need the disk
        want(s.get(f"/v1/jobs/{ends}")["status"] in ("queued", "running"), "a job ended on a full disk")
        equal(sorted(p.name for p in pathlib.Path(s.data, "tmp").iterdir()), [], "temporary files")
        _room(s)
        equal(s.wait(ends)["digest"], golden["digest"], "digest")
        steps = [r[0] for r in s.get(f"/v1/jobs/{ends}/metrics?downsample=none&max_points=10000")["data"]]
        equal(steps, list(range(1, 1501)), "steps of the curve")
        s.upload(csv_table(20))
        s.ok("POST", f"/v1/jobs/{running}/cancel")
        s.wait(running, "cancelled")


def a_full_disk_does_not_hold_up_the_end():
    with Server() as s:
        job = s.job(endless())
        s.wait_until(job, lambda j: j["step"] > 0)
        _room(s, 4096)
        time.sleep(0.5)
        equal(s.terminate(), 0, "exit status")
        s.start()
        s.wait_until(job, lambda j: j["status"] == "running")
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(job, "cancelled")


# ---- room for small things only: checkpoints do not fit ----

# Its checkpoints, of some 7 MB, are larger than the database's log ever gets, so that it is they that do not fit.
GREEDY = mlp({**BLOBS, "n": 200}, (768, 768), optimizer={"type": "adam", "learning_rate": 1e-4}, training={"epochs": 1000000, "batch_size": 180, "seed": 2},
             checkpoint={"every_seconds": 1}, split={"validation": 0.1})
IMAGES = idx((5000, 40, 40), bytes(5000 * 40 * 40))
IDX = {"Content-Type": "application/x-idx"}


class _LimitedFiles(Server):
    """No file may grow past 4 MB, once it is full."""

    def fill(self):
        _room(self, 4_000_000)

    def empty(self):
        _room(self)


class _SmallDisk(Server):
    """On a file system of its own, of 96 MB, seen by the server alone; gone with the server."""

    def command(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
            raise Skip("only root can mount")
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        return ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=96m,mode=700 none {self.data} && exec " + " ".join(super().command())]

    @property
    def disk(self):
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.data}")

    def fill(self):
        free = os.statvfs(self.disk)
        with open(self.disk / "filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, free.f_bavail * free.f_frsize - 4_000_000)

    def empty(self):
        (self.disk / "filler").unlink()


@rows(("files may not grow", _LimitedFiles), ("a small file system", _SmallDisk))
def a_job_whose_checkpoints_do_not_fit_is_paused_and_goes_on_by_itself_when_they_do(kind):
    with kind() as s:
        done = s.train(softmax())
        s.fill()
        job = s.job(GREEDY)
        paused = s.wait_until(job, lambda j: j["status"] == "paused", seconds=30)
        equal(paused["pause_reason"], "storage_full", "pause_reason")
        s.refuse(507, "insufficient_storage", "POST", "/v1/datasets", IMAGES, IDX)
        s.ok("POST", f"/v1/models/{done['model']}/predict", {"instances": [[1, 2]]})
        failed = [e["data"] for e in check_events(s, job) if e["type"] == "log"]
        equal([(e["level"], e["code"]) for e in failed[:3]], [("warning", "checkpoint_failed")] * 3, "warnings")
        states = [(e["data"]["status"], e["data"].get("reason")) for e in check_events(s, job) if e["type"] == "state"]
        equal(states[:3], [("queued", None), ("running", None), ("paused", "storage_full")], "states")
        s.empty()
        s.wait_until(job, lambda j: j["status"] == "running" and s.get(f"/v1/jobs/{job}/checkpoints")["data"], seconds=60)
        resumed = [e["data"].get("reason") for e in check_events(s, job) if e["type"] == "state" and e["data"]["status"] == "queued"]
        want(set(resumed[1:]) == {"storage_available"}, f"reasons of being queued again: {resumed}")
        s.ok("POST", f"/v1/jobs/{job}/stop", status=202)
        view = s.wait(job)
        equal(view["restarts"], 0, "restarts")
        equal(s.train(s.get(f"/v1/jobs/{job}/spec"))["digest"], view["digest"], "digest of the same steps, undisturbed")
        s.upload(IMAGES, "application/x-idx")


def a_client_may_pause_resume_or_cancel_what_waits_for_room():
    with _LimitedFiles() as s:
        s.fill()
        jobs, kept = [s.job(GREEDY) for _ in range(2)], s.job(GREEDY)
        for job in [*jobs, kept]:
            s.wait_until(job, lambda j: j["status"] == "paused", seconds=40)
        view = _ask_to_pause(s, kept)
        equal(view["pause_reason"], "user", "pause_reason")
        s.empty()
        want(s.call("POST", f"/v1/jobs/{jobs[0]}/resume").status in (202, 409), "resume")  # 409: it has gone on by itself already
        s.wait_until(jobs[0], lambda j: j["status"] == "running")
        for job in jobs:
            s.ok("POST", f"/v1/jobs/{job}/cancel", status=202)
            s.wait(job, "cancelled")
            check_events(s, job)
        equal(s.get(f"/v1/jobs/{kept}"), view, "the one that a client has paused")
        s.restart(kill=True)
        equal(s.get(f"/v1/jobs/{kept}"), view, "also after a restart")
        s.ok("POST", f"/v1/jobs/{kept}/resume", status=202)
        s.wait_until(kept, lambda j: j["status"] == "running")


def _ask_to_pause(server, job):
    """It may just be trying once more: then it is paused a step later."""
    server.ok("POST", f"/v1/jobs/{job}/pause")
    return server.wait_until(job, lambda j: j["status"] == "paused")


# ---- damage ----

def _flip(path, at):
    data = bytearray(path.read_bytes())
    for i in range(at, min(at + 200, len(data))):
        data[i] ^= 0x5A
    path.write_bytes(data)


@rows(("no database", lambda p: p.write_bytes(b"these are not the rows you are looking for" * 200)), ("cut off", lambda p: os.truncate(p, 20000)),
      ("a page of a table", lambda p: _flip(p, 4096 * 3)), ("the schema", lambda p: _flip(p, 110)))
def a_damaged_database_is_refused_by_name(harm):
    with Server() as s:
        for i in range(30):
            s.upload(csv_table(5, seed=i))
        equal(s.terminate(), 0, "exit status")
        path = pathlib.Path(s.data, "descentd.db")
        good = path.read_bytes()
        harm(path)
        harmed = path.read_bytes()
        done = subprocess.run(s.command(), capture_output=True, text=True, timeout=20 * PATIENCE)
        equal(done.returncode, 74, f"exit status: {done.stderr}")
        want(str(path) in done.stderr, f"the file's name: {done.stderr}")
        equal(path.read_bytes(), harmed, "the damaged file was changed")
        path.write_bytes(good)
        s.start()
        equal(len(s.get("/v1/datasets?limit=100")["data"]), 30, "data sets")


def a_read_only_folder_is_refused_with_the_reason():
    with Server() as s:
        s.upload(csv_table(5))
        equal(s.terminate(), 0, "exit status")
        mount = f"mount --bind {s.folder} {s.folder} && mount -o remount,ro,bind {s.folder} && exec "
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
            raise Skip("only root can mount")
        done = subprocess.run(["unshare", "-m", "sh", "-c", mount + " ".join(s.command())], capture_output=True, text=True, timeout=20 * PATIENCE)
        want(73 <= done.returncode <= 78 and "ead-only" in done.stderr, f"{done.returncode} {done.stderr}")


def a_log_that_was_cut_off_gives_all_that_was_acknowledged_before():
    """Power fails: what was synced stays, of what follows there may be a part, or rubbish."""
    draw = random.Random(5)
    with Server() as s:
        log = pathlib.Path(s.data, "descentd.db-wal")
        known = []  # (size of the log when it was acknowledged, path)
        for n in range(12):
            known.append((s.upload(csv_table(5, seed=n))["id"], log.stat().st_size))
        s.kill()
        sizes = [size for _, size in known]
        if sizes != sorted(set(sizes)):
            raise Failure(f"the log began anew during the test: {sizes}")
        whole = log.read_bytes()
        for i in draw.sample(range(11), 6 if THOROUGH else 3):
            rest = whole[sizes[i]:sizes[i + 1]]
            for label, tail in (("cut", b""), ("half", rest[:len(rest) // 2]), ("torn", rest[:-700] + draw.randbytes(700)), ("rubbish", draw.randbytes(9000))):
                copy = Server(start=False)
                shutil.copytree(s.data, copy.data)
                pathlib.Path(copy.data, "descentd.db-wal").write_bytes(whole[:sizes[i]] + tail)
                pathlib.Path(copy.data, "descentd.db-shm").unlink(missing_ok=True)  # memory of the machine that went down
                with copy:
                    copy.start()
                    there = {d["id"] for d in copy.get("/v1/datasets?limit=100")["data"]}
                    equal(there, {dataset for dataset, _ in known[:i + 1]}, f"{label} after {i + 1} uploads")
                    copy.upload(csv_table(5, seed=99))
                    copy.restart(kill=True)
                    equal(len(copy.get("/v1/datasets?limit=100")["data"]), i + 2, f"{label}: and one more")
