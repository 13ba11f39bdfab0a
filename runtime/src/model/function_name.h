// How a function is named in text: with its parameters, without them, and as a call in Go's text.

#ifndef LEASH_MODEL_FUNCTION_NAME_H_
#define LEASH_MODEL_FUNCTION_NAME_H_

#include <string>
#include <string_view>

namespace leash::internal {

// Without parameters and what follows them: "Cache::Evict(Key) const" is "Cache::Evict", and
// "Task::operator()(int)" is "Task::operator()". A name without parameters is itself.
std::string_view FunctionWithoutParameters(std::string_view function);

// What stands on a frame's first line in Go's text, where a reader expects "name(...)": the name
// with its parameters if it has some, else with "()", or "(...)" for an inlined one.
void AppendGoCall(std::string_view function, bool inlined, std::string* out);

// The part of a path after the last slash.
std::string_view BaseName(std::string_view path);

}  // namespace leash::internal

#endif  // LEASH_MODEL_FUNCTION_NAME_H_
