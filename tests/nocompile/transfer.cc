// Forbidden transfers. Each bad line must be refused with a message that names the path and the
// remedy.

#include "isolates/transfer.h"

#include <any>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

template <class T>
[[maybe_unused]] void Send(const T& message) {
  isolates::internal::VerifyForSend(message, "message");
}

struct Shape {
  virtual ~Shape() = default;
};

class Engine {
 public:
  virtual void Start() {}

 protected:
  ~Engine() = default;
};
struct Diesel final : Engine {
  using IsolatesMembers = isolates::Members<>;
};
struct Plant {
  virtual ~Plant() = default;
  using IsolatesMembers = isolates::Members<>;
};
struct Oak : Plant {
  using IsolatesMembers = isolates::Members<isolates::Base<Plant>{}>;
};
struct Garden {
  Shape* owned = nullptr;
#ifdef OWNS_POLYMORPHIC
  using IsolatesMembers = isolates::Members<isolates::Owns<&Garden::owned>{}>;
#endif
};

}  // namespace

template <>
struct isolates::DynamicTypes<Engine> : isolates::OneOf<Diesel> {};
template <>
struct isolates::DynamicTypes<Plant> : isolates::OneOf<Oak
#ifdef DYNAMIC_TYPE_OF_ANOTHER_BASE
                                                       ,
                                                       Diesel
#endif
                                                       > {
};

namespace {

#ifdef WITHOUT_OPT_IN
class Account {
 public:
  explicit Account(std::string owner) : owner_(std::move(owner)) {}

 private:
  std::string owner_;
};
#else
class Account {
 public:
  explicit Account(std::string owner) : owner_(std::move(owner)) {}

 private:
  std::string owner_;

 public:
  using IsolatesMembers = isolates::Members<&Account::owner_>;
};
#endif

// Bound to its isolate, as a ReceivePort is.
struct Port {
  int queue;
#ifdef UNSENDABLE
  using IsolatesUnsendable = void;
  static constexpr const char* kIsolatesRemedy = "send its SendPort";
#endif
};

struct Line {
  std::string text;
#ifdef MUTEX_MEMBER
  std::shared_ptr<std::mutex> lock;
#endif
#ifdef THREAD_MEMBER
  std::unique_ptr<std::thread> worker;
#endif
#ifdef POLYMORPHIC_MEMBER
  std::unique_ptr<Shape> shape;
#endif
#ifdef ANY_MEMBER
  std::any anything;
#endif
#ifdef NO_VIRTUAL_DESTRUCTOR
  std::unique_ptr<Engine> engine;
#endif
  std::unique_ptr<Plant> plant;
  Garden garden;
#ifdef FILE_MEMBER
  FILE* log;
#endif
#ifdef REFERENCE_MEMBER
  const std::string& name;
#endif
#ifdef ANONYMOUS_UNION
  union {
    int i;
    float f;
  };
#endif
#ifdef UNION_MEMBER
  union Number {
    int i;
    float f;
  } number;
#endif
#ifdef LONG_ARRAY
  char buffer[5000];
#endif
#ifdef ITERATOR_MEMBER
  std::map<int, int>::iterator where;
#endif
};

struct Base {
  int x;
};
struct Derived
#ifdef AGGREGATE_WITH_BASE
    : Base
#endif
{
  std::string text;
};

struct Order {
  std::vector<Line> lines;
  std::map<int, Account> accounts;
  Port port;
  Derived derived;
};

[[maybe_unused]] void Use(const Order& order) {
  Send(order);
  Send([](int x) { return x; });
#ifdef BOUND_FUNCTION
  isolates::internal::CheckClosure(std::bind([](int) {}, 1), "computation");
#endif
#ifdef FUNCTION_OBJECT
  struct Job {
    std::unique_ptr<Shape> shape;
    void operator()() const {}
  };
  isolates::internal::CheckClosure(Job{}, "computation");
#endif
}

}  // namespace
