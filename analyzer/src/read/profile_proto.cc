// profile.proto of goroutines: Go's goroutine and goroutineleak profiles, and leash's.
//
// A sample stands for as many equal goroutines as its value says; states and places of creation are
// there only where leash wrote them, as labels.

#include <protozero/pbf_reader.hpp>
#include <unordered_map>

#include "read/scan.h"

namespace leash::internal {
namespace {

using protozero::pbf_wire_type;

// A message that throws where a field is not of the type that is asked for: protozero only asserts
// that it is, and reads something else where assertions are off.
class Message : public protozero::pbf_reader {
 public:
  using pbf_reader::pbf_reader;

  Message get_message() { return Message(get_view()); }
  protozero::data_view get_view() {
    Expect(pbf_wire_type::length_delimited);
    return pbf_reader::get_view();
  }
  int64_t get_int64() {
    Expect(pbf_wire_type::varint);
    return pbf_reader::get_int64();
  }
  uint64_t get_uint64() {
    Expect(pbf_wire_type::varint);
    return pbf_reader::get_uint64();
  }

 private:
  void Expect(pbf_wire_type type) const {
    if (!has_wire_type(type)) throw protozero::unknown_pbf_wire_type_exception();
  }
};

std::string_view View(protozero::data_view view) { return {view.data(), view.size()}; }

class ProfileProtoReader {
 public:
  ProfileProtoReader(std::string_view bytes, const ReadLimits& limits)
      : bytes_(bytes), limits_(limits), stacks_(&s_) {}

  absl::StatusOr<Snapshot> Read() {
    Message profile(bytes_.data(), bytes_.size());
    try {
      return ReadFields(&profile);
    } catch (const protozero::exception& e) {
      const size_t offset = bytes_.size() - profile.length();
      return WantHave(offset, "a field of profile.proto", bytes_.substr(offset));
    }
  }

 private:
  struct Function {
    StringId name = 0, system_name = 0, file = 0;
    int32_t start_line = 0;
  };

  absl::StatusOr<Snapshot> ReadFields(Message* profile) {
    // The order of fields is the writer's choice: what refers to others is read when all is there.
    std::vector<Message> sample_types, samples, locations, functions, mappings;
    std::vector<size_t> sample_ends;  // offsets
    std::vector<int64_t> comments;
    int64_t default_type = 0;
    while (profile->next()) {
      switch (profile->tag()) {
        case 1:
          sample_types.push_back(profile->get_message());
          break;
        case 2:
          samples.push_back(profile->get_message());
          sample_ends.push_back(bytes_.size() - profile->length());
          break;
        case 3:
          mappings.push_back(profile->get_message());
          break;
        case 4:
          locations.push_back(profile->get_message());
          break;
        case 5:
          functions.push_back(profile->get_message());
          break;
        case 6:
          strings_.push_back(View(profile->get_view()));
          break;
        case 9:
          s_.captured_unix_ns = profile->get_int64();
          break;
        case 13:
          if (profile->has_wire_type(pbf_wire_type::length_delimited)) {
            for (int64_t id : profile->get_packed_int64()) comments.push_back(id);
          } else {
            comments.push_back(profile->get_int64());
          }
          break;
        case 14:
          default_type = profile->get_int64();
          break;
        default:
          profile->skip();
      }
    }
    string_ids_.assign(strings_.size(), 0);
    for (size_t i = 0; i < strings_.size(); ++i) string_ids_[i] = s_.AddString(strings_[i]);
    for (int64_t comment : comments) leash_ = leash_ || String(comment) == kLeashComment;
    s_.origin = leash_ ? "leash" : "go";

    size_t value_index = 0;
    std::string_view type;
    for (size_t i = 0; i < sample_types.size(); ++i) {
      const int64_t id = FirstInt(sample_types[i], 1);
      if (i == 0 || id == default_type || default_type == 0) {
        type = String(id);
        value_index = i;
      }
    }
    if (type != "goroutine" && type != "goroutineleak") {
      return WantHave(0, "a profile of goroutines", type);
    }
    leaked_ = type == "goroutineleak";
    for (Message& message : mappings) ReadMapping(message);
    for (Message& message : functions) ReadFunction(message);
    for (Message& message : locations) ReadLocation(message);
    for (size_t i = 0; i < samples.size(); ++i) {
      absl::Status status = ReadSample(samples[i], value_index, sample_ends[i]);
      if (!status.ok()) return status;
    }
    if (!s_.modules.empty()) s_.program = s_.modules[0].path;
    return std::move(s_);
  }

  static int64_t FirstInt(Message message, uint32_t tag) {
    return message.next(tag) ? message.get_int64() : 0;
  }
  std::string_view String(int64_t id) const {
    return id > 0 && static_cast<size_t>(id) < strings_.size() ? strings_[static_cast<size_t>(id)]
                                                               : std::string_view();
  }
  StringId Text(int64_t id) const {
    return id > 0 && static_cast<size_t>(id) < strings_.size()
               ? string_ids_[static_cast<size_t>(id)]
               : 0;
  }

  void ReadMapping(Message& message) {
    uint64_t id = 0;
    Module module;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          id = message.get_uint64();
          break;
        case 2:
          module.start = message.get_uint64();
          break;
        case 3:
          module.limit = message.get_uint64();
          break;
        case 4:
          module.file_offset = message.get_uint64();
          break;
        case 5:
          module.path = String(message.get_int64());
          break;
        case 6:
          module.build_id = String(message.get_int64());
          break;
        default:
          message.skip();
      }
    }
    mappings_[id] = static_cast<int32_t>(s_.modules.size());
    s_.modules.push_back(std::move(module));
  }

