# tools/dev.sh bench: the workloads of tests/bench in the release preset, in turn with what they are held
# against: Go if it is installed, Boost.Fiber if CMake finds it, std::thread, and the same build of leash
# without recording.

cmd_bench() { # [OPTIONS OF leash_bench compare...]
  local release=build/release/tests/bench record_off=build/release-record-off/tests/bench
  local against=(--against-threads "$release/thread_bench" --against-record-off "$record_off/leash_bench")
  local targets=(leash_bench thread_bench)
  ensure_packages
  # boost_bench is a target only where Boost was found.
  step cmake --preset release --log-level=WARNING
  if cmake --build --preset release --target help | grep -q '^boost_bench:'; then
    targets+=(boost_bench)
    against+=(--against-boost "$release/boost_bench")
  else
    say "CMake finds no Boost.Fiber 1.81: nothing to compare fibers with."
  fi
  build release "${targets[@]}"
  build release-record-off leash_bench
  if command -v "${GO:-go}" >/dev/null; then
    step tests/bench/go/run.sh $release/go
    against+=(--against-go "$release/go/gobench")
  else
    say "Go is not installed: no targets, as they are ratios to Go's figures."
  fi
  heading "Measuring"
  step $release/leash_bench compare "${against[@]}" "$@"
}
