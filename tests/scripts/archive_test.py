"""The initial archive is a cpio archive that others can read, and the same for the same files."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import archive  # noqa: E402

FILES = {"bin/b": b"\x7fELF...", "bin/a": b"#!sh\n", "etc/deep/text": b"hello", "empty": b""}


class Archive(unittest.TestCase):
    def test_order_of_the_files_does_not_matter(self):
        self.assertEqual(archive.archive(FILES), archive.archive(dict(reversed(FILES.items()))))

    def test_directories_come_before_their_files(self):
        whole = archive.archive(FILES)
        self.assertLess(whole.index(b"bin\0"), whole.index(b"bin/a\0"))
        self.assertLess(whole.index(b"etc/deep\0"), whole.index(b"etc/deep/text\0"))

    def test_size_is_a_multiple_of_512_so_that_archives_can_be_concatenated(self):
        self.assertEqual(len(archive.archive(FILES)) % 512, 0)

    def test_paths_that_leave_the_archive_are_refused(self):
        for path in ("/abs", "a/../b", "a//b", "./a", "", "a/"):
            with self.subTest(path), self.assertRaises(ValueError):
                archive.archive({path: b""})

    def test_file_and_directory_of_one_name_are_refused(self):
        with self.assertRaises(ValueError):
            archive.archive({"a": b"", "a/b": b""})

    @unittest.skipUnless(shutil.which("cpio"), "needs cpio")
    def test_cpio_reads_it(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cpio", "-idm", "--quiet"], cwd=folder, input=archive.archive(FILES), check=True)
            for path, data in FILES.items():
                self.assertEqual(pathlib.Path(folder, path).read_bytes(), data)
            self.assertTrue(pathlib.Path(folder, "bin/a").stat().st_mode & 0o100)


if __name__ == "__main__":
    unittest.main()
