"""The namespace as a user meets it: every text file has the fields of its documentation, statistics add up at any moment,
channels are managed through their files."""

import re

from machine import ROOT, Case, table


def documented():
    """{path: names of its fields}, from kfs/doc."""
    found = {}
    for page in sorted((ROOT / "kfs/doc").glob("*.md")):
        for section in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            path = re.match(r"`(.*)`", section)[1]
            fields = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
            path = path.replace("/proc/PID/", "/proc/self/")
            if not path.startswith("/"):
                path = "/ipc/doc/" + path
            if fields and path != "/ipc/doc/events":  # reading that one waits for more
                found[path] = fields
    return found


def fields_as_documented(output):
    for part in output.split("@@ ")[1:]:
        path, _, text = part.partition("\n")
        lines = text.splitlines()
        if not lines or lines[0].split() != documented()[path]:
            return f"{path} begins with {lines[:1]}, and its documentation says {documented()[path]}"
        if path == "/kern/arch/features":  # values of several words
            continue
        for line in lines[1:]:
            if len(line.split()) != len(lines[0].split()):
                return f"{path}: not as many values as fields: {line}"
    return None if output.count("@@ ") == len(documented()) else "not all of them:\n" + output


def books_are_balanced(output):
    """Each pair of lines is one statistics file; messages flow meanwhile."""
    lines = output.splitlines()
    seen = set()
    for header, data in zip(lines, lines[1:]):
        if header.startswith("sent "):
            row = {name: int(value) for name, value in table(f"{header}\n{data}")[0].items()}
            if row["sent"] != row["received"] + row["queued"] + row["discarded"]:
                return f"does not add up: {row}"
            seen.add(row["sent"])
    return None if len(seen) > 5 else f"too little was going on: {sorted(seen)}"


EVERY_FILE = "mkchan /ipc/doc; " + "; ".join(f"echo '@@ {path}'; cat {path}" for path in documented()) + "; rm /ipc/doc"
LOOK = "cat /kern/ipc/stats/messages; cat /ipc/echo/stats; "

CASES = [
    Case("fields_are_those_of_the_documentation", EVERY_FILE, check=fields_as_documented),
    Case("books_add_up_at_any_moment", "echo-server & ping -n 20000 /ipc/echo > /dev/null & " + LOOK * 40,
         check=books_are_balanced, alone=True),
    Case("books_add_up_at_any_moment_on_four_cpus",
         "echo-server & ping -n 20000 /ipc/echo > /dev/null & ping -n 20000 /ipc/echo > /dev/null & " + LOOK * 12,
         check=books_are_balanced, machine=("--smp", "4"), alone=True, timeout=180),
    Case("registry_lists_channels", "mkchan -d 7 /ipc/reg1; mkchan /ipc/reg2; grep reg /kern/ipc/channels; rm /ipc/reg1 /ipc/reg2",
         matches=(r" /ipc/reg1 .* 7 ", r" /ipc/reg2 ")),
    Case("registry_forgets_channels", "mkchan /ipc/gone; rm /ipc/gone; grep -c gone /kern/ipc/channels", status=1, output="0\n"),
    Case("registry_follows_names_and_modes", "mkchan /ipc/m1; mv /ipc/m1 /ipc/m2; chmod 600 /ipc/m2; grep m2 /kern/ipc/channels; "
         "rm /ipc/m2", matches=(r" /ipc/m2 .* 0600 ",)),
    Case("channel_removed_by_its_ctl", "mkchan /ipc/ctl; write /ipc/ctl/ctl remove; ls /ipc/ctl", status=1,
         matches=(r"^ls: /ipc/ctl: no node",)),
    Case("channel_mode_set_by_its_ctl", "mkchan /ipc/mode; echo mode 0640 > /ipc/mode/ctl; ls -l /ipc; rm /ipc/mode",
         matches=(r"^crw-r----- .* mode$",)),
    Case("nonsense_for_ctl_refused", "mkchan /ipc/non; write /ipc/non/ctl frobnicate; echo $?; rm /ipc/non", matches=(r"^1$",)),
    Case("nothing_is_made_below_a_channel", "mkchan /ipc/below; mkdir /ipc/below/x; echo $?; mkchan /ipc/below/y; echo $?; "
         "rm /ipc/below", matches=(r"^mkdir: .*cannot be changed", r"^mkchan: .*cannot be changed")),
    Case("nothing_is_made_in_the_kernels_trees", "mkdir /kern/x; mkdir /proc/x; mkdir /dev/x; rm /kern/version; ls /kern/version",
         matches=(r"^mkdir: /kern/x: ", r"^mkdir: /proc/x: ", r"^mkdir: /dev/x: ", r"^rm: /kern/version: ")),
    Case("self_is_whoever_looks", "cat /proc/self/name | grep cat; cat /proc/self/status > /tmp/s1; cat /proc/self/status > /tmp/s2; "
         "rm /tmp/s1 /tmp/s2", matches=(r"^cat$",)),
    Case("path_of_a_link_in_a_long_way", "mkdir -p /tmp/w/a/b; ln -s ../../w/a /tmp/w/a/up; echo x > /tmp/w/a/f; "
         "cat /tmp/w/a/up/up/up/b/../f; rm -r /tmp/w", output="x\n"),
    Case("many_files_in_one_directory", "mkdir /tmp/many; i=0; while [ $i -lt 300 ]; do echo $i > /tmp/many/$i; i=$((i+1)); done; "
         "ls /tmp/many | wc -l; rm -r /tmp/many; ls -d /tmp/many", status=1, matches=(r"^300$",), timeout=120),
]
