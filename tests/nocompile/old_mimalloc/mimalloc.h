// Stands in for the header of an old mimalloc: the back end must refuse to compile with it.
#ifndef ISOLATES_TESTS_NOCOMPILE_OLD_MIMALLOC_MIMALLOC_H_
#define ISOLATES_TESTS_NOCOMPILE_OLD_MIMALLOC_MIMALLOC_H_

#define MI_MALLOC_VERSION 209

#endif  // ISOLATES_TESTS_NOCOMPILE_OLD_MIMALLOC_MIMALLOC_H_
