#include "sched/labels.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "leash/chan.h"
#include "leash/debug.h"
#include "leash/go.h"

namespace leash {
namespace {

std::string Labels() {
  std::string text;
  if (const rt::LabelSet* labels = rt::CurrentLabels()) {
    for (const auto& [key, value] : labels->pairs) text += key + "=" + value + " ";
  }
  return text;
}

std::string LabelsOfAGoroutine() {
  Chan<std::string> out = MakeChan<std::string>();
  go([out] { out.Send(Labels()); });
  return *out.Recv();
}

TEST(LabelsTest, HoldForAScopeAndAreInherited) {
  EXPECT_EQ(Labels(), "");
  {
    debug::ScopedLabels outer({{"tenant", "acme"}, {"route", "/v1"}});
    EXPECT_EQ(Labels(), "route=/v1 tenant=acme ");
    EXPECT_EQ(LabelsOfAGoroutine(), "route=/v1 tenant=acme ");
    {
      debug::ScopedLabels inner({{"tenant", "other"}});
      EXPECT_EQ(LabelsOfAGoroutine(), "route=/v1 tenant=other ");
    }
    EXPECT_EQ(Labels(), "route=/v1 tenant=acme ");
  }
  EXPECT_EQ(LabelsOfAGoroutine(), "");
}

TEST(LabelsTest, ANameIsALabel) {
  Chan<std::string> out = MakeChan<std::string>();
  GoWith({.name = "writer"}, [out] { out.Send(Labels()); });
  EXPECT_EQ(out.Recv(), "name=writer ");
  go([out] {
    debug::SetName("reader");
    out.Send(Labels());
    debug::SetName("");
    out.Send(Labels());
  });
  EXPECT_EQ(out.Recv(), "name=reader ");
  EXPECT_EQ(out.Recv(), "");
}

TEST(LabelsTest, TheTestIsInheritedThroughGenerations) {
  const char* before = rt::CurrentTest();
  rt::SetCurrentTest(rt::InternText("LabelsTest.X"));
  Chan<const char*> out = MakeChan<const char*>();
  go([out] { go([out] { out.Send(rt::CurrentTest()); }); });
  EXPECT_STREQ(*out.Recv(), "LabelsTest.X");
  rt::SetCurrentTest(before);
}

TEST(InternTextTest, GivesTheSameForTheSame) {
  EXPECT_EQ(rt::InternText("a"), rt::InternText(std::string("a")));
  EXPECT_NE(rt::InternText("a"), rt::InternText("b"));
}

}  // namespace
}  // namespace leash
