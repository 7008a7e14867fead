"""No program can harm the system: faults, exhaustion of everything, many processes, random calls."""

import os
import re

from machine import Case

TESTS = ("--with-tests",)
FAULTED = 139


def fault(name, kind, *matches):
    return Case(name, f"/test/fault {kind}", status=FAULTED, machine=TESTS, lacks=("nothing happened",),
                matches=(r"\bfault\b", *matches))


def exhaust(name, what, refusal, *machine, keep=""):
    """Taking all there is ends in a clean refusal, the system is alive, and everything is back afterwards."""
    return Case(name, f"/test/leak-check /test/exhaust {keep} {what}; echo alive", alone=True, machine=TESTS + machine,
                matches=(rf"^\d+ {what}, then {refusal}$", r"^leaks 0$", r"^alive$"))


def no_leak(name, command, *machine, **how):
    return Case(name, f"/test/leak-check {command}", machine=TESTS + machine, matches=(r"^leaks 0$",), **how)


def long_rounds(output):
    """A child is rarely hit by a call of its own: else most calls of a round are never made."""
    rounds = re.findall(r"^(\d+) calls in (\d+) rounds", output, re.MULTILINE)
    return None if all(int(calls) >= 1000 * int(count) for calls, count in rounds) else f"rounds are short:\n{output}"


def random_calls(name, calls, machine, **how):
    """Half of the calls before the first look at what the kernel holds, half after."""
    seed = os.environ.get("ISTHMUS_SEED", "1")
    return Case(name, f"/test/leak-check /test/random-calls -s {seed} {calls // 2}; echo hello > /tmp/x; cat /tmp/x",
                alone=True, machine=TESTS + machine, matches=(rf"^{calls // 2} calls in ", r"^leaks 0$", r"^hello$"),
                check=long_rounds, **how)


def hammer(name, *machine, **how):
    """Nothing torn, forged, reordered or lost when many hammer the same channels, and books that always balance."""
    seed = os.environ.get("ISTHMUS_SEED", "1")
    return Case(name, f"/test/leak-check /test/hammer -s {seed} -t 5", machine=TESTS + machine, alone=True, timeout=300,
                matches=(r"^violations 0$", r"^leaks 0$"), **how)


def attacks(name, *machine, **how):
    """Every attack by way of the processor ends in the attacker's own fault, and threads' registers stay their own."""
    return Case(name, "/test/attack", machine=TESTS + machine, timeout=180,
                matches=(r"^(\d+) of \1 attacks failed, (\d+) of \2 checks hold$",), **how)


