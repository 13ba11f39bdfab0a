// Whatever the registers, the stack and .eh_frame hold: a walk ends, and reads nothing that it was
// not given. The memory that it was given ends at an inaccessible page, on both sides.

#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "stack/unwind.h"
#include "stack/unwind_table.h"

namespace leash::rt {
namespace {

uint64_t Seed() {
  const char* given = getenv("LEASH_SEED");
  return given != nullptr ? strtoull(given, nullptr, 0) : 20240607;
}

// `size` bytes, a multiple of a page, between two pages that cannot be touched.
class Fenced {
 public:
  explicit Fenced(size_t size) : size_(size) {
    all_ = static_cast<char*>(
        mmap(nullptr, size + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(all_ + kPage, size, PROT_READ | PROT_WRITE);
  }
  ~Fenced() { munmap(all_, size_ + 2 * kPage); }
  char* data() { return all_ + kPage; }
  char* end() { return data() + size_; }

 private:
  static constexpr size_t kPage = 4096;
  size_t size_;
  char* all_;
};

TEST(UnwindGarbageTest, RandomStacksEnd) {
  const UnwindTable* table = CurrentUnwindTable();
  const uint64_t seed = Seed();
  SCOPED_TRACE(testing::Message() << "LEASH_SEED=" << seed);
  std::mt19937_64 random(seed);
  constexpr size_t kWords = 1024;
  Fenced stack(kWords * 8);
  const uint64_t base = 0x7ff000000000;  // the copy lies elsewhere
  const auto code = [&] {
    const auto& m = table->modules()[random() % table->modules().size()];
    return m.start + random() % (m.limit - m.start);
  };
  const auto address = [&] { return base + random() % (kWords * 8); };
  size_t longest = 0;
  for (int round = 0; round < 20000; ++round) {
    auto* words = reinterpret_cast<uint64_t*>(stack.data());
    const uint64_t mixture = random() % 4;
    for (size_t i = round % 8 == 0 ? 0 : random() % kWords; i < kWords; ++i) {
      const uint64_t kind = random() % 8;
      words[i] = kind < 2 + mixture ? code() : kind < 7 ? address() & ~7u : random();
    }
    UnwindRegs regs;
    regs.pc = code();
    regs.sp = random() % 16 == 0 ? random() : address() & ~7u;
    for (uint64_t& r : regs.saved) r = random() % 8 == 0 ? random() : address();
    uint64_t pcs[100];
    UnwindResult result;
    const int n = Unwind(*table, regs, random() % 2 == 0, {base, kWords * 8, stack.data()}, pcs,
                         100, nullptr, &result);
    ASSERT_GE(n, 1);
    ASSERT_LE(n, 100);
    ASSERT_EQ(pcs[0], regs.pc);
    longest = std::max(longest, static_cast<size_t>(n));
  }
  EXPECT_GT(longest, 2u) << "the stacks were not like stacks";
}

TEST(UnwindGarbageTest, MemoryViewKnowsItsBounds) {
  const uint64_t words[2] = {1, 2};
  const MemoryView view{1000, sizeof(words), words};
  uint64_t word = 0;
  EXPECT_TRUE(view.Read(1000, &word));
  EXPECT_EQ(word, 1u);
  EXPECT_TRUE(view.Read(1008, &word));
  EXPECT_EQ(word, 2u);
  EXPECT_FALSE(view.Read(1009, &word));
  EXPECT_FALSE(view.Read(999, &word));
  EXPECT_FALSE(view.Read(1016, &word));
  EXPECT_FALSE(view.Read(UINT64_MAX, &word));
  EXPECT_FALSE(view.Read(0, &word));
  EXPECT_FALSE((MemoryView{1000, 7, words}.Read(1000, &word)));
  EXPECT_FALSE((MemoryView{}.Read(0, &word)));
  EXPECT_FALSE(MemoryView::Live(16, 8).Read(16, &word));
}

// .eh_frame of the test itself: its first address and bytes.
std::vector<uint8_t> OwnEhFrame(uint64_t* address, uint64_t* base) {
  struct Found {
    uint64_t address = 0, base = 0, limit = 0;
  } found;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        auto* f = static_cast<Found*>(arg);
        f->base = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& p = info->dlpi_phdr[i];
          if (p.p_type != PT_GNU_EH_FRAME) continue;
          const uint64_t at = f->base + p.p_vaddr;
          int32_t distance;
          memcpy(&distance, reinterpret_cast<const char*>(at) + 4, 4);
          f->address = at + 4 + static_cast<uint64_t>(int64_t{distance});
        }
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& p = info->dlpi_phdr[i];
          const uint64_t start = f->base + p.p_vaddr;
          if (p.p_type == PT_LOAD && f->address >= start && f->address < start + p.p_filesz) {
            f->limit = start + p.p_filesz;
          }
        }
        return 1;
      },
      &found);
  *address = found.address;
  *base = found.base;
  const auto* bytes = reinterpret_cast<const uint8_t*>(found.address);
  return {bytes, bytes + (found.limit - found.address)};
}

TEST(UnwindGarbageTest, DamagedEhFrameIsReadWithinItsBounds) {
  uint64_t address = 0, base = 0;
  const std::vector<uint8_t> whole = OwnEhFrame(&address, &base);
  ASSERT_GT(whole.size(), 1000u);
  const uint64_t seed = Seed();
  SCOPED_TRACE(testing::Message() << "LEASH_SEED=" << seed);
  std::mt19937_64 random(seed);
  Fenced memory(16384);
  for (int round = 0; round < 3000; ++round) {
    // The first bytes, cut anywhere, with some of them changed; the end is the end of the page.
    const size_t size = std::min<size_t>(whole.size(), 1 + random() % 16384);
    auto* data = reinterpret_cast<uint8_t*>(memory.end() - size);
    memcpy(data, whole.data(), size);
    for (uint64_t changes = random() % 20; changes > 0; --changes) {
      data[random() % size] = static_cast<uint8_t>(random());
    }
    const UnwindModuleRows rows(data, size, address, base);
    for (int i = 0; i < 20; ++i) {
      const auto pc = static_cast<uint32_t>(random() % (i < 10 ? UINT32_MAX : 4 << 20));
      const UnwindRow* row = rows.Find(pc);
      ASSERT_TRUE(row == nullptr || row->pc <= pc);
    }
  }
}

TEST(UnwindGarbageTest, NoEhFrameHasNoRows) {
  const UnwindModuleRows rows(nullptr, 0, 0, 0);
  EXPECT_EQ(rows.row_count(), 0u);
  EXPECT_EQ(rows.Find(0), nullptr);
  EXPECT_EQ(rows.Find(UINT32_MAX), nullptr);
}

}  // namespace
}  // namespace leash::rt
