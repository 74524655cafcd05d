#ifndef ISOLATES_TESTS_FUZZ_NODES_H_
#define ISOLATES_TESTS_FUZZ_NODES_H_

// Recursive message types: they can take any shape, cycles and great depth included.

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/fuzz/types.h"

namespace isolates::fuzz {

// A bit of everything.
struct Node {
  int number = 0;
  std::string name;
  std::vector<Node> children;
  std::unique_ptr<Node> next;
  std::map<int, std::unique_ptr<Node>> table;
  std::shared_ptr<Node> shared;
  std::weak_ptr<Node> weak;
  Node* back = nullptr;
  std::string_view text;
  std::vector<int> numbers;
  std::span<const int> some_numbers;
  std::variant<int, std::string, std::list<Node>, const std::string*, std::function<int()>> any;
};

// The same without anything that is shared or led to: owned by its type alone.
struct Tree {
  std::string name;
  std::vector<Tree> children;
  std::unique_ptr<Tree> left;
  std::list<Tree> list;
  std::variant<int, std::string> value;
};

// May be droppable, may have views, can be deep.
class Link {
 public:
  std::unique_ptr<Link>& next() { return next_; }
  std::string& text() { return text_; }
  std::string_view& view() { return view_; }
  Link*& back() { return back_; }

 private:
  std::string text_;
  std::string_view view_;
  Link* back_ = nullptr;
  std::unique_ptr<Link> next_;

 public:
  using IsolatesMembers = OwningMembers<&Link::text_, &Link::view_, &Link::back_, &Link::next_>;
};

template <>
struct Shape<Node> {
  static constexpr bool kCountable = false;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
  static void Fill(Node& value, Builder& builder);
  static void Go(Node& value, Survey& survey);
};
template <>
struct Shape<Tree> {
  static constexpr bool kCountable = true;
  static constexpr TransferClass kClass = TransferClass::kOwned;
  // Readers could move what `left` leads to, and nobody has said that they do not.
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
  static void Fill(Tree& value, Builder& builder);
  static void Go(Tree& value, Survey& survey);
};
template <>
struct Shape<Link> {
  static constexpr bool kCountable = true;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr Drop DropOf(bool) { return Drop::kYes; }
  static void Fill(Link& value, Builder& builder);
  static void Go(Link& value, Survey& survey);
};

inline void Shape<Node>::Fill(Node& value, Builder& builder) {
  FillIn(value.number, builder);
  FillIn(value.name, builder);
  // Only some of the parts each time: all shapes, not all at once.
  const std::size_t parts = builder.random.Below(256);
  if (parts & 1) FillIn(value.children, builder);
  if (parts & 2) FillIn(value.next, builder);
  if ((parts & 12) == 4) FillIn(value.table, builder);
  if (parts & 16) FillIn(value.shared, builder);
  FillIn(value.weak, builder);
  if (parts & 32) FillIn(value.numbers, builder);
  if (parts & 64) FillIn(value.any, builder);
}
inline void Shape<Node>::Go(Node& value, Survey& survey) {
  GoMember(".number", value.number, survey);
  GoMember(".name", value.name, survey);
  GoMember(".children", value.children, survey);
  GoMember(".next", value.next, survey);
  GoMember(".table", value.table, survey);
  GoMember(".shared", value.shared, survey);
  GoMember(".weak", value.weak, survey);
  GoMember(".back", value.back, survey);
  GoMember(".text", value.text, survey);
  GoMember(".numbers", value.numbers, survey);
  GoMember(".some_numbers", value.some_numbers, survey);
  GoMember(".any", value.any, survey);
}

inline void Shape<Tree>::Fill(Tree& value, Builder& builder) {
  FillIn(value.name, builder);
  const std::size_t parts = builder.random.Below(16);
  if (parts & 1) FillIn(value.children, builder);
  if (parts & 2) FillIn(value.left, builder);
  if (parts & 4) FillIn(value.list, builder);
  FillIn(value.value, builder);
}
inline void Shape<Tree>::Go(Tree& value, Survey& survey) {
  GoMember(".name", value.name, survey);
  GoMember(".children", value.children, survey);
  GoMember(".left", value.left, survey);
  GoMember(".list", value.list, survey);
  GoMember(".value", value.value, survey);
}

inline void Shape<Link>::Fill(Link& value, Builder& builder) {
  // A chain, by a loop: it may be longer than the builder's depth, and than the walker's.
  const auto most = static_cast<std::size_t>(std::max(builder.budget, 1));
  std::size_t length = builder.random.OneIn(200) ? 1000 : builder.random.Below(12);
  length = std::min(length, most);
  builder.budget -= static_cast<int>(length);
  FillIn(value.text(), builder);
  Link* last = &value;
  for (; length > 0; --length) {
    last->next() = std::make_unique<Link>();
    last = last->next().get();
    FillIn(last->text(), builder);
  }
}
inline void Shape<Link>::Go(Link& value, Survey& survey) {
  GoMember(".text_", value.text(), survey);
  GoMember(".view_", value.view(), survey);
  GoMember(".back_", value.back(), survey);
  GoMember(".next_", value.next(), survey);
}

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_NODES_H_
