#include "base/safe_read.h"

#include <sys/mman.h>

#include <cstring>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

TEST(SafeReadTest, CopiesWhatIsThere) {
  const char text[] = "goroutine";
  char copy[sizeof(text)] = {};
  ASSERT_TRUE(SafeRead(reinterpret_cast<uint64_t>(text), copy, sizeof(text)));
  EXPECT_STREQ(copy, text);
}

TEST(SafeReadTest, SaysNoToWhatIsNot) {
  char copy[16];
  EXPECT_FALSE(SafeRead(8, copy, sizeof(copy)));
  void* p = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(p, MAP_FAILED);
  const auto address = reinterpret_cast<uint64_t>(p);
  munmap(static_cast<char*>(p) + 4096, 4096);
  EXPECT_TRUE(SafeRead(address + 4080, copy, sizeof(copy)));
  EXPECT_FALSE(SafeRead(address + 4088, copy, sizeof(copy)));
  munmap(p, 4096);
}

}  // namespace
}  // namespace leash::rt
