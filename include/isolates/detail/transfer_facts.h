#ifndef ISOLATES_DETAIL_TRANSFER_FACTS_H_
#define ISOLATES_DETAIL_TRANSFER_FACTS_H_

// What is known about a type at compile time, and about everything that can be reached from it.
//
// Each type has one TypeFacts object. Its parts (members, elements, pointees) are named by
// functions that return their facts, so a type may contain itself. A walk over this graph, with a
// list of the types already seen, classifies a type; it is done once for each type that somebody
// asks about.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "isolates/detail/transfer_names.h"

namespace isolates {

// What the move of a type does with what the object owns and shares.
enum class Moving {
  kMayCopy,   // it may copy some of it; the default
  kByParts,   // it moves the parts, which the object holds in place
  kTakesAll,  // it takes everything along
};
// Whether a member or element of this declared type is moved along with its holder.
template <class T>
inline constexpr bool kMovesAsPart =
    std::is_trivially_copyable_v<T> ||
    (!std::is_const_v<T> && std::is_move_constructible_v<std::remove_all_extents_t<T>>);

enum class TransferClass : std::uint8_t {
  kPlain,     // no pointers: bytes
  kOwned,     // every edge is unique and owning
  kChecked,   // has edges that only a look at run time can judge
  kRejected,  // can never be sent
};

// What holding a value by const reference is worth: only if it is deep everywhere, isolates may
// read the value at the same time (rule V3).
enum class Constness : std::uint8_t {
  kNone,     // readers can change it, or nobody can tell
  kShallow,  // readers can change mutable members or what it leads to, if its owner lets them
  kDeep,     // readers cannot change it; its parts are judged by themselves
};

template <class T>
struct TransferTraits;

namespace internal {

template <class... T>
struct TypeList {
  static constexpr std::size_t kSize = sizeof...(T);
};

struct TypeFacts;
using FactsFunction = const TypeFacts& (*)() noexcept;

struct PartFacts {
  FactsFunction facts;
  std::string_view label;  // how a path continues from the whole: ".name", "[]"
};

struct TypeFacts {
  const char* id;  // see SameFacts
  std::string_view name;
  TransferClass own_class;  // without its parts
  bool droppable;           // its destructor only frees memory of the same graph (H5c)
  // Readers that hold it by const reference can change or move memory that it owns (H4).
  bool shallow;
  Constness constness;
  bool views;    // has non-owning edges
  bool carrier;  // a standard type: what its owner vouches for holds inside it, too
  bool vouches;  // its author vouches that readers do not use shallow const (OwningMembers)
  std::string_view problem;  // kRejected: what is wrong with it, and what to do instead
  std::string_view remedy;
  std::string_view freeze_problem;  // not kDeep: the same for freezing
  std::string_view freeze_remedy;
  const PartFacts* parts;
  std::size_t part_count;
};

template <class T>
constexpr const TypeFacts& FactsOf() noexcept;

// The optional members of a TransferTraits, with their defaults.
template <class Traits>
constexpr bool TraitShallow() {
  if constexpr (requires { Traits::kShallow; }) {
    return Traits::kShallow;
  } else {
    return false;
  }
}
template <class Traits>
constexpr Constness TraitConstness() {
  if constexpr (requires { Traits::kConstness; }) {
    return Traits::kConstness;
  } else {
    return Constness::kNone;
  }
}
template <class Traits>
constexpr bool TraitViews() {
  if constexpr (requires { Traits::kViews; }) {
    return Traits::kViews;
  } else {
    return false;
  }
}
template <class Traits>
constexpr bool TraitCarrier() {
  if constexpr (requires { Traits::kCarrier; }) {
    return Traits::kCarrier;
  } else {
    return false;
  }
}
template <class Traits>
constexpr bool TraitVouches() {
  if constexpr (requires { Traits::kVouches; }) {
    return Traits::kVouches;
  } else {
    return false;
  }
}
template <class Traits>
constexpr std::string_view TraitProblem() {
  if constexpr (requires { Traits::kProblem; }) {
    return Traits::kProblem;
  } else {
    return {};
  }
}
template <class Traits>
constexpr std::string_view TraitRemedy() {
  if constexpr (requires { Traits::kRemedy; }) {
    return Traits::kRemedy;
  } else {
    return {};
  }
}
template <class Traits>
constexpr std::string_view TraitFreezeProblem() {
  if constexpr (requires { Traits::kFreezeProblem; }) {
    return Traits::kFreezeProblem;
  } else if constexpr (TraitConstness<Traits>() == Constness::kShallow) {
    return "lets readers change what it leads to";
  } else {
    return "is not known to be safe from changes by those who read it";
  }
}
template <class Traits>
constexpr std::string_view TraitFreezeRemedy() {
  if constexpr (requires { Traits::kFreezeRemedy; }) {
    return Traits::kFreezeRemedy;
  } else if constexpr (TraitConstness<Traits>() == Constness::kShallow) {
    return "let it lead to const, or vouch for its readers with OwningMembers in the class around "
           "it";
  } else {
    return "freeze the values that it stands for";
  }
}
template <class Traits>
constexpr std::string_view TraitLabel(std::size_t index) {
  if constexpr (requires { Traits::Label(index); }) {
    return Traits::Label(index);
  } else {
    return {};
  }
}
template <class Traits>
struct TraitParts {
  using Type = TypeList<>;
};
template <class Traits>
  requires requires { typename Traits::Parts; }
struct TraitParts<Traits> {
  using Type = typename Traits::Parts;
};

// Whether two functions tell the facts of one type. g++ with -fsanitize=undefined does not compare
// addresses of functions or inline variables at compile time, clang does not compare those of
// __PRETTY_FUNCTION__.
constexpr bool SameFacts(FactsFunction a, FactsFunction b) {
#if defined(__clang__)
  return a == b;
#else
  return a().id == b().id;
#endif
}

template <class Traits, class Parts, class Index>
struct PartTable;

template <class Traits, class... P, std::size_t... I>
struct PartTable<Traits, TypeList<P...>, std::index_sequence<I...>> {
  // One more than needed: there are no empty arrays. Names the facts of the parts without looking
  // at them: they may still be in the making.
  static constexpr PartFacts kParts[sizeof...(P) + 1] = {
      PartFacts{&FactsOf<std::remove_cv_t<P>>, TraitLabel<Traits>(I)}..., PartFacts{nullptr, {}}};
};

template <class T>
struct FactsHolder {
  using Traits = TransferTraits<T>;
  using Parts = typename TraitParts<Traits>::Type;
  using Table = PartTable<Traits, Parts, std::make_index_sequence<Parts::kSize>>;

