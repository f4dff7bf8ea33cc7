"""Races: jobs that differ in one thing, made all together or not at all."""
import json
import threading

from harness import PATIENCE, Server, equal, includes, rows, side_by_side, want
from material import ONE_AT_A_TIME, endless, mlp, softmax

OPTIMIZERS = [{"type": "sgd", "learning_rate": 0.1}, {"name": "heavy", "type": "sgd", "momentum": 0.9}, {"type": "adam", "learning_rate": 0.01}]
TABLE = {"x": [[i % 7, i % 5, i % 3] for i in range(60)], "y": ["ab"[i % 2] for i in range(60)]}

LINE = {"x": [[i] for i in range(60)], "y": TABLE["y"]}


def _race(s, job, key=None, status=201, **entries):
    return s.ok("POST", "/v1/races", {"job": job, **entries}, {"Idempotency-Key": key} if key else None, status=status)


def _ids(race):
    return [job["id"] for job in race["jobs"]]


def _count(s):
    count, after = 0, ""
    while True:
        page = s.get("/v1/jobs?limit=100" + after)
        count += len(page["data"])
        if not page["has_more"]:
            return count
        after = "&after=" + page["last_id"]


def every_optimizer_starts_from_the_same_weights_on_the_same_batches(server):
    job = mlp(name="blobs", training={"epochs": 2, "batch_size": 32, "seed": 5, "log_every_steps": 1})
    race = _race(server, job, optimizers=OPTIMIZERS)
    equal((race["object"], [j["name"] for j in race["jobs"]]), ("race", ["blobs - sgd", "blobs - heavy", "blobs - adam"]), "the race")
    first, specs = [], []
    for i in _ids(race):
        server.wait(i)
        curves = server.get(f"/v1/jobs/{i}/metrics?names=batch_loss&downsample=none")
        first.append(curves["data"][0][-1])
        specs.append(server.get(f"/v1/jobs/{i}/spec"))
    equal(len(set(first)), 1, f"losses of the first minibatch: {first}")
    equal(len({json.dumps({k: v for k, v in s.items() if k not in ("optimizer", "name")}) for s in specs}), 1, "specs without optimizer and name")
    equal([(s["optimizer"]["type"], s["optimizer"].get("momentum")) for s in specs], [("sgd", 0), ("sgd", 0.9), ("adam", None)], "optimizers")


def the_jobs_are_those_that_come_of_posting_them_singly(server):
    job = mlp(training={"epochs": 2, "batch_size": 32, "seed": 6})
    race = _race(server, job, optimizers=OPTIMIZERS)
    for i, optimizer in zip(_ids(race), OPTIMIZERS):
        server.wait(i)
        alone = server.digest({**job, "optimizer": {k: v for k, v in optimizer.items() if k != "name"}})
        equal(server.results(i)["digest"]["parameters_sha256"], alone, f"digest of {optimizer}")


def variants_are_merge_patches(server):
    race = _race(server, softmax(name="seeds", split={"validation": 0.2}), variants=[{"training": {"seed": 1}}, {"training": {"seed": 2}, "split": None}, {"name": "large", "training": {"batch_size": 64}}])
    equal([j["name"] for j in race["jobs"]], ["seeds - seed 1", "seeds - seed 2 split none", "seeds - large"], "names")
    specs = [server.get(f"/v1/jobs/{i}/spec") for i in _ids(race)]
    equal([s["training"]["seed"] for s in specs], [1, 2, 1], "seeds")
    equal([s["training"]["batch_size"] for s in specs], [32, 32, 64], "batches")
    equal([s["split"]["validation"] for s in specs], [0.2, 0, 0.2], "validation")


def the_race_stands_in_the_jobs_metadata(server):
    race = _race(server, softmax(metadata={"team": "a"}), optimizers=OPTIMIZERS)
    listed = server.get(race["links"]["jobs"])["data"]
    equal({j["id"] for j in listed}, set(_ids(race)), "listed by links.jobs")
    equal([j["metadata"] for j in race["jobs"]], [{"team": "a", "race": race["id"]}] * 3, "metadata")


