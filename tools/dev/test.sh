# tools/dev.sh test and soak: configure, build, ctest, all by preset.

# Sets preset, filter, times and at_once from the options of `test` and `soak`.
test_options() {
  preset=dev filter='' times=20 at_once=$jobs
  local sanitizer='' clang='' aarch64=''
  while [ $# -gt 0 ]; do
    case $1 in
      --race | --asan | --ubsan)
        [ -z "$sanitizer" ] || die 2 "--$sanitizer and $1: one at a time"
        sanitizer=${1#--}
        ;;
      --clang) clang=yes ;;
      --aarch64) aarch64=yes ;;
      --times | --jobs)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die 2 "$1 wants a number from 1 on, has '${2:-}'"
        if [ "$1" = --times ]; then times=$2; else at_once=$2; fi
        shift
        ;;
      -*) die 2 "unknown option $1; see tools/dev.sh help" ;;
      *)
        [ -z "$filter" ] || die 2 "one FILTER only, have '$filter' and '$1'; join them: '$filter|$1'"
        filter=$1
        ;;
    esac
    shift
  done
  if [ -n "$aarch64" ]; then
    [ -z "$sanitizer$clang" ] || die 2 "--aarch64 has gcc only, and no sanitizers"
    preset=aarch64
  elif [ -n "$sanitizer" ]; then
    preset=$sanitizer # they are built with clang in any case
  elif [ -n "$clang" ]; then
    preset=dev-clang
  fi
}

# Runs ctest and ends with one line that counts.
run_ctest() { # PRESET FILTER [CTEST OPTION...]
  local preset=$1 filter=$2 begin=$SECONDS status=0
  shift 2
  local results=build/$preset/test-results.xml
  rm -f "$results"
  heading "Testing (preset $preset${filter:+, tests that match '$filter'})"
  step ctest --preset "$preset" -j "$at_once" ${filter:+-R "$filter"} --output-junit "${results##*/}" \
    "$@" || status=$?
  local suite tests failed skipped
  suite=$(sed -n '/<testsuite /,/>/p' "$results" 2>/dev/null | tr '\n\t' '  ')
  tests=$(attribute tests) failed=$(attribute failures) skipped=$(attribute skipped)
  if [ "$tests" = 0 ]; then
    bad "no test matches '$filter'; ctest --preset $preset -N lists them"
    return 1
  fi
  local line="$((tests - failed - skipped)) passed, $failed failed"
  [ "$skipped" = 0 ] || line+=", $skipped skipped"
  line+=" (preset $preset, $(seconds "$begin"))"
  if [ $status = 0 ]; then
    good "$line"
  else
    bad "$line"
    return 1
  fi
}

# A number of $suite, the <testsuite> element of ctest's results; 0 if there is none.
attribute() {
  local number
  number=$(sed -nE "s/.* $1=\"([0-9]+)\".*/\1/p" <<<"$suite")
  printf '%s' "${number:-0}"
}

# Installs what the preset of test_options needs, and builds it.
build_tests() {
  ensure_packages
  if [ "$preset" = aarch64 ]; then
    . tools/dev/aarch64.sh
    ensure_packages tools/dev/packages-aarch64.txt
    ensure_sysroot
    build aarch64 tests/all
  else
    build "$preset"
  fi
}

cmd_test() {
  test_options "$@"
  build_tests
  run_ctest "$preset" "$filter"
}

# Each test many times in a row while every core is busy with something else: finds what passes only
# because of timing.
cmd_soak() {
  test_options "$@"
  build_tests
  heading "Loading $jobs cores"
  local i
  for ((i = 0; i < jobs; i++)); do
    (while :; do :; done) &
    burners+=($!)
  done
  trap stop_burners EXIT
  run_ctest "$preset" "$filter" --repeat "until-fail:$times"
}

burners=()
stop_burners() {
  [ ${#burners[@]} = 0 ] || kill "${burners[@]}" 2>/dev/null || true
  burners=()
}
