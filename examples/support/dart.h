// What the examples take from Dart's library: reading a file, and printing a document as Dart does.

#ifndef ISOLATES_EXAMPLES_SUPPORT_DART_H_
#define ISOLATES_EXAMPLES_SUPPORT_DART_H_

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "isolates/adapters/nlohmann_json.h"
#include "isolates/isolates.h"

namespace examples {

// File(path).readAsStringSync()
inline std::string ReadAsStringSync(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// File(path).readAsString(): an isolate reads, so that the caller's does not wait.
inline isolates::Future<std::string> ReadAsString(std::string path) {
  return isolates::Isolate::Run(ReadAsStringSync, std::move(path));
}

// text.trim()
inline std::string Trim(const std::string& text) {
  constexpr char kSpace[] = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// What Dart's print shows: {key: value}, [true, null, string].
inline std::string ToText(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, element] : value.items()) {
    if (!text.empty()) text += ", ";
    text += value.is_object() ? key + ": " + ToText(element) : ToText(element);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

}  // namespace examples

#endif  // ISOLATES_EXAMPLES_SUPPORT_DART_H_