@rows(("full metadata", {f"k{i}": "v" for i in range(16)}), ("a race of the user's own", {"race": "mine"}))
def metadata_without_room_for_the_race_stays_as_it_is(server, metadata):
    race = _race(server, softmax(metadata=metadata), optimizers=OPTIMIZERS)
    equal([j["metadata"] for j in race["jobs"]], [metadata] * 3, "metadata")
    want("jobs" not in race["links"], "no list of them by metadata")


def names_that_are_not_given_tell_the_entries_apart(server):
    optimizers = [{"type": "adam", "learning_rate": r} for r in (0.1, 0.01, 0.01)] + [{}, {"momentum": 0.5}]
    equal([j["name"] for j in _race(server, softmax(), optimizers=optimizers)["jobs"]], ["adam 0.1", "adam 0.01", "adam 0.01 2", "sgd", "sgd 2"], "names")
    long = "n" * 60
    equal([j["name"] for j in _race(server, softmax(name=long), optimizers=[{}, {"type": "adam"}])["jobs"]], ["sgd", "adam"], "names without room for the job's")


def rows_that_come_along_are_stored_once(server):
    before = len(server.get("/v1/datasets?limit=100")["data"])
    job = softmax(TABLE, test={"dataset": {"x": TABLE["x"][:20], "y": TABLE["y"][:20]}})
    race = _race(server, job, optimizers=OPTIMIZERS)
    equal(len(server.get("/v1/datasets?limit=100")["data"]), before + 2, "data sets: one and the test set")
    equal(len({(j["links"]["dataset"], j["links"]["test_dataset"]) for j in race["jobs"]}), 1, "data sets of the jobs")
    for i in _ids(race):
        server.wait(i)
    equal(server.results(_ids(race)[0])["splits"]["test"]["samples"], 20, "test rows")
    again = _race(server, job, optimizers=OPTIMIZERS[:1])
    equal(again["jobs"][0]["links"]["dataset"], race["jobs"][0]["links"]["dataset"], "the same content again")
    equal(server.get(f"/v1/jobs/{_ids(again)[0]}/spec")["dataset"], race["jobs"][0]["links"]["dataset"].rpartition("/")[2], "in the spec")


def variants_may_have_rows_of_their_own(server):
    job = softmax(TABLE)
    race = _race(server, job, variants=[{"dataset": {"y": [i % 3 for i in range(60)]}}, {"training": {"seed": 9}}])
    kinds = [server.get(j["links"]["dataset"])["classes"] for j in race["jobs"]]
    equal([len(k) for k in kinds], [3, 2], "classes")


def all_errors_of_all_entries_come_at_once_with_their_places(server):
    before = _count(server)
    body = {"job": {**softmax(), "naem": "x"}, "optimizers": [{"type": "sgd", "learning_rate": -1}, {"type": "adma"}, {"type": "adam", "beta3": 1}]}
    problem = server.refuse(422, "validation_failed", "POST", "/v1/races", body)
    equal([(e["pointer"], e["code"]) for e in problem["errors"]],
          [("/job/naem", "unknown_field"), ("/optimizers/0/learning_rate", "out_of_range"), ("/optimizers/1/type", "unknown_value"), ("/optimizers/2/beta3", "unknown_field")], "errors")
    equal(_count(server), before, "jobs")


