// The function of a std::source_location, as dumps name functions.

#ifndef LEASH_DEBUG_PRETTY_SITE_H_
#define LEASH_DEBUG_PRETTY_SITE_H_

#include <string>
#include <string_view>

namespace leash::rt {

// The compilers give the whole signature ("virtual void Cache::Start(Key) const [with T = int]",
// "main()::<lambda()>", "auto main()::(anonymous class)::operator()() const"). What is wanted is
// the name without parameters: "Cache::Start", "main::lambda".
std::string PrettySiteFunction(std::string_view signature);

}  // namespace leash::rt

#endif  // LEASH_DEBUG_PRETTY_SITE_H_
