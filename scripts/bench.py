#!/usr/bin/env python3
"""Count the instructions of the operations that matter, and compare them with their budgets and with other systems.

The production kernel is booted in QEMU with deterministic instruction counting, and runs the loops of
tests/bench/operations.toml; a plugin (tests/bench/counter.c) counts from outside. An operation's figure is what client,
partner and kernel execute from one pass of the client's loop head to the next, the most frequent value of 10,000
iterations after 1,000 of warm-up. docs/benchmarks.md says what is included and what the figures mean.
"""

import argparse
import array
import bisect
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/bench")]
import loops  # noqa: E402  tests/bench/loops.py
import run_qemu  # noqa: E402  the module beside this one

TABLE = ROOT / "tests/bench/operations.toml"
WARM = 1000
ITERATIONS = 10000
GROWING = {"connected": "channels, each with a connection", "nodes": "nodes", "threads": "waiting threads with deadlines",
           "handles": "handles"}
GROWTH_WANTED = 1.05
SIZED = ["threads", "channels", "connections", "nodes", "notifiers", "handles"]
STAY_TARGET = 10000  # the longest stay in the kernel that is wanted, in instructions
STAY_KEPT = 1000     # shorter ones are of no interest
# Commands of which no stay is longer than that, by what they are about; the tests hold it.
BOUNDED = {
    "fault": "/test/fault null; /test/fault stack; /test/fault undefined; dmesg",
    "console": "hexdump /bin/sh | head -n 200",
    "lists": "for file in /kern/ipc/waits /kern/ipc/holders /kern/ipc/channels /kern/ipc/notifiers /kern/ipc/stats/errors "
             "/kern/mem/stats/slabs /proc/self/handles /proc/self/threads /proc/self/maps; do cat $file; done",
}
TRACED = 8  # iterations of which the addresses are kept: one of them will be like most
COUNTER_TOLERANCE = 0.001  # of the machine's own counter: entering and leaving the loop, and what the clock rounds


class Port:
    """What differs between the machines, seen from here."""

    def __init__(self, run, counter, floor, leave, resume, firmware=None):
        self.run = run              # further arguments of scripts/run
        self.counter = counter      # what the machine calls the counter that the benchmark reads: one per instruction
        self.floor = [(what, re.compile(pattern)) for what, pattern in floor]
        self.leave = re.compile(leave)
        self.resume = resume        # where the kernel goes to a thread
        self.firmware = firmware    # (low, high): what executes here is neither the kernel's nor a program's


# floor: the instructions without which the processor neither enters and leaves the kernel nor changes address spaces,
# by their text in a disassembly of the kernel's entry code (switch: of all of it). leave: those behind which interrupts
# are on.
PORTS = {
    "x86_64": Port(
        ["--cpu", "qemu64"], "TSC",
        [("entry", r"^swapgs|^movq %rsp, %gs:|^movq %gs:\S+, %rsp|^movq %(rcx|r11), 0x\w+\(%r\w+\)"),
         ("exit", r"^sysretq|^iretq|^movq 0x\w+\(%r\w+\), %(rcx|r11|rsp)$"),
         ("switch", r"^movq %r\w+, %cr3")],
        r"^hlt|^sysretq|^iretq", "x86_resume"),
    "arm64": Port(
        ["--cpu", "cortex-a53"], "clock",
        [("entry", r"^mrs \w+, (elr|spsr|esr|sp)_el[01]"),
         ("exit", r"^eret|^msr (elr|spsr|sp)_el[01], \w+"),
         ("switch", r"^msr (ttbr0|ttbr1|tcr)_el1, \w+|^isb")],
        r"^wfi|^eret", "arm64_resume"),
    "riscv64": Port(
        [], "clock",
        [("entry", r"^csrr\w* \w+, (sepc|scause|sscratch)"),
         ("exit", r"^sret|^csrw (sepc|sscratch), \w+"),
         ("switch", r"^csrw satp, \w+|^sfence")],
        r"^wfi|^sret", "riscv_resume", firmware=(0x80000000, 0x80200000)),
}
ENTRY_CODE = re.compile(r"^(x86|arm64|riscv)_(enter|resume)")


