"""What was acknowledged is there after a restart: after SIGTERM, and after kill -9 at any moment."""
import contextlib
import os
import pathlib
import random
import sqlite3
import struct
import time

from harness import PATIENCE, THOROUGH, Server, equal, rows, want
from material import BLOBS, csv_table, endless, fashion, idx, mlp, softmax, tiny_images


def _everything(s):
    """All that a client can read of finished work, as one value."""
    seen = {}
    for kind in ("jobs", "datasets", "models"):
        for item in s.get(f"/v1/{kind}?limit=100")["data"]:
            seen[f"/v1/{kind}/{item['id']}"] = s.get(f"/v1/{kind}/{item['id']}")
            if kind == "jobs" and item["status"] == "succeeded":
                for part in ("results", "metrics?downsample=none", "events?limit=100", "spec"):
                    seen[f"{item['id']} {part}"] = s.get(f"/v1/jobs/{item['id']}/{part}")
            if kind == "datasets":
                seen[f"{item['id']} rows"] = s.get(f"/v1/datasets/{item['id']}/rows")
            if kind == "models":
                seen[f"{item['id']} export"] = s.get(f"/v1/models/{item['id']}/export")
    return seen


@rows(("SIGTERM", False), ("kill -9", True))
def a_restart_keeps_everything(kill):
    with Server() as s:
        table = s.upload(csv_table(80))["id"]
        s.upload_idx(*tiny_images(), "tiny")
        s.upload(tiny_images(seed=9)[0], "application/x-idx", "?name=unlabelled")
        model = s.train(softmax(table, name="first", metadata={"team": "a"}))["model"]
        s.train(mlp(split={"validation": 0.2}))
        s.wait(s.job(mlp(BLOBS, (8, 8), optimizer={"type": "sgd", "learning_rate": 1e8}, training={"epochs": 500})), "failed")
        deleted = s.train(softmax())["id"]
        s.ok("DELETE", f"/v1/jobs/{deleted}", status=204)
        before = _everything(s)
        guess = s.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1, 1]]})
        s.restart(kill)
        after = _everything(s)
        equal(sorted(after), sorted(before), "what there is")
        for key, value in before.items():
            equal(after[key], value, key)
        equal(s.ok("POST", f"/v1/models/{model}/predict", {"instances": [[1, 1]]}), guess, "a prediction")
        s.refuse(410, "deleted", "GET", f"/v1/jobs/{deleted}")
        equal(s.call("POST", "/v1/datasets", csv_table(80), {"Content-Type": "text/csv"}).json["id"], table, "the same content is still known")
        s.restart(kill)
        equal(_everything(s), after, "after a second restart")


@rows(("SIGTERM", False), ("kill -9", True))
def the_queue_survives_in_its_order(kill):
    with Server(["--threads", "1"]) as s:
        blocker = s.job(endless())
        s.wait_until(blocker, lambda j: j["status"] == "running")
        for _ in range(12):
            s.job({**endless(), "resources": {"threads": 1}})
        waiting = [s.job(softmax(resources={"threads": 1}, metadata={"n": str(i)})) for i in range(4)]
        s.restart(kill)
        listed = [j["id"] for j in s.get("/v1/jobs?limit=100&order=asc")["data"]]
        equal([j for j in listed if j in waiting], waiting, "their order")
        for j in s.get("/v1/jobs?limit=100")["data"]:
            if j["id"] not in waiting:
                s.call("POST", f"/v1/jobs/{j['id']}/cancel")
        views = [s.wait(j) for j in waiting]
        started = [v["started_at"] for v in views]
        equal(started, sorted(started), "first in, first started")


@rows(("SIGTERM", False), ("kill -9", True))
def a_running_job_starts_again_and_ends_with_the_same_bits(kill):
    spec = mlp({**BLOBS, "n": 20000 if THOROUGH else 8000}, (64,), split={"validation": 0.1}, optimizer={"type": "adam", "learning_rate": 0.001},
               training={"epochs": 40 if THOROUGH else 20, "batch_size": 32, "seed": 5}, resources={"threads": 2})
    spec["model"]["dropout"] = 0.1

    def curve(s, job):
        found = s.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
        return [[v for i, v in enumerate(row) if found["columns"][i] != "seconds"] for row in found["data"]]

    with Server() as s:
        golden = s.train(spec, 120)
        again = s.job(spec)
        for share in (0.05, 0.2, 0.4):  # far from the end, however slow the request that sees it
            s.wait_until(again, lambda j, share=share: j["status"] == "running" and j["step"] >= share * j["total_steps"])
            s.restart(kill)
        view = s.wait(again, seconds=120)
        equal(view["digest"], golden["digest"], "digest")
        want(view["restarts"] >= 1 or not kill, f"restarts {view['restarts']}")
        equal(curve(s, again), curve(s, golden["id"]), "curves")
        events = []
        while True:
            page = s.get(f"/v1/jobs/{again}/events?limit=100&after={events[-1]['id'] if events else 0}")
            events += page["data"]
            if not page["has_more"]:
                break
        equal([int(e["id"]) for e in events], list(range(1, len(events) + 1)), "event numbers")
        runs = [e for e in events if e["type"] == "state" and e["data"]["status"] == "running"]
        equal(len(runs), 4, "how often it began to run")


