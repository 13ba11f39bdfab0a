// What the loader has loaded, and the rows of each of it.

#include "stack/unwind_table.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/race.h"

namespace leash::rt {
namespace {

std::atomic<const UnwindTable*> latest{nullptr};

// The bytes of the GNU build id among the notes of a segment.
std::string BuildIdIn(const char* notes, size_t size) {
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    memcpy(&note, notes, sizeof(note));
    const size_t name_bytes = (size_t{note.n_namesz} + 3) & ~size_t{3};
    const size_t text_bytes = (size_t{note.n_descsz} + 3) & ~size_t{3};
    if (name_bytes + text_bytes > size - sizeof(note)) break;
    const char* name = notes + sizeof(note);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
      return std::string(name + name_bytes, note.n_descsz);
    }
    notes += sizeof(note) + name_bytes + text_bytes;
    size -= sizeof(note) + name_bytes + text_bytes;
  }
  return {};
}

// A module and where its .eh_frame lies.
struct Loaded {
  UnwindTable::Module module;
  const uint8_t* eh_frame = nullptr;
  size_t eh_frame_bytes = 0;
};

Loaded Examine(const dl_phdr_info& info) {
  Loaded loaded;
  UnwindTable::Module& m = loaded.module;
  m.base = info.dlpi_addr;
  m.path = info.dlpi_name != nullptr ? info.dlpi_name : "";
  m.start = UINT64_MAX;
  const ElfW(Phdr)* header = nullptr;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    const uint64_t start = m.base + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
      if (start < m.start) {
        m.start = start;
        m.file_offset = segment.p_offset;
      }
      m.limit = std::max<uint64_t>(m.limit, start + segment.p_memsz);
    } else if (segment.p_type == PT_GNU_EH_FRAME) {
      header = &segment;
    } else if (segment.p_type == PT_NOTE && m.build_id.empty()) {
      m.build_id = BuildIdIn(reinterpret_cast<const char*>(start), segment.p_memsz);
    }
  }
  if (header == nullptr || header->p_memsz < 8) return loaded;
  // .eh_frame_hdr: version 1, three encodings, then a pointer to .eh_frame.
  const uint64_t at = m.base + header->p_vaddr;
  const auto* bytes = reinterpret_cast<const uint8_t*>(at);
  if (bytes[0] != 1 || bytes[1] != 0x1b) return loaded;  // pcrel | sdata4: what linkers write
  int32_t distance;
  memcpy(&distance, bytes + 4, sizeof(distance));
  const uint64_t eh_frame = at + 4 + static_cast<uint64_t>(int64_t{distance});
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    const uint64_t start = m.base + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && eh_frame >= start && eh_frame - start < segment.p_filesz) {
      loaded.eh_frame = reinterpret_cast<const uint8_t*>(eh_frame);
      loaded.eh_frame_bytes = segment.p_filesz - (eh_frame - start);
    }
  }
  return loaded;
}

#if defined(__aarch64__)
// The kernel's trampoline, which signal handlers return to, has had no CFI since 5.15: "mov x8,
// #139; svc #0". Debuggers and libgcc know it by these two instructions.
void FindSignalTrampoline(const UnwindTable::Module& m, UnwindModuleRows& rows) {
  if (m.path.find("vdso") == std::string::npos) return;
  constexpr uint64_t kReturn = 0xd4000001d2801168;
  for (uint64_t pc = m.start; pc + 8 <= m.limit; pc += 4) {
    if (memcmp(reinterpret_cast<const void*>(pc), &kReturn, 8) != 0) continue;
    // One instruction before as well: a handler's return address is the first one, and a walk looks
    // at the place before a return address.
    rows.AddSignalTrampoline(static_cast<uint32_t>(pc - m.base - 4), 12);
    return;
  }
}
#endif

struct Building {
  const UnwindTable* before;
  uint64_t adds = 0, removals = 0;
  std::vector<UnwindTable::Module> modules;
};

