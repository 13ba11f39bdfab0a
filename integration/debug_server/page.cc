// HTML by hand: the pages are small, and a library for it would be larger than they are.

#include "page.h"

#include <map>
#include <string_view>
#include <vector>

#include "leash/analyzer/group.h"
#include "leash/analyzer/render.h"
#include "leash/go.h"

namespace leash::internal {
namespace {

constexpr std::string_view kStyle = R"(<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin-bottom: 0; }
p.sub { margin-top: .2rem; opacity: .7; }
nav a { margin-right: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
td { padding: .1rem 1rem .1rem 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
details { border: 1px solid #8884; border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; font-family: ui-monospace, monospace; }
details.proved > summary { color: #c22; font-weight: 600; }
pre { overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; }
</style>
)";

void AppendEscaped(std::string* out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        *out += "&amp;";
        break;
      case '<':
        *out += "&lt;";
        break;
      case '>':
        *out += "&gt;";
        break;
      case '"':
        *out += "&quot;";
        break;
      default:
        *out += c;
    }
  }
}

std::string Head(std::string_view title) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";
  AppendEscaped(&out, title);
  out += "</title>\n";
  out += kStyle;
  return out;
}

}  // namespace

std::string PprofIndexPage() {
  std::string out = Head("/debug/pprof/");
  out +=
      "<h1>/debug/pprof/</h1>\n<p class=\"sub\">Set debug=1 as a query parameter for text.</p>\n";
  out += "<table>\n<tr><td class=\"n\">" + std::to_string(NumGoroutine()) +
         "</td><td><a href=\"goroutine?debug=1\">goroutine</a></td><td>all goroutines, grouped by "
         "stack; <a href=\"goroutine?debug=2\">full</a>, <a href=\"goroutine?debug=3\">with all "
         "that is known</a>, <a href=\"goroutine?debug=0\">profile.proto</a></td></tr>\n";
  out +=
      "<tr><td></td><td><a href=\"goroutineleak?debug=1\">goroutineleak</a></td><td>only "
      "goroutines that nothing alive can ever wake; <a href=\"goroutineleak?debug=2\">full</a>"
      "</td></tr>\n<tr><td></td><td><a href=\"trace?seconds=5\">trace</a></td><td>what every "
      "goroutine does for the next 5 seconds, a file for <a href=\"https://ui.perfetto.dev\">"
      "ui.perfetto.dev</a></td></tr>\n</table>\n<p><a href=\"/debug/leash/\">/debug/leash/</a>, <a "
      "href=\"/metrics\">/metrics</a></p>\n</html>\n";
  return out;
}

std::string GroupsPage(const Snapshot& snapshot) {
  const std::vector<Group> groups = GroupGoroutines(snapshot, GroupBy::kExact);
  std::string out = Head("leash: " + snapshot.program);
  out += "<h1>";
  AppendEscaped(&out, CountLine(groups));
  out += "</h1>\n<p class=\"sub\">";
  AppendEscaped(&out, snapshot.program);
  out += ", process " + std::to_string(snapshot.pid) + ", captured in " +
         FormatWait(snapshot.capture_ns) + "</p>\n";
  out +=
      "<nav><a href=\"/debug/leash/\">again</a><a href=\"/debug/leash/snapshot.json\">"
      "snapshot.json</a><a href=\"/debug/pprof/\">pprof</a><a href=\"/metrics\">metrics</a>"
      "</nav>\n";
  std::map<std::string_view, int64_t> reasons;
  for (const Goroutine& g : snapshot.goroutines) ++reasons[snapshot.StatusWord(g)];
  out += "<table>\n";
  for (const auto& [reason, count] : reasons) {
    out += "<tr><td class=\"n\">" + std::to_string(count) + "</td><td>";
    AppendEscaped(&out, reason);
    out += "</td></tr>\n";
  }
  out += "</table>\n";
  RenderOptions options;
  options.see = false;
  for (const Group& group : groups) {
    const std::string text = RenderGroup(snapshot, group, options);
    const size_t newline = text.find('\n');
    out += group.tier == LeakTier::kProved ? "<details class=\"proved\" open><summary>"
                                           : "<details open><summary>";
    AppendEscaped(&out, std::string_view(text).substr(0, newline));
    out += "</summary><pre>";
    if (newline != std::string::npos) {
      AppendEscaped(&out, std::string_view(text).substr(newline + 1));
    }
    out += "</pre></details>\n";
  }
  out += "</html>\n";
  return out;
}

}  // namespace leash::internal
