// The names of leash that the checks know, and nothing behind them: a test
// parses in milliseconds. real-headers.cpp is the one that sees the real ones.
#ifndef LEASH_MOCK_H_
#define LEASH_MOCK_H_

namespace std {
using size_t = decltype(sizeof(0));
template <class T> struct remove_reference { using type = T; };
template <class T> struct remove_reference<T &> { using type = T; };
template <class T> struct remove_reference<T &&> { using type = T; };
template <class T>
constexpr typename remove_reference<T>::type &&move(T &&t) {
  return static_cast<typename remove_reference<T>::type &&>(t);
}
template <class T> struct reference_wrapper {
  T *object;
  operator T &() const { return *object; }
};
template <class T> reference_wrapper<T> ref(T &t) { return {&t}; }
template <class T> struct shared_ptr {
  T *object;
  T *get() const;
  T *operator->() const;
  T &operator*() const;
};
template <class T> struct unique_ptr {
  T *object;
  T *operator->() const;
  T &operator*() const;
  ~unique_ptr();
};
template <class T, class... A> shared_ptr<T> make_shared(A &&...) { return {}; }
template <class T> struct vector {
  T *begin() const;
  T *end() const;
  size_t size() const;
  T &operator[](size_t) const;
  void push_back(T);
};
struct string {
  string(const char *);
  string(const string &);
  ~string();
};
struct string_view {
  string_view() = default;
  string_view(const char *);
};
template <class F> class function;
template <class R, class... A> class function<R(A...)> {
public:
  function();
  template <class F> function(F) {}
  R operator()(A...) const;
};
template <class T> struct future {
  T get();
};
template <class T> struct promise {
  future<T> get_future();
  void set_value(T);
};
template <class T> struct atomic {
  T load() const;
  void store(T);
  T operator++(int);
};
struct condition_variable {
  void notify_all();
};
struct stop_token {
  bool stop_requested() const;
};
} // namespace std

namespace leash {

template <class F, class... A> void go(F, A &&...) {}
template <class F, class... A>
void GoBackground(std::string_view, F, A &&...) {}
struct GoOptions {
  std::size_t stack_bytes = 0;
  std::string_view name = {};
  std::string_view background = {};
};
template <class F, class... A> void GoWith(const GoOptions &, F, A &&...) {}
void Gosched();

class WaitGroup {
public:
  WaitGroup();
  WaitGroup(const WaitGroup &) = delete;
  void Add(int delta);
  void Done();
  void Wait();
  template <class F> void Go(F) {}
};
class Context {};
class CancelFunc {
public:
  void operator()() const;
};
class Group {
public:
  Group();
  explicit Group(const Context &);
  template <class F> void Go(F) {}
  template <class F> bool TryGo(F) { return true; }
  int Wait();
};
class Semaphore {
public:
  explicit Semaphore(long n);
  void Release(long n = 1);
};
struct Unit {};
template <class T> class Chan {
public:
  void Send(T) const;
  T Recv() const;
  void Close() const;
  T *begin() const;
  T *end() const;
};
template <class T> Chan<T> MakeChan(std::size_t capacity = 0);
template <class T> class SendChan {
public:
  SendChan(Chan<T>);
  void Send(T) const;
};
template <class T> class RecvChan {
public:
  T Recv() const;
};
class Mutex {
public:
  void Lock();
  void Unlock();
};
class MutexLock {
public:
  explicit MutexLock(Mutex *);
  ~MutexLock();
};
class Cond {
public:
  explicit Cond(Mutex *);
  void Signal();
};

struct Duration {
  long ns;
};
void Sleep(Duration);
RecvChan<long> After(Duration);
class Timer {
public:
  bool Stop();
};
Timer AfterFunc(Duration, std::function<void()> fn);
class StopFunc {
public:
  bool operator()() const;
};
StopFunc AfterFunc(const Context &, std::function<void()> fn);

namespace net {
class Conn {
public:
  Conn(Conn &&);
  ~Conn();
  long Read(char *, long);
  int Close();
};
class Listener {
public:
  Conn Accept();
};
} // namespace net

} // namespace leash

#endif // LEASH_MOCK_H_
