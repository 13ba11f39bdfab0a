#include "sched/labels.h"

#include <algorithm>
#include <set>

#include "base/lock.h"
#include "base/race.h"
#include "sched/g.h"
#include "sched/park.h"

namespace leash::rt {
namespace {

// Held by readers while they copy a set and by whoever drops the last reference. Readers that come
// from a dump are rare; the last reference to a set goes once for each ScopedLabels.
constinit Lock labels_lock{LockRank::kLeaf};

}  // namespace

LabelSet* RetainLabels(LabelSet* labels) {
  if (labels != nullptr) labels->references.fetch_add(1, std::memory_order_relaxed);
  return labels;
}

void ReleaseLabels(LabelSet* labels) {
  if (labels == nullptr) return;
  // Acquire and release: whoever frees the set comes after all who used it.
  if (labels->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  {
    LockHolder wait_for_readers(labels_lock);
  }
  // The counting that comes before is not seen by ThreadSanitizer.
  const race::Ignore ignore;
  delete labels;
}

LabelSet* WithLabels(const LabelSet* base,
                     std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  const race::Ignore ignore;
  auto* labels = new LabelSet;
  if (base != nullptr) labels->pairs = base->pairs;
  for (const auto& [key, value] : pairs) {
    auto it = std::lower_bound(
        labels->pairs.begin(), labels->pairs.end(), key,
        [](const auto& pair, std::string_view k) { return std::string_view(pair.first) < k; });
    if (it != labels->pairs.end() && it->first == key) {
      it->second = std::string(value);
    } else {
      labels->pairs.emplace(it, std::string(key), std::string(value));
    }
  }
  return labels;
}

LabelSet* CurrentLabels() { return CurrentG()->labels; }

void SetCurrentLabels(LabelSet* labels) {
  G* g = CurrentG();
  LabelSet* old;
  {
    LockHolder hold(labels_lock);
    old = g->labels;
    g->labels = labels;
  }
  ReleaseLabels(old);
}

std::vector<std::pair<std::string, std::string>> CopyLabels(LabelSet* const* field) {
  // The set cannot be freed while the lock is held, unless the count reached zero before: then the
  // field has changed, or its goroutine has ended, which clears the field first.
  LabelSet* labels = nullptr;
  {
    LockHolder hold(labels_lock);
    labels = *const_cast<LabelSet* const volatile*>(field);
    if (labels == nullptr) return {};
    uint32_t n = labels->references.load(std::memory_order_relaxed);
    do {
      if (n == 0) return {};
    } while (!labels->references.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel));
  }
  auto pairs = labels->pairs;
  ReleaseLabels(labels);
  return pairs;
}

const char* InternText(std::string_view text) {
  // Allocated once and never destroyed: usable before main and after exit began.
  static Lock lock{LockRank::kUnranked};
  static auto* texts = new std::set<std::string, std::less<>>;
  LockHolder hold(lock);
  auto it = texts->find(text);
  if (it == texts->end()) it = texts->emplace(text).first;
  return it->c_str();
}

constinit std::atomic<const char*> running_test{nullptr};

void SetCurrentTest(const char* test) { CurrentG()->test = test; }
const char* CurrentTest() { return CurrentG()->test; }

}  // namespace leash::rt
