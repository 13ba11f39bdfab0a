// Where a writer's output goes, chunk by chunk.
//
// Writers never hold a whole dump: they fill a buffer, hand it over and start again, so a dump of
// ten million goroutines needs the memory of one chunk.

#ifndef LEASH_MODEL_SINK_H_
#define LEASH_MODEL_SINK_H_

#include <ostream>
#include <string>
#include <string_view>

namespace leash::internal {

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes all of `chunk`; the view is valid during the call only.
  virtual void Append(std::string_view chunk) = 0;
};

class StringSink : public Sink {
 public:
  explicit StringSink(std::string* out) : out_(out) {}
  void Append(std::string_view chunk) override { out_->append(chunk); }

 private:
  std::string* const out_;
};

class StreamSink : public Sink {
 public:
  explicit StreamSink(std::ostream* out) : out_(out) {}
  void Append(std::string_view chunk) override {
    out_->write(chunk.data(), static_cast<std::streamsize>(chunk.size()));
  }

 private:
  std::ostream* const out_;
};

// The buffer in front of a Sink. Writers append to text() and call Drain() between records.
class Buffer {
 public:
  explicit Buffer(Sink* sink) : sink_(sink) { text_.reserve(kDrainBytes + (kDrainBytes >> 2)); }
  std::string& text() { return text_; }
  void Drain() {
    if (text_.size() >= kDrainBytes) Flush();
  }
  void Flush() {
    if (!text_.empty()) sink_->Append(text_);
    text_.clear();
  }

 private:
  static constexpr size_t kDrainBytes = 64 << 10;
  Sink* const sink_;
  std::string text_;
};

}  // namespace leash::internal

#endif  // LEASH_MODEL_SINK_H_
