// Compile units, read by libdw.

#include "debug/symbolize_dwarf.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "debug/symbolize_own_stack.h"

namespace leash::rt {
namespace {

// What a DIE says of a function; shared by all of its inlined calls.
struct Function {
  const char* linkage_name = nullptr;
  const char* name = nullptr;
  const char* file = nullptr;
  int line = 0;
};

// A function's code, or an inlined call.
struct Scope {
  uint64_t entry = UINT64_MAX;  // its lowest address
  int32_t parent = -1;          // the scope that it was inlined into; -1: not inlined
  uint32_t function = 0;
  uint32_t call_file = 0;  // in Unit::files
  int32_t call_line = 0;
};

// From this address on, to the next segment's: the innermost scope, or -1.
struct Segment {
  uint64_t address = 0;
  int32_t scope = -1;
};

struct Interval {
  uint64_t low = 0, high = 0;
  int32_t scope = 0;
};

struct Unit {
  Dwarf_Die skeleton;  // has ranges and lines
  Dwarf_Die die;       // has children: another one under -gsplit-dwarf
  bool loaded = false;
  Dwarf_Lines* lines = nullptr;
  size_t line_count = 0;
  std::vector<const char*> files;
  std::deque<std::string> names;  // made here, for functions without a mangled one
  std::vector<Function> functions;
  std::vector<Scope> scopes;
  std::vector<Segment> segments;
};

struct UnitRange {
  uint64_t low = 0, high = 0;
  uint32_t unit = 0;
};

// The addresses of a DIE. Functions that the linker has dropped lie at 0, or at the far end.
template <class Visit>
void ForEachRange(Dwarf_Die* die, const Visit& visit) {
  Dwarf_Addr base = 0, low = 0, high = 0;
  ptrdiff_t at = 0;
  while ((at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
    if (low != 0 && low < high && high < (uint64_t{1} << 62)) visit(low, high);
  }
}

const char* Text(Dwarf_Die* die, unsigned attribute) {
  Dwarf_Attribute found;
  return dwarf_formstring(dwarf_attr_integrate(die, attribute, &found));
}

int32_t Value(Dwarf_Die* die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(die, attribute, &found), &value) != 0) return 0;
  return static_cast<int32_t>(value);
}

// The DIE that this one refers to, e.g. what an inlined call is an instance of.
bool Follow(Dwarf_Die* die, unsigned attribute, Dwarf_Die* to) {
  Dwarf_Attribute found;
  return dwarf_attr(die, attribute, &found) != nullptr && dwarf_formref_die(&found, to) != nullptr;
}

std::string Demangle(const char* mangled) {
  if (mangled == nullptr) return {};
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &free);
  return status == 0 && text != nullptr ? std::string(text.get()) : std::string();
}

class UnitReader {
 public:
  explicit UnitReader(Unit* unit) : unit_(unit) {}

  void Read() {
    if (dwarf_getsrclines(&unit_->skeleton, &unit_->lines, &unit_->line_count) != 0) {
      unit_->lines = nullptr;
      unit_->line_count = 0;
    }
    Dwarf_Files* files = nullptr;
    size_t count = 0;
    if (dwarf_getsrcfiles(&unit_->die, &files, &count) == 0) {
      for (size_t i = 0; i < count; ++i) {
        unit_->files.push_back(dwarf_filesrc(files, i, nullptr, nullptr));
      }
    }
    Walk(&unit_->die, -1, -1, 0);
    for (size_t i = 0; i < instances_.size(); ++i) Complete(&instances_[i], &unit_->functions[i]);
    MakeSegments();
  }

 private:
  // A namespace, a class or a function, that others are declared in.
  struct Context {
    Dwarf_Off die;
    int32_t parent;
  };

