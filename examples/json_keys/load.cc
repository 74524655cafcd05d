#include "examples/json_keys/load.h"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "isolates/isolates.h"

namespace json_keys {
namespace {

using isolates::Isolate;
using nlohmann::json;

std::string ReadFile(const std::string& path) {
  const auto fail = [&path](const char* what) {
    throw std::system_error(errno, std::generic_category(), what + (" " + path));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) fail("cannot open");
  std::string text;
  std::size_t size = 0;
  do {
    constexpr std::size_t kChunk = std::size_t{1} << 20;
    Isolate::CheckStop();
    if (text.size() < size + kChunk) text.resize(2 * size + kChunk);
    size += std::fread(text.data() + size, 1, kChunk, file.get());
    if (std::ferror(file.get()) != 0) fail("cannot read");
  } while (std::feof(file.get()) == 0);
  text.resize(size);
  return text;
}

// The characters of a text, for a parser that must end when its isolate is told to end.
class StoppableIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit StoppableIterator(const char* at) : at_(at) {}
  const char& operator*() const { return *at_; }
  StoppableIterator& operator++() {
    constexpr std::uintptr_t kInterval = 1 << 16;
    if (reinterpret_cast<std::uintptr_t>(++at_) % kInterval == 0) Isolate::CheckStop();
    return *this;
  }
  bool operator==(const StoppableIterator&) const = default;

 private:
  const char* at_;
};

json Parse(const std::string& text) {
  return json::parse(StoppableIterator(text.data()), StoppableIterator(text.data() + text.size()));
}

// "[json.exception.parse_error.101] parse error at line 1, ...": what stands behind the number.
std::string_view WithoutTag(std::string_view message) {
  const std::size_t end = message.find("] ");
  return message.starts_with('[') && end != message.npos ? message.substr(end + 2) : message;
}

}  // namespace

Loaded Load(const std::string& path) {
  const std::string text = ReadFile(path);
  Loaded loaded{nullptr, text.size(), 0};

  const auto start = std::chrono::steady_clock::now();
  try {
    loaded.document = Parse(text);
  } catch (const json::exception& e) {
    throw std::runtime_error(path + ": malformed JSON: " + std::string(WithoutTag(e.what())));
  }
  loaded.parse_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();

  if (!loaded.document.is_structured()) {
    throw std::runtime_error(path + ": the document has no keys: it is a " +
                             loaded.document.type_name());
  }
  return loaded;
}

}  // namespace json_keys
