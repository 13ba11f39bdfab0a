// /debug/pprof/trace?seconds=N: an execution trace, sent as it is made.

#ifndef LEASH_INTEGRATION_DEBUG_SERVER_TRACE_H_
#define LEASH_INTEGRATION_DEBUG_SERVER_TRACE_H_

#include <httplib.h>

namespace leash::internal {

// 400 for a number of seconds that is not one, 409 while another trace is under way. A client that
// goes ends its trace.
void AnswerTrace(const httplib::Request& request, httplib::Response& response);

}  // namespace leash::internal

#endif  // LEASH_INTEGRATION_DEBUG_SERVER_TRACE_H_
