// nlohmann::json: every block is met, documents are droppable as a whole.

#include "isolates/adapters/nlohmann_json.h"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

template <class Json>
Json MakeDocument(std::size_t records) {
  Json document = Json::array();
  for (std::size_t i = 0; i < records; ++i) {
    Json record;
    record["identifier of the record"] = i;
    record["name"] = LongText(i);
    record["short"] = "abc";
    record["tags"] = {"red", kLongText, i, -1, 1.5, nullptr, true};
    record["nested"] = {{"price", 1.5}, {"a key that is longer than the buffer", kLongText}};
    record["empty"] = {{"array", Json::array()}, {"object", Json::object()}, {"text", ""}};
    record["bytes"] = Json::binary({1, 2, 3, static_cast<std::uint8_t>(i)});
    record["no bytes"] = Json::binary({}, 7);
    document.push_back(std::move(record));
  }
  return document;
}

template <class Json>
class JsonTest : public TransferHeapTest {};

using Documents = testing::Types<nlohmann::json, nlohmann::ordered_json>;
TYPED_TEST_SUITE(JsonTest, Documents);

TYPED_TEST(JsonTest, IsOwnedAndDroppable) {
  static_assert(kTransferClass<TypeParam> == TransferClass::kOwned);
  static_assert(kRegionDroppable<TypeParam>);
  static_assert(kRegionDroppable<std::vector<std::pair<int, TypeParam>>>);
}

TYPED_TEST(JsonTest, EveryBlockIsMet) {
  SKIP_ON_PLAIN_MALLOC();
  this->ExpectExact([] { return MakeDocument<TypeParam>(200); });
  this->ExpectExact([] { return TypeParam(); });
}

TYPED_TEST(JsonTest, ParsedDocumentIsDroppedAsAWhole) {
  const std::string text = MakeDocument<nlohmann::json>(100).dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  Heap* const heap = this->FreshHeap();
  auto* const root = this->BuildIn(heap, [&text] { return TypeParam::parse(text); });
  auto parcel = SealParcel(heap, root, heap->is_parcel());
  EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc)
      << ToString(parcel.receipt().reason);
  EXPECT_EQ(parcel->size(), 100U);
  EXPECT_EQ((*parcel)[99]["name"], LongText(99));
  // Taken out, it is an ordinary value.
  TypeParam taken = std::move(parcel).Take();
  EXPECT_EQ(taken[5]["tags"][1], kLongText);
}

TYPED_TEST(JsonTest, DeepDocumentsAreWalked) {
  TypeParam document = 1;
  for (int depth = 0; depth < 100'000; ++depth) {
    TypeParam outer = TypeParam::array();
    outer.push_back(std::move(document));
    document = std::move(outer);
  }
  const VerifyReport report = Verify(document);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.blocks, 2 * 100'000U);
}

}  // namespace
}  // namespace isolates::internal
