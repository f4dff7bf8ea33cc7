"""The loss of power: a death after which only that is left which the server had synced.

The server runs under lost_writes.c, which writes down what the disk keeps. Of what was never synced a real disk may have
some parts and not others, in any order: so each loss leaves either none of it, or sectors and names of it at random.
"""
import pathlib
import random
import shutil
import sqlite3
import tempfile
import time

import checks
import work
from campaign import Mortal
from harness import Failure, equal, run_program, want
from material import softmax

SECTOR = 512  # is written whole or not at all


class Disk:
    """A folder that programs with the environment `env` take for a disk. deaf: whose syncs are lies (lost_writes.c)."""

    library, draw = None, random.Random(0)  # set by tests/crash/run

    def __init__(self, folder, deaf=""):
        self.path, self.kept = pathlib.Path(folder, "disk"), pathlib.Path(folder, "kept")
        self.path.mkdir()
        self.env = {"LD_PRELOAD": self.library, "LOST_WRITES_DISK": str(self.path), "LOST_WRITES_KEPT": str(self.kept),
                    "LOST_WRITES_DEAF": deaf}

    def keep_all(self):
        """A program is about to start: what it finds is not in danger."""
        shutil.rmtree(self.kept, ignore_errors=True)
        self.kept.mkdir()

    def lose_power(self, torn):
        """Makes of the disk what is left of it. torn: with some of what was not synced."""
        want((self.kept / "names").is_dir(), "lost_writes.c was not loaded")
        after = self.path.with_name("after")
        Loss(self.path, self.kept, self.draw if torn else None).write(after)
        shutil.rmtree(self.path)
        after.rename(self.path)


class Powered(Mortal):
    """A server whose deaths are losses of power."""

    folder_cycles = 25  # every start copies all that there is

    def __init__(self, options=("--threads", "2"), deaf=""):
        super().__init__(options)
        self.disk = Disk(self.folder, deaf)
        self.data = str(self.disk.path / "data")  # its name in the disk's folder can be lost, too
        self.env = self.disk.env

    def launch(self, failpoint=""):
        self.disk.keep_all()
        return super().launch(failpoint)

    def lie_dead(self):
        self.disk.lose_power(torn=self.disk.draw.random() < 0.5)


class Loss:
    """What is left of a disk. draw: chooses what is left of what was not synced; None: nothing."""

    def __init__(self, disk, kept, draw):
        self.disk, self.content, self.names, self.draw = disk, kept / "content", kept / "names", draw
        self.present = {p.stat().st_ino: p for p in disk.rglob("*") if p.is_file()}
        self.inodes = {p.stat().st_ino: int(p.name) for p in self.content.iterdir() if p.name != "new"}  # by that of their content

    def write(self, after):
        for folder in sorted(p for p in (self.names, *self.names.rglob("*")) if p.is_dir()):
            below = folder.relative_to(self.names)
            (after / below).mkdir()
            for name in sorted({p.name for f in (folder, self.disk / below) for p in f.iterdir() if p.is_file()}):
                inode = self.choose(folder / name, self.disk / below / name)
                if inode is not None and not name.endswith("-shm"):  # that is memory
                    (after / below / name).write_bytes(self.bytes_of(inode))
                    (after / below / name).chmod(0o600)

    def choose(self, kept, now):
        """Which file has this name: as it was when its folder was synced, or as it is now; None: there is none."""
        choices = [self.inodes[kept.stat().st_ino] if kept.is_file() else None, now.stat().st_ino if now.is_file() else None]
        return self.draw.choice(choices) if self.draw else choices[0]

    def bytes_of(self, inode):
        content = self.content / str(inode)
        kept = content.read_bytes() if content.exists() else b""
        now = self.present[inode].read_bytes() if self.draw and inode in self.present else kept
        return kept if now == kept else tear(kept, now, self.draw)


