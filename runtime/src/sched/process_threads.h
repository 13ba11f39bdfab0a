// How many threads the process has, whoever made them.
//
// From /proc/self/stat, the kernel's own counter. To count the entries of /proc/self/task is wrong:
// the kernel lists them piece by piece, and when the thread that it has come to ends, it goes on at
// a position that the threads which ended before have moved: living ones are left out. (See
// proc_task_readdir in fs/proc/base.c; seen once in 3,600 lists while 60 threads ended.)

#ifndef LEASH_SCHED_PROCESS_THREADS_H_
#define LEASH_SCHED_PROCESS_THREADS_H_

namespace leash::rt {

// At one moment, those that are ending included. -1: it cannot be told.
int CountProcessThreads();

}  // namespace leash::rt

#endif  // LEASH_SCHED_PROCESS_THREADS_H_