def names():
    """The operations that there are."""
    return [operation["name"] for operation in tomllib.loads(TABLE.read_text())["operation"]]


class Failure(Exception):
    """Something that the person at the command line can understand."""


def arguments():
    machines = [arch for arch in PORTS if arch in run_qemu.MACHINES]
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Count instructions per operation on the emulated machine.",
        epilog="The exit status is 1 when --check finds an operation above its budget or without a figure.")
    parser.add_argument("arch", nargs="?", default="x86_64", choices=[*machines, "all", "native"], metavar="ARCH",
                        help=f"the machine: {', '.join(machines)} (default x86_64); all: totals and budgets of all, side by "
                        "side; native: the ring on this workstation, against others' rings, a pipe and a socket")
    parser.add_argument("--filter", type=re.compile, metavar="RE", help="only operations whose name matches")
    parser.add_argument("--check", nargs="?", const="budget", choices=["budget", "so-far"],
                        help="fail when an operation exceeds its budget; so-far: when one that is known to exceed it "
                        "exceeds also what it took so far, or does not any more")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--trace", metavar="OP", help="tell where the instructions of one iteration go, by function")
    parser.add_argument("--path", action="store_true", help="with --trace: in the order of execution instead")
    parser.add_argument("--growth", nargs="?", const="all", choices=["all", *GROWING], metavar="KIND",
                        help="count beside 10, 1,000 and 100,000 channels (connected), nodes, threads, handles; or of one")
    parser.add_argument("--sizes", action="store_true", help="tell the kernel's size and the memory that things take")
    parser.add_argument("--stay", nargs="?", const="bench", metavar="WHAT",
                        help="tell how long the kernel runs with interrupts off, and where: in the benchmark, the boot "
                        "tests on one CPU (boot, or boot:RE for some), or the commands given, which may be called by a name: "
                        f"{', '.join(BOUNDED)}")
    parser.add_argument("--build-dir", metavar="D", help="where to build")
    parser.add_argument("--no-build", action="store_true", help="measure what is already built")
    parser.add_argument("--stage", type=int, choices=range(4, 8), metavar="N",
                        help="what to build (default: the first stage that has the machine)")
    options = parser.parse_args()
    if options.stage is None:
        options.stage = run_qemu.MACHINES[options.arch].stage if options.arch in PORTS else 4
    return options


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command[:3]))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


# ---- what is measured ------------------------------------------------------------------------------------------------

class Image:
    """An ELF file: its symbols and, on demand, its instructions."""

    def __init__(self, path):
        self.path = path
        self.symbols = {}
        for line in run([llvm("nm"), path]).splitlines():
            address, _, name = line.split(None, 2)
            if not name.startswith(".L"):
                self.symbols.setdefault(int(address, 16), name)
        self.starts = sorted(self.symbols)
        self.by_name = {name: address for address, name in self.symbols.items()}
        self._text = None

    def function(self, address):
        """(name, its address) of the symbol before an address."""
        at = bisect.bisect_right(self.starts, address) - 1
        return (self.symbols[self.starts[at]], self.starts[at]) if at >= 0 else ("?", 0)

    def text(self):
        """The instructions by address."""
        if self._text is None:
            self._text = {}
            for line in run([llvm("objdump"), "-d", "--no-show-raw-insn", self.path]).splitlines():
                found = re.match(r"\s*([0-9a-f]+):\s+(.*)", line)
                if found:
                    self._text[int(found[1], 16)] = re.sub(r"\s+", " ", found[2].split("#")[0]).strip()
        return self._text


def llvm(tool):
    if not hasattr(llvm, "suffix"):
        llvm.suffix = run([ROOT / "scripts/setup", "--llvm-suffix"]).strip()
    return f"llvm-{tool}{llvm.suffix}"


