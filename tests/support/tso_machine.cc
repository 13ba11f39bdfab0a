#include "support/tso_machine.h"

#include <cstdlib>
#include <utility>

namespace leash::testing {
namespace {

// Of so many steps one hands over to another thread, or lets a store reach memory.
constexpr uint64_t kStepsPerSwitch = 3;
constexpr uint64_t kStepsPerStore = 6;

#if defined(__x86_64__)
constexpr uint64_t kReturnAddressBytes = 8;
#else
constexpr uint64_t kReturnAddressBytes = 0;
#endif

}  // namespace

void TsoMachine::Run(std::vector<std::function<void()>> threads) {
  threads_.clear();
  threads_.resize(threads.size());
  current_ = this;
  for (size_t i = 0; i < threads.size(); ++i) {
    Thread& t = threads_[i];
    t.body = std::move(threads[i]);
    t.stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
    // As a call leaves it: aligned to 16 but for the return address.
    const uint64_t top = reinterpret_cast<uint64_t>(t.stack.get() + kStackBytes) & ~uint64_t{15};
    t.context = {top - kReturnAddressBytes, 0, reinterpret_cast<uint64_t>(&TsoMachine::Enter)};
  }
  for (size_t left = threads_.size(); left > 0;) {
    running_ = Random(threads_.size());
    if (threads_[running_].done) continue;
    SwitchTo(&back_, &threads_[running_].context);
    if (threads_[running_].done) --left;
  }
  for (Thread& t : threads_) Drain(t);
  current_ = nullptr;
}

void TsoMachine::Enter() {
  Thread& self = current_->threads_[current_->running_];
  self.body();
  self.done = true;
  SwitchTo(&self.context, &current_->back_);
  std::abort();  // nobody comes back to it
}

// Not inlined: see SwitchContext.
[[gnu::noinline]] void TsoMachine::SwitchTo(rt::Context* save, rt::Context* load) {
  rt::SwitchContext(save, load);
}

void TsoMachine::StepHere() {
  while (Random(kStepsPerStore) == 0) DrainOne(threads_[Random(threads_.size())]);
  if (Random(kStepsPerSwitch) == 0) SwitchTo(&threads_[running_].context, &back_);
}

void TsoMachine::Step() {
  if (current_ != nullptr) current_->StepHere();
}

void TsoMachine::DrainOne(Thread& thread) {
  if (thread.buffer.empty()) return;
  *thread.buffer.front().address = thread.buffer.front().value;
  thread.buffer.pop_front();
}

void TsoMachine::Drain(Thread& thread) {
  while (!thread.buffer.empty()) DrainOne(thread);
}

void TsoMachine::Fence() {
  if (current_ == nullptr) return;
  current_->StepHere();
  current_->Drain(current_->threads_[current_->running_]);
}

void TsoMachine::FenceEverywhere() {
  if (current_ == nullptr) return;
  current_->StepHere();
  for (Thread& t : current_->threads_) current_->Drain(t);
}

uint64_t TsoCell::Load() const {
  TsoMachine* machine = TsoMachine::current_;
  if (machine == nullptr) return memory_;
  machine->StepHere();
  const auto& buffer = machine->threads_[machine->running_].buffer;
  for (auto store = buffer.rbegin(); store != buffer.rend(); ++store) {
    if (store->address == &memory_) return store->value;
  }
  return memory_;
}

void TsoCell::Store(uint64_t value) {
  TsoMachine* machine = TsoMachine::current_;
  if (machine == nullptr) {
    memory_ = value;
    return;
  }
  machine->StepHere();
  machine->threads_[machine->running_].buffer.push_back({&memory_, value});
}

uint64_t* TsoCell::Lock() {
  TsoMachine::Fence();
  return &memory_;
}

}  // namespace leash::testing
