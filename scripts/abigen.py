#!/usr/bin/env python3
"""Turn the ABI table into everything that is derived from it.

usage: abigen.py TABLE [--header F] [--calls F] [--dispatch F] [--stubs F] [--docs F]
                 [--inventory F] [--shapes F]

  --header     abi/abi.h        constants and records, shared by kernel and user programs
  --calls      abi/calls.h      prototypes of the sys_<name> functions that the kernel implements
  --dispatch   dispatch.c       the table that decodes registers and calls them
  --stubs      isthmus/calls.h  inline functions by which user programs make the calls
  --docs       abi.md           the reference page
  --inventory  JSON             every call with every error it documents: what the tests must provoke
  --shapes     abi/shapes.h     the calls' argument types as data, for tests that make calls at random

The output depends on the table alone. A table that contradicts itself is refused with a message that names the entry.
"""

import argparse
import json
import re
import sys
import tomllib

ARG_TYPES = {"handle", "u32", "u64", "i32", "uaddr", "in", "out"}
FIELD_SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i32": 4, "i64": 8, "char": 1}
FIELD_C = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
           "i32": "int32_t", "i64": "int64_t", "char": "char"}
ARGS_MAX = 6
RESULTS_MAX = 4
MESSAGE_WORDS = 4
NARROW = "a 32-bit argument does not fit in 32 bits"
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*\Z")
BANNER = "Generated from the ABI table by scripts/abigen.py. Do not edit."


class TableError(Exception):
    """The table contradicts itself or a rule of the ABI."""


