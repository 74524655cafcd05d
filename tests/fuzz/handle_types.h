#ifndef ISOLATES_TESTS_FUZZ_HANDLE_TYPES_H_
#define ISOLATES_TESTS_FUZZ_HANDLE_TYPES_H_

// Parts of messages that bring what they lead to along by themselves, and a third party's type by
// its adapter.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "isolates/adapters/nlohmann_json.h"
#include "isolates/detail/heap.h"
#include "isolates/frozen.h"
#include "isolates/make_parcel.h"
#include "isolates/transferable_typed_data.h"
#include "tests/fuzz/types.h"

namespace isolates::fuzz {

// No edge of theirs belongs to the graph: what is behind them was judged when they were made.
template <class T>
struct HandleShape {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kCountable = false;
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
};

// (They are made in the main heap: to freeze something or to give it away marks the heap of the
// maker, which this fuzzer decides itself.)
template <>
struct Shape<Frozen<std::string>> : HandleShape<Frozen<std::string>> {
  static void Fill(Frozen<std::string>& value, Builder& builder) {
    if (!builder.Have()) return;
    const internal::MainHeapScope scope;
    value = Freeze(std::string(builder.random.Below(40), 'f'));
  }
  static void Go(Frozen<std::string>& value, Survey& survey) {
    survey.PrintBytes(value ? value->data() : nullptr, value ? value->size() : 0);
  }
};

template <>
struct Shape<TransferableTypedData> : HandleShape<TransferableTypedData> {
  static void Fill(TransferableTypedData& value, Builder& builder) {
    if (!builder.Have()) return;
    const internal::MainHeapScope scope;
    value = TransferableTypedData::FromBytes(std::vector<std::byte>(builder.random.Below(60)));
  }
  static void Go(TransferableTypedData&, Survey&) {}
};

template <>
struct Shape<Parcel<std::vector<int>>> : HandleShape<Parcel<std::vector<int>>> {
  static void Fill(Parcel<std::vector<int>>& value, Builder& builder) {
    // A heap for each is dear.
    if (!builder.Have() || !builder.random.OneIn(16)) return;
    const internal::MainHeapScope scope;
    value = MakeParcel([size = builder.random.Below(30)] { return std::vector<int>(size, 7); });
  }
  static void Go(Parcel<std::vector<int>>& value, Survey& survey) {
    survey.Print(value ? value->size() : 1000);
    if (value && value.receipt().droppable) survey.NestedParcel();
  }
};

struct Handles {
  std::vector<Frozen<std::string>> frozen;
  TransferableTypedData bytes;
  Parcel<std::vector<int>> parcel;
  std::string text;
  std::string_view view;
};

template <>
struct Shape<Handles>
    : AggregateShape<Handles, std::vector<Frozen<std::string>>, TransferableTypedData,
                     Parcel<std::vector<int>>, std::string, std::string_view> {
  static void Fill(Handles& value, Builder& builder) {
    FillIn(value.frozen, builder);
    FillIn(value.bytes, builder);
    FillIn(value.parcel, builder);
    FillIn(value.text, builder);
  }
  static void Go(Handles& value, Survey& survey) {
    GoMember(".frozen", value.frozen, survey);
    GoMember(".bytes", value.bytes, survey);
    GoMember(".parcel", value.parcel, survey);
    GoMember(".text", value.text, survey);
    GoMember(".view", value.view, survey);
  }
};

// ---- nlohmann::json ----

// Its blocks are counted, but it is no place: how paths go on inside is the adapter's business.
template <>
struct Shape<nlohmann::json> {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kCountable = false;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(nlohmann::json& value, Builder& builder);
  static void Go(nlohmann::json& value, Survey& survey);
};

inline void Shape<nlohmann::json>::Fill(nlohmann::json& value, Builder& builder) {
  switch (builder.random.Below(6)) {
    case 0:
      break;
    case 1:
      value = builder.random.Below(1000);
      break;
    case 2:
      value = std::string(builder.random.Below(40), 'j');
      break;
    case 3:
      value = nlohmann::json::array();
      for (std::size_t n = builder.Size(); n > 0; --n) value.emplace_back();
      for (nlohmann::json& element : value) FillIn(element, builder);
      break;
    default:
      value = nlohmann::json::object();
      for (std::size_t n = builder.Size(); n > 0; --n) {
        FillIn(value[std::string(builder.random.Below(30), 'k')], builder);
      }
  }
}

inline void Shape<nlohmann::json>::Go(nlohmann::json& value, Survey& survey) {
  using Json = nlohmann::json;
  survey.Print(static_cast<std::uint64_t>(value.type()));
  const auto go_text = [&survey](const std::string& text) {
    survey.PrintBytes(text.data(), text.size());
    if (text.capacity() <= 15) return;
    survey.Blocks(1);
    survey.Owns(text.data(), text.capacity() + 1, true);
  };
  if (const auto* const text = value.get_ptr<const Json::string_t*>()) {
    survey.Blocks(1);
    go_text(*text);
  } else if (auto* const elements = value.get_ptr<Json::array_t*>()) {
    survey.Blocks(elements->capacity() == 0 ? 1 : 2);
    for (Json& element : *elements) Go(element, survey);
  } else if (auto* const members = value.get_ptr<Json::object_t*>()) {
    survey.Blocks(1 + members->size());
    for (auto& [key, member] : *members) {
      go_text(key);
      Go(member, survey);
    }
  } else if (value.is_number()) {
    survey.Print(value.get<std::uint64_t>());
  }
}

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_HANDLE_TYPES_H_
