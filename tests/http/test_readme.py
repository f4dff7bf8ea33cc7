"""README's lines work when they are pasted: each block of shell goes to bash as it stands, with other ports."""
import json
import pathlib
import re
import subprocess
import tempfile

from harness import BINARY, FASHION, PATIENCE, ROOT, THOROUGH, Server, Skip, equal, free_port, want
from pasting import blocks, paste, replace

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

BLOCKS = blocks((ROOT / "README.md").read_text())


def _block(mark):
    found = [b for b in BLOCKS if mark in b]
    equal(len(found), 1, f"blocks of README with {mark!r}")
    return found[0]


def the_five_lines_train_and_predict():
    with Server() as s, tempfile.TemporaryDirectory() as folder:
        out = paste(replace(_block("spirals"), ("127.0.0.1:8080", f"127.0.0.1:{s.port}")), folder)
        want("loss (nats)" in out and "accuracy" in out, f"a chart: {out}")
        accuracy = float(re.search(r"^([01](?:\.\d+)?)$", out, re.M).group(1))
        want(accuracy > 0.95, f"accuracy {accuracy}")
        predictions = [json.loads(line) for line in out.splitlines()[-2:]]
        for p in predictions:
            equal((len(p["probabilities"]), len(p["top"])), (3, 2), "classes")


def the_lines_for_real_data_work():
    if not FASHION.exists() or not THOROUGH:
        raise Skip("60,000 images, in a release only")
    with Server() as s, tempfile.TemporaryDirectory() as folder:
        lines = replace(_block("train-images-idx3-ubyte.gz"), ("127.0.0.1:8080", f"127.0.0.1:{s.port}"), ('"epochs": 10', '"epochs": 1'))
        paste(lines, folder)
        equal(json.loads(pathlib.Path(folder, "train.json").read_text())["rows"], 60000, "rows")
        equal(json.loads(pathlib.Path(folder, "job.json").read_text())["status"], "succeeded", "job")
        want("<svg" in pathlib.Path(folder, "curve.svg").read_text(), "a picture")
        want(b"F32" in pathlib.Path(folder, "model.safetensors").read_bytes()[:4096], "a model")


def the_lines_that_kill_the_server_end_with_equal_digests():
    if not THOROUGH:
        raise Skip("some ten seconds of training, in a release only")
    text = "".join(blocks((ROOT / "docs/durability.md").read_text()))
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "build/release").mkdir(parents=True)
        pathlib.Path(folder, "build/release/descentd").symlink_to(BINARY)
        lines = replace(text, ("kill -9 $server; wait; start; kill -9 $server; wait; start", "kill -9 $server; wait || true; start; kill -9 $server; wait || true; start"))
        first, job, second = paste(lines.replace("8090", str(free_port())), folder).split()
    equal((len(first), first), (64, second), "digests")
    equal(json.loads(job)["status"], "succeeded", "the job that was killed")
    want(json.loads(job)["restarts"] > 0, f"it was over before the kill: {job}")


def the_lines_for_another_host_work():
    """trainer.example is this machine, for curl."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        own = (("build/release/descentd", BINARY), ("8443", str(port)))
        *prepare, serve = replace(_block("token new --token-file tokens --scopes"), *own).strip().splitlines()
        token = re.search(r"dct_\S+", paste("\n".join(prepare), folder)).group(0)
        pathlib.Path(folder, ".curlrc").write_text(f"resolve = trainer.example:{port}:127.0.0.1\nretry-connrefused\nretry = 9\n")
        server = subprocess.Popen(["bash", "-c", "exec " + serve], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            job = json.loads(paste(replace(_block("https://trainer.example"), ("8443", str(port))), folder, TOKEN=token, CURL_HOME=folder))
            equal(job["object"], "job", "answer")
        finally:
            server.terminate()
            equal(server.wait(30 * PATIENCE), 0, "exit status")


def the_lines_of_the_container_are_those_of_compose():
    """There is no engine here: what can be held is that both places say the same."""
    said = [line.removeprefix("#").strip() for line in (ROOT / "docker/compose.yml").read_text().splitlines()]
    for line in _block("docker compose up").strip().splitlines():
        want(any(s.split("  #")[0].rstrip() == line for s in said), f"compose.yml does not say: {line}")


def every_file_that_the_documentation_names_is_there():
    named = 0
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text()
        links = [page.parent / link for link in re.findall(r"\]\((?!https?:)([^)#]+)", text)]
        paths = [ROOT / path for path in re.findall(r"(?:core|api|server|tests|scripts|docs|docker)/[\w/]*\w\.(?:c|h|def|inc|md|py|yml)\b", text)]
        for path in links + paths:
            want(path.exists(), f"{page.name} names {path}")
            named += 1
    want(named > 50, f"only {named} names were found")
