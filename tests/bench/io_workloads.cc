// Goroutines that wait for the world: timers, sockets; and the pipeline that prices the race
// detector.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/workload.h"
#include "leash/chan.h"
#include "leash/context.h"
#include "leash/go.h"
#include "leash/net.h"
#include "leash/sync.h"
#include "leash/time.h"

namespace leash::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Percentile(const std::vector<double>& sorted, double p) {
  const auto rank = static_cast<int64_t>(std::ceil(p * static_cast<double>(sorted.size())));
  return sorted[static_cast<size_t>(std::max<int64_t>(rank - 1, 0))];
}

constexpr size_t kMessageBytes = 64;
using Message = std::array<char, kMessageBytes>;

// Reads a whole message; false at the end of the stream or on an error.
bool ReadMessage(const net::Conn& conn, Message* message) {
  size_t have = 0;
  while (have < message->size()) {
    const absl::StatusOr<size_t> n = conn.Read(absl::MakeSpan(*message).subspan(have));
    if (!n.ok() || *n == 0) return false;
    have += *n;
  }
  return true;
}

bool WriteMessage(const net::Conn& conn, const Message& message) {
  return conn.Write(std::string_view(message.data(), message.size())).ok();
}

}  // namespace

void Timers(Run& run) {
  const int64_t n = run.Scaled(100'000);
  std::vector<double> late_us(static_cast<size_t>(n));
  Random random(0x9e3779b97f4a7c15);
  WaitGroup wg;
  wg.Add(static_cast<int>(n));
  for (double& late : late_us) {
    const std::chrono::nanoseconds d(random.Next() % 100'000'000);
    go([&wg, &late, d] {
      const Clock::time_point begin = Clock::now();
      Sleep(absl::FromChrono(d));
      late = std::chrono::duration<double, std::micro>(Clock::now() - begin - d).count();
      wg.Done();
    });
  }
  wg.Wait();
  std::sort(late_us.begin(), late_us.end());
  run.Report("timers/p50", Percentile(late_us, 0.50), "us");
  run.Report("timers/p99", Percentile(late_us, 0.99), "us");
  run.Report("timers/max", late_us.back(), "us");
}

void Echo(Run& run) {
  constexpr int kConnections = 64;
  const absl::Duration window = absl::Milliseconds(std::min<int64_t>(3000, run.Scaled(3000)));
  absl::StatusOr<net::Listener> listener = net::Listen("tcp", "127.0.0.1:0");
  Require(listener.ok(), listener.status().ToString());
  WaitGroup servers;
  servers.Go([&] {
    while (true) {
      absl::StatusOr<net::Conn> accepted = listener->Accept();
      if (!accepted.ok()) return;
      servers.Add(1);
      go(
          [&servers](const net::Conn& conn) {
            Message message;
            while (ReadMessage(conn, &message) && WriteMessage(conn, message)) {
            }
            servers.Done();
          },
          *std::move(accepted));
    }
  });

  std::vector<net::Conn> clients;
  for (int i = 0; i < kConnections; ++i) {
    absl::StatusOr<net::Conn> dialed = net::Dial(Context::Background(), "tcp", listener->Addr());
    Require(dialed.ok(), dialed.status().ToString());
    clients.push_back(*std::move(dialed));
  }
  std::atomic<bool> stop = false;
  std::atomic<int64_t> total = 0;
  WaitGroup wg;
  const Lap lap;
  for (const net::Conn& conn : clients) {
    wg.Go([&stop, &total, &conn] {
      Message message = {};
      int64_t mine = 0;
      // Once at least: a short window on a busy machine is over before anybody has begun.
      while (WriteMessage(conn, message) && ReadMessage(conn, &message)) {
        ++mine;
        if (stop.load()) break;
      }
      total.fetch_add(mine);
    });
  }
  Sleep(window);
  stop = true;
  wg.Wait();
  const Times times = lap.Read();
  Require(listener->Close().ok(), "echo: the listener does not close");
  clients.clear();
  servers.Wait();
  const auto trips = static_cast<double>(total.load());
  Require(trips > 0, "echo: nothing came back");
  run.Report("echo", trips / (times.wall_ns / 1e9), "roundtrips/s");
  run.Report("echo/cpu", times.cpu_ns / trips, "cpu-ns/roundtrip");
}

// One stage makes keys, four workers hash them, count into a map under a mutex and pass them on to
// one that sums. Timed here without the detector; the same program under it is the other half.
void RaceSlowdown(Run& run) {
  const int64_t n = run.Scaled(400'000);
  const Chan<uint64_t> keys = MakeChan<uint64_t>(64);
  const Chan<uint64_t> sums = MakeChan<uint64_t>(64);
  Mutex mu;
  std::unordered_map<uint64_t, int> count;
  WaitGroup workers;
  const Lap lap;
  go([keys, n] {
    Random random(88172645463325252);
    for (int64_t i = 0; i < n; ++i) keys.Send(random.Next());
    keys.Close();
  });
  workers.Add(4);
  for (int w = 0; w < 4; ++w) {
    go([&] {
      std::array<uint64_t, 64> block;
      for (uint64_t k : keys) {
        for (size_t i = 0; i < block.size(); ++i) block[i] = k + i;
        uint64_t h = 14695981039346656037u;
        for (uint64_t b : block) h = (h ^ b) * 1099511628211u;
        mu.Lock();
        ++count[h % 4096];
        mu.Unlock();
        sums.Send(h);
      }
      workers.Done();
    });
  }
  go([&] {
    workers.Wait();
    sums.Close();
  });
  uint64_t total = 0;
  for (uint64_t s : sums) total += s;
  const Times times = lap.Read();
  Require(total != 0 && !count.empty(), "race_slowdown: nothing counted");
  run.ReportMillis("race_slowdown", times);
}

}  // namespace leash::bench
