// Whole texts of frames from code that was built with debug information of several kinds.

#include "debug/symbolize.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "leash/go.h"
#include "leash/snapshot.h"
#include "leash/sync.h"
#include "runtime/debug/symbolize_frames.h"
#include "stack/unwind.h"

namespace leash::rt {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The return addresses from a frame set's innermost function to its outermost.
std::vector<uint64_t> PcsOf(void (*frames)(leash_test::Leaf, void*)) {
  std::vector<uint64_t> pcs(64);
  frames(
      [](void* arg) {
        auto* to = static_cast<std::vector<uint64_t>*>(arg);
        to->resize(static_cast<size_t>(UnwindSelf(to->data(), 64, 1)));
      },
      &pcs);
  return pcs;
}

// "function file:line" of the frames that a dump shows, up to the entry of the frame set.
std::vector<std::string> Visible(void (*frames)(leash_test::Leaf, void*), bool names = true) {
  Symbolizer symbolizer;
  std::vector<std::string> visible;
  for (uint64_t pc : PcsOf(frames)) {
    for (const SymbolFrame& frame : symbolizer.Describe(pc, false)) {
      if (frame.runtime) continue;
      std::string text = names ? frame.function + " " : "";
      text += FileName(frame.file);
      if (frame.line != 0) text += ":" + std::to_string(frame.line);
      visible.push_back(text);
      if (frame.function.starts_with("leash_test::Frames") && !frame.inlined &&
          frame.function.ends_with("*)")) {
        return visible;
      }
    }
  }
  return visible;
}

TEST(SymbolizerTest, CallsOfUnoptimisedCode) {
  EXPECT_THAT(
      Visible(leash_test::FramesO0),
      ElementsAre("app::FramesO0::Cache::Evict(const Key&) symbolize_frames.cc:37",
                  "app::FramesO0::Cache::Drop(Key) symbolize_frames.cc:41",
                  "app::FramesO0::Cache::Clear(const std::string&) symbolize_frames.cc:45",
                  "app::FramesO0::Cache::Run()::lambda at symbolize_frames.cc:49 "
                  "symbolize_frames.cc:50",
                  "app::FramesO0::Cache::Run() symbolize_frames.cc:53",
                  "leash_test::FramesO0(void (*)(void*), void*)::lambda::lambda at "
                  "symbolize_frames.cc:66 symbolize_frames.cc:67",
                  "leash_test::FramesO0(void (*)(void*), void*)::lambda at symbolize_frames.cc:65 "
                  "symbolize_frames.cc:66",
                  "leash_test::FramesO0(void (*)(void*), void*) symbolize_frames.cc:65"));
}

TEST(SymbolizerTest, InlinedCallsShowAsCallsAndTheRuntimesOwnAreHidden) {
  EXPECT_THAT(
      Visible(leash_test::FramesO2),
      ElementsAre("app::FramesO2::Cache::Evict(const Key&) symbolize_frames.cc:37",
                  "app::FramesO2::Cache::Drop(Key) symbolize_frames.cc:41",
                  "app::FramesO2::Cache::Clear(const std::string&) symbolize_frames.cc:45",
                  "app::FramesO2::Cache::Run()::lambda at symbolize_frames.cc:49 "
                  "symbolize_frames.cc:50",
                  "app::FramesO2::Cache::Run() symbolize_frames.cc:53",
                  "leash_test::FramesO2(void (*)(void*), void*)::lambda::lambda at "
                  "symbolize_frames.cc:66 symbolize_frames.cc:67",
                  "leash_test::FramesO2(void (*)(void*), void*)::lambda at symbolize_frames.cc:65 "
                  "symbolize_frames.cc:66",
                  "leash_test::FramesO2(void (*)(void*), void*) symbolize_frames.cc:65"));
}

// -g1: release builds. All lines are there. Of inlined functions that the linker never sees,
// compilers then say the last word of the name only: that Inlined is of leash::internal cannot be
// told (what lies in leash's headers can).
TEST(SymbolizerTest, LinesOfReleaseBuilds) {
  std::vector<std::string> lines = Visible(leash_test::FramesO2G1, false);
  std::erase(lines, "symbolize_frames.cc:20");
  EXPECT_THAT(lines, ElementsAre("symbolize_frames.cc:37", "symbolize_frames.cc:41",
                                 "symbolize_frames.cc:45", "symbolize_frames.cc:50",
                                 "symbolize_frames.cc:53", "symbolize_frames.cc:67",
                                 "symbolize_frames.cc:66", "symbolize_frames.cc:65"));
}

TEST(SymbolizerTest, NamesWithoutDebugInformation) {
  EXPECT_THAT(Visible(leash_test::FramesNoDebug),
              ElementsAre("app::FramesNoDebug::Cache::Evict(const Key&) ",
                          "app::FramesNoDebug::Cache::Clear(const std::string&) ",
                          "app::FramesNoDebug::Cache::Run() ",
                          "leash_test::FramesNoDebug(void (*)(void*), void*) "));
}

// The return address in Clear, where Drop was inlined.
uint64_t PcInClear() {
  for (uint64_t pc : PcsOf(leash_test::FramesO2)) {
    const std::vector<SymbolFrame> frames = Symbolizer::Get().Describe(pc, false);
    if (frames.back().function.find("Cache::Clear") != std::string::npos) return pc;
  }
  return 0;
}

TEST(SymbolizerTest, EachFrameSaysWhatItIs) {
  Symbolizer symbolizer;
  const SymbolLocation location = symbolizer.Locate(PcInClear(), false);
  ASSERT_EQ(location.frames.size(), 2u);
  EXPECT_EQ(location.frames[0].system_name, "_ZN3app8FramesO25Cache4DropENS0_3KeyE");
  EXPECT_TRUE(location.frames[0].inlined);
  EXPECT_EQ(location.frames[0].start_line, 40);
  EXPECT_EQ(location.frames[1].system_name,
            "_ZN3app8FramesO25Cache5ClearERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
  EXPECT_FALSE(location.frames[1].inlined);
  EXPECT_EQ(location.frames[1].start_line, 44);
  EXPECT_GT(location.offset, 0u);
  EXPECT_LT(location.offset, 200u);
}

// The address after a call that does not return may belong to the next function.
TEST(SymbolizerTest, AReturnAddressMeansTheCallBeforeIt) {
  Symbolizer symbolizer;
  const auto start = reinterpret_cast<uint64_t>(&leash_test::FramesO2);
  EXPECT_EQ(symbolizer.Describe(start, true)[0].function,
            "leash_test::FramesO2(void (*)(void*), void*)");
  EXPECT_NE(symbolizer.Describe(start, false)[0].function,
            "leash_test::FramesO2(void (*)(void*), void*)");
  EXPECT_EQ(symbolizer.Locate(start, true).offset, 0u);
  EXPECT_EQ(symbolizer.Describe(start + 1, false)[0].function,
            "leash_test::FramesO2(void (*)(void*), void*)");
}

TEST(SymbolizerTest, LibrariesAndAddressesOfNothing) {
  Symbolizer symbolizer;
  const auto libc = reinterpret_cast<uint64_t>(dlsym(RTLD_DEFAULT, "pthread_create"));
  EXPECT_THAT(symbolizer.Describe(libc + 1, true)[0].function, MatchesRegex("pthread_create.*"));
  EXPECT_EQ(symbolizer.Describe(0x10, true)[0].function, "0x10");
  EXPECT_EQ(symbolizer.Describe(0, false)[0].function, "0x0");
  EXPECT_EQ(symbolizer.Describe(UINT64_MAX, true)[0].function, "0xffffffffffffffff");
  EXPECT_EQ(symbolizer.Locate(0x10, true).module_start, 0u);
}

TEST(SymbolizerTest, SeesALibraryThatWasLoadedSince) {
  Symbolizer symbolizer;
  symbolizer.Describe(reinterpret_cast<uint64_t>(&FileName), true);
  void* library = dlopen(LEASH_SYMBOLIZE_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto pc = reinterpret_cast<uint64_t>(dlsym(library, "leash_test_plugin_call"));
  const std::vector<SymbolFrame> frames = symbolizer.Describe(pc, true);
  EXPECT_EQ(frames[0].function, "leash_test_plugin_call");
  // Its lines are in a file of their own, which .gnu_debuglink names.
  EXPECT_EQ(FileName(frames[0].file), "unwind_plugin.cc");
  EXPECT_GT(frames[0].line, 0);
  dlclose(library);
  EXPECT_THAT(symbolizer.Describe(pc, true)[0].function, MatchesRegex("0x[0-9a-f]+"));
}

TEST(SymbolizerTest, ModulesAreThoseOfTheProcess) {
  Symbolizer symbolizer;
  const std::vector<Module> modules = symbolizer.Modules();
  const auto here = reinterpret_cast<uint64_t>(&FileName);
  const auto own = std::find_if(modules.begin(), modules.end(),
                                [&](const Module& m) { return m.start <= here && here < m.limit; });
  ASSERT_NE(own, modules.end());
  EXPECT_EQ(FileName(own->path), "symbolize_test");
  EXPECT_EQ(own->file_offset % 4096, own->start % 4096);
  const auto libc = std::find_if(modules.begin(), modules.end(), [&](const Module& m) {
    return FileName(m.path).starts_with("libc.so");
  });
  ASSERT_NE(libc, modules.end());
  EXPECT_THAT(libc->build_id, MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(libc->build_id.size(), 40u);
}

TEST(SymbolizerTest, ThreadsGetTheSameAnswers) {
  Symbolizer symbolizer;
  const std::vector<uint64_t> pcs = PcsOf(leash_test::FramesO2);
  std::vector<std::string> answers(4);
  std::vector<std::thread> threads;
  for (std::string& answer : answers) {
    threads.emplace_back([&] {
      for (uint64_t pc : pcs) {
        for (const SymbolFrame& frame : symbolizer.Describe(pc, false)) {
          answer += frame.function + " " + frame.file + ":" + std::to_string(frame.line) + "\n";
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(answers, testing::Each(answers[0]));
}

TEST(SymbolizerTest, WorksOnASmallGoroutine) {
  std::vector<std::string> functions;
  WaitGroup done;
  done.Add(1);
  GoWith(GoOptions{.stack_bytes = 64 << 10}, [&] {
    Symbolizer symbolizer;
    for (uint64_t pc : PcsOf(leash_test::FramesO2)) {
      for (const SymbolFrame& frame : symbolizer.Describe(pc, false)) {
        // With -g1 clang gives of what it has inlined the last word only: it cannot be told to be
        // of leash::rt.
        if (!frame.runtime && frame.function != "PcsOf") functions.push_back(frame.function);
      }
    }
    done.Done();
  });
  done.Wait();
  // This file's own functions are of leash::rt.
  ASSERT_EQ(functions.size(), 8u) << testing::PrintToString(functions);
  EXPECT_EQ(functions[0], "app::FramesO2::Cache::Evict(const Key&)");
  EXPECT_EQ(functions[7], "leash_test::FramesO2(void (*)(void*), void*)");
}

TEST(LocationWriterTest, AddsEachPcOnce) {
  Snapshot snapshot;
  LocationWriter writer(Symbolizer::Get(), snapshot);
  EXPECT_FALSE(snapshot.modules.empty());
  const size_t before = snapshot.locations.size();
  const uint64_t pc = PcInClear();
  const LocationId id = writer.Add(pc, false);
  EXPECT_EQ(writer.Add(pc, false), id);
  EXPECT_NE(writer.Add(pc, true), id);
  EXPECT_EQ(snapshot.locations.size(), before + 2);
  const Location& location = snapshot.locations[id];
  EXPECT_EQ(location.pc, pc);
  EXPECT_FALSE(location.exact);
  ASSERT_GE(location.module, 0);
  const Module& m = snapshot.modules[static_cast<size_t>(location.module)];
  EXPECT_LE(m.start, pc);
  EXPECT_LT(pc, m.limit);
  ASSERT_EQ(location.frames.size(), 2u);
  EXPECT_EQ(snapshot.String(location.frames[0].function), "app::FramesO2::Cache::Drop(Key)");
  EXPECT_EQ(snapshot.String(location.frames[1].system_name),
            "_ZN3app8FramesO25Cache5ClearERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
  EXPECT_EQ(location.frames[0].line, 41);
  EXPECT_EQ(writer.Add(8, true), writer.Add(8, true));
}

TEST(SymbolizeForCrashTest, FunctionAndOffset) {
  Symbolizer::Get().Modules();  // makes the table that it reads
  char text[200];
  const auto start = reinterpret_cast<uint64_t>(&leash_test::FramesO2);
  SymbolizeForCrash(start + 4, text, sizeof(text));
  EXPECT_STREQ(text, "leash_test::FramesO2()+0x4");
  SymbolizeForCrash(0x123, text, sizeof(text));
  EXPECT_STREQ(text, "0x123");
  SymbolizeForCrash(start + 4, text, 6);
  EXPECT_STREQ(text, "leash");
  text[0] = 'x';
  SymbolizeForCrash(start, text, 0);
  EXPECT_EQ(text[0], 'x');
}

}  // namespace
}  // namespace leash::rt