@rows(("no job", {"optimizers": [{}]}, "missing_field", "/job"), ("a job that is none", {"job": 1, "optimizers": [{}]}, "type_mismatch", "/job"),
      ("nothing to race", {"job": softmax()}, "missing_field", "/optimizers"), ("both", {"job": softmax(), "optimizers": [{}], "variants": [{}]}, "conflicting_fields", "/variants"),
      ("none", {"job": softmax(), "optimizers": []}, "out_of_range", "/optimizers"), ("65", {"job": softmax(), "variants": [{}] * 65}, "out_of_range", "/variants"),
      ("an entry that is none", {"job": softmax(), "optimizers": [{}, "adam"]}, "type_mismatch", "/optimizers/1"), ("no list", {"job": softmax(), "variants": {}}, "type_mismatch", "/variants"),
      ("a name twice", {"job": softmax(), "optimizers": [{"name": "a"}, {"name": "a", "type": "adam"}]}, "conflicting_fields", "/optimizers/1/name"),
      ("a name that is none", {"job": softmax(), "optimizers": [{"name": "a/b"}]}, "name_invalid", "/optimizers/0/name"), ("a typo", {"job": softmax(), "optimisers": [{}]}, "unknown_field", "/optimisers"),
      ("a name of the job that is none", {"job": softmax(name="a/b"), "variants": [{}, {"name": "q"}]}, "name_invalid", "/job/name"),
      ("a null for what there is not", {"job": softmax(), "variants": [{"optimizr": None}]}, "unknown_field", "/variants/0/optimizr"),
      ("a null in an optimizer", {"job": softmax(), "optimizers": [{"type": "sgd", "momentum": None}]}, "type_mismatch", "/optimizers/0/momentum"),
      ("what a variant makes wrong", {"job": softmax(), "variants": [{}, {"training": {"batch_size": 301}}]}, "batch_too_large", "/variants/1/training/batch_size"),
      ("what is wrong in the job", {"job": softmax(training={"batch_size": 301}), "variants": [{}, {"training": {"seed": 2}}]}, "batch_too_large", "/job/training/batch_size"),
      ("what a variant takes away", {"job": softmax(), "variants": [{"model": None}]}, "missing_field", "/variants/0/model"),
      ("rows that are wrong", {"job": softmax({"x": [[1], [2, 3]], "y": [0, 1]}), "optimizers": [{}]}, "feature_count_mismatch", "/job/dataset/x/1"))
def a_race_that_cannot_be_is_422_with_its_place(server, body, code, pointer):
    before = _count(server)
    server.refuse(422, code, "POST", "/v1/races", body, pointer=pointer)
    equal(_count(server), before, "jobs")


def a_data_set_that_is_not_there_is_404(server):
    before = _count(server)
    problem = server.refuse(404, "dataset_not_found", "POST", "/v1/races", {"job": softmax(), "variants": [{}, {"dataset": "ds_" + "0" * 20}]})
    includes(problem["detail"], "ds_" + "0" * 20)
    equal(_count(server), before, "jobs")


def what_several_entries_have_in_common_is_told_once(server):
    problem = server.refuse(422, "out_of_range", "POST", "/v1/races", {"job": softmax(training={"epochs": 0}), "optimizers": OPTIMIZERS})
    equal([e["pointer"] for e in problem["errors"]], ["/job/training/epochs"], "errors")


def a_trial_makes_nothing_and_tells_every_spec(server):
    before = _count(server), len(server.get("/v1/datasets?limit=100")["data"])
    trial = server.ok("POST", "/v1/races?validate_only=true", {"job": softmax(LINE, test={"dataset": LINE}), "optimizers": OPTIMIZERS}, status=200)
    equal((trial["object"], [j["spec"]["optimizer"]["type"] for j in trial["jobs"]]), ("race_estimate", ["sgd", "sgd", "adam"]), "the answer")
    want(all(j["estimate"]["total_steps"] == 6 for j in trial["jobs"]), "estimates")
    alone = server.ok("POST", "/v1/jobs?validate_only=true", softmax(LINE, test={"dataset": LINE}), status=200)["spec"]
    for shown in trial["jobs"]:
        equal((shown["spec"]["dataset"], shown["spec"]["test"]), (alone["dataset"], alone["test"]), "rows, as a single job's trial shows them")
    equal((_count(server), len(server.get("/v1/datasets?limit=100")["data"])), before, "jobs and data sets")


def the_queue_takes_all_of_them_or_none():
    with Server(["--max-queued-jobs", "2", *ONE_AT_A_TIME]) as s:
        running = s.job(endless())
        s.wait_until(running, lambda j: j["status"] == "running")
        three, two = ({"job": softmax(), "optimizers": OPTIMIZERS[:n]} for n in (3, 2))
        problem = s.refuse(503, "queue_full", "POST", "/v1/races", three)
        includes(problem["detail"], "not for 3")
        equal(_count(s), 1, "jobs")
        equal(len(s.ok("POST", "/v1/races", two, status=201)["jobs"]), 2, "the refused race has left its places free")
        problem = s.refuse(503, "queue_full", "POST", "/v1/races", two, {"Idempotency-Key": "later"})
        want(int(problem.headers["Retry-After"]) >= 1, "Retry-After")
        equal(_count(s), 3, "jobs")
        for job in s.get("/v1/jobs?status=queued")["data"]:
            s.ok("POST", f"/v1/jobs/{job['id']}/cancel")
            s.wait(job["id"], "cancelled")
        again = s.call("POST", "/v1/races", two, {"Idempotency-Key": "later"})
        equal((again.status, "Idempotent-Replayed" in again.headers), (201, False), "the refused request left its key unused")


