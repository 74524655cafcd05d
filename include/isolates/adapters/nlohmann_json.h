#ifndef ISOLATES_ADAPTERS_NLOHMANN_JSON_H_
#define ISOLATES_ADAPTERS_NLOHMANN_JSON_H_

// Lets nlohmann::json and nlohmann::ordered_json be sent, and be dropped as parts of a parcel.
//
// A document owns everything that it leads to, its destructor does nothing but free it, and who
// holds it by const reference gets const references only: both kinds are region-droppable. The
// addresses of all blocks are known: the text, array or object behind a value is a block of its
// own.

#include <memory>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "isolates/transfer.h"

namespace isolates {
namespace adapters {

template <class Json>
struct JsonTraits {
  static_assert(std::is_same_v<typename Json::allocator_type, std::allocator<Json>>);

  using Parts = TypeList<typename Json::string_t, typename Json::binary_t::container_type,
                         typename Json::array_t, typename Json::object_t>;
  static constexpr Moving kMoving = Moving::kTakesAll;
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = true;
  static constexpr bool kCarrier = true;
  static constexpr Constness kConstness = Constness::kDeep;

  static void Walk(const Json& value, Walker& walker) {
    switch (value.type()) {
      case Json::value_t::string:
        Go(value.template get_ptr<const typename Json::string_t*>(), walker);
        return;
      case Json::value_t::array:
        Go(value.template get_ptr<const typename Json::array_t*>(), walker);
        return;
      case Json::value_t::object:
        Go(value.template get_ptr<const typename Json::object_t*>(), walker);
        return;
      case Json::value_t::binary: {
        const auto* const binary = value.template get_ptr<const typename Json::binary_t*>();
        walker.Block(binary, sizeof(*binary));
        walker.Visit(static_cast<const typename Json::binary_t::container_type&>(*binary));
        return;
      }
      default:
        return;  // in place
    }
  }

 private:
  template <class T>
  static void Go(const T* part, Walker& walker) {
    walker.Block(part, sizeof(T));
    walker.Visit(*part);
  }
};

}  // namespace adapters

template <>
struct TransferTraits<nlohmann::json> : adapters::JsonTraits<nlohmann::json> {};

template <>
struct TransferTraits<nlohmann::ordered_json> : adapters::JsonTraits<nlohmann::ordered_json> {};

// ordered_json's objects are vectors of pairs.
template <class K, class V, class Less, class A>
struct TransferTraits<nlohmann::ordered_map<K, V, Less, A>> {
  using Vector = typename nlohmann::ordered_map<K, V, Less, A>::Container;
  using Parts = TypeList<Vector>;
  static constexpr TransferClass kClass = TransferClass::kPlain;
  static constexpr bool kDroppable = true;
  static constexpr bool kCarrier = true;
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const nlohmann::ordered_map<K, V, Less, A>& value, Walker& walker) {
    walker.Visit(static_cast<const Vector&>(value));
  }
};

}  // namespace isolates

#endif  // ISOLATES_ADAPTERS_NLOHMANN_JSON_H_
