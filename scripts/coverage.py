#!/usr/bin/env python3
"""Tell which branches of ipc/ and kfs/ the suites on the workstation do not take.

usage: scripts/test --coverage [--stage N]     (or scripts/coverage.py [--stage N])

Builds the host port and its suites with clang's source-based coverage in build/coverage-stageN, runs them, and prints for
each file how many of its branches were taken, then every condition that came out only one way, or never. Assertions
(KASSERT) are left out: their failing side is a kernel bug, which no test may provoke. So are the branches that
tests/coverage-excused.txt names, with the reason why no test can take them; an entry that names no branch, or one that is
taken after all, is as wrong as a branch that is not taken and not excused: the exit status is 1. scripts/test does the same
as its test coverage/branches.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import spent  # noqa: E402  the module beside this one

FOLDERS = ("ipc", "kfs")
EXCUSED = ROOT / "tests/coverage-excused.txt"


def run(command, **options):
    done = spent.run(f"coverage: {' '.join(map(str, command[:2]))}", command, merged=True, **options)
    return done.status, done.output


def demand(command, **options):
    status, text = run(command, **options)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {status}\n{text}")
    return text


def build(stage):
    """(build folder, {suite: program}): the suites that contain something of the folders in question, built."""
    where = ROOT / "build" / f"coverage-stage{stage}"
    if not (where / "build.ninja").exists():
        demand(["meson", "setup", "--native-file", ROOT / "cross/host.ini", f"-Dstage={stage}", "-Dcoverage=true", where,
                ROOT])
    demand(["ninja", "-C", where, "--quiet", "build.ninja"])
    suites = {}
    for test in json.loads(demand(["meson", "introspect", "--tests", where])):
        program = os.path.relpath(test["cmd"][0], where)
        if program.startswith(".."):
            continue
        inputs = demand(["ninja", "-C", where, "-t", "inputs", program]).split()
        sources = [os.path.relpath(where / path, ROOT) for path in inputs if path.endswith(".c")]
        if any(os.path.dirname(source) in FOLDERS for source in sources):
            suites[test["name"]] = program
    demand(["ninja", "-C", where, "--quiet", *suites.values()])
    return where, suites


def run_suites(where, suites):
    profiles = where / "profiles"
    profiles.mkdir(exist_ok=True)
    for old in profiles.glob("*.profraw"):
        old.unlink()
    environment = dict(os.environ, LLVM_PROFILE_FILE=str(profiles / "%m-%p.profraw"))
    status, text = run(["meson", "test", "-C", where, "--no-rebuild", "--timeout-multiplier", "4", *suites],
                       env=environment)
    if status != 0:
        raise SystemExit(f"{text}\nscripts/coverage.py: suites failed; their coverage means nothing")
    return profiles


def suffix():
    return demand([ROOT / "scripts/setup", "--llvm-suffix"]).strip()


def branches(where, suites, profiles):
    """{file: {place, its line first: {0: times it held, 1: times it did not}}} for the folders in question."""
    llvm = suffix()
    listing = where / "profiles.txt"
    listing.write_text("".join(f"{path}\n" for path in sorted(profiles.glob("*.profraw"))))
    merged = where / "merged.profdata"
    demand([f"llvm-profdata{llvm}", "merge", "--sparse", "--failure-mode=all", f"--input-files={listing}", "-o", merged])
    programs = sorted(where / program for program in suites.values())
    objects = [part for path in programs[1:] for part in ("-object", path)]
    export = [f"llvm-cov{llvm}", "export", f"-instr-profile={merged}", programs[0], *objects]

    def in_question(path):
        name = re.sub(r".*?((?:%s)/[^/]+\.[ch])$" % "|".join(FOLDERS), r"\1", os.path.normpath(path))
        return name if name.split("/")[0] in FOLDERS and (ROOT / name).is_file() else None

    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    file = None
    for line in demand([*export, "-format=lcov"]).splitlines():
        if line.startswith("SF:"):
            file = in_question(line[3:])
            file = None if file is None or file.endswith(".h") else file
        elif line.startswith("BRDA:") and file is not None:
            number, block, branch, taken = line[5:].split(",")
            sides = found[file][(int(number), int(block), int(branch) // 2)]
            side = int(branch) % 2
            sides[side] = sides.get(side, 0) + (0 if taken == "-" else int(taken))
    # What a header defines is in many objects, and one branch all the same: told apart by where it stands.
    text = demand([*export, "-format=text"])
    for entry in json.loads(text[text.index("{\"data\""):])["data"][0]["files"]:  # behind warnings
        file = in_question(entry["filename"])
        for number, *place, true, false, _, _, _ in entry["branches"] if file is not None and file.endswith(".h") else ():
            sides = found[file][(number, 0, tuple(place))]
            sides[0], sides[1] = sides.get(0, 0) + true, sides.get(1, 0) + false
    return found


def is_assertion(file, number, cache={}):
    lines = cache.setdefault(file, (ROOT / file).read_text().splitlines())
    return "KASSERT" in lines[number - 1] or (number > 1 and "KASSERT" in lines[number - 2]
                                               and not lines[number - 2].rstrip().endswith(";"))


def source(file, number, cache={}):
    lines = cache.setdefault(file, (ROOT / file).read_text().splitlines())
    return " ".join(lines[number - 1].split())


def read_excused():
    """[(file, text of the source, reason)]; a line is FILE: TEXT: reason, where TEXT stands in the branch's line."""
    entries = []
    for number, line in enumerate(EXCUSED.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+): (.*?): ([^:]*)", line)
        if match is None:
            raise SystemExit(f"{EXCUSED.name}:{number}: not FILE: TEXT: reason")
        entries.append(match.groups())
    return entries


def excuse_for(entries, file, number):
    for entry in entries:
        if entry[0] == file and entry[1] in source(file, number):
            return entry
    return None


def measure(stage):
    """(what to print, complaints): the count of each file; uncovered branches that nobody excuses, and stale excuses."""
    where, suites = build(stage)
    found = branches(where, suites, run_suites(where, suites))
    all_taken = all_there = 0
    lines, missing = [], []
    entries = read_excused()
    excused = set()
    named = set()
    for file in sorted(found):
        taken = there = 0
        for (number, _, _), sides in sorted(found[file].items()):
            if is_assertion(file, number):
                continue
            whole = all(sides.get(side, 0) > 0 for side in (0, 1))
            entry = excuse_for(entries, file, number)
            if entry is not None:
                named.add(entry)
                if not whole:
                    excused.add(entry)
                    continue
            there += 2
            taken += sum(1 for side in (0, 1) if sides.get(side, 0) > 0)
            if not whole:
                what = ("never comes here" if not any(sides.values()) else
                        "never holds" if sides.get(0, 0) == 0 else "always holds")
                missing.append(f"{file}:{number}: {what}: {source(file, number)}")
        lines.append(f"{file:28} {taken:4} of {there:4} branches")
        all_taken += taken
        all_there += there
    lines.append(f"{all_taken} of {all_there} branches of {' and '.join(FOLDERS)}: "
                 f"{100 * all_taken / max(all_there, 1):.1f} %, {len(excused)} excused")
    for entry in entries:
        if entry not in excused:
            why = "taken after all" if entry in named else "no such branch"
            missing.append(f"{EXCUSED.relative_to(ROOT)}: {entry[0]}: {entry[1]}: {why}")
    return "\n".join(lines), missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", type=int, default=4)
    options = parser.parse_args()
    text, complaints = measure(options.stage)
    print(text)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
