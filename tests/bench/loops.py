#!/usr/bin/env python3
"""Turn the table of operations into the loops that the benchmark program runs.

usage: loops.py OPERATIONS ABI ARCH --assembly F --header F

The assembly has for each operation a function `bench_client_NAME(count, words)` that does it count times, and where the
table has a partner `bench_partner_NAME(count, words)`, which never returns. The instruction at `bench_head_NAME`, the
first of the client's iteration, is where scripts/bench takes its differences.

What a call may not keep is loaded anew for each: that is all but stack pointer and frame pointer, so the frame pointer
counts the iterations and the words lie on the stack. There is nothing else in the loop.
"""

import argparse
import pathlib
import sys
import tomllib

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"))
import abigen  # noqa: E402

WORDS = ["h0", "h1", "h2", "h3", "buffer", "path", "path_len", "t0", "t1"]
FAR = 1 << 60  # a deadline in nanoseconds
FRAME = 80  # bytes for the words, with the stack aligned


class X86_64:
    arguments = ["rdi", "rsi", "rdx", "r10", "r8", "r9"]
    narrow = {"rdi": "edi", "rsi": "esi", "rdx": "edx", "r10": "r10d", "r8": "r8d", "r9": "r9d", "rax": "eax",
              "r14": "r14d", "r13": "r13d", "r12": "r12d", "rbx": "ebx"}
    number = "rax"
    before = []
    message = ["r14", "r13", "r12", "rbx"]
    trap = "syscall"

    @classmethod
    def constant(cls, register, value):
        if value == 0:
            return f"xor %{cls.narrow[register]}, %{cls.narrow[register]}"
        return f"mov ${value}, %{cls.narrow[register] if 0 < value < 1 << 32 else register}"

    @staticmethod
    def load(register, word):
        return f"mov {8 * word}(%rsp), %{register}"

    @staticmethod
    def keep(word):
        return f"mov %rax, {8 * word}(%rsp)"

    @staticmethod
    def again(label):
        return ["dec %rbp", f"jnz {label}"]

    @staticmethod
    def forever(label):
        return [f"jmp {label}"]

    saved = ["rbx", "rbp", "r12", "r13", "r14", "r15"]

    @classmethod
    def begin(cls):
        lines = [f"push %{register}" for register in cls.saved] + [f"sub ${FRAME}, %rsp"]
        for word in range(len(WORDS)):
            lines += [f"mov {8 * word}(%rsi), %rax", f"mov %rax, {8 * word}(%rsp)"]
        return [*lines, "mov %rdi, %rbp"]

    @classmethod
    def end(cls):
        return [f"add ${FRAME}, %rsp", *(f"pop %{register}" for register in reversed(cls.saved)), "ret"]

    # The machine's own counter, as scripts/bench compares it with its count of instructions; where users may not read it,
    # the call clock, which does.
    counter = ["rdtsc", "shl $32, %rdx", "or %rdx, %rax", "ret"]


class Arm64:
    arguments = ["x0", "x1", "x2", "x3", "x4", "x5"]
    number = "x8"
    message = ["x19", "x20", "x21", "x22"]
    before = []
    trap = "svc #0"
    counter = None  # closed to users

    @staticmethod
    def constant(register, value):
        if 0xffff < value < 1 << 32:
            return f"movz {register}, #{value & 0xffff}; movk {register}, #{value >> 16}, lsl #16"
        return f"mov {register}, #{value}"

    @staticmethod
    def load(register, word):
        return f"ldr {register}, [sp, #{8 * word}]"

    @staticmethod
    def keep(word):
        return f"str x1, [sp, #{8 * word}]"

    @staticmethod
    def again(label):
        return ["subs x29, x29, #1", f"b.ne {label}"]

    @staticmethod
    def forever(label):
        return [f"b {label}"]

    saved = [("x19", "x20"), ("x21", "x22"), ("x23", "x24"), ("x25", "x26"), ("x27", "x28"), ("x29", "x30")]

    @classmethod
    def begin(cls):
        lines = [*(f"stp {first}, {second}, [sp, #-16]!" for first, second in cls.saved), f"sub sp, sp, #{FRAME}"]
        for word in range(len(WORDS)):
            lines += [f"ldr x9, [x1, #{8 * word}]", f"str x9, [sp, #{8 * word}]"]
        return [*lines, "mov x29, x0"]

    @classmethod
    def end(cls):
        return [f"add sp, sp, #{FRAME}",
                *(f"ldp {first}, {second}, [sp], #16" for first, second in reversed(cls.saved)), "ret"]


class Riscv64:
    arguments = ["a0", "a1", "a2", "a3", "a4", "a5"]
    number = "a7"
    message = ["s2", "s3", "s4", "s5"]
    before = ["    .option norelax"]
    trap = "ecall"
    counter = None  # closed to users

    @staticmethod
    def constant(register, value):
        return f"li {register}, {value}"

    @staticmethod
    def load(register, word):
        return f"ld {register}, {8 * word}(sp)"

    @staticmethod
    def keep(word):
        return f"sd a1, {8 * word}(sp)"

    @staticmethod
    def again(label):
        return ["addi s0, s0, -1", f"bnez s0, {label}"]

    @staticmethod
    def forever(label):
        return [f"j {label}"]

    saved = ["ra", *(f"s{number}" for number in range(12))]

    @classmethod
    def begin(cls):
        room = FRAME + 8 * len(cls.saved) + 8
        lines = [f"addi sp, sp, -{room}"]
        lines += [f"sd {register}, {FRAME + 8 * index}(sp)" for index, register in enumerate(cls.saved)]
        for word in range(len(WORDS)):
            lines += [f"ld t0, {8 * word}(a1)", f"sd t0, {8 * word}(sp)"]
        return [*lines, "mv s0, a0"]

    @classmethod
    def end(cls):
        room = FRAME + 8 * len(cls.saved) + 8
        return [*(f"ld {register}, {FRAME + 8 * index}(sp)" for index, register in enumerate(cls.saved)),
                f"addi sp, sp, {room}", "ret"]


