// What a dump can say of the objects of sync, and how waiting for them shows.

#include "sync/sync_facts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <string>

#include "leash/context.h"
#include "leash/go.h"
#include "leash/sync.h"
#include "runtime/sync/sync_test_support.h"
#include "sched/g.h"
#include "sched/registry.h"
#include "sched/wait_reason.h"

namespace leash {
namespace {

using testing::Crew;
using testing::Eventually;
using testing::EventuallyWaiting;
using testing::FactsOf;

// What the goroutine waits for, and at which object; nothing while it does not wait.
struct Waiting {
  std::string reason;
  const void* object = nullptr;
  bool operator==(const Waiting&) const = default;
};

Waiting WaitingOf(uint64_t id) {
  for (size_t i = 0; i < rt::GCount(); ++i) {
    const rt::G* const g = rt::GAt(i);
    if (g->id.load() != id || g->status.load() != rt::GStatus::kWaiting) continue;
    return {std::string(rt::WaitReasonText(g->reason.load())), g->wait_object.load()};
  }
  return {};
}

// Starts a goroutine and says whether it comes to wait like this.
template <class F>
bool ComesToWait(Crew& crew, const Waiting& waiting, F f) {
  std::atomic<uint64_t> id{0};
  crew.Start([&id, f] {
    id = GoroutineId();
    f();
  });
  return Eventually([&] { return id != 0 && WaitingOf(id) == waiting; });
}

TEST(SyncFactsTest, MutexShowsItsHolderAndItsWaiters) {
  Mutex mu;
  EXPECT_EQ(FactsOf(mu).kind, ObjectKind::kMutex);
  EXPECT_FALSE(FactsOf(mu).held);
  mu.Lock();
  EXPECT_TRUE(FactsOf(mu).held);
#if LEASH_RECORD
  EXPECT_EQ(FactsOf(mu).holder, GoroutineId());
#endif
  Crew crew;
  EXPECT_TRUE(ComesToWait(crew, {"sync.Mutex.Lock", &mu}, [&] { MutexLock lock(&mu); }));
  EXPECT_EQ(FactsOf(mu).waiters, 1u);
  mu.Unlock();
  crew.Join();
  EXPECT_EQ(FactsOf(mu).holder, 0u);
}

TEST(SyncFactsTest, RWMutexShowsReadersAndTheWriterByTheirReasons) {
  RWMutex mu;
  EXPECT_EQ(FactsOf(mu).kind, ObjectKind::kRWMutex);
  mu.RLock();
  mu.RLock();
  EXPECT_EQ(FactsOf(mu).readers, 2);
  Crew crew;
  EXPECT_TRUE(ComesToWait(crew, {"sync.RWMutex.Lock", &mu}, [&] { WriteLock lock(&mu); }));
  EXPECT_FALSE(FactsOf(mu).held) << "the writer still waits for the readers";
  EXPECT_TRUE(ComesToWait(crew, {"sync.RWMutex.RLock", &mu}, [&] { ReadLock lock(&mu); }));
  EXPECT_TRUE(ComesToWait(crew, {"sync.Mutex.Lock", &mu}, [&] { WriteLock lock(&mu); }));
  EXPECT_EQ(FactsOf(mu).waiters, 3u);
  mu.RUnlock();
  mu.RUnlock();
  crew.Join();
  mu.Lock();
  EXPECT_TRUE(FactsOf(mu).held);
#if LEASH_RECORD
  EXPECT_EQ(FactsOf(mu).holder, GoroutineId());
#endif
  mu.Unlock();
}

TEST(SyncFactsTest, WaitGroupShowsItsCounter) {
  WaitGroup wg;
  wg.Add(5);
  Crew crew;
  EXPECT_TRUE(ComesToWait(crew, {"sync.WaitGroup.Wait", &wg}, [&] { wg.Wait(); }));
  EXPECT_EQ(FactsOf(wg).kind, ObjectKind::kWaitGroup);
  EXPECT_EQ(FactsOf(wg).counter, 5);
  EXPECT_EQ(FactsOf(wg).waiters, 1u);
  wg.Add(-5);
  crew.Join();
}

TEST(SyncFactsTest, OnceShowsWhoRunsAndWaitsAsAMutex) {
  Once once;
  std::atomic<bool> finish{false};
  std::atomic<uint64_t> runner{0};
  Crew crew;
  crew.Start([&] {
    once.Do([&] {
      runner = GoroutineId();
      EXPECT_TRUE(Eventually([&] { return finish.load(); }));
    });
  });
  ASSERT_TRUE(Eventually([&] { return runner != 0; }));
  EXPECT_TRUE(ComesToWait(crew, {"sync.Mutex.Lock", &once}, [&] { once.Do([] {}); }));
  EXPECT_EQ(FactsOf(once).kind, ObjectKind::kOnce);
  EXPECT_TRUE(FactsOf(once).held);
#if LEASH_RECORD
  EXPECT_EQ(FactsOf(once).holder, runner);
#endif
  finish = true;
  crew.Join();
}

TEST(SyncFactsTest, CondShowsItsWaiters) {
  Mutex mu;
  Cond cond(&mu);
  Crew crew;
  EXPECT_TRUE(ComesToWait(crew, {"sync.Cond.Wait", &cond}, [&] {
    MutexLock lock(&mu);
    cond.Wait();
  }));
  EXPECT_EQ(FactsOf(cond).kind, ObjectKind::kCond);
  EXPECT_EQ(FactsOf(cond).waiters, 1u);
  cond.Signal();
  crew.Join();
}

TEST(SyncFactsTest, SemaphoreShowsWhatIsFreeAndWaitsTheSameWithAContext) {
  Semaphore s(8);
  ASSERT_TRUE(s.TryAcquire(6));
  auto [ctx, cancel] = WithCancel(Context());
  Crew crew;
  EXPECT_TRUE(ComesToWait(crew, {"semacquire", &s},
                          [&, ctx = ctx] { EXPECT_FALSE(s.Acquire(ctx, 4).ok()); }));
  EXPECT_TRUE(
      ComesToWait(crew, {"semacquire", &s}, [&] { EXPECT_TRUE(s.Acquire(Context(), 4).ok()); }));
  // More than there is.
  EXPECT_TRUE(ComesToWait(crew, {"semacquire", &s},
                          [&, ctx = ctx] { EXPECT_FALSE(s.Acquire(ctx, 9).ok()); }));
  const rt::SyncFacts facts = FactsOf(s);
  EXPECT_EQ(facts.kind, ObjectKind::kSemaphore);
  EXPECT_EQ(facts.counter, 2);
  EXPECT_EQ(facts.size, 8);
  EXPECT_EQ(facts.waiters, 2u);
  cancel();
  s.Release(6);
  crew.Join();
}

TEST(SyncFactsTest, AGroupWaitsAsAWaitGroupAndItsLimitAsASemaphore) {
  Group waited, limited;
  limited.SetLimit(1);
  std::atomic<bool> finish{false};
  const auto until_finish = [&] { EXPECT_TRUE(Eventually([&] { return finish.load(); })); };
  waited.Go(until_finish);
  limited.Go(until_finish);
  std::atomic<uint64_t> waiter{0}, spawner{0};
  Crew crew;
  crew.Start([&] {
    waiter = GoroutineId();
    EXPECT_TRUE(waited.Wait().ok());
  });
  ASSERT_TRUE(Eventually([&] { return WaitingOf(waiter).reason == "sync.WaitGroup.Wait"; }));
  crew.Start([&] {
    spawner = GoroutineId();
    limited.Go([] {});
  });
  ASSERT_TRUE(Eventually([&] { return WaitingOf(spawner).reason == "semacquire"; }));
  const auto kind_at = [](const void* object) {
    char first[4];
    std::memcpy(first, object, sizeof first);
    return rt::DecodeSyncObject(object, rt::SyncObjectBytes(first))->kind;
  };
  EXPECT_EQ(kind_at(WaitingOf(waiter).object), ObjectKind::kWaitGroup);
  EXPECT_EQ(kind_at(WaitingOf(spawner).object), ObjectKind::kSemaphore);
  finish = true;
  crew.Join();
}

TEST(SyncFactsTest, WhatIsNotAnObjectIsNotDecoded) {
  char bytes[rt::kSyncObjectBytesMax] = {};
  EXPECT_EQ(rt::SyncObjectBytes(bytes), 0u);
  EXPECT_FALSE(rt::DecodeSyncObject(bytes, sizeof bytes).has_value());
  Mutex mu;
  std::memcpy(bytes, static_cast<const void*>(&mu), sizeof mu);
  EXPECT_EQ(rt::SyncObjectBytes(bytes), sizeof mu);
  EXPECT_TRUE(rt::DecodeSyncObject(bytes, sizeof mu).has_value());
  for (size_t size = 0; size < sizeof mu; ++size) {
    EXPECT_FALSE(rt::DecodeSyncObject(bytes, size).has_value());
  }
}

TEST(SyncFactsTest, TheReasonsThatHaveAnObject) {
  int count = 0;
  for (int i = 0; i < static_cast<int>(rt::WaitReason::kCount); ++i) {
    if (rt::WaitsForSyncObject(static_cast<rt::WaitReason>(i))) ++count;
  }
  EXPECT_EQ(count, 6);
  EXPECT_FALSE(rt::WaitsForSyncObject(rt::WaitReason::kChanSend));
}

}  // namespace
}  // namespace leash
