#!/usr/bin/env python3
"""Run every test there is for a stage.

Each test is a line "ok NAME" or "FAIL NAME" with what went wrong; the last line is "N passed, N failed". The exit status is 1
if anything failed. Tests are called after what they belong to:

  build/...   the builds for each machine and for the workstation, and that they are reproducible
  style/...   layering, formatting, clang-tidy, what the scripts and the README promise
  unit/...    the suites on the workstation, with the host port, under sanitizers
  coverage/...  that they take every branch of ipc/ and kfs/ that can be taken (scripts/coverage.py)
  boot/ARCH/...   the real image in QEMU
  bench/ARCH/...  instructions per operation: within their budgets, or no worse than so far; and stay_NAME, that no stay
                  in the kernel with interrupts off is longer than wanted in what the name stands for
  long/...    with --long: the property suites of Properties 1 and 2, 100,000,000 operations in all
"""

import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import resource
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/boot")]
import bench as bench_tool  # noqa: E402
import check_layers  # noqa: E402
import coverage  # noqa: E402  scripts/coverage.py
import run as boot_tests  # noqa: E402  tests/boot/run.py
import run_qemu  # noqa: E402
import spent  # noqa: E402
from machine import Target  # noqa: E402  tests/boot/machine.py

TAP = re.compile(r"^(not )?ok\b\s*(?:\d+\s*)?(?:- )?(?P<name>[\w:.-]+)?(?P<rest>.*)$")
UNITTEST = re.compile(r"^(?P<name>\w+) \(.*\)(?:\n.*)? \.\.\. (?P<result>ok|FAIL|ERROR|skipped.*)$", re.MULTILINE)
LONGEST = 1000  # seconds; of what is to begin before all boots
# The long run: how many operations each property of a suite makes; the ring's suite has two. The first four are modules
# over fakes, the others the whole core on the host port. A conversation (host-talk) counts as one operation.
LONG = {
    "ipc/test/ipc-channel-test": 20_000_000,
    "ipc/test/ipc-notifier-test": 18_000_000,
    "ipc/test/ipc-queue-test": 5_000_000,
    "ipc/test/ipc-ring-test": 5_000_000,
    "tests/host-world-test": 25_000_000,
    "tests/host-notify-test": 21_000_000,
    "tests/host-waits-test": 1_000_000,
    "tests/host-talk-test": 40_000,
}


