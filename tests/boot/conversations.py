"""What is told of conversations: the tools ipc and watch, events files, and who waits for whom."""

from machine import Case, table

TESTS = ("--with-tests",)


def tsv(text):
    """The rows of a tab-separated table that begins the text."""
    lines = text.splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:] if line.count("\t") == len(names) - 1]


def both_stuck(output):
    stuck = [row["pid"] for row in tsv(output) if row["process"] == "deadlock" and row["stuck"] == "1"]
    others = [row for row in tsv(output) if row["process"] != "deadlock" and row["stuck"] == "1"]
    if len(stuck) != 2 or others:
        return f"the two are not all that is stuck:\n{output}"
    return None


def overflow(output):
    """Every one of 200 messages is told or counted as lost, and sequences have no other gap."""
    rows = table(output[output.index("sequence "):])
    told = sum(int(row["count"]) for row in rows if row["event"] == "readable")
    lost = sum(int(row["value"]) for row in rows if row["event"] == "overflow")
    events = sum(int(row["count"]) for row in rows if row["event"] != "overflow")
    if lost == 0 or told + lost < 200 or events + lost != int(rows[-1]["sequence"]):
        return f"{told} told, {lost} lost of 200 messages:\n{output}"
    return None


def same_calls(output):
    """Between two looks at its counters, 600 ms apart, the process made no call."""
    calls = [line.split()[1] for line in output.splitlines() if line[:1].isdigit() and len(line.split()) == 3]
    return None if len(calls) == 2 and calls[0] == calls[1] else f"it makes calls while it waits:\n{output}"


CALLS = "ping -c -n 50 /ipc/c1 & ping -c -n 20 -s 256 /ipc/c1; wait $!; ping -n 5 /ipc/c1; cat /ipc/c1/stats"
CALLED = (r"^50 round trips of 8 bytes", r"^20 round trips of 256 bytes", r"^5 round trips of 8 bytes")
FAST = "/test/call-check; cat /kern/ipc/stats/calls"
PAYLOADS = "/test/payload-check; cat /kern/ipc/stats/calls"
REFUSED = (r"^\d\d bad places, all refused$",)
CLEAN = (r"^400 rounds, nothing else arrived$",)
SENT = "/test/message-check; cat /kern/ipc/stats/calls"
WHOLE = (r"^[0-9]+ messages, nothing else arrived$",)


def calls_counted(output):
    """70 calls and 5 messages with their answers."""
    row = table(output[output.index("sent received"):])[0]
    counts = [int(row[name]) for name in ("calls", "replied", "lost", "waiting", "sent")]
    return None if counts == [70, 70, 0, 0, 10] else f"counted otherwise: {counts}\n{output}"


def contended(*columns):
    """CPUs waited for the kernel lock."""
    def check(output):
        row = table(output[output.index("acquisitions contended"):])[0]
        return None if all(int(row[column]) > 0 for column in columns) else f"nobody waited:\n{output}"
    return check


def crowd(name, cpus, options, *columns):
    return Case(name, f"/test/fast-hammer {options}; cat /kern/sched/stats/lock", matches=(r"^\d+ rounds, 0 failures$",),
                check=contended(*columns), machine=(*TESTS, "--smp", str(cpus)), timeout=300, alone=True)


def fast_words(output):
    row = table(output[output.index("calls replied"):])[0]
    return min(int(row["fast_calls"]), int(row["fast_replies"]))


def fast_messages(output):
    return int(table(output[output.index("calls replied"):])[0]["fast"])


def deadlock(name, options):
    return Case(name, f"/test/deadlock {options} & p=$!; sleep 300ms; ipc waits -o tsv; ipc waits -s | grep -c STUCK; kill $p; wait",
                machine=TESTS, matches=(r"^2$",), check=both_stuck)


TEN = "a b c d e f g h i j"
FLOOD = "; ".join(f"send {{path}} {TEN} {TEN} {TEN} {TEN} {TEN}" for _ in range(4))  # 200 messages

