"""lbfgs and newton_cg: the optimum of convex problems in float64, the same bits whatever happens, and what they refuse."""
import math
import random
import time

from harness import PATIENCE, TERMINAL, THOROUGH, Server, equal, near, rows, side_by_side, want
from job_states import check_events
from material import BLOBS, DATA, golden, mlp, softmax, tiny_images

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests

SOLVERS = ("lbfgs", "newton_cg")
THREADS = (1, 2, 4) if THOROUGH else (1, 4)
PROBLEMS = golden("convex_softmax.json")


def _csv(server, problem):
    """The problem's table: iris as it is, the digits divided by 16."""
    name = problem["problem"].split()[0] if "iris" in problem["problem"] else "digits"
    head, *lines = (DATA / f"{name}.csv").read_text(encoding="utf-8").split()
    table = [line.split(",") for line in lines]
    if name == "digits":
        table = [[*(str(float(v) / 16) for v in row[:-1]), row[-1]] for row in table]
    text = "\n".join([head, *(",".join(row) for row in table)])
    return server.ok("POST", f"/v1/datasets?name={name}", text, {"Content-Type": "text/csv"})["id"]


def _spec(data, solver, lam=0.01, **changes):
    return {"dataset": data, "model": {"type": "softmax_regression"}, "preprocessing": "none", "optimizer": {"type": solver},
            "loss": {"type": "cross_entropy", "l2": lam}, **changes}


@rows(*((f"{solver}, {p['problem']}, {p['lam']}", solver, p) for solver in SOLVERS for p in PROBLEMS))
def the_optimum_is_reached_within_1e_9(server, solver, problem):
    job = server.train(_spec(_csv(server, problem), solver, problem["lam"]), seconds=120)
    train = server.results(job["id"])["splits"]["train"]
    equal(job["stop_reason"], "gradient_norm", "stop reason")
    want(job["latest"]["gradient_norm"] <= 1e-8, f"gradient {job['latest']['gradient_norm']}")
    near(train["objective"], problem["F_star"], 1e-9, "objective")
    near(train["loss"], problem["mean_ce_at_optimum"], 1e-6, "loss")
    near(train["accuracy"], problem["train_accuracy"], 1e-12, "accuracy")


def the_curves_tell_of_each_iteration(server):
    for solver in SOLVERS:
        job = server.train(_spec(BLOBS, solver, split={"validation": 0.2}))
        curve = server.get(f"/v1/jobs/{job['id']}/metrics?downsample=none&names=batch_loss,train_loss,validation_loss,learning_rate,gradient_norm,step_size")
        points = [dict(zip(curve["columns"], row)) for row in curve["data"]]
        equal([p["step"] for p in points], list(range(1, job["step"] + 1)), "steps")
        near(points[0]["batch_loss"], math.log(3), 1e-12, "first loss")
        for p in points:
            want(all(p[k] is not None for k in curve["columns"]), f"a value is missing: {p}")
            want(p["learning_rate"] > 0 and p["step_size"] > 0 and p["gradient_norm"] > 1e-8, f"a step that is none: {p}")
        want(points[-1]["batch_loss"] < points[0]["batch_loss"], "no progress")


def the_model_is_the_optimum_too(server):
    """Scored by itself, in float32, the exported model has what the results say."""
    data = _csv(server, PROBLEMS[1])
    job = server.train(_spec(data, "newton_cg"))
    scores = server.ok("POST", f"/v1/models/{job['model']}/evaluate", {"dataset": data})
    near(scores["loss"], server.results(job["id"])["splits"]["train"]["loss"], 1e-6, "loss")


