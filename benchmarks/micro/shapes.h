#ifndef ISOLATES_BENCHMARKS_MICRO_SHAPES_H_
#define ISOLATES_BENCHMARKS_MICRO_SHAPES_H_

// Object graphs of several shapes. Each shape has
//
//   using Graph = ...;
//   static Graph Make(std::size_t count);
//   static std::uint64_t Read(const Graph&);  // the plain traversal: follows each pointer and
//   reads
//                                             // each size and the first word behind it
//   static void Views(const Graph&, std::vector<const void*>*);  // where its views lead; optional

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isolates/adapters/nlohmann_json.h"
#include "isolates/transfer.h"

namespace shapes {

inline std::uint64_t FirstWord(const void* data) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, sizeof(word));
  return word;
}

inline std::string LongText(std::size_t number) {
  return "a text too long for the short string buffer " + std::to_string(number);
}

inline std::vector<std::size_t> Shuffled(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  return order;
}

struct Strings {
  using Graph = std::vector<std::string>;
  static Graph Make(std::size_t count) {
    Graph graph;
    graph.reserve(count);
    for (std::size_t i = 0; i < count; ++i) graph.push_back(LongText(i));
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.size();
    for (const std::string& text : graph) sum += text.size() + FirstWord(text.data());
    return sum;
  }
};

struct Vectors {
  using Graph = std::vector<std::vector<std::uint64_t>>;
  static Graph Make(std::size_t count) {
    Graph graph;
    graph.reserve(count);
    for (std::size_t i = 0; i < count; ++i) graph.emplace_back(4 + i % 8, i);
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.size();
    for (const auto& row : graph) sum += row.size() + row.front();
    return sum;
  }
};

struct Fill {
  double price;
  std::uint64_t quantity;
};
struct Order {
  std::uint64_t id;
  std::string symbol;  // short: in place
  std::string client;
  double limit;
  std::vector<Fill> fills;
};

struct Orders {
  using Graph = std::vector<Order>;
  static Graph Make(std::size_t count) {
    Graph graph;
    graph.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      graph.push_back({i, "ACME", LongText(i), 1.5, std::vector<Fill>(3, Fill{1.5, i})});
    }
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.size();
    for (const Order& order : graph) {
      sum += order.id + order.symbol.size() + FirstWord(order.symbol.data());
      sum += order.client.size() + FirstWord(order.client.data());
      sum += order.fills.size() + FirstWord(order.fills.data());
    }
    return sum;
  }
};

struct Map {
  using Graph = std::map<std::string, std::vector<std::uint64_t>>;
  static Graph Make(std::size_t count) {
    Graph graph;
    for (std::size_t i = 0; i < count; ++i)
      graph.emplace(LongText(i), Vectors::Graph::value_type(4, i));
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.size();
    for (const auto& [key, row] : graph) {
      sum += key.size() + FirstWord(key.data()) + row.size() + row.front();
    }
    return sum;
  }
};

struct List {
  using Graph = std::list<std::uint64_t>;
  static Graph Make(std::size_t count) { return Graph(count, 7); }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.size();
    for (const std::uint64_t number : graph) sum += number;
    return sum;
  }
};

struct TreeNode {
  std::uint64_t value;
  std::unique_ptr<TreeNode> left;
  std::unique_ptr<TreeNode> right;
};

struct Tree {
  using Graph = std::unique_ptr<TreeNode>;
  static Graph Make(std::size_t count) {
    if (count == 0) return nullptr;
    const std::size_t half = (count - 1) / 2;
    return std::make_unique<TreeNode>(TreeNode{count, Make(half), Make(count - 1 - half)});
  }
  static std::uint64_t Read(const Graph& graph) {
    return graph == nullptr ? 0 : graph->value + Read(graph->left) + Read(graph->right);
  }
};

struct Link {
  std::uint64_t value;
  std::unique_ptr<Link> next;
};
class LinkedList {
 public:
  LinkedList() = default;
  LinkedList(LinkedList&&) = default;
  LinkedList& operator=(LinkedList&&) = delete;
  // The members' own destructors would be as deep as the list is long.
  ~LinkedList() {
    while (head_ != nullptr) head_ = std::move(head_->next);
  }

  void Push(std::uint64_t value) { head_ = std::make_unique<Link>(Link{value, std::move(head_)}); }
  const Link* head() const { return head_.get(); }

 private:
  std::unique_ptr<Link> head_;

 public:
  using IsolatesMembers = isolates::OwningMembers<&LinkedList::head_>;
};

