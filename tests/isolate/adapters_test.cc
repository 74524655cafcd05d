// Third-party types through the library: sent, run, carried by ports and parcels, they equal what
// was built.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/container/deque.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/list.hpp>
#include <boost/container/map.hpp>
#include <boost/container/set.hpp>
#include <boost/container/slist.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/container/stable_vector.hpp>
#include <boost/container/static_vector.hpp>
#include <boost/container/string.hpp>
#include <boost/container/vector.hpp>
#include <nlohmann/json.hpp>

#include "isolates/adapters/boost_container.h"
#include "isolates/adapters/nlohmann_json.h"
#include "isolates/adapters/simdjson_dom.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

namespace bc = boost::container;
namespace dom = simdjson::dom;

// One of everything, some of it in the object, some of it out of line.
struct Boost {
  bc::string brief;
  bc::string text;
  bc::vector<bc::string> lines;
  bc::small_vector<std::string, 2> few;
  bc::small_vector<std::string, 2> many;
  bc::static_vector<std::string, 4> fixed;
  bc::flat_map<std::string, bc::string> table;
  bc::list<std::string> list;
  bc::slist<std::string> slist;
  bc::map<int, std::string> map;
  bc::multiset<std::string> set;
  bc::deque<std::string> deque;
  bc::stable_vector<std::string> stable;

  bool operator==(const Boost&) const = default;
};

std::string Text(std::size_t number) {
  return "a text that is too long for a short buffer: " + std::to_string(number);
}

Boost MakeBoost() {
  Boost value;
  value.brief = "brief";
  value.text = Text(0).c_str();
  value.few.push_back(Text(1));
  for (std::size_t i = 0; i < 200; ++i) {
    value.lines.emplace_back(Text(i).c_str());
    value.many.push_back(Text(i));
    value.table.emplace(Text(i), Text(i).c_str());
    value.list.push_back(Text(i));
    value.slist.push_front(Text(i));
    value.map.emplace(static_cast<int>(i), Text(i));
    value.set.insert(Text(i % 7));
    value.deque.push_front(Text(i));
    value.stable.push_back(Text(i));
  }
  value.fixed.assign(3, Text(2));
  return value;
}

nlohmann::json MakeJson() {
  nlohmann::json value;
  for (std::size_t i = 0; i < 200; ++i) value[Text(i)] = {Text(i), i, nullptr, {{"at", 0.5}}};
  return value;
}

// Elements point to their document: it stays where it is, however often the message is moved.
struct Dom {
  std::unique_ptr<dom::document> document;
  std::vector<dom::element> names;

  bool operator==(const Dom& other) const {
    const auto text = [](const Dom& dom) {
      std::string all = simdjson::minify(dom.document->root());
      for (const dom::element name : dom.names) all += std::string_view(name);
      return all;
    };
    return text(*this) == text(other);
  }
  // Readers leave what the unique_ptr leads to alone.
  using IsolatesMembers = OwningMembers<&Dom::document, &Dom::names>;
};

Dom MakeDom() {
  std::string text = "[";
  for (std::size_t i = 0; i < 200; ++i) text += R"({"name": ")" + Text(i) + R"("},)";
  text.back() = ']';
  Dom value{std::make_unique<dom::document>(), {}};
  dom::parser parser;
  const dom::element root = parser.parse_into_document(*value.document, text);
  for (const dom::element record : dom::array(root)) value.names.push_back(record["name"]);
  return value;
}

struct BoostType {
  static auto Make() { return MakeBoost(); }
};
struct JsonType {
  static auto Make() { return MakeJson(); }
};
struct DomType {
  static auto Make() { return MakeDom(); }
};

template <class Type>
class AdapterTest : public testing::Test {
 protected:
  // What simdjson keeps from its first use is no part of any parcel.
  static void SetUpTestSuite() { simdjson::get_active_implementation()->name(); }
};
using Types = testing::Types<BoostType, JsonType, DomType>;
TYPED_TEST_SUITE(AdapterTest, Types);

template <class T>
T Echo(T value) {
  return value;
}

TYPED_TEST(AdapterTest, ArgumentsAndResultsEqualWhatWasBuilt) {
  const auto expected = TypeParam::Make();
  using T = std::remove_const_t<decltype(expected)>;
  EXPECT_EQ(Isolate::Run(&Echo<T>, TypeParam::Make()).Get(), expected);
}

template <class T>
void SendBack(T value, SendPort<T> port) {
  EXPECT_EQ(port.Send(std::move(value)), SendResult::kAccepted);
}

TYPED_TEST(AdapterTest, MessagesEqualWhatWasBuilt) {
  const auto expected = TypeParam::Make();
  using T = std::remove_const_t<decltype(expected)>;
  ReceivePort<T> port;
  Isolate::Run(&SendBack<T>, TypeParam::Make(), port.send_port()).Get();
  EXPECT_EQ(port.Receive(kForever).value(), expected);
}

TYPED_TEST(AdapterTest, ParcelsAreReadInPlaceAndDroppedAsAWhole) {
  const auto expected = TypeParam::Make();
  for (int i = 0; i < 3; ++i) {
    const auto parcel = Isolate::RunParcel(&TypeParam::Make).Get();
    EXPECT_EQ(*parcel, expected);
    EXPECT_EQ(parcel.receipt().droppable, allocator() == Allocator::kMimalloc)
        << ToString(parcel.receipt().reason);
  }
}

// A document in the message itself is moved with it: elements may not point there.
struct Unboxed {
  dom::document document;
  dom::element root;
};

TEST(SimdjsonSendTest, AMessageWithElementsOfItsOwnDocumentIsRefused) {
  ReceivePort<Unboxed> port;
  Unboxed message;
  dom::parser parser;
  message.root = parser.parse_into_document(message.document, std::string("[1, 2]"));
  try {
    port.send_port().Send(std::move(message));
    FAIL() << "was sent";
  } catch (const TransferError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("message.root"));
    EXPECT_THAT(error.what(), testing::HasSubstr("simdjson element"));
  }
  // The message stayed here.
  EXPECT_EQ(message.root.at(1).value().get_int64().value(), 2);
  message.root = dom::element();
  EXPECT_EQ(port.send_port().Send(std::move(message)), SendResult::kAccepted);
  EXPECT_EQ(simdjson::minify(port.Receive(kForever).value().document.root()), "[1,2]");
}

}  // namespace
}  // namespace isolates
