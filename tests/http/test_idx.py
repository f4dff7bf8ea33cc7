"""Uploads of images: IDX, plain and gzip'ed, then their labels."""
import gzip
import zlib

from harness import Server, equal, rows, want
from material import idx, softmax, tiny_images

IDX = {"Content-Type": "application/x-idx"}
IMAGES, LABELS = tiny_images()


def images_await_their_labels_and_then_train(server):
    data = server.upload(IMAGES, "application/x-idx", "?name=tiny")
    equal((data["status"], data["rows"], data["features"], data["shape"]), ("awaiting_labels", 40, 16, [1, 4, 4]), "without labels")
    server.refuse(409, "dataset_not_ready", "POST", "/v1/jobs", softmax(data["id"]))
    answer = server.call("PUT", f"/v1/datasets/{data['id']}/labels", LABELS, IDX)
    want(answer.status in (200, 201), f"status {answer.status}")
    equal((answer.json["id"], answer.json["status"], {c["name"]: c["count"] for c in answer.json["classes"]}), (data["id"], "ready", {"0": 20, "1": 20}), "with labels")
    spec = server.ok("POST", "/v1/jobs?validate_only=true", softmax(data["id"]), status=200)["spec"]
    equal(spec["preprocessing"], "scale_255", "images are scaled")
    job = server.train(softmax(data["id"], training={"epochs": 20, "batch_size": 8}))
    equal(server.results(job["id"])["splits"]["train"]["accuracy"], 1, "accuracy")


def gzip_is_read_too_and_is_the_same_content():
    with Server() as s:
        plain = s.upload_idx(IMAGES, LABELS, "plain")
        packed = s.upload(gzip.compress(IMAGES), "application/x-idx", "?name=packed")["id"]
        answer = s.call("PUT", f"/v1/datasets/{packed}/labels", gzip.compress(LABELS), IDX)
        equal((answer.status, answer.json["id"]), (200, plain), "the labelled images were there")


def images_without_labels_are_never_merged():
    with Server() as s:
        a = s.upload(IMAGES, "application/x-idx")
        b = s.upload(IMAGES, "application/x-idx")
        want(a["id"] != b["id"], "two uploads that may get different labels")


def other_labels_for_the_same_images_are_another_data_set():
    with Server() as s:
        one = s.upload_idx(IMAGES, LABELS, "one")
        flipped = LABELS[:8] + bytes(1 - b for b in LABELS[8:])
        two = s.upload_idx(IMAGES, flipped, "two")
        want(one != two, "ids")


@rows(
    ("no magic", b"\x01\x00\x08\x03" + IMAGES[4:], "idx_bad_magic"),
    ("unknown type", b"\x00\x00\x07\x03" + IMAGES[4:], "idx_bad_type"),
    ("no dimension", b"\x00\x00\x08\x00" + IMAGES[4:], "idx_bad_rank"),
    ("five dimensions", idx((1, 1, 1, 1, 1), b"\0"), "idx_bad_rank"),
    ("dimensions overflow", b"\x00\x00\x08\x04" + b"\xff" * 16 + bytes(64), "dims_overflow"),
    ("cut off", IMAGES[:-1], "idx_truncated"),
    ("cut off in the header", IMAGES[:9], "idx_truncated"),
    ("one byte more", IMAGES + b"\0", "idx_trailing_bytes"),
    ("no rows", idx((0, 4, 4), b""), "dataset_empty"),
    ("no pixels", idx((4, 0, 4), b""), "dataset_empty"),
    ("nothing", b"", "dataset_empty"),
    ("gzip cut off", gzip.compress(IMAGES)[:-6], "gzip_corrupt"),
    ("gzip damaged", gzip.compress(IMAGES)[:30] + b"\xff\xff\xff\xff" + gzip.compress(IMAGES)[34:], "gzip_corrupt"),
    ("gzip bomb", gzip.compress(idx((30000, 28, 28), bytes(30000 * 784)), 9), "compression_ratio"),
    ("more in the gzip than declared", gzip.compress(IMAGES + bytes(5000)), "idx_trailing_bytes"),
)
def a_bad_file_is_refused(server, body, code):
    server.refuse(422, code, "POST", "/v1/datasets", body, IDX)


@rows(("text", b"hello world, this is no idx\n"), ("zlib without gzip", zlib.compress(IMAGES)))
def what_is_no_idx_is_refused(server, body):
    want(server.call("POST", "/v1/datasets", body, IDX).status in (415, 422), "status")


@rows(
    ("one too few", idx((39,), LABELS[8:47]), "row_count_mismatch"),
    ("one too many", idx((41,), LABELS[8:] + b"\0"), "row_count_mismatch"),
    ("one class only", idx((40,), bytes(40)), "labels_single_class"),
    ("negative ids", idx((40,), bytes(255 * (i % 2) for i in range(40)), kind=0x09), "label_out_of_range"),
    ("ids of 10^9", idx((40,), b"".join((1000000000 * (i % 2)).to_bytes(4, "big") for i in range(40)), kind=0x0C), "label_out_of_range"),
    ("images as labels", IMAGES, "idx_bad_rank"),
    ("cut off", LABELS[:-3], "idx_truncated"),
)
def bad_labels_are_refused_and_good_ones_still_taken(server, labels, code):
    data = server.upload(IMAGES[:-1] + bytes([len(code)]), "application/x-idx")["id"]
    server.refuse(422, code, "PUT", f"/v1/datasets/{data}/labels", labels, IDX)
    equal(server.get(f"/v1/datasets/{data}")["status"], "awaiting_labels", "status")
    want(server.call("PUT", f"/v1/datasets/{data}/labels", LABELS, IDX).status in (200, 201), "good labels")


def labels_for_a_table_or_twice_are_409(server):
    data = server.upload("a,k\n1,x\n2,y\n")["id"]
    server.refuse(409, "state_conflict", "PUT", f"/v1/datasets/{data}/labels", idx((2,), b"\0\1"), IDX)


@rows(("int8", 0x09, lambda v: bytes(v)), ("int16", 0x0B, lambda v: b"".join(x.to_bytes(2, "big") for x in v)),
      ("float32", 0x0D, lambda v: b"".join(__import__("struct").pack(">f", x) for x in v)), ("float64", 0x0E, lambda v: b"".join(__import__("struct").pack(">d", x) for x in v)))
def other_element_types_are_read(server, kind, encode):
    values = [(i * 7 + kind) % 100 for i in range(6 * 4)]
    data = server.upload(idx((6, 2, 2), encode(values), kind), "application/x-idx")["id"]
    server.ok("PUT", f"/v1/datasets/{data}/labels", idx((6,), bytes([0, 1, 0, 1, 0, 1])), IDX)
    equal([r["features"] for r in server.get(f"/v1/datasets/{data}/rows")["data"]], [values[i:i + 4] for i in range(0, 24, 4)], "rows")
