"""Output to the console: whole and in order, whoever writes and however slowly it is read."""

import re

import spent
from machine import Case

STAMP = re.compile(r"^\[ *\d+\.\d{6}\] ")
REGISTER = re.compile(r"^\w+ [0-9a-f]{16}$")
FEWEST_REGISTERS = 18


def reports(lines):
    """The reports of faults as lists of lines, and the other lines."""
    found, others = [], []
    lines = [STAMP.sub("", line) for line in lines]
    at = 0
    while at < len(lines):
        end = at
        if lines[at].startswith("fault: program "):
            while end + 1 < len(lines) and (re.match(r"back trace: |registers:$", lines[end + 1]) or REGISTER.match(lines[end + 1])):
                end += 1
            found.append(lines[at:end + 1])
        else:
            others.append(lines[at])
        at = end + 1
    return found, others


def whole(report):
    return (len(report) >= 3 + FEWEST_REGISTERS and report[1].startswith("back trace: 0x") and report[2] == "registers:"
            and all(REGISTER.match(line) for line in report[3:]))


def all_came(output):
    """A dump without a gap, a report, a last line."""
    found, others = reports(output.splitlines())
    if len(found) != 1 or not whole(found[0]) or others[-2:] != ["last line", "139"]:
        return f"not one whole report and the end:\n{output[-3000:]}"
    dump = others[:-2]
    for number, line in enumerate(dump[:-1]):
        if not re.fullmatch(rf"{16 * number:08x}  .*\|.{{1,16}}\|", line):
            return f"line {number} of the dump is {line!r}"
    return None if len(dump) > 5000 else f"the dump has {len(dump)} lines"


def mixed_in_lines_only(output):
    """Two series of lines and five reports."""
    found, others = reports(output.splitlines())
    if len(found) != 5 or not all(map(whole, found)):
        return f"{len(found)} reports, not five whole ones:\n{output}"
    for name in ("one", "two"):
        series = [line for line in others if line.startswith(f"series {name} ")]
        if series != [f"series {name} line {number}" for number in range(40)]:
            return f"series {name} is not in order:\n{output}"
    return None if len(others) == 80 else f"something else is among it:\n{output}"


class Paused(Case):
    """Nobody reads until all pipes on the way are full, and the serial line takes nothing."""

    def converse(self, target):
        command = target.command("--timeout", str(self.timeout), *self.machine, "-c", self.commands)
        done = spent.run(f"boot/{target.arch}/{self.name}",
                         ["bash", "-o", "pipefail", "-c", '"$@" | { sleep 3; cat; }', "paused", *command])
        complaint = self.complaint_on(target, done.output, done.status)
        return complaint and f"{complaint}\n{done.complaints}"


def series(name):
    return f"sh -c 'i=0; while [ $i -lt 40 ]; do echo series {name} line $i; i=$((i+1)); done' &"


CASES = [
    Paused("a_reader_that_pauses_misses_nothing", "hexdump /bin/sh; echo last line; /test/fault null; echo $?", alone=True,
           machine=("--with-tests",), timeout=120, check=all_came),
    Case("lines_and_reports_of_four_cpus_stay_whole", f"{series('one')} {series('two')} "
         "for i in 1 2 3 4 5; do /test/fault undefined & done; wait", alone=True, machine=("--with-tests", "--smp", "4"),
         timeout=120, check=mixed_in_lines_only),
]
