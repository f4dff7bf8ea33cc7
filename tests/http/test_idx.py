"""Uploads of images: IDX, plain and gzip'ed, then their labels."""
import gzip
import math
import struct
import zlib

from harness import Server, equal, rows, want
from material import idx, softmax, tiny_images

MODES = ("release", "debug", "asan")  # one request after the other: nothing for ThreadSanitizer that others do not show it

IDX = {"Content-Type": "application/x-idx"}
IMAGES, LABELS = tiny_images()


def images_await_their_labels_and_then_train(server):
    data = server.upload(IMAGES, "application/x-idx", "?name=tiny")
    equal((data["status"], data["rows"], data["features"], data["shape"]), ("awaiting_labels", 40, 16, [1, 4, 4]), "without labels")
    server.refuse(409, "dataset_not_ready", "POST", "/v1/jobs", softmax(data["id"]))
    answer = server.call("PUT", f"/v1/datasets/{data['id']}/labels", LABELS, IDX)
    equal((answer.status, answer.headers["Location"]), (201, f"/v1/datasets/{data['id']}"), "status and Location")
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
    problem = server.refuse(422, code, "POST", "/v1/datasets", body, IDX)
    equal((problem["code"], len(problem["errors"])), (code, 1), "the document's code")
    want(not body or body[:2] == b"\x1f\x8b" or "offset" in problem["errors"][0], f"no offset: {problem['errors']}")


@rows(("text", b"hello world, this is no idx\n", 422, "idx_bad_magic"), ("zlib without gzip", zlib.compress(IMAGES), 422, "idx_bad_magic"), ("gzip of text", gzip.compress(b"hello world"), 415, "format_mismatch"),
      ("gzip of gzip", gzip.compress(gzip.compress(IMAGES)), 415, "format_mismatch"), ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), 415, "format_mismatch"),
      ("labels alone", LABELS, 422, "idx_bad_rank"), ("2^32 values", b"\x00\x00\x08\x03\x00\x10\x00\x00\x00\x00\x00\x40\x00\x00\x00\x40" + bytes(100), 413, "dataset_too_large"))
def what_is_no_idx_is_refused(server, body, status, code):
    server.refuse(status, code, "POST", "/v1/datasets", body, IDX)


@rows(("float32", 0x0D, struct.pack(">4f", 1, 2, math.nan, 3), (2, 1)), ("float64", 0x0E, struct.pack(">4d", 1, 2, 3, 1e300), (2, 2)))
def a_value_that_is_not_finite_is_named_by_row_and_feature(server, kind, values, place):
    problem = server.refuse(422, "non_finite_value", "POST", "/v1/datasets", idx((2, 1, 2), values, kind), IDX)
    equal((problem["errors"][0]["line"], problem["errors"][0]["column"]), place, "row and feature")


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
    data = server.upload(IMAGES[:-4] + zlib.crc32(labels).to_bytes(4, "big"), "application/x-idx")["id"]
    server.refuse(422, code, "PUT", f"/v1/datasets/{data}/labels", labels, IDX)
    equal(server.get(f"/v1/datasets/{data}")["status"], "awaiting_labels", "status")
    server.ok("PUT", f"/v1/datasets/{data}/labels", LABELS, IDX, status=201)


def labels_for_a_table_or_other_ones_are_409(server):
    data = server.upload("a,k\n1,x\n2,y\n")["id"]
    server.refuse(409, "state_conflict", "PUT", f"/v1/datasets/{data}/labels", idx((2,), b"\0\1"), IDX)
    labelled = server.upload_idx(IMAGES[:-1] + b"\7", LABELS, "labelled")
    path = f"/v1/datasets/{labelled}/labels"
    server.refuse(409, "state_conflict", "PUT", path, LABELS[:8] + bytes(1 - b for b in LABELS[8:]), IDX)
    equal(server.ok("PUT", path, LABELS, IDX, status=200)["id"], labelled, "the same ones again")


def labels_are_refused_where_they_cannot_belong(server):
    server.refuse(404, "not_found", "PUT", "/v1/datasets/ds_00000000000000000000/labels", LABELS, IDX)
    data = server.upload(IMAGES[:-1] + b"\5", "application/x-idx")["id"]
    server.refuse(415, "content_type_unsupported", "PUT", f"/v1/datasets/{data}/labels", "0\n1\n", {"Content-Type": "text/csv"})
    server.refuse(400, "query_unknown", "PUT", f"/v1/datasets/{data}/labels?format=idx", LABELS, IDX)
    server.refuse(400, "query_invalid", "POST", "/v1/datasets?label=1", IMAGES, IDX)
    server.ok("DELETE", f"/v1/datasets/{data}", status=204)
    server.refuse(410, "deleted", "PUT", f"/v1/datasets/{data}/labels", LABELS, IDX)


@rows(("int8", 0x09, lambda v: bytes(v)), ("int16", 0x0B, lambda v: b"".join(x.to_bytes(2, "big") for x in v)),
      ("float32", 0x0D, lambda v: b"".join(struct.pack(">f", x) for x in v)), ("float64", 0x0E, lambda v: b"".join(struct.pack(">d", x) for x in v)))
def other_element_types_are_read(server, kind, encode):
    values = [(i * 7 + kind) % 100 for i in range(6 * 4)]
    data = server.upload(idx((6, 2, 2), encode(values), kind), "application/x-idx")["id"]
    server.ok("PUT", f"/v1/datasets/{data}/labels", idx((6,), bytes([0, 1, 0, 1, 0, 1])), IDX)
    equal([r["features"] for r in server.get(f"/v1/datasets/{data}/rows")["data"]], [values[i:i + 4] for i in range(0, 24, 4)], "rows")
