"""A person at the console: line editing, history, completion, Ctrl-C, typing ahead. Keys go in through a pseudo-terminal,
and each step waits for what must appear, however long the machine takes."""

import dataclasses
import os
import pty
import re
import select
import signal
import subprocess
import time

import spent
from machine import Case

NOISE = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|\r|\x07")


@dataclasses.dataclass
class Session(Case):
    """Steps of (keys, regular expression that must appear in what is shown from then on)."""

    steps: tuple = ()
    ends_with: int = 0  # exit status of scripts/run

    def converse(self, target):
        what = f"boot/{target.arch}/{self.name}"
        terminal, other = pty.openpty()
        begun = time.monotonic()
        run = subprocess.Popen(target.command(*self.machine), stdin=other, stdout=other, stderr=other, start_new_session=True)
        os.close(other)
        try:
            for keys, wanted in self.steps:
                os.write(terminal, keys)
                shown = self.read(terminal, wanted)
                if not re.search(wanted, shown, re.MULTILINE):
                    return f"after {keys!r}, nothing matches {wanted!r} in:\n{shown.decode(errors='replace')}"
            status = spent.wait(what, run, begun, self.timeout)
            if status is None:
                return "the machine did not end"
            return None if status == self.ends_with else f"ended with {status}, not {self.ends_with}"
        finally:
            if run.returncode is None:
                os.killpg(run.pid, signal.SIGTERM)
                if spent.wait(what, run, begun, 10) is None:
                    os.killpg(run.pid, signal.SIGKILL)
                    spent.wait(what, run, begun)
            os.close(terminal)

    def read(self, terminal, wanted):
        """What appears until it matches or the time is up."""
        shown = b""
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            ready, _, _ = select.select([terminal], [], [], 0.2)
            if ready:
                try:
                    piece = os.read(terminal, 4096)
                except OSError:
                    break
                shown += piece
                if re.search(wanted, NOISE.sub(b"", shown), re.MULTILINE):
                    break
        return NOISE.sub(b"", shown)


PROMPT = rb"/ # $"  # and ^A must be typed twice: the first is the emulator's


def session(name, *steps, **more):
    return Session(name, "", alone=True, steps=((b"", PROMPT), *steps, (b"poweroff 3\r", b"poweroff 3")), ends_with=3, **more)


def keys_come_by(controller, harts, suffix=""):
    """Keys are heard through an interrupt controller of riscv64, with no more interrupts than some 130 keys can make: one
    that is served does not come again."""
    return session(f"keys_come_by_{controller.replace('-', '_')}{suffix}",
                   (f"echo heard $(cat /kern/arch/features | grep -c '^interrupt_controller {controller}$')\r".encode(),
                    rb"^heard 1\n/ # $"),
                   (b"cat /kern/irq/stats/counts\r", rb"^cpu .*\n0 +\d+ +\d+ +[1-9]\d{0,2} (.*\n)+/ # $"),
                   machine=("--qemu-arg=-machine", f"--qemu-arg=aia={controller}", "--smp", str(harts)), only=("riscv64",))


CASES = [
    session("lines_are_edited",
            (b"ecko hello\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x7fh\x05 world\r", rb"^hello world\n/ # $"),
            (b"junk\x15echo one two\x17three\r", rb"^one three\n/ # $"),
            (b"cho tail\x01\x01e\x0b\x1b[Fcho rest\r", rb"^rest\n/ # $"),
            (b"never\x03", rb"\^C\n/ # $"),
            (b"echo $?\r", rb"^130\n/ # $")),
    session("watching_is_ended_by_hand",
            (b"watch /tmp\r", rb"^sequence .* name$"),
            (b"\x03", rb"/ # $"),
            (b"echo $?\r", rb"^130\n/ # $"),
            (b"ipc top -t 100ms\r", rb"(^up \d(.|\n)*){3}"),
            (b"q\r", rb"/ # $")),
    session("history_comes_back",
            (b"echo first\r", rb"^first\n/ # $"),
            (b"echo second\r", rb"^second\n/ # $"),
            (b"\x1b[A\x1b[A\r", rb"^first\n/ # $"),
            (b"\x10\x10\x0e\x7f\x7f\x7f\x7f\x7fthird\r", rb"^third\n/ # $")),
    session("tab_completes_commands_and_paths",
            (b"upt\t\r", rb"^up \d.*\n/ # $"),
            (b"cat /kern/st\t\r", rb"^[4-7]\n/ # $"),
            (b"echo-\t\t", rb"^echo-client +echo-server\n/ # echo-$"),
            (b"\x15ls /ke\tipc/st\t\r", rb"^calls +channels +[^#]*messages[^#]*\n/ # $")),
    session("control_c_ends_the_job_and_what_it_started",
            (b"sh -c 'sleep 1000; echo no'\r", rb"sleep 1000; echo no'\n"),
            (b"\x03", rb"\^C\n/ # $"),
            # The prompt comes when the job has ended; what it started is about to.
            (b"echo $?; while ps | grep sleep > /dev/null; do :; done; echo gone\r", rb"^130\ngone\n/ # $"),
            (b"while true; do :; done\r", rb"done\n"),
            (b"\x03", rb"\^C\n/ # $"),
            (b"hexdump /dev/zero\r", rb"00001000 "),
            (b"\x03", rb"\^C\n/ # $")),
    session("typed_lines_reach_the_job",
            (b"cat\r", rb"cat\n"),
            (b"heklo\x7f\x7f\x7fllo\r", rb"^hello\n"),
            (b"\x04", rb"^/ # $"),
            (b"wc\ra b c\rd\r\x04", rb"^2 4 8\n/ # $"),
            (b"sleep 0.5\recho ahead\r", rb"^ahead\n/ # $"),
            (b"read x\rvalue\recho \"<$x>\"\r", rb"^<value>\n/ # $")),
    session("commands_go_on_over_lines",
            (b"for i in 1 2\r", rb"^> $"),
            (b"do echo n$i\r", rb"^> $"),
            (b"done\r", rb"^n1\nn2\n/ # $"),
            (b"echo 'a\r", rb"^> $"),
            (b"b'\r", rb"^a\nb\n/ # $"),
            (b"fi\r", rb"^sh: line 1: 'fi' where a command should be\n/ # $")),
    session("jobs_are_told_when_they_end",
            (b"sleep 0.3 &\r", rb"^\[1\] \d+\n/ # $"),
            (b"wait; jobs; echo done\r", rb"^done\n/ # $"),
            (b"true &\r", rb"^\[1\] \d+\n/ # $"),
            (b"sleep 0.3\r", rb"^\[1\] ended with 0  true\n/ # $")),
    session("a_shell_that_ends_comes_back",
            (b"exit\r", PROMPT),
            (b"kill $$\r", PROMPT),
            (b"echo again\r", rb"^again\n/ # $")),
    keys_come_by("aplic", 2),
    keys_come_by("aplic-imsic", 1, "_to_one_hart"),
    keys_come_by("aplic-imsic", 2),
    session("a_shell_in_a_shell",
            (b"sh\r", rb"^sh> $"),
            (b"echo inner; exit 4\r", rb"^inner\n/ # $"),
            (b"echo $?\r", rb"^4\n/ # $")),
]
