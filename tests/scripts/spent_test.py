"""What commands took is kept, and they give what they printed."""

import pathlib
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import spent  # noqa: E402


class Run(unittest.TestCase):
    def setUp(self):
        spent.ledger.clear()

    def test_output_and_complaints_are_apart(self):
        self.assertEqual(spent.run("it", ["sh", "-c", "echo one; echo two >&2; exit 3"]), (3, "one\n", "two\n"))

    def test_merged_complaints_stay_in_order(self):
        self.assertEqual(spent.run("it", ["sh", "-c", "echo one; echo two >&2; echo three"], merged=True),
                         (0, "one\ntwo\nthree\n", ""))

    def test_children_count(self):
        spent.run("busy", ["sh", "-c", f"{sys.executable} -c 'sum(range(3000000))'; :"])
        spent.run("idle", ["sleep", "0.1"])
        busy, idle = spent.ledger
        self.assertGreater(busy.processor, idle.processor)
        self.assertGreaterEqual(idle.clock, 0.1)

    def test_the_slowest_come_first(self):
        spent.ledger.extend([spent.Spent("a", 9, 1), spent.Spent("b", 1, 3), spent.Spent("c", 1, 2)])
        self.assertEqual([line.split()[-1] for line in spent.slowest(2)[1:]], ["b", "c"])
        self.assertEqual(spent.slowest(0), [])

    def test_time_is_up(self):
        process = subprocess.Popen(["sleep", "100"])
        self.assertIsNone(spent.wait("it", process, time.monotonic(), timeout=0.05))
        self.assertEqual(spent.ledger, [])
        process.kill()
        self.assertEqual(spent.wait("it", process, time.monotonic()), -9)
        self.assertEqual([entry.what for entry in spent.ledger], ["it"])


if __name__ == "__main__":
    unittest.main()
