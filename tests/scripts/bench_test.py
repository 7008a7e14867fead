"""The loops that are counted are what the table says, and stays are told by the path on which they are spent."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/bench")]
import bench  # noqa: E402
import loops  # noqa: E402

NUMBERS = {"take": 26, "close": 6}


class Loops(unittest.TestCase):
    def test_call_loads_arguments_and_traps(self):
        self.assertEqual(loops.call(loops.X86_64, NUMBERS, "take h1 1 -1"),
                         ["mov 8(%rsp), %rdi", "mov $1, %esi", "mov $-1, %rdx", "mov $26, %eax", "syscall"])

    def test_zero_takes_one_instruction(self):
        self.assertEqual(loops.call(loops.X86_64, NUMBERS, "close 0")[0], "xor %edi, %edi")

    def test_result_is_kept(self):
        self.assertEqual(loops.call(loops.X86_64, NUMBERS, "close h0 -> t0")[-1], "mov %rax, 56(%rsp)")

    def test_unknown_call_refused(self):
        with self.assertRaisesRegex(SystemExit, "no call is named 'send'"):
            loops.call(loops.X86_64, NUMBERS, "send h0")

    def test_too_many_arguments_refused(self):
        with self.assertRaisesRegex(SystemExit, "arguments"):
            loops.call(loops.X86_64, NUMBERS, "take 1 2 3 4 5 6 7")


class Kernel:
    """Functions at 100, 200, 300."""

    @staticmethod
    def function(address):
        return f"at{address // 100}", address // 100 * 100


class Paths(unittest.TestCase):
    def test_callee_with_most_instructions_is_followed(self):
        log = [100, 101, 200, 201, 300, *[301] * 20, 202, 102]
        self.assertEqual(bench.Calls(Kernel, log).hot_path(), [("at1", 27), ("at2", 24), ("at3", 21)])

    def test_caller_that_does_the_work_itself_ends_the_path(self):
        log = [100, *[101] * 20, 200, 201, 102]
        self.assertEqual(bench.Calls(Kernel, log).hot_path(), [("at1", 24)])


class Verdicts(unittest.TestCase):
    ROW = {"name": "poll", "total": 81, "budget": 80, "so_far": None, "exact": None, "mean": 81.0, "counter": 81.01}

    def test_over_budget(self):
        for against in ("budget", "so-far"):
            self.assertEqual(list(bench.over_budget([self.ROW], against)), ["poll: 81 instructions, budget 80"])
            self.assertEqual(list(bench.over_budget([self.ROW | {"total": 80}], against)), [])

    def test_over_budget_so_far(self):
        row = self.ROW | {"so_far": 81}
        self.assertEqual(list(bench.over_budget([row], "budget")), ["poll: 81 instructions, budget 80"])
        self.assertEqual(list(bench.over_budget([row], "so-far")), [])
        self.assertEqual(list(bench.over_budget([row | {"total": 82}], "so-far")),
                         ["poll: 82 instructions, 81 so far (budget 80)"])
        self.assertIn("take so_far out", next(bench.over_budget([row | {"total": 80}], "so-far")))

    def test_miscount(self):
        self.assertEqual(list(bench.complaints([self.ROW])), [])
        self.assertIn("the counter is wrong", next(bench.complaints([self.ROW | {"exact": 18}])))
        self.assertIn("own counter", next(bench.complaints([self.ROW | {"counter": 90.0}])))


if __name__ == "__main__":
    unittest.main()
