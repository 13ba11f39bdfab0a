// The part of ThreadSanitizer's interface that its reports are read with. gcc has no header for it,
// and clang's declares it for debuggers only.

#ifndef LEASH_INTEGRATION_RACE_TSAN_INTERFACE_H_
#define LEASH_INTEGRATION_RACE_TSAN_INTERFACE_H_

namespace __tsan {
class ReportDesc;
// Weak in ThreadSanitizer. Called for each report before it is printed; true: it is not to be.
bool OnReport(const ReportDesc* report, bool suppressed);
// At the end of the process; true: it has failed.
bool OnFinalize(bool failed);
// Between these, which do not nest, the calling thread's memory comes from ThreadSanitizer's own
// allocator. Null with gcc, whose ThreadSanitizer has no slots.
[[gnu::weak]] void EnterSymbolizer();
[[gnu::weak]] void ExitSymbolizer();
}  // namespace __tsan

extern "C" {
int __tsan_get_report_data(void* report, const char** description, int* count, int* stack_count,
                           int* mop_count, int* loc_count, int* mutex_count, int* thread_count,
                           int* unique_tid_count, void** sleep_trace, unsigned long trace_size);
int __tsan_get_report_stack(void* report, unsigned long index, void** trace,
                            unsigned long trace_size);
int __tsan_get_report_mop(void* report, unsigned long index, int* tid, void** address, int* size,
                          int* write, int* atomic, void** trace, unsigned long trace_size);
int __tsan_get_report_thread(void* report, unsigned long index, int* tid, unsigned long* os_id,
                             int* running, const char** name, int* parent_tid, void** trace,
                             unsigned long trace_size);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
void AnnotateIgnoreSyncBegin(const char* file, int line);
void AnnotateIgnoreSyncEnd(const char* file, int line);
}

#endif  // LEASH_INTEGRATION_RACE_TSAN_INTERFACE_H_
