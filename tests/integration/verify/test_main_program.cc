// A main() that calls TestMain() with the options named in VERIFY_OPTIONS, for the tests to run.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "leash/verify.h"

int main(int argc, char** argv) {
  using leash::verify::Cleanup;
  using leash::verify::IgnoreCurrent;
  using leash::verify::IgnoreLabel;
  using leash::verify::IgnoreTopFunction;
  using leash::verify::RunOnFailure;
  using leash::verify::TestMain;
  const char* const asked = std::getenv("VERIFY_OPTIONS");
  const std::string_view options = asked == nullptr ? "" : asked;
  const auto print_status = Cleanup([](int status) { std::printf("cleanup: %d\n", status); });
  if (options == "cleanup") return TestMain(argc, argv, print_status);
  if (options == "on_failure") return TestMain(argc, argv, RunOnFailure(), print_status);
  if (options == "current") return TestMain(argc, argv, IgnoreCurrent());
  if (options == "ignore") {
    return TestMain(argc, argv, IgnoreTopFunction("leaks::ReceiveFromNil*"),
                    IgnoreLabel("name", "nobody"));
  }
  return TestMain(argc, argv);
}
