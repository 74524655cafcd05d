#ifndef ISOLATES_DETAIL_TRANSFER_NAMES_H_
#define ISOLATES_DETAIL_TRANSFER_NAMES_H_

// Names of types and members at compile time, taken from what the compiler calls them.

#include <cstddef>
#include <string_view>

namespace isolates::internal {

template <class T>
constexpr std::string_view PrettyType() {
  return __PRETTY_FUNCTION__;
}
template <auto V>
constexpr std::string_view PrettyValue() {
  return __PRETTY_FUNCTION__;
}

// "std::mutex", as the compiler spells it.
template <class T>
constexpr std::string_view TypeNameOf() {
  std::string_view text = PrettyType<T>();
  text.remove_prefix(text.find("T = ") + 4);
  // g++ goes on with "; std::string_view = ..."; both end with "]".
  const std::size_t more = text.find("; std::string_view = ");
  text.remove_suffix(more == std::string_view::npos ? 1 : text.size() - more);
  return text;
}

constexpr bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The last identifier in the spelling of a pointer to member or to a member of an object.
template <auto V>
constexpr std::string_view MemberNameOf() {
  std::string_view text = PrettyValue<V>();
  const std::size_t more = text.find("; std::string_view = ");
  if (more != std::string_view::npos) text.remove_suffix(text.size() - more);
  while (!text.empty() && !IsNameCharacter(text.back())) text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin > 0 && IsNameCharacter(text[begin - 1])) --begin;
  return text.substr(begin);
}

// Whether a type's name is that of a lambda expression: "main()::<lambda(int)>" for g++,
// "(lambda at file.cc:1:2)" for clang. Not for templates over one or types inside of one.
constexpr bool IsClosureName(std::string_view name) {
  if (name.ends_with(" mutable")) name.remove_suffix(8);
  if (name.starts_with("(lambda at ")) return name.ends_with(')');
  if (!name.ends_with('>')) return false;
  int depth = 0;
  for (std::size_t i = name.size(); i > 0; --i) {
    const char c = name[i - 1];
    if (c == '>' && !(i >= 2 && name[i - 2] == '-')) ++depth;
    if (c == '<' && --depth == 0) return name.substr(i - 1).starts_with("<lambda(");
  }
  return false;
}

// "Order" for "shop::Order", "Box<int>" for "shop::Box<int>".
constexpr std::string_view WithoutNamespace(std::string_view name) {
  int depth = 0;
  for (std::size_t i = name.size(); i > 0; --i) {
    const char c = name[i - 1];
    if (c == '>' || c == ')') ++depth;
    if (c == '<' || c == '(') --depth;
    if (c == ':' && depth == 0) return name.substr(i);
  }
  return name;
}

// A string that can be a template argument; compilers print it in their messages.
template <std::size_t N>
struct FixedString {
  char text[N]{};
  constexpr FixedString() = default;
  constexpr FixedString(const char (&literal)[N]) {  // NOLINT(google-explicit-constructor)
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

// "." and the name, in static storage.
template <auto V>
struct MemberLabel {
  static constexpr std::string_view kName = MemberNameOf<V>();
  struct Storage {
    char text[kName.size() + 1]{};
    constexpr Storage() {
      text[0] = '.';
      for (std::size_t i = 0; i < kName.size(); ++i) text[i + 1] = kName[i];
    }
  };
  static constexpr Storage kStorage{};
  static constexpr std::string_view kLabel{kStorage.text, kName.size() + 1};
};

// "." or "[" and a number, for parts without a name.
template <std::size_t Index>
struct IndexLabel {
  static constexpr std::size_t Digits() {
    std::size_t digits = 1;
    for (std::size_t rest = Index; rest >= 10; rest /= 10) ++digits;
    return digits;
  }
  template <std::size_t N>
  struct Storage {
    char text[N]{};
  };
  static constexpr auto Make(std::string_view before, std::string_view after) {
    Storage<32> storage;
    std::size_t at = 0;
    for (const char c : before) storage.text[at++] = c;
    std::size_t rest = Index;
    for (std::size_t i = Digits(); i > 0; --i) {
      storage.text[at + i - 1] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    }
    at += Digits();
    for (const char c : after) storage.text[at++] = c;
    return storage;
  }
  static constexpr auto kField = Make(".field ", "");
  static constexpr std::string_view kFieldLabel{kField.text, 7 + Digits()};
  static constexpr auto kElement = Make("<", ">");
  static constexpr std::string_view kElementLabel{kElement.text, 2 + Digits()};
};

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_TRANSFER_NAMES_H_
