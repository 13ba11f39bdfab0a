// Who could still use a channel, and what a dump says about it.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leash/chan.h"
#include "runtime/chan/chan_test_support.h"

namespace leash::testing {
namespace {

// Senders, receivers, and those of them that are not in goroutines' memory.
using Counts = std::vector<uint64_t>;
template <class C>
Counts CountsOf(const C& chan) {
  const rt::ChanFacts f = Facts(chan);
  EXPECT_TRUE(f.counted);
  return {f.send_handles, f.recv_handles, f.send_handles_elsewhere, f.recv_handles_elsewhere};
}

template <class F>
void InGoroutine(F fn) {
  Crew crew;
  crew.Go([&] { fn(); });
}

TEST(HandleCountTest, EachHandleCountsWhatItCanDo) {
  auto ch = MakeChan<int>();
  EXPECT_EQ(CountsOf(ch), (Counts{1, 1, 1, 1}));
  {
    SendChan<int> send = ch;
    EXPECT_EQ(CountsOf(ch), (Counts{2, 1, 2, 1}));
    RecvChan<int> recv = ch;
    const RecvChan<int> recv2 = recv;
    EXPECT_EQ(CountsOf(ch), (Counts{2, 3, 2, 3}));
    const Chan<int> all = ch;
    EXPECT_EQ(CountsOf(ch), (Counts{3, 4, 3, 4}));
  }
  EXPECT_EQ(CountsOf(ch), (Counts{1, 1, 1, 1}));
}

TEST(HandleCountTest, GoroutinesHandlesAreNotElsewhere) {
  InGoroutine([] {
    auto ch = MakeChan<int>();
    EXPECT_EQ(CountsOf(ch), (Counts{1, 1, 0, 0}));
    auto on_heap = std::make_unique<SendChan<int>>(ch);
    EXPECT_EQ(CountsOf(ch), (Counts{2, 1, 1, 0}));
    SendChan<int> moved_here = std::move(*on_heap);
    EXPECT_EQ(CountsOf(ch), (Counts{2, 1, 0, 0}));
    *on_heap = std::move(moved_here);
    EXPECT_EQ(CountsOf(ch), (Counts{2, 1, 1, 0}));
    *on_heap = SendChan<int>();
    EXPECT_EQ(CountsOf(ch), (Counts{1, 1, 0, 0}));
  });
}

TEST(HandleCountTest, HandleInASpawnedClosureIsTheGoroutines) {
  auto started = MakeChan<Unit>(), stop = MakeChan<Unit>();
  auto ch = MakeChan<int>();
  Crew crew;
  leash::go([ch, started, stop] {
    started.Send({});
    stop.Recv();
    stop.Recv();
  });
  started.Recv();
  EXPECT_EQ(CountsOf(ch), (Counts{2, 2, 1, 1}));
  stop.Send({});
  stop.Close();
}

TEST(HandleCountTest, AssignmentKeepsTheCounts) {
  auto a = MakeChan<int>(), b = MakeChan<int>();
  Chan<int> x = a;
  x = b;
  EXPECT_EQ(CountsOf(a), (Counts{1, 1, 1, 1}));
  EXPECT_EQ(CountsOf(b), (Counts{2, 2, 2, 2}));
  const Chan<int>& self = x;
  x = self;
  EXPECT_EQ(CountsOf(b), (Counts{2, 2, 2, 2}));
  std::swap(a, x);
  EXPECT_EQ(a, b);
  x = Chan<int>();
  a = Chan<int>();
  EXPECT_EQ(CountsOf(b), (Counts{1, 1, 1, 1}));
  std::vector<Chan<int>> many(100, b);
  many.resize(10);
  EXPECT_EQ(CountsOf(b), (Counts{11, 11, 11, 11}));
}

TEST(HandleCountTest, LastDropIsRecorded) {
  uint64_t who = 0;
  RecvChan<int> recv;
  {
    auto ch = MakeChan<int>();
    recv = ch;
    Crew crew;
    crew.Go([&who, send = SendChan<int>(ch)]() mutable {
      who = GoroutineId();
      send = SendChan<int>();
    });
    crew.Wait();
    EXPECT_EQ(Facts(recv).last_send_dropped_pc, 0u) << "a sender is left";
    EXPECT_EQ(Facts(recv).send_handles, 1u);
    ch = Chan<int>();
  }
  EXPECT_EQ(Facts(recv).send_handles, 0u);
  EXPECT_EQ(Facts(recv).last_send_dropped_by, GoroutineId());
  EXPECT_NE(Facts(recv).last_send_dropped_pc, 0u);
  EXPECT_EQ(Facts(recv).last_recv_dropped_pc, 0u);

  SendChan<int> send;
  {
    auto ch = MakeChan<int>();
    send = ch;
    Crew crew;
    crew.Go([&who, recv = RecvChan<int>(ch)]() mutable {
      who = GoroutineId();
      recv = RecvChan<int>();  // a closure itself goes only after the crew has been waited for
    });
    crew.Wait();
    EXPECT_NE(who, 0u);
  }
  EXPECT_EQ(Facts(send).recv_handles, 0u);
  EXPECT_NE(Facts(send).last_recv_dropped_pc, 0u);
}

TEST(HandleCountTest, CasesOfASelectCountNoHandles) {
  auto ch = MakeChan<int>();
  auto borrowed = OnRecv(ch);
  EXPECT_EQ(CountsOf(ch), (Counts{1, 1, 1, 1}));
  auto owned = OnRecv(RecvChan<int>(ch));
  EXPECT_EQ(CountsOf(ch), (Counts{1, 2, 1, 2}));
  const SelectCase kept = OnSend(ch, 1);
  EXPECT_EQ(CountsOf(ch), (Counts{2, 2, 2, 2}));
}

struct Key {
  int k;
};

TEST(HandleCountTest, FactsSayWhatTheChannelIs) {
  const int line = __LINE__ + 1;
  auto ch = MakeChan<Key>(3, "evictions");
  ch.Send({1});
  const rt::ChanFacts f = Facts(ch);
  EXPECT_EQ(std::string(f.name, f.name_bytes), "evictions");
  EXPECT_EQ(rt::ElementTypeName(f.element_function_name),
            "leash::testing::{anonymous}::Key" ==
                    std::string(rt::ElementTypeName(f.element_function_name))
                ? "leash::testing::{anonymous}::Key"
                : "leash::testing::(anonymous namespace)::Key");
  EXPECT_EQ(f.capacity, 3u);
  EXPECT_EQ(f.length, 1u);
  EXPECT_FALSE(f.closed);
  EXPECT_FALSE(f.timer);
  EXPECT_EQ(f.made_at.line(), static_cast<uint32_t>(line));
  EXPECT_NE(std::string(f.made_at.file_name()).find("handle_count_test.cc"), std::string::npos);
  EXPECT_EQ(f.made_by, GoroutineId());
  ch.Close();
  EXPECT_TRUE(Facts(ch).closed);

  const auto made = Chan<int>::Make();
  EXPECT_EQ(Facts(made).made_at.line(), static_cast<uint32_t>(__LINE__ - 1));
  EXPECT_EQ(Facts(made).name_bytes, 0u);
}

TEST(HandleCountTest, ElementTypeNamesAreCutOutOfBothCompilersTexts) {
  EXPECT_EQ(rt::ElementTypeName("constexpr const char* F() [with T = int]"), "int");
  EXPECT_EQ(rt::ElementTypeName("const char *F() [T = std::vector<int[3]>]"),
            "std::vector<int[3]>");
  EXPECT_EQ(rt::ElementTypeName("constexpr const char* F() [with T = std::map<int, A>; X = Y]"),
            "std::map<int, A>");
  EXPECT_EQ(rt::ElementTypeName("something else"), "something else");
  EXPECT_EQ(rt::ElementTypeName(Facts(MakeChan<int>()).element_function_name), "int");
}

TEST(HandleCountTest, OtherBytesAreNoChannel) {
  std::vector<char> bytes(rt::kChanFactsBytes, 'x');
  rt::ChanFacts facts;
  EXPECT_FALSE(rt::ReadChanFacts(bytes.data(), &facts));
}

TEST(HandleCountTest, ChannelThatSomebodyWaitsOnOutlivesItsHandles) {
#if LEASH_RACE
  GTEST_SKIP() << "the handle that goes while it is used is a race, and reported as one";
#endif
  // A goroutine that refers to a handle of another's frame, which goes: a leak, not a crash.
  auto handle = std::make_unique<Chan<int>>(MakeChan<int>());
  rt::ChanCore* core = internal::ChanAccess::Core(*handle);
  const Chan<int>* shared = handle.get();
  std::optional<int> got;
  Crew crew;
  crew.Go([&, shared] { got = shared->Recv(); });
  WaitForReceivers(*handle, 1);
  handle.reset();
  rt::ChanFacts facts;
  ASSERT_TRUE(rt::ReadChanFacts(core, &facts));
  EXPECT_EQ(facts.send_handles, 0u);
  auto again = internal::ChanAccess::FromCore<Chan<int>>(core);
  again.Send(4);
  crew.Wait();
  EXPECT_EQ(got, 4);
}

}  // namespace
}  // namespace leash::testing
