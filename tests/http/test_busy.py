"""More work than there may be at a time: some is done, the rest is refused at once, nothing waits."""
from harness import Server, equal, side_by_side, want
from material import idx, mlp

ROWS, SIDE = 4000, 16


def more_evaluations_than_half_of_the_threads_are_refused_at_once():
    with Server(["--http-threads", "2"]) as s:
        pixels = bytes((i * 7919 + i // 251) % 256 for i in range(ROWS * SIDE * SIDE))
        data = s.upload_idx(idx((ROWS, SIDE, SIDE), pixels), idx((ROWS,), bytes(i % 2 for i in range(ROWS))), "noise")
        model = s.train(mlp(data, (1024, 1024), training={"epochs": 1, "batch_size": 500}))["model"]
        answers = side_by_side([lambda: s.call("POST", f"/v1/models/{model}/evaluate", {"dataset": data})] * 8)
        refused = [a for a in answers if a.status == 503]
        equal({a.status for a in answers}, {200, 503}, "one at a time is done")
        for answer in refused:
            equal(answer.json["code"], "overloaded", "code")
            want(int(answer.headers["Retry-After"]) >= 1, "when to come again")
        equal(s.call("POST", f"/v1/models/{model}/evaluate", {"dataset": data}).status, 200, "afterwards there is room again")


def long_descents_take_turns_and_short_ones_do_not_wait_for_them():
    formula = {"f": "sin(x)*cos(y)" + "*exp(-x^2-y^2)" * 9, "starts": {"random": 40, "box": [[-1, 1], [-1, 1]], "seed": 1}, "steps": 40000, "path": False,
               "optimizers": [{"type": "sgd", "learning_rate": 1e-9}]}
    short = {"start": [-1.2, 1], "steps": 10, "optimizers": [{"type": "sgd", "learning_rate": 0.001}]}
    with Server(["--http-threads", "2"]) as s:
        answers = side_by_side([lambda: s.call("POST", "/v1/landscapes/descents", formula)] * 6
                               + [lambda: s.call("POST", "/v1/landscapes/rosenbrock/descents", short)] * 6)
        equal({a.status for a in answers[:6]}, {200, 503}, "one at a time is done")
        equal({a.status for a in answers[6:]}, {200}, "short ones are answered")
