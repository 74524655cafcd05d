// The job of robust_ports_example with the library's requests: a long-lived worker that parses
// JSON.

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "examples/support/dart.h"
#include "isolates/isolates.h"

namespace {

using examples::ToText;
using isolates::Isolate;
using isolates::ReceivePort;
using isolates::RemoteError;
using isolates::Requester;
using isolates::RequestPort;
using isolates::SendPort;
using isolates::Task;
using isolates::WhenAll;
using nlohmann::json;

using Parser = Requester<std::string, json>;

void ParseRequests(SendPort<Parser> out) {
  RequestPort<std::string, json> port;
  out.Send(port.requester());
  std::move(port).Handle([](std::string text) { return json::parse(text); });
}

Task<> Main() {
  ReceivePort<Parser> connection;
  const Isolate worker = co_await Isolate::Spawn(ParseRequests, connection.send_port());
  const auto parser = co_await connection.Receive();

  std::cout << ToText(co_await parser->Call(R"({"key":"value"})")) << '\n';
  std::cout << ToText(co_await parser->Call(R"([true,false,null,1,"string"])")) << '\n';
  const auto [yes, no] = co_await WhenAll(parser->Call(R"("yes")"), parser->Call(R"("no")"));
  std::cout << ToText(json::array({yes, no})) << '\n';
  try {
    co_await parser->Call(R"({"key":)", std::chrono::seconds(60));
  } catch (const RemoteError& error) {
    std::cout << error.message() << '\n';
  }
  worker.Kill();
}

}  // namespace

int main() { return isolates::RunMain(Main); }
