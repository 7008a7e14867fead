"""Every way in: direct, through GRUB with a BIOS, through GRUB with UEFI; with one CPU and with more; and every way out."""

import pathlib
import re
import subprocess
import tempfile

from machine import ROOT, Case, boot

MAIN_JOB = "echo-server & echo-client hello; cat /kern/ipc/stats/messages; cat /ipc/echo/stats; ls -l /ipc"
TALKS = {"commands": MAIN_JOB, "matches": (r"^hello$", r"\becho$"), "alone": True}


def virt(properties):
    """Options for another kind of QEMU's virt machine."""
    return "--qemu-arg=-machine", f"--qemu-arg={properties}"


def tour():
    """The commands of the README's tour."""
    block = re.search(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return "\n".join(line.split("  #")[0].split(" # ")[0].strip() for line in block[1].splitlines())


def tells(*figures):
    """The same, and what the port tells of itself."""
    return TALKS | {"commands": MAIN_JOB + "; cat /kern/arch/features",
                    "matches": (*TALKS["matches"], *(rf"^{figure}$" for figure in figures))}


class OtherTree(Case):
    """A riscv64 machine with another device tree than QEMU's own."""

    def change(self, blob):
        """The tree, of the same length."""
        raise NotImplementedError

    def boot(self, target):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder) / "tree"
            subprocess.run(["qemu-system-riscv64", "-machine", f"virt,dumpdtb={tree}", "-smp", "4", "-m", "128M", "-display",
                            "none"], check=True, capture_output=True)
            tree.write_bytes(self.change(tree.read_bytes()))
            return boot(self.commands, ("--smp", "4", "--qemu-arg=-dtb", f"--qemu-arg={tree}"), self.timeout, target,
                        self.name)


class SparseHarts(OtherTree):
    """One of the harts in the middle belongs to somebody else."""

    def change(self, blob):
        at = blob.index(b"okay\0", blob.index(b"cpu@2\0"))
        return blob[:at] + b"fail\0" + blob[at + 5:]

    def converse(self, target):
        output, status, complaints = self.boot(target)
        harts = re.findall(r"^\d+ +online +hart_(\d+)", output, re.MULTILINE)
        # The firmware boots on whichever hart comes first, that one not excepted.
        if status != 0 or sorted({*harts, "2"}) != ["0", "1", "2", "3"] or "2" in harts[1:] or "hello" not in output:
            return f"status {status}, harts {harts}; output:\n{output}\n{complaints}"
        return None


class UnknownLine(OtherTree):
    """The serial line is one that the firmware can use and the kernel does not know."""

    def change(self, blob):
        return blob.replace(b"ns16550a\0", b"ns16550\0\0")

    def converse(self, target):
        output, status, complaints = self.boot(target)
        complaint = self.complaint_on(target, output, status)
        return complaint and f"{complaint}\n{complaints}"


class Again(Case):
    """The same boot, again and again: what depends on who comes first shows in one of them."""

    def converse(self, target):
        for _ in range(6):
            output, status, complaints = boot(self.commands, self.machine, self.timeout, target, self.name)
            complaint = self.complaint_on(target, output, status)
            if complaint is not None:
                return f"{complaint}\n{complaints}"
        return None


CASES = [
    Case("direct_boot", **TALKS),
    Case("bios_boot", machine=("--iso",), only=("x86_64",), **TALKS),
    Case("uefi_boot", machine=("--uefi", "--mem", "256M"), only=("x86_64",), timeout=120, **TALKS),
    Case("uboot_boot", machine=("--uboot", "--mem", "256M"), only=("arm64", "riscv64"), timeout=120, **TALKS),
    Case("boot_at_el2", machine=virt("virtualization=on"), only=("arm64",), **TALKS),
    Case("boot_at_el2_of_a_processor_with_everything", machine=("--cpu", "max", "--smp", "2",
         *virt("virtualization=on,gic-version=3")), only=("arm64",), **TALKS),
    Case("small_processor", machine=("--cpu", "cortex-a53", "--smp", "2"), only=("arm64",), **TALKS),
    Case("gicv3", machine=("--smp", "4", *virt("gic-version=3")), only=("arm64",), **TALKS),
    Case("two_cpus", machine=("--smp", "2"), **TALKS),
    Case("four_cpus", machine=("--smp", "4"), **TALKS),
    # All CPUs take turns on one of the workstation's: then each may be held up anywhere.
    Again("cpus_start_whoever_is_held_up", "cat /kern/cpus", alone=True, machine=("--smp", "3", "--qemu-arg=-accel",
          "--qemu-arg=tcg,thread=single"), matches=(r"^0 +online", r"^1 +online", r"^2 +online")),
    Case("four_cpus_bios", machine=("--iso", "--smp", "4"), only=("x86_64",), **TALKS),
    Case("smallest_memory", machine=("--mem", "32M"), **TALKS),
    Case("much_memory", machine=("--mem", "3G"), **TALKS),
    Case("three_level_translation", machine=("--append", "sv39"), only=("riscv64",), **tells("mmu sv39")),
    Case("firmware_timer", machine=("--cpu", "sifive-u54", "--smp", "2"), only=("riscv64",), **tells("sstc 0")),
    Case("the_port_tells_what_it_has_found", "cat /kern/arch/features", only=("riscv64",),
         matches=(r"^isa rv64ima\w*_sstc$", r"^mmu sv48$", r"^asid_bits 16$", r"^asids_used [2-9]$",
                  r"^sbi_version \d+\.\d+$", r"^sbi_implementation 1$", r"^sbi_implementation_version 0x\w+$", r"^sstc 1$",
                  *(rf"^sbi_{extension} 1$" for extension in ("time", "ipi", "rfence", "hsm", "srst")),
                  r"^timer_hz 10000000$", r"^interrupt_controller plic$")),
    Case("all_cpus_are_up", "cat /kern/cpus", machine=("--smp", "4"), alone=True,
         check=lambda output: None if len(output.splitlines()) == 5 else "not a header and four CPUs:\n" + output),
    SparseHarts("harts_may_have_any_numbers", "cat /kern/cpus; echo-server & echo-client hello",
                only=("riscv64",), alone=True),
    UnknownLine("output_goes_by_the_firmware_where_the_line_is_unknown", "echo hello; cat /kern/arch/features",
                only=("riscv64",), alone=True, matches=(r"^hello$", r"^interrupt_controller none$")),
    Case("sixty_four_cpus_are_up", "cat /kern/cpus", machine=("--smp", "64"), only=("arm64", "riscv64"), alone=True, timeout=300,
         check=lambda output: None if output.count(" online ") == 64 else "not 64 CPUs:\n" + output),
    Case("only_the_output_is_printed", "echo one; echo two", output="one\ntwo\n", alone=True),
    Case("nothing_printed_for_no_output", "cd /", output="", alone=True),
    Case("status_of_the_last_command", "ls /nowhere; exit 7", status=7, alone=True),
    Case("status_of_failure", "cat /nowhere/at/all", status=1, alone=True),
    Case("the_readme_tour_works", tour(), alone=True, lacks=(r"^[a-z-]+: ",), matches=(r"^hello$", r"^1 3 14$")),
    Case("stage_is_told", "cat /kern/stage", matches=(r"^$STAGE$",)),
    Case("arch_is_told", "cat /kern/arch/name", matches=(r"^$ARCH$",)),
    Case("version_is_told", "cat /kern/version", matches=(r"0\.4\.0",)),
]
