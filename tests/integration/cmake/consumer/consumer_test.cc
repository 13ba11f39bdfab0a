// A test that links what an installed leash offers to tests.

#include <gtest/gtest.h>
#include <leash/leash.h>
#include <leash/verify.h>

TEST(ConsumerTest, LeavesNothing) {
  LEASH_VERIFY_NONE();
  leash::WaitGroup wg;
  wg.Go([] {});
  wg.Wait();
}
