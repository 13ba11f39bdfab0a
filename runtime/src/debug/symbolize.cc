// Modules, their symbols and the answers given so far.

#include "debug/symbolize.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/race.h"
#include "debug/function_name.h"
#include "debug/symbolize_dwarf.h"
#include "debug/symbolize_elf.h"
#include "debug/symbolize_own_stack.h"
#include "sched/park.h"
#include "stack/unwind_table.h"

namespace leash::rt {
namespace {

std::string HexAddress(uint64_t address) {
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

std::string_view FileName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// clang writes "/usr/lib/gcc/x86_64-linux-gnu/12/../../../../include/c++/12/mutex".
std::string ShortPath(const char* path) {
  if (strstr(path, "/../") == nullptr && strstr(path, "/./") == nullptr) return path;
  return std::filesystem::path(path).lexically_normal().string();
}

// "/proc/self/exe" is there even when the program's file was replaced or removed; people want its
// path.
std::string RealPath(const std::string& path) {
  if (path != "/proc/self/exe") return path;
  char target[PATH_MAX];
  const ssize_t n = readlink(path.c_str(), target, sizeof(target));
  return n > 0 ? std::string(target, static_cast<size_t>(n)) : path;
}

std::string Hexadecimal(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    char digits[3];
    snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned>(static_cast<uint8_t>(c)));
    out += digits;
  }
  return out;
}

// The symbols of one module, opened when they are first needed.
class ModuleSymbols {
 public:
  explicit ModuleSymbols(const UnwindTable::Module& m)
      : start_(m.start),
        limit_(m.limit),
        base_(m.base),
        file_path_(m.path),
        real_path_(RealPath(m.path)),
        build_id_(m.build_id) {}

  bool Is(const UnwindTable::Module& m) const {
    return start_ == m.start && base_ == m.base && file_path_ == m.path && build_id_ == m.build_id;
  }

  void Locate(uint64_t pc, bool exact, SymbolLocation* location) {
    if (!opened_) Open();
    opened_ = true;
    // A return address may be the first one of the next function: the call lies before it.
    const uint64_t place = pc - base_ - (exact ? 0 : 1);
    const SymbolTable::Symbol* symbol = symbols_.Find(place);
    const uint64_t entry = symbol == nullptr ? 0 : symbol->address;
    std::vector<DwarfFrame> found;
    if (dwarf_ != nullptr) found = dwarf_->Find(place, entry);
    if (found.empty()) found.emplace_back();
    // From the outside: of the lambdas that are inlined it is the outermost that was spawned.
    std::string lambda = symbol == nullptr ? std::string() : SpawnedLambda(symbol->name);
    const std::string_view outer = symbol == nullptr ? std::string_view() : symbol->name;
    const bool in_leash = outer.starts_with("_ZN5leash") || outer.starts_with("_ZNK5leash");
    // What the runtime's own functions have inlined is its own as well: users' code is called from
    // templates, which are of leash::internal.
    const std::string_view name = symbol == nullptr ? "" : symbol->name;
    const bool inside = name.starts_with("_ZN5leash2rt") || name.starts_with("_ZNK5leash2rt");
    location->frames.resize(found.size());
    for (size_t i = found.size(); i-- > 0;) {
      const bool outermost = i + 1 == found.size();
      location->frames[i] =
          FrameOf(found[i], outermost ? symbol : nullptr, place, in_leash, inside, &lambda);
    }
    location->offset = symbol == nullptr ? 0 : pc - base_ - entry;
    location->module_start = start_;
  }

 private:
  void Open() {
    if (file_path_.find("vdso") != std::string::npos && file_path_.find('/') == std::string::npos) {
      file_.OpenMemory(reinterpret_cast<const void*>(base_), limit_ - base_);
    } else {
      file_.Open(file_path_.c_str());
    }
    if (!file_.is_open()) return;
    std::string debug_path = file_path_;
    if (!file_.HasSection(".debug_info")) debug_path = DebugFileOf(file_, real_path_, build_id_);
    const ElfFile* names = &file_;
    if (!file_.HasFullSymbols() && !debug_path.empty() && debug_file_.Open(debug_path.c_str()) &&
        debug_file_.HasFullSymbols()) {
      names = &debug_file_;
    }
    symbols_.Load(*names);
    if (!debug_path.empty() && !IsLanguageLibrary()) dwarf_ = DwarfFile::Open(debug_path);
  }

