#!/usr/bin/env python3
"""Run the boot tests on an image that is already built.

usage: run.py [ARCH] [--stage N] [--filter RE] [--long] [--build-dir D] [--jobs N] [--slowest [N]] [--list]
"""

import argparse
import concurrent.futures
import functools
import importlib
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "scripts")]
import machine  # noqa: E402
import run_qemu  # noqa: E402
import spent  # noqa: E402

# The files that have cases, in the order in which they run.
FILES = ["entry", "tools", "shell", "terminal", "console", "names", "messages", "conversations", "transcripts", "parity", "survival"]


def cases():
    found = [case for name in FILES for case in importlib.import_module(name).CASES]
    names = [case.name for case in found]
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise ValueError(f"two cases are called {', '.join(sorted(doubles))}")
    return found


def boots(target, wanted=None, long=False):
    """The boots that the cases take whose name `wanted` finds: [(seconds they may take, a function)]; the function boots
    and returns [(name, complaint or None)]."""
    chosen = [case for case in cases() if (long or not case.long) and (not case.only or target.arch in case.only)
              and (wanted is None or wanted(f"boot/{target.arch}/{case.name}"))]

    def boot(group):
        return [(f"boot/{target.arch}/{case.name}", complaint) for case, complaint in machine.run_group(group, target)]

    return [(sum(case.timeout for case in group), functools.partial(boot, group)) for group in machine.boots(chosen)]


def run(report, jobs, workers=None):
    """Do jobs such as boots() gives, those first that may take longest, and report(name, complaint or None) for each."""
    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        futures = [pool.submit(job) for _, job in sorted(jobs, key=lambda job: job[0], reverse=True)]
        for future in concurrent.futures.as_completed(futures):
            for name, complaint in future.result():
                report(name, complaint)


def main():
    parser = argparse.ArgumentParser(description="Run the boot tests.")
    parser.add_argument("arch", nargs="?", default="x86_64", choices=list(run_qemu.MACHINES), metavar="ARCH")
    parser.add_argument("--stage", type=int, metavar="N")
    parser.add_argument("--filter", type=re.compile, metavar="RE")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--build-dir", metavar="D")
    parser.add_argument("--jobs", type=int, metavar="N")
    parser.add_argument("--slowest", type=int, nargs="?", const=20, default=0, metavar="N", help="tell what took longest")
    parser.add_argument("--list", action="store_true", help="only tell the cases' names")
    options = parser.parse_args()
    if options.list:
        for case in cases():
            print(case.name)
        return 0
    counts = {True: 0, False: 0}

    def report(name, complaint):
        counts[complaint is None] += 1
        print(f"ok   {name}" if complaint is None else f"FAIL {name}\n{complaint}", flush=True)

    stage = options.stage or run_qemu.MACHINES[options.arch].stage
    target = machine.Target(options.arch, stage,
                            options.build_dir or str(machine.ROOT / f"build/{options.arch}-stage{stage}"))
    run(report, boots(target, options.filter.search if options.filter else None, options.long), options.jobs)
    for line in spent.slowest(options.slowest):
        print(line)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
