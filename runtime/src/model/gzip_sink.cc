// Compresses what passes through it.

#include "model/gzip_sink.h"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace leash::internal {

struct GzipSink::Stream {
  z_stream z = {};
  char out[32 << 10];
};

GzipSink::GzipSink(Sink* sink) : sink_(sink), stream_(std::make_unique<Stream>()) {
  // 15: the largest window; 16 more: a gzip header rather than zlib's. The one failure is memory.
  if (deflateInit2(&stream_->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

GzipSink::~GzipSink() { deflateEnd(&stream_->z); }

void GzipSink::Deflate(std::string_view chunk, int flush) {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));
  z.avail_in = static_cast<uInt>(chunk.size());
  do {
    z.next_out = reinterpret_cast<Bytef*>(stream_->out);
    z.avail_out = sizeof stream_->out;
    deflate(&z, flush);
    sink_->Append({stream_->out, sizeof stream_->out - z.avail_out});
  } while (z.avail_out == 0);
}

void GzipSink::Append(std::string_view chunk) {
  constexpr size_t kStep = size_t{1} << 30;  // avail_in has 32 bits
  for (; !chunk.empty(); chunk.remove_prefix(std::min(chunk.size(), kStep))) {
    Deflate(chunk.substr(0, kStep), Z_NO_FLUSH);
  }
}

void GzipSink::Finish() { Deflate({}, Z_FINISH); }

}  // namespace leash::internal