def tear(kept, now, draw):
    """Each sector as it was synced or as it is now. A file that grew may have grown by less; one that was cut, was cut or was not."""
    size = draw.choice([len(kept), len(now)])
    if len(kept) < len(now) and draw.random() < 0.5:
        size = min(len(now), draw.randrange(len(kept), len(now) + 1) // SECTOR * SECTOR)
        size = max(size, len(kept))
    share = draw.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    torn = bytearray(kept[:size].ljust(size, b"\0"))
    for at in range(0, min(size, len(now)), SECTOR):
        end = min(at + SECTOR, size, len(now))
        if draw.random() < share:
            torn[at:end] = now[at:end]
    return bytes(torn)


# ---- told one by one ----


def acknowledged(server, patient):
    """Works a little. The paths of what there must be from then on. patient: with a pause before the last."""
    want(server.launch(), "the server does not start")
    large = server.upload(work.table(7000, 1))["id"]
    job = server.job(softmax())
    model = server.wait(job)["model"]
    if patient:
        time.sleep(1.5)  # the write-ahead log of an idle server goes into the database, and begins again
    small = server.upload(work.table(40, 2))["id"]
    return [f"/v1/datasets/{large}", f"/v1/jobs/{job}/results", f"/v1/models/{model}", f"/v1/datasets/{small}"]


def losses(server, paths):
    """What is wrong after a loss of power, in words."""
    found = []
    try:
        checks.Folder(server.data).check_by_program()
    except (Failure, sqlite3.Error) as e:
        found.append(str(e))
    if not server.launch():
        return found + [f"the server does not start: {server.process.returncode}"]
    return found + [f"{path} is gone" for path in paths if server.call("GET", path).status != 200]


def what_is_lost(deaf, patient):
    server = Powered(["--threads", "1"], deaf)
    try:
        paths = acknowledged(server, patient)
        server.kill()
        server.disk.lose_power(torn=False)
        return losses(server, paths)
    finally:
        server.discard()


def a_disk_that_keeps_what_was_synced_loses_nothing():
    equal(what_is_lost("", patient=True), [], "losses")


# The control: whose syncs are lies. All that is acknowledged depends on each of them.
LIES = {"everything": "*", "its_own_folder": ".", "the_data_folder": "data", "the_folder_objects": "data/objects",
        "the_objects": "data/tmp/*", "the_write_ahead_log": "data/descentd.db-wal", "the_database": "data/descentd.db"}


def lying_about(whose):
    def scenario():
        want(what_is_lost(LIES[whose], patient=whose == "the_database"), "nothing is lost: this test does not see losses")

    scenario.__name__ = f"a_disk_that_lies_about_{whose}_loses_what_was_acknowledged"
    return scenario


def run_on(disk, *arguments):
    """A program that says that it is done, and the loss of power after it: what it printed."""
    disk.keep_all()
    status, out, err = run_program(*arguments, env=disk.env)
    equal(status, 0, f"descentd {arguments[0]}: {err}")
    disk.lose_power(torn=False)
    return out


def a_backup_that_is_done_survives_the_loss_of_power():
    server = Powered(["--threads", "1"])
    try:
        paths = acknowledged(server, patient=False)
        server.kill()
        copy = str(server.disk.path / "copy")
        run_on(server.disk, "backup", "--data", server.data, "--to", copy)
        server.data = copy
        equal(losses(server, paths), [], "losses")
    finally:
        server.discard()


def a_token_that_was_printed_survives_the_loss_of_power():
    with tempfile.TemporaryDirectory(prefix="descentd-test-") as folder:
        disk = Disk(folder)
        for number in (1, 2):
            run_on(disk, "token", "new", "--token-file", str(disk.path / "tokens"), "--scopes", "read")
            want((disk.path / "tokens").exists(), "the token file is gone")
            equal(len((disk.path / "tokens").read_text().splitlines()), number, "tokens in the file")


ALL = [a_disk_that_keeps_what_was_synced_loses_nothing, *map(lying_about, LIES),
       a_backup_that_is_done_survives_the_loss_of_power, a_token_that_was_printed_survives_the_loss_of_power]


def run(scenario):
    scenario()