  void Walk(Dwarf_Die* parent, int32_t scope, int32_t context, int depth) {
    Dwarf_Die die;
    if (depth > 500 || dwarf_child(parent, &die) != 0) return;
    do {
      switch (dwarf_tag(&die)) {
        case DW_TAG_subprogram:
          // Compilers need not give a name for the linker to what the linker never sees; gcc gives
          // no line to lambdas.
          if (context >= 0 &&
              (!dwarf_hasattr(&die, DW_AT_linkage_name) || !dwarf_hasattr(&die, DW_AT_decl_line)) &&
              !dwarf_hasattr(&die, DW_AT_abstract_origin) &&
              !dwarf_hasattr(&die, DW_AT_specification)) {
            context_of_.emplace(dwarf_dieoffset(&die), context);
          }
          // A function inside of another one's DIE is not inside of its code.
          Walk(&die, AddScope(&die, -1), AddContext(&die, context), depth + 1);
          break;
        case DW_TAG_inlined_subroutine: {
          const int32_t inlined = AddScope(&die, scope);
          Walk(&die, inlined >= 0 ? inlined : scope, context, depth + 1);
          break;
        }
        case DW_TAG_lexical_block:
        case DW_TAG_try_block:
        case DW_TAG_catch_block:
          Walk(&die, scope, context, depth + 1);
          break;
        case DW_TAG_namespace:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
          Walk(&die, scope, AddContext(&die, context), depth + 1);
          break;
        default:
          break;
      }
    } while (dwarf_siblingof(&die, &die) == 0);
  }

  int32_t AddContext(Dwarf_Die* die, int32_t parent) {
    if (!dwarf_haschildren(die)) return parent;
    contexts_.push_back({dwarf_dieoffset(die), parent});
    return static_cast<int32_t>(contexts_.size()) - 1;
  }

  // -1 if it has no code here.
  int32_t AddScope(Dwarf_Die* die, int32_t parent) {
    const auto index = static_cast<int32_t>(unit_->scopes.size());
    const size_t before = intervals_.size();
    Scope scope;
    ForEachRange(die, [&](uint64_t low, uint64_t high) {
      intervals_.push_back({low, high, index});
      scope.entry = std::min(scope.entry, low);
    });
    if (intervals_.size() == before) return -1;
    scope.parent = parent;
    scope.function = FunctionOf(die);
    if (parent >= 0) {
      scope.call_file = static_cast<uint32_t>(Value(die, DW_AT_call_file));
      scope.call_line = Value(die, DW_AT_call_line);
    }
    unit_->scopes.push_back(scope);
    return index;
  }

  uint32_t FunctionOf(Dwarf_Die* die) {
    Dwarf_Die origin = *die;
    Follow(die, DW_AT_abstract_origin, &origin);
    const auto [found, added] = functions_.try_emplace(
        dwarf_dieoffset(&origin), static_cast<uint32_t>(unit_->functions.size()));
    if (added) {
      unit_->functions.emplace_back();
      instances_.push_back(*die);
    }
    return found->second;
  }

  // Once all contexts are known.
  void Complete(Dwarf_Die* die, Function* function) {
    function->linkage_name = Text(die, DW_AT_linkage_name);
    if (function->linkage_name == nullptr) {
      function->linkage_name = Text(die, DW_AT_MIPS_linkage_name);
    }
    function->name = Text(die, DW_AT_name);
    ReadPlace(die, function);
    if (function->name == nullptr || (function->linkage_name != nullptr && function->line != 0)) {
      return;
    }
    Dwarf_Die declared = *die;
    Follow(&declared, DW_AT_abstract_origin, &declared);
    Follow(&declared, DW_AT_specification, &declared);
    const auto found = context_of_.find(dwarf_dieoffset(&declared));
    if (found != context_of_.end()) Qualify(found->second, function);
  }

  void ReadPlace(Dwarf_Die* die, Function* function) {
    function->file = dwarf_decl_file(die);
    if (dwarf_decl_line(die, &function->line) != 0) function->line = 0;
    // DWARF 5 counts files from 0, which this libdw does not take.
    if (function->file == nullptr && function->line != 0 && !unit_->files.empty()) {
      function->file = unit_->files[0];
    }
  }

