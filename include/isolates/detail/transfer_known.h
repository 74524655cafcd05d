#ifndef ISOLATES_DETAIL_TRANSFER_KNOWN_H_
#define ISOLATES_DETAIL_TRANSFER_KNOWN_H_

// Types of the standard library that are recognized by name, so that messages need not include the
// headers of threads, streams or regular expressions. Nobody else may put names into namespace std.

#include <cstddef>
#include <string_view>

namespace isolates::internal {

struct KnownType {
  std::string_view prefix;  // without inline namespaces
  std::string_view problem;
  std::string_view remedy;
};

inline constexpr std::string_view kLockProblem =
    "is bound to its place and to those who wait for it";
inline constexpr std::string_view kLockRemedy =
    "keep it out of messages: isolates share nothing that would need a lock";
inline constexpr std::string_view kThreadProblem = "is a handle to a thread of this isolate";
inline constexpr std::string_view kThreadRemedy = "use Isolate::Spawn and send ports";
inline constexpr std::string_view kFutureProblem = "shares its state with another thread";
inline constexpr std::string_view kFutureRemedy = "await the result and send the value";
inline constexpr std::string_view kStreamProblem = "is an open stream or file";
inline constexpr std::string_view kStreamRemedy = "send the path or the data that was read";
inline constexpr std::string_view kFrameProblem =
    "leads into a coroutine or exception of this isolate";
inline constexpr std::string_view kFrameRemedy =
    "send a value: the result, or the message of the error";
inline constexpr std::string_view kAtomicProblem = "is made for sharing, which isolates do not do";
inline constexpr std::string_view kAtomicRemedy = "send the plain value";
inline constexpr std::string_view kAnyProblem = "holds a type that nobody can see at compile time";
inline constexpr std::string_view kHiddenProblem = "shares state that the library cannot see";
inline constexpr std::string_view kHiddenRemedy =
    "send the text or the numbers that it is made from";

inline constexpr KnownType kKnownRejected[] = {
    {"std::mutex", kLockProblem, kLockRemedy},
    {"std::recursive_mutex", kLockProblem, kLockRemedy},
    {"std::timed_mutex", kLockProblem, kLockRemedy},
    {"std::recursive_timed_mutex", kLockProblem, kLockRemedy},
    {"std::shared_mutex", kLockProblem, kLockRemedy},
    {"std::shared_timed_mutex", kLockProblem, kLockRemedy},
    {"std::condition_variable", kLockProblem, kLockRemedy},
    {"std::condition_variable_any", kLockProblem, kLockRemedy},
    {"std::once_flag", kLockProblem, kLockRemedy},
    {"std::lock_guard<", kLockProblem, kLockRemedy},
    {"std::unique_lock<", kLockProblem, kLockRemedy},
    {"std::shared_lock<", kLockProblem, kLockRemedy},
    {"std::scoped_lock<", kLockProblem, kLockRemedy},
    {"std::counting_semaphore<", kLockProblem, kLockRemedy},
    {"std::latch", kLockProblem, kLockRemedy},
    {"std::barrier<", kLockProblem, kLockRemedy},
    {"std::thread", kThreadProblem, kThreadRemedy},
    {"std::jthread", kThreadProblem, kThreadRemedy},
    {"std::stop_token", kFutureProblem, kFutureRemedy},
    {"std::stop_source", kFutureProblem, kFutureRemedy},
    {"std::stop_callback<", kFutureProblem, kFutureRemedy},
    {"std::future<", kFutureProblem, kFutureRemedy},
    {"std::shared_future<", kFutureProblem, kFutureRemedy},
    {"std::promise<", kFutureProblem, kFutureRemedy},
    {"std::packaged_task<", kFutureProblem, kFutureRemedy},
    {"std::basic_ios<", kStreamProblem, kStreamRemedy},
    {"std::basic_istream<", kStreamProblem, kStreamRemedy},
    {"std::basic_ostream<", kStreamProblem, kStreamRemedy},
    {"std::basic_iostream<", kStreamProblem, kStreamRemedy},
    {"std::basic_ifstream<", kStreamProblem, kStreamRemedy},
    {"std::basic_ofstream<", kStreamProblem, kStreamRemedy},
    {"std::basic_fstream<", kStreamProblem, kStreamRemedy},
    {"std::basic_istringstream<", kStreamProblem, "send str()"},
    {"std::basic_ostringstream<", kStreamProblem, "send str()"},
    {"std::basic_stringstream<", kStreamProblem, "send str()"},
    {"std::basic_streambuf<", kStreamProblem, kStreamRemedy},
    {"std::basic_filebuf<", kStreamProblem, kStreamRemedy},
    {"std::basic_stringbuf<", kStreamProblem, "send str()"},
    {"std::basic_osyncstream<", kStreamProblem, kStreamRemedy},
    {"_IO_FILE", kStreamProblem, kStreamRemedy},
    {"std::filesystem::directory_iterator", kStreamProblem, kStreamRemedy},
    {"std::filesystem::recursive_directory_iterator", kStreamProblem, kStreamRemedy},
    {"std::filesystem::directory_entry", kHiddenProblem, "send its path()"},
    {"std::coroutine_handle<", kFrameProblem, kFrameRemedy},
    {"std::__exception_ptr::exception_ptr", kFrameProblem, kFrameRemedy},
    {"std::exception_ptr", kFrameProblem, kFrameRemedy},
    {"std::nested_exception", kFrameProblem, kFrameRemedy},
    {"std::atomic<", kAtomicProblem, kAtomicRemedy},
    {"std::atomic_ref<", kAtomicProblem, kAtomicRemedy},
    {"std::atomic_flag", kAtomicProblem, kAtomicRemedy},
    {"std::move_only_function<", kAnyProblem, "send a function pointer and typed arguments"},
    {"std::_Bind<", "hides what it has bound", "use a lambda, or a function with typed arguments"},
    {"std::_Bind_front<", "hides what it has bound",
     "use a lambda, or a function with typed arguments"},
    {"std::locale", kHiddenProblem, kHiddenRemedy},
    {"std::basic_regex<", kHiddenProblem, kHiddenRemedy},
    {"std::match_results<", "holds iterators into the text", "send the matched strings"},
    {"std::sub_match<", "holds iterators into the text", "send the matched string"},
    {"std::random_device", kStreamProblem, "send a seed"},
    {"std::allocator<", "is no data", "leave it out"},
    {"std::pmr::polymorphic_allocator<", "leads to a memory resource of this isolate",
     "leave it out"},
    {"std::pmr::memory_resource", "owns the memory of this isolate", "leave it out"},
    {"std::pmr::monotonic_buffer_resource", "owns the memory of this isolate", "leave it out"},
    {"std::pmr::unsynchronized_pool_resource", "owns the memory of this isolate", "leave it out"},
    {"std::pmr::synchronized_pool_resource", "owns the memory of this isolate", "leave it out"},
};

// Accepted as bytes, provided that they are trivially copyable.
inline constexpr std::string_view kKnownPlain[] = {
    "std::bitset<",
    "std::complex<float>",
    "std::complex<double>",
    "std::complex<long double>",
    "std::error_code",  // its category is an immutable object of the program
    "std::error_condition",
    "std::source_location",  // leads to literals
    "std::type_index",
    "std::chrono::duration<",
    "std::chrono::time_point<",
    "std::chrono::day",
    "std::chrono::month",
    "std::chrono::month_day",
    "std::chrono::month_day_last",
    "std::chrono::month_weekday",
    "std::chrono::month_weekday_last",
    "std::chrono::weekday",
    "std::chrono::weekday_indexed",
    "std::chrono::weekday_last",
    "std::chrono::year",
    "std::chrono::year_month",
    "std::chrono::year_month_day",
    "std::chrono::year_month_day_last",
    "std::chrono::year_month_weekday",
    "std::chrono::year_month_weekday_last",
    "std::chrono::hh_mm_ss<",
    "std::uniform_int_distribution<",
    "std::uniform_real_distribution<",
    "std::normal_distribution<",
    "std::bernoulli_distribution",
    "std::exponential_distribution<",
    "std::linear_congruential_engine<",
    "std::mersenne_twister_engine<",
    "std::filesystem::space_info",
    "std::filesystem::file_status",
    "std::thread::id",
    "std::strong_ordering",
    "std::weak_ordering",
    "std::partial_ordering",
};

// Compares a type's name with a known one, passing over inline namespaces ("std::__cxx11::",
// "std::__1::", "std::chrono::_V2::"). A known name that ends with '<' matches every
// specialization.
constexpr bool MatchesKnown(std::string_view name, std::string_view known) {
  std::size_t n = 0;
  std::size_t k = 0;
  while (k < known.size()) {
    if (n > 0 && name[n - 1] == ':') {
      for (const std::string_view skipped : {"__cxx11::", "__1::", "_V2::"}) {
        if (name.substr(n).starts_with(skipped)) n += skipped.size();
      }
    }
    if (n >= name.size() || name[n] != known[k]) return false;
    ++n;
    ++k;
  }
  return known.ends_with('<') || n == name.size();
}

inline constexpr std::size_t kNotKnown = sizeof(kKnownRejected) / sizeof(kKnownRejected[0]);

// The index of the type in kKnownRejected, or kNotKnown. (An index and not a pointer: g++ with
// -fsanitize=undefined does not compare pointers to inline variables at compile time.)
constexpr std::size_t FindKnown(std::string_view name) {
  if (!name.starts_with("std::") && !name.starts_with("_IO_")) return kNotKnown;
  for (std::size_t i = 0; i < kNotKnown; ++i) {
    if (MatchesKnown(name, kKnownRejected[i].prefix)) return i;
  }
  return kNotKnown;
}

constexpr bool IsKnownPlain(std::string_view name) {
  if (!name.starts_with("std::")) return false;
  for (const std::string_view known : kKnownPlain) {
    if (MatchesKnown(name, known)) return true;
  }
  return false;
}

constexpr bool IsStdType(std::string_view name, std::string_view known) {
  return name.starts_with("std::") && MatchesKnown(name, known);
}

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_KNOWN_H_
