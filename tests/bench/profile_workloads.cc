// What a dump of many parked goroutines costs, and for how long it holds up one that runs.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "bench/workload.h"
#include "leash/chan.h"
#include "leash/debug.h"
#include "leash/go.h"
#include "leash/time.h"

namespace leash::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Ten functions, so that a profile groups the parked goroutines in ten. The statement keeps the
// compiler from making one of them, and the call from being its last word: no frame would be left.
template <int kSite>
[[gnu::noinline]] void Site(const Chan<Unit>& stop) {
  stop.Recv();
  asm volatile("" ::"i"(kSite));
}
using SiteFunction = void (*)(const Chan<Unit>&);
constexpr std::array<SiteFunction, 10> kSites = {Site<0>, Site<1>, Site<2>, Site<3>, Site<4>,
                                                 Site<5>, Site<6>, Site<7>, Site<8>, Site<9>};

// Counts what is written to it.
class CountingBuffer : public std::streambuf {
 public:
  int64_t count() const { return count_; }

 protected:
  int overflow(int c) override {
    ++count_;
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char*, std::streamsize n) override {
    count_ += n;
    return n;
  }

 private:
  int64_t count_ = 0;
};

// Counts the goroutines of a debug=2 profile: lines that begin with "goroutine ".
class CountingHeaders : public std::streambuf {
 public:
  int64_t count() const { return count_; }

 protected:
  int overflow(int c) override {
    const char byte = traits_type::to_char_type(c);
    xsputn(&byte, 1);
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* text, std::streamsize n) override {
    for (const char c : std::string_view(text, static_cast<size_t>(n))) {
      if (c == '\n') {
        matched_ = 0;
      } else if (matched_ < kHeader.size()) {
        matched_ = c == kHeader[matched_] ? matched_ + 1 : kNever;
        if (matched_ == kHeader.size()) ++count_;
      }
    }
    return n;
  }

 private:
  static constexpr std::string_view kHeader = "goroutine ";
  static constexpr size_t kNever = std::string_view::npos;

  size_t matched_ = 0;  // of the header, in this line; kNever: it has begun otherwise
  int64_t count_ = 0;
};

// How many are in a debug=2 profile.
int64_t CountGoroutines() {
  CountingHeaders headers;
  std::ostream out(&headers);
  debug::WriteProfile(out, 2);
  return headers.count();
}

struct Gap {
  Times took;
  Clock::duration longest;
};

// Runs `f` while another goroutine ticks every 100 us: how long that took, and the longest time
// between two ticks.
template <class F>
Gap MaxGap(F f) {
  std::atomic<bool> stop = false;
  const Chan<Unit> ready = MakeChan<Unit>();
  const Chan<Clock::duration> done = MakeChan<Clock::duration>();
  go([&stop, ready, done] {
    Clock::duration longest = {};
    Clock::time_point last = Clock::now();
    ready.Close();
    while (!stop.load()) {
      Sleep(absl::Microseconds(100));
      const Clock::time_point now = Clock::now();
      longest = std::max(longest, now - last);
      last = now;
    }
    done.Send(longest);
  });
  ready.Recv();
  Sleep(absl::Milliseconds(5));
  const Lap lap;
  f();
  const Times took = lap.Read();
  stop = true;
  return {took, *done.Recv()};
}

double Micros(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

template <int kDebug>
void Profile(Run& run, const char* label, int64_t full) {
  const int64_t n = run.Scaled(full);
  const Chan<Unit> stop = MakeChan<Unit>();
  std::atomic<int64_t> up = 0;
  const int64_t others = NumGoroutine();
  for (int64_t i = 0; i < n; ++i) {
    go([&stop, &up, site = kSites[static_cast<size_t>(i) % kSites.size()]] {
      up.fetch_add(1);
      site(stop);
    });
  }
  while (up.load() < n) Gosched();
  Sleep(absl::Milliseconds(50));  // the last few reach their receive

  CountingBuffer buffer;
  std::ostream out(&buffer);
  const Gap gap = MaxGap([&] { debug::WriteProfile(out, kDebug); });
  // The same for as long without a profile: what the machine alone does to the ticks.
  const Gap idle = MaxGap([&] { Sleep(absl::Nanoseconds(gap.took.wall_ns)); });
  Require(out.good() && buffer.count() > 0, "profile: nothing was written");

  const std::string kind = kDebug == 0 ? "proto" : "debug" + std::to_string(kDebug);
  const std::string prefix = "profile_" + kind + "/" + label;
  run.ReportMillis(prefix + "/time", gap.took);
  run.Report(prefix + "/stall", Micros(gap.longest), "us");
  run.Report(prefix + "/stall_idle", Micros(idle.longest), "us");
  run.Report(prefix + "/size", static_cast<double>(buffer.count()), "bytes");
  const int64_t with = kDebug == 2 ? CountGoroutines() : 0;
  stop.Close();
  while (NumGoroutine() > others) Gosched();
  if constexpr (kDebug == 2) {
    run.Report(prefix + "/complete",
               100 * static_cast<double>(with - CountGoroutines()) / static_cast<double>(n),
               "percent");
  }
}

}  // namespace

template <int kDebug>
void Profile10k(Run& run) {
  Profile<kDebug>(run, "10k", 10'000);
}
template <int kDebug>
void Profile100k(Run& run) {
  Profile<kDebug>(run, "100k", 100'000);
}
template <int kDebug>
void Profile1m(Run& run) {
  Profile<kDebug>(run, "1m", 1'000'000);
}

template void Profile10k<0>(Run&);
template void Profile10k<1>(Run&);
template void Profile10k<2>(Run&);
template void Profile100k<0>(Run&);
template void Profile100k<1>(Run&);
template void Profile100k<2>(Run&);
template void Profile1m<0>(Run&);
template void Profile1m<1>(Run&);
template void Profile1m<2>(Run&);

}  // namespace leash::bench
