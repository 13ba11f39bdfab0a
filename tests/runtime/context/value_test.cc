// Values of contexts.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "leash/context.h"

namespace leash {
namespace {

const ContextKey<std::string> kUser("user");
const ContextKey<std::string> kOther("user");
const ContextKey<int> kNumber("number");

TEST(ContextValueTest, IsFoundFromBelowAndHiddenByANearerOne) {
  const Context root = WithValue(Context::Background(), kUser, "ada");
  const Context middle = WithValue(root, kNumber, 1);
  auto [ctx, cancel] = WithCancel(middle);
  const Context leaf = WithValue(ctx, kUser, "grace");
  EXPECT_EQ(root.Value(kUser), "ada");
  EXPECT_EQ(ctx.Value(kUser), "ada");
  EXPECT_EQ(leaf.Value(kUser), "grace");
  EXPECT_EQ(leaf.Value(kNumber), 1);
  EXPECT_EQ(root.Value(kNumber), std::nullopt);
  EXPECT_EQ(Context().Value(kUser), std::nullopt);
}

TEST(ContextValueTest, AKeyIsItsObjectNotItsName) {
  const Context ctx = WithValue(Context::Background(), kUser, "ada");
  EXPECT_EQ(ctx.Value(kOther), std::nullopt);
  EXPECT_EQ(kUser.name(), "user");
}

TEST(ContextValueTest, EndsWithTheContextAbove) {
  auto [ctx, cancel] = WithCancel(Context::Background());
  const Context value = WithValue(ctx, kNumber, 5);
  EXPECT_EQ(value.Done(), ctx.Done());
  cancel();
  EXPECT_EQ(value.Err().message(), "context canceled");
}

TEST(ContextValueTest, StaysInWithoutCancel) {
  const Context ctx = WithoutCancel(WithValue(Context::Background(), kNumber, 5));
  EXPECT_EQ(ctx.Value(kNumber), 5);
}

TEST(ContextValueTest, LivesAsLongAsSomebodyCanFindIt) {
  const ContextKey<std::shared_ptr<int>> key;
  const auto value = std::make_shared<int>(1);
  {
    Context leaf;
    {
      const Context ctx = WithValue(Context::Background(), key, value);
      leaf = WithoutCancel(ctx);
    }
    EXPECT_EQ(value.use_count(), 2);
    EXPECT_EQ(leaf.Value(key), value);
  }
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace leash
