"""Runs a command as a whole process and says how long it took and how much memory it used."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One finished process, by the operating system's own accounting."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    stdout: str
    stderr: str


class CommandFailed(Exception):
    """A command that was to be measured did not succeed, so its time means nothing."""


# what takes longer than this many seconds is not waited for
PATIENCE = 180


def run(command, *, environment=None, stdin=None, folder=None):
    """Runs a command to its end; `stdin` is a file to read from."""
    with Capture() as stdout, Capture() as stderr:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            stdout=stdout.file,
            stderr=stderr.file,
        )
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        # not `wait`: only `wait4` tells what this one process used
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        finished = Run(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mib=peak_mib(usage),
            stdout=stdout.text(),
            stderr=stderr.text(),
        )
    if seconds >= PATIENCE and process.returncode == -signal.SIGKILL:
        raise CommandFailed(
            f"not done after {PATIENCE} seconds, with a peak of {finished.peak_mib:.0f} MiB until then"
        )
    if process.returncode != 0:
        shown = (finished.stderr or finished.stdout)[-2000:]
        raise CommandFailed(f"`{' '.join(map(str, command))}` ended with {process.returncode}:\n{shown}")
    return finished


def peak_mib(usage):
    """The largest resident set; Linux counts it in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit / (1024 * 1024)


def median(values):
    """The median, which one slow run on a busy machine does not move."""
    return statistics.median(values)


def ratio(ours, theirs):
    """The median of the ratios round by round, which holds where the machine's speed drifts."""
    return median([a.seconds / b.seconds for a, b in zip(ours, theirs)])


class Capture:
    """A file for what a command prints: a pipe that nobody empties would stop it."""

    def __enter__(self):
        self.file = tempfile.TemporaryFile()
        return self

    def text(self):
        self.file.seek(0)
        return self.file.read().decode(errors="replace")

    def __exit__(self, *_):
        self.file.close()
