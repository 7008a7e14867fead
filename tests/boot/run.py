#!/usr/bin/env python3
"""Run the boot tests on an image that is already built.

usage: run.py [--filter RE] [--long] [--build-dir D] [--jobs N] [--list]
"""

import argparse
import concurrent.futures
import importlib
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import machine  # noqa: E402

# The files that have cases, in the order in which they run.
FILES = ["entry", "tools", "shell", "terminal", "names", "messages", "conversations", "transcripts", "survival"]


def cases():
    found = [case for name in FILES for case in importlib.import_module(name).CASES]
    names = [case.name for case in found]
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise ValueError(f"two cases are called {', '.join(sorted(doubles))}")
    return found


def run(report, build_dir, wanted=None, long=False, jobs=None):
    """Run the cases whose name `wanted` finds; report(name, complaint or None) for each."""
    chosen = [case for case in cases() if (long or not case.long) and (wanted is None or wanted(f"boot/{case.name}"))]
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        futures = [pool.submit(machine.run_group, group, build_dir) for group in machine.boots(chosen)]
        for future in concurrent.futures.as_completed(futures):
            for case, complaint in future.result():
                report(f"boot/{case.name}", complaint)


def main():
    parser = argparse.ArgumentParser(description="Run the boot tests.")
    parser.add_argument("--filter", type=re.compile, metavar="RE")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--build-dir", default=str(HERE.parent.parent / "build/x86_64-stage4"), metavar="D")
    parser.add_argument("--jobs", type=int, metavar="N")
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

    run(report, options.build_dir, options.filter.search if options.filter else None, options.long, options.jobs)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
