#!/usr/bin/env python3
"""Build Isthmus, boot it in QEMU, and give a shell on the serial console or run commands there.

With -c the commands travel in a second archive, as /boot/commands, beside the initial one. init prints a line
"\\x1ebegin" before it runs them and "\\x1eexit N" after, as the last line of all; what lies between is their output, and
N their status. Without -c the serial console is connected to this terminal; Ctrl-A X ends the machine.

Exit status with -c: that of the commands; 124 when the time is up, 125 after a kernel panic, 126 when the machine ended
in another way. QEMU ends with this program, however this program ends. What stands in ISTHMUS_QEMU_ARGS is passed on to
QEMU; so scripts/bench gets its counter into the boot tests.
"""

import argparse
import ctypes
import dataclasses
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import archive  # noqa: E402  the module beside this one

EXIT_TIMEOUT = 124
EXIT_PANIC = 125
EXIT_OTHER = 126
QEMU_PANIC = 127  # 2 * 0x3f + 1: x86_64's isa-debug-exit makes that of the kernel's 0x3f, the other ports do the same
MARK = b"\x1e"
BEGIN = MARK + b"begin\n"
END = re.compile(rb"\x1eexit (-?\d{1,10})\n")
END_SO_FAR = re.compile(rb"\x1e(e|ex|exi|exit|exit -?\d{0,10}\n?)?")
TIMEOUT_DEFAULT = 120


@dataclasses.dataclass(frozen=True)
class Machine:
    """How QEMU plays one of the machines."""

    qemu: str         # the program
    stage: int        # the first that has the port
    arguments: tuple  # of the program, but for the processor
    cpu: str
    loaders: tuple    # other ways to boot than QEMU's own, as options of scripts/run
    uboot: str = ""   # what U-Boot is called, below /usr/lib/u-boot
    uboot_option: str = "-kernel"  # by which QEMU takes it
    flat: bool = False             # QEMU takes the flat image, not the ELF file
    many: tuple = ()               # further arguments for more than eight CPUs


MACHINES = {
    "x86_64": Machine("qemu-system-x86_64", 4, ("-machine", "q35", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"),
                      "qemu64,+smep,+smap,+umip,+fsgsbase,+pdpe1gb", ("iso", "uefi")),
    "arm64": Machine("qemu-system-aarch64", 5, ("-machine", "virt", "-semihosting-config", "enable=on,target=native"),
                     "cortex-a57", ("uboot",), "qemu_arm64/u-boot.bin", uboot_option="-bios", flat=True,
                     many=("-machine", "gic-version=3")),
    "riscv64": Machine("qemu-system-riscv64", 6, ("-machine", "virt", "-bios", "default"), "rv64", ("uboot",),
                       "qemu-riscv64_smode/u-boot.bin"),
}


class Failure(Exception):
    """Something that the person at the command line can understand; status is this program's exit status."""

    def __init__(self, text, status=EXIT_OTHER):
        super().__init__(text)
        self.status = status


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/run", description="Boot Isthmus in QEMU, with a shell on the serial console.",
        epilog="Without -c, Ctrl-A X ends the machine, and so does the command poweroff. With -c, the exit status is the "
        "last command's; 124 means time is up, 125 a kernel panic, 126 that the machine ended in another way.")
    parser.add_argument("arch", nargs="?", default="x86_64", choices=list(MACHINES), metavar="ARCH",
                        help=f"the machine: {', '.join(MACHINES)} (default x86_64)")
    parser.add_argument("-c", dest="commands", metavar="CMDS",
                        help="run these commands, print only their output, exit with their status")
    parser.add_argument("--iso", action="store_true", help="x86_64: boot through GRUB from an ISO, with a BIOS")
    parser.add_argument("--uefi", action="store_true", help="x86_64: boot the same ISO with UEFI firmware")
    parser.add_argument("--uboot", action="store_true", help="arm64, riscv64: boot through U-Boot from a disk")
    parser.add_argument("--cpu", metavar="MODEL", help="another processor, as QEMU calls it")
    parser.add_argument("--smp", type=int, default=1, metavar="N", help="number of CPUs (1)")
    parser.add_argument("--mem", default="128M", metavar="M", help="memory, as in 32M or 2G (128M)")
    parser.add_argument("--gdb", action="store_true", help="wait for gdb on port 1234 before the first instruction")
    parser.add_argument("--timeout", type=float, metavar="S",
                        help=f"end the machine after S seconds ({TIMEOUT_DEFAULT} with -c, else never)")
    parser.add_argument("--icount", action="store_true",
                        help="count instructions: one nanosecond each, the same on every workstation")
    parser.add_argument("--append", default="", metavar="TEXT", help="add to the kernel's command line")
    parser.add_argument("--file", action="append", default=[], metavar="PATH=FILE",
                        help="put a file of this workstation into the initial files")
    parser.add_argument("--with-tests", action="store_true", help="with the programs of the boot tests below /test")
    parser.add_argument("--qemu-arg", action="append", default=[], metavar="A", help="a further argument for QEMU")
    parser.add_argument("--stage", type=int, choices=range(4, 8), metavar="N",
                        help="what to build (default: the first stage that has the machine)")
    parser.add_argument("--build-dir", metavar="D", help="where to build")
    parser.add_argument("--no-build", action="store_true", help="boot what is already built")
    options = parser.parse_args()
    if options.smp < 1:
        parser.error("--smp needs at least 1")
    options.machine = MACHINES[options.arch]
    for loader in ("iso", "uefi", "uboot"):
        if getattr(options, loader) and loader not in options.machine.loaders:
            parser.error(f"{options.arch} does not boot with --{loader}")
    if options.uefi:
        options.iso = True
    options.stage = options.stage or options.machine.stage
    if options.timeout is None and options.commands is not None and not options.gdb:
        options.timeout = TIMEOUT_DEFAULT
    return options


