"""The program itself: options, signals, exit statuses, logs, its environment."""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile
import time

from harness import BINARY, MODE, PATIENCE, ROOT, Server, Skip, equal, rows, run_program, want
from material import BLOBS, endless, mlp, softmax


def help_names_every_option_and_its_variable():
    status, out, _ = run_program("--help")
    equal(status, 0, "exit status")
    for option in ("listen", "data", "threads", "data-root", "memory", "kernel-tier", "log-format", "token-file", "tls-cert", "tls-key", "insecure-http"):
        want(f"--{option}" in out, f"--{option}")
        want("DESCENTD_" + option.upper().replace("-", "_") in out, f"the variable of --{option}")
    want("token new" in out, "token new")


@rows(("server", "--help"), ("token", "token", "--help"), ("check", "check", "--help"), ("backup", "backup", "--help"))
def the_documentation_shows_the_help(*arguments):
    """docs/operation.md has it word for word, so an option cannot be forgotten there."""
    _, out, _ = run_program(*arguments)
    want("```text\n" + out + "```\n" in (ROOT / "docs/operation.md").read_text(), f"docs/operation.md does not show descentd {' '.join(arguments)}:\n{out}")


def version_is_that_of_the_file():
    status, out, _ = run_program("--version")
    want(status == 0 and (ROOT / "VERSION").read_text().strip() in out, f"{status} {out}")


@rows(("unknown", ["--listne", "x"], 64, "--listen"), ("no value", ["--threads"], 64, "threads"), ("no number", ["--threads", "many"], 64, "threads"), ("too many", ["--threads", "100000"], 64, "threads"),
      ("unknown choice", ["--log-format", "xml"], 64, "text"), ("stray word", ["hello"], 64, "hello"), ("bad address", ["--listen", "nowhere"], 78, "nowhere"),
      ("bad size", ["--memory", "4X"], 64, "memory"), ("unknown tier", ["--kernel-tier", "abacus"], 78, "abacus"), ("host with a port", ["--allow-host", "a.example:80"], 78, "a.example:80"))
def a_wrong_command_line_is_explained(options, exit_status, says):
    with tempfile.TemporaryDirectory() as folder:
        status, _, err = run_program("--listen", "127.0.0.1:0", "--data", folder + "/d", *options)
        equal(status, exit_status, "exit status")
        want(says in err, f"the reason: {err}")


def an_option_can_come_from_the_environment():
    with Server(env={"DESCENTD_MEMORY": "64M", "DESCENTD_LOG_FORMAT": "json"}) as s:
        want(str(64 << 20) in json.dumps(s.get("/v1")), "the memory budget")
        for line in s.log_text().splitlines():
            json.loads(line)


def a_bad_variable_is_named():
    with tempfile.TemporaryDirectory() as folder:
        status, _, err = run_program("--data", folder + "/d", "--listen", "127.0.0.1:0", env={"DESCENTD_THREADS": "lots"})
        want(status != 0 and "DESCENTD_THREADS" in err, f"{status} {err}")


@rows(("text", "text"), ("json", "json"))
def a_log_line_is_one_event_with_its_id(form):
    with Server(["--log-format", form]) as s:
        job = s.train(softmax())
        request = s.call("GET", "/v1").headers["X-Request-Id"]
        time.sleep(0.1)
        lines = s.log_text().splitlines()
        want(any(request in line for line in lines), "a line with the request's id")
        want(any(job["id"] in line for line in lines), "a line with the job's id")
        if form == "json":
            for line in lines:
                want(isinstance(json.loads(line), dict), line)
            states = [line["message"] for line in map(json.loads, lines) if line.get("id") == job["id"]]
            equal(states, ["queued", "running", "succeeded"], "what the log says of the job")


def a_request_cannot_write_its_own_log_line():
    with Server() as s:
        s.raw(b"GET /v1/%0afake HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: a\x1b[31m\r\nConnection: close\r\n\r\n", seconds=3)
        want(not any(line.startswith("fake") for line in s.log_text().splitlines()) and "\x1b" not in s.log_text(), "the log")


def sigterm_ends_an_idle_server_at_once():
    with Server() as s:
        start = time.monotonic()
        equal(s.terminate(), 0, "exit status")
        want(time.monotonic() - start < 2 * PATIENCE, f"it took {time.monotonic() - start:.1f} s")


