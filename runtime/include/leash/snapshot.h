// Snapshot: everything known about a program's goroutines at one moment.
//
// The one model of leash. A test's verdict, a grouped dump, a proof of a leak and a profile are
// pure functions of a Snapshot; it is made by leash::debug::Capture(), by the readers of dump
// files, or by hand in a test.
//
// Values only, no pointers into the program that it describes: a Snapshot may be copied, kept and
// read on any thread, after the program has ended too. Equal texts, stacks, sites and label sets
// are stored once and referred to by index, so that a million goroutines fit in memory. Index 0 of
// each table is the empty one ("", no frames, no place), so a zeroed field means "nothing".
//
// Thread-compatible: const access from many threads, changes from one.

#ifndef LEASH_SNAPSHOT_H_
#define LEASH_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace leash {

using StringId = uint32_t;    // an index into a Snapshot's strings
using LocationId = uint32_t;  // an index into Snapshot::locations
using StackId = uint32_t;     // an index into Snapshot::stacks
using SiteId = uint32_t;      // an index into Snapshot::sites
using LabelSetId = uint32_t;  // an index into Snapshot::label_sets
using ObjectId = uint32_t;    // an index into Snapshot::objects

// What a goroutine is doing. The texts are Go's words.
enum class GoroutineState : uint8_t {
  kRunnable,  // "runnable"
  kRunning,   // "running"
  kSyscall,   // "syscall"
  kWaiting,   // shown by its wait reason
  kOther,     // a word that leash does not know, read from a file: in Goroutine::reason
};

// Whether an entry is a goroutine, or an OS thread that has used leash.
enum class GoroutineKind : uint8_t { kGoroutine, kThread };

// One function at a location. Several of them where calls were inlined, innermost first.
struct Frame {
  StringId function = 0;     // for people: "Cache::Evict(Key)"
  StringId system_name = 0;  // the mangled symbol, or the function again if it has none
  StringId file = 0;
  int32_t line = 0;        // 0: not known
  int32_t start_line = 0;  // of the function; 0: not known
  bool inlined = false;    // its caller is the next frame of the same location
  bool runtime = false;    // of leash itself or of the language's runtime: hidden unless all are
};

// One program counter and what it means.
struct Location {
  uint64_t pc = 0;  // a return address, or where a goroutine stopped; 0: not known (read from text)
  uint64_t offset = 0;  // from the start of the outermost function, of the pc as given
  bool exact =
      false;  // the pc itself is the place; else it is a return address: the place is pc - 1
  int32_t module = -1;  // an index into Snapshot::modules, or -1
  std::vector<Frame> frames;
};

// One loaded program or library.
struct Module {
  uint64_t start = 0, limit = 0, file_offset = 0;  // the address range of its code
  std::string path;
  std::string build_id;  // in lower-case hexadecimal digits
};

// A call stack, innermost first.
struct Stack {
  std::vector<LocationId> locations;
  int32_t elided = 0;        // frames left out by the writer of a file, or kElidedUnknown
  int32_t elided_after = 0;  // ... after this many of the locations
};
// Some frames were left out, the file does not say how many (Go before 1.21).
inline constexpr int32_t kElidedUnknown = INT32_MAX;

// A place in the source: where a goroutine was started, a channel made, a handle dropped.
struct Site {
  StringId function = 0;
  StringId file = 0;
  int32_t line = 0;
  uint64_t pc = 0;  // 0: not known
  bool operator==(const Site&) const = default;
};

// Labels of a goroutine, sorted by key. The label "name" is its name.
using LabelSet = std::vector<std::pair<StringId, StringId>>;

enum class ObjectKind : uint8_t {
  kUnknown,
  kChan,
  kMutex,
  kRWMutex,
  kWaitGroup,
  kCond,
  kSemaphore,
  kOnce,
  kFd,
  kTimer,
};

// What one or more goroutines wait for.
struct WaitObject {
  ObjectKind kind = ObjectKind::kUnknown;
  uint64_t address = 0;
  StringId name = 0;
  SiteId made_at = 0;
  uint64_t made_by = 0;  // the id of a goroutine; 0: not known

  // Channels. The handles counted are those that somebody outside the runtime holds.
  StringId element = 0;  // the element's type, as a person would write it
  uint64_t capacity = 0, length = 0;
  bool closed = false;
  bool counted = false;  // the four counts below are known
  // Handles that can send (and close), and handles that can receive, all told; and how many of them
  // live outside of goroutines: in the heap, in globals, on threads' stacks.
  uint64_t send_handles = 0, recv_handles = 0;
  uint64_t send_handles_elsewhere = 0, recv_handles_elsewhere = 0;
  // A goroutine that may hold a handle has its memory pointed to from outside of goroutines:
  // whoever has such a pointer may use the handle. Or nobody could look whether it is so.
  bool by_reference = false;
  SiteId last_send_dropped_at = 0, last_recv_dropped_at = 0;    // when the count became zero
  uint64_t last_send_dropped_by = 0, last_recv_dropped_by = 0;  // goroutine ids
  bool timer = false;  // the runtime itself sends on it, when a Timer, Ticker or After is due

