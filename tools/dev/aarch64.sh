# The tests of the runtime for aarch64: built by Debian's cross compiler against a sysroot of Debian's
# arm64 packages, run by qemu-user. The machine's own dpkg never hears of a second architecture.

sysroot=build/sysroot-aarch64

# The libraries, unpacked anew when the list of them has changed.
ensure_sysroot() {
  local list stamp=$sysroot/.packages
  list=$(package_names tools/dev/packages-aarch64.txt | sed -n 's/:arm64$//p')
  [ "$(cat "$stamp" 2>/dev/null)" != "$list" ] || return 0
  heading "Unpacking Debian's arm64 libraries into $sysroot"
  local apt=$PWD/build/apt-aarch64
  rm -rf "$sysroot"
  mkdir -p "$sysroot"/{usr/bin,usr/lib,usr/sbin} "$apt"/{lists,archives}/partial
  local dir
  for dir in bin lib sbin; do ln -s "usr/$dir" "$sysroot/$dir"; done # as Debian has them
  : >"$apt/status"                                                   # nothing is installed there
  # The machine's sources and keys, everything else apart from it.
  printf '%s\n' 'APT::Architecture "arm64";' 'APT::Architectures { "arm64"; };' \
    "Dir::State::Lists \"$apt/lists\";" "Dir::State::status \"$apt/status\";" \
    "Dir::Cache \"$apt\";" "Dir::Cache::archives \"$apt/archives\";" \
    'APT::Install-Recommends "false";' 'APT::Sandbox::User "";' >"$apt/apt.conf"
  local as_arm64=(env "APT_CONFIG=$apt/apt.conf")
  # A source of the machine's own that has no arm64 is no reason to stop: the download decides.
  step "${as_arm64[@]}" apt-get -q update || true
  # Without root, dpkg and its locks: only downloads.
  # shellcheck disable=SC2086
  step "${as_arm64[@]}" apt-get -q -y -o Debug::NoLocking=true --download-only install $list ||
    die 2 "the arm64 packages could not be downloaded"
  local deb
  for deb in "$apt"/archives/*.deb; do dpkg-deb -x "$deb" "$sysroot"; done
  # Links to what is absolute on a machine of that kind stay in the sysroot.
  local link target
  while read -r link target; do
    ln -sfn "$(realpath -sm --relative-to="$(dirname "$link")" "$sysroot$target")" "$link"
  done < <(find "$sysroot" -type l -lname '/*' -printf '%p %l\n')
  rm -rf "$apt"
  printf '%s\n' "$list" >"$stamp"
}
