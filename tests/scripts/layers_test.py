"""The layering check finds what it must, on small trees made for it."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import check_layers  # noqa: E402

BASE = {
    "lib/base/types.h": "#include <stdint.h>\n",
    "kernel/include/arch.h": '#include <arch_types.h>\n#include "base/types.h"\n#include <arch_inline.h>\n',
    "kernel/object.h": '#include "base/types.h"\n',
    "kernel/thread.h": '#include "arch.h"\n#include "kernel/object.h"\n',
    "kernel/thread.c": '#include "kernel/thread.h"\n#include "abi/calls.h"\n',
    "kernel/main.c": '#include "kernel/thread.h"\n#include "kfs/node.h"\n',
    "ipc/channel.h": '#include "kernel/object.h"\n',
    "kfs/node.h": '#include "ipc/channel.h"\n#include "abi/abi.h"\n',
    "arch/one/include/arch_types.h": '#include "base/types.h"\n',
    "arch/one/include/arch_inline.h": "",
    "arch/one/mmu.h": '#include "base/types.h"\n',
    "arch/one/mmu.c": '#include "mmu.h"\n#include "arch.h"\n#include "kernel/thread.h"\n',
    "arch/host/include/arch_types.h": "",
    "arch/host/include/arch_inline.h": "",
    "arch/host/machine.c": '#include <stdlib.h>\n#include "arch.h"\n',
    "user/lib/file.h": '#include "isthmus/calls.h"\n',
    "user/lib/arch/one/arch_call.h": "#ifdef __x86_64__\n#endif\n",
    "user/bin/echo.c": '#include "lib/file.h"\n#include "base/types.h"\n',
    "user/bin/sh/parse.h": '#include "base/types.h"\n',
    "user/bin/sh/main.c": '#include "parse.h"\n',
    "tests/anything.c": '#include <stdio.h>\n#include "kfs/node.h"\n#include "lib/file.h"\n',
    "kernel/test/thread_test.c": '#include <stdio.h>\n#include "kfs/node.h"\n',
}


class Layers(unittest.TestCase):
    def complaints(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in self.tree.items():
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return check_layers.check(root)

    def setUp(self):
        self.tree = dict(BASE)

    def refused(self, path, text, *words):
        self.tree[path] = text
        complaints = self.complaints()
        self.assertEqual(len(complaints), 1, complaints)
        for word in (path, *words):
            self.assertIn(word, complaints[0])

    def test_clean_tree_passes(self):
        self.assertEqual(self.complaints(), [])

    def test_lib_sees_no_kernel(self):
        self.refused("lib/base/list.h", '#include "kernel/object.h"\n', "kernel/object.h")

    def test_kernel_sees_no_ipc(self):
        self.refused("kernel/wait.c", '#include "ipc/channel.h"\n', "ipc")

    def test_kernel_sees_no_kfs_by_relative_path(self):
        self.refused("kernel/wait.c", '#include "../kfs/node.h"\n', "kfs")

    def test_ipc_sees_no_kfs(self):
        self.refused("ipc/channel.c", '#include "kfs/node.h"\n', "kfs")

    def test_port_sees_only_the_seam(self):
        self.refused("arch/one/trap.c", '#include "kernel/object.h"\n', "kernel/object.h")

    def test_port_sees_no_other_port(self):
        self.refused("arch/host/mmu.c", '#include "../one/mmu.h"\n', "another port")

    def test_port_sees_no_system(self):
        self.refused("arch/one/trap.c", "#include <stdlib.h>\n", "stdlib.h")

    def test_port_sees_no_call_prototypes(self):
        self.refused("arch/one/trap.c", '#include "abi/calls.h"\n', "abi/calls.h")

    def test_core_sees_nothing_private_of_a_port(self):
        self.refused("kernel/wait.c", '#include "arch/one/mmu.h"\n', "port's own")

    def test_core_sees_no_system(self):
        self.refused("kernel/wait.c", "#include <string.h>\n", "string.h")

    def test_core_sees_no_user_stubs(self):
        self.refused("kfs/open.c", '#include "isthmus/calls.h"\n', "isthmus/calls.h")

    def test_user_sees_no_kernel(self):
        self.refused("user/bin/cat.c", '#include "kernel/object.h"\n', "kernel/object.h")

    def test_user_sees_no_kernel_by_relative_path(self):
        self.refused("user/bin/cat.c", '#include "../../kernel/object.h"\n', "program does not see kernel")

    def test_core_sees_no_user_library(self):
        self.refused("kfs/open.c", '#include "lib/file.h"\n', "kfs does not see userlib")

    def test_user_sees_no_call_prototypes(self):
        self.refused("user/lib/file.c", '#include "abi/calls.h"\n', "abi/calls.h")

    def test_user_library_sees_no_program(self):
        self.refused("user/lib/file.c", '#include "user/bin/sh/parse.h"\n', "program")

    def test_program_sees_no_other_program(self):
        self.refused("user/bin/top/main.c", '#include "../sh/parse.h"\n', "another's")

    def test_code_sees_no_tests(self):
        self.tree["tests/support/random.h"] = ""
        self.refused("kernel/wait.c", '#include "tests/support/random.h"\n', "tests")

    def test_missing_header(self):
        self.refused("kernel/wait.c", '#include "nowhere.h"\n', "not in the tree")

    def test_architecture_condition(self):
        for condition in ("#ifdef __x86_64__", "#if defined(__aarch64__)", "# elif __riscv_xlen == 64",
                          "#if 1 && \\\n defined __x86_64"):
            with self.subTest(condition):
                self.setUp()
                self.refused("kernel/wait.c", condition + "\n#endif\n", "architecture")

    def test_comments_do_not_count(self):
        self.tree["kernel/wait.c"] = '// #include "kfs/node.h"\n/*\n#include "kfs/node.h"\n#ifdef __x86_64__\n*/\n'
        self.assertEqual(self.complaints(), [])

    def test_cycle(self):
        self.tree["kernel/a.h"] = '#include "kernel/b.h"\n'
        self.tree["kernel/b.h"] = '#include "kernel/c.h"\n'
        self.refused("kernel/c.h", '#include "kernel/a.h"\n', "kernel/a.h", "kernel/b.h", "each other")

    def test_header_that_includes_itself(self):
        self.refused("kernel/a.h", '#include "kernel/a.h"\n', "each other")


if __name__ == "__main__":
    unittest.main()