def a_restarted_job_that_comes_out_otherwise_fails():
    with Server() as s:
        job = s.job(mlp({**BLOBS, "n": 5000}, (32,), training={"epochs": 100000, "batch_size": 50, "log_every_steps": 100}))
        s.wait_until(job, lambda j: j["step"] > 200)
        s.kill()
        with contextlib.closing(sqlite3.connect(s.data + "/descentd.db")) as store, store:
            (block,) = store.execute("SELECT rows FROM curves WHERE step = 100").fetchone()
            step, epoch, seconds, mask, batch_loss = struct.unpack_from("<QddQd", block)
            equal((step, mask & 1), (100, 1), "the first row, and whether it has a batch_loss")
            changed = struct.pack("<QddQd", step, epoch, seconds, mask, batch_loss * 1.0000001) + block[40:]
            store.execute("UPDATE curves SET rows = ? WHERE step = 100", (changed,))
        s.start()
        view = s.wait(job, "failed")
        equal((view["error"]["code"], view["model"], view["restarts"]), ("replay_mismatch", None, 1), "how it failed")
        want("step 100 " in view["error"]["message"], f"which step: {view['error']}")
        s.refuse(409, "results_not_ready", "GET", f"/v1/jobs/{job}/results")


def the_clocks_last_step_is_stored_with_the_end_only():
    """A run after a crash is ended by the clock at another step: it must not find a last row of the run before."""
    with Server() as s:
        job = s.job(softmax({**BLOBS, "n": 1000000}, training={"epochs": 1000, "batch_size": "full", "log_every_steps": 997}, stop={"max_seconds": 0.001}))
        view = s.get(f"/v1/jobs/{job}")
        while view["progress"] < 1:
            view = s.get(f"/v1/jobs/{job}")
        equal((view["status"], view["stop_reason"]), ("succeeded", "max_seconds"), "status and stop reason when its last step is shown")


def versions_never_go_back():
    with Server() as s:
        job, last = s.job(endless()), 0
        for _ in range(4):
            version = s.wait_until(job, lambda j: j["status"] == "running" and j["version"] > last)["version"]
            want(version > last, f"version {version} after {last}")
            last = version
            s.restart(kill=True)
            want(s.get(f"/v1/jobs/{job}")["version"] >= last, "the version fell by the restart")


@rows(("SIGTERM", False), ("kill -9", True))
def progress_that_was_shown_is_not_taken_back(kill):
    with Server() as s:
        job = s.job(mlp({**BLOBS, "n": 5000}, (64, 64), training={"epochs": 100000, "batch_size": 50, "log_every_steps": 100}))
        before = s.wait_until(job, lambda j: j["step"] > 2000)
        s.restart(kill)
        after = s.get(f"/v1/jobs/{job}")
        while after["step"] <= before["step"]:  # it comes to where it was, and goes beyond
            for name in ("step", "progress", "samples_seen", "epoch"):
                want(after[name] >= before[name], f"{name} {after[name]} after {before[name]}")
            after = s.get(f"/v1/jobs/{job}?wait=1&since={after['version']}")
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(job, "cancelled")


def a_stop_after_kill_9_does_not_end_a_job_before_what_was_shown():
    with Server() as s:
        job = s.job(mlp({**BLOBS, "n": 5000}, (64, 64), training={"epochs": 100000, "batch_size": 50, "log_every_steps": 100000}))
        before = s.wait_until(job, lambda j: j["step"] > 2000)
        s.restart(kill=True)
        s.wait_until(job, lambda j: j["status"] == "running")
        s.ok("POST", f"/v1/jobs/{job}/stop")
        view = s.wait(job)
        equal(view["stop_reason"], "user", "stop reason")
        want(view["step"] >= before["step"], f"ended at step {view['step']}, {before['step']} was shown")


