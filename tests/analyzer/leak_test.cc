// What is proved leaked, and what must never be.

#include "leash/analyzer/leak.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "analyzer/snapshot_builder.h"

namespace leash {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using testing::RecvFrom;
using testing::SendOn;
using testing::SnapshotBuilder;
using ::testing::UnorderedElementsAre;

// The proved ones, by id.
std::map<uint64_t, std::string> Proved(SnapshotBuilder& b) {
  const size_t count = ProveLeaks(b.s);
  std::map<uint64_t, std::string> proved;
  for (const Goroutine& g : b.s.goroutines) {
    if (g.tier == LeakTier::kProved) proved[g.id] = b.s.String(g.tier_reason);
  }
  EXPECT_EQ(count, proved.size());
  return proved;
}

TEST(LeakTest, NilChannelIsProved) {
  SnapshotBuilder b;
  b.Waiting(1, "chan send (nil chan)");
  b.Waiting(2, "chan receive (nil chan)");
  EXPECT_THAT(Proved(b),
              UnorderedElementsAre(Pair(1, "the channel is nil"), Pair(2, "the channel is nil")));
}

TEST(LeakTest, EmptySelectIsProved) {
  SnapshotBuilder b;
  b.Waiting(1, "select (no cases)");
  EXPECT_THAT(Proved(b),
              UnorderedElementsAre(Pair(1, "the select has no case that can ever be ready")));
}

TEST(LeakTest, SelectOfNilCasesIsProved) {
  SnapshotBuilder b;
  b.Waiting(1, "select", {RecvFrom(0), SendOn(0)});
  EXPECT_THAT(Proved(b),
              UnorderedElementsAre(Pair(1, "the select has no case that can ever be ready")));
}

TEST(LeakTest, SelectWhoseCasesAreNotKnownIsNotProved) {
  SnapshotBuilder b;
  b.Waiting(1, "select");
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, SendWithoutReceiverIsProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan(/*send=*/{1, 0}, /*recv=*/{0, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no receiver is alive")));
}

TEST(LeakTest, SendersThatHoldBothEndsAreProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Waiting(2, "chan send", {SendOn(c)}, {c});
  b.Running(3);
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no receiver is alive"),
                                              Pair(2, "no receiver is alive")));
}

TEST(LeakTest, SendWithReceiverElsewhereIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {1, 1});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ReceiveWithoutSenderIsProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({0, 0}, {1, 0});
  b.Waiting(1, "chan receive", {RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no sender is alive")));
}

TEST(LeakTest, ReceiveWithSenderElsewhereIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 1}, {1, 0});
  b.Waiting(1, "chan receive", {RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ReceiveFromTimerIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({0, 0}, {1, 0});
  b.s.objects[c].timer = true;
  b.Waiting(1, "chan receive", {RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, RunningHolderRescues) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Running(2, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, HolderThatWaitsForALockRescues) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Waiting(2, "sync.Mutex.Lock", {}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ThreadThatHoldsRescues) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  b.Waiting(2, "chan receive", {RecvFrom(c)}, {c});
  b.Thread(1, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, MentionWithoutAHandleDoesNotRescue) {
  SnapshotBuilder b;
  // A stale word: all handles that could receive are gone.
  const ObjectId c = b.Chan({1, 0}, {0, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Running(2, {c});
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no receiver is alive")));
}

TEST(LeakTest, RunningGoroutineThatCouldNotBeLookedThroughRescues) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Running(2).mentions_unknown = true;
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, WhatCouldNotBeLookedThroughHoldsNoHandleThatIsNotThere) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {0, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Running(2).mentions_unknown = true;
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no receiver is alive")));
}

TEST(LeakTest, HandleThatNobodyAccountsForRescues) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {1, 0});
  b.Waiting(1, "chan send", {SendOn(c)});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, HandleThatMayBeUsedByReferenceRescues) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {1, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.s.objects[c].by_reference = true;
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ReferenceToNoHandleDoesNotRescue) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {0, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.s.objects[c].by_reference = true;
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no receiver is alive")));
}

TEST(LeakTest, UncountedChannelIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({0, 0}, {0, 0});
  b.s.objects[c].counted = false;
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ClosedChannelIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({0, 0}, {1, 0});
  b.s.objects[c].closed = true;
  b.Waiting(1, "chan receive", {RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ChannelWithValuesIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({0, 0}, {1, 0});
  b.s.objects[c].capacity = 2;
  b.s.objects[c].length = 1;
  b.Waiting(1, "chan receive", {RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ChannelWithRoomIsNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {0, 0});
  b.s.objects[c].capacity = 1;
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, FullChannelWithoutReceiverIsProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {0, 0});
  b.s.objects[c].capacity = b.s.objects[c].length = 1;
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(1, "no receiver is alive")));
}

TEST(LeakTest, TwoThatAreAboutToMeetAreNotProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Waiting(2, "chan receive", {RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, SelectDoesNotMeetItself) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({1, 0}, {1, 0});
  b.Waiting(1, "select", {SendOn(c), RecvFrom(c)}, {c});
  EXPECT_THAT(Proved(b),
              UnorderedElementsAre(Pair(1, "the select has no case that can ever be ready")));
}

TEST(LeakTest, OneLiveCaseRescuesASelect) {
  SnapshotBuilder b;
  const ObjectId dead = b.Chan({1, 0}, {0, 0});
  const ObjectId live = b.Chan({1, 1}, {1, 0});
  b.Waiting(1, "select", {SendOn(dead), RecvFrom(live), RecvFrom(0)}, {dead, live});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, CycleOfStuckGoroutinesIsProved) {
  SnapshotBuilder b;
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  const ObjectId d = b.Chan({2, 0}, {2, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c, d});
  b.Waiting(2, "chan send", {SendOn(d)}, {c, d});
  EXPECT_THAT(
      Proved(b),
      UnorderedElementsAre(Pair(1, "its only receivers are goroutines that are stuck themselves"),
                           Pair(2, "its only receivers are goroutines that are stuck themselves")));
}

TEST(LeakTest, RescueSpreadsThroughAChain) {
  SnapshotBuilder b;
  // 3 may be woken from outside, then receive for 2, which then receives for 1.
  const ObjectId c = b.Chan({2, 0}, {2, 0});
  const ObjectId d = b.Chan({2, 0}, {2, 0});
  const ObjectId outside = b.Chan({1, 1}, {1, 0});
  b.Waiting(1, "chan send", {SendOn(c)}, {c});
  b.Waiting(2, "chan send", {SendOn(d)}, {c, d});
  b.Waiting(3, "chan receive", {RecvFrom(outside)}, {d, outside});
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, WaitForAnythingElseIsNotProved) {
  SnapshotBuilder b;
  for (uint64_t id = 1; const char* reason :
                        {"sleep", "IO wait", "sync.Mutex.Lock", "sync.Cond.Wait", "semacquire"}) {
    b.Waiting(id++, reason);
  }
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, ThreadIsNeverProved) {
  SnapshotBuilder b;
  b.Waiting(1, "chan send (nil chan)").kind = GoroutineKind::kThread;
  EXPECT_THAT(Proved(b), IsEmpty());
}

TEST(LeakTest, MainGoroutineOfGoMayRestInASelect) {
  SnapshotBuilder b;
  b.s.origin = "go";
  b.Waiting(1, "select (no cases)");
  b.Waiting(7, "select (no cases)");
  EXPECT_THAT(Proved(b),
              UnorderedElementsAre(Pair(7, "the select has no case that can ever be ready")));
}

TEST(LeakTest, TierThatAFileGivesIsKept) {
  SnapshotBuilder b;
  Goroutine& g = b.Waiting(9, "sync.Mutex.Lock");
  g.tier = LeakTier::kProved;
  g.tier_reason = b.s.AddString("said so");
  EXPECT_THAT(Proved(b), UnorderedElementsAre(Pair(9, "said so")));
}

TEST(LeakTest, BackgroundIsNoLeak) {
  SnapshotBuilder b;
  b.Waiting(1, "select (no cases)").background = b.s.AddString("metrics");
  ProveLeaks(b.s);
  EXPECT_EQ(b.s.goroutines[0].tier, LeakTier::kProved);
  EXPECT_FALSE(IsProvedLeak(b.s.goroutines[0]));
}

}  // namespace
}  // namespace leash