def build_plugin(where):
    """The plugin, for the QEMU that is installed."""
    source = ROOT / "tests/bench/counter.c"
    plugin = where / "counter.so"
    if not plugin.exists() or plugin.stat().st_mtime < source.stat().st_mtime:
        release = int(re.search(r"version (\d+)", run(["qemu-system-x86_64", "--version"]))[1])
        where.mkdir(parents=True, exist_ok=True)
        new = plugin.with_suffix(f".{os.getpid()}")  # others may be about to build or use it
        run([f"clang{llvm('')[5:]}", "-std=c23", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared",
             "-fvisibility=hidden", f"-DPLUGIN_VERSION={1 if release < 9 else 2}", "-o", new, source])
        new.replace(plugin)
    return plugin


class Machine:
    """The built system, to be booted with the counter."""

    def __init__(self, options):
        self.arch = options.arch
        self.port = PORTS[options.arch]
        self.dir = pathlib.Path(options.build_dir or ROOT / "build" / f"{options.arch}-stage{options.stage}")
        if not options.no_build:
            run([ROOT / "scripts/build", options.arch, "--stage", str(options.stage), "--build-dir", self.dir])
        self.kernel = Image(self.dir / f"isthmus-{options.arch}")
        self.program = Image(self.dir / "tests/bench/bench")
        self.plugin = build_plugin(self.dir / "tests/bench")
        table = tomllib.loads(TABLE.read_text())["operation"]
        self.operations = [operation for operation in table if loops.has_loop(operation)]
        self.missing = [operation for operation in table if not loops.has_loop(operation)]

    def boot(self, commands, config=(), memory="128M", timeout=600, options=()):
        """Boot, run commands, and give their output and what the counter tells."""
        lines = [f"firmware {self.port.firmware[0]:x} {self.port.firmware[1]:x}"] if self.port.firmware else []
        lines += [f"mark {self.program.by_name['bench_mark']:x}",
                  f"resume {self.kernel.by_name[self.port.resume]:x}", *config]
        for operation in self.operations:
            lines.append(f"head {self.program.by_name['bench_head_' + loops.symbol(operation)]:x} {operation['name']}")
        with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as folder:
            work = pathlib.Path(folder)
            (work / "config").write_text("\n".join(lines) + "\n")
            plugin = f"{self.plugin},config={work / 'config'},out={work / 'out'}"
            output = run([ROOT / "scripts/run", self.arch, "--no-build", "--build-dir", self.dir, "--icount", *self.port.run,
                          *options, "--mem", memory, "--timeout", str(timeout), "--file", f"test/bench={self.program.path}",
                          "--qemu-arg=-plugin", f"--qemu-arg={plugin}", "-c", commands])
            return output, Counted(work / "out")

    def stays(self):
        """The lines of the counter's configuration that make it keep stays in the kernel."""
        leaves = [f"leave {address:x}" for address, text in self.kernel.text().items() if self.port.leave.search(text)]
        return [f"resume {self.kernel.by_name[self.port.resume]:x}", f"stay {STAY_KEPT}", *leaves]


class Counted:
    """What the plugin wrote."""

    def __init__(self, path):
        self.samples = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
        self.traces = []  # (kernel, user, addresses)
        self.stays = []   # (length, addresses)
        self.boot = None
        self.cpus = 0
        log = None
        with open(path, encoding="ascii") as file:
            for line in file:
                if log is not None and line[0] != ".":
                    log.append(int(line, 16))
                    continue
                word = line.split()
                log = None
                if word[0] == "sample":
                    self.samples[int(word[1])][word[2]][int(word[3]), int(word[4])] += int(word[5])
                elif word[0] == "trace":
                    log = array.array("Q")
                    self.traces.append((int(word[2]), int(word[3]), log))
                elif word[0] == "stay":
                    log = array.array("Q")
                    self.stays.append((int(word[1]), log))
                elif word[0] == "cpus":
                    self.cpus = int(word[1])
                elif word[0] == "boot":
                    self.boot = int(word[1])

    def measured(self):
        """The samples of each measurement by head: of every other run, between two marks; the rest is warm-up."""
        return [self.samples[run] for run in sorted(self.samples) if run % 2 == 1]


# ---- figures ---------------------------------------------------------------------------------------------------------

