#ifndef ISOLATES_DETAIL_TRANSFER_REQUIRE_H_
#define ISOLATES_DETAIL_TRANSFER_REQUIRE_H_

// RequireTransferable<T>(), RequireFreezable<T>(): a compile-time error in one readable line if T
// may not be sent or frozen:
//
//   Order.lines[].lock: std::mutex is bound to its place and to those who wait for it; remedy:
//   keep...
//
// Neither g++ 12 nor clang 19 prints a computed text in a static_assert, but both print template
// arguments, g++ those of a deleted function in the error line itself. clang cuts long strings, so
// it gets the text in pieces.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/detail/transfer_facts.h"
#include "isolates/detail/transfer_names.h"

namespace isolates::internal {

// How a part of a compiler's name for a type is written by programmers.
struct Shorter {
  std::string_view name;
  std::string_view text;
};
inline constexpr Shorter kShorter[] = {
    {"__cxx11::", ""},
    {"{anonymous}::", ""},
    {"(anonymous namespace)::", ""},
    {" >", ">"},
    {"basic_string<char>", "string"},
    {"basic_string_view<char>", "string_view"},
};
// What `name` begins with; nullptr: nothing to shorten.
constexpr const Shorter* Shorten(std::string_view name) {
  for (const Shorter& shorter : kShorter) {
    if (name.starts_with(shorter.name)) return &shorter;
  }
  return nullptr;
}

// Collects the text; with a null target it only counts.
class ErrorText {
 public:
  constexpr explicit ErrorText(char* target) : target_(target) {}

  constexpr void Add(std::string_view text) {
    for (const char c : text) {
      if (target_ != nullptr) target_[size_] = c;
      ++size_;
    }
  }
  // A type's name as a programmer writes it, and not longer than a line can bear.
  constexpr void AddType(std::string_view name) {
    std::size_t left = 80;
    while (!name.empty()) {
      const Shorter* const shorter = Shorten(name);
      const std::string_view part = shorter == nullptr ? name.substr(0, 1) : shorter->text;
      name.remove_prefix(shorter == nullptr ? 1 : shorter->name.size());
      if (part.size() > left) {
        Add("...");
        return;
      }
      Add(part);
      left -= part.size();
    }
  }
  constexpr std::size_t size() const { return size_; }

 private:
  char* target_;
  std::size_t size_ = 0;
};

constexpr void AddPath(const TypeGraph& graph, std::size_t index, ErrorText& text) {
  if (index == 0) {
    text.AddType(WithoutNamespace(graph.node(0).facts().name));
    return;
  }
  AddPath(graph, graph.node(index).parent, text);
  text.Add(graph.node(index).label);
}

enum class Demand : std::uint8_t { kTransferable, kFreezable };

constexpr bool Meets(Demand demand, const TypeGraph::Node& node) {
  const TypeFacts& facts = node.facts();
  return demand == Demand::kTransferable ? facts.own_class != TransferClass::kRejected
                                         : !LetsReadersChange(facts, node.vouched);
}

constexpr std::size_t WriteRefusal(FactsFunction root, Demand demand, char* target) {
  const TypeGraph graph(root);
  ErrorText text(target);
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const TypeFacts& facts = graph.node(i).facts();
    if (Meets(demand, graph.node(i))) continue;
    if (i != 0) {
      AddPath(graph, i, text);
      text.Add(": ");
    }
    text.AddType(facts.name);
    text.Add(" ");
    text.Add(demand == Demand::kTransferable ? facts.problem : facts.freeze_problem);
    text.Add("; remedy: ");
    text.Add(demand == Demand::kTransferable ? facts.remedy : facts.freeze_remedy);
    break;
  }
  return text.size();
}

template <class T, Demand D = Demand::kTransferable>
constexpr auto RefusalText() {
  constexpr std::size_t kSize = WriteRefusal(&FactsOf<T>, D, nullptr);
  FixedString<kSize + 1> text;
  WriteRefusal(&FactsOf<T>, D, text.text);
  return text;
}

#if defined(__clang__)

inline constexpr std::size_t kPiece = 34;

// The pieces end at spaces where that is possible.
template <std::size_t N>
constexpr std::size_t PieceEnd(const FixedString<N>& text, std::size_t begin) {
  if (N - 1 - begin <= kPiece) return N - 1;
  for (std::size_t end = begin + kPiece; end > begin + 8; --end) {
    if (text.text[end - 1] == ' ') return end;
  }
  return begin + kPiece;
}

template <auto Text, std::size_t Begin, std::size_t End>
constexpr auto Piece() {
  FixedString<End - Begin + 1> piece;
  for (std::size_t i = Begin; i < End; ++i) piece.text[i - Begin] = Text.text[i];
  piece.text[End - Begin] = '\0';
  return piece;
}

template <FixedString... Why>
inline constexpr bool kMessageMayBeSent = false;
template <FixedString... Why>
inline constexpr bool kMayBeFrozen = false;

template <Demand D, auto Text, std::size_t Begin, auto... Pieces>
constexpr void Refuse() {
  if constexpr (Begin < Text.view().size()) {
    constexpr std::size_t kEnd = PieceEnd(Text, Begin);
    Refuse<D, Text, kEnd, Pieces..., Piece<Text, Begin, kEnd>()>();
  } else if constexpr (D == Demand::kTransferable) {
    static_assert(kMessageMayBeSent<Pieces...>, "this type cannot be sent to another isolate");
  } else {
    static_assert(kMayBeFrozen<Pieces...>, "this type cannot be frozen");
  }
}

#else

template <FixedString Why>
void CannotBeSentToAnotherIsolate() = delete;
template <FixedString Why>
void CannotBeFrozen() = delete;

#endif

template <class T>
constexpr void RequireTransferable() {
  using Object = std::remove_cv_t<T>;
  if constexpr (kTransferClass<Object> == TransferClass::kRejected) {
#if defined(__clang__)
    Refuse<Demand::kTransferable, RefusalText<Object>(), 0>();
#else
    CannotBeSentToAnotherIsolate<RefusalText<Object>()>();
#endif
  }
}

template <class T>
inline constexpr auto kRefusalText = RefusalText<T>();

template <class T>
constexpr void RequireFreezable() {
  using Object = std::remove_cv_t<T>;
  if constexpr (!Transferable<Object>) {
    RequireTransferable<Object>();
  } else if constexpr (!Freezable<Object>) {
#if defined(__clang__)
    Refuse<Demand::kFreezable, RefusalText<Object, Demand::kFreezable>(), 0>();
#else
    CannotBeFrozen<RefusalText<Object, Demand::kFreezable>()>();
#endif
  }
}

}  // namespace isolates::internal

namespace isolates {

// Why the compiler would not let a T be sent, with the remedy: the text of its error, for programs
// that want to show or test it. Empty if a T may be sent.
template <class T>
constexpr std::string_view TransferRefusal() {
  return internal::kRefusalText<std::remove_cv_t<T>>.view();
}

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_REQUIRE_H_
