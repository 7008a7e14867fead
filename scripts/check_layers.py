#!/usr/bin/env python3
"""Check who includes whom.

usage: check_layers.py [ROOT]

    lib <- kernel <- ipc <- kfs

A component may include itself and what LAYERS names for it, and nothing else. Ports see the seam (kernel/include), what the
seam's functions are given (SEAM_EXTRA) and lib. User programs see the generated ABI headers, lib and user/lib; a program
never sees another. Only ports, the host port and tests include headers of the system. No file outside a port asks which
architecture it is compiled for. No header includes itself, however indirectly. Each violation is one line; the exit
status is 1 if there are any.
"""

import pathlib
import re
import sys

# What each component may include beside itself. Headers that are generated count as "abi" (abi/...) and "stubs"
# (isthmus/calls.h), "port" what assembly code knows of C (x86_offsets.h).
LAYERS = {
    "lib": {"abi"},
    "kernel": {"lib", "abi", "calls", "seam", "port"},
    "ipc": {"lib", "abi", "calls", "seam", "port", "kernel"},
    "kfs": {"lib", "abi", "calls", "seam", "port", "kernel", "ipc"},
    "seam": {"lib", "abi", "port"},
    "port": {"lib", "abi", "seam", "port"},
    "userlib": {"lib", "abi", "stubs"},
    "program": {"lib", "abi", "stubs", "userlib"},
}
# Headers of the core that a port needs beyond kernel/include: the objects that embed its structures, and the allocator
# that its page tables come from.
SEAM_EXTRA = {"kernel/cpu.h", "kernel/thread.h", "kernel/page_alloc.h", "kernel/panic.h"}
# Boot is one list of calls from the bottom to the top: the one file of the kernel that sees all of the core.
BOOT = "kernel/main.c"
# The headers of a freestanding C implementation, which do not depend on a system.
FREESTANDING = {"limits.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h"}
GENERATED = {"abi/abi.h": "abi", "abi/calls.h": "calls", "isthmus/calls.h": "stubs", "x86_offsets.h": "port",
             "arm64_offsets.h": "port", "riscv_offsets.h": "port"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CONDITION = re.compile(r"^\s*#\s*(?:el)?if(?:n?def)?\b(?P<text>(?:\\\n|.)*)", re.MULTILINE)
ARCHITECTURE = re.compile(r"\b(__x86_64(__)?|__amd64(__)?|__i386(__)?|__aarch64(__)?|__arm(64)?(__)?|__riscv\w*)\b")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def component(path):
    """The component of a source file by its path from the root, or None if it may include whatever it wants."""
    parts = path.parts
    if "test" in parts[:-1] or parts[0] in ("tests", "build"):
        return None
    if parts[0] == "arch":
        return "port"
    if path.parts[:2] == ("kernel", "include"):
        return "seam"
    if parts[:2] == ("user", "lib"):
        return "userlib"
    if parts[0] == "user":
        return "program"
    return parts[0] if parts[0] in LAYERS else None


def program(path):
    """What a user program is: its folder below user/bin, user/services, ..., or its file where it has no folder."""
    return path.parts[:3]


def port(path):
    return path.parts[1] if path.parts[0] == "arch" else None


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = {}
        for pattern in ("*.c", "*.h", "*.S"):
            for file in self.root.rglob(pattern):
                path = file.relative_to(self.root)
                if path.parts[0] != "build" and not path.parts[0].startswith("."):
                    self.files[path] = COMMENT.sub(" ", file.read_text(encoding="utf-8"))
        self.names = {str(path) for path in self.files}

    def roots(self, path):
        """Folders below which an include of this file may be found, in order."""
        yield str(path.parent) + "/"
        if path.parts[0] == "user":
            yield from ("user/", "lib/", "")
            for own in self.folders("user/lib/arch/"):
                yield f"user/lib/arch/{own}/"
            return
        yield from ("", "lib/", "kernel/include/")
        for own in ([port(path)] if port(path) else self.folders("arch/")):
            yield f"arch/{own}/include/"
        yield "user/"  # only for tests: nobody else may

    def folders(self, parent):
        return sorted({name[len(parent):].split("/")[0] for name in self.names if name.startswith(parent)})

    def resolve(self, path, name):
        """Files of the tree that an include may mean (one per port for a header that each port has), or []."""
        found = []
        for root in self.roots(path):
            candidate = pathlib.PurePath(normal(root + name))
            if str(candidate) in self.names:
                if not found:
                    found.append(pathlib.Path(candidate))
                elif found[0].parts[0] == "arch" and candidate.parts[0] == "arch":
                    found.append(pathlib.Path(candidate))
        return found

    def includes(self, path):
        for match in INCLUDE.finditer(self.files[path]):
            yield match[1] == "<", match[2]


def normal(path):
    parts = []
    for part in path.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def check_include(tree, path, angle, name):
    """A complaint about one include, or None."""
    own = component(path)
    if own is None:
        return None
    if name in GENERATED:
        if GENERATED[name] not in LAYERS[own]:
            return f"{path}: {own} does not see the generated {name}"
        return None
    found = tree.resolve(path, name)
    if not found:
        if angle and (name in FREESTANDING or port(path) == "host"):
            return None
        kind = "a header of the system" if angle else "a header that is not in the tree"
        return f"{path}: includes {kind}: {name}"
    for target in found:
        other = component(target)
        if other is None:
            return f"{path}: includes {target}, which belongs to tests"
        if own == "port" and other == "port" and port(path) != port(target):
            return f"{path}: a port includes another port's {target}"
        if own == "program" and other == "program" and program(path) != program(target):
            return f"{path}: a program includes another's {target}"
        if own == "port" and str(target) in SEAM_EXTRA:
            continue
        if other == "port" and own not in ("port", "seam") and target.name not in ("arch_types.h", "arch_inline.h"):
            return f"{path}: includes {target}, which is the port's own"
        if str(path) == BOOT and other in ("ipc", "kfs"):
            continue
        if other != own and other not in LAYERS[own]:
            return f"{path}: {own} does not see {other}: {target}"
    return None


def cycles(tree):
    """Every set of files that include each other, as one line each."""
    graph = {path: sorted({target for _, name in tree.includes(path) for target in tree.resolve(path, name)})
             for path in tree.files}
    order, low, stack, found = {}, {}, [], []

    def visit(path):
        order[path] = low[path] = len(order)
        stack.append(path)
        for target in graph[path]:
            if target not in order:
                visit(target)
                low[path] = min(low[path], low[target])
            elif target in stack:
                low[path] = min(low[path], order[target])
        if low[path] == order[path]:
            group = stack[stack.index(path):]
            del stack[stack.index(path):]
            if len(group) > 1 or path in graph[path]:
                found.append("files include each other: " + ", ".join(sorted(map(str, group))))

    for path in sorted(graph):
        if path not in order:
            visit(path)
    return found


def check(root):
    """All complaints about a tree, as lines."""
    tree = Tree(root)
    complaints = []
    for path in sorted(tree.files):
        for angle, name in tree.includes(path):
            complaint = check_include(tree, path, angle, name)
            if complaint:
                complaints.append(complaint)
        if path.parts[0] != "arch" and path.parts[:3] != ("user", "lib", "arch") and component(path) is not None:
            for match in CONDITION.finditer(tree.files[path]):
                if ARCHITECTURE.search(match["text"]):
                    complaints.append(f"{path}: asks for the architecture: #if{match['text'].rstrip()}")
    return complaints + cycles(tree)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
