"""The namespace is the same on every machine: the same paths with the same modes, owners and kinds, the same fields in every
text file. Only what is below /kern/arch may differ (PORT-6).

Each machine is compared with x86_64, so all are with each other.
"""

import re

import machine

REFERENCE = "x86_64"
CHANNEL = "/ipc/parity"
TEXTS = f"/kern/* /kern/*/* /kern/*/*/* /proc/self/* {CHANNEL}/*"
WALK = f"""
echo-server {CHANNEL} &
until test -e {CHANNEL}; do sleep 10ms; done
ls -laR /
for file in {TEXTS}; do
    case $file in
    */data|*/events|*/ctl|/kern/log) ;;
    *) if test -f $file; then echo "fields of $file:"; head -n 1 $file; fi ;;
    esac
done
kill $!
"""
# A line of ls: size and time are the machine's own, all else is not.
ENTRY = re.compile(r"^([a-z-][rwx-]{9}) +(\d+) +(\d+) +\d+ +[\d.]+ (.*)$")
PROCESS = re.compile(r"^(/proc/(?:self -> )?)\d+")  # how many there are is a matter of time


@machine.once
def walk(target):
    """What there is on a machine: {path: what must be the same}."""
    output, status, complaints = machine.boot(WALK, ("--with-tests",), 60, target, "the_walk_of_the_namespace")
    if status != 0:
        raise ValueError(f"status {status} on {target.arch}; output:\n{output[-2000:]}\n{complaints}")
    found = {}
    listing, *texts = output.split("fields of ")
    for text in texts:
        path, _, fields = text.partition(":\n")
        found[path + " (fields)"] = fields.strip()
    folder = "/"
    for line in listing.splitlines():
        entry = ENTRY.match(line)
        if line.startswith("/") and line.endswith(":"):
            folder = line[:-1].rstrip("/") + "/"
        elif entry:
            found[folder + entry[4]] = f"{entry[1]} of {entry[2]}:{entry[3]}"
        elif line:
            raise ValueError(f"not a line of ls on {target.arch}: {line!r}")
    return {PROCESS.sub(r"\1PID", path): what for path, what in found.items() if not path.startswith("/kern/arch/")}


def reference():
    found = sorted(machine.ROOT.glob(f"build/{REFERENCE}-stage*/isthmus-{REFERENCE}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError(f"there is no {REFERENCE} to compare with: run scripts/build {REFERENCE}")
    where = found[-1].parent
    return machine.Target(REFERENCE, int(where.name[-1]), str(where))


class Same(machine.Case):
    """The namespace of one machine is that of the reference."""

    def converse(self, target):
        try:
            ours, theirs = walk(target), walk(reference())
        except ValueError as error:
            return str(error)
        # That the walk has seen what there is: programs, devices, statistics, processes, a channel.
        for path in ("/bin/sh", "/dev/null", "/kern/mem/stats/pages (fields)", "/proc/PID/status", f"{CHANNEL}/stats (fields)"):
            if path not in theirs:
                return f"the walk did not come to {path}"
        different = [f"{path}: {theirs.get(path, 'missing')} on {REFERENCE}, {ours.get(path, 'missing')} on {target.arch}"
                     for path in sorted(ours.keys() | theirs.keys()) if ours.get(path) != theirs.get(path)]
        return "\n".join(different) or None


CASES = [
    Same("the_namespace_is_that_of_the_other_machines", WALK, alone=True,
         only=("arm64", "riscv64")),
]
