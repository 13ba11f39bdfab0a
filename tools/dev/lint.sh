# tools/dev.sh lint and format: clang-format, clang-tidy with our own module, the shell's own check.

cmd_format() {
  ensure_packages
  files '*.h' '*.cc' '*.cpp' | xargs -r -d '\n' clang-format-19 -i
  say "formatted"
}

cmd_lint() {
  [ $# = 0 ] || die 2 "lint takes no arguments, has '$*'"
  ensure_packages
  local begin=$SECONDS failed=() file

  heading "Scripts"
  show bash -n tools/dev.sh tools/dev/*.sh .ci/run
  while read -r file; do
    bash -n "$file" || failed+=("$file")
  done < <(files '*.sh' .ci/run)

  heading "Format"
  show "clang-format-19" --dry-run -Werror "(our files)"
  files '*.h' '*.cc' '*.cpp' | xargs -r -d '\n' clang-format-19 --dry-run -Werror || {
    failed+=(clang-format)
    say "tools/dev.sh format mends these"
  }

  lint_tidy || failed+=(clang-tidy)

  heading "Lint"
  if [ ${#failed[@]} = 0 ]; then
    good "nothing found ($(seconds "$begin"))"
  else
    bad "failed: ${failed[*]} ($(seconds "$begin"))"
    return 1
  fi
}

# Sources that no preset compiles, so that nothing is known of how to read them.
unlinted() {
  case $1 in
    tests/clang-plugin/*.cpp) ;;               # what the checks are to find: bad on purpose
    tests/integration/cmake/consumer/*) ;;     # a project of its own, which finds leash installed
    *) return 1 ;;
  esac
}

# clang-tidy over our own code, with the checks of .clang-tidy (tests and clang-plugin have their own
# besides) and those of our own module. A module that did not load finds nothing, so that is asked
# first. All files are asked, whatever is found in one.
lint_tidy() {
  local module=build/dev/clang-plugin/leash-tidy-19.so loaded preset
  build dev leash-tidy-19 || return 1
  # For what dev does not compile: fuzzers, and what is a sanitizer's. To know how, nothing is built.
  for preset in "${lint_presets[@]:1}"; do
    step cmake --preset "$preset" --log-level=ERROR >/dev/null || return 1
  done
  heading "clang-tidy"
  loaded=$(clang-tidy-19 --load="$module" --checks='-*,leash-*' --list-checks 2>/dev/null |
    grep -c '^ *leash-') || true
  if [ "$loaded" = 0 ]; then
    bad "$module did not load: clang-tidy lists no leash-* check"
    return 1
  fi
  say "$module: $loaded checks"
  local sources status=0
  sources=$(lint_sources) || status=1
  show clang-tidy-19 -p build/dev --load="$module" --quiet "(our sources)"
  # Two words for each file: the preset that compiles it, and its name.
  xargs -d '\n' -P "$jobs" -n 2 tools/dev/tidy_one.sh "$module" <<<"$sources" || status=1
  say "$(($(wc -l <<<"$sources") / 2)) files"
  return $status
}

# Each of our sources, after the first of these presets that compiles it. Fails when there is one that
# none does: clang-tidy would guess how to read it.
lint_presets=(dev dev-clang race asan)
lint_sources() {
  local file preset missing=0
  while read -r file; do
    if unlinted "$file"; then continue; fi
    for preset in "${lint_presets[@]}"; do
      if grep -qF "\"file\": \"$PWD/$file\"" "build/$preset/compile_commands.json"; then
        printf '%s\n' "build/$preset" "$file"
        continue 2
      fi
    done
    bad "$file: no preset of ${lint_presets[*]} compiles it, so clang-tidy cannot read it"
    missing=1
  done < <(files '*.cc' '*.cpp')
  return $missing
}
