"""descentd check and descentd backup, on folders of servers that run, were killed, or are damaged."""
import pathlib
import shutil

from harness import Server, equal, rows, run_program, want
from material import SPIRALS, csv_table, endless, mlp, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


def _check(folder, status=0):
    got, out, err = run_program("check", "--data", folder)
    equal(got, status, f"exit status of descentd check; it says:\n{out}{err}\n")
    return out


def _long(seed):
    """Lasts some seconds, with dropout: its bits tell whether each step was made once, in order."""
    return mlp({**SPIRALS, "n": 1500}, (32,), training={"epochs": 120, "batch_size": 32, "seed": seed})


def a_running_servers_folder_is_not_checked():
    with Server() as s:
        status, _, err = run_program("check", "--data", s.data)
        equal(status, 75, "exit status")
        want("open in another server" in err, err)
        equal(s.call("GET", "/readyz").status, 200, "the server goes on")


@rows(("SIGTERM", False), ("kill -9", True))
def the_folder_of_a_server_that_ended_is_whole_and_stays_as_it_is(kill):
    with Server() as s:
        s.upload(csv_table(9000))
        s.train(softmax())
        running = s.job(endless())
        s.wait_until(running, lambda j: j["status"] == "running" and j["step"] > 0)
        s.kill() if kill else s.terminate()
        files = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in pathlib.Path(s.data).rglob("*") if path.suffix != ".db-shm"}
        out = _check(s.data)
        want(" 2 jobs," in out and out.endswith(" verified\n"), out)
        after = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in pathlib.Path(s.data).rglob("*") if path.suffix != ".db-shm"}
        equal({str(p) for p in after if p.is_file()}, {str(p) for p in files if p.is_file()}, "files")
        equal({p: v for p, v in after.items() if p.is_file()}, {p: v for p, v in files.items() if p.is_file()}, "sizes and times")


def what_is_wrong_with_a_folder_is_named():
    with Server() as s:
        s.upload(csv_table(9000))
        s.train(softmax())
        s.terminate()
        victim = next(pathlib.Path(s.data, "objects").iterdir())
        victim.write_bytes(victim.read_bytes()[:-1] + b"x")
        out = _check(s.data, 65)
        want(f"problem: objects/{victim.name}: has the content of" in out, out)
        victim.unlink()
        out = _check(s.data, 65)
        want(f"problem: objects/{victim.name}: is missing" in out and out.endswith("1 problems\n"), out)


@rows(("check", "check"), ("backup", "backup"))
def a_command_without_a_folder_explains_itself(command):
    status, _, err = run_program(command)
    equal(status, 64, "exit status")
    want("--data is missing" in err, err)
    status, _, err = run_program(command, "--data", "/nowhere/at/all", *(["--to", "/nowhere/else"] if command == "backup" else []))
    equal(status, 73, "exit status")
    want("/nowhere/at/all" in err, err)


def a_backup_of_a_running_server_is_whole_and_goes_on_to_the_same_bits():
    with Server(["--threads", "2"]) as s:
        done = s.train(softmax())
        jobs = [s.job(_long(seed)) for seed in (1, 2, 3)]
        s.wait_until(jobs[0], lambda j: j["status"] == "running" and j["step"] > 0)
        copies = []
        for i in range(3):
            table = s.upload(csv_table(9000, seed=i))["id"]
            copy = f"{s.folder}/copy-{i}"
            status, out, err = run_program("backup", "--data", s.data, "--to", copy)
            equal(status, 0, f"exit status; {err}")
            want("from a server that runs" in out, out)
            _check(copy)
            copies.append((copy, table))
        status, _, err = run_program("backup", "--data", s.data, "--to", copies[0][0])
        equal(status, 73, "exit status for a folder that is not empty")
        want("is not empty" in err, err)
        digests = [s.wait(job, seconds=120)["digest"] for job in jobs]
        with Server(["--threads", "1"], start=False) as other:
            for copy, table in copies:
                shutil.rmtree(other.data, ignore_errors=True)
                shutil.copytree(copy, other.data)
                other.start()
                equal(other.get(f"/v1/jobs/{done['id']}")["digest"], done["digest"], "a finished job's digest")
                want(table in [d["id"] for d in other.get("/v1/datasets?limit=100")["data"]], "the latest data set")
                equal([other.wait(job, seconds=120)["digest"] for job in jobs], digests, "digests of the jobs that went on")
                other.stop()
                _check(other.data)
