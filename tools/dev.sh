#!/usr/bin/env bash
# What people do with this tree, each from nothing: installs the Debian packages that are missing,
# configures and builds by CMake preset, runs. Every step is shown as the command to type. Callable from
# anywhere. `tools/dev.sh help` lists the commands.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
. tools/dev/common.sh

usage() {
  cat <<'TEXT'
tools/dev.sh demo                              a leaking server: found by its test, in the live process, in its source; then the fixed one
tools/dev.sh test [OPTIONS] [FILTER]           the tests; FILTER is a regular expression over ctest's names
    --race | --asan | --ubsan                  under ThreadSanitizer, AddressSanitizer, UndefinedBehaviorSanitizer
    --clang                                    with clang 19 instead of gcc
    --aarch64                                  the runtime's tests, cross-compiled for aarch64 and run by qemu-user
    --jobs N                                   N tests at a time; as many as there are cores, if not said
tools/dev.sh soak [--times N] [OPTIONS] [FILTER]   the tests, each N times in a row (20) while every core is busy
tools/dev.sh bench [OPTIONS]                   the benchmarks beside Go, Boost.Fiber, std::thread and leash without recording, as a
                                               table with a verdict a row; OPTIONS: --pairs N, --filter REGEX, --large,
                                               --json FILE, --markdown FILE; more: tools/dev.sh bench --help
tools/dev.sh lint                              clang-format, clang-tidy with leash's own checks, scripts
tools/dev.sh format                            clang-format, in place
tools/dev.sh packages                          the Debian packages that are missing

NO_COLOR=1 for plain text. Exit status: 0 well, 1 something failed, 2 bad use or missing packages.
TEXT
}

command=${1:-help}
[ $# = 0 ] || shift
case $command in
  demo)
    . tools/dev/demo.sh
    cmd_demo "$@"
    ;;
  test)
    . tools/dev/test.sh
    cmd_test "$@"
    ;;
  soak)
    . tools/dev/test.sh
    cmd_soak "$@"
    ;;
  bench)
    . tools/dev/bench.sh
    cmd_bench "$@"
    ;;
  lint)
    . tools/dev/lint.sh
    cmd_lint "$@"
    ;;
  format)
    . tools/dev/lint.sh
    cmd_format "$@"
    ;;
  packages) missing_packages | tr ' ' '\n' ;;
  help | -h | --help) usage ;;
  *)
    usage >&2
    die 2 "unknown command '$command'"
    ;;
esac
