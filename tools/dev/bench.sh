# tools/dev.sh bench: the workloads of tests/bench in the release preset, beside Go's if Go is installed.

cmd_bench() { # [OPTIONS OF leash_bench compare...]
  local bench=build/release/tests/bench
  local against=()
  ensure_packages
  build release leash_bench
  if command -v "${GO:-go}" >/dev/null; then
    step tests/bench/go/run.sh $bench/go
    against=(--against-go "$bench/go/gobench")
  else
    say "Go is not installed: nothing to compare with."
  fi
  heading "Measuring"
  step $bench/leash_bench compare "${against[@]}" "$@"
}
