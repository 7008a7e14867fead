#!/usr/bin/env python3
"""Pack files into a cpio archive (newc), the form in which the kernel gets its initial files.

usage: archive.py --output F [PATH=FILE]...

PATH is where FILE shall be, without a leading slash. Directories on the way are added. Equal input gives an equal archive:
entries are sorted, owners and times are 0, inode numbers count up. A file is 0644, or 0755 if it is an ELF file or begins
with "#!".
"""

import argparse
import sys

MODE_DIR = 0o040755
MODE_FILE = 0o100644
MODE_PROGRAM = 0o100755


def entry(number, path, mode, data):
    name = path.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(files):
    """The archive of {path: bytes}, as bytes."""
    entries = {}
    for path, data in files.items():
        parts = path.split("/")
        if not all(parts) or "." in parts or ".." in parts:
            raise ValueError(f"not a plain relative path: '{path}'")
        for i in range(1, len(parts)):
            if "/".join(parts[:i]) in files:
                raise ValueError(f"both a file and a directory: '{'/'.join(parts[:i])}'")
            entries["/".join(parts[:i])] = (MODE_DIR, b"")
        program = data.startswith((b"\x7fELF", b"#!"))
        entries[path] = (MODE_PROGRAM if program else MODE_FILE, data)
    out = [entry(number, path, *entries[path]) for number, path in enumerate(sorted(entries), 1)]
    out.append(entry(0, "TRAILER!!!", 0, b""))
    whole = b"".join(out)
    return whole + bytes(-len(whole) % 512)


def main():
    parser = argparse.ArgumentParser(description="Pack files into a cpio archive (newc).")
    parser.add_argument("--output", required=True, metavar="F")
    parser.add_argument("entries", nargs="*", metavar="PATH=FILE")
    options = parser.parse_args()
    files = {}
    for item in options.entries:
        path, _, source = item.partition("=")
        if not source or path in files:
            parser.error(f"not PATH=FILE, or there twice: '{item}'")
        with open(source, "rb") as file:
            files[path] = file.read()
    with open(options.output, "wb") as file:
        file.write(archive(files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
