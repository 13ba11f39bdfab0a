#!/usr/bin/env bash
# Builds gobench, which is a part of leash, with the Go that is installed.
#
#   tests/bench/go/run.sh FOLDER              builds FOLDER/gobench
#   tests/bench/go/run.sh FOLDER ARGUMENT...  and runs it: -procs 2 pingpong
#
# GO names the go command (default: go). Needs no network: gobench uses the standard library only.
set -euo pipefail
[ $# -ge 1 ] || {
  echo "usage: tests/bench/go/run.sh FOLDER [GOBENCH ARGUMENT...]" >&2
  exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
go=${GO:-go}
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=mod

# A copy, so that go.mod can name the toolchain's own language version: an older one in go.mod
# switches newer toolchains to older runtime defaults.
mkdir -p "$out/src"
cp "$here"/gobench/*.go "$here"/gobench/go.mod "$out/src/"
version=$("$go" env GOVERSION)
version=${version%%-*}
language=$(printf '%s' "${version#go}" | cut -d. -f1,2)
(
  cd "$out/src"
  "$go" mod edit -go="$language"
  "$go" build -trimpath -o "$out/gobench" .
)
[ $# = 0 ] || exec "$out/gobench" "$@"
