// Options of the form --name=value.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_ARGUMENTS_H_
#define ISOLATES_EXAMPLES_EXCHANGE_ARGUMENTS_H_

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace exchange {

// One argument of the command line.
template <class Error>
class Argument {
 public:
  explicit Argument(std::string_view text) : text_(text) {}

  bool Is(std::string_view flag) const { return text_ == flag; }
  // The value, if this is that option ("--name=").
  std::optional<std::string> Value(std::string_view option) const {
    if (!text_.starts_with(option)) return std::nullopt;
    return std::string(text_.substr(option.size()));
  }
  // The same as a number that Integer has. Throws Error.
  template <class Integer>
  bool Number(std::string_view option, Integer& number, Integer minimum = 0,
              Integer maximum = std::numeric_limits<Integer>::max()) const {
    const auto value = Value(option);
    if (!value) return false;
    const char* const end = value->data() + value->size();
    const auto [rest, error] = std::from_chars(value->data(), end, number);
    if (error != std::errc() || rest != end || number < minimum || number > maximum) {
      throw Error(std::string(option) + " wants a number from " + std::to_string(minimum) + " to " +
                  std::to_string(maximum) + ", not '" + *value + "'");
    }
    return true;
  }

 private:
  std::string_view text_;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_ARGUMENTS_H_