class Table:
    """The table, checked. Everything below trusts what this has accepted."""

    def __init__(self, data):
        self.version = self._need(data, "version", int, "table")
        self.limits = data.get("limits", {})
        self.errors = data.get("errors", {})
        self.rights = data.get("rights", {})
        self.events = data.get("events", {})
        self.constants = data.get("constants", {})
        self.records = data.get("records", {})
        self.calls = data.get("call", [])
        unknown = set(data) - {"version", "limits", "errors", "rights", "events", "constants",
                               "records", "call"}
        if unknown:
            raise TableError(f"unknown section: {', '.join(sorted(unknown))}")
        self._check_constants()
        self.sizes = {}
        for name, record in self.records.items():
            self._check_record(name, record)
        self._check_calls()

    @staticmethod
    def _need(mapping, key, kind, where):
        if key not in mapping:
            raise TableError(f"{where}: '{key}' is missing")
        if not isinstance(mapping[key], kind) or isinstance(mapping[key], bool):
            raise TableError(f"{where}: '{key}' is not {kind.__name__}")
        return mapping[key]

    def groups(self):
        """(section name, entries) of all constants, in order."""
        yield "limits", self.limits
        yield "errors", self.errors
        yield "rights", self.rights
        yield "events", self.events
        yield from self.constants.items()

    def _check_constants(self):
        seen = {}
        for group, entries in self.groups():
            for name, entry in entries.items():
                if not CONSTANT.match(name):
                    raise TableError(f"{group}: '{name}' is not a constant's name")
                if name in seen:
                    raise TableError(f"{group}: {name} is already in {seen[name]}")
                seen[name] = group
                value = self._need(entry, "value", int, name)
                self._need(entry, "doc", str, name)
                if group == "errors":
                    if not -4095 <= value < 0:
                        raise TableError(f"{name}: an error is between -4095 and -1")
                elif not 0 <= value < 1 << 64:
                    raise TableError(f"{name}: {value} does not fit in 64 bits")
                elif group != "limits" and value >= 1 << 32:
                    raise TableError(f"{name}: {value} does not fit in 32 bits")
        values = {}
        for name, entry in self.errors.items():
            if entry["value"] in values:
                raise TableError(f"{name}: same value as {values[entry['value']]}")
            values[entry["value"]] = name
        if sorted(-v for v in values) != list(range(1, len(values) + 1)):
            raise TableError("errors: the values are not -1, -2, -3 ... without gaps")

    def _check_record(self, name, record):
        if not NAME.match(name):
            raise TableError(f"record '{name}': not a name")
        self._need(record, "doc", str, f"record {name}")
        offset, alignment, names = 0, 1, set()
        for field in self._need(record, "fields", list, f"record {name}"):
            where = f"record {name}, field {field.get('name')}"
            if not NAME.match(self._need(field, "name", str, where)) or field["name"] in names:
                raise TableError(f"{where}: not a name, or there twice")
            names.add(field["name"])
            self._need(field, "doc", str, where)
            kind = self._need(field, "type", str, where)
            if kind in FIELD_SIZES:
                size = align = FIELD_SIZES[kind]
            elif kind.startswith("struct ") and kind[7:] in self.sizes:
                size, align = self.sizes[kind[7:]]
            else:
                raise TableError(f"{where}: no type '{kind}' (a record must come after its parts)")
            if offset % align:
                raise TableError(f"{where}: at offset {offset}, which is not aligned to {align}")
            field["offset"] = offset
            offset += size * field.get("count", 1)
            alignment = max(alignment, align)
        if offset == 0 or offset % alignment:
            raise TableError(f"record {name}: {offset} bytes, not a multiple of {alignment}")
        self.sizes[name] = (offset, alignment)

    def _check_calls(self):
        names = set()
        for number, call in enumerate(self.calls):
            name = self._need(call, "name", str, f"call {number}")
            if not NAME.match(name) or name in names:
                raise TableError(f"call '{name}': not a name, or there twice")
            names.add(name)
            call["number"] = number
            where = f"call {name}"
            for key, kind in (("doc", str), ("args", list), ("returns", str), ("errors", dict)):
                self._need(call, key, kind, where)
            unknown = set(call) - {"name", "doc", "args", "returns", "results", "rights", "errors",
                                   "number", "message", "fast"}
            if unknown:
                raise TableError(f"{where}: unknown key {', '.join(sorted(unknown))}")
            for key, kind in (("message", str), ("fast", bool)):
                if key in call and not isinstance(call[key], kind):
                    raise TableError(f"{where}: '{key}' is not {kind.__name__}")
            if call.get("fast") and number > 0 and not self.calls[number - 1].get("fast"):
                raise TableError(f"{where}: a call with a fast path comes after one without")
            self._check_args(call, where)
            results = call.setdefault("results", [])
            if len(results) > RESULTS_MAX:
                raise TableError(f"{where}: more than {RESULTS_MAX} results")
            result_names = [self._need(r, "name", str, where) for r in results]
            if len(set(result_names)) != len(result_names):
                raise TableError(f"{where}: a result is there twice")
            for result in results:
                self._need(result, "doc", str, f"{where}, result {result['name']}")
            for error, cause in call["errors"].items():
                if error not in self.errors:
                    raise TableError(f"{where}: no error is called {error}")
                if not isinstance(cause, str) or not cause:
                    raise TableError(f"{where}: {error} has no cause")
            for right in re.findall(r"RIGHT_[A-Z]+", call.get("rights", "")):
                if right not in self.rights:
                    raise TableError(f"{where}: no right is called {right}")

    def _check_args(self, call, where):
        args = call["args"]
        if len(args) > ARGS_MAX:
            raise TableError(f"{where}: more than {ARGS_MAX} arguments")
        by_name = {}
        for arg in args:
            name = self._need(arg, "name", str, where)
            if not NAME.match(name) or name in by_name:
                raise TableError(f"{where}: argument '{name}' is not a name, or there twice")
            by_name[name] = arg
        for arg in args:
            at = f"{where}, argument {arg['name']}"
            self._need(arg, "doc", str, at)
            kind = self._need(arg, "type", str, at)
            if kind not in ARG_TYPES:
                raise TableError(f"{at}: no type '{kind}'")
            pointer = kind in ("in", "out")
            for key in ("len", "record", "count"):
                if key in arg and not pointer:
                    raise TableError(f"{at}: '{key}' belongs to in and out only")
            if pointer and ("len" in arg) == ("record" in arg):
                raise TableError(f"{at}: needs either 'len' or 'record'")
            if "record" in arg and arg["record"] not in self.records:
                raise TableError(f"{at}: no record is called {arg['record']}")
            for key in ("len", "count"):
                if key in arg and by_name.get(arg[key], {}).get("type") not in ("u32", "u64"):
                    raise TableError(f"{at}: '{key}' names no u32 or u64 argument")

    def refusals(self, call):
        """(error, cause, implied) of a call: those in the table, then those that follow from its argument types."""
        for error, cause in call["errors"].items():
            yield error, cause, False
        if any(arg["type"] in ("u32", "i32") for arg in call["args"]):
            yield "ERR_INVALID", NARROW, True


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def comment(text, indent=""):
    """A comment that keeps lines within 100 columns."""
    words, lines, line = text.split(), [], indent + "//"
    for word in words:
        if len(line) + 1 + len(word) > 100 and line != indent + "//":
            lines.append(line)
            line = indent + "//"
        line += " " + word
    lines.append(line)
    return "\n".join(lines)


