"""docs/lecture.md: the lines of each section, pasted as they stand, print what stands below them and draw its picture."""
import collections
import pathlib
import re
import tempfile
import xml.etree.ElementTree

from harness import ROOT, Server, equal, rows, want
from pasting import blocks, paste, replace

MODES = ("release",)

PAGE = (ROOT / "docs/lecture.md").read_text()
SECTIONS = dict(re.findall(r"^## \d+ ([^\n]*)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")

# How far a number may be from the page's, as a part of it. Landscapes are the same anywhere; what is trained depends on the
# kernel tier, in its last digits at first.
SAME = 1e-9
TRAINED = {"A race on real data": 0.1, "Shuffling": 0.1, "Minima of one network": 0.3, "Accuracy against the learning rate": 0.02,
           "The cost of a step": SAME, "Minibatch size and gradient accuracy": 0.01, "Training does not end at a critical point": 0.5,
           "Which learning rate?": 0.5, "Probabilities that can be believed": 0.3}


def _pasted(title, server, folder):
    """The section's output."""
    (pathlib.Path(folder) / "tests").symlink_to(ROOT / "tests")
    return paste(replace("".join(blocks(SECTIONS[title])), ("127.0.0.1:8080", f"127.0.0.1:{server.port}")), folder)


def _compare(got, wanted, tolerance):
    """Equal texts, but for numbers that are close."""
    equal(NUMBER.sub("#", got), NUMBER.sub("#", wanted), "the answer's form")
    for line, told in zip(got.splitlines(), wanted.splitlines()):
        for a, b in zip(NUMBER.findall(line), NUMBER.findall(told)):
            want(abs(float(a) - float(b)) <= tolerance * max(abs(float(b)), 1e-15), f"{a} in {line}, the page says {b}")


def _shapes(picture):
    """How many of each element and class are drawn, words and ticks apart."""
    root = xml.etree.ElementTree.fromstring(picture)
    equal(root.tag, "{http://www.w3.org/2000/svg}svg", "root")
    drawn = [(e.tag.rpartition("}")[2], e.get("class")) for e in root.iter() if e.tag.rpartition("}")[2] in ("path", "circle", "rect", "polyline")]
    return collections.Counter(d for d in drawn if d[1] not in ("grid", "axis"))


@rows(*((title, title) for title in SECTIONS))
def a_section_says_what_comes_out(title):
    with Server() as s, tempfile.TemporaryDirectory() as folder:
        _compare(_pasted(title, s, folder), "".join(blocks(SECTIONS[title], "text")), TRAINED.get(title, SAME))
        pictures = sorted(p.name for p in pathlib.Path(folder).glob("*.svg"))
        equal(pictures, sorted(re.findall(r"\]\(lecture/([\w-]+\.svg)\)", SECTIONS[title])), "pictures")
        want(pictures, "the section has a picture")
        for name in pictures:
            picture, kept = ((place / name).read_text() for place in (pathlib.Path(folder), ROOT / "docs/lecture"))
            equal(_shapes(picture), _shapes(kept), f"what {name} shows")
            if title not in TRAINED:
                equal(picture, kept, f"the picture {name}")


def the_contents_name_every_section():
    links = re.findall(r"\[\d+ [^\]]*\]\(#([\w-]+)\)", PAGE)
    titles = re.findall(r"^## (.*)$", PAGE, re.M)
    equal(links, [re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles], "links of the contents")
    equal([int(t.split()[0]) for t in titles], list(range(1, len(titles) + 1)), "numbers")



def what_is_trained_is_a_section():
    equal(set(TRAINED) - set(SECTIONS), set(), "names of no section")
