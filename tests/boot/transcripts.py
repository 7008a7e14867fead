"""The same seeds give the same transcript on the host port and on the booted kernel with any number of CPUs (TEST-1, 2, 6).

A transcript is made by tests/transcript, the same piece of C on both sides: transcript-host in the workstation's build, and
/test/transcript on the machine. A digest for each seed is compared; of the first seed that differs, the whole text is.
"""

import os
import subprocess

import machine

SEED = int(os.environ.get("ISTHMUS_SEED", "1"), 0) % 2**32
CALLS = 250
TESTS = ("--with-tests",)


@machine.once
def host(*arguments):
    """What the host port says; it needs the workstation's build (scripts/build host)."""
    found = sorted(machine.ROOT.glob("build/host-stage*/tests/transcript-host"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError("there is no transcript-host to compare with: run scripts/build host")
    done = subprocess.run([found[-1], *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"transcript-host failed: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def first_difference(ours, theirs):
    """The first line of two texts that differs, or None."""
    ours, theirs = ours.splitlines(), theirs.splitlines()
    for number in range(max(len(ours), len(theirs))):
        pair = [lines[number] if number < len(lines) else "(nothing)" for lines in (ours, theirs)]
        if pair[0] != pair[1]:
            return number, *pair
    return None


class Same(machine.Case):
    """Transcripts of some seeds on one machine."""

    def __init__(self, name, first, seeds, *options, **how):
        self.first = SEED + first
        self.range = f"{self.first}..{self.first + seeds - 1}"
        super().__init__(name, f"/test/transcript -q {self.range} {CALLS}", machine=TESTS + options, alone=True,
                         timeout=60 + seeds // 5, **how)

    def converse(self, target):
        output, status, complaints = machine.boot(self.commands, self.machine, self.timeout, target, self.name)
        if status != 0:
            return f"status {status}; output:\n{output[-2000:]}\n{complaints}"
        try:
            difference = first_difference(host("-q", self.range, CALLS), output)
            if difference is None:
                return None
            seed = self.first + difference[0]
            said = f"seed {seed}: digests {difference[1]!r} on the host, {difference[2]!r} on the machine"
            whole, _, _ = machine.boot(f"/test/transcript {seed} {CALLS}", self.machine, self.timeout, target,
                                       f"{self.name}, the whole of one")
            difference = first_difference(host(seed, CALLS), whole)
        except ValueError as error:
            return str(error)
        if difference is None:
            return f"{said}; the same on a machine of its own: something outlives a transcript"
        return f"{said}\nline {difference[0] + 1}\n  host:    {difference[1]}\n  machine: {difference[2]}"


CASES = [
    # Thousands of seeds in all; a hundred of those of one number of CPUs are those of the next, too.
    Same("transcripts_are_those_of_the_host_port", 0, 1000),
    Same("transcripts_on_two_cpus_are_those_of_the_host_port", 900, 1000, "--smp", "2"),
    Same("transcripts_on_four_cpus_are_those_of_the_host_port", 1800, 1000, "--smp", "4"),
    Same("transcripts_without_fast_paths_are_those_of_the_host_port", 0, 200, "--append", "nofast"),
    Same("transcripts_of_many_seeds_are_those_of_the_host_port", 0, 20000, "--smp", "2", long=True),
]
