#ifndef ISOLATES_DETAIL_PARCEL_DESTINATION_H_
#define ISOLATES_DETAIL_PARCEL_DESTINATION_H_

// In checked builds a hand-over has words: who gave what to whom. They are read out when somebody
// uses the message too late. In other builds nothing here does anything.

#include <cstdint>
#include <string_view>

#include "isolates/detail/check.h"

namespace isolates::internal {

// While alive: what this thread gives away goes there. On the stack; the words outlive it.
class HandOverTo {
 public:
  // "port", its name and number; or "future" alone.
  explicit HandOverTo(std::string_view kind, std::string_view name = {},
                      std::uint64_t number = 0) noexcept {
    if constexpr (kCheckedBuild) {
      words_ = {kind, name, number};
      outer_ = Exchange(&words_);
    }
  }
  ~HandOverTo() {
    if constexpr (kCheckedBuild) {
      Exchange(outer_);
    }
  }
  HandOverTo(const HandOverTo&) = delete;
  HandOverTo& operator=(const HandOverTo&) = delete;

  struct Words {
    std::string_view kind;
    std::string_view name;
    std::uint64_t number = 0;
  };
  // Of the calling thread; nullptr if nobody said where it goes.
  static const Words* Current() noexcept;

 private:
  static const Words* Exchange(const Words* words) noexcept;

  Words words_;
  const Words* outer_ = nullptr;
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_PARCEL_DESTINATION_H_