  // "app::Cache::Start::{lambda#0}::operator()", and the line of the lambda.
  void Qualify(int32_t context, Function* function) {
    std::string text = function->name;
    for (int32_t next = -1; context >= 0; context = next) {
      next = contexts_[static_cast<size_t>(context)].parent;
      Dwarf_Die die;
      const Dwarf_Off at = contexts_[static_cast<size_t>(context)].die;
      if (dwarf_offdie(dwarf_cu_getdwarf(unit_->die.cu), at, &die) == nullptr) break;
      const char* name = Text(&die, DW_AT_name);
      const int tag = dwarf_tag(&die);
      if (tag == DW_TAG_subprogram) {
        const char* mangled = Text(&die, DW_AT_linkage_name);
        if (const std::string around = Demangle(mangled); !around.empty()) {
          text.insert(0, "::").insert(0, around);
          break;
        }
        // Declared elsewhere: in a class or a namespace.
        Dwarf_Die declared = die;
        Follow(&declared, DW_AT_abstract_origin, &declared);
        Follow(&declared, DW_AT_specification, &declared);
        const auto found = context_of_.find(dwarf_dieoffset(&declared));
        if (found != context_of_.end()) next = found->second;
      }
      if (tag != DW_TAG_namespace && tag != DW_TAG_subprogram &&
          (name == nullptr || std::string_view(name).starts_with("<lambda"))) {
        name = "{lambda#0}";
        if (function->line == 0) ReadPlace(&die, function);
      }
      if (name != nullptr) text.insert(0, "::").insert(0, name);
    }
    if (function->linkage_name == nullptr) function->name = unit_->names.emplace_back(text).c_str();
  }

  // Flattens the nested intervals, so that one search finds the innermost.
  void MakeSegments() {
    // Of equal ones, the outer was added first.
    std::sort(intervals_.begin(), intervals_.end(), [](const Interval& a, const Interval& b) {
      if (a.low != b.low) return a.low < b.low;
      return a.high != b.high ? a.high > b.high : a.scope < b.scope;
    });
    std::vector<Interval> open;
    const auto close_until = [&](uint64_t address) {
      while (!open.empty() && open.back().high <= address) {
        const uint64_t end = open.back().high;
        open.pop_back();
        AddSegment(end, open.empty() ? -1 : open.back().scope);
      }
    };
    for (const Interval& interval : intervals_) {
      close_until(interval.low);
      open.push_back(interval);
      AddSegment(interval.low, interval.scope);
    }
    close_until(UINT64_MAX);
    unit_->segments.shrink_to_fit();
    unit_->scopes.shrink_to_fit();
  }

  void AddSegment(uint64_t address, int32_t scope) {
    auto& segments = unit_->segments;
    if (!segments.empty() && segments.back().address >= address) {
      segments.back().scope = scope;
    } else {
      segments.push_back({address, scope});
    }
  }

  Unit* unit_;
  std::vector<Interval> intervals_;
  std::vector<Context> contexts_;
  std::unordered_map<Dwarf_Off, int32_t> context_of_;  // of functions without a mangled name
  std::unordered_map<Dwarf_Off, uint32_t> functions_;  // by what they are instances of
  std::vector<Dwarf_Die> instances_;                   // one of each of unit_->functions
};

// The source line of an address. Compilers give 0 to code of no line: then the line before counts.
void LineAt(const Unit& unit, uint64_t address, const char** file, int* line) {
  const auto address_of = [&unit](size_t i) {
    Dwarf_Addr at = 0;
    dwarf_lineaddr(dwarf_onesrcline(unit.lines, i), &at);
    return at;
  };
  size_t low = 0, high = unit.line_count;  // rows before `low` begin at or before the address
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (address_of(middle) <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  while (low > 0) {
    Dwarf_Line* row = dwarf_onesrcline(unit.lines, --low);
    bool end = false;
    int number = 0;
    dwarf_lineendsequence(row, &end);
    if (end) return;
    dwarf_lineno(row, &number);
    if (number == 0) continue;
    *line = number;
    *file = dwarf_linesrc(row, nullptr, nullptr);
    return;
  }
}

// The innermost scope at an address, or -1.
int32_t ScopeAt(const Unit& unit, uint64_t address) {
  const auto after = std::upper_bound(
      unit.segments.begin(), unit.segments.end(), address,
      [](uint64_t value, const Segment& segment) { return value < segment.address; });
  return after == unit.segments.begin() ? -1 : (after - 1)->scope;
}

// The line of an address in the function of `scope`: of the call, if something was inlined there.
void LineIn(const Unit& unit, int32_t scope, uint64_t address, const char** file, int* line) {
  int32_t at = ScopeAt(unit, address);
  if (at == scope) return LineAt(unit, address, file, line);
  while (at >= 0 && unit.scopes[static_cast<size_t>(at)].parent != scope) {
    at = unit.scopes[static_cast<size_t>(at)].parent;
  }
  if (at < 0) return;
  const Scope& call = unit.scopes[static_cast<size_t>(at)];
  *line = call.call_line;
  if (call.call_file < unit.files.size()) *file = unit.files[call.call_file];
}

}  // namespace