@rows(
    ("an mlp", {"model": {"type": "mlp", "hidden": [4]}}, "/optimizer/type"),
    ("two dense layers", {"model": {"type": "layers", "layers": [{"type": "dense", "units": 3}, {"type": "dense"}]}}, "/optimizer/type"),
    ("dropout before the dense layer", {"model": {"type": "layers", "layers": [{"type": "dropout", "rate": 0.5}, {"type": "dense"}]}}, "/optimizer/type"),
    ("minibatches", {"training": {"batch_size": 32}}, "/training/batch_size"),
    ("clipping", {"training": {"clip_norm": 1}}, "/training/clip_norm"),
    ("a schedule", {"schedule": {"type": "cosine"}}, "/schedule/type"),
)
def what_a_solver_cannot_do_is_refused(server, changes, pointer):
    for solver in SOLVERS:
        server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", _spec(BLOBS, solver, **changes), pointer=pointer)
    server.refuse(422, "unknown_field", "POST", "/v1/jobs", _spec(BLOBS, "lbfgs", optimizer={"type": "lbfgs", "learning_rate": 1}),
                  pointer="/optimizer/learning_rate")


def images_in_a_row_before_one_dense_layer_are_convex(server):
    """[flatten, dense] is softmax_regression on the same pixels; what has more in it is not."""
    data = server.upload_idx(*tiny_images(), "stripes")
    for solver in SOLVERS:
        plain = server.train(_spec(data, solver, preprocessing="scale_255"))
        flat = server.train(_spec(data, solver, preprocessing="scale_255", model={"type": "layers", "layers": [{"type": "flatten"}, {"type": "dense"}]}))
        objectives = [server.results(job["id"])["splits"]["train"]["objective"] for job in (plain, flat)]
        equal((flat["stop_reason"], objectives[0]), ("gradient_norm", objectives[1]), solver)
        for layers in ([{"type": "avg_pool2d", "size": 2}, {"type": "flatten"}, {"type": "dense"}],
                       [{"type": "flatten"}, {"type": "dense", "units": 3}, {"type": "dense"}]):
            answer = server.refuse(422, "conflicting_fields", "POST", "/v1/jobs",
                                   _spec(data, solver, model={"type": "layers", "layers": layers}), pointer="/optimizer/type")
            want("there is more in them than one dense layer" in str(answer), f"the reason: {answer}")


def the_algorithms_tell_formula_defaults_and_source(server):
    found = {o["type"]: o for o in server.get("/v1/algorithms")["optimizers"]}
    for solver, fields in (("lbfgs", {"history": 10, "tolerance": 1e-8}), ("newton_cg", {"tolerance": 1e-8})):
        equal({p["name"]: p["default"] for p in found[solver]["parameters"]}, fields, solver)
        want("Nocedal" in found[solver]["source"] and "<-" in found[solver]["formula"], f"{found[solver]}")


def classes_that_a_line_divides_end_without_an_optimum(server):
    for solver in SOLVERS:
        job = server.train(_spec({**BLOBS, "noise": 0.01}, solver, 0.0))
        train = server.results(job["id"])["splits"]["train"]
        equal((job["stop_reason"], train["accuracy"]), ("gradient_norm", 1.0), "end")
        want(0 < train["loss"] < 1e-6, f"loss {train['loss']}")


def a_tolerance_out_of_reach_ends_as_converged(server):
    job = server.train(_spec(BLOBS, "newton_cg", optimizer={"type": "newton_cg", "tolerance": 0}))
    equal(job["stop_reason"], "converged", "stop reason")
    want(job["latest"]["gradient_norm"] < 1e-12, f"gradient {job['latest']['gradient_norm']}")


# ---- the same bits, whatever happens ----


def _long(data, solver, threads):
    """A few seconds, with a validation split, checkpoints often."""
    return _spec(data, solver, 1e-2 if THOROUGH else 1e-1, resources={"threads": threads}, split={"validation": 0.1}, checkpoint={"every_steps": 2},
                 training={"epochs": 400, "seed": 5, "log_every_steps": 3})


