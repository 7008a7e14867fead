"""No program can harm the system: faults, exhaustion of everything, many processes, random calls."""

import os

from machine import Case

TESTS = ("--with-tests",)
FAULTED = 139


def fault(name, kind, *matches):
    return Case(name, f"/test/fault {kind}", status=FAULTED, machine=TESTS, lacks=("nothing happened",),
                matches=(r"\bfault\b", *matches))


def exhaust(name, what, refusal, *machine, timeout=120):
    """Taking all there is ends in a clean refusal, twice; afterwards as much is there as before."""
    return Case(name, f"/test/exhaust {what}; /test/exhaust -k {what}; /test/exhaust {what}; echo alive", alone=True,
                machine=TESTS + machine, timeout=timeout, matches=(r"^alive$",),
                check=lambda output: same_count(output, what, refusal))


def same_count(output, what, refusal):
    lines = [line.split() for line in output.splitlines() if f" {what}, then " in line]
    if len(lines) != 3:
        return f"not three results:\n{output}"
    counts = [int(line[0]) for line in lines]
    if {line[-1] for line in lines} != {refusal}:
        return f"not refused with {refusal}:\n{output}"
    # The kernel may keep a little of what it grew by, a table for instance, but not more the second time.
    if counts[2] < counts[1] or counts[1] < counts[0] * 0.98:
        return f"less and less is left:\n{output}"
    return None


def random_calls(name, calls, machine, **how):
    seed = os.environ.get("ISTHMUS_SEED", "1")
    return Case(name, f"/test/random-calls -s {seed} {calls}; echo status $?; echo hello > /tmp/x; cat /tmp/x", alone=True,
                machine=TESTS + machine, matches=(rf"^{calls} calls in ", r"^status 0$", r"^hello$"), **how)


CASES = [
    fault("null_pointer_ends_the_process", "null", r"\b0x0*8\b"),
    fault("reading_the_kernel_ends_the_process", "kernel", r"ffffffff80200000"),
    fault("noncanonical_address_ends_the_process", "noncanonical"),
    fault("writing_to_text_ends_the_process", "write-text"),
    fault("executing_data_ends_the_process", "execute-data"),
    fault("undefined_instruction_ends_the_process", "undefined"),
    fault("breakpoint_ends_the_process", "breakpoint"),
    fault("stack_overflow_ends_the_process", "stack"),
    fault("jump_to_nowhere_ends_the_process", "jump"),
    Case("thousand_processes", "/test/spawn-many 1000 /bin/true", output="1000 started, 0 failed\n", machine=TESTS,
         timeout=120),
    Case("thousand_processes_on_four_cpus", "/test/spawn-many -w 16 1000 /bin/true", output="1000 started, 0 failed\n",
         machine=TESTS + ("--smp", "4"), timeout=180, alone=True),
    exhaust("memory_runs_out_cleanly", "memory", "ERR_NO_MEMORY", "--mem", "64M"),
    exhaust("handles_run_out_cleanly", "handles", "ERR_LIMIT"),
    exhaust("processes_run_out_cleanly", "processes", "ERR_NO_MEMORY", "--mem", "48M"),
    exhaust("channels_run_out_cleanly", "channels", "ERR_NO_MEMORY", "--mem", "32M"),
    exhaust("messages_run_out_cleanly", "messages", "ERR_FULL"),
    random_calls("random_calls_do_no_harm", 200000, (), timeout=600),
    random_calls("random_calls_on_two_cpus_do_no_harm", 100000, ("--smp", "2"), timeout=600),
    random_calls("random_calls_with_little_memory_do_no_harm", 50000, ("--mem", "32M"), timeout=600),
    random_calls("ten_million_random_calls_do_no_harm", 10000000, ("--smp", "2"), long=True, timeout=20000),
]
