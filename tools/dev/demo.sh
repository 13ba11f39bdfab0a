# tools/dev.sh demo: the three jobs on a small server with three mistakes, then on the same server mended.
# Every job is asked for its exit status: 1 where something is wrong, 0 where nothing is.

demo_preset=dev
demo_bin=build/$demo_preset/docs/examples
demo_leash=build/$demo_preset/tools/leash
demo_urls=300

cmd_demo() {
  [ $# = 0 ] || die 2 "demo takes no arguments, has '$*'"
  ensure_packages
  local begin=$SECONDS
  build $demo_preset downloader leaky_server leaky_server_test fixed_server fixed_server_test \
    leash_program leash-tidy-19
  scratch=$(mktemp -d)
  trap demo_end EXIT

  heading "A server that answers, and has three mistakes"
  three_jobs leaky_server 1
  grep -qE '^[0-9]+ goroutines \[chan send\]' <(head -n 1 "$scratch/dump") ||
    wrong "the leaked goroutines are not the first group of the dump"
  grep -q 'proved' "$scratch/test" || wrong "the test's report does not say proved"
  local check
  for check in leash-fire-and-forget-spawn leash-add-inside-goroutine; do
    grep -q "$check" "$scratch/check" || wrong "the checks did not find $check"
  done

  heading "The same server, mended"
  three_jobs fixed_server 0
  ! grep -q '\[chan send\]' "$scratch/dump" || wrong "the mended server still leaks"

  printf '\n'
  good "demo: the three mistakes were found in the process, by the test and in the source; the mended server is clean ($(seconds "$begin"))"
}

# The server under load and dumped from outside; its test; its source. WANT is the exit status that the
# test and the checks shall have.
three_jobs() { # SERVER WANT
  local name=$1 want=$2 address
  heading "$name: started, and asked $demo_urls times"
  rm -f "$scratch/socket"
  show env LEASH_DEBUG_ADDR=unix:"$scratch/socket" "$demo_bin/$name" --listen=127.0.0.1:0 '&'
  LEASH_DEBUG_ADDR=unix:$scratch/socket "$demo_bin/$name" --listen=127.0.0.1:0 \
    >"$scratch/server" 2>&1 &
  server=$!
  address=$(server_address) || wrong "$name did not say where it listens: $(cat "$scratch/server")"
  say "listening on $address"
  seq -f "http://$address/item/%g" $demo_urls >"$scratch/urls"
  show "$demo_bin/downloader" --workers=16 '<' "$scratch/urls"
  "$demo_bin/downloader" --workers=16 <"$scratch/urls" >"$scratch/downloads" || true
  head -n 3 "$scratch/downloads"
  say "..."
  tail -n 1 "$scratch/downloads"

  heading "$name: what is it doing? (asked from outside, while it runs)"
  expect 0 dump "$demo_leash" dump unix:"$scratch/socket"
  kill -TERM $server
  wait $server || true
  server=''

  heading "$name: its own test, under the verifier"
  expect "$want" test "$demo_bin/${name}_test"

  heading "$name: its source, before it runs"
  expect "$want" check "$demo_leash" check -p build/$demo_preset "docs/examples/$name.cc"
}

# Runs a command, keeps its output in $scratch/KEY and wants a certain exit status of it.
expect() { # STATUS KEY COMMAND...
  local want=$1 key=$2 status=0
  shift 2
  show "$@"
  "$@" >"$scratch/$key" 2>&1 || status=$?
  cat "$scratch/$key"
  say "${dim}exit status $status$plain"
  [ $status = "$want" ] || wrong "want exit status $want of $(typed "$@")"
}

# Where the server listens: it says so in its first line.
server_address() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    sed -nE 's/^listening on ([0-9.:]+).*/\1/p' "$scratch/server" | grep . && return 0
    kill -0 $server 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

wrong() { die 1 "demo: $*"; }

server=''
demo_end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
