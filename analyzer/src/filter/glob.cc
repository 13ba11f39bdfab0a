// Globs over what reports show.

#include "leash/analyzer/filter.h"
#include "model/function_name.h"

namespace leash {

bool GlobMatch(std::string_view glob, std::string_view text) {
  // Only the last '*' is ever tried again: what earlier ones took is as good as any other choice.
  size_t g = 0, t = 0;
  size_t star = glob.npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != glob.npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

bool GlobMatchFunction(std::string_view glob, std::string_view function) {
  return GlobMatch(glob, function) ||
         GlobMatch(glob, internal::FunctionWithoutParameters(function));
}

bool GlobMatchPlace(std::string_view glob, std::string_view function, std::string_view file,
                    int32_t line) {
  if (!function.empty() && GlobMatchFunction(glob, function)) return true;
  if (file.empty()) return false;
  const std::string_view base = internal::BaseName(file);
  return GlobMatch(glob, base) || GlobMatch(glob, std::string(base) + ":" + std::to_string(line)) ||
         GlobMatch(glob, file);
}

}  // namespace leash
