// An ELF file of this machine's kind, mapped: its sections and symbols.
//
// Reads nothing outside of the file, whatever the file says. Async-signal-safe but for SymbolTable.

#ifndef LEASH_DEBUG_SYMBOLIZE_ELF_H_
#define LEASH_DEBUG_SYMBOLIZE_ELF_H_

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leash::rt {

class ElfFile {
 public:
  ElfFile() = default;
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  // False if it is not there or not such a file.
  bool Open(const char* path);
  // One that lies in memory already: the vdso.
  bool OpenMemory(const void* data, size_t size);
  bool is_open() const { return data_ != nullptr; }

  // The section's bytes; empty if there is none, or if it is compressed.
  std::string_view Section(std::string_view name) const;
  bool HasSection(std::string_view name) const { return FindSection(name) != nullptr; }
  // Has .symtab; else there is .dynsym at most.
  bool HasFullSymbols() const { return FindSection(SHT_SYMTAB) != nullptr; }

  // Calls visit(const Elf64_Sym&, const char* name) for each function of .symtab, or else of
  // .dynsym.
  template <class Visit>
  void ForEachFunction(const Visit& visit) const {
    const Elf64_Shdr* table = FindSection(SHT_SYMTAB);
    if (table == nullptr) table = FindSection(SHT_DYNSYM);
    if (table == nullptr || table->sh_link >= section_count_) return;
    const std::string_view symbols = Bytes(*table);
    const std::string_view names = Bytes(sections_[table->sh_link]);
    if (names.empty() || names.back() != '\0') return;
    for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size(); at += sizeof(Elf64_Sym)) {
      const auto& symbol = *reinterpret_cast<const Elf64_Sym*>(symbols.data() + at);
      const unsigned type = ELF64_ST_TYPE(symbol.st_info);
      if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) continue;
      if (symbol.st_name < names.size()) visit(symbol, names.data() + symbol.st_name);
    }
  }

 private:
  bool Check();
  const Elf64_Shdr* FindSection(uint32_t type) const;
  const Elf64_Shdr* FindSection(std::string_view name) const;
  std::string_view Bytes(const Elf64_Shdr& section) const;

  const char* data_ = nullptr;
  size_t size_ = 0;
  bool mapped_ = false;
  const Elf64_Shdr* sections_ = nullptr;
  size_t section_count_ = 0;
  std::string_view section_names_;
};

// The functions of a file by address. The file must stay open.
class SymbolTable {
 public:
  struct Symbol {
    uint64_t address = 0;
    uint64_t bytes = 0;  // 0: not said; up to the next one
    const char* name = nullptr;
    uint8_t binding = 0;
  };

  void Load(const ElfFile& file);
  // The symbol that covers this address of the file; null if there is none.
  const Symbol* Find(uint64_t address) const;

 private:
  std::vector<Symbol> symbols_;
};

// DebugFileOf()
//
// The path of the separate file with the debug information of `file` (at `path`), found as gdb
// finds it: by build id, then by .gnu_debuglink, under /usr/lib/debug and beside it. "" if there is
// none.
std::string DebugFileOf(const ElfFile& file, const std::string& path, std::string_view build_id);

}  // namespace leash::rt

#endif  // LEASH_DEBUG_SYMBOLIZE_ELF_H_
