"""The generator of scripts/mutate makes the mutants it must, of small texts, and no others."""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOADER = importlib.machinery.SourceFileLoader("mutate", str(ROOT / "scripts/mutate"))
mutate = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutate", LOADER))
sys.modules["mutate"] = mutate
LOADER.exec_module(mutate)


def of(body, head="int f(int a, int b) {"):
    """{(kind, mutated line)} of a function with this body, each line of it a line of the text."""
    found = mutate.generate("x.c", f"{head}\n{body}\n}}\n")
    return sorted((mutant.kind, mutant.mutated) for mutant in found)


class Generator(unittest.TestCase):
    def check(self, body, *expected):
        self.assertEqual(of(body), sorted(expected))

    def test_comparison_and_negation(self):
        self.check("if (a < b) {\n}", ("compare", "if (a <= b) {"), ("negate", "if (!(a < b)) {"))
        self.check("while (a >= b) {\n}", ("compare", "while (a > b) {"), ("negate", "while (!(a >= b)) {"))

    def test_a_mutant_comes_once(self):
        self.check("if (a == b) {\n}", ("compare", "if (a != b) {"))
        self.check("if (!a) {\n}", ("not", "if (a) {"))

    def test_logic(self):
        self.check("if (a && !b) {\n}", ("logic", "if (a || !b) {"), ("not", "if (a && b) {"),
                   ("negate", "if (!(a && !b)) {"))

    def test_statements_are_dropped_and_declarations_are_not(self):
        self.check("f(a);", ("drop", ";"))
        self.check("break;", ("drop", ";"))
        self.check("*p = a;", ("drop", ";"))
        for declaration in ("int c = a;", "struct s *s = a;", "status_t c = a;", "status_t *c = a;", "static int c;",
                            "const char *const c = a;", "bool c;"):
            self.check(declaration)

    def test_statement_after_label(self):
        self.check("switch (a) {\ncase K:\nf(a);\ndefault:\ng(a);\n}", ("drop", ";"), ("drop", ";"))
        self.check("return a ? b : c;", ("drop", ";"))

    def test_dropped_statement_keeps_the_lines(self):
        text = "void f(void) {\n    g(a,\n      b);\n    h();\n}\n"
        first, second = mutate.generate("x.c", text)
        self.assertEqual((first.line, first.original, first.mutated), (2, "g(a, b);", ";"))
        self.assertEqual(first.apply(text), "void f(void) {\n    ;\n\n    h();\n}\n")
        self.assertEqual((second.line, second.function), (4, "f"))

    def test_for_holds_no_statements(self):
        self.check("for (i = a; i < b; i++) {\n}", ("compare", "for (i = a; i <= b; i++) {"),
                   ("arithmetic", "for (i = a; i < b; i--) {"))

    def test_loop_by_macro(self):
        self.check("list_for_each(link, &a) {\nf(link);\n}", ("drop", ";"))

    def test_arithmetic(self):
        self.check("int c = a + b;", ("arithmetic", "int c = a - b;"))
        self.check("int c = f(a) - b;", ("arithmetic", "int c = f(a) + b;"))
        self.check("int c = -a;")
        self.check("int c = f(-a, +b);")
        self.check("p->x += a;", ("arithmetic", "p->x -= a;"), ("drop", ";"))
        self.check("--p->x;", ("arithmetic", "++p->x;"), ("drop", ";"))

    def test_constant(self):
        self.check("int c = 9;", ("constant", "int c = 10;"))
        self.check("int c = 0xffU;", ("constant", "int c = 0x100U;"))
        self.check("int c = 0777;", ("constant", "int c = 01000;"))

    def test_size_of_an_array_is_left_alone(self):
        self.check("char c[8], *d;")
        self.check("f((const int[4]){a});", ("drop", ";"))
        self.check("return c[2];", ("constant", "return c[3];"), ("drop", ";"))

    def test_error(self):
        self.check("return ERR_FULL;", ("error", "return 0;"), ("drop", ";"))
        self.check("c = a ? ERR_FULL : b;", ("error", "c = a ? 0 : b;"), ("drop", ";"))
        self.check("bool c = a == ERR_FULL;", ("compare", "bool c = a != ERR_FULL;"))

    def test_error_passed_on(self):
        found = of("if (a < 0) {\nreturn a;\n}")
        self.assertIn(("error", "return 0;"), found)
        self.assertNotIn(("error", "return 0;"), of("if (b < 0) {\nreturn a;\n}"))

    def test_left_alone(self):
        for line in ("// a < b; f(a);", "/* a < b;\nf(a); */", 'char *c = "a < b; !c";', "char c = '<';",
                     "KASSERT(a < b && !c);", "static_assert(a == 1);", "#define M(a) if (a < 1) f(a)", "#if A \\\n  && B",
                     "[[maybe_unused]] int c;", "int c = sizeof(x[1]);"):
            self.check(line)
        self.check("switch (a) {\ncase 1 + 2:\n}")

    def test_name_made_by_a_macro(self):
        found = mutate.generate("x.c", "int MACRO(f)(int a) {\n    return 1;\n}\n")
        self.assertEqual({mutant.function for mutant in found}, {"f"})

    def test_only_functions(self):
        for text in ("enum { A = 1, B = A + 1 };\n", "struct s {\n    int a[3];\n};\n", "static int a = 3 < 4;\n",
                     "static const struct s s[] = {{.a = 1}, {.a = 2}};\n", "int f(int a);\n"):
            self.assertEqual(mutate.generate("x.c", text), [])

    def test_values_in_braces_hold_no_statements(self):
        self.check("*p = (struct s){.a = a, .b = b};", ("drop", ";"))
        self.check("struct s s = {.a = f(a), .b = b};")
        self.check("int c[] = {a, b};")


