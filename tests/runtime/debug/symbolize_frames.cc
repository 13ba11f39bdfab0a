// See symbolize_frames.h. SYMBOLIZE_FRAMES_NAME is the name of this build's entry. The test knows
// the numbers of these lines.

#include "runtime/debug/symbolize_frames.h"

#include <functional>
#include <string>

static volatile int symbolize_sink;
#define USE symbolize_sink = symbolize_sink + 1

namespace leash::internal {
template <class F>
[[gnu::noinline]] void SYMBOLIZE_FRAMES_NAME(const F& f) {
  f();
  USE;
}
template <class F>
[[gnu::always_inline]] inline void Inlined(const F& f) {
  f();
  USE;
}
}  // namespace leash::internal

namespace app {
namespace SYMBOLIZE_FRAMES_NAME {

struct Key {
  int value;
};

struct Cache {
  leash_test::Leaf leaf;
  void* arg;

  [[gnu::noinline]] void Evict(const Key& key) {
    leaf(arg);
    symbolize_sink = symbolize_sink + key.value;
  }
  [[gnu::always_inline]] void Drop(Key key) {
    Evict(key);
    USE;
  }
  [[gnu::noinline]] void Clear(const std::string& why) {
    Drop(Key{static_cast<int>(why.size())});
    USE;
  }
  [[gnu::noinline]] void Run() {
    const std::function<void()> clear = [this] {
      Clear("full");
      USE;
    };
    clear();
    USE;
  }
};

}  // namespace SYMBOLIZE_FRAMES_NAME
}  // namespace app

namespace leash_test {

[[gnu::noinline]] void SYMBOLIZE_FRAMES_NAME(Leaf leaf, void* arg) {
  app::SYMBOLIZE_FRAMES_NAME::Cache cache{leaf, arg};
  leash::internal::SYMBOLIZE_FRAMES_NAME([&cache] {
    leash::internal::Inlined([&cache] {
      cache.Run();
      USE;
    });
    USE;
  });
  USE;
}

}  // namespace leash_test
