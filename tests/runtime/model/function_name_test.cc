// Names of functions, as people write them and as demanglers do.

#include "model/function_name.h"

#include <gtest/gtest.h>

#include <string>

namespace leash::internal {
namespace {

std::string GoCall(std::string_view function, bool inlined = false) {
  std::string text;
  AppendGoCall(function, inlined, &text);
  return text;
}

TEST(FunctionNameTest, ParametersAndQualifiersGo) {
  EXPECT_EQ(FunctionWithoutParameters("Cache::Evict(Key) const"), "Cache::Evict");
  EXPECT_EQ(FunctionWithoutParameters("f(void (*)(int))"), "f");
  EXPECT_EQ(FunctionWithoutParameters("F::g() const &"), "F::g");
  EXPECT_EQ(FunctionWithoutParameters("Run(int) [clone .isra.0]"), "Run");
  EXPECT_EQ(FunctionWithoutParameters("main::{lambda(int)#1}::operator()(int) const"),
            "main::{lambda(int)#1}::operator()");
  EXPECT_EQ(FunctionWithoutParameters("(anonymous namespace)::F(int)"), "(anonymous namespace)::F");
}

TEST(FunctionNameTest, NameWithoutParametersIsItself) {
  for (const char* name : {"main", "Task::operator()", "main.(*store).update", "main.drain[...]",
                           "(anonymous namespace)", "", ")", "("}) {
    EXPECT_EQ(FunctionWithoutParameters(name), name);
  }
}

TEST(FunctionNameTest, GoCallEndsInParentheses) {
  EXPECT_EQ(GoCall("Cache::Evict(Key) const"), "Cache::Evict(Key)");
  EXPECT_EQ(GoCall("main"), "main()");
  EXPECT_EQ(GoCall("main.drain[...]", true), "main.drain[...](...)");
  EXPECT_EQ(GoCall("Task::operator()"), "Task::operator()()");
  EXPECT_EQ(GoCall(""), std::string(3, '?') + "()");
}

TEST(FunctionNameTest, BaseNameIsBehindTheLastSlash) {
  EXPECT_EQ(BaseName("/src/cache.cc"), "cache.cc");
  EXPECT_EQ(BaseName("cache.cc"), "cache.cc");
  EXPECT_EQ(BaseName("/src/"), "");
}

}  // namespace
}  // namespace leash::internal