struct Chain {
  using Graph = LinkedList;
  static Graph Make(std::size_t count) {
    Graph graph;
    for (std::size_t i = 0; i < count; ++i) graph.Push(i);
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = 0;
    for (const Link* link = graph.head(); link != nullptr; link = link->next.get()) {
      sum += link->value;
    }
    return sum;
  }
};

struct Json {
  using Graph = nlohmann::json;
  static Graph Make(std::size_t count) {
    Graph graph = Graph::array();
    for (std::size_t i = 0; i < count; ++i) {
      graph.push_back({{"id", i}, {"client", LongText(i)}, {"levels", {1.5, 2.5, 3.5}}});
    }
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    switch (graph.type()) {
      case Graph::value_t::array: {
        const auto& values = graph.get_ref<const Graph::array_t&>();
        std::uint64_t sum = values.size();
        for (const Graph& value : values) sum += Read(value);
        return sum;
      }
      case Graph::value_t::object: {
        const auto& members = graph.get_ref<const Graph::object_t&>();
        std::uint64_t sum = members.size();
        for (const auto& [key, value] : members)
          sum += key.size() + FirstWord(key.data()) + Read(value);
        return sum;
      }
      case Graph::value_t::string: {
        const auto& text = graph.get_ref<const std::string&>();
        return text.size() + FirstWord(text.data());
      }
      default:
        return static_cast<std::uint64_t>(graph.type());
    }
  }
};

struct Item {
  std::uint64_t number;
  std::string name;
};

// Each item has two owners.
struct Shared {
  struct Graph {
    std::vector<std::shared_ptr<Item>> by_name;
    std::vector<std::shared_ptr<Item>> by_number;
  };
  static Graph Make(std::size_t count) {
    Graph graph;
    for (std::size_t i = 0; i < count; ++i) {
      graph.by_name.push_back(std::make_shared<Item>(Item{i, LongText(i)}));
    }
    graph.by_number = graph.by_name;
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.by_name.size() + graph.by_number.size();
    for (const auto& item : graph.by_name) {
      sum += item->number + item->name.size() + FirstWord(item->name.data());
    }
    for (const auto& item : graph.by_number) sum += item->number;
    return sum;
  }
};

// A text and views of its words.
struct Words {
  struct Graph {
    std::vector<char> text;
    std::vector<std::string_view> words;
  };
  static Graph Make(std::size_t count) {
    constexpr std::size_t kWord = 12;
    Graph graph{std::vector<char>(count * kWord, 'w'), {}};
    graph.words.reserve(count);
    for (std::size_t i = 0; i < count; ++i) graph.words.emplace_back(&graph.text[i * kWord], kWord);
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.text.size() + graph.words.size();
    for (const std::string_view word : graph.words) sum += word.size() + FirstWord(word.data());
    return sum;
  }
  static void Views(const Graph& graph, std::vector<const void*>* views) {
    for (const std::string_view word : graph.words) views->push_back(word.data());
  }
};

// A vector and pointers to its elements, in another order.
struct Index {
  struct Graph {
    std::vector<Fill> fills;
    std::vector<const Fill*> by_price;
  };
  static Graph Make(std::size_t count) {
    Graph graph{std::vector<Fill>(count, Fill{1.5, 10}), {}};
    graph.by_price.reserve(count);
    for (const std::size_t i : Shuffled(count)) graph.by_price.push_back(&graph.fills[i]);
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.fills.size() + graph.by_price.size();
    for (const Fill* fill : graph.by_price) sum += FirstWord(fill);
    return sum;
  }
  static void Views(const Graph& graph, std::vector<const void*>* views) {
    views->insert(views->end(), graph.by_price.begin(), graph.by_price.end());
  }
};

// As Index, but each element is a block of its own.
struct NodeIndex {
  struct Graph {
    std::vector<std::unique_ptr<Fill>> fills;
    std::vector<const Fill*> by_price;
  };
  static Graph Make(std::size_t count) {
    Graph graph;
    graph.fills.reserve(count);
    graph.by_price.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      graph.fills.push_back(std::make_unique<Fill>(Fill{1.5, i}));
    for (const std::size_t i : Shuffled(count)) graph.by_price.push_back(graph.fills[i].get());
    return graph;
  }
  static std::uint64_t Read(const Graph& graph) {
    std::uint64_t sum = graph.fills.size() + graph.by_price.size();
    for (const auto& fill : graph.fills) sum += FirstWord(fill.get());
    for (const Fill* fill : graph.by_price) sum += FirstWord(fill);
    return sum;
  }
  static void Views(const Graph& graph, std::vector<const void*>* views) {
    views->insert(views->end(), graph.by_price.begin(), graph.by_price.end());
  }
};

}  // namespace shapes

#endif  // ISOLATES_BENCHMARKS_MICRO_SHAPES_H_
