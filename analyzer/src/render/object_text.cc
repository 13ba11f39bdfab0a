// What a group waits for, in one line each.

#include "render/object_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "model/function_name.h"
#include "model/text.h"

namespace leash::internal {
namespace {

constexpr size_t kLinesMax = 4;
constexpr size_t kIdsMax = 3;

// "Chan<Key>", "sync.Mutex": the names that reports of waits use.
std::string KindText(const Snapshot& s, const WaitObject& o) {
  switch (o.kind) {
    case ObjectKind::kChan:
      return "Chan<" + std::string(o.element == 0 ? "?" : s.String(o.element)) + ">";
    case ObjectKind::kMutex:
      return "Mutex";
    case ObjectKind::kRWMutex:
      return "RWMutex";
    case ObjectKind::kWaitGroup:
      return "WaitGroup";
    case ObjectKind::kCond:
      return "Cond";
    case ObjectKind::kSemaphore:
      return "Semaphore";
    case ObjectKind::kOnce:
      return "Once";
    case ObjectKind::kFd:
      return "file descriptor" + (o.fd >= 0 ? " " + std::to_string(o.fd) : std::string());
    case ObjectKind::kTimer:
      return "Timer";
    case ObjectKind::kUnknown:
      break;
  }
  return "something";
}

std::string ChanState(const WaitObject& o) {
  std::string text = " (cap " + std::to_string(o.capacity);
  if (o.capacity > 0) text += ", len " + std::to_string(o.length);
  if (o.closed) text += ", closed";
  return text + ")";
}

// "its last receiver went at cache.cc:95" where the other side is gone, and in which goroutine.
struct Gone {
  std::string text;
  uint64_t by = 0;
};

Gone GoneOf(const Snapshot& s, const Wait& wait) {
  if (wait.object == 0 || wait.op == Wait::Op::kOther) return {};
  const WaitObject& o = s.objects[wait.object];
  if (!o.counted) return {};
  const bool send = wait.op == Wait::Op::kSend;
  const SiteId at = send ? o.last_recv_dropped_at : o.last_send_dropped_at;
  if ((send ? o.recv_handles : o.send_handles) > 0 || at == 0) return {};
  Gone gone;
  gone.text = send ? "its last receiver went" : "its last sender went";
  if (std::string place = PlaceText(s, at); !place.empty()) gone.text += " at " + place;
  gone.by = send ? o.last_recv_dropped_by : o.last_send_dropped_by;
  return gone;
}

std::string WaitText(const Snapshot& s, const Wait& wait) {
  if (wait.object == 0) {
    return wait.op == Wait::Op::kOther ? "" : "waits for a nil channel";
  }
  const WaitObject& o = s.objects[wait.object];
  std::string text = "waits for " + KindText(s, o);
  if (o.name != 0) {
    text += ' ';
    AppendGoQuoted(s.String(o.name), &text);
  }
  if (o.kind == ObjectKind::kChan) text += ChanState(o);
  if (o.kind == ObjectKind::kWaitGroup || o.kind == ObjectKind::kSemaphore) {
    text += " (" + std::to_string(o.counter) +
            (o.kind == ObjectKind::kSemaphore ? " free)" : " to be done)");
  }
  if (std::string place = PlaceText(s, o.made_at); !place.empty()) text += " made at " + place;
  if (o.holder != 0) {
    text += "; held by goroutine " + std::to_string(o.holder);
    if (!o.holder_alive) text += ", which has ended";
  } else if (o.readers > 0) {
    text += "; held by " + std::to_string(o.readers) + (o.readers == 1 ? " reader" : " readers");
  }
  return text;
}

}  // namespace

std::string PlaceText(const Snapshot& s, SiteId id) {
  const Site& site = s.sites[id];
  if (site.file == 0) return "";
  return std::string(BaseName(s.String(site.file))) + ":" + std::to_string(site.line);
}

std::string ListIds(const std::vector<uint64_t>& ids) {
  std::string text;
  for (size_t i = 0; i < ids.size() && i < kIdsMax; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(ids[i]);
  }
  if (ids.size() > kIdsMax) text += " and " + std::to_string(ids.size() - kIdsMax) + " more";
  return text;
}

std::vector<std::string> WaitLines(const Snapshot& s, const Group& group) {
  // Different objects of one kind, made at one place, read the same: they become one line, whoever
  // dropped their last handles.
  struct Line {
    size_t count = 0, first = 0;
    size_t objects = 0;
    std::set<uint64_t> gone_by;
  };
  using Key = std::pair<std::string, std::string>;  // of the object; of its other side
  std::map<Key, Line> lines;
  std::unordered_map<uint64_t, Line*> seen;
  for (uint32_t member : group.members) {
    for (const Wait& wait : s.goroutines[member].waits) {
      const uint64_t key = static_cast<uint64_t>(wait.object) << 2 | static_cast<uint64_t>(wait.op);
      auto [it, added] = seen.try_emplace(key, nullptr);
      if (added) {
        std::string text = WaitText(s, wait);
        if (text.empty()) continue;
        Gone gone = GoneOf(s, wait);
        auto [line, fresh] = lines.try_emplace({std::move(text), std::move(gone.text)});
        if (fresh) line->second.first = lines.size();
        ++line->second.objects;
        if (gone.by != 0) line->second.gone_by.insert(gone.by);
        it->second = &line->second;
      }
      if (it->second != nullptr) ++it->second->count;
    }
  }
  std::vector<const std::pair<const Key, Line>*> order;
  for (const auto& line : lines) order.push_back(&line);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    if (a->second.count != b->second.count) return a->second.count > b->second.count;
    return a->second.first < b->second.first;
  });
  std::vector<std::string> out;
  for (const auto* entry : order) {
    if (out.size() == kLinesMax) {
      out.push_back("and for " + std::to_string(order.size() - kLinesMax) + " more");
      break;
    }
    const auto& [key, line] = *entry;
    std::string text = key.first;
    if (line.objects > 1 && !text.ends_with("nil channel")) {
      text += " (" + std::to_string(line.objects) + " of them)";
    }
    if (!key.second.empty()) text += "; " + key.second;
    if (!line.gone_by.empty()) {
      text += line.gone_by.size() == 1 ? " in goroutine " : " in goroutines ";
      text += ListIds({line.gone_by.begin(), line.gone_by.end()});
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace leash::internal