  // `in_leash`: the outermost function there is leash's. `lambda`: the one whose name is still to
  // be given to a frame; "" if there is none.
  SymbolFrame FrameOf(const DwarfFrame& from, const SymbolTable::Symbol* symbol, uint64_t place,
                      bool in_leash, bool inside_runtime, std::string* lambda) {
    SymbolFrame frame;
    frame.inlined = from.inlined;
    frame.line = from.line;
    frame.start_line = from.declared_line;
    if (from.file != nullptr) frame.file = ShortPath(from.file);
    const char* system = symbol != nullptr              ? symbol->name
                         : from.linkage_name != nullptr ? from.linkage_name
                                                        : from.name;
    if (system == nullptr) {
      const std::string_view file = FileName(real_path_);
      frame.function = std::string(file) + "+" + HexAddress(place);
      frame.system_name = frame.function;
      // Without its symbols libc's inner functions, and those that start threads, have no names.
      frame.runtime = IsLanguageLibrary();
      return frame;
    }
    // The debug information may say no more than where it was inlined: not where it stands.
    const bool elsewhere = from.declared_file != nullptr && from.file != nullptr &&
                           strcmp(from.declared_file, from.file) != 0;
    const std::string_view declared = elsewhere                       ? from.file
                                      : from.declared_file != nullptr ? from.declared_file
                                                                      : "";
    const int declared_line = elsewhere ? from.line : from.declared_line;
    frame.system_name = SymbolWithoutSuffix(system);
    frame.runtime = IsRuntimeFunction(frame.system_name);
    if (frame.system_name.starts_with("_Z")) {
      // A few functions are inlined everywhere, and to make a name readable takes 10 us.
      const auto [known, added] =
          readable_.try_emplace(frame.system_name + ':' + std::to_string(declared_line));
      if (added) {
        known->second = ReadableFunction(frame.system_name, declared, declared_line);
      }
      frame.function = known->second;
      return frame;
    }
    // Of C, or of what has a name in the debug information only. With -g1 that may be no more than
    // the last word: then the file says whether it is the language's own or leash's, and
    // "operator()" of anything else is a lambda.
    const auto in = [&frame](std::string_view folder) {
      return frame.file.find(folder) != std::string::npos;
    };
    std::string name = frame.system_name;
    const bool bare =
        from.inlined && name.substr(0, name.find('<')).find("::") == std::string::npos;
    if (bare && in("/c++/")) {
      frame.runtime = IsRuntimeFunction("std::" + name) || name == "operator()";
    } else if (bare && (inside_runtime || in("/include/leash/"))) {
      frame.runtime = true;  // public or not cannot be told; the caller's frame stays
    } else if (bare && in_leash && in("/runtime/src/")) {
      frame.runtime = true;  // Park and the like, inlined into an operation
    } else if (name == "operator()") {
      name = (lambda->empty() ? "{lambda#0}" : std::exchange(*lambda, {})) + "::operator()()";
      frame.runtime = IsRuntimeFunction(name);
    }
    frame.function = ReadableDemangled(name, declared, declared_line);
    if (symbol == nullptr) frame.system_name = frame.function;
    return frame;
  }

  // The libraries that each program has: lines in them help nobody, and to decompress libc's debug
  // information takes 60 ms.
  bool IsLanguageLibrary() const {
    static constexpr std::string_view kNames[] = {"libc.so",      "ld-linux",  "libm.so",
                                                  "libstdc++.so", "libc++.so", "libgcc_s.so",
                                                  "libpthread",   "libunwind"};
    const std::string_view file = FileName(real_path_);
    return std::any_of(std::begin(kNames), std::end(kNames),
                       [file](std::string_view name) { return file.starts_with(name); });
  }

  const uint64_t start_, limit_, base_;
  const std::string file_path_, real_path_, build_id_;
  bool opened_ = false;
  ElfFile file_, debug_file_;
  SymbolTable symbols_;
  std::unique_ptr<DwarfFile> dwarf_;
  std::unordered_map<std::string, std::string> readable_;  // by symbol and line of declaration
};

}  // namespace