class Report:
    """Counts and prints results."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.passed = 0
        self.failed = []

    def wanted(self, name):
        return self.pattern is None or self.pattern.search(name) is not None

    def __call__(self, name, complaint=None):
        if complaint is None:
            self.passed += 1
            print(f"ok   {name}", flush=True)
        else:
            self.failed.append(name)
            print(f"FAIL {name}\n{indent(complaint)}", flush=True)


def indent(text):
    return "\n".join("     " + line for line in text.rstrip().splitlines())


def run(command, what=None, **options):
    """Run a command: (status, everything it printed). `what` is what --slowest calls it."""
    done = spent.run(what or pathlib.Path(command[0]).name, command, merged=True, **options)
    return done.status, done.output


def tree_files():
    """Files of the tree that are, or are about to be, under version control."""
    status, text = run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"])
    if status != 0:
        raise SystemExit(f"scripts/test: git ls-files failed: {text}")
    return [pathlib.Path(line) for line in sorted(set(text.splitlines())) if (ROOT / line).is_file()]


def sources():
    return [path for path in tree_files() if path.suffix in (".c", ".h")]


def llvm_tool(name):
    suffix = run([ROOT / "scripts/setup", "--llvm-suffix"])[1].strip()
    return name + suffix


def build_dir(arch, stage):
    return ROOT / "build" / f"{arch}-stage{stage}"


def build(report, arch, stage):
    status, text = run([ROOT / "scripts/build", arch, "--stage", str(stage)], f"build/{arch}")
    report(f"build/{arch}", None if status == 0 else text)
    return status == 0


def images(where, arch):
    found = [f"isthmus-{arch}", f"user/isthmus-{arch}.cpio"]
    found += [name for name in (f"isthmus-{arch}.img",) if (where / name).exists()]
    return {name: where / name for name in found}


def build_reproducible(report, arch, stage):
    """A copy of the tree, elsewhere, with a path of another length, gives the same bytes."""
    name = f"build/{arch}_reproducible"
    if not report.wanted(name):
        return
    with tempfile.TemporaryDirectory(prefix="isthmus-somewhere-else-") as folder:
        copy = pathlib.Path(folder) / "a" / "copy"
        for path in tree_files():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, copy / path)
        status, text = run([copy / "scripts/build", arch, "--stage", str(stage)], name)
        if status != 0:
            report(name, text)
            return
        here = images(build_dir(arch, stage), arch)
        there = images(copy / "build" / f"{arch}-stage{stage}", arch)
        different = [file for file in here if here[file].read_bytes() != there[file].read_bytes()]
        report(name, f"two builds differ: {', '.join(different)}" if different else None)


def style_layers(report):
    complaints = check_layers.check(ROOT)
    report("style/layers", "\n".join(complaints) if complaints else None)


def style_format(report):
    tool = llvm_tool("clang-format")
    status, text = run([tool, "--dry-run", "-Werror", *sources()], "style/format", cwd=ROOT)
    wrong = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error: code should be", text, re.MULTILINE)))
    complaint = None if status == 0 else f"run {tool} -i on: " + " ".join(wrong) if wrong else text
    report("style/format", complaint)


def style_tidy(report, arches, stage):
    """clang-tidy over every file that some build compiles, with the flags of that build."""
    tool = llvm_tool("clang-tidy")
    jobs = {}
    for arch in ("host", *arches):
        where = build_dir(arch, stage)
        for entry in json.loads((where / "compile_commands.json").read_text()):
            path = pathlib.Path(entry["directory"], entry["file"]).resolve()
            if path.suffix == ".c" and path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
                jobs[path] = where  # the machine's flags win
    complaints = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # Following every path through a test takes longer than all tests together, and finds what they do on purpose.
        light = {path for path in jobs if path.is_relative_to(ROOT / "tests") or "test" in path.parent.name}
        commands = [[tool, "--quiet", *(["--checks=-clang-analyzer-*"] if path in light else []), "-p", where, path]
                    for path, where in sorted(jobs.items())]
        names = [f"style/tidy of {path.relative_to(ROOT)}" for path in sorted(jobs)]
        for (status, text), path in zip(pool.map(run, commands, names), sorted(jobs)):
            if status != 0:
                lines = [line for line in text.splitlines() if re.search(r": (error|fatal error):", line)]
                complaints.update(dict.fromkeys(lines or [f"{path}: {text}"]))
    report("style/tidy", "\n".join(complaints) if complaints else None)


def style_machine_paths(report):
    """Nothing under version control names a path of one workstation."""
    pattern = re.compile(r"(?<![\w./])/(home|root|Users)/\w+/")
    found = []
    for path in tree_files():
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        found += [f"{path}: {match[0]}" for match in pattern.finditer(text)]
    report("style/machine_paths", "\n".join(found) if found else None)


def style_readme(report):
    """Every path of this tree that the README names is there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    outside_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[A-Z]{4,})`", outside_blocks)
    missing = [path for path in named if not (ROOT / path).exists()]
    report("style/readme", f"not in the tree: {', '.join(missing)}" if missing else None)


def unit_results(name, entry):
    """(test name, complaint or None) of one entry of meson's log: of each test in it, if it tells them apart."""
    output = entry.get("stdout", "") + entry.get("stderr", "")
    failed = entry["result"] not in ("OK", "EXPECTEDFAIL", "SKIP")
    found = []
    for line in output.splitlines():
        match = TAP.match(line)
        if match and match["name"] and "# SKIP" not in line:
            test = match["name"].split("::")[-1]
            found.append((f"unit/{name}/{test}", output if match[1] else None))
    for match in UNITTEST.finditer(output):
        if not match["result"].startswith("skipped"):
            found.append((f"unit/{name}/{match['name']}", None if match["result"] == "ok" else output))
    if failed and all(complaint is None for _, complaint in found):
        found.append((f"unit/{name}", f"{entry['result']}\n{output}"))
    elif not found:
        found.append((f"unit/{name}", None))
    return found


def unit(report, stage, environment):
    where = build_dir("host", stage)
    status, text = run(["meson", "introspect", "--tests", where])
    tests = [test for test in json.loads(text)] if status == 0 else []
    suites = {f"stage{number}" for number in range(4, stage + 1)}
    names = [test["name"] for test in tests
             if suites & {suite.split(":")[-1] for suite in test["suite"]} and report.wanted(f"unit/{test['name']}")]
    if not names:
        # The pattern may name one test inside a suite; then all suites run, and only that test counts.
        elsewhere = report.pattern and re.match(r"\^?(build|style|coverage|boot|bench|long)\b", report.pattern.pattern)
        names = [test["name"] for test in tests] if report.pattern and not elsewhere else []
    if not names:
        return
    log = where / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    _, text = run(["meson", "test", "-C", where, "--no-rebuild", *names], "unit", env=environment)
    if not log.exists():
        report("unit", text)
        return
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        name = entry["name"].split(" / ")[-1].split(":")[-1].strip()
        for test, complaint in unit_results(name, entry):
            if report.wanted(test):
                report(test, complaint)


def long_run(report, stage, environment):
    """The same properties as in the unit suites, far beyond their usual number of cases. Returns operations made."""
    made = 0
    for suite, operations in LONG.items():
        name = f"long/{suite.split('/')[-1].removesuffix('-test')}"
        if not report.wanted(name):
            continue
        status, text = run([build_dir("host", stage) / suite, "-j1"],
                           name, env=environment | {"ISTHMUS_OPERATIONS": str(operations)})
        found = [int(count) for count in re.findall(r"^# property .*: (\d+) operations in \d+ cases$", text, re.MULTILINE)]
        made += sum(found)
        short = not found or min(found) < operations
        report(name, text if status != 0 or short else None)
    return made


def coverage_branches(report, stage):
    try:
        text, complaints = coverage.measure(stage)
    except SystemExit as failure:
        report("coverage/branches", str(failure))
        return
    report("coverage/branches", "\n".join([text.splitlines()[-1], *complaints]) if complaints else None)


def benches(arch, stage, wanted):
    """What tests/boot/run.py calls a job, or none: each operation is within its budget or as far from it as is known, and
    the counter agrees with the machine's own."""
    names = [name for name in bench_tool.names() if wanted(f"bench/{arch}/{name}")]

    def count():
        status, text = run([ROOT / "scripts/bench", arch, "--no-build", "--build-dir", build_dir(arch, stage),
                            "--check=so-far", "--filter", rf"^({'|'.join(names)})$"], f"bench/{arch}")
        complaints = dict(re.findall(r"^scripts/bench: ([\w-]+): (.*)", text, re.MULTILINE))
        return [(f"bench/{arch}/{name}", complaints.get(name) if status == 0 or complaints else text) for name in names]

    def stay(what):
        name = f"bench/{arch}/stay_{what}"
        status, text = run([ROOT / "scripts/bench", arch, "--no-build", "--build-dir", build_dir(arch, stage), "--stay", what],
                           name)
        return [(name, text if status != 0 else None)]

    stays = [what for what in bench_tool.BOUNDED if wanted(f"bench/{arch}/stay_{what}")]
    return ([(LONGEST, count)] if names else []) + [(LONGEST, functools.partial(stay, what)) for what in stays]


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description="Run every test there is for a stage.")
    parser.add_argument("--stage", type=int, default=4, choices=range(4, 8), metavar="N", help="4 to 7 (default 4)")
    parser.add_argument("--seed", metavar="S", help="seed of the random tests (default: their own, which never changes)")
    parser.add_argument("--long", action="store_true", help="the long form of random tests too, as before a release")
    parser.add_argument("--quick", action="store_true", help="without boots, clang-tidy, coverage and the second build")
    parser.add_argument("--filter", type=re.compile, metavar="RE", help="only tests whose name this finds")
    parser.add_argument("--slowest", type=int, nargs="?", const=20, default=0, metavar="N",
                        help="tell at the end what took longest of the processor (20)")
    options = parser.parse_args()
    begun = time.monotonic()
    report = Report(options.filter)
    environment = dict(os.environ)
    if options.seed is not None:
        environment["ISTHMUS_SEED"] = options.seed
    os.environ.update(environment)

    # Every machine that the stage has.
    arches = [arch for arch, machine in run_qemu.MACHINES.items() if machine.stage <= options.stage]
    run([ROOT / "scripts/setup", "build", "test", *("run" if arch == "x86_64" else f"run-{arch}" for arch in arches)])
    built = [arch for arch in arches if build(report, arch, options.stage)]
    host_built = build(report, "host", options.stage)
    style = {"style/layers": style_layers, "style/format": style_format, "style/machine_paths": style_machine_paths,
             "style/readme": style_readme}
    for name, check in style.items():
        if report.wanted(name):
            check(report)
    if built == arches and host_built and not options.quick and report.wanted("style/tidy"):
        style_tidy(report, arches, options.stage)
    if host_built:
        unit(report, options.stage, environment)
    if host_built and not options.quick and report.wanted("coverage/branches"):
        coverage_branches(report, options.stage)
    jobs = []
    for arch in built if not options.quick else ():
        build_reproducible(report, arch, options.stage)
        jobs += boot_tests.boots(Target(arch, options.stage, str(build_dir(arch, options.stage))), report.wanted,
                                 options.long)
        jobs += benches(arch, options.stage, report.wanted)
    boot_tests.run(report, jobs)
    if host_built and options.long:
        print(f"(long run of the properties: {long_run(report, options.stage, environment)} operations)", flush=True)

    for line in spent.slowest(options.slowest):
        print(line)
    for name in report.failed:
        print(f"failed: {name}")
    own, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"({time.monotonic() - begun:.0f} seconds, "
          f"{own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime:.0f} of the processor)")
    print(f"{report.passed} passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
