#!/usr/bin/env python3
"""Turn the inventory of documented refusals into a C header for the suites.

usage: refusals.py INVENTORY OUTPUT
"""

import json
import sys

inventory, output = sys.argv[1:]
with open(inventory, encoding="utf-8") as file:
    refusals = json.load(file)["refusals"]
lines = ["// Generated from the ABI table: what each call may refuse with.",
         "#pragma once", "",
         "struct refusal {",
         "    unsigned call;", "    int error;", "    bool implied; // by the type of an argument",
         "    const char *call_name, *error_name, *cause;", "};", "",
         "static const struct refusal refusals[] = {"]
for refusal in refusals:
    texts = ", ".join(json.dumps(refusal[key]) for key in ("call", "error", "cause"))
    lines.append("    {%d, %d, %s, %s}," % (refusal["number"], refusal["value"], json.dumps(refusal["implied"]), texts))
lines += ["};", "", "enum { REFUSALS = sizeof refusals / sizeof refusals[0] };", ""]
with open(output, "w", encoding="utf-8") as file:
    file.write("\n".join(lines))
