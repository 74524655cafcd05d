// A class with private members that says what they are, so that it may be sent and frozen.

#include <cstddef>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "isolates/isolates.h"

namespace {

class Customer {
 public:
  explicit Customer(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::vector<int> orders_;

 public:
  using IsolatesMembers = isolates::OwningMembers<&Customer::name_, &Customer::orders_>;
};

static_assert(isolates::Transferable<Customer>);
static_assert(isolates::Freezable<Customer>);

std::size_t Measure(const Customer& customer) { return customer.name().size(); }

}  // namespace

int main() {
  auto length = isolates::Isolate::Run(Measure, Customer("Ada"));
  std::cout << length.Get() << '\n';
}