def a_version_seen_before_kill_9_shows_no_less_after_it():
    with Server() as s:
        job = s.job(mlp({**BLOBS, "n": 5000}, (32,), training={"epochs": 100000, "batch_size": 50, "log_every_steps": 100}))
        s.wait_until(job, lambda j: j["step"] > 200)
        rows_before = s.get(f"/v1/jobs/{job}/metrics?downsample=none&names=batch_loss&max_points=10000")["data"]
        s.restart(kill=True)
        rows_after = s.get(f"/v1/jobs/{job}/metrics?downsample=none&names=batch_loss&max_points=10000")["data"]
        equal([[r[0], r[3]] for r in rows_after[:len(rows_before)]], [[r[0], r[3]] for r in rows_before], "rows that were shown")
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(job, "cancelled")


def kill_9_during_an_upload_leaves_no_trace():
    with Server() as s:
        before = _files(s)
        head = b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 10000000\r\n\r\n"
        import socket

        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.sendall(head + csv_table(20000).encode())
            time.sleep(0.2)
            s.restart(kill=True)
        equal(s.get("/v1/datasets")["data"], [], "data sets")
        equal(_files(s), before, "files of the data folder")


def _files(s):
    return sorted(p.name for p in pathlib.Path(s.data).rglob("*") if p.is_file() and not p.name.startswith("descentd.db"))


def deleting_frees_the_files():
    with Server() as s:
        start = _files(s)
        job = s.train(mlp(s.upload(csv_table(9000))["id"], (128, 128)))
        data = s.get(f"/v1/jobs/{job['id']}/spec")["dataset"]
        want(len(_files(s)) >= len(start) + 2, "a data set and a model are files")
        s.ok("DELETE", f"/v1/models/{job['model']}", status=204)
        s.ok("DELETE", f"/v1/jobs/{job['id']}", status=204)
        s.ok("DELETE", f"/v1/datasets/{data}", status=204)
        s.restart()
        equal(_files(s), start, "files of the data folder")


def a_second_server_on_the_same_folder_is_refused():
    with Server() as s:
        other = Server(start=False)
        other.data = s.data
        import subprocess

        done = subprocess.run(other.command(), capture_output=True, text=True, timeout=20 * PATIENCE)
        equal(done.returncode, 75, f"exit status: {done.stderr}")
        s.get("/v1")
        other.discard()


def a_foreign_file_in_the_folder_is_left_alone():
    with Server() as s:
        s.upload(csv_table(30))
        stray = pathlib.Path(s.data, "notes.txt")
        stray.write_text("mine")
        s.restart()
        equal(stray.read_text(), "mine", "the stray file")


def files_belong_to_their_owner_only():
    with Server() as s:
        s.train(softmax(s.upload(csv_table(60))["id"]))
        for folder, _, names in os.walk(s.data):
            for name in names:
                mode = os.stat(os.path.join(folder, name)).st_mode & 0o077
                equal(mode, 0, f"rights of others on {name}")


def a_damaged_object_is_named_and_harms_nothing_else():
    with Server() as s:
        job = s.train(mlp(hidden=(128, 128)))  # large enough for a file of its own
        other = s.train(softmax())
        s.terminate()
        with contextlib.closing(sqlite3.connect(s.data + "/descentd.db")) as store:
            models = {row[0] for row in store.execute("SELECT object FROM models")}
        hit = [p for p in pathlib.Path(s.data, "objects").iterdir() if p.name in models]
        equal(len(hit), 1, "files of models")
        for p in hit:
            p.chmod(0o600)
            bytes_before = p.read_bytes()
            p.write_bytes(bytes_before[:-1] + bytes([bytes_before[-1] ^ 1]))
        s.start()
        s.refuse(500, "object_corrupt", "POST", f"/v1/models/{job['model']}/predict", {"instances": [[1, 2]]})
        s.ok("POST", f"/v1/models/{other['model']}/predict", {"instances": [[1, 2]]})
        equal(s.call("GET", "/readyz").status, 200, "ready")


def fashion_mnist_survives_too():
    images, labels = fashion("t10k", 500)
    with Server() as s:
        data = s.upload_idx(images, labels, "some")
        rows_before = s.get(f"/v1/datasets/{data}/rows?limit=3")
        s.restart(kill=True)
        equal(s.get(f"/v1/datasets/{data}/rows?limit=3"), rows_before, "rows")
        equal(s.upload_idx(images, labels, "again"), data, "the same content again")
        want(idx((1,), b"\0") != labels, "labels")
