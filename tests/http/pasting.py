"""Lines of the documentation, pasted into bash as they stand, with other ports."""
import os
import re
import subprocess

from harness import PATIENCE, equal, want


def blocks(text, kind="sh"):
    """The fenced blocks of a page or a part of it."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S)


def replace(text, *pairs):
    for old, new in pairs:
        want(old in text, f"the page does not say {old!r}")
        text = text.replace(old, new)
    return text


def paste(text, folder, **env):
    """What bash prints; -e and pipefail, so that no line may fail unseen."""
    done = subprocess.run(["bash", "-eu", "-o", "pipefail"], input=text, cwd=folder, capture_output=True, text=True, timeout=120 * PATIENCE,
                          env={**os.environ, **env}, check=False)
    equal(done.returncode, 0, f"exit status of {text}\n{done.stdout}\n{done.stderr}\nexit status")
    return done.stdout