def c_number(value, width=None):
    if value < 0:
        return str(value)
    if width is None:
        return str(value) if value < 1 << 16 else hex(value)
    return f"0x{value:0{width}x}"


def gen_header(table):
    out = [f"// {BANNER}", "//",
           "// The Isthmus ABI as C sees it: call numbers, errors, rights, events, limits, constants and the records",
           "// that cross the boundary. The reference page abi.md, from the same table, tells what they mean.",
           "#pragma once", "", '#include "base/types.h"', "",
           "enum { ABI_VERSION = %d };" % table.version, ""]
    out.append("// Limits. Those beyond int are typed constants.")
    for name, entry in table.limits.items():
        out.append(comment(entry["doc"]))
        value = entry["value"]
        if value < 1 << 31:
            out.append(f"enum {{ {name} = {c_number(value)} }};")
        elif value < 1 << 32:
            out.append(f"constexpr uint32_t {name} = {hex(value)}u;")
        else:
            out.append(f"constexpr uint64_t {name} = {hex(value)}u;")
    out.append("")

    def enum(title, tag, base, entries, flags):
        out.append(f"// {title}")
        out.append(f"enum {tag} : {base} {{")
        width = max(len(hex(e["value"])) - 2 for e in entries.values()) if flags else None
        for name, entry in entries.items():
            out.append(comment(entry["doc"], "    "))
            out.append(f"    {name} = {c_number(entry['value'], width)},")
        out.append("};")
        out.append("")

    enum("Errors: what a call returns when it refuses.", "abi_error", "int32_t", table.errors, False)
    enum("Rights of a handle.", "abi_right", "uint32_t", table.rights, True)
    enum("Events that a wait can name.", "abi_event", "uint32_t", table.events, True)
    for group, entries in table.constants.items():
        enum(f"Constants: {group.replace('_', ' ')}.", f"abi_{group}", "uint32_t", entries,
             group in ("open",))

    out.append("// Records.")
    for name, record in table.records.items():
        out.append(comment(record["doc"][0].upper() + record["doc"][1:] + "."))
        out.append(f"struct abi_{name} {{")
        for field in record["fields"]:
            kind = field["type"]
            ctype = FIELD_C.get(kind) or "struct abi_" + kind[7:]
            count = f"[{field['count']}]" if "count" in field else ""
            out.append(comment(field["doc"], "    "))
            out.append(f"    {ctype} {field['name']}{count};")
        out.append("};")
        out.append(f"static_assert(sizeof(struct abi_{name}) == {table.sizes[name][0]});")
        for field in record["fields"]:
            out.append(f"static_assert(offsetof(struct abi_{name}, {field['name']}) == "
                       f"{field['offset']});")
        out.append("")

    out += ["// Words of a message, in registers of their own.", f"enum {{ MESSAGE_WORDS = {MESSAGE_WORDS} }};", ""]
    out.append("// Call numbers.")
    out.append("enum abi_call : uint32_t {")
    for call in table.calls:
        out.append(f"    CALL_{call['name'].upper()} = {call['number']},")
    out.append(f"    CALL_COUNT = {len(table.calls)},")
    out.append(f"    CALL_FAST = {sum(call.get('fast', False) for call in table.calls)}, "
               "// those below have a fast path")
    out.append("};")
    out.append("")
    for func, doc, text in (
            ("abi_error_name", "The name of an error, as in ERR_NOT_FOUND; null if it is none.",
             lambda name, entry: name),
            ("abi_error_text", "The meaning of an error, for a person; null if it is none.",
             lambda name, entry: entry["doc"])):
        out.append(comment(doc))
        out.append(f"static inline const char *{func}(long status) {{")
        out.append("    switch (status) {")
        for name, entry in table.errors.items():
            out.append(f"    case {name}:")
            out.append(f"        return {c_string(text(name, entry))};")
        out.append("    default:")
        out.append("        return nullptr;")
        out.append("    }")
        out.append("}")
        out.append("")
    return "\n".join(out).rstrip() + "\n"