CASES = [
    fault("null_pointer_ends_the_process", "null", r"\b0x0*8\b", r"back trace:( 0x\w+){3}$"),
    fault("reading_the_kernel_ends_the_process", "kernel", r"ffffffff80200000"),
    fault("noncanonical_address_ends_the_process", "noncanonical"),
    fault("writing_to_text_ends_the_process", "write-text"),
    fault("executing_data_ends_the_process", "execute-data"),
    fault("undefined_instruction_ends_the_process", "undefined"),
    fault("breakpoint_ends_the_process", "breakpoint"),
    fault("stack_overflow_ends_the_process", "stack", r"back trace: 0x\w+ (0x\w+)( \1){6}$"),
    fault("jump_to_nowhere_ends_the_process", "jump"),
    attacks("attacks_on_the_processor_fail"),
    attacks("attacks_on_the_processor_fail_on_four_cpus", "--smp", "4"),
    attacks("attacks_on_an_old_processor_fail", "--cpu", "qemu64", only=("x86_64",), alone=True),
    attacks("attacks_on_a_small_processor_fail", "--cpu", "cortex-a53", only=("arm64",), alone=True),
    attacks("attacks_on_a_processor_with_everything_fail", "--cpu", "max", only=("arm64",), alone=True),
    Case("thousand_processes", "/test/spawn-many 1000 /bin/true", output="1000 started, 0 failed\n", machine=TESTS,
         timeout=120),
    Case("thousand_processes_on_four_cpus", "/test/spawn-many -w 16 1000 /bin/true", output="1000 started, 0 failed\n",
         machine=TESTS + ("--smp", "4"), timeout=180, alone=True),
    Case("copies_of_every_alignment_arrive", "/test/copy-check", machine=TESTS, matches=(r"^\d{4} copies, 0 failures$",)),
    Case("code_cannot_be_changed", "/test/wx", machine=TESTS, matches=(r"^(\d+) of \1 as they must be$",)),
    Case("no_translation_outlives_its_mapping", "/test/remap 3 20", output="20 rounds, 0 stale\n",
         machine=TESTS + ("--smp", "4"), timeout=180, alone=True),
    no_leak("processes_leave_nothing", "/test/spawn-many -w 8 100 /bin/true"),
    no_leak("faults_leave_nothing", "/test/fault null"),
    exhaust("memory_runs_out_cleanly", "memory", "ERR_NO_MEMORY", "--mem", "64M"),
    exhaust("memory_is_taken_back_from_the_dead", "memory", "ERR_NO_MEMORY", "--mem", "64M", keep="-k"),
    exhaust("handles_run_out_cleanly", "handles", "ERR_LIMIT"),
    exhaust("handles_are_taken_back_from_the_dead", "handles", "ERR_LIMIT", keep="-k"),
    exhaust("processes_run_out_cleanly", "processes", "ERR_LIMIT"),
    exhaust("processes_are_taken_back_from_the_dead", "processes", "ERR_LIMIT", keep="-k"),
    exhaust("threads_run_out_cleanly", "threads", "ERR_LIMIT", "--mem", "512M"),
    exhaust("threads_run_out_of_memory_cleanly", "threads", "ERR_NO_MEMORY", "--mem", "32M"),
    exhaust("channels_run_out_cleanly", "channels", "ERR_NO_MEMORY", "--mem", "32M"),
    exhaust("channels_are_taken_back_from_the_dead", "channels", "ERR_NO_MEMORY", "--mem", "32M", keep="-k"),
    exhaust("nodes_run_out_cleanly", "nodes", "ERR_NO_MEMORY", "--mem", "32M"),
    exhaust("messages_run_out_cleanly", "messages", "ERR_FULL"),
    exhaust("messages_run_out_of_memory_cleanly", "messages", "ERR_NO_MEMORY", "--mem", "20M"),
    exhaust("connections_run_out_cleanly", "connections", "ERR_NO_MEMORY", "--mem", "32M"),
    exhaust("connections_are_taken_back_from_the_dead", "connections", "ERR_NO_MEMORY", "--mem", "32M", keep="-k"),
    exhaust("hang_ups_run_out_of_memory_cleanly", "hang-ups", "ERR_NO_MEMORY", "--mem", "32M"),
    exhaust("messages_are_taken_back_from_the_dead", "messages", "ERR_FULL", keep="-k"),
    hammer("channels_withstand_hammering"),
    hammer("channels_withstand_hammering_on_four_cpus", "--smp", "4"),
    hammer("channels_withstand_hammering_with_little_memory", "--mem", "32M"),
    random_calls("random_calls_do_no_harm", 1000000, (), timeout=600),
    random_calls("random_calls_on_two_cpus_do_no_harm", 400000, ("--smp", "2"), timeout=600),
    Case("random_calls_at_once_on_four_cpus_do_no_harm", alone=True, machine=TESTS + ("--smp", "4"), timeout=900,
         commands="; ".join(f"/test/random-calls -s {seed} 50000 > /tmp/out{seed} &" for seed in (1, 2, 3, 4)).replace("&;", "&")
         + " wait; cat /tmp/out1 /tmp/out2 /tmp/out3 /tmp/out4; echo alive", matches=(r"(^50000 calls in .*\n){4}alive",),
         check=long_rounds),
    random_calls("random_calls_with_little_memory_do_no_harm", 200000, ("--mem", "32M"), timeout=600),
    random_calls("ten_million_random_calls_do_no_harm", 10000000, ("--smp", "2"), long=True, timeout=20000),
]
