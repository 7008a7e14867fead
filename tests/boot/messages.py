"""What channels promise, under load and on several CPUs."""

from machine import Case, table

TESTS = ("--with-tests",)


def hammer(name, options, *machine, timeout=300):
    return Case(name, f"/test/smp-hammer {options}; cat /kern/ipc/stats/messages", machine=TESTS + machine, timeout=timeout,
                matches=(r"messages and answers, .* all in order",), check=balanced, alone=bool(machine))


def balanced(output):
    row = table(output[output.index("sent "):])[0]
    sent, received, queued, discarded = (int(row[name]) for name in ("sent", "received", "queued", "discarded"))
    return None if sent == received + queued + discarded else f"the books do not balance:\n{output}"


CASES = [
    Case("requests_find_their_answers", "/test/request-check", output="0 failures\n", machine=TESTS),
    hammer("threads_lose_no_message", "-c 8 -s 3 -n 1000"),
    hammer("processes_lose_no_message", "-p -c 8 -s 2 -n 500"),
    hammer("a_shallow_queue_loses_no_message", "-c 16 -s 2 -n 200 -d 49"),
    hammer("threads_on_two_cpus_lose_no_message", "-c 6 -s 3 -n 200", "--smp", "2"),
    hammer("processes_on_two_cpus_lose_no_message", "-p -c 4 -s 2 -n 200", "--smp", "2"),
    hammer("threads_on_four_cpus_lose_no_message", "-c 6 -s 3 -n 50", "--smp", "4"),
]