def sigterm_ends_a_busy_server_and_nothing_is_lost():
    with Server() as s:
        job = s.job(endless())
        s.wait_until(job, lambda j: j["step"] > 0)
        start = time.monotonic()
        equal(s.terminate(), 0, "exit status")
        want(time.monotonic() - start < 10 * PATIENCE, f"it took {time.monotonic() - start:.1f} s")
        s.start()
        view = s.wait_until(job, lambda j: j["status"] == "running")
        want(view["status"] == "running", view["status"])
        s.ok("POST", f"/v1/jobs/{job}/cancel")
        s.wait(job, "cancelled")


def _in_a_long_step(s):
    """A job on its first step, which takes longer than a server may take to end."""
    job = s.job(mlp({**BLOBS, "n": 100000}, (2048, 2048), training={"epochs": 1000, "batch_size": "full"}))
    s.wait_until(job, lambda j: j["status"] == "running")
    return job


def sigterm_does_not_wait_for_a_step_without_end():
    with Server() as s:
        job = _in_a_long_step(s)
        start = time.monotonic()
        equal(s.terminate(), 0, "exit status")
        want(time.monotonic() - start < 12 * PATIENCE, f"it took {time.monotonic() - start:.1f} s")
        want("in the middle of a long step" in s.log_text(), "the log")
        s.start()
        equal(s.wait_until(job, lambda j: j["status"] == "running")["restarts"], 1, "restarts")
        s.kill()


def sigint_ends_it_too_and_a_closed_pipe_does_not():
    with Server() as s:
        s.process.send_signal(signal.SIGPIPE)
        s.get("/v1")
        s.process.send_signal(signal.SIGINT)
        equal(s.process.wait(20 * PATIENCE), 0, "exit status")


def a_second_sigterm_ends_it_at_once_and_loses_nothing():
    with Server() as s:
        job = s.train(softmax())
        _in_a_long_step(s)  # holds up the end
        s.process.send_signal(signal.SIGTERM)
        s.wait_for_log("SIGTERM: draining")
        time.sleep(0.05 * PATIENCE)
        s.process.send_signal(signal.SIGTERM)
        equal(s.process.wait(20 * PATIENCE), 1, "exit status")
        want("middle of a long step" not in s.log_text(), "it waited for the job")
        s.start()
        equal(s.get(f"/v1/jobs/{job['id']}")["status"], "succeeded", "the job after the restart")
        s.kill()


@rows(("aborted", signal.SIGABRT), ("fault", signal.SIGSEGV))
def a_fatal_signal_is_the_last_line_of_the_log(number):
    if number != signal.SIGABRT and MODE in ("asan", "tsan"):
        raise Skip("the sanitizer reports this signal itself")
    with Server(["--log-format", "json"]) as s:
        s.process.send_signal(number)
        equal(s.process.wait(20 * PATIENCE), -number, "exit status")
        equal(json.loads(s.log_text().splitlines()[-1])["message"], f"the process ends by {number.name}", "the last line")
        s.start()
        s.train(softmax())


def sigterm_answers_those_who_wait():
    import threading

    with Server() as s:
        job = s.job(endless())
        answers = []
        waiter = threading.Thread(target=lambda: answers.append(s.call("GET", f"/v1/jobs/{job}?wait=60&until=terminal").status))
        waiter.start()
        time.sleep(0.5 * PATIENCE)
        equal(s.terminate(), 0, "exit status")
        waiter.join(20 * PATIENCE)
        equal(answers, [200], "the long poll")


