"""Asking for what a stage does not have is a clear error, at once."""

import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Configuration(unittest.TestCase):
    def refused(self, arguments, words):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([ROOT / "scripts/build", *arguments, "--build-dir", folder + "/b"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(done.returncode, 0)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertLess(len(done.stderr.splitlines()), 4, done.stderr)

    def test_arm64_above_stage_4_refused(self):
        self.refused(["arm64", "--stage", "4"], ["arm64", "needs stage 5"])

    def test_riscv64_above_stage_5_refused(self):
        self.refused(["riscv64", "--stage", "5"], ["riscv64", "needs stage 6"])

    def test_stage_3_refused(self):
        self.refused(["x86_64", "--stage", "3"], ["stage"])

    def test_unknown_machine_refused(self):
        self.refused(["pdp11"], ["pdp11"])

    def test_port_that_is_not_there_yet_says_so(self):
        if (ROOT / "arch/arm64").exists():
            self.skipTest("the port is there")
        self.refused(["arm64", "--stage", "5"], ["arm64", "not in this tree yet"])

    def test_run_refuses_what_build_refuses(self):
        done = subprocess.run([ROOT / "scripts/run", "riscv64", "--stage", "5", "-c", "ls"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("needs stage 6", done.stderr)


if __name__ == "__main__":
    unittest.main()
