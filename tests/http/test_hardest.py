"""The hardest rows of a job's splits."""
import math

from harness import Server, equal, near, rows, want
from material import SPIRALS, csv_table, endless, mlp, softmax

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests


def _path(job, query=""):
    return f"/v1/jobs/{job['id'] if isinstance(job, dict) else job}/hardest{query}"


def wrong_labels_come_first(server):
    lines = csv_table(300, seed=4).splitlines()
    wrong = (7, 100, 101)
    for row in wrong:
        cells = lines[1 + row].split(",")
        lines[1 + row] = ",".join(cells[:2] + ["pine" if cells[2] == "oak" else "oak"])
    data = server.ok("POST", "/v1/datasets", "\n".join(lines) + "\n", {"Content-Type": "text/csv"})["id"]
    job = server.train(softmax(data, training={"epochs": 20, "batch_size": 32, "seed": 1}))
    found = server.get(_path(job, "?split=train&k=3"))
    equal((found["object"], found["job"], found["model"], found["split"], found["dataset"], found["samples"]),
          ("hardest", job["id"], job["model"], "train", data, 300), "answer")
    equal(sorted(r["row"] for r in found["data"]), list(wrong), "the three that were turned")
    for row in found["data"]:
        equal({row["label"], row["predicted"]}, {"oak", "pine"}, "what it is and what it is taken for")
        equal(lines[1 + row["row"]].split(",")[2], row["label"], "label")
        near(row["probability"], math.exp(-row["loss"]), 1e-5, "probability of the true class")
        equal((row["top"][0]["label"], row["top"][0]["probability"]), (row["predicted"], row["predicted_probability"]), "top")


def losses_fall_and_their_mean_is_that_of_the_results(server):
    job = server.train(mlp({**SPIRALS, "n": 900}, split={"validation": 0.2, "test": 0.3}))
    results = server.results(job["id"])["splits"]
    seen = set()
    for split in ("train", "validation", "test"):
        found = server.get(_path(job, f"?split={split}&k=1000"))
        losses = [r["loss"] for r in found["data"]]
        equal(losses, sorted(losses, reverse=True), "order")
        equal((len(losses), found["samples"]), (results[split]["samples"],) * 2, "rows")
        near(sum(losses) / len(losses), results[split]["loss"], 1e-12, "mean loss")
        equal(found["dataset"], None, "a generated data set has no id")
        seen |= {r["row"] for r in found["data"]}
        few = server.get(_path(job, f"?split={split}&k=5"))
        equal([r["row"] for r in few["data"]], [r["row"] for r in found["data"][:5]], "the first five")
    equal(seen, set(range(900)), "every row is in one split")
    equal(server.get(_path(job))["split"], "test", "split by default")
    equal(len(server.get(_path(job))["data"]), 20, "k by default")


def rows_of_a_test_set_are_numbered_as_there(server):
    data = server.ok("POST", "/v1/datasets", csv_table(100, seed=8), {"Content-Type": "text/csv"})["id"]
    other = server.ok("POST", "/v1/datasets", csv_table(60, seed=9, classes=("pine", "oak")), {"Content-Type": "text/csv"})["id"]
    job = server.train(softmax(data, test={"dataset": other}))
    found = server.get(_path(job, "?k=100"))
    equal((found["split"], found["dataset"], len(found["data"])), ("test", other, 60), "answer")
    table = server.get(f"/v1/datasets/{other}/rows?limit=100")["data"]
    for row in found["data"]:
        equal(row["label"], table[row["row"]]["label"], "label, in the model's numbering")


def without_a_test_split_the_next_best_is_looked_at(server):
    equal(server.get(_path(server.train(softmax(split={"validation": 0.2}))))["split"], "validation", "split")
    equal(server.get(_path(server.train(softmax())))["split"], "train", "split")


def soft_labels_count_with_their_most_probable_class(server):
    soft = {"x": [[0.0], [1.0], [2.0], [3.0]], "y": [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]}
    job = server.train(softmax(soft, training={"epochs": 3, "batch_size": "full"}))
    found = {r["row"]: r for r in server.get(_path(job))["data"]}
    equal([found[i]["label"] for i in range(4)], ["0", "0", "1", "1"], "labels")
    for row in found.values():
        target, p = soft["y"][row["row"]], {t["label"]: t["probability"] for t in row["top"]}
        near(row["loss"], -sum(u * math.log(p[str(c)]) for c, u in enumerate(target)), 1e-5, "cross-entropy")


@rows(("k 0", "?k=0"), ("k too large", "?k=1001"), ("k no number", "?k=ten"), ("split unknown", "?split=all"), ("split empty", "?split="))
def bad_queries_are_refused(server, query):
    server.refuse(400, "query_invalid", "GET", _path("job_aaaaaaaaaaaaaaaaaaaa", query))


def unknown_parameters_are_refused(server):
    server.refuse(400, "query_unknown", "GET", _path("job_aaaaaaaaaaaaaaaaaaaa", "?n=3"))


def a_split_that_the_job_has_not_got_is_refused(server):
    job = server.train(softmax(split={"validation": 0.2}))
    server.refuse(422, "split_empty", "GET", _path(job, "?split=test"))
    server.refuse(422, "split_empty", "GET", _path(server.train(softmax()), "?split=validation"))


def jobs_without_a_model_are_refused():
    with Server() as server:
        job = server.job(endless())
        server.refuse(409, "model_not_ready", "GET", _path(job))
        server.ok("POST", f"/v1/jobs/{job}/cancel")
        server.wait(job, "cancelled")
        server.refuse(409, "model_not_ready", "GET", _path(job))
        server.ok("DELETE", f"/v1/jobs/{job}", status=204)
        server.refuse(410, "deleted", "GET", _path(job))
        server.refuse(404, "not_found", "GET", _path("job_aaaaaaaaaaaaaaaaaaaa"))


def what_was_deleted_is_gone(server):
    data = server.ok("POST", "/v1/datasets", csv_table(90, seed=31), {"Content-Type": "text/csv"})["id"]
    jobs = [server.train(softmax(data)) for _ in range(2)]
    server.ok("DELETE", f"/v1/models/{jobs[0]['model']}", status=204)
    server.refuse(410, "deleted", "GET", _path(jobs[0]))
    server.get(_path(jobs[1]))
    server.ok("DELETE", f"/v1/datasets/{data}", status=204)
    server.refuse(410, "deleted", "GET", _path(jobs[1]))


def the_model_that_it_began_with_may_be_gone(server):
    first = server.train(softmax())
    job = server.train(softmax(init={"model": first["model"]}))
    server.ok("DELETE", f"/v1/models/{first['model']}", status=204)
    equal(len(server.get(_path(job, "?k=7"))["data"]), 7, "rows")
