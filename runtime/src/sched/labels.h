// What a goroutine inherits from its spawner: its labels, and the test that began its ancestry.

#ifndef LEASH_SCHED_LABELS_H_
#define LEASH_SCHED_LABELS_H_

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leash::rt {

// Immutable once a goroutine has it; shared by counting.
struct LabelSet {
  std::atomic<uint32_t> references{1};
  std::vector<std::pair<std::string, std::string>> pairs;  // sorted by key
};

LabelSet* RetainLabels(LabelSet* labels);  // null gives null
void ReleaseLabels(LabelSet* labels);

// `base` (which may be null) with these pairs set, as a new set with one reference. Not a vector:
// it would leave pointers into the caller's stack in the heap (debug/outside_memory.h).
LabelSet* WithLabels(const LabelSet* base,
                     std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

// The caller's labels; SetCurrentLabels takes over the reference that it is given.
LabelSet* CurrentLabels();
void SetCurrentLabels(LabelSet* labels);

// For a reader on another thread: the labels of a goroutine that may end meanwhile. Copied under
// the lock that retiring a set takes.
std::vector<std::pair<std::string, std::string>> CopyLabels(LabelSet* const* field);

// The same text for the same content, for ever: reasons of GoBackground, names of tests.
const char* InternText(std::string_view text);

// The test that the caller and all it spawns belong to; null: none. From InternText.
void SetCurrentTest(const char* test);
const char* CurrentTest();

// The test that the process runs now: of whatever threads spawn that have none of their own. Null:
// none. From InternText.
extern std::atomic<const char*> running_test;

}  // namespace leash::rt

#endif  // LEASH_SCHED_LABELS_H_
