// The twelve commonest mistakes in messages, and what the library says about each. Eight are
// refused in the sender when it sends, with a TransferError; four do not compile, and the text is
// that of the compiler's error.

#include <iostream>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::Isolate;
using isolates::ReceivePort;
using isolates::TransferError;
using isolates::TransferRefusal;
using isolates::VerifyReport;

template <class T>
std::string TextOfVerify(const T& message) {
  const VerifyReport report = isolates::Verify(message, "message");
  return report.ok() ? "accepted" : report.violations.front().ToString();
}

template <class Function>
std::string TextOfRun(Function function) {
  try {
    Isolate::Run(std::move(function)).Get();
    return "accepted";
  } catch (const TransferError& error) {
    return error.what();
  }
}

void Show(std::string_view caption, std::string_view code, std::string_view text) {
  static int number = 0;
  std::cout << ++number << ". " << caption << "\n   " << code << "\n   " << text << '\n';
}

// ---- refused when it is sent ----

struct Counter {
  int total = 0;
  std::string Start() {
    return TextOfRun([this] { return total; });
  }
};

struct Order {
  std::string customer;
  std::string_view name;
  const int* quantity = nullptr;
};

int g_limit = 100;

void CaptureByReference() {
  int total = 42;
  Show("A closure captures a local variable by reference", "Isolate::Run([&] { return total; });",
       TextOfRun([&] { return total; }));
}

void CaptureOfThis() {
  Counter counter;
  Show("A closure captures `this`", "Isolate::Run([this] { return total; });", counter.Start());
}

void ViewOfALocalString() {
  const std::string customer = "a customer whose name is longer than the short string buffer";
  Show("A view of a string that stays behind", "port.Send(Order{.name = customer});",
       TextOfVerify(Order{{}, customer, nullptr}));
}

void PointerToALocalVariable() {
  const int quantity = 3;
  Show("A pointer to a local variable", "port.Send(Order{.quantity = &quantity});",
       TextOfVerify(Order{{}, {}, &quantity}));
}

void PointerToAGlobal() {
  Show("A pointer to a global variable", "port.Send(Order{.quantity = &g_limit});",
       TextOfVerify(Order{{}, {}, &g_limit}));
}

void ViewIntoTheMessage() {
  Order order;
  order.customer = "Ada";
  order.name = order.customer;
  Show("A view of a short string of the same message",
       "order.name = order.customer; port.Send(std::move(order));", TextOfVerify(order));
}

void SharedWithTheSender() {
  const auto text = std::make_shared<std::string>("shared");
  const std::vector message{text};
  Show("A shared_ptr of which the sender keeps a copy", "port.Send(std::vector{text});",
       TextOfVerify(message));
}

void ContainerOnAnArena() {
  std::pmr::monotonic_buffer_resource arena;
  const std::pmr::vector<int> numbers({1, 2, 3}, &arena);
  Show("A container on an arena of the sender", "port.Send(std::pmr::vector<int>(&arena));",
       TextOfVerify(numbers));
}

// ---- refused by the compiler ----

struct Account {
  std::string owner;
  std::mutex lock;
};
struct Bank {
  std::vector<Account> accounts;
};

struct Hello {
  ReceivePort<std::string> replies;
};

class Customer {
 public:
  explicit Customer(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

class Shape {
 public:
  virtual ~Shape() = default;
};
struct Drawing {
  std::vector<std::unique_ptr<Shape>> shapes;
};

void WhatDoesNotCompile() {
  Show("A lock in a message", "struct Account { std::string owner; std::mutex lock; };",
       TransferRefusal<Bank>());
  Show("A ReceivePort in a message", "struct Hello { ReceivePort<std::string> replies; };",
       TransferRefusal<Hello>());
  Show("A class with private members that says nothing about them",
       "class Customer { ... private: std::string name_; };", TransferRefusal<Customer>());
  Show("A pointer to a base class",
       "struct Drawing { std::vector<std::unique_ptr<Shape>> shapes; };",
       TransferRefusal<Drawing>());
}

void ShowAll() {
  CaptureByReference();
  CaptureOfThis();
  ViewOfALocalString();
  PointerToALocalVariable();
  PointerToAGlobal();
  ViewIntoTheMessage();
  SharedWithTheSender();
  ContainerOnAnArena();
  WhatDoesNotCompile();
}

}  // namespace

int main() { return isolates::RunMain(ShowAll); }
