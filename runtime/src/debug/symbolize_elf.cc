// Sections and symbols of ELF files.

#include "debug/symbolize_elf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace leash::rt {
namespace {

// Of the names of one address, the one that people know: "pthread_create", not "__pthread_create".
bool Better(const SymbolTable::Symbol& a, const SymbolTable::Symbol& b) {
  const auto rank = [](const SymbolTable::Symbol& s) {
    const bool reserved = s.name[0] == '_' && s.name[1] != 'Z';
    return (s.bytes != 0 ? 0 : 4) + (s.binding != STB_LOCAL ? 0 : 2) + (reserved ? 1 : 0);
  };
  return rank(a) < rank(b);
}

std::string Hexadecimal(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

bool IsFile(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

}  // namespace

ElfFile::~ElfFile() {
  if (mapped_) munmap(const_cast<char*>(data_), size_);
}

bool ElfFile::Open(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat st;
  void* data = MAP_FAILED;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
    data = mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  }
  close(fd);
  if (data == MAP_FAILED) return false;
  data_ = static_cast<const char*>(data);
  size_ = static_cast<size_t>(st.st_size);
  mapped_ = true;
  return Check();
}

bool ElfFile::OpenMemory(const void* data, size_t size) {
  data_ = static_cast<const char*>(data);
  size_ = size;
  return Check();
}

bool ElfFile::Check() {
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(data_);
  const bool good =
      size_ >= sizeof(Elf64_Ehdr) && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
      header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
      header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff % 8 == 0 &&
      header->e_shoff < size_ && (size_ - header->e_shoff) / sizeof(Elf64_Shdr) >= header->e_shnum;
  if (!good) {
    if (mapped_) munmap(const_cast<char*>(data_), size_);
    data_ = nullptr;
    mapped_ = false;
    return false;
  }
  sections_ = reinterpret_cast<const Elf64_Shdr*>(data_ + header->e_shoff);
  section_count_ = header->e_shnum;
  if (header->e_shstrndx < section_count_) section_names_ = Bytes(sections_[header->e_shstrndx]);
  return true;
}

const Elf64_Shdr* ElfFile::FindSection(uint32_t type) const {
  for (size_t i = 0; i < section_count_; ++i) {
    if (sections_[i].sh_type == type) return &sections_[i];
  }
  return nullptr;
}

const Elf64_Shdr* ElfFile::FindSection(std::string_view name) const {
  for (size_t i = 0; i < section_count_; ++i) {
    const size_t at = sections_[i].sh_name;
    if (at >= section_names_.size()) continue;
    const std::string_view rest = section_names_.substr(at);
    if (rest.size() > name.size() && rest.starts_with(name) && rest[name.size()] == '\0') {
      return &sections_[i];
    }
  }
  return nullptr;
}

std::string_view ElfFile::Bytes(const Elf64_Shdr& section) const {
  if (section.sh_type == SHT_NOBITS || (section.sh_flags & SHF_COMPRESSED) != 0) return {};
  if (section.sh_offset > size_ || section.sh_size > size_ - section.sh_offset) return {};
  if (section.sh_type != SHT_STRTAB && section.sh_offset % 4 != 0) {
    return section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM
               ? std::string_view()
               : std::string_view(data_ + section.sh_offset, section.sh_size);
  }
  return {data_ + section.sh_offset, section.sh_size};
}

std::string_view ElfFile::Section(std::string_view name) const {
  const Elf64_Shdr* section = FindSection(name);
  return section == nullptr ? std::string_view() : Bytes(*section);
}

void SymbolTable::Load(const ElfFile& file) {
  file.ForEachFunction([this](const Elf64_Sym& symbol, const char* name) {
    const auto binding = static_cast<uint8_t>(ELF64_ST_BIND(symbol.st_info));
    symbols_.push_back({symbol.st_value, symbol.st_size, name, binding});
  });
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    return a.address != b.address ? a.address < b.address : Better(a, b);
  });
  const auto same = [](const Symbol& a, const Symbol& b) { return a.address == b.address; };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same), symbols_.end());
  symbols_.shrink_to_fit();
}

const SymbolTable::Symbol* SymbolTable::Find(uint64_t address) const {
  auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](uint64_t value, const Symbol& symbol) { return value < symbol.address; });
  if (after == symbols_.begin()) return nullptr;
  --after;
  return after->bytes == 0 || address - after->address < after->bytes ? &*after : nullptr;
}

std::string DebugFileOf(const ElfFile& file, const std::string& path, std::string_view build_id) {
  static constexpr char kRoot[] = "/usr/lib/debug";
  if (build_id.size() > 1) {
    const std::string id = Hexadecimal(build_id);
    std::string found =
        std::string(kRoot) + "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug";
    if (IsFile(found)) return found;
  }
  const std::string_view link = file.Section(".gnu_debuglink");
  const std::string name(link.substr(0, link.find('\0')));
  if (name.empty() || name.find('/') != std::string::npos) return {};
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  for (const std::string& found :
       {folder + name, folder + ".debug/" + name, kRoot + folder + name}) {
    if (found != path && IsFile(found)) return found;
  }
  return {};
}

}  // namespace leash::rt
