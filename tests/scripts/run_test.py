"""scripts/run passes on what lies between the marks, in whatever pieces the console delivers it."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import run_qemu  # noqa: E402


def sift(console, size):
    """What the console's bytes, delivered size at a time, give: output and status."""
    written = []
    output = run_qemu.Output(written.append)
    for at in range(0, len(console), size):
        output.feed(console[at:at + size])
    status = output.finish()
    return b"".join(written), status


class Sift(unittest.TestCase):
    def check(self, console, expected, status):
        for size in (1, 2, 3, 7, len(console)):
            with self.subTest(size=size):
                self.assertEqual(sift(console, size), (expected, status))

    def test_only_what_lies_between(self):
        self.check(b"BIOS\r\n\x1b[2Jlog\r\n\x1ebegin\r\none\r\ntwo\r\n\x1eexit 0\r\n", b"one\ntwo\n", 0)

    def test_output_without_line_end(self):
        self.check(b"\x1ebegin\r\nno end\x1eexit 3\r\n", b"no end", 3)

    def test_no_output(self):
        self.check(b"\x1ebegin\r\n\x1eexit 1\r\n", b"", 1)

    def test_negative_status_is_cut_to_a_byte(self):
        self.check(b"\x1ebegin\r\n\x1eexit -1\r\n", b"", 255)

    def test_marks_in_the_output_are_output(self):
        self.check(b"\x1ebegin\r\na\x1eb\r\n\x1eexit 5\r\nmore\r\n\x1eexit 0\r\n", b"a\x1eb\n\x1eexit 5\nmore\n", 0)

    def test_lone_carriage_return_is_kept(self):
        self.check(b"\x1ebegin\r\n10%\r20%\r\n\x1eexit 0\r\n", b"10%\r20%\n", 0)

    def test_no_end(self):
        self.check(b"\x1ebegin\r\nhalf\r\n", b"half\n", None)

    def test_half_an_end(self):
        self.check(b"\x1ebegin\r\nhalf\r\n\x1eexit ", b"half\n\x1eexit ", None)

    def test_never_begun(self):
        self.check(b"panic\r\n", b"", None)


if __name__ == "__main__":
    unittest.main()