def a_comma_locale_changes_nothing():
    spec = mlp(optimizer={"type": "adam", "learning_rate": 0.015})
    with Server() as plain, Server(env={"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}) as german:
        equal(german.digest(spec), plain.digest(spec), "digest")
        body = "a,b,kind\n1.5,2.25,x\n3.5,4.75,y\n"
        csv = {"Content-Type": "text/csv"}
        equal(german.ok("POST", "/v1/datasets", body, csv)["sha256"], plain.ok("POST", "/v1/datasets", body, csv)["sha256"], "data set")
        want(re.search(r"\d,\d\d", german.call("GET", "/v1/jobs?limit=1").text.replace('","', "")) is None, "a decimal comma")


def the_environment_of_the_kernels_changes_no_bits():
    spec = mlp(optimizer={"type": "adam", "learning_rate": 0.015})
    with Server() as plain, Server(env={"DNNL_MAX_CPU_ISA": "SSE41", "ONEDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "3"}) as odd:
        equal(odd.digest(spec), plain.digest(spec), "digest")


def a_second_address_in_use_is_a_clear_error():
    with Server() as s, tempfile.TemporaryDirectory() as folder:
        status, _, err = run_program("--listen", f"127.0.0.1:{s.port}", "--data", folder + "/d")
        want(status != 0 and "another program listens" in err, f"{status} {err}")
        want(not os.path.exists(folder + "/d/descentd.db"), "it touched the data folder first")


def a_data_folder_that_cannot_be_is_a_clear_error():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file").write_text("x")
        status, _, err = run_program("--listen", "127.0.0.1:0", "--data", folder + "/file")
        equal(status, 73, f"exit status: {err}")
        want("/file: it is no folder" in err, err)
        status, _, err = run_program("--listen", "127.0.0.1:0", "--data", folder + "/missing/data")
        want(status == 73 and "the folder that it belongs in is missing" in err, f"{status} {err}")
        os.symlink(folder, folder + "/link")
        status, _, err = run_program("--listen", "127.0.0.1:0", "--data", folder + "/link")
        want(status == 73 and "a symbolic link" in err, f"{status} {err}")


def a_data_folder_that_another_server_has_open_is_a_clear_error():
    with Server() as s:
        status, _, err = run_program("--listen", "127.0.0.1:0", "--data", s.data)
        want(status == 75 and "open in another server" in err, f"{status} {err}")
        s.get("/v1")


def a_data_root_that_is_missing_is_a_clear_error():
    with tempfile.TemporaryDirectory() as folder:
        status, _, err = run_program("--listen", "127.0.0.1:0", "--data", folder + "/data", "--data-root", folder + "/missing")
        want(status == 78 and "/missing: there is no such folder" in err, f"{status} {err}")


def closed_standard_streams_harm_nobody():
    with Server(start=False) as s:
        command = " ".join(s.command()) + " <&- >&- 2>&-"
        s.process = subprocess.Popen(["/bin/sh", "-c", "exec " + command])
        end = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < end:
            try:
                s.call("GET", "/readyz")
                break
            except OSError:
                time.sleep(0.05)
        s.train(softmax())


def a_small_stack_is_enough():
    with Server(start=False) as s:
        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        if MODE != "release":
            raise Skip("sanitizers need a larger stack")
        resource.setrlimit(resource.RLIMIT_STACK, (256 * 1024, hard))
        try:
            s.start()
        finally:
            resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
        s.train(mlp())


def an_idle_server_is_small():
    if MODE != "release":
        raise Skip("only a release is measured")
    with Server() as s:
        status = pathlib.Path(f"/proc/{s.process.pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024
        want(resident < 16, f"{resident:.1f} MB resident when idle")


def no_descriptor_leaks():
    with Server() as s:
        s.train(softmax())
        count = lambda: len(os.listdir(f"/proc/{s.process.pid}/fd"))
        time.sleep(0.3)
        before = count()
        for i in range(20):
            s.call("POST", "/v1/datasets", "a,b\n1\n", {"Content-Type": "text/csv"})
            s.raw(b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n\r\na,b", half_close=True, seconds=3)
            s.train(softmax(training={"epochs": 1, "seed": i}))
        time.sleep(1)
        want(count() <= before + 2, f"{before} descriptors before, {count()} after")


def it_runs_from_any_folder_with_any_umask():
    with Server(start=False) as s:
        s.options += []
        command = "umask 000; cd /; unset HOME; exec " + " ".join(s.command())
        s.process = subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < end:
            try:
                s.call("GET", "/readyz")
                break
            except OSError:
                time.sleep(0.05)
        s.train(softmax())
        for p in pathlib.Path(s.data).rglob("*"):
            equal(p.stat().st_mode & 0o077, 0, f"rights of others on {p.name}")
        want(BINARY in command, "program")


def a_server_for_users_has_no_failpoints():
    with Server(env={"DESCENTD_FAILPOINT": "boot.lock:1:kill"}) as s:
        s.get("/v1")
