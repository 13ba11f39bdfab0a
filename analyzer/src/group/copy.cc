// A Snapshot of some goroutines of another one, with what they refer to and nothing else.

#include <algorithm>
#include <unordered_map>

#include "leash/analyzer/group.h"

namespace leash {
namespace {

class Copier {
 public:
  Copier(const Snapshot& from, Snapshot* to) : from_(from), to_(*to) {}

  void Copy(const Goroutine& g) {
    Goroutine copy = g;
    for (StringId* id :
         {&copy.reason, &copy.tier_reason, &copy.test, &copy.background, &copy.annotations}) {
      *id = Text(*id);
    }
    LabelSet labels;
    for (const auto& [key, value] : from_.label_sets[g.labels]) {
      labels.emplace_back(Text(key), Text(value));
    }
    std::sort(labels.begin(), labels.end(), [&](const auto& a, const auto& b) {
      return to_.String(a.first) < to_.String(b.first);
    });
    copy.labels = to_.AddLabelSet(std::move(labels));
    copy.created_at = CopySite(g.created_at);
    copy.stack = CopyStack(g.stack);
    copy.spawn_stack = CopyStack(g.spawn_stack);
    for (Wait& wait : copy.waits) wait.object = CopyObject(wait.object);
    for (ObjectId& id : copy.mentions) id = CopyObject(id);
    std::sort(copy.mentions.begin(), copy.mentions.end());
    to_.goroutines.push_back(std::move(copy));
  }

 private:
  StringId Text(StringId id) { return id == 0 ? 0 : to_.AddString(from_.String(id)); }

  SiteId CopySite(SiteId id) {
    auto [it, added] = sites_.try_emplace(id, 0);
    if (added && id != 0) {
      Site site = from_.sites[id];
      site.function = Text(site.function);
      site.file = Text(site.file);
      it->second = to_.AddSite(site);
    }
    return it->second;
  }

  StackId CopyStack(StackId id) {
    auto [it, added] = stacks_.try_emplace(id, 0);
    if (added && id != 0) {
      Stack stack = from_.stacks[id];
      for (LocationId& location : stack.locations) location = CopyLocation(location);
      it->second = to_.AddStack(std::move(stack));
    }
    return it->second;
  }

  LocationId CopyLocation(LocationId id) {
    auto [it, added] = locations_.try_emplace(id, 0);
    if (added && id != 0) {
      Location location = from_.locations[id];
      for (Frame& frame : location.frames) {
        frame.function = Text(frame.function);
        frame.system_name = Text(frame.system_name);
        frame.file = Text(frame.file);
      }
      it->second = to_.AddLocation(std::move(location));
    }
    return it->second;
  }

  ObjectId CopyObject(ObjectId id) {
    auto [it, added] = objects_.try_emplace(id, 0);
    if (added && id != 0) {
      WaitObject o = from_.objects[id];
      o.name = Text(o.name);
      o.element = Text(o.element);
      for (SiteId* site : {&o.made_at, &o.last_send_dropped_at, &o.last_recv_dropped_at}) {
        *site = CopySite(*site);
      }
      it->second = to_.AddObject(o);
    }
    return it->second;
  }

  const Snapshot& from_;
  Snapshot& to_;
  std::unordered_map<uint32_t, uint32_t> sites_, stacks_, locations_, objects_;
};

}  // namespace

Snapshot CopyGoroutines(const Snapshot& snapshot, const std::vector<uint32_t>& indices) {
  Snapshot copy;
  copy.pid = snapshot.pid;
  copy.program = snapshot.program;
  copy.captured_unix_ns = snapshot.captured_unix_ns;
  copy.capture_ns = snapshot.capture_ns;
  copy.origin = snapshot.origin;
  copy.notes = snapshot.notes;
  copy.modules = snapshot.modules;
  Copier copier(snapshot, &copy);
  for (uint32_t index : indices) copier.Copy(snapshot.goroutines[index]);
  return copy;
}

}  // namespace leash
