// Which pages of this process's memory have contents: are in memory, or swapped out.
//
// The kernel is asked for runs of them (PAGEMAP_SCAN, Linux 6.7), which costs what is there,
// however much address space is reserved around it. An older one lists every page, 8 bytes for
// each: 2 ms for a gigabyte of address space.

#ifndef LEASH_DEBUG_PRESENT_PAGES_H_
#define LEASH_DEBUG_PRESENT_PAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace leash::rt {

inline constexpr uint64_t kPageBytes = 4096;

class PresentPages {
 public:
  PresentPages();
  ~PresentPages();
  PresentPages(const PresentPages&) = delete;
  PresentPages& operator=(const PresentPages&) = delete;

  // What has contents in [begin, end), both multiples of kPageBytes, is asked for from here on.
  void Start(uint64_t begin, uint64_t end);

  // The next run; several may be adjacent. It has no pages, begin == end, when the kernel has said
  // so much for now that it is time to look at the clock. False: there is no more.
  bool Next(uint64_t* begin, uint64_t* end);

  // As if the kernel knew no PAGEMAP_SCAN. For tests.
  void ForgetScan() { can_scan_ = false; }

 private:
  // As <linux/fs.h> has it since 6.7.
  struct Region {
    uint64_t begin, end, categories;
  };

  bool Scan();
  void List();

  int fd_;
  bool can_scan_;
  uint64_t at_ = 0, end_ = 0;
  std::array<Region, 128> regions_;  // read, and not given out yet
  std::array<uint64_t, 1024> pages_;
  size_t first_ = 0, count_ = 0;  // in regions_
};

}  // namespace leash::rt

#endif  // LEASH_DEBUG_PRESENT_PAGES_H_
