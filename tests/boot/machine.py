"""Boot tests: what a case is, and how cases are run on the real image.

A case is a few commands for the shell with what they must print and their exit status. Cases that need the same machine
share one boot: each is set between lines that the shell echoes, so that output and status of each can be told apart. A
case that must not share (it exhausts something, or ends the machine) says alone=True. When a shared boot does not come to
its end, the cases that were not reached run again on their own.

The cases are in the other files of this folder, each with a list CASES; run.py names the files.
"""

import dataclasses
import functools
import pathlib
import re
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import spent  # noqa: E402  scripts/spent.py

LINE = "@@@@"  # begins the lines between cases; no program prints it


@dataclasses.dataclass(frozen=True)
class Target:
    """What the cases run on: the image of one machine."""

    arch: str
    stage: int
    build_dir: str

    def command(self, *options):
        """The command that boots it as it is: scripts/run, but that nothing is installed first."""
        return [sys.executable, ROOT / "scripts/run_qemu.py", self.arch, "--no-build", "--build-dir", self.build_dir, *options]


@dataclasses.dataclass
class Case:
    """One thing that must hold on the booted system."""

    name: str                       # what holds, or what is refused
    commands: str                   # for the shell
    output: str | None = None       # all that they print
    matches: tuple = ()             # regular expressions, each found in the output (MULTILINE)
    lacks: tuple = ()               # regular expressions that are not
    status: int = 0                 # the last command's
    check: object = None            # a function of the output that returns a complaint or None
    machine: tuple = ()             # options of scripts/run
    alone: bool = False             # a boot of its own
    long: bool = False              # only in long runs
    timeout: int = 60               # seconds that it may take
    only: tuple = ()                # the machines that it is for; all if there are none

    def complaint_on(self, target, output, status):
        """What is wrong with what `target` gave, or None. $ARCH and $STAGE in patterns are the target's own."""
        def own(text):
            return text.replace("$ARCH", target.arch).replace("$STAGE", str(target.stage))
        return dataclasses.replace(self, matches=tuple(map(own, self.matches))).complaint(output, status)

    def complaint(self, output, status):
        """What is wrong with an output and a status, or None."""
        shown = output if len(output) < 4000 else output[:3000] + "\n[...]\n" + output[-800:]
        if status != self.status:
            return f"status {status}, not {self.status}; output:\n{shown}"
        if self.output is not None and output != self.output:
            return f"expected:\n{self.output}\ngot:\n{shown}"
        for pattern in self.matches:
            if not re.search(pattern, output, re.MULTILINE):
                return f"nothing matches {pattern!r} in:\n{shown}"
        for pattern in self.lacks:
            if re.search(pattern, output, re.MULTILINE):
                return f"{pattern!r} is in:\n{shown}"
        if self.check is not None:
            try:
                return self.check(output)
            except (ValueError, IndexError, KeyError) as error:
                return f"{error!r} in:\n{shown}"
        return None


def once(function):
    """Keep what a function returns for its arguments; whoever asks meanwhile, on another thread, waits for that."""
    lock = threading.Lock()
    answers = {}

    @functools.wraps(function)
    def ask(*arguments):
        with lock:
            answer = answers.setdefault(arguments, (threading.Lock(), []))
        with answer[0]:
            if not answer[1]:
                answer[1].append(function(*arguments))
            return answer[1][0]

    return ask


def table(text):
    """A statistics file as a list of dicts: a header line, then data lines."""
    lines = text.splitlines()
    names = lines[0].split()
    return [dict(zip(names, line.split())) for line in lines[1:]]


def boot(commands, machine, timeout, target, what):
    """Run commands on a fresh machine: (output, status, complaints). `what` tells for whom (scripts/spent.py)."""
    command = target.command("--timeout", str(timeout), *machine, "-c", commands)
    done = spent.run(f"boot/{target.arch}/{what}", command)
    return done.output, done.status, done.complaints


def run_alone(case, target):
    if hasattr(case, "converse"):  # a person at the console: terminal.py
        return case.converse(target)
    output, status, complaints = boot(case.commands, case.machine, case.timeout, target, case.name)
    complaint = case.complaint_on(target, output, status)
    if complaint and complaints:
        complaint += "\n" + complaints
    return complaint


def run_together(cases, target):
    """Run cases with one machine in one boot; yields (case, complaint or None) as far as it came, then runs the rest alone."""
    script = []
    for case in cases:
        script += [f"echo {LINE} {case.name}", case.commands, f"echo {LINE} $?"]
    output, _, _ = boot("\n".join(script), cases[0].machine, sum(case.timeout for case in cases[:4]) + 60, target,
                        f"{cases[0].name} and {len(cases) - 1} more")
    reached = {}
    for match in re.finditer(rf"^{LINE} (\w+)\n(.*?){LINE} (-?\d+)\n", output, re.MULTILINE | re.DOTALL):
        reached[match[1]] = match[2], int(match[3]) & 0xff
    for case in cases:
        if case.name in reached:
            complaint = case.complaint_on(target, *reached[case.name])
        else:
            complaint = run_alone(case, target)
            if complaint is None:
                complaint = "passes alone, but the boot that it shares with others does not reach it"
        yield case, complaint


def boots(cases):
    """Cases grouped by the boot that they share."""
    groups = {}
    for case in cases:
        key = case.name if case.alone else case.machine
        groups.setdefault(key, []).append(case)
    return list(groups.values())


def run_group(cases, target):
    """Results of one boot's cases, as a list."""
    if len(cases) == 1:
        return [(cases[0], run_alone(cases[0], target))]
    return list(run_together(cases, target))


if __name__ == "__main__":
    sys.exit("run tests/boot/run.py")
