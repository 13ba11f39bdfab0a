// What the generated file defines.

#ifndef LEASH_TOOLS_CHECK_EMBEDDED_PAGES_H_
#define LEASH_TOOLS_CHECK_EMBEDDED_PAGES_H_

#include <map>
#include <string>

namespace leash::tools {

const std::map<std::string, std::string>& EmbeddedCheckPages();
const std::string& EmbeddedWaitReasons();

}  // namespace leash::tools

#endif  // LEASH_TOOLS_CHECK_EMBEDDED_PAGES_H_
