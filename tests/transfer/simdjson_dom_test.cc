// simdjson's documents: both buffers are met, elements are judged by the place of their document.

#include "isolates/adapters/simdjson_dom.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

namespace dom = simdjson::dom;

std::string Text(std::size_t records) {
  std::string text = "[";
  for (std::size_t i = 0; i < records; ++i) {
    text += R"({"name": ")" + LongText(i) + R"(", "tags": ["red", 1, 2.5, null, true], "at": )" +
            std::to_string(i) + "},";
  }
  text.back() = ']';
  return text;
}

dom::document Parse(const std::string& text) {
  dom::parser parser;
  dom::document document;
  // (Elements point to the document: what is returned moves on, so they are not kept.)
  const simdjson::error_code error = parser.parse_into_document(document, text).error();
  EXPECT_EQ(error, simdjson::SUCCESS);
  return document;
}

class SimdjsonTest : public TransferHeapTest {
 protected:
  // The first parse in a process makes a list that stays.
  static void SetUpTestSuite() { simdjson::get_active_implementation()->name(); }
};

// A document with elements that point to it.
struct Indexed {
  dom::document document;
  std::vector<dom::element> names;
  dom::array list;
  dom::object first;

  void Index() {
    list = document.root().get_array();
    first = list.at(0).get_object();
    for (const dom::element record : list) names.push_back(record["name"]);
  }
};

TEST_F(SimdjsonTest, Classes) {
  static_assert(kTransferClass<dom::document> == TransferClass::kOwned);
  static_assert(kRegionDroppable<dom::document>);
  static_assert(kTransferClass<dom::element> == TransferClass::kChecked);
  static_assert(kTransferClass<dom::key_value_pair> == TransferClass::kChecked);
  static_assert(kRegionDroppable<Indexed>);
  static_assert(kTransferClass<simdjson::padded_string> == TransferClass::kOwned);
  static_assert(kRegionDroppable<simdjson::padded_string>);
  static_assert(Freezable<Indexed> && Freezable<dom::key_value_pair>);
  static_assert(Freezable<simdjson::padded_string>);
  static_assert(!Transferable<dom::parser>);
  static_assert(!Transferable<dom::document_stream>);
  static_assert(!Transferable<simdjson::simdjson_result<dom::element>>);
  static_assert(!Transferable<dom::array::iterator>);
  static_assert(TransferTraits<dom::parser>::kRemedy ==
                "use parse_into_document and send the document");
}

TEST_F(SimdjsonTest, EveryBlockIsMet) {
  SKIP_ON_PLAIN_MALLOC();
  ExpectExact([] { return dom::document(); });
  ExpectExact([] { return Parse("1"); });
  ExpectExact([] { return Parse(Text(1000)); });
  ExpectExact([] {
    std::vector<dom::document> documents;
    for (std::size_t i = 1; i < 20; ++i) documents.push_back(Parse(Text(i)));
    return documents;
  });
  ExpectExact([] {
    dom::document document = Parse(Text(100));
    return std::make_pair(std::move(document), Parse("[]"));
  });
  ExpectExact([] { return simdjson::padded_string(); });
  ExpectExact([] { return simdjson::padded_string(std::string_view("")); });
  ExpectExact([] { return simdjson::padded_string(Text(100)); });
}

TEST_F(SimdjsonTest, DocumentsWithElementsAreDroppedAsAWhole) {
  Heap* const heap = FreshHeap();
  auto* const root = BuildIn(heap, [] { return Indexed{Parse(Text(100)), {}, {}, {}}; });
  {
    const HeapScope scope(heap);
    root->Index();
  }
  auto parcel = SealParcel(heap, root, heap->is_parcel());
  EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc)
      << ToString(parcel.receipt().reason);
  // The root, both buffers of the document, the elements of the vector.
  EXPECT_EQ(parcel.receipt().reachable_blocks, 4U);
  EXPECT_EQ(std::string_view(parcel->names[99]), LongText(99));
  EXPECT_EQ(std::uint64_t(parcel->first["at"]), 0U);
}

TEST_F(SimdjsonTest, ElementsOfAMovedDocumentAreRefused) {
  Indexed message{Parse(Text(3)), {}, {}, {}};
  EXPECT_TRUE(Verify(message).ok()) << "without elements it may be moved";
  message.Index();
  const VerifyReport report = Verify(message, "message");
  ASSERT_EQ(report.violations.size(), 5U);
  EXPECT_EQ(report.violations[0].path, "message.names[0]");
  EXPECT_EQ(report.violations[3].path, "message.list");
  EXPECT_EQ(report.violations[4].path, "message.first");
  EXPECT_THAT(report.violations[0].what, testing::HasSubstr("simdjson element"));
}

TEST_F(SimdjsonTest, ElementsMayGoWithADocumentThatStaysInPlace) {
  struct Boxed {
    std::unique_ptr<dom::document> document;
    dom::element root;
  };
  Boxed message{std::make_unique<dom::document>(Parse(Text(3))), {}};
  message.root = message.document->root();
  EXPECT_TRUE(Verify(message).ok());
  EXPECT_EQ(Verify(message).blocks, 3U);
  // The same elements without their document.
  const dom::element alone = message.root;
  EXPECT_FALSE(Verify(std::vector<dom::element>{alone}).ok());
  const dom::document local = Parse("[1]");
  message.root = local.root();
  ASSERT_EQ(Verify(message).violations.size(), 1U);
  EXPECT_EQ(Verify(message).violations[0].path, "value.root");
}

TEST_F(SimdjsonTest, ElementsOfAParserAreRefused) {
  dom::parser parser;
  dom::element root;
  ASSERT_EQ(parser.parse(Text(3)).get(root), simdjson::SUCCESS);
  EXPECT_FALSE(Verify(root).ok());
  EXPECT_TRUE(Verify(dom::element()).ok()) << "leads nowhere";
}

TEST_F(SimdjsonTest, FieldsGoWithTheirDocument) {
  struct Fields {
    std::unique_ptr<dom::document> document;
    std::vector<dom::key_value_pair> fields;
  };
  Fields message{std::make_unique<dom::document>(Parse(Text(2))), {}};
  for (const dom::key_value_pair field : dom::object(message.document->root().at(1))) {
    message.fields.push_back(field);
  }
  EXPECT_TRUE(Verify(message).ok());
  // Once the document is gone, both the key and the value are refused.
  message.document = std::make_unique<dom::document>(Parse("1"));
  const VerifyReport report = Verify(message);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.violations[0].path, "value.fields[0].key");
}

}  // namespace
}  // namespace isolates::internal
