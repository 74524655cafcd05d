#ifndef ISOLATES_TESTS_FUZZ_DYNAMIC_TYPES_H_
#define ISOLATES_TESTS_FUZZ_DYNAMIC_TYPES_H_

// What only run time knows: objects behind a base class and in std::any, marks, and owning raw
// pointers.

#include <any>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "tests/fuzz/types.h"

namespace isolates::fuzz {

class Animal {
 public:
  virtual ~Animal() = default;
  virtual int Legs() const { return 0; }
  using IsolatesMembers = OwningMembers<>;
};
class Bird final : public Animal {
 public:
  int Legs() const override { return 2; }
  std::string song;
  std::string_view verse;
  using IsolatesMembers = OwningMembers<Base<Animal>{}, &Bird::song, &Bird::verse>;
};
class Herd final : public Animal {
 public:
  int Legs() const override { return 4; }
  std::vector<std::unique_ptr<Animal>> members;
  using IsolatesMembers = OwningMembers<Base<Animal>{}, &Herd::members>;
};
class Unlisted final : public Animal {};

// A chain of raw pointers, doubly linked.
class RawChain {
 public:
  struct Item {
    std::string text;
    Item* next = nullptr;
    Item* back = nullptr;
    using IsolatesMembers = OwningMembers<&Item::text, Owns<&Item::next>{}, &Item::back>;
  };
  RawChain() = default;
  RawChain(RawChain&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  RawChain& operator=(RawChain&& other) noexcept {
    std::swap(first_, other.first_);
    return *this;
  }
  ~RawChain() {
    while (first_ != nullptr) delete std::exchange(first_, first_->next);
  }
  Item*& first() { return first_; }

 private:
  Item* first_ = nullptr;

 public:
  using IsolatesMembers = OwningMembers<Owns<&RawChain::first_>{}>;
};

struct Dynamic {
  std::vector<std::unique_ptr<Animal>> zoo;
  std::any any;
  UnsendableMark mark;
  RawChain chain;
  const void* view = nullptr;
};

}  // namespace isolates::fuzz

namespace isolates {
template <>
struct DynamicTypes<fuzz::Animal> : OneOf<fuzz::Animal, fuzz::Bird, fuzz::Herd> {};
template <>
struct DynamicTypes<std::any> : OneOf<int, std::string, std::vector<std::string_view>> {};
}  // namespace isolates

namespace isolates::fuzz {

// ---- objects behind a base class ----

template <>
struct Shape<std::unique_ptr<Animal>> {
  using Pointer = std::unique_ptr<Animal>;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool vouched) { return vouched ? Drop::kYes : Drop::kNo; }
  static void Fill(Pointer& value, Builder& builder);
  static void Go(Pointer& value, Survey& survey);

 private:
  static void Spoil(void* place) { As<Pointer>(place) = std::make_unique<Unlisted>(); }
  static constexpr PlaceOps Ops() {
    PlaceOps ops{.name = "unique_ptr to a base"};
    ops.spoil = &Spoil;
    ops.spoiled = Wrong::kUnlisted;
    return ops;
  }
};

inline void Shape<std::unique_ptr<Animal>>::Fill(Pointer& value, Builder& builder) {
  if (!builder.Have()) return;
  switch (builder.random.Below(3)) {
    case 0:
      value = std::make_unique<Animal>();
      break;
    case 1: {
      auto bird = std::make_unique<Bird>();
      FillIn(bird->song, builder);
      value = std::move(bird);
      break;
    }
    default: {
      auto herd = std::make_unique<Herd>();
      FillIn(herd->members, builder);
      value = std::move(herd);
    }
  }
}

inline void Shape<std::unique_ptr<Animal>>::Go(Pointer& value, Survey& survey) {
  static constexpr PlaceOps kOps = Ops();
  const std::size_t place = survey.Enter(&value, &kOps);
  if (!survey.IsSpoiled(&value, Wrong::kUnlisted) && value != nullptr) {
    survey.Blocks(1);
    survey.Print(static_cast<std::uint64_t>(value->Legs()));
    if (auto* const bird = dynamic_cast<Bird*>(value.get())) {
      survey.Owns(bird, sizeof(*bird), true);
      GoMember(".song", bird->song, survey);
      GoMember(".verse", bird->verse, survey);
    } else if (auto* const herd = dynamic_cast<Herd*>(value.get())) {
      survey.Owns(herd, sizeof(*herd), true);
      GoMember(".members", herd->members, survey);
    }
  }
  survey.Leave(place);
}

template <>
struct Shape<std::any> {
 private:
  static constexpr PlaceOps Ops() {
    PlaceOps ops{.name = "any"};
    ops.spoil = [](void* place) { As<std::any>(place) = std::u16string(u"not on the list"); };
    ops.spoiled = Wrong::kUnlisted;
    return ops;
  }

