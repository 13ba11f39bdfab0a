// Elements that are bytes, copied from where they are to where they are wanted.

#ifndef LEASH_CHAN_COPY_ELEMENT_H_
#define LEASH_CHAN_COPY_ELEMENT_H_

#include <cstddef>
#include <cstring>

namespace leash::rt {

#if LEASH_RACE
// Without ThreadSanitizer's knowledge: its memcpy would take the copy for an access by the caller,
// to a stack that is another's. Volatile, lest the loop be made a memcpy.
inline void CopyElement(void* to, const void* from, size_t n) {
  volatile char* t = static_cast<volatile char*>(to);
  const volatile char* f = static_cast<const volatile char*>(from);
  for (size_t i = 0; i < n; ++i) t[i] = f[i];
}
#else
inline void CopyElement(void* to, const void* from, size_t n) {
  if (n == 8) {
    std::memcpy(to, from, 8);
  } else if (n == 4) {
    std::memcpy(to, from, 4);
  } else {
    std::memcpy(to, from, n);
  }
}
#endif

}  // namespace leash::rt

#endif  // LEASH_CHAN_COPY_ELEMENT_H_
