// JSON worker: an isolate parses a document and gives it to the caller; the example of Dart's
// documentation. What it stresses: the hand-over of a large graph of small blocks, its
// verification, and its end.
//
// Times from "the document is there, in the worker" to "the caller has it". The number of values
// and their sum are checked.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "benchmarks/programs/program.h"
#include "benchmarks/support/stopwatch.h"
#include "isolates/adapters/nlohmann_json.h"
#include "isolates/isolates.h"

namespace isolates::bench {
namespace {

struct Parsed {
  nlohmann::json document;
  std::int64_t ready = 0;  // when it was there
};

std::string MakeText(std::size_t records) {
  std::string text = "[";
  for (std::size_t i = 0; i < records; ++i) {
    if (i > 0) text += ',';
    text += R"({"id":)" + std::to_string(i) + R"(,"name":"a name that is somewhat longer )" +
            std::to_string(i) + R"(","tags":["one","two","three"],"price":1.5})";
  }
  return text + "]";
}

Parsed Parse(const std::string& text) {
  Parsed parsed{nlohmann::json::parse(text), 0};
  parsed.ready = Nanoseconds();
  return parsed;
}

void Check(const nlohmann::json& document, std::size_t records) {
  Require(document.size() == records, "all records are there");
  const std::uint64_t last = records - 1;
  Require(document.back().at("id").get<std::uint64_t>() == last, "in their order");
  Require(document.front().at("tags").size() == 3, "with all their parts");
}

// The times of one document on its way, in microseconds.
struct Times {
  double hand_over;
  double end;
};

Times AsResult(const std::string& text, std::size_t records) {
  auto parsed = std::make_unique<Parsed>(Isolate::Run(Parse, text).Get());
  const double hand_over = static_cast<double>(Nanoseconds() - parsed->ready) / 1e3;
  Check(parsed->document, records);
  return {hand_over, TimeOf([&] { parsed.reset(); }) / 1e3};
}

Times AsParcel(const std::string& text, std::size_t records) {
  auto parcel = Isolate::RunParcel(Parse, text).Get();
  const double hand_over = static_cast<double>(Nanoseconds() - parcel->ready) / 1e3;
  Check(parcel->document, records);
  return {hand_over, TimeOf([&] { parcel.Drop(); }) / 1e3};
}

// As where objects are copied between workers.
Times AsCopy(const std::string& text, std::size_t records) {
  const Parsed original = Parse(text);
  const Stopwatch watch;
  auto copy = std::make_unique<nlohmann::json>(original.document);
  const double hand_over = static_cast<double>(watch.ns()) / 1e3;
  Check(*copy, records);
  return {hand_over, TimeOf([&] { copy.reset(); }) / 1e3};
}

// As without any library.
Times ByPromise(const std::string& text, std::size_t records) {
  std::promise<Parsed> promise;
  std::thread worker([&] { promise.set_value(Parse(text)); });
  auto parsed = std::make_unique<Parsed>(promise.get_future().get());
  const double hand_over = static_cast<double>(Nanoseconds() - parsed->ready) / 1e3;
  worker.join();
  Check(parsed->document, records);
  return {hand_over, TimeOf([&] { parsed.reset(); }) / 1e3};
}

void Run(Program& program) {
  const auto records = program.Scale<std::size_t>(100'000, 300);
  const std::string text = MakeText(records);
  const int repetitions = program.Scale(7, 2);
  using Way = Times (*)(const std::string&, std::size_t);
  for (const auto& [name, way] : {std::pair<const char*, Way>("result of Run", AsResult),
                                  std::pair<const char*, Way>("parcel of RunParcel", AsParcel),
                                  std::pair<const char*, Way>("deep copy", AsCopy),
                                  std::pair<const char*, Way>("std::promise", ByPromise)}) {
    std::vector<double> hand_over;
    std::vector<double> end;
    for (int i = 0; i < repetitions; ++i) {
      const Times times = way(text, records);
      hand_over.push_back(times.hand_over);
      end.push_back(times.end);
    }
    program.Add(ResultOf(std::string(name) + ", until the caller has it",
                         SpreadOf(std::move(hand_over)), "us", repetitions));
    program.Add(
        ResultOf(std::string(name) + ", its end", SpreadOf(std::move(end)), "us", repetitions));
  }
}

}  // namespace
}  // namespace isolates::bench

int main(int argc, char** argv) {
  isolates::bench::Program program(argc, argv);
  isolates::bench::Run(program);
  return program.Finish();
}
