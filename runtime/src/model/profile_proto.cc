// The goroutine profile as profile.proto.
//
// Functions, locations and mappings are written as they are first met; samples and the table of
// strings at the end, when they are complete (readers of the format take its fields in any order).
//
// What `go tool pprof` needs to show C++ names untouched and to print no warning: `name` as people
// shall read it beside a `system_name` that differs (an equal pair goes through its demangler,
// which cuts template arguments), the four has_* flags of every mapping, and a first mapping with a
// file.

#include "model/profile_proto.h"

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include "model/function_name.h"
#include "model/stack_view.h"
#include "model/text.h"

namespace leash::internal {
namespace {

using protozero::pbf_writer;

// Field numbers of profile.proto.
enum Profile : uint32_t {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kTimeNanos = 9,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14,
};

std::string_view WaitBucket(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  if (ns < kSecond) return "<1s";
  if (ns < 60 * kSecond) return "<1m";
  if (ns < 600 * kSecond) return "<10m";
  return ">=10m";
}

}  // namespace

ProfileProtoWriter::ProfileProtoWriter(Sink* sink, std::string_view profile)
    : gzip_(sink), buffer_(&gzip_), profile_(profile) {
  StringId("");
}

uint64_t ProfileProtoWriter::StringId(std::string_view text) {
  auto [it, added] = string_ids_.try_emplace(std::string(text), strings_.size());
  if (added) strings_.push_back(&it->first);
  return it->second;
}

void ProfileProtoWriter::Emit(std::string_view message) {
  buffer_.text().append(message);
  buffer_.Drain();
}

// Returns the id of the message `body` (without an id), which is written if it is new. The id is
// field 1 of each of these messages, and protobuf lets it come first.
template <class Map>
static uint64_t Intern(Map& ids, std::string body, uint32_t field, std::string* out) {
  const auto [it, added] = ids.try_emplace(std::move(body), ids.size() + 1);
  if (added) {
    std::string message;
    pbf_writer(message).add_uint64(1, it->second);
    message += it->first;
    pbf_writer(*out).add_message(field, message);
  }
  return it->second;
}

uint64_t ProfileProtoWriter::MappingId(const Snapshot& s, const Location& location) {
  Module module;
  if (location.module >= 0 && static_cast<size_t>(location.module) < s.modules.size()) {
    module = s.modules[static_cast<size_t>(location.module)];
  } else {
    // A program that is known by name at most: what was read from text.
    if (!s.modules.empty()) return 0;
    module.path = s.program.empty() ? "program" : s.program;
  }
  std::string body;
  pbf_writer pbf(body);
  pbf.add_uint64(2, module.start);
  pbf.add_uint64(3, module.limit);
  pbf.add_uint64(4, module.file_offset);
  pbf.add_int64(5, static_cast<int64_t>(StringId(module.path)));
  pbf.add_int64(6, static_cast<int64_t>(StringId(module.build_id)));
  for (uint32_t has = 7; has <= 10; ++has) pbf.add_bool(has, true);
  std::string out;
  const uint64_t id = Intern(mapping_ids_, std::move(body), kMapping, &out);
  Emit(out);
  return id;
}

uint64_t ProfileProtoWriter::FunctionId(const Snapshot& s, const Frame& frame) {
  std::string body;
  pbf_writer pbf(body);
  pbf.add_int64(2, static_cast<int64_t>(StringId(s.String(frame.function))));
  pbf.add_int64(3, static_cast<int64_t>(StringId(s.String(frame.system_name))));
  pbf.add_int64(4, static_cast<int64_t>(StringId(s.String(frame.file))));
  if (frame.start_line > 0) pbf.add_int64(5, frame.start_line);
  std::string out;
  const uint64_t id = Intern(function_ids_, std::move(body), kFunction, &out);
  Emit(out);
  return id;
}

uint64_t ProfileProtoWriter::LocationId(const Snapshot& s, const Location& location,
                                        bool show_runtime) {
  std::string body;
  pbf_writer pbf(body);
  pbf.add_uint64(2, MappingId(s, location));
  // Readers take a return address and look at the byte before it.
  const uint64_t back = location.exact || location.pc == 0 ? 0 : 1;
  pbf.add_uint64(3, location.pc - back);
  bool shown = location.frames.empty();
  for (const Frame& frame : location.frames) {
    if (frame.runtime && !show_runtime) continue;
    shown = true;
    std::string line;
    pbf_writer(line).add_uint64(1, FunctionId(s, frame));
    if (frame.line > 0) pbf_writer(line).add_int64(2, frame.line);
    pbf.add_message(4, line);
  }
  if (!shown) return 0;
  std::string out;
  const uint64_t id = Intern(location_ids_, std::move(body), kLocation, &out);
  Emit(out);
  return id;
}

std::vector<uint64_t> ProfileProtoWriter::StackIds(const Snapshot& s, const Stack& stack) {
  const bool show_runtime = OnlyRuntimeFrames(s, stack);
  std::vector<uint64_t> ids;
  for (leash::LocationId id : stack.locations) {
    if (uint64_t location = LocationId(s, s.locations[id], show_runtime); location != 0) {
      ids.push_back(location);
    }
  }
  return ids;
}

// What the goroutines of one Snapshot have in common, turned into the profile's ids once.
class ProfileProtoWriter::Chunk {
 public:
  Chunk(ProfileProtoWriter* writer, const Snapshot& s) : writer_(*writer), s_(s) {
    state_key_ = writer_.StringId("state");
    created_key_ = writer_.StringId("created_by");
    test_key_ = writer_.StringId("test");
    wait_key_ = writer_.StringId("wait");
  }

