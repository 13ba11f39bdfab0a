# Shared by the pieces of tools/dev.sh: how a step is shown, and the packages. Sourced from the root of
# the tree.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi
jobs=$(nproc)

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
good() { printf '%s%s%s\n' "$green" "$*" "$plain"; }
bad() { printf '%s%s%s\n' "$red" "$*" "$plain" >&2; }
die() { # STATUS MESSAGE...
  local status=$1
  shift
  bad "tools/dev.sh: $*"
  exit "$status"
}

# Shows a command as a user would type it.
show() { printf '%s$%s %s\n' "$dim" "$plain" "$(typed "$@")"; }

# The words of a command, quoted where a shell needs it.
typed() {
  local word line=''
  for word in "$@"; do
    case $word in
      '&' | '<' | '|') ;; # the shell's own
      '' | *[!A-Za-z0-9_./:=,@%+-]*) word="'${word//\'/\'\\\'\'}'" ;;
    esac
    line+="${line:+ }$word"
  done
  printf '%s' "$line"
}

# Shows a command and runs it.
step() {
  show "$@"
  "$@"
}

# The names in a list: tools/dev/packages.txt, or another.
package_names() { sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "${1:-tools/dev/packages.txt}"; }

missing_packages() { # [LIST]
  local name
  for name in $(package_names "$@" | grep -v ':arm64$'); do
    case $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true) in
      installed*) ;;
      *) printf '%s ' "$name" ;;
    esac
  done
}

# Installs what is missing, as root or through sudo; else says what to type and stops.
ensure_packages() { # [LIST]
  if ! command -v dpkg-query >/dev/null; then
    say "This is not Debian: tools/dev/packages.txt says what is needed, CMake will say what is missing."
    return
  fi
  local missing as=()
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  set -- apt-get install -y --no-install-recommends $missing
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as=(sudo)
    else
      bad "tools/dev.sh: Debian packages are missing, and this user cannot install them. As root:"
      printf '\n    apt-get update && %s\n\n' "$(typed "$@")" >&2
      exit 2
    fi
  fi
  heading "Installing the Debian packages that are missing"
  # A source of the machine's own that cannot be reached is no reason to stop: the install decides.
  step "${as[@]}" apt-get update || true
  # The variables of this one command reach apt-get through sudo as well.
  step "${as[@]}" env DEBIAN_FRONTEND=noninteractive "$@" ||
    die 2 "the packages could not be installed"
}

# Configures and builds a preset: all of it, or the targets named.
build() { # PRESET [TARGET...]
  local preset=$1
  shift
  heading "Building (preset $preset)"
  step cmake --preset "$preset" --log-level=WARNING &&
    step cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

seconds() { # SINCE
  local all=$((SECONDS - $1))
  if [ $all -ge 60 ]; then
    printf '%dm%02ds' $((all / 60)) $((all % 60))
  else
    printf '%ds' $all
  fi
}

# All files of a kind that are in the tree or about to be, whoever owns the checkout.
files() { git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@"; }
