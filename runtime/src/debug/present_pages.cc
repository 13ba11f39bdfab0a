#include "debug/present_pages.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace leash::rt {
namespace {

// <linux/fs.h> of Linux 6.7, which may be newer than the headers here.
struct ScanArgument {
  uint64_t size;
  uint64_t flags;
  uint64_t begin, end;
  uint64_t walk_end;  // result: where it stopped
  uint64_t regions, regions_size;
  uint64_t pages_max;
  uint64_t inverted, mask, any_of;  // which categories are wanted
  uint64_t return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr uint64_t kPresent = 1 << 3;
constexpr uint64_t kSwapped = 1 << 4;

// In an entry of /proc/self/pagemap.
constexpr uint64_t kEntryPresent = uint64_t{1} << 63;
constexpr uint64_t kEntrySwapped = uint64_t{1} << 62;

}  // namespace

PresentPages::PresentPages()
    : fd_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)), can_scan_(fd_ >= 0) {}

PresentPages::~PresentPages() {
  if (fd_ >= 0) close(fd_);
}

void PresentPages::Start(uint64_t begin, uint64_t end) {
  at_ = begin;
  end_ = end;
  first_ = count_ = 0;
}

bool PresentPages::Next(uint64_t* begin, uint64_t* end) {
  if (first_ == count_) {
    if (at_ >= end_) return false;
    first_ = count_ = 0;
    if (!can_scan_ || !Scan()) List();
    if (count_ == 0) {
      *begin = *end = at_;
      return true;
    }
  }
  *begin = regions_[first_].begin;
  *end = regions_[first_].end;
  ++first_;
  return true;
}

bool PresentPages::Scan() {
  ScanArgument argument = {};
  argument.size = sizeof(argument);
  argument.begin = at_;
  argument.end = end_;
  argument.regions = reinterpret_cast<uint64_t>(regions_.data());
  argument.regions_size = regions_.size();
  argument.any_of = argument.return_mask = kPresent | kSwapped;
  const int n = ioctl(fd_, kPagemapScan, &argument);
  if (n < 0 || argument.walk_end <= at_) {
    can_scan_ = false;
    return false;
  }
  count_ = static_cast<size_t>(n);
  at_ = argument.walk_end;
  return true;
}

void PresentPages::List() {
  const size_t wanted = std::min<uint64_t>(pages_.size(), (end_ - at_) / kPageBytes);
  const ssize_t n = fd_ < 0 ? 0
                            : pread(fd_, pages_.data(), wanted * sizeof(uint64_t),
                                    static_cast<off_t>(at_ / kPageBytes * sizeof(uint64_t)));
  const size_t known = n > 0 ? static_cast<size_t>(n) / sizeof(uint64_t) : 0;
  if (known == 0) {
    // Nobody knows: all of it may have contents.
    const uint64_t end = at_ + wanted * kPageBytes;
    regions_[count_++] = {at_, end, kPresent};
    at_ = end;
    return;
  }
  size_t i = 0;
  while (i < known && count_ < regions_.size()) {
    const size_t first = i;
    const bool has = (pages_[i] & (kEntryPresent | kEntrySwapped)) != 0;
    while (i < known && ((pages_[i] & (kEntryPresent | kEntrySwapped)) != 0) == has) ++i;
    if (has) {
      regions_[count_++] = {at_ + first * kPageBytes, at_ + i * kPageBytes, kPresent};
    }
  }
  at_ += i * kPageBytes;
}

}  // namespace leash::rt
