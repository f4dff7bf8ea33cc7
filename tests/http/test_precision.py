"""Jobs of another precision: bfloat16 products. Tier "reference" has them everywhere, "baseline" nowhere."""
from harness import THOROUGH, Server, equal, includes, near, rows, want
from material import BLOBS, SPIRALS, mlp, softmax, tiny_images

MODES = ("release", "debug", "asan")  # one request, one thread: nothing for ThreadSanitizer, and its teams have unit tests
REFERENCE, BASELINE = ["--kernel-tier", "reference"], ["--kernel-tier", "baseline"]
# Widths that are no multiple of anything, a short last batch.
TRAINING = {"epochs": 12, "batch_size": 48, "seed": 11}
THREADS = (1, 2, 3, 7) if THOROUGH else (1, 2)


def _bf16(dataset=None, hidden=(100, 20), **changes):
    return mlp(dataset or SPIRALS, hidden, **{"precision": "bf16", "training": TRAINING, **changes})


def _refused(server, spec, *words):
    problem = server.refuse(422, "not_supported", "POST", "/v1/jobs", spec, pointer="/precision")
    for word in words:
        want(word in problem["errors"][0]["detail"], f"{word!r} in {problem['errors'][0]['detail']}")


def a_tier_without_such_instructions_refuses():
    with Server(BASELINE) as s:
        equal(list(s.get("/v1")["kernel_tiers"]), ["f32"], "precisions")
        _refused(s, _bf16(), "AMX", "AVX-512 BF16", "baseline", '"f32"')
        _refused(s, _bf16(expect={"kernel_tier": "another"}), "AMX")
        s.refuse(422, "not_supported", "POST", "/v1/jobs?validate_only=true", _bf16(), pointer="/precision")
        s.train(_bf16(precision="f32"))


def what_this_server_can_is_what_it_does(server):
    tiers = server.get("/v1")["kernel_tiers"]
    equal(tiers["f32"], server.get("/v1")["kernel_tier"], "float32's tier")
    if "bf16" in tiers:
        want(tiers["bf16"].startswith(tiers["f32"] + "/bf16-"), tiers)
        equal(len({server.digest(_bf16(resources={"threads": t})) for t in THREADS}), 1, "digests")
    else:
        _refused(server, _bf16(), '"f32"')


def the_model_and_the_spec_name_it():
    with Server(REFERENCE) as s:
        job = s.train(_bf16())
        spec, tiers = s.get(f"/v1/jobs/{job['id']}/spec"), s.get("/v1")["kernel_tiers"]
        equal((spec["precision"], spec["expect"]["kernel_tier"]), ("bf16", tiers["bf16"]), "the resolved spec")
        equal(s.get(f"/v1/models/{job['model']}")["kernel_tier"], tiers["bf16"], "the model's kernel tier")
        equal(s.train(spec)["digest"], job["digest"], "digest of the resolved spec")
        s.refuse(409, "expectation_not_met", "POST", "/v1/jobs", {**spec, "expect": {"kernel_tier": tiers["f32"]}})

        single = s.train(_bf16(precision="f32"))
        spec = s.get(f"/v1/jobs/{single['id']}/spec")
        equal(("precision" in spec, spec["expect"]["kernel_tier"]), (False, tiers["f32"]), "the spec of a float32 job")
        equal(s.get(f"/v1/models/{single['model']}")["kernel_tier"], tiers["f32"], "its model's kernel tier")
        want(single["digest"] != job["digest"], "other bits")


def a_profile_compares_with_the_peak_of_its_own_precision():
    with Server(REFERENCE) as s:
        jobs = [s.train(_bf16(precision=p, resources={"threads": 1})) for p in ("f32", "bf16", "bf16", "f32")]
        peaks = [s.get(f"/v1/jobs/{job['id']}/profile")["peak_gflops"] for job in jobs]
        want(min(peaks) > 0, peaks)
        equal((peaks[0], peaks[1]), (peaks[3], peaks[2]), "measured once for each precision")
        want(peaks[0] != peaks[1], f"measured for each precision: {peaks}")


def it_learns_as_float32_does():
    with Server(REFERENCE) as s:
        loss = {}
        for precision in ("f32", "bf16"):
            job = s.train(_bf16({**SPIRALS, "n": 1200}, (64, 64), precision=precision, training={"epochs": 40, "batch_size": 64, "seed": 5}))
            loss[precision] = s.results(job["id"])["splits"]["train"]["loss"]
        want(loss["f32"] < 0.3, f"it has learnt: {loss}")
        near(loss["bf16"], loss["f32"], 0.05, "training loss")


@rows(
    ("sgd", {}),
    ("clipped", {"training": {**TRAINING, "clip_norm": 0.5}}),
    ("full batch", {"training": {**TRAINING, "batch_size": "full"}}),
    ("muon", {"optimizer": {"type": "muon", "learning_rate": 0.02}}),
    ("one wide layer", {"hidden": (300,)}),
    ("measured", {"diagnostics": ["noise_scale", "full_gradient_norm"], "stop": {"gradient_norm": 1e-9}}),
)
def threads_change_no_bit(changes):
    with Server(REFERENCE) as s:
        equal(len({s.digest(_bf16(BLOBS, **{"hidden": (100, 20), **changes}, resources={"threads": t})) for t in THREADS}), 1, "digests")


def a_cnn_takes_it_for_its_dense_layers():
    with Server(REFERENCE) as s:
        data = s.upload_idx(*tiny_images(120, 7), "stripes")
        spec = {"dataset": data, "model": {"type": "cnn", "filters": [6], "hidden": [16]}, "training": {"epochs": 2, "batch_size": 25, "seed": 3}}
        digests = {(p, t): s.digest({**spec, "precision": p, "resources": {"threads": t}}) for p in ("f32", "bf16") for t in THREADS}
        equal(len(set(digests.values())), 2, f"digests of {digests}")


def models_without_such_a_layer_are_refused():
    with Server(REFERENCE) as s:
        _refused(s, softmax(precision="bf16"), "hidden", '"f32"')
        _refused(s, softmax(precision="bf16", optimizer={"type": "lbfgs"}, training={"batch_size": "full"}), "lbfgs", '"f32"')


def a_killed_job_goes_on_to_the_same_bits():
    with Server(REFERENCE) as s:
        spec = _bf16(training={**TRAINING, "epochs": 120 if THOROUGH else 60}, checkpoint={"every_steps": 50})
        digest = s.digest(spec)
        job = s.job(spec)
        s.wait_until(job, lambda j: j["step"] > 100)
        s.restart(kill=True)
        view = s.wait(job)
        equal(view["digest"]["parameters_sha256"], digest, "digest after kill -9")
        want(view["restarts"] > 0, "it was interrupted")


def a_job_that_comes_to_a_lesser_processor_fails_and_says_why():
    with Server(REFERENCE) as s:
        job = s.job(_bf16(training={**TRAINING, "epochs": 1000000}, checkpoint={"every_steps": 50}))
        s.wait_until(job, lambda j: j["step"] > 100)
        s.kill()
        s.options = BASELINE
        s.start()
        view = s.wait(job, status="failed")
        includes(view["error"], "code", what="the error")
        equal(view["error"]["code"], "not_supported", "code")
