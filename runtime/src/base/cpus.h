// How many processors this process may use.

#ifndef LEASH_BASE_CPUS_H_
#define LEASH_BASE_CPUS_H_

namespace leash::rt {

// The affinity mask's size; at least 1.
int AffinityCpus();

// The cgroup CPU quota (v2 cpu.max, v1 cfs_quota_us / cfs_period_us; the tightest up the
// hierarchy), rounded up and never below 2, as Go 1.25 has it; 0 where there is none.
int CgroupCpus();

// The same, reading under these roots instead of /proc/self and /sys/fs/cgroup. For tests.
int CgroupCpusAt(const char* proc_self, const char* sys_fs_cgroup);

}  // namespace leash::rt

#endif  // LEASH_BASE_CPUS_H_
