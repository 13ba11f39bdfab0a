// AddressSanitizer's and ThreadSanitizer's view of goroutines: fibers. Empty without them.

#ifndef LEASH_BASE_SANITIZERS_H_
#define LEASH_BASE_SANITIZERS_H_

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define LEASH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEASH_ASAN 1
#endif
#endif
#ifndef LEASH_ASAN
#define LEASH_ASAN 0
#endif

// For what reads where AddressSanitizer has forbidden it, or must not take a frame of its own.
#if LEASH_ASAN
#define LEASH_NO_ASAN __attribute__((no_sanitize("address")))
#else
#define LEASH_NO_ASAN
#endif

#if LEASH_ASAN
extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old,
                                     size_t* size_old);
void __asan_poison_memory_region(const volatile void* addr, size_t size);
void __asan_unpoison_memory_region(const volatile void* addr, size_t size);
void* __asan_get_current_fake_stack();
void* __asan_addr_is_in_fake_stack(void* fake_stack, void* addr, void** begin, void** end);
void __asan_get_shadow_mapping(size_t* scale, size_t* offset);
void __lsan_register_root_region(const void* p, size_t size);
void __lsan_unregister_root_region(const void* p, size_t size);
}
#endif

#if LEASH_RACE
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_set_fiber_name(void* fiber, const char* name);
}
// A switch orders nothing: goroutines that happen to share a thread race all the same.
inline constexpr unsigned kTsanNoSync = 1;
#endif

#endif  // LEASH_BASE_SANITIZERS_H_
