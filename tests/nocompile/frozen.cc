// What may not be frozen. Each bad line must be refused with a message that names the path and the
// remedy.

#include "isolates/frozen.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "isolates/port.h"

namespace {

struct Limit {
  std::string name;
#ifdef MUTABLE_MEMBER
  mutable int hits;
#endif
#ifdef UNIQUE_TO_MUTABLE
  std::unique_ptr<int> value;
#endif
#ifdef MUTABLE_SPAN
  std::span<int> values;
#endif
#ifdef SHARED_MEMBER
  std::shared_ptr<const int> value;
#endif
#ifdef FUNCTION_MEMBER
  std::function<int(int)> formula;
#endif
#ifdef PORT_MEMBER
  isolates::SendPort<int> changes;
#endif
#ifdef PARCEL_MEMBER
  isolates::Parcel<std::string> text;
#endif
#ifdef MUTEX_MEMBER
  std::mutex lock;
#endif
  std::unique_ptr<const int> fine;
};

class Account {
 public:
  Account() = default;

 private:
  int number_ = 0;

 public:
#ifdef NOBODY_VOUCHES
  using IsolatesMembers = isolates::Members<&Account::number_>;
#else
  using IsolatesMembers = isolates::OwningMembers<&Account::number_>;
#endif
};

struct Less {
#ifdef COMPARATOR_WITH_MEMBERS
  int order = 1;
  bool operator()(int a, int b) const { return a * order < b * order; }
#else
  bool operator()(int a, int b) const { return a < b; }
#endif
};

struct Config {
  std::map<std::string, std::vector<Limit>> limits;
  Account account;
  std::set<int, Less> steps;
};

[[maybe_unused]] void Use(Config config) {
#ifdef LVALUE
  (void)isolates::Freeze(config);
#endif
  const isolates::Frozen<Config> frozen = isolates::Freeze(std::move(config));
#ifdef WRITE_ACCESS
  frozen->limits.clear();
#endif
}

}  // namespace