// The rows that the table before has for the same code.
std::shared_ptr<const UnwindModuleRows> Reuse(const Building& building,
                                              const UnwindTable::Module& m) {
  if (building.before == nullptr) return nullptr;
  for (const UnwindTable::Module& old : building.before->modules()) {
    if (old.limit - old.base != m.limit - m.base || old.build_id != m.build_id) continue;
    // Rows count from the base: with a build id the same code is known wherever it lies. Without
    // one, only what cannot have been replaced since is the same.
    if (!m.build_id.empty() ||
        (old.base == m.base && building.before->removals == building.removals)) {
      return old.rows;
    }
  }
  return nullptr;
}

// Runs under the loader's lock, which keeps what it reads from being unloaded.
int AddModule(dl_phdr_info* info, size_t, void* arg) {
  auto& building = *static_cast<Building*>(arg);
  building.adds = info->dlpi_adds;
  building.removals = info->dlpi_subs;
  Loaded loaded = Examine(*info);
  UnwindTable::Module& m = loaded.module;
  if (m.start >= m.limit) return 0;
  if (m.path.empty() && building.modules.empty()) m.path = "/proc/self/exe";
  m.rows = Reuse(building, m);
  if (m.rows == nullptr) {
    auto rows =
        std::make_shared<UnwindModuleRows>(loaded.eh_frame, loaded.eh_frame_bytes,
                                           reinterpret_cast<uint64_t>(loaded.eh_frame), m.base);
#if defined(__aarch64__)
    FindSignalTrampoline(m, *rows);
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr)& segment = info->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || (segment.p_flags & (PF_X | PF_R)) != (PF_X | PF_R)) continue;
      const auto start = static_cast<uint32_t>(segment.p_vaddr);
      const auto bytes = static_cast<uint32_t>(segment.p_filesz);
      rows->AddPlt(start, start + bytes,
                   reinterpret_cast<const uint8_t*>(m.base + segment.p_vaddr));
    }
#endif
    m.rows = std::move(rows);
  }
  building.modules.push_back(std::move(m));
  return 0;
}

// Answers 1 if the table is of what is loaded now.
int IsCurrent(dl_phdr_info* info, size_t, void* arg) {
  const auto* table = static_cast<const UnwindTable*>(arg);
  return table->adds == info->dlpi_adds && table->removals == info->dlpi_subs ? 1 : 2;
}

}  // namespace

UnwindTable::UnwindTable(std::vector<Module> modules) : modules_(std::move(modules)) {
  std::sort(modules_.begin(), modules_.end(),
            [](const Module& a, const Module& b) { return a.start < b.start; });
}

const UnwindTable::Module* UnwindTable::FindModule(uint64_t pc) const {
  auto after =
      std::upper_bound(modules_.begin(), modules_.end(), pc,
                       [](uint64_t value, const Module& module) { return value < module.start; });
  if (after == modules_.begin()) return nullptr;
  --after;
  return pc < after->limit ? &*after : nullptr;
}

const UnwindRow* UnwindTable::Find(uint64_t pc) const {
  const Module* module = FindModule(pc);
  if (module == nullptr || pc - module->base > UINT32_MAX) return nullptr;
  return module->rows->Find(static_cast<uint32_t>(pc - module->base));
}

const UnwindTable* CurrentUnwindTable() {
  const race::Ignore ignore;  // tables are shared by all threads, by `latest`
  // Acquire: pairs with the release below; a table is read as it was published.
  const UnwindTable* before = latest.load(std::memory_order_acquire);
  for (;;) {
    if (before != nullptr && dl_iterate_phdr(&IsCurrent, const_cast<UnwindTable*>(before)) == 1) {
      return before;
    }
    Building building{before, 0, 0, {}};
    dl_iterate_phdr(&AddModule, &building);
    auto table = std::make_unique<UnwindTable>(std::move(building.modules));
    table->adds = building.adds;
    table->removals = building.removals;
    table->older = before;
    // Release: publishes the rows. Who loses the race looks at the winner's table.
    if (latest.compare_exchange_strong(before, table.get(), std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
      return table.release();
    }
  }
}

const UnwindTable* LatestUnwindTable() { return latest.load(std::memory_order_acquire); }

}  // namespace leash::rt
