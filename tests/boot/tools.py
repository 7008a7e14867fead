"""Each tool does what its --help says, and refuses what it cannot do with a clear error and a status."""

from machine import Case, table

TOOLS = ("call cat chmod dmesg echo echo-client echo-server false grep head hexdump ipc kill ln ls mkchan mkdir mv ping poweroff "
         "ps recv rm send sleep stat tail time true uptime watch wc write").split()


def explains(tool):
    return Case(f"{tool.replace('-', '_')}_explains_itself", f"{tool} --help",
                matches=(rf"^usage: {tool}( |$)", r"--help +show this"))


CASES = [
    *[explains(tool) for tool in TOOLS],
    Case("unknown_option_refused", "cat --nonsense", status=2, matches=(r"^cat: unknown option --nonsense",)),
    Case("missing_operand_refused", "mkdir", status=2, matches=(r"^mkdir: something is missing",)),
    Case("unknown_command_refused", "nonsense", status=127, matches=(r"nonsense",)),
    Case("true_and_false", "true; echo $?; false; echo $?", output="0\n1\n"),

    Case("echo_prints_its_arguments", "echo one  two 'three  four'; echo -n x; echo", output="one two three  four\nx\n"),
    Case("cat_shows_files_in_order", "echo a > /tmp/cat1; echo b > /tmp/cat2; cat /tmp/cat1 /tmp/cat2; rm /tmp/cat1 /tmp/cat2",
         output="a\nb\n"),
    Case("cat_of_a_missing_file_refused", "cat /tmp/missing", status=1,
         matches=(r"^cat: /tmp/missing: no node has this path",)),
    Case("cat_of_a_directory_refused", "cat /bin", status=1, matches=(r"^cat: /bin: ",)),
    Case("redirection_appends", "echo a > /tmp/append; echo b >> /tmp/append; cat /tmp/append; rm /tmp/append",
         output="a\nb\n"),
    Case("redirection_truncates", "echo long text > /tmp/cut; echo x > /tmp/cut; cat /tmp/cut; rm /tmp/cut", output="x\n"),
    Case("input_is_redirected", "echo one two > /tmp/in; wc -w < /tmp/in; rm /tmp/in", output="2\n"),
    Case("write_replaces_nothing_but_what_it_writes", "echo > /tmp/w; write /tmp/w hello; head -n 1 /tmp/w; rm /tmp/w",
         matches=(r"^hello",)),

    Case("mkdir_makes_and_rm_removes", "mkdir /tmp/d; ls -d /tmp/d; rm -r /tmp/d; ls /tmp/d", status=1,
         matches=(r"^/tmp/d$", r"^ls: /tmp/d: no node")),
    Case("mkdir_makes_parents", "mkdir -p /tmp/p/q/r; ls /tmp/p/q; rm -r /tmp/p", output="r\n"),
    Case("mkdir_over_something_refused", "mkdir /bin", status=1, matches=(r"^mkdir: /bin: ",)),
    Case("rm_of_a_full_directory_refused", "mkdir /tmp/full; echo > /tmp/full/x; rm /tmp/full; rm -r /tmp/full",
         matches=(r"^rm: /tmp/full: ",)),
    Case("rm_of_a_missing_file_refused_unless_forced", "rm /tmp/missing; echo $?; rm -f /tmp/missing; echo $?",
         matches=(r"^1$", r"^0$")),
    Case("mv_moves", "echo m > /tmp/m1; mv /tmp/m1 /tmp/m2; cat /tmp/m2; cat /tmp/m1; rm /tmp/m2",
         matches=(r"^m$", r"^cat: /tmp/m1: ")),
    Case("mv_over_something_refused", "echo 1 > /tmp/v1; echo 2 > /tmp/v2; mv /tmp/v1 /tmp/v2; cat /tmp/v2; rm /tmp/v1 /tmp/v2",
         matches=(r"^mv: ", r"^2$")),
    Case("ln_makes_a_link_that_is_followed", "echo t > /tmp/t; ln -s /tmp/t /tmp/l; cat /tmp/l; rm /tmp/l /tmp/t",
         output="t\n"),
    Case("links_in_a_circle_refused", "ln -s /tmp/y /tmp/x; ln -s /tmp/x /tmp/y; cat /tmp/x; rm /tmp/x /tmp/y",
         matches=(r"^cat: /tmp/x: too many links",)),
    Case("chmod_changes_the_mode", "echo > /tmp/c; chmod 640 /tmp/c; ls -l /tmp/c; rm /tmp/c", matches=(r"^-?rw-r-----",)),
    Case("ls_sorts_names", "mkdir /tmp/s; echo > /tmp/s/b; echo > /tmp/s/a; echo > /tmp/s/c; ls /tmp/s; rm -r /tmp/s",
         output="a\nb\nc\n"),
    Case("two_slashes_are_one", "ls -d //bin; cat //kern//stage", matches=(r"^$STAGE$",)),
    Case("stat_tells_kind_and_size", "echo 12345 > /tmp/st; stat /tmp/st; rm /tmp/st", matches=(r"\b6\b", r"file")),

    Case("grep_shows_lines_that_match", "echo -n 'ab' > /tmp/g; echo 'c' >> /tmp/g; echo xyz >> /tmp/g; grep b.$ /tmp/g",
         output="abc\n"),
    Case("grep_tells_when_there_is_none", "grep nothing /tmp/g", status=1, output=""),
    Case("grep_counts_and_inverts", "grep -vc abc /tmp/g; rm /tmp/g", output="1\n"),
    Case("tail_shows_the_last_lines", "for i in 1 2 3 4; do echo $i; done > /tmp/t; tail -n 2 /tmp/t; cat /tmp/t | tail -n 9 | wc -l; "
         "tail -n 0 /tmp/t; tail /tmp/none; rm /tmp/t", output="3\n4\n4\ntail: /tmp/none: no node has this path\n"),
    Case("head_shows_the_first_lines", "ls /bin > /tmp/h; head -n 2 /tmp/h | wc -l; rm /tmp/h", output="2\n"),
    Case("wc_counts", "echo one two three | wc", output="1 3 14\n"),
    Case("hexdump_shows_bytes", "echo -n 'AB' | hexdump", matches=(r"^00000000  ?41 42 .*AB",)),
    Case("pipes_of_three", "ls /bin | grep ^w | wc -l", output="3\n"),

    Case("time_tells_how_long", "time sleep 100ms", matches=(r"0\.1\d\d",)),
    Case("sleep_refuses_what_is_no_duration", "sleep soon", status=2, matches=(r"'soon' is not a duration",)),
    Case("uptime_tells", "uptime", matches=(r"^up 00:0\d:\d\d\.\d{3}$",)),
    Case("dmesg_shows_the_log", "dmesg", matches=(r"^\[ +\d+\.\d+\] ",)),
    Case("ps_lists_itself", "ps", matches=(r"\binit\b", r"\bsh\b", r"\bps\b")),
    Case("kill_ends_a_process", "sleep 1000s & kill $!; wait; ps | grep -c sleep", status=1, output="0\n"),
    Case("kill_of_nothing_refused", "kill 999999", status=1, matches=(r"^kill: ",)),

    Case("mkchan_makes_a_mailbox", "mkchan /ipc/box; echo hi > /ipc/box/data; recv /ipc/box; rm /ipc/box", matches=(r"^hi$",)),
    Case("send_and_recv_meet", "recv -s -t 5s /ipc/meet & send /ipc/meet hello; wait", matches=(r"^hello$",)),
    Case("channel_is_a_directory", "mkchan /ipc/dir; ls /ipc/dir; rm /ipc/dir", matches=(r"^ctl$", r"^data$", r"^stats$")),
    Case("channel_over_something_refused", "mkchan /ipc/two; mkchan /ipc/two; echo $?; rm /ipc/two",
         matches=(r"^mkchan: /ipc/two: ", r"^1$")),
    Case("full_channel_refuses", "mkchan -d 1 /ipc/one; send -t 0s /ipc/one a; send -t 0s /ipc/one b; echo $?; rm /ipc/one",
         matches=(r"^1$",)),
    Case("ping_measures", "echo-server & ping -n 20 /ipc/echo; kill $!", matches=(r"\b20\b",)),
    Case("echo_client_gives_up_without_a_server", "echo-client -p /ipc/nobody -t 50ms hello", status=1,
         matches=(r"^echo-client: /ipc/nobody: ",)),
]
