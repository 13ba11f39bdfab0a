// Every walk is compared with libunwind's, pc by pc, over frames of all kinds and builds.

#include "stack/unwind.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gnu/libc-version.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "runtime/stack/unwind_frames.h"
#include "stack/context.h"
#include "stack/unwind_table.h"

namespace leash::rt {
namespace {

using leash_test::FrameVariant;
using leash_test::kFrameVariants;

constexpr int kMax = 256;

MemoryView Above(uint64_t sp) { return MemoryView::Live(sp, UINT64_MAX); }

std::vector<uint64_t> Ours(const UnwindRegs& regs, const MemoryView& view,
                           UnwindResult* result = nullptr, UnwindCache* cache = nullptr) {
  std::vector<uint64_t> pcs(kMax);
  pcs.resize(static_cast<size_t>(
      Unwind(*CurrentUnwindTable(), regs, true, view, pcs.data(), kMax, cache, result)));
  return pcs;
}

std::vector<uint64_t> Libunwinds(const UnwindRegs& regs) {
  std::vector<uint64_t> pcs(kMax);
  pcs.resize(static_cast<size_t>(UnwindWithLibunwind(regs, true, pcs.data(), kMax)));
  return pcs;
}

// Two walks of one stack.
struct Walks {
  std::vector<uint64_t> ours, libunwinds;
  UnwindResult result;

