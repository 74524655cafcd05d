// Capability: a token that cannot be guessed and keeps its identity when it is sent.

#ifndef ISOLATES_CAPABILITY_H_
#define ISOLATES_CAPABILITY_H_

#include <cstdint>

namespace isolates {

class Capability {
 public:
  // A new one, different from all others.
  static Capability Create();
  // No right at all.
  Capability() = default;

  // False if it is no right at all.
  explicit operator bool() const noexcept { return token_ != 0; }
  // The same right?
  bool operator==(const Capability&) const noexcept = default;
  std::uint64_t token() const noexcept { return token_; }

 private:
  std::uint64_t token_ = 0;
};

}  // namespace isolates

#endif  // ISOLATES_CAPABILITY_H_
