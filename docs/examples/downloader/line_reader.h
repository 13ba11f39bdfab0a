// Lines of a file, a pipe or a terminal, until its end or until a context ends: a read that nobody
// can call off would keep its goroutine for ever.

#ifndef LEASH_DOCS_EXAMPLES_DOWNLOADER_LINE_READER_H_
#define LEASH_DOCS_EXAMPLES_DOWNLOADER_LINE_READER_H_

#include <string>

#include "absl/status/status.h"
#include "leash/chan.h"
#include "leash/context.h"

namespace downloader {

// SendLines()
//
// Sends each line of the descriptor `fd` that is not blank, without the blanks at its ends. Blocks
// until all have been received or `ctx` has ended. Fails with the system's error.
absl::Status SendLines(const leash::Context& ctx, int fd,
                       const leash::SendChan<std::string>& lines);

}  // namespace downloader

#endif  // LEASH_DOCS_EXAMPLES_DOWNLOADER_LINE_READER_H_
