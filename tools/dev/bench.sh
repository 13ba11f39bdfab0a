# tools/dev.sh bench: our benchmarks in the release preset, beside Go's if Go is installed.

cmd_bench() { # [BENCHMARK OPTIONS...]
  ensure_packages
  build release leash_bench
  heading "leash"
  step build/release/tests/bench/leash_bench "$@"
  if command -v go >/dev/null; then
    heading "Go ($(go version | cut -d' ' -f3))"
    step tests/bench/go/run.sh
  else
    say "Go is not installed: nothing to compare with."
  fi
}
