#!/usr/bin/env python3
"""Runs one test of a clang-tidy check.

    run_check_test.py --clang-tidy=clang-tidy-19 --clang=clang++-19 --filecheck=FileCheck-19
        --module=leash-tidy-19.so TEST.cpp -- COMPILER-ARGUMENTS

The file's first lines say what is run:

    // RUN: CHECKS                  the checks to enable, and no other
    // OPTION: CHECK.Option=VALUE   any number of them
    // INPUTS: none                 without the mock headers of Inputs/

Its messages are compared with its CHECK-MESSAGES: all of them, in order, and a message that no line
names fails the test. If it has CHECK-FIXES, the fixes are applied to a copy, which is compared with
them; the copy must then compile, and a second run must leave it as it is. So must a file without
CHECK-FIXES: what is not to be changed is tested by the same line.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

FIXES = re.compile(r"^// CHECK-FIXES", re.M)


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


def fail(test, what, output):
    sys.exit(f"{test}: {what}\n{output}")


def file_check(tool, prefix, pattern_file, text, extra, test, what):
    found = run([tool, pattern_file, f"--check-prefix={prefix}", "--allow-empty",
                 "--dump-input=never", *extra], input=text)
    if found.returncode != 0:
        fail(test, what, f"{found.stdout}{found.stderr}\nit was:\n{text}")


def main():
    parser = argparse.ArgumentParser()
    for tool in ("clang-tidy", "clang", "filecheck", "module"):
        parser.add_argument(f"--{tool}", required=True)
    parser.add_argument("test")
    parser.add_argument("arguments", nargs="*")
    args = parser.parse_args()

    with open(args.test, encoding="utf-8") as file:
        source = file.read()
    checks = re.findall(r"^// RUN: (.+)$", source, re.M)
    if not checks:
        sys.exit(f"{args.test}: want a line '// RUN: CHECKS'")
    options = [option.split("=", 1) for option in re.findall(r"^// OPTION: (.+)$", source, re.M)]
    config = "{CheckOptions: {%s}}" % ", ".join(f"{key}: '{value}'" for key, value in options)

    compile_args = ["-std=c++20", *args.arguments]
    if "// INPUTS: none" not in source:
        # First: the mock stands before the real headers.
        compile_args.insert(1, "-I" + os.path.join(os.path.dirname(os.path.abspath(args.test)), "Inputs"))

    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, os.path.basename(args.test))
        with open(copy, "w", encoding="utf-8") as file:
            file.write(source)

        def tidy(path, *more):
            return run([args.clang_tidy, f"-load={args.module}", f"--checks=-*,{','.join(checks)}",
                        f"--config={config}", "--quiet", *more, path, "--", *compile_args])

        found = tidy(copy)
        messages = found.stdout
        if found.returncode not in (0, 1) or " error: " in messages or "error:" in found.stderr:
            fail(args.test, "it does not compile", found.stdout + found.stderr)
        messages = messages.replace(folder + "/", "")
        # Only the messages: the lines of source that clang-tidy shows may contain anything, the
        # patterns of the test among it.
        lines = [line for line in messages.splitlines()
                 if re.match(r"^[^ ].*:\d+:\d+: (warning|note|error): |^(warning|error): ", line)]
        text = "\n".join(lines) + "\n"
        if "CHECK-MESSAGES" in source or lines:
            implicit = [f"--implicit-check-not={{{{{kind}:}}}}" for kind in ("warning", "error", "note")]
            if "CHECK-MESSAGES" in source:
                file_check(args.filecheck, "CHECK-MESSAGES", args.test, text, implicit, args.test, "messages differ")
            else:
                fail(args.test, "want no message", text)

        fixed = tidy(copy, "--fix")
        with open(copy, encoding="utf-8") as file:
            after = file.read()
        if FIXES.search(source):
            # A pattern must not match itself.
            compared = re.sub(r"// CHECK-FIXES.*", "//", after)
            file_check(args.filecheck, "CHECK-FIXES", args.test, compared, ["--strict-whitespace"], args.test,
                       "fixes differ")
        elif after != source:
            fail(args.test, "want no fix", after)

        compiled = run([args.clang, "-fsyntax-only", *compile_args, copy])
        if compiled.returncode != 0:
            fail(args.test, "the fixed file does not compile", compiled.stderr + "\n" + after)
        again = tidy(copy, "--fix")
        with open(copy, encoding="utf-8") as file:
            if file.read() != after:
                fail(args.test, "a second --fix changes the file again", again.stdout)
        if fixed.returncode not in (0, 1) or again.returncode not in (0, 1):
            fail(args.test, f"clang-tidy ended with {fixed.returncode}, {again.returncode}", again.stderr)
        # What was fixed is gone; what was not is still there.
        count = lambda output: len(re.findall(r": warning: ", output))
        if FIXES.search(source) and count(again.stdout) >= count(messages) and after != source:
            fail(args.test, "the fixed file has as many warnings as before", again.stdout)
    print(f"{args.test}: {count(messages)} warnings, as wanted")


if __name__ == "__main__":
    main()
