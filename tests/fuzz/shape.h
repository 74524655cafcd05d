#ifndef ISOLATES_TESTS_FUZZ_SHAPE_H_
#define ISOLATES_TESTS_FUZZ_SHAPE_H_

// Shape<T>: how the fuzzer builds a T at random and how it surveys one. Written from the design's
// rules and the layout of the standard library, without a look at the library's traits.
//
//   kClass                      what the compile-time classification must say
//   Drop(vouched)               whether a region with it may be dropped as a whole; `vouched`: the
//                               enclosing class declares OwningMembers
//   kCountable                  Go reports each block of it, so that they can be counted
//   Fill(value, builder)        in place: nothing moves afterwards
//   Go(value, survey)
//
// This file has the base, numbers and what holds its parts in place; shape_*.h the rest.

#include <array>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "isolates/transfer.h"
#include "tests/fuzz/survey.h"

namespace isolates::fuzz {

enum class Drop : std::uint8_t {
  kYes,
  kEither,  // nothing speaks against it, but the library cannot prove that
  kNo,
};
constexpr Drop Worse(Drop a, Drop b) { return a > b ? a : b; }
constexpr TransferClass Worse(TransferClass a, TransferClass b) { return a > b ? a : b; }

template <class T>
struct Shape;

template <class T>
inline constexpr bool kPlainShape = Shape<T>::kClass == TransferClass::kPlain;

template <class T>
inline const char kTypeTag = 0;

template <class T>
T& As(void* place) {
  return *static_cast<T*>(place);
}
template <class T>
const T& As(const void* place) {
  return *static_cast<const T*>(place);
}

template <class T>
void FillIn(T& value, Builder& builder) {
  ++builder.depth;
  Shape<T>::Fill(value, builder);
  --builder.depth;
}
template <class T>
void GoInto(const T& value, Survey& survey) {
  // The survey changes nothing; places are changed later, through their addresses.
  Shape<std::remove_const_t<T>>::Go(const_cast<std::remove_const_t<T>&>(value), survey);
}
template <class T>
void GoMember(std::string_view label, const T& value, Survey& survey) {
  const std::size_t old = survey.Push(label);
  GoInto(value, survey);
  survey.Pop(old);
}

template <class T>
void Refill(void* place, Builder& builder) {
  T fresh{};
  FillIn(fresh, builder);
  using std::swap;
  swap(As<T>(place), fresh);
}

// ---- numbers ----

template <class T>
  requires(std::is_arithmetic_v<T>)
struct Shape<T> {
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(T& value, Builder& builder) {
    value = static_cast<T>(builder.random.Below(std::is_same_v<T, bool> ? 2 : 120));
  }
  static void Go(T& value, Survey& survey) { survey.Print(static_cast<std::uint64_t>(value)); }
};

template <>
struct Shape<std::complex<double>> {
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(std::complex<double>& value, Builder& builder) {
    value = {static_cast<double>(builder.random.Below(100)), 1.0};
  }
  static void Go(std::complex<double>& value, Survey& survey) {
    survey.Print(static_cast<std::uint64_t>(value.real()));
  }
};

template <>
struct Shape<std::chrono::milliseconds> {
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(std::chrono::milliseconds& value, Builder& builder) {
    value = std::chrono::milliseconds(builder.random.Below(1000));
  }
  static void Go(std::chrono::milliseconds& value, Survey& survey) {
    survey.Print(static_cast<std::uint64_t>(value.count()));
  }
};

template <>
struct Shape<std::monostate> {
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(std::monostate&, Builder&) {}
  static void Go(std::monostate&, Survey&) {}
};

// ---- parts in place ----

template <class... P>
struct HolderShape {
  static constexpr TransferClass kClass = [] {
    TransferClass worst = TransferClass::kPlain;
    ((worst = Worse(worst, Shape<P>::kClass)), ...);
    return worst;
  }();
  static constexpr bool kCountable = (Shape<P>::kCountable && ... && true);
  static constexpr Drop DropOf([[maybe_unused]] bool vouched) {
    Drop worst = Drop::kYes;
    ((worst = Worse(worst, Shape<P>::DropOf(vouched))), ...);
    return worst;
  }
};

// Elements of a range that is part of the value itself or of one block.
template <class Range>
void GoElements(Range& range, Survey& survey) {
  std::size_t index = 0;
  for (auto& element : range) {
    const std::size_t old = survey.PushIndex(index++);
    GoInto(element, survey);
    survey.Pop(old);
  }
}

template <class T, std::size_t N>
struct Shape<T[N]> : HolderShape<T> {
  static void Fill(T (&value)[N], Builder& builder) {
    for (T& element : value) FillIn(element, builder);
  }
  static void Go(T (&value)[N], Survey& survey) { GoElements(value, survey); }
};

template <class T, std::size_t N>
struct Shape<std::array<T, N>> : HolderShape<T> {
  static void Fill(std::array<T, N>& value, Builder& builder) {
    for (T& element : value) FillIn(element, builder);
  }
  static void Go(std::array<T, N>& value, Survey& survey) { GoElements(value, survey); }
};

template <class A, class B>
struct Shape<std::pair<A, B>> : HolderShape<std::remove_const_t<A>, B> {
  static void Fill(std::pair<A, B>& value, Builder& builder) {
    FillIn(value.first, builder);
    FillIn(value.second, builder);
  }
  static void Go(std::pair<A, B>& value, Survey& survey) {
    GoMember(".first", value.first, survey);
    GoMember(".second", value.second, survey);
  }
};

template <class... T>
struct Shape<std::tuple<T...>> : HolderShape<T...> {
  static void Fill(std::tuple<T...>& value, Builder& builder) {
    std::apply([&builder](T&... part) { (FillIn(part, builder), ...); }, value);
  }
  static void Go(std::tuple<T...>& value, Survey& survey) {
    std::apply(
        [&survey](T&... part) {
          int index = 0;
          (GoMember("<" + std::to_string(index++) + ">", part, survey), ...);
        },
        value);
  }
};

template <class T>
struct Shape<std::optional<T>> : HolderShape<T> {
  static void Fill(std::optional<T>& value, Builder& builder) {
    if (!builder.Have()) return;
    if constexpr (requires { Shape<T>::Make(builder); }) {
      value.emplace(Shape<T>::Make(builder));
    } else {
      FillIn(value.emplace(), builder);
    }
  }
  static void Go(std::optional<T>& value, Survey& survey) {
    survey.Print(value.has_value() ? 1 : 0);
    if (value.has_value()) GoInto(*value, survey);
  }
};

template <class... T>
struct Shape<std::variant<T...>> : HolderShape<T...> {
  static void Fill(std::variant<T...>& value, Builder& builder) {
    Emplace(value, builder, builder.Have() ? builder.random.Below(sizeof...(T)) : 0,
            std::index_sequence_for<T...>{});
  }
  static void Go(std::variant<T...>& value, Survey& survey) {
    survey.Print(value.index());
    std::visit([&survey](auto& alternative) { GoInto(alternative, survey); }, value);
  }

 private:
  template <std::size_t... I>
  static void Emplace(std::variant<T...>& value, Builder& builder, std::size_t index,
                      std::index_sequence<I...>) {
    ((I == index ? FillIn(value.template emplace<I>(), builder) : void()), ...);
  }
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_SHAPE_H_