ARCHITECTURES = {"x86_64": X86_64, "arm64": Arm64, "riscv64": Riscv64}


def symbol(operation):
    """What stands for NAME in symbols."""
    return operation["name"].replace("-", "_")


def has_loop(operation):
    return "client" in operation or operation.get("code", False)


def call(arch, numbers, line):
    """The instructions of one line of a loop."""
    words, _, result = line.partition("->")
    words, _, message = words.partition("|")
    name, *arguments = words.split()
    if name == "nop":
        return ["nop"] * int(arguments[0])
    if name not in numbers:
        raise SystemExit(f"loops.py: no call is named '{name}'")
    if len(arguments) > len(arch.arguments):
        raise SystemExit(f"loops.py: too many arguments: {line}")
    out = [arch.constant(register, int(word)) for register, word in zip(arch.message, message.split(), strict=False)]
    for register, argument in zip(arch.arguments, arguments, strict=False):
        if argument in WORDS:
            out.append(arch.load(register, WORDS.index(argument)))
        else:
            out.append(arch.constant(register, int(argument, 0)))
    out += [arch.constant(arch.number, numbers[name]), arch.trap]
    if result:
        out.append(arch.keep(WORDS.index(result.strip())))
    return out


def assembly(arch, numbers, operations):
    out = ["// Generated from tests/bench/operations.toml by loops.py. Do not edit.", *arch.before, "    .text"]

    # A branch goes to the local label: one to a global label may have to be two instructions.
    def function(name, lines):
        out.extend([f"    .globl {name}", "    .balign 64", f"{name}:", f".L{name}:", *(f"    {line}" for line in lines)])

    for operation in operations:
        name = symbol(operation)
        if "client" not in operation:
            continue
        function(f"bench_client_{name}", arch.begin())
        function(f"bench_head_{name}", [line for text in operation["client"] for line in call(arch, numbers, text)])
        out.extend(f"    {line}" for line in [*arch.again(f".Lbench_head_{name}"), *arch.end()])
        if "partner" in operation:
            function(f"bench_partner_{name}", arch.begin())
            out.append("1:")
            out.extend(f"    {line}" for text in operation["partner"] for line in call(arch, numbers, text))
            out.extend(f"    {line}" for line in arch.forever("1b"))
    if arch.counter:
        function("bench_counter", arch.counter)
    # A thread that takes from the notifier in its argument, for ever. It needs no stack.
    take = [arch.constant(arch.arguments[1], 1), arch.constant(arch.arguments[2], FAR),
            arch.constant(arch.number, numbers["take"]), arch.trap]
    function("bench_parked", [*take, *arch.forever(".Lbench_parked")])
    return "\n".join([*out, '    .section .note.GNU-stack, "", @progbits', ""])


def header(arch, operations):
    out = ["// Generated from tests/bench/operations.toml by loops.py. Do not edit.", "#pragma once", "",
           '#include "base/types.h"', "",
           "enum {", *(f"    WORD_{word.upper()} = {index}," for index, word in enumerate(WORDS)),
           f"    WORD_COUNT = {len(WORDS)},", f"    OPERATION_COUNT = {len(operations)},", "};", "",
           "void bench_parked(void);",
           "uint64_t bench_counter(void);" if arch.counter else
           '#include "lib/clock.h"\nstatic inline uint64_t bench_counter(void) {\n    return clock_now();\n}']
    for operation in operations:
        name = symbol(operation)
        for side in ("client", "partner"):
            if side in operation or side == "client":
                out.append(f"void bench_{side}_{name}(uint64_t count, const uint64_t words[WORD_COUNT]);")
    out += ["", "struct operation {", "    const char *name;",
            "    void (*client)(uint64_t count, const uint64_t words[WORD_COUNT]);",
            "    void (*partner)(uint64_t count, const uint64_t words[WORD_COUNT]); // null for none",
            "    unsigned calls;   // of the client in one iteration",
            "    unsigned refused; // of those", "};", "",
            "static const struct operation operations[OPERATION_COUNT] = {"]
    for operation in operations:
        name = symbol(operation)
        calls = sum(not line.startswith("nop") for line in operation.get("client", []))
        partner = f"bench_partner_{name}" if "partner" in operation else "nullptr"
        out.append(f'    {{"{operation["name"]}", bench_client_{name}, {partner}, {calls}, '
                   f'{operation.get("refused", 0)}}},')
    return "\n".join([*out, "};", ""])


def main():
    parser = argparse.ArgumentParser(description="Make the benchmark's loops.")
    parser.add_argument("operations", type=pathlib.Path)
    parser.add_argument("abi", type=pathlib.Path)
    parser.add_argument("arch", choices=ARCHITECTURES)
    parser.add_argument("--assembly", type=pathlib.Path, required=True)
    parser.add_argument("--header", type=pathlib.Path, required=True)
    options = parser.parse_args()
    # What has no loop yet is missing from the figures, too.
    operations = [entry for entry in tomllib.loads(options.operations.read_text())["operation"] if has_loop(entry)]
    table = abigen.Table(tomllib.loads(options.abi.read_text()))
    numbers = {entry["name"]: entry["number"] for entry in table.calls}
    options.assembly.write_text(assembly(ARCHITECTURES[options.arch], numbers, operations))
    options.header.write_text(header(ARCHITECTURES[options.arch], operations))
    return 0


if __name__ == "__main__":
    sys.exit(main())
