#include "examples/json_keys/generate.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <random>
#include <system_error>

namespace json_keys {
namespace {

// std::mt19937_64, unlike the distributions of the library, is the same everywhere.
using Random = std::mt19937_64;

std::string Letters(Random& random, std::size_t count) {
  std::string text(count, ' ');
  for (char& letter : text) {
    const std::uint64_t number = random() % 30;
    if (number < 26) letter = static_cast<char>('a' + number);
  }
  return text;
}

// Nineteen values in 23 blocks, about 950 bytes.
std::string Record(Random& random, std::uint64_t id) {
  char head[400];
  const auto number = [&] { return static_cast<int>(random() % 1'000'000); };
  const int length =
      std::snprintf(head, sizeof(head),
                    R"("item-%07)" PRIu64 R"(":{"id":%)" PRIu64 R"(,"active":%s,"score":%d.5,)"
                    R"("samples":[%d,%d,%d,%d,%d,%d],"position":{"x":%d.25,"y":%d.75},)",
                    id, id, random() % 2 == 0 ? "true" : "false", number(), number(), number(),
                    number(), number(), number(), number(), number(), number());
  return std::string(head, static_cast<std::size_t>(length)) +  //
         R"("name":")" + Letters(random, 40) + R"(","tags":[")" + Letters(random, 8) + R"(",")" +
         Letters(random, 8) + R"("],"note":")" + Letters(random, 640) + R"("})";
}

}  // namespace

void Generate(const std::string& path, std::uint64_t bytes) {
  const auto fail = [&path] {
    throw std::system_error(errno, std::generic_category(), "cannot write " + path);
  };
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                       &std::fclose);
  if (file == nullptr) fail();
  const auto write = [&](const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) fail();
  };

  Random random;
  write("{");
  std::uint64_t written = 1;
  constexpr std::uint64_t kEnd = 2;  // "}\n"
  for (std::uint64_t id = 1;; ++id) {
    std::string record = (id == 1 ? "\n" : ",\n") + Record(random, id);
    if (written + record.size() + kEnd > bytes) break;
    write(record);
    written += record.size();
  }
  write(std::string(bytes - written - kEnd, ' ') + "}\n");
  if (std::fclose(file.release()) != 0) fail();
}

}  // namespace json_keys