def figures(machine, wanted):
    """A dict per operation that is wanted, in the table's order."""
    names = [operation["name"] for operation in machine.operations if wanted is None or wanted.search(operation["name"])]
    if not names:
        return [], None
    output, counted = machine.boot("/test/bench " + " ".join(names))
    runs = [line.split() for line in output.splitlines() if line.startswith("run ")]
    if [words[1] for words in runs] != names:
        raise Failure(f"the benchmark did not come to its end:\n{output}")
    operations = {operation["name"]: operation for operation in machine.operations}
    return [figure(machine, operations[words[1]], samples[words[1]], int(words[2]), int(words[3]))
            for words, samples in zip(runs, counted.measured(), strict=True)], counted


def figure(machine, operation, samples, iterations, counter):
    """The figures of one operation from its samples and the machine's own counter over all its iterations."""
    held = sum(samples.values())
    if held != ITERATIONS:
        raise Failure(f"{operation['name']}: {held} iterations were seen, not {ITERATIONS}")
    (kernel, user), often = max(samples.items(), key=lambda item: (item[1], -sum(item[0])))
    totals = [k + u for k, u in samples]
    mean = sum((k + u) * n for (k, u), n in samples.items()) / held
    per = operation.get("per", 1)
    arch = machine.arch
    return {
        "name": operation["name"], "title": operation["title"], "kernel": kernel / per, "user": user / per,
        "total": (kernel + user) / per, "share": often / held, "least": min(totals) / per, "most": max(totals) / per,
        "mean": mean / per, "counter": counter / iterations / per,
        "exact": operation.get("exact"), "budget": operation.get("budget", {}).get(arch),
        "so_far": operation.get("so_far", {}).get(arch),
        "sel4": operation.get("sel4", {}).get(arch), "linux": operation.get("linux", {}).get(arch),
    }


def number_text(value):
    return "" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def times(total, value):
    return "" if value is None else f"{value / total:.1f}x"


