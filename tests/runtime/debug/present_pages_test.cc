// Which pages have contents, by either way in which the kernel says so.

#include "debug/present_pages.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <set>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

// Address space that nothing has been written to.
class Reserved {
 public:
  explicit Reserved(size_t bytes) : bytes_(bytes) {
    p_ = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    EXPECT_NE(p_, MAP_FAILED);
    // Else a neighbour of what is written to is there as well. EINVAL: a kernel without huge pages.
    const int error = madvise(p_, bytes, MADV_NOHUGEPAGE) == 0 ? 0 : errno;
    EXPECT_TRUE(error == 0 || error == EINVAL) << error;
  }
  ~Reserved() { munmap(p_, bytes_); }
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;

  void Write(uint64_t page) { *const_cast<volatile char*>(p_ + page * kPageBytes) = 1; }
  uint64_t begin() const { return reinterpret_cast<uint64_t>(p_); }
  uint64_t end() const { return begin() + bytes_; }

 private:
  const size_t bytes_;
  char* p_;
};

std::set<uint64_t> Present(PresentPages& present, const Reserved& memory) {
  std::set<uint64_t> pages;
  uint64_t begin;
  uint64_t end;
  present.Start(memory.begin(), memory.end());
  while (present.Next(&begin, &end)) {
    EXPECT_LE(begin, end);
    for (uint64_t p = begin; p < end; p += kPageBytes) {
      EXPECT_TRUE(pages.insert((p - memory.begin()) / kPageBytes).second) << "twice";
    }
  }
  return pages;
}

// Runs of several lengths, more of them than are asked for at a time, and more pages than are
// listed at a time.
TEST(PresentPagesTest, ThoseThatWereWrittenTo) {
  Reserved memory(8192 * kPageBytes);
  std::set<uint64_t> written = {0, 8191};
  for (uint64_t i = 100; i < 8000; i += 2 + i % 5) written.insert(i);
  for (uint64_t i = 1500; i < 4000; ++i) written.insert(i);
  for (uint64_t page : written) memory.Write(page);
  PresentPages present;
  EXPECT_EQ(Present(present, memory), written);
  present.ForgetScan();
  EXPECT_EQ(Present(present, memory), written);
}

TEST(PresentPagesTest, NoneOfWhatWasNeverTouched) {
  Reserved memory(2000 * kPageBytes);
  PresentPages present;
  EXPECT_EQ(Present(present, memory), std::set<uint64_t>());
  present.ForgetScan();
  EXPECT_EQ(Present(present, memory), std::set<uint64_t>());
}

TEST(PresentPagesTest, FewInMuchAddressSpace) {
  Reserved memory(size_t{16} << 30);
  const uint64_t last = (size_t{16} << 30) / kPageBytes - 1;
  const std::set<uint64_t> written = {7, last / 2, last};
  for (uint64_t page : written) memory.Write(page);
  PresentPages present;
  EXPECT_EQ(Present(present, memory), written);
  present.ForgetScan();
  EXPECT_EQ(Present(present, memory), written);
}

}  // namespace
}  // namespace leash::rt