  void Make(const UnwindRegs& regs) {
    ours = Ours(regs, Above(regs.sp), &result);
    libunwinds = Libunwinds(regs);
  }
};

class UnwindTest : public testing::TestWithParam<FrameVariant> {};

INSTANTIATE_TEST_SUITE_P(Builds, UnwindTest, testing::ValuesIn(kFrameVariants),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(UnwindTest, OwnStackEqualsLibunwindsOnEveryFrame) {
  for (int depth : {0, 1, 7, 100}) {
    Walks walks;
    GetParam().descend(
        depth, [](void* arg) { static_cast<Walks*>(arg)->Make(CaptureRegs()); }, &walks);
    EXPECT_EQ(walks.ours, walks.libunwinds);
    EXPECT_EQ(walks.result.end, UnwindEnd::kOutermost);
    EXPECT_EQ(walks.result.exact_pcs, 1u);
    EXPECT_GT(walks.ours.size(), static_cast<size_t>(depth) + 15);
  }
}

// A goroutine's stack, without the scheduler.
class Fiber {
 public:
  Fiber(leash_test::Descend descend, int depth) : descend_(descend), depth_(depth) {
    stack_ = static_cast<char*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    starting = this;
    own_ = {limit(), 0, reinterpret_cast<uint64_t>(Entry())};
    Switch(&outside_, &own_);
  }
  ~Fiber() {
    Switch(&outside_, &own_);  // lets it run to its end
    EXPECT_TRUE(done_);
    munmap(stack_, kBytes);
  }
  uint64_t limit() const { return reinterpret_cast<uint64_t>(stack_) + kBytes; }
  UnwindRegs regs() const { return UnwindRegs::At(own_.pc, own_.sp, own_.fp); }
  MemoryView view() const { return MemoryView::Live(own_.sp, limit()); }

  static void Main() {
    Fiber* self = starting;
    self->descend_(self->depth_, [](void* arg) { static_cast<Fiber*>(arg)->Park(); }, self);
    self->done_ = true;
    self->Park();
    abort();
  }

 private:
  static void* Entry();
  [[gnu::noinline]] static void Switch(Context* save, Context* load) { SwitchContext(save, load); }
  [[gnu::noinline]] void Park() {
    SwitchContext(&own_, &outside_);
    asm volatile("");  // not a tail call
  }

  static constexpr size_t kBytes = 256 << 10;
  static Fiber* starting;
  leash_test::Descend descend_;
  int depth_;
  char* stack_;
  Context own_, outside_;
  bool done_ = false;
};
Fiber* Fiber::starting;

extern "C" void unwind_test_entry();
extern "C" [[gnu::used]] void unwind_test_main() { Fiber::Main(); }

#if defined(__x86_64__)
asm(R"(.text
 .p2align 4
 .type unwind_test_before,@function
unwind_test_before:
 .cfi_startproc
 .cfi_undefined rip
 nop
 .globl unwind_test_entry
unwind_test_entry:
 endbr64
 call unwind_test_main
 ud2
 .cfi_endproc
 .size unwind_test_before, .-unwind_test_before)");
#else
asm(R"(.text
 .p2align 4
 .type unwind_test_before,@function
unwind_test_before:
 .cfi_startproc
 .cfi_undefined x30
 nop
 .globl unwind_test_entry
unwind_test_entry:
 bti c
 bl unwind_test_main
 brk 1
 .cfi_endproc
 .size unwind_test_before, .-unwind_test_before)");
#endif

void* Fiber::Entry() { return reinterpret_cast<void*>(&unwind_test_entry); }

TEST_P(UnwindTest, ParkedContextEqualsLibunwinds) {
  UnwindCache* cache = NewUnwindCache();
  for (int depth = 0; depth < 40; ++depth) {
    Fiber fiber(GetParam().descend, depth);
    UnwindResult result;
    const std::vector<uint64_t> ours = Ours(fiber.regs(), fiber.view(), &result);
    EXPECT_EQ(ours, Libunwinds(fiber.regs()));
    EXPECT_EQ(ours, Ours(fiber.regs(), fiber.view(), nullptr, cache));
    EXPECT_EQ(result.end, UnwindEnd::kOutermost);
    EXPECT_GT(ours.size(), static_cast<size_t>(depth) + 15);
    const auto entry = reinterpret_cast<uint64_t>(&unwind_test_entry);
    EXPECT_GE(ours.back(), entry);
    EXPECT_LE(ours.back(), entry + 16);
  }
  DeleteUnwindCache(cache);
}

TEST_P(UnwindTest, CopiedStackIsEnough) {
  Fiber fiber(GetParam().descend, 9);
  const std::vector<uint64_t> live = Ours(fiber.regs(), fiber.view());
  const uint64_t sp = fiber.regs().sp;
  std::vector<char> copy(fiber.limit() - sp);
  memcpy(copy.data(), reinterpret_cast<const void*>(sp), copy.size());
  UnwindResult result;
  EXPECT_EQ(Ours(fiber.regs(), {sp, copy.size(), copy.data()}, &result), live);
  EXPECT_EQ(result.end, UnwindEnd::kOutermost);
}

TEST(UnwindViewTest, EndsWhereTheViewEnds) {
  Fiber fiber(leash_test::DescendO2, 20);
  const std::vector<uint64_t> all = Ours(fiber.regs(), fiber.view());
  size_t last = 0;
  for (size_t bytes = 0; bytes <= fiber.limit() - fiber.regs().sp; bytes += 8) {
    UnwindResult result;
    const MemoryView view = MemoryView::Live(fiber.regs().sp, fiber.regs().sp + bytes);
    const std::vector<uint64_t> part = Ours(fiber.regs(), view, &result);
    ASSERT_GE(part.size(), last);
    ASSERT_LE(part.size(), all.size());
    ASSERT_EQ(result.end, part.size() < all.size() ? UnwindEnd::kOutside : UnwindEnd::kOutermost);
    ASSERT_TRUE(std::equal(part.begin(), part.end(), all.begin()));
    last = part.size();
  }
  EXPECT_EQ(last, all.size());
}

TEST(UnwindViewTest, StopsAtMaxAndSaysSo) {
  Fiber fiber(leash_test::DescendO2, 20);
  uint64_t pcs[5];
  UnwindResult result;
  EXPECT_EQ(
      Unwind(*CurrentUnwindTable(), fiber.regs(), true, fiber.view(), pcs, 5, nullptr, &result), 5);
  EXPECT_EQ(result.end, UnwindEnd::kFull);
  EXPECT_EQ(Unwind(*CurrentUnwindTable(), fiber.regs(), true, fiber.view(), pcs, 0), 0);
}

[[gnu::noinline]] int SelfAt(int depth, uint64_t* pcs, int max, int skip) {
  const int n = depth > 0 ? SelfAt(depth - 1, pcs, max, skip) : UnwindSelf(pcs, max, skip);
  asm volatile("");  // not a tail call
  return n;
}

TEST(UnwindSelfTest, FirstPcIsInTheCallerAfterTheSkippedFrames) {
  uint64_t all[kMax], rest[kMax];
  const int n = SelfAt(10, all, kMax, 0);
  ASSERT_GT(n, 12);
  for (int i = 2; i < 10; ++i) EXPECT_EQ(all[i], all[1]) << "the recursion's return address";
  EXPECT_NE(all[0], all[1]);
  const int m = SelfAt(10, rest, kMax, 3);
  ASSERT_EQ(m, n - 3);
  EXPECT_EQ(rest[0], all[3]);
  EXPECT_EQ(SelfAt(10, rest, kMax, 1000), 0);
  EXPECT_EQ(SelfAt(10, rest, 4, 0), 4);
}

Walks signal_own, signal_interrupted;

TEST_P(UnwindTest, FromASignalHandlerAndThroughItsFrame) {
#if defined(__aarch64__)
  if (getauxval(AT_SYSINFO_EHDR) == 0) {
    GTEST_SKIP() << "no vdso, as in qemu-user 7: where handlers return to is in no module, and the "
                    "caller of a walk asks libunwind";
  }
#endif
  CurrentUnwindTable();
  struct sigaction action = {}, before;
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    signal_own.Make(CaptureRegs());
    signal_interrupted.Make(RegsFromUcontext(context));
  };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  GetParam().descend(5, [](void*) { raise(SIGUSR1); }, nullptr);
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(signal_interrupted.ours, signal_interrupted.libunwinds);
  EXPECT_EQ(signal_interrupted.result.end, UnwindEnd::kOutermost);
  EXPECT_EQ(signal_own.ours, signal_own.libunwinds);
  EXPECT_EQ(signal_own.result.end, UnwindEnd::kOutermost);
  // Two exact pcs: the handler's own, and what the signal interrupted.
  EXPECT_EQ(__builtin_popcountll(signal_own.result.exact_pcs), 2);
  ASSERT_GT(signal_own.ours.size(), signal_interrupted.ours.size());
  EXPECT_TRUE(std::equal(signal_interrupted.ours.rbegin(), signal_interrupted.ours.rend(),
                         signal_own.ours.rbegin()));
}

// Interrupted anywhere: prologues, epilogues, libc, the vdso.
struct Samples {
  std::atomic<int> taken{0}, complete{0}, equal{0};
  std::atomic<uint64_t> first_bad{0};
} samples;

TEST(UnwindSignalTest, InterruptedAnywhereReachesTheOutermostFunction) {
#if LEASH_RACE
  GTEST_SKIP() << "ThreadSanitizer runs handlers later, in its own code, which has no CFI";
#endif
  CurrentUnwindTable();
  struct sigaction action = {}, before;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    const UnwindRegs regs = RegsFromUcontext(context);
    uint64_t pcs[kMax];
    UnwindResult result;
    Unwind(*LatestUnwindTable(), regs, true, Above(regs.sp - kRedZoneBytes), pcs, kMax, nullptr,
           &result);
    samples.taken.fetch_add(1);
    if (result.end == UnwindEnd::kOutermost) {
      samples.complete.fetch_add(1);
    } else if (samples.first_bad.load() == 0) {
      samples.first_bad = result.regs.pc;
    }
  };
  ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
  struct itimerval timer = {{0, 100}, {0, 100}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &timer, nullptr), 0);
  volatile size_t sum = 0;
  while (samples.taken.load() < 2000) {
    std::vector<std::string> texts;
    for (int i = 0; i < 50; ++i) {
      char text[64];
      snprintf(text, sizeof(text), "%d %s %g", i, "abc", i * 0.5);
      texts.push_back(text);
      sum = sum + static_cast<size_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    }
    std::sort(texts.begin(), texts.end());
    sum = sum + texts[3].size();
    leash_test::DescendO2(3, [](void*) {}, nullptr);
  }
  timer = {};
  setitimer(ITIMER_REAL, &timer, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  // The last instructions of a throw replace the registers one by one: no table can say them.
  Dl_info at = {};
  dladdr(reinterpret_cast<void*>(samples.first_bad.load()), &at);
  EXPECT_GE(samples.complete.load(), samples.taken.load() * 99 / 100)
      << "first at " << (at.dli_sname != nullptr ? at.dli_sname : "?") << " in "
      << (at.dli_fname != nullptr ? at.dli_fname : "?") << " pc " << std::hex
      << samples.first_bad.load() - reinterpret_cast<uint64_t>(at.dli_fbase);
}

TEST(UnwindTableTest, KnowsEachLibraryAndCanSayNearlyAllFunctions) {
  const UnwindTable* table = CurrentUnwindTable();
  size_t functions = 0, rows = 0, refused = 0;
  for (const UnwindTable::Module& m : table->modules()) {
    functions += m.rows->function_count();
    rows += m.rows->row_count();
    refused += m.rows->refused_count();
    EXPECT_LT(m.start, m.limit);
  }
  // What rows cannot say: vfork, longjmp, and the last instructions of _Unwind_Resume and its kin.
  EXPECT_LT(refused, 20u);
  EXPECT_GT(functions, 5000u);
  EXPECT_GT(rows, functions);
  EXPECT_EQ(table->FindModule(reinterpret_cast<uint64_t>(&gnu_get_libc_version))->path.substr(0, 5),
            "/lib/");
  EXPECT_EQ(table->FindModule(reinterpret_cast<uint64_t>(&unwind_test_entry))->path,
            "/proc/self/exe");
  EXPECT_EQ(table->FindModule(0), nullptr);
  EXPECT_EQ(table->FindModule(UINT64_MAX), nullptr);
  EXPECT_EQ(table->Find(8), nullptr);
}

TEST(UnwindTableTest, IsTheSameWhileNothingIsLoaded) {
  const UnwindTable* table = CurrentUnwindTable();
  EXPECT_EQ(CurrentUnwindTable(), table);
  EXPECT_EQ(LatestUnwindTable(), table);
}

TEST(UnwindTableTest, SeesALibraryThatWasLoadedSinceAndSharesTheRest) {
  const UnwindTable* before = CurrentUnwindTable();
  void* library = dlopen(LEASH_UNWIND_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto* call =
      reinterpret_cast<int (*)(leash_test::Leaf, void*)>(dlsym(library, "leash_test_plugin_call"));
  ASSERT_NE(call, nullptr);
  const auto pc = reinterpret_cast<uint64_t>(call);
  EXPECT_EQ(before->Find(pc), nullptr);

  // UnwindSelf knows the old table only, and libunwind goes on from where that ends.
  std::vector<uint64_t> self(kMax);
  call(
      [](void* arg) {
        auto* pcs = static_cast<std::vector<uint64_t>*>(arg);
        pcs->resize(static_cast<size_t>(UnwindSelf(pcs->data(), kMax, 0)));
      },
      &self);
  EXPECT_EQ(LatestUnwindTable(), before);

  const UnwindTable* after = CurrentUnwindTable();
  ASSERT_NE(after, before);
  EXPECT_EQ(after->older, before);
  ASSERT_NE(after->Find(pc), nullptr);
  EXPECT_NE(after->FindModule(pc)->path.find("unwind_plugin"), std::string::npos);
  EXPECT_EQ(after->modules().size(), before->modules().size() + 1);
  for (const UnwindTable::Module& m : before->modules()) {
    EXPECT_EQ(after->FindModule(m.start)->rows, m.rows) << m.path;
  }
  Walks walks;
  call([](void* arg) { static_cast<Walks*>(arg)->Make(CaptureRegs()); }, &walks);
  EXPECT_EQ(walks.ours, walks.libunwinds);
  EXPECT_EQ(walks.result.end, UnwindEnd::kOutermost);
  EXPECT_EQ(self.size(), walks.ours.size());

  dlclose(library);
  const UnwindTable* closed = CurrentUnwindTable();
  EXPECT_NE(closed, after);
  EXPECT_EQ(closed->Find(pc), nullptr);
  EXPECT_NE(after->Find(pc), nullptr) << "an old table stays as it was";
}

TEST(UnwindTableTest, ManyThreadsGetOneTable) {
  void* library = dlopen(LEASH_UNWIND_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  std::vector<const UnwindTable*> tables(4);
  std::vector<std::thread> threads;
  for (auto& table : tables) {
    threads.emplace_back([&table] { table = CurrentUnwindTable(); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(tables, testing::Each(tables[0]));
  dlclose(library);
}

}  // namespace
}  // namespace leash::rt