def build(options):
    """Build; the kernel image and the archives."""
    where = pathlib.Path(options.build_dir or ROOT / "build" / f"{options.arch}-stage{options.stage}")
    if not options.no_build:
        command = [ROOT / "scripts/build", options.arch, "--stage", str(options.stage), "--build-dir", str(where)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failure(done.stdout.decode(errors="replace").rstrip(), 1)
    kernel = where / f"isthmus-{options.arch}"
    archives = [where / "user" / f"isthmus-{options.arch}.cpio"]
    if options.with_tests:
        archives.append(where / "tests/programs" / f"isthmus-{options.arch}-tests.cpio")
    for path in (kernel, *archives):
        if not path.exists():
            raise Failure(f"{path} is not built", 1)
    return kernel, archives


def extra_files(options):
    files = {}
    for item in options.file:
        path, _, source = item.partition("=")
        if not source:
            raise Failure(f"--file: not PATH=FILE: '{item}'", 2)
        try:
            files[path.strip("/")] = pathlib.Path(source).read_bytes()
        except OSError as error:
            raise Failure(f"--file: {error}", 2) from error
    if options.commands is not None:
        files["boot/commands"] = options.commands.encode() + b"\n"
    return files


def command_line(options):
    words = (["quiet"] if options.commands is not None else []) + options.append.split()
    return " ".join(words)


def make_iso(work, kernel, modules, options):
    """An ISO that GRUB boots with a BIOS and with UEFI."""
    tree = work / "iso"
    (tree / "boot/grub").mkdir(parents=True)
    shutil.copy(kernel, tree / "boot/isthmus")
    lines = ["set timeout=0", "set default=0", 'menuentry "Isthmus" {',
             f"    multiboot2 /boot/isthmus {command_line(options)}".rstrip()]
    for number, module in enumerate(modules):
        shutil.copy(module, tree / f"boot/files{number}.cpio")
        lines.append(f"    module2 /boot/files{number}.cpio")
    lines.append("}")
    (tree / "boot/grub/grub.cfg").write_text("\n".join(lines) + "\n")
    iso = work / "isthmus.iso"
    done = subprocess.run(["grub-mkrescue", "-o", iso, tree], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0 or not iso.exists():
        raise Failure("grub-mkrescue failed:\n" + done.stdout.decode(errors="replace"), 1)
    return iso


def firmware(work):
    """UEFI firmware as QEMU arguments; its variables are a copy that goes with the work folder."""
    for folder in ("/usr/share/OVMF", "/usr/share/ovmf"):
        for suffix in ("_4M", ""):
            code = pathlib.Path(folder) / f"OVMF_CODE{suffix}.fd"
            variables = pathlib.Path(folder) / f"OVMF_VARS{suffix}.fd"
            if code.exists() and variables.exists():
                own = shutil.copy(variables, work / "vars.fd")
                return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                        "-drive", f"if=pflash,format=raw,unit=1,file={own}"]
    raise Failure("no OVMF firmware found below /usr/share; the package is called ovmf", 1)


def make_disk(work, kernel, modules, options):
    """A disk from which U-Boot loads the flat image and the archives."""
    image = kernel.with_suffix(".img")
    initrd = work / "disk.cpio"
    initrd.write_bytes(b"".join(module.read_bytes() for module in modules))
    menu = work / "extlinux.conf"
    menu.write_text("default isthmus\nlabel isthmus\n kernel /isthmus.img\n initrd /isthmus.cpio\n"
                    f" append {command_line(options)}\n")
    disk = work / "disk.img"
    mebibytes = (image.stat().st_size + initrd.stat().st_size >> 20) + 4
    for command in (["mformat", "-i", disk, "-C", "-T", str(mebibytes << 11), "-h", "64", "-s", "32", "::"],
                    ["mmd", "-i", disk, "::extlinux"],
                    ["mcopy", "-i", disk, image, "::isthmus.img"],
                    ["mcopy", "-i", disk, initrd, "::isthmus.cpio"],
                    ["mcopy", "-i", disk, menu, "::extlinux/extlinux.conf"]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failure(f"{command[0]} failed:\n" + done.stdout.decode(errors="replace"), 1)
    return disk


def qemu_command(work, kernel, archives, options):
    command = [options.machine.qemu, *options.machine.arguments, "-cpu", options.cpu or options.machine.cpu,
               "-m", options.mem, "-smp", str(options.smp), "-display", "none", "-no-reboot", "-nic", "none"]
    if options.smp > 8:
        command += options.machine.many
    if options.icount:
        command += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
    elif options.smp > (os.cpu_count() or 1):
        # More CPUs than this workstation has take turns: a thread each, they would wait for one another's time slices.
        command += ["-accel", "tcg,thread=single"]
    else:
        command += ["-accel", "tcg"]
    if options.commands is None:
        command += ["-serial", "mon:stdio"]
    else:
        command += ["-monitor", "none", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
    modules = list(archives)
    files = extra_files(options)
    if files:
        extra = work / "extra.cpio"
        extra.write_bytes(archive.archive(files))
        modules.append(extra)
    if options.iso:
        command += ["-cdrom", str(make_iso(work, kernel, modules, options)), "-boot", "d"]
        if options.uefi:
            command += firmware(work)
    elif options.uboot:
        command += [options.machine.uboot_option, f"/usr/lib/u-boot/{options.machine.uboot}",
                    "-drive", f"if=none,id=disk,format=raw,file={make_disk(work, kernel, modules, options)}",
                    "-device", "virtio-blk-device,drive=disk"]
    else:
        initrd = work / "initrd.cpio"
        initrd.write_bytes(b"".join(module.read_bytes() for module in modules))
        image = kernel.with_suffix(".img") if options.machine.flat else kernel
        command += ["-kernel", str(image), "-initrd", str(initrd)]
        if command_line(options):
            command += ["-append", command_line(options)]
    if options.gdb:
        command += ["-s", "-S"]
        # The image names its sources relative to where it was built, so that builds are the same everywhere.
        print(f"gdb-multiarch {kernel} -ex 'set substitute-path ./build {ROOT}' -ex 'target remote localhost:1234'",
              file=sys.stderr)
    return command + options.qemu_arg + shlex.split(os.environ.get("ISTHMUS_QEMU_ARGS", ""))


def die_with_parent():
    """In the child: be killed when the parent goes, whatever made it go."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


class Output:
    """Sifts the console: passes on what lies between the marks, and keeps the rest."""

    def __init__(self, write):
        self.write = write
        self.before = b""    # everything up to the begin mark
        self.begun = False
        self.pending = b""   # from the last mark on, or a lone \r: may yet turn out to be a mark or a line end
        self.status = None

    def feed(self, data):
        data = (self.pending + data)
        self.pending = b""
        if data.endswith(b"\r"):
            data, self.pending = data[:-1], b"\r"
        data = data.replace(b"\r\n", b"\n")
        if not self.begun:
            self.before += data
            at = self.before.find(BEGIN)
            if at < 0:
                return
            self.begun = True
            data = self.before[at + len(BEGIN):]
            self.before = self.before[:at]
        at = data.rfind(MARK)
        if at >= 0 and END_SO_FAR.fullmatch(data, at):
            self.pending = data[at:] + self.pending
            data = data[:at]
        if data:
            self.write(data)

    def finish(self):
        """The commands' status, or None if they did not come to their end."""
        end_mark = END.fullmatch(self.pending)
        if self.begun and end_mark:
            return int(end_mark[1]) & 0xff
        if self.begun and self.pending:
            self.write(self.pending)
        return None


def run_commands(command, options):
    def write(data):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=die_with_parent)
    output = Output(write)
    deadline = time.monotonic() + options.timeout if options.timeout else None
    timed_out = False
    complaints = b""
    try:
        streams = {process.stdout.fileno(): "console", process.stderr.fileno(): "complaints"}
        while streams:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                timed_out = True
                break
            for fd in select.select(list(streams), [], [], left)[0]:
                data = os.read(fd, 65536)
                if not data:
                    del streams[fd]
                elif streams[fd] == "console":
                    output.feed(data)
                else:
                    complaints += data
        if timed_out:
            end(process)
        ended = process.wait()
    finally:
        end(process)
    status = output.finish()
    if complaints and (status is None):
        sys.stderr.write(complaints.decode(errors="replace"))
    # Seven bits of the status reach QEMU's own, so commands may end in the same way on purpose.
    panicked = ended == QEMU_PANIC and (status is None or status & 0x7f != QEMU_PANIC >> 1)
    if panicked or status is None:
        if not output.begun:
            # Nothing that belongs on standard output, but the person needs to see how far it came.
            sys.stderr.write((output.before + output.pending).decode(errors="replace"))
        if panicked:
            raise Failure("the kernel panicked", EXIT_PANIC)
        if timed_out:
            raise Failure(f"not finished after {options.timeout:g} seconds", EXIT_TIMEOUT)
        raise Failure(f"the machine ended before the commands did (QEMU's status {ended})", EXIT_OTHER)
    if timed_out:
        raise Failure("the commands ended, but the machine did not power off", EXIT_TIMEOUT)
    return status


def run_terminal(command, options):
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    process = subprocess.Popen(command, preexec_fn=die_with_parent)
    try:
        ended = process.wait(options.timeout)
    except subprocess.TimeoutExpired:
        end(process)
        raise Failure(f"ended after {options.timeout:g} seconds", EXIT_TIMEOUT) from None
    finally:
        end(process)
        if saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
    if ended == QEMU_PANIC:
        raise Failure("the kernel panicked", EXIT_PANIC)
    return ended >> 1 if ended != 1 else EXIT_OTHER  # poweroff N; 1 is QEMU's own trouble


def main():
    options = arguments()

    def stop(number, _frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    try:
        kernel, archives = build(options)
        with tempfile.TemporaryDirectory(prefix="isthmus-") as work:
            command = qemu_command(pathlib.Path(work), kernel, archives, options)
            if os.environ.get("ISTHMUS_RUN_VERBOSE"):
                print(shlex.join(map(str, command)), file=sys.stderr)
            if options.commands is None:
                return run_terminal(command, options)
            return run_commands(command, options)
    except Failure as failure:
        print(f"scripts/run: {failure}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_OTHER


if __name__ == "__main__":
    sys.exit(main())