  static constexpr TypeFacts kFacts{
      // An identity, not a text. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
      PrettyType<T>().data(),      TypeNameOf<T>(),        Traits::kClass,
      Traits::kDroppable,          TraitShallow<Traits>(), TraitConstness<Traits>(),
      TraitViews<Traits>(),        TraitCarrier<Traits>(), TraitVouches<Traits>(),
      TraitProblem<Traits>(),      TraitRemedy<Traits>(),  TraitFreezeProblem<Traits>(),
      TraitFreezeRemedy<Traits>(), Table::kParts,          Parts::kSize,
  };
};

template <class T>
constexpr const TypeFacts& FactsOf() noexcept {
  return FactsHolder<T>::kFacts;
}

// The types that a walk over the facts has met, in breadth-first order. `parent` is the index of
// the type through which each was met first.
class TypeGraph {
 public:
  struct Node {
    FactsFunction facts = nullptr;
    bool vouched = false;
    std::string_view label;
    std::size_t parent = 0;
  };

  constexpr explicit TypeGraph(FactsFunction root) {
    Add(Node{root, false, {}, 0});
    for (std::size_t i = 0; i < size_; ++i) {
      const TypeFacts& facts = nodes_[i].facts();
      const bool vouched = facts.carrier ? nodes_[i].vouched : facts.vouches;
      for (std::size_t p = 0; p < facts.part_count; ++p) {
        Add(Node{facts.parts[p].facts, vouched, facts.parts[p].label, i});
      }
    }
  }
  constexpr ~TypeGraph() { delete[] nodes_; }
  TypeGraph(const TypeGraph&) = delete;
  TypeGraph& operator=(const TypeGraph&) = delete;

