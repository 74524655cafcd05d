#ifndef ISOLATES_ADAPTERS_SIMDJSON_DOM_H_
#define ISOLATES_ADAPTERS_SIMDJSON_DOM_H_

// Lets the documents of simdjson's DOM be sent, and be dropped as parts of a parcel.
//
// A document owns two buffers, its tape and its strings. Elements, arrays and objects are the
// address of a document with a position on its tape: they may go where the document goes with them
// and stays in place, as it does behind a unique_ptr, in a vector or as the root of a parcel that
// is passed on. A document that is moved itself, as a member of a message or of a result, may not
// be pointed to.
//
// simdjson chooses its machine at the first parse of a process and keeps a list of all: those few
// blocks would be strays of the first parcel. Call simdjson::get_active_implementation()->name() at
// the start of the program.
//
// A parser owns a document, too, but also a machine of a type that only simdjson knows: parse with
// parse_into_document() and send the document.

#include <simdjson.h>

#include <bit>
#include <cstddef>
#include <string_view>

#include "isolates/transfer.h"

namespace isolates {
namespace adapters {

template <class T>
struct SimdjsonViewTraits {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kDroppable = true;
  static constexpr bool kViews = true;
  static constexpr Constness kConstness = Constness::kDeep;

  static void Walk(const T& value, Walker& walker) {
    // All of them are this and nothing else; the member is private.
    const auto place = std::bit_cast<simdjson::internal::tape_ref>(value);
    walker.View(place.doc, sizeof(simdjson::dom::document), "simdjson element");
  }
};

}  // namespace adapters

// (A number among the members owns nothing and need not be listed.)
template <>
struct TransferTraits<simdjson::dom::document>
    : MembersTraits<simdjson::dom::document, OwningMembers<&simdjson::dom::document::tape,
                                                           &simdjson::dom::document::string_buf>> {
};

template <>
struct TransferTraits<simdjson::dom::element>
    : adapters::SimdjsonViewTraits<simdjson::dom::element> {};
template <>
struct TransferTraits<simdjson::dom::array> : adapters::SimdjsonViewTraits<simdjson::dom::array> {};
template <>
struct TransferTraits<simdjson::dom::object> : adapters::SimdjsonViewTraits<simdjson::dom::object> {
};

// The key is a view into the document's strings.
template <>
struct TransferTraits<simdjson::dom::key_value_pair>
    : MembersTraits<simdjson::dom::key_value_pair,
                    OwningMembers<&simdjson::dom::key_value_pair::key,
                                  &simdjson::dom::key_value_pair::value>> {};

// A text with room for the parser behind it.
template <>
struct TransferTraits<simdjson::padded_string> {
  static constexpr TransferClass kClass = TransferClass::kOwned;
  static constexpr bool kDroppable = true;
  static constexpr Constness kConstness = Constness::kDeep;
  static void Walk(const simdjson::padded_string& value, Walker& walker) {
    if (value.data() != nullptr) {
      walker.Block(value.data(), value.size() + simdjson::SIMDJSON_PADDING);
    }
  }
};

template <>
struct TransferTraits<simdjson::dom::parser> : UnsendableTraits<simdjson::dom::parser> {
  static constexpr std::string_view kProblem = "holds machinery that only simdjson can see";
  static constexpr std::string_view kRemedy = "use parse_into_document and send the document";
};
template <>
struct TransferTraits<simdjson::dom::document_stream>
    : UnsendableTraits<simdjson::dom::document_stream> {
  static constexpr std::string_view kProblem = "leads to its parser and its text";
  static constexpr std::string_view kRemedy = "send documents, or the text";
};
template <class T>
struct TransferTraits<simdjson::simdjson_result<T>>
    : UnsendableTraits<simdjson::simdjson_result<T>> {
  static constexpr std::string_view kProblem = "hides its value";
  static constexpr std::string_view kRemedy = "send value() or error()";
};

}  // namespace isolates

#endif  // ISOLATES_ADAPTERS_SIMDJSON_DOM_H_
