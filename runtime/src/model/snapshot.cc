#include "leash/snapshot.h"

namespace leash {
namespace {

// Mixes as in boost::hash_combine, widened to 64 bits.
void Mix(uint64_t& h, uint64_t v) { h ^= v + 0x9e3779b97f4a7c15ULL + (h << 12) + (h >> 4); }

uint64_t Hash(const Stack& s) {
  uint64_t h = static_cast<uint64_t>(s.elided) << 32 | static_cast<uint32_t>(s.elided_after);
  for (LocationId l : s.locations) Mix(h, l);
  return h;
}
uint64_t Hash(const Site& s) {
  uint64_t h = s.function;
  Mix(h, s.file);
  Mix(h, static_cast<uint64_t>(s.line));
  Mix(h, s.pc);
  return h;
}
uint64_t Hash(const LabelSet& labels) {
  uint64_t h = labels.size();
  for (const auto& [key, value] : labels) {
    Mix(h, key);
    Mix(h, value);
  }
  return h;
}

bool Equal(const Stack& a, const Stack& b) {
  return a.locations == b.locations && a.elided == b.elided && a.elided_after == b.elided_after;
}
bool Equal(const Site& a, const Site& b) { return a == b; }
bool Equal(const LabelSet& a, const LabelSet& b) { return a == b; }

template <class T>
uint32_t Intern(std::vector<T>& table, std::unordered_multimap<uint64_t, uint32_t>& ids, T value) {
  const uint64_t h = Hash(value);
  for (auto [it, end] = ids.equal_range(h); it != end; ++it) {
    if (Equal(table[it->second], value)) return it->second;
  }
  table.push_back(std::move(value));
  const auto id = static_cast<uint32_t>(table.size() - 1);
  ids.emplace(h, id);
  return id;
}

}  // namespace

Snapshot::Snapshot() {
  AddString("");
  AddStack({});
  AddSite({});
  AddLabelSet({});
  locations.emplace_back();
  objects.emplace_back();
}

Snapshot::Snapshot(const Snapshot& other)
    : pid(other.pid),
      program(other.program),
      captured_unix_ns(other.captured_unix_ns),
      capture_ns(other.capture_ns),
      origin(other.origin),
      notes(other.notes),
      modules(other.modules),
      locations(other.locations),
      stacks(other.stacks),
      sites(other.sites),
      label_sets(other.label_sets),
      objects(other.objects),
      goroutines(other.goroutines),
      string_ids_(other.string_ids_),
      strings_(other.strings_.size()),
      stack_ids_(other.stack_ids_),
      site_ids_(other.site_ids_),
      label_ids_(other.label_ids_) {
  for (const auto& [text, id] : string_ids_) strings_[id] = &text;
}

Snapshot& Snapshot::operator=(const Snapshot& other) {
  if (this != &other) *this = Snapshot(other);
  return *this;
}

StringId Snapshot::AddString(std::string_view text) {
  if (auto it = string_ids_.find(text); it != string_ids_.end()) return it->second;
  const auto id = static_cast<StringId>(strings_.size());
  auto [it, added] = string_ids_.emplace(std::string(text), id);
  strings_.push_back(&it->first);
  return id;
}

StackId Snapshot::AddStack(Stack stack) { return Intern(stacks, stack_ids_, std::move(stack)); }
SiteId Snapshot::AddSite(const Site& site) { return Intern(sites, site_ids_, site); }
LabelSetId Snapshot::AddLabelSet(LabelSet labels) {
  return Intern(label_sets, label_ids_, std::move(labels));
}

LocationId Snapshot::AddLocation(Location location) {
  locations.push_back(std::move(location));
  return static_cast<LocationId>(locations.size() - 1);
}

ObjectId Snapshot::AddObject(WaitObject object) {
  objects.push_back(object);
  return static_cast<ObjectId>(objects.size() - 1);
}

std::string_view Snapshot::StatusWord(const Goroutine& g) const {
  switch (g.state) {
    case GoroutineState::kRunnable:
      return "runnable";
    case GoroutineState::kRunning:
      return "running";
    case GoroutineState::kSyscall:
      return "syscall";
    case GoroutineState::kWaiting:
    case GoroutineState::kOther:
      return String(g.reason);
  }
  return "???";
}

}  // namespace leash
