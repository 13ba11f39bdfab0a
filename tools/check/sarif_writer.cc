// SARIF 2.1.0, as GitHub code scanning and editors read it.

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "check/compile_database.h"
#include "check/embedded_docs.h"
#include "check/markdown_page.h"
#include "check/writers.h"

namespace leash::tools {
namespace {

using Json = nlohmann::ordered_json;

// A path as a URI: everything but what RFC 3986 calls unreserved, and the slash, in percent form.
std::string Uri(const std::string& path) {
  static const char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

class SarifWriter {
 public:
  explicit SarifWriter(const WriteContext& context) : context_(context) {}

  Json Artifact(const std::string& file) const {
    const std::string relative = RelativeTo(context_.root, file);
    if (relative == file) return {{"uri", "file://" + Uri(file)}};
    return {{"uri", Uri(relative)}, {"uriBaseId", "SRCROOT"}};
  }

  Json Location(const Place& place) {
    return {{"artifactLocation", Artifact(place.file)},
            {"region", {{"startLine", place.line}, {"startColumn", CodePoints(place)}}}};
  }

  Json Fix(const Finding& finding) {
    std::map<std::string, Json> changes;
    for (const Replacement& replacement : finding.fix) {
      Json deleted = {{"byteOffset", replacement.offset_bytes},
                      {"byteLength", replacement.length_bytes}};
      // Readers that show a fix know lines and columns only.
      const Place begin = PlaceAt(replacement.file, replacement.offset_bytes);
      const Place end =
          PlaceAt(replacement.file, replacement.offset_bytes + replacement.length_bytes);
      deleted["startLine"] = begin.line;
      deleted["startColumn"] = CodePoints(begin);
      deleted["endLine"] = end.line;
      deleted["endColumn"] = CodePoints(end);
      Json change = {{"deletedRegion", std::move(deleted)}};
      if (!replacement.text.empty()) change["insertedContent"] = {{"text", replacement.text}};
      Json& replacements = changes.try_emplace(replacement.file, Json::array()).first->second;
      replacements.push_back(std::move(change));
    }
    Json artifacts = Json::array();
    for (const auto& [file, replacements] : changes) {
      artifacts.push_back(
          Json{{"artifactLocation", Artifact(file)}, {"replacements", replacements}});
    }
    return {{"description", {{"text", "as " + finding.check + " proposes"}}},
            {"artifactChanges", std::move(artifacts)}};
  }

  // The same fault is the same alert after lines were added above it: what counts is the check, the
  // file and the text of the line.
  std::string Fingerprint(const Finding& finding) {
    uint64_t hash = 14695981039346656037u;
    for (const std::string& part :
         {finding.check, RelativeTo(context_.root, finding.place.file), Line(finding.place)}) {
      for (unsigned char c : part + "\n") {
        if (c == ' ' || c == '\t') continue;
        hash = (hash ^ c) * 1099511628211u;
      }
    }
    char text[17];
    for (int i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15];
    text[16] = '\0';
    return text;
  }

 private:
  const std::string& Text(const std::string& file) {
    const auto [entry, is_new] = texts_.try_emplace(file);
    if (is_new) ReadFile(file, &entry->second);
    return entry->second;
  }

  Place PlaceAt(const std::string& file, size_t offset_bytes) {
    const std::string& text = Text(file);
    Place place;
    place.file = file;
    const size_t end = std::min(offset_bytes, text.size());
    place.line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + end, '\n'));
    const size_t newline = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    place.column = static_cast<int>(end - (newline == std::string::npos ? 0 : newline + 1)) + 1;
    return place;
  }

  std::string Line(const Place& place) {
    const std::string& text = Text(place.file);
    size_t begin = 0;
    for (int line = 1; line < place.line; ++line) {
      begin = text.find('\n', begin);
      if (begin == std::string::npos) return "";
      ++begin;
    }
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  // Columns of SARIF are characters; clang's are bytes.
  int CodePoints(const Place& place) {
    const std::string line = Line(place);
    const size_t bytes = std::min(static_cast<size_t>(place.column - 1), line.size());
    int column = 1;
    for (size_t i = 0; i < bytes; ++i) {
      if ((static_cast<unsigned char>(line[i]) & 0xC0) != 0x80) ++column;
    }
    return column;
  }

  const WriteContext& context_;
  std::map<std::string, std::string> texts_;
};

}  // namespace

std::string ToSarif(const std::vector<Finding>& findings, const WriteContext& context) {
  SarifWriter writer(context);
  Json rules = Json::array();
  std::map<std::string, int> rule_index;
  const auto add_rule = [&](const std::string& id) {
    if (!rule_index.emplace(id, static_cast<int>(rules.size())).second) return;
    Json rule = {{"id", id}, {"name", id}};
    if (const std::string* page = EmbeddedCheckPage(id)) {
      const std::string summary = PageSummary(*page);
      rule["shortDescription"] = {{"text", summary}};
      rule["fullDescription"] = {{"text", summary}};
      rule["help"] = {{"text", RenderPage(*page)}, {"markdown", *page}};
    }
    rule["defaultConfiguration"] = {{"level", "warning"}};
    rule["properties"] = {{"tags", Json::array({"concurrency"})}, {"precision", "high"}};
    rules.push_back(std::move(rule));
  };
  // All of them, found or not: a reader shows what has been looked for.
  for (const std::string& name : EmbeddedCheckNames()) add_rule("leash-" + name);
  Json results = Json::array();
  for (const Finding& finding : findings) {
    add_rule(finding.check);
    Json result = {
        {"ruleId", finding.check},
        {"ruleIndex", rule_index[finding.check]},
        {"level", "warning"},
        {"message", {{"text", finding.message}}},
        {"locations", Json::array({Json{{"physicalLocation", writer.Location(finding.place)}}})},
        {"partialFingerprints", {{"leash/v1", writer.Fingerprint(finding)}}}};
    if (!finding.notes.empty()) {
      Json related = Json::array();
      for (const Note& note : finding.notes) {
        related.push_back(Json{{"physicalLocation", writer.Location(note.place)},
                               {"message", {{"text", note.message}}}});
      }
      result["relatedLocations"] = std::move(related);
    }
    if (!finding.fix.empty()) result["fixes"] = Json::array({writer.Fix(finding)});
    results.push_back(std::move(result));
  }
  Json driver = {{"name", "leash"}, {"version", LEASH_VERSION}, {"rules", std::move(rules)}};
  Json run;
  run["tool"]["driver"] = std::move(driver);
  run["columnKind"] = "unicodeCodePoints";
  run["originalUriBaseIds"]["SRCROOT"]["uri"] = "file://" + Uri(context.root) + "/";
  run["invocations"] = Json::array({Json{{"executionSuccessful", context.complete}}});
  run["results"] = std::move(results);
  Json log;
  log["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  log["version"] = "2.1.0";
  log["runs"] = Json::array({std::move(run)});
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace leash::tools
