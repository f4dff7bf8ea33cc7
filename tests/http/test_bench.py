"""What the measurements rest on: bench/train does the server's work, at any number of threads."""
import json
import pathlib
import subprocess
import tempfile

from harness import BINARY, equal, includes, near
from material import tiny_images

MODES = ("release",)


def training_without_a_server_gives_the_servers_model(server):
    files = tiny_images(128, 8)
    spec = {"dataset": server.upload_idx(*files, "tiny"), "model": {"type": "cnn", "filters": [4], "hidden": [8], "batch_norm": True},
            "optimizer": {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": "lookahead"},
            "training": {"epochs": 2, "batch_size": 32, "seed": 5}}
    done = server.train(spec)
    curves = server.get(f"/v1/jobs/{done['id']}/metrics")
    loss = dict(zip(curves["columns"], curves["data"][-1]))["train_loss"]
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, name) for name in ("images", "labels")]
        for path, values in zip(paths, files):
            path.write_bytes(values)
        for threads in ("1", "2"):
            out = subprocess.run([pathlib.Path(BINARY).parent / "bench/train", *paths, threads], input=json.dumps(spec) + "\n", check=True,
                                 capture_output=True, text=True).stdout
            answer = json.loads(out)
            equal(answer["digest"], server.results(done["id"])["digest"]["parameters_sha256"], f"digest of {threads} threads")
            equal(answer["steps"], 8, "steps")
            near(answer["loss"], loss, 1e-6, "loss")


def ten_thousand_jobs_can_be_made_of_two():
    """What bench/run's `recovery` starts from: the columns of every table that a job has are copied."""
    out = subprocess.run([pathlib.Path(__file__).parents[1] / "crash/many_jobs", "--jobs", "250", BINARY], check=True, capture_output=True, text=True).stdout
    includes(out, "250 jobs (")
