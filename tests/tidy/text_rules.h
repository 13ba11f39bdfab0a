// Rules about the text of our files: guards, subject comments, no open ends, no machine's paths.

#ifndef LEASH_TESTS_TIDY_TEXT_RULES_H_
#define LEASH_TESTS_TIDY_TEXT_RULES_H_

#include <vector>

#include "tidy/tree.h"

namespace leash::tidy {

// The include guard of a header: LEASH_CHAN_H_ for runtime/include/leash/chan.h, LEASH_BASE_LOCK_H_
// for runtime/src/base/lock.h, LEASH_TESTS_SUPPORT_GOLDEN_H_ for tests/support/golden.h.
std::string GuardOf(std::string_view path);

// Headers whose guard is another one or missing.
Findings GuardFindings(const std::vector<SourceFile>& files);

// Sources that open neither with a comment that says what they are about nor with the header that
// does.
Findings SubjectFindings(const std::vector<SourceFile>& files);

// Words that mark unfinished work, and paths of one person's machine.
Findings OpenEndFindings(const std::vector<SourceFile>& files);
Findings MachinePathFindings(const std::vector<SourceFile>& files);

// What belongs to a thread, in runtime/src outside the few functions that may ask for it: errno and
// pthread_self(). The law is in runtime/src/sched/raw_syscall.h.
Findings OfOneThreadFindings(const std::vector<SourceFile>& files);

// Files of more than `lines_max` lines: is there a second subject in them?
Findings LongFileFindings(const std::vector<SourceFile>& files, size_t lines_max);

}  // namespace leash::tidy

#endif  // LEASH_TESTS_TIDY_TEXT_RULES_H_
