# cmake -DOUT=... -DREASONS=wait-reasons.md "-DPAGES=a.md;b.md" -P Embed.cmake
# Writes the pages into a C++ file, as raw strings.

set(text "// Generated from docs/checks and docs/reference by tools/check/Embed.cmake.\n\n")
string(APPEND text "#include \"check/embedded_pages.h\"\n\nnamespace leash::tools {\n\n")
string(APPEND text "const std::map<std::string, std::string>& EmbeddedCheckPages() {\n")
string(APPEND text "  static const std::map<std::string, std::string> kPages = {\n")
foreach(page ${PAGES})
  get_filename_component(name ${page} NAME_WE)
  file(READ ${page} body)
  string(APPEND text "{\"${name}\", R\"leash_page(" "${body}" ")leash_page\"},\n")
endforeach()
string(APPEND text "};\n  return kPages;\n}\n\n")
file(READ ${REASONS} body)
string(APPEND text "const std::string& EmbeddedWaitReasons() {\n")
string(APPEND text "  static const std::string kPage = R\"leash_page(" "${body}" ")leash_page\";\n")
string(APPEND text "  return kPage;\n}\n\n}  // namespace leash::tools\n")
file(WRITE ${OUT} "${text}")
