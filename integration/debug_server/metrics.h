// /metrics: the runtime's figures in Prometheus' text format, version 0.0.4.

#ifndef LEASH_INTEGRATION_DEBUG_SERVER_METRICS_H_
#define LEASH_INTEGRATION_DEBUG_SERVER_METRICS_H_

#include <string>

namespace leash::internal {

std::string MetricsText();

}  // namespace leash::internal

#endif  // LEASH_INTEGRATION_DEBUG_SERVER_METRICS_H_
