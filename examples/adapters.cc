// How to teach the library a type that it cannot look into (docs/adapters.md), and how to prove
// that nothing was forgotten.

#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "isolates/isolates.h"

// ---- types of others, which cannot be changed ----

namespace vendor {

// Public members, but a constructor: no aggregate.
class Quote {
 public:
  explicit Quote(std::string of) : symbol(std::move(of)) {}

  std::string symbol;
  std::vector<double> prices;
  double last = 0;
};

template <class T>
class Grid {
 public:
  explicit Grid(std::size_t columns = 0) : width(columns) {}

  std::vector<T> cells;
  std::size_t width;
};

// A raw pointer owns the next stop.
struct Stop {
  explicit Stop(std::string of) : name(std::move(of)) {}
  Stop(Stop&& other) noexcept
      : name(std::move(other.name)), next(std::exchange(other.next, nullptr)) {}
  Stop& operator=(Stop&&) = delete;
  ~Stop() { delete next; }

  std::string name;
  Stop* next = nullptr;
};

// Must stay where it is.
class Connection {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {}
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Private members, and small texts in the object itself.
class Text {
 public:
  explicit Text(std::string_view text = {}) : size_(text.size()) {
    if (size_ > sizeof(inside_)) data_ = new char[size_];
    text.copy(data_, size_);
  }
  Text(Text&& other) noexcept : Text() { *this = std::move(other); }
  Text& operator=(Text&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(inside_, other.inside_);
    char* const mine = data_ == inside_ ? other.inside_ : data_;
    data_ = other.data_ == other.inside_ ? inside_ : other.data_;
    other.data_ = mine;
    return *this;
  }
  ~Text() {
    if (data_ != inside_) delete[] data_;
  }

  const char* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  char inside_[16] = {};
  char* data_ = inside_;
};

// Owns what it links, by means that no list of members could tell.
struct Order : boost::intrusive::list_base_hook<> {
  explicit Order(std::string text) : customer(std::move(text)) {}

  std::string customer;
};

class OrderBook {
 public:
  OrderBook() = default;
  OrderBook(OrderBook&&) = default;
  OrderBook& operator=(OrderBook&&) = delete;
  ~OrderBook() { orders_.clear_and_dispose(std::default_delete<Order>()); }

  void Add(std::string customer) { orders_.push_back(*new Order(std::move(customer))); }
  const boost::intrusive::list<Order>& orders() const { return orders_; }

 private:
  boost::intrusive::list<Order> orders_;
};

}  // namespace vendor

// ---- one line each ----

template <>
struct isolates::TransferTraits<vendor::Quote>
    : isolates::MembersTraits<
          vendor::Quote, isolates::OwningMembers<&vendor::Quote::symbol, &vendor::Quote::prices>> {
};

template <class T>
struct isolates::TransferTraits<vendor::Grid<T>>
    : isolates::MembersTraits<vendor::Grid<T>, isolates::OwningMembers<&vendor::Grid<T>::cells>> {};

template <>
struct isolates::TransferTraits<vendor::Stop>
    : isolates::MembersTraits<
          vendor::Stop,
          isolates::OwningMembers<&vendor::Stop::name, isolates::Owns<&vendor::Stop::next>{}>> {};

template <>
struct isolates::TransferTraits<vendor::Connection>
    : isolates::UnsendableTraits<vendor::Connection> {
  static constexpr std::string_view kRemedy = "send the address and connect there";
};

// ---- a walk ----

template <>
struct isolates::TransferTraits<vendor::Text> {
  static constexpr isolates::TransferClass kClass = isolates::TransferClass::kOwned;
  static constexpr bool kDroppable = true;
  static constexpr isolates::Constness kConstness = isolates::Constness::kDeep;

  static void Walk(const vendor::Text& text, isolates::Walker& walker) {
    // A small text is no block: it is in the object, which somebody else has reported.
    if (!isolates::InsideObject(text.data(), &text, sizeof(text))) {
      walker.Block(text.data(), text.size());
    }
  }
};

// The links lead to other orders of the same book, which owns them: only the rest is listed.
template <>
struct isolates::TransferTraits<vendor::Order>
    : isolates::MembersTraits<vendor::Order, isolates::OwningMembers<&vendor::Order::customer>> {};

template <>
struct isolates::TransferTraits<vendor::OrderBook> {
  using Parts = isolates::TypeList<vendor::Order>;
  static constexpr isolates::TransferClass kClass = isolates::TransferClass::kOwned;
  static constexpr bool kDroppable = true;
  static constexpr isolates::Constness kConstness = isolates::Constness::kDeep;
  static constexpr std::string_view Label(std::size_t) { return ".orders()[]"; }

  static void Walk(const vendor::OrderBook& book, isolates::Walker& walker) {
    walker.Nodes(book.orders(),
                 [&walker](const vendor::Order& order) { walker.Block(&order, sizeof(order)); });
  }
};

// ---- the proof ----

namespace {

using isolates::Isolate;

// A parcel is dropped as a whole only if the blocks that the walk met are exactly those that are
// in its heap. With plain malloc there is no heap to compare with.
template <class Builder>
void Prove(std::string_view what, Builder build) {
  const auto parcel = Isolate::RunParcel(build).Get();
  const isolates::Receipt& receipt = parcel.receipt();
  if (receipt.droppable || isolates::allocator() == isolates::Allocator::kMalloc) {
    std::cout << what << ": " << receipt.reachable_blocks << " blocks, all known\n";
  } else {
    std::cout << what << ": " << ToString(receipt.reason) << ", " << receipt.stray_blocks
              << " blocks not met\n";
  }
}

vendor::Quote BuildQuote() {
  vendor::Quote quote("a symbol that is too long for the buffer of a string");
  quote.prices = {1, 2, 3};
  return quote;
}

vendor::Grid<std::string> BuildGrid() {
  vendor::Grid<std::string> grid(10);
  grid.cells.assign(100, "a text that is too long for the buffer of a string");
  return grid;
}

vendor::Stop BuildStops() {
  vendor::Stop first("a stop with a name that is rather long");
  first.next = new vendor::Stop("another stop with a name that is rather long");
  return first;
}

std::vector<vendor::Text> BuildTexts() {
  std::vector<vendor::Text> texts;
  texts.emplace_back("small");
  texts.emplace_back("a text that does not fit into the object");
  return texts;
}

vendor::OrderBook BuildOrders() {
  vendor::OrderBook book;
  for (int i = 0; i < 10; ++i) book.Add("a customer with a name that is rather long");
  return book;
}

std::size_t CountOrders(const vendor::OrderBook& book) { return book.orders().size(); }

}  // namespace

int main() {
  Prove("quote", BuildQuote);
  Prove("grid", BuildGrid);
  Prove("stops", BuildStops);
  Prove("texts", BuildTexts);
  Prove("orders", BuildOrders);

  std::cout << Isolate::Run(CountOrders, BuildOrders()).Get() << " orders were sent\n";
  static_assert(!isolates::Transferable<vendor::Connection>);
  static_assert(isolates::Freezable<vendor::OrderBook> && isolates::Freezable<vendor::Text>);
}