KERNEL_TYPES = {"handle": "handle_t", "u32": "uint32_t", "u64": "uint64_t", "i32": "int32_t",
                "uaddr": "user_ptr_t", "in": "user_ptr_t", "out": "user_ptr_t"}


def gen_calls(table):
    out = [f"// {BANNER}", "//",
           "// The calls as the kernel implements them: one function sys_<name> each, written by hand beside the object",
           "// it works on. A negative return is an error of the table. The dispatcher has zeroed the results.",
           "#pragma once", "", '#include "abi/abi.h"', '#include "fast_path.h"', '#include "user_ptr.h"', "",
           "struct thread;", "",
           "// What a call gives back beside its status.",
           f"struct call_results {{\n    uint64_t word[{RESULTS_MAX}];\n}};", "",
           "// By number: make the call that the running thread's frame holds. A handle that exceeds 32 bits is passed",
           "// on as 0, which names nothing; another 32-bit argument that does not fit is ERR_INVALID. A call that",
           "// succeeds and has results is answered (CALL_ANSWERED, syscall.h); words of them that it does not define",
           "// are zero. For any other the status is returned, and no word goes with it.",
           "typedef long (*call_decoder_t)(struct thread *self);",
           "extern const call_decoder_t call_decoders[CALL_COUNT];", "",
           "// The fast paths (kernel/include/fast_path.h).",
           *(f"fast_path fast_{call['name']}, fast_shared_{call['name']};" for call in table.calls if call.get("fast")), "",
           "// The calls' names, by number.",
           "extern const char *const call_names[CALL_COUNT];", ""]
    for call in table.calls:
        out.append(comment(call["doc"]))
        params = ["struct thread *self"]
        params += [f"{KERNEL_TYPES[a['type']]} {a['name']}" for a in call["args"]]
        for i, result in enumerate(call["results"]):
            out.append(comment(f"out->word[{i}]: {result['name']}, {result['doc']}"))
        if call["results"]:
            params.append("struct call_results *out")
        if "message" in call:
            out.append(comment(f"the message words, in the thread's frame: {call['message']}"))
        out.append(f"long sys_{call['name']}({', '.join(params)});")
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def gen_dispatch(table):
    out = [f"// {BANNER}", "//", "// From registers to the sys_ functions.",
           '#include "abi/calls.h"', '#include "kernel/syscall.h"', '#include "kernel/thread.h"', "",
           "static inline bool fits_u32(uint64_t word) {", "    return word <= UINT32_MAX;", "}", "",
           "static inline bool fits_i32(uint64_t word) {",
           "    return (uint64_t)(int64_t)(int32_t)word == word;", "}", "",
           "static inline handle_t as_handle(uint64_t word) {",
           "    return fits_u32(word) ? (handle_t)word : 0;", "}", "",
           "static inline long answer(struct thread *self, long status, const struct call_results *results) {",
           "    if (status < 0) {", "        return status;", "    }",
           "    arch_frame_answer(&self->frame, status, results->word);",
           "    return CALL_ANSWERED;", "}", ""]
    for call in table.calls:
        out.append(f"static long decode_{call['name']}(struct thread *self) {{")
        if call["args"]:
            out += ["    uint64_t arg[6];", "    arch_frame_call(&self->frame, arg);"]
        params = ["self"]
        for i, arg in enumerate(call["args"]):
            kind = arg["type"]
            if kind in ("u32", "i32"):
                out.append(f"    if (!fits_{kind}(arg[{i}])) {{\n        return ERR_INVALID;\n    }}")
                params.append(f"({KERNEL_TYPES[kind]})arg[{i}]")
            elif kind == "handle":
                params.append(f"as_handle(arg[{i}])")
            elif kind == "u64":
                params.append(f"arg[{i}]")
            else:
                params.append(f"(user_ptr_t){{.va = arg[{i}]}}")
        if call["results"]:
            params.append("&results")
            out.append("    struct call_results results = {};")
            out.append(f"    return answer(self, sys_{call['name']}({', '.join(params)}), &results);")
        else:
            out.append(f"    return sys_{call['name']}({', '.join(params)});")
        out.append("}")
        out.append("")
    out.append("const call_decoder_t call_decoders[CALL_COUNT] = {")
    for call in table.calls:
        out.append(f"    [CALL_{call['name'].upper()}] = decode_{call['name']},")
    for array, prefix in (("fast_path_t fast_paths", "fast_"), ("const fast_path_t fast_paths_alone", "fast_"),
                          ("const fast_path_t fast_paths_shared", "fast_shared_")):
        out += ["};", "", f"{array}[CALL_FAST] = {{"]
        out += [f"    [CALL_{call['name'].upper()}] = {prefix}{call['name']}," for call in table.calls if call.get("fast")]
    out += ["};", "", "const char *const call_names[CALL_COUNT] = {"]
    for call in table.calls:
        out.append(f"    [CALL_{call['name'].upper()}] = {c_string(call['name'])},")
    out += ["};", ""]
    return "\n".join(out)