def print_table(rows):
    """Columns of text, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())


def print_figures(machine, rows, missing):
    table = [("instructions per operation", "kernel", "user", "total", "budget", "", "seL4", "", "Linux", "")]
    for row in rows:
        verdict = "" if row["budget"] is None else "met" if row["total"] <= row["budget"] else "OVER"
        table.append((row["title"], number_text(row["kernel"]), number_text(row["user"]), number_text(row["total"]),
                      number_text(row["budget"]), verdict, number_text(row["sel4"]), times(row["total"], row["sel4"]),
                      number_text(row["linux"]), times(row["total"], row["linux"])))
    for operation in missing:
        table.append((operation["title"], "", "", "none", number_text(operation["budget"].get(machine.arch)), "MISSING",
                      number_text(operation.get("sel4", {}).get(machine.arch)), "",
                      number_text(operation.get("linux", {}).get(machine.arch)), ""))
    print_table(table)
    if all(row["exact"] is not None for row in rows):
        return
    worst = max((row for row in rows if row["exact"] is None), key=lambda row: abs(row["mean"] - row["counter"]) / row["mean"])
    print(f"\nThe most frequent value of {ITERATIONS:,} iterations after {WARM:,}; it covers at least "
          f"{min(row['share'] for row in rows):.2%} of them. The {machine.port.counter} agrees with the mean to "
          f"{abs(worst['mean'] - worst['counter']) / worst['mean']:.3%} ({worst['name']}).")


def complaints(rows):
    """What is wrong with the figures themselves."""
    for row in rows:
        if row["exact"] is not None and row["total"] != row["exact"]:
            yield f"{row['name']}: {number_text(row['total'])} counted where {row['exact']} are executed: the counter is wrong"
        # The counter also sees the way into the loop and out of it, once.
        if abs(row["mean"] - row["counter"]) > max(COUNTER_TOLERANCE * row["mean"], 1):
            yield f"{row['name']}: {row['mean']:.2f} counted, {row['counter']:.2f} by the machine's own counter"


def over_budget(rows, against):
    for row in rows:
        total, budget, so_far = number_text(row["total"]), row["budget"], row["so_far"]
        if budget is None:
            continue
        if against == "budget" or so_far is None:
            if row["total"] > budget:
                yield f"{row['name']}: {total} instructions, budget {budget}"
        elif row["total"] > so_far:
            yield f"{row['name']}: {total} instructions, {so_far} so far (budget {budget})"
        elif row["total"] <= budget:
            yield f"{row['name']}: {total} instructions, within its budget of {budget}: take so_far out of operations.toml"


def side_by_side(options):
    """One line an operation, for each machine its total and what it may take."""
    lines, wrong = {}, []
    arches = [arch for arch in PORTS if arch in run_qemu.MACHINES]
    for column, arch in enumerate(arches):
        machine = Machine(argparse.Namespace(**vars(options) | {"arch": arch, "stage": run_qemu.MACHINES[arch].stage}))
        rows, _ = figures(machine, options.filter)
        wrong += [f"{arch}: {complaint}" for complaint in complaints(rows)]
        wrong += [f"{arch}: {complaint}" for complaint in over_budget(rows, options.check)] if options.check else []
        for row in rows:
            line = lines.setdefault(row["title"], [("", "", "")] * len(arches))
            verdict = "" if row["budget"] is None else "met" if row["total"] <= row["budget"] else "OVER"
            line[column] = (number_text(row["total"]), number_text(row["budget"]), verdict)
    header = ["instructions per operation (total, budget)"]
    for arch in arches:
        header += [arch, "", ""]
    print_table([header, *([title, *(cell for cells in line for cell in cells)] for title, line in lines.items())])
    return wrong


def tell(wrong):
    for complaint in wrong:
        print(f"scripts/bench: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


# ---- growth and sizes ------------------------------------------------------------------------------------------------

def print_growth(machine, kinds, wanted):
    """The same operations beside more and more of a kind. How many get more expensive than wanted."""
    operations = {operation["name"]: operation for operation in machine.operations}
    names = [name for name in operations if wanted is None or wanted.search(name)]
    over = 0
    for kind in kinds:
        output, counted = machine.boot(f"/test/bench -g {kind} {' '.join(names)} && tail -n 1 /kern/mem/stats/pages",
                                       memory="1G", timeout=1200)
        found = {}
        runs = [line.split() for line in output.splitlines() if line.startswith("run ")]
        for words, samples in zip(runs, counted.measured(), strict=True):
            row = figure(machine, operations[words[1]], samples[words[1]], int(words[2]), int(words[3]))
            found.setdefault(words[1], {})[int(words[4])] = row["total"]
        sizes = sorted({size for totals in found.values() for size in totals})
        used = int(output.splitlines()[-1].split()[2]) * 4096
        table = [(f"beside so many {GROWING[kind]}", *(f"{size:,}" for size in sizes), "ratio", "")]
        for name, totals in found.items():
            ratio = max(totals.values()) / min(totals.values())
            over += ratio > GROWTH_WANTED
            table.append((operations[name]["title"], *(number_text(totals[size]) for size in sizes), f"{ratio:.3f}",
                          "GROWS" if ratio > GROWTH_WANTED else ""))
        print_table(table)
        print(f"(memory in use at the end: {used >> 20} MiB)\n", flush=True)
    return 1 if over else 0


def print_sizes(machine):
    sections = {}
    for line in run([llvm("size"), "-A", machine.kernel.path]).splitlines():
        word = line.split()
        if len(word) == 3 and word[0].startswith(".") and not word[0].startswith(".debug") and word[1].isdigit():
            sections[word[0]] = int(word[1])
    table = [("the kernel's image", "bytes")]
    table += [(name, f"{size:,}") for name, size in sections.items() if size > 0 and not name.startswith(
        (".comment", ".symtab", ".strtab", ".shstrtab"))]
    output, _ = machine.boot("\n".join(["cat /kern/mem/stats/pages", *(f"/test/bench -z {kind}" for kind in SIZED)]),
                             memory="512M")
    lines = output.splitlines()
    pages = dict(zip(lines[0].split(), map(int, lines[1].split()), strict=True))
    table += [("", ""), ("memory in use", "bytes"),
              ("idle: init and a shell, the initial files, tables of 512 MiB", f"{pages['used'] * 4096:,}")]
    for line in lines:
        if line.startswith("size "):
            _, kind, size = line.split()
            table.append((f"one of 10,000 {kind}", f"{int(size):,}"))
    print_table(table)
    return 0


# ---- the ring on this workstation ------------------------------------------------------------------------------------

def native(options):
    """Medians of one run, and their ratios to the ring's."""
    where = pathlib.Path(options.build_dir or ROOT / "build" / f"host-stage{options.stage}")
    if not options.no_build:
        run([ROOT / "scripts/build", "host", "--stage", str(options.stage), "--build-dir", where])
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as folder:
        program = pathlib.Path(folder) / "native"
        run([f"clang{llvm('')[5:]}", "-std=c23", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O2", "-pthread",
             *(f"-I{path}" for path in (ROOT, ROOT / "lib", where / "abi/include")), "-o", program,
             ROOT / "tests/bench/native.c", ROOT / "ipc/ring.c"])
        rows = [line.split() for line in run([program]).splitlines()]
    times = {(what, who): float(value) for what, who, value in rows}
    if options.json:
        print(json.dumps([{"measurement": what, "contestant": who, "nanoseconds": value, "ratio": value /
                           times[what, "isthmus-ring"]} for (what, who), value in times.items()], indent=1))
        return 0
    contestants = list(dict.fromkeys(who for _, who in times))
    table = [("256-byte messages, nanoseconds each (ratio)", *contestants)]
    for what in dict.fromkeys(what for what, _ in times):
        table.append((what, *(f"{times[what, who]:.1f} ({times[what, who] / times[what, 'isthmus-ring']:.2f})"
                              for who in contestants)))
    print_table(table)
    return 0