  // Locks: who holds it. WaitGroups: the counter. Semaphores: what is free.
  uint64_t holder = 0;  // the id of a goroutine; 0: nobody or not known
  bool holder_alive = false;
  int64_t counter = 0;
  int64_t readers = 0;

  // File descriptors.
  int32_t fd = -1;
};

// One of the things that a goroutine waits for; a select has several.
struct Wait {
  enum class Op : uint8_t { kOther, kSend, kRecv };
  ObjectId object = 0;  // 0 with kSend or kRecv: the nil channel, on which no case is ever ready
  Op op = Op::kOther;
};

// How much is known about a goroutine's end: see design "Leaks: two tiers".
enum class LeakTier : uint8_t { kNone, kProved, kStillThere, kRunaway };

struct Goroutine {
  uint64_t id = 0;
  uint64_t parent_id = 0;  // 0: not known
  GoroutineKind kind = GoroutineKind::kGoroutine;
  GoroutineState state = GoroutineState::kRunnable;
  StringId reason = 0;  // the wait reason in Go's words, e.g. "chan receive (nil chan)"
  // Time in this wait, or runnable or running without a break. Negative: not known.
  int64_t wait_ns = -1;
  bool locked_to_thread = false;
  bool runtime_internal = false;  // of leash itself or of Go's runtime
  bool current = false;           // the one that made the snapshot
  LeakTier tier = LeakTier::kNone;
  StringId tier_reason = 0;  // of kProved: "no receiver is alive"
  LabelSetId labels = 0;
  StringId test = 0;        // the test that began its ancestry
  StringId background = 0;  // the reason given to GoBackground
  SiteId created_at = 0;
  StackId stack = 0;
  StackId spawn_stack = 0;  // of its spawner when it was spawned, as far as recorded
  std::vector<Wait> waits;
  // Objects waited for by anyone to which a word on this goroutine's stack or in its closure
  // points, or one of another goroutine to whose stack or closure a word of this one's points;
  // sorted. Conservative: stale words count.
  std::vector<ObjectId> mentions;
  // Its stack could not be looked through (it was running): it may hold a handle of anything.
  bool mentions_unknown = false;
  uint64_t stack_bytes = 0;  // in use when it was captured
  // Read from Go's text: what stands between the brackets after the reason and the minutes,
  // verbatim.
  StringId annotations = 0;
};

// The texts, stacks and places of a Snapshot, each stored once.
class Snapshot {
 public:
  Snapshot();

  // The program that it is about. `captured_unix_ns` is 0 where a file does not say.
  int64_t pid = 0;
  std::string program;
  int64_t captured_unix_ns = 0;
  int64_t capture_ns = 0;  // how long it took
  // Which program wrote it: "leash", "go", or "" where that cannot be told.
  std::string origin;
  // What a reader must know before trusting it: "cut after goroutine 92252", one sentence each.
  std::vector<std::string> notes;

  std::vector<Module> modules;
  std::vector<Location> locations;
  std::vector<Stack> stacks;
  std::vector<Site> sites;
  std::vector<LabelSet> label_sets;
  std::vector<WaitObject> objects;
  std::vector<Goroutine> goroutines;

  // The text with this id. The view lives as long as the Snapshot and moves with it.
  std::string_view String(StringId id) const { return *strings_[id]; }
  size_t string_count() const { return strings_.size(); }

  // Returns the id of the equal entry, added if it is not there yet.
  StringId AddString(std::string_view text);
  StackId AddStack(Stack stack);
  SiteId AddSite(const Site& site);
  LabelSetId AddLabelSet(LabelSet labels);
  // Always adds.
  LocationId AddLocation(Location location);
  ObjectId AddObject(WaitObject object);

  // The reason in brackets: the wait reason while waiting, else the state's word.
  std::string_view StatusWord(const Goroutine& g) const;

  Snapshot(const Snapshot& other);
  Snapshot& operator=(const Snapshot& other);
  Snapshot(Snapshot&&) noexcept = default;
  Snapshot& operator=(Snapshot&&) noexcept = default;

 private:
  struct StringHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  // The map owns the texts (its nodes do not move); the vector finds them by id.
  std::unordered_map<std::string, StringId, StringHash, std::equal_to<>> string_ids_;
  std::vector<const std::string*> strings_;
  std::unordered_multimap<uint64_t, uint32_t> stack_ids_, site_ids_, label_ids_;  // by hash
};

}  // namespace leash

#endif  // LEASH_SNAPSHOT_H_
