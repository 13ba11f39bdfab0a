// profile.proto, looked at with Go's own tool where it is installed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "analyzer/snapshot_builder.h"
#include "model/writer.h"

namespace leash::internal {
namespace {

using leash::testing::SnapshotBuilder;
using ::testing::HasSubstr;
using ::testing::Not;

// What `go tool pprof OPTION` prints about the profile of `s`, errors and warnings too.
std::string Pprof(const std::string& option, const Snapshot& s) {
  const std::string path =
      ::testing::TempDir() + "/leash_profile_" + std::to_string(getpid()) + ".pb.gz";
  {
    std::ofstream out(path, std::ios::binary);
    StreamSink sink(&out);
    const auto writer = NewProfileWriter(0, &sink);
    writer->Write(s);
    writer->Finish();
  }
  const std::string command = "go tool pprof " + option + " " + path + " 2>&1";
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  pclose(pipe);
  std::remove(path.c_str());
  return text;
}

SnapshotBuilder Stuck() {
  SnapshotBuilder b;
  b.s.captured_unix_ns = 1'700'000'000'000'000'000;
  b.s.modules.push_back({0x1000, 0x9000, 0, "/opt/leaky server", "deadbeef"});
  const StackId stack =
      b.Stack({{"leash::rt::Park()", "/rt/park.cc", 9, 0x2000, 0x10},
               {"std::function<void (Key)>::operator()(Key) const", "/src/fn.h", 8, 0x3000, 0x20},
               {"Cache<int, Key>::Evict(Key)", "/src/cache.cc", 88, 0x4000, 0x20}});
  for (Location& location : b.s.locations) {
    location.module = 0;
    for (Frame& frame : location.frames)
      frame.system_name = b.s.AddString("_Z" + std::to_string(frame.line));
  }
  for (uint64_t id = 2; id < 5; ++id) {
    Goroutine& g = b.Waiting(id, "chan send");
    g.stack = stack;
    g.wait_ns = 3'000'000'000;
    g.created_at = b.Site("Cache::Start(int)", "/src/cache.cc", 41);
    g.test = b.s.AddString("CacheTest.Evict");
    g.labels = b.s.AddLabelSet({{b.s.AddString("tenant"), b.s.AddString("acme")}});
  }
  return b;
}

class ProfileProtoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("go version >/dev/null 2>&1") != 0) GTEST_SKIP() << "go is not installed";
  }
};

TEST_F(ProfileProtoTest, TopShowsOurNamesAndNoWarning) {
  SnapshotBuilder b = Stuck();
  const std::string text = Pprof("-top", b.s);
  EXPECT_THAT(text,
              ::testing::StartsWith(
                  "File: leaky server\nBuild ID: deadbeef\nType: goroutine\nTime: Nov 14, 2023"));
  EXPECT_THAT(text, HasSubstr("         3   100%   100%          3   100%  std::function<void "
                              "(Key)>::operator()(Key) const\n"));
  EXPECT_THAT(
      text, HasSubstr("         0     0%   100%          3   100%  Cache<int, Key>::Evict(Key)\n"));
  EXPECT_THAT(text, Not(HasSubstr("Park")));
  EXPECT_THAT(text, Not(HasSubstr("ailed")));
  EXPECT_THAT(text, Not(HasSubstr("arning")));
  EXPECT_THAT(text, Not(HasSubstr("not available")));
}

TEST_F(ProfileProtoTest, TracesShowLabels) {
  SnapshotBuilder b = Stuck();
  const std::string text = Pprof("-traces", b.s);
  for (const char* line : {"state:  chan send\n", "created_by:  Cache::Start cache.cc:41\n",
                           "test:  CacheTest.Evict\n", "tenant:  acme\n", "wait:  <1m\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(ProfileProtoTest, WithoutModulesNothingIsMissed) {
  SnapshotBuilder b = Stuck();
  b.s.modules.clear();
  for (Location& location : b.s.locations) location.module = -1;
  const std::string text = Pprof("-top", b.s);
  EXPECT_THAT(text, ::testing::StartsWith("File: program\nType: goroutine\n"));
  EXPECT_THAT(text, HasSubstr("Cache<int, Key>::Evict(Key)\n"));
}

}  // namespace
}  // namespace leash::internal