def a_key_makes_one_race_and_gets_the_first_answer_again(server):
    before = _count(server)
    body = {"job": softmax(), "optimizers": OPTIMIZERS}
    first, again = (server.call("POST", "/v1/races", body, {"Idempotency-Key": "race-1"}) for _ in range(2))
    equal((first.status, again.status, again.body), (201, 201, first.body), "answers")
    equal(again.headers["Idempotent-Replayed"], "true", "Idempotent-Replayed")
    want("Location" not in first.headers and "Location" not in again.headers, "a race is no resource")
    equal(_count(server), before + 3, "jobs")
    server.refuse(422, "idempotency_key_reused", "POST", "/v1/races", {"job": softmax(), "optimizers": OPTIMIZERS[:2]}, {"Idempotency-Key": "race-1"})
    server.refuse(422, "idempotency_key_reused", "POST", "/v1/jobs", softmax(), {"Idempotency-Key": "race-1"})


def two_clients_with_one_key_make_one_race():
    with Server() as s:
        start = threading.Barrier(20)

        def post():
            start.wait()
            return s.call("POST", "/v1/races", {"job": softmax(TABLE), "optimizers": OPTIMIZERS}, {"Idempotency-Key": "k"})

        answers = side_by_side([post] * 20)
        equal(len({a.body for a in answers if a.status == 201}), 1, "answers with jobs")
        want(all(a.status == 201 or a.json["code"] == "idempotency_in_progress" for a in answers), "the others")
        equal(_count(s), 3, "jobs")


def two_clients_at_once_make_two_races(server):
    before = _count(server)
    races = side_by_side([lambda: _race(server, softmax(TABLE), optimizers=OPTIMIZERS)] * 2)
    equal(len({i for race in races for i in _ids(race)}), 6, "different jobs")
    equal(len({race["id"] for race in races}), 2, "different races")
    equal(_count(server), before + 6, "jobs")


def after_the_answer_all_jobs_are_there_whatever_happens():
    with Server() as s:
        race = _race(s, mlp(TABLE, training={"epochs": 5, "batch_size": 16, "seed": 3}), key="durable", variants=[{"training": {"seed": i}} for i in range(20)])
        s.kill()
        s.start()
        equal({j["id"] for j in s.get("/v1/jobs?limit=100")["data"]}, set(_ids(race)), "jobs")
        for i in _ids(race):
            s.wait(i)
        again = s.call("POST", "/v1/races", {"job": mlp(TABLE, training={"epochs": 5, "batch_size": 16, "seed": 3}), "variants": [{"training": {"seed": i}} for i in range(20)]},
                       {"Idempotency-Key": "durable"})
        equal(_ids(again.json), _ids(race), "the first answer, after the restart")


def a_kill_in_the_middle_leaves_all_or_none():
    with Server() as s:
        body = json.dumps({"job": softmax(TABLE), "variants": [{"training": {"seed": i}} for i in range(32)]})
        for delay in (0.0, 0.002, 0.005, 0.01, 0.02):
            before = _count(s)
            threading.Timer(delay * PATIENCE, s.process.kill).start()
            try:
                s.call("POST", "/v1/races", body, {"Content-Type": "application/json"})
            except OSError:
                pass
            except Exception as e:  # the connection ended in the middle of an answer
                want("http.client" in type(e).__module__, repr(e))
            s.process.wait()
            s.start()
            want(_count(s) % 32 == 0, f"{_count(s)} jobs after {before}")


def a_job_of_a_race_can_be_run_again(server):
    race = _race(server, softmax(TABLE, name="t"), optimizers=OPTIMIZERS)
    one = _ids(race)[2]
    server.wait(one)
    again = server.ok("POST", f"/v1/jobs/{one}/rerun", status=201)
    server.wait(again["id"])
    equal(server.results(again["id"])["digest"], server.results(one)["digest"], "digest")
