// Unix sockets: paths, abstract names, what is left behind.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "leash/net.h"
#include "leash/sync.h"
#include "runtime/net/net_test_support.h"

namespace leash {
namespace {

using testing::Connect;
using testing::ListenOrDie;
using testing::Pair;
using testing::ReadFull;

class UnixTest : public ::testing::Test {
 protected:
  UnixTest() {
    std::string directory = ::testing::TempDir() + "leash_unix_XXXXXX";
    EXPECT_NE(mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    path_ = directory + "/s";
  }
  ~UnixTest() override {
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  static bool Exists(const std::string& path) {
    struct stat info;
    return lstat(path.c_str(), &info) == 0;
  }

  std::string directory_, path_;
};

TEST_F(UnixTest, CarriesBytesBothWays) {
  const Pair pair = Connect("unix", path_);
  EXPECT_TRUE(pair.client.Write("there").ok());
  EXPECT_EQ(ReadFull(pair.server, 5), "there");
  EXPECT_TRUE(pair.server.Write("back").ok());
  EXPECT_EQ(ReadFull(pair.client, 4), "back");
  EXPECT_EQ(pair.client.RemoteAddr(), path_);
  EXPECT_EQ(pair.server.LocalAddr(), path_);
  EXPECT_EQ(pair.client.LocalAddr(), "@");
  EXPECT_EQ(pair.server.RemoteAddr(), "@");
}

TEST_F(UnixTest, ThePathGoesWithTheListener) {
  {
    const net::Listener listener = ListenOrDie("unix", path_);
    EXPECT_EQ(listener.Addr(), path_);
    EXPECT_TRUE(Exists(path_));
    EXPECT_TRUE(listener.Close().ok());
    EXPECT_FALSE(Exists(path_));
  }
  {
    const net::Listener listener = ListenOrDie("unix", path_);
  }
  EXPECT_FALSE(Exists(path_));
}

TEST_F(UnixTest, AConnectionLeavesThePathAlone) {
  const net::Listener listener = ListenOrDie("unix", path_);
  {
    WaitGroup wg;
    wg.Go([&] { EXPECT_TRUE(listener.Accept().ok()); });
    const net::Conn conn = testing::DialOrDie("unix", path_);
    wg.Wait();
  }
  EXPECT_TRUE(Exists(path_));
}

TEST_F(UnixTest, APathInUseSaysSoAndIsLeftAlone) {
  const net::Listener listener = ListenOrDie("unix", path_);
  EXPECT_EQ(net::Listen("unix", path_).status().ToString(),
            "ALREADY_EXISTS: listen unix " + path_ + ": bind: address already in use");
  EXPECT_TRUE(Exists(path_));
}

TEST_F(UnixTest, NobodyThereSaysSo) {
  EXPECT_EQ(net::Dial(Context::Background(), "unix", path_).status().ToString(),
            "NOT_FOUND: dial unix " + path_ + ": connect: no such file or directory");
}

TEST_F(UnixTest, ATooLongPathSaysSo) {
  const std::string path(200, 'p');
  EXPECT_EQ(net::Listen("unix", path).status().ToString(),
            "INVALID_ARGUMENT: listen unix " + path + ": bind: invalid argument");
  EXPECT_EQ(net::Dial(Context::Background(), "unix", path).status().ToString(),
            "INVALID_ARGUMENT: dial unix " + path + ": connect: invalid argument");
}

TEST_F(UnixTest, AbstractNamesHaveNoFile) {
  const std::string name = "@leash_unix_test_" + std::to_string(getpid());
  const Pair pair = Connect("unix", name);
  EXPECT_EQ(pair.client.RemoteAddr(), name);
  EXPECT_TRUE(pair.client.Write("x").ok());
  EXPECT_EQ(ReadFull(pair.server, 1), "x");
}

TEST_F(UnixTest, ErrorsNameBothEnds) {
  const Pair pair = Connect("unix", path_);
  pair.client.SetReadDeadline(absl::InfinitePast());
  char byte[1];
  EXPECT_EQ(pair.client.Read(byte).status().ToString(),
            "DEADLINE_EXCEEDED: read unix @->" + path_ + ": i/o timeout");
}

}  // namespace
}  // namespace leash
