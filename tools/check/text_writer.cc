// Text for people and for GitHub's log reader.

#include <filesystem>
#include <set>

#include "check/writers.h"

namespace leash::tools {
namespace {

// GitHub's escapes: of a message, and of a property, which also ends at a comma or colon.
std::string Escaped(const std::string& text, bool is_property) {
  std::string out;
  for (char c : text) {
    if (c == '%') {
      out += "%25";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else if (is_property && c == ':') {
      out += "%3A";
    } else if (is_property && c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Where(const Place& place, const WriteContext& context) {
  return RelativeTo(context.directory, place.file) + ":" + std::to_string(place.line) + ":" +
         std::to_string(place.column);
}

}  // namespace

std::string RelativeTo(const std::string& directory, const std::string& path) {
  const std::string prefix =
      !directory.empty() && directory.back() == '/' ? directory : directory + "/";
  if (path.compare(0, prefix.size(), prefix) == 0) return path.substr(prefix.size());
  return path;
}

std::string ToText(const std::vector<Finding>& findings, const WriteContext& context) {
  const char* const bold = context.colour ? "\033[1m" : "";
  const char* const purple = context.colour ? "\033[1;35m" : "";
  const char* const grey = context.colour ? "\033[1;30m" : "";
  const char* const reset = context.colour ? "\033[0m" : "";
  std::string out;
  std::set<std::string> checks;
  for (const Finding& finding : findings) {
    checks.insert(finding.check);
    out += std::string(bold) + Where(finding.place, context) + ": " + reset + purple +
           "warning: " + reset + bold + finding.message + reset + " [" + finding.check + "]\n";
    for (const Note& note : finding.notes) {
      out += std::string(bold) + Where(note.place, context) + ": " + reset + grey +
             "note: " + reset + note.message + "\n";
    }
  }
  for (const std::string& check : checks) out += "see: leash explain " + check + "\n";
  return out;
}

std::string ToGitHub(const std::vector<Finding>& findings, const WriteContext& context) {
  std::string out;
  for (const Finding& finding : findings) {
    std::string message = finding.message;
    for (const Note& note : finding.notes) {
      message += "\n" + Where(note.place, context) + ": " + note.message;
    }
    out += "::warning file=" + Escaped(RelativeTo(context.directory, finding.place.file), true) +
           ",line=" + std::to_string(finding.place.line) +
           ",col=" + std::to_string(finding.place.column) +
           ",title=" + Escaped(finding.check, true) + "::" + Escaped(message, false) + "\n";
  }
  return out;
}

}  // namespace leash::tools
