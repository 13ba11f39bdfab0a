#include "base/cpus.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace leash::rt {
namespace {

// A tree like those of /proc/self and /sys/fs/cgroup.
class CgroupTree {
 public:
  CgroupTree() {
    char path[] = "/tmp/leash_cgroup_XXXXXX";
    root_ = mkdtemp(path);
    std::filesystem::create_directories(root_ / "proc");
  }
  ~CgroupTree() { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  int Cpus() { return CgroupCpusAt((root_ / "proc").c_str(), (root_ / "sys").c_str()); }

 private:
  std::filesystem::path root_;
};

TEST(CgroupCpusTest, NoCgroupIsNoQuota) { EXPECT_EQ(CgroupTree().Cpus(), 0); }

TEST(CgroupCpusTest, ReadsVersion2) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "0::/app/web\n");
  tree.Write("sys/app/web/cpu.max", "400000 100000\n");
  EXPECT_EQ(tree.Cpus(), 4);
}

TEST(CgroupCpusTest, MaxIsNoQuota) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "0::/app\n");
  tree.Write("sys/app/cpu.max", "max 100000\n");
  EXPECT_EQ(tree.Cpus(), 0);
}

TEST(CgroupCpusTest, RoundsUpAndIsNeverBelowTwo) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "0::/app\n");
  tree.Write("sys/app/cpu.max", "250000 100000\n");
  EXPECT_EQ(tree.Cpus(), 3);
  tree.Write("sys/app/cpu.max", "10000 100000\n");
  EXPECT_EQ(tree.Cpus(), 2);
}

TEST(CgroupCpusTest, TheTightestAncestorCounts) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "0::/slice/app/web\n");
  tree.Write("sys/slice/cpu.max", "300000 100000\n");
  tree.Write("sys/slice/app/cpu.max", "max 100000\n");
  tree.Write("sys/slice/app/web/cpu.max", "800000 100000\n");
  EXPECT_EQ(tree.Cpus(), 3);
}

TEST(CgroupCpusTest, InAContainerTheMountsRootCounts) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "0::/docker/4f2a\n");
  tree.Write("sys/cpu.max", "500000 100000\n");
  EXPECT_EQ(tree.Cpus(), 5);
}

TEST(CgroupCpusTest, ReadsVersion1) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "5:memory:/app\n4:cpu,cpuacct:/app\n");
  tree.Write("sys/cpu/app/cpu.cfs_quota_us", "600000\n");
  tree.Write("sys/cpu/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(tree.Cpus(), 6);
  tree.Write("sys/cpu/app/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(tree.Cpus(), 0);
}

TEST(CgroupCpusTest, RubbishIsNoQuota) {
  CgroupTree tree;
  tree.Write("proc/cgroup", "0::/app\nno colons\n:\n::\n");
  tree.Write("sys/app/cpu.max", "many few\n");
  EXPECT_EQ(tree.Cpus(), 0);
}

TEST(AffinityCpusTest, IsAtLeastOne) { EXPECT_GE(AffinityCpus(), 1); }

}  // namespace
}  // namespace leash::rt
