"""What `compare.py` makes of figures, and that every script is Python: `python3 benches/peers/test_compare.py`."""

import ast
import pathlib
import tomllib
import unittest

import compare
import machine

HERE = pathlib.Path(__file__).resolve().parent


def pair(ours_s, theirs_s):
    ours = {"run_s": ours_s, "run_cpu_s": ours_s, "duration_s": 2.0, "compared_rate_hz": 5.0}
    peer = {"run_s": theirs_s, "run_cpu_s": 2 * theirs_s, "duration_s": 2.0, "rate_hz": 5.5, "version": "1.0", "precision": "f64"}
    return {"ours": ours, "peer": peer}


class Figures(unittest.TestCase):
    def test_a_ratio_above_one_says_that_ours_is_faster(self):
        self.assertEqual(compare.ratio(pair(1.0, 4.0), "run_s"), 4.0)
        self.assertEqual(compare.ratio(pair(1.0, 4.0), "run_cpu_s"), 8.0)

    def test_times_are_per_simulated_second(self):
        self.assertEqual(compare.per_second(pair(1.0, 4.0)["ours"], "run_s"), 0.5)

    def test_the_table_holds_medians_and_ranges(self):
        case = {"network": "cuba_4000", "precision": "f32", "threads": 1, "peer": "nest", "flags": "best"}
        case["pairs"] = [pair(1.0, 4.0), pair(1.0, 8.0), pair(2.0, 4.0)]
        failed = {**case, "network": "other", "failed": "why", "pairs": []}
        text = compare.table({"cases": [case, failed]})
        row = next(line for line in text.splitlines() if "cuba_4000" in line)
        self.assertIn("| nest 1.0, f64 |", row)
        self.assertIn("| 4.00 (2.00 to 8.00) |", row)
        widths = {line.count("|") for line in text.splitlines()}
        self.assertEqual(len(widths), 1, text)

    def test_quick_replaces_what_it_names(self):
        networks = tomllib.loads((HERE.parent / "networks.toml").read_text())
        for network in networks.values():
            quick = compare.settled(network, True)
            self.assertEqual(quick["set"], {**network["set"], **network["quick"]["set"]})
            self.assertLess(quick["duration_s"], network["duration_s"])
            self.assertEqual(quick["dt"].split()[1], "ms")

    def test_ours_is_called_with_all_values(self):
        network = compare.settled({"model": "stdp", "duration_s": 1.0, "set": {"n_cells": 7}}, False)
        options = type("Options", (), {"ours": "--cpu-kernels block"})
        command = compare.our_command("neuropil", compare.Case("n", "f32", 2, None, ""), network, options)
        text = " ".join(command)
        for part in ["run models/stdp.toml", "-j 2", "--precision f32", "--set n_cells=7", "--cpu-kernels block"]:
            self.assertIn(part, text)

    def test_what_is_told_of_a_command_names_no_place_of_one_machine(self):
        words = ["--quick", "--out", "there", "--pairs", "2", "--neuropil=there", "--neuropil", "there", "--no-pin"]
        self.assertEqual(compare.portable(words), ["--quick", "--pairs", "2", "--no-pin"])

    def test_the_machine_has_a_name_that_a_folder_can_have(self):
        self.assertEqual(machine.name({"processor": "Intel(R) Xeon(R) Processor @ 2.00GHz", "processors": 2}), "intel-xeon-2-cores")
        self.assertEqual(machine.name({"processor": "", "processors": 4}), "machine-4-cores")


class Scripts(unittest.TestCase):
    def test_every_script_says_what_it_is_for(self):
        for path in sorted(HERE.rglob("*.py")):
            with self.subTest(path.name):
                self.assertTrue(ast.get_docstring(ast.parse(path.read_text())))


if __name__ == "__main__":
    unittest.main()
