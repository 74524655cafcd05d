#ifndef ISOLATES_DETAIL_TRANSFER_STD_VALUES_H_
#define ISOLATES_DETAIL_TRANSFER_STD_VALUES_H_

// Standard types that hold their parts in place.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "isolates/detail/transfer_traits.h"

namespace isolates {
namespace internal {

// Holds its parts in place and destroys them, nothing else.
template <class... P>
struct HolderTraits {
  using Parts = TypeList<P...>;
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kDroppable = true;
  static constexpr bool kCarrier = true;
  static constexpr Moving kMoving =
      (kMovesAsPart<P> && ... && true) ? Moving::kByParts : Moving::kMayCopy;
  static constexpr Constness kConstness = Constness::kDeep;
};

template <class... P>
struct IndexedHolderTraits : HolderTraits<P...> {
  template <std::size_t... I>
  static constexpr std::string_view LabelOf(std::size_t index, std::index_sequence<I...>) {
    constexpr std::string_view kLabels[] = {IndexLabel<I>::kElementLabel..., {}};
    return kLabels[index];
  }
  static constexpr std::string_view Label(std::size_t index) {
    return LabelOf(index, std::index_sequence_for<P...>{});
  }
};

}  // namespace internal

template <class T, std::size_t N>
struct TransferTraits<T[N]> : internal::HolderTraits<T> {
  static constexpr std::string_view Label(std::size_t) { return "[]"; }
  static void Walk(const T (&value)[N], internal::Walker& walker) { walker.Elements(value); }
};

template <class T, std::size_t N>
struct TransferTraits<std::array<T, N>> : internal::HolderTraits<T> {
  static constexpr std::string_view Label(std::size_t) { return "[]"; }
  static void Walk(const std::array<T, N>& value, internal::Walker& walker) {
    walker.Elements(value);
  }
};

template <class A, class B>
struct TransferTraits<std::pair<A, B>> : internal::HolderTraits<A, B> {
  static constexpr std::string_view Label(std::size_t index) {
    return index == 0 ? ".first" : ".second";
  }
  static void Walk(const std::pair<A, B>& value, internal::Walker& walker) {
    walker.Element<A>(".first", value.first);
    walker.Element<B>(".second", value.second);
  }
};

template <class... T>
struct TransferTraits<std::tuple<T...>> : internal::IndexedHolderTraits<T...> {
  static void Walk(const std::tuple<T...>& value, internal::Walker& walker) {
    WalkAt(value, walker, std::index_sequence_for<T...>{});
  }

 private:
  template <std::size_t... I>
  static void WalkAt(const std::tuple<T...>& value, internal::Walker& walker,
                     std::index_sequence<I...>) {
    (walker.Element<T>(internal::IndexLabel<I>::kElementLabel, std::get<I>(value)), ...);
  }
};

template <class T>
struct TransferTraits<std::optional<T>> : internal::HolderTraits<T> {
  static void Walk(const std::optional<T>& value, internal::Walker& walker) {
    if (value.has_value()) walker.Visit(*value);
  }
};

template <class... T>
struct TransferTraits<std::variant<T...>> : internal::IndexedHolderTraits<T...> {
  static void Walk(const std::variant<T...>& value, internal::Walker& walker) {
    if (value.valueless_by_exception()) return;
    std::visit([&walker](const auto& alternative) { walker.Visit(alternative); }, value);
  }
};

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_STD_VALUES_H_