def _left(server, job):
    view = server.wait(job, seconds=120 * PATIENCE)
    curve = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
    seconds = curve["columns"].index("seconds")
    events = [{k: v for k, v in e["data"].items() if k != "seconds"} for e in check_events(server, job) if e["type"] == "metric"]
    return {"digest": view["digest"], "stop_reason": view["stop_reason"], "splits": server.results(job)["splits"], "metric events": events,
            "curve": [[v for i, v in enumerate(row) if i != seconds] for row in curve["data"]]}


def _same(left, wanted, what):
    for part, value in left.items():
        equal(value, wanted[part], f"{part} of {what}")


def whatever_happens_changes_no_bit():
    """{1, 2, 4 threads} x {undisturbed, pause and resume, SIGTERM, kill -9} for each solver."""
    with Server(["--threads", "8"]) as s:
        data, draw = _csv(s, PROBLEMS[-1]), random.Random(3)
        whole = {solver: _left(s, s.job(_long(data, solver, 1))) for solver in SOLVERS}
        want(whole["lbfgs"]["digest"] != whole["newton_cg"]["digest"], "two solvers, two digests")

        def submit(threads=THREADS):
            return {(solver, t): s.job(_long(data, solver, t)) for solver in SOLVERS for t in threads}

        def check(jobs, what):
            side_by_side([lambda k=key, j=job: _same(_left(s, j), whole[k[0]], f"{k} {what}") for key, job in jobs.items()])

        check(submit(THREADS[1:]), "undisturbed")
        jobs, paused = submit(), 0
        for job in jobs.values():
            view = s.wait_until(job, lambda j: j["step"] >= 2 or j["status"] in TERMINAL)
            if s.call("POST", f"/v1/jobs/{job}/pause").status == 202:
                s.wait_until(job, lambda j: j["status"] in ("paused", *TERMINAL))
                paused += s.call("POST", f"/v1/jobs/{job}/resume").status == 202
        want(paused > 0, "no job was paused")
        check(jobs, "paused")
        for kill in (False, True):
            jobs = submit()
            for _ in range(4 if THOROUGH else 2):
                while not s.get("/v1/jobs?status=running")["data"] and s.get("/v1/jobs?status=queued")["data"]:
                    time.sleep(0.005)  # until somebody trains, or all have ended
                time.sleep(draw.uniform(0, 0.1))
                s.restart(kill=kill)
            check(jobs, "killed" if kill else "drained")
        want(sum(s.get(f"/v1/jobs/{job}")["restarts"] for job in jobs.values()) > 0, "no kill met a job")


def an_extension_gives_the_bits_of_one_long_run(server):
    for solver, first, more in (("lbfgs", 5, 7), ("newton_cg", 2, 1)):
        short, long = (_spec(BLOBS, solver, 1e-3, training={"epochs": epochs, "seed": 1}, optimizer={"type": solver, "tolerance": 0}) for epochs in (first, first + more))
        begun, whole = server.train(short), server.train(long)
        equal((begun["stop_reason"], whole["stop_reason"]), ("epochs", "epochs"), "ends")
        job = server.ok("POST", f"/v1/jobs/{begun['id']}/rerun", {"extend_epochs": more}, status=201)["id"]
        equal(server.wait(job)["digest"], whole["digest"], "digest")


def a_model_goes_on_elsewhere_and_a_solver_from_any_model(server):
    optimum = server.train(_spec(BLOBS, "newton_cg", preprocessing="standardize"))
    start = {"model": optimum["model"]}
    again = server.train(_spec(BLOBS, "lbfgs", preprocessing="standardize", init=start))
    want(again["step"] <= 12, f"{again['step']} steps from the optimum")
    near(server.results(again["id"])["splits"]["train"]["objective"], server.results(optimum["id"])["splits"]["train"]["objective"], 1e-9, "objective")
    onwards = server.train(softmax(BLOBS, init=start, optimizer={"type": "sgd", "learning_rate": 0.1}))
    want(onwards["status"] == "succeeded", "sgd goes on")
    server.refuse(422, "conflicting_fields", "POST", "/v1/jobs", mlp(BLOBS, optimizer={"type": "lbfgs"}), pointer="/optimizer/type")