 public:
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
  static void Fill(std::any& value, Builder& builder) {
    switch (builder.random.Below(4)) {
      case 0:
        value = 7;
        break;
      case 1:
        FillIn(value.emplace<std::string>(), builder);
        break;
      case 2:
        FillIn(value.emplace<std::vector<std::string_view>>(), builder);
        break;
      default:
        break;
    }
  }
  static void Go(std::any& value, Survey& survey) {
    static constexpr PlaceOps kOps = Ops();
    const std::size_t place = survey.Enter(&value, &kOps);
    if (!survey.IsSpoiled(&value, Wrong::kUnlisted)) {
      if (auto* const text = std::any_cast<std::string>(&value)) {
        survey.Blocks(1);  // it is larger than the room in an any
        survey.Owns(text, sizeof(*text), true);
        GoInto(*text, survey);
      } else if (auto* const views = std::any_cast<std::vector<std::string_view>>(&value)) {
        survey.Blocks(1);
        survey.Owns(views, sizeof(*views), true);
        GoInto(*views, survey);
      }
    }
    survey.Leave(place);
  }
};

// ---- marks ----

template <>
struct Shape<UnsendableMark> {
 private:
  static constexpr PlaceOps Ops() {
    PlaceOps ops{.name = "mark"};
    ops.spoil = [](void* place) { As<UnsendableMark>(place).Set("the fuzzer says so"); };
    ops.spoiled = Wrong::kMarked;
    return ops;
  }

 public:
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(UnsendableMark&, Builder&) {}
  static void Go(UnsendableMark& value, Survey& survey) {
    static constexpr PlaceOps kOps = Ops();
    survey.Leaf(&value, &kOps);
    (void)survey.IsSpoiled(&value, Wrong::kMarked);
  }
};

// ---- owning raw pointers ----

template <>
struct Shape<RawChain> {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(RawChain& value, Builder& builder) {
    for (std::size_t n = builder.Size(); n > 0; --n) {
      auto* const item = new RawChain::Item;
      FillIn(item->text, builder);
      item->next = value.first();
      if (item->next != nullptr) item->next->back = item;
      value.first() = item;
    }
  }
  static void Go(RawChain& value, Survey& survey) {
    const std::size_t top = survey.Push(".first_");
    for (RawChain::Item* item = value.first(); item != nullptr; item = item->next) {
      survey.Owns(item, sizeof(*item), true);
      survey.Blocks(1);
      GoMember(".text", item->text, survey);
      GoMember(".back", item->back, survey);
      survey.Push(".next");
    }
    survey.Pop(top);
  }
};

template <>
struct Shape<Dynamic> : AggregateShape<Dynamic, std::vector<std::unique_ptr<Animal>>, std::any,
                                       UnsendableMark, RawChain, const void*> {
  static void Fill(Dynamic& value, Builder& builder) {
    FillIn(value.zoo, builder);
    FillIn(value.any, builder);
    FillIn(value.chain, builder);
  }
  static void Go(Dynamic& value, Survey& survey) {
    GoMember(".zoo", value.zoo, survey);
    GoMember(".any", value.any, survey);
    GoMember(".mark", value.mark, survey);
    GoMember(".chain", value.chain, survey);
    GoMember(".view", value.view, survey);
  }
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_DYNAMIC_TYPES_H_