  void ReadFunction(Message& message) {
    uint64_t id = 0;
    Function function;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          id = message.get_uint64();
          break;
        case 2:
          function.name = Text(message.get_int64());
          break;
        case 3:
          function.system_name = Text(message.get_int64());
          break;
        case 4:
          function.file = Text(message.get_int64());
          break;
        case 5:
          function.start_line = static_cast<int32_t>(message.get_int64());
          break;
        default:
          message.skip();
      }
    }
    functions_[id] = function;
  }

  void ReadLocation(Message& message) {
    uint64_t id = 0;
    Location location;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          id = message.get_uint64();
          break;
        case 2:
          if (auto it = mappings_.find(message.get_uint64()); it != mappings_.end()) {
            location.module = it->second;
          }
          break;
        case 3:
          location.pc = message.get_uint64();
          if (location.pc != 0) ++location.pc;  // back to the return address
          break;
        case 4:
          location.frames.push_back(ReadLine(message.get_message()));
          break;
        default:
          message.skip();
      }
    }
    for (size_t i = 0; i + 1 < location.frames.size(); ++i) location.frames[i].inlined = true;
    locations_[id] = s_.AddLocation(std::move(location));
  }

  Frame ReadLine(Message message) {
    Frame frame;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          if (auto it = functions_.find(message.get_uint64()); it != functions_.end()) {
            frame.function = it->second.name;
            frame.system_name = it->second.system_name;
            frame.file = it->second.file;
            frame.start_line = it->second.start_line;
            frame.runtime = IsRuntimeFunction(s_.String(frame.function));
          }
          break;
        case 2:
          frame.line = static_cast<int32_t>(message.get_int64());
          break;
        default:
          message.skip();
      }
    }
    return frame;
  }

  absl::Status ReadSample(Message& message, size_t value_index, size_t offset) {
    std::vector<LocationId> stack;
    std::vector<int64_t> values;
    std::vector<std::pair<std::string, std::string>> labels;
    Goroutine g;
    g.state = GoroutineState::kOther;
    auto location = [&](uint64_t id) {
      if (auto it = locations_.find(id); it != locations_.end()) stack.push_back(it->second);
    };
    while (message.next()) {
      const bool packed = message.has_wire_type(pbf_wire_type::length_delimited);
      switch (message.tag()) {
        case 1:
          if (packed) {
            for (uint64_t id : message.get_packed_uint64()) location(id);
          } else {
            location(message.get_uint64());
          }
          break;
        case 2:
          if (packed) {
            for (int64_t value : message.get_packed_int64()) values.push_back(value);
          } else {
            values.push_back(message.get_int64());
          }
          break;
        case 3:
          ReadLabel(message.get_message(), &g, &labels);
          break;
        default:
          message.skip();
      }
    }
    const int64_t count = value_index < values.size() ? values[value_index] : 0;
    if (count <= 0) return absl::OkStatus();
    const size_t room = limits_.goroutines - std::min(limits_.goroutines, s_.goroutines.size());
    if (static_cast<uint64_t>(count) > room) {
      return TooMuch(offset, "goroutines", limits_.goroutines);
    }
    g.labels = AddLabels(&s_, std::move(labels));
    g.stack = stacks_.Find(stack, 0, 0);
    if (leaked_) {
      g.tier = LeakTier::kProved;
      if (!leash_) g.tier_reason = s_.AddString(kGoLeakReason);
    }
    s_.goroutines.insert(s_.goroutines.end(), static_cast<size_t>(count), g);
    return absl::OkStatus();
  }

  void ReadLabel(Message message, Goroutine* g,
                 std::vector<std::pair<std::string, std::string>>* labels) {
    std::string_view key, text;
    std::string number;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          key = String(message.get_int64());
          break;
        case 2:
          text = String(message.get_int64());
          break;
        case 3:
          number = std::to_string(message.get_int64());
          text = number;
          break;
        default:
          message.skip();
      }
    }
    if (leash_ && key == "state") {
      SetStatusWord(&s_, text, g);
    } else if (leash_ && key == "test") {
      g->test = s_.AddString(text);
    } else if (leash_ && key == "created_by") {
      Site site;
      const size_t space = text.rfind(' ');
      std::string_view file, rest;
      if (ParsePlace(text.substr(space == text.npos ? 0 : space + 1), &file, &site.line, &rest)) {
        site.file = s_.AddString(file);
        text = text.substr(0, space == text.npos ? 0 : space);
      }
      site.function = s_.AddString(text);
      g->created_at = s_.AddSite(site);
    } else if (!leash_ || key != "wait") {  // a bucket is no time
      labels->emplace_back(key, text);
    }
  }

  static constexpr std::string_view kLeashComment = "#leash";

  const std::string_view bytes_;
  const ReadLimits limits_;
  Snapshot s_;
  StackTable stacks_;
  bool leash_ = false, leaked_ = false;
  std::vector<std::string_view> strings_;
  std::vector<StringId> string_ids_;
  std::unordered_map<uint64_t, int32_t> mappings_;
  std::unordered_map<uint64_t, Function> functions_;
  std::unordered_map<uint64_t, LocationId> locations_;
};

}  // namespace

absl::StatusOr<Snapshot> ReadProfileProto(std::string_view bytes, const ReadLimits& limits) {
  return ProfileProtoReader(bytes, limits).Read();
}

}  // namespace leash::internal
