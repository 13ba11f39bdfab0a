// What kind of file it is, and how its bytes are had.

#include "leash/analyzer/read.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "read/scan.h"

namespace leash {
namespace internal {
namespace {

bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

// Inflates all members of a gzip file. A cut file gives what it holds, and `cut` is set.
absl::StatusOr<std::string> Inflate(std::string_view bytes, size_t limit, bool* cut) {
  z_stream z = {};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return absl::ResourceExhaustedError("no memory for zlib");
  struct End {
    z_stream* z;
    ~End() { inflateEnd(z); }
  } end{&z};
  std::string out;
  size_t at = 0;
  for (;;) {
    // The output grows as it fills, never ahead of what the input has shown to hold.
    const size_t old = out.size();
    out.resize(std::max<size_t>(64 << 10, old * 2));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + old);
    z.avail_out = static_cast<uInt>(std::min<size_t>(out.size() - old, 1 << 30));
    const size_t room = z.avail_out;
    const auto step = static_cast<uInt>(std::min<size_t>(bytes.size() - at, 1 << 30));
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
    z.avail_in = step;
    const int result = inflate(&z, Z_NO_FLUSH);
    at += step - z.avail_in;
    out.resize(old + room - z.avail_out);
    if (out.size() > limit) return TooMuch(at, "bytes when inflated", limit);
    if (result == Z_STREAM_END) {
      // Another member may follow; anything else behind the end is ignored, as gzip does.
      if (!IsGzip(bytes.substr(at)) || inflateReset(&z) != Z_OK) return out;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return WantHave(at, "gzip data", bytes.substr(at));
    } else if (at == bytes.size() && z.avail_out > 0) {
      *cut = true;
      return out;
    }
  }
}

// "goroutine profile: total 57" and its kin.
bool IsCountedText(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, std::min<size_t>(bytes.find('\n'), 128));
  const size_t space = line.find(' ');
  return space != line.npos && line.substr(space).starts_with(" profile: total ");
}

// Text has no zero bytes and no other control characters than these near its start.
bool LooksBinary(std::string_view bytes) {
  for (char c : bytes.substr(0, 4096)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\x1b' && c != '\f' &&
        c != '\b') {
      return true;
    }
  }
  return false;
}

absl::StatusOr<Snapshot> ReadPlain(std::string_view bytes, const ReadLimits& limits) {
  const size_t start = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
  if (bytes.substr(start).starts_with('{')) return ReadJson(bytes, limits);
  if (IsCountedText(bytes)) return ReadCountedText(bytes, limits);
  if (LooksBinary(bytes)) return ReadProfileProto(bytes, limits);
  return ReadGoText(bytes, limits);
}

}  // namespace
}  // namespace internal

absl::StatusOr<Snapshot> ReadSnapshot(std::string_view bytes, std::string_view name,
                                      const ReadLimits& limits) {
  auto read = [&]() -> absl::StatusOr<Snapshot> {
    if (bytes.size() > limits.file_bytes) {
      return internal::TooMuch(limits.file_bytes, "bytes", limits.file_bytes);
    }
    if (!internal::IsGzip(bytes)) return internal::ReadPlain(bytes, limits);
    bool cut = false;
    absl::StatusOr<std::string> plain = internal::Inflate(bytes, limits.inflated_bytes, &cut);
    if (!plain.ok()) return plain.status();
    absl::StatusOr<Snapshot> snapshot = internal::ReadPlain(*plain, limits);
    if (cut && !snapshot.ok()) return internal::WantHave(bytes.size(), "more of the gzip data", {});
    if (cut) snapshot->notes.push_back("cut: the gzip stream has no end");
    return snapshot;
  };
  absl::StatusOr<Snapshot> snapshot = read();
  if (snapshot.ok()) return snapshot;
  std::string message = "read ";
  message += name;
  message += ": ";
  message +=
      std::string_view(snapshot.status().message().data(), snapshot.status().message().size());
  return absl::Status(snapshot.status().code(), message);
}

absl::StatusOr<Snapshot> ReadSnapshotFile(const std::string& path, const ReadLimits& limits) {
  auto failed = [&] {
    const int error = errno;
    const std::string message = "read " + path + ": " + std::strerror(error);
    return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed();
  struct Close {
    int fd;
    ~Close() { close(fd); }
  } closer{fd};
  struct stat info;
  if (fstat(fd, &info) != 0) return failed();
  if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return failed();
  }
  if (S_ISREG(info.st_mode) && info.st_size > 0) {
    const auto size = static_cast<size_t>(info.st_size);
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED) return failed();
    absl::StatusOr<Snapshot> snapshot =
        ReadSnapshot({static_cast<const char*>(data), size}, path, limits);
    munmap(data, size);
    return snapshot;
  }
  // A pipe, or a file of /proc that does not know its size.
  std::string bytes;
  for (;;) {
    const size_t old = bytes.size();
    bytes.resize(std::max<size_t>(64 << 10, old + (old >> 1)));
    const ssize_t n = read(fd, bytes.data() + old, bytes.size() - old);
    bytes.resize(old + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed();
    if (n == 0 || bytes.size() > limits.file_bytes) break;
  }
  return ReadSnapshot(bytes, path, limits);
}

}  // namespace leash