CASES = [
    Case("mapped_rings_lose_nothing_whoever_dies_or_lies", "/test/leak-check /test/mapped-check",
         output="0 failures\n0 failures\nleaks 0\n", machine=TESTS),
    Case("mapped_rings_lose_nothing_on_two_cpus", "/test/leak-check /test/mapped-check",
         output="0 failures\n0 failures\nleaks 0\n", machine=(*TESTS, "--smp", "2")),
    Case("mapped_rings_lose_nothing_on_four_cpus", "/test/leak-check /test/mapped-check",
         output="0 failures\n0 failures\nleaks 0\n", machine=(*TESTS, "--smp", "4")),
    Case("ping_goes_through_mapped_rings", "echo-server -m /ipc/m1 & sleep 200ms; ping -m -n 50 -s 256 /ipc/m1; cat /ipc/m1/stats; kill $!",
         matches=(r"^50 round trips of 256 bytes",), check=lambda output: None if
         (row := table(output[output.index("sent received"):])[0])["mapped"] == "1" and row["bytes_sent"] == "0"
         else f"messages went through the kernel:\n{output}"),
    Case("ping_calls", f"echo-server /ipc/c1 & p=$!; sleep 200ms; {CALLS}; kill $p", matches=CALLED, check=calls_counted),
    Case("ping_calls_on_four_cpus", f"echo-server /ipc/c1 & p=$!; sleep 200ms; {CALLS}; kill $p", matches=CALLED, check=calls_counted,
         machine=("--smp", "4")),
    Case("registers_tell_nothing_after_calls", FAST, matches=CLEAN, check=lambda output: None if fast_words(output) >= 190
         else f"few of the calls were fast:\n{output}", machine=TESTS, alone=True),
    Case("registers_tell_nothing_after_calls_without_fast_paths", FAST, matches=CLEAN, check=lambda output: None
         if fast_words(output) == 0 else f"fast paths were taken:\n{output}", machine=(*TESTS, "--append", "nofast")),
    Case("registers_tell_nothing_after_calls_on_four_cpus", FAST, matches=CLEAN, machine=(*TESTS, "--smp", "4")),
    Case("payloads_in_bad_places_are_refused", PAYLOADS, matches=REFUSED, check=lambda output: None if fast_words(output) >= 20
         else f"few of the calls were fast:\n{output}", machine=TESTS, alone=True),
    Case("payloads_in_bad_places_are_refused_without_fast_paths", PAYLOADS, matches=REFUSED, check=lambda output: None
         if fast_words(output) == 0 else f"fast paths were taken:\n{output}", machine=(*TESTS, "--append", "nofast")),
    Case("payloads_in_bad_places_are_refused_on_four_cpus", PAYLOADS, matches=REFUSED, machine=(*TESTS, "--smp", "4")),
    Case("messages_arrive_whole_and_tell_nothing_else", SENT, matches=WHOLE, check=lambda output: None
         if fast_messages(output) >= 4000 else f"few of the messages were fast:\n{output}", machine=TESTS, alone=True),
    Case("messages_arrive_whole_without_fast_paths", SENT, matches=WHOLE, check=lambda output: None
         if fast_messages(output) == 0 else f"fast paths were taken:\n{output}", machine=(*TESTS, "--append", "nofast")),
    Case("messages_arrive_whole_on_four_cpus", SENT, matches=WHOLE, machine=(*TESTS, "--smp", "4")),
    crowd("fast_paths_in_a_crowd_do_what_they_should", 1, "-g 2 -n 2000"),
    crowd("fast_paths_of_two_cpus_wait_for_each_other", 2, "-g 2 -n 2000", "contended", "rests"),
    crowd("fast_paths_of_four_cpus_wait_for_each_other", 4, "-g 3 -n 500", "contended"),
    Case("a_call_that_nobody_serves_times_out", "mkchan /ipc/c2; ping -c -t 200ms /ipc/c2; cat /ipc/c2/stats",
         matches=(r"^ping: /ipc/c2: the deadline passed first$",)),
    Case("rings_of_a_channel_that_is_not_mapped_refused", "echo-server /ipc/m2 & sleep 200ms; ping -m /ipc/m2; s=$?; kill $!; (exit $s)",
         status=1, matches=(r"^ping: /ipc/m2: the object does not support this operation$",)),
    Case("notifying_and_publishing_keep_their_promises", "/test/notify-check", output="0 failures\n", machine=TESTS),
    deadlock("processes_that_wait_for_each_other_are_stuck", ""),
    deadlock("processes_that_listen_to_each_other_are_stuck", "-c"),
    Case("a_wait_that_can_end_is_not_stuck", "recv -s /ipc/open & sleep 300ms; ipc waits -s | wc -l; send /ipc/open x; wait",
         matches=(r"^1$", r"^x$")),

    Case("events_are_shown_as_they_happen", "mkchan /ipc/e1; cat /ipc/e1/events > /tmp/e1 & sleep 200ms; send -i 42 /ipc/e1 hi; "
         "chmod 700 /ipc/e1; rm /ipc/e1; wait; cat /tmp/e1; rm /tmp/e1",
         matches=(r"^sequence time_ns event pid value count$", r" opened ", r" readable +\d+ +42 ", r" closed ",
                  r" attribute +\d+ +448 ", r" removed "), lacks=(r"overflow",)),
    Case("a_slow_reader_of_events_learns_what_it_lost", "mkchan -d 256 /ipc/flood; { sleep 2; cat; } < /ipc/flood/events > /tmp/flood & "
         "sleep 100ms; " + FLOOD.format(path="/ipc/flood") + "; sleep 3; rm /ipc/flood; wait; cat /tmp/flood; rm /tmp/flood",
         matches=(r" overflow ", r" removed "), check=overflow),

    Case("watch_shows_what_comes_and_goes", "mkdir /tmp/w1; watch -n 3 -t 5s -e created,deleted /tmp/w1 > /tmp/w1.log & sleep 200ms; "
         "echo > /tmp/w1/new; mkdir /tmp/w1/dir; rm /tmp/w1/new; wait; cat /tmp/w1.log; rm -r /tmp/w1 /tmp/w1.log",
         matches=(r"^sequence .*count name$", r" created .* new$", r" created .* dir$", r" deleted .* new$")),
    Case("watch_ends_when_the_directory_goes", "mkdir /tmp/w2; watch /tmp/w2 > /tmp/w2.log & sleep 200ms; rm -r /tmp/w2; wait $!; echo $?; "
         "cat /tmp/w2.log; rm /tmp/w2.log", matches=(r"^0$", r" removed ")),
    Case("watch_shows_the_end_of_a_process", "sh -c 'sleep 1s; exit 7' & watch -t 5s -e exited /proc/$!", matches=(r" exited +\d+ +7 ",)),
    Case("watch_of_a_process_that_has_ended_refused", "true & p=$!; sleep 200ms; watch -t 1s /proc/$p", status=1,
         matches=(r"^watch: /proc/\d+: ",)),
    Case("watch_of_a_channel_is_like_its_events", "mkchan /ipc/w3; watch -n 4 -t 5s /ipc/w3 > /tmp/w3 & sleep 200ms; send -i 9 /ipc/w3 x; "
         "rm /ipc/w3; wait; cat /tmp/w3; rm /tmp/w3",
         matches=(r"^sequence .*count$", r" opened ", r" readable +\d+ +9 ", r" closed ", r" removed ")),
    Case("watch_coalesces_if_asked", "mkchan /ipc/w4; watch -c -e readable -t 1s /ipc/w4 > /tmp/w4 & sleep 200ms; send /ipc/w4 a b c; wait; "
         "cat /tmp/w4; rm /ipc/w4 /tmp/w4", check=lambda output: None if sum(
             int(row["count"]) for row in table(output)) == 3 else f"not 3 events:\n{output}"),
    Case("watch_of_several_names_each", "mkdir /tmp/w5 /tmp/w6; watch -n 2 -t 5s -e created /tmp/w5 /tmp/w6 > /tmp/w5.log & sleep 200ms; "
         "mkdir /tmp/w6/a /tmp/w5/b; wait; cat /tmp/w5.log; rm -r /tmp/w5 /tmp/w6 /tmp/w5.log",
         matches=(r" a /tmp/w6$", r" b /tmp/w5$")),
    Case("watch_gives_up", "watch -n 1 -t 50ms -e created /tmp", status=1, matches=(r"^watch: the deadline passed",)),
    Case("watch_just_ends_without_a_number", "watch -t 50ms -e created /tmp", matches=(r"^sequence ",)),
    Case("watch_of_unknown_events_refused", "watch -e nonsense /tmp", status=2, matches=(r"^watch: 'nonsense' names no events",)),
    Case("watch_of_nothing_refused", "watch /tmp/missing", status=1, matches=(r"^watch: /tmp/missing: no node",)),
    Case("watch_polls", "watch -p 10ms -n 3 /kern/stage", matches=(r"(-- .*\nstage\n$STAGE\n\n?){3}",)),

    Case("call_prints_the_answer", "echo-server /ipc/c1 & sleep 200ms; call /ipc/c1 hello; call -v -i 77 /ipc/c1 again; kill $!",
         matches=(r"^hello$", r"^sender \d+ id 77 .*: again$")),
    Case("call_without_a_server_ends_in_time", "time call -t 50ms -r 2 -b 10ms /ipc/nobody x; call -t 10ms /ipc/nobody x",
         status=1, matches=(r"^call: /ipc/nobody: no node", r"\b0\.(1[89]|[2-6]\d)\d")),
    Case("call_finds_a_server_that_comes_late", "{ sleep 400ms; echo-server /ipc/c0; } & call -t 100ms -r 20 /ipc/c0 hello; "
         "for p in $(ps | grep ' echo-server ' | while read p x; do echo $p; done); do kill $p; done; wait", matches=(r"^hello$",)),
    Case("a_client_waits_for_its_server_without_a_call", "echo-client -p /ipc/deep/late -t 20s hello & p=$!; sleep 400ms; "
         "cat /proc/$p/cpu > /tmp/l1; sleep 600ms; cat /proc/$p/cpu > /tmp/l2; mkdir /ipc/deep; sleep 100ms; "
         "echo-server /ipc/deep/late & s=$!; wait $p; echo $?; kill $s; cat /tmp/l1 /tmp/l2; rm -r /ipc/deep /tmp/l1 /tmp/l2",
         matches=(r"^hello\n0\ncpu_ns",), check=same_calls),
    Case("call_without_an_answer_ends_in_time", "mkchan /ipc/c2; time call -t 50ms -r 2 -b 20ms /ipc/c2 x; head -n 2 /ipc/c2/stats; rm /ipc/c2",
         matches=(r"^call: /ipc/c2: the deadline passed", r"\b0\.[2-6]\d\d", r"^3 ")),
    Case("send_waits_for_room", "mkchan -d 1 /ipc/s1; send /ipc/s1 a; time send -t 100ms /ipc/s1 b; rm /ipc/s1",
         matches=(r"^send: /ipc/s1: the deadline passed", r"\b0\.[1-4]\d\d")),
    Case("send_finds_room_once_there_is_some", "mkchan -d 1 /ipc/s2; send /ipc/s2 a; send -t 5s /ipc/s2 b & sleep 200ms; recv -n 2 -t 5s /ipc/s2; "
         "wait $!; rm /ipc/s2", matches=(r"^a$", r"^b$")),
    Case("send_shows_the_answer_with_its_id", "echo-server /ipc/s3 & sleep 200ms; send -r -i 5 /ipc/s3 one two; kill $!",
         matches=(r"^one$", r"^two$")),
    Case("recv_tells_who_sent", "mkchan /ipc/r1; send -i 12 /ipc/r1 hi; recv -v /ipc/r1; rm /ipc/r1",
         matches=(r"^sender \d+ id 12 connection \d+ sequence 1 length 2: hi$",)),
    Case("recv_gives_up_at_its_deadline", "mkchan /ipc/r2; time recv -t 100ms /ipc/r2; rm /ipc/r2",
         matches=(r"^recv: /ipc/r2: the deadline passed", r"\b0\.[1-4]\d\d")),

    Case("ipc_waits_tells_how_long", "recv -s -t 60s /ipc/l0 & p=$!; sleep 100ms; ipc waits; kill $p; wait",
         matches=(r"^ *pid .* waiting +gives_up_in +wakers +stuck$", r" recv .* 0\.[1-9]\d+s +59\.\d+s +\d+,any +-$")),
    Case("ipc_lists_channels", "mkchan /ipc/l1; send /ipc/l1 a b; ipc list; ipc list -o tsv | grep l1; rm /ipc/l1",
         matches=(r"^ *id  path ", r"^ *\d+  /ipc/l1 ", r"^\d+\t/ipc/l1\t(\d+\t)+")),
    Case("ipc_lists_and_rates_calls", "echo-server /ipc/l6 & p=$!; sleep 200ms; ping -c -n 30 /ipc/l6; ipc list; ipc top -n 1 -o tsv; kill $p; wait",
         matches=(r"^30 round trips", r" rejected +calls$", r" /ipc/l6 .* 30$", r"^id\t.*\tcalls/s\t", r"\t/ipc/l6\t0\t0\t0\t[1-9]")),
    Case("ipc_tells_everything_of_a_channel", "mkchan -d 7 /ipc/l2; send /ipc/l2 a; ipc stat /ipc/l2; ipc -o tsv stat /ipc/l2; rm /ipc/l2",
         matches=(r"^depth +7$", r"^sent +1$", r"^queued +1$", r"^id\tmode\t.*\tsent\t"), lacks=(r"\tdepth\t.*\tdepth\t",)),
    Case("ipc_stat_of_another_thing_refused", "ipc stat /tmp", status=1, matches=(r"^ipc: /tmp: not a channel$",)),
    Case("ipc_shows_holders", "recv -s /ipc/l3 & sleep 200ms; ipc holders /ipc/l3; ipc holders -o tsv | grep -c l3; send /ipc/l3 x; wait",
         matches=(r"^object +about +pid ", r"^channel +server_of_\d+_/ipc/l3 +\d+ +recv ", r"^1$"), lacks=(r"^notifier ",)),
    Case("ipc_shows_notifiers", "watch -t 2s -e created /tmp > /dev/null & sleep 300ms; ipc notifiers; wait",
         matches=(r"^id  owner_pid ", r"^ *\d+ +\d+ +0x0 +1024 +0 +1 ")),
    Case("ipc_shows_errors", "cat /tmp/missing; ipc errors | grep ERR_NOT_FOUND", matches=(r"^open +ERR_NOT_FOUND +\d+$",)),
    Case("ipc_shows_latency", "mkchan /ipc/l4; send /ipc/l4 a b; recv -n 2 /ipc/l4 > /dev/null; ipc latency /ipc/l4; ipc latency -o tsv; rm /ipc/l4",
         matches=(r"^time +messages +share", r"^<\d+\.\d(s|ms|us|ns) +\d+ +\d+\.\d% +#+$", r"^below_ns\tmessages$", r"^\d+\t\d+$")),
    Case("ipc_top_shows_rates", "echo-server /ipc/l5 & p=$!; sleep 200ms; ping -n 400 /ipc/l5 > /dev/null & ipc top -n 2 -t 200ms; kill $p; wait",
         matches=(r"^up \d+\.\d+ s, \d+ channels$", r"^ *id  path ", r" /ipc/l5 ")),
    Case("ipc_without_a_command_refused", "ipc", status=2, matches=(r"^ipc: a command is missing",)),
    Case("ipc_refuses_what_it_does_not_know", "ipc nonsense; ipc list -o xml; ipc stat; ipc list /ipc", status=2,
         matches=(r"'nonsense' is no command", r"'xml' is no format", r"stat needs a PATH", r"'/ipc' is one argument too many")),
]