def gen_stubs(table):
    out = [f"// {BANNER}", "//",
           "// The system calls as user programs make them. A negative return is an error of abi/abi.h. Where a call has",
           "// further results, the pointers for them come last and may be null.",
           "#pragma once", "", '#include "abi/abi.h"', '#include "arch_call.h"', ""]
    plain = {"handle": "handle_t ", "u32": "uint32_t ", "u64": "uint64_t ", "i32": "int32_t ",
             "uaddr": "uint64_t "}
    for call in table.calls:
        out.append(comment(call["doc"]))
        if call["args"]:
            for arg in call["args"]:
                out.append(comment(f"{arg['name']}: {arg['doc']}"))
        out.append(comment(f"Returns {call['returns']}."))
        params, words = [], []
        for arg in call["args"]:
            kind, name = arg["type"], arg["name"]
            if kind in plain:
                params.append(plain[kind] + name)
                words.append(f"(uint64_t)(int64_t){name}" if kind == "i32" else name)
            else:
                target = f"struct abi_{arg['record']} *" if "record" in arg else "void *"
                params.append(("const " if kind == "in" else "") + target + name)
                words.append(f"(uint64_t)(uintptr_t){name}")
        if "message" in call:
            params.append("uint64_t message[MESSAGE_WORDS]")
            out.append(comment(f"message: {call['message']}"))
        for result in call["results"]:
            params.append(f"uint64_t *out_{result['name']}")
            out.append(comment(f"out_{result['name']}: {result['doc']}"))
        words += ["0"] * (ARGS_MAX - len(words))
        out.append(f"static inline long sys_{call['name']}({', '.join(params) or 'void'}) {{")
        out.append(f"    uint64_t call_results[{RESULTS_MAX}];")
        how, message = ("arch_call_message", "message, ") if "message" in call else ("arch_call", "")
        made = f"{how}(CALL_{call['name'].upper()}, {', '.join(words)}, {message}call_results)"
        if call["results"]:
            out.append(f"    long call_status = {made};")
            for i, result in enumerate(call["results"]):
                name = f"out_{result['name']}"
                out.append(f"    if ({name} != nullptr) {{\n"
                           f"        *{name} = call_results[{i}];\n    }}")
            out.append("    return call_status;")
        else:
            out.append(f"    return {made};")
        out.append("}")
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def gen_docs(table):
    out = ["# The Isthmus ABI", "",
           f"Version {table.version}. Generated from the ABI table, as are the C headers, the kernel's dispatcher and",
           "the user stubs; nothing else defines a call or a number.", "",
           "A call takes up to six 64-bit arguments and returns a status: 0 or more for success, often a value;",
           "less than 0 for an error, by which nothing has changed unless the call says so. Some calls return up to",
           f"four further words. Calls that pass messages take and give {MESSAGE_WORDS} message words besides, in registers",
           "of their own. Everything but the stack pointer, the frame pointer and the message words is clobbered.", "",
           "A 32-bit argument that does not fit in 32 bits is refused with `ERR_INVALID`, a handle that does not fit",
           "with `ERR_BAD_HANDLE`. A number that no call has is refused with `ERR_NO_CALL`.", "",
           "- [Calls](#calls)", "- [Errors](#errors)", "- [Rights](#rights)", "- [Events](#events)",
           "- [Constants](#constants)", "- [Records](#records)", "- [Limits](#limits)", "", "## Calls", "",
           "| Number | Call | Meaning |", "| --- | --- | --- |"]
    for call in table.calls:
        first = call["doc"].split(". ")[0].rstrip(".")
        out.append(f"| {call['number']} | [`{call['name']}`](#{call['name']}) | {first} |")
    out.append("")
    for call in table.calls:
        names = ", ".join(a["name"] for a in call["args"])
        results = ", ".join(r["name"] for r in call["results"])
        out += [f"### {call['name']}", "", call["doc"], "",
                f"    {call['name']}({names}) → status{', ' + results if results else ''}", "",
                f"Call number {call['number']}.", ""]
        if call["args"]:
            out += ["| Argument | Type | Meaning |", "| --- | --- | --- |"]
            for arg in call["args"]:
                kind = arg["type"]
                if "record" in arg:
                    kind += f", [`abi_{arg['record']}`](#abi_{arg['record']})"
                    kind += f" × {arg['count']}" if "count" in arg else ""
                elif "len" in arg:
                    kind += f", {arg['len']} bytes"
                out.append(f"| `{arg['name']}` | {kind} | {arg['doc']} |")
            out.append("")
        if "message" in call:
            out += [f"**Message words** {call['message']}.", ""]
        out += [f"**Returns** {call['returns']}.", ""]
        if call["results"]:
            out += ["| Result | Meaning |", "| --- | --- |"]
            out += [f"| `{r['name']}` | {r['doc']} |" for r in call["results"]]
            out.append("")
        out += [f"**Rights** {call['rights']}." if call.get("rights") else "**Rights** none.", ""]
        refusals = list(table.refusals(call))
        if refusals:
            out += ["| Error | Cause |", "| --- | --- |"]
            out += [f"| `{error}` | {cause} |" for error, cause, _ in refusals]
        else:
            out.append("**Errors** none.")
        out.append("")

    def values(title, entries, hexadecimal):
        out.extend([title, "", "| Name | Value | Meaning |", "| --- | --- | --- |"])
        for name, entry in entries.items():
            value = entry["value"]
            text = hex(value) if hexadecimal or value >= 1 << 16 else str(value)
            out.append(f"| `{name}` | {text} | {entry['doc']} |")
        out.append("")

    values("## Errors", table.errors, False)
    values("## Rights", table.rights, True)
    values("## Events", table.events, True)
    out += ["## Constants", ""]
    for group, entries in table.constants.items():
        values(f"### Constants: {group.replace('_', ' ')}", entries, group == "open")
    out += ["## Records", ""]
    for name, record in table.records.items():
        out += [f"### abi_{name}", "",
                f"{record['doc'][0].upper()}{record['doc'][1:]}; {table.sizes[name][0]} bytes.", "",
                "| Offset | Field | Type | Meaning |", "| --- | --- | --- | --- |"]
        for field in record["fields"]:
            kind = field["type"].replace("struct ", "abi_")
            kind += f" × {field['count']}" if "count" in field else ""
            out.append(f"| {field['offset']} | `{field['name']}` | {kind} | {field['doc']} |")
        out.append("")
    values("## Limits", table.limits, False)
    return "\n".join(out).rstrip() + "\n"


