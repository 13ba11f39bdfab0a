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

# clang-tidy over our own code, with the checks of .clang-tidy and those of our own module. A module
# that did not load finds nothing, so that is asked first.
lint_tidy() {
  local preset=dev module=build/dev/clang-plugin/leash-tidy-19.so loaded
  build "$preset" leash-tidy-19 || return 1
  heading "clang-tidy"
  loaded=$(clang-tidy-19 --load="$module" --checks='-*,leash-*' --list-checks 2>/dev/null |
    grep -c '^ *leash-') || true
  if [ "$loaded" = 0 ]; then
    bad "$module did not load: clang-tidy lists no leash-* check"
    return 1
  fi
  say "$module: $loaded checks"
  show clang-tidy-19 -p build/$preset --load="$module" --quiet "(our .cc files)"
  local sources
  mapfile -t sources < <(lint_sources)
  printf '%s\n' "${sources[@]}" |
    xargs -d '\n' -P "$jobs" -n 1 tools/dev/tidy_one.sh build/$preset "$module" || return 1
  say "${#sources[@]} files"
}

# Our files that this preset compiles: what users link and run.
lint_sources() {
  local file
  files '*.cc' | grep -vE '^(tests|clang-plugin)/' | while read -r file; do
    if grep -qF "\"file\": \"$PWD/$file\"" build/dev/compile_commands.json; then
      printf '%s\n' "$file"
    fi
  done
}
