// SetName and ScopedLabels.

#include <vector>

#include "base/check.h"
#include "leash/debug.h"
#include "sched/labels.h"
#include "sched/park.h"
#include "sched/trace.h"

namespace leash::debug {

void SetName(std::string_view name) {
  rt::LabelSet* labels = rt::WithLabels(rt::CurrentLabels(), {{"name", name}});
  if (name.empty()) {
    std::erase_if(labels->pairs, [](const auto& pair) { return pair.first == "name"; });
  }
  rt::SetCurrentLabels(labels);
  if (rt::TraceOn()) rt::TraceText(rt::CurrentG(), rt::TraceKind::kName, name);
}

ScopedLabels::ScopedLabels(
    std::initializer_list<std::pair<std::string_view, std::string_view>> labels)
    : before_(rt::RetainLabels(rt::CurrentLabels())) {
  const auto* base = static_cast<const rt::LabelSet*>(before_);
  rt::SetCurrentLabels(rt::WithLabels(base, labels));
}

ScopedLabels::~ScopedLabels() { rt::SetCurrentLabels(static_cast<rt::LabelSet*>(before_)); }

}  // namespace leash::debug
