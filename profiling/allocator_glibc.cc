// The phases with threads and the malloc of the C library: nothing of isolates, nor its allocator.
//
//   allocator_glibc [--quick]

#include <malloc.h>

#include <cstring>

#include "profiling/allocator_threads.h"

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[argc - 1], "--quick") == 0;
  return isolates::bench::RunPhases(isolates::bench::Threads([] { malloc_trim(0); }), quick);
}
