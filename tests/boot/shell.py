"""The shell as somebody who writes scripts expects it."""

from machine import Case


def says(name, commands, output, status=0, **more):
    return Case(name, commands, output=output, status=status, **more)


CASES = [
    says("for_goes_through_its_words", "for i in 1 2 'a b'; do echo \"<$i>\"; done", "<1>\n<2>\n<a b>\n"),
    says("while_counts", "x=4; while [ $x -gt 0 ]; do x=$((x-1)); if [ $x = 2 ]; then continue; fi; echo $x; done", "3\n1\n0\n"),
    says("until_ends", "u=; until [ \"$u\" = xxx ]; do u=${u}x; done; echo $u", "xxx\n"),
    says("break_leaves_as_many_loops_as_asked", "for i in 1 2; do for j in 1 2; do echo $i$j; break 2; done; done", "11\n"),
    says("if_chooses", "if false; then echo 1; elif true; then echo 2; else echo 3; fi", "2\n"),
    says("case_chooses", "case hello.c in *.h) echo h;; *.c|*.cc) echo c;; *) echo no;; esac", "c\n"),
    says("and_or_not", "true && echo 1; false || echo 2; ! false; echo $?; false && echo no; true || echo no", "1\n2\n0\n"),
    says("groups_and_subshells", "cd /tmp; (cd /; pwd); { echo a; echo b; } | wc -l; pwd; cd /", "/\n2\n/tmp\n"),
    says("substitution_splits_unless_quoted", "set -- $(echo 'a  b'); echo $#; set -- \"$(echo 'a  b')\"; echo $#; set --", "2\n1\n"),
    says("backquotes_work", "echo `echo x`", "x\n"),
    says("arithmetic", "a=5; echo $((a * 2 + 1)) $((7 / 2)) $((-7 % 4))", "11 3 -3\n"),
    says("division_by_zero_refused", "echo $((1 / 0))", "sh: $((1 / 0)): a division by zero\n", status=1),
    says("a_status_can_be_kept", "false; s=$?; echo $s $?; x=$(sh -c 'exit 3'); echo $?; false; y=1; echo $?", "1 0\n3\n0\n"),
    says("parameters", "sh -c 'echo $0 $1 $# \"$@\"; shift; echo $1' name one 'two three'",
         "name one 2 one two three\ntwo three\n"),
    says("defaults_and_trimming", "f=/a/b.tar.gz; echo ${f##*/} ${f%.*} ${none:-default} ${#f}", "b.tar.gz /a/b.tar default 11\n"),
    says("quotes_keep_blanks_and_stars", "echo 'a  *' \"b  *\" c\\ \\*", "a  * b  * c *\n"),
    says("globs_find_paths_in_order", "mkdir /tmp/gl; echo > /tmp/gl/b.c; echo > /tmp/gl/a.c; echo > /tmp/gl/c.h; "
         "echo /tmp/gl/*.c /tmp/gl/[bc]* /tmp/gl/none*; rm -r /tmp/gl", "/tmp/gl/a.c /tmp/gl/b.c /tmp/gl/b.c /tmp/gl/c.h /tmp/gl/none*\n"),
    says("variables_reach_programs_only_when_exported", "sv=1; export ev=2; sh -c 'echo [$sv] [$ev]'; av=3 sh -c 'echo $av'; "
         "echo [$av]; unset sv ev", "[] [2]\n3\n[]\n"),
    says("redirections_of_all_streams", "cat /nope 2> /tmp/e; cat /tmp/e; cat /nope > /tmp/b 2>&1; cat /tmp/b; rm /tmp/e /tmp/b",
         "cat: /nope: no node has this path\n" * 2),
    says("redirection_of_a_group", "{ echo 1; echo 2; } > /tmp/grp; cat /tmp/grp; rm /tmp/grp", "1\n2\n"),
    says("redirection_to_nowhere_refused", "echo x > /nope/x", "sh: /nope/x: no node has this path\n", status=1),
    says("loops_in_pipelines", "echo 'a b\nc d' | while read x y; do echo $y$x; done", "ba\ndc\n"),
    says("read_takes_one_line_and_leaves_the_rest", "echo 'a\nb\nc' > /tmp/r; { read x; cat; } < /tmp/r; echo $x; rm /tmp/r", "b\nc\na\n"),
    says("scripts_can_read_their_own_input", "echo 'read v\nvalue\necho $v end' > /tmp/in; sh < /tmp/in; rm /tmp/in", "value end\n"),
    says("a_long_pipe_carries_everything", "cat /bin/sh | cat | cat > /tmp/copy; wc -c < /tmp/copy > /tmp/n1; wc -c < /bin/sh > /tmp/n2; "
         "read a < /tmp/n1; read b < /tmp/n2; test $a = $b; echo $?; rm /tmp/copy /tmp/n1 /tmp/n2", "0\n"),
    says("a_writer_whose_reader_has_gone_ends", "cat /bin/sh /bin/sh /bin/sh /bin/sh | head -n 1 | wc -l", "1\n"),
    says("status_of_a_pipeline_is_the_last_ones", "false | true; echo $?; true | false; echo $?", "0\n1\n"),
    says("commands_that_cannot_run", "nonsense; echo $?; /kern/stage; echo $?; /tmp; echo $?",
         "sh: nonsense: no such command; try help\n127\n"
         "sh: /kern/stage: owner, group and mode of the node do not permit this\n126\n"
         "sh: /tmp: the operation does not apply to a directory\n126\n"),
    says("killed_programs_give_128_and_more", "sleep 100 & kill -s 3 $!; wait $!; echo $?", "131\n"),
    says("background_jobs_and_wait", "sleep 0.05 & sleep 0.1 & jobs | grep -c running; wait; jobs | wc -l", "0\n0\n"),
    says("wait_gives_the_status", "sh -c 'exit 7' & wait $!; echo $?", "7\n"),
    says("exit_status_of_scripts", "echo 'echo $1; exit 5' > /tmp/s; sh /tmp/s arg; echo $?; chmod 755 /tmp/s; /tmp/s direct; "
         "echo $?; rm /tmp/s", "arg\n5\ndirect\n5\n"),
    says("scripts_from_standard_input", "echo 'echo one; if true\nthen echo two\nfi' | sh", "one\ntwo\n"),
    says("set_e_ends_at_the_first_failure", "sh -c 'set -e; false || echo 1; if false; then :; fi; false; echo 2'", "1\n", status=1),
    says("syntax_errors_name_the_line", "sh -c 'echo 1\nfi\necho 2'", "1\nsh: line 2: 'fi' where a command should be\n", status=2),
    says("unfinished_quotes_refused", "sh -c 'echo \"a'", "sh: line 1: the text ends inside quotes\n", status=2),
    says("source_runs_here", "echo 'sourced=yes' > /tmp/src; . /tmp/src; echo $sourced; rm /tmp/src", "yes\n"),
    says("cd_knows_the_way_back", "cd /tmp; cd /bin; cd -; cd ..; pwd; cd nowhere; pwd; cd /",
         "/tmp\n/\nsh: cd: nowhere: no node has this path\n/\n"),
    says("tests_of_files_and_texts", "test -d /tmp; echo $?; [ -f /tmp ]; echo $?; [ 2 -lt 10 -a a != b ]; echo $?; [ ! -e /x ]; echo $?",
         "0\n1\n0\n0\n"),
    says("a_bracket_needs_its_end", "[ a = a", "sh: [: its ] is missing\n", status=2),
    Case("builtins_explain_themselves", "for b in cd exit export jobs read set shift true false wait; do $b --help; done",
         matches=tuple(rf"^usage: {b}( |$)" for b in "cd exit export jobs read set shift true false wait".split())),
    Case("help_lists_every_command", "help > /tmp/list; for f in /bin/*; do n=${f##*/}; grep -q \"^  $n \" /tmp/list || echo missing $n; done; "
         "rm /tmp/list", output="missing init\n"),
    Case("help_of_a_command", "help ls; help cd", matches=(r"^usage: ls ", r"^usage: cd ")),
    says("init_cannot_be_started_again", "init", "init: only the kernel starts init\n", status=1),
    Case("top_shows_the_system", "top -n 2 -t 10ms", matches=(r"^up \d+\.\d+ s, 1 CPUs, idle", r"^ +pid name", r" top +running")),
    says("a_channel_can_be_redirected_to", "mkchan /ipc/redir; echo hi > /ipc/redir; recv /ipc/redir; rm /ipc/redir", "hi\n\n"),
    says("null_and_zero", "echo x > /dev/null; head -n 1 /dev/null | wc -c", "0\n"),
    says("many_arguments_refused_cleanly", "x=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; for i in 1 2 3 4 5 6 7 8 9 10 11; do x=$x$x; done; echo $x; s=$?; unset x; sh -c \"exit $s\"",
         "sh: /bin/echo: the message does not fit the limit or the receiver's buffer; nothing was moved\n", status=126),
]