# ---- where they go ---------------------------------------------------------------------------------------------------

def floor_of(machine, addresses):
    """How many instructions of each kind of the floor are among the addresses."""
    found = collections.Counter()
    text = machine.kernel.text()
    for address in addresses:
        if address < 1 << 63:
            continue
        name, _ = machine.kernel.function(address)
        for kind, pattern in machine.port.floor:
            if (kind == "switch" or ENTRY_CODE.match(name)) and pattern.search(text.get(address, "")):
                found[kind] += 1
                break
    return found


def where(machine, address):
    """The function that an address belongs to."""
    if address >> 63:
        return machine.kernel.function(address)[0]
    name = machine.program.function(address)[0]
    return "user: partner" if name.startswith("bench_partner") else "user: client"


def trace(machine, name, in_order):
    if name not in {operation["name"] for operation in machine.operations}:
        raise Failure(f"no operation is called '{name}'; there are: "
                      + " ".join(operation["name"] for operation in machine.operations))
    _, counted = machine.boot(f"/test/bench {name}", [f"trace {name} {ITERATIONS // 2} {TRACED}"])
    ((samples,),) = [heads.values() for heads in counted.measured()]
    usual, _ = max(samples.items(), key=lambda item: item[1])
    kernel, user, addresses = min(counted.traces, key=lambda traced: abs(traced[0] + traced[1] - sum(usual)))
    if (kernel, user) != usual:
        print(f"of the {TRACED} iterations traced the one most like the usual one, which has {sum(usual)} instructions:\n")
    places = [where(machine, address) for address in addresses]
    if in_order:
        print_path(places)
    else:
        rows = [("where", "instructions")]
        rows += [(place, str(count)) for place, count in collections.Counter(places).most_common()]
        print_table([*rows, ("in all", str(len(places)))])
    floor = floor_of(machine, addresses)
    traps = sum(places[i].startswith("user:") and not places[i + 1].startswith("user:") for i in range(len(places) - 1))
    total = traps + sum(floor.values())
    print(f"\nfloor: {total} = {traps} traps + " + " + ".join(f"{floor[kind]} {kind}" for kind, _ in machine.port.floor)
          + f"; the other {len(places) - total} are the operation's")


# ---- how long interrupts stay off ------------------------------------------------------------------------------------

