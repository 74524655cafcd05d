// How much the library tells of itself.

#ifndef ISOLATES_DETAIL_INSTRUMENTS_LEVEL_H_
#define ISOLATES_DETAIL_INSTRUMENTS_LEVEL_H_

// 0: nothing. 1: counters, and a trace while it is asked for. Set for the whole program by
// //bazel:settings: meters are members of classes that public headers define.
#ifndef ISOLATES_INSTRUMENTS
#define ISOLATES_INSTRUMENTS 1
#endif

namespace isolates::internal {

inline constexpr bool kInstruments = ISOLATES_INSTRUMENTS != 0;

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_INSTRUMENTS_LEVEL_H_
