// Compresses what passes through it.

#ifndef LEASH_MODEL_GZIP_SINK_H_
#define LEASH_MODEL_GZIP_SINK_H_

#include <memory>
#include <string_view>

#include "model/sink.h"

namespace leash::internal {

// One gzip member. Finish() must be called once, after the last Append. `sink` must outlive this.
class GzipSink : public Sink {
 public:
  explicit GzipSink(Sink* sink);
  ~GzipSink() override;
  void Append(std::string_view chunk) override;
  void Finish();

 private:
  struct Stream;
  void Deflate(std::string_view chunk, int flush);

  Sink* const sink_;
  const std::unique_ptr<Stream> stream_;
};

}  // namespace leash::internal

#endif  // LEASH_MODEL_GZIP_SINK_H_
