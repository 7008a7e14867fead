"""Run commands and keep what each took: seconds on the clock, and of the processor, those of its children included."""

import collections
import os
import subprocess
import tempfile
import time

Spent = collections.namedtuple("Spent", "what clock processor")
Done = collections.namedtuple("Done", "status output complaints")
ledger = []  # of Spent, in the order in which they ended


def run(what, command, merged=False, **options):
    """Run a command to its end, and put it into the ledger as `what`. merged: complaints are where they came in output."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output if merged else complaints, **options)
        wait(what, process, begun)
        texts = []
        for file in (output, complaints):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return Done(process.returncode, *texts)


def wait(what, process, begun, timeout=None):
    """Wait for a subprocess.Popen that began at that time.monotonic(); its exit status, or None when the time is up."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        ended, status, used = os.wait4(process.pid, 0 if deadline is None else os.WNOHANG)
        if ended != 0:
            process.returncode = os.waitstatus_to_exitcode(status)
            ledger.append(Spent(what, time.monotonic() - begun, used.ru_utime + used.ru_stime))
            return process.returncode
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.02)


def slowest(count):
    """Lines that tell what took the most of the processor: so many; none if count is 0."""
    if count == 0:
        return []
    lines = [f"{'clock':>8} {'processor':>9}  what took longest, in seconds"]
    for entry in sorted(ledger, key=lambda entry: entry.processor, reverse=True)[:count]:
        lines.append(f"{entry.clock:8.1f} {entry.processor:9.1f}  {entry.what}")
    return lines