class Calls:
    """Who called whom in a log of addresses: instructions by path, and below each path."""

    def __init__(self, kernel, log):
        self.below = collections.Counter()
        self.children = collections.defaultdict(set)
        stack = []
        for address in log:
            name, start = kernel.function(address)
            if not stack or stack[-1] != name:
                if address == start or name not in stack:  # called, or jumped to
                    stack.append(name)
                else:                                      # returned to
                    while stack[-1] != name:
                        stack.pop()
                stack = stack[:64]
            for depth in range(1, len(stack) + 1):
                path = tuple(stack[:depth])
                self.below[path] += 1
                self.children[path[:-1]].add(path)

    def hot_path(self, least=0.5):
        """From the entry down, as long as one callee has most of the instructions: [(name, instructions)]."""
        path, found = (), []
        while self.children[path]:
            path = max(self.children[path], key=lambda child: self.below[child])
            if found and self.below[path] < least * found[0][1]:
                break
            found.append((path[-1], self.below[path]))
        return found


def stay_rows(machine, stays):
    """The stays, longest first, one for each path: (instructions, path)."""
    longest = {}
    for length, log in stays:
        path = Calls(machine.kernel, log).hot_path()
        key = " > ".join(name for name, _ in path)
        longest[key] = max(longest.get(key, 0), length)
    return sorted(((length, path) for path, length in longest.items()), reverse=True)


def measure_stays(machine, what):
    """Run the benchmark, the boot tests (boot, boot:RE), or commands of a shell, those of a name in BOUNDED too."""
    if what == "bench":
        return machine.boot("/test/bench", machine.stays())[1].stays
    if not what.startswith("boot"):
        return machine.boot(BOUNDED.get(what, what), machine.stays(), options=["--with-tests"])[1].stays
    with tempfile.TemporaryDirectory(prefix="isthmus-stay-") as folder:
        work = pathlib.Path(folder)
        (work / "config").write_text("\n".join(machine.stays()) + "\n")
        (work / "out").mkdir()
        environment = os.environ | {
            "ISTHMUS_QEMU_ARGS": f"-plugin {machine.plugin},config={work / 'config'},out={work / 'out'}/"}
        done = subprocess.run([sys.executable, ROOT / "tests/boot/run.py", "--build-dir", machine.dir, "--filter",
                               what[5:] or "."], env=environment, stdout=sys.stderr)
        if done.returncode != 0:
            print("scripts/bench: some boot tests failed with the counter", file=sys.stderr)
        # With several CPUs, one that waits for another executes as much as this workstation's scheduler lets it.
        machines = [counted for counted in map(Counted, sorted((work / "out").iterdir())) if counted.cpus == 1]
        return [stay for counted in machines for stay in counted.stays]


def print_stays(machine, what):
    rows = stay_rows(machine, measure_stays(machine, what))
    print(f"Longest stays in the kernel with interrupts off (wanted: {STAY_TARGET:,} instructions at most), and where most "
          "of them is spent:\n")
    for length, path in rows[:20]:
        print(f"{length:>9,}  {path}")
    if not rows:
        raise Failure("no stay was seen")
    return 0 if rows[0][0] <= STAY_TARGET else 1


def print_path(places):
    begin = 0
    for i in range(1, len(places) + 1):
        if i == len(places) or places[i] != places[begin]:
            print(f"{i - begin:5}  {places[begin]}")
            begin = i


def main():
    options = arguments()
    try:
        if options.arch == "native":
            return native(options)
        if options.arch == "all":
            return tell(side_by_side(options))
        machine = Machine(options)
        if options.trace:
            trace(machine, options.trace, options.path)
            return 0
        if options.sizes:
            return print_sizes(machine)
        if options.growth:
            return print_growth(machine, GROWING if options.growth == "all" else [options.growth], options.filter)
        if options.stay:
            return print_stays(machine, options.stay)
        rows, counted = figures(machine, options.filter)
        missing = [operation for operation in machine.missing
                   if options.filter is None or options.filter.search(operation["name"])]
        wrong = list(complaints(rows))
        if options.json:
            print(json.dumps({"arch": machine.arch, "boot": counted and counted.boot, "operations": rows}, indent=1))
        else:
            print_figures(machine, rows, missing)
        if options.check:
            wrong += [*over_budget(rows, options.check), *(f"{operation['name']}: has a budget and no figure" for operation in missing)]
        return tell(wrong)
    except Failure as failure:
        print(f"scripts/bench: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