class Choice(unittest.TestCase):
    MUTANTS = mutate.generate("x.c", "void f(void) {\n" + "g();\n" * 50 + "}\n")

    def test_seed_decides(self):
        self.assertEqual(len(self.MUTANTS), 50)
        some = mutate.choose(self.MUTANTS, 10, "1")
        self.assertEqual(some, mutate.choose(self.MUTANTS, 10, "1"))
        self.assertNotEqual(some, mutate.choose(self.MUTANTS, 10, "2"))
        self.assertEqual(some, sorted(some, key=lambda mutant: mutant.at))

    def test_all(self):
        self.assertEqual(mutate.choose(self.MUTANTS, None, "1"), self.MUTANTS)
        self.assertEqual(mutate.choose(self.MUTANTS, 99, "1"), self.MUTANTS)


class Planting(unittest.TestCase):
    TEXT = """static int less(int a, int b) {
    return a < b;
}

int main(void) {
    int c = less(1, 1);
    return c + 2;
}
"""

    def run_with(self, planted, number=None):
        """The exit status of the program with these mutants in it, and what it has entered."""
        with tempfile.TemporaryDirectory() as folder:
            source, program, entered = (pathlib.Path(folder) / name for name in ("x.c", "x", "entered"))
            source.write_text(mutate.plant("x.c", self.TEXT, planted, {("x.c", "less"): 0, ("x.c", "main"): 1}, 2))
            entered.write_bytes(bytes(2))
            suffix = subprocess.run([ROOT / "scripts/setup", "--llvm-suffix"], check=True, capture_output=True, text=True)
            compiler = "clang" + suffix.stdout.strip()
            subprocess.run([compiler, "-std=c23", "-Wall", "-Wextra", "-Werror", source, "-o", program], check=True)
            environment = {"ISTHMUS_ENTERED": str(entered)} | ({} if number is None else {"ISTHMUS_MUTANT": str(number)})
            status = subprocess.run([program], env=environment, check=False).returncode
            return status, entered.read_bytes()

    def test_the_one_that_is_named_is_at_work(self):
        mutants = mutate.generate("x.c", self.TEXT)
        planted = [(number, mutant) for number, mutant in enumerate(mutants)
                   if mutant.mutated in ("return a <= b;", "return c - 2;", "return c + 3;", "int c = less(1, 2);")]
        given = {mutant.mutated: self.run_with(planted, number)[0] for number, mutant in planted}
        self.assertEqual(given, {"return a <= b;": 3, "return c - 2;": 254, "return c + 3;": 3, "int c = less(1, 2);": 3})
        self.assertEqual(self.run_with(planted), (2, bytes([1, 1])))

    def test_only_functions_with_mutants_tell_that_they_were_entered(self):
        mutants = [mutant for mutant in mutate.generate("x.c", self.TEXT) if mutant.function == "main"]
        self.assertEqual(self.run_with([(0, mutants[0])])[1], bytes([0, 1]))

    def test_lines_stay(self):
        mutant = next(one for one in mutate.generate("x.c", self.TEXT) if one.mutated == "return a <= b;")
        lines, at = {}, 0
        for line in mutate.plant("x.c", self.TEXT, [(7, mutant)], {("x.c", "less"): 0}, 1).splitlines():
            named = re.fullmatch(r"#line (\d+)", line)
            at = int(named[1]) if named else at + 1
            if not named and line.strip():
                lines[line.strip()] = at - 1
        self.assertEqual([lines[text] for text in ("return a < b;", "return a <= b;", "return c + 2;")], [2, 2, 7])

    def test_nothing_planted_nothing_changed(self):
        self.assertEqual(mutate.plant("x.c", self.TEXT, [], {}, 0), self.TEXT)

    def test_few_of_a_function_at_once(self):
        mutants = mutate.generate("x.c", "void f(void) {\n" + "g();\n" * 25 + "}\nvoid h(void) {\ng();\n}\n")
        self.assertEqual([len(some) for some in mutate.in_rounds(mutants)], [11, 10, 5])


class Explanations(unittest.TestCase):
    TEXT = "# why\n\nipc/x.c f\n- if (a < b) {\n+ if (a <= b) {\n  they are\n  never equal\n"

    def test_block(self):
        self.assertEqual(mutate.read_explained(self.TEXT),
                         {("ipc/x.c", "f", "if (a < b) {", "if (a <= b) {"): "they are never equal"})

    def test_key_is_the_mutants(self):
        found = mutate.generate("ipc/x.c", "int f(int a, int b) {\n    if (a < b) {\n    }\n}\n")
        self.assertEqual([mutant.kind for mutant in found if mutant.key() in mutate.read_explained(self.TEXT)], ["compare"])

    def test_reason_is_needed(self):
        with self.assertRaises(SystemExit):
            mutate.read_explained("ipc/x.c f\n- a;\n+ b;\n")


if __name__ == "__main__":
    unittest.main()
