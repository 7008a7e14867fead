#!/usr/bin/env python3
"""Check the Promela models of one protocol exhaustively with spin, and show that each mutant of it is caught.

usage: run.py MODEL.pml

A model without a mutation must have no error, nor with -DNAME=1 for each VARIANT that its opening comment lists; with
-DMUTATION=n (n as listed there) it must have one, in some variant, or the model could not see the fault that it exists to
exclude. The opening comment also says which code it mirrors, as `name (file)` or `name, name and name (file)`: each of
those must still be there. Prints TAP.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPTH = "-m1000000"
COMPILER = os.environ.get("CC", "cc")  # also as spin's preprocessor: spin would run gcc


def check(model, defines, directory):
    """The number of errors that an exhaustive search finds."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    subprocess.run(["spin", f"-P{COMPILER} -E -x c", *defines, "-a", model], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    # Not optimised: that takes longer than it saves in all searches but the longest.
    subprocess.run([COMPILER, "-O0", "-o", "pan", "pan.c"], cwd=directory, check=True, stderr=subprocess.DEVNULL)
    output = subprocess.run(["./pan", DEPTH], cwd=directory, check=True, capture_output=True, text=True).stdout
    if "max search depth too small" in output or "out of memory" in output:
        raise RuntimeError(f"{model.name} {' '.join(defines)}: the search was not exhaustive:\n{output}")
    return int(re.search(r"errors: (\d+)", output).group(1)), int(re.search(r"(\d+) states, stored", output).group(1))


def cited(comment):
    """(function, file) of what the model says it mirrors."""
    text = " ".join(line.strip(" *") for line in comment.splitlines())
    sentence = re.search(r"Mirrors (.*?\.[ch]\))\.", text).group(1)
    for names, path in re.findall(r"([\w, ]+?) \(([\w/]+\.[ch])\)", sentence):
        for name in re.split(r", | and ", names.strip(", ")):
            if name and name != "and":
                yield name.strip(), path


def main():
    model = Path(sys.argv[1]).resolve()
    comment = re.search(r"/\*.*?\*/", model.read_text(), re.S).group(0)
    mutants = re.findall(r"MUTATION (\d+)\s+(.*)", comment)
    variants = [[]] + [[f"-D{name}=1"] for name in re.findall(r"VARIANT (\w+)", comment)]
    number, failed = 0, False

    def say(good, what):
        nonlocal number, failed
        number += 1
        failed = failed or not good
        print(f"{'ok' if good else 'not ok'} {number} - {what}", flush=True)

    print(f"1..{1 + len(variants) + len(mutants)}")
    missing = [f"{name} ({path})" for name, path in cited(comment)
               if not re.search(rf"\b{name}\(", (ROOT / path).read_text())]
    say(not missing, "mirrors code that is there" + "".join(f"; gone: {m}" for m in missing))
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary) / "work"
        for variant in variants:
            errors, states = check(model, variant, work)
            say(errors == 0, f"holds in all {states} states {' '.join(variant)}".rstrip())
        for mutation, what in mutants:
            caught = any(check(model, [f"-DMUTATION={mutation}", *variant], work)[0] > 0 for variant in variants)
            say(caught, f"mutant {mutation} is caught: {what}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
