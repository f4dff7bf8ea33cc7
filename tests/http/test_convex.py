"""lbfgs and newton_cg: the optimum of convex problems in float64, the same bits whatever happens, and what they refuse."""
import math

from harness import equal, near, rows, want
from material import BLOBS, DATA, golden, mlp, softmax

SOLVERS = ("lbfgs", "newton_cg")
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
