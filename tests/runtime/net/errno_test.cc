// A call that waited may go on on another thread: what failed there is what it reports.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <string>

#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"
#include "leash/time.h"
#include "runtime/net/net_test_support.h"

namespace leash {
namespace {

using testing::Connect;
using testing::Ends;
using testing::Pair;

constexpr absl::Duration kPatience = absl::Minutes(1);

// One P, so that what runs when `call` parks runs on its thread.
class NetErrnoTest : public ::testing::Test {
 protected:
  void SetUp() override { before_ = GOMAXPROCS(1); }
  void TearDown() override { GOMAXPROCS(before_); }

  // Runs `call`, which waits, in a goroutine, and calls `end_wait` once its thread is kept busy,
  // with EBADF in errno, by another goroutine, until `call` has returned: it must go on elsewhere.
  // False: that did not come about. Between the spawn of the other one and the wait the machine may
  // take the thread away for so long that the P is given to another.
  static bool MovesAcross(const std::function<void()>& call,
                          const std::function<void()>& end_wait) {
    std::atomic<bool> occupied{false};
    std::atomic<bool> returned{false};
    std::atomic<pid_t> occupied_thread{0};
    pid_t first = 0;
    pid_t last = 0;
    WaitGroup wg;
    wg.Go([&] {
      wg.Go([&] {
        occupied_thread.store(gettid());
        errno = EBADF;
        occupied.store(true);
        while (!returned.load()) {
        }
      });
      first = gettid();
      call();
      last = gettid();
      returned.store(true);
    });
    while (!occupied.load()) usleep(100);
    end_wait();
    wg.Wait();
    if (first != occupied_thread.load()) return false;
    EXPECT_NE(first, last);
    return true;
  }

  // Makes attempts, each on a connection of its own, until one came about.
  static void Until(const std::function<bool(const Pair&)>& attempt) {
    const absl::Time deadline = Now() + kPatience;
    do {
      ASSERT_LT(Now(), deadline) << "it never came about";
    } while (!attempt(Connect()));
  }

 private:
  int before_ = 0;
};

TEST_F(NetErrnoTest, AReadReportsWhatFailedOnTheThreadThatItCameBackOn) {
  std::string status;
  std::string want;
  Until([&](const Pair& pair) {
    want = "UNAVAILABLE: read tcp " + Ends(pair.client) + ": read: connection reset by peer";
    // The server closes with a byte unread: a reset.
    EXPECT_TRUE(pair.client.Write("x").ok());
    return MovesAcross(
        [&] {
          char byte[1];
          status = pair.client.Read(byte).status().ToString();
        },
        [&] { EXPECT_TRUE(pair.server.Close().ok()); });
  });
  EXPECT_EQ(status, want);
}

TEST_F(NetErrnoTest, AWriteReportsWhatFailedOnTheThreadThatItCameBackOn) {
  const std::string much(size_t{64} << 20, 'x');
  const std::string more(size_t{1} << 20, 'x');
  std::string status;
  std::string want;
  Until([&](const Pair& pair) {
    want = "UNAVAILABLE: write tcp " + Ends(pair.client) + ": write: connection reset by peer";
    // More than the two buffers hold. Filling them takes longer than a goroutine may have its P to
    // itself, so that is done before: the write that is looked at waits at once. They are full when
    // there is no room for a byte either; what is on its way may still make some.
    for (const std::string& text : {much, std::string("x")}) {
      absl::Status filled;
      do {
        pair.client.SetWriteDeadline(Now() + absl::Milliseconds(300));
        filled = pair.client.Write(text).status();
      } while (filled.ok());
      EXPECT_EQ(filled.code(), absl::StatusCode::kDeadlineExceeded);
    }
    pair.client.SetWriteDeadline(absl::InfiniteFuture());
    return MovesAcross([&] { status = pair.client.Write(more).status().ToString(); },
                       [&] { EXPECT_TRUE(pair.server.Close().ok()); });
  });
  EXPECT_EQ(status, want);
}

}  // namespace
}  // namespace leash
