#!/usr/bin/env bash
# clang-tidy on one file, quiet unless there is something to say. tidy_one.sh MODULE BUILD FILE
set -u
out=$(clang-tidy-19 -p "$2" --load="$1" --quiet --warnings-as-errors='*' \
  --extra-arg=-Wno-unknown-warning-option "$3" 2>&1) && exit 0
printf '%s\n' "$out" | grep -vE '^[0-9]+ warnings? (generated|treated as error)'
exit 1
