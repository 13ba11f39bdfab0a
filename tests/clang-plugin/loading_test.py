#!/usr/bin/env python3
"""The module in clang-tidy: it is listed, refuses another version, and knows its options.

Each of these fails in silence when it breaks: a module that did not load finds nothing.
"""

import argparse
import os
import subprocess
import tempfile
import unittest

ARGS = None
BAD = """
namespace leash { template <class F> void go(F) {} }
void f() { leash::go([] {}); }
"""


def tidy(*arguments, module=None):
    return subprocess.run([ARGS.clang_tidy, f"--load={module or ARGS.module}", *arguments],
                          capture_output=True, text=True)


class Loading(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "bad.cc")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(BAD)

    def test_every_check_with_a_page_is_listed(self):
        pages = [f"leash-{name[:-3]}" for name in sorted(os.listdir(ARGS.checks)) if name != "index.md"]
        listed = tidy("--checks=-*,leash-*", "--list-checks")
        self.assertEqual(listed.stdout.split()[2:], pages)
        self.assertEqual(listed.returncode, 0)

    def test_a_known_bad_file_fails(self):
        found = tidy("--checks=-*,leash-*", "--warnings-as-errors=*", self.file, "--", "-std=c++20")
        self.assertIn("[leash-fire-and-forget-spawn,-warnings-as-errors]", found.stdout)
        self.assertEqual(found.returncode, 1)

    def test_a_module_of_another_version_refuses(self):
        found = tidy("--checks=-*,leash-*,bugprone-*", self.file, "--", "-std=c++20", module=ARGS.other)
        self.assertEqual(found.returncode, 78)
        self.assertEqual(found.stdout, "")
        self.assertRegex(found.stderr,
                         r"^leash-tidy: built for clang-tidy 18, loaded into .*clang version 19\..*; it would "
                         r"find nothing\. Use clang-tidy-18, or the module for 19\n$")

    def test_options_are_shown_and_unknown_ones_found(self):
        shown = tidy("--checks=-*,leash-*", "--dump-config").stdout
        for check in ("add-inside-goroutine", "fire-and-forget-spawn"):
            for option in ("JoinFunctions", "Presets", "SpawnFunctions", "WaitGroupTypes", "WaitableTypes"):
                self.assertIn(f"leash-{check}.{option}:", shown)
        config = "{Checks: 'leash-*', CheckOptions: {leash-fire-and-forget-spawn.Preset: std}}"
        self.assertIn("unknown check option 'leash-fire-and-forget-spawn.Preset'",
                      tidy("--verify-config", f"--config={config}").stderr)

    def test_an_unknown_preset_is_said(self):
        config = "{CheckOptions: {leash-fire-and-forget-spawn.Presets: 'leash;qt'}}"
        found = tidy("--checks=-*,leash-fire*", f"--config={config}", self.file, "--", "-std=c++20")
        self.assertIn("leash-fire-and-forget-spawn: there is no preset 'qt'", found.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("clang-tidy", "module", "other", "checks"):
        parser.add_argument(f"--{name}", required=True)
    ARGS = parser.parse_args()
    unittest.main(argv=[__file__])