  constexpr std::size_t size() const { return size_; }
  constexpr const Node& node(std::size_t index) const { return nodes_[index]; }

 private:
  constexpr void Add(const Node& node) {
    for (std::size_t i = 0; i < size_; ++i) {
      if (SameFacts(nodes_[i].facts, node.facts) && nodes_[i].vouched == node.vouched) return;
    }
    if (size_ == capacity_) {
      Node* const grown = new Node[2 * capacity_];
      for (std::size_t i = 0; i < size_; ++i) grown[i] = nodes_[i];
      delete[] nodes_;
      nodes_ = grown;
      capacity_ *= 2;
    }
    nodes_[size_++] = node;
  }

  std::size_t capacity_ = 16;
  std::size_t size_ = 0;
  Node* nodes_ = new Node[16];
};

// Whether those who hold the type by const reference can change something in it. `vouched`: the
// author of the class around it says that nobody gets that far.
constexpr bool LetsReadersChange(const TypeFacts& facts, bool vouched) {
  return facts.constness == Constness::kNone ||
         (facts.constness == Constness::kShallow && !vouched);
}

struct GraphSummary {
  TransferClass transfer_class = TransferClass::kPlain;
  bool droppable = true;
  bool freezable = true;
  // Whoever holds it by const reference can neither change nor move what it owns or where it leads
  // (H4): what was verified once stays as it was.
  bool settled = true;
  bool views = false;
};

constexpr GraphSummary Summarize(FactsFunction root) {
  const TypeGraph graph(root);
  GraphSummary summary;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const TypeFacts& facts = graph.node(i).facts();
    if (facts.own_class > summary.transfer_class) summary.transfer_class = facts.own_class;
    if (facts.shallow && !graph.node(i).vouched) summary.settled = false;
    if (!facts.droppable) summary.droppable = false;
    if (LetsReadersChange(facts, graph.node(i).vouched)) summary.freezable = false;
    if (facts.views) summary.views = true;
  }
  if (!summary.settled) summary.droppable = false;
  return summary;
}

template <class T>
inline constexpr GraphSummary kSummary = Summarize(&FactsOf<std::remove_cv_t<T>>);

// True if a value of the type can lead on to further edges out of line; only these count as a level
// of depth in a walk.
template <class T>
inline constexpr bool kLeadsOn =
    TransferTraits<T>::kClass != TransferClass::kPlain && FactsHolder<T>::Parts::kSize != 0;

}  // namespace internal

// The class of a type with everything that can be reached from it.
template <class T>
inline constexpr TransferClass kTransferClass = internal::kSummary<T>.transfer_class;

// True if a region that holds a T may be freed without running destructors, provided that the
// census agrees (rule H5c).
template <class T>
inline constexpr bool kRegionDroppable =
    kTransferClass<T> != TransferClass::kRejected && internal::kSummary<T>.droppable;

// "May be sent": the one definition for Send, Run, Spawn and Exit.
template <class T>
concept Transferable = kTransferClass<T> != TransferClass::kRejected;

// Deeply immutable for everybody who holds it by const reference: may be frozen (rule V3).
template <class T>
concept Freezable = Transferable<T> && internal::kSummary<T>.freezable;

}  // namespace isolates

#endif  // ISOLATES_DETAIL_TRANSFER_FACTS_H_
