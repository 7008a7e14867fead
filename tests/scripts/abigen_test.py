"""The ABI generator refuses tables that contradict themselves, and what it generates says what the table says."""

import copy
import pathlib
import sys
import tomllib
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import abigen  # noqa: E402

SMALL = """
version = 1
[limits]
SIZE_MAX_ = { value = 63, doc = "a limit" }
HUGE = { value = 0xffffffffffffffff, doc = "a huge limit" }
[errors]
ERR_A = { value = -1, doc = "first" }
ERR_INVALID = { value = -2, doc = "second" }
[rights]
RIGHT_X = { value = 1, doc = "a right" }
[events]
EVENT_X = { value = 1, doc = "an event" }
[records.point]
doc = "two numbers"
fields = [
  { type = "u64", name = "x", doc = "one" },
  { type = "u32", name = "y", doc = "two" },
  { type = "u32", name = "z", doc = "three" },
]
[[call]]
name = "first"
doc = "Do the first thing."
args = [
  { name = "handle", type = "handle", doc = "of what" },
  { name = "status", type = "i32", doc = "signed" },
  { name = "text", type = "in", len = "length", doc = "bytes" },
  { name = "length", type = "u64", doc = "of text" },
  { name = "point", type = "out", record = "point", doc = "where" },
]
returns = "0"
results = [{ name = "status", doc = "a result with an argument's name" }]
rights = "RIGHT_X on handle"
errors = { ERR_A = "because" }
[[call]]
name = "second"
doc = "Do nothing."
args = []
returns = "0"
errors = {}
"""


class Refused(unittest.TestCase):
    def setUp(self):
        self.data = tomllib.loads(SMALL)

    def refused(self, words):
        with self.assertRaisesRegex(abigen.TableError, words):
            abigen.Table(self.data)

    def test_small_table_is_accepted(self):
        abigen.Table(self.data)

    def test_unknown_section(self):
        self.data["extra"] = {}
        self.refused("extra")

    def test_gap_in_errors(self):
        self.data["errors"]["ERR_INVALID"]["value"] = -3
        self.refused("gaps")

    def test_error_value_twice(self):
        self.data["errors"]["ERR_INVALID"]["value"] = -1
        self.refused("same value")

    def test_positive_error(self):
        self.data["errors"]["ERR_A"]["value"] = 1
        self.refused("ERR_A")

    def test_constant_twice(self):
        self.data["events"]["RIGHT_X"] = {"value": 2, "doc": "again"}
        self.refused("already in rights")

    def test_constant_without_meaning(self):
        del self.data["rights"]["RIGHT_X"]["doc"]
        self.refused("RIGHT_X")

    def test_constant_too_big(self):
        self.data["rights"]["RIGHT_X"]["value"] = 1 << 32
        self.refused("32 bits")

    def test_misaligned_field(self):
        self.data["records"]["point"]["fields"].insert(0, {"type": "u32", "name": "w", "doc": "early"})
        self.refused("not aligned")

    def test_record_with_padding_at_its_end(self):
        self.data["records"]["point"]["fields"].pop()
        self.refused("not a multiple")

    def test_unknown_field_type(self):
        self.data["records"]["point"]["fields"][0]["type"] = "float"
        self.refused("float")

    def test_call_twice(self):
        self.data["call"][1]["name"] = "first"
        self.refused("twice")

    def test_unknown_argument_type(self):
        self.data["call"][0]["args"][0]["type"] = "string"
        self.refused("string")

    def test_seven_arguments(self):
        self.data["call"][1]["args"] = [{"name": f"a{i}", "type": "u64", "doc": "x"} for i in range(7)]
        self.refused("more than 6")

    def test_five_results(self):
        self.data["call"][1]["results"] = [{"name": f"r{i}", "doc": "x"} for i in range(5)]
        self.refused("more than 4")

    def test_pointer_without_length(self):
        del self.data["call"][0]["args"][2]["len"]
        self.refused("either 'len' or 'record'")

    def test_length_that_is_no_argument(self):
        self.data["call"][0]["args"][2]["len"] = "nothing"
        self.refused("names no")

    def test_unknown_record(self):
        self.data["call"][0]["args"][4]["record"] = "line"
        self.refused("line")

    def test_undocumented_error(self):
        self.data["call"][0]["errors"]["ERR_B"] = "why"
        self.refused("ERR_B")

    def test_error_without_cause(self):
        self.data["call"][0]["errors"]["ERR_A"] = ""
        self.refused("no cause")

    def test_unknown_right(self):
        self.data["call"][0]["rights"] = "RIGHT_Y"
        self.refused("RIGHT_Y")


class Generated(unittest.TestCase):
    def setUp(self):
        self.table = abigen.Table(tomllib.loads(SMALL))

    def test_numbers_follow_the_order(self):
        header = abigen.gen_header(self.table)
        self.assertIn("CALL_FIRST = 0", header)
        self.assertIn("CALL_SECOND = 1", header)
        self.assertIn("CALL_COUNT = 2", header)

    def test_record_size_is_asserted(self):
        self.assertIn("static_assert(sizeof(struct abi_point) == 16);", abigen.gen_header(self.table))

    def test_prototypes(self):
        calls = abigen.gen_calls(self.table)
        self.assertIn("long sys_first(struct thread *self, handle_t handle, int32_t status, user_ptr_t text, "
                      "uint64_t length, user_ptr_t point, struct call_results *out);", calls)
        self.assertIn("long sys_second(struct thread *self);", calls)

    def test_decoder_checks_what_is_narrow(self):
        dispatch = abigen.gen_dispatch(self.table)
        self.assertIn("if (!fits_i32(arg[1]))", dispatch)
        self.assertIn("as_handle(arg[0])", dispatch)

    def test_stub_of_clashing_names(self):
        self.assertIn("static inline long sys_first(handle_t handle, int32_t status, const void *text, uint64_t length, "
                      "struct abi_point *point, uint64_t *out_status) {", abigen.gen_stubs(self.table))

    def test_inventory_has_every_refusal(self):
        refusals = [(call["name"], error) for call in self.table.calls for error, _, _ in self.table.refusals(call)]
        self.assertEqual(refusals, [("first", "ERR_A"), ("first", "ERR_INVALID")])

    def test_docs_tell_every_cause(self):
        docs = abigen.gen_docs(self.table)
        self.assertIn("| `ERR_A` | because |", docs)
        self.assertIn("**Rights** RIGHT_X on handle.", docs)

    def test_output_depends_on_the_table_alone(self):
        again = abigen.Table(copy.deepcopy(tomllib.loads(SMALL)))
        for name, generate in abigen.OUTPUTS.items():
            self.assertEqual(generate(self.table), generate(again), name)


class Real(unittest.TestCase):
    def test_the_table_of_this_tree_is_accepted(self):
        with open(ROOT / "abi/abi.toml", "rb") as file:
            table = abigen.Table(tomllib.load(file))
        self.assertGreater(len(table.calls), 20)
        docs = abigen.gen_docs(table)
        for call in table.calls:
            self.assertIn(f"\n### {call['name']}\n", docs)


if __name__ == "__main__":
    unittest.main()
