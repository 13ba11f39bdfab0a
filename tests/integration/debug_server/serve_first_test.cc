// A program whose first use of leash is the debug server, in a binary of its own.

#include <gtest/gtest.h>
#include <httplib.h>
#include <leash/debug.h>
#include <leash/leash.h>
#include <signal.h>

namespace leash::debug {
namespace {

// The server's threads have all signals blocked, and the first request may come before the first
// goroutine: these must not have them blocked too.
TEST(ServeFirstTest, GoroutinesHaveTheSignalsOfTheProgram) {
  absl::StatusOr<Server> server = Serve("127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  httplib::Client client("http://" + server->Address());
  client.set_read_timeout(60);
  const httplib::Result result = client.Get("/debug/pprof/goroutine?debug=2");
  ASSERT_TRUE(result) << httplib::to_string(result.error());
  EXPECT_EQ(result->status, 200);
  sigset_t mask;
  sigfillset(&mask);
  WaitGroup wg;
  wg.Go([&mask] { pthread_sigmask(SIG_BLOCK, nullptr, &mask); });
  wg.Wait();
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGALRM}) {
    EXPECT_EQ(sigismember(&mask, signal), 0) << signal;
  }
}

}  // namespace
}  // namespace leash::debug