  const std::vector<uint64_t>& StackIds(leash::StackId id) {
    auto [it, added] = stacks_.try_emplace(id);
    if (added) it->second = writer_.StackIds(s_, s_.stacks[id]);
    return it->second;
  }

  Labels LabelsOf(const Goroutine& g) {
    Labels labels;
    auto add = [&](uint64_t key, uint64_t value) {
      if (value != 0) labels.emplace_back(key, value);
    };
    add(state_key_, Text(s_.StatusWord(g)));
    add(created_key_, CreatedBy(g.created_at));
    add(test_key_, Text(s_.String(g.test)));
    if (g.wait_ns >= 0) add(wait_key_, Text(WaitBucket(g.wait_ns)));
    for (const auto& [key, value] : s_.label_sets[g.labels]) {
      labels.emplace_back(Text(s_.String(key)), Text(s_.String(value)));
    }
    return labels;
  }

 private:
  uint64_t Text(std::string_view text) { return text.empty() ? 0 : writer_.StringId(text); }

  uint64_t CreatedBy(SiteId id) {
    auto [it, added] = sites_.try_emplace(id, 0);
    if (added && id != 0) {
      const Site& site = s_.sites[id];
      std::string text(FunctionWithoutParameters(s_.String(site.function)));
      if (site.file != 0) {
        text += text.empty() ? "" : " ";
        text += BaseName(s_.String(site.file));
        text += ':';
        AppendInt(site.line, &text);
      }
      it->second = Text(text);
    }
    return it->second;
  }

  ProfileProtoWriter& writer_;
  const Snapshot& s_;
  uint64_t state_key_, created_key_, test_key_, wait_key_;
  std::unordered_map<leash::StackId, std::vector<uint64_t>> stacks_;
  std::unordered_map<SiteId, uint64_t> sites_;
};

void ProfileProtoWriter::Write(const Snapshot& snapshot) {
  if (time_ns_ == 0) time_ns_ = snapshot.captured_unix_ns;
  Chunk chunk(this, snapshot);
  // Runs of equal goroutines are the rule: the tree is searched once for each.
  struct Run {
    leash::StackId stack;
    Labels labels;
    int64_t* count;
  };
  std::unordered_map<uint64_t, std::vector<Run>> runs;
  for (const Goroutine& g : snapshot.goroutines) {
    Labels labels = chunk.LabelsOf(g);
    std::vector<Run>& candidates = runs[g.stack];
    auto it = std::find_if(candidates.begin(), candidates.end(),
                           [&](const Run& run) { return run.labels == labels; });
    if (it == candidates.end()) {
      int64_t& count = samples_[{chunk.StackIds(g.stack), labels}];
      it = candidates.insert(it, Run{g.stack, std::move(labels), &count});
    }
    ++*it->count;
  }
}

void ProfileProtoWriter::Finish() {
  std::string out;
  pbf_writer pbf(out);
  auto value_type = [&](Profile field) {
    std::string type;
    pbf_writer(type).add_int64(1, static_cast<int64_t>(StringId(profile_)));
    pbf_writer(type).add_int64(2, static_cast<int64_t>(StringId("count")));
    pbf.add_message(field, type);
  };
  value_type(kSampleType);
  value_type(kPeriodType);
  pbf.add_int64(kPeriod, 1);
  pbf.add_int64(kDefaultSampleType, static_cast<int64_t>(StringId(profile_)));
  // Tells leash's reader whose labels these are; pprof does not show a comment that begins with
  // '#'.
  pbf.add_int64(kComment, static_cast<int64_t>(StringId("#leash")));
  if (time_ns_ != 0) pbf.add_int64(kTimeNanos, time_ns_);
  Emit(out);

  using Sample = decltype(samples_)::value_type;
  std::vector<const Sample*> order;
  for (const Sample& sample : samples_) order.push_back(&sample);
  std::sort(order.begin(), order.end(), [](const Sample* a, const Sample* b) {
    return a->second != b->second ? a->second > b->second : a->first < b->first;
  });
  for (const Sample* sample : order) {
    const auto& [stack, labels] = sample->first;
    std::string message;
    pbf_writer sample_pbf(message);
    sample_pbf.add_packed_uint64(1, stack.begin(), stack.end());
    sample_pbf.add_packed_int64(2, &sample->second, &sample->second + 1);
    for (const auto& [key, value] : labels) {
      std::string label;
      pbf_writer(label).add_int64(1, static_cast<int64_t>(key));
      pbf_writer(label).add_int64(2, static_cast<int64_t>(value));
      sample_pbf.add_message(3, label);
    }
    out.clear();
    pbf.add_message(kSample, message);
    Emit(out);
  }
  for (const std::string* text : strings_) {
    out.clear();
    pbf.add_string(kStringTable, *text);
    Emit(out);
  }
  buffer_.Flush();
  gzip_.Finish();
}

}  // namespace leash::internal