struct DwarfFile::Impl {
  int fd = -1;
  Dwarf* dwarf = nullptr;
  std::vector<Unit> units;
  std::vector<UnitRange> ranges;  // by low

  ~Impl() {
    if (dwarf != nullptr) dwarf_end(dwarf);
    if (fd >= 0) close(fd);
  }

  // The units and their addresses, from the DIE of each alone.
  bool ReadUnits() {
    dwarf = dwarf_begin(fd, DWARF_C_READ);
    if (dwarf == nullptr) return false;
    Dwarf_CU* at = nullptr;
    Unit unit;
    uint8_t type = 0;
    while (dwarf_get_units(dwarf, at, &at, nullptr, &type, &unit.skeleton, &unit.die) == 0) {
      if (type == DW_UT_type || type == DW_UT_split_type || type == DW_UT_partial) continue;
      if (type != DW_UT_skeleton || dwarf_tag(&unit.die) == DW_TAG_invalid)
        unit.die = unit.skeleton;
      const auto index = static_cast<uint32_t>(units.size());
      ForEachRange(&unit.skeleton,
                   [&](uint64_t low, uint64_t high) { ranges.push_back({low, high, index}); });
      units.push_back(unit);
    }
    std::sort(ranges.begin(), ranges.end(),
              [](const UnitRange& a, const UnitRange& b) { return a.low < b.low; });
    return !ranges.empty();
  }

  Unit* FindUnit(uint64_t address) {
    auto after =
        std::upper_bound(ranges.begin(), ranges.end(), address,
                         [](uint64_t value, const UnitRange& range) { return value < range.low; });
    if (after == ranges.begin()) return nullptr;
    --after;
    return address < after->high ? &units[after->unit] : nullptr;
  }
};

DwarfFile::DwarfFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DwarfFile::~DwarfFile() = default;

std::unique_ptr<DwarfFile> DwarfFile::Open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (impl->fd < 0) return nullptr;
  bool good = false;
  if (!RunOnOwnStack([&] { good = impl->ReadUnits(); }) || !good) return nullptr;
  return std::unique_ptr<DwarfFile>(new DwarfFile(std::move(impl)));
}

std::vector<DwarfFrame> DwarfFile::Find(uint64_t address, uint64_t entry) {
  std::vector<DwarfFrame> frames;
  Unit* unit = impl_->FindUnit(address);
  if (unit == nullptr) return frames;
  if (!unit->loaded) {
    if (!RunOnOwnStack([unit] { UnitReader(unit).Read(); })) return frames;
    unit->loaded = true;
  }
  DwarfFrame frame;
  LineAt(*unit, address, &frame.file, &frame.line);
  int32_t at = ScopeAt(*unit, address);
  while (at >= 0) {
    const Scope& scope = unit->scopes[static_cast<size_t>(at)];
    const Function& function = unit->functions[scope.function];
    frame.linkage_name = function.linkage_name;
    frame.name = function.name;
    frame.declared_file = function.file;
    frame.declared_line = function.line;
    frame.inlined = scope.parent >= 0;
    // gcc leaves lambdas out, clang -g1 all: the first line of the function's code is close.
    if (frame.declared_line == 0) {
      const uint64_t from = frame.inlined || entry == 0 ? scope.entry : entry;
      LineIn(*unit, at, from, &frame.declared_file, &frame.declared_line);
    }
    if (!frame.inlined) break;
    frames.push_back(frame);
    frame = DwarfFrame();
    frame.line = scope.call_line;
    if (scope.call_file < unit->files.size()) frame.file = unit->files[scope.call_file];
    at = scope.parent;
  }
  frames.push_back(frame);
  return frames;
}

}  // namespace leash::rt