struct Symbolizer::Impl {
  std::mutex mu;
  const UnwindTable* table = nullptr;  // that `modules` are of
  std::vector<std::pair<uint64_t, std::unique_ptr<ModuleSymbols>>> modules;  // by start
  std::unordered_map<uint64_t, SymbolLocation> answers[2];                   // by exact, then pc

  void Refresh() {
    const UnwindTable* now = CurrentUnwindTable();
    if (now == table) return;
    // Where something was unloaded, something else may lie now; and what had no module may have
    // one.
    for (auto& known : answers) known.clear();
    auto before = std::move(modules);
    modules.clear();
    for (const UnwindTable::Module& m : now->modules()) {
      const auto same = std::find_if(before.begin(), before.end(), [&](const auto& old) {
        return old.second != nullptr && old.second->Is(m);
      });
      modules.emplace_back(m.start, same != before.end() ? std::move(same->second)
                                                         : std::make_unique<ModuleSymbols>(m));
    }
    table = now;
  }
};

Symbolizer::Symbolizer() : impl_(std::make_unique<Impl>()) {}
Symbolizer::~Symbolizer() = default;

Symbolizer& Symbolizer::Get() {
  static auto* symbolizer = new Symbolizer;
  return *symbolizer;
}

SymbolLocation Symbolizer::Locate(uint64_t pc, bool exact) {
  const race::Ignore ignore;
  const std::lock_guard<std::mutex> lock(impl_->mu);
  impl_->Refresh();
  const auto [answer, added] = impl_->answers[exact ? 1 : 0].try_emplace(pc);
  SymbolLocation& location = answer->second;
  if (!added) return location;
  const UnwindTable::Module* module = impl_->table->FindModule(exact ? pc : pc - 1);
  bool done = false;
  if (module != nullptr) {
    const auto found =
        std::find_if(impl_->modules.begin(), impl_->modules.end(),
                     [&](const auto& entry) { return entry.first == module->start; });
    ModuleSymbols* symbols = found->second.get();
    const auto locate = [&] { symbols->Locate(pc, exact, &location); };
    // (3): to demangle takes up to 80 KB.
    if (IsGoroutineMemory(&done)) {
      done = RunOnOwnStack(locate);
    } else {
      locate();
      done = true;
    }
  }
  if (!done) {
    SymbolFrame frame;
    frame.function = frame.system_name = HexAddress(pc);
    location.frames.push_back(std::move(frame));
  }
  return location;
}

std::vector<Module> Symbolizer::Modules() {
  const race::Ignore ignore;
  std::vector<Module> modules;
  for (const UnwindTable::Module& from : CurrentUnwindTable()->modules()) {
    Module m;
    m.start = from.start;
    m.limit = from.limit;
    m.file_offset = from.file_offset;
    m.path = RealPath(from.path);
    m.build_id = Hexadecimal(from.build_id);
    modules.push_back(std::move(m));
  }
  return modules;
}

LocationWriter::LocationWriter(Symbolizer& symbolizer, Snapshot& snapshot)
    : symbolizer_(symbolizer), snapshot_(snapshot) {
  if (snapshot.modules.empty()) snapshot.modules = symbolizer.Modules();
}

LocationId LocationWriter::Add(uint64_t pc, bool exact) {
  const auto [known, added] = ids_[exact ? 1 : 0].try_emplace(pc, 0);
  if (!added) return known->second;
  SymbolLocation from = symbolizer_.Locate(pc, exact);
  Location location;
  location.pc = pc;
  location.exact = exact;
  location.offset = from.offset;
  for (size_t i = 0; i < snapshot_.modules.size() && from.module_start != 0; ++i) {
    if (snapshot_.modules[i].start == from.module_start) location.module = static_cast<int32_t>(i);
  }
  for (const SymbolFrame& f : from.frames) {
    Frame frame;
    frame.function = snapshot_.AddString(f.function);
    frame.system_name = snapshot_.AddString(f.system_name);
    frame.file = snapshot_.AddString(f.file);
    frame.line = f.line;
    frame.start_line = f.start_line;
    frame.inlined = f.inlined;
    frame.runtime = f.runtime;
    location.frames.push_back(frame);
  }
  return known->second = snapshot_.AddLocation(std::move(location));
}

}  // namespace leash::rt