def gen_inventory(table):
    entries = []
    for call in table.calls:
        for error, cause, implied in table.refusals(call):
            entries.append({"call": call["name"], "number": call["number"], "error": error,
                            "value": table.errors[error]["value"], "cause": cause,
                            "implied": implied})
    return json.dumps({"version": table.version,
                       "calls": [c["name"] for c in table.calls],
                       "refusals": entries}, indent=1) + "\n"


SHAPES = {"handle": "SHAPE_HANDLE", "u32": "SHAPE_U32", "i32": "SHAPE_I32", "u64": "SHAPE_U64",
          "uaddr": "SHAPE_ADDRESS", "in": "SHAPE_IN", "out": "SHAPE_OUT"}


def gen_shapes(table):
    out = [f"// {BANNER}", "//", "// The calls' argument types as data, for tests that make calls at random.",
           "#pragma once", "", '#include "abi/abi.h"', "",
           "enum shape : uint8_t {", "    SHAPE_NONE,"]
    out += [f"    {name}," for name in SHAPES.values()]
    out += ["};", "", "struct call_shape {", "    const char *name;", f"    enum shape arg[{ARGS_MAX}];", "};", "",
            "static const struct call_shape call_shapes[CALL_COUNT] = {"]
    for call in table.calls:
        kinds = ", ".join(SHAPES[arg["type"]] for arg in call["args"]) or "SHAPE_NONE"
        out.append(f"    [CALL_{call['name'].upper()}] = {{{c_string(call['name'])}, {{{kinds}}}}},")
    out += ["};", ""]
    return "\n".join(out)


OUTPUTS = {"header": gen_header, "calls": gen_calls, "dispatch": gen_dispatch, "stubs": gen_stubs,
           "docs": gen_docs, "inventory": gen_inventory, "shapes": gen_shapes}


def main():
    parser = argparse.ArgumentParser(description="Generate what is derived from the ABI table.")
    parser.add_argument("table", metavar="TABLE")
    for name in OUTPUTS:
        parser.add_argument(f"--{name}", metavar="F")
    options = parser.parse_args()
    try:
        with open(options.table, "rb") as file:
            table = Table(tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError, TableError) as error:
        print(f"{options.table}: {error}", file=sys.stderr)
        return 1
    for name, generate in OUTPUTS.items():
        path = getattr(options, name)
        if path:
            with open(path, "w", encoding="utf-8") as file:
                file.write(generate(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
