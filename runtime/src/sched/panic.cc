// Panics: exceptions that nobody caught, and Goexit.
//
// A goroutine's outermost frame has no caller in its call frame information, and nothing of leash
// catches on the way. An exception without a handler therefore never unwinds: the search for a
// handler ends, std::terminate is called at the throw, and the report shows the stack that threw. A
// handler of the program's own that was set before is called for everything that is not ours to
// report.

#include <cxxabi.h>
#include <unistd.h>
#include <unwind.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

#include "base/check.h"
#include "base/env.h"
#include "base/futex.h"
#include "base/raw_print.h"
#include "leash/go.h"
#include "sched/park.h"
#include "sched/scheduler.h"
#include "sched/start_hooks.h"

namespace leash::rt {
namespace {

std::terminate_handler previous_handler = nullptr;

// As Go prints the value of a panic: lines after the first are indented, so that a text can not
// look like the header of a goroutine.
void PrintIndented(RawPrinter& out, std::string_view text) {
  for (;;) {
    const size_t newline = text.find('\n');
    out << text.substr(0, newline);
    if (newline == std::string_view::npos) return;
    out << "\n\t";
    text.remove_prefix(newline + 1);
  }
}

// "panic: <what>", or "panic: <type>" for what is not a std::exception.
void PrintCurrentException(RawPrinter& out) {
  out << "panic: ";
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    out << "terminate called without an active exception";
    return;
  }
  try {
    throw;
  } catch (const PanicError& e) {
    PrintIndented(out, e.what());
  } catch (const std::exception& e) {
    int status = 0;
    char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    out << (status == 0 ? name : type->name()) << ": ";
    PrintIndented(out, e.what());
    std::free(name);
  } catch (const char* text) {
    PrintIndented(out, text);
  } catch (...) {
    int status = 0;
    char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    out << "(" << (status == 0 ? name : type->name()) << ")";
    std::free(name);
  }
}

bool IsPanicError() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type != nullptr && *type == typeid(PanicError);
}

std::atomic<uint32_t> panicking{0};

[[noreturn]] void OnTerminate() {
  G* g = CurrentGOrNull();
  const bool ours = g != nullptr && (IsGoroutine(g) || IsPanicError());
  if (!ours) {
    if (previous_handler != nullptr) previous_handler();
    std::abort();
  }
  // One panic is reported; another at the same time waits for the end.
  if (panicking.exchange(1) != 0) {
    for (;;) FutexWait(&panicking, 1);
  }
  {
    RawPrinter out;
    PrintCurrentException(out);
    out << "\n";
  }
  const Traceback traceback = GetSettings().traceback;
  if (traceback != Traceback::kNone) PrintPanicStacks(g, traceback == Traceback::kAll);
  ExitProcess(2);
}

// Goexit's: called for each frame, and at the end of the stack, where nothing is left to unwind.
_Unwind_Reason_Code StopAtEnd(int, _Unwind_Action actions, _Unwind_Exception_Class,
                              _Unwind_Exception*, _Unwind_Context*, void*) {
  if ((actions & _UA_END_OF_STACK) != 0) ExitGoroutine();
  return _URC_NO_REASON;
}

// A catch (...) swallowed the unwinding: the runtime of C++ deletes the "exception".
void OnSwallowed(_Unwind_Reason_Code, _Unwind_Exception*) {
  Fatal("leash: Goexit was caught by a catch (...) that does not rethrow");
}

}  // namespace

void InstallTerminateHandler() { previous_handler = std::set_terminate(&OnTerminate); }

}  // namespace leash::rt

namespace leash {

void Goexit() {
  using namespace rt;  // NOLINT(google-build-using-namespace): the face of rt
  G* g = CurrentG();
  if (!IsGoroutine(g)) Panic("Goexit on a thread");
  // Not on this stack, whose frames are about to go. Freed when the record is used again.
  auto* exception = static_cast<_Unwind_Exception*>(std::calloc(1, sizeof(_Unwind_Exception)));
  if (exception == nullptr) Fatal("out of memory: Goexit");
  RareOf(g)->exit_exception = exception;
  g->rare |= kExitException;
  exception->exception_class = 0x6c656173684f5554;  // "leashOUT"
  exception->exception_cleanup = &OnSwallowed;
  _Unwind_ForcedUnwind(exception, &StopAtEnd, nullptr);
  InternalError("Goexit: the stack could not be unwound");
}

void Panic(std::string_view message) { throw PanicError(std::string(message)); }

}  // namespace leash
