# tools/dev.sh demo: the three jobs on a small server with three mistakes, then on the same server mended.
# Every step is shown as the command to type, and has to show what it is there for: else the demo fails.

demo_preset=release
demo_build=build/$demo_preset
demo_bin=$demo_build/docs/examples
demo_leash=$demo_build/tools/leash
demo_source=docs/examples/leaky_server
demo_urls=500
demo_workers=16

cmd_demo() {
  [ $# = 0 ] || die 2 "demo takes no arguments, has '$*'"
  ensure_packages
  build $demo_preset downloader leaky_server leaky_server_test fixed_server fixed_server_test \
    leash_program leash-tidy-19
  local begin=$SECONDS
  scratch=$(mktemp -d)
  trap demo_end EXIT

  part "A server that passes its tests, and has three mistakes"
  start_server leaky_server
  drive_server
  ask_server "What is it doing? Asked from outside, while it runs:" all
  local failed answered group
  read -r answered failed < <(sed -nE 's/^Summary: .* ([0-9]+) ok, ([0-9]+) failed.*/\1 \2/p' "$scratch/downloads")
  [ $((answered + failed)) = $demo_urls ] || wrong "want $demo_urls downloads, have $answered + $failed"
  [ "$failed" -gt 0 ] || wrong "no request was given up on"
  # The first group of the dump, up to the empty line behind it.
  group=$(sed -n '3,/^$/p' "$scratch/dump")
  shows "$group" "^$failed goroutines \[chan send\] proved: no receiver is alive$"
  shows "$group" "created by ItemServer::Answer at leaky_server\.cc:$(line_of leaky_server 'found = leash::SendChan')"
  shows "$group" 'waits for Chan<std::string> "found" \(cap 0\) made at leaky_server\.cc:'
  shows "$group" 'its last receiver went at leaky_server\.cc:[0-9]+'
  say
  say "$failed clients were told 504 and went away. The $failed goroutines that asked for them wait for ever:"
  say "nobody is left who could receive what they send."
  stop_server

  heading "Its own test finds the same, linked with leash::verify_main instead of gtest_main:"
  run_step 1 test $demo_bin/leaky_server_test --gtest_brief=1
  shows "$(cat "$scratch/test")" '^leash: ItemServerTest\.GivesUpOnASlowBackend leaked 1 goroutine in 1 group$'
  shows "$(cat "$scratch/test")" '^1 goroutine \[chan send\] proved: no receiver is alive$'

  heading "And two mistakes stand in its source, for a check to find before anything runs:"
  run_step 1 check $demo_leash check -p $demo_build $demo_source/leaky_server.cc
  shows "$(cat "$scratch/check")" \
    "leaky_server\.cc:$(line_of leaky_server 'tasks_.Add'):.*\[leash-add-inside-goroutine\]$"
  shows "$(cat "$scratch/check")" \
    "leaky_server\.cc:$(line_of leaky_server 'leash::go\(\[path'):.*\[leash-fire-and-forget-spawn\]$"

  part "The same server, mended"
  show diff $demo_source/leaky_server.cc $demo_source/fixed_server.cc
  ! diff $demo_source/leaky_server.cc $demo_source/fixed_server.cc || wrong "the two servers are the same"
  say
  start_server fixed_server
  drive_server
  ask_server "What is it doing?" idle
  run_step 0 leaked $demo_leash dump --leaked "$debug_address"
  stop_server
  heading "Its test:"
  run_step 0 test $demo_bin/fixed_server_test --gtest_brief=1
  heading "Its source:"
  run_step 0 check $demo_leash check -p $demo_build $demo_source/fixed_server.cc

  say
  good "Three mistakes: one found in the live process and by its test, proved; two in the source. The mended"
  good "server is clean in all three. ($(seconds "$begin"))"
}

part() {
  printf '\n%s%s%s\n' "$bold" "$*" "$plain"
  printf '%s%*s%s\n' "$dim" "${#1}" '' "$plain" | tr ' ' '='
}

# Starts a server and learns where it can be reached: it says so in its first two lines.
start_server() { # NAME
  server_name=$1
  show $demo_bin/"$server_name" --debug-addr=127.0.0.1:0 '&'
  : >"$scratch/server" # what the last one said is not what this one says
  $demo_bin/"$server_name" --debug-addr=127.0.0.1:0 >"$scratch/server" 2>&1 &
  server=$!
  server_address='' debug_address=''
  eventually server_listens || wrong "$server_name did not say where it listens: $(cat "$scratch/server")"
  cat "$scratch/server"
}
server_listens() {
  debug_address=$(sed -n 's/^debugging on //p' "$scratch/server")
  server_address=$(sed -n 's/^listening on //p' "$scratch/server")
  [ -n "$debug_address" ] && [ -n "$server_address" ]
}

stop_server() {
  show kill -TERM $server
  kill -TERM $server
  local status=0
  wait $server || status=$?
  server=''
  tail -n 1 "$scratch/server"
  [ $status = 0 ] || wrong "$server_name ended with status $status"
}

# Asks it for several hundred items, some of which are slow.
drive_server() {
  local status=0
  printf '%s$%s seq -f %s %s | %s --workers=%s\n' "$dim" "$plain" \
    "'http://$server_address/item/%g'" $demo_urls $demo_bin/downloader $demo_workers
  seq -f "http://$server_address/item/%g" $demo_urls |
    $demo_bin/downloader --workers=$demo_workers >"$scratch/downloads" || status=$?
  # Of each kind of line the first ones.
  grep -m 2 '^\[OK\]' "$scratch/downloads" || wrong "nothing was downloaded"
  grep -m 2 '^\[FAIL\]' "$scratch/downloads" || wrong "no download failed"
  say "..."
  tail -n 1 "$scratch/downloads"
  [ $status = 1 ] || wrong "want exit status 1 of the downloader, have $status"
}

# Dumps the server when the slow requests have come to an end: in the leaky one they are stuck then.
ask_server() { # HEADING WANT
  heading "$1"
  eventually dump_has "$2" || true
  show $demo_leash dump "$debug_address"
  cat "$scratch/dump"
}
dump_has() { # all | idle
  $demo_leash dump "$debug_address" >"$scratch/dump" 2>&1 ||
    wrong "leash dump failed: $(cat "$scratch/dump")"
  case $1 in
    all) ! grep -q '\[sleep\]' "$scratch/dump" && grep -q '\[chan send\] proved' "$scratch/dump" ;;
    idle) ! grep -qE '\[sleep\]|ItemServer::(Serve|Answer)' "$scratch/dump" ;;
  esac
}

# Tries for ten seconds.
eventually() { # COMMAND...
  local deadline=$((SECONDS + 10))
  until "$@"; do
    [ $SECONDS -lt $deadline ] && kill -0 "$server" 2>/dev/null || return 1
    sleep 0.05
  done
}

# Shows a command, runs it, keeps its output in $scratch/KEY and wants a certain exit status of it.
run_step() { # STATUS KEY COMMAND...
  local want=$1 key=$2 status=0
  shift 2
  show "$@"
  "$@" >"$scratch/$key" 2>&1 || status=$?
  cat "$scratch/$key"
  say "${dim}exit status $status$plain"
  [ $status = "$want" ] || wrong "want exit status $want of: $(typed "$@")"
}

# Fails unless a line of TEXT matches.
shows() { # TEXT REGEX
  grep -qE -- "$2" <<<"$1" || wrong "want a line like: $2"
}

# Where something stands in a server's source.
line_of() { # SERVER REGEX
  grep -nEm 1 -- "$2" "$demo_source/$1.cc" | cut -d: -f1
}

wrong() { die 1 "demo: $*"; }

server=''
demo_end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
