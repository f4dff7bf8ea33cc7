"""{"extend_epochs": n}: training goes on from a job's last checkpoint, to the bits of one long run."""
from harness import THOROUGH, Server, equal, rows, want
from material import BLOBS, SPIRALS, mlp, softmax

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it


LONG = 200 if THOROUGH else 80  # epochs that no machine trains in the time a kill takes


def _training(epochs, **changes):
    return {"epochs": epochs, "batch_size": 32, "seed": 5, "log_every_steps": 4, **changes}


def _extend(server, job, epochs):
    return server.ok("POST", f"/v1/jobs/{job}/rerun", {"extend_epochs": epochs}, status=201)


def _points(server, job):
    curves = server.get(f"/v1/jobs/{job}/metrics?downsample=none&max_points=10000")
    seconds = curves["columns"].index("seconds")
    return [[v for i, v in enumerate(row) if i != seconds] for row in curves["data"]]


def _equal_to_one_run(server, short, long, epochs):
    """The extension of `short` ends as `long` does: parameters, results, curves."""
    first, whole = server.train(short), server.train(long)
    more = _extend(server, first["id"], epochs)
    equal(more["extended_from"], first["id"], "extended_from")
    view = server.wait(more["id"])
    equal((view["step"], view["stop_reason"], view["extended_from"]), (whole["step"], "epochs", first["id"]), "where it ended")
    a, b = (server.results(j)["digest"] for j in (view["id"], whole["id"]))
    equal(a, b, "digest")
    for part in ("splits", "best"):
        equal(server.results(view["id"]).get(part), server.results(whole["id"]).get(part), part)
    equal(_points(server, view["id"]), _points(server, whole["id"]), "curves")
    return view


SCHEDULES = {"constant": {"type": "constant"}, "constant with warm-up": {"type": "constant", "warmup_steps": 40},
             "step": {"type": "step", "every_epochs": 2, "factor": 0.5}, "step with warm-up": {"type": "step", "every_epochs": 3, "warmup_steps": 7}}


@rows(*((name, schedule) for name, schedule in SCHEDULES.items()))
def an_extension_gives_the_bits_of_one_long_run(server, schedule):
    spec = {"split": {"validation": 0.2}, "schedule": schedule, "optimizer": {"type": "adam", "learning_rate": 0.01}}
    spec["model"] = {"type": "mlp", "hidden": [16], "dropout": 0.2}
    short, long = ({**mlp(SPIRALS), **spec, "training": _training(epochs)} for epochs in (3, 8))
    _equal_to_one_run(server, short, long, 5)


@rows(*((t, t) for t in ("sgd", "adagrad", "rmsprop", "adam", "adamw")))
def every_optimizers_state_goes_on(server, optimizer):
    short, long = (softmax(optimizer={"type": optimizer, "learning_rate": 0.01}, training=_training(e)) for e in (2, 4))
    _equal_to_one_run(server, short, long, 2)


def an_extension_is_extended_again(server):
    short, long = (softmax(training=_training(e)) for e in (2, 7))
    middle = _equal_to_one_run(server, short, softmax(training=_training(4)), 2)
    end = server.wait(_extend(server, middle["id"], 3)["id"])
    equal(server.results(end["id"])["digest"], server.results(server.train(long)["id"])["digest"], "digest")


def evaluations_on_their_own_grid_go_on(server):
    # 300 rows, 10 steps an epoch: the short run's end is one of every 5.
    short, long = (softmax(split={"validation": 0.0}, training=_training(e, eval_every=5)) for e in (2, 5))
    _equal_to_one_run(server, short, long, 3)


def an_extension_keeps_early_stopping(server):
    early = {"early": {"metric": "train_loss", "patience": 50}}
    short, long = (softmax(stop=early, training=_training(e)) for e in (2, 6))
    _equal_to_one_run(server, short, long, 4)


def an_extended_job_run_again_trains_from_the_start(server):
    first = server.train(softmax(training=_training(2)))["id"]
    more = server.wait(_extend(server, first, 2)["id"])["id"]
    again = server.wait(server.ok("POST", f"/v1/jobs/{more}/rerun", None, status=201)["id"])
    equal(again["extended_from"], None, "extended_from")
    equal(server.results(again["id"])["digest"], server.results(more)["digest"], "digest")


def a_deleted_job_leaves_its_extension():
    with Server() as s:
        first = s.train(softmax(training=_training(2)))["id"]
        more = s.wait(_extend(s, first, 2)["id"])["id"]
        points = _points(s, more)
        s.ok("DELETE", f"/v1/jobs/{first}", status=204)
        equal(_points(s, more), points, "its curves")
        s.refuse(410, "deleted", "POST", f"/v1/jobs/{first}/rerun", {"extend_epochs": 1})


def an_extension_outlives_a_kill():
    spec = {**mlp({**BLOBS, "n": 4000}, (32,)), "checkpoint": {"every_steps": 20}}
    with Server() as s:
        first = s.train({**spec, "training": _training(2)})["id"]
        more = _extend(s, first, LONG)["id"]
        s.wait_until(more, lambda j: j["step"] > 300)
        s.restart(kill=True)
        view = s.wait(more)
        want(view["restarts"] == 1, "it was interrupted")
        equal(s.results(more)["digest"], s.results(s.train({**spec, "training": _training(2 + LONG)})["id"])["digest"], "digest")
