// Checks. ISOLATES_CHECK guards the public border and is on in every build; ISOLATES_DCHECK guards
// internal invariants and is on in checked builds only.

#ifndef ISOLATES_DETAIL_CHECK_H_
#define ISOLATES_DETAIL_CHECK_H_

namespace isolates::internal {

// Says what was wrong on the error output, without allocating, and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* message) noexcept;

#if defined(ISOLATES_CHECKED) && ISOLATES_CHECKED
inline constexpr bool kCheckedBuild = true;
#else
inline constexpr bool kCheckedBuild = false;
#endif

}  // namespace isolates::internal

#define ISOLATES_CHECK(condition, message)           \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::isolates::internal::CheckFailed(__FILE__, __LINE__, #condition, (message)))

#define ISOLATES_DCHECK(condition, message)                               \
  ((!::isolates::internal::kCheckedBuild || static_cast<bool>(condition)) \
       ? static_cast<void>(0)                                             \
       : ::isolates::internal::CheckFailed(__FILE__, __LINE__, #condition, (message)))

#endif  // ISOLATES_DETAIL_CHECK_H_
